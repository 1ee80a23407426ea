//! How long a range query over 100 series and 240 steps takes, beside a real Prometheus that holds
//! the same data and tells how long it took itself.

mod tool;

use std::fmt::Write as _;

use farwatch::model::label::Labels;
use farwatch::model::sample::Sample;
use farwatch::model::time::Timestamp;
use farwatch::promql::{Limits, Memory, NAME, Query, Series, Value};
use tool::{Goal, judged, median, time};

#[path = "../tests/support/prometheus.rs"]
mod prometheus;

use prometheus::{Prometheus, get};

const SERIES: usize = 100;
const EVERY_MS: i64 = 15_000;
const POINTS: i64 = 300;
const STEPS: i64 = 240;
const START_MS: i64 = 1_700_000_000_000;
const ROUNDS: usize = 15;

const QUERIES: [(&str, &str); 5] = [
    ("a selector", "requests_total"),
    ("rate of 5 minutes", "rate(requests_total[5m])"),
    (
        "that, summed by job",
        "sum by (job) (rate(requests_total[5m]))",
    ),
    (
        "one vector by another",
        "rate(requests_total[5m]) / on (job, instance) requests_total",
    ),
    (
        "a subquery",
        "max_over_time(sum by (job) (rate(requests_total[1m]))[10m:30s])",
    ),
];

fn value(series: usize, point: i64) -> f64 {
    (point * (series as i64 + 1)) as f64 * 0.25
}

fn labels(series: usize) -> [(&'static str, String); 3] {
    [
        (NAME, "requests_total".into()),
        ("job", format!("job-{}", series % 7)),
        ("instance", format!("10.0.0.{series}:9100")),
    ]
}

fn memory() -> Memory {
    let series = |n| Series {
        labels: Labels::from_pairs(labels(n)),
        points: (0..POINTS)
            .map(|point| Sample {
                at: Timestamp(START_MS + point * EVERY_MS),
                value: value(n, point),
            })
            .collect(),
    };
    Memory::new((0..SERIES).map(series).collect())
}

fn openmetrics() -> String {
    let mut text = String::new();
    for n in 0..SERIES {
        let [(_, name), (_, job), (_, instance)] = labels(n);
        for point in 0..POINTS {
            let at = (START_MS + point * EVERY_MS) / 1000;
            let value = value(n, point);
            let labels = format!("job=\"{job}\",instance=\"{instance}\"");
            writeln!(text, "{name}{{{labels}}} {value} {at}").expect("a text");
        }
    }
    text + "# EOF\n"
}

/// Start and end of the query.
fn span() -> (i64, i64) {
    let end = START_MS + (POINTS - 1) * EVERY_MS;
    (end - (STEPS - 1) * EVERY_MS, end)
}

/// Nanoseconds that Prometheus says the evaluation took, and the points of its answer.
fn theirs(port: u16, query: &str) -> (f64, usize) {
    let (start, end) = span();
    let mut written = String::new();
    for byte in query.bytes() {
        let _ = write!(written, "%{byte:02x}");
    }
    let (start, end, step) = (start / 1000, end / 1000, EVERY_MS / 1000);
    let path = format!(
        "/api/v1/query_range?query={written}&start={start}&end={end}&step={step}&stats=all"
    );
    let body = get(port, &path).expect("an answer");
    let answer: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let seconds = answer["data"]["stats"]["timings"]["evalTotalTime"].as_f64();
    let series = answer["data"]["result"].as_array().expect("series");
    let points = series.iter().filter_map(|s| s["values"].as_array());
    (seconds.expect("its time") * 1e9, points.map(Vec::len).sum())
}

fn main() {
    let memory = memory();
    let server = Prometheus::start_with_history("", "", Some(&openmetrics()));
    for (name, text) in QUERIES {
        let query = Query::range(text, span(), EVERY_MS);
        let answer = || query.answer(&memory, Limits::default());
        let points: usize = match answer() {
            Ok(Value::Matrix(all)) => all.iter().map(|s| s.points.len()).sum(),
            other => panic!("{text}: {other:?}"),
        };
        let ours = time(ROUNDS, answer);
        let theirs: Vec<(f64, usize)> = (0..ROUNDS).map(|_| theirs(server.port, text)).collect();
        assert!(theirs.iter().all(|(_, n)| *n == points), "{text}: {points}");
        let peer = median(theirs.iter().map(|(ns, _)| *ns).collect());
        let line = format!("{name}: of the time of Prometheus ({:.2} ms)", peer / 1e6);
        judged(&line, ours / peer, "x", Goal::Most(2.0, 1.0));
        tool::told(&format!("{name}: processor time"), ours / 1e6, "ms");
    }
}
