//! A change as it travels: whole where it fits, else without what is the least loss.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::finding::Finding;
use crate::model::incident::Incident;
use crate::model::news::Change;
use crate::model::text;

/// Of a cut incident: the longest text, bytes; findings, subjects and nodes at most.
const TEXT: usize = 200;
const FINDINGS: [usize; 2] = [64, 8];

#[derive(Debug)]
pub struct Packed {
    pub body: Vec<u8>,
    /// Something of it was left out now.
    pub cut: bool,
}

/// `most`: bytes it may have. What is too large with the least that is left of it comes as that.
pub fn pack(change: &Change, most: usize) -> Result<Packed, rmp_serde::encode::Error> {
    let whole = rmp_serde::to_vec_named(change)?;
    if whole.len() <= most {
        return Ok(Packed {
            body: whole,
            cut: false,
        });
    }
    let mut change = change.clone();
    change.cut = true;
    let mut body = whole;
    for leave_out in STEPS {
        let incident = Arc::make_mut(&mut change.incident);
        leave_out(incident, change.finding.as_deref());
        body = rmp_serde::to_vec_named(&change)?;
        if body.len() <= most {
            break;
        }
    }
    Ok(Packed { body, cut: true })
}

/// The same of what was packed before; `None`: it is no change of ours.
pub fn again(body: &[u8], most: usize) -> Option<Packed> {
    let change: Change = rmp_serde::from_slice(body).ok()?;
    let known = change.cut;
    let packed = pack(&change, most).ok()?;
    Some(Packed {
        cut: packed.cut && !known,
        ..packed
    })
}

type Step = fn(&mut Incident, Option<&str>);

/// What is left out, one after the other, until it fits.
const STEPS: [Step; 5] = [
    |incident, _| {
        let over = incident.findings.iter_mut().filter(|f| f.over);
        over.for_each(|f| f.evidence.clear());
    },
    |incident, _| {
        incident
            .findings
            .iter_mut()
            .for_each(|f| f.evidence.clear())
    },
    |incident, _| {
        shorten(&mut incident.title);
        for finding in &mut incident.findings {
            shorten(&mut finding.text);
            shorten(&mut finding.method);
        }
    },
    |incident, about| keep_worst(incident, about, FINDINGS[0]),
    |incident, about| keep_worst(incident, about, FINDINGS[1]),
];

fn shorten(text: &mut String) {
    if text.len() > TEXT {
        *text = text::clean(text, TEXT);
    }
}

/// Those that go on before those that are over, the worst first; the one it is about in any case.
fn keep_worst(incident: &mut Incident, about: Option<&str>, most: usize) {
    let rank = |f: &Finding| {
        let is_it = about.is_some_and(|key| key == f.key.as_ref());
        (is_it, !f.over, f.severity, f.score)
    };
    let mut ranked: Vec<&Finding> = incident.findings.iter().collect();
    ranked.sort_by(|a, b| rank(b).partial_cmp(&rank(a)).unwrap_or(Ordering::Equal));
    let kept: BTreeSet<Arc<str>> = ranked.iter().take(most).map(|f| f.key.clone()).collect();
    incident.findings.retain(|f| kept.contains(&f.key));
    incident.subjects.truncate(most);
    while incident.nodes.len() > most {
        incident.nodes.pop_last();
    }
}

#[cfg(test)]
mod tests;
