//! The console's own answer where no model is configured: what it found, in Markdown.

use crate::cause::{Cause, What};
use crate::incident::Incident;
use crate::model::id::IncidentId;
use crate::model::unit::age;
use crate::state::world::{Causes, Status, World};

/// Incidents told in full.
const INCIDENTS: usize = 5;
const FINDINGS: usize = 8;
/// Other candidates that are told.
const OTHERS: usize = 3;
/// Less likely ones are no conclusion.
const LIKELY: f64 = 0.2;

/// Said first where no model is configured.
pub const NO_MODEL: &str = "**No model is configured**, so this is the console's own finding. To ask \
a model, add `[agent] url = \"http://HOST:8000/v1\"` to the configuration file. `/help` tells what \
can be asked without one.\n\n";

/// Said first where there is a model, and it did not answer.
pub const NO_ANSWER: &str =
    "**The model gave no answer**, so this is the console's own finding.\n\n";

/// The findings about one incident, or about everything.
pub fn findings(world: &World, about: Option<IncidentId>) -> String {
    match about.map(|id| world.incident(id)) {
        Some(Some(incident)) => one(world, incident),
        Some(None) => "The incident is no longer known to the console.\n".into(),
        None => fleet(world),
    }
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
            "- **{}** {}: {why} ({} alerts firing) [1]\n",
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
        brief(world, incident, &mut out);
    }
    if open.len() > INCIDENTS {
        out.push_str(&format!("{} more are open.\n", open.len() - INCIDENTS));
    }
    if let Some(first) = open.first() {
        out.push_str(&format!(
            "\n`/why INC-{}` tells more of one.\n",
            first.number
        ));
    }
    out
}

/// One incident in two lines; `[2]` is what `list_incidents` tells.
fn brief(world: &World, incident: &Incident, out: &mut String) {
    let cluster = world.name_of(incident.cluster);
    out.push_str(&format!(
        "- **INC-{}** {} {} on {cluster} for {}: {} [2]\n",
        incident.number,
        incident.severity.word(),
        incident.word(world.now),
        age(world.now.age_since_ms(incident.opened)),
        incident.title
    ));
    let causes = world.causes(incident);
    let first = causes.ranking.places.iter().find(|c| c.what != What::None);
    if let Some(first) = first.filter(|c| c.probability >= LIKELY) {
        out.push_str(&format!(
            "  likely began at {} ({}) [2]\n",
            causes.name(first),
            first.percent()
        ));
    }
}

/// In the form of the agent's answers; `[1]` is what `analyze_root_cause` tells.
fn one(world: &World, incident: &Incident) -> String {
    let causes = world.causes(incident);
    let cluster = world.name_of(incident.cluster);
    let (cause, sure) = concluded(&causes);
    let mut out = format!(
        "## Conclusion\n{cause}\n\nINC-{} {} {} on {cluster} for {}: {}\n## Confidence\n{sure}\n",
        incident.number,
        incident.severity.word(),
        incident.word(world.now),
        age(world.now.age_since_ms(incident.opened)),
        incident.title
    );
    out.push_str("## Evidence\n");
    for finding in incident.findings.iter().take(FINDINGS) {
        let over = if finding.over { " (over now)" } else { "" };
        out.push_str(&format!(
            "- {} {}: {}{over}, found by {} [1]\n",
            finding.since.rfc3339(),
            finding.subject,
            finding.text.trim_end_matches('.'),
            finding.method
        ));
    }
    if incident.findings.len() > FINDINGS {
        out.push_str(&format!(
            "- {} more findings [1]\n",
            incident.findings.len() - FINDINGS
        ));
    }
    rest(&causes, &runbooks(world, incident), &mut out);
    out
}

/// What the ranking says of the cause, and how sure it is.
fn concluded(causes: &Causes) -> (String, String) {
    let likely = |list: &[Cause]| {
        let first = list.iter().find(|c| c.what != What::None)?;
        (first.probability >= LIKELY).then(|| first.clone())
    };
    let place = likely(&causes.ranking.places);
    let change = likely(&causes.ranking.changes);
    let each = [("It began at", &place), ("Change to blame:", &change)];
    let told: Vec<String> = each
        .iter()
        .filter_map(|(words, cause)| {
            let cause = cause.as_ref()?;
            Some(format!("{words} {} [1].", causes.name(cause)))
        })
        .collect();
    if told.is_empty() {
        let sure = "low: no candidate stands out".to_owned();
        return ("Not enough evidence for a cause.".into(), sure);
    }
    let sure: Vec<String> = place.iter().chain(&change).map(Cause::percent).collect();
    let sure = format!("{}, as the console ranks it", sure.join(" and "));
    (told.join("\n\n"), sure)
}

/// Those that fit, as steps.
fn runbooks(world: &World, incident: &Incident) -> String {
    let fitting = world.runbooks_for(incident).into_iter().take(OTHERS);
    let each = fitting.map(|f| {
        let (id, title) = (&f.runbook.id, &f.runbook.title);
        format!("- `/runbook {id}`: {title} ({})\n", f.why)
    });
    each.collect()
}

/// What speaks against the others, and what would confirm the first.
fn rest(causes: &Causes, runbooks: &str, out: &mut String) {
    let all = || causes.ranking.places.iter().chain(&causes.ranking.changes);
    let against: Vec<String> = all()
        .filter(|c| c.what != What::None && c.probability < LIKELY)
        .filter_map(|c| {
            let says = c
                .evidence
                .iter()
                .find(|e| e.weight < 0.0 && !e.says.is_empty())?;
            Some(format!("- {}: {} [1]\n", causes.name(c), says.says))
        })
        .take(OTHERS)
        .collect();
    if !against.is_empty() {
        out.push_str(&format!("## Ruled out\n{}", against.concat()));
    }
    let confirm: Vec<String> = all()
        .filter(|c| c.probability >= LIKELY)
        .filter_map(|c| c.confirm.as_ref())
        .map(|query| {
            // Lines are searched by LogQL, values by PromQL.
            let is_log = query.contains("|~") || query.contains("|=");
            let word = if is_log { "/logs" } else { "/query" };
            format!("- confirm by `{word} {query}`\n")
        })
        .take(OTHERS)
        .collect();
    let steps = format!("{}{runbooks}", confirm.concat());
    if !steps.is_empty() {
        out.push_str(&format!("## Next steps\n{steps}"));
    }
}
