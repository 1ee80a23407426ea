//! Readings rebuilt from the newest samples that the store holds.

use crate::model::id::ClusterId;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::model::{gpu, ptp, serving};
use crate::store::Store;

use super::{ClusterState, Freshness, World};

/// A series this much older than its newest neighbour is no longer exported, milliseconds.
const GONE_MS: i64 = 60_000;

impl ClusterState {
    /// Makes the readings of a group anew.
    pub(super) fn rebuild(&mut self, group: Group, store: &Store) {
        let any = group == Group::Exporter;
        if any || group == Group::Gpu {
            let series = living(store, self.id, gpu::names());
            self.gpus = gpu::read(series.iter().map(|(k, s, _)| (*k, *s)));
            self.gpus_until = current_until(&series);
        }
        if any || group == Group::Ptp {
            let series = living(store, self.id, ptp::names());
            self.ptp = ptp::read(series.iter().map(|(k, s, _)| (*k, *s)));
            self.ptp_until = current_until(&series);
        }
        if any || group == Group::Serving {
            let series = living(store, self.id, serving::names());
            self.serving = serving::read(series.iter().map(|(k, s, _)| (*k, *s)));
        }
    }
}

impl World {
    /// Newest samples of a signal's series that still tell of now, with their usual distance.
    pub(super) fn current(
        &self,
        cluster: ClusterId,
        signal: &str,
    ) -> Vec<(&SeriesKey, Sample, u32)> {
        let mut all = living(&self.store, cluster, std::iter::once(signal.to_owned()));
        let now = |last: &Sample, interval_ms| self.fresh(last.at, interval_ms) != Freshness::Gone;
        all.retain(|(_, last, interval_ms)| now(last, *interval_ms));
        all
    }
}

/// A reading is current for this long, or for two of its intervals where they are longer.
const CURRENT_MS: i64 = 60_000;

/// Until when readings made of these series count as current. `None`: there are none.
pub(super) fn current_until(series: &[(&SeriesKey, Sample, u32)]) -> Option<Timestamp> {
    let each = series.iter();
    each.map(|(_, sample, interval_ms)| until(sample.at, *interval_ms))
        .max()
}

pub(super) fn until(at: Timestamp, interval_ms: u32) -> Timestamp {
    let intervals = i64::from(interval_ms) * 2 + 1_000;
    at.plus_ms(intervals.max(CURRENT_MS))
}

/// Newest samples of the series with these names and their usual distance, without those that ended
/// while others went on. When the whole source is silent, all are kept: old values are shown as old.
fn living(
    store: &Store,
    cluster: ClusterId,
    names: impl Iterator<Item = String>,
) -> Vec<(&SeriesKey, Sample, u32)> {
    let mut all = Vec::new();
    for name in names {
        let start = all.len();
        for (id, _) in store.find(cluster, &name) {
            if let (Some(key), Some(last)) = (store.key(id), store.last(id)) {
                all.push((key, last, store.interval_ms(id)));
            }
        }
        let newest = all[start..].iter().map(|(_, s, _)| s.at).max();
        if let Some(newest) = newest {
            let mut place = start;
            while let Some((_, last, interval_ms)) = all.get(place) {
                let grace = (i64::from(*interval_ms) * 3).max(GONE_MS);
                if newest.0 - last.at.0 > grace {
                    all.swap_remove(place);
                } else {
                    place += 1;
                }
            }
        }
    }
    all
}
