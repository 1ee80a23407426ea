mod earlier;

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::alert::Severity;
use crate::model::chat::RunOutcome;
use crate::model::desk::{Hand, What};
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::id::ClusterId;
use crate::model::incident::{Deed, Incident, IncidentState, Opinion};
use crate::model::talk::{
    Author, Message, Part, Session, SessionHead, SessionId, ToolDone, ToolPart,
};
use crate::model::unit::Unit;

fn finding(text: &str) -> Finding {
    Finding {
        cluster: ClusterId(3),
        subject: Subject::Node("gpu-1".into()),
        key: "k".into(),
        kind: FindingKind::Spike,
        severity: Severity::Warning,
        score: 0.9,
        since: Timestamp(1_000),
        earlier: false,
        at: Timestamp(2_000),
        over: false,
        signal: "node_load1".into(),
        unit: Unit::None,
        seen: Some(f64::NAN),
        expected: Some((f64::NEG_INFINITY, f64::INFINITY)),
        method: "limit".into(),
        text: text.into(),
        evidence: vec![
            Evidence::Log {
                at_ns: 5,
                line: "login password=hunter2hunter2 done".into(),
            },
            Evidence::Text("token: hunter2hunter2".into()),
        ],
    }
}

pub fn incident(id: u64, text: &str, ended: Option<i64>) -> Incident {
    Incident {
        id: IncidentId(id),
        number: id as u32,
        cluster: ClusterId(3),
        severity: Severity::Warning,
        state: match ended {
            Some(_) => IncidentState::Resolved,
            None => IncidentState::Open,
        },
        title: text.into(),
        opened: Timestamp(1_000),
        changed: Timestamp(ended.unwrap_or(2_000)),
        closed: ended.map(Timestamp),
        score: 0.9,
        subjects: vec![Subject::Node("gpu-1".into())],
        nodes: [Arc::from("gpu-1")].into(),
        findings: vec![finding(text)],
        desk: Default::default(),
        reopened: 1,
        revision: 7,
        awaited: None,
        handed: None,
    }
}

pub fn kept(incident: Incident, signs: &[&str]) -> Keep {
    Keep::Incident(Box::new(Past {
        cluster: "alpha".into(),
        signs: signs.iter().map(|s| (*s).to_owned()).collect(),
        incident,
    }))
}

fn open() -> (tempfile::TempDir, Archive) {
    let folder = tempfile::tempdir().expect("folder");
    let archive = Archive::open(&folder.path().join("state/farwatch.db")).expect("archive");
    (folder, archive)
}

fn titles(past: &[Past]) -> Vec<&str> {
    past.iter().map(|p| p.incident.title.as_str()).collect()
}

#[test]
fn what_is_put_away_comes_back_whole_and_redacted() {
    let (folder, mut archive) = open();
    let mut one = incident(u64::MAX - 1, "load is high", None);
    let ana = Hand {
        by: "ana".into(),
        console: "c1".into(),
    };
    one.take(Deed::Acknowledge, &ana, Timestamp(3));
    let secret = Deed::Note("pw=1 password=hunter2hunter2".into());
    one.take(secret, &ana, Timestamp(4));
    let mut verdict = Said::default();
    let opinion = What::Verdict(Some((Opinion::False, 0.9.into())));
    verdict.write(opinion, &ana, Timestamp(5));
    let said = Keep::Verdict {
        cluster: "alpha".into(),
        key: "k".into(),
        said: verdict.clone(),
    };
    archive
        .keep(&[kept(one.clone(), &["a of node"]), said])
        .expect("kept");
    let known = archive.known(Timestamp(0)).expect("known");
    assert_eq!(known.verdicts, [("alpha".into(), "k".into(), verdict)]);
    let [past] = known.incidents.as_slice() else {
        panic!("{known:?}");
    };
    let back = &past.incident;
    assert_eq!((back.id, back.number), (one.id, one.number));
    assert_eq!(back.desk, one.desk);
    assert_eq!(back.reopened, 1);
    let (low, high) = back.findings[0].expected.expect("bounds without end stay");
    assert!(low == f64::NEG_INFINITY && high == f64::INFINITY);
    assert!(back.findings[0].seen.expect("seen").is_nan());
    drop(archive);
    for file in std::fs::read_dir(folder.path().join("state")).expect("files") {
        let path = file.expect("file").path();
        let bytes = std::fs::read(&path).expect("bytes");
        let found = bytes.windows(7).any(|w| w == b"hunter2");
        assert!(!found, "a secret stands in {}", path.display());
        let mode = std::fs::metadata(&path)
            .expect("about")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{} is for its owner", path.display());
    }
}

#[test]
fn the_newest_state_counts_and_what_was_taken_in_goes() {
    let (_folder, mut archive) = open();
    archive
        .keep(&[kept(incident(1, "first", None), &[])])
        .expect("kept");
    archive
        .keep(&[
            kept(incident(1, "second", Some(9_000)), &[]),
            kept(incident(2, "other", None), &[]),
        ])
        .expect("kept");
    archive.keep(&[Keep::Gone(IncidentId(2))]).expect("gone");
    let known = archive.known(Timestamp(0)).expect("known");
    assert_eq!(titles(&known.incidents), ["second"]);
    assert_eq!(known.numbered, 1);
    assert_eq!(
        archive
            .known(Timestamp(9_001))
            .expect("known")
            .incidents
            .len(),
        0
    );
    assert!(archive.search("first").expect("found").is_empty());
}

#[test]
fn words_find_ended_incidents_and_their_notes() {
    let (_folder, mut archive) = open();
    let mut one = incident(1, "XID 79 on gpu-1", Some(5_000));
    let note = Deed::Note("reseated the riser card".into());
    one.take(note, &Hand::default(), Timestamp(1));
    let two = incident(2, "queue grows", Some(8_000));
    let open = incident(3, "XID 79 again", None);
    archive
        .keep(&[kept(one, &[]), kept(two, &[]), kept(open, &[])])
        .expect("kept");
    let found = |words: &str| archive.search(words).expect("found");
    assert_eq!(titles(&found("xid")), ["XID 79 on gpu-1"]);
    assert_eq!(titles(&found("riser res")), ["XID 79 on gpu-1"]);
    assert_eq!(titles(&found("INC-2")), ["queue grows"]);
    assert_eq!(titles(&found("")), ["queue grows", "XID 79 on gpu-1"]);
    assert!(found("riser nothing").is_empty());
}

#[test]
fn those_with_more_of_the_signs_come_first() {
    let (_folder, mut archive) = open();
    let signs = |n: &[&'static str]| n.to_vec();
    archive
        .keep(&[
            kept(
                incident(1, "one", Some(1)),
                &signs(&["DCGM_XID of gpu", "a/b of pod"]),
            ),
            kept(
                incident(2, "both", Some(2)),
                &signs(&["DCGM_XID of gpu", "load of node n"]),
            ),
            kept(
                incident(3, "none", Some(3)),
                &signs(&["DCGM_XID_OTHER of gpu"]),
            ),
        ])
        .expect("kept");
    let own: Vec<String> = ["DCGM_XID of gpu", "load of node n"]
        .map(str::to_owned)
        .into();
    let like = archive.like(IncidentId(9), &own).expect("like");
    assert_eq!(titles(&like), ["both", "one"]);
    let like = archive.like(IncidentId(2), &own).expect("like");
    assert_eq!(titles(&like), ["one"], "not itself");
    assert!(archive.like(IncidentId(2), &[]).expect("like").is_empty());
}

#[test]
fn old_ones_are_forgotten_open_ones_are_not() {
    let (_folder, mut archive) = open();
    archive
        .keep(&[
            kept(incident(1, "old", Some(1_000)), &[]),
            kept(incident(2, "new", Some(9_000)), &[]),
            kept(incident(3, "open", None), &[]),
        ])
        .expect("kept");
    assert_eq!(archive.purge(Timestamp(5_000)).expect("purged"), 1);
    let known = archive.known(Timestamp(0)).expect("known");
    assert_eq!(titles(&known.incidents), ["open", "new"]);
    assert!(archive.search("old").expect("found").is_empty());
}

#[test]
fn what_is_no_archive_is_told_and_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("farwatch.db");
    std::fs::write(
        &path,
        "this is a letter, not a database, and long enough to be one".repeat(40),
    )
    .expect("written");
    let before = std::fs::read(&path).expect("bytes");
    let error = Archive::open(&path).expect_err("no database");
    assert!(matches!(error, ArchiveError::Read { .. }), "{error:?}");
    assert!(error.to_string().contains("farwatch.db"), "{error}");
    assert_eq!(std::fs::read(&path).expect("bytes"), before);
    let error = Archive::open(folder.path()).expect_err("a folder");
    assert!(matches!(error, ArchiveError::Open { .. }), "{error:?}");
}

#[test]
fn a_newer_file_is_not_touched() {
    let (folder, archive) = open();
    archive
        .connection
        .pragma_update(None, "user_version", 99)
        .expect("set");
    drop(archive);
    let error = Archive::open(&folder.path().join("state/farwatch.db")).expect_err("newer");
    assert!(
        matches!(error, ArchiveError::Newer { version: 99, .. }),
        "{error:?}"
    );
}

#[test]
fn a_row_that_cannot_be_read_hides_no_other() {
    let (_folder, mut archive) = open();
    archive
        .keep(&[
            kept(incident(1, "broken", Some(1)), &[]),
            kept(incident(2, "whole", Some(2)), &[]),
        ])
        .expect("kept");
    archive
        .connection
        .execute("UPDATE incident SET body = x'ff00' WHERE id = 1", [])
        .expect("broken");
    let known = archive.known(Timestamp(0)).expect("known");
    assert_eq!(titles(&known.incidents), ["whole"]);
}

#[test]
fn two_consoles_write_one_file() {
    let (folder, mut one) = open();
    let mut two = Archive::open(&folder.path().join("state/farwatch.db")).expect("second");
    one.keep(&[kept(incident(1, "of one", Some(1)), &[])])
        .expect("kept");
    two.keep(&[kept(incident(2, "of two", Some(2)), &[])])
        .expect("kept");
    assert_eq!(one.search("").expect("found").len(), 2);
}

proptest! {
    #[test]
    fn no_words_are_an_error(words in "\\PC{0,40}") {
        let (_folder, archive) = open();
        archive.search(&words).expect("found or not");
        archive.like(IncidentId(1), &[words]).expect("found or not");
    }
}

fn session(id: i64, said: &str, used: i64) -> Session {
    Session {
        head: SessionHead {
            id: SessionId(id),
            title: said.into(),
            persona: "default".into(),
            incident: Some(IncidentId(4)),
            used: Timestamp(used),
            questions: 1,
        },
        messages: vec![Message {
            author: Author::Agent,
            at: Timestamp(used),
            run: None,
            parts: vec![
                Part::Text(said.into()),
                Part::Tool(ToolPart {
                    call: "c".into(),
                    number: 1,
                    tool: "query_logs".into(),
                    arguments: "{\"query\": \"password=hunter2hunter2\"}".into(),
                    done: Some(ToolDone {
                        result: "token: hunter2hunter2".into(),
                        rows: 1,
                        ok: true,
                        duration_ms: 3,
                    }),
                    folded: true,
                }),
            ],
            outcome: Some(RunOutcome::Cancelled),
            version: 2,
        }],
    }
}

#[test]
fn conversations_are_found_by_words_redacted_and_forgotten() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.db");
    let mut archive = Archive::open(&path).expect("opened");
    let secret = session(2, "why did the clock jump? password=hunter2hunter2", 9_000);
    let all = [session(1, "the disk of gpu-1 is full", 5_000), secret];
    let keep = all.clone().map(|s| Keep::Session(Box::new(s)));
    archive.keep(&keep).expect("kept");
    let ids = |words: &str| -> Vec<i64> {
        let found = archive.sessions(words).expect("searched");
        found.iter().map(|h| h.id.0).collect()
    };
    assert_eq!(ids(""), [2, 1]);
    assert_eq!(ids("clo"), [2]);
    assert_eq!(ids("disk gpu"), [1]);
    assert_eq!(ids("\" OR *"), Vec::<i64>::new());
    let back = archive.session(SessionId(1)).expect("read").expect("there");
    assert_eq!(back.head, all[0].head);
    assert_eq!(archive.session(SessionId(7)).expect("read"), None);
    drop(archive);
    for end in ["", "-wal"] {
        let bytes = std::fs::read(format!("{}{end}", path.display())).unwrap_or_default();
        let held = bytes.windows(14).any(|w| w == b"hunter2hunter2");
        assert!(!held, "a secret stands in the file{end}");
    }
    let mut archive = Archive::open(&path).expect("opened again");
    archive
        .keep(&[Keep::Forget(SessionId(2))])
        .expect("forgotten");
    assert_eq!(archive.sessions("").expect("listed").len(), 1);
    archive.purge(Timestamp(6_000)).expect("purged");
    assert!(archive.sessions("").expect("listed").is_empty());
}

#[test]
fn a_file_of_the_version_before_gets_its_new_tables() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.db");
    let mut archive = Archive::open(&path).expect("opened");
    let past = kept(incident(3, "kept", None), &[]);
    archive.keep(&[past]).expect("kept");
    drop(archive);
    let raw = rusqlite::Connection::open(&path).expect("opened");
    raw.execute_batch("DROP TABLE session; DROP TABLE session_words; PRAGMA user_version = 1;")
        .expect("as it was");
    drop(raw);
    let mut archive = Archive::open(&path).expect("brought up to date");
    assert_eq!(
        archive.known(Timestamp(0)).expect("read").incidents.len(),
        1
    );
    let keep = Keep::Session(Box::new(session(1, "new", 1)));
    archive.keep(&[keep]).expect("there is a table for it");
}
