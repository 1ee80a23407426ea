//! Names under which exporters tell of a GPU, old and new, and what each stands for.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::smi;
use crate::model::label::Labels;

/// What a series tells of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// It is there, and this source has no value for it.
    Blank,
    Utilisation,
    /// 0 to 1; stands for the utilisation where that is not exported (MIG).
    Engine,
    Tensor,
    Dram,
    /// Share of time in which the memory was read or written, per cent: not how full it is.
    MemoryActivity,
    Encoder,
    Decoder,
    Used,
    Free,
    Reserved,
    Total,
    Temperature,
    MemoryTemperature,
    Power,
    PowerLimit,
    Clock,
    MemoryClock,
    PcieSent,
    PcieReceived,
    PcieReplays,
    Link,
    LinkErrors,
    /// Peers that cannot be reached directly.
    Peer,
    EccCorrected,
    EccUncorrected,
    RemappedCorrected,
    RemappedUncorrected,
    RemapPending,
    RemapFailure,
    Xid,
    Reasons,
    ThermalShare,
    PowerShare,
    Recovery,
    /// 0 pass, 10 warning, 20 failure.
    HealthCheck,
    /// 1 healthy.
    Health,
    /// AMD's field identifier of a hardware error.
    Fault,
    /// Per cent of its full speed.
    Fan,
    /// `nvidia-smi` read the card.
    Card,
    /// Memory of one process, and a process without it.
    Process,
    ProcessAlone,
}

/// Name, what it tells, and the factor to the unit of the reading.
pub(super) type Named = (&'static str, Field, f64);

/// Names that mean their value although exporters call them counters (throughputs), or whose total
/// is what tells (errors since the driver was loaded).
const LEVELS: &[&str] = &[
    "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL",
    "DCGM_FI_DEV_NVLINK_THROUGHPUT_TOTAL",
    "dcgm_nvlink_bandwidth_total",
    "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL",
    "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",
    "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS",
    "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
    "DCGM_FI_DEV_ROW_REMAP_CORRECTABLE_TOTAL",
    "DCGM_FI_DEV_ROW_REMAP_UNCORRECTABLE_TOTAL",
    "gpu_ecc_correct_total",
    "gpu_ecc_uncorrect_total",
];

/// A counter of this name is told as it is, not as its growth.
pub fn is_level(name: &str) -> bool {
    LEVELS.contains(&name.strip_prefix(AMD).unwrap_or(name))
}

const NANOSECONDS: f64 = 1e-9;
const PER_CENT: f64 = 0.01;
const MEGABYTES: f64 = 1e6;

const FIELDS: &[Named] = &[
    ("DCGM_FI_DEV_GPU_UTIL", Field::Utilisation, 1.0),
    ("DCGM_FI_DEV_GPU_UTIL_RATIO", Field::Utilisation, 1.0),
    ("dcgm_gpu_utilization", Field::Utilisation, 1.0),
    ("gpu_gfx_activity", Field::Utilisation, 1.0),
    ("hw_gpu_utilization_ratio", Field::Utilisation, 100.0),
    ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", Field::Engine, 1.0),
    ("DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", Field::Engine, 1.0),
    ("dcgm_fi_prof_gr_engine_active", Field::Engine, 1.0),
    ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", Field::Tensor, 1.0),
    ("DCGM_FI_PROF_TENSOR_UTIL_RATIO", Field::Tensor, 1.0),
    ("dcgm_fi_prof_pipe_tensor_active", Field::Tensor, 1.0),
    ("DCGM_FI_PROF_DRAM_ACTIVE", Field::Dram, 1.0),
    ("DCGM_FI_PROF_DRAM_UTIL_RATIO", Field::Dram, 1.0),
    ("dcgm_fi_prof_dram_active", Field::Dram, 1.0),
    ("DCGM_FI_DEV_FAN_SPEED", Field::Fan, 1.0),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", Field::MemoryActivity, 1.0),
    ("dcgm_mem_copy_utilization", Field::MemoryActivity, 1.0),
    ("gpu_umc_activity", Field::MemoryActivity, 1.0),
    ("DCGM_FI_DEV_ENC_UTIL", Field::Encoder, 1.0),
    ("dcgm_enc_utilization", Field::Encoder, 1.0),
    ("DCGM_FI_DEV_DEC_UTIL", Field::Decoder, 1.0),
    ("dcgm_dec_utilization", Field::Decoder, 1.0),
    ("DCGM_FI_DEV_FB_USED", Field::Used, 1.0),
    ("dcgm_fb_used", Field::Used, 1.0),
    ("gpu_used_vram", Field::Used, 1.0),
    ("hw_memory_usage_bytes", Field::Used, 1.0 / 1_048_576.0),
    ("DCGM_FI_DEV_FB_FREE", Field::Free, 1.0),
    ("dcgm_fb_free", Field::Free, 1.0),
    ("DCGM_FI_DEV_FB_RESERVED", Field::Reserved, 1.0),
    ("DCGM_FI_DEV_FB_TOTAL", Field::Total, 1.0),
    ("gpu_total_vram", Field::Total, 1.0),
    ("hw_memory_size_bytes", Field::Total, 1.0 / 1_048_576.0),
    ("DCGM_FI_DEV_GPU_TEMP", Field::Temperature, 1.0),
    ("DCGM_FI_DEV_GPU_TEMP_CELSIUS", Field::Temperature, 1.0),
    ("dcgm_gpu_temp", Field::Temperature, 1.0),
    ("gpu_junction_temperature", Field::Temperature, 1.0),
    ("gpu_edge_temperature", Field::Temperature, 1.0),
    ("hw_temperature_celsius", Field::Temperature, 1.0),
    ("DCGM_FI_DEV_MEMORY_TEMP", Field::MemoryTemperature, 1.0),
    (
        "DCGM_FI_DEV_MEMORY_TEMP_CELSIUS",
        Field::MemoryTemperature,
        1.0,
    ),
    ("dcgm_memory_temp", Field::MemoryTemperature, 1.0),
    ("gpu_memory_temperature", Field::MemoryTemperature, 1.0),
    ("DCGM_FI_DEV_POWER_USAGE", Field::Power, 1.0),
    ("DCGM_FI_DEV_BOARD_POWER_WATTS", Field::Power, 1.0),
    ("dcgm_power_usage", Field::Power, 1.0),
    ("gpu_package_power", Field::Power, 1.0),
    ("gpu_average_package_power", Field::Power, 1.0),
    ("gpu_power_usage", Field::Power, 1.0),
    ("hw_power_watts", Field::Power, 1.0),
    ("DCGM_FI_DEV_ENFORCED_POWER_LIMIT", Field::PowerLimit, 1.0),
    (
        "DCGM_FI_DEV_BOARD_POWER_LIMIT_ENFORCED_WATTS",
        Field::PowerLimit,
        1.0,
    ),
    ("DCGM_FI_DEV_SM_CLOCK", Field::Clock, 1.0),
    ("dcgm_sm_clock", Field::Clock, 1.0),
    ("gpu_clock", Field::Clock, 1.0),
    ("hw_frequency_hertz", Field::Clock, 1e-6),
    ("DCGM_FI_DEV_MEM_CLOCK", Field::MemoryClock, 1.0),
    ("dcgm_memory_clock", Field::MemoryClock, 1.0),
    ("DCGM_FI_PROF_PCIE_TX_BYTES", Field::PcieSent, 1.0),
    ("DCGM_FI_PROF_PCIE_TX_BYTES:rate", Field::PcieSent, 1.0),
    ("DCGM_FI_PROF_PCIE_RX_BYTES", Field::PcieReceived, 1.0),
    ("DCGM_FI_PROF_PCIE_RX_BYTES:rate", Field::PcieReceived, 1.0),
    ("gpu_pcie_replays", Field::PcieReplays, 1.0),
    (
        "DCGM_FI_DEV_PCIE_REPLAY_COUNTER:rate",
        Field::PcieReplays,
        1.0,
    ),
    (
        "DCGM_FI_DEV_PCIE_REPLAY_TOTAL:rate",
        Field::PcieReplays,
        1.0,
    ),
    ("dcgm_pcie_replay_counter:rate", Field::PcieReplays, 1.0),
    ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", Field::Link, MEGABYTES),
    (
        "DCGM_FI_DEV_NVLINK_THROUGHPUT_TOTAL",
        Field::Link,
        MEGABYTES,
    ),
    ("dcgm_nvlink_bandwidth_total", Field::Link, MEGABYTES),
    ("gpu_link_errors", Field::LinkErrors, 1.0),
    (
        "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL:rate",
        Field::LinkErrors,
        1.0,
    ),
    (
        "DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL:rate",
        Field::LinkErrors,
        1.0,
    ),
    (
        "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL:rate",
        Field::LinkErrors,
        1.0,
    ),
    (
        "DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL:rate",
        Field::LinkErrors,
        1.0,
    ),
    ("DCGM_EXP_P2P_STATUS", Field::Peer, 1.0),
    ("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", Field::EccCorrected, 1.0),
    ("gpu_ecc_correct_total", Field::EccCorrected, 1.0),
    ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", Field::EccUncorrected, 1.0),
    ("gpu_ecc_uncorrect_total", Field::EccUncorrected, 1.0),
    // Of the last hour, where the total is not at hand.
    ("gpu_ecc_uncorrected", Field::EccUncorrected, 1.0),
    ("gpu_amd_ecc_uncorrected", Field::EccUncorrected, 1.0),
    (
        "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS",
        Field::RemappedCorrected,
        1.0,
    ),
    (
        "DCGM_FI_DEV_ROW_REMAP_CORRECTABLE_TOTAL",
        Field::RemappedCorrected,
        1.0,
    ),
    (
        "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
        Field::RemappedUncorrected,
        1.0,
    ),
    (
        "DCGM_FI_DEV_ROW_REMAP_UNCORRECTABLE_TOTAL",
        Field::RemappedUncorrected,
        1.0,
    ),
    ("DCGM_FI_DEV_ROW_REMAP_PENDING", Field::RemapPending, 1.0),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", Field::RemapFailure, 1.0),
    ("DCGM_FI_DEV_ROW_REMAP_FAILED", Field::RemapFailure, 1.0),
    ("DCGM_FI_DEV_XID_ERRORS", Field::Xid, 1.0),
    ("DCGM_FI_DEV_XID_ERROR", Field::Xid, 1.0),
    ("dcgm_xid_errors", Field::Xid, 1.0),
    ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", Field::Reasons, 1.0),
    ("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", Field::Reasons, 1.0),
    ("gpu_thermal_share", Field::ThermalShare, 1.0),
    (
        "DCGM_FI_DEV_THERMAL_VIOLATION:rate",
        Field::ThermalShare,
        NANOSECONDS,
    ),
    (
        "gpu_violation_processor_hot_residency_percentage",
        Field::ThermalShare,
        PER_CENT,
    ),
    (
        "gpu_violation_socket_thermal_residency_percentage",
        Field::ThermalShare,
        PER_CENT,
    ),
    (
        "gpu_violation_vr_thermal_residency_percentage",
        Field::ThermalShare,
        PER_CENT,
    ),
    (
        "gpu_violation_hbm_thermal_residency_percentage",
        Field::ThermalShare,
        PER_CENT,
    ),
    ("gpu_power_share", Field::PowerShare, 1.0),
    (
        "DCGM_FI_DEV_POWER_VIOLATION:rate",
        Field::PowerShare,
        NANOSECONDS,
    ),
    (
        "gpu_violation_ppt_residency_percentage",
        Field::PowerShare,
        PER_CENT,
    ),
    ("DCGM_FI_DEV_GET_GPU_RECOVERY_ACTION", Field::Recovery, 1.0),
    ("DCGM_EXP_GPU_HEALTH_STATUS", Field::HealthCheck, 1.0),
    ("gpu_health", Field::Health, 1.0),
    ("gpu_afid_errors", Field::Fault, 1.0),
];

/// The prefix that a site may put before AMD's names.
const AMD: &str = "amd_";

/// A name by its number, which stays the same while we run.
pub(super) type NameId = u16;

/// All names with what they tell, by their numbers.
static NAMED: LazyLock<Vec<(String, Named)>> = LazyLock::new(|| {
    let own = FIELDS.iter().map(|f| (f.0.to_owned(), *f));
    let amd = FIELDS.iter().filter(|f| f.0.starts_with("gpu_"));
    let smi = smi::FIELDS.iter().map(|f| (f.0.to_owned(), *f));
    own.chain(amd.map(|f| (format!("{AMD}{}", f.0), *f)))
        .chain(smi)
        .collect()
});

static NUMBERS: LazyLock<HashMap<&str, NameId, RandomState>> = LazyLock::new(|| {
    NAMED
        .iter()
        .map(|(name, _)| name.as_str())
        .zip(0..)
        .collect()
});

/// Names under which GPU series are found in a store.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, _)| name.as_str())
}

/// Names under which these are told, with the factor to the unit of the reading; in the order of
/// the fields.
pub(super) fn told_by(fields: &'static [Field]) -> impl Iterator<Item = (&'static str, f64)> {
    fields.iter().flat_map(|wanted| {
        let own = NAMED
            .iter()
            .filter(move |(_, (_, field, _))| field == wanted);
        own.map(|(name, (_, _, factor))| (name.as_str(), *factor))
    })
}

/// The number of a name; `None`: it tells nothing of a GPU.
pub(super) fn number(name: &str) -> Option<NameId> {
    NUMBERS.get(name).copied()
}

/// Whether this name is one of `nvidia-smi`.
pub(super) fn is_smi(name: NameId) -> bool {
    NAMED
        .get(usize::from(name))
        .is_some_and(|(name, _)| smi::is_own(name))
}

/// What a series of a name tells, and its factor. One name may stand for several things, told
/// apart by a label.
pub(super) fn field(name: NameId, labels: &Labels) -> Option<(Field, f64)> {
    let (_, (name, field, factor)) = NAMED.get(usize::from(name))?;
    let field = match *name {
        "gpu_clock" => match labels.get("clock_type")? {
            "system" => Field::Clock,
            "memory" => Field::MemoryClock,
            _ => return None,
        },
        "hw_temperature_celsius" if labels.get("hw_sensor_location") == Some("memory") => {
            Field::MemoryTemperature
        }
        "hw_frequency_hertz" if labels.get("hw_frequency_domain") != Some("gpu") => return None,
        _ => *field,
    };
    Some((field, *factor))
}
