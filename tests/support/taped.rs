//! Recordings of the site's faults and of its healthy variations, for the evaluation set
//! (`tests/evals/site.toml`): half an hour in which all is well, then a quarter in which it is so or not.

use std::fs::File;
use std::path::Path;

use farwatch::bundle::{Header, RecordedCluster, Writer};
use farwatch::model::health::SourceKind;

use crate::fault_table::{FAULTS, Fault, Truth};
use crate::site::{ONSET, Site};
use crate::stage::Stage;

/// So long before the onset a recording begins, minutes.
const BEFORE: f64 = 30.0;

/// What is recorded: a file for each fault, and for some the variation of it that is none.
#[derive(Clone, Copy, Debug)]
pub struct Recording {
    pub file: &'static str,
    /// As the table of faults calls it.
    fault: &'static str,
    well: bool,
}

const fn ill(file: &'static str, fault: &'static str) -> Recording {
    Recording {
        file,
        fault,
        well: false,
    }
}

const fn well(file: &'static str, fault: &'static str) -> Recording {
    Recording {
        file,
        fault,
        well: true,
    }
}

pub const RECORDINGS: &[Recording] = &[
    ill("gpu-lost", "a GPU falls off the bus, its model gets slow"),
    ill("gpu-hot", "a GPU gets hot and is held down"),
    ill("gpu-remap", "memory errors of a GPU wait for a row remap"),
    ill("gpu-ecc", "uncorrectable memory errors stop a GPU's jobs"),
    ill("gpu-nvlink", "NVLink errors slow the model"),
    ill(
        "ptp-freerun",
        "the clock loses its source and runs free; the vDU alarms",
    ),
    ill("ptp-holdover", "the clock holds over"),
    ill("ptp-port", "a port of ptp4l is faulty"),
    ill(
        "sriov-sync",
        "functions cannot be made; the vDU waits for one",
    ),
    ill(
        "sriov-vf",
        "one virtual function drops what the vDU is sent",
    ),
    ill(
        "dpdk-loss",
        "a core of the vDU does not keep up with its fronthaul port",
    ),
    ill("node-network", "the network of a node drops packets"),
    ill("node-memory", "a node runs short of memory and evicts"),
    ill("disk-full", "a disk is full"),
    ill("node-gone", "a node is gone"),
    ill(
        "pod-oom",
        "a container is killed for its memory, what calls it fails",
    ),
    ill("bad-deploy", "a bad deploy crashes"),
    ill("no-image", "a deploy names an image that is not there"),
    ill(
        "noisy-neighbour",
        "a noisy neighbour takes the processors of a node",
    ),
    ill("dns", "names do not resolve"),
    ill("certificate", "a certificate ended"),
    ill(
        "slow-database",
        "a database is slow, and what needs it after it",
    ),
    ill("queue-full", "a model's queue fills"),
    ill("grandmaster", "the grandmaster of three clusters fails"),
    well("gpu-warm", "a GPU gets hot and is held down"),
    well("good-deploy", "a bad deploy crashes"),
    well(
        "clock-wanders",
        "the clock loses its source and runs free; the vDU alarms",
    ),
];

impl Recording {
    fn fault(&self) -> &'static Fault {
        let found = FAULTS.iter().find(|fault| fault.name == self.fault);
        found.unwrap_or_else(|| panic!("there is no fault {:?}", self.fault))
    }

    /// Words of where it began, or of the change that did it.
    pub fn truth(&self) -> &'static str {
        match (self.well, self.fault().truth) {
            (true, _) => "nothing is wrong",
            (false, Truth::Place(words) | Truth::Change(words)) => words,
        }
    }

    /// Plays it into a file of this folder.
    pub fn write(&self, folder: &Path) -> std::path::PathBuf {
        let fault = self.fault();
        let names: &[&str] = match fault.everywhere {
            true => &["alpha", "beta", "gamma"],
            false => &["alpha"],
        };
        let mut site = Site::new(names, names.len() as u16);
        site.tape(ONSET - BEFORE);
        site.play(if self.well { fault.well } else { fault.ill }, |_, _| {});
        let clusters = names.iter().map(|name| RecordedCluster {
            name: (*name).to_owned(),
            kind: "spoke".into(),
            sources: vec![
                SourceKind::Kubernetes,
                SourceKind::Prometheus,
                SourceKind::Alertmanager(0),
            ],
            ..RecordedCluster::default()
        });
        let header = Header::new(clusters.collect(), Stage::at(ONSET - BEFORE));
        let path = folder.join(self.file).with_extension("fwr");
        let file = File::create(&path).expect("a file");
        let mut writer = Writer::new(file, &header).expect("a header");
        for told in site.stage.tape.iter().flatten() {
            writer.push(told).expect("written");
        }
        writer.finish().expect("finished");
        path
    }
}
