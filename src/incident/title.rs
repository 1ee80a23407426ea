//! One sentence for an incident: what, where, since when, expected and seen, how it was found.

use crate::model::alert::Severity;
use crate::model::finding::{Finding, FindingKind};
use crate::model::time::Timestamp;

/// What names an incident: the worst, of these the kind nearest to a cause, then what weighs more
/// (only states have steady scores), then the earliest.
pub(super) fn lead(findings: &[Finding]) -> Option<&Finding> {
    let light = |f: &Finding| match f.kind {
        FindingKind::State => 1000 - (f.score * 1000.0) as i64,
        _ => 0,
    };
    let rank = |f: &Finding| (severity(f), kind(f.kind), light(f), f.since, f.key.clone());
    findings.iter().min_by_key(|f| rank(f))
}

fn severity(finding: &Finding) -> u8 {
    match finding.severity {
        Severity::Critical => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    }
}

/// States say what is broken, limits and levels what suffers, alerts repeat it.
fn kind(kind: FindingKind) -> u8 {
    match kind {
        FindingKind::State => 0,
        FindingKind::Unreachable => 1,
        FindingKind::MissingData => 2,
        FindingKind::Threshold => 3,
        FindingKind::LevelShift | FindingKind::Spike | FindingKind::Dip => 4,
        FindingKind::LogBurst => 5,
        FindingKind::Alert => 6,
    }
}

pub(super) fn write(findings: &[Finding]) -> String {
    let Some(lead) = lead(findings) else {
        return String::new();
    };
    // An alert about the same thing says the same again.
    let others = findings
        .iter()
        .filter(|f| f.key != lead.key)
        .filter(|f| f.kind != FindingKind::Alert || f.subject != lead.subject)
        .count();
    let mut objects: Vec<_> = findings.iter().map(|f| &f.subject).collect();
    objects.sort();
    objects.dedup();
    let more = match (others, objects.len()) {
        (0, _) => String::new(),
        (1, 1) => "; 1 more sign on it".to_owned(),
        (n, 1) => format!("; {n} more signs on it"),
        (1, m) => format!("; 1 more sign, {m} objects"),
        (n, m) => format!("; {n} more signs, {m} objects"),
    };
    format!(
        "{}: {} since {} ({}){more}",
        lead.subject,
        lead.text,
        clock(lead.since),
        lead.method
    )
}

/// Time of the day in UTC.
fn clock(at: Timestamp) -> String {
    let text = at.rfc3339();
    match text.get(11..19) {
        Some(time) => format!("{time}Z"),
        None => text,
    }
}
