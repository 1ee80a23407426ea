//! GPUs that are bad in themselves: XID, heat and power, memory errors, links, health checks.

use crate::detect::Condition;
use crate::model::alert::Severity;
use crate::model::finding::{Evidence, FindingKind, Subject};
use crate::model::gpu::{Gpu, POWER_CAP, clock_events_source, memory, recovery_source};
use crate::model::sample::Sample;
use crate::model::unit::Unit;
use crate::model::xid;

/// A warning XID is news for this long, milliseconds.
const XID_NEWS_MS: u64 = 15 * 60_000;
const HOT_C: f64 = 80.0;
/// Share of time held down by heat that matters (ours).
const HEAT_SHARE: f64 = 0.05;
/// NVLink errors per second that are more than a flipped bit now and then (ours).
const LINK_ERRORS: f64 = 1.0;
/// PCIe replays per second that are more than that (ours).
const REPLAYS: f64 = 1.0;
/// A leak is told when memory is full within this time, hours (ours).
const LEAK_HOURS: f64 = 24.0;
const LEAK_SOON_HOURS: f64 = 1.0;

/// One GPU under judgement.
struct Look<'a> {
    gpu: &'a Gpu,
    found: &'a mut Vec<Condition>,
}

impl Look<'_> {
    fn tell(
        &mut self,
        what: &str,
        severity: Severity,
        signal: &'static str,
        text: String,
    ) -> Option<&mut Condition> {
        let subject = Subject::Gpu {
            node: self.gpu.node.to_string(),
            gpu: self.gpu.place(),
        };
        let key = format!("gpu/{}/{what}", self.gpu.label());
        let mut condition = Condition::state(subject, key, severity, text);
        condition.signal = signal;
        self.found.push(condition);
        self.found.last_mut()
    }

    /// Where the judgement of the condition told last is from.
    fn sourced(&mut self, source: &str) {
        if let Some(condition) = self.found.last_mut() {
            let text = format!("source: {source}");
            condition.evidence.push(Evidence::Text(text));
        }
    }

    /// After it lasted; `weight` below 1: it follows from something else.
    fn lasting(
        &mut self,
        (what, signal): (&str, &'static str),
        severity: Severity,
        for_ms: u64,
        text: String,
        method: &str,
    ) {
        if let Some(condition) = self.tell(what, severity, signal, text) {
            condition.for_ms = for_ms;
            condition.weight = 0.9;
            condition.method = method.into();
        }
    }
}

/// What is no more than a warning, told after it lasted.
fn warn(
    look: &mut Look<'_>,
    place: (&str, &'static str),
    (for_ms, method): (u64, &str),
    said: String,
) {
    look.lasting(place, Severity::Warning, for_ms, said, method);
}

/// All that is wrong with each GPU alone.
pub fn devices(all: &[Gpu]) -> Vec<Condition> {
    let mut found = Vec::new();
    for gpu in all {
        let mut look = Look {
            gpu,
            found: &mut found,
        };
        error(&mut look);
        throttle(&mut look);
        memory_errors(&mut look);
        links(&mut look);
        health(&mut look);
        leak(&mut look);
    }
    found
}

fn error(look: &mut Look<'_>) {
    let Some((number, text)) = &look.gpu.xid else {
        return;
    };
    let known = xid::of(*number);
    let said = format!("XID {number} ({text})");
    let told = look.tell(&format!("xid{number}"), known.severity, "XID", said);
    if let Some(condition) = told {
        condition.seen = Some(f64::from(*number));
        condition.method = format!("NVIDIA's advice: {}", known.class);
        let advice = format!("what to do: {}", known.advice);
        condition.evidence.push(Evidence::Text(advice));
        condition.most_ms = (known.severity < Severity::Critical).then_some(XID_NEWS_MS);
    }
    xid::sources()
        .iter()
        .for_each(|source| look.sourced(source));
}

fn throttle(look: &mut Look<'_>) {
    let gpu = look.gpu;
    let at = gpu
        .temperature_c
        .map(|t| format!(" at {}", Unit::Celsius.write(t.value)))
        .unwrap_or_default();
    let hot = gpu.temperature_c.is_some_and(|t| t.value >= HOT_C);
    let severity = if hot {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let capped = |reason: &&&str| **reason == POWER_CAP;
    let held: Vec<&str> = gpu
        .throttle
        .iter()
        .filter(|r| !capped(r))
        .copied()
        .collect();
    let share = |s: Option<Sample>| s.map(|s| s.value).filter(|v| *v >= HEAT_SHARE);
    if !held.is_empty() {
        let said = format!("clocks held down: {}{at}", held.join(", "));
        let place = ("throttle", "clock event reasons");
        look.lasting(place, severity, 45_000, said, "clock-event bits for 45 s");
        look.sourced(clock_events_source());
    } else if let Some(heat) = share(gpu.thermal_share) {
        let said = format!(
            "held down by heat for {} of the time{at}",
            Unit::Ratio.write(heat)
        );
        let place = ("heat", "thermal violation");
        look.lasting(place, severity, 60_000, said, "time lost to heat, 60 s");
    }
    let slow = gpu.power_w.zip(gpu.power_limit_w);
    if gpu.throttle.iter().any(|r| capped(&r))
        && let Some((power, limit)) = slow.filter(|_| gpu.draws_below_cap())
    {
        let said = format!(
            "held at a power cap while it draws {} of {}",
            Unit::Watts.write(power.value),
            Unit::Watts.write(limit)
        );
        let after = (300_000, "power cap far below the limit for 5 min");
        warn(look, ("cap", "clock event reasons"), after, said);
    }
}

fn memory_errors(look: &mut Look<'_>) {
    let gpu = look.gpu;
    if gpu.row_remap_failure == Some(true) {
        let said = format!("row remapping failed: {}", memory().failed);
        look.tell("remap", Severity::Critical, "row remap failure", said);
        look.sourced(&memory().source);
    }
    if gpu.remap_pending == Some(true) {
        let said = format!("row remapping is pending: {}", memory().pending);
        look.tell("pending", Severity::Warning, "row remap pending", said);
        look.sourced(&memory().source);
    }
    if let Some(count) = gpu.ecc_uncorrected.filter(|n| *n > 0.0) {
        let said = format!(
            "uncorrectable memory errors: {count:.0}, {}",
            memory().uncorrected
        );
        let told = look.tell("ecc", Severity::Critical, "uncorrectable ECC errors", said);
        if let Some(condition) = told {
            condition.seen = Some(count);
            condition.method = "errors since the driver was loaded".into();
        }
        look.sourced(&memory().source);
    }
}

fn links(look: &mut Look<'_>) {
    let gpu = look.gpu;
    let over = |s: Option<Sample>, limit: f64| s.map(|s| s.value).filter(|v| *v > limit);
    if let Some(rate) = over(gpu.link_errors, LINK_ERRORS) {
        let said = format!(
            "NVLink degrades: {} errors: check the link's peer, bridge or switch",
            Unit::PerSecond.write(rate)
        );
        let after = (60_000, "more than 1 error a second for 60 s");
        warn(look, ("link", "NVLink errors"), after, said);
    }
    if !gpu.peers_cut.is_empty() {
        let said = format!("no direct path to {}", gpu.peers_cut.join(", "));
        let after = (30_000, "P2P status for 30 s");
        warn(look, ("peer", "P2P status"), after, said);
    }
    if let Some(rate) = over(gpu.pcie_replays, REPLAYS) {
        let said = format!(
            "PCIe sends again: {}: check slot, riser and cables",
            Unit::PerSecond.write(rate)
        );
        let after = (300_000, "more than 1 replay a second for 5 min");
        warn(look, ("pcie", "PCIe replays"), after, said);
    }
}

fn health(look: &mut Look<'_>) {
    let gpu = look.gpu;
    let why = match gpu.checks.join(", ") {
        none if none.is_empty() => none,
        checks => format!(": {checks}"),
    };
    if gpu.healthy == Some(false) {
        let said = format!("health check failed{why}");
        if let Some(condition) = look.tell("health", Severity::Critical, "GPU health", said) {
            condition.for_ms = 30_000;
            condition.weight = 0.95;
        }
    } else if !gpu.checks.is_empty() {
        let said = format!("health check warns{why}");
        let after = (30_000, "health checks for 30 s");
        warn(look, ("checks", "GPU health warning"), after, said);
    }
    if let Some(action) = gpu.recovery {
        let said = format!("the driver asks to {}", action.word);
        let place = ("recovery", "recovery action");
        look.lasting(
            place,
            action.severity,
            15_000,
            said,
            "driver's recovery action",
        );
        look.sourced(recovery_source());
    }
}

fn leak(look: &mut Look<'_>) {
    let gpu = look.gpu;
    let (Some(growth), Some(used), Some(total)) =
        (gpu.growth, gpu.memory_used_mib, gpu.memory_total_mib)
    else {
        return;
    };
    let hours = (total - used.value).max(0.0) / growth.mib_per_hour;
    if !hours.is_finite() || hours > LEAK_HOURS {
        return;
    }
    let severity = if hours < LEAK_SOON_HOURS {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let said = format!(
        "memory in use grows by {} an hour: full in {}",
        Unit::Mebibytes.write(growth.mib_per_hour),
        Unit::Seconds.write(hours * 3_600.0)
    );
    if let Some(condition) = look.tell("leak", severity, "GPU memory", said) {
        condition.kind = FindingKind::LevelShift;
        condition.unit = Unit::Mebibytes;
        condition.seen = Some(used.value);
        condition.since = Some(growth.since);
        condition.method = "least use of each 5 min, over 35 min or more".into();
    }
}
