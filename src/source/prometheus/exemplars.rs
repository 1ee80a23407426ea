//! The answer of `query_exemplars`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::wire::Number;
use crate::model::exemplar::Exemplar;
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::text;
use crate::model::time::Timestamp;

/// Labels read of one set.
const LABELS: usize = 64;

#[derive(Deserialize)]
pub(super) struct Series {
    #[serde(rename = "seriesLabels", default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    exemplars: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    value: Number,
    timestamp: f64,
}

/// What has no number for a value is left out.
pub(super) fn read(series: Vec<Series>) -> Vec<Exemplar> {
    let mut found = Vec::new();
    for mut one in series {
        let name = one.labels.remove("__name__").unwrap_or_default();
        let name = text::shared(&name, text::LIMIT_BYTES);
        let key = SeriesKey::new(name, labels(&one.labels));
        for exemplar in one.exemplars {
            if let Some(value) = exemplar.value.0 {
                found.push(Exemplar {
                    series: key.clone(),
                    labels: labels(&exemplar.labels),
                    value,
                    at: Timestamp::from_seconds(exemplar.timestamp),
                });
            }
        }
    }
    found
}

fn labels(labels: &BTreeMap<String, String>) -> Labels {
    let clean = |text: &str| -> Arc<str> { text::shared(text, text::LIMIT_BYTES) };
    let pairs = labels.iter().take(LABELS);
    Labels::new(pairs.map(|(n, v)| (clean(n), clean(v))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(version: &str) -> Vec<Exemplar> {
        let root = env!("CARGO_MANIFEST_DIR");
        let path = format!("{root}/tests/fixtures/prometheus/{version}/exemplars.json");
        #[derive(Deserialize)]
        struct Answer {
            data: Vec<Series>,
        }
        let body = std::fs::read(path).unwrap();
        read(serde_json::from_slice::<Answer>(&body).unwrap().data)
    }

    #[test]
    fn reads_what_prometheus_recorded() {
        let found = fixture("v3.12");
        let first = found.first().expect("one");
        let series = first.series.name.as_ref();
        assert_eq!(series, "traces_spanmetrics_latency_bucket");
        assert_eq!((first.value, first.at.0), (0.001801984, 1_795_230_682_907));
        let trace = first.trace().expect("a trace").to_string();
        assert_eq!(trace, "ddc12844bba3edd61df9c35adc1f1a22");
        assert!(found.len() > 3);
        assert!(fixture("v2.42").is_empty());
    }

    #[test]
    fn hostile_labels_are_cleaned_and_no_number_is_left_out() {
        let body = r#"[{"seriesLabels":{"__name__":"x\u001b[2J"},"exemplars":[
            {"labels":{"trace_id":"\u202eab"},"value":"1","timestamp":5},
            {"labels":{},"value":"many","timestamp":5}]}]"#;
        let found = read(serde_json::from_str(body).unwrap());
        assert_eq!(found.len(), 1);
        let first = found.first().expect("one");
        assert_eq!(first.series.name.as_ref(), "x");
        assert_eq!(first.labels.get("trace_id"), Some("ab"));
    }
}
