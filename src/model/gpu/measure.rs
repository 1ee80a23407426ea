//! What a fleet of GPUs can be looked at by.

use std::collections::{BTreeMap, BTreeSet};

use super::Gpu;
use super::fields::{Field, told_by};
use crate::model::sample::Sample;
use crate::model::unit::Unit;

/// One reading that every cell of the map can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    #[default]
    Utilisation,
    Tensor,
    MemoryBandwidth,
    Memory,
    Temperature,
    Power,
    Clock,
}

impl Measure {
    pub const ALL: [Self; 7] = [
        Self::Utilisation,
        Self::Tensor,
        Self::MemoryBandwidth,
        Self::Memory,
        Self::Temperature,
        Self::Power,
        Self::Clock,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Utilisation => "utilisation",
            Self::Tensor => "tensor activity",
            Self::MemoryBandwidth => "memory bandwidth",
            Self::Memory => "memory in use",
            Self::Temperature => "temperature",
            Self::Power => "power",
            Self::Clock => "SM clock",
        }
    }

    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|m| *m == self).unwrap_or(0);
        let next = Self::ALL.get(at + 1).or(Self::ALL.first());
        next.copied().unwrap_or_default()
    }

    pub fn unit(self) -> Unit {
        match self {
            Self::Utilisation => Unit::Percent,
            Self::Tensor | Self::MemoryBandwidth | Self::Memory => Unit::Ratio,
            Self::Temperature => Unit::Celsius,
            Self::Power => Unit::Watts,
            Self::Clock => Unit::Megahertz,
        }
    }

    /// Names of the series that tell it, with the factor to the unit of the reading (memory: MiB).
    pub fn names(self) -> impl Iterator<Item = (&'static str, f64)> {
        told_by(match self {
            Self::Utilisation => &[Field::Utilisation],
            Self::Tensor => &[Field::Tensor],
            Self::MemoryBandwidth => &[Field::Dram],
            Self::Memory => &[Field::Used],
            Self::Temperature => &[Field::Temperature],
            Self::Power => &[Field::Power],
            Self::Clock => &[Field::Clock],
        })
    }

    /// In the measure's unit.
    pub fn read(self, gpu: &Gpu) -> Option<Sample> {
        match self {
            Self::Utilisation => gpu.utilisation,
            Self::Tensor => gpu.tensor_active,
            Self::MemoryBandwidth => gpu.dram_active.or(gpu.memory_activity.map(|s| Sample {
                value: s.value / 100.0,
                ..s
            })),
            Self::Memory => gpu.memory_used_mib.and_then(|s| {
                let value = gpu.memory_share()?;
                Some(Sample { value, ..s })
            }),
            Self::Temperature => gpu.temperature_c,
            Self::Power => gpu.power_w,
            Self::Clock => gpu.sm_clock_mhz,
        }
    }

    /// How far up its scale a value stands, 0 to 1. `top`: the greatest of the fleet, for measures
    /// that have no end of their own.
    pub fn share(self, gpu: &Gpu, value: f64, top: f64) -> f64 {
        match self {
            Self::Utilisation => value / 100.0,
            Self::Tensor | Self::MemoryBandwidth | Self::Memory => value,
            // Cold to slowdown.
            Self::Temperature => (value - 20.0) / 70.0,
            Self::Power => value / gpu.power_limit_w.filter(|w| *w > 0.0).unwrap_or(top),
            Self::Clock => value / top,
        }
    }

    /// Whether so much of it is a matter of concern: warning and critical.
    pub fn limits(self) -> Option<(f64, f64)> {
        match self {
            Self::Temperature => Some((70.0, 80.0)),
            // Inference servers reserve 90 % on purpose.
            Self::Memory => Some((0.95, 0.99)),
            _ => None,
        }
    }
}

/// How many cards these are, parts of one counted once.
pub fn cards<'a>(gpus: impl Iterator<Item = &'a Gpu>) -> usize {
    let cards: BTreeSet<(&str, &str)> = gpus.map(|g| (&*g.node, g.index.as_str())).collect();
    cards.len()
}

/// Watts of all the cards that these stand for: the parts of one card each tell the power of the
/// whole. `None`: none of them tells it.
pub fn power_of<'a>(gpus: impl Iterator<Item = &'a Gpu>) -> Option<f64> {
    let mut cards: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for gpu in gpus {
        if let Some(sample) = gpu.power_w.filter(|s| s.value.is_finite()) {
            let card = cards.entry((&gpu.node, &gpu.index)).or_insert(sample.value);
            *card = card.max(sample.value);
        }
    }
    (!cards.is_empty()).then(|| cards.values().sum())
}
