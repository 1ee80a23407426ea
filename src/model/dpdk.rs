//! DPDK applications: what their ports, memory and cores tell. No exporter stands for all of them,
//! so which series tells what is set in the configuration file; the names that are known beforehand
//! are those of DPDK's own `dpdk-telemetry-exporter.py` and of Telegraf's input `dpdk`.

use std::sync::Arc;

use super::sample::Sample;

mod names;
mod read;

pub use names::{Name, Names};
pub use read::{App, Core, Pool, Port, Readings, read};

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    RxPackets,
    TxPackets,
    RxBytes,
    TxBytes,
    /// `imissed`: the receive ring was full.
    RxMissed,
    /// `rx_nombuf`: no buffer was free.
    RxNoBuffer,
    RxErrors,
    TxErrors,
    MemoryUsed,
    MemoryTotal,
    /// Packet buffers (mbufs) of a pool that are taken.
    BuffersUsed,
    BuffersTotal,
    BusyCycles,
    TotalCycles,
}

impl Measure {
    pub const ALL: [Self; 14] = [
        Self::RxPackets,
        Self::TxPackets,
        Self::RxBytes,
        Self::TxBytes,
        Self::RxMissed,
        Self::RxNoBuffer,
        Self::RxErrors,
        Self::TxErrors,
        Self::MemoryUsed,
        Self::MemoryTotal,
        Self::BuffersUsed,
        Self::BuffersTotal,
        Self::BusyCycles,
        Self::TotalCycles,
    ];

    /// How it is called in the configuration file.
    pub fn key(self) -> &'static str {
        self.signal().trim_start_matches("dpdk_")
    }

    /// The signal of the catalogue that asks for it.
    pub fn signal(self) -> &'static str {
        match self {
            Self::RxPackets => "dpdk_rx_packets",
            Self::TxPackets => "dpdk_tx_packets",
            Self::RxBytes => "dpdk_rx_bytes",
            Self::TxBytes => "dpdk_tx_bytes",
            Self::RxMissed => "dpdk_rx_missed",
            Self::RxNoBuffer => "dpdk_rx_nombuf",
            Self::RxErrors => "dpdk_rx_errors",
            Self::TxErrors => "dpdk_tx_errors",
            Self::MemoryUsed => "dpdk_memory_used",
            Self::MemoryTotal => "dpdk_memory_total",
            Self::BuffersUsed => "dpdk_mbufs_used",
            Self::BuffersTotal => "dpdk_mbufs_total",
            Self::BusyCycles => "dpdk_busy_cycles",
            Self::TotalCycles => "dpdk_total_cycles",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Self::RxPackets => "packets that a DPDK port received in a second",
            Self::TxPackets => "packets that a DPDK port sent in a second",
            Self::RxBytes => "bytes that a DPDK port received in a second",
            Self::TxBytes => "bytes that a DPDK port sent in a second",
            Self::RxMissed => "packets lost in a second because the receive ring was full",
            Self::RxNoBuffer => "packets lost in a second because no buffer was free",
            Self::RxErrors => "packets in a second that arrived damaged",
            Self::TxErrors => "packets in a second that could not be sent",
            Self::MemoryUsed => "huge page memory that the application uses",
            Self::MemoryTotal => "huge page memory that the application set aside",
            Self::BuffersUsed => "packet buffers of a pool that are taken",
            Self::BuffersTotal => "packet buffers that a pool has",
            Self::BusyCycles => "cycles of a second in which a core worked on packets",
            Self::TotalCycles => "cycles that a core had in a second",
        }
    }

    /// It grows until the application starts anew; told as its growth in a second.
    pub fn is_counter(self) -> bool {
        !matches!(
            self,
            Self::MemoryUsed | Self::MemoryTotal | Self::BuffersUsed | Self::BuffersTotal
        )
    }

    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.key() == key)
    }
}

/// Why a port lost packets, in words of who has to look.
pub const LOSSES: [(Measure, &str, &str); 4] = [
    (
        Measure::RxMissed,
        "missed",
        "the receive ring was full: its core does not keep up",
    ),
    (
        Measure::RxNoBuffer,
        "no buffer",
        "no packet buffer was free: the pool is too small, or leaks",
    ),
    (
        Measure::RxErrors,
        "errors in",
        "they arrived damaged: link, cable, or the function below",
    ),
    (
        Measure::TxErrors,
        "errors out",
        "they could not be sent: the send ring was full, or the link down",
    ),
];

impl Port {
    pub fn of(&self, measure: Measure) -> Option<Sample> {
        match measure {
            Measure::RxPackets => self.packets_in,
            Measure::TxPackets => self.packets_out,
            Measure::RxBytes => self.bytes_in,
            Measure::TxBytes => self.bytes_out,
            Measure::RxMissed => self.missed,
            Measure::RxNoBuffer => self.no_buffer,
            Measure::RxErrors => self.errors_in,
            Measure::TxErrors => self.errors_out,
            _ => None,
        }
    }

    /// Packets lost in a second, all reasons that are told together; as old as the oldest of them.
    pub fn lost(&self) -> Option<Sample> {
        let each = LOSSES.iter().filter_map(|(measure, ..)| self.of(*measure));
        each.reduce(|sum, one| Sample {
            at: sum.at.min(one.at),
            value: sum.value + one.value,
        })
    }

    /// The reason for which most are lost: its name and what it means.
    pub fn reason(&self) -> Option<(&'static str, &'static str)> {
        let told = LOSSES.iter().filter_map(|(measure, name, why)| {
            let lost = self.of(*measure)?.value;
            (lost > 0.0).then_some((lost, *name, *why))
        });
        let worst = told.max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some((worst.1, worst.2))
    }
}

impl Core {
    /// Share of its cycles that it worked; `None`: not both are told.
    pub fn busy(&self) -> Option<Sample> {
        let (busy, total) = self.busy_cycles.zip(self.total_cycles)?;
        (total.value > 0.0).then(|| Sample {
            at: busy.at.min(total.at),
            value: (busy.value / total.value).clamp(0.0, 1.0),
        })
    }
}

impl Pool {
    /// Share of it that is taken.
    pub fn share(&self) -> Option<Sample> {
        let (used, total) = self.used.zip(self.total)?;
        (total.value > 0.0).then(|| Sample {
            at: used.at.min(total.at),
            value: used.value / total.value,
        })
    }
}

impl App {
    pub fn busiest(&self) -> Option<(&Arc<str>, Sample)> {
        let told = self.cores.iter().filter_map(|c| Some((&c.name, c.busy()?)));
        told.max_by(|a, b| a.1.value.total_cmp(&b.1.value))
    }

    /// The buffer pool that is fullest.
    pub fn fullest(&self) -> Option<(&Arc<str>, Sample)> {
        let told = self
            .pools
            .iter()
            .filter_map(|p| Some((&p.name, p.share()?)));
        told.max_by(|a, b| a.1.value.total_cmp(&b.1.value))
    }
}

#[cfg(test)]
mod tests;
