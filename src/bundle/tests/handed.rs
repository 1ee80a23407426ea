//! What is handed over with a recording: read back, bounded, and damaged part by part.

use std::collections::BTreeSet;

use super::*;
use crate::model::desk::{Desk, Hand, What};
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::handover::{HandedIncident, Handover};
use crate::model::id::IncidentId;
use crate::model::incident::{Incident, IncidentState, Opinion, Stamp, Verdict};
use crate::model::talk::{Author, Message, Part, Session, SessionHead, SessionId};
use crate::model::unit::Unit;

fn stamp() -> Stamp {
    Stamp {
        by: "ada".into(),
        at: Timestamp(7_000),
    }
}

fn desk(note: &str) -> Desk {
    let hand = Hand {
        by: "ada".into(),
        console: "c1".into(),
    };
    let mut desk = Desk::default();
    for what in [What::Acknowledged(true), What::Note(note.into())] {
        desk.write(what, &hand, Timestamp(7_000));
    }
    desk
}

fn incident(title: &str) -> Incident {
    let finding = Finding {
        cluster: ClusterId(1),
        subject: Subject::Gpu {
            node: "n1".into(),
            gpu: "3".into(),
        },
        key: "xid n1 3".into(),
        kind: FindingKind::Threshold,
        severity: Severity::Critical,
        score: 0.875,
        since: Timestamp(5_000),
        earlier: false,
        at: Timestamp(6_000),
        over: false,
        signal: "gpu_xid".into(),
        unit: Unit::default(),
        seen: Some(79.0),
        expected: Some((f64::NEG_INFINITY, 0.0)),
        method: "limit".into(),
        text: "XID 79".into(),
        evidence: vec![Evidence::Log {
            at_ns: 1,
            line: "NVRM".into(),
        }],
    };
    Incident {
        id: IncidentId(99),
        number: 3,
        cluster: ClusterId(1),
        severity: Severity::Critical,
        state: IncidentState::Open,
        title: title.into(),
        opened: Timestamp(5_000),
        changed: Timestamp(6_000),
        closed: None,
        score: 0.875,
        subjects: vec![finding.subject.clone()],
        nodes: BTreeSet::from(["n1".into()]),
        findings: vec![finding],
        desk: desk("the vendor has a case"),
        reopened: 0,
        revision: 0,
        awaited: None,
        handed: None,
    }
}

fn talk(id: i64) -> Session {
    Session {
        head: SessionHead {
            id: SessionId(id),
            title: "why?".into(),
            persona: "default".into(),
            incident: Some(IncidentId(99)),
            used: Timestamp(8_000),
            questions: 1,
        },
        messages: vec![Message {
            author: Author::Operator,
            at: Timestamp(8_000),
            run: None,
            parts: vec![Part::Text("why?".into())],
            outcome: None,
            version: 1,
        }],
    }
}

fn handover() -> Handover {
    let verdict = Verdict {
        opinion: Opinion::True,
        score: 0.875,
        stamp: stamp(),
    };
    Handover {
        by: Some("ada".into()),
        at: Timestamp(9_000),
        from: Timestamp(1_000),
        to: Timestamp(9_000),
        about: Some(3),
        incidents: vec![HandedIncident {
            incident: incident("GPU 3 of n1 fell off the bus"),
            verdicts: vec![("xid n1 3".into(), verdict)],
            causes: vec!["91 % node n1".into()],
            origin: None,
        }],
        changes: Vec::new(),
        gaps: vec!["alpha: no logs are held".into()],
        talks: vec![talk(1), talk(2)],
    }
}

fn frames() -> Vec<Telemetry> {
    (0..5)
        .map(|n| telemetry(n * 20_000, batch(n, Vec::new())))
        .collect()
}

fn written(handover: &Handover) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header()).expect("writes");
    writer.hand_over(handover).expect("fits");
    for frame in frames() {
        writer.push(&frame).expect("fits");
    }
    writer.finish().expect("finishes")
}

/// Where each part begins, and its kind.
fn parts(bytes: &[u8]) -> Vec<(usize, u8)> {
    let long = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four")) as usize;
    let mut at = MAGIC.len() + 8 + long(MAGIC.len());
    let mut found = Vec::new();
    while bytes[at] != INDEX {
        found.push((at, bytes[at]));
        at += 29 + long(at + 1);
    }
    found.push((at, INDEX));
    found
}

#[test]
fn is_read_back_whole() {
    let handover = handover();
    let mut reader = Reader::from_bytes(written(&handover)).expect("reads");
    assert_eq!(reader.handover(), Some(&handover));
    assert!(reader.troubles().is_empty());
    let mut read = Vec::new();
    while let Some(frame) = reader.next_frame().expect("reads") {
        read.push(frame);
    }
    assert_eq!(read, frames());
    // The receiver holds it as another's.
    let taken = handover.taken();
    assert_ne!(taken[0].id, IncidentId(99));
    assert_eq!(taken[0].word(Timestamp(9_000)), "handed");
    assert!(!taken[0].counts(Timestamp(9_000)));
}

#[test]
fn a_wrong_byte_names_its_part_and_costs_no_other() {
    let whole = written(&handover());
    let kinds = parts(&whole);
    let tags: Vec<u8> = kinds.iter().map(|(_, tag)| *tag).collect();
    assert_eq!(tags, *b"HTTCCCCCI");
    for (number, (at, tag)) in kinds.iter().enumerate() {
        // In its head, in its checksum and in its content.
        for inside in [9, 26, 33] {
            let mut bytes = whole.clone();
            let at = at + if *tag == INDEX { 9.min(inside) } else { inside };
            bytes[at] ^= 0x10;
            let mut reader = Reader::from_bytes(bytes).expect("opens");
            let troubles = reader.troubles().join("; ");
            let mut read = 0;
            let broken = loop {
                match reader.next_frame() {
                    Ok(Some(_)) => read += 1,
                    Ok(None) => break String::new(),
                    Err(error) => break error.to_string(),
                }
            };
            let talks = reader.handover().map_or(0, |h| h.talks.len());
            let incidents = reader.handover().map_or(0, |h| h.incidents.len());
            let (named, expected) = match *tag {
                HANDED => ("part 1, what was handed over", (0, 2, 5)),
                TALK => ("a conversation", (1, 1, 5)),
                CHUNK => ("chunk", (1, 2, number - 3)),
                _ => ("its index is damaged", (1, 2, 5)),
            };
            let told = format!("{troubles}{broken}");
            assert!(told.contains(named), "{number} {inside}: {told}");
            assert_eq!((incidents, talks, read), expected, "{number} {inside}");
        }
    }
}

/// Cut at every kind of place: in the header, at the border of parts, in each head, each checksum
/// and each content, in the index and in the last bytes.
#[test]
fn a_cut_file_gives_what_is_whole_and_says_so() {
    let whole = written(&handover());
    let kinds = parts(&whole);
    let borders = kinds
        .iter()
        .flat_map(|(at, _)| [0, 1, 20, 27, 40].map(|n| at + n));
    let tail = (1..20).map(|n| whole.len() - n);
    for keep in borders
        .chain(tail)
        .chain([MAGIC.len() + 3, MAGIC.len() + 30])
    {
        let mut reader = match Reader::from_bytes(whole[..keep].to_vec()) {
            Ok(reader) => reader,
            Err(error) => {
                assert!(keep < kinds[0].0, "{keep}: {error}");
                assert!(matches!(error, BundleError::Empty), "{keep}: {error}");
                continue;
            }
        };
        let is_whole = |tag: u8| {
            let ends = kinds.iter().zip(kinds.iter().skip(1));
            ends.filter(|((_, t), (end, _))| *t == tag && *end <= keep)
                .count()
        };
        let mut read = 0;
        while let Some(frame) = reader.next_frame().expect("whole") {
            assert_eq!(frame, frames()[read]);
            read += 1;
        }
        assert_eq!(read, is_whole(CHUNK), "{keep}");
        let handover = reader.handover();
        assert_eq!(
            handover.map_or(0, |h| h.incidents.len()),
            is_whole(HANDED),
            "{keep}"
        );
        assert_eq!(
            handover.map_or(0, |h| h.talks.len()),
            is_whole(TALK),
            "{keep}"
        );
        let troubles = reader.troubles().join("; ");
        assert!(troubles.contains("was cut"), "{keep}: {troubles}");
    }
}

#[test]
fn what_a_newer_farwatch_adds_is_passed_over() {
    let whole = written(&handover());
    let at = parts(&whole)[1].0;
    let new = part::seal(b'Z', b"something else", (Timestamp(1), Timestamp(2))).expect("seals");
    let mut bytes = whole[..at].to_vec();
    bytes.extend_from_slice(&new);
    bytes.extend_from_slice(&whole[at..]);
    let mut reader = Reader::from_bytes(bytes).expect("opens");
    assert_eq!(reader.handover(), Some(&handover()));
    // The index tells of the places before: it is found out, and the chunks are looked for.
    assert!(
        reader.troubles()[0].contains("index"),
        "{:?}",
        reader.troubles()
    );
    for frame in frames() {
        assert_eq!(reader.next_frame().expect("whole"), Some(frame));
    }
}

#[test]
fn bombs_and_escapes_are_bounded() {
    let span = (Timestamp(1), Timestamp(2));
    let start = || {
        Writer::new(Vec::new(), &header())
            .expect("writes")
            .finish()
            .expect("ends")
    };
    let head = start();
    let begin = parts(&head)[0].0;
    // 40 MiB of nothing in 40 KiB.
    let bomb = part::seal(HANDED, &vec![0; 40 << 20], span).expect("seals");
    let mut bytes = head[..begin].to_vec();
    bytes.extend_from_slice(&bomb);
    let reader = Reader::from_bytes(bytes).expect("opens");
    assert!(reader.handover().is_none() && reader.is_empty());
    assert!(
        reader.troubles()[0].contains("part 1"),
        "{:?}",
        reader.troubles()
    );

    let mut evil = handover();
    evil.by = Some("a\u{1b}[31mb".into());
    evil.gaps = vec!["x\u{1b}]52;c;AAAA\u{7}y".into()];
    evil.incidents[0].incident = incident("t\u{9b}2J\u{202e}");
    evil.incidents[0].incident.desk = desk("n\u{1b}[2J");
    evil.incidents[0].causes = vec!["c\u{1b}c".into()];
    evil.talks[0].head.title = "q\u{1b}]0;evil\u{7}".into();
    let reader = Reader::from_bytes(written(&evil)).expect("reads");
    let told = format!("{:?}", reader.handover());
    assert!(
        !told.contains("u{1b}") && !told.contains("u{9b}") && !told.contains("202e"),
        "{told}"
    );
    assert!(told.contains("\"ab\"") && told.contains("\"xy\""), "{told}");
    // Bounds without end stay numbers.
    let read = reader.handover().expect("there").incidents[0]
        .incident
        .clone();
    assert_eq!(read.findings[0].expected, Some((f64::NEG_INFINITY, 0.0)));
}

proptest! {
    #[test]
    fn damage_never_panics_nor_grows(
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = written(&handover());
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        let _ = play(bytes);
    }

    /// Past the checksum: any bytes in what is handed over.
    #[test]
    fn garbage_that_sums_up_never_panics(
        raw in proptest::collection::vec(any::<u8>(), 0..200),
        talk in any::<bool>(),
    ) {
        let empty = record(&[]);
        let begin = parts(&empty)[0].0;
        let span = (Timestamp(1), Timestamp(2));
        let sealed = part::seal(if talk { TALK } else { HANDED }, &raw, span).expect("seals");
        let mut bytes = empty[..begin].to_vec();
        bytes.extend_from_slice(&sealed);
        bytes.extend_from_slice(&empty[begin..]);
        let _ = Reader::from_bytes(bytes);
    }
}

/// Made by the farwatch of version 1: the first chunk of the demo.
#[test]
fn version_1_is_read_as_ever() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/recordings/version1.fwr");
    let mut reader = Reader::open(&path).expect("opens");
    assert!(reader.troubles().is_empty() && reader.handover().is_none());
    let names: Vec<_> = reader
        .header()
        .clusters
        .iter()
        .map(|c| c.name.clone())
        .collect();
    assert_eq!(names, ["gpu-train-1", "edge-ran-07"]);
    let mut read = 0;
    while reader.next_frame().expect("whole").is_some() {
        read += 1;
    }
    assert!(read > 50, "{read}");
}

/// A minute of one cluster of the demo, as `farwatch export` wrote it in November 2026. It is never
/// made anew: a later version has to read it as it is.
#[test]
fn version_2_is_read_as_ever() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/recordings/version2.fwr");
    let mut reader = Reader::open(&path).expect("opens");
    assert!(reader.troubles().is_empty());
    let handover = reader.handover().expect("handed over");
    assert_eq!(handover.incidents.len(), 1);
    assert_eq!(handover.to.age_since_ms(handover.from), 60_000);
    let names = reader.header().clusters.iter().map(|c| c.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["edge-ran-07"]);
    let mut points = 0;
    while let Some(frame) = reader.next_frame().expect("whole") {
        if let Body::Samples(batch) = frame.body {
            points += batch.series.iter().map(|s| s.points.len()).sum::<usize>();
        }
    }
    assert_eq!(points, 1872);
}
