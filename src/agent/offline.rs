//! The console's own answer where no model is configured: what it found, in Markdown.

use crate::incident::Incident;
use crate::model::id::IncidentId;
use crate::model::unit::age;
use crate::state::world::{Status, World};

/// Incidents told in full.
const INCIDENTS: usize = 5;
const FINDINGS: usize = 8;

/// The findings about one incident, or about everything. `configured`: there is a model, and it
/// did not answer.
pub fn findings(world: &World, about: Option<IncidentId>, configured: bool) -> String {
    let mut out = String::from(match configured {
        true => "**The model gave no answer**, so this is the console's own finding.\n\n",
        false => {
            "**No model is configured**, so this is the console's own finding. \
             To ask a model, add `[agent] url = \"http://HOST:8000/v1\"` to the configuration \
             file.\n\n"
        }
    });
    match about.map(|id| world.incident(id)) {
        Some(Some(incident)) => out.push_str(&one(world, incident)),
        Some(None) => out.push_str("The incident is no longer known to the console.\n"),
        None => out.push_str(&fleet(world)),
    }
    out
}

fn fleet(world: &World) -> String {
    let open: Vec<&Incident> = world.incidents.iter().filter(|i| i.is_live()).collect();
    let mut out = String::from("### Clusters\n");
    if world.clusters.is_empty() {
        out.push_str("No cluster is configured.\n");
    }
    for cluster in &world.clusters {
        let (status, why) = world.standing(cluster.id);
        let counts = cluster.alert_counts();
        out.push_str(&format!(
            "- **{}** {}: {why} ({} alerts firing)\n",
            cluster.name,
            status.word(),
            counts.firing()
        ));
    }
    let deaf = world
        .clusters
        .iter()
        .filter(|c| world.status(c.id) == Status::Unknown)
        .count();
    if deaf > 0 {
        out.push_str(&format!(
            "\nNothing can be said of {deaf} of {} clusters: no source answers there.\n",
            world.clusters.len()
        ));
    }
    if open.is_empty() {
        out.push_str("\nNo incident is open in what can be heard.\n");
        return out;
    }
    out.push_str(&format!("\n### Open incidents ({})\n\n", open.len()));
    for incident in open.iter().take(INCIDENTS) {
        out.push_str(&one(world, incident));
        out.push('\n');
    }
    if open.len() > INCIDENTS {
        out.push_str(&format!("{} more are open.\n", open.len() - INCIDENTS));
    }
    out
}

fn one(world: &World, incident: &Incident) -> String {
    let cluster = world
        .cluster(incident.cluster)
        .map_or("?", |c| c.name.as_ref());
    let state = incident.word(world.now);
    let mut out = format!(
        "**INC-{} {} {state}** on {cluster} for {}: {}\n\n",
        incident.number,
        incident.severity.word(),
        age(world.now.age_since_ms(incident.opened)),
        incident.title
    );
    let first = incident.findings.first();
    if let Some(first) = first.filter(|_| incident.findings.len() > 1) {
        out.push_str(&format!(
            "First sign at {}: {} on {}.\n\n",
            first.since.rfc3339(),
            first.signal,
            first.subject
        ));
    }
    for finding in incident.findings.iter().take(FINDINGS) {
        let over = if finding.over { " (over now)" } else { "" };
        out.push_str(&format!(
            "- {} {}: {}{over}. Found by {}.\n",
            finding.since.rfc3339(),
            finding.subject,
            finding.text.trim_end_matches('.'),
            finding.method
        ));
    }
    if incident.findings.len() > FINDINGS {
        out.push_str(&format!(
            "- {} more findings\n",
            incident.findings.len() - FINDINGS
        ));
    }
    out
}
