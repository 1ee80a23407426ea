//! Several cheap views of one series, each judged by how rare it is for this very series.
//!
//! Residual of the level (or of the time of the day and the week), jump, runs of points on one side
//! of it, restlessness, and pairs of level and move never seen. All is relative to the series' own
//! first value and spread: shifted or scaled, a series is judged the same.

use super::expected::Expected;
use super::novelty::Novelty;
use super::rarity::{Blocks, FARTHEST, LEAST, Rarity};
use super::season::Season;
use crate::model::finding::FindingKind;
use crate::model::signal::Bad;
use serde::{Deserialize, Serialize};

/// Weight of a point: in the level, its spread, the fast mean, the restlessness now and usually,
/// and the wide level that novelty is told against.
const SLOW: f32 = 0.005;
const SPREAD: f32 = 0.0085;
const FAST: f32 = 0.3;
const JITTER: f32 = 0.17;
const USUAL_JITTER: f32 = 0.004;
const WIDE: f32 = 0.0015;
/// A run of points on one side of what is expected adds up, but for so many spreads of each, and is
/// forgotten by so much with each; below so many spreads all runs are alike.
const RUN_KEEPS: f32 = 0.7;
const RUN_BUT_FOR: f32 = 1.5;
const RUN_FLOOR: f32 = 1.5;
/// Weight of a point in the mean that tells a slow move from a sudden one: it covers so long, seconds.
const LONG_S: f32 = 900.0;
/// A point further off teaches as if it were so many spreads off.
const CLIP: f32 = 10.0;
/// Smallest deviation told from none: a share of the spread, or so many of the smallest steps seen.
const FLOOR: f32 = 0.05;
const GRAINS: f32 = 2.8;
const RATIO_FLOOR: f32 = 0.3;
const MATTERS: f32 = 0.125;
/// A jump counts as far as it leads away from what was expected, in residuals.
const AWAY: f32 = 0.75;
/// The worst view counts whole, the next two in part.
const SECOND: f32 = 0.3;
const THIRD: f32 = 0.24;
/// Points before anything is said.
const LEARN: u32 = 30;
/// Points whose deviations make no record.
const EARLY: u32 = 10;
/// How far back a move is told, points.
const BACK: usize = 4;
/// A lively series that says one and the same for so long hangs.
const FLAT_POINTS: f32 = 40.0;
const FLAT_S: f32 = 900.0;
const FLAT_MOST: f32 = 300.0;
/// So much less it moves then at least.
const FLAT_RATIO: f32 = 0.001;
/// Lively: its usual rests are shorter than this share.
const LIVELY: f32 = 0.25;

/// What a view looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Above,
    Below,
    JumpUp,
    JumpDown,
    RunAbove,
    RunBelow,
    Restless,
    Still,
    Novel,
}

const VIEWS: [(View, f32); 9] = [
    (View::Above, 1.0),
    (View::Below, 1.0),
    (View::JumpUp, 1.0),
    (View::JumpDown, 1.0),
    (View::RunAbove, 1.0),
    (View::RunBelow, 1.0),
    (View::Restless, 0.85),
    (View::Still, 0.85),
    (View::Novel, 0.8),
];

/// The smallest deviation that is told from none: of a point, and of a run of them.
#[derive(Clone, Copy, Debug)]
struct Floors {
    one: f32,
    run: f32,
}

impl Floors {
    fn of(&self, view: View) -> f32 {
        match view {
            View::Restless | View::Still | View::Novel => RATIO_FLOOR,
            View::RunAbove | View::RunBelow => self.run,
            _ => self.one,
        }
    }
}

/// What the views say of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    /// Decades, of the worst view with part of the next two.
    pub(super) surprise: f32,
    /// What the view that shows it most is a sign of.
    pub(super) kind: FindingKind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Views {
    pub(super) bad: Bad,
    /// Smallest change that matters: in the series' unit, and in per cent of its level.
    floor: f32,
    pub(super) percent: u8,
    /// All other values are told from the first one.
    origin: f64,
    level: f64,
    last: f64,
    spread: f32,
    mean_off: f32,
    long_off: f32,
    /// How far the newest points are on one side, together.
    run: f32,
    jitter: f32,
    usual_jitter: f32,
    /// Smallest step between two points that was ever seen.
    grain: f32,
    wide_level: f32,
    wide_spread: f32,
    back: [f32; BACK],
    pub(super) seen: u32,
    blocks: Blocks,
    rarity: [Rarity; VIEWS.len()],
    novelty: Novelty,
    season: Season,
}

impl Views {
    pub(super) fn new(bad: Bad, floor: f64) -> Self {
        Self {
            bad,
            floor: floor as f32,
            percent: 0,
            origin: 0.0,
            level: 0.0,
            last: 0.0,
            spread: 0.0,
            mean_off: 0.0,
            long_off: 0.0,
            run: 0.0,
            jitter: 0.0,
            usual_jitter: 0.0,
            grain: 0.0,
            wide_level: 0.0,
            wide_spread: 0.0,
            back: [0.0; BACK],
            seen: 0,
            blocks: Blocks::default(),
            rarity: [Rarity::default(); VIEWS.len()],
            novelty: Novelty::default(),
            season: Season::default(),
        }
    }

    pub(super) fn is_for(&self, bad: Bad, floor: f64) -> bool {
        (self.bad, self.floor) == (bad, floor as f32)
    }

    /// The next points count as the first ones do.
    pub(super) fn begin_anew(&mut self) {
        self.seen = self.seen.min(1);
        (self.mean_off, self.long_off, self.run) = (0.0, 0.0, 0.0);
    }

    /// Takes a finite value. None while it learns.
    pub(super) fn look(&mut self, at_ms: i64, step_s: f32, value: f64) -> Option<Look> {
        if self.seen == 0 {
            self.origin = value;
        }
        self.seen = self.seen.saturating_add(1);
        let x = (value - self.origin).clamp(-f64::from(FARTHEST), f64::from(FARTHEST));
        if self.seen == 1 {
            return None;
        }
        let expected = self.season.expect(at_ms).unwrap_or(self.level);
        let off = (x - expected) as f32;
        let jump = (x - self.last) as f32;
        self.last = x;
        self.follow(step_s, jump, off);
        let novelty = self.novelty(x as f32);
        let deviations = self.deviations(off, jump, novelty);
        let least = self.least(expected);
        let (surprise, worst) = self.judge(&deviations, off, least);
        let kind = self.kind(worst, off, jump);
        self.learn(x);
        self.season.learn(at_ms, x, self.level);
        if let Some(closed) = self.blocks.point(self.seen, step_s) {
            let floors = self.floors();
            for (rarity, (view, _)) in self.rarity.iter_mut().zip(VIEWS) {
                rarity.close(closed, floors.of(view));
            }
        }
        (self.seen >= LEARN).then_some(Look { surprise, kind })
    }

    /// Weight of this point in a running mean: at first, that of a plain mean.
    fn rate(&self, usual: f32) -> f32 {
        usual.max(1.0 / self.seen as f32)
    }

    fn follow(&mut self, step_s: f32, jump: f32, off: f32) {
        self.mean_off += FAST * (off - self.mean_off);
        let run = RUN_KEEPS * self.run + off;
        self.run = run.signum() * (run.abs() - RUN_BUT_FOR * self.spread).max(0.0);
        self.long_off += (step_s / LONG_S).min(0.5) * (off - self.long_off);
        let step = jump.abs();
        if step > 0.0 && (self.grain == 0.0 || step < self.grain) {
            self.grain = step;
        }
        let most = match self.seen < EARLY {
            true => step,
            false => 4.0 * self.jitter.max(self.usual_jitter),
        };
        self.jitter += self.rate(JITTER) * (step.min(most) - self.jitter);
    }

    fn novelty(&mut self, x: f32) -> f32 {
        let rate = self.rate(WIDE);
        self.wide_level += rate * (x - self.wide_level);
        self.wide_spread += rate * ((x - self.wide_level).abs() - self.wide_spread);
        let spread = self.wide_spread.max(LEAST);
        let place = self.seen as usize % BACK;
        let back = self.back.get(place).copied().unwrap_or_default();
        if let Some(slot) = self.back.get_mut(place) {
            *slot = x;
        }
        self.novelty
            .see((x - self.wide_level) / spread, (x - back) / spread)
    }

    /// How far each view is off, as `VIEWS` lists them.
    fn deviations(&self, off: f32, jump: f32, novelty: f32) -> [f32; VIEWS.len()] {
        let away = |jump: f32, off: f32| jump.min(AWAY * off.max(0.0)).max(0.0);
        let lively = self.jitter > 0.0 && self.usual_jitter > 0.0;
        let ratio = match lively {
            true => (self.jitter / self.usual_jitter).ln(),
            false => 0.0,
        };
        [
            off,
            -off,
            away(jump, off),
            away(-jump, -off),
            self.run,
            -self.run,
            ratio,
            -ratio,
            novelty,
        ]
    }

    /// Smallest deviation that is told from none.
    fn floors(&self) -> Floors {
        // Where it is known what matters, that is far from a series that never moves.
        let matters = match self.floor > 0.0 {
            true => MATTERS * self.floor,
            false => FARTHEST,
        };
        let steps = (GRAINS * self.grain).min(matters);
        let one = (FLOOR * self.spread).max(steps).max(LEAST);
        Floors {
            one,
            run: one.max(RUN_FLOOR * self.spread),
        }
    }

    /// Smallest change that matters around what is expected.
    fn least(&self, expected: f64) -> f32 {
        let level = (self.origin + expected).abs().min(f64::from(FARTHEST)) as f32;
        self.floor.max(f32::from(self.percent) / 100.0 * level)
    }

    /// For how many points a lively series has said one and the same, if they are too many. Zero is
    /// what a thing at rest says.
    pub(super) fn flat(&self, step_s: f32) -> Option<f32> {
        let most = (FLAT_S / step_s.max(1e-3)).clamp(FLAT_POINTS, FLAT_MOST);
        if self.jitter > self.usual_jitter * FLAT_RATIO || self.seen < 3 * FLAT_POINTS as u32 {
            return None;
        }
        let rest = (self.usual_jitter / self.jitter).ln();
        let points = rest / -(1.0 - JITTER).ln();
        let [.., still, _] = &self.rarity;
        let lively = still.usually() < LIVELY * rest;
        let hangs = points.is_finite() && points >= most && lively;
        (hangs && self.last + self.origin != 0.0).then_some(points)
    }

    /// Whether a view, with the point so far off, may show something bad.
    fn counts(&self, view: View, off: f32, least: f32) -> bool {
        let material = off.abs() >= least;
        match (view, self.bad) {
            (_, Bad::None) => false,
            (View::Above | View::JumpUp | View::RunAbove, Bad::Low) => false,
            (View::Below | View::JumpDown | View::RunBelow, Bad::High) => false,
            (View::Restless | View::Still | View::Novel, Bad::High) => material && off > 0.0,
            (View::Restless | View::Still | View::Novel, Bad::Low) => material && off < 0.0,
            (View::RunAbove | View::RunBelow, _) => self.mean_off.abs() >= least,
            _ => material,
        }
    }

    fn judge(&mut self, deviations: &[f32; VIEWS.len()], off: f32, least: f32) -> (f32, View) {
        let early = self.seen <= EARLY;
        let floors = self.floors();
        let mut top = [0.0_f32; 3];
        let mut worst = View::Above;
        for (i, (view, weight)) in VIEWS.into_iter().enumerate() {
            let floor = floors.of(view);
            let counts = self.counts(view, off, least);
            let (Some(deviation), Some(rarity)) = (deviations.get(i), self.rarity.get_mut(i))
            else {
                continue;
            };
            let rare = weight * rarity.of(*deviation, floor, &self.blocks);
            rarity.learn(*deviation, early);
            if !counts {
                continue;
            }
            let [first, second, third] = top;
            if rare > first {
                (top, worst) = ([rare, first, second], view);
            } else if rare > second {
                top = [first, rare, second];
            } else if rare > third {
                top = [first, second, rare];
            }
        }
        let [first, second, third] = top;
        (first + SECOND * second + THIRD * third, worst)
    }

    fn kind(&self, worst: View, off: f32, jump: f32) -> FindingKind {
        // The point itself is usual: only the mean of the newest ones is not.
        let near = off.abs() < self.mean_off.abs();
        match worst {
            View::Above | View::JumpUp => FindingKind::Spike,
            View::Below | View::JumpDown => FindingKind::Dip,
            View::RunAbove | View::RunBelow if near => FindingKind::Drift,
            View::RunAbove | View::RunBelow => FindingKind::LevelShift,
            View::Still if jump == 0.0 => FindingKind::FlatLine,
            View::Restless | View::Still => FindingKind::Variance,
            View::Novel => FindingKind::Pattern,
        }
    }

    fn learn(&mut self, x: f64) {
        let off = (x - self.level) as f32;
        // What never moved has no spread that could hold its first move back.
        let (clipped, size) = match self.seen < EARLY || self.spread == 0.0 {
            true => (off, off.abs()),
            false => {
                let most = CLIP * self.spread;
                (off.clamp(-most, most), off.abs().min(most))
            }
        };
        self.level += f64::from(self.rate(SLOW) * clipped);
        self.spread += self.rate(SPREAD) * (size - self.spread);
        self.usual_jitter += self.rate(USUAL_JITTER) * (self.jitter - self.usual_jitter);
    }

    /// What is expected of a point at this time; none while it learns.
    pub(super) fn expected(&self, at_ms: i64) -> Option<Expected> {
        if self.seen < LEARN {
            return None;
        }
        let season = self.season.expect(at_ms);
        let middle = season.unwrap_or(self.level);
        let [above, below, ..] = self.rarity;
        Some(Expected {
            middle: self.origin + middle,
            by_hour: season.is_some(),
            young: self.season.is_young(),
            bad: self.bad,
            above,
            below,
            blocks: self.blocks.clone(),
            floor: self.floors().one,
            least: self.least(middle),
            mean_off: self.mean_off,
            long_off: self.long_off,
            usual_jitter: self.usual_jitter,
        })
    }

    /// The level for this time of the day, where that is known better than the plain one.
    pub(super) fn level_of_hour(&self, at_ms: i64) -> Option<f64> {
        Some(self.origin + self.season.expect(at_ms)?)
    }

    /// How much it moves from point to point of late.
    pub(super) fn jitter(&self) -> f32 {
        self.jitter
    }
}
