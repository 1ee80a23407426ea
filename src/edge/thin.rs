//! What is told over a line that bears less than there is: what matters most, most often.

use crate::model::scrape::Class;
use crate::model::signal::Group;

/// Longest that a series is left out, milliseconds: a query looks back 5 minutes.
const LONGEST_MS: u64 = 240_000;
/// Share of the budget that new scrapes may take; the rest is for what waits and for what is said
/// twice.
const SHARE: f64 = 0.8;
/// Over so long the need is measured, and a level holds at least, milliseconds.
const SETTLED_MS: i64 = 60_000;
/// A finer level is tried after so long, milliseconds.
const CALM_MS: i64 = 300_000;
/// What a finer level may take, as far as is known, before it is tried.
const CALM: f64 = 0.4;

/// How much it matters to hear of a series often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Priority {
    /// Accelerators, clocks, virtual functions, model servers: what screens are made of.
    First,
    Second,
    /// Buckets, quantiles, and what an exporter tells of itself.
    Third,
}

impl Priority {
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    pub fn of(name: &str, class: Class) -> Self {
        let own = [
            "go_",
            "process_",
            "promhttp_",
            "scrape_",
            "python_",
            "node_scrape_",
        ];
        if matches!(class, Class::Bucket | Class::Other | Class::Created)
            || own.iter().any(|p| name.starts_with(p))
        {
            Self::Third
        } else if Group::of_metric(name) != Group::Exporter {
            Self::First
        } else {
            Self::Second
        }
    }

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Each how many scrapes the series of each priority are told; 0: never.
const LEVELS: [[u64; 3]; 8] = [
    [1, 1, 1],
    [1, 1, 2],
    [1, 1, 4],
    [1, 2, 8],
    [1, 4, 16],
    [2, 8, 0],
    [4, 16, 0],
    [8, 0, 0],
];

/// How much is left out: 0 is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u8);

impl Level {
    pub const LAST: Self = Self(LEVELS.len() as u8 - 1);

    pub fn new(level: u8) -> Self {
        Self(level).min(Self::LAST)
    }

    fn every(self) -> [u64; 3] {
        LEVELS.get(usize::from(self.0)).copied().unwrap_or([1; 3])
    }

    /// Which priorities the n-th scrape tells, a bit each.
    pub(super) fn wanted(self, n: u64, interval_ms: u32) -> u8 {
        let most = (LONGEST_MS / u64::from(interval_ms.max(1))).max(1);
        let told = Priority::ALL.into_iter().zip(self.every());
        let told = told.filter(|(_, every)| {
            *every > 0 && n.saturating_sub(1).is_multiple_of((*every).min(most))
        });
        told.fold(0, |bits, (priority, _)| bits | priority.bit())
    }

    /// `every 4th scrape of what matters less, every 16th of buckets`; `None`: nothing is left out.
    pub fn told(self) -> Option<String> {
        let [first, second, third] = self.every();
        let word = |every: u64, what: &str| match every {
            1 => None,
            0 => Some(format!("no {what}")),
            n => Some(format!("{what} every {n} scrapes")),
        };
        let words = [
            word(first, "accelerators, clocks and functions"),
            word(second, "other series"),
            word(third, "buckets and runtime series"),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.0, Self::LAST.0)
    }
}

/// Chooses the level by what was made lately. Times are milliseconds of a clock that only goes on.
#[derive(Debug)]
pub struct Thinner {
    /// Bytes a second; 0: no bound.
    budget: f64,
    level: Level,
    since_ms: Option<i64>,
    made: f64,
}

impl Thinner {
    /// `budget`: bytes a second; 0: no bound.
    pub fn new(budget: u64) -> Self {
        Self {
            budget: budget as f64,
            level: Level::default(),
            since_ms: None,
            made: 0.0,
        }
    }

    pub fn level(&self) -> Level {
        self.level
    }

    /// These bytes were made. True: the level is another from now on.
    pub fn made(&mut self, bytes: usize, now_ms: i64) -> bool {
        let Some(since) = self.since_ms else {
            self.since_ms = Some(now_ms);
            return false;
        };
        self.made += bytes as f64;
        let seconds = (now_ms - since) as f64 / 1000.0;
        if self.budget == 0.0 || now_ms - since < SETTLED_MS {
            return false;
        }
        let rate = self.made / seconds / self.budget;
        let to = if rate > SHARE && self.level < Level::LAST {
            Level(self.level.0 + 1)
        } else if rate < CALM * SHARE && self.level.0 > 0 && now_ms - since >= CALM_MS {
            Level(self.level.0 - 1)
        } else {
            if now_ms - since >= CALM_MS {
                self.forget(now_ms);
            }
            return false;
        };
        self.level = to;
        self.forget(now_ms);
        true
    }

    fn forget(&mut self, now_ms: i64) {
        self.since_ms = Some(now_ms);
        self.made = 0.0;
    }
}

/// Lets so many bytes through a second, and a burst after a rest.
#[derive(Debug)]
pub struct Bucket {
    per_second: f64,
    most: f64,
    held: f64,
    at_ms: i64,
}

impl Bucket {
    /// `per_second`: 0 is no bound. `most`: what may go at once.
    pub fn new(per_second: u64, most: u64, now_ms: i64) -> Self {
        Self {
            per_second: per_second as f64,
            most: most as f64,
            held: most as f64,
            at_ms: now_ms,
        }
    }

    /// Takes the bytes out; gives how long to wait before they may go, milliseconds. A message that
    /// is larger than the bucket waits for as long as it takes to fill.
    pub fn take(&mut self, bytes: usize, now_ms: i64) -> u64 {
        if self.per_second == 0.0 {
            return 0;
        }
        let passed = (now_ms - self.at_ms).max(0) as f64 / 1000.0;
        self.at_ms = now_ms.max(self.at_ms);
        self.held = (self.held + passed * self.per_second).min(self.most);
        self.held -= bytes as f64;
        (-self.held / self.per_second * 1000.0).max(0.0).ceil() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_less_is_left_out_first() {
        let told = |level: u8, n| Level::new(level).wanted(n, 15_000);
        assert!((1..50).all(|n| told(0, n) == 0b111));
        assert_eq!([1, 2, 3].map(|n| told(1, n)), [0b111, 0b011, 0b111]);
        assert!((1..50).all(|n| told(4, n) & 1 == 1), "never the first");
        assert!((1..50).all(|n| told(7, n) & 0b110 == 0));
        // Slow scrapes are not stretched beyond what a query looks back.
        assert_eq!(
            [1, 2, 3].map(|n| Level::new(4).wanted(n, 120_000)),
            [0b111, 1, 0b111]
        );
        assert_eq!(Level::default().told(), None);
        assert_eq!(
            Level::new(2).told().as_deref(),
            Some("buckets and runtime series every 4 scrapes")
        );
    }

    #[test]
    fn the_level_follows_the_need() {
        let mut thinner = Thinner::new(1_000);
        let mut now = 0;
        let mut run = |thinner: &mut Thinner, per_second: usize, minutes: i64| {
            for _ in 0..minutes * 4 {
                now += 15_000;
                thinner.made(per_second * 15, now);
            }
            thinner.level().0
        };
        assert_eq!(run(&mut thinner, 700, 10), 0);
        assert!(run(&mut thinner, 2_000, 3) > 1);
        let settled = run(&mut thinner, 600, 5);
        assert_eq!(
            run(&mut thinner, 600, 30),
            settled,
            "half of it would not do"
        );
        assert_eq!(run(&mut thinner, 100, 60), 0);
        assert_eq!(run(&mut thinner, 90_000, 60), Level::LAST.0);
    }

    #[test]
    fn no_more_than_the_budget_goes() {
        let mut bucket = Bucket::new(1_000, 4_000, 0);
        assert_eq!(bucket.take(4_000, 0), 0);
        assert_eq!(bucket.take(500, 0), 500);
        assert_eq!(bucket.take(500, 1_000), 0);
        let (mut now, mut sent) = (1_000, 0);
        while now < 101_000 {
            now += bucket.take(700, now) as i64;
            sent += 700;
        }
        assert!(sent <= 100_000 + 4_000, "{sent}");
        assert_eq!(Bucket::new(0, 0, 0).take(1 << 30, 0), 0);
    }
}
