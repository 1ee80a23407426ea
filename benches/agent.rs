//! What a step of the agent's loop costs beside the model and the servers: a scripted model that
//! answers at once, and sources that hold their answers ready. The scripted server's own work is in
//! the figure, so that it is an upper bound.
#![allow(
    clippy::duplicate_mod,
    reason = "the server stands on the wire of the tests"
)]

#[path = "../tests/support/chat.rs"]
mod chat;
mod tool;

use std::sync::Arc;
use std::time::Duration;

use chat::{Answers, Bench, ChatServer, NOW, Say, answered, calls, settings, text};
use farwatch::model::ask::{Answer, Ask, Question};
use farwatch::model::chat::RunOutcome;
use farwatch::model::label::Labels;
use farwatch::model::limits::RunLimits;
use farwatch::model::log::{Level, LogLine};
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::source::Lookup;
use serde_json::json;
use tool::{Goal, cpu, judged, told, wanted};

/// Series of one answer of metrics, each of four hours of minutes; lines of one of logs.
const SERIES: usize = 200;
const POINTS: i64 = 240;
const LINES: usize = 2_000;
const ROUNDS: u32 = 8;
const TURNS: usize = 9;

fn main() {
    if wanted("step") {
        let mut each: Vec<f64> = (0..TURNS).map(|_| run() / f64::from(ROUNDS + 1)).collect();
        each.sort_by(f64::total_cmp);
        let name = "a step: answer, 2 calls on 2 clusters (200 series of 240 points, 2,000 lines), digests";
        judged(name, each[TURNS / 2] / 1e6, "ms", Goal::Most(5.0, 1.0));
        told("the slowest of them", each[TURNS - 1] / 1e6, "ms");
    }
}

/// Processor time of one whole investigation, nanoseconds.
fn run() -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (mut bench, server) = runtime.block_on(async {
        let round = |n: u32| {
            calls(&[
                (
                    "query_metrics",
                    json!({"query": format!("load{n}"), "start": "-4h"}),
                ),
                (
                    "query_logs",
                    json!({"query": format!("{{app=\"a{n}\"}}"), "start": "-4h"}),
                ),
            ])
        };
        let mut says: Vec<Say> = (0..ROUNDS).map(round).collect();
        says.push(text(
            "## Conclusion\nBusy [1].\n## Evidence\n- load is 9 [1]\n",
        ));
        let server = ChatServer::start(says).await;
        let settings = settings(&server.url(), Duration::from_secs(20));
        let mut bench = Bench::with(settings, sources());
        bench.limits = RunLimits {
            rounds: ROUNDS + 1,
            tokens: 10_000_000,
            ..RunLimits::default()
        };
        (bench, server)
    });
    let mut seen = None;
    let took = cpu(|| seen = Some(runtime.block_on(bench.ask("why?"))));
    let seen = seen.expect("ran");
    assert!(
        matches!(seen.outcome, Some(RunOutcome::Answered { .. })),
        "{seen:?}"
    );
    assert_eq!(server.requests().len() as u32, ROUNDS + 1);
    took
}

fn sources() -> Arc<dyn Lookup> {
    let series = |n: usize| SeriesSamples {
        key: SeriesKey::new(
            "load",
            Labels::from_pairs([("pod", format!("web-{n}").as_str())]),
        ),
        kind: SampleKind::Gauge,
        points: (0..POINTS)
            .map(|i| Sample {
                at: NOW.plus_ms((i - POINTS) * 60_000),
                value: ((i * 7 + n as i64) % 60) as f64,
            })
            .collect(),
    };
    let series: Arc<Vec<SeriesSamples>> = Arc::new((0..SERIES).map(series).collect());
    let line = |n: usize| LogLine {
        at_ns: (NOW.0 - n as i64) * 1_000_000,
        labels: Labels::from_pairs([("pod", "web-1")]),
        line: format!("request {n} of user {} took {} ms", n % 90, n * 13 % 700).into(),
        level: if n.is_multiple_of(50) {
            Level::Error
        } else {
            Level::Info
        },
    };
    let lines: Vec<LogLine> = (0..LINES).map(line).collect();
    Arc::new(Answers(move |q: &Question| {
        let answer = match &q.ask {
            Ask::Logs { .. } => Answer::Logs(lines.clone()),
            _ => Answer::Series(Arc::clone(&series)),
        };
        (Duration::ZERO, answered(q, Ok(answer)))
    }))
}
