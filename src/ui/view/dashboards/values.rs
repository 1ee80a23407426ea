//! The variables of a board: what servers have for them, and what was chosen.

use std::collections::{BTreeMap, BTreeSet};

use super::Site;
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::dashboard::fill::{Chosen, Filling, names};
use crate::model::dashboard::{Choices, Variable};
use crate::model::fault::Fault;
use crate::model::grid::Grid;
use crate::model::health::SourceKind;
use crate::model::id::RequestId;
use crate::ui::Window;
use crate::ui::view::common::{clusters, step_ms};

/// Values held of one variable.
const MOST: usize = 5_000;

/// A variable with what is known of it.
#[derive(Debug)]
pub struct Value {
    pub variable: Variable,
    /// What may be chosen, as far as it was heard.
    pub offered: Vec<String>,
    heard: BTreeSet<String>,
    /// Chosen by the operator or at first; empty with `all` unset: not yet known.
    pub chosen: Vec<String>,
    /// Everything is chosen.
    pub all: bool,
    pub fault: Option<Fault>,
    /// More values than are held.
    pub cut: bool,
    waiting: Vec<RequestId>,
    /// What its question was filled with.
    asked: Option<String>,
}

impl Value {
    fn new(variable: Variable) -> Self {
        let offered = match &variable.choices {
            Choices::Values(values) => values.clone(),
            Choices::Label { .. } | Choices::Text => Vec::new(),
        };
        let all = variable.all.is_some() && variable.default.is_empty();
        let chosen = match (&variable.default, offered.first()) {
            (default, _) if !default.is_empty() => default.clone(),
            (_, Some(first)) if !all => vec![first.clone()],
            _ => Vec::new(),
        };
        Self {
            offered,
            heard: BTreeSet::new(),
            chosen,
            all,
            fault: None,
            cut: false,
            waiting: Vec::new(),
            asked: None,
            variable,
        }
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Queries can be filled with it.
    pub fn is_known(&self) -> bool {
        self.all || !self.chosen.is_empty() || self.variable.choices == Choices::Text
    }

    /// What is chosen, in a few words.
    pub fn word(&self) -> String {
        match (self.all, self.chosen.as_slice()) {
            (true, _) => "all".into(),
            (_, [one]) => one.clone(),
            (_, []) if self.is_waiting() => "asking …".into(),
            (_, []) if self.fault.is_some() => "no answer".into(),
            (_, []) if self.variable.choices == Choices::Text => "\"\"".into(),
            (_, []) => "nothing to choose".into(),
            (_, [first, rest @ ..]) => format!("{first} +{}", rest.len()),
        }
    }

    fn fill(&self) -> Chosen {
        let text = self.variable.choices == Choices::Text && self.chosen.is_empty();
        Chosen {
            values: match text {
                true => vec![String::new()],
                false => self.chosen.clone(),
            },
            all: self.variable.all.clone().filter(|_| self.all),
            in_regex: self.variable.in_regex(),
        }
    }

    /// Takes what one cluster has; the first becomes chosen where nothing is.
    fn hear(&mut self, values: Vec<String>) {
        for value in self.variable.sift(values) {
            if self.heard.len() >= MOST {
                self.cut = true;
                break;
            }
            self.heard.insert(value);
        }
        if self.is_waiting() && self.heard.is_empty()
            || self.fault.is_some() && self.heard.is_empty()
        {
            return;
        }
        self.offered = self.heard.iter().cloned().collect();
        if self.is_waiting() {
            return;
        }
        // What is gone from all servers is not asked for any more.
        self.chosen.retain(|v| self.heard.contains(v));
        if !self.all && self.chosen.is_empty() {
            self.chosen.extend(self.offered.first().cloned());
        }
    }
}

#[derive(Debug, Default)]
pub struct Values {
    pub all: Vec<Value>,
}

impl Values {
    pub fn new(variables: &[Variable]) -> Self {
        Self {
            all: variables.iter().cloned().map(Value::new).collect(),
        }
    }

    pub fn filling(&self, window: Window, world_now: crate::model::time::Timestamp) -> Filling {
        let (from, to) = window.bounds(world_now);
        let grid = Grid::covering(from, to, step_ms(window.span_ms));
        let chosen: BTreeMap<String, Chosen> = self
            .all
            .iter()
            .map(|v| (v.variable.name.clone(), v.fill()))
            .collect();
        Filling {
            chosen,
            step_s: u64::from(grid.step_ms / 1000).max(1),
            range_s: u64::try_from(window.span_ms / 1000).unwrap_or(0),
            from_ms: grid.start.0,
            to_ms: grid.end.0,
        }
    }

    /// The variables that this text needs and of which nothing is chosen yet.
    pub fn missing(&self, text: &str) -> Vec<&Value> {
        let names = names(text);
        let needed = |v: &&Value| names.contains(&v.variable.name.as_str());
        self.all
            .iter()
            .filter(needed)
            .filter(|v| !v.is_known())
            .collect()
    }

    /// Asks for the values whose question is new or has changed. `anew`: for all.
    pub fn ask(&mut self, anew: bool, site: &mut Site<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for at in 0..self.all.len() {
            let filling = self.filling(site.window, site.desk.world.now);
            let Some(value) = self.all.get(at) else {
                break;
            };
            let Choices::Label { of, label, loki } = &value.variable.choices else {
                continue;
            };
            let waits = self.missing(of).iter().any(|v| v.is_waiting());
            let (of, label, loki) = (filling.fill(of), label.clone(), *loki);
            let Some(value) = self.all.get_mut(at) else {
                break;
            };
            // It is asked when what it depends on is known.
            if waits || value.asked.as_ref() == Some(&of) && !anew {
                continue;
            }
            value.asked = Some(of.clone());
            value.fault = None;
            value.cut = false;
            value.heard.clear();
            value.waiting.clear();
            effects.extend(value.questions(&of, &label, loki, site));
        }
        effects
    }

    /// True: an answer to one of these questions.
    pub fn take(&mut self, answered: &Answered) -> bool {
        let waits = |v: &&mut Value| v.waiting.contains(&answered.id);
        let Some(value) = self.all.iter_mut().find(waits) else {
            return false;
        };
        value.waiting.retain(|id| *id != answered.id);
        let values = match &answered.result {
            Ok(Answer::Names(names)) => names.clone(),
            Ok(Answer::Series(series)) => {
                let label = match &value.variable.choices {
                    Choices::Label { label, .. } => label.as_str(),
                    _ => "",
                };
                let of = series.iter().filter_map(|s| s.key.labels.get(label));
                of.map(str::to_owned).collect()
            }
            Ok(_) => Vec::new(),
            Err(fault) => {
                value.fault = Some(fault.clone());
                Vec::new()
            }
        };
        value.cut |= answered.cut_from.is_some();
        value.hear(values);
        true
    }
}

impl Value {
    fn questions(&mut self, of: &str, label: &str, loki: bool, site: &mut Site<'_>) -> Vec<Effect> {
        let source = match loki {
            true => SourceKind::Loki,
            false => SourceKind::Prometheus,
        };
        let world = site.desk.world;
        let asked = clusters(world, site.scope).filter(|c| c.answers(source));
        let mut effects = Vec::new();
        for cluster in asked.map(|c| c.id) {
            let id = site.desk.numbers.take();
            self.waiting.push(id);
            let ask = match (loki, of.is_empty()) {
                (true, _) => Ask::LokiLabelValues {
                    label: label.to_owned(),
                    query: of.starts_with('{').then(|| of.to_owned()),
                },
                (false, true) => Ask::LabelValues {
                    label: label.to_owned(),
                },
                // The values that these series have now, not all that anything ever had.
                (false, false) => Ask::Instant {
                    query: format!("group by ({label}) ({of})"),
                    at: site.window.bounds(world.now).1,
                },
            };
            effects.push(Effect::Ask(Question { id, cluster, ask }));
        }
        effects
    }
}
