//! How often each pattern stands in one range and in the other, and how telling the difference is.
//!
//! Ranges may differ in length, and a limit may have cut one of them short, in each cluster
//! elsewhere: how many lines were to be expected is reckoned for each cluster from the time of which
//! its lines are known. A difference is as telling as it is unlikely by chance (log-likelihood
//! ratio, G²); errors count four times, warnings twice.

use std::collections::HashMap;

use crate::model::id::ClusterId;
use crate::model::log::{Level, LogLine};
use crate::pattern::PatternId;
use crate::store::logs::LogRing;
use crate::ui::view::logs::hits::Said;
use crate::ui::view::logs::sieve::Sieve;
use crate::ui::view::logs::stream::Merged;

/// Patterns told apart.
const MOST: usize = 2_000;
/// Less than this many times as often is no change, nor is what chance gives once in a thousand.
const TIMES: f64 = 2.0;
const CHANCE: f64 = 10.83;
/// Where fewer lines than this were to be expected, that there is none says nothing: of what is said
/// once a third as much time has to be known on the other side.
const EXPECTED: f64 = 0.25;

/// The lines of one cluster in both ranges: now, before.
pub struct Pair<'a> {
    pub cluster: ClusterId,
    pub rings: [&'a LogRing; 2],
    /// Nanoseconds of which all lines are there.
    pub spans: [(i64, i64); 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    New,
    Gone,
    More,
    Less,
    Same,
    /// None stands on the other side, of which too little is known to expect one.
    Unsure,
}

#[derive(Debug)]
pub struct Row {
    pub id: PatternId,
    pub template: String,
    /// Now, before.
    pub counts: [u32; 2],
    /// Lines a minute, now and before.
    pub per_minute: [f64; 2],
    /// Lines that were to be expected now if nothing had changed.
    expected: f64,
    /// The worst of its lines.
    pub level: Level,
    pub from: String,
    /// Where one of its lines is: which range, cluster, time in nanoseconds.
    pub example: (usize, ClusterId, i64),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Compared {
    /// Most telling first.
    pub rows: Vec<Row>,
    /// Lines looked at, now and before.
    pub lines: [u64; 2],
    /// Time of which the lines are known, of all clusters together, nanoseconds.
    pub known_ns: [i64; 2],
    /// The earliest time of which lines are known, of all clusters; nanoseconds.
    pub first_ns: [i64; 2],
    /// Not all lines were looked at yet.
    pub unread: bool,
    /// Clusters of which both ranges are known.
    pub clusters: usize,
    /// There are more patterns than are told apart.
    pub more: bool,
}

impl Row {
    fn lines(&self) -> f64 {
        self.counts.iter().map(|n| f64::from(*n)).sum()
    }

    /// How many times as often as before; infinite for what is new.
    pub fn ratio(&self) -> f64 {
        let [now, before] = self.counts.map(f64::from);
        let rest = (self.lines() - self.expected).max(f64::MIN_POSITIVE);
        (now / self.expected.max(f64::MIN_POSITIVE)) / (before / rest)
    }

    /// How unlikely the difference is by chance.
    fn surprise(&self) -> f64 {
        let [now, before] = self.counts.map(f64::from);
        let part = |seen: f64, expected: f64| match seen > 0.0 && expected > 0.0 {
            true => seen * (seen / expected).ln(),
            false => 0.0,
        };
        2.0 * (part(now, self.expected) + part(before, self.lines() - self.expected))
    }

    pub fn change(&self) -> Change {
        let telling = self.surprise() >= CHANCE;
        let sides = [self.expected, self.lines() - self.expected];
        let [now, before] = sides.map(|lines| lines >= EXPECTED);
        match (self.counts, self.ratio()) {
            ([_, 0], _) if before => Change::New,
            ([0, _], _) if now => Change::Gone,
            ([_, 0] | [0, _], _) => Change::Unsure,
            (_, ratio) if telling && ratio >= TIMES => Change::More,
            (_, ratio) if telling && ratio <= 1.0 / TIMES => Change::Less,
            _ => Change::Same,
        }
    }

    fn weight(&self) -> f64 {
        let weight = match self.level {
            Level::Error | Level::Critical => 4.0,
            Level::Warning => 2.0,
            _ => 1.0,
        };
        weight * self.surprise()
    }

    fn take(&mut self, said: &Said, side: usize, share: f64, minutes: f64) {
        if let (Some(count), Some(rate)) =
            (self.counts.get_mut(side), self.per_minute.get_mut(side))
        {
            *count = count.saturating_add(said.count);
            *rate += f64::from(said.count) / minutes;
        }
        self.expected += f64::from(said.count) * share;
        self.level = self.level.max(said.worst);
    }
}

impl Compared {
    pub fn count(&self, change: Change) -> usize {
        self.rows.iter().filter(|r| r.change() == change).count()
    }
}

/// Compares all lines that the sieve keeps.
pub fn compare(
    pairs: &[Pair<'_>],
    sieve: &Sieve,
    template: impl Fn(PatternId) -> String,
) -> Compared {
    let mut out = Compared {
        clusters: pairs.len(),
        first_ns: [i64::MAX; 2],
        ..Compared::default()
    };
    let mut places: HashMap<PatternId, usize> = HashMap::new();
    for pair in pairs {
        let lengths = pair.spans.map(|(from, to)| (to - from).max(1));
        let share = lengths[0] as f64 / (lengths[0] as f64 + lengths[1] as f64);
        for (side, (from, to)) in pair.spans.into_iter().enumerate() {
            let (Some(ring), Some(length)) = (pair.rings.get(side), lengths.get(side)) else {
                continue;
            };
            if let (Some(known), Some(first)) =
                (out.known_ns.get_mut(side), out.first_ns.get_mut(side))
            {
                *known = known.saturating_add(*length);
                *first = (*first).min(from);
            }
            let minutes = *length as f64 / 60e9;
            // The range ends before the first nanosecond that is not of it.
            let slot = |at_ns: i64| (from..to).contains(&at_ns).then_some(0);
            let merged = Merged::new(vec![(pair.cluster, *ring)], sieve);
            let mut unread = false;
            let cut = merged.parts((from, to), slot, |part| {
                if !part.block.has_patterns() {
                    unread = true;
                    return;
                }
                part.said(|said| {
                    if let Some(lines) = out.lines.get_mut(side) {
                        *lines += u64::from(said.count);
                    }
                    let place = *places.entry(said.pattern).or_insert_with(|| {
                        if out.rows.len() >= MOST {
                            out.more = true;
                            return usize::MAX;
                        }
                        let set = part.block.sets().get(said.set);
                        out.rows.push(Row {
                            id: said.pattern,
                            template: template(said.pattern),
                            counts: [0; 2],
                            per_minute: [0.0; 2],
                            expected: 0.0,
                            level: said.worst,
                            from: set.map_or("", |s| LogLine::origin_of(s)).to_owned(),
                            example: (side, pair.cluster, said.first_ns),
                        });
                        out.rows.len() - 1
                    });
                    if let Some(row) = out.rows.get_mut(place) {
                        row.take(said, side, share, minutes);
                    }
                });
            });
            out.unread |= cut || unread;
        }
    }
    let told = |r: &Row| !matches!(r.change(), Change::Same | Change::Unsure);
    let rank = |r: &Row| (told(r), r.weight());
    out.rows.sort_by(|a, b| {
        let ((a_told, a_weight), (b_told, b_weight)) = (rank(a), rank(b));
        b_told
            .cmp(&a_told)
            .then_with(|| b_weight.total_cmp(&a_weight))
            .then_with(|| a.template.cmp(&b.template))
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(counts: [u32; 2], expected: f64, level: Level) -> Row {
        Row {
            id: PatternId(1),
            template: String::new(),
            counts,
            per_minute: [0.0; 2],
            expected,
            level,
            from: String::new(),
            example: (0, ClusterId(0), 0),
        }
    }

    #[test]
    fn changes_are_told_by_rate_not_by_count() {
        let change = |counts, expected| row(counts, expected, Level::Info).change();
        assert_eq!(change([5, 0], 2.5), Change::New);
        assert_eq!(change([0, 5], 2.5), Change::Gone);
        // The other range is known for so short a time that none was to be expected there.
        assert_eq!(change([12, 0], 11.93), Change::Unsure);
        assert_eq!(change([0, 12], 0.07), Change::Unsure);
        assert_eq!(change([1, 0], 0.5), Change::New);
        assert_eq!(change([100, 20], 60.0), Change::More);
        assert_eq!(change([20, 100], 60.0), Change::Less);
        assert_eq!(change([100, 90], 95.0), Change::Same);
        // Twice as many, but too few of them.
        assert_eq!(change([4, 2], 3.0), Change::Same);
        // Ten times as many in ten times the time.
        assert_eq!(change([1_000, 100], 1_000.0), Change::Same);
        let ratio = row([100, 20], 60.0, Level::Info).ratio();
        assert!((ratio - 5.0).abs() < 1e-9, "{ratio}");
        assert!(row([5, 0], 2.5, Level::Info).ratio().is_infinite());
    }

    #[test]
    fn errors_count_more() {
        let (error, info) = (
            row([10, 0], 5.0, Level::Error),
            row([30, 0], 15.0, Level::Info),
        );
        assert!(error.weight() > info.weight());
    }
}
