//! One series under judgement: its detectors, what was told of it, and what is over.

use std::sync::Arc;

use crate::model::alert::Severity;
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::id::ClusterId;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::sensitivity::Level;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::model::usual::Usual;
use crate::model::{gpu, ptp};

use super::again::Again;
use super::judge::{Arrival, Rule, Shape};
use super::learned::Learned;
use super::learnt::Learnt;
use super::threshold::Threshold;
use super::{Abnormal, Detector, Verdict, subject_of};

/// Points after which a series that stops is missed.
const KNOWN: u32 = 20;

pub(super) const LEARNED: usize = 0;
pub(super) const LIMITED: usize = 1;
pub(super) const MISSED: usize = 2;

#[derive(Debug)]
pub(super) struct Watch {
    pub(super) cluster: ClusterId,
    /// The query that brings the series.
    pub(super) query: Arc<str>,
    key: SeriesKey,
    pub(super) subject: Subject,
    pub(super) rule: Arc<Rule>,
    learned: Option<Learned>,
    threshold: Option<Threshold>,
    pub(super) last: Sample,
    /// Rates up to here reach back over a hole in the series, or before its first point.
    torn_until: Timestamp,
    /// From when on the answers to its query are known.
    known_from: Timestamp,
    /// Series that are watched: where they are many, the bar is higher.
    among: usize,
    raised: f32,
    /// How much the operator wants to be told, and when that was looked up.
    pub(super) level: Level,
    pub(super) turn: u32,
    /// Told and not over: by what is usual, by the limit, missing.
    told: [bool; 3],
}

/// What is known about the moment of a point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// History, which teaches and tells nothing.
    pub(super) quiet: bool,
    /// The server missed scrapes that the query looks back on, since then.
    pub(super) seam: Option<Timestamp>,
    /// For a rate: up to when that is known. What begins later waits to be told.
    pub(super) told_until: Option<Timestamp>,
    pub(super) interval_ms: u32,
}

impl Watch {
    pub(super) fn new(arrival: &Arrival<'_>, rule: Arc<Rule>, known_from: Timestamp) -> Self {
        let key = &arrival.series.key;
        Self {
            cluster: arrival.cluster,
            query: arrival.query.clone(),
            key: key.clone(),
            subject: subject_of(arrival.group, key),
            learned: rule.learn.then(|| Learned::new(rule.bad, rule.floor)),
            threshold: rule.limit.map(|limit| Threshold::new(limit, rule.unit)),
            rule,
            last: Sample {
                at: Timestamp(i64::MIN),
                value: f64::NAN,
            },
            torn_until: Timestamp(i64::MIN),
            known_from,
            among: 0,
            raised: 0.0,
            level: Level::Normal,
            turn: 0,
            told: [false; 3],
        }
    }

    /// It is one of so many series, which raise the bar by so many decades.
    pub(super) fn raise(&mut self, among: usize, decades: f32) {
        (self.among, self.raised) = (among, decades);
        if let Some(learned) = &mut self.learned {
            learned.shift(decades + self.level.decades());
        }
    }

    pub(super) fn observe(&mut self, point: Sample, moment: Moment, out: &mut Vec<Finding>) -> f64 {
        let hole = point.at.age_since_ms(self.last.at) > (5 * u64::from(moment.interval_ms)) / 2;
        if hole && self.rule.window_ms > 0 {
            self.torn_until = point.at.plus_ms(self.rule.window_ms);
        }
        self.last = point;
        self.end(MISSED, point.at, out);
        let torn = point.at < self.torn_until;
        let seen = |doubtful: bool| if doubtful { f64::NAN } else { point.value };
        let learned = self.learned.as_mut().map(|l| {
            if let Some(from) = moment.seam {
                l.doubt(from);
            }
            l.observe(point.at, seen(torn || moment.seam.is_some()))
        });
        let limited = self
            .threshold
            .as_mut()
            .map(|t| t.observe(point.at, seen(moment.seam.is_some())));
        let mut score: f64 = 0.0;
        for (what, verdict) in [(LEARNED, learned), (LIMITED, limited)] {
            let Some(verdict) = verdict else {
                continue;
            };
            if what == LEARNED && self.level == Level::Off {
                self.end(what, point.at, out);
                continue;
            }
            score = score.max(verdict.score);
            match &verdict.abnormal {
                Some(abnormal) if !moment.quiet => {
                    let told = self.told.get_mut(what);
                    // On its way back it is no news any more.
                    let beyond = what == LIMITED || abnormal.is_shown_by(point.value);
                    let known = moment.told_until.is_none_or(|t| abnormal.since <= t);
                    let Some(told) = told.filter(|told| **told || known && beyond) else {
                        continue;
                    };
                    *told = true;
                    out.push(self.finding(what, abnormal, &verdict, point));
                }
                Some(_) => {}
                None => self.end(what, point.at, out),
            }
        }
        score
    }

    pub(super) fn key(&self) -> &SeriesKey {
        &self.key
    }

    pub(super) fn is_told(&self, what: usize) -> bool {
        self.told.get(what).copied().unwrap_or_default()
    }

    /// To be judged again from these points.
    pub(super) fn again(&self, points: Vec<Sample>, interval_ms: u32) -> Again {
        Again {
            cluster: self.cluster,
            key: self.key.clone(),
            points,
            rule: self.rule.clone(),
            shape: Shape {
                among: self.among,
                raised: self.raised,
            },
            interval_ms,
        }
    }

    /// What it has learned, for the next run.
    pub(super) fn learnt(&self, cluster: &Arc<str>) -> Option<Learnt> {
        Some(Learnt {
            cluster: cluster.clone(),
            key: self.key.clone(),
            last: self.last,
            torn_until: self.torn_until,
            told: self.is_told(LEARNED),
            learned: self.learned.clone()?,
        })
    }

    /// Takes up what an earlier run learned of it, where that is more.
    pub(super) fn take_up(&mut self, learnt: &Learnt) {
        let (own, before) = (self.learned.as_ref(), &learnt.learned);
        let less = own.is_some_and(|own| own.seen() < before.seen());
        if !less || !before.is_for(self.rule.bad, self.rule.floor) {
            return;
        }
        self.learned = Some(before.clone());
        self.torn_until = self.torn_until.max(learnt.torn_until);
        if let Some(told) = self.told.get_mut(LEARNED) {
            *told = learnt.told;
        }
        if self.last.at < learnt.last.at {
            self.last = learnt.last;
        }
    }

    /// What is usual for it.
    pub(super) fn usual(&self, range: (Timestamp, Timestamp), count: usize) -> Usual {
        let learned = self.learned.as_ref();
        learned.map_or(Usual::NotLearned, |l| l.usual(range, count))
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
        let seen = abnormal.seen.unwrap_or(at.value);
        let expected = abnormal.expected.map_or_else(String::new, |e| {
            format!(", expected {}", range(unit, seen, e))
        });
        Finding {
            cluster: self.cluster,
            subject: self.subject.clone(),
            key: self.finding_key(what),
            kind: abnormal.kind,
            severity: abnormal.severity,
            score: verdict.score,
            since: abnormal.since,
            earlier: what == LIMITED && abnormal.since <= self.known_from,
            at: at.at,
            over: false,
            signal: self.rule.name.clone(),
            unit,
            seen: Some(seen),
            expected: abnormal.expected,
            method: self.method(what, abnormal),
            text: format!("{} {}{expected}", self.rule.name, unit.write(seen)),
            evidence: vec![Evidence::Series(self.key.clone())],
        }
    }

    /// How it was found, with what raises the bar.
    fn method(&self, what: usize, abnormal: &Abnormal) -> String {
        let mut method = abnormal.method.clone();
        if what != LEARNED {
            return method;
        }
        if self.raised > 0.0 && abnormal.expected.is_some() {
            let raised = format!(", {:.1} of it for {} series", self.raised, self.among);
            method.push_str(&raised);
        }
        if self.level != Level::Normal && !method.is_empty() {
            let (word, decades) = (self.level.word(), self.level.decades());
            method.push_str(&format!(", {decades:+.1} as sensitivity is {word}"));
        }
        method
    }

    /// Ends what was told.
    pub(super) fn end(&mut self, what: usize, at: Timestamp, out: &mut Vec<Finding>) {
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
            seen: None,
            method: String::new(),
        };
        let mut over = self.finding(what, &gone, &Verdict::default(), self.last);
        (over.over, over.at) = (true, at);
        out.push(over);
    }

    /// Things that stay: their silence means something. Pods and virtual functions come and go.
    pub(super) fn is_missed(&self) -> bool {
        let lasting = matches!(
            self.subject,
            Subject::Gpu { .. } | Subject::Clock { .. } | Subject::Node(_) | Subject::Model { .. }
        );
        lasting && self.learned.as_ref().is_some_and(|l| l.seen() >= KNOWN)
    }

    pub(super) fn tell_missing(&mut self, at: Timestamp, out: &mut Vec<Finding>) {
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
            seen: None,
            method: "no sample while the query answers".into(),
        };
        if let Some(told) = self.told.get_mut(MISSED) {
            *told = true;
        }
        let mut finding = self.finding(MISSED, &abnormal, &Verdict::default(), self.last);
        finding.score = if severity == Severity::Critical {
            1.0
        } else {
            0.6
        };
        (finding.at, finding.seen) = (at, None);
        finding.text = format!(
            "no longer reported; last {} {}",
            self.rule.name,
            self.rule.unit.write(self.last.value)
        );
        out.push(finding);
    }
}

/// The expected range in words that the seen value never satisfies, also where both are rounded
/// to the same digits: what is told is at a limit or beyond.
fn range(unit: Unit, seen: f64, (low, high): (f64, f64)) -> String {
    let (below, above) = (unit.write(high), unit.write(low));
    if low == f64::NEG_INFINITY {
        format!("below {below}")
    } else if high == f64::INFINITY {
        format!("above {above}")
    } else if [&below, &above].contains(&&unit.write(seen)) {
        format!("above {above} and below {below}")
    } else {
        format!("{above} to {below}")
    }
}

/// Values that exporters write where they have measured nothing.
pub(super) fn is_blank(name: &str, value: f64) -> bool {
    if name.starts_with("openshift_ptp_") {
        return ptp::is_sentinel(value);
    }
    name.starts_with("DCGM_") && gpu::is_blank(value)
}
