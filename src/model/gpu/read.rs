//! GPUs from the newest samples of exporter series, kept name by name: an answer that brings some
//! names changes what they tell and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::fields::{Field, NameId, field, number};
use super::made::Made;
use super::usage::Usage;
use super::{Gpu, INDEX, is_blank, node_of, partition, place_of, workload};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::text;

/// What exporters tell of the GPUs of one cluster.
#[derive(Debug, Default)]
pub struct Drafts {
    all: Vec<Draft>,
    /// Place in `all`, by node and by index and partition.
    places: HashMap<Arc<str>, HashMap<String, usize, RandomState>, RandomState>,
}

#[derive(Debug, Default)]
struct Draft {
    gpu: Gpu,
    told: Vec<Told>,
    usage: Usage,
    /// Who held it when last looked at; `None`: not looked yet.
    held: Option<Option<(String, String)>>,
}

/// Namespace and name, shared by the series that tell of it.
type Pod = Arc<(String, String)>;

/// One series.
#[derive(Debug)]
struct Told {
    name: NameId,
    field: Field,
    pod: Option<Pod>,
    sample: Sample,
    note: Option<String>,
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
        self.all.is_empty()
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
        for draft in &mut self.all {
            draft.told.retain(|t| t.name != name);
        }
        for (key, sample) in series {
            self.take(name, key, sample);
        }
    }

    /// What a series told before now, of a GPU that was not known so far.
    pub fn recall<P: Iterator<Item = Sample>>(
        &mut self,
        key: &SeriesKey,
        points: impl FnOnce() -> P,
    ) {
        let told = number(&key.name).and_then(|name| field(name, &key.labels));
        let Some((field @ (Field::Utilisation | Field::Used), factor)) = told else {
            return;
        };
        let Some(place) = place_of(&key.labels) else {
            return;
        };
        let places = self.places.get(node_of(&key.labels));
        let at = places.and_then(|n| n.get(place.as_ref())).copied();
        let Some(draft) = at.and_then(|at| self.all.get_mut(at)) else {
            return;
        };
        let usage = &mut draft.usage;
        let take: fn(&mut Usage, Sample) = match field {
            Field::Utilisation if usage.is_new_to_work() => Usage::work,
            Field::Used if usage.is_new_to_memory() => Usage::memory,
            _ => return,
        };
        for sample in points().filter(|s| !is_blank(s.value)) {
            let value = sample.value * factor;
            take(usage, Sample { value, ..sample });
        }
    }

    fn take(&mut self, name: NameId, key: &SeriesKey, sample: Sample) {
        let labels = &key.labels;
        let Some((field, factor)) = field(name, labels) else {
            return;
        };
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
        let mut gpus: Vec<Gpu> = self.all.iter_mut().map(Draft::finish).collect();
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

impl Draft {
    fn of(key: &SeriesKey) -> Self {
        let labels = &key.labels;
        let vendor = if key.name.starts_with("hw_") {
            "intel"
        } else if labels.get("gpu_id").is_some() {
            "amd"
        } else {
            "nvidia"
        };
        Self {
            gpu: Gpu {
                vendor,
                node: node_of(labels).into(),
                index: labels.first_of(&INDEX).unwrap_or("").to_owned(),
                partition: partition(labels),
                ..Gpu::default()
            },
            ..Self::default()
        }
    }

    /// Not every series has every label.
    fn identify(&mut self, labels: &Labels) {
        let set = |place: &mut Option<String>, names: &[&str]| {
            if place.is_none() {
                *place = labels.first_of(names).map(str::to_owned);
            }
        };
        let gpu = &mut self.gpu;
        set(
            &mut gpu.uuid,
            &["UUID", "uuid", "gpu_uuid", "serial_number", "hw_id"],
        );
        set(
            &mut gpu.model,
            &["modelName", "card_series", "card_model", "hw_name"],
        );
        set(&mut gpu.driver, &["DCGM_FI_DRIVER_VERSION"]);
        set(&mut gpu.bus, &["pci_bus_id", "pci_bdf"]);
    }

    fn take(&mut self, name: NameId, field: Field, factor: f64, labels: &Labels, sample: Sample) {
        self.identify(labels);
        let pod = workload(labels).map(|(namespace, pod)| {
            let mut known = self.told.iter().rev().filter_map(|t| t.pod.as_ref());
            let same = known.find(|p| p.0 == namespace && p.1 == pod).cloned();
            same.unwrap_or_else(|| Arc::new((namespace.to_owned(), pod.to_owned())))
        });
        let blank = is_blank(sample.value);
        self.told.push(Told {
            name,
            field: if blank { Field::Blank } else { field },
            pod,
            sample: Sample {
                value: sample.value * factor,
                ..sample
            },
            note: note(field, labels, sample.value),
        });
    }

    fn finish(&mut self) -> Gpu {
        let mut made = Made::of(self.gpu.clone());
        let mut pods: Vec<&Pod> = Vec::new();
        for told in &self.told {
            made.take(told.field, told.sample, told.note.as_deref());
            let new = |pod: &&Pod| !pods.contains(pod);
            pods.extend(told.pod.as_ref().filter(new));
        }
        let mut gpu = made.finish();
        pods.sort_unstable();
        gpu.pods = pods.len();
        gpu.pod = pods.first().map(|pod| pod.as_ref().clone());
        if self.held.as_ref().is_some_and(|held| *held != gpu.pod) {
            self.usage.change_hands();
        }
        self.held = Some(gpu.pod.clone());
        if let Some(sample) = gpu.utilisation {
            self.usage.work(sample);
        }
        if let Some(sample) = gpu.memory_used_mib {
            self.usage.memory(sample);
        }
        gpu.idle_since = self.usage.idle_since();
        gpu.growth = self.usage.growth();
        gpu
    }
}

/// What a label says beside the value.
fn note(field: Field, labels: &Labels, value: f64) -> Option<String> {
    let label = |name: &str| labels.get(name).unwrap_or("?");
    let said = match field {
        Field::Xid => labels.get("err_msg")?.to_owned(),
        Field::HealthCheck if value >= 5.0 => {
            // Without it, it is the worst of all checks.
            let watch = labels.get("health_watch")?;
            let code = label("health_error_code");
            format!("{watch} {}", code.trim_start_matches("DCGM_FR_"))
        }
        Field::Peer => format!("GPU {}: {}", label("peer_gpu"), label("link_status")),
        Field::Fault => format!("AFID {value} {}", label("severity")),
        _ => return None,
    };
    Some(text::clean(&said, 120))
}
