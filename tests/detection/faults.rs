//! Faults of a whole site, each with its healthy variation: what the true cause is stands first,
//! its first sign is dated near the onset, and the variation is no incident.

use crate::fault_table::{FAULTS, Fault, Truth};
use crate::site::{AFTER, Site, WEB};
use farwatch::incident::Incident;
use farwatch::state::world::World;

/// What came out of one fault.
struct Outcome {
    name: &'static str,
    /// Place of the true cause in its list, from 1; 0: not there.
    rank: usize,
    first: String,
    /// Minutes from the onset to the first incident told, and to its first sign.
    told: Option<f64>,
    sign: Option<f64>,
    incidents: Vec<String>,
}

fn ranks(world: &World, incident: &Incident, truth: Truth) -> (usize, String) {
    let causes = world.causes(incident);
    let names: Vec<String> = match truth {
        Truth::Place(_) => causes
            .ranking
            .places
            .iter()
            .map(|c| causes.name(c))
            .collect(),
        Truth::Change(_) => causes
            .ranking
            .changes
            .iter()
            .map(|c| causes.name(c))
            .collect(),
    };
    let is = |name: &String| match truth {
        Truth::Place(wanted) => {
            name == wanted
                || name.starts_with(&format!("{wanted} "))
                || name.ends_with(&format!("node {wanted}"))
        }
        Truth::Change(wanted) => name.contains(wanted),
    };
    let rank = names.iter().position(is).map_or(0, |at| at + 1);
    (rank, names.into_iter().next().unwrap_or_default())
}

fn played(fault: &Fault) -> Outcome {
    let (names, ill): (&[&str], u16) = match fault.everywhere {
        true => (&["alpha", "beta", "gamma"], 3),
        false => (&["alpha"], 1),
    };
    let mut site = Site::new(names, ill);
    let mut told = None;
    site.play(fault.ill, |stage, since| {
        if told.is_none() && !stage.world.incidents.is_empty() {
            told = Some(since);
        }
    });
    let world = &site.stage.world;
    let onset = crate::stage::Stage::at(crate::site::ONSET);
    let signs = world
        .incidents
        .iter()
        .map(|i| (i.opened.0 - onset.0) as f64 / 60_000.0);
    let best = world.incidents.iter().map(|i| ranks(world, i, fault.truth));
    let best = best.min_by_key(|(rank, _)| if *rank == 0 { usize::MAX } else { *rank });
    let (rank, first) = best.unwrap_or_default();
    Outcome {
        name: fault.name,
        rank,
        first,
        told,
        sign: signs.reduce(f64::min),
        incidents: world.incidents.iter().map(|i| i.title.clone()).collect(),
    }
}

/// What is gone was last seen an interval before, minutes.
const STEP: f64 = 0.25;
/// Three intervals of the poll, minutes.
const NEAR: f64 = 0.75;

#[test]
fn the_true_cause_of_each_fault_stands_first() {
    let outcomes: Vec<Outcome> = FAULTS.iter().map(played).collect();
    let mut table = String::new();
    for o in &outcomes {
        let (told, sign) = (o.told.unwrap_or(f64::NAN), o.sign.unwrap_or(f64::NAN));
        table.push_str(&format!(
            "{} rank {} told {told:.2} sign {sign:.2} incidents {} first: {}\n",
            o.name,
            o.rank,
            o.incidents.len(),
            o.first
        ));
        if o.rank != 1 || o.incidents.len() != 1 {
            o.incidents
                .iter()
                .for_each(|i| table.push_str(&format!("      {i}\n")));
        }
    }
    println!("{table}");
    assert!(outcomes.len() >= 20);
    let first = outcomes.iter().filter(|o| o.rank == 1).count();
    assert!(
        first * 10 >= outcomes.len() * 9,
        "first in {first}:\n{table}"
    );
    let near = outcomes
        .iter()
        .filter(|o| (1..=3).contains(&o.rank))
        .count();
    assert_eq!(near, outcomes.len(), "in the first three:\n{table}");
    for o in &outcomes {
        let sign = o.sign.unwrap_or(f64::INFINITY);
        assert!(
            (-STEP..=NEAR).contains(&sign),
            "first sign of {} at {sign}:\n{table}",
            o.name
        );
        let told = o.told.unwrap_or(f64::INFINITY);
        assert!(told < AFTER, "{} was told at {told}", o.name);
    }
}

/// The one that is for a fault.
const RUNBOOKS: &[(&str, &str)] = &[
    ("a GPU falls off the bus, its model gets slow", "gpu-xid"),
    ("a GPU gets hot and is held down", "gpu-hot"),
    ("memory errors of a GPU wait for a row remap", "gpu-memory"),
    ("uncorrectable memory errors stop a GPU's jobs", "gpu-xid"),
    ("NVLink errors slow the model", "gpu-nvlink"),
    (
        "the clock loses its source and runs free; the vDU alarms",
        "ptp-freerun",
    ),
    ("the clock holds over", "ptp-holdover"),
    ("a port of ptp4l is faulty", "ptp-port-faulty"),
    (
        "functions cannot be made; the vDU waits for one",
        "sriov-sync",
    ),
    (
        "one virtual function drops what the vDU is sent",
        "sriov-vf-drops",
    ),
    (
        "a core of the vDU does not keep up with its fronthaul port",
        "dpdk-loss",
    ),
    ("the network of a node drops packets", "node-network"),
    ("a node runs short of memory and evicts", "node-memory"),
    ("a disk is full", "node-disk"),
    ("a node is gone", "node-not-ready"),
    (
        "a container is killed for its memory, what calls it fails",
        "pod-oom",
    ),
    ("a bad deploy crashes", "pod-crashloop"),
    ("a deploy names an image that is not there", "image-pull"),
    (
        "a noisy neighbour takes the processors of a node",
        "node-cpu",
    ),
    ("names do not resolve", "dns"),
    ("a certificate ended", "certificate"),
    (
        "a database is slow, and what needs it after it",
        "slow-database",
    ),
    ("a model's queue fills", "vllm-saturated"),
    ("the grandmaster of three clusters fails", "ptp-freerun"),
];

fn runbook(fault: &Fault) -> &'static str {
    let found = RUNBOOKS.iter().find(|(name, _)| *name == fault.name);
    found
        .unwrap_or_else(|| panic!("no runbook is for {}", fault.name))
        .1
}

/// What the operator is told to look at is about the fault.
#[test]
fn each_fault_has_its_runbook() {
    let mut table = String::new();
    let (mut without, mut first) = (0, 0);
    for fault in FAULTS {
        let names: &[&str] = match fault.everywhere {
            true => &["alpha", "beta", "gamma"],
            false => &["alpha"],
        };
        let mut site = Site::new(names, names.len() as u16);
        site.play(fault.ill, |_, _| {});
        let world = &site.stage.world;
        let fitting = world.incidents.iter().map(|i| (i, world.runbooks_for(i)));
        let named: Vec<String> = fitting
            .flat_map(|(_, all)| {
                all.into_iter()
                    .map(|f| format!("{} ({})", f.runbook.id, f.why))
            })
            .collect();
        let wanted = format!("{} ", runbook(fault));
        let right = named.iter().any(|n| n.starts_with(&wanted));
        first += usize::from(named.first().is_some_and(|n| n.starts_with(&wanted)));
        without += usize::from(!right);
        table.push_str(&format!("{right} {}: {}\n", fault.name, named.join(", ")));
        for f in world
            .incidents
            .iter()
            .flat_map(|i| &i.findings)
            .filter(|_| !right)
        {
            table.push_str(&format!("      {} | {}\n", f.signal, f.text));
        }
    }
    println!("{table}");
    assert_eq!(without, 0, "{table}");
    assert!(first * 10 >= FAULTS.len() * 9, "first of {first}:\n{table}");
}

#[test]
fn a_healthy_variation_of_each_fault_is_no_incident() {
    for fault in FAULTS {
        let mut site = Site::new(&["alpha"], 1);
        site.play(fault.well, |_, _| {});
        let incidents = site.stage.world.incidents.iter();
        let titles: Vec<_> = incidents.map(|i| &i.title).collect();
        assert!(titles.is_empty(), "{}: {titles:#?}", fault.name);
    }
}

/// The names of the pods are those of the site.
#[test]
fn the_site_is_quiet_by_itself() {
    let mut site = Site::new(&["alpha"], 1);
    site.play(|t| assert_eq!(t.pod(WEB).phase, "Running"), |_, _| {});
    let incidents = &site.stage.world.incidents;
    assert!(incidents.is_empty(), "{incidents:#?}");
}
