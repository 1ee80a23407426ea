//! Learns what is usual for a series and says when it is left.
//!
//! Centre and spread are median and MAD of past points; the points being judged are not among
//! them. Two views are judged, the point and a fast mean, each by how rare it is for this very
//! series (`tail`). An episode needs several rare points, is told once, and raises the bar for the
//! next one for some hours.

use crate::model::alert::Severity;
use crate::model::finding::FindingKind;
use crate::model::signal::Bad;
use crate::model::time::Timestamp;

use super::season::Season;
use super::tail::Tail;
use super::{Abnormal, Detector, Verdict};

/// Past points that make the baseline.
const WINDOW: usize = 240;
/// Newest points, kept out of the baseline that judges them.
const HELD_BACK: usize = 5;
/// Points before anything is said.
const LEARN: u32 = 40;
/// Points after which median and MAD are computed anew.
const REFRESH: u8 = 8;
/// Decades of rarity that make a point count.
const BAR: f64 = 4.0;
/// Points of the last five that must count; one twice as rare counts twice.
const HITS: u32 = 3;
/// Rarity below which a point is calm, and calm points that end an episode.
const CALM: f64 = 3.0;
const CALM_POINTS: u8 = 5;
/// An episode this long is a new level, milliseconds.
const SHIFT_MS: u64 = 600_000;
/// An episode this long has become the usual, milliseconds.
const ADOPT_MS: u64 = 2 * 3_600_000;
/// After an episode: nothing new for this long, unless much worse.
const QUIET_MS: i64 = 600_000;
/// How much an episode raises the bar, and how fast that fades, milliseconds.
const HABIT: f64 = 2.0;
const HABIT_MS: f64 = 6.0 * 3_600_000.0;
/// Smallest change that matters where no floor is set, as a share of the level.
const SHARE: f64 = 0.05;
/// Points and milliseconds of one and the same value on a lively series.
const FLAT_POINTS: u32 = 40;
const FLAT_MS: u64 = 900_000;

#[derive(Clone, Debug)]
struct Episode {
    since: Timestamp,
    kind: FindingKind,
    peak: f64,
    calm: u8,
}

/// Runs of equal values.
#[derive(Clone, Debug)]
struct Run {
    value: f32,
    length: u32,
    since: Timestamp,
    longest: u32,
}

#[derive(Clone, Debug)]
pub struct Baseline {
    bad: Bad,
    floor: f64,
    ring: Vec<f32>,
    head: usize,
    /// Value, its deviation, and that of the fast mean.
    held: [[f32; 3]; HELD_BACK],
    seen: u32,
    stale: u8,
    centre: f64,
    spread: f64,
    fast: f64,
    tail: Tail,
    fast_tail: Tail,
    /// What the last five points counted, two bits each, newest lowest.
    hits: u16,
    first_hit: Timestamp,
    episode: Option<Episode>,
    bar: f64,
    bar_at: Timestamp,
    quiet: Option<(Timestamp, f64)>,
    run: Run,
    season: Option<Box<Season>>,
}

impl Baseline {
    pub fn new(bad: Bad, floor: f64) -> Self {
        Self {
            bad,
            floor,
            ring: Vec::new(),
            head: 0,
            held: [[0.0; 3]; HELD_BACK],
            seen: 0,
            stale: 0,
            centre: 0.0,
            spread: 1.0,
            fast: 0.0,
            tail: Tail::default(),
            fast_tail: Tail::default(),
            hits: 0,
            first_hit: Timestamp(0),
            episode: None,
            bar: 0.0,
            bar_at: Timestamp(0),
            quiet: None,
            run: Run {
                value: f32::NAN,
                length: 0,
                since: Timestamp(0),
                longest: 0,
            },
            season: None,
        }
    }

    /// Points seen so far.
    pub fn seen(&self) -> u32 {
        self.seen
    }

    /// What came since then is in doubt: an episode that it began is taken back.
    pub(super) fn doubt(&mut self, from: Timestamp) {
        self.hits = 0;
        if self.episode.as_ref().is_some_and(|e| e.since >= from) {
            self.episode = None;
        }
    }

    /// How far in the bad direction, in the series' own unit.
    fn distance(&self, value: f64, centre: f64) -> f64 {
        match self.bad {
            Bad::High => value - centre,
            Bad::Low => centre - value,
            Bad::Both => (value - centre).abs(),
            Bad::None => 0.0,
        }
    }

    fn expect(&self, at: Timestamp) -> (f64, f64) {
        let season = self.season.as_ref().and_then(|s| s.expect(at));
        match season {
            Some((level, error)) => (level, (1.25 * error).max(self.spread_floor(level))),
            None => (self.centre, self.spread),
        }
    }

    /// Below this spread the series is taken as constant: a change of the floor is four spreads.
    fn spread_floor(&self, centre: f64) -> f64 {
        (self.floor / 4.0).max(centre.abs() * 0.01).max(1e-9)
    }

    /// Holds the point back; the one that was held longest becomes part of the baseline.
    fn keep(&mut self, value: f64, deviation: f64, fast: f64) {
        let place = (self.seen as usize) % HELD_BACK;
        let new = [value as f32, deviation as f32, fast as f32];
        let [old, deviation, fast] = std::mem::replace(&mut self.held[place], new);
        if self.seen < HELD_BACK as u32 {
            return;
        }
        if self.seen > LEARN / 2 {
            self.tail.learn(f64::from(deviation));
            self.fast_tail.learn(f64::from(fast));
        }
        if self.ring.len() < WINDOW {
            self.ring.push(old);
        } else if let Some(slot) = self.ring.get_mut(self.head) {
            *slot = old;
            self.head = (self.head + 1) % WINDOW;
        }
        self.stale += 1;
        if self.stale >= REFRESH || self.ring.len() < 16 {
            self.refresh();
        }
    }

    fn refresh(&mut self) {
        self.stale = 0;
        let count = self.ring.len();
        let mut scratch = [0.0f32; WINDOW];
        let Some(work) = scratch.get_mut(..count).filter(|w| !w.is_empty()) else {
            return;
        };
        work.copy_from_slice(&self.ring);
        let centre = *work.select_nth_unstable_by(count / 2, f32::total_cmp).1;
        let mut sum = 0.0;
        for value in work.iter_mut() {
            *value = (*value - centre).abs();
            sum += f64::from(*value);
        }
        let mad = f64::from(*work.select_nth_unstable_by(count / 2, f32::total_cmp).1);
        self.centre = f64::from(centre);
        // Where more than half of the points are equal the MAD says nothing; the mean does.
        let mean = sum / count as f64;
        self.spread = (1.4826 * mad)
            .max(if mad == 0.0 { 1.25 * mean } else { 0.0 })
            .max(self.spread_floor(self.centre));
    }

    fn learn_season(&mut self, at: Timestamp, value: f64) {
        let plain = self.centre;
        self.season
            .get_or_insert_with(Box::default)
            .learn(at, value, plain);
    }

    fn raised_bar(&self, at: Timestamp) -> f64 {
        let age = at.age_since_ms(self.bar_at) as f64;
        BAR + self.bar * (-age / HABIT_MS * std::f64::consts::LN_2).exp()
    }

    fn counted(&self) -> u32 {
        (0..HELD_BACK)
            .map(|i| u32::from(self.hits >> (2 * i) & 3))
            .sum()
    }

    fn follow_run(&mut self, at: Timestamp, value: f64) {
        if value as f32 == self.run.value {
            self.run.length += 1;
            return;
        }
        self.run.longest = self.run.longest.max(self.run.length);
        self.run.value = value as f32;
        self.run.length = 1;
        self.run.since = at;
    }

    /// A lively series that repeats one value: its source hangs.
    fn is_flat(&self, at: Timestamp) -> bool {
        self.seen > 3 * FLAT_POINTS
            && self.run.longest <= 3
            && self.run.length >= FLAT_POINTS
            && at.age_since_ms(self.run.since) >= FLAT_MS
    }

    fn begin(&mut self, at: Timestamp, kind: FindingKind, surprise: f64) {
        let quiet = self
            .quiet
            .is_some_and(|(until, peak)| at < until && surprise < peak + 3.0);
        if !quiet {
            self.episode = Some(Episode {
                since: self.first_hit,
                kind,
                peak: surprise,
                calm: 0,
            });
        }
    }

    /// Goes on with an episode; true when it has ended.
    fn go_on(&mut self, at: Timestamp, surprise: f64) -> bool {
        let Some(episode) = &mut self.episode else {
            return false;
        };
        episode.peak = episode.peak.max(surprise);
        episode.calm = if surprise < CALM { episode.calm + 1 } else { 0 };
        let age = at.age_since_ms(episode.since);
        if age >= SHIFT_MS && episode.calm == 0 {
            episode.kind = FindingKind::LevelShift;
        }
        let adopted = age >= ADOPT_MS;
        if adopted {
            self.ring.clear();
            self.head = 0;
            self.tail = Tail::default();
            self.fast_tail = Tail::default();
            self.seen = 0;
        }
        if adopted || episode.calm >= CALM_POINTS {
            let peak = episode.peak;
            self.bar = self.raised_bar(at) - BAR + HABIT;
            self.bar_at = at;
            self.quiet = Some((at.plus_ms(QUIET_MS), peak));
            self.hits = 0;
            self.episode = None;
            // The points held back are those that began the episode: they teach nothing.
            self.held = [[self.centre as f32, 0.0, 0.0]; HELD_BACK];
            return true;
        }
        false
    }

    fn verdict(&self, at: Timestamp, surprise: f64) -> Verdict {
        let score = surprise / (surprise + BAR);
        let (centre, spread) = self.expect(at);
        let abnormal = self.episode.as_ref().map(|episode| {
            let count = self.ring.len();
            let last = f64::from(self.run.value);
            let (mut reach, mut seen) = (self.tail.deviation(BAR) * spread, None);
            let mut method = format!("median/MAD of {count} past points");
            // A drift shows in the mean alone: then that is what was seen.
            let drift = self.fast_tail.deviation(BAR) * spread;
            let within = self.distance(last, centre) < reach;
            if within && episode.calm == 0 && self.distance(self.fast, centre) >= drift {
                (reach, seen) = (drift, Some(self.fast));
                method = format!("mean of the newest points against {method}");
            }
            let (low, high) = match self.bad {
                Bad::High => (f64::NEG_INFINITY, centre + reach),
                Bad::Low => (centre - reach, f64::INFINITY),
                _ => (centre - reach, centre + reach),
            };
            let severity = match episode.peak >= BAR + 3.0 {
                true => Severity::Warning,
                false => Severity::Info,
            };
            Abnormal {
                kind: episode.kind,
                severity,
                since: episode.since,
                expected: Some((low, high)),
                seen,
                method,
            }
        });
        match abnormal {
            None if self.is_flat(at) => Verdict {
                score: score.max(0.5),
                abnormal: Some(Abnormal {
                    kind: FindingKind::MissingData,
                    severity: Severity::Info,
                    since: self.run.since,
                    expected: None,
                    seen: None,
                    method: format!("flat line of {} points", self.run.length),
                }),
            },
            abnormal => Verdict { score, abnormal },
        }
    }
}

impl Detector for Baseline {
    fn observe(&mut self, at: Timestamp, value: f64) -> Verdict {
        if !value.is_finite() {
            return self.verdict(at, 0.0);
        }
        self.follow_run(at, value);
        if self.seen < LEARN {
            self.fast = if self.seen == 0 {
                value
            } else {
                self.fast + 0.2 * (value - self.fast)
            };
            let deviation = self.distance(value, self.centre).max(0.0) / self.spread;
            self.keep(value, deviation, deviation);
            self.learn_season(at, value);
            self.seen += 1;
            return Verdict::default();
        }
        let (centre, spread) = self.expect(at);
        self.fast += 0.2 * (value - self.fast);
        let distance = self.distance(value, centre);
        let drift = self.distance(self.fast, centre);
        let (point, fast) = (distance.max(0.0) / spread, drift.max(0.0) / spread);
        let material = self.floor.max(centre.abs() * SHARE);
        let mut surprise: f64 = 0.0;
        if distance >= material {
            surprise = surprise.max(self.tail.surprise(point));
        }
        // One far point lifts the fast mean for a while; what counts must itself be off.
        if drift >= material && distance >= 0.5 * material && point >= 1.0 {
            surprise = surprise.max(self.fast_tail.surprise(fast));
        }
        let bar = self.raised_bar(at);
        let hit = u16::from(surprise >= bar) + u16::from(surprise >= 2.0 * bar);
        if hit > 0 && self.hits == 0 {
            self.first_hit = at;
        }
        self.hits = ((self.hits << 2) | hit) & 0b11_1111_1111;
        if self.episode.is_some() {
            self.go_on(at, surprise);
        } else {
            if hit > 0 && self.counted() >= HITS {
                let kind = if value >= centre {
                    FindingKind::Spike
                } else {
                    FindingKind::Dip
                };
                self.begin(at, kind, surprise);
            }
            self.learn_season(at, value);
            if self.episode.is_none() {
                self.keep(value, point, fast);
            }
        }
        self.seen = self.seen.saturating_add(1);
        self.verdict(at, surprise)
    }
}

#[cfg(test)]
mod tests;
