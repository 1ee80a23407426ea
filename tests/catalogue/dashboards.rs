//! The dashboards of the program against the same server: every query is answered, and finds what
//! the recorded pages hold.

use farwatch::config::dashboard;
use farwatch::model::dashboard::fill::{Chosen, Filling};
use farwatch::model::dashboard::{Choices, Dashboard, Source, Variable};

use super::Prometheus;

/// Dashboards of which no page was recorded: only that their queries are answered is shown.
const NO_PAGE: [&str; 2] = ["loki", "prometheus"];

/// Panels for which nothing is in the pages: no such fault, or an exporter that was not recorded.
const QUIET: [&str; 16] = [
    "cluster: requests by code",
    "cluster: latency, p99 by verb",
    "cluster: latency of requests",
    "cluster: etcd: fsync of the log, p99",
    "cluster: restarts in 15 minutes",
    "cluster: CPU requested of allocatable",
    "cluster: memory requested of allocatable",
    "namespace: CPU held back by limits",
    "namespace: memory of its limit",
    "namespace: restarts in an hour",
    "namespace: replicas missing",
    "namespace: received by pod",
    "namespace: volumes used",
    "node: dropped and in error",
    "ptp: changes of state in 30 minutes",
    "sriov: most drops by function",
];

pub async fn every_query_is_answered(prometheus: &Prometheus) {
    let mut silent = Vec::new();
    for board in dashboard::built_in() {
        let fillings = fillings(prometheus, &board).await;
        let asked = board
            .panels
            .iter()
            .filter(|p| p.source == Source::Prometheus);
        for panel in asked {
            let mut found = 0;
            for (query, filling) in panel
                .queries
                .iter()
                .flat_map(|q| fillings.iter().map(move |f| (q, f)))
            {
                let text = filling.fill(&query.text);
                let answer = prometheus.query(&text).await;
                let place = format!("{}: {}: {text}", board.name, panel.title);
                found += answer.unwrap_or_else(|e| panic!("{place}: {e}")).len();
            }
            if found == 0 && !NO_PAGE.contains(&board.name.as_ref()) {
                silent.push(format!("{}: {}", board.name, panel.title));
            }
        }
    }
    silent.retain(|panel| !QUIET.contains(&panel.as_str()));
    assert!(silent.is_empty(), "these find nothing: {silent:#?}");
}

/// Everything where that may be chosen, else each value that the server has.
async fn fillings(prometheus: &Prometheus, board: &Dashboard) -> Vec<Filling> {
    let mut fillings = vec![Filling {
        step_s: 15,
        range_s: 3600,
        ..Filling::default()
    }];
    for variable in &board.variables {
        let values = values(prometheus, variable).await;
        let quiet = NO_PAGE.contains(&board.name.as_ref());
        let name = &variable.name;
        assert!(
            quiet || !values.is_empty(),
            "{}: ${name} has no values",
            board.name
        );
        let each = match variable.all {
            Some(_) => vec![String::new()],
            None => values,
        };
        let with = |filling: &Filling, value: String| {
            let chosen = Chosen {
                values: vec![value],
                all: variable.all.clone(),
                in_regex: variable.in_regex(),
            };
            let mut filling = filling.clone();
            filling.chosen.insert(name.clone(), chosen);
            filling
        };
        let all = fillings
            .iter()
            .flat_map(|f| each.iter().map(move |v| (f, v.clone())));
        fillings = all.map(|(filling, value)| with(filling, value)).collect();
    }
    fillings
}

async fn values(prometheus: &Prometheus, variable: &Variable) -> Vec<String> {
    match &variable.choices {
        Choices::Label { of, label, .. } => {
            let series = prometheus
                .query(&format!("group by ({label}) ({of})"))
                .await;
            let series = series.expect("values");
            let value = |s: &serde_json::Value| s["metric"][label].as_str().map(str::to_owned);
            variable.sift(series.iter().filter_map(value))
        }
        Choices::Values(values) => values.clone(),
        Choices::Text => vec![String::new()],
    }
}
