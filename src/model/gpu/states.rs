//! What the numbers of GPU exporters stand for: clock-event bits, recovery actions, memory errors.
//! From `assets/gpu.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::alert::Severity;

const SOURCE: &str = include_str!("../../../assets/gpu.toml");

/// Whether a reason holds the clocks down against what the work wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    Critical,
    Warning,
    Neutral,
}

/// One reason for the clocks being where they are.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockEvent {
    pub bit: u32,
    pub word: String,
    pub hold: Hold,
    pub about: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    clock_events: ClockEvents,
    recovery: Recovery,
    memory: Memory,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockEvents {
    source: String,
    bits: Vec<ClockEvent>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovery {
    source: String,
    actions: Vec<Action>,
}

/// What the driver asks for.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    pub code: u32,
    pub word: String,
    pub severity: Severity,
}

/// What each kind of memory error means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    pub source: String,
    pub corrected: String,
    pub uncorrected: String,
    pub remapped: String,
    pub pending: String,
    pub failed: String,
}

static FILE: LazyLock<File> = LazyLock::new(|| toml::from_str(SOURCE).unwrap_or_default());

/// The reason that is usual under full load; a word of the table.
pub const POWER_CAP: &str = "power cap";

/// Where the meaning of the clock-event bits is from.
pub fn clock_events_source() -> &'static str {
    &FILE.clock_events.source
}

/// Where the driver's recovery actions are from.
pub fn recovery_source() -> &'static str {
    &FILE.recovery.source
}

/// All clock-event reasons, worst first.
pub fn clock_events() -> &'static [ClockEvent] {
    &FILE.clock_events.bits
}

/// Reasons of a bit mask that hold the clocks down, worst first.
pub fn held_down(mask: f64) -> Vec<&'static str> {
    // Not a mask of the table's bits: nothing is told by it.
    if !(0.0..=f64::from(u32::MAX)).contains(&mask) {
        return Vec::new();
    }
    let mask = mask as u32;
    let bad = clock_events().iter().filter(|e| e.hold != Hold::Neutral);
    bad.filter(|e| mask & e.bit != 0)
        .map(|e| e.word.as_str())
        .collect()
}

/// What a reason of [`held_down`] means.
pub fn about(word: &str) -> Option<&'static ClockEvent> {
    clock_events().iter().find(|e| e.word == word)
}

/// What the driver asks for by this code; `None`: nothing, or not in the table.
pub fn recovery(code: u32) -> Option<&'static Action> {
    let mut actions = FILE.recovery.actions.iter();
    actions.find(|a| a.code == code && a.code != 0)
}

pub fn memory() -> &'static Memory {
    &FILE.memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_code_of_the_source_is_there() {
        let file: File = toml::from_str(SOURCE).expect("assets/gpu.toml");
        let mut bits: Vec<u32> = file.clock_events.bits.iter().map(|b| b.bit).collect();
        bits.sort_unstable();
        assert_eq!(bits, [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100]);
        let whole = |b: &ClockEvent| !b.word.is_empty() && !b.about.is_empty();
        assert!(file.clock_events.bits.iter().all(whole));
        let codes: Vec<u32> = file.recovery.actions.iter().map(|a| a.code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        for source in [
            file.clock_events.source,
            file.recovery.source,
            file.memory.source,
        ] {
            assert!(source.starts_with("NVIDIA, "), "{source}");
        }
    }

    #[test]
    fn masks_are_decoded_worst_first_and_nonsense_is_nothing() {
        assert_eq!(
            held_down(104.0),
            ["hw thermal", "hw slowdown", "sw thermal"]
        );
        assert_eq!(held_down(f64::from(1 + 2 + 0x10 + 0x100)), [""; 0]);
        assert_eq!(held_down(-1.0), [""; 0]);
        assert_eq!(held_down(f64::NAN), [""; 0]);
        assert_eq!(held_down(1e300), [""; 0]);
        assert_eq!(
            recovery(2).map(|a| a.word.as_str()),
            Some("restart the node")
        );
        assert!(recovery(0).is_none() && recovery(77).is_none());
        assert_eq!(about(POWER_CAP).map(|e| e.bit), Some(4));
    }
}
