//! What is handed over with a recording <-> the parts it lies in. Each has a checksum of its own, so
//! that a damaged conversation costs that conversation.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::part::{Head, Input, content, head, seal};
use super::{BundleError, HANDED, TABLE_LIMIT, TALK, Version};
use crate::model::handover::{HandedIncident, Handover};
use crate::model::incident::Incident;
use crate::model::redact::redact;
use crate::model::talk::Session;
use crate::model::text::{clean_lines, each};

/// Parts looked at, and bytes of them unpacked, all together: more are passed over.
const PARTS: usize = 256;
const BYTES: usize = 32 << 20;
/// Longest text, bytes: answers of tools are long.
const TEXT: usize = 256 << 10;
/// Longest name of a person, bytes.
const NAME: usize = 60;

pub(super) fn parts(handover: &Handover) -> Result<Vec<Vec<u8>>, BundleError> {
    let span = (handover.from, handover.to);
    let mut out = vec![seal(HANDED, &packed(handover)?, span)?];
    for talk in &handover.talks {
        let at = talk.head.used;
        out.push(seal(TALK, &packed(talk)?, (at, at))?);
    }
    Ok(out)
}

fn packed<T: Serialize>(what: &T) -> Result<Vec<u8>, BundleError> {
    let bytes = rmp_serde::to_vec_named(what)
        .map_err(|_| BundleError::Damaged("what is handed over cannot be written"))?;
    match bytes.len() > TABLE_LIMIT {
        true => Err(BundleError::TooLarge(bytes.len())),
        false => Ok(bytes),
    }
}

/// What was read, what is wrong with the rest, and where the deliveries begin.
#[derive(Default)]
pub(super) struct Found {
    pub handover: Option<Handover>,
    pub troubles: Vec<String>,
    pub end: u64,
}

/// Reads the parts between the header and the first delivery. Kinds that a newer farwatch may
/// write are passed over by their length.
pub(super) fn read(input: &mut dyn Input, begin: u64) -> Result<Found, BundleError> {
    let all = input.seek(std::io::SeekFrom::End(0))?;
    let mut found = Found {
        end: begin,
        ..Found::default()
    };
    let (mut talks, mut unpacked) = (Vec::new(), 0);
    for number in 1..=PARTS {
        input.seek(std::io::SeekFrom::Start(found.end))?;
        let Some(part) = head(input, Version::Two) else {
            break;
        };
        if matches!(part.tag, super::CHUNK | super::INDEX) {
            break;
        }
        let name = name_of(&part, number);
        let next = input.stream_position()?.saturating_add(part.packed as u64);
        if next > all {
            found.troubles.push(format!("{name} is cut off"));
            break;
        }
        found.end = next;
        match take(input, &part, &name, BYTES - unpacked) {
            Ok(Taken::Handover(handover, bytes)) => {
                unpacked += bytes;
                found.handover = Some(*handover);
            }
            Ok(Taken::Talk(talk, bytes)) => {
                unpacked += bytes;
                talks.push(*talk);
            }
            Ok(Taken::Unknown) => {}
            Err(error) => found.troubles.push(error.to_string()),
        }
    }
    if !talks.is_empty() {
        found.handover.get_or_insert_default().talks = talks;
    }
    Ok(found)
}

enum Taken {
    Handover(Box<Handover>, usize),
    Talk(Box<Session>, usize),
    Unknown,
}

fn name_of(part: &Head, number: usize) -> String {
    match part.tag {
        HANDED => format!("part {number}, what was handed over"),
        TALK => format!("part {number}, a conversation"),
        _ => format!("part {number}"),
    }
}

fn take(input: &mut dyn Input, part: &Head, name: &str, room: usize) -> Result<Taken, BundleError> {
    if !matches!(part.tag, HANDED | TALK) {
        return Ok(Taken::Unknown);
    }
    let raw = content(input, part, (name, TABLE_LIMIT.min(room)))?;
    let broken = || BundleError::Part(name.to_owned());
    Ok(match part.tag {
        HANDED => {
            let read: Handover = unpacked(&raw).ok_or_else(broken)?;
            Taken::Handover(Box::new(cleaned(read)), raw.len())
        }
        _ => {
            let read: Session = unpacked(&raw).ok_or_else(broken)?;
            let clean = each(&read, &clean).ok_or_else(broken)?;
            Taken::Talk(Box::new(clean), raw.len())
        }
    })
}

fn unpacked<T: DeserializeOwned>(raw: &[u8]) -> Option<T> {
    rmp_serde::from_slice(raw).ok()
}

fn clean(text: &str) -> String {
    clean_lines(text, TEXT)
}

fn cleaned(mut handover: Handover) -> Handover {
    handover.by = handover.by.map(|by| crate::model::text::clean(&by, NAME));
    rewritten(handover, &clean)
}

/// The same without what looks like a credential, wherever it stands.
pub fn redacted(handover: &Handover) -> Handover {
    let mut handover = rewritten(handover.clone(), &redact);
    let talks = std::mem::take(&mut handover.talks);
    let talks = talks.iter().filter_map(|talk| each(talk, &redact));
    handover.talks = talks.collect();
    handover
}

/// With every text changed, but for conversations.
fn rewritten(mut handover: Handover, change: &dyn Fn(&str) -> String) -> Handover {
    handover.gaps.iter_mut().for_each(|gap| *gap = change(gap));
    let incidents = std::mem::take(&mut handover.incidents);
    let incidents = incidents.iter().filter_map(|one| changed(one, change));
    handover.incidents = incidents.collect();
    let changes = std::mem::take(&mut handover.changes);
    let changes = changes
        .iter()
        .filter_map(|(at, one)| Some((*at, each(one, change)?)));
    handover.changes = changes.collect();
    handover
}

/// The same with every text changed; numbers stay, those without end too.
fn changed(one: &HandedIncident, change: &dyn Fn(&str) -> String) -> Option<HandedIncident> {
    let verdicts = one.verdicts.iter().map(|(key, verdict)| {
        let mut verdict = verdict.clone();
        verdict.stamp.by = change(&verdict.stamp.by).into();
        (change(key).into(), verdict)
    });
    Some(HandedIncident {
        verdicts: verdicts.collect(),
        causes: one.causes.iter().map(|cause| change(cause)).collect(),
        origin: one
            .origin
            .clone()
            .map(|(by, at)| (by.map(|by| change(&by)), at)),
        incident: incident(&one.incident, change)?,
    })
}

fn incident(one: &Incident, change: &dyn Fn(&str) -> String) -> Option<Incident> {
    let mut bare = one.clone();
    bare.score = 0.0;
    for finding in &mut bare.findings {
        (finding.score, finding.seen, finding.expected) = (0.0, None, None);
    }
    let mut clean = each(&bare, change)?;
    clean.score = one.score;
    for (finding, was) in clean.findings.iter_mut().zip(&one.findings) {
        (finding.score, finding.seen, finding.expected) = (was.score, was.seen, was.expected);
    }
    Some(clean)
}
