//! What `nvidia-smi -q -x` tells of a card: the names of its series, and what it adds to exporters.

use super::fields::{Field, Named};
use crate::model::label::Labels;
use crate::model::time::Timestamp;

/// Every series of it begins so: a name of its own, as it may differ from what an exporter says.
const PREFIX: &str = "nvidia_smi_";
/// Says that the card was read, with driver, model, bus and the pod it was read in as labels.
pub const CARD: &str = "nvidia_smi_card_info";
/// Memory of one process, with `pid`, `process` and `type`.
pub const PROCESS: &str = "nvidia_smi_process_memory_bytes";
/// A process whose memory is not told.
pub const PROCESS_ALONE: &str = "nvidia_smi_process_info";
pub const FAN: &str = "nvidia_smi_fan_percent";
pub const UTILISATION: &str = "nvidia_smi_utilisation_percent";
pub const MEMORY_ACTIVITY: &str = "nvidia_smi_memory_activity_percent";
pub const ENCODER: &str = "nvidia_smi_encoder_percent";
pub const DECODER: &str = "nvidia_smi_decoder_percent";
pub const USED: &str = "nvidia_smi_memory_used_bytes";
pub const TOTAL: &str = "nvidia_smi_memory_total_bytes";
pub const TEMPERATURE: &str = "nvidia_smi_temperature_celsius";
pub const MEMORY_TEMPERATURE: &str = "nvidia_smi_memory_temperature_celsius";
pub const POWER: &str = "nvidia_smi_power_watts";
pub const POWER_LIMIT: &str = "nvidia_smi_power_limit_watts";
pub const CLOCK: &str = "nvidia_smi_sm_clock_hertz";
pub const MEMORY_CLOCK: &str = "nvidia_smi_memory_clock_hertz";
/// The bit mask of `assets/gpu.toml`.
pub const REASONS: &str = "nvidia_smi_clock_event_reasons";
/// Since the driver was loaded.
pub const ECC_CORRECTED: &str = "nvidia_smi_ecc_corrected";
pub const ECC_UNCORRECTED: &str = "nvidia_smi_ecc_uncorrected";
pub const ROWS_CORRECTED: &str = "nvidia_smi_remapped_rows_corrected";
pub const ROWS_UNCORRECTED: &str = "nvidia_smi_remapped_rows_uncorrected";
pub const ROW_PENDING: &str = "nvidia_smi_row_remap_pending";
pub const ROW_FAILURE: &str = "nvidia_smi_row_remap_failure";
/// The code of `assets/gpu.toml`.
pub const RECOVERY: &str = "nvidia_smi_recovery_action";

const MIB: f64 = 1.0 / 1_048_576.0;

/// What the names tell, as those of the exporters.
pub(super) const FIELDS: &[Named] = &[
    (CARD, Field::Card, 1.0),
    (PROCESS, Field::Process, MIB),
    (PROCESS_ALONE, Field::ProcessAlone, 1.0),
    (FAN, Field::Fan, 1.0),
    (UTILISATION, Field::Utilisation, 1.0),
    (MEMORY_ACTIVITY, Field::MemoryActivity, 1.0),
    (ENCODER, Field::Encoder, 1.0),
    (DECODER, Field::Decoder, 1.0),
    (USED, Field::Used, MIB),
    (TOTAL, Field::Total, MIB),
    (TEMPERATURE, Field::Temperature, 1.0),
    (MEMORY_TEMPERATURE, Field::MemoryTemperature, 1.0),
    (POWER, Field::Power, 1.0),
    (POWER_LIMIT, Field::PowerLimit, 1.0),
    (CLOCK, Field::Clock, 1e-6),
    (MEMORY_CLOCK, Field::MemoryClock, 1e-6),
    (REASONS, Field::Reasons, 1.0),
    (ECC_CORRECTED, Field::EccCorrected, 1.0),
    (ECC_UNCORRECTED, Field::EccUncorrected, 1.0),
    (ROWS_CORRECTED, Field::RemappedCorrected, 1.0),
    (ROWS_UNCORRECTED, Field::RemappedUncorrected, 1.0),
    (ROW_PENDING, Field::RemapPending, 1.0),
    (ROW_FAILURE, Field::RemapFailure, 1.0),
    (RECOVERY, Field::Recovery, 1.0),
];

/// Whether a series of this name is of `nvidia-smi`.
pub(super) fn is_own(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// What holds for a card as a whole, and so for each of its parts.
pub(super) fn is_of_card(field: Field) -> bool {
    !matches!(
        field,
        Field::Card
            | Field::Process
            | Field::ProcessAlone
            | Field::Utilisation
            | Field::MemoryActivity
            | Field::Encoder
            | Field::Decoder
            | Field::Used
            | Field::Total
    )
}

/// How the field is called where it is said who told it.
pub(super) fn word(field: Field) -> &'static str {
    match field {
        Field::Fan => "fan",
        Field::Utilisation => "utilisation",
        Field::MemoryActivity => "memory activity",
        Field::Encoder | Field::Decoder => "video",
        Field::Used => "memory used",
        Field::Total => "memory total",
        Field::Temperature => "temperature",
        Field::MemoryTemperature => "memory temperature",
        Field::Power => "power",
        Field::PowerLimit => "power limit",
        Field::Clock => "SM clock",
        Field::MemoryClock => "memory clock",
        Field::Reasons => "clock reasons",
        Field::EccCorrected | Field::EccUncorrected => "ECC",
        Field::RemappedCorrected | Field::RemappedUncorrected => "remapped rows",
        Field::RemapPending | Field::RemapFailure => "row remap",
        Field::Recovery => "recovery",
        _ => "",
    }
}

/// The card and the part of it that the labels name, whoever wrote them: a key under which both
/// tell of one device.
pub(super) fn device(labels: &Labels) -> Option<(String, String)> {
    let uuid = labels.first_of(&["UUID", "uuid"])?;
    let part = labels.get("GPU_I_ID").unwrap_or_default();
    Some((uuid.to_owned(), part.to_owned()))
}

/// What `nvidia-smi` told of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Smi {
    pub at: Timestamp,
    /// Namespace and pod in which it was run.
    pub read_in: String,
    /// What no exporter tells, or not for some minutes.
    pub fills: Vec<&'static str>,
    /// Greatest first.
    pub processes: Vec<Process>,
}

/// One process on a card, as far as the pod sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// `1842 python3 (C)`.
    pub name: String,
    pub memory_mib: Option<f64>,
}
