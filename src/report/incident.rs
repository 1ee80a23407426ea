//! One incident: what, since when, what it spread to, what caused it, what was done.

use super::{Asked, Chart, Report, Section, Table};
use crate::cause::What;
use crate::model::finding::Evidence;
use crate::model::incident::{Incident, Stamp};
use crate::model::unit::age;
use crate::state::world::World;

const FINDINGS: usize = 60;
const CAUSES: usize = 6;
const CHANGES: usize = 40;
const CHARTS: usize = 8;
/// Time before the first sign that is told.
const BEFORE_MS: i64 = 30 * 60_000;
/// Less likely causes are none to name alone.
const LIKELY: f64 = 0.2;

/// The likeliest cause in words, with how likely it is.
fn likely(world: &World, incident: &Incident) -> Option<String> {
    let causes = world.causes(incident);
    let ranking = &causes.ranking;
    let each = [&ranking.places, &ranking.changes].map(|list| {
        let first = list.iter().find(|c| c.what != What::None)?;
        let enough = first.probability >= LIKELY;
        enough.then(|| format!("{} ({})", causes.name(first), first.percent()))
    });
    let told: Vec<String> = each.into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join("; "))
}

pub(super) fn row(world: &World, i: &Incident) -> Vec<String> {
    let name = world.name_of(i.cluster);
    let end = i.closed.unwrap_or(world.now);
    vec![
        format!("INC-{}", i.number),
        name.to_owned(),
        i.severity.word().to_owned(),
        i.word(world.now).to_string(),
        i.opened.rfc3339(),
        age(end.age_since_ms(i.opened)),
        i.title.clone(),
        likely(world, i).unwrap_or_else(|| "not enough evidence".into()),
    ]
}

/// What would confirm its causes.
pub(super) fn advice(world: &World, i: &Incident) -> Vec<String> {
    let causes = world.causes(i);
    let all = causes.ranking.places.iter().chain(&causes.ranking.changes);
    all.filter(|c| c.probability >= LIKELY)
        .filter_map(|c| {
            let query = c.confirm.as_ref()?;
            Some(format!(
                "INC-{}: confirm {} by the query {query}",
                i.number,
                causes.name(c)
            ))
        })
        .collect()
}

pub(super) fn fill(world: &World, asked: &Asked, report: &mut Report) -> Result<(), String> {
    let mut all = world.incidents.iter();
    let found = match asked.incident {
        Some(id) => world.incident(id),
        None => all.find(|i| i.is_live() && asked.clusters.contains(&i.cluster)),
    };
    let i = found.ok_or("there is no such incident, or none is open")?;
    let name = world.name_of(i.cluster);
    report.title = format!("Incident report: INC-{} on {name}", i.number);
    report.clusters = vec![name.to_owned()];
    report.start = i.opened.plus_ms(-BEFORE_MS).rfc3339();
    report.summary.push(i.title.clone());
    report.summary.push(format!(
        "{} {}, opened {}{}; {} signs on {} objects.",
        i.severity.word(),
        i.word(world.now),
        i.opened.rfc3339(),
        i.closed
            .map_or(String::new(), |end| format!(", ended {}", end.rfc3339())),
        i.findings.len(),
        i.subjects.len()
    ));
    report.summary.push(match likely(world, i) {
        Some(cause) => format!("Likely cause: {cause}."),
        None => "Not enough evidence for a cause.".into(),
    });
    report.recommendations = advice(world, i);
    report.sections = vec![
        causes(world, i),
        timeline(world, i),
        desk(i),
        curves(world, i),
    ];
    report.sections.retain(|s| *s != Section::default());
    Ok(())
}

fn causes(world: &World, i: &Incident) -> Section {
    let causes = world.causes(i);
    let rows = |list: &[crate::cause::Cause]| -> Vec<Vec<String>> {
        list.iter()
            .map(|c| {
                let side = |positive: bool| {
                    let some = c.evidence.iter().filter(|e| !e.says.is_empty());
                    let some = some.filter(|e| (e.weight > 0.0) == positive);
                    let each = some.map(|e| format!("{} ({})", e.says, e.origin));
                    each.collect::<Vec<_>>().join("; ")
                };
                vec![causes.name(c), c.percent(), side(true), side(false)]
            })
            .collect()
    };
    let columns = ["candidate", "probability", "for", "against"];
    Section {
        title: "Causes".into(),
        lines: vec!["Ranked from order in time, topology, strength and known ways.".into()],
        tables: vec![
            Table::new(
                "Where it began",
                &columns,
                rows(&causes.ranking.places),
                CAUSES,
            ),
            Table::new(
                "Changes to blame",
                &columns,
                rows(&causes.ranking.changes),
                CAUSES,
            ),
        ],
        charts: Vec::new(),
    }
}

fn timeline(world: &World, i: &Incident) -> Section {
    let mut rows: Vec<(i64, Vec<String>)> = i
        .findings
        .iter()
        .map(|f| {
            let over = if f.over { " (over now)" } else { "" };
            let row = vec![
                f.since.rfc3339(),
                "sign".into(),
                f.subject.to_string(),
                format!("{}{over}", f.text),
                f.method.to_string(),
            ];
            (f.since.0, row)
        })
        .collect();
    if let Some(cluster) = world.cluster(i.cluster) {
        let until = i.closed.unwrap_or(world.now);
        let changes = cluster.changes_between(i.opened.plus_ms(-BEFORE_MS), until);
        rows.extend(changes.rev().take(CHANGES).map(|c| {
            let subject = format!("{} {}", c.subject.0, c.subject.1);
            let row = vec![
                c.at.rfc3339(),
                "change".into(),
                subject,
                c.words(),
                "watch".into(),
            ];
            (c.at.0, row)
        }));
    }
    rows.sort_by_key(|(at, _)| *at);
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let columns = ["time (UTC)", "kind", "object", "what", "found by"];
    Section {
        title: "Timeline".into(),
        tables: vec![Table::new("Signs and changes", &columns, rows, FINDINGS)],
        ..Section::default()
    }
}

/// What people did about it.
fn desk(i: &Incident) -> Section {
    let mut lines = Vec::new();
    if let Some(stamp) = i.desk.acknowledged() {
        lines.push(format!(
            "acknowledged by {} at {}",
            stamp.by,
            stamp.at.rfc3339()
        ));
    }
    if let Some((who, stamp)) = i.desk.assigned() {
        lines.push(format!(
            "assigned to {who} by {} at {}",
            stamp.by,
            stamp.at.rfc3339()
        ));
    }
    let told = |(stamp, text): (Stamp, &str), verb: &str| {
        format!("{}{verb} at {}: {text}", stamp.by, stamp.at.rfc3339())
    };
    lines.extend(i.desk.notes().map(|note| told(note, "")));
    let pins = i.desk.pins().into_iter();
    lines.extend(pins.map(|pin| told(pin, " kept as evidence")));
    if lines.is_empty() {
        return Section::default();
    }
    Section {
        title: "What was done".into(),
        lines,
        ..Section::default()
    }
}

fn curves(world: &World, i: &Incident) -> Section {
    let from = i.opened.plus_ms(-BEFORE_MS);
    let mut charts: Vec<Chart> = Vec::new();
    for finding in &i.findings {
        for evidence in &finding.evidence {
            let Evidence::Series(key) = evidence else {
                continue;
            };
            let title = key.to_string();
            if charts.len() >= CHARTS || charts.iter().any(|c| c.title == title) {
                continue;
            }
            let chart = Chart::of(world, i.cluster, key, from, finding.unit);
            charts.extend(chart.map(|chart| Chart {
                onset_ms: Some(finding.since.0),
                ..chart
            }));
        }
    }
    if charts.is_empty() {
        return Section::default();
    }
    Section {
        title: "Curves".into(),
        lines: vec!["The line marks when each left what was usual.".into()],
        charts,
        ..Section::default()
    }
}
