//! Since when a state is bad, as far as the held samples reach.

use crate::model::finding::Subject;
use crate::model::gpu;
use crate::model::id::ClusterId;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::store::Store;

use super::{Condition, subject_of};

/// Names of the series that show a state.
fn names(signal: &str) -> &'static [&'static str] {
    match signal {
        "XID" => &["DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_XID_ERROR"],
        "clock event reasons" => &[
            "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
            "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS",
        ],
        "row remap pending" => &["DCGM_FI_DEV_ROW_REMAP_PENDING"],
        "row remap failure" => &[
            "DCGM_FI_DEV_ROW_REMAP_FAILURE",
            "DCGM_FI_DEV_ROW_REMAP_FAILED",
        ],
        "GPU health" => &["DCGM_EXP_GPU_HEALTH_STATUS", "gpu_health", "amd_gpu_health"],
        "openshift_ptp_clock_state" => &["openshift_ptp_clock_state"],
        "openshift_ptp_clock_class" => &["openshift_ptp_clock_class"],
        _ => &[],
    }
}

fn is_bad(key: &SeriesKey, value: f64, seen: Option<f64>) -> bool {
    match key.name.as_ref() {
        "DCGM_FI_DEV_CLOCKS_EVENT_REASONS" | "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS" => {
            gpu::held_down(value).iter().any(|r| *r != "power cap")
        }
        "openshift_ptp_clock_state" => value != 1.0,
        "openshift_ptp_clock_class" => Some(value) == seen,
        "DCGM_EXP_GPU_HEALTH_STATUS" => value >= 15.0,
        "gpu_health" | "amd_gpu_health" => value < 0.5,
        name if name.contains("ROW_REMAP") => value >= 0.5,
        _ => Some(value) == seen && !gpu::is_blank(value),
    }
}

/// Writes into the condition when it began. What was bad already when the data begins is said to
/// have begun before that.
pub fn date(store: &Store, cluster: ClusterId, group: Group, condition: &mut Condition) {
    let mut reach: Option<Timestamp> = None;
    let mut begun: Option<(Timestamp, u32)> = None;
    for name in names(condition.signal) {
        for (id, key) in store.find(cluster, name) {
            let points = || store.points(id, Timestamp(i64::MIN), Timestamp(i64::MAX));
            let first = points().next().map(|p| p.at);
            reach = [reach, first].into_iter().flatten().min();
            if !is_of(&condition.subject, group, key) {
                continue;
            }
            let start = run(points(), |value| is_bad(key, value, condition.seen));
            let earliest = start.filter(|s| begun.is_none_or(|(b, _)| *s < b));
            begun = earliest.map(|s| (s, store.interval_ms(id))).or(begun);
        }
    }
    if let (Some((since, interval_ms)), Some(reach)) = (begun, reach) {
        condition.since = Some(since);
        condition.earlier = since.age_since_ms(reach) <= u64::from(interval_ms);
    }
}

/// Start of the run of bad points that lasts to the end.
fn run(points: impl Iterator<Item = Sample>, bad: impl Fn(f64) -> bool) -> Option<Timestamp> {
    points.fold(None, |start, p| match (bad(p.value), start) {
        (true, None) => Some(p.at),
        (true, start) => start,
        (false, _) => None,
    })
}

fn is_of(subject: &Subject, group: Group, key: &SeriesKey) -> bool {
    if let Subject::Gpu { node, gpu } = subject {
        return gpu::is_at(&key.labels, node, gpu);
    }
    let told = subject_of(group, key);
    match subject {
        Subject::Node(node) => told.node() == Some(node),
        subject => told == *subject,
    }
}
