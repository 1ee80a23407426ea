//! From an onset to its end: what was expected then, what bears it out, and when it is over.
//!
//! A finding begins with the engine's onset and is told when the points after it bear it out. It
//! lasts as long as points lie beyond what was expected *at the onset*: the engine goes on learning
//! and would soon call any level usual.

use crate::model::alert::Severity;
use crate::model::finding::FindingKind;
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Abnormal;
use super::ensemble::Expected;

/// Signs that bear an onset out, and the points among which they must be, itself counted. A point
/// so many decades beyond the bar is two signs.
const SIGNS: u8 = 3;
const AMONG: u8 = 5;
const FAR: f32 = 4.0;
/// Decades beyond the bar that are worth an incident of their own.
const WORSE: f32 = 3.0;
/// Share of the bar below which a point is calm, and calm points in a row that end it.
const CALM: f32 = 0.75;
const CALM_POINTS: u8 = 5;
/// Weight of a point in the mean of the newest, which is calm within this share of the reach; one
/// point moves it as if it were so many reaches off at most.
const FAST: f32 = 0.3;
const MEAN_CALM: f32 = 0.5;
const MEAN_MOST: f32 = 3.0;
/// Where an onset shows less far off than single points reach, it ends below this share of it.
const SHRINK: f32 = 0.7;
/// Lasting so long it is a new level, milliseconds.
const SHIFT_MS: u64 = 600_000;
/// Lasting so long, and so many points, it has become the usual.
const ADOPT_MS: u64 = 6 * 3_600_000;
const ADOPT_POINTS: f32 = 100.0;

/// What becomes of an episode with a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    On,
    /// The series is back, or this has become its usual.
    Over,
    /// Nothing bore the onset out.
    Nothing,
}

/// What lasts so long has become the usual, milliseconds.
pub(super) fn adopted_ms(step_s: f32) -> u64 {
    ADOPT_MS.max((1000.0 * step_s * ADOPT_POINTS) as u64)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Episode {
    since: Timestamp,
    level: f64,
    /// How far below and above the level points may be.
    below: f32,
    above: f32,
    /// Of the newest points, how far off.
    mean: f32,
    /// Greatest rarity, and from where on it was told.
    peak: f32,
    bar: f32,
    /// For how much it moves: less, or more, than this is not back; 0: that is no matter.
    jitter: f32,
    still: bool,
    kind: FindingKind,
    by_hour: bool,
    /// The mean of the newest points showed it more than they did.
    by_mean: bool,
    told: bool,
    over: bool,
    signs: u8,
    age: u8,
    calm: u8,
    times: u8,
}

impl Episode {
    /// An onset: its kind, how far off the point is, how much the series moves.
    pub(super) fn begin(
        since: Timestamp,
        (kind, off, jitter): (FindingKind, f32, f32),
        bar: f32,
        before: &Expected,
    ) -> Self {
        let (mut below, mut above) = before.reach(bar);
        let mean = before.mean_off();
        let next = mean + FAST * (off - mean);
        let by_mean = off.abs() < next.abs();
        let shown = if by_mean { next } else { off };
        let near = SHRINK * shown.abs();
        match kind {
            FindingKind::Variance | FindingKind::Pattern => {}
            _ if shown > 0.0 => above = above.min(near),
            _ => below = below.min(near),
        }
        let usual = before.usual_jitter();
        Self {
            since,
            level: before.middle(),
            below,
            above,
            mean,
            peak: 0.0,
            bar,
            jitter: match kind {
                FindingKind::Variance => (usual * jitter).sqrt(),
                _ => 0.0,
            },
            still: jitter < usual,
            kind,
            by_hour: before.is_by_hour(),
            by_mean,
            told: false,
            over: false,
            signs: 0,
            age: 0,
            calm: 0,
            times: 1,
        }
    }

    /// One and the same value since then.
    pub(super) fn flat(since: Timestamp, jitter: f32, before: &Expected) -> Self {
        let kind = FindingKind::FlatLine;
        Self {
            below: f32::INFINITY,
            above: f32::INFINITY,
            jitter: (before.usual_jitter() * jitter).sqrt(),
            told: true,
            signs: SIGNS,
            ..Self::begin(since, (kind, 0.0, jitter), 0.0, before)
        }
    }

    /// As one more, after so many of late.
    pub(super) fn after(mut self, times: u8) -> Self {
        self.times = times.saturating_add(1);
        self
    }

    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    pub(super) fn bar(&self) -> f32 {
        self.bar
    }

    pub(super) fn times(&self) -> u8 {
        self.times
    }

    pub(super) fn is_by_hour(&self) -> bool {
        self.by_hour
    }

    pub(super) fn is_on(&self) -> bool {
        !self.over
    }

    pub(super) fn is_told(&self) -> bool {
        self.told && !self.over
    }

    /// It is over; the same is no news until then.
    pub(super) fn end(&mut self, quiet_until: Timestamp) {
        self.over = true;
        self.since = quiet_until;
    }

    /// What was expected at its onset, in the series' unit; `hour` as in [`Self::take`]. None: it is
    /// not about how high or low values are.
    pub(super) fn band(&self, hour: Option<f64>) -> Option<(f64, f64)> {
        let level = hour.unwrap_or(self.level);
        let (below, above) = (f64::from(self.below), f64::from(self.above));
        (below.is_finite() || above.is_finite()).then_some((level - below, level + above))
    }

    pub(super) fn may_come_again(&self, at: Timestamp) -> bool {
        self.over && at >= self.since
    }

    /// Takes a point; `hour`: the level of that hour of the day, where that is known.
    pub(super) fn take(
        &mut self,
        at: Timestamp,
        value: f64,
        hour: Option<f64>,
        (surprise, jitter): (f32, f32),
        step_s: f32,
    ) -> Step {
        if self.over {
            return Step::On;
        }
        self.level = hour.unwrap_or(self.level);
        let off = (value - self.level) as f32;
        let sign = self.is_sign(off, surprise, jitter);
        // One wild point must not hold the mean for long.
        let most = |reach: f32| MEAN_MOST * reach.min(self.below.max(self.above));
        let held = off.max(-most(self.below)).min(most(self.above));
        self.mean += FAST * (held - self.mean);
        self.calm = match sign || self.is_uneasy(surprise) {
            true => 0,
            false => self.calm.saturating_add(1),
        };
        self.peak = self.peak.max(surprise);
        self.age = self.age.saturating_add(1);
        let far = sign && surprise >= self.bar + FAR;
        self.signs = self.signs.saturating_add(u8::from(sign) + u8::from(far));
        self.told |= self.signs >= SIGNS;
        let lasted = at.age_since_ms(self.since);
        if lasted >= SHIFT_MS && self.calm == 0 && self.is_of_values() {
            self.kind = FindingKind::LevelShift;
        }
        if !self.told && self.age >= AMONG {
            Step::Nothing
        } else if self.calm >= CALM_POINTS || lasted >= adopted_ms(step_s) {
            Step::Over
        } else {
            Step::On
        }
    }

    fn is_of_values(&self) -> bool {
        use FindingKind::{Dip, Drift, LevelShift, Spike};
        matches!(self.kind, Spike | Dip | Drift | LevelShift)
    }

    fn is_beyond(&self, off: f32, share: f32) -> bool {
        off > share * self.above || -off > share * self.below
    }

    fn is_sign(&self, off: f32, surprise: f32, jitter: f32) -> bool {
        let moves = self.jitter > 0.0 && (jitter < self.jitter) == self.still;
        let strange = self.kind == FindingKind::Pattern && surprise >= self.bar;
        moves || strange || self.is_beyond(off, 1.0)
    }

    fn is_uneasy(&self, surprise: f32) -> bool {
        let strange = self.kind == FindingKind::Pattern && surprise >= CALM * self.bar;
        strange || self.by_mean && self.is_beyond(self.mean, MEAN_CALM)
    }

    /// What is told of it with this value, after so many points.
    pub(super) fn abnormal(&self, value: f64, points: u32) -> Abnormal {
        let worse = self.peak >= self.bar + WORSE && self.kind != FindingKind::FlatLine;
        let off = (value - self.level) as f32;
        let by_values = self.is_of_values();
        // A drift shows in the mean alone: then that is what was seen.
        let mean = self.by_mean && by_values && !self.is_beyond(off, 1.0);
        let mean = mean && self.is_beyond(self.mean, 1.0);
        Abnormal {
            kind: self.kind,
            severity: match worse {
                true => Severity::Warning,
                false => Severity::Info,
            },
            since: self.since,
            expected: self.band(None).filter(|_| by_values),
            seen: mean.then(|| self.level + f64::from(self.mean)),
            method: self.method(mean, points),
        }
    }

    fn method(&self, mean: bool, points: u32) -> String {
        if self.kind == FindingKind::FlatLine {
            return "one and the same value on a lively series".to_owned();
        }
        let mean = if mean {
            "mean of the newest points, "
        } else {
            ""
        };
        let hour = if self.by_hour { " by the hour" } else { "" };
        format!(
            "{mean}{}{hour}, once in 10^{:.1} points, told from 10^{:.1}, {points} points learned",
            self.kind.as_str(),
            self.peak,
            self.bar,
        )
    }
}
