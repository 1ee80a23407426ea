//! From what one run told to series, named and labelled so that they meet those of exporters.

use std::sync::Arc;

use smallvec::smallvec;

use super::read::{Card, Process, Read};
use super::told::Told;
use crate::model::gpu::smi::{CARD, PROCESS, PROCESS_ALONE};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::time::Timestamp;

/// Processes of one card that are told, greatest first.
const PROCESSES: usize = 8;

type Pair<'a> = (&'a str, &'a str);

/// All that was told of the cards of a node, read in the pod `read_in` at this time.
pub fn series(read: &Read, node: &str, read_in: &str, at: Timestamp) -> Vec<SeriesSamples> {
    let mut all = Vec::new();
    for (index, card) in read.cards.iter().enumerate() {
        // NVIDIA's index is the place in the list.
        let index = index.to_string();
        let mut own = Own {
            at,
            base: [("node", node), ("gpu", &index), ("UUID", &card.uuid)],
            all: &mut all,
        };
        let about = [
            ("modelName", card.model.as_str()),
            ("driver_version", &read.driver),
            ("cuda_version", &read.cuda),
            ("pci_bus_id", &card.bus),
            ("read_in", read_in),
        ];
        own.card(card, &about);
    }
    all
}

struct Own<'a> {
    at: Timestamp,
    base: [Pair<'a>; 3],
    all: &'a mut Vec<SeriesSamples>,
}

impl Own<'_> {
    fn card(&mut self, card: &Card, about: &[Pair<'_>]) {
        // Without it, it is no device that could be told from others.
        if card.uuid.is_empty() {
            return;
        }
        self.push(CARD, 1.0, about);
        self.told(&card.told, &[]);
        let mut instances: Vec<&str> = Vec::new();
        for part in &card.parts {
            let instance = part.instance.as_str();
            // Compute instances share the memory of their GPU instance.
            if instance.is_empty() || instances.contains(&instance) {
                continue;
            }
            instances.push(instance);
            let names = part_of(instance);
            self.push(CARD, 1.0, &[about, &names].concat());
            self.told(&part.told, &names);
        }
        let mut processes: Vec<&Process> = card.processes.iter().collect();
        let size = |p: &Process| p.memory_bytes.unwrap_or(-1.0);
        processes.sort_by(|a, b| size(b).total_cmp(&size(a)));
        for process in processes.into_iter().take(PROCESSES) {
            self.process(process, instances.contains(&process.instance.as_str()));
        }
    }

    fn process(&mut self, process: &Process, in_part: bool) {
        let mut names = vec![
            ("pid", process.pid.as_str()),
            ("process", &process.name),
            ("type", &process.kind),
        ];
        if in_part {
            names.extend(part_of(&process.instance));
        }
        match process.memory_bytes {
            Some(bytes) => self.push(PROCESS, bytes, &names),
            None => self.push(PROCESS_ALONE, 1.0, &names),
        }
    }

    fn told(&mut self, told: &Told, names: &[Pair<'_>]) {
        for (name, (_, value)) in told {
            self.push(name, *value, names);
        }
    }

    fn push(&mut self, name: &str, value: f64, more: &[Pair<'_>]) {
        let pairs = self.base.iter().chain(more);
        let labels = Labels::from_pairs(pairs.copied());
        self.all.push(SeriesSamples {
            key: SeriesKey::new(Arc::from(name), labels),
            kind: SampleKind::Gauge,
            points: smallvec![Sample { at: self.at, value }],
        });
    }
}

/// Exporters name the profile, too, which is not told here.
fn part_of(instance: &str) -> [Pair<'_>; 2] {
    [("GPU_I_PROFILE", "MIG"), ("GPU_I_ID", instance)]
}
