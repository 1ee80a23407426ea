//! Seams: times in which a server missed scrapes. `rate()` over such a time tells too little, which
//! looks like a fall of the traffic or a rise of what is counted against it.

use std::collections::VecDeque;

use crate::model::time::Timestamp;

/// The signal that tells how many scrapes the usual target had in the last `WINDOW_MS`.
pub(super) const SIGNAL: &str = "scrapes";
const WINDOW_MS: i64 = 120_000;
/// Windows longer than this hardly feel a seam.
const LONGEST_MS: i64 = 600_000;
/// Below this share of the usual number, scrapes are missing.
const SHARE: f64 = 0.9;
/// So long before it was seen the last scrape was late already, milliseconds.
const EARLY_MS: i64 = 45_000;
/// Fewer scrapes for so long are the usual, milliseconds.
const ADOPT_MS: u64 = 900_000;
/// Seams remembered.
const HELD: usize = 16;
/// Nothing is held back for a signal that is late by more than this, milliseconds.
const PATIENCE_MS: u64 = 90_000;
/// Answers of one round of questions differ by less.
const SAME_MS: i64 = 2_000;
/// So long the first answer is waited for, milliseconds.
const FIRST_MS: u64 = 20_000;

/// What one server's scrapes were like.
#[derive(Debug, Default)]
pub(super) struct Seams {
    usual: f64,
    spans: VecDeque<(Timestamp, Timestamp)>,
    newest: Option<Timestamp>,
    begun: Option<Timestamp>,
}

impl Seams {
    pub(super) fn observe(&mut self, at: Timestamp, scrapes: f64) {
        if !scrapes.is_finite() || self.newest.is_some_and(|n| at <= n) {
            return;
        }
        let after = self.newest.replace(at);
        self.usual = self.usual.max(scrapes);
        if scrapes >= SHARE * self.usual {
            self.usual += 0.02 * (scrapes - self.usual);
            return;
        }
        match self.spans.back_mut() {
            Some((from, to)) if Some(*to) == after => {
                *to = at;
                if at.age_since_ms(*from) >= ADOPT_MS {
                    self.usual = scrapes;
                }
            }
            _ => {
                self.spans.push_back((at, at));
                if self.spans.len() > HELD {
                    self.spans.pop_front();
                }
            }
        }
    }

    /// Where the seam begins that a query over `window_ms` sees at that time.
    pub(super) fn at(&self, at: Timestamp, window_ms: i64) -> Option<Timestamp> {
        if !(1..=LONGEST_MS).contains(&window_ms) {
            return None;
        }
        let tail = (window_ms - WINDOW_MS).max(0);
        let early = |from: Timestamp| from.plus_ms(-EARLY_MS);
        let late = |to: Timestamp| match Some(to) == self.newest {
            // It goes on until the next answer says otherwise.
            true => to.plus_ms(PATIENCE_MS as i64),
            false => to.plus_ms(tail),
        };
        let sees = |(from, to): &&(Timestamp, Timestamp)| early(*from) <= at && at <= late(*to);
        self.spans.iter().rev().find(sees).map(|s| early(s.0))
    }

    /// Up to when it is known whether scrapes were missing; what begins later waits to be told.
    pub(super) fn told_until(&mut self, at: Timestamp) -> Timestamp {
        let begun = *self.begun.get_or_insert(at);
        match self.newest {
            Some(newest) if at.age_since_ms(newest) <= PATIENCE_MS => newest.plus_ms(SAME_MS),
            None if at.age_since_ms(begun) < FIRST_MS => begun.plus_ms(-1),
            _ => Timestamp(i64::MAX),
        }
    }
}

/// The longest time a query looks back with `rate()` and the like, milliseconds; 0 without such.
pub(super) fn window_ms(query: &str) -> i64 {
    let inner = query
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split([']', ':']).next());
    inner.filter_map(length_ms).max().unwrap_or(0)
}

fn length_ms(text: &str) -> Option<i64> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let number: i64 = number.parse().ok()?;
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read() {
        assert_eq!(window_ms("rate(a[2m]) / rate(b[5m])"), 300_000);
        assert_eq!(window_ms("max_over_time(a[30s:5s])"), 30_000);
        assert_eq!(window_ms("up{job=\"x\"}"), 0);
    }

    #[test]
    fn a_seam_lasts_as_long_as_windows_see_it_and_fewer_scrapes_become_usual() {
        let mut seams = Seams::default();
        let at = |n: i64| Timestamp(n * 15_000);
        for n in 0..200 {
            let missing = if (50..58).contains(&n) || n >= 80 {
                6.0
            } else {
                8.0
            };
            seams.observe(at(n), missing);
        }
        let sees = |n: i64, window| seams.at(at(n), window).is_some();
        assert!(!sees(46, 120_000) && sees(48, 120_000) && sees(57, 120_000));
        assert!(!sees(58, 120_000), "a window of two minutes is full again");
        assert!(sees(69, 300_000) && !sees(70, 300_000));
        assert!(!sees(52, 3_600_000) && !sees(52, 0));
        assert!(sees(100, 120_000) && !sees(199, 120_000), "adopted");
    }
}
