//! Readings rebuilt from the newest samples that the store holds.

use std::collections::BTreeSet;

use crate::model::id::ClusterId;
use crate::model::object::ObjectKind;
use crate::model::sample::{Sample, SeriesKey, current_ms};
use crate::model::signal::Group;
use crate::model::telemetry::SampleBatch;
use crate::model::time::Timestamp;
use crate::model::{dpdk, gpu, ptp, serving, sriov};
use crate::store::Store;

use super::{ClusterState, Freshness, World};

/// A series this much older than its newest neighbour is no longer exported, milliseconds.
const GONE_MS: i64 = 60_000;

impl ClusterState {
    /// A reading of this group that is older than this is of the past, milliseconds: what nobody
    /// looks at is polled rarely.
    pub fn current_ms(&self, group: Group) -> u64 {
        current_ms(self.asked_each_ms(group))
    }

    /// The time between two answers of this group, milliseconds; 0: none came. Any of it may come
    /// from an exporter that is scraped directly.
    pub(super) fn asked_each_ms(&self, group: Group) -> u32 {
        let pace = |group: Group| self.paces.get(group as usize).copied().unwrap_or(0);
        pace(group).max(pace(Group::Exporter))
    }

    /// So often a group is asked for now.
    pub(super) fn pace(&mut self, batch: &SampleBatch) {
        let interval_ms = batch.interval_ms;
        // It keeps a pace of its own, beside that of the queries and of exporters.
        let beside = batch.name.starts_with("nvidia-smi");
        let group = if beside { Group::Exporter } else { batch.group };
        if let Some(pace) = self.paces.get_mut(group as usize) {
            *pace = if beside {
                interval_ms.max(*pace)
            } else {
                interval_ms
            };
        }
    }

    /// Makes the readings of a group anew after an answer that brought series of these names.
    pub(super) fn rebuild(&mut self, group: Group, brought: &BTreeSet<&str>, store: &Store) {
        let any = group == Group::Exporter;
        if any || group == Group::Gpu {
            self.rebuild_gpus(brought, store);
        }
        if any || group == Group::Ptp {
            let series = living(store, self.id, ptp::names());
            self.ptp = ptp::read(series.iter().map(|(k, s, _)| (*k, *s)));
            self.ptp_until = current_until(&series);
        }
        if any || group == Group::Sriov {
            let series = living(store, self.id, sriov::names());
            self.vfs = sriov::read(series.iter().map(|(k, s, _)| (*k, *s)));
            let series = living(store, self.id, self.dpdk_names.series());
            let series = series.iter().map(|(k, s, _)| (*k, *s));
            self.dpdk = dpdk::read(&self.dpdk_names, series);
            if !self.is_listed(ObjectKind::Node) {
                let names = [sriov::pool::OFFERED, sriov::pool::ASKED].map(str::to_owned);
                let series = living(store, self.id, names.into_iter());
                self.pools = sriov::pool::of_series(series.iter().map(|(k, s, _)| (*k, *s)));
            }
        }
        if any || group == Group::Serving {
            let series = living(store, self.id, serving::names());
            self.serving = serving::read(series.iter().map(|(k, s, _)| (*k, *s)));
            self.serving_until = current_until(&series);
        }
    }

    /// Only what these names tell: a fleet has dozens of them, each with a series a GPU.
    fn rebuild_gpus(&mut self, brought: &BTreeSet<&str>, store: &Store) {
        let all = self.gpu_drafts.is_empty();
        let names = gpu::names().filter(|n| all || brought.contains(n));
        let mut some = false;
        for name in names {
            let series = living(store, self.id, std::iter::once(name.to_owned()));
            if series.is_empty() && all {
                continue;
            }
            some = true;
            let interval_ms = series.iter().map(|(_, _, interval_ms)| *interval_ms).max();
            self.gpu_drafts.pace(interval_ms.unwrap_or(0));
            let newest = series.iter().map(|(key, sample, _)| (*key, *sample));
            self.gpu_drafts.retake(name, newest);
            for (key, sample, _) in &series {
                let from = sample.at.plus_ms(-PAST_MS);
                let points = || {
                    let id = store.lookup(self.id, key);
                    id.into_iter()
                        .flat_map(move |id| store.points(id, from, sample.at))
                };
                self.gpu_drafts.recall(key, points);
            }
            self.gpus_until = self.gpus_until.max(current_until(&series));
        }
        if some {
            self.gpus = self.gpu_drafts.gpus();
        }
    }
}

/// How far back a GPU's own past is looked at when it is first seen, milliseconds.
const PAST_MS: i64 = 65 * 60_000;

impl World {
    /// Newest samples of a signal's series that still tell of now, with their usual distance.
    pub fn current(&self, cluster: ClusterId, signal: &str) -> Vec<(&SeriesKey, Sample, u32)> {
        let mut all = living(&self.store, cluster, std::iter::once(signal.to_owned()));
        let now = |last: &Sample, interval_ms| self.fresh(last.at, interval_ms) != Freshness::Gone;
        all.retain(|(_, last, interval_ms)| now(last, *interval_ms));
        all
    }
}

/// Until when readings made of these series count as current. `None`: there are none.
pub(super) fn current_until(series: &[(&SeriesKey, Sample, u32)]) -> Option<Timestamp> {
    let each = series.iter();
    each.map(|(_, sample, interval_ms)| until(sample.at, *interval_ms))
        .max()
}

pub(super) fn until(at: Timestamp, interval_ms: u32) -> Timestamp {
    at.plus_ms(i64::try_from(current_ms(interval_ms)).unwrap_or(i64::MAX))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn what_is_read_beside_the_queries_makes_none_of_theirs_old() {
        let mut cluster = ClusterState::new(ClusterId(0), &config::Cluster::default(), 0);
        let mut told = |group, name: &str, interval_ms| {
            cluster.pace(&SampleBatch {
                group,
                name: name.into(),
                query: "".into(),
                at: Timestamp(0),
                interval_ms,
                backfill: false,
                series: Vec::new(),
                cut_from: None,
            });
            cluster.current_ms(Group::Gpu)
        };
        assert_eq!(told(Group::Gpu, "gpu_dcgm", 480_000), 961_000);
        assert_eq!(told(Group::Gpu, "nvidia-smi", 60_000), 961_000);
        assert_eq!(
            told(Group::Gpu, "gpu_dcgm", 15_000),
            121_000,
            "of nvidia-smi"
        );
    }
}
