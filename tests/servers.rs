//! Against real programs: prometheus, prometheus-alertmanager, prometheus-node-exporter.

#[path = "servers/alerts.rs"]
mod alerts;
#[path = "servers/detect.rs"]
mod detect;
#[path = "servers/editor.rs"]
mod editor;
#[path = "servers/pair.rs"]
mod pair;
#[path = "support/prometheus.rs"]
mod prometheus;
#[path = "servers/range.rs"]
mod range;
#[path = "servers/silences.rs"]
mod silences;

use std::sync::Arc;
use std::time::Duration;

use farwatch::clock;
use farwatch::config::{Cluster, Config, Endpoint};
use farwatch::model::alert::{Alert, AlertState, Severity};
use farwatch::model::ask::{Answer, Answered, Ask, Question};
use farwatch::model::fault::FaultKind;
use farwatch::model::health::{Health, SourceKind};
use farwatch::model::id::{ClusterId, RequestId};
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::source::supervisor::{Fleet, Pace};
use farwatch::source::{Lookup, Outlet};
use farwatch::state::world::World;
use farwatch::ui::view::View;
use farwatch::ui::{Ctx, Theme, Window};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc::Receiver;

use prometheus::{Alertmanager, NodeExporter, Prometheus, openmetrics};

const INTERVAL: Duration = Duration::from_millis(500);

/// The screen as lines of text.
fn drawn(view: &dyn View, world: &World, (columns, rows): (u16, u16)) -> String {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    let ctx = Ctx {
        world,
        theme: &Theme::default(),
        ascii: false,
        zone: &jiff::tz::TimeZone::UTC,
        window: Window::HOUR,
        scope: None,
        focus: true,
        cursor: Default::default(),
        old_ms: 60_000,
    };
    view.draw(&ctx, area, &mut buffer);
    let rows = buffer.content.chunks(usize::from(columns));
    let row = |cells: &[ratatui::buffer::Cell]| -> String {
        cells.iter().map(|c| c.symbol()).chain(["\n"]).collect()
    };
    rows.map(row).collect()
}

fn endpoint(url: String) -> Endpoint {
    Endpoint {
        url,
        interval: Some(INTERVAL),
        timeout: Duration::from_secs(5),
        ..Endpoint::default()
    }
}

fn cluster(name: &str, prometheus: Option<&Prometheus>) -> Cluster {
    Cluster {
        name: name.into(),
        prometheus: prometheus.map(|p| endpoint(p.url())),
        ..Cluster::default()
    }
}

fn start(clusters: Vec<Cluster>) -> (Fleet, Receiver<Telemetry>) {
    let config = Config {
        clusters,
        ..Config::default()
    };
    let pace = Pace {
        shortest: Duration::from_millis(100),
        longest: Duration::from_secs(1),
        ..Pace::default()
    };
    let (outlet, queue) = Outlet::new(1024);
    (Fleet::start_with(Arc::new(config), outlet, pace), queue)
}

async fn until<T>(
    queue: &mut Receiver<Telemetry>,
    what: &str,
    mut wanted: impl FnMut(&Telemetry) -> Option<T>,
) -> T {
    let found = async {
        loop {
            let telemetry = queue.recv().await.expect("the queue is open");
            if let Some(found) = wanted(&telemetry) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"))
}

fn batch<'t>(telemetry: &'t Telemetry, cluster: u16, name: &str) -> Option<&'t SampleBatch> {
    match &telemetry.body {
        Body::Samples(batch)
            if telemetry.cluster == ClusterId(cluster) && batch.name.as_ref() == name =>
        {
            Some(batch).filter(|b| !b.series.is_empty())
        }
        _ => None,
    }
}

const SELF: &str =
    "scrape_configs:\n- job_name: self\n  static_configs: [{targets: ['127.0.0.1:PORT']}]\n";

fn scraping(port: u16) -> String {
    SELF.replace("PORT", &port.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_is_killed_and_comes_back() {
    let exporter = NodeExporter::start();
    let mut alpha = Prometheus::start(&scraping(exporter.program.port), "");
    let beta = Prometheus::start(&scraping(exporter.program.port), "");
    let (fleet, mut queue) = start(vec![
        cluster("alpha", Some(&alpha)),
        cluster("beta", Some(&beta)),
    ]);
    fleet.demand(vec![
        (ClusterId(0), Group::Cluster),
        (ClusterId(1), Group::Cluster),
    ]);
    let live = |t: &Telemetry, id: u16| {
        batch(t, id, "target_up")
            .filter(|b| !b.backfill)
            .map(|_| ())
    };
    until(&mut queue, "samples of alpha", |t| live(t, 0)).await;
    until(&mut queue, "samples of beta", |t| live(t, 1)).await;

    alpha.kill();
    let (mut beta_ticks, mut last_beta, mut longest) = (0, None, 0);
    let (health, told_at) = until(&mut queue, "alpha failing", |t| match &t.body {
        Body::Health(h) if t.cluster == ClusterId(0) => {
            matches!(h.health, Health::Failing { .. }).then(|| (h.clone(), t.received))
        }
        _ => None,
    })
    .await;
    let fault = health.fault().expect("a fault");
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
    assert_eq!(fault.cluster, "alpha");
    // The age of the last sample is known, and it took about two intervals, not a time-out.
    let last_ok = health.last_ok.expect("it answered before");
    assert!(told_at.age_since_ms(last_ok) < 5_000);

    until(&mut queue, "beta ticks on", |t| {
        if live(t, 1).is_some() {
            let last = last_beta.replace(t.received);
            longest = longest.max(last.map_or(0, |l| t.received.age_since_ms(l)));
            beta_ticks += 1;
        }
        (beta_ticks == 8).then_some(())
    })
    .await;
    assert!(longest < 2_500, "beta was silent for {longest} ms");

    alpha.restart();
    until(&mut queue, "alpha live again", |t| match &t.body {
        Body::Health(h) if t.cluster == ClusterId(0) => (h.health == Health::Live).then_some(()),
        _ => None,
    })
    .await;
    until(&mut queue, "samples of alpha again", |t| live(t, 0)).await;
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_comes_before_the_present() {
    let now = clock::now().0 / 1000;
    let points: Vec<(i64, f64)> = (0..300).map(|i| (now - 3600 + i * 10, 1.0)).collect();
    let history = openmetrics("up", "job=\"old\",instance=\"x:1\"", &points);
    let exporter = NodeExporter::start();
    let server =
        Prometheus::start_with_history(&scraping(exporter.program.port), "", Some(&history));
    let (fleet, mut queue) = start(vec![cluster("alpha", Some(&server))]);
    fleet.demand(vec![(ClusterId(0), Group::Cluster)]);
    let first = until(&mut queue, "target_up", |t| {
        batch(t, 0, "target_up").cloned()
    })
    .await;
    assert!(first.backfill);
    let old = first
        .series
        .iter()
        .find(|s| s.key.labels.get("job") == Some("old"))
        .expect("the old job");
    assert_eq!(old.key.name.as_ref(), "target_up");
    assert!(old.points.len() > 100, "{}", old.points.len());
    // Only queries are sent whose metric exists: the exporter's do, no GPU's.
    let facts = until(&mut queue, "facts", |t| match &t.body {
        Body::Facts(facts) => Some(facts.clone()),
        _ => None,
    });
    let mut seen = None;
    tokio::select! {
        facts = facts => seen = Some(facts),
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    if let Some(facts) = seen {
        let capabilities = facts.capabilities.expect("asked");
        assert!(capabilities.iter().all(|(n, _)| !n.starts_with("DCGM")));
    }
    fleet.shutdown().await;
}

const RULES: &str = "groups:
- name: g
  rules:
  - alert: Pending
    expr: vector(7)
    for: 1h
    labels: {severity: critical}
  - alert: Firing
    expr: vector(1)
    labels: {severity: warning}
    annotations: {summary: \"it burns\"}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_come_from_both_servers() {
    let manager = Alertmanager::start();
    let alerting = format!(
        "alerting:\n  alertmanagers:\n  - static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
        manager.program.port
    );
    let server = Prometheus::start(&alerting, RULES);
    let mut cluster = cluster("alpha", Some(&server));
    cluster.alertmanagers = vec![endpoint(manager.program.url())];
    let (fleet, mut queue) = start(vec![cluster]);
    let mut told: [Option<Vec<Alert>>; 2] = [None, None];
    until(&mut queue, "alerts of both", |t| {
        if let Body::Alerts(alerts) = &t.body {
            let (slot, least) = match t.source {
                SourceKind::Prometheus => (0, 2),
                _ => (1, 1),
            };
            // Rules are read once in five minutes, so the first list may lack expressions.
            if alerts.len() >= least {
                told[slot] = Some(alerts.clone());
            }
        }
        told.iter().all(Option::is_some).then_some(())
    })
    .await;
    let [Some(rules), Some(managed)] = told else {
        panic!("both")
    };
    let find = |list: &[Alert], name: &str| list.iter().find(|a| a.name.as_ref() == name).cloned();
    let pending = find(&rules, "Pending").expect("pending");
    assert_eq!(
        (pending.state, pending.severity),
        (AlertState::Pending, Severity::Critical)
    );
    assert_eq!(pending.value, Some(7.0));
    let firing = find(&rules, "Firing").expect("firing");
    let same = find(&managed, "Firing").expect("firing in alertmanager");
    assert_eq!(firing.fingerprint, same.fingerprint);
    assert_eq!(same.summary(), "it burns");
    assert!(find(&managed, "Pending").is_none());

    silence(manager.program.url()).await;
    let mut hushed = false;
    until(&mut queue, "who silenced it", |t| match &t.body {
        Body::Alerts(alerts) if t.source == SourceKind::Alertmanager(0) => {
            let found = find(alerts, "Firing");
            hushed |= found.is_some_and(|a| a.state == AlertState::Suppressed);
            None
        }
        Body::Silences(list) => {
            let ours = list.iter().find(|s| s.comment == "it may burn")?;
            assert_eq!(ours.by, "ops");
            assert_eq!(ours.matchers, "alertname=\"Firing\"");
            assert!(ours.ends_at > ours.starts_at);
            hushed.then_some(())
        }
        _ => None,
    })
    .await;
    fleet.shutdown().await;
}

/// As an operator would, for an hour.
async fn silence(url: String) {
    let now = farwatch::clock::now();
    let body = serde_json::json!({
        "matchers": [{"name": "alertname", "value": "Firing", "isRegex": false, "isEqual": true}],
        "startsAt": now.rfc3339(),
        "endsAt": now.plus_ms(3_600_000).rfc3339(),
        "createdBy": "ops",
        "comment": "it may burn",
    });
    let client = reqwest::Client::new().post(format!("{url}/api/v2/silences"));
    let posted = client
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await;
    assert!(posted.expect("asked").status().is_success());
}

async fn ask(lookup: &Arc<dyn Lookup>, cluster: u16, ask: Ask) -> Answered {
    let question = Question {
        id: RequestId(1),
        cluster: ClusterId(cluster),
        ask,
    };
    tokio::time::timeout(Duration::from_secs(30), lookup.ask(question))
        .await
        .expect("an answer in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_answered() {
    let exporter = NodeExporter::start();
    let server = Prometheus::start(&scraping(exporter.program.port), RULES);
    let (fleet, mut queue) = start(vec![cluster("alpha", Some(&server)), cluster("bare", None)]);
    until(&mut queue, "node metrics", |t| {
        batch(t, 0, "node_memory_used").map(|_| ())
    })
    .await;
    let lookup = fleet.lookup();
    let now = clock::now();

    let instant = Ask::Instant {
        query: "up".into(),
        at: now,
    };
    let answered = ask(&lookup, 0, instant).await;
    assert_eq!(answered.origin, server.url());
    let Ok(Answer::Series(series)) = answered.result else {
        panic!("{:?}", answered.result)
    };
    assert_eq!(series[0].key.name.as_ref(), "up");

    let range = Ask::Range {
        query: "up".into(),
        start: now.plus_ms(-10_000),
        end: now,
        step_ms: 1000,
    };
    assert!(
        matches!(ask(&lookup, 0, range).await.result, Ok(Answer::Series(s)) if !s[0].points.is_empty())
    );

    let wrong = Ask::Instant {
        query: "sum(".into(),
        at: now,
    };
    let fault = ask(&lookup, 0, wrong).await.result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::BadQuery);
    assert!(
        fault.what.contains("parse error") && fault.cluster == "alpha",
        "{fault}"
    );

    let values = Ask::LabelValues {
        label: "job".into(),
    };
    assert!(matches!(ask(&lookup, 0, values).await.result, Ok(Answer::Names(n)) if n == ["self"]));
    assert!(
        matches!(ask(&lookup, 0, Ask::LabelNames).await.result, Ok(Answer::Names(n)) if n.len() > 5)
    );
    assert!(
        matches!(ask(&lookup, 0, Ask::Metadata).await.result, Ok(Answer::Metadata(m)) if m.len() > 50)
    );
    assert!(
        matches!(ask(&lookup, 0, Ask::Rules).await.result, Ok(Answer::Rules(r)) if r.len() == 2)
    );

    let nobody = ask(&lookup, 1, Ask::LabelNames).await.result.unwrap_err();
    assert_eq!(nobody.cluster, "bare");
    assert!(
        nobody.to_string().contains("no prometheus is configured"),
        "{nobody}"
    );
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exporter_is_scraped_directly() {
    let exporter = NodeExporter::start();
    let mut cluster = cluster("edge", None);
    cluster.exporters = vec![endpoint(format!("{}/metrics", exporter.program.url()))];
    let (fleet, mut queue) = start(vec![cluster]);
    let rated = until(&mut queue, "rates", |t| match &t.body {
        Body::Samples(batch) => {
            let rate = |name: &str| batch.series.iter().any(|s| s.key.name.as_ref() == name);
            rate("node_cpu_seconds_total:rate").then(|| batch.clone())
        }
        _ => None,
    })
    .await;
    assert_eq!(rated.group, Group::Exporter);
    assert!(rated.series.len() > 100);
    assert!(
        rated
            .series
            .iter()
            .all(|s| s.key.labels.get("instance").is_some())
    );
    assert!(rated.series.iter().all(|s| !s.key.name.ends_with("_total")));
    fleet.shutdown().await;
}
