//! GPU readings of one cluster, NVIDIA and AMD alike, made from exporter series.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::label::Labels;
use super::sample::{Sample, SeriesKey};
use super::xid;

/// One GPU or one MIG instance / partition of it. A field the exporter lacks is `None` ("n/a").
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gpu {
    pub node: Arc<str>,
    /// Index on the node as the exporter numbers it.
    pub index: String,
    pub uuid: Option<String>,
    pub model: Option<String>,
    pub vendor: &'static str,
    /// MIG profile and instance, or AMD partition.
    pub partition: Option<String>,
    /// Namespace and pod that hold it.
    pub pod: Option<(String, String)>,
    /// Pods that hold it, where it is shared by time slicing; else 0 or 1.
    pub pods: usize,
    /// Per cent.
    pub utilisation: Option<Sample>,
    /// 0 to 1.
    pub tensor_active: Option<Sample>,
    pub dram_active: Option<Sample>,
    pub memory_used_mib: Option<Sample>,
    pub memory_total_mib: Option<f64>,
    pub temperature_c: Option<Sample>,
    pub memory_temperature_c: Option<Sample>,
    pub power_w: Option<Sample>,
    pub power_limit_w: Option<f64>,
    pub sm_clock_mhz: Option<Sample>,
    /// Last XID and its text, when not 0.
    pub xid: Option<(u32, String)>,
    /// Decoded clock-event reasons now in force, worst first.
    pub throttle: Vec<&'static str>,
    pub row_remap_failure: Option<bool>,
    /// AMD `gpu_health`, DCGM health check: false is bad.
    pub healthy: Option<bool>,
}

impl Gpu {
    /// `n1/3` or `n1/3 1g.10gb#7`: unique within the cluster.
    pub fn label(&self) -> String {
        match &self.partition {
            Some(part) => format!("{}/{} {part}", self.node, self.index),
            None => format!("{}/{}", self.node, self.index),
        }
    }

    /// Newest of its samples.
    pub fn newest(&self) -> Option<Sample> {
        [
            self.temperature_c,
            self.power_w,
            self.utilisation,
            self.memory_used_mib,
        ]
        .into_iter()
        .flatten()
        .max_by_key(|s| s.at)
    }
}

/// What a series tells of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Utilisation,
    /// 0 to 1; stands for the utilisation where that is not exported (MIG).
    Engine,
    Tensor,
    Dram,
    Used,
    Free,
    Reserved,
    Total,
    Temperature,
    MemoryTemperature,
    Power,
    PowerLimit,
    Clock,
    Xid,
    Reasons,
    RowRemap,
    /// 0 pass, 10 warning, 20 failure.
    HealthCheck,
    /// 1 healthy.
    Health,
}

/// Names of all series that `read` understands, `amd_` prefix left out.
const FIELDS: &[(&str, Field)] = &[
    ("DCGM_FI_DEV_GPU_UTIL", Field::Utilisation),
    ("DCGM_FI_DEV_GPU_UTIL_RATIO", Field::Utilisation),
    ("dcgm_gpu_utilization", Field::Utilisation),
    ("gpu_gfx_activity", Field::Utilisation),
    ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", Field::Engine),
    ("DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", Field::Engine),
    ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", Field::Tensor),
    ("DCGM_FI_PROF_TENSOR_UTIL_RATIO", Field::Tensor),
    ("DCGM_FI_PROF_DRAM_ACTIVE", Field::Dram),
    ("DCGM_FI_PROF_DRAM_UTIL_RATIO", Field::Dram),
    ("DCGM_FI_DEV_FB_USED", Field::Used),
    ("dcgm_fb_used", Field::Used),
    ("gpu_used_vram", Field::Used),
    ("DCGM_FI_DEV_FB_FREE", Field::Free),
    ("dcgm_fb_free", Field::Free),
    ("DCGM_FI_DEV_FB_RESERVED", Field::Reserved),
    ("DCGM_FI_DEV_FB_TOTAL", Field::Total),
    ("gpu_total_vram", Field::Total),
    ("DCGM_FI_DEV_GPU_TEMP", Field::Temperature),
    ("DCGM_FI_DEV_GPU_TEMP_CELSIUS", Field::Temperature),
    ("dcgm_gpu_temp", Field::Temperature),
    ("gpu_junction_temperature", Field::Temperature),
    ("gpu_edge_temperature", Field::Temperature),
    ("DCGM_FI_DEV_MEMORY_TEMP", Field::MemoryTemperature),
    ("DCGM_FI_DEV_MEMORY_TEMP_CELSIUS", Field::MemoryTemperature),
    ("dcgm_memory_temp", Field::MemoryTemperature),
    ("gpu_memory_temperature", Field::MemoryTemperature),
    ("DCGM_FI_DEV_POWER_USAGE", Field::Power),
    ("DCGM_FI_DEV_BOARD_POWER_WATTS", Field::Power),
    ("dcgm_power_usage", Field::Power),
    ("gpu_package_power", Field::Power),
    ("gpu_average_package_power", Field::Power),
    ("gpu_power_usage", Field::Power),
    ("DCGM_FI_DEV_ENFORCED_POWER_LIMIT", Field::PowerLimit),
    (
        "DCGM_FI_DEV_BOARD_POWER_LIMIT_ENFORCED_WATTS",
        Field::PowerLimit,
    ),
    ("DCGM_FI_DEV_SM_CLOCK", Field::Clock),
    ("dcgm_sm_clock", Field::Clock),
    ("DCGM_FI_DEV_XID_ERRORS", Field::Xid),
    ("DCGM_FI_DEV_XID_ERROR", Field::Xid),
    ("dcgm_xid_errors", Field::Xid),
    ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", Field::Reasons),
    ("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", Field::Reasons),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", Field::RowRemap),
    ("DCGM_FI_DEV_ROW_REMAP_FAILED", Field::RowRemap),
    ("DCGM_EXP_GPU_HEALTH_STATUS", Field::HealthCheck),
    ("gpu_health", Field::Health),
];

/// Clock-event bits, worst first. Idle, application clocks and the like hold nothing down.
const REASONS: &[(u32, &str)] = &[
    (0x40, "hw thermal"),
    (0x08, "hw slowdown"),
    (0x80, "hw power brake"),
    (0x20, "sw thermal"),
    (0x04, "power cap"),
];

/// Names under which GPU series are found in a store.
pub fn names() -> impl Iterator<Item = String> {
    FIELDS.iter().flat_map(|(name, _)| {
        let prefixed = name.starts_with("gpu_").then(|| format!("amd_{name}"));
        std::iter::once((*name).to_owned()).chain(prefixed)
    })
}

fn field(name: &str) -> Option<Field> {
    let name = name.strip_prefix("amd_").unwrap_or(name);
    FIELDS.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
}

/// Values that exporters write where the device has none.
pub fn is_blank(value: f64) -> bool {
    value.is_nan()
        || value >= 9.223_372_036_8e18
        || (2_147_483_632.0..=2_147_483_635.0).contains(&value)
        || (140_737_488_355_328.0..=140_737_488_355_331.0).contains(&value)
}

/// The node a GPU series is from.
pub fn node_of(labels: &Labels) -> &str {
    let host = labels
        .first_of(&["Hostname", "hostname", "node", "nodename", "instance"])
        .unwrap_or("");
    host_part(host)
}

/// Name or address without the port.
pub fn host_part(instance: &str) -> &str {
    match instance.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => instance,
    }
}

/// Index and partition of the GPU that the labels name: what `Subject::Gpu` says after the node.
pub fn place_of(labels: &Labels) -> Option<String> {
    let index = labels.first_of(&["gpu", "gpu_id", "minor_number", "gpu_index"])?;
    Some(match partition(labels) {
        Some(part) => format!("{index} {part}"),
        None => index.to_owned(),
    })
}

fn partition(labels: &Labels) -> Option<String> {
    if let Some(profile) = labels.get("GPU_I_PROFILE") {
        let id = labels.get("GPU_I_ID").unwrap_or("?");
        return Some(format!("{profile}#{id}"));
    }
    let kind = labels.get("gpu_compute_partition_type")?;
    if kind.eq_ignore_ascii_case("spx") {
        return None;
    }
    Some(format!(
        "{kind}#{}",
        labels.get("gpu_partition_id").unwrap_or("?")
    ))
}

/// Pod that works on the GPU. Through Prometheus the plain `pod` of a DCGM series is the exporter.
fn workload(labels: &Labels) -> Option<(String, String)> {
    let named = |namespace: &str, pod: &str| {
        let pod = labels.get(pod)?.to_owned();
        Some((labels.get(namespace).unwrap_or("").to_owned(), pod))
    };
    let direct = labels.get("exported_pod").is_none() && labels.get("pod_name").is_none();
    named("exported_namespace", "exported_pod")
        .or_else(|| named("pod_namespace", "pod_name"))
        .or_else(|| direct.then(|| named("namespace", "pod")).flatten())
        .filter(|(_, pod)| !pod.contains("dcgm-exporter") && !pod.contains("metrics-exporter"))
}

#[derive(Default)]
struct Draft {
    gpu: Gpu,
    engine: Option<Sample>,
    free: Option<f64>,
    reserved: Option<f64>,
    pods: Vec<(String, String)>,
    xid_at: Option<Sample>,
}

/// Makes GPUs from the newest samples of exporter series; unknown names are passed over. Sorted by
/// node, index and partition.
pub fn read<'a>(series: impl Iterator<Item = (&'a SeriesKey, Sample)>) -> Vec<Gpu> {
    let mut drafts: BTreeMap<(String, String), Draft> = BTreeMap::new();
    for (key, sample) in series {
        let Some(field) = field(&key.name) else {
            continue;
        };
        let Some(place) = place_of(&key.labels) else {
            continue;
        };
        let draft = drafts
            .entry((node_of(&key.labels).to_owned(), place))
            .or_default();
        draft.identify(key);
        if !is_blank(sample.value) {
            draft.take(field, &key.labels, sample);
        }
    }
    let mut gpus: Vec<Gpu> = drafts.into_values().map(Draft::finish).collect();
    gpus.sort_by_cached_key(|g| {
        let index: u32 = g.index.parse().unwrap_or(u32::MAX);
        (g.node.clone(), index, g.index.clone(), g.partition.clone())
    });
    gpus
}

impl Draft {
    fn identify(&mut self, key: &SeriesKey) {
        let labels = &key.labels;
        let gpu = &mut self.gpu;
        if gpu.vendor.is_empty() {
            gpu.vendor = if labels.get("gpu_id").is_some() {
                "amd"
            } else {
                "nvidia"
            };
            gpu.node = node_of(labels).into();
            gpu.index = labels
                .first_of(&["gpu", "gpu_id", "minor_number", "gpu_index"])
                .unwrap_or("")
                .to_owned();
            gpu.partition = partition(labels);
        }
        let own = |names: &[&str]| labels.first_of(names).map(str::to_owned);
        gpu.uuid = gpu
            .uuid
            .take()
            .or_else(|| own(&["UUID", "uuid", "gpu_uuid", "serial_number"]));
        gpu.model = gpu
            .model
            .take()
            .or_else(|| own(&["modelName", "card_series", "card_model"]));
        if let Some(pod) = workload(labels)
            && !self.pods.contains(&pod)
        {
            self.pods.push(pod);
        }
    }

    fn take(&mut self, field: Field, labels: &Labels, sample: Sample) {
        let gpu = &mut self.gpu;
        // Copies per pod (time slicing) tell the same; the newest, then the greatest, counts.
        let put = |place: &mut Option<Sample>| {
            let better = place.is_none_or(|p| (sample.at, sample.value) > (p.at, p.value));
            if better {
                *place = Some(sample);
            }
        };
        match field {
            Field::Utilisation => put(&mut gpu.utilisation),
            Field::Engine => put(&mut self.engine),
            Field::Tensor => put(&mut gpu.tensor_active),
            Field::Dram => put(&mut gpu.dram_active),
            Field::Used => put(&mut gpu.memory_used_mib),
            Field::Free => self.free = Some(sample.value),
            Field::Reserved => self.reserved = Some(sample.value),
            Field::Total => gpu.memory_total_mib = Some(sample.value),
            Field::Temperature => put(&mut gpu.temperature_c),
            // 0: the card has no such sensor.
            Field::MemoryTemperature if sample.value > 0.0 => put(&mut gpu.memory_temperature_c),
            Field::MemoryTemperature => {}
            Field::Power => put(&mut gpu.power_w),
            Field::PowerLimit => gpu.power_limit_w = Some(sample.value),
            Field::Clock => put(&mut gpu.sm_clock_mhz),
            Field::Xid => self.take_xid(labels, sample),
            Field::Reasons => gpu.throttle = reasons(sample.value),
            Field::RowRemap => {
                let failed = sample.value >= 0.5;
                gpu.row_remap_failure = Some(gpu.row_remap_failure.unwrap_or(false) || failed);
            }
            Field::HealthCheck => {
                let good = sample.value < 15.0;
                gpu.healthy = Some(gpu.healthy.unwrap_or(true) && good);
            }
            Field::Health => gpu.healthy = Some(sample.value >= 0.5),
        }
    }

    /// A new XID is a new series (its number is a label): the newest one tells.
    fn take_xid(&mut self, labels: &Labels, sample: Sample) {
        if self
            .xid_at
            .is_some_and(|s| (s.at, s.value) >= (sample.at, sample.value))
        {
            return;
        }
        self.xid_at = Some(sample);
        let number = sample.value as u32;
        self.gpu.xid = (number > 0).then(|| {
            let told = labels.get("err_msg").unwrap_or("");
            let text = if told.is_empty() {
                xid::text(number)
            } else {
                told
            };
            (number, text.to_owned())
        });
    }

    fn finish(self) -> Gpu {
        let mut gpu = self.gpu;
        // Other partitions of an AMD card report 0 W: that is "not exposed".
        if gpu.vendor == "amd"
            && gpu.partition.is_some()
            && gpu.power_w.is_some_and(|p| p.value == 0.0)
        {
            gpu.power_w = None;
        }
        gpu.utilisation = gpu.utilisation.or(self.engine.map(|s| Sample {
            value: s.value * 100.0,
            ..s
        }));
        if gpu.memory_total_mib.is_none()
            && let (Some(used), Some(free)) = (gpu.memory_used_mib, self.free)
        {
            gpu.memory_total_mib = Some(used.value + free + self.reserved.unwrap_or(0.0));
        }
        gpu.pods = self.pods.len();
        gpu.pod = self.pods.into_iter().next();
        gpu
    }
}

fn reasons(mask: f64) -> Vec<&'static str> {
    let mask = mask as u32;
    REASONS
        .iter()
        .filter(|(bit, _)| mask & bit != 0)
        .map(|(_, word)| *word)
        .collect()
}

#[cfg(test)]
mod tests;
