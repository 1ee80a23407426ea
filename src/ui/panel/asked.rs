//! One query on its way to several clusters and back: asked side by side, answered one by one,
//! shown as far as it got.

use std::sync::Arc;

use super::unit::of_query;
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::combine::Combine;
use crate::model::fault::Fault;
use crate::model::grid::Grid;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::sample::SeriesSamples;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::store::answers::{Answers, Asking};
use crate::ui::Window;
use crate::ui::view::common::{Numbers, step_ms};
pub use coming::{Coming, Joined};

mod coming;

/// Series held of one query over all clusters, and of one cluster at least.
const MOST_SERIES: usize = 20_000;
const LEAST_SHARE: usize = 100;

/// What a question needs from the screen that asks it.
pub struct Desk<'a> {
    pub world: &'a World,
    pub numbers: &'a mut Numbers,
    pub answers: &'a mut Answers,
}

/// Points of one series that Prometheus gives at most (its `exceeded maximum resolution of 11,000
/// points`), less some at the ends.
const MOST_POINTS: i64 = 10_900;

/// Seconds in whole, so that a server takes the range.
fn least_step_ms(span_ms: i64) -> u32 {
    let least = span_ms.div_euclid(MOST_POINTS * 1_000) * 1_000 + 1_000;
    u32::try_from(least).unwrap_or(u32::MAX)
}

/// How far one cluster got.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    Waiting(RequestId),
    /// The answer is here and is joined to what is known.
    Joining,
    Done,
    Failed(Fault),
    /// The operator did not wait for it.
    Dropped,
}

/// One cluster's part.
#[derive(Debug)]
pub struct Part {
    pub cluster: ClusterId,
    pub phase: Phase,
    pub series: Arc<Vec<SeriesSamples>>,
    /// When it was asked, and when it answered last.
    pub asked_at: Timestamp,
    pub answered: Option<Timestamp>,
    pub latency_ms: Option<u32>,
    pub warnings: Vec<String>,
    /// Where the last answer came from, without secrets; empty: there is none yet.
    pub origin: String,
    /// Series there are, where not all are held.
    pub cut_from: Option<usize>,
    /// Part of the answer was known already.
    pub reused: bool,
    asked: Grid,
    wanted: Grid,
    coming: Option<Coming>,
}

impl Part {
    fn new(cluster: ClusterId, grid: Grid, now: Timestamp) -> Self {
        Self {
            cluster,
            phase: Phase::Dropped,
            series: Arc::default(),
            asked_at: now,
            answered: None,
            latency_ms: None,
            warnings: Vec::new(),
            origin: String::new(),
            cut_from: None,
            reused: false,
            asked: grid,
            wanted: grid,
            coming: None,
        }
    }

    pub fn coming(&self) -> Option<&Coming> {
        self.coming.as_ref()
    }

    pub fn samples(&self) -> usize {
        self.series.iter().map(|s| s.points.len()).sum()
    }

    /// What it shows does not answer the newest question.
    pub fn is_stale(&self) -> bool {
        self.phase != Phase::Done && !self.series.is_empty()
    }

    pub fn waits(&self) -> bool {
        matches!(self.phase, Phase::Waiting(_) | Phase::Joining)
    }
}

#[derive(Debug)]
pub struct Asked {
    pub query: Arc<str>,
    /// Who answers: Prometheus, or Loki with numbers.
    pub source: SourceKind,
    pub combine: Combine,
    /// Chosen distance of the points; `None`: as it suits the range.
    pub step_ms: Option<u32>,
    pub grid: Grid,
    pub parts: Vec<Part>,
    /// Clusters that were meant and have no Prometheus.
    pub without: usize,
    /// When it was asked last.
    pub at: Timestamp,
    pub unit: Unit,
}

impl Asked {
    pub fn new(query: &str, combine: Combine, world: &World) -> Self {
        Self {
            query: Arc::from(query),
            source: SourceKind::Prometheus,
            combine,
            step_ms: None,
            grid: Grid::covering(world.now, world.now, 1),
            parts: Vec::new(),
            without: 0,
            at: world.now,
            unit: of_query(world, query),
        }
    }

    /// LogQL that gives numbers.
    pub fn of_loki(self) -> Self {
        Self {
            source: SourceKind::Loki,
            ..self
        }
    }

    /// Asks all of these clusters for this window. `anew`: also for what is known.
    pub fn ask(
        &mut self,
        clusters: &[ClusterId],
        window: Window,
        anew: bool,
        desk: &mut Desk<'_>,
    ) -> Vec<Effect> {
        let mut effects = self.cancel();
        for part in self.parts.iter_mut().filter(|p| p.waits()) {
            // It answers another question than the one that is asked now.
            (part.coming, part.phase) = (None, Phase::Dropped);
        }
        let meant = clusters.len();
        let has = |id: &ClusterId| {
            let known = desk.world.cluster(*id);
            known.is_some_and(|c| c.answers(self.source))
        };
        let asked: Vec<ClusterId> = clusters.iter().copied().filter(has).collect();
        self.without = meant - asked.len();
        self.parts.retain(|p| asked.contains(&p.cluster));
        self.move_to(window, desk.world.now);
        for cluster in asked {
            if !self.parts.iter().any(|p| p.cluster == cluster) {
                let part = Part::new(cluster, self.grid, desk.world.now);
                self.parts.push(part);
            }
        }
        self.parts.sort_by_key(|p| p.cluster);
        effects.extend(self.ask_parts(anew, desk));
        effects
    }

    /// Time went on: asks those that do not answer just now for what came since.
    pub fn follow(&mut self, window: Window, desk: &mut Desk<'_>) -> Vec<Effect> {
        self.move_to(window, desk.world.now);
        self.ask_parts(false, desk)
    }

    fn move_to(&mut self, window: Window, now: Timestamp) {
        let (from, to) = window.bounds(now);
        let step_ms = match self.step_ms {
            Some(chosen) => chosen.max(least_step_ms(window.span_ms)),
            None => step_ms(window.span_ms),
        };
        self.grid = Grid::covering(from, to, step_ms);
        self.at = now;
    }

    fn ask_parts(&mut self, anew: bool, desk: &mut Desk<'_>) -> Vec<Effect> {
        let (query, source, grid) = (Arc::clone(&self.query), self.source, self.grid);
        let mut questions = Vec::new();
        for part in self.parts.iter_mut().filter(|p| !p.waits()) {
            let asking = asking(&query, part.cluster, grid);
            if anew || !keeps(&query) {
                desk.answers.forget(&asking);
            }
            part.wanted = grid;
            part.asked_at = desk.world.now;
            let missing = desk.answers.missing(&asking, grid);
            let held = desk.answers.get(&asking).filter(|_| missing != Some(grid));
            part.reused = held.is_some();
            if let Some(held) = held {
                part.series = held;
            }
            let Some(missing) = missing else {
                part.phase = Phase::Done;
                continue;
            };
            questions.push(question(part, (&query, source), missing, desk.numbers));
        }
        questions
    }

    /// Takes an answer; one to an older question is dropped. What has to be asked then comes back.
    pub fn take(&mut self, answered: &Answered, desk: &mut Desk<'_>) -> Option<Vec<Effect>> {
        let waits = Phase::Waiting(answered.id);
        let share = (MOST_SERIES / self.parts.len().max(1)).max(LEAST_SHARE);
        let part = self.parts.iter_mut().find(|p| p.phase == waits)?;
        part.latency_ms = Some(answered.latency_ms);
        part.origin.clone_from(&answered.origin);
        let asking = asking(&self.query, part.cluster, part.wanted);
        let series = match &answered.result {
            Ok(Answer::Series(series)) => series,
            Ok(_) => {
                part.phase = Phase::Done;
                return Some(Vec::new());
            }
            Err(fault) => {
                part.warnings.clone_from(&answered.warnings);
                part.phase = Phase::Failed(fault.clone());
                return Some(Vec::new());
            }
        };
        let found = answered.cut_from.unwrap_or(series.len());
        let cut = found > series.len().min(share);
        let (ranges, whole) = ((part.asked, part.wanted), answered.is_whole());
        let lost = !desk.answers.completes(&asking, ranges, whole);
        if lost || cut && part.asked != part.wanted {
            // Which series are the first may have changed, or what stood beside this is held no
            // longer or has gaps: a part of the range says too little.
            desk.answers.forget(&asking);
            let wanted = part.wanted;
            return Some(vec![question(
                part,
                (&self.query, self.source),
                wanted,
                desk.numbers,
            )]);
        }
        part.phase = Phase::Joining;
        part.answered = Some(answered.at);
        part.warnings.clone_from(&answered.warnings);
        part.cut_from = cut.then_some(found);
        let now = answered.at.max(desk.world.now);
        let kept = !cut && keeps(&self.query);
        part.coming = Some(Coming {
            id: answered.id,
            series: Arc::clone(series),
            most: share,
            joining: kept.then(|| desk.answers.joining(&asking, ranges, (now, whole))),
            asking,
        });
        Some(Vec::new())
    }

    /// An answer was joined to what is known; one that is not waited for any more is let go.
    pub fn settle(&mut self, joined: &Joined, answers: &mut Answers) {
        let this = |p: &&mut Part| p.coming.as_ref().is_some_and(|c| c.id == joined.id);
        let Some(part) = self.parts.iter_mut().find(this) else {
            return;
        };
        (part.coming, part.phase) = (None, Phase::Done);
        part.series = Arc::clone(&joined.series);
        match &joined.held {
            Some(held) => answers.keep(&joined.asking, held.clone()),
            None => answers.forget(&joined.asking),
        }
    }

    /// Why clusters did not answer.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.parts.iter().filter_map(|p| match &p.phase {
            Phase::Failed(fault) => Some(fault),
            _ => None,
        })
    }

    pub fn is_waiting(&self) -> bool {
        self.parts.iter().any(Part::waits)
    }

    /// Nobody waits any more for what is under way.
    pub fn cancel(&mut self) -> Vec<Effect> {
        let mut ids = Vec::new();
        for part in &mut self.parts {
            if let Phase::Waiting(id) = part.phase {
                ids.push(id);
                part.phase = Phase::Dropped;
            }
        }
        match ids.is_empty() {
            true => Vec::new(),
            false => vec![Effect::Cancel(ids)],
        }
    }

    pub fn clusters(&self) -> Vec<ClusterId> {
        self.parts.iter().map(|p| p.cluster).collect()
    }
}

fn asking(query: &Arc<str>, cluster: ClusterId, grid: Grid) -> Asking {
    Asking {
        cluster,
        query: Arc::clone(query),
        step_ms: grid.step_ms,
    }
}

fn question(
    part: &mut Part,
    (query, source): (&str, SourceKind),
    grid: Grid,
    numbers: &mut Numbers,
) -> Effect {
    let id = numbers.take();
    part.asked = grid;
    part.phase = Phase::Waiting(id);
    let query = query.to_owned();
    let (start, end, step_ms) = (grid.start, grid.end, grid.step_ms);
    let ask = match source {
        SourceKind::Loki => Ask::LogSeries {
            query,
            start,
            end,
            step_ms,
        },
        _ => Ask::Range {
            query,
            start,
            end,
            step_ms,
        },
    };
    Effect::Ask(Question {
        id,
        cluster: part.cluster,
        ask,
    })
}

/// Whether parts of the range have the values that the whole range has.
fn keeps(query: &str) -> bool {
    let bare: String = query.chars().filter(|c| !c.is_whitespace()).collect();
    !["start()", "end()"].iter().any(|word| bare.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_asks_for_more_points_than_a_server_gives() {
        for (span_ms, least) in [
            (3_600_000, 1_000),
            (86_400_000, 8_000),
            (604_800_000, 56_000),
        ] {
            assert_eq!(least_step_ms(span_ms), least);
            assert!(span_ms / i64::from(least) < 11_000);
        }
    }
}
