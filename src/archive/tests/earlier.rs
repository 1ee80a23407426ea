//! What earlier versions kept.

use super::*;

/// The tables and rows of farwatch before consoles shared what people did, in the form in which it
/// packed them. Never made anew: a later version has to read it as it is.
const BEFORE_SHARING: &str = include_str!("../../../tests/fixtures/archive/before_sharing.sql");

#[test]
fn what_was_kept_before_consoles_shared_is_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.db");
    let raw = rusqlite::Connection::open(&path).expect("opened");
    raw.execute_batch(BEFORE_SHARING).expect("written");
    drop(raw);
    let mut archive = Archive::open(&path).expect("opened");
    let known = archive.known(Timestamp(0)).expect("known");
    let [past] = known.incidents.as_slice() else {
        panic!("{known:?}");
    };
    let desk = &past.incident.desk;
    let by = |at| crate::model::incident::Stamp {
        by: "ana".into(),
        at: Timestamp(at),
    };
    assert_eq!(desk.acknowledged(), Some(by(1_763_700_100_000)));
    assert_eq!(desk.assigned(), Some(("carl", by(1_763_700_200_000))));
    let until = Timestamp(1_763_707_500_000);
    assert_eq!(desk.muted(), Some((until, by(1_763_700_300_000))));
    let notes: Vec<_> = desk
        .notes()
        .map(|(stamp, text)| (stamp.at.0, text))
        .collect();
    assert_eq!(
        notes,
        [
            (1_763_700_400_000, "reseated the riser card"),
            (1_763_700_400_000, "case 4711"),
        ]
    );
    assert_eq!(desk.waiting(), 0);
    let [(cluster, key, said)] = known.verdicts.as_slice() else {
        panic!("{:?}", known.verdicts);
    };
    assert_eq!((cluster.as_str(), key.as_str()), ("alpha", "ptp n-1"));
    let verdict = said.verdict().expect("said");
    assert_eq!((verdict.opinion, verdict.score), (Opinion::False, 0.875));
    // What is written to it now is read as ever.
    let mut one = past.clone();
    one.incident.take(
        Deed::Note("seen again".into()),
        &Hand::default(),
        Timestamp(1_763_700_500_000),
    );
    archive
        .keep(&[Keep::Incident(Box::new(one))])
        .expect("kept");
    let known = archive.known(Timestamp(0)).expect("known");
    assert_eq!(known.incidents[0].incident.desk.notes().count(), 3);
}
