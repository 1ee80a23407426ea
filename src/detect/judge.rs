//! Runs the detectors of all series and turns their verdicts into findings.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::finding::Finding;
use crate::model::id::{ClusterId, SeriesId};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::sensitivity::{self, Sensitivity};
use crate::model::signal::{Bad, Group, Limit, Metric, Signal};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::model::usual::Usual;

use super::Condition;
use super::again::Again;
use super::budget::{self, Budget};
use super::condition::Conditions;
use super::learnt::{Known, Learnt, Remembered};
use super::seam::{self, Seams};
use super::watch::{LEARNED, LIMITED, MISSED, Moment, Watch, is_blank};

/// What the readings' rules say better: these limits are not judged a second time.
const STATED: &[&str] = &[
    "gpu_xid_fatal",
    "gpu_xid_new",
    "gpu_slowed",
    "gpu_thermal_share",
    "gpu_ecc_uncorrected",
    "gpu_amd_ecc_uncorrected",
    "ptp_freerun",
    "ptp_holdover",
    "ptp_class_degraded",
    "ptp_class_out_of_spec",
    "ptp_port_faulty",
    "vllm_saturated",
    "DCGM_FI_DEV_ROW_REMAP_FAILURE",
    "DCGM_FI_DEV_ROW_REMAP_FAILED",
    "DCGM_EXP_GPU_HEALTH_STATUS",
    "gpu_health",
    "amd_gpu_health",
    "openshift_ptp_process_status",
    "openshift_ptp_offset_ns",
];

/// A series that stops is missed after this long and forgotten after that, milliseconds.
const MISSING_MS: u64 = 120_000;
const FORGET_MS: u64 = 30 * 60_000;

/// How the series of one name are judged.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: Arc<str>,
    pub unit: Unit,
    pub bad: Bad,
    pub learn: bool,
    pub floor: f64,
    pub limit: Option<Limit>,
    /// How far its query looks back with `rate()` and the like, milliseconds; 0: not at all.
    pub window_ms: i64,
}

/// Series that are watched, and by how many decades that raises the bar.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    pub among: usize,
    pub raised: f32,
}

/// New points of a series that the store holds.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub id: SeriesId,
    pub cluster: ClusterId,
    pub group: Group,
    /// Signal or scrape that brought it.
    pub query: &'a Arc<str>,
    pub series: &'a SeriesSamples,
    /// History, which teaches and tells nothing.
    pub quiet: bool,
    /// Usual distance of its points.
    pub interval_ms: u32,
}

/// What an earlier run learned of a cluster, and since when that answers.
#[derive(Debug)]
struct Former {
    heard: Option<Timestamp>,
    series: Arc<Known>,
}

#[derive(Debug, Default)]
pub struct Judge {
    rules: Rules,
    watches: Vec<Option<Box<Watch>>>,
    members: BTreeMap<(ClusterId, Arc<str>), Vec<SeriesId>>,
    conditions: BTreeMap<ClusterId, Conditions>,
    seams: BTreeMap<ClusterId, Seams>,
    budget: Budget,
    /// Names of the clusters, and how much is told of which series.
    clusters: Vec<Arc<str>>,
    sensitivities: Arc<[Sensitivity]>,
    /// How often they were others.
    turn: u32,
    /// What an earlier run learned, until it is taken up.
    remembered: BTreeMap<ClusterId, Former>,
    /// From when on the answers to a query are known.
    known: BTreeMap<(ClusterId, Arc<str>), Timestamp>,
}

impl Judge {
    /// For these clusters, as their places are.
    pub fn new<'a>(
        clusters: impl Iterator<Item = &'a str>,
        (signals, metrics): (&[Signal], &[Metric]),
        sensitivities: Arc<[Sensitivity]>,
    ) -> Self {
        let clusters: Vec<Arc<str>> = clusters.map(Arc::from).collect();
        let mut rules = Rules::default();
        for s in signals {
            let rule = (&s.name, s.unit, s.bad, s.learn, s.floor, s.limit);
            insert(&mut rules, rule, seam::window_ms(&s.query));
        }
        for m in metrics.iter().filter(|m| !m.counter) {
            let rule = (&m.name, m.unit, m.bad, m.learn, m.floor, m.limit);
            insert(&mut rules, rule, 0);
        }
        Self {
            rules,
            budget: Budget::new(clusters.len()),
            clusters,
            sensitivities,
            turn: 1,
            ..Self::default()
        }
    }

    /// So much is told of each series from its next point on.
    pub fn set_sensitivities(&mut self, all: Arc<[Sensitivity]>) {
        self.sensitivities = all;
        self.turn = self.turn.wrapping_add(1);
    }

    /// Whether series of this name and kind are judged at all. Raw counters never are.
    pub fn rule(&self, key: &SeriesKey, kind: SampleKind) -> Option<&Arc<Rule>> {
        let rule = self.rules.get(&key.name)?;
        (kind == SampleKind::Gauge).then_some(rule)
    }

    /// Takes new points of a series in time order; older ones than seen are passed over. Returns
    /// the greatest score.
    pub fn observe(&mut self, arrival: &Arrival<'_>, out: &mut Vec<Finding>) -> f64 {
        let key = &arrival.series.key;
        if key.name.as_ref() == seam::SIGNAL {
            let seams = self.seams.entry(arrival.cluster).or_default();
            for point in &arrival.series.points {
                seams.observe(point.at, point.value);
            }
            return f64::NAN;
        }
        let Some(rule) = self.rule(key, arrival.series.kind).cloned() else {
            return f64::NAN;
        };
        let place = arrival.id.0 as usize;
        if self.watches.len() <= place {
            self.watches.resize_with(place + 1, || None);
        }
        let Some(slot) = self.watches.get_mut(place) else {
            return f64::NAN;
        };
        let watch = match slot {
            Some(watch) => watch,
            None => {
                let query = (arrival.cluster, arrival.query.clone());
                let first = arrival.series.points.first().map(|p| p.at);
                let first = first.unwrap_or(Timestamp(i64::MIN));
                let known = *self.known.entry(query.clone()).or_insert(first);
                self.members.entry(query).or_default().push(arrival.id);
                if rule.learn {
                    self.budget.begin(arrival.cluster);
                }
                let mut watch = Box::new(Watch::new(arrival, rule, known));
                let former = self.remembered.get(&arrival.cluster);
                if let Some(learnt) = former.and_then(|f| f.series.get(key)) {
                    watch.take_up(learnt);
                }
                slot.insert(watch)
            }
        };
        if watch.turn != self.turn {
            let cluster = self.clusters.get(usize::from(arrival.cluster.0));
            let cluster = cluster.map_or("", |name| name);
            let all = &self.sensitivities;
            watch.level = sensitivity::level(all, cluster, &key.name, &key.labels);
            watch.turn = self.turn;
        }
        let series = self.budget.series(arrival.cluster);
        watch.raise(series, budget::raise(series));
        let window_ms = watch.rule.window_ms;
        let mut seams = (window_ms > 0).then(|| self.seams.entry(arrival.cluster).or_default());
        let mut score: f64 = 0.0;
        for point in &arrival.series.points {
            if point.at <= watch.last.at {
                continue;
            }
            let blank = point.value.is_finite() && is_blank(&key.name, point.value);
            let value = if blank { f64::NAN } else { point.value };
            let point = Sample { value, ..*point };
            let seams = seams.as_deref_mut();
            let seam = seams.as_ref().and_then(|s| s.at(point.at, window_ms));
            let told_until = seams.filter(|_| !arrival.quiet);
            let moment = Moment {
                quiet: arrival.quiet,
                seam,
                told_until: told_until.map(|s| s.told_until(point.at)),
                interval_ms: arrival.interval_ms,
            };
            score = score.max(watch.observe(point, moment, out));
        }
        score
    }

    /// All series of a query's answer are in: what is absent ended or is missing.
    pub fn close(
        &mut self,
        cluster: ClusterId,
        query: &Arc<str>,
        at: Timestamp,
        interval_ms: u32,
        out: &mut Vec<Finding>,
    ) {
        let place = (cluster, query.clone());
        self.let_go(cluster, at);
        self.known.entry(place.clone()).or_insert(at);
        let Some(members) = self.members.get_mut(&place) else {
            return;
        };
        let watches = &mut self.watches;
        let patience = (4 * u64::from(interval_ms)).max(MISSING_MS);
        let heard = heard_otherwise(members, watches, at, interval_ms);
        members.retain(|id| {
            let Some(Some(watch)) = watches.get_mut(id.0 as usize) else {
                return false;
            };
            let age = at.age_since_ms(watch.last.at);
            if age > 2 * u64::from(interval_ms) {
                // A query with a condition (`> 0`) drops the series when all is well again.
                watch.end(LEARNED, at, out);
                watch.end(LIMITED, at, out);
            }
            if heard.contains(id) {
                watch.end(MISSED, at, out);
            } else if age > patience && watch.is_missed() {
                watch.tell_missing(at, out);
            }
            if age > FORGET_MS {
                watch.end(MISSED, at, out);
                if watch.rule.learn {
                    self.budget.end(cluster);
                }
                if let Some(slot) = watches.get_mut(id.0 as usize) {
                    *slot = None;
                }
                return false;
            }
            true
        });
    }

    /// Places in which a series is or was watched.
    pub fn places(&self) -> usize {
        self.watches.len()
    }

    /// The series of that place with what is held of it (points and their distance), where it is
    /// compared with its past.
    pub fn again(
        &self,
        place: usize,
        held: impl FnOnce(SeriesId) -> (Vec<Sample>, u32),
    ) -> Option<Again> {
        let watch = self
            .watches
            .get(place)?
            .as_deref()
            .filter(|w| w.rule.learn)?;
        let (points, interval_ms) = held(SeriesId(u32::try_from(place).ok()?));
        Some(watch.again(points, interval_ms))
    }

    /// What is usual for a series at so many times of a range, as it is known now.
    pub fn usual(&self, id: SeriesId, range: (Timestamp, Timestamp), count: usize) -> Usual {
        let watch = self.watches.get(id.0 as usize).and_then(Option::as_deref);
        watch.map_or(Usual::NotLearned, |w| w.usual(range, count))
    }

    /// What an earlier run learned: taken up as its series come.
    pub fn remember(&mut self, known: Remembered) {
        for (name, series) in known.series {
            let Some(at) = self.clusters.iter().position(|c| *c == name) else {
                continue;
            };
            let id = ClusterId(u16::try_from(at).unwrap_or(u16::MAX));
            // Some may have come before this.
            let here = self.watches.iter_mut().flatten();
            for watch in here.filter(|w| w.cluster == id) {
                if let Some(learnt) = series.get(watch.key()) {
                    watch.take_up(learnt);
                }
            }
            let former = Former {
                heard: None,
                series: Arc::new(series),
            };
            self.remembered.insert(id, former);
        }
    }

    /// What its series did not come back for in this time is forgotten, as it is in a run.
    fn let_go(&mut self, cluster: ClusterId, at: Timestamp) {
        let Some(former) = self.remembered.get_mut(&cluster) else {
            return;
        };
        let heard = *former.heard.get_or_insert(at);
        if at.age_since_ms(heard) > FORGET_MS {
            self.remembered.remove(&cluster);
        }
    }

    /// What is remembered and may not be taken up yet.
    pub fn former(&self) -> Vec<Arc<Known>> {
        let each = self.remembered.values();
        each.map(|f| Arc::clone(&f.series)).collect()
    }

    /// What was learned of the series of some places, and the next place; `None`: that is all.
    pub fn learnt(&self, from: usize, places: usize) -> (Vec<Learnt>, Option<usize>) {
        let watches = self.watches.iter().skip(from).take(places).flatten();
        let learnt = watches.filter_map(|watch| {
            let cluster = self.clusters.get(usize::from(watch.cluster.0))?;
            watch.learnt(cluster)
        });
        let next = from.saturating_add(places);
        (
            learnt.collect(),
            Some(next).filter(|n| *n < self.watches.len()),
        )
    }

    /// Whether a bad state of a scope is followed already.
    pub fn follows(&self, cluster: ClusterId, scope: &'static str, key: &str) -> bool {
        let held = self.conditions.get(&cluster);
        held.is_some_and(|held| held.holds(scope, key))
    }

    /// A scope has something to tell from now on.
    pub fn heard(&mut self, cluster: ClusterId, scope: &'static str) {
        self.conditions.entry(cluster).or_default().heard(scope);
    }

    /// The next look at a scope is a first one again: nobody looked for a while.
    pub fn look_anew(&mut self, cluster: ClusterId, scope: &'static str) {
        self.conditions.entry(cluster).or_default().look_anew(scope);
    }

    /// Takes all bad states of a scope as they are now.
    pub fn conditions(
        &mut self,
        cluster: ClusterId,
        scope: &'static str,
        list: Vec<Condition>,
        at: Timestamp,
        out: &mut Vec<Finding>,
    ) {
        let held = self.conditions.entry(cluster).or_default();
        held.update(cluster, scope, list, at, out);
    }

    /// The store let these series go; their ids may come back for others.
    pub fn forget(&mut self, ids: &[SeriesId], at: Timestamp, out: &mut Vec<Finding>) {
        for id in ids {
            let Some(mut watch) = self.watches.get_mut(id.0 as usize).and_then(Option::take) else {
                continue;
            };
            for what in [LEARNED, LIMITED, MISSED] {
                watch.end(what, at, out);
            }
            if watch.rule.learn {
                self.budget.end(watch.cluster);
            }
            if let Some(members) = self.members.get_mut(&(watch.cluster, watch.query.clone())) {
                members.retain(|m| m != id);
            }
        }
    }
}

/// Silent series whose thing is heard of under other labels: a GPU handed to another pod is not lost.
fn heard_otherwise(
    members: &[SeriesId],
    watches: &[Option<Box<Watch>>],
    at: Timestamp,
    interval_ms: u32,
) -> Vec<SeriesId> {
    let watch = |id: &SeriesId| watches.get(id.0 as usize)?.as_deref();
    let is_silent = |w: &Watch| at.age_since_ms(w.last.at) > 2 * u64::from(interval_ms);
    let (silent, fresh): (Vec<&SeriesId>, Vec<&SeriesId>) = members
        .iter()
        .partition(|id| watch(id).is_some_and(is_silent));
    if silent.is_empty() {
        return Vec::new();
    }
    let what = |id: &SeriesId| watch(id).map(|w| (w.rule.name.clone(), w.subject.clone()));
    let fresh: HashSet<_> = fresh.into_iter().filter_map(what).collect();
    let heard = |id: &&SeriesId| what(id).is_some_and(|what| fresh.contains(&what));
    silent.into_iter().filter(heard).copied().collect()
}

type Rules = HashMap<Arc<str>, Arc<Rule>, RandomState>;
type RuleParts<'a> = (&'a Arc<str>, Unit, Bad, bool, f64, Option<Limit>);

fn insert(rules: &mut Rules, parts: RuleParts<'_>, window_ms: i64) {
    let (name, unit, bad, learn, floor, limit) = parts;
    let limit = limit.filter(|_| bad != Bad::None && !STATED.contains(&name.as_ref()));
    let learn = learn && bad != Bad::None;
    if learn || limit.is_some() {
        let rule = Rule {
            name: name.clone(),
            unit,
            bad,
            learn,
            floor,
            limit,
            window_ms,
        };
        rules.insert(name.clone(), Arc::new(rule));
    }
}

#[cfg(test)]
mod tests;
