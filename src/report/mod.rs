//! Reports of what the console knows: an incident, the fleet, its room. Made of what was heard, for
//! a period and clusters; what was not heard is named as a gap.

use serde::Serialize;

mod chart;
mod cluster;
mod incident;
pub mod page;
mod room;

use crate::model::chat::ModelWords;
use crate::model::fault::Fault;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::time::Timestamp;
use crate::model::unit::age;
use crate::state::world::{ClusterState, Status, World};

pub use chart::Chart;

/// Incidents told in a list.
const LISTED: usize = 30;

/// What a report is about (domain reference, section 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    ExecutiveSummary,
    DetailedAnalysis,
    IncidentReport,
    CapacityPlan,
}

impl Kind {
    pub fn title(self) -> &'static str {
        match self {
            Self::ExecutiveSummary => "Executive summary",
            Self::DetailedAnalysis => "Detailed analysis",
            Self::IncidentReport => "Incident report",
            Self::CapacityPlan => "Capacity plan",
        }
    }
}

/// What to report.
#[derive(Clone, Debug)]
pub struct Asked {
    pub kind: Kind,
    pub clusters: Vec<ClusterId>,
    pub from: Timestamp,
    /// Of an incident report; `None`: the worst that is open.
    pub incident: Option<IncidentId>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub title: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub clusters: Vec<String>,
    /// RFC 3339, UTC.
    pub start: String,
    pub end: String,
    pub generated_by: String,
    /// The recording that was played, where it was one.
    pub recording: Option<String>,
    pub summary: Vec<String>,
    /// The same in a model's words, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_model: Option<ModelWords>,
    pub sections: Vec<Section>,
    pub recommendations: Vec<String>,
    pub data_gaps: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Section {
    pub title: String,
    pub lines: Vec<String>,
    pub tables: Vec<Table>,
    pub charts: Vec<Chart>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    pub title: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    /// Rows that are there and not told.
    pub more: usize,
}

impl Table {
    fn new(title: &str, columns: &[&'static str], mut rows: Vec<Vec<String>>, most: usize) -> Self {
        let more = rows.len().saturating_sub(most);
        rows.truncate(most);
        Self {
            title: title.into(),
            columns: columns.to_vec(),
            rows,
            more,
        }
    }
}

impl Report {
    /// With what the model wrote, or why it wrote nothing.
    pub fn with_words(mut self, words: Result<ModelWords, Fault>) -> Self {
        match words {
            Ok(words) => self.by_model = Some(words),
            Err(fault) => self
                .data_gaps
                .push(format!("No summary by a model: {fault}")),
        }
        self
    }
}

/// Makes the report. `Err`: there is nothing of that kind to report.
pub fn make(world: &World, asked: &Asked) -> Result<Report, String> {
    let clusters: Vec<&ClusterState> = world
        .clusters
        .iter()
        .filter(|c| asked.clusters.contains(&c.id))
        .collect();
    let mut report = Report {
        title: asked.kind.title().into(),
        kind: asked.kind,
        clusters: clusters.iter().map(|c| c.name.to_string()).collect(),
        start: asked.from.rfc3339(),
        end: world.now.rfc3339(),
        generated_by: concat!("farwatch ", env!("CARGO_PKG_VERSION")).into(),
        recording: world.replay.as_ref().map(|r| r.file.to_string()),
        summary: Vec::new(),
        by_model: None,
        sections: Vec::new(),
        recommendations: Vec::new(),
        data_gaps: gaps(world, &clusters, asked.from),
    };
    match asked.kind {
        Kind::IncidentReport => incident::fill(world, asked, &mut report)?,
        Kind::CapacityPlan => room::fill(world, &clusters, &mut report),
        Kind::ExecutiveSummary | Kind::DetailedAnalysis => {
            overview(world, &clusters, asked, &mut report);
        }
    }
    Ok(report)
}

fn overview(world: &World, clusters: &[&ClusterState], asked: &Asked, report: &mut Report) {
    let not_well = clusters
        .iter()
        .filter(|c| world.status(c.id) != Status::Ok)
        .count();
    report.summary.push(format!(
        "{} of {} clusters are well; {} alerts fire.",
        clusters.len() - not_well,
        clusters.len(),
        clusters
            .iter()
            .map(|c| c.alert_counts().firing())
            .sum::<usize>(),
    ));
    let mut incidents = Section {
        title: "Incidents".into(),
        ..Section::default()
    };
    let rows: Vec<Vec<String>> = world
        .incidents
        .iter()
        .filter(|i| asked.clusters.contains(&i.cluster))
        .filter(|i| i.closed.is_none_or(|end| end >= asked.from))
        .map(|i| incident::row(world, i))
        .collect();
    let open = world.incidents.iter();
    let open = open.filter(|i| asked.clusters.contains(&i.cluster) && i.is_live());
    report.summary.push(format!(
        "{} incidents in the period, {} of them open.",
        rows.len(),
        open.clone().count()
    ));
    for i in open.take(3) {
        let name = world.name_of(i.cluster);
        report
            .summary
            .push(format!("INC-{} on {name}: {}", i.number, i.title));
        report.recommendations.extend(incident::advice(world, i));
    }
    let columns = [
        "incident",
        "cluster",
        "severity",
        "state",
        "opened",
        "lasted",
        "what",
        "likely cause",
    ];
    incidents.tables.push(Table::new(
        "Incidents of the period",
        &columns,
        rows,
        LISTED,
    ));
    report.sections.push(incidents);
    let whole = asked.kind == Kind::DetailedAnalysis;
    for c in clusters {
        report.sections.push(cluster::section(world, c, whole));
    }
}

/// What the report cannot tell, cluster by cluster.
fn gaps(world: &World, clusters: &[&ClusterState], from: Timestamp) -> Vec<String> {
    let mut told = Vec::new();
    for c in clusters {
        if !c.is_heard(world.now) {
            told.push(format!(
                "{}: not heard now: {}",
                c.name,
                world.standing(c.id).1
            ));
        }
        let blind = world.blind_spots(c);
        told.extend(blind.iter().map(|b| format!("{}: {}", c.name, b.what)));
        let first = first_sample(world, c);
        match first {
            Some(first) if first > from.plus_ms(600_000) => told.push(format!(
                "{}: metrics are held since {} only, {} of the period",
                c.name,
                first.rfc3339(),
                age(world.now.age_since_ms(first))
            )),
            None => told.push(format!("{}: no metric is held", c.name)),
            _ => {}
        }
    }
    told
}

/// Time of the oldest sample that is held of a cluster.
fn first_sample(world: &World, c: &ClusterState) -> Option<Timestamp> {
    let names = world.store.names(c.id);
    let series = names.iter().flat_map(|name| world.store.find(c.id, name));
    let firsts = series.filter_map(|(id, _)| {
        let mut points = world.store.points(id, Timestamp(i64::MIN / 2), world.now);
        points.next().map(|p| p.at)
    });
    firsts.min()
}

#[cfg(test)]
mod tests;
