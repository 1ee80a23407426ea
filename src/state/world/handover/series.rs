//! The series and the log lines that go along.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Wanted;
use crate::model::export::{LinesExport, TakeLine};
use crate::model::finding::Evidence;
use crate::model::handover::{HeldLines, HeldSeries};
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, SeriesId};
use crate::model::sample::SeriesKey;
use crate::model::signal::{Group, Signal};
use crate::state::world::{ClusterState, World};
use crate::store::logs::Block;

/// Points of a file at most: so many are copied between two frames.
pub const POINTS: usize = 1_500_000;

/// What an incident is about, to tell its series from others.
#[derive(Default)]
struct About {
    series: BTreeSet<SeriesKey>,
    words: BTreeSet<String>,
    signals: BTreeSet<Arc<str>>,
}

impl About {
    /// 0: evidence; 1: of its objects; 2: of its signals; 3: beside it.
    fn rank(&self, key: &SeriesKey) -> u8 {
        let of_it = || {
            key.labels
                .iter()
                .any(|(_, value)| self.words.contains(value))
        };
        match () {
            () if self.series.contains(key) => 0,
            () if of_it() => 1,
            () if self.signals.contains(&key.name) => 2,
            () => 3,
        }
    }
}

impl World {
    fn about(&self, wanted: &Wanted) -> About {
        let mut about = About::default();
        let incident = wanted.incident.and_then(|id| self.incident(id));
        let Some(incident) = incident else {
            return about;
        };
        about
            .words
            .extend(incident.nodes.iter().map(ToString::to_string));
        for finding in &incident.findings {
            let subject = &finding.subject;
            let named = [subject.node(), subject.namespace()].into_iter().flatten();
            about.words.extend(named.map(str::to_owned));
            about.signals.insert(finding.signal.clone());
            about
                .series
                .extend(finding.evidence.iter().filter_map(|e| match e {
                    Evidence::Series(key) => Some(key.clone()),
                    _ => None,
                }));
        }
        about
    }

    /// What is held of the clusters in that time, what matters most first; and how many series were
    /// left out for want of room.
    pub(super) fn series_of(&self, wanted: &Wanted) -> (Vec<HeldSeries>, usize) {
        let about = self.about(wanted);
        let mut found: Vec<(u8, ClusterId, ClusterId, SeriesId)> = Vec::new();
        for (place, id) in wanted.clusters.iter().enumerate() {
            for name in self.store.names(*id) {
                let series = self.store.find(*id, &name);
                let at = ClusterId(place as u16);
                found.extend(series.map(|(series, key)| (about.rank(key), at, *id, series)));
            }
        }
        found.sort_by_key(|(rank, at, ..)| (*rank, *at));
        let queries = Queries::of(&self.signals);
        let (mut out, mut points, mut left) = (Vec::new(), 0, 0);
        for (_, at, id, series) in found {
            let held = self.store.held(series, wanted.from, wanted.to);
            if held.is_empty() {
                continue;
            }
            if points + held.len() > POINTS {
                left += 1;
                continue;
            }
            points += held.len();
            let (Some(key), Some(group), Some(kind)) = (
                self.store.key(series),
                self.store.group(series),
                self.store.kind(series),
            ) else {
                continue;
            };
            let (name, query) = queries.of_series(group, &key.name);
            out.push(HeldSeries {
                cluster: at,
                source: self
                    .cluster(id)
                    .map_or(SourceKind::Prometheus, |c| c.teller(group)),
                group,
                name,
                query,
                kind,
                interval_ms: self.distance_of(series),
                key: key.clone(),
                points: held,
            });
        }
        (out, left)
    }
}

impl World {
    /// The distance at which the points are held, so that they are held again at the same times; of
    /// a series that comes much less often than that, the distance at which it comes.
    fn distance_of(&self, series: SeriesId) -> u32 {
        let (comes, held) = (self.store.interval_ms(series), self.store.step_ms(series));
        let near = u64::from(comes) * 7 <= u64::from(held) * 10;
        if near { held } else { comes }
    }
}

/// Which query of the catalogue brings a series.
struct Queries<'a> {
    by_name: BTreeMap<&'a str, &'a Signal>,
    all: &'a [Signal],
}

impl<'a> Queries<'a> {
    fn of(signals: &'a [Signal]) -> Self {
        Self {
            by_name: signals.iter().map(|s| (&*s.name, s)).collect(),
            all: signals,
        }
    }

    /// Its name and its text. Of a series that no signal brings: its own name.
    fn of_series(&self, group: Group, name: &Arc<str>) -> (Arc<str>, Arc<str>) {
        let raw = || {
            let mut all = self.all.iter().filter(|s| s.group == group);
            all.find(|s| s.query.contains(&**name))
        };
        match self.by_name.get(&**name).copied().or_else(raw) {
            Some(signal) => (signal.name.clone(), signal.query.clone()),
            None => (name.clone(), name.clone()),
        }
    }
}

impl ClusterState {
    /// The source that tells the series of a group; the store does not keep it.
    fn teller(&self, group: Group) -> SourceKind {
        let exporter = |k: &SourceKind| matches!(k, SourceKind::Exporter(_));
        let found = match group {
            Group::Exporter => self.sources.keys().find(|k| exporter(k)),
            _ => self.sources.keys().find(|k| **k == SourceKind::Prometheus),
        };
        let first = || self.sources.keys().next();
        found
            .or_else(first)
            .copied()
            .unwrap_or(SourceKind::Prometheus)
    }

    /// The lines in that time, shared with the buffer.
    pub(super) fn lines_of(&self, at: ClusterId, wanted: &Wanted) -> Option<HeldLines> {
        let span = wanted.from.0.saturating_mul(1_000_000)..=wanted.to.0.saturating_mul(1_000_000);
        let blocks: Vec<Arc<Block>> = self
            .logs
            .blocks()
            .filter(|(_, b)| b.last_ns() >= *span.start() && b.first_ns() <= *span.end())
            .map(|(_, block)| Arc::clone(block))
            .collect();
        if blocks.is_empty() {
            return None;
        }
        let each = move |take: TakeLine<'_>| {
            let lines = blocks.iter().flat_map(|b| b.iter());
            for line in lines.filter(|l| span.contains(&l.at_ns)) {
                take("", line);
            }
        };
        let loki = self.sources.contains_key(&SourceKind::Loki);
        Some(HeldLines {
            cluster: at,
            source: if loki {
                SourceKind::Loki
            } else {
                SourceKind::Kubernetes
            },
            lines: LinesExport::new(false, each),
        })
    }
}
