//! Runs the detectors of all series and turns their verdicts into findings.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::alert::Severity;
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::id::{ClusterId, SeriesId};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::{Bad, Group, Limit, Metric, Signal};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::model::{gpu, ptp};

use super::baseline::Baseline;
use super::condition::Conditions;
use super::threshold::Threshold;
use super::{Abnormal, Condition, Detector, Verdict, subject_of};

/// What the readings' rules say better: these limits are not judged a second time.
const STATED: &[&str] = &[
    "gpu_xid_fatal",
    "gpu_xid_new",
    "gpu_slowed",
    "gpu_thermal_share",
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

/// Points after which a series that stops is missed.
const KNOWN: u32 = 20;
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
}

#[derive(Debug)]
struct Watch {
    cluster: ClusterId,
    /// The query that brings the series.
    query: Arc<str>,
    key: SeriesKey,
    subject: Subject,
    rule: Arc<Rule>,
    baseline: Option<Baseline>,
    threshold: Option<Threshold>,
    last: Sample,
    /// Told and not over: by the baseline, by the limit, missing.
    told: [bool; 3],
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
}

const LEARNED: usize = 0;
const LIMITED: usize = 1;
const MISSED: usize = 2;

#[derive(Debug, Default)]
pub struct Judge {
    rules: Rules,
    watches: Vec<Option<Box<Watch>>>,
    members: BTreeMap<(ClusterId, Arc<str>), Vec<SeriesId>>,
    conditions: BTreeMap<ClusterId, Conditions>,
}

impl Judge {
    pub fn new(signals: &[Signal], metrics: &[Metric]) -> Self {
        let mut rules = Rules::default();
        for s in signals {
            let rule = (&s.name, s.unit, s.bad, s.learn, s.floor, s.limit);
            insert(&mut rules, rule);
        }
        for m in metrics.iter().filter(|m| !m.counter) {
            let rule = (&m.name, m.unit, m.bad, m.learn, m.floor, m.limit);
            insert(&mut rules, rule);
        }
        Self {
            rules,
            ..Self::default()
        }
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
                self.members.entry(query).or_default().push(arrival.id);
                slot.insert(Box::new(Watch::new(arrival, rule)))
            }
        };
        let mut score: f64 = 0.0;
        for point in &arrival.series.points {
            if point.at <= watch.last.at {
                continue;
            }
            let blank = point.value.is_finite() && is_blank(&key.name, point.value);
            let value = if blank { f64::NAN } else { point.value };
            let point = Sample { value, ..*point };
            score = score.max(watch.observe(point, arrival.quiet, out));
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
        let Some(members) = self.members.get_mut(&(cluster, query.clone())) else {
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
                if let Some(slot) = watches.get_mut(id.0 as usize) {
                    *slot = None;
                }
                return false;
            }
            true
        });
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

fn insert(rules: &mut Rules, parts: RuleParts<'_>) {
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
        };
        rules.insert(name.clone(), Arc::new(rule));
    }
}

/// Values that exporters write where they have measured nothing.
fn is_blank(name: &str, value: f64) -> bool {
    if name.starts_with("openshift_ptp_") {
        return ptp::is_sentinel(value);
    }
    name.starts_with("DCGM_") && gpu::is_blank(value)
}

impl Watch {
    fn new(arrival: &Arrival<'_>, rule: Arc<Rule>) -> Self {
        let key = &arrival.series.key;
        Self {
            cluster: arrival.cluster,
            query: arrival.query.clone(),
            key: key.clone(),
            subject: subject_of(arrival.group, key),
            baseline: rule.learn.then(|| Baseline::new(rule.bad, rule.floor)),
            threshold: rule.limit.map(|limit| Threshold::new(limit, rule.unit)),
            rule,
            last: Sample {
                at: Timestamp(i64::MIN),
                value: f64::NAN,
            },
            told: [false; 3],
        }
    }

    fn observe(&mut self, point: Sample, quiet: bool, out: &mut Vec<Finding>) -> f64 {
        self.last = point;
        self.end(MISSED, point.at, out);
        let learned = self
            .baseline
            .as_mut()
            .map(|b| b.observe(point.at, point.value));
        let limited = self
            .threshold
            .as_mut()
            .map(|t| t.observe(point.at, point.value));
        let mut score: f64 = 0.0;
        for (what, verdict) in [(LEARNED, learned), (LIMITED, limited)] {
            let Some(verdict) = verdict else {
                continue;
            };
            score = score.max(verdict.score);
            match &verdict.abnormal {
                Some(abnormal) if !quiet => {
                    if let Some(told) = self.told.get_mut(what) {
                        *told = true;
                    }
                    out.push(self.finding(what, abnormal, &verdict, point));
                }
                Some(_) => {}
                None => self.end(what, point.at, out),
            }
        }
        score
    }

    fn finding_key(&self, what: usize) -> Arc<str> {
        match what {
            LEARNED => format!("learned/{}", self.key).into(),
            LIMITED => format!("limit/{}", self.key).into(),
            // All series of a thing that vanishes are one loss.
            _ => format!("missing/{}", self.subject).into(),
        }
    }

    fn finding(&self, what: usize, abnormal: &Abnormal, verdict: &Verdict, at: Sample) -> Finding {
        let unit = self.rule.unit;
        let expected = match abnormal.expected {
            Some((low, high)) if low == f64::NEG_INFINITY => {
                format!(", expected at most {}", unit.write(high))
            }
            Some((low, high)) if high == f64::INFINITY => {
                format!(", expected at least {}", unit.write(low))
            }
            Some((low, high)) => format!(", expected {} to {}", unit.write(low), unit.write(high)),
            None => String::new(),
        };
        Finding {
            cluster: self.cluster,
            subject: self.subject.clone(),
            key: self.finding_key(what),
            kind: abnormal.kind,
            severity: abnormal.severity,
            score: verdict.score,
            since: abnormal.since,
            at: at.at,
            over: false,
            signal: self.rule.name.clone(),
            unit,
            seen: Some(at.value),
            expected: abnormal.expected,
            method: abnormal.method.clone(),
            text: format!("{} {}{expected}", self.rule.name, unit.write(at.value)),
            evidence: vec![Evidence::Series(self.key.clone())],
        }
    }

    /// Ends what was told.
    fn end(&mut self, what: usize, at: Timestamp, out: &mut Vec<Finding>) {
        let Some(told) = self.told.get_mut(what) else {
            return;
        };
        if !std::mem::take(told) {
            return;
        }
        let gone = Abnormal {
            kind: FindingKind::Threshold,
            severity: Severity::Info,
            since: at,
            expected: None,
            method: String::new(),
        };
        let mut over = self.finding(what, &gone, &Verdict::default(), self.last);
        (over.over, over.at) = (true, at);
        out.push(over);
    }

    /// Things that stay: their silence means something. Pods and virtual functions come and go.
    fn is_missed(&self) -> bool {
        let lasting = matches!(
            self.subject,
            Subject::Gpu { .. } | Subject::Clock { .. } | Subject::Node(_) | Subject::Model { .. }
        );
        lasting && self.baseline.as_ref().is_some_and(|b| b.seen() >= KNOWN)
    }

    fn tell_missing(&mut self, at: Timestamp, out: &mut Vec<Finding>) {
        let severity = match self.subject {
            Subject::Gpu { .. } => Severity::Critical,
            Subject::Clock { .. } | Subject::Node(_) => Severity::Warning,
            _ => Severity::Info,
        };
        let abnormal = Abnormal {
            kind: FindingKind::MissingData,
            severity,
            since: self.last.at,
            expected: None,
            method: "no sample while the query answers".into(),
        };
        self.told[MISSED] = true;
        let mut finding = self.finding(MISSED, &abnormal, &Verdict::default(), self.last);
        finding.score = if severity == Severity::Critical {
            1.0
        } else {
            0.6
        };
        finding.at = at;
        finding.text = format!(
            "no longer reported; last {} {}",
            self.rule.name,
            self.rule.unit.write(self.last.value)
        );
        out.push(finding);
    }
}
