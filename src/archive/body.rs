//! How an incident is written: packed whole, and as words to be searched.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::desk::Desk;
use crate::model::finding::Evidence;
use crate::model::incident::{Incident, Verdict};
use crate::model::redact::redact;

/// MessagePack with the names of the fields: bounds without end are numbers there, not nothing.
pub fn pack<T: Serialize>(what: &T) -> rusqlite::Result<Vec<u8>> {
    rmp_serde::to_vec_named(what)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Nothing where it is none of ours.
pub fn unpack<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    rmp_serde::from_slice(body).ok()
}

/// What was said of findings; before there were edits one verdict stood there.
pub fn said(body: &[u8]) -> Option<Desk> {
    let verdict = unpack::<Verdict>(body).map(Desk::of_verdict);
    verdict.or_else(|| unpack(body))
}

/// Without what looks like a credential; what people wrote is so from the begin.
pub fn redacted(incident: &Incident) -> Incident {
    let mut clean = incident.clone();
    clean.title = redact(&clean.title);
    for finding in &mut clean.findings {
        finding.text = redact(&finding.text);
        for piece in &mut finding.evidence {
            match piece {
                Evidence::Log { line, .. } => *line = redact(line).into(),
                Evidence::Text(text) => *text = redact(text),
                Evidence::Series(_) | Evidence::Alert(_) => {}
            }
        }
    }
    clean
}

/// What it is about: number, cluster, subjects, signals and what was found.
pub fn about(cluster: &str, incident: &Incident) -> String {
    let mut text = format!("INC-{} {cluster}", incident.number);
    for finding in &incident.findings {
        text.push_str(&format!(
            " {} {} {}",
            finding.subject, finding.signal, finding.text
        ));
    }
    text
}

pub fn notes(incident: &Incident) -> String {
    let notes = incident.desk.notes().map(|(_, text)| text);
    let pins = incident.desk.pins().into_iter().map(|(_, text)| text);
    let assigned = incident.desk.assigned().into_iter().map(|(who, _)| who);
    notes
        .chain(pins)
        .chain(assigned)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A sign as one word of the index.
pub fn word(sign: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() { c } else { '_' };
    sign.chars().map(letter).collect()
}

/// As a string of the query language of FTS5: nothing in it is an operator.
pub fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}
