//! An incident in words and numbers, as the model is told it under "Explain this".

use crate::model::alert::AlertState;
use crate::model::finding::Evidence;
use crate::model::id::IncidentId;
use crate::model::unit::age;
use crate::state::world::World;

use super::world_tools::incident_text;

/// The question that goes with the context.
pub const EXPLAIN: &str = "Explain this incident: what is the cause, what is the evidence, what else is affected, and what should be done next? Check it with the tools.";

/// Everything the console knows of the incident; says so if it is gone.
pub fn incident_context(world: &World, id: IncidentId) -> String {
    let Some(incident) = world.incident(id) else {
        return "the incident is no longer known to the console".into();
    };
    let mut out = incident_text(world, incident);
    out.push('\n');
    let mut evidence = Vec::new();
    for finding in &incident.findings {
        for item in &finding.evidence {
            let text = match item {
                Evidence::Series(key) => format!("series {key}"),
                Evidence::Alert(fingerprint) => {
                    let name = world
                        .cluster(incident.cluster)
                        .and_then(|c| c.alerts.get(fingerprint))
                        .map_or("unknown", |a| a.name.as_ref());
                    format!("alert {name}")
                }
                Evidence::Log { line, .. } => {
                    format!("log line {:?}", crate::model::text::clean(line, 300))
                }
                Evidence::Text(text) => crate::model::text::clean(text, 300),
            };
            if !evidence.contains(&text) {
                evidence.push(text);
            }
        }
    }
    if !evidence.is_empty() {
        out.push_str("Evidence the console has:\n");
        for text in evidence.iter().take(20) {
            out.push_str(&format!("- {text}\n"));
        }
    }
    let fitting = world.runbooks_for(incident);
    if !fitting.is_empty() {
        out.push_str("Runbooks that fit:\n");
        for f in fitting {
            out.push_str(&format!("- {}: {}\n", f.runbook.id, f.runbook.title));
        }
    }
    out.push_str(&around(world, id));
    out
}

/// What else is wrong on the same cluster.
fn around(world: &World, id: IncidentId) -> String {
    let Some(cluster) = world
        .incident(id)
        .and_then(|incident| world.cluster(incident.cluster))
    else {
        return String::new();
    };
    let mut out = String::new();
    let mut alerts: Vec<_> = cluster
        .alerts
        .values()
        .filter(|a| a.state == AlertState::Firing && !a.is_watchdog())
        .collect();
    alerts.sort_by_key(|a| std::cmp::Reverse((a.severity, a.starts_at)));
    if !alerts.is_empty() {
        out.push_str(&format!("Alerts firing on {}:\n", cluster.name));
        for alert in alerts.iter().take(10) {
            out.push_str(&format!(
                "- {} {} for {}: {}\n",
                alert.severity.word(),
                alert.name,
                age(world.now.age_since_ms(alert.starts_at)),
                crate::model::text::clean(alert.summary(), 200)
            ));
        }
    }
    let others: Vec<String> = world
        .incidents
        .iter()
        .filter(|i| i.id != id && i.closed.is_none())
        .take(5)
        .map(|i| {
            let name = world.name_of(i.cluster);
            let since = i.opened.rfc3339();
            format!("- INC-{} on {name} since {since}: {}\n", i.number, i.title)
        })
        .collect();
    if !others.is_empty() {
        out.push_str("Other open incidents:\n");
        out.push_str(&others.concat());
    }
    for (kind, source) in &cluster.sources {
        if let Some(fault) = source.fault() {
            out.push_str(&format!("Source {kind} does not answer: {}\n", fault.what));
        }
    }
    out
}
