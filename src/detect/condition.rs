//! States that are bad in themselves, followed from their first sight to their end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::alert::Severity;
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

/// A condition is over when a look without it is followed by another at least this much later,
/// milliseconds: one missed scrape is not an end, nor are two batches of one moment.
const APART_MS: u64 = 5_000;

/// One bad state as it is now.
#[derive(Clone, Debug)]
pub struct Condition {
    pub subject: Subject,
    /// What stays equal while it goes on.
    pub key: String,
    pub kind: FindingKind,
    pub severity: Severity,
    pub signal: &'static str,
    pub unit: Unit,
    pub seen: Option<f64>,
    pub expected: Option<(f64, f64)>,
    pub method: String,
    pub text: String,
    pub evidence: Vec<Evidence>,
    /// When it began, if its source or the held data tells; else its first sight counts.
    pub since: Option<Timestamp>,
    /// It began before `since`.
    pub earlier: bool,
    /// How long it must last to be told, milliseconds.
    pub for_ms: u64,
    /// After this long it is no news any more, milliseconds.
    pub most_ms: Option<u64>,
    /// 1 for what names the trouble, less for what follows from it.
    pub weight: f64,
}

impl Condition {
    pub fn state(subject: Subject, key: String, severity: Severity, text: String) -> Self {
        Self {
            subject,
            key,
            kind: FindingKind::State,
            severity,
            signal: "",
            unit: Unit::State,
            seen: None,
            expected: None,
            method: "state".into(),
            text,
            evidence: Vec::new(),
            since: None,
            earlier: false,
            for_ms: 0,
            most_ms: None,
            weight: 1.0,
        }
    }
}

#[derive(Debug)]
struct Held {
    condition: Condition,
    first: Timestamp,
    earlier: bool,
    told: bool,
    /// Told, and no news any more.
    spent: bool,
    /// The first look without it.
    missed: Option<Timestamp>,
}

/// The conditions of one cluster, by the scope that told them.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    held: BTreeMap<(&'static str, String), Held>,
    /// Scopes that have been heard of: what was there at the first look began before it.
    looked: BTreeSet<&'static str>,
}

impl Conditions {
    /// Whether it was there at the last look.
    pub(crate) fn holds(&self, scope: &'static str, key: &str) -> bool {
        self.held.contains_key(&(scope, key.to_owned()))
    }

    /// There is something to look at now; what is bad at the first look began before it.
    pub(crate) fn heard(&mut self, scope: &'static str) {
        self.looked.insert(scope);
    }

    pub(crate) fn look_anew(&mut self, scope: &'static str) {
        self.looked.remove(scope);
    }

    /// Takes all conditions of a scope as they are at `at`; tells what begins, goes on and ends.
    pub(crate) fn update(
        &mut self,
        cluster: ClusterId,
        scope: &'static str,
        list: Vec<Condition>,
        at: Timestamp,
        out: &mut Vec<Finding>,
    ) {
        for held in self.held.iter_mut().filter(|(k, _)| k.0 == scope) {
            held.1.missed.get_or_insert(at);
        }
        for condition in list {
            let place = (scope, condition.key.clone());
            let first = condition.since.unwrap_or(at).min(at);
            let unseen = condition.since.is_none() && !self.looked.contains(scope);
            let earlier = condition.earlier || unseen;
            let held = self.held.entry(place).or_insert_with(|| Held {
                condition: condition.clone(),
                first,
                earlier,
                told: false,
                spent: false,
                missed: None,
            });
            held.condition = condition;
            held.missed = None;
            held.go_on(cluster, at, out);
        }
        // An alert's end is told.
        let apart = if scope == "alerts" { 0 } else { APART_MS };
        self.held.retain(|(s, _), held| {
            let missed = held.missed.filter(|_| *s == scope);
            let over = missed.is_some_and(|m| !held.told || at.age_since_ms(m) >= apart);
            if over && held.told && !held.spent {
                out.push(held.finding(cluster, at, true));
            }
            !over
        });
    }
}

impl Held {
    fn go_on(&mut self, cluster: ClusterId, at: Timestamp, out: &mut Vec<Finding>) {
        let age = at.age_since_ms(self.first);
        if age < self.condition.for_ms || self.spent {
            return;
        }
        let stale = self.condition.most_ms.is_some_and(|most| age > most);
        if stale {
            if self.told {
                out.push(self.finding(cluster, at, true));
            }
            (self.told, self.spent) = (true, true);
            return;
        }
        self.told = true;
        out.push(self.finding(cluster, at, false));
    }

    fn finding(&self, cluster: ClusterId, at: Timestamp, over: bool) -> Finding {
        let c = &self.condition;
        Finding {
            cluster,
            subject: c.subject.clone(),
            key: Arc::from(c.key.as_str()),
            kind: c.kind,
            severity: c.severity,
            score: c.weight
                * match c.severity {
                    Severity::Critical => 1.0,
                    Severity::Warning => 0.7,
                    Severity::Info => 0.3,
                },
            since: self.first,
            earlier: self.earlier,
            at,
            over,
            signal: c.signal.into(),
            unit: c.unit,
            seen: c.seen,
            expected: c.expected,
            method: c.method.clone(),
            text: c.text.clone(),
            evidence: c.evidence.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(for_ms: u64, most_ms: Option<u64>) -> Condition {
        Condition {
            for_ms,
            most_ms,
            ..Condition::state(
                Subject::Cluster,
                "k".into(),
                Severity::Warning,
                "bad".into(),
            )
        }
    }

    fn run(looks: &[Option<Condition>]) -> Vec<Vec<bool>> {
        let mut conditions = Conditions::default();
        let each = looks.iter().enumerate().map(|(i, look)| {
            let mut out = Vec::new();
            let at = Timestamp(i as i64 * 10_000);
            conditions.update(
                ClusterId(0),
                "s",
                look.clone().into_iter().collect(),
                at,
                &mut out,
            );
            out.iter().map(|f| f.over).collect()
        });
        each.collect()
    }

    #[test]
    fn tells_after_its_time_and_ends_after_two_looks() {
        let c = Some(bad(10_000, None));
        let told = run(&[c.clone(), c.clone(), None, c, None, None, None]);
        assert_eq!(
            told,
            [
                vec![],
                vec![false],
                vec![],
                vec![false],
                vec![],
                vec![true],
                vec![]
            ]
        );
    }

    #[test]
    fn looks_of_one_moment_are_one_look() {
        let mut conditions = Conditions::default();
        let mut over = |at_ms: i64, list: Vec<Condition>| {
            let mut out = Vec::new();
            conditions.update(ClusterId(0), "s", list, Timestamp(at_ms), &mut out);
            out.iter().any(|f| f.over)
        };
        over(0, vec![bad(0, None)]);
        let looks = [50, 100, 150, 5_000, 5_050].map(|at| over(at, Vec::new()));
        assert_eq!(looks, [false, false, false, false, true]);
    }

    #[test]
    fn old_news_ends_by_itself() {
        let c = Some(bad(0, Some(10_000)));
        let told = run(&[c.clone(), c.clone(), c.clone(), c.clone(), c]);
        assert_eq!(told, [vec![false], vec![false], vec![true], vec![], vec![]]);
    }
}
