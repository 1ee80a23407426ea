//! A series judged by what it usually does: the engine says when that is left, and what it said is
//! followed here until the series is back.

use crate::model::finding::FindingKind;
use crate::model::signal::Bad;
use crate::model::time::Timestamp;
use crate::model::usual::{self, Usual};
use serde::{Deserialize, Serialize};

use super::ensemble::Ensemble;
use super::episode::{self, Episode, Step};
use super::{Detector, Verdict};

/// Points before anything is told, and once more for each decade that the bar is raised by: of few
/// points nobody knows what is very rare.
const WARM: f32 = 40.0;
/// Smallest change that matters, per cent of the level.
const PERCENT: u8 = 5;
/// What comes again is told again after so long, milliseconds, and twice as long each time.
const QUIET_MS: i64 = 1_800_000;
const MOST_TIMES: u8 = 8;

/// What a fault teaches is forgotten where it was over so soon, milliseconds; what comes more often
/// than this is learnt after all.
const SHORT_MS: u64 = 3_600_000;
const FORGIVEN: u8 = 3;

/// Its size is what a series costs while all is well.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Learned {
    engine: Ensemble,
    beside: Option<Box<Beside>>,
}

/// Of a series of which something is told, or was.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Beside {
    episode: Episode,
    /// What was usual before it.
    before: Option<Ensemble>,
}

impl Learned {
    /// `bad` is the direction that matters; changes below `floor`, in the series' unit, never do.
    pub fn new(bad: Bad, floor: f64) -> Self {
        Self {
            engine: Ensemble::new(bad, floor).but_for(PERCENT),
            beside: None,
        }
    }

    /// Points seen so far.
    pub fn seen(&self) -> u32 {
        self.engine.seen()
    }

    /// Raises the bar by so many decades: one less told of ten.
    pub fn shift(&mut self, decades: f32) {
        self.engine.shift(decades);
    }

    /// What came since then is in doubt: an episode that it began is taken back.
    pub(super) fn doubt(&mut self, from: Timestamp) {
        let doubtful = |b: &mut Box<Beside>| b.episode.is_on() && b.episode.since() >= from;
        if let Some(beside) = self.beside.take_if(doubtful) {
            self.engine.take_back(beside.episode.bar());
        }
    }

    fn verdict(&self, value: f64, surprise: f32) -> Verdict {
        let bar = self.engine.plain_bar();
        let told = self.beside.as_ref().map(|b| &b.episode);
        Verdict {
            score: f64::from(surprise / (surprise + bar)),
            abnormal: told
                .filter(|e| e.is_told())
                .map(|e| e.abnormal(value, self.engine.seen())),
        }
    }

    /// Takes a point; begins an episode where it is an onset.
    fn look(&mut self, at: Timestamp, value: f64) -> f32 {
        let mut bar = self.engine.bar();
        let before = self.engine.expected(at);
        let said = self.engine.observe(at, value);
        let last = self.beside.as_ref().map(|b| &b.episode);
        let Some(before) = before.filter(|_| last.is_none_or(|e| !e.is_on())) else {
            return said.surprise;
        };
        let plain = self.engine.plain_bar();
        // Telling has raised the bar, which is right for what comes each hour; not for ever.
        let again = said.surprise >= plain && last.is_some_and(|e| e.may_come_again(at));
        let off = (value - before.middle()) as f32;
        let jitter = self.engine.jitter();
        if said.onset || again {
            if self.is_cold() || before.may_be_the_day(off) {
                self.engine.take_back(bar);
                return said.surprise;
            }
            bar = if again { plain } else { bar };
            let kind = said.kind.unwrap_or(match off > 0.0 {
                true => FindingKind::Spike,
                false => FindingKind::Dip,
            });
            self.begin(Episode::begin(at, (kind, off, jitter), bar, &before));
        } else if let Some(points) = self.engine.flat() {
            let passed_ms = (1000.0 * points * self.engine.step_s()) as i64;
            self.begin(Episode::flat(at.plus_ms(-passed_ms), jitter, &before));
        }
        said.surprise
    }

    /// It was learned for what is bad here, too.
    pub(super) fn is_for(&self, bad: Bad, floor: f64) -> bool {
        self.engine.is_for(bad, floor)
    }

    /// After so long a silence nobody knows where a series will be: its level is learned anew, what
    /// its days are like and how far it goes from its level stays known.
    fn bridge(&mut self, at: Timestamp) {
        let silent_ms = self.engine.silent_ms(at);
        if silent_ms >= episode::adopted_ms(self.engine.step_s()) {
            self.engine.begin_anew();
            self.beside = None;
        }
    }

    fn is_cold(&self) -> bool {
        self.engine.seen() <= self.warm()
    }

    /// Points before anything is told.
    fn warm(&self) -> u32 {
        let raised = self.engine.shifted().max(0.0);
        (WARM * (1.0 + raised)) as u32
    }

    /// The values that would not be told, at so many times of a range. While something is told they
    /// are what was expected at its onset.
    pub(super) fn usual(&self, range: (Timestamp, Timestamp), count: usize) -> Usual {
        let (seen, of) = (self.engine.seen(), self.warm());
        if seen <= of {
            return Usual::Learning { seen, of };
        }
        let told = self.beside.as_deref().map(|b| &b.episode);
        let told = told.filter(|e| e.is_told());
        let at = |at: Timestamp| {
            let hour = || self.engine.level_of_hour(at);
            let during = told.and_then(|e| e.band(e.is_by_hour().then(hour).flatten()));
            let (low, high) = during.or_else(|| self.engine.band(at))?;
            Some(usual::Step { at, low, high })
        };
        Usual::Known {
            steps: joined(times(range, count).filter_map(at)),
            onset: told.map(Episode::since),
        }
    }

    fn begin(&mut self, episode: Episode) {
        let times = self.beside.as_ref().map_or(0, |b| b.episode.times());
        self.beside = Some(Box::new(Beside {
            episode: episode.after(times),
            before: (times < FORGIVEN).then(|| self.engine.clone()),
        }));
    }

    /// Goes on with an episode.
    fn follow(&mut self, at: Timestamp, value: f64, surprise: f32) {
        let Some(beside) = self.beside.as_deref_mut() else {
            return;
        };
        let episode = &mut beside.episode;
        let hour = match episode.is_by_hour() {
            true => self.engine.level_of_hour(at),
            false => None,
        };
        let jitter = self.engine.jitter();
        let lasted = at.age_since_ms(episode.since());
        match episode.take(at, value, hour, (surprise, jitter), self.engine.step_s()) {
            Step::On if lasted <= SHORT_MS => {}
            Step::On => beside.before = None,
            Step::Over => {
                if let Some(before) = beside.before.take() {
                    self.engine.forget_since(before);
                }
                let doubled = 1_i64 << episode.times().min(MOST_TIMES);
                episode.end(at.plus_ms(QUIET_MS * doubled));
            }
            // It was a single point: no reason to hear less of what comes next.
            Step::Nothing => {
                self.engine.take_back(episode.bar());
                self.beside = None;
            }
        }
    }
}

/// Times at which a band is looked up in a range, evenly apart.
fn times((from, to): (Timestamp, Timestamp), count: usize) -> impl Iterator<Item = Timestamp> {
    let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let apart = (to.0.saturating_sub(from.0) / count).max(1);
    (0..count).map(move |n| Timestamp(from.0.saturating_add(n.saturating_mul(apart))))
}

/// One step where a value changes, not one for each time.
fn joined(steps: impl Iterator<Item = usual::Step>) -> Vec<usual::Step> {
    let mut out: Vec<usual::Step> = Vec::new();
    for step in steps {
        let same = |last: &usual::Step| (last.low, last.high) == (step.low, step.high);
        if !out.last().is_some_and(same) {
            out.push(step);
        }
    }
    out
}

impl Detector for Learned {
    fn observe(&mut self, at: Timestamp, value: f64) -> Verdict {
        self.bridge(at);
        if !value.is_finite() {
            self.engine.observe(at, value);
            return self.verdict(value, 0.0);
        }
        let surprise = self.look(at, value);
        self.follow(at, value, surprise);
        self.verdict(value, surprise)
    }
}

#[cfg(test)]
mod tests;
