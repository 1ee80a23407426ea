//! What is told survives; what is cut is left out.

use super::*;
use crate::model::finding::{Evidence, Finding};
use crate::model::incident::Incident;
use crate::model::news::Event;

fn change(id: u64, revision: u32) -> Change {
    let incident = Incident {
        title: format!("incident {id} as of {revision}"),
        ..Incident::bare(id)
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
    spool.acknowledged(&[first]).expect("written");
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
    let rest: Vec<u64> = spool.waiting().map(|m| m.number).collect();
    spool.acknowledged(&rest).expect("written");
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
            .map(|n| spool.acknowledged(&[n]))
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

/// What waits for a permission holds up nobody, and is not forgotten with those that went on.
#[test]
fn one_that_waits_stays_while_others_go() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut spool, _) = open(folder.path());
    let all = [change(1, 1), change(2, 1), change(1, 2), change(3, 1)];
    spool.tell(&all, true).expect("told");
    let numbers: Vec<u64> = spool.waiting().map(|m| m.number).collect();
    spool.acknowledged(&numbers[1..3]).expect("written");
    let waits = [all[0].id.clone(), all[3].id.clone()];
    let bytes = spool.pending().1;
    // Twice: read from records, and from the file that was written anew.
    for _ in 0..2 {
        assert_eq!(ids(&spool), waits);
        assert_eq!(spool.pending(), (2, bytes));
        drop(spool);
        let known;
        (spool, known) = open(folder.path());
        let newest: Vec<(u64, u32)> = known
            .iter()
            .map(|c| (c.incident.id.0, c.revision))
            .collect();
        assert_eq!(newest, [(1, 2), (2, 1), (3, 1)]);
    }
    spool
        .acknowledged(&[numbers[0], numbers[3]])
        .expect("written");
    drop(spool);
    assert_eq!(open(folder.path()).0.pending(), (0, 0));
}

#[test]
fn what_is_too_large_is_cut_and_counted() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut spool, _) = Spool::open(folder.path(), 64 << 20, Timestamp(0)).expect("opened");
    let mut told = change(1, 1);
    let evidence = vec![Evidence::Text("x".repeat(8_000)); 20];
    let findings = (0..200).map(|n| Finding {
        evidence: evidence.clone(),
        ..Finding::bare(&format!("f{n}"))
    });
    Arc::make_mut(&mut told.incident).findings = findings.collect();
    let done = spool.tell(std::slice::from_ref(&told), true).expect("told");
    assert_eq!((done.dropped, done.cut), (0, 1));
    let sent = spool.waiting().next().expect("waits").clone();
    assert!(sent.body.len() <= BODY, "{}", sent.body.len());
    let read: Change = rmp_serde::from_slice(&sent.body).expect("a change");
    assert!(read.cut);
    assert_eq!((&read.id, read.incident.findings.len()), (&told.id, 200));
    // It would be larger than what a file is believed.
    assert!(rmp_serde::to_vec_named(&told).expect("packed").len() > MOST);
    drop(spool);
    let (spool, known) = Spool::open(folder.path(), 64 << 20, Timestamp(0)).expect("opened");
    assert_eq!(
        (spool.broken, known.len(), ids(&spool)),
        (0, 1, vec![told.id])
    );
}
