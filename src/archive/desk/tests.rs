use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::archive::tests::{incident, kept};

const FOR_EVER: Duration = Duration::from_secs(1_000_000_000);

fn start(path: &std::path::Path) -> (Desk, Receiver<Recalled>) {
    let (tell, told) = channel();
    let told_by = Box::new(move |said| {
        let _ = tell.send(said);
    });
    let desk = Desk::start(path.to_owned(), FOR_EVER, Timestamp(0), told_by).expect("a thread");
    (desk, told)
}

fn titles(path: &std::path::Path) -> Vec<String> {
    let archive = Archive::open(path).expect("archive");
    let known = archive.known(Timestamp(i64::MIN)).expect("known");
    let mut titles: Vec<_> = known
        .incidents
        .into_iter()
        .map(|p| p.incident.title)
        .collect();
    titles.sort();
    titles
}

#[test]
fn what_could_not_be_written_is_written_with_what_comes_next() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("farwatch.db");
    let (mut desk, told) = start(&path);
    assert!(matches!(told.recv(), Ok(Recalled::Begin { .. })));
    // Somebody else holds the file longer than anyone waits.
    let other = rusqlite::Connection::open(&path).expect("open");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    desk.keep(vec![kept(incident(1, "first", None), &[])]);
    let fault = told.recv().expect("told");
    let Recalled::Fault(text) = fault else {
        panic!("{fault:?}");
    };
    assert!(text.contains("not kept"), "{text}");
    other.execute_batch("COMMIT").expect("let go");
    desk.keep(vec![kept(incident(2, "second", None), &[])]);
    desk.finish();
    assert_eq!(titles(&path), ["first", "second"]);
}

#[test]
fn all_that_was_given_is_written_before_the_end() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("farwatch.db");
    let (mut desk, _told) = start(&path);
    for n in 0..500 {
        desk.keep(vec![kept(incident(n, &format!("{n:03}"), None), &[])]);
    }
    desk.finish();
    let archive = Archive::open(&path).expect("archive");
    let known = archive.known(Timestamp(i64::MIN)).expect("known");
    assert_eq!(known.numbered, 499);
    let last = archive.known(Timestamp(i64::MIN)).expect("known").incidents;
    assert_eq!(last.len(), 300, "of the rest the newest are read");
}

/// What is written of each, by its number and its title.
fn told(held: &[Keep]) -> Vec<(u64, String)> {
    let one = |keep: &Keep| -> (u64, String) {
        match keep {
            Keep::Incident(past) => (past.incident.id.0, past.incident.title.clone()),
            Keep::Gone(id) => (id.0, "gone".into()),
            Keep::Verdict { .. } => (0, "verdict".into()),
            Keep::Session(session) => (0, session.head.title.clone()),
            Keep::Forget(_) => (0, "forgotten".into()),
        }
    };
    held.iter().map(one).collect()
}

#[test]
fn of_each_thing_the_newest_waits_and_no_more_than_there_is_room_for() {
    let of = |id, title: &str| kept(incident(id, title, None), &[]);
    let mut held = vec![of(1, "old"), of(2, "other"), of(1, "new")];
    assert_eq!(newest(&mut held), 0);
    assert_eq!(
        told(&held),
        [(2, "other".to_owned()), (1, "new".to_owned())]
    );
    held.push(Keep::Gone(IncidentId(2)));
    newest(&mut held);
    assert_eq!(told(&held), [(1, "new".to_owned()), (2, "gone".to_owned())]);
    let mut many: Vec<Keep> = (0..HELD as u64 + 7).map(|n| of(n, "x")).collect();
    assert_eq!(newest(&mut many), 7);
    let left = told(&many);
    assert_eq!((left.len(), left[0].0), (HELD, 7), "the newest stay");
}
