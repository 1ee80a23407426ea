//! Exemplars of a query: asked beside it, drawn with it, and the way to their traces.

use super::asked::{Asked, Desk};
use super::events::Event;
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::exemplar::Exemplar;
use crate::model::fault::Fault;
use crate::model::id::{ClusterId, RequestId};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::ui::widget::chart::MarkKind;

/// Exemplars held of one query.
const MOST: usize = 2_000;
/// While a chart follows now they are asked for again after this time.
const OLD_MS: u64 = 60_000;

#[derive(Debug, Default)]
pub struct Exemplars {
    asked_at: Timestamp,
    waiting: Vec<RequestId>,
    /// By time.
    held: Vec<(ClusterId, Exemplar)>,
    dropped: usize,
    /// Why a server gave none.
    fault: Option<Fault>,
    unit: Unit,
}

impl Exemplars {
    /// Asks the same clusters for the same range.
    pub fn ask(&mut self, asked: &Asked, unit: Unit, desk: &mut Desk<'_>) -> Vec<Effect> {
        let before = std::mem::take(&mut self.waiting);
        let mut effects = Vec::new();
        if !before.is_empty() {
            effects.push(Effect::Cancel(before));
        }
        self.asked_at = desk.world.now;
        self.unit = unit;
        (self.dropped, self.fault) = (0, None);
        self.held.retain(|(_, e)| asked.grid.holds(e.at));
        for cluster in asked.clusters() {
            let id = desk.numbers.take();
            self.waiting.push(id);
            effects.push(Effect::Ask(Question {
                id,
                cluster,
                ask: Ask::Exemplars {
                    query: asked.query.to_string(),
                    start: asked.grid.start,
                    end: desk.world.now.min(asked.grid.at(asked.grid.len())),
                },
            }));
        }
        effects
    }

    pub fn is_old(&self, now: Timestamp) -> bool {
        now.age_since_ms(self.asked_at) >= OLD_MS && self.waiting.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn cancel(&mut self) -> Vec<Effect> {
        match std::mem::take(&mut self.waiting) {
            ids if ids.is_empty() => Vec::new(),
            ids => vec![Effect::Cancel(ids)],
        }
    }

    /// True when it was an answer waited for.
    pub fn take(&mut self, answered: &Answered) -> bool {
        let Some(place) = self.waiting.iter().position(|id| *id == answered.id) else {
            return false;
        };
        self.waiting.remove(place);
        match &answered.result {
            Ok(Answer::Exemplars(found)) => {
                self.held
                    .retain(|(cluster, _)| *cluster != answered.cluster);
                let found = found.iter().map(|e| (answered.cluster, e.clone()));
                self.held.extend(found);
                self.held.sort_by_key(|(cluster, e)| (e.at, *cluster));
                let spare = self.held.len().saturating_sub(MOST);
                self.held.drain(..spare);
                self.dropped += spare + answered.cut_from.unwrap_or(0);
            }
            Ok(_) => {}
            Err(fault) => self.fault = Some(fault.clone()),
        }
        true
    }

    pub fn held(&self) -> impl Iterator<Item = (ClusterId, &Exemplar)> {
        self.held.iter().map(|(cluster, e)| (*cluster, e))
    }

    pub fn events(&self, events: &mut Vec<Event>) {
        events.extend(self.held().map(|(cluster, exemplar)| {
            let trace = exemplar
                .trace()
                .map(|t| format!(" trace {} (xt)", t.short()));
            Event {
                at: exemplar.at,
                kind: MarkKind::Exemplar,
                cluster,
                text: format!(
                    "{} of {}{}",
                    self.unit.write(exemplar.value),
                    exemplar.series.name,
                    trace.unwrap_or_default()
                ),
            }
        }));
    }

    /// The exemplar with a trace that is nearest to this time, else the newest.
    pub fn near(&self, at: Option<Timestamp>) -> Option<(ClusterId, &Exemplar)> {
        let traced = self.held().filter(|(_, e)| e.trace().is_some());
        match at {
            Some(at) => traced.min_by_key(|(_, e)| (e.at.0 - at.0).abs()),
            None => traced.last(),
        }
    }

    /// `12 exemplars`, or why there are none.
    pub fn told(&self) -> Option<String> {
        match (&self.fault, self.held.len()) {
            (Some(fault), 0) => Some(format!("no exemplars: {fault}")),
            (_, 0) => None,
            (_, n) if self.dropped > 0 => Some(format!("newest {n} exemplars ⇡")),
            (_, n) => Some(format!("{n} exemplars ⇡")),
        }
    }
}
