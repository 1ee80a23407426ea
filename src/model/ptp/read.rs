//! PTP nodes from the newest samples of `openshift_ptp_*` series.

use std::collections::BTreeMap;

use super::{Clock, ClockState, Lock, PtpNode, SyncE, is_sentinel, node_of, whole};
use crate::model::clock_class::{self, Standing};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesKey};

const PREFIX: &str = "openshift_ptp_";
const NAMES: &[&str] = &[
    "openshift_ptp_clock_state",
    "openshift_ptp_clock_class",
    "openshift_ptp_offset_ns",
    "openshift_ptp_max_offset_ns",
    "openshift_ptp_delay_ns",
    "openshift_ptp_frequency_adjustment_ns",
    "openshift_ptp_interface_role",
    "openshift_ptp_process_status",
    "openshift_ptp_process_restart_count",
    "openshift_ptp_threshold",
    "openshift_ptp_gnss_status",
    "openshift_ptp_nmea_status",
    "openshift_ptp_pps_status",
    "openshift_ptp_frequency_status",
    "openshift_ptp_phase_status",
    "openshift_ptp_synce_clock_quality",
    "openshift_ptp_ha_profile_status",
];

/// Names under which PTP series are found in a store.
pub fn names() -> impl Iterator<Item = String> {
    NAMES.iter().map(|n| (*n).to_owned())
}

/// Declared a counter, and shown as it is: how often the process was started.
pub fn is_level(name: &str) -> bool {
    name == "openshift_ptp_process_restart_count"
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
            "clock_class" => worst(&mut self.clock_class, sample, value > 0.0, rank),
            // The receiver with the least of a fix tells.
            "gnss_status" => worst(&mut self.gnss, sample, whole(value).is_some(), |v| -v),
            "threshold" => self.take_threshold(labels, value),
            "process_status" => self.process(labels).2 = Some(value >= 0.5),
            "process_restart_count" => self.process(labels).3 = Some(value),
            "clock_state" => {
                if let Some(state) = ClockState::from_wire(value) {
                    self.clock(labels).state = Some((state, sample));
                }
            }
            "offset_ns" => self.clock(labels).offset_ns = measured(sample),
            "max_offset_ns" => self.clock(labels).max_offset_ns = measured(sample),
            "delay_ns" => self.clock(labels).delay_ns = measured(sample),
            "frequency_adjustment_ns" => self.clock(labels).frequency_ppb = measured(sample),
            "nmea_status" => self.clock(labels).nmea = Some(value >= 0.5),
            "pps_status" => self.clock(labels).pps = Some(value >= 0.5),
            "frequency_status" => self.clock(labels).frequency_lock = Lock::from_wire(value),
            "phase_status" => self.clock(labels).phase_lock = Lock::from_wire(value),
            "ha_profile_status" => {
                let profile = labels.get("profile").unwrap_or("").to_owned();
                self.profiles.push((profile, value >= 0.5));
            }
            "synce_clock_quality" => self.synce.push(SyncE {
                interface: labels.get("iface").unwrap_or("").to_owned(),
                option: labels.get("network_option").unwrap_or("").to_owned(),
                quality: Some(sample),
            }),
            "interface_role" => self.clock(labels).role = role(value).map(str::to_owned),
            _ => {}
        }
    }

    /// Offsets do not say their profile: of several profiles the loosest threshold counts.
    fn take_threshold(&mut self, labels: &Labels, value: f64) {
        // NaN: this end is not told yet; the least and the greatest of it and a number is the number.
        let (min, max) = self.threshold_ns.unwrap_or((f64::NAN, f64::NAN));
        match labels.get("threshold") {
            Some("MaxOffsetThreshold") => self.threshold_ns = Some((min, max.max(value))),
            Some("MinOffsetThreshold") => self.threshold_ns = Some((min.min(value), max)),
            Some("HoldOverTimeout") => {
                let longest = self.holdover_timeout_s.unwrap_or(0.0).max(value);
                self.holdover_timeout_s = Some(longest);
            }
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
        self.threshold_ns = self.threshold_ns.filter(|(min, max)| min < max);
        self.clocks
            .sort_by(|a, b| (&a.interface, &a.process).cmp(&(&b.interface, &b.process)));
        self.processes
            .sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        self.profiles.sort();
        self.synce.sort_by(|a, b| a.interface.cmp(&b.interface));
        self.state = self.counted().filter_map(|c| c.state.map(|(s, _)| s)).max();
        self
    }
}

/// Several ports and receivers tell of one thing: the one that ranks highest counts. `told`: it is a
/// value at all.
fn worst<R: PartialOrd>(
    place: &mut Option<Sample>,
    sample: Sample,
    told: bool,
    rank: impl Fn(f64) -> R,
) {
    let is_worse = |held: Sample| rank(sample.value) > rank(held.value);
    if told && place.is_none_or(is_worse) {
        *place = Some(sample);
    }
}

/// How bad a clock class is; of equally bad ones the greater number is worse, but for 255, the normal
/// one of an ordinary clock.
fn rank(class: f64) -> (Standing, bool, f64) {
    let standing = clock_class::of(class).map_or(Standing::Note, |c| c.standing);
    (standing, class != 255.0, class)
}

fn measured(sample: Sample) -> Option<Sample> {
    Some(sample).filter(|s| !is_sentinel(s.value))
}

/// Role of a port as linuxptp-daemon numbers it.
pub fn role(value: f64) -> Option<&'static str> {
    match whole(value)? {
        0 => Some("PASSIVE"),
        1 => Some("SLAVE"),
        2 => Some("MASTER"),
        3 => Some("FAULTY"),
        4 => Some("UNKNOWN"),
        5 => Some("LISTENING"),
        _ => None,
    }
}
