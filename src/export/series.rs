//! Series as CSV and as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::table::harmless;
use crate::model::combine::with_cluster;
use crate::model::export::{Exported, SeriesExport};
use crate::model::sample::Sample;
use crate::model::time::Timestamp;

/// One row a time, one column a series, as Grafana writes it; an empty cell is no value. Times are
/// UTC.
pub fn csv(export: &SeriesExport) -> Vec<u8> {
    let mut out = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::NonNumeric)
        .from_writer(Vec::new());
    let names = export.series.iter().map(|s| harmless(&s.name));
    let head = std::iter::once("time".to_owned()).chain(names);
    // Writing to memory cannot fail, and all rows are as long as the head.
    let _ = out.write_record(head);
    for (at, values) in rows(&export.series) {
        let cells = values.into_iter().map(|v| v.map_or(String::new(), number));
        let _ = out.write_record(std::iter::once(at.rfc3339()).chain(cells));
    }
    out.into_inner().unwrap_or_default()
}

/// The values at each time at which any series has one.
fn rows(series: &[Exported]) -> BTreeMap<Timestamp, Vec<Option<f64>>> {
    let mut rows: BTreeMap<Timestamp, Vec<Option<f64>>> = BTreeMap::new();
    for (column, one) in series.iter().enumerate() {
        for point in one.points.iter() {
            let row = rows
                .entry(point.at)
                .or_insert_with(|| vec![None; series.len()]);
            if let Some(cell) = row.get_mut(column) {
                *cell = Some(point.value);
            }
        }
    }
    rows
}

/// As Prometheus writes numbers.
pub fn number(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".into(),
        f64::INFINITY => "+Inf".into(),
        f64::NEG_INFINITY => "-Inf".into(),
        v => v.to_string(),
    }
}

/// A matrix in the form of Prometheus' HTTP API, so that what reads that reads this; beside it what
/// the screen said.
pub fn json(export: &SeriesExport) -> Vec<u8> {
    let value = |p: &Sample| json!([p.at.seconds(), number(p.value)]);
    let result: Vec<Value> = export
        .series
        .iter()
        .map(|s| {
            let mut metric: Map<String, Value> = Map::new();
            if !s.metric.is_empty() {
                metric.insert("__name__".into(), s.metric.clone().into());
            }
            let labels = match s.cluster.as_str() {
                "" => s.labels.clone(),
                cluster => with_cluster(&s.labels, cluster),
            };
            for (label, value) in labels.iter() {
                metric.insert(label.to_owned(), value.into());
            }
            let values: Vec<Value> = s.points.iter().map(value).collect();
            json!({"metric": metric, "values": values})
        })
        .collect();
    let whole = json!({
        "status": "success",
        "data": {"resultType": "matrix", "result": result},
        "title": export.title,
        "query": export.query,
        "origin": export.origin,
        "start": export.from.rfc3339(),
        "end": export.to.rfc3339(),
        "step_s": f64::from(export.step_ms) / 1000.0,
    });
    let mut bytes = serde_json::to_vec_pretty(&whole).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
