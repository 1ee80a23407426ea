//! Incidents at a real Alertmanager.

use farwatch::config::Watch;
use farwatch::model::alert::Severity;
use serde_json::Value;

use super::prometheus::Alertmanager;
use super::{asked, endpoint, incident, listening, own, started, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_an_alert_until_it_ends() {
    let manager = Alertmanager::start();
    let alerts = format!("{}/api/v2/alerts", manager.program.url());
    let outlets = started(Watch {
        listen: listening(),
        webhook: vec![endpoint(alerts.clone())],
        ..Watch::default()
    })
    .await;
    let held = async || -> Vec<Value> {
        let list = asked(&alerts).await.expect("an answer");
        list.as_array().expect("a list").clone()
    };
    let open = [
        incident(7, Severity::Warning),
        incident(8, Severity::Warning),
    ];
    let both = until("two alerts", &outlets, &open, async || {
        Some(held().await).filter(|all| all.len() == 2)
    });
    let both = both.await;
    let seven = both
        .iter()
        .find(|a| a["labels"]["incident"] == "0000000000000007")
        .expect("the first");
    for (label, value) in [
        ("alertname", "FarwatchIncident"),
        ("cluster", "alpha"),
        ("severity", "warning"),
        ("environment", "production"),
    ] {
        assert_eq!(seven["labels"][label], value, "{seven}");
    }
    let said = &seven["annotations"];
    assert_eq!(said["summary"], "gpu 3 of n1 is hot, \"very\"");
    assert_eq!(said["description"], "91 C, limit 85 C");
    assert_eq!(said["acknowledged_by"], "ann");
    assert_eq!(seven["startsAt"], open[0].opened.rfc3339());
    assert_eq!(seven["status"]["state"], "active");
    // One grows worse, the other ends: the Alertmanager lists what is not over.
    let worse = [incident(7, Severity::Critical)];
    let one = until("the worse one alone", &outlets, &worse, async || {
        let all = held().await;
        let critical = all.iter().any(|a| a["labels"]["severity"] == "critical");
        (all.len() == 1 && critical).then_some(all)
    });
    assert_eq!(one.await[0]["labels"]["incident"], "0000000000000007");
    until("no alert", &outlets, &[], async || {
        held().await.is_empty().then_some(())
    })
    .await;
    let sent = "farwatch_outlet_sent_total{outlet=\"webhook\"}";
    assert!(own(&outlets, sent).await >= Some(4.0));
    let dropped = "farwatch_outlet_dropped_total{outlet=\"webhook\"}";
    assert_eq!(own(&outlets, dropped).await, Some(0.0));
    outlets.end().await;
}

/// Ours says until when it holds, so that a watcher that died leaves no alert for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_of_a_watcher_that_died_end() {
    let manager = Alertmanager::start();
    let alerts = format!("{}/api/v2/alerts", manager.program.url());
    let outlets = started(Watch {
        webhook: vec![endpoint(alerts.clone())],
        ..Watch::default()
    })
    .await;
    let open = [incident(7, Severity::Warning)];
    let count = async || asked(&alerts).await?.as_array().map(Vec::len);
    until("an alert", &outlets, &open, async || {
        count().await.filter(|n| *n == 1)
    })
    .await;
    drop(outlets);
    for _ in 0..600 {
        if count().await == Some(0) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the alert goes on");
}
