//! PTP readings of one cluster, made from `openshift_ptp_*` series.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::gpu::host_part;
use super::label::Labels;
use super::sample::Sample;

mod read;
mod told;

pub use read::{is_level, names, read, role};
pub use told::{ClockTold, ValueTold};

/// 0 FREERUN, 1 LOCKED, 2 HOLDOVER on the wire; ordered here from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClockState {
    Locked,
    Holdover,
    Freerun,
}

impl ClockState {
    pub fn from_wire(value: f64) -> Option<Self> {
        match whole(value)? {
            0 => Some(Self::Freerun),
            1 => Some(Self::Locked),
            2 => Some(Self::Holdover),
            _ => None,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Locked => "LOCKED",
            Self::Holdover => "HOLDOVER",
            Self::Freerun => "FREERUN",
        }
    }
}

/// PtpConfig (ptp.openshift.io/v1): what the operator was told to run, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PtpConfig {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub generation: u64,
    pub profiles: Vec<PtpProfile>,
    /// Node and profile (`status.matchList`).
    pub matches: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PtpProfile {
    pub name: String,
    pub interfaces: Vec<String>,
    /// `T-GM`, `T-BC`, `OC`, from masterOnly, slaveOnly and ts2phc; `None`: not to be told.
    pub role: Option<String>,
    pub domain: Option<u32>,
    /// (min, max) ns and holdover seconds, where the profile sets them.
    pub threshold_ns: Option<(f64, f64)>,
    pub holdover_s: Option<u32>,
    /// Lower wins.
    pub priority: Option<i64>,
}

/// NodePtpDevice: the ports of a node that can do PTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PtpDevices {
    pub node: Arc<str>,
    pub ports: Vec<PtpPort>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PtpPort {
    pub name: String,
    pub profile: Option<String>,
    pub pci_address: Option<String>,
    pub driver: Option<String>,
    pub firmware: Option<String>,
    /// `None`: the operator does not say.
    pub link_up: Option<bool>,
    pub link_speed: Option<String>,
}

/// The PTP view of one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PtpNode {
    pub node: Arc<str>,
    /// Worst of the states that count (telemetry reference, section 6).
    pub state: Option<ClockState>,
    pub clock_class: Option<Sample>,
    pub gnss: Option<Sample>,
    /// (min, max) ns, where the exporter tells both; of several profiles the widest.
    pub threshold_ns: Option<(f64, f64)>,
    /// So long a clock without its source counts as in holdover, seconds.
    pub holdover_timeout_s: Option<f64>,
    pub clocks: Vec<Clock>,
    /// Profiles of a dual boundary clock and whether each one steers.
    pub profiles: Vec<(String, bool)>,
    pub synce: Vec<SyncE>,
    /// (process, config, up, restarts).
    pub processes: Vec<(String, String, Option<bool>, Option<f64>)>,
}

impl PtpNode {
    /// By the processes and port roles it tells; `None`: they do not say.
    pub fn part(&self) -> Option<Part> {
        let process = |name: &str| self.clocks.iter().any(|c| c.process == name);
        let role = |name: &str| self.clocks.iter().any(|c| c.role.as_deref() == Some(name));
        if process("GM") || process("gnss") {
            return Some(Part::Grandmaster);
        }
        let slave_only = self.clock_class.is_some_and(|c| c.value == 255.0);
        match (process("T-BC"), role("SLAVE"), role("MASTER")) {
            (true, _, _) | (false, true, true) => Some(Part::Boundary),
            (false, true, false) => Some(Part::Ordinary),
            (false, false, true) => Some(Part::Grandmaster),
            (false, false, false) => slave_only.then_some(Part::Ordinary),
        }
    }

    /// A process that is down; what it told last no longer counts. Two of one name may run with a
    /// configuration each, and clocks do not say whose they are: all of them have to be down.
    pub fn is_down(&self, process: &str) -> bool {
        let own = self.processes.iter().filter(|(p, ..)| p == process);
        let mut told = own.filter_map(|(_, _, up, _)| *up).peekable();
        told.peek().is_some() && !told.any(|up| up)
    }

    /// What the profile allows, else the default of linuxptp-daemon, ns.
    pub fn threshold(&self) -> (f64, f64) {
        self.threshold_ns.unwrap_or((-100.0, 100.0))
    }

    /// The threshold is strict: in range only if min < offset < max.
    pub fn is_inside(&self, offset_ns: f64) -> bool {
        let (low, high) = self.threshold();
        low < offset_ns && offset_ns < high
    }

    /// The clock that sets the node's state, and since when its sample is known.
    pub fn worst(&self) -> Option<&Clock> {
        let state = self.state?;
        self.counted()
            .filter(|c| c.state.is_some_and(|(s, _)| s == state))
            .min_by_key(|c| (c.interface == "CLOCK_REALTIME", c.interface.clone()))
    }

    /// Offset farthest from zero among ptp4l, ts2phc and phc2sys that live.
    pub fn worst_offset(&self) -> Option<(&Clock, Sample)> {
        self.clocks
            .iter()
            .filter(|c| matches!(c.process.as_str(), "ptp4l" | "ts2phc" | "phc2sys"))
            .filter(|c| !self.is_down(&c.process))
            .filter_map(|c| c.offset_ns.map(|o| (c, o)))
            .max_by(|a, b| a.1.value.abs().total_cmp(&b.1.value.abs()))
    }

    /// `GM` or `T-BC` speak for the node where they exist, else ptp4l and ts2phc; and phc2sys for
    /// the system clock. A dead process has left its last word: it does not count.
    fn counted(&self) -> impl Iterator<Item = &Clock> {
        let spoken = |c: &&Clock| self.speaks(&c.process) && !self.is_down(&c.process);
        self.clocks.iter().filter(spoken)
    }

    /// Whether the states of this process are those of the node while it lives.
    pub fn speaks(&self, process: &str) -> bool {
        let mut told = self.clocks.iter().filter(|c| c.state.is_some());
        match process {
            "phc2sys" => true,
            "ptp4l" | "ts2phc" => !told.any(|c| is_combined(&c.process)),
            other => is_combined(other),
        }
    }
}

/// One process on one interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clock {
    pub process: String,
    pub interface: String,
    pub state: Option<(ClockState, Sample)>,
    /// `None`: no measurement (sentinel or not exposed).
    pub offset_ns: Option<Sample>,
    /// Largest one of the last summary interval.
    pub max_offset_ns: Option<Sample>,
    /// Delay of the path to what it follows.
    pub delay_ns: Option<Sample>,
    /// Correction of the oscillator; named `_ns` by the exporter, parts per thousand million in fact.
    pub frequency_ppb: Option<Sample>,
    pub role: Option<String>,
    /// Whether the GNSS receiver's messages arrive, and its pulse.
    pub nmea: Option<bool>,
    pub pps: Option<bool>,
    /// Locks of the hardware's phase-locked loop.
    pub frequency_lock: Option<Lock>,
    pub phase_lock: Option<Lock>,
}

/// State of a digital phase-locked loop, as linuxptp-daemon numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    Unknown,
    Invalid,
    Freerun,
    Locked,
    /// Locked, and its history is long enough to hold over.
    HoldoverReady,
    Holdover,
}

impl Lock {
    pub fn from_wire(value: f64) -> Option<Self> {
        Some(match whole(value)? {
            -1 => Self::Unknown,
            0 => Self::Invalid,
            1 => Self::Freerun,
            2 => Self::Locked,
            3 => Self::HoldoverReady,
            4 => Self::Holdover,
            _ => return None,
        })
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
            Self::Freerun => "free-running",
            Self::Locked => "locked",
            Self::HoldoverReady => "locked, can hold over",
            Self::Holdover => "holdover",
        }
    }

    pub fn is_locked(self) -> bool {
        matches!(self, Self::Locked | Self::HoldoverReady)
    }
}

/// What Synchronous Ethernet tells of a port's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncE {
    pub interface: String,
    /// 1 (Europe) or 2 (North America), ITU-T G.781.
    pub option: String,
    /// `openshift_ptp_synce_clock_quality`
    pub quality: Option<Sample>,
}

impl SyncE {
    /// The quality level in the words of G.781; numbers as in linuxptp-daemon's help text.
    pub fn quality_word(&self) -> &'static str {
        let Some(quality) = self.quality else {
            return "unknown";
        };
        match (self.option.as_str(), quality.value as i64) {
            ("1", 32) | ("2", 34) => "ePRTC",
            ("1", 34) | ("2", 33) => "PRTC",
            ("1", 257) => "PRC",
            ("1", 259) => "SSU-A",
            ("1", 263) => "SSU-B",
            ("1", 266) => "EEC1",
            ("1", 270) => "do not use",
            ("2", 256) => "PRS",
            ("2", 255) => "STU",
            ("2", 262) => "ST2",
            ("2", 259) => "TNC",
            ("2", 268) => "ST3E",
            ("2", 265) => "EEC2",
            ("2", 269) => "PROV",
            ("2", 270) => "do not use",
            _ => "other quality",
        }
    }
}

/// What a node is among the clocks, as its readings show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Grandmaster,
    Boundary,
    Ordinary,
}

impl Part {
    pub fn word(self) -> &'static str {
        match self {
            Self::Grandmaster => "T-GM",
            Self::Boundary => "T-BC",
            Self::Ordinary => "OC",
        }
    }
}

fn is_combined(process: &str) -> bool {
    matches!(process, "GM" | "T-BC")
}

/// A number that stands for a state; NaN and what lies between two states stand for none.
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0).then_some(value as i64)
}

/// Values that stand for "no measurement". By equality: a real error of 37 s is a large number too.
pub fn is_sentinel(value: f64) -> bool {
    value.is_nan()
        || value == 999_999.0
        || value == 99_999_999.0
        || value == 99_999_999_999.0
        || value <= -9.9e15
}

pub fn node_of(labels: &Labels) -> &str {
    host_part(
        labels
            .first_of(&["node", "Hostname", "hostname", "instance"])
            .unwrap_or(""),
    )
}

#[cfg(test)]
mod tests;
