//! What the editor can complete: what the store holds, the catalogue, and what the servers told.

use std::collections::{BTreeMap, BTreeSet};

use crate::language::{Want, What};
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::view::common::{Numbers, clusters};
use crate::ui::widget::editor::{Known, Offer};

/// Names of metrics held.
const NAMES: usize = 20_000;
/// Labels of which values are held, and values of each.
const LABELS: usize = 48;
const VALUES: usize = 2_000;
/// Clusters asked at once.
const CLUSTERS: usize = 8;
/// After this time it is asked again.
const OLD_MS: u64 = 300_000;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Metadata,
    Names,
    Labels,
    Values(String),
}

impl Key {
    fn of(what: &What) -> Vec<Self> {
        match what {
            What::Names => vec![Self::Metadata, Self::Names],
            What::Labels { .. } => vec![Self::Labels],
            What::Values { label, .. } => vec![Self::Values(label.clone())],
            What::Words(_) | What::Snippets => Vec::new(),
        }
    }

    fn ask(&self) -> Ask {
        match self {
            Self::Metadata => Ask::Metadata,
            Self::Names => Ask::LabelValues {
                label: "__name__".into(),
            },
            Self::Labels => Ask::LabelNames,
            Self::Values(label) => Ask::LabelValues {
                label: label.clone(),
            },
        }
    }

    fn answered(ask: &Ask) -> Option<Self> {
        match ask {
            Ask::Metadata => Some(Self::Metadata),
            Ask::LabelNames => Some(Self::Labels),
            Ask::LabelValues { label } if label == "__name__" => Some(Self::Names),
            Ask::LabelValues { label } => Some(Self::Values(label.clone())),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Told {
    at: Timestamp,
    open: usize,
    fault: bool,
    cut: bool,
}

/// What the servers told; it stays when they fall silent.
#[derive(Debug, Default)]
pub struct Heard {
    /// Type and help of each.
    names: BTreeMap<String, (String, String)>,
    labels: BTreeSet<String>,
    values: BTreeMap<String, BTreeSet<String>>,
    told: BTreeMap<Key, Told>,
    scope: Option<ClusterId>,
    /// Asked last; what of it is still open may have been given up for newer questions.
    last: Vec<Key>,
}

impl Heard {
    /// At the opening of the editor: the names of metrics.
    pub fn ask_names(
        &mut self,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        self.ask(&[Want::plain(What::Names)], world, scope, numbers)
    }

    pub fn ask(
        &mut self,
        wants: &[Want],
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        if self.scope != scope {
            self.scope = scope;
            self.told.clear();
        }
        let young = |told: &Told| world.now.age_since_ms(told.at) < OLD_MS;
        let mut keys: Vec<Key> = wants.iter().flat_map(|w| Key::of(&w.what)).collect();
        keys.retain(|key| !self.told.get(key).is_some_and(young));
        if keys.is_empty() {
            return Vec::new();
        }
        for key in std::mem::take(&mut self.last) {
            if self.told.get(&key).is_some_and(|t| t.open > 0) {
                self.told.remove(&key);
            }
        }
        let mut questions = Vec::new();
        let asked = clusters(world, scope)
            .filter(|c| c.sources.contains_key(&SourceKind::Prometheus))
            .take(CLUSTERS);
        for cluster in asked {
            for key in &keys {
                questions.push(Question {
                    id: numbers.take(),
                    cluster: cluster.id,
                    ask: key.ask(),
                });
            }
        }
        if questions.is_empty() {
            return Vec::new();
        }
        for key in &keys {
            let told = Told {
                at: world.now,
                open: questions.len() / keys.len(),
                fault: false,
                cut: false,
            };
            self.told.insert(key.clone(), told);
        }
        self.last = keys;
        vec![Effect::AskSoon(questions)]
    }

    /// False: no answer to one of these questions.
    pub fn take(&mut self, answered: &Answered) -> bool {
        let Some(key) = Key::answered(&answered.ask) else {
            return false;
        };
        let cut = match &answered.result {
            Ok(Answer::Metadata(all)) => {
                for metric in all {
                    let about = (metric.kind.clone(), text::clean(&metric.help, 300));
                    self.name(&metric.name, Some(about));
                }
                all.len() > NAMES
            }
            Ok(Answer::Names(all)) => self.names_of(&key, all),
            _ => false,
        };
        if let Some(told) = self.told.get_mut(&key) {
            told.open = told.open.saturating_sub(1);
            told.fault |= answered.result.is_err();
            told.cut |= cut || answered.cut_from.is_some();
            // A silent source is asked again soon.
            if answered.result.is_err() {
                told.at = Timestamp(told.at.0 - (OLD_MS as i64) + 15_000);
            }
        }
        true
    }

    /// True: some were left out.
    fn names_of(&mut self, key: &Key, all: &[String]) -> bool {
        match key {
            Key::Names => {
                for name in all {
                    self.name(name, None);
                }
                all.len() > NAMES
            }
            Key::Values(label) => {
                if self.values.len() >= LABELS && !self.values.contains_key(label) {
                    self.values.pop_first();
                }
                let held = self.values.entry(label.clone()).or_default();
                add(held, all)
            }
            _ => add(&mut self.labels, all),
        }
    }

    fn name(&mut self, name: &str, about: Option<(String, String)>) {
        if let Some(known) = self.names.get_mut(name) {
            if let Some(about) = about {
                *known = about;
            }
        } else if self.names.len() < NAMES {
            self.names
                .insert(name.to_owned(), about.unwrap_or_default());
        }
    }
}

fn add(held: &mut BTreeSet<String>, all: &[String]) -> bool {
    for one in all {
        if held.len() >= VALUES {
            return !held.contains(one);
        }
        held.insert(one.clone());
    }
    false
}

/// All of it together, for one look at the list.
pub struct Offered<'a> {
    pub heard: &'a Heard,
    pub world: &'a World,
    pub scope: Option<ClusterId>,
}

impl Offered<'_> {
    /// Labels and values of the series held of a metric.
    fn held<'s>(&'s self, metric: &'s str, mut each: impl FnMut(&'s str, &'s str)) {
        for cluster in clusters(self.world, self.scope) {
            for (_, key) in self.world.store.find(cluster.id, metric) {
                for (label, value) in key.labels.iter() {
                    each(label, value);
                }
            }
        }
    }

    fn names(&self, take: &mut dyn FnMut(Offer<'_>)) {
        let mut held: BTreeSet<std::sync::Arc<str>> = BTreeSet::new();
        for cluster in clusters(self.world, self.scope) {
            held.extend(self.world.store.names(cluster.id));
        }
        let signal = |name: &str| self.world.signal(name).is_some();
        // A signal of the catalogue is a name of ours, which no server knows.
        held.retain(|name| !self.heard.names.contains_key(name.as_ref()) && !signal(name));
        for (name, (kind, help)) in &self.heard.names {
            take(Offer {
                text: name,
                kind,
                help,
                puts: "",
            });
        }
        for name in &held {
            take(Offer {
                text: name,
                kind: "",
                help: self.world.metric(name).map_or("", |m| &m.about),
                puts: "",
            });
        }
    }

    fn labels(&self, of: Option<&str>, take: &mut dyn FnMut(Offer<'_>)) {
        let mut own = BTreeSet::new();
        if let Some(metric) = of {
            self.held(metric, |label, _| {
                own.insert(label);
            });
        }
        let others = self.heard.labels.iter().map(String::as_str);
        let others = others.filter(|l| !own.contains(l) && *l != "__name__");
        let own = own.iter().map(|l| (*l, "of this metric"));
        for (text, help) in own.chain(others.map(|l| (l, ""))) {
            take(Offer {
                text,
                kind: "label",
                help,
                puts: "",
            });
        }
    }

    fn values(&self, label: &str, of: Option<&str>, take: &mut dyn FnMut(Offer<'_>)) {
        let mut own = BTreeSet::new();
        if let Some(metric) = of {
            self.held(metric, |l, value| {
                if l == label {
                    own.insert(value);
                }
            });
        }
        let heard = self.heard.values.get(label).into_iter().flatten();
        let others = heard.map(String::as_str).filter(|v| !own.contains(v));
        let own = own.iter().map(|v| (*v, "of this metric"));
        for (text, help) in own.chain(others.map(|v| (v, ""))) {
            take(Offer {
                text,
                kind: "value",
                help,
                puts: "",
            });
        }
    }

    fn snippets(&self, take: &mut dyn FnMut(Offer<'_>)) {
        for signal in self.world.signals.iter() {
            take(Offer {
                text: &signal.name,
                kind: "snippet",
                help: &signal.about,
                puts: &signal.query,
            });
        }
    }
}

impl Known for Offered<'_> {
    fn each(&self, what: &What, take: &mut dyn FnMut(Offer<'_>)) {
        match what {
            What::Names => self.names(take),
            What::Labels { of } => self.labels(of.as_deref(), take),
            What::Values { label, of } => self.values(label, of.as_deref(), take),
            What::Snippets => self.snippets(take),
            What::Words(_) => {}
        }
    }

    fn note(&self, what: &What) -> String {
        let keys = Key::of(what);
        let told = || keys.iter().filter_map(|key| self.heard.told.get(key));
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
}
