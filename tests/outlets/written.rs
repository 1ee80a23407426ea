//! Scores in a real Prometheus that takes remote-write.

use farwatch::config::Watch;
use farwatch::model::alert::Severity;
use serde_json::Value;

use super::prometheus::Prometheus;
use super::{asked, endpoint, incident, listening, own, started, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scores_are_series_and_end_at_once() {
    let mut server = Prometheus::start("", "");
    server.configure("", &["--web.enable-remote-write-receiver"]);
    let outlets = started(Watch {
        listen: listening(),
        remote_write: Some(endpoint(format!("{}/api/v1/write", server.url()))),
        ..Watch::default()
    })
    .await;
    let found = async |query: &str| -> Option<Vec<Value>> {
        let url = format!("{}/api/v1/query?query={query}", server.url());
        asked(&url).await?["data"]["result"].as_array().cloned()
    };
    let open = [incident(7, Severity::Warning)];
    for (name, value, label, is) in [
        ("farwatch_cluster_health_score", "80", "cluster", "alpha"),
        (
            "farwatch_incident_score",
            "0.75",
            "incident",
            "0000000000000007",
        ),
        ("farwatch_finding_score", "0.75", "kind", "level_shift"),
    ] {
        let series = until(name, &outlets, &open, async || {
            found(name).await.filter(|all| !all.is_empty())
        });
        let series = series.await;
        assert_eq!(series.len(), 1, "{series:?}");
        assert_eq!(series[0]["value"][1], value, "{name}");
        assert_eq!(series[0]["metric"][label], is, "{name}");
    }
    // Without the marker the query would find it for five minutes more.
    until("the end of the series", &outlets, &[], async || {
        let gone = found("farwatch_incident_score").await?.is_empty();
        let stays = !found("farwatch_cluster_health_score").await?.is_empty();
        (gone && stays).then_some(())
    })
    .await;
    let dropped = "farwatch_outlet_dropped_total{outlet=\"remote_write\"}";
    assert_eq!(own(&outlets, dropped).await, Some(0.0));
    outlets.end().await;
    let left = found("farwatch_cluster_health_score")
        .await
        .expect("an answer");
    assert!(left.is_empty(), "it ends with us: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_scored_while_the_server_was_away_is_written_later() {
    let mut server = Prometheus::start("", "");
    server.configure("", &["--web.enable-remote-write-receiver"]);
    server.kill();
    let outlets = started(Watch {
        listen: listening(),
        remote_write: Some(endpoint(format!("{}/api/v1/write", server.url()))),
        ..Watch::default()
    })
    .await;
    let open = [incident(7, Severity::Warning)];
    let waiting = "farwatch_outlet_pending{outlet=\"remote_write\"}";
    until("samples that wait", &outlets, &open, async || {
        own(&outlets, waiting).await.filter(|n| *n > 20.0)
    })
    .await;
    server.restart();
    let url = format!(
        "{}/api/v1/query?query=count_over_time(farwatch_incident_score[10m])",
        server.url()
    );
    until("all of them", &outlets, &open, async || {
        let told = asked(&url).await?;
        let count = told["data"]["result"][0]["value"][1].as_str()?.to_owned();
        count.parse::<u32>().ok().filter(|count| *count > 8)
    })
    .await;
    let dropped = "farwatch_outlet_dropped_total{outlet=\"remote_write\"}";
    assert_eq!(own(&outlets, dropped).await, Some(0.0));
    outlets.end().await;
}
