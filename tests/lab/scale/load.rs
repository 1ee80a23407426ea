//! What so many clusters ask of watchers, of NATS and of Prometheus: arithmetic on figures that were
//! measured or are assumed. Which is which stands in `docs/scale.md`.

use super::chance::Chance;

/// Series that one cluster's Prometheus holds, and those that a watcher holds of it: assumed.
pub const IN_PROMETHEUS: u64 = 10_000;
pub const HELD: u64 = 500;
/// Clusters and series that one watcher is given at most.
pub const CLUSTERS: u64 = 250;
pub const SERIES: u64 = 500_000;
/// Measured: resident bytes of a series with its state (3.8 GB a million), of a live cluster and of
/// the program by itself (38 MB with ten, 149 MB with a hundred).
const SERIES_BYTES: u64 = 3_800;
const CLUSTER_BYTES: u64 = 1_230_000;
const BASE_BYTES: u64 = 26_000_000;
/// Measured: processor time to parse, store and judge one answer's point of a series, and what a
/// cluster with all its sources costs a round, ns.
const POINT_NS: u64 = 2_270;
const ROUND_NS: u64 = 1_800_000;
/// Signals of the catalogue, asked each so many seconds of a spoke.
const QUERIES: u64 = 84;
const ROUND_SECONDS: u64 = 30;
/// Assumed: what a cluster tells in a day. Measured: bytes of one message of it, which carries the
/// whole incident.
const EVENTS_A_DAY: u64 = 40;
pub const EVENT_BYTES: u64 = 21_000;
/// Assumed: one cluster in twenty is struck at once, and tells so much within a minute.
const STRUCK: u64 = 20;
const STORM: u64 = 30;
/// The stream as it is made unless it is there.
const STREAM_BYTES: u64 = 256 << 20;
const STREAM_MINUTES: u64 = 7 * 24 * 60;
const DAY: u64 = 86_400;

pub struct Load {
    pub watchers: u64,
    pub memory_mb: u64,
    /// Thousandths of a core, of all watchers together.
    pub milli_cores: u64,
    pub queries: u64,
    pub events_a_day: u64,
    /// Most in one second of an ordinary day, and of the storm.
    pub busiest: u64,
    pub storm: u64,
    pub mb_a_day: u64,
    /// How long the stream holds what is told.
    pub stream_minutes: u64,
}

/// How many watchers it takes: two at least, so that one may go.
pub fn watchers(clusters: u64) -> u64 {
    let by_clusters = clusters.div_ceil(CLUSTERS);
    let by_series = (clusters * HELD).div_ceil(SERIES);
    by_clusters.max(by_series).max(2)
}

pub fn of(clusters: u64, chance: &mut Chance) -> Load {
    let watchers = watchers(clusters);
    let each = clusters.div_ceil(watchers);
    let memory = BASE_BYTES + each * (CLUSTER_BYTES + HELD * SERIES_BYTES);
    let round = clusters * (ROUND_NS + HELD * POINT_NS);
    let events_a_day = clusters * EVENTS_A_DAY;
    let bytes_a_day = events_a_day * EVENT_BYTES;
    Load {
        watchers,
        memory_mb: memory.div_ceil(1_000_000),
        milli_cores: (round / ROUND_SECONDS).div_ceil(1_000_000),
        queries: (clusters * QUERIES).div_ceil(ROUND_SECONDS),
        events_a_day,
        busiest: busiest(events_a_day, DAY, chance),
        storm: busiest(clusters.div_ceil(STRUCK) * STORM, 60, chance),
        mb_a_day: bytes_a_day.div_ceil(1_000_000),
        stream_minutes: (STREAM_BYTES * 24 * 60 / bytes_a_day).min(STREAM_MINUTES),
    }
}

/// So many events at any second of so many: most of them in one second.
fn busiest(events: u64, seconds: u64, chance: &mut Chance) -> u64 {
    let mut each = vec![0_u64; usize::try_from(seconds).unwrap_or(0)];
    for _ in 0..events {
        let second = usize::try_from(chance.below(seconds)).unwrap_or(0);
        if let Some(count) = each.get_mut(second) {
            *count += 1;
        }
    }
    each.into_iter().max().unwrap_or(0)
}
