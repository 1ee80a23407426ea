//! What is told survives; what is cut is left out.

use super::*;
use crate::model::alert::Severity;
use crate::model::id::ClusterId;
use crate::model::incident::{Incident, IncidentState};
use crate::model::news::Event;

fn change(id: u64, revision: u32) -> Change {
    let incident = Incident {
        id: IncidentId(id),
        number: 1,
        cluster: ClusterId(0),
        severity: Severity::Warning,
        state: IncidentState::Open,
        title: format!("incident {id} as of {revision}"),
        opened: Timestamp(0),
        changed: Timestamp(0),
        closed: None,
        score: 0.5,
        subjects: Vec::new(),
        nodes: Default::default(),
        findings: Vec::new(),
        desk: Default::default(),
        reopened: 0,
        revision: 0,
        awaited: None,
        handed: None,
    };
    let (cluster, by) = (Arc::from("lyon-1"), Arc::from("w1"));
    Change::new(
        Event::IncidentChanged,
        cluster,
        by,
        revision,
        Arc::new(incident),
        Timestamp(0),
    )
}

/// Some kilobytes.
fn long(id: u64, revision: u32) -> Change {
    let mut told = change(id, revision);
    let title = "x".repeat(4_000);
    told.incident = Arc::new(Incident {
        title,
        ..told.incident.as_ref().clone()
    });
    told
}

fn open(folder: &Path) -> (Spool, Vec<Change>) {
    Spool::open(folder, 1 << 20, Timestamp(0)).expect("opened")
}

fn ids(spool: &Spool) -> Vec<String> {
    spool.waiting().map(|m| m.id.clone()).collect()
}

#[test]
fn what_was_not_acknowledged_is_there_again() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut spool, known) = open(folder.path());
    assert!(known.is_empty());
    spool
        .tell(&[change(1, 1), change(2, 1)], true)
        .expect("told");
    spool.tell(&[change(1, 2)], true).expect("told");
    let first = spool.waiting().next().expect("waits").number;
    spool.acknowledged(first).expect("written");
    let waits = ids(&spool);
    assert_eq!(waits.len(), 2);
    for _ in 0..3 {
        drop(spool);
        let known;
        (spool, known) = open(folder.path());
        assert_eq!(ids(&spool), waits);
        let newest: Vec<(u64, u32)> = known
            .iter()
            .map(|c| (c.incident.id.0, c.revision))
            .collect();
        assert_eq!(newest, [(1, 2), (2, 1)]);
    }
    let last = spool.waiting().last().expect("waits").number;
    spool.acknowledged(last).expect("written");
    drop(spool);
    let (spool, known) = open(folder.path());
    assert_eq!((spool.pending(), known.len()), ((0, 0), 2));
}

#[test]
fn a_file_cut_or_broken_anywhere_is_read_up_to_there() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut spool, _) = open(folder.path());
    for n in 1..=3 {
        spool.tell(&[change(n, 1)], true).expect("told");
    }
    let all = ids(&spool);
    drop(spool);
    let file = folder.path().join(FILE);
    let whole = std::fs::read(&file).expect("there");
    let each = whole.len() / 3;
    for at in (0..whole.len()).step_by(7) {
        std::fs::write(&file, &whole[..at]).expect("cut");
        let (mut spool, _) = open(folder.path());
        assert_eq!(ids(&spool), all[..at / each], "cut at {at}");
        assert_eq!(spool.broken as usize, at % each);
        // What comes then is not hidden behind it.
        spool.tell(&[change(9, 1)], true).expect("told");
        drop(spool);
        assert_eq!(open(folder.path()).0.pending().0 as usize, at / each + 1);
        let mut odd = whole.clone();
        odd[at] ^= 0x40;
        std::fs::write(&file, odd).expect("broken");
        assert_eq!(
            ids(&open(folder.path()).0),
            all[..at / each],
            "broken at {at}"
        );
    }
}

#[test]
fn the_oldest_give_way_and_are_counted() {
    let folder = tempfile::tempdir().expect("folder");
    let one = rmp_serde::to_vec_named(&change(1, 1))
        .expect("packed")
        .len() as u64;
    let (mut spool, _) = Spool::open(folder.path(), one * 3, Timestamp(0)).expect("opened");
    let mut dropped = 0;
    for n in 1..=8 {
        dropped += spool.tell(&[change(n, 1)], true).expect("told").dropped;
    }
    assert_eq!((spool.pending(), dropped), ((3, 3 * one), 5));
    let waits = ids(&spool);
    drop(spool);
    let (spool, known) = open(folder.path());
    assert_eq!((ids(&spool), known.len()), (waits, 8));
}

#[test]
fn it_does_not_grow_with_what_is_done() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut spool, _) = open(folder.path());
    for n in 1..=1_000 {
        let told = long(n % 5, n as u32);
        spool
            .tell(std::slice::from_ref(&told), n % 2 == 0)
            .expect("told");
        let number = spool.waiting().last().map(|m| m.number);
        number
            .map(|n| spool.acknowledged(n))
            .transpose()
            .expect("written");
    }
    let size = std::fs::metadata(folder.path().join(FILE))
        .expect("there")
        .len();
    assert!(size < 2 * SLACK, "{size}");
    drop(spool);
    assert_eq!(open(folder.path()).1.len(), 5);
}

#[test]
fn one_folder_is_one_watchers() {
    let folder = tempfile::tempdir().expect("folder");
    let held = open(folder.path());
    let error = Spool::open(folder.path(), 1, Timestamp(0)).expect_err("taken");
    assert!(error.to_string().contains("another watcher"), "{error}");
    drop(held);
    open(folder.path());
}
