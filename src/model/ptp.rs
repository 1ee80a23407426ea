//! PTP readings of one cluster, made from `openshift_ptp_*` series.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::gpu::host_part;
use super::label::Labels;
use super::sample::{Sample, SeriesKey};

/// 0 FREERUN, 1 LOCKED, 2 HOLDOVER on the wire; ordered here from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClockState {
    Locked,
    Holdover,
    Freerun,
}

impl ClockState {
    pub fn from_wire(value: f64) -> Option<Self> {
        match value as i64 {
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
    /// (min, max) ns, from the exporter or the default of 100.
    pub threshold_ns: Option<(f64, f64)>,
    pub clocks: Vec<Clock>,
    /// (process, config, up, restarts).
    pub processes: Vec<(String, String, Option<bool>, Option<f64>)>,
}

impl PtpNode {
    /// A process that is down; what it told last no longer counts.
    pub fn is_down(&self, process: &str) -> bool {
        self.processes
            .iter()
            .any(|(p, _, up, _)| p == process && *up == Some(false))
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
        let combined = self
            .clocks
            .iter()
            .any(|c| c.is_combined() && c.state.is_some());
        self.clocks.iter().filter(move |c| {
            let speaks = match c.process.as_str() {
                "phc2sys" => true,
                "ptp4l" | "ts2phc" => !combined,
                _ => c.is_combined(),
            };
            speaks && !self.is_down(&c.process)
        })
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
    pub max_offset_ns: Option<Sample>,
    pub role: Option<String>,
}

impl Clock {
    fn is_combined(&self) -> bool {
        matches!(self.process.as_str(), "GM" | "T-BC")
    }
}

const PREFIX: &str = "openshift_ptp_";
const NAMES: &[&str] = &[
    "openshift_ptp_clock_state",
    "openshift_ptp_clock_class",
    "openshift_ptp_offset_ns",
    "openshift_ptp_max_offset_ns",
    "openshift_ptp_interface_role",
    "openshift_ptp_process_status",
    "openshift_ptp_process_restart_count",
    "openshift_ptp_threshold",
    "openshift_ptp_gnss_status",
    "openshift_ptp_ha_profile_status",
];

/// Names under which PTP series are found in a store.
pub fn names() -> impl Iterator<Item = String> {
    NAMES.iter().map(|n| (*n).to_owned())
}

/// Values that stand for "no measurement". By equality: a real error of 37 s is a large number too.
pub fn is_sentinel(value: f64) -> bool {
    value.is_nan()
        || value == 999_999.0
        || value == 99_999_999.0
        || value == 99_999_999_999.0
        || value <= -9.9e15
}

/// What a clock class means, in words.
pub fn class_text(class: f64) -> &'static str {
    match class as i64 {
        6 => "locked to a primary reference",
        7 => "holdover within specification",
        13 => "locked to an application source",
        14 => "holdover to an application source",
        52 | 58 => "degraded, alternative A",
        187 | 193 => "degraded, alternative B",
        135 => "boundary clock in holdover within specification",
        140 | 150 | 160 | 165 => "holdover out of specification",
        248 => "free-running",
        255 => "slave only",
        0 => "not seen yet",
        _ => "other class",
    }
}

pub fn node_of(labels: &Labels) -> &str {
    host_part(
        labels
            .first_of(&["node", "Hostname", "hostname", "instance"])
            .unwrap_or(""),
    )
}

/// Makes PTP nodes from the newest samples of exporter series. Sorted by node.
pub fn read<'a>(series: impl Iterator<Item = (&'a SeriesKey, Sample)>) -> Vec<PtpNode> {
    let mut nodes: BTreeMap<String, PtpNode> = BTreeMap::new();
    for (key, sample) in series {
        let Some(what) = key.name.strip_prefix(PREFIX) else {
            continue;
        };
        let name = node_of(&key.labels);
        let node = nodes.entry(name.to_owned()).or_insert_with(|| PtpNode {
            node: name.into(),
            ..PtpNode::default()
        });
        node.take(what, &key.labels, sample);
    }
    nodes.into_values().map(PtpNode::finish).collect()
}

impl PtpNode {
    fn take(&mut self, what: &str, labels: &Labels, sample: Sample) {
        let value = sample.value;
        match what {
            // Several ports' classes: the worst tells (255 is the normal one of an ordinary clock).
            "clock_class" if value != 0.0 => {
                let rank = |v: f64| if v == 255.0 { 0.0 } else { v };
                if self.clock_class.is_none_or(|c| rank(value) > rank(c.value)) {
                    self.clock_class = Some(sample);
                }
            }
            "gnss_status" => self.gnss = Some(sample),
            "threshold" => self.take_threshold(labels, value),
            "process_status" => self.process(labels).2 = Some(value >= 0.5),
            "process_restart_count" => self.process(labels).3 = Some(value),
            "clock_state" => {
                if let Some(state) = ClockState::from_wire(value) {
                    self.clock(labels).state = Some((state, sample));
                }
            }
            "offset_ns" => {
                self.clock(labels).offset_ns = Some(sample).filter(|s| !is_sentinel(s.value));
            }
            "max_offset_ns" => {
                self.clock(labels).max_offset_ns = Some(sample).filter(|s| !is_sentinel(s.value));
            }
            "interface_role" => self.clock(labels).role = role(value).map(str::to_owned),
            _ => {}
        }
    }

    /// Offsets do not say their profile: of several profiles the loosest threshold counts.
    fn take_threshold(&mut self, labels: &Labels, value: f64) {
        let (min, max) = self.threshold_ns.unwrap_or((0.0, 0.0));
        match labels.get("threshold") {
            Some("MaxOffsetThreshold") => self.threshold_ns = Some((min, max.max(value))),
            Some("MinOffsetThreshold") => self.threshold_ns = Some((min.min(value), max)),
            _ => {}
        }
    }

    fn process(&mut self, labels: &Labels) -> &mut (String, String, Option<bool>, Option<f64>) {
        let name = labels.get("process").unwrap_or("").to_owned();
        let config = labels.get("config").unwrap_or("").to_owned();
        let found = self
            .processes
            .iter()
            .position(|p| p.0 == name && p.1 == config);
        let place = found.unwrap_or_else(|| {
            self.processes.push((name, config, None, None));
            self.processes.len() - 1
        });
        &mut self.processes[place]
    }

    fn clock(&mut self, labels: &Labels) -> &mut Clock {
        let process = labels.get("process").unwrap_or("").to_owned();
        let interface = labels.get("iface").unwrap_or("").to_owned();
        let found = self
            .clocks
            .iter()
            .position(|c| c.process == process && c.interface == interface);
        let place = found.unwrap_or_else(|| {
            self.clocks.push(Clock {
                process,
                interface,
                ..Clock::default()
            });
            self.clocks.len() - 1
        });
        &mut self.clocks[place]
    }

    fn finish(mut self) -> Self {
        self.clocks
            .sort_by(|a, b| (&a.interface, &a.process).cmp(&(&b.interface, &b.process)));
        self.processes
            .sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        self.state = self.counted().filter_map(|c| c.state.map(|(s, _)| s)).max();
        self
    }
}

fn role(value: f64) -> Option<&'static str> {
    match value as i64 {
        0 => Some("PASSIVE"),
        1 => Some("SLAVE"),
        2 => Some("MASTER"),
        3 => Some("FAULTY"),
        4 => Some("UNKNOWN"),
        5 => Some("LISTENING"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
