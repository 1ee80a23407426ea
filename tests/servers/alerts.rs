//! Rules and alerts of real servers: what is told of them, what ends, what inhibits.

use farwatch::clock;
use farwatch::config::Config;
use farwatch::model::alert::{Alert, AlertState};
use farwatch::model::ask::{Answer, Ask};
use farwatch::model::id::ClusterId;
use farwatch::state::world::World;

use crate::prometheus::{Alertmanager, Prometheus};
use crate::{ask, cluster, endpoint, start, until};

const INHIBIT: &str = "inhibit_rules:
- source_matchers: ['alertname=\"Source\"']
  target_matchers: ['alertname=\"Target\"']
";

/// `Ends` fires until then; the group `broken` cannot be evaluated.
fn rules(until_s: i64) -> String {
    let two = "(vector(1) or label_replace(vector(2), \"a\", \"b\", \"\", \"\"))";
    format!(
        "groups:
- name: g
  rules:
  - {{alert: Watchdog, expr: vector(1), labels: {{severity: none}}}}
  - {{alert: Source, expr: vector(1), labels: {{severity: critical}}}}
  - {{alert: Target, expr: vector(1), labels: {{severity: warning}}}}
  - {{alert: Ends, expr: 'vector(time()) < {until_s}', labels: {{severity: warning}}}}
  - {{record: 'two:sum', expr: 'sum({two})'}}
- name: broken
  rules:
  - {{alert: Broken, expr: '{two} * on() {two}'}}
"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_tell_their_health_and_alerts_end_and_inhibit() {
    let manager = Alertmanager::start_with(INHIBIT);
    let alerting = format!(
        "alerting:\n  alertmanagers:\n  - static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
        manager.program.port
    );
    let ends = clock::now().0 / 1000 + 15;
    let server = Prometheus::start(&alerting, &rules(ends));
    let mut alpha = cluster("alpha", Some(&server));
    alpha.alertmanagers = vec![endpoint(manager.program.url())];
    let config = Config {
        clusters: vec![alpha.clone()],
        ..Config::default()
    };
    let mut world = World::new(&config, clock::now());
    let (fleet, mut queue) = start(vec![alpha]);
    let mut fired = false;
    until(&mut queue, "what ended and what is inhibited", |told| {
        world.ingest(told.clone());
        let cluster = world.cluster(ClusterId(0))?;
        let find = |name: &str| -> Option<&Alert> {
            cluster.alerts.values().find(|a| a.name.as_ref() == name)
        };
        let ended = find("Ends")?;
        fired |= ended.state == AlertState::Firing;
        let target = find("Target")?;
        let source = find("Source")?.fingerprint.to_string();
        let inhibited = target.inhibited_by.contains(&source);
        let over = ended.state == AlertState::Resolved && ended.ends_at.is_some();
        let beats = cluster.heartbeats.iter().filter(|h| h.missing.is_none());
        let known = cluster.facts.watchdog == Some(true) && beats.count() == 2;
        (fired && inhibited && over && known).then_some(())
    })
    .await;
    let lookup = fleet.lookup();
    let told = ask(&lookup, 0, Ask::Rules).await;
    let Ok(Answer::Rules(rules)) = told.result else {
        panic!("{told:?}")
    };
    let find = |name: &str| rules.iter().find(|r| r.name == name).expect("told");
    let broken = find("Broken");
    assert_eq!(
        (broken.health.as_str(), broken.group.as_str()),
        ("err", "broken")
    );
    assert!(broken.last_error.contains("many-to-many"), "{broken:?}");
    let records = find("two:sum");
    assert!(records.recording && records.health == "ok", "{records:?}");
    assert_eq!(find("Target").state, "firing");
    for rule in &rules {
        assert_eq!(rule.interval_s, Some(1.0));
        assert!(rule.evaluation_s.is_some_and(|s| s < 10.0), "{rule:?}");
        let evaluated = rule.evaluated.expect("evaluated by now");
        assert!(told.at.age_since_ms(evaluated) < 60_000, "{rule:?}");
    }
    fleet.shutdown().await;
}
