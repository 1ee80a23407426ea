//! What is missing of a cluster, in words: nothing that is not held is made up.

use super::Wanted;
use crate::model::health::Health;
use crate::model::time::Timestamp;
use crate::state::world::ClusterState;

/// Data may begin so much after what was asked for, milliseconds: a poll or two.
const NEAR_MS: i64 = 60_000;

/// `first`: time of the oldest sample that goes along.
pub(super) fn of(
    cluster: &ClusterState,
    first: Option<Timestamp>,
    wanted: &Wanted,
    gaps: &mut Vec<String>,
) {
    let name = &cluster.name;
    match first {
        None => gaps.push(format!("{name}: no metrics are held of that time")),
        Some(at) if at > wanted.from.plus_ms(NEAR_MS) => {
            gaps.push(format!("{name}: metrics are held from {} on", at.rfc3339()));
        }
        Some(_) => {}
    }
    let line = cluster.logs.first().map(|l| Timestamp(l.at_ns / 1_000_000));
    match line {
        None => gaps.push(format!("{name}: no log lines are held")),
        Some(at) if at > wanted.from.plus_ms(NEAR_MS) => {
            gaps.push(format!(
                "{name}: log lines are held from {} on",
                at.rfc3339()
            ));
        }
        Some(_) => {}
    }
    if let n @ 1.. = cluster.logs.dropped() {
        gaps.push(format!(
            "{name}: {n} log lines were not kept (limit, or lost on the way)"
        ));
    }
    if let Some(words) = cluster.unheld_words() {
        gaps.push(format!("{name}: {words}"));
    }
    for (kind, source) in &cluster.sources {
        let why = match &source.health {
            Health::Live => continue,
            Health::Connecting => "not heard".to_owned(),
            Health::Failing { fault, .. } | Health::Denied { fault, .. } => fault.what.clone(),
        };
        gaps.push(format!("{name}: {kind}: {why}"));
    }
}
