//! Which runbooks fit an incident, and why.

use std::cmp::Reverse;

use super::World;
use crate::config::name::fits;
use crate::incident::Incident;
use crate::model::alert::Alert;
use crate::model::finding::{Evidence, Finding};
use crate::model::runbook::Runbook;

/// So many findings are looked at, those that would go first: it is done for each frame.
const FINDINGS: usize = 60;
/// Runbooks told of one incident at most.
const MOST: usize = 4;

/// A runbook that fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitting<'a> {
    pub runbook: &'a Runbook,
    /// What of the incident it fits.
    pub why: String,
}

impl World {
    /// Best first: a state or a limit names its trouble, a series that left what was usual does not;
    /// what an incident began with is nearer to its cause than what came after; then those that fit an
    /// alert by name, a signal, words.
    pub fn runbooks_for(&self, incident: &Incident) -> Vec<Fitting<'_>> {
        let mut findings: Vec<&Finding> = incident.findings.iter().collect();
        findings.sort_by_key(|f| (f.kind.is_learned(), f.since));
        let nearest = findings.into_iter().take(FINDINGS);
        let traits: Vec<Traits> = nearest.map(|f| self.traits(f)).collect();
        let best = |runbook: &Runbook| {
            let each = traits.iter().filter_map(|t| {
                let (fit, why) = t.why(runbook)?;
                let learned = t.finding.kind.is_learned();
                Some(((learned, t.finding.since, Reverse(fit), !runbook.own), why))
            });
            each.min_by_key(|(order, _)| *order)
        };
        let mut found: Vec<_> = self
            .runbooks
            .all()
            .iter()
            .filter_map(|runbook| {
                let (order, why) = best(runbook)?;
                Some((order, Fitting { runbook, why }))
            })
            .collect();
        found.sort_by_key(|(order, _)| *order);
        found.into_iter().map(|(_, f)| f).take(MOST).collect()
    }

    fn traits<'a>(&'a self, finding: &'a Finding) -> Traits<'a> {
        let cluster = self.cluster(finding.cluster);
        let alert = finding.evidence.iter().find_map(|e| match e {
            Evidence::Alert(fingerprint) => cluster?.alerts.get(fingerprint),
            _ => None,
        });
        Traits {
            cluster: cluster.map_or("", |c| c.name.as_ref()),
            finding,
            alert,
            text: finding.text.to_lowercase(),
        }
    }
}

/// How well it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Labels,
    Words,
    Signal,
    Alert,
}

/// What of a finding a runbook may be for.
struct Traits<'a> {
    cluster: &'a str,
    finding: &'a Finding,
    alert: Option<&'a Alert>,
    text: String,
}

impl Traits<'_> {
    fn why(&self, runbook: &Runbook) -> Option<(Fit, String)> {
        let matches = &runbook.matches;
        let has = |(name, pattern): (&String, &String)| {
            self.label(name).is_some_and(|value| fits(pattern, value))
        };
        if matches.is_empty() || !matches.labels.iter().all(has) {
            return None;
        }
        if let Some(alert) = self.alert
            && matches.alerts.iter().any(|p| fits(p, &alert.name))
        {
            return Some((Fit::Alert, format!("alert {}", alert.name)));
        }
        let signal = self.finding.signal.as_ref();
        if matches.signals.iter().any(|p| fits(p, signal)) {
            return Some((Fit::Signal, format!("signal {signal}")));
        }
        let said = matches.says.iter().find(|w| self.text.contains(w.as_str()));
        if let Some(said) = said {
            return Some((Fit::Words, format!("says \"{said}\"")));
        }
        let only =
            matches.alerts.is_empty() && matches.signals.is_empty() && matches.says.is_empty();
        only.then(|| (Fit::Labels, "its labels".to_owned()))
    }

    /// Of the alert, of the series, of what it is about.
    fn label(&self, name: &str) -> Option<&str> {
        let of_alert = || self.alert?.labels.get(name);
        let of_series = || {
            let mut all = self.finding.evidence.iter();
            all.find_map(|e| match e {
                Evidence::Series(key) => key.labels.get(name),
                _ => None,
            })
        };
        let of_subject = || match name {
            "cluster" => Some(self.cluster),
            "namespace" => self.finding.subject.namespace(),
            "node" => self.finding.subject.node(),
            _ => None,
        };
        of_alert().or_else(of_series).or_else(of_subject)
    }
}
