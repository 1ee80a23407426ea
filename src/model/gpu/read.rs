//! GPUs from the newest samples of exporter series, kept name by name: an answer that brings some
//! names changes what they tell and nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::draft::{Device, Draft};
use super::fields::{Field, NameId, field, is_smi, number};
use super::usage::hole_ms;
use super::{Gpu, is_blank, node_of, place_of, smi};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesKey};

/// What exporters tell of the GPUs of one cluster.
#[derive(Debug, Default)]
pub struct Drafts {
    all: Vec<Draft>,
    /// Milliseconds between two samples of a series, as it was asked for last.
    interval_ms: u32,
    /// Place in `all`, by node and by index and partition.
    places: HashMap<Arc<str>, HashMap<String, usize, RandomState>, RandomState>,
    /// What `nvidia-smi` tells, by card and part: it fills what exporters lack, whichever came
    /// first and whatever they call the node.
    smi: HashMap<Device, Draft, RandomState>,
}

/// Makes GPUs from series of any names in any order; unknown names are passed over.
pub fn read<'a>(series: impl Iterator<Item = (&'a SeriesKey, Sample)>) -> Vec<Gpu> {
    let mut drafts = Drafts::default();
    for (key, sample) in series {
        if let Some(name) = number(&key.name) {
            drafts.take(name, key, sample);
        }
    }
    drafts.gpus()
}

impl Drafts {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.smi.is_empty()
    }

    /// Takes the living series of one name anew.
    pub fn retake<'a>(
        &mut self,
        name: &str,
        series: impl Iterator<Item = (&'a SeriesKey, Sample)>,
    ) {
        let Some(name) = number(name) else {
            return;
        };
        for draft in self.all.iter_mut().chain(self.smi.values_mut()) {
            draft.told.retain(|t| t.name != name);
        }
        for (key, sample) in series {
            self.take(name, key, sample);
        }
    }

    /// So often its series are asked for now.
    pub fn pace(&mut self, interval_ms: u32) {
        self.interval_ms = interval_ms;
    }

    /// What a series told before now, of a GPU that was not known so far.
    pub fn recall<P: Iterator<Item = Sample>>(
        &mut self,
        key: &SeriesKey,
        points: impl FnOnce() -> P,
    ) {
        let Some(name) = number(&key.name) else {
            return;
        };
        let Some((field @ (Field::Utilisation | Field::Used), factor)) = field(name, &key.labels)
        else {
            return;
        };
        let hole_ms = hole_ms(self.interval_ms);
        let Some(draft) = self.known(name, &key.labels) else {
            return;
        };
        let usage = &mut draft.usage;
        let (work, memory) = (usage.is_new_to_work(), usage.is_new_to_memory());
        let all = points().filter(|s| !is_blank(s.value)).map(|s| Sample {
            value: s.value * factor,
            ..s
        });
        match field {
            Field::Utilisation if work => all.for_each(|s| usage.work(s, hole_ms)),
            Field::Used if memory => all.for_each(|s| usage.memory(s)),
            _ => {}
        }
    }

    /// The device that the labels name, where it is known.
    fn known(&mut self, name: NameId, labels: &Labels) -> Option<&mut Draft> {
        if is_smi(name) {
            return self.smi.get_mut(&smi::device(labels)?);
        }
        let place = place_of(labels)?;
        let at = *self.places.get(node_of(labels))?.get(place.as_ref())?;
        self.all.get_mut(at)
    }

    fn take(&mut self, name: NameId, key: &SeriesKey, sample: Sample) {
        let labels = &key.labels;
        let Some((field, factor)) = field(name, labels) else {
            return;
        };
        if is_smi(name) {
            if let Some(device) = smi::device(labels) {
                let draft = self.smi.entry(device).or_insert_with(|| Draft::of(key));
                draft.take(name, field, factor, labels, sample);
            }
            return;
        }
        let Some(place) = place_of(labels) else {
            return;
        };
        let node = node_of(labels);
        let known = self.places.get(node).and_then(|n| n.get(place.as_ref()));
        let at = match known {
            Some(at) => *at,
            None => {
                let at = self.all.len();
                self.all.push(Draft::of(key));
                let places = self.places.entry(node.into()).or_default();
                places.insert(place.into_owned(), at);
                at
            }
        };
        if let Some(draft) = self.all.get_mut(at) {
            draft.take(name, field, factor, labels, sample);
        }
    }

    /// The GPUs as they are now; those that no series tells of any more are forgotten. Sorted by
    /// node, index and partition.
    pub fn gpus(&mut self) -> Vec<Gpu> {
        if self.all.iter().any(|d| d.told.is_empty()) {
            self.all.retain(|d| !d.told.is_empty());
            self.places.clear();
            for (at, draft) in self.all.iter().enumerate() {
                let places = self.places.entry(draft.gpu.node.clone()).or_default();
                places.insert(draft.gpu.place(), at);
            }
        }
        let mut gpus = self.finished();
        gpus.sort_by(|a, b| {
            let number = |g: &Gpu| g.index.parse().unwrap_or(u32::MAX);
            a.node
                .cmp(&b.node)
                .then_with(|| number(a).cmp(&number(b)))
                .then_with(|| (&a.index, &a.partition).cmp(&(&b.index, &b.partition)))
        });
        gpus
    }
}

impl Drafts {
    /// Those that exporters tell of, filled up, then those that only `nvidia-smi` knows.
    fn finished(&mut self) -> Vec<Gpu> {
        let hole_ms = hole_ms(self.interval_ms);
        let smi = &mut self.smi;
        smi.retain(|_, draft| !draft.told.is_empty());
        let mut known: HashSet<Device> = HashSet::new();
        let mut gpus = Vec::with_capacity(self.all.len() + smi.len());
        for draft in &mut self.all {
            let own = draft.device.as_ref().and_then(|device| smi.get(device));
            let card = draft.card().and_then(|device| smi.get(&device));
            gpus.push(draft.finish((own, card), hole_ms));
            // A card is known by its parts.
            if !smi.is_empty() {
                known.extend(draft.device.clone());
                known.extend(draft.card());
            }
        }
        known.extend(smi.values().filter_map(Draft::card));
        let others: Vec<Device> = smi
            .keys()
            .filter(|d| !known.contains(*d))
            .cloned()
            .collect();
        for device in others {
            if let Some(mut draft) = smi.remove(&device) {
                let card = draft.card().and_then(|device| smi.get(&device));
                gpus.push(draft.finish((None, card), hole_ms));
                smi.insert(device, draft);
            }
        }
        gpus
    }
}
