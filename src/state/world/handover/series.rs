//! The series and the log lines that go along.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Wanted;
use crate::model::export::{LinesExport, TakeLine};
use crate::model::finding::Evidence;
use crate::model::handover::{HeldLines, HeldSeries};
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, SeriesId};
use crate::model::sample::{Sample, SeriesKey};
use crate::model::signal::{Group, Signal};
use crate::state::world::{ClusterState, World};
use crate::store::logs::Block;

/// What an incident is about, to tell its series from others.
#[derive(Default)]
pub(super) struct About {
    series: BTreeSet<SeriesKey>,
    words: BTreeSet<String>,
    signals: BTreeSet<Arc<str>>,
}

impl About {
    /// 0: evidence; 1: of its objects; 2: of its signals; 3: beside it.
    pub(super) fn rank(&self, key: &SeriesKey) -> u8 {
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
    pub(super) fn about(&self, wanted: &Wanted) -> About {
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

    /// One series as it goes along; `None`: nothing of it is held of that time.
    pub(super) fn held_series(
        &self,
        queries: &mut Queries,
        found: &Found,
        points: Vec<Sample>,
    ) -> Option<HeldSeries> {
        let series = found.series;
        let key = self.store.key(series)?;
        let group = self.store.group(series)?;
        let (name, query) = queries.of_series(group, &key.name);
        let cluster = self.cluster(found.cluster);
        Some(HeldSeries {
            cluster: found.place,
            source: cluster.map_or(SourceKind::Prometheus, |c| c.teller(group)),
            group,
            name,
            query,
            kind: self.store.kind(series)?,
            interval_ms: self.distance_of(series),
            key: key.clone(),
            points,
        })
    }
}

/// A series that may go along.
pub(super) struct Found {
    pub rank: u8,
    /// Its cluster in the file, and here.
    pub place: ClusterId,
    pub cluster: ClusterId,
    pub series: SeriesId,
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
pub(super) struct Queries {
    by_name: BTreeMap<Arc<str>, usize>,
    all: Arc<[Signal]>,
    /// Thousands of series share a name; the search through all queries is made once for each.
    found: BTreeMap<(Group, Arc<str>), Option<usize>>,
}

impl Queries {
    pub fn of(signals: &Arc<[Signal]>) -> Self {
        let each = signals.iter().enumerate();
        Self {
            by_name: each.map(|(at, s)| (s.name.clone(), at)).collect(),
            all: Arc::clone(signals),
            found: BTreeMap::new(),
        }
    }

    /// Its name and its text. Of a series that no signal brings: its own name.
    fn of_series(&mut self, group: Group, name: &Arc<str>) -> (Arc<str>, Arc<str>) {
        let brings = |s: &Signal| s.group == group && s.query.contains(&**name);
        let named = self.by_name.get(name).copied();
        let found = named.or_else(|| {
            let kept = self.found.entry((group, name.clone()));
            *kept.or_insert_with(|| self.all.iter().position(brings))
        });
        match found.and_then(|at| self.all.get(at)) {
            Some(signal) => (signal.name.clone(), signal.query.clone()),
            None => (name.clone(), name.clone()),
        }
    }
}

impl ClusterState {
    /// The source that tells the series of a group; the store does not keep it.
    fn teller(&self, group: Group) -> SourceKind {
        let exporter = |k: &SourceKind| matches!(k, SourceKind::Exporter(_) | SourceKind::Edge);
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
