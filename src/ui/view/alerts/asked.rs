//! One question to each Prometheus of the scope, asked when its page is first looked at and when
//! the operator wants it again.

use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::Fault;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{Numbers, clusters};
use crate::ui::widget::text::wrap;

/// From where a page asks, and with which numbers.
pub struct Asker<'a> {
    pub world: &'a World,
    pub scope: Option<ClusterId>,
    pub numbers: &'a mut Numbers,
}

#[derive(Debug)]
pub struct Got<T> {
    pub cluster: ClusterId,
    /// When it was answered.
    pub at: Timestamp,
    pub result: Result<T, Fault>,
    cut_from: Option<usize>,
}

#[derive(Debug)]
pub struct Asked<T> {
    scope: Option<ClusterId>,
    pending: Vec<(RequestId, ClusterId)>,
    got: Vec<Got<T>>,
    /// Clusters of the scope that have no Prometheus.
    without: usize,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self {
            scope: None,
            pending: Vec::new(),
            got: Vec::new(),
            without: 0,
        }
    }
}

impl<T> Asked<T> {
    /// Asks those of the scope that have not been asked; `again`: all of them.
    pub fn ask(&mut self, from: Asker<'_>, again: bool, what: impl Fn() -> Ask) -> Vec<Effect> {
        self.scope = from.scope;
        self.without = 0;
        let mut effects = Vec::new();
        for cluster in clusters(from.world, from.scope) {
            if !cluster.answers(SourceKind::Prometheus) {
                self.without += 1;
                continue;
            }
            let waits = self.pending.iter().any(|(_, c)| *c == cluster.id);
            let known = self.got.iter().any(|g| g.cluster == cluster.id);
            if (waits || known) && !again {
                continue;
            }
            self.pending.retain(|(_, c)| *c != cluster.id);
            let id = from.numbers.take();
            self.pending.push((id, cluster.id));
            effects.push(Effect::Ask(Question {
                id,
                cluster: cluster.id,
                ask: what(),
            }));
        }
        effects
    }

    /// True when it was an answer that is waited for.
    pub fn take(&mut self, answered: &Answered, read: impl Fn(&Answer) -> T) -> bool {
        let Some(place) = self.pending.iter().position(|(id, _)| *id == answered.id) else {
            return false;
        };
        self.pending.remove(place);
        self.got.retain(|g| g.cluster != answered.cluster);
        self.got.push(Got {
            cluster: answered.cluster,
            at: answered.at,
            result: answered.result.as_ref().map(read).map_err(Fault::clone),
            cut_from: answered.cut_from,
        });
        self.got.sort_by_key(|g| g.cluster);
        true
    }

    /// Of the clusters of the scope.
    pub fn got(&self) -> impl Iterator<Item = &Got<T>> {
        let scope = self.scope;
        self.got
            .iter()
            .filter(move |g| scope.is_none_or(|s| s == g.cluster))
    }

    pub fn of(&self, cluster: ClusterId) -> Option<&Got<T>> {
        self.got.iter().find(|g| g.cluster == cluster)
    }

    /// How far it got, in a few words.
    pub fn status(&self, ctx: &Ctx<'_>) -> String {
        let oldest = self.got().map(|g| g.at).min();
        let mut parts = Vec::new();
        match self.waiting() {
            0 => parts.extend(oldest.map(|at| format!("asked {}", ctx.clock_or_day(at)))),
            n => parts.push(format!("{n} asked …")),
        }
        let cut = self.got().filter_map(|g| g.cut_from).max();
        parts.extend(cut.map(|n| format!("cut from ≥ {n}")));
        if self.without > 0 {
            parts.push(format!("{} without Prometheus", self.without));
        }
        parts.join(" · ")
    }

    fn waiting(&self) -> usize {
        let seen = |c: &ClusterId| self.scope.is_none_or(|s| s == *c);
        self.pending.iter().filter(|(_, c)| seen(c)).count()
    }

    /// What went wrong, as lines.
    pub fn faults(&self, width: usize) -> Vec<String> {
        let faults = self.got().filter_map(|g| g.result.as_ref().err());
        faults.flat_map(|f| wrap(&f.to_string(), width)).collect()
    }

    /// Why there is no row; `nothing`: what it means that all have answered.
    pub fn why_empty(&self, filter: &str, nothing: &str) -> String {
        match (
            self.waiting(),
            self.got().filter(|g| g.result.is_ok()).count(),
        ) {
            (0, 0) if self.got().next().is_some() => "not known: no server has told".into(),
            (0, 0) => "no cluster of the scope has a Prometheus".into(),
            (_, 0) => "asking …".into(),
            _ if !filter.is_empty() => {
                format!("nothing matches {filter:?} (Esc clears the filter)")
            }
            (0, _) => nothing.to_owned(),
            _ => format!("{nothing}; others are still asked"),
        }
    }
}
