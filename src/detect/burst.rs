//! Patterns of log lines whose rate leaves what is usual for them: bursts, errors never said
//! before, and what was said all the time and is said no more.
//!
//! Lines are counted by minute and pattern; the counts are judged as any series is.
//! Minutes that were not heard whole (before the first, while the tail was down, where lines were
//! lost) teach and tell nothing.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::alert::Severity;
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::id::ClusterId;
use crate::model::log::{Level, LineRef};
use crate::model::signal::Bad;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

use super::budget;
use super::learned::Learned;
use super::{Abnormal, Detector};

const MINUTE_MS: i64 = 60_000;
/// A minute is judged when so much time has passed after it: lines come a little late.
const GRACE_MS: i64 = 20_000;
/// A leap in time this long, minutes, is no row of silent minutes.
const LEAP: i64 = 15;
/// Patterns followed in a cluster; what comes when there are so many is not judged.
const MOST: usize = 400;
/// Silent for so long, minutes, a pattern makes room for others.
const IDLE: u32 = 120;
/// Lines a minute by which a rate must differ to matter.
const FLOOR: f64 = 10.0;
/// Minutes heard before an error is called new.
const WARM_UP: u32 = 30;
/// Lines in the first minutes that make a new error worth telling.
const NEW_LINES: u64 = 5;
const NEW_MINUTES: u32 = 10;
/// A new error is news for this long, minutes.
const NEWS_MINUTES: u32 = 60;
/// Minutes without a line that are silence, and that end a new error.
const SILENT: u32 = 5;
/// Characters of a template that are told.
const TEMPLATE: usize = 120;
const METHOD: &str = "lines a minute, ";

/// A value that all lines share, as far as they do.
#[derive(Clone, Debug, Default, PartialEq)]
enum Shared {
    #[default]
    Unheard,
    One(Box<str>),
    Many,
}

impl Shared {
    fn take(&mut self, value: &str) {
        match self {
            Self::Unheard => *self = Self::One(value.into()),
            Self::One(held) if **held != *value => *self = Self::Many,
            _ => {}
        }
    }

    fn one(&self) -> Option<&str> {
        match self {
            Self::One(value) if !value.is_empty() => Some(value),
            _ => None,
        }
    }
}

/// What one minute said of a pattern.
#[derive(Debug, Default)]
struct Minute {
    count: u32,
    namespace: Shared,
    pod: Shared,
    first: Option<(i64, Arc<str>)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Burst,
    Silence,
    New,
}

#[derive(Clone, Debug)]
struct Told {
    what: What,
    key: Arc<str>,
    severity: Severity,
    subject: Subject,
    since: Timestamp,
    text: String,
    expected: Option<(f64, f64)>,
    method: String,
    evidence: Vec<Evidence>,
}

/// One pattern in one cluster.
#[derive(Debug)]
struct Followed {
    usual: Learned,
    /// The minute being counted, and the one after it.
    now: Minute,
    next: Minute,
    /// The last minute that had lines.
    last: Minute,
    worst: Level,
    first_minute: i64,
    /// Minutes judged, lines in them, and how many of them were silent last.
    age: u32,
    total: u64,
    silent: u32,
    /// It was not known when the cluster was.
    is_new: bool,
    told: Option<Told>,
}

/// Counts of one cluster's patterns.
#[derive(Debug, Default)]
pub struct Bursts {
    /// Number of the minute being counted.
    open: Option<i64>,
    /// Minutes up to this one were not heard whole.
    doubt: i64,
    heard: u32,
    followed: BTreeMap<u32, Followed>,
    known: HashSet<u32, RandomState>,
}

impl Bursts {
    /// A line of a pattern came in.
    pub fn count(&mut self, pattern: u32, line: LineRef<'_>) {
        let minute = (line.at_ns / 1_000_000).div_euclid(MINUTE_MS);
        // The first minute began before its first line.
        let open = *self.open.get_or_insert(minute + 1);
        let is_known = !self.known.insert(pattern);
        if !self.followed.contains_key(&pattern) {
            if self.followed.len() >= MOST {
                return;
            }
            let is_new = !is_known && self.heard >= WARM_UP;
            self.followed.insert(pattern, Followed::new(open, is_new));
        }
        let Some(followed) = self.followed.get_mut(&pattern) else {
            return;
        };
        followed.worst = followed.worst.max(line.level);
        match minute - open {
            0 => followed.now.take(line),
            1 => followed.next.take(line),
            // Too late to be judged, or from a clock that is ahead.
            _ => {}
        }
    }

    /// The minute of this time, and those before it, are not heard whole.
    pub fn doubt(&mut self, at: Timestamp) {
        self.doubt = self.doubt.max(at.0.div_euclid(MINUTE_MS));
    }

    /// Judges the minutes that are over. `template` gives a pattern in writing.
    pub fn close(
        &mut self,
        cluster: ClusterId,
        at: Timestamp,
        template: impl Fn(u32) -> String,
        out: &mut Vec<Finding>,
    ) {
        let Some(mut open) = self.open else {
            return;
        };
        let until = (at.0 - GRACE_MS).div_euclid(MINUTE_MS);
        if until - open > LEAP {
            self.doubt = self.doubt.max(until - 1);
            open = until - 1;
        }
        let raised = budget::raise(self.followed.len());
        while open < until {
            let whole = open > self.doubt;
            self.heard += u32::from(whole);
            let end = Timestamp((open + 1) * MINUTE_MS);
            for (pattern, followed) in &mut self.followed {
                let was = followed.told.clone();
                if whole {
                    followed.usual.shift(raised);
                    followed.judge(end, &|| template(*pattern), *pattern);
                }
                followed.turn();
                let now = followed.told.as_ref();
                let over = was.filter(|w| now.is_none_or(|n| n.what != w.what));
                out.extend(over.map(|o| o.finding(cluster, followed, end, true)));
                let told = now.filter(|_| whole);
                out.extend(told.map(|t| t.finding(cluster, followed, end, false)));
            }
            open += 1;
        }
        self.followed
            .retain(|_, f| f.silent < IDLE || f.told.is_some());
        self.open = Some(open);
    }
}

impl Minute {
    fn take(&mut self, line: LineRef<'_>) {
        self.count += 1;
        self.namespace
            .take(line.labels.get("namespace").unwrap_or(""));
        self.pod.take(line.labels.get("pod").unwrap_or(""));
        if self.first.is_none() {
            self.first = Some((line.at_ns, line.line.into()));
        }
    }

    /// The smallest thing that all its lines are of.
    fn subject(&self) -> Subject {
        match (self.namespace.one(), self.pod.one()) {
            (Some(namespace), Some(pod)) => Subject::Pod {
                namespace: namespace.to_owned(),
                pod: pod.to_owned(),
            },
            (Some(namespace), None) => Subject::Namespace(namespace.to_owned()),
            _ => Subject::Cluster,
        }
    }

    fn evidence(&self) -> Vec<Evidence> {
        let line = self.first.clone();
        let log = line.map(|(at_ns, line)| Evidence::Log { at_ns, line });
        log.into_iter().collect()
    }
}

impl Followed {
    fn new(minute: i64, is_new: bool) -> Self {
        Self {
            usual: Learned::new(Bad::Both, FLOOR),
            now: Minute::default(),
            next: Minute::default(),
            last: Minute::default(),
            worst: Level::Unknown,
            first_minute: minute,
            age: 0,
            total: 0,
            silent: 0,
            is_new,
            told: None,
        }
    }

    /// On to the next minute.
    fn turn(&mut self) {
        let next = std::mem::take(&mut self.next);
        let over = std::mem::replace(&mut self.now, next);
        if over.count > 0 {
            self.last = over;
        }
    }

    fn judge(&mut self, end: Timestamp, template: &dyn Fn() -> String, pattern: u32) {
        let count = f64::from(self.now.count);
        self.age += 1;
        self.total += u64::from(self.now.count);
        self.silent = match self.now.count {
            0 => self.silent + 1,
            _ => 0,
        };
        let verdict = self.usual.observe(end, count);
        let abnormal = verdict.abnormal.filter(|a| a.kind != FindingKind::FlatLine);
        let was = self.told.take();
        let now = match abnormal.as_ref().and_then(|a| Some((a, a.expected?))) {
            Some((a, (low, _))) if self.silent >= SILENT && low > 0.0 => {
                Some(self.silence(a, template, pattern))
            }
            Some((a, (_, high))) if count > high => Some(self.burst(a, template, pattern)),
            // On its way back: as it was said last.
            Some(_) if was.as_ref().is_some_and(|w| w.what == What::Burst) => was.clone(),
            _ => self.news(was.is_some(), template, pattern),
        };
        let was_new = was.as_ref().is_some_and(|w| w.what == What::New);
        if was_new && now.as_ref().is_none_or(|n| n.what != What::New) {
            self.is_new = false;
        }
        // What is told stays of the same place and time until it is over.
        self.told = match (was, now) {
            (Some(was), Some(now)) if was.what == now.what => Some(Told {
                subject: was.subject,
                since: was.since,
                ..now
            }),
            (_, now) => now,
        };
    }

    fn burst(&self, abnormal: &Abnormal, template: &dyn Fn() -> String, pattern: u32) -> Told {
        let (_, high) = abnormal.expected.unwrap_or((0.0, f64::INFINITY));
        let error = self.worst >= Level::Error;
        Told {
            what: What::Burst,
            key: format!("log/{pattern}/rate").into(),
            severity: if error {
                Severity::Warning
            } else {
                Severity::Info
            },
            subject: self.now.subject(),
            since: abnormal.since.plus_ms(-MINUTE_MS),
            text: format!(
                "log pattern at {} lines/min, expected at most {}: {}",
                self.now.count,
                Unit::None.write(high.floor().max(0.0)),
                short(template())
            ),
            expected: abnormal.expected,
            method: format!("{METHOD}{}", abnormal.method),
            evidence: self.now.evidence(),
        }
    }

    fn silence(&self, abnormal: &Abnormal, template: &dyn Fn() -> String, pattern: u32) -> Told {
        let (low, _) = abnormal.expected.unwrap_or((0.0, f64::INFINITY));
        Told {
            what: What::Silence,
            key: format!("log/{pattern}/silent").into(),
            severity: Severity::Info,
            subject: self.last.subject(),
            since: abnormal.since.plus_ms(-MINUTE_MS),
            text: format!(
                "log pattern gone silent, expected {} lines/min or more: {}",
                Unit::None.write(low.ceil()),
                short(template())
            ),
            expected: abnormal.expected,
            method: format!("{METHOD}{}", abnormal.method),
            evidence: self.last.evidence(),
        }
    }

    /// An error that was never said before.
    fn news(&self, told: bool, template: &dyn Fn() -> String, pattern: u32) -> Option<Told> {
        let error = self.is_new && self.worst >= Level::Error;
        let going = told || self.age <= NEW_MINUTES && self.total >= NEW_LINES;
        let ended = self.silent >= SILENT || self.age > NEWS_MINUTES;
        if !error || !going || ended {
            return None;
        }
        let minute = match self.now.count {
            0 => &self.last,
            _ => &self.now,
        };
        Some(Told {
            what: What::New,
            key: format!("log/{pattern}/new").into(),
            severity: Severity::Warning,
            subject: minute.subject(),
            since: Timestamp(self.first_minute * MINUTE_MS),
            text: format!(
                "new error in the log, {} lines in {} min: {}",
                self.total,
                self.age,
                short(template())
            ),
            expected: Some((0.0, 0.0)),
            method: format!("{METHOD}never said before"),
            evidence: minute.evidence(),
        })
    }
}

impl Told {
    fn finding(&self, cluster: ClusterId, of: &Followed, at: Timestamp, over: bool) -> Finding {
        Finding {
            cluster,
            subject: self.subject.clone(),
            key: self.key.clone(),
            kind: FindingKind::LogBurst,
            severity: self.severity,
            score: match self.severity {
                Severity::Info => 0.3,
                _ => 0.7,
            },
            since: self.since,
            earlier: false,
            at,
            over,
            signal: "log pattern".into(),
            unit: Unit::None,
            // The minute is turned already.
            seen: Some(match of.silent {
                0 => f64::from(of.last.count),
                _ => 0.0,
            }),
            expected: self.expected,
            method: self.method.clone(),
            text: self.text.clone(),
            evidence: self.evidence.clone(),
        }
    }
}

fn short(template: String) -> String {
    match template.char_indices().nth(TEMPLATE) {
        Some((end, _)) => format!("{}…", template.get(..end).unwrap_or_default()),
        None => template,
    }
}

#[cfg(test)]
mod tests;
