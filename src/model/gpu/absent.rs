//! Why a reading is not there: a source that does not tell is not a device that has not.

use super::{Gpu, Measure};

/// A field of the device page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    Utilisation,
    Profiling,
    MemoryActivity,
    MemoryTotal,
    MemoryTemperature,
    Power,
    PowerLimit,
    Clock,
    Pcie,
    Link,
    LinkErrors,
    Ecc,
    Remap,
    Reasons,
    Share,
    Xid,
    Video,
    Other,
}

impl Gpu {
    /// The reason in a few words.
    pub fn absent(&self, field: Lacking) -> &'static str {
        let part = self.partition.is_some();
        match (self.vendor, field) {
            ("intel", Lacking::Utilisation | Lacking::MemoryTotal | Lacking::Power) => {
                "not told by xpumd"
            }
            ("intel", _) => "not told by Intel's exporter",
            ("amd", Lacking::Power) if part => "told by the first part only",
            ("amd", Lacking::MemoryTemperature) if part => "told by the first part only",
            ("amd", Lacking::Xid | Lacking::Link | Lacking::LinkErrors) => "NVIDIA only",
            ("amd", Lacking::Remap | Lacking::Reasons | Lacking::Video) => "NVIDIA only",
            ("amd", Lacking::Profiling) => "profiling is off by default",
            ("amd", Lacking::Share) => "told for MI3xx only",
            ("amd", _) => "not told by AMD's exporter",
            (
                _,
                Lacking::MemoryTotal
                | Lacking::MemoryTemperature
                | Lacking::Power
                | Lacking::PowerLimit
                | Lacking::Clock
                | Lacking::Ecc
                | Lacking::Remap
                | Lacking::Reasons,
            ) if self.smi.is_some() => "nvidia-smi says N/A, too",
            (_, Lacking::Utilisation) if part => "not told for MIG: profiling is off",
            (_, Lacking::Profiling) => "profiling counters are off",
            (_, Lacking::MemoryTemperature) => "no sensor, or not exported",
            (_, Lacking::Video | Lacking::MemoryActivity) if part => "not told for MIG",
            (_, Lacking::Link) => "no NVLink, or not exported",
            (
                _,
                Lacking::PowerLimit
                | Lacking::LinkErrors
                | Lacking::Ecc
                | Lacking::Reasons
                | Lacking::Share,
            ) => "not in the counter list",
            (_, Lacking::Remap) => "not exported, or pre-Ampere",
            _ => "not exported",
        }
    }

    /// Why a measure of the map has no value.
    pub fn absent_measure(&self, measure: Measure) -> &'static str {
        self.absent(match measure {
            Measure::Utilisation => Lacking::Utilisation,
            Measure::Tensor | Measure::MemoryBandwidth => Lacking::Profiling,
            Measure::Memory => Lacking::MemoryTotal,
            Measure::Temperature => Lacking::Other,
            Measure::Power => Lacking::Power,
            Measure::Clock => Lacking::Clock,
        })
    }
}
