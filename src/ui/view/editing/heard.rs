//! What the servers told: names of metrics, labels and values. It stays when they fall silent.

use std::collections::BTreeMap;

use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::view::common::{Numbers, clusters};

/// Names held of one question, where it is that for all metrics.
const NAMES: usize = 20_000;
/// Names held of any other question.
const VALUES: usize = 2_000;
/// Questions of which the answer is held.
const MOST: usize = 64;
/// Clusters asked at once.
const CLUSTERS: usize = 8;
/// After this time it is asked again.
const OLD_MS: u64 = 300_000;
/// A silent source is asked again after this time.
const SILENT_MS: u64 = 15_000;

/// One question, and what was answered to it by any cluster.
#[derive(Debug)]
struct Told {
    ask: Ask,
    /// When it is asked again; `None`: at once.
    until: Option<Timestamp>,
    open: usize,
    fault: bool,
    cut: bool,
    /// Kind and help of each name, where they are told.
    names: BTreeMap<String, (String, String)>,
}

#[derive(Debug, Default)]
pub struct Heard {
    /// Asked longest ago first.
    told: Vec<Told>,
    scope: Option<ClusterId>,
    /// Asked last; what of it is still open may have been given up for newer questions.
    last: Vec<Ask>,
}

impl Heard {
    /// Name, kind and help of all that was answered to this question.
    pub fn names(&self, ask: &Ask) -> impl Iterator<Item = (&str, &str, &str)> {
        let told = self.told.iter().find(|t| t.ask == *ask);
        let names = told.into_iter().flat_map(|t| &t.names);
        names.map(|(name, (kind, help))| (name.as_str(), kind.as_str(), help.as_str()))
    }

    pub fn knows(&self, ask: &Ask, name: &str) -> bool {
        let told = self.told.iter().find(|t| t.ask == *ask);
        told.is_some_and(|t| t.names.contains_key(name))
    }

    /// How far the answers to these are known.
    pub fn note(&self, asks: &[Ask]) -> String {
        let told = || self.told.iter().filter(|t| asks.contains(&t.ask));
        if told().any(|t| t.open > 0) {
            return "asking …".into();
        }
        if told().any(|t| t.fault) {
            return "no answer: as last heard".into();
        }
        match told().any(|t| t.cut) {
            true => "not all are held".into(),
            false => String::new(),
        }
    }

    /// Asks what of these is not known, or old.
    pub fn ask(
        &mut self,
        mut asks: Vec<Ask>,
        source: SourceKind,
        (world, scope): (&World, Option<ClusterId>),
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        if self.scope != scope {
            self.scope = scope;
            self.told.iter_mut().for_each(|t| t.until = None);
        }
        asks.retain(|ask| {
            let known = self.told.iter().find(|t| t.ask == *ask);
            known.is_none_or(|t| t.until.is_none_or(|until| until <= world.now))
        });
        if asks.is_empty() {
            return Vec::new();
        }
        let mut questions = Vec::new();
        let asked = clusters(world, scope)
            .filter(|c| c.answers(source))
            .take(CLUSTERS);
        for cluster in asked {
            questions.extend(asks.iter().map(|ask| Question {
                id: numbers.take(),
                cluster: cluster.id,
                ask: ask.clone(),
            }));
        }
        if questions.is_empty() {
            return Vec::new();
        }
        for given_up in std::mem::take(&mut self.last) {
            let open = self
                .told
                .iter_mut()
                .find(|t| t.ask == given_up && t.open > 0);
            if let Some(told) = open {
                (told.open, told.until) = (0, None);
            }
        }
        for ask in &asks {
            self.begin(ask, questions.len() / asks.len(), world.now);
        }
        self.last = asks;
        vec![Effect::AskSoon(questions)]
    }

    fn begin(&mut self, ask: &Ask, open: usize, now: Timestamp) {
        let known = self.told.iter().position(|t| t.ask == *ask);
        let names = known.map(|at| self.told.remove(at).names);
        if self.told.len() >= MOST {
            self.told.remove(0);
        }
        self.told.push(Told {
            ask: ask.clone(),
            until: Some(now.plus_ms(OLD_MS as i64)),
            open,
            fault: false,
            cut: false,
            names: names.unwrap_or_default(),
        });
    }

    /// False: no answer to one of these questions.
    pub fn take(&mut self, answered: &Answered) -> bool {
        let Some(told) = self.told.iter_mut().find(|t| t.ask == answered.ask) else {
            return false;
        };
        match &answered.result {
            Ok(Answer::Metadata(all)) => {
                for metric in all {
                    let about = (metric.kind.clone(), text::clean(&metric.help, 300));
                    told.add(&metric.name, about);
                }
            }
            Ok(Answer::Names(all)) => {
                all.iter()
                    .for_each(|name| told.add(name, Default::default()));
            }
            Ok(Answer::TagValues(all)) => {
                for (value, kind) in all {
                    told.add(value, (kind.clone(), String::new()));
                }
            }
            _ => {}
        }
        told.open = told.open.saturating_sub(1);
        told.fault |= answered.result.is_err();
        told.cut |= answered.cut_from.is_some();
        if answered.result.is_err() {
            told.until = told
                .until
                .map(|u| u.plus_ms(SILENT_MS as i64 - OLD_MS as i64));
        }
        true
    }
}

impl Told {
    fn add(&mut self, name: &str, about: (String, String)) {
        let most = match &self.ask {
            Ask::Metadata => NAMES,
            Ask::LabelValues { label } if label == "__name__" => NAMES,
            _ => VALUES,
        };
        match self.names.len() < most || self.names.contains_key(name) {
            true => {
                self.names.insert(name.to_owned(), about);
            }
            false => self.cut = true,
        }
    }
}
