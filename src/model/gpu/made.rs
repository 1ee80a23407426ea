//! One GPU put together from what its series tell.

use super::fields::Field;
use super::{Gpu, held_down, recovery};
use crate::model::sample::Sample;
use crate::model::xid;

/// A GPU in the making.
#[derive(Default)]
pub(super) struct Made {
    gpu: Gpu,
    free: Option<f64>,
    reserved: Option<f64>,
    xid_at: Option<Sample>,
}

/// Copies per pod (time slicing) tell the same; the newest, then the greatest, counts.
fn put(place: &mut Option<Sample>, sample: Sample) {
    if place.is_none_or(|p| (sample.at, sample.value) > (p.at, p.value)) {
        *place = Some(sample);
    }
}

/// Kinds of one thing are added up; the time is the newest.
fn add(place: &mut Option<Sample>, sample: Sample) {
    *place = Some(place.map_or(sample, |held| Sample {
        at: held.at.max(sample.at),
        value: held.value + sample.value,
    }));
}

fn most(place: &mut Option<f64>, value: f64) {
    *place = Some(place.map_or(value, |held| held.max(value)));
}

fn flag(place: &mut Option<bool>, on: bool) {
    *place = Some(place.unwrap_or(false) || on);
}

impl Made {
    pub(super) fn of(gpu: Gpu) -> Self {
        Self {
            gpu,
            ..Self::default()
        }
    }

    /// `note`: what the labels say beside the value.
    pub(super) fn take(&mut self, field: Field, sample: Sample, note: Option<&str>) {
        let gpu = &mut self.gpu;
        let value = sample.value;
        match field {
            Field::Blank => {}
            Field::Utilisation => put(&mut gpu.utilisation, sample),
            Field::Engine => put(&mut gpu.engine_active, sample),
            Field::Tensor => put(&mut gpu.tensor_active, sample),
            Field::Dram => put(&mut gpu.dram_active, sample),
            Field::MemoryActivity => put(&mut gpu.memory_activity, sample),
            Field::Encoder => put(&mut gpu.encoder, sample),
            Field::Decoder => put(&mut gpu.decoder, sample),
            Field::Used => put(&mut gpu.memory_used_mib, sample),
            Field::Free => self.free = Some(value),
            Field::Reserved => self.reserved = Some(value),
            Field::Total => gpu.memory_total_mib = Some(value),
            Field::Temperature => put(&mut gpu.temperature_c, sample),
            // 0: the card has no such sensor.
            Field::MemoryTemperature if value > 0.0 => put(&mut gpu.memory_temperature_c, sample),
            Field::MemoryTemperature => {}
            Field::Power => put(&mut gpu.power_w, sample),
            Field::PowerLimit => gpu.power_limit_w = Some(value),
            Field::Clock => put(&mut gpu.sm_clock_mhz, sample),
            Field::MemoryClock => put(&mut gpu.memory_clock_mhz, sample),
            Field::PcieSent => put(&mut gpu.pcie_sent, sample),
            Field::PcieReceived => put(&mut gpu.pcie_received, sample),
            Field::PcieReplays => put(&mut gpu.pcie_replays, sample),
            Field::Link => put(&mut gpu.link, sample),
            Field::LinkErrors => add(&mut gpu.link_errors, sample),
            Field::Fan => put(&mut gpu.fan, sample),
            _ => self.take_state(field, sample, note),
        }
    }

    fn take_state(&mut self, field: Field, sample: Sample, note: Option<&str>) {
        let (gpu, value) = (&mut self.gpu, sample.value);
        let note = || note.map(str::to_owned);
        match field {
            Field::EccCorrected => most(&mut gpu.ecc_corrected, value),
            Field::EccUncorrected => most(&mut gpu.ecc_uncorrected, value.round()),
            Field::RemappedCorrected => most(&mut gpu.remapped_corrected, value),
            Field::RemappedUncorrected => most(&mut gpu.remapped_uncorrected, value),
            Field::RemapPending => flag(&mut gpu.remap_pending, value >= 0.5),
            Field::RemapFailure => flag(&mut gpu.row_remap_failure, value >= 0.5),
            Field::ThermalShare => put(&mut gpu.thermal_share, sample),
            Field::PowerShare => put(&mut gpu.power_share, sample),
            Field::Xid => self.take_xid(sample, note().as_deref()),
            Field::Reasons => {
                gpu.reasons_known = true;
                gpu.throttle = held_down(value);
            }
            Field::Recovery => gpu.recovery = recovery(value as u32),
            // 6: not known, which is no fault.
            Field::Peer if value != 0.0 && value != 6.0 => {
                gpu.peers_cut.extend(note());
            }
            Field::HealthCheck => {
                let good = value < 15.0;
                gpu.healthy = Some(gpu.healthy.unwrap_or(true) && good);
                gpu.checks.extend(note());
            }
            Field::Health => gpu.healthy = Some(value >= 0.5),
            Field::Fault => gpu.checks.extend(note()),
            _ => {}
        }
    }

    /// A new XID is a new series (its number is a label): the newest one tells.
    fn take_xid(&mut self, sample: Sample, note: Option<&str>) {
        let older = |s: Sample| (s.at, s.value) >= (sample.at, sample.value);
        if self.xid_at.is_some_and(older) {
            return;
        }
        self.xid_at = Some(sample);
        let number = sample.value as u32;
        self.gpu.xid = (number > 0).then(|| {
            let text = note.unwrap_or(xid::of(number).name);
            (number, text.to_owned())
        });
    }

    pub(super) fn finish(self) -> Gpu {
        let mut gpu = self.gpu;
        // Other partitions of an AMD card report 0 W: that is "not exposed".
        let part = gpu.vendor == "amd" && gpu.partition.is_some();
        gpu.power_w = gpu.power_w.filter(|p| !part || p.value != 0.0);
        gpu.utilisation = gpu.utilisation.or(gpu.engine_active.map(|s| Sample {
            value: s.value * 100.0,
            ..s
        }));
        if gpu.memory_total_mib.is_none()
            && let (Some(used), Some(free)) = (gpu.memory_used_mib, self.free)
        {
            gpu.memory_total_mib = Some(used.value + free + self.reserved.unwrap_or(0.0));
        }
        gpu.checks.sort_unstable();
        gpu.checks.dedup();
        gpu.peers_cut.sort_unstable();
        gpu
    }
}
