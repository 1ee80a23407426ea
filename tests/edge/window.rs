//! The window beside a real Prometheus that scraped the same exporter.

use std::time::Duration;

use farwatch::config::Config;
use farwatch::model::ask::Question;
use farwatch::model::ask::{Answer, Ask};
use farwatch::model::fault::FaultKind;
use farwatch::model::id::{ClusterId, RequestId};
use farwatch::model::time::Timestamp;
use farwatch::source::Lookup;
use farwatch::source::edge::{Held, WindowLookup};

use crate::nats::until;
use crate::prometheus::Prometheus;
use crate::said::{Said, ask, said, theirs};
use crate::site::{Exporter, Watching, later, recorded, site, watch};
use crate::{Labels, Sample, Series};

const INTERVAL: Duration = Duration::from_millis(200);

fn config(exporters: &[String]) -> Config {
    Config {
        clusters: vec![site(exporters, INTERVAL)],
        ..Config::default()
    }
}

fn server(exporter: &Exporter) -> Prometheus {
    let scrape = format!(
        "scrape_configs:\n- job_name: site\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  \
         static_configs:\n  - targets: [\"127.0.0.1:{}\"]\n  \
         relabel_configs:\n  - {{action: labeldrop, regex: job}}\n",
        exporter.port
    );
    Prometheus::start(&scrape, "")
}

fn now() -> Timestamp {
    farwatch::clock::now()
}

fn question(query: &str) -> Question {
    let query = query.to_owned();
    Question {
        id: RequestId(1),
        cluster: ClusterId(0),
        ask: Ask::Instant { query, at: now() },
    }
}

/// The answers of both, in one form.
async fn both(
    ours: &Watching,
    server: &Prometheus,
    query: &str,
    when: (i64, i64, u32),
) -> [Said; 2] {
    let (start, end, step_ms) = when;
    let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
    let (path, asked) = match step_ms {
        0 => (
            format!("query?time={}", seconds(start)),
            Ask::Instant {
                query: query.to_owned(),
                at: Timestamp(start),
            },
        ),
        _ => (
            format!(
                "query_range?start={}&end={}&step={}",
                seconds(start),
                seconds(end),
                seconds(i64::from(step_ms))
            ),
            Ask::Range {
                query: query.to_owned(),
                start: Timestamp(start),
                end: Timestamp(end),
                step_ms,
            },
        ),
    };
    let body = ask(server.port, &path, query);
    let (theirs, _) = theirs(&serde_json::from_str(&body).unwrap());
    let ours = match ours.ask(asked).await.result {
        Ok(Answer::Series(all)) => {
            let series = all.iter().map(|s| {
                let name = (&*s.key.name != "value").then_some(("__name__", &*s.key.name));
                let points = s.points.iter().map(|p| Sample {
                    at: if step_ms == 0 { Timestamp(start) } else { p.at },
                    value: p.value,
                });
                Series {
                    labels: Labels::from_pairs(s.key.labels.iter().chain(name)),
                    points: points.collect(),
                }
            });
            said(series.collect()).0
        }
        Err(fault) if fault.kind == FaultKind::NotFound => Said::Text(fault.what),
        other => panic!("{query}: {other:?}"),
    };
    [ours, theirs]
}

/// Both read the same texts, whose samples bear their times: every query has the same answer, to
/// the last bit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_have_the_answers_of_a_prometheus() {
    let texts = 40;
    let first = now().0 - 40 * 60_000;
    let fixture = recorded("node_exporter_real.prom") + &recorded("vllm_single.prom");
    let at = |n: u64| first + n as i64 * 60_000;
    let bodies = (0..texts)
        .map(|n| later(&fixture, n, Some(at(n))))
        .collect();
    let exporter = Exporter::start(bodies, &["prometheus", "farwatch"]);
    let server = server(&exporter);
    let ours = watch(config(&[exporter.url()]));
    until("all is read", async || {
        (exporter.at() as u64 == texts - 1).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let end = at(texts - 1);
    let whens = [
        (end, end, 0),
        (end - 7 * 60_000 + 1, end, 0),
        (first + 600_000, end, 60_000),
        (first + 7_001, end, 137_000),
    ];
    let queries = [
        "node_load1",
        "{__name__=~\"node_memory_.+\"}",
        "rate(node_cpu_seconds_total[5m])",
        "sum by (mode) (rate(node_cpu_seconds_total{mode!=\"idle\"}[7m]))",
        "1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[10m]))",
        "increase(node_network_receive_bytes_total[15m])",
        "irate(node_disk_io_time_seconds_total[5m])",
        "delta(node_load5[10m])",
        "deriv(node_memory_MemAvailable_bytes[20m])",
        "node_filesystem_avail_bytes / node_filesystem_size_bytes * 100",
        "topk(3, node_filesystem_avail_bytes)",
        "histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[10m])))",
        "max_over_time(node_load1[15m:2m])",
        "avg_over_time(node_load1[10m] offset 5m)",
        "quantile_over_time(0.9, node_load15[20m])",
        "changes(node_load1[20m])",
        "resets(node_cpu_seconds_total[20m])",
        "stddev_over_time(vllm:num_requests_running[10m])",
        "count by (__name__) ({__name__=~\"node_.*total\"})",
        "absent(node_nothing)",
        "sort_desc(sum by (device) (rate(node_network_transmit_bytes_total[5m])))",
        "predict_linear(node_filesystem_free_bytes[20m], 3600)",
        "label_replace(node_uname_info, \"host\", \"$1\", \"nodename\", \"(.*)\")",
        "node_time_seconds - node_boot_time_seconds",
    ];
    let (mut asked, mut empty) = (0, 0);
    for query in queries {
        for when in whens {
            let [mine, its] = both(&ours, &server, query, when).await;
            assert_eq!(mine, its, "{query} at {when:?}");
            asked += 1;
            empty += usize::from(matches!(&its, Said::Series(all) if all.is_empty()));
        }
    }
    assert_eq!(asked, 96);
    assert!(empty * 4 < asked, "{empty} of {asked} answers are empty");
}

/// What goes is gone at once for both, and who does not answer is down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_ends_as_in_a_prometheus() {
    let one = "# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 2\na{x=\"3\"} 3\nb_total 5\n".to_owned();
    let two = "# TYPE a gauge\na{x=\"1\"} 1\nb_total 5\nc NaN\n".to_owned();
    let exporter = Exporter::start(vec![one, two], &["prometheus", "farwatch"]);
    let server = server(&exporter);
    let ours = watch(config(&[exporter.url()]));
    let same = async |what: &str, wanted: usize| {
        until(what, async || {
            let at = now().0;
            let query = "{__name__=~\"a|b_total|c|up\"}";
            let [mine, its] = both(&ours, &server, query, (at, at, 0)).await;
            let Said::Series(all) = &its else { return None };
            (mine == its && all.len() == wanted).then_some(())
        })
        .await;
    };
    same("the second text is read", 4).await;
    let Answer::Names(names) = ours
        .ask(Ask::LabelValues {
            label: "__name__".into(),
        })
        .await
        .result
        .unwrap()
    else {
        panic!("names");
    };
    assert_eq!(names, ["a", "b_total", "c", "up"]);
    exporter.down(true);
    same("up is 0 and all else is gone", 1).await;
    exporter.down(false);
    same("it is back", 4).await;
}

#[tokio::test]
async fn an_answer_says_how_far_it_reaches() {
    let exporter = Exporter::start(vec!["load 3\n".to_owned()], &[]);
    let ours = watch(config(&[exporter.url()]));
    let answered = until("a value", async || {
        let answered = ours.instant("load", now()).await;
        matches!(&answered.result, Ok(Answer::Series(all)) if all.len() == 1).then_some(answered)
    })
    .await;
    assert!(
        answered.origin.starts_with("window of 1 exporter since "),
        "{}",
        answered.origin
    );
    assert!(
        answered.origin.ends_with(" of 32 MiB"),
        "{}",
        answered.origin
    );
    let warned = &answered.warnings[0];
    assert!(
        warned.starts_with("the window reaches back to "),
        "{warned}"
    );
    assert!(!answered.is_whole());
    let answered = ours.instant("load[", now()).await;
    assert_eq!(answered.result.unwrap_err().kind, FaultKind::BadQuery);
    let answered = ours.ask(Ask::Rules).await;
    assert_eq!(answered.result.unwrap_err().kind, FaultKind::NotFound);
    let nobody = WindowLookup(Held::new("far", 1 << 20));
    let answered = nobody.ask(question("load")).await;
    let words = answered.result.unwrap_err().what;
    assert_eq!(words, "no exporter has answered yet");
}
