//! One sentence for an incident: what, where, expected and seen, how it was found. Without times:
//! the findings hold them, and the screens tell them in the operator's zone.

use crate::model::alert::Severity;
use crate::model::finding::{Finding, FindingKind};

/// What names an incident: the worst, of these what still is, then the kind nearest to a cause, then
/// what weighs more (only states have steady scores), then the earliest.
pub(super) fn lead(findings: &[Finding]) -> Option<&Finding> {
    let light = |f: &Finding| match f.kind {
        FindingKind::State => 1000 - (f.score * 1000.0) as i64,
        _ => 0,
    };
    let rank = |f: &Finding| {
        let state = (weight(f, findings), !is_xid(f), severity(f), f.over);
        (state, kind(f.kind), light(f), f.since, f.key.clone())
    };
    findings.iter().min_by_key(|f| rank(f))
}

/// The GPU's own word for its fault. What else is seen on it follows from that.
fn is_xid(finding: &Finding) -> bool {
    finding.signal.as_ref() == "XID" && finding.severity >= Severity::Warning
}

/// How bad it is; for an XID, how bad the worst is that it does to its GPU.
fn weight(finding: &Finding, all: &[Finding]) -> u8 {
    let same = |f: &&Finding| f.subject == finding.subject && !f.over;
    let worst = all.iter().filter(|f| is_xid(finding) && same(f));
    worst
        .map(severity)
        .min()
        .map_or(severity(finding), |w| w.min(severity(finding)))
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
        kind if kind.is_learned() => 4,
        FindingKind::LogBurst => 5,
        _ => 6,
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
    // What hides behind the cause: the thing is gone, and its last values with it.
    let gone = findings
        .iter()
        .filter(|f| f.kind == FindingKind::MissingData && !f.over && f.key != lead.key)
        .any(|f| f.subject == lead.subject && f.expected.is_none() && f.seen.is_none());
    let gone = if gone { ", no longer reported" } else { "" };
    let what = format!("{}{gone}", lead.text);
    // What is in brackets already takes the method into them.
    let told = match what.strip_suffix(')') {
        Some(open) => format!("{open}; {})", lead.method),
        None => format!("{what} ({})", lead.method),
    };
    format!("{}: {told}{more}", lead.subject)
}
