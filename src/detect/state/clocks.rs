//! Domain rules of PTP clocks: what state, class, offset and drift are bad, and which of them point
//! above the node.

use crate::model::alert::Severity;
use crate::model::clock_class::{self, Standing};
use crate::model::finding::{FindingKind, Subject};
use crate::model::id::ClusterId;
use crate::model::ptp::{ClockState, Part, PtpNode, is_sentinel, node_of};
use crate::model::sample::Sample;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::store::Store;

use crate::detect::Condition;
use crate::detect::trend::{self, Trend};

/// As long as a drift is looked at, milliseconds; longer where samples are rare: a line needs
/// points, and what nobody looks at is polled seldom.
const DRIFT_MS: i64 = 10 * 60_000;
const DRIFT_POINTS: i64 = 20;
const MOST_DRIFT_MS: i64 = 2 * 3_600_000;
/// Points that tell where a clock stands against its peers.
const PEER_POINTS: i64 = 5;
/// A breach farther off than this is no news yet, seconds.
const SOON_S: f64 = 30.0 * 60.0;
/// A drift over less than this share of the way to the threshold is noise, whatever its slope.
const DRIFTED: f64 = 0.15;
/// Of the way to the threshold, what has to lie behind.
const NEAR: f64 = 0.3;
/// Peers that a node is held against, itself among them.
const PEERS: usize = 4;
/// A node this far from its peers, as a share of the threshold, is off.
const OFF: f64 = 0.3;

fn clock_subject(node: &PtpNode, interface: &str) -> Subject {
    Subject::Clock {
        node: node.node.to_string(),
        interface: interface.to_owned(),
    }
}

pub fn ptp(all: &[PtpNode]) -> Vec<Condition> {
    let mut found = Vec::new();
    for node in all {
        clock_state(node, &mut found);
        clock_class(node, &mut found);
        for (process, config, up, _) in &node.processes {
            if *up == Some(false) {
                let subject = Subject::Node(node.node.to_string());
                let key = format!("ptp/{}/process/{process}/{config}", node.node);
                let text = format!("PTP process {process} ({config}) is down");
                let mut condition = Condition::state(subject, key, Severity::Critical, text);
                condition.signal = "openshift_ptp_process_status";
                condition.for_ms = 5_000;
                found.push(condition);
            }
        }
        for clock in node
            .clocks
            .iter()
            .filter(|c| c.role.as_deref() == Some("FAULTY"))
        {
            let subject = clock_subject(node, &clock.interface);
            let key = format!("ptp/{}/role/{}", node.node, clock.interface);
            let text = format!("PTP port {} is FAULTY", clock.interface);
            let mut condition = Condition::state(subject, key, Severity::Critical, text);
            condition.signal = "openshift_ptp_interface_role";
            condition.for_ms = 15_000;
            found.push(condition);
        }
        offset(node, &mut found);
    }
    if let Some(shared) = shared(all) {
        // What has one cause above them all is named first.
        let states = found.iter_mut().filter(|c| c.severity != Severity::Info);
        states.for_each(|c| c.weight = c.weight.min(0.85));
        found.push(shared);
    }
    found
}

/// Most clocks of a cluster are not locked at once: what they follow is the place to look, not they.
/// A grandmaster among them is its own cause, so that the others are counted without it.
fn shared(all: &[PtpNode]) -> Option<Condition> {
    let master = |n: &&PtpNode| n.part() == Some(Part::Grandmaster);
    let known = all.iter().filter(|n| n.state.is_some());
    let (masters, followers): (Vec<&PtpNode>, Vec<&PtpNode>) = known.partition(|n| master(n));
    let is_bad = |n: &&&PtpNode| n.state != Some(ClockState::Locked);
    let bad = followers.iter().filter(is_bad).count();
    if bad < 3 || bad * 3 < followers.len() * 2 {
        return None;
    }
    let lost: Vec<&str> = masters
        .iter()
        .filter(is_bad)
        .map(|n| n.node.as_ref())
        .collect();
    let above = match (masters.is_empty(), lost.as_slice()) {
        (_, [lost, ..]) => format!("the grandmaster {lost} is not locked either"),
        (true, []) => "look at what they follow: no grandmaster is seen in this cluster".into(),
        (false, []) => {
            let name = masters.first().map_or("", |n| n.node.as_ref());
            format!("the grandmaster {name} says it is locked: look at the path to it")
        }
    };
    let text = format!(
        "{bad} of {} clocks are not locked at once; {above}",
        followers.len()
    );
    let (subject, key) = (Subject::Cluster, "ptp/shared".to_owned());
    let mut condition = Condition::state(subject, key, Severity::Critical, text);
    condition.signal = "openshift_ptp_clock_state";
    condition.method = "two thirds of the following clocks, three at least".into();
    condition.for_ms = 15_000;
    Some(condition)
}

fn clock_state(node: &PtpNode, found: &mut Vec<Condition>) {
    let Some((worst, (state, sample))) = node.worst().and_then(|c| c.state.map(|s| (c, s))) else {
        return;
    };
    let severity = match state {
        ClockState::Locked => return,
        ClockState::Holdover => Severity::Warning,
        ClockState::Freerun => Severity::Critical,
    };
    let offset = worst.offset_ns.or(node.worst_offset().map(|(_, o)| o));
    let offset = offset.map(|o| format!(", offset {}", Unit::Nanoseconds.write(o.value)));
    let text = format!(
        "{} is {}, expected LOCKED{}",
        worst.process,
        state.word(),
        offset.unwrap_or_default()
    );
    let key = format!("ptp/{}/state", node.node);
    let subject = clock_subject(node, &worst.interface);
    let mut condition = Condition::state(subject, key, severity, text);
    condition.signal = "openshift_ptp_clock_state";
    condition.seen = Some(sample.value);
    condition.expected = Some((1.0, 1.0));
    condition.method = "worst clock state of the node".into();
    found.push(condition);
}

fn clock_class(node: &PtpNode, found: &mut Vec<Condition>) {
    let Some(class) = node.clock_class else {
        return;
    };
    let standing = clock_class::of(class.value).map(|c| c.standing);
    let (severity, for_ms) = match standing {
        Some(Standing::Warning) => (Severity::Warning, 15_000),
        Some(Standing::Critical) => (Severity::Critical, 15_000),
        Some(Standing::Starting) => (Severity::Warning, 60_000),
        Some(Standing::Good | Standing::Note) | None => return,
    };
    let text = format!(
        "clock class {} ({})",
        class.value,
        clock_class::meaning(class.value)
    );
    let key = format!("ptp/{}/class", node.node);
    let subject = Subject::Node(node.node.to_string());
    let mut condition = Condition::state(subject, key, severity, text);
    condition.signal = "openshift_ptp_clock_class";
    condition.seen = Some(class.value);
    condition.for_ms = for_ms;
    condition.weight = 0.9;
    condition.method = "clock class of IEEE 1588 and G.8275.1".into();
    found.push(condition);
}

/// A clock that is not locked is told already.
fn offset(node: &PtpNode, found: &mut Vec<Condition>) {
    let (min, max) = node.threshold();
    let Some((clock, offset)) = node.worst_offset() else {
        return;
    };
    if node.is_inside(offset.value) || node.state != Some(ClockState::Locked) {
        return;
    }
    let write = |v| Unit::Nanoseconds.write(v);
    let text = format!(
        "offset of {} {}, expected above {} and below {}",
        clock.process,
        write(offset.value),
        write(min),
        write(max)
    );
    let key = format!("ptp/{}/offset/{}", node.node, clock.interface);
    let subject = clock_subject(node, &clock.interface);
    let mut condition = Condition::state(subject, key, Severity::Warning, text);
    condition.kind = FindingKind::Threshold;
    condition.signal = "openshift_ptp_offset_ns";
    condition.unit = Unit::Nanoseconds;
    condition.seen = Some(offset.value);
    condition.expected = Some((min, max));
    condition.for_ms = 30_000;
    condition.method = "threshold of the PTP profile for 30 s".into();
    found.push(condition);
}

/// The offset of one node over the last minutes.
struct Track<'a> {
    node: &'a PtpNode,
    process: &'a str,
    interface: &'a str,
    points: Vec<Sample>,
    /// The last ones of them tell how it stands against its peers: from here on.
    recent: Timestamp,
}

impl Track<'_> {
    /// Where it stood lately, ns, and for how long that was looked at, minutes.
    fn stands(&self) -> Option<(f64, f64)> {
        let recent = || self.points.iter().filter(|p| p.at >= self.recent);
        let (first, last) = (recent().next()?.at, recent().next_back()?.at);
        let middle = trend::median(recent().map(|p| p.value))?;
        Some((middle, last.age_since_ms(first) as f64 / 60_000.0))
    }
}

/// What the offsets of locked clocks are about to do: drifts that will cross the threshold, and
/// nodes that have left their peers though they are still within it.
pub fn ptp_trends(
    store: &Store,
    cluster: ClusterId,
    all: &[PtpNode],
    now: Timestamp,
) -> Vec<Condition> {
    let tracks = tracks(store, cluster, all, now);
    let mut found: Vec<Condition> = tracks.iter().filter_map(drift).collect();
    found.extend(off_peers(&tracks));
    found
}

/// Of each locked node within its threshold, the series that speaks for it.
fn tracks<'a>(
    store: &'a Store,
    cluster: ClusterId,
    all: &'a [PtpNode],
    now: Timestamp,
) -> Vec<Track<'a>> {
    let mut found: Vec<Track<'a>> = Vec::new();
    for (id, key) in store.find(cluster, "openshift_ptp_offset_ns") {
        let labels = &key.labels;
        let process = labels.get("process").unwrap_or("");
        let Ok(place) = all.binary_search_by(|n| n.node.as_ref().cmp(node_of(labels))) else {
            continue;
        };
        let Some(node) = all.get(place) else {
            continue;
        };
        // phc2sys follows the card's clock; what the card follows is what drifts.
        let speaks = matches!(process, "ptp4l" | "ts2phc" | "T-BC" | "GM");
        if !speaks || node.state != Some(ClockState::Locked) || node.is_down(process) {
            continue;
        }
        let interval_ms = i64::from(store.interval_ms(id));
        let reach = |points: i64| (interval_ms * points).clamp(DRIFT_MS, MOST_DRIFT_MS);
        let points = store.points(id, now.plus_ms(-reach(DRIFT_POINTS)), now);
        let points: Vec<Sample> = points.filter(|p| !is_sentinel(p.value)).collect();
        if points.last().is_some_and(|p| node.is_inside(p.value)) {
            found.push(Track {
                node,
                process,
                interface: labels.get("iface").unwrap_or(""),
                points,
                recent: now.plus_ms(-reach(PEER_POINTS)),
            });
        }
    }
    found
}

fn drift(track: &Track<'_>) -> Option<Condition> {
    let trend = Trend::of(&track.points)?;
    let (low, high) = track.node.threshold();
    let limit = if trend.per_s > 0.0 { high } else { low };
    let moved = trend.moved().abs();
    // What comes back towards zero is on its way to be well.
    let near = trend.now / limit >= NEAR;
    if moved < DRIFTED * limit.abs() || !near || !trend.is_clear() {
        return None;
    }
    let left_s = trend.reaches(limit).filter(|s| *s <= SOON_S)?;
    let write = |v| Unit::Nanoseconds.write(v);
    let minutes = (left_s / 60.0).ceil().max(1.0);
    let text = format!(
        "offset of {} drifts by {} a minute: {} now, reaches {} in {minutes:.0} min",
        track.process,
        write(trend.per_s * 60.0),
        write(trend.now),
        write(limit),
    );
    let key = format!("ptp/{}/drift/{}", track.node.node, track.interface);
    let subject = clock_subject(track.node, track.interface);
    let mut condition = Condition::state(subject, key, Severity::Warning, text);
    condition.kind = FindingKind::Threshold;
    condition.signal = "openshift_ptp_offset_ns";
    condition.unit = Unit::Nanoseconds;
    condition.seen = Some(trend.now);
    condition.expected = Some((low, high));
    condition.for_ms = 60_000;
    condition.weight = 0.8;
    let minutes = trend.span_s / 60.0;
    condition.method = format!("line through the medians of three thirds of {minutes:.0} min");
    Some(condition)
}

/// Held against nodes of the same part in the same cluster, which follow the same clock.
fn off_peers(tracks: &[Track<'_>]) -> Vec<Condition> {
    let mut found = Vec::new();
    let mut parts: Vec<(Option<Part>, &str)> =
        tracks.iter().map(|t| (t.node.part(), t.process)).collect();
    parts.sort_unstable();
    parts.dedup();
    for (part, process) in parts {
        let own = |t: &&Track<'_>| t.node.part() == part && t.process == process;
        let peers: Vec<(&Track<'_>, (f64, f64))> = tracks
            .iter()
            .filter(own)
            .filter_map(|t| Some((t, t.stands()?)))
            .collect();
        if peers.len() < PEERS {
            continue;
        }
        let Some(middle) = trend::median(peers.iter().map(|(_, (m, _))| *m)) else {
            continue;
        };
        let spread = trend::median(peers.iter().map(|(_, (m, _))| (m - middle).abs()));
        let spread = spread.unwrap_or(0.0);
        for (track, own) in peers {
            let (low, high) = track.node.threshold();
            let least = OFF * high.min(-low).max(1.0);
            if (own.0 - middle).abs() > least.max(spread * 8.0) {
                found.push(off_peer(track, own, (middle, spread)));
            }
        }
    }
    found
}

fn off_peer(
    track: &Track<'_>,
    (own, minutes): (f64, f64),
    (middle, spread): (f64, f64),
) -> Condition {
    let write = |v| Unit::Nanoseconds.write(v);
    let text = format!(
        "offset of {} stays at {}, that of its peers at {}",
        track.process,
        write(own),
        write(middle),
    );
    let key = format!("ptp/{}/peers/{}", track.node.node, track.interface);
    let subject = clock_subject(track.node, track.interface);
    let mut condition = Condition::state(subject, key, Severity::Warning, text);
    condition.signal = "openshift_ptp_offset_ns";
    condition.unit = Unit::Nanoseconds;
    condition.seen = Some(own);
    let reach = (spread * 8.0).max(1.0);
    condition.expected = Some((middle - reach, middle + reach));
    condition.for_ms = 60_000;
    condition.weight = 0.75;
    condition.method =
        format!("median of {minutes:.0} min against that of the other nodes of its part");
    condition
}

#[cfg(test)]
mod tests;
