//! One device as its series tell of it, exporters and `nvidia-smi` apart.

use std::sync::Arc;

use super::fields::{Field, NameId, is_smi};
use super::made::Made;
use super::smi::{self, Process, Smi};
use super::usage::Usage;
use super::{Gpu, INDEX, is_blank, node_of, partition, workload};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::text;

/// UUID of the card, and number of the part.
pub(super) type Device = (String, String);

#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) gpu: Gpu,
    pub(super) told: Vec<Told>,
    pub(super) usage: Usage,
    pub(super) device: Option<Device>,
    /// Who held it when last looked at; `None`: not looked yet.
    held: Option<Option<(String, String)>>,
}

/// An exporter that has told nothing for this long leaves the field to `nvidia-smi`, milliseconds.
const YIELD_MS: i64 = 120_000;

/// A fault that is told by a series being there is over when the exporter went on without it for as
/// long as this, milliseconds: two polls of the most rarely asked cluster, and more.
const OVER_MS: u64 = 20 * 60_000;

/// Namespace and name, shared by the series that tell of it.
type Pod = Arc<(String, String)>;

/// One series.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) name: NameId,
    field: Field,
    pod: Option<Pod>,
    sample: Sample,
    note: Option<String>,
}

impl Draft {
    pub(super) fn of(key: &SeriesKey) -> Self {
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
        set(
            &mut gpu.driver,
            &[
                "DCGM_FI_DRIVER_VERSION",
                "DCGM_FI_SYSTEM_DRIVER_VERSION",
                "driver_version",
            ],
        );
        set(&mut gpu.bus, &["pci_bus_id", "pci_bdf"]);
        if self.device.is_none() {
            self.device = smi::device(labels);
        }
    }

    pub(super) fn take(
        &mut self,
        name: NameId,
        field: Field,
        factor: f64,
        labels: &Labels,
        sample: Sample,
    ) {
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

    /// The card that this is a part of.
    pub(super) fn card(&self) -> Option<Device> {
        let (uuid, _) = self.device.as_ref().filter(|(_, part)| !part.is_empty())?;
        Some((uuid.clone(), String::new()))
    }

    /// `own`, `card`: what `nvidia-smi` tells of the same device, and of the card it is a part of.
    pub(super) fn finish(
        &mut self,
        (own, card): (Option<&Draft>, Option<&Draft>),
        hole_ms: u64,
    ) -> Gpu {
        let mut made = Made::of(self.gpu.clone());
        let newest = self.told.iter().map(|t| t.sample.at).max();
        for told in &self.told {
            let over = newest.is_some_and(|n| n.age_since_ms(told.sample.at) > OVER_MS);
            if over && matches!(told.field, Field::Fault | Field::Peer) {
                continue;
            }
            made.take(told.field, told.sample, told.note.as_deref());
        }
        let by_smi = self.told.iter().filter(|t| is_smi(t.name));
        let mut fills: Vec<&str> = by_smi.map(|t| smi::word(t.field)).collect();
        let of_own = own.iter().flat_map(|draft| &draft.told);
        let of_card = card.iter().flat_map(|draft| &draft.told);
        for told in of_own.chain(of_card.filter(|t| smi::is_of_card(t.field))) {
            if self.lacks(told) {
                made.take(told.field, told.sample, told.note.as_deref());
                fills.push(smi::word(told.field));
            }
        }
        let mut gpu = made.finish();
        let read = [own, Some(&*self), card].into_iter().flatten();
        gpu.smi = read.filter_map(Draft::read_by).next();
        if let Some(smi) = &mut gpu.smi {
            fills.retain(|word| !word.is_empty());
            fills.sort_unstable();
            fills.dedup();
            smi.fills = fills;
        }
        for other in [own, card].into_iter().flatten() {
            let known = |own: &mut Option<String>, other: &Option<String>| {
                *own = own.take().or_else(|| other.clone());
            };
            known(&mut gpu.model, &other.gpu.model);
            known(&mut gpu.driver, &other.gpu.driver);
            known(&mut gpu.bus, &other.gpu.bus);
        }
        self.hold(&mut gpu, hole_ms);
        gpu
    }

    /// Nothing here tells it, or not for long.
    fn lacks(&self, other: &Told) -> bool {
        let same = self.told.iter().filter(|t| t.field == other.field);
        let newest = same.map(|t| t.sample.at).max();
        newest.is_none_or(|at| other.sample.at.0 - at.0 > YIELD_MS)
    }

    /// Who it was that told, and what is no reading. `None`: the card itself was not read.
    fn read_by(&self) -> Option<Smi> {
        let card = self.told.iter().find(|t| t.field == Field::Card)?;
        let now = |t: &&Told| t.sample.at == card.sample.at;
        let mut processes: Vec<Process> = self
            .told
            .iter()
            .filter(now)
            .filter_map(|told| {
                let memory_mib = match told.field {
                    Field::Process => Some(told.sample.value),
                    Field::ProcessAlone => None,
                    _ => return None,
                };
                let name = told.note.clone()?;
                Some(Process { name, memory_mib })
            })
            .collect();
        processes.sort_by(|a, b| {
            let size = |p: &Process| p.memory_mib.unwrap_or(-1.0);
            size(b)
                .total_cmp(&size(a))
                .then_with(|| a.name.cmp(&b.name))
        });
        Some(Smi {
            at: card.sample.at,
            read_in: card.note.clone().unwrap_or_default(),
            fills: Vec::new(),
            processes,
        })
    }

    /// Who holds it, and what it does over time.
    fn hold(&mut self, gpu: &mut Gpu, hole_ms: u64) {
        let mut pods: Vec<&Pod> = Vec::new();
        for told in &self.told {
            let new = |pod: &&Pod| !pods.contains(pod);
            pods.extend(told.pod.as_ref().filter(new));
        }
        pods.sort_unstable();
        gpu.holders = pods.iter().map(|pod| pod.as_ref().clone()).collect();
        gpu.pod = gpu.holders.first().cloned();
        if self.held.as_ref().is_some_and(|held| *held != gpu.pod) {
            self.usage.change_hands();
        }
        self.held = Some(gpu.pod.clone());
        if let Some(sample) = gpu.utilisation {
            self.usage.work(sample, hole_ms);
        }
        if let Some(sample) = gpu.memory_used_mib {
            self.usage.memory(sample);
        }
        gpu.idle_since = self.usage.idle_since();
        gpu.growth = self.usage.growth();
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
        // Without a peer it is the best of all paths: it says only that they are looked at.
        Field::Peer => format!("GPU {}: {}", labels.get("peer_gpu")?, label("link_status")),
        Field::Fault => format!("AFID {value} {}", label("severity")),
        Field::Card => labels.get("read_in")?.to_owned(),
        Field::Process | Field::ProcessAlone => {
            format!("{} {} ({})", label("pid"), label("process"), label("type"))
        }
        _ => return None,
    };
    Some(text::clean(&said, 120))
}
