//! Playing, seeking, pausing; questions to a recording.

use std::sync::Arc;

use super::*;
use crate::bundle::Writer;
use crate::model::ask::{Answer, Ask, Question};
use crate::model::id::{ClusterId, RequestId};
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, LogBatch, SampleBatch};
use crate::source::Lookup;

/// One minute, a value and a line every 10 s.
fn recording() -> Vec<u8> {
    let cluster = RecordedCluster {
        name: "alpha".into(),
        kind: "far-edge".into(),
        sources: vec![SourceKind::Prometheus, SourceKind::Exporter(0)],
        ..RecordedCluster::default()
    };
    let header = Header::new(vec![cluster], Timestamp(0));
    let mut writer = Writer::new(Vec::new(), &header).expect("writes");
    for n in 0..=6 {
        let at = Timestamp(n * 10_000);
        let series = SeriesSamples {
            key: SeriesKey::new("gpu_util", Labels::from_pairs([("gpu", "0")])),
            kind: SampleKind::Gauge,
            points: [Sample {
                at,
                value: n as f64,
            }]
            .into(),
        };
        let samples = Body::Samples(SampleBatch {
            group: Group::Gpu,
            name: "gpu_util".into(),
            query: "avg by (gpu) (util)".into(),
            at,
            interval_ms: 10_000,
            backfill: false,
            series: vec![series],
            cut_from: None,
        });
        let logs = Body::Logs(LogBatch {
            lines: vec![LogLine {
                at_ns: at.0 * 1_000_000,
                labels: Labels::from_pairs([("app", "x")]),
                line: format!("line {n}").into(),
                level: Level::Info,
            }],
            dropped: 0,
            live: true,
        });
        for body in [samples, logs] {
            let telemetry = Telemetry {
                cluster: ClusterId(0),
                source: SourceKind::Prometheus,
                received: at,
                body,
            };
            writer.push(&telemetry).expect("fits");
        }
    }
    writer.finish().expect("finishes")
}

fn reader() -> Reader {
    Reader::from_bytes(recording()).expect("reads")
}

const ONE: Begin = Begin {
    speed: 1.0,
    at: None,
};

/// What comes until the player has told this status.
async fn until(
    fed: &mut mpsc::Receiver<Fed>,
    stop: impl Fn(&ReplayStatus) -> bool,
) -> (Vec<Fed>, ReplayStatus) {
    let mut seen = Vec::new();
    loop {
        match fed.recv().await.expect("the player lives") {
            Fed::Status(status) if stop(&status) => return (seen, status),
            other => seen.push(other),
        }
    }
}

fn without_status(fed: Vec<Fed>) -> Vec<Fed> {
    fed.into_iter()
        .filter(|f| !matches!(f, Fed::Status(_)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn any_speed_tells_the_same_in_the_same_order() {
    let mut told = Vec::new();
    for speed in [0.5, 1.0, 60.0, 1000.0] {
        let begin = Begin { speed, at: None };
        let began = tokio::time::Instant::now();
        let (_player, mut fed) = Player::start(reader(), "x.fwr".into(), begin);
        let (seen, status) = until(&mut fed, |s| s.ended).await;
        let took = began.elapsed().as_secs_f64() * speed;
        assert!((59.9..62.0).contains(&took), "{took} s at {speed}x");
        assert_eq!(status.now, Timestamp(60_000));
        told.push(without_status(seen));
    }
    assert_eq!(told[0].len(), 14 + 61, "deliveries and ticks");
    assert!(told.windows(2).all(|w| w[0] == w[1]));
}

#[tokio::test(start_paused = true)]
async fn seeks_forward_at_once_and_back_from_the_start() {
    let (player, mut fed) = Player::start(reader(), "x.fwr".into(), ONE);
    let began = tokio::time::Instant::now();
    assert!(player.command(ReplayCommand::Pause(true)));
    assert!(player.command(ReplayCommand::Seek(Timestamp(35_000))));
    let (seen, _) = until(&mut fed, |s| s.now == Timestamp(35_000)).await;
    assert!(began.elapsed() < Duration::from_secs(1));
    let deliveries = |seen: &[Fed]| {
        seen.iter()
            .filter(|f| matches!(f, Fed::Telemetry(_)))
            .count()
    };
    assert_eq!(deliveries(&seen), 8);
    assert!(player.command(ReplayCommand::Seek(Timestamp(5_000))));
    let (_, status) = until(&mut fed, |s| s.restarted).await;
    assert_eq!(status.now, Timestamp(0));
    let (seen, status) = until(&mut fed, |s| s.now == Timestamp(5_000)).await;
    assert_eq!(deliveries(&seen), 2);
    assert!(status.paused);
    // Paused: time stands still.
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(fed.try_recv().is_err());
    assert_eq!(stands_at(&player.clock()), Timestamp(5_000));
}

#[tokio::test(start_paused = true)]
async fn begins_where_it_is_told_and_changes_speed() {
    let begin = Begin {
        speed: 1.0,
        at: Some(Timestamp(30_000)),
    };
    let (player, mut fed) = Player::start(reader(), "x.fwr".into(), begin);
    until(&mut fed, |s| s.now == Timestamp(30_000)).await;
    let began = tokio::time::Instant::now();
    assert!(player.command(ReplayCommand::Speed(10.0)));
    until(&mut fed, |s| s.ended).await;
    let took = began.elapsed().as_secs_f64();
    assert!((2.9..3.6).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn ends_where_it_is_damaged() {
    let mut bytes = recording();
    let damage = bytes.len() * 2 / 3;
    bytes[damage..damage + 8].fill(0xff);
    let reader = Reader::from_bytes(bytes).expect("opens");
    let begin = Begin {
        speed: 100.0,
        at: None,
    };
    let (_player, mut fed) = Player::start(reader, "x.fwr".into(), begin);
    let (seen, status) = until(&mut fed, |s| s.ended).await;
    let trouble = seen.iter().find_map(|f| match f {
        Fed::Trouble(text) => Some(text.as_str()),
        _ => None,
    });
    let trouble = trouble.expect("said");
    assert!(
        trouble.starts_with("x.fwr: the recording is damaged") && trouble.contains("up to there"),
        "{trouble}"
    );
    assert!(status.now < Timestamp(60_000), "{status:?}");
    assert_eq!(status.end, status.now);
}

fn lookup(now: i64) -> Recorded {
    let open: Opener = Arc::new(|| Reader::from_bytes(recording()));
    let clock = Arc::new(AtomicI64::new(now));
    Recorded::new(open, "x.fwr".into(), vec!["alpha".into()], clock)
}

async fn ask(now: i64, ask: Ask) -> Result<Answer, String> {
    let question = Question {
        id: RequestId(1),
        cluster: ClusterId(0),
        ask,
    };
    let answered = lookup(now).ask(question).await;
    assert_eq!(answered.origin, "recording x.fwr");
    answered.result.map_err(|fault| fault.to_string())
}

fn range(query: &str) -> Ask {
    Ask::Range {
        query: query.into(),
        start: Timestamp(0),
        end: Timestamp(60_000),
        step_ms: 10_000,
    }
}

#[tokio::test]
async fn answers_selectors_and_polled_queries_without_the_future() {
    for query in ["gpu_util{gpu=~\"[0-3]\"}", "avg by (gpu) (util)"] {
        let Ok(Answer::Series(series)) = ask(30_000, range(query)).await else {
            panic!("no series for {query}");
        };
        let values: Vec<f64> = series[0].points.iter().map(|p| p.value).collect();
        assert_eq!(values, [0.0, 1.0, 2.0, 3.0], "{query}");
    }
    let Ok(Answer::Series(none)) = ask(60_000, range("other")).await else {
        panic!("an unknown name is no fault");
    };
    assert!(none.is_empty());
}

#[tokio::test]
async fn answers_any_query_from_what_was_recorded() {
    let values = |answer: Result<Answer, String>| -> Vec<f64> {
        let Ok(Answer::Series(series)) = answer else {
            panic!("{answer:?}");
        };
        let points = series.iter().flat_map(|s| s.points.iter());
        points.map(|p| p.value).collect()
    };
    let asked = |query: &str| ask(30_000, range(query));
    let rates = values(asked("rate(gpu_util{gpu=\"0\"}[20s])").await);
    assert_eq!(rates, [0.05, 0.1, 0.1], "what was known by then");
    assert_eq!(values(asked("sum(gpu_util) * 2 > 2").await), [4.0, 6.0]);
    assert_eq!(
        values(asked("max_over_time(gpu_util[1m:10s] @ 30)").await),
        [3.0; 4]
    );
    assert_eq!(values(asked("1 + 1").await), [2.0; 4]);
    let instant = |query: &str, at| Ask::Instant {
        query: query.into(),
        at: Timestamp(at),
    };
    let all = ask(30_000, instant("gpu_util[20s]", 30_000)).await;
    assert_eq!(values(all), [1.0, 2.0, 3.0]);
    assert_eq!(
        values(ask(30_000, instant("scalar(gpu_util)", 20_000)).await),
        [2.0]
    );
}

#[tokio::test]
async fn says_what_it_cannot_answer() {
    for (query, words) in [
        // Nobody knows whether there were errors: neither 0 nor 1 is an answer.
        (
            "sum(errors{code=\"5\"}) or vector(0)",
            "the recording holds nothing of errors{code=\"5\"}",
        ),
        ("absent(errors)", "the recording holds nothing of errors"),
        ("gpu_util +", "parse error: "),
        (
            "label_join(gpu_util, \"a b\", \"\")",
            "invalid destination label name in label_join(): a b",
        ),
        (
            "limit_ratio(0.5, gpu_util)",
            "limit_ratio is not evaluated here",
        ),
        (
            "sum_over_time(gpu_util[9y:1s])",
            "the query is too big: it has ",
        ),
    ] {
        let error = ask(60_000, range(query)).await;
        let error = error.expect_err("no answer");
        let begin = format!("alpha: recording x.fwr: {words}");
        assert!(error.starts_with(&begin), "{error}");
    }
    // Of a metric that is recorded it is known that there is no other series.
    let none = ask(60_000, range("sum(gpu_util{gpu=\"7\"})")).await;
    assert!(matches!(none, Ok(Answer::Series(s)) if s.is_empty()));
    assert!(ask(60_000, Ask::Rules).await.is_err());
}

#[tokio::test]
async fn an_unknown_name_is_said_beside_the_empty_answer() {
    let question = Question {
        id: RequestId(1),
        cluster: ClusterId(0),
        ask: range("other{a=\"b\"}"),
    };
    let answered = lookup(60_000).ask(question).await;
    assert!(answered.result.is_ok());
    assert_eq!(
        answered.warnings,
        ["the recording holds nothing of other{a=\"b\"}"]
    );
    assert!(!answered.is_whole());
}

#[tokio::test]
async fn answers_lines_newest_first() {
    let query = Ask::Logs {
        query: "{app=\"x\"} != \"line 2\"".into(),
        start: Timestamp(0),
        end: Timestamp(60_000),
        limit: 2,
        backward: true,
    };
    let Ok(Answer::Logs(lines)) = ask(30_000, query).await else {
        panic!("no lines");
    };
    let texts: Vec<&str> = lines.iter().map(|l| &*l.line).collect();
    assert_eq!(texts, ["line 3", "line 1"]);
}

#[test]
fn clusters_come_back_as_they_were_shown() {
    let config = config_of(reader().header(), &Config::default());
    let cluster = &config.clusters[0];
    assert_eq!(cluster.kind, ClusterKind::FarEdge);
    assert!(cluster.prometheus.is_some() && cluster.loki.is_none());
    assert_eq!(cluster.exporters.len(), 1);
    assert_eq!(recorded_clusters(&config), reader().header().clusters);
}
