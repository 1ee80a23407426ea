//! How an incident is written: packed whole, and as words to be searched.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::finding::Evidence;
use crate::model::incident::Incident;
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

/// Without what looks like a credential.
pub fn redacted(incident: &Incident) -> Incident {
    let mut clean = incident.clone();
    clean.title = redact(&clean.title);
    for (_, note) in &mut clean.desk.notes {
        *note = redact(note);
    }
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
    let notes = incident.desk.notes.iter().map(|(_, text)| text.as_str());
    let assigned = incident.desk.assigned.iter().map(|(who, _)| who.as_str());
    notes.chain(assigned).collect::<Vec<_>>().join(" ")
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
