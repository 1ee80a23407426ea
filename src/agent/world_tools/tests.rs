//! Answers from a world that has heard one cluster and not the other.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::config::{Cluster, Config, Endpoint};
use crate::incident::{Incident, IncidentState};
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::desk::Hand;
use crate::model::dpdk::{App, Port};
use crate::model::finding::{Finding, FindingKind, Subject};
use crate::model::gpu::Gpu;
use crate::model::health::{Health, SourceKind};
use crate::model::id::{IncidentId, RequestId};
use crate::model::incident::Deed;
use crate::model::label::Labels;
use crate::model::ptp::{ClockState, PtpNode};

const NOW: Timestamp = Timestamp(1_795_227_000_000);

fn world() -> World {
    let cluster = |name: &str| Cluster {
        name: name.into(),
        environment: Some("lab".into()),
        prometheus: Some(Endpoint::default()),
        ..Cluster::default()
    };
    let config = Config {
        clusters: vec![cluster("alpha"), cluster("beta")],
        ..Config::default()
    };
    let mut world = World::new(&config, NOW);
    let alpha = &mut world.clusters[0];
    if let Some(source) = alpha.sources.get_mut(&SourceKind::Prometheus) {
        source.health = Health::Live;
    }
    let sample = |value, ago: i64| {
        Some(Sample {
            at: NOW.plus_ms(-ago),
            value,
        })
    };
    alpha.gpus.push(Gpu {
        node: "gpu-1".into(),
        index: "3".into(),
        vendor: "nvidia",
        temperature_c: sample(91.0, 5_000),
        utilisation: sample(12.0, 1_000_000),
        xid: Some((79, "GPU has fallen off the bus".into())),
        ..Gpu::default()
    });
    alpha.ptp.push(PtpNode {
        node: "n-1".into(),
        state: Some(ClockState::Holdover),
        ..PtpNode::default()
    });
    alpha.alerts.insert("f".into(), alert());
    world.incidents.push(incident());
    world
}

fn alert() -> Alert {
    Alert {
        fingerprint: "f".into(),
        name: "GpuXid".into(),
        severity: Severity::Critical,
        state: AlertState::Firing,
        labels: Labels::from_pairs([("node", "gpu-1"), ("alertname", "GpuXid")]),
        annotations: Labels::from_pairs([("summary", "XID 79 on gpu-1")]),
        starts_at: NOW.plus_ms(-600_000),
        ends_at: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        value: Some(79.0),
        expression: None,
    }
}

fn incident() -> Incident {
    Incident {
        id: IncidentId(7),
        number: 3,
        cluster: ClusterId(0),
        severity: Severity::Critical,
        state: IncidentState::Open,
        title: "gpu-1 gpu 3 fell off the bus 10 min ago".into(),
        opened: NOW.plus_ms(-600_000),
        changed: NOW,
        closed: None,
        score: 0.97,
        subjects: vec![Subject::Node("gpu-1".into())],
        nodes: Default::default(),
        desk: Default::default(),
        reopened: 0,
        revision: 0,
        awaited: None,
        handed: None,
        findings: vec![Finding {
            cluster: ClusterId(0),
            subject: Subject::Node("gpu-1".into()),
            key: Arc::from("k"),
            kind: FindingKind::State,
            severity: Severity::Critical,
            score: 0.97,
            since: NOW.plus_ms(-600_000),
            earlier: false,
            at: NOW,
            over: false,
            signal: "gpu_xid".into(),
            unit: Unit::State,
            seen: Some(79.0),
            expected: None,
            method: "state".into(),
            text: "XID 79 since 10 min".into(),
            evidence: Vec::new(),
        }],
    }
}

fn ask(world: &World, tool: &str, arguments: serde_json::Value) -> (String, usize, bool) {
    let query = WorldQuery {
        run: RequestId(1),
        call: "c".into(),
        tool: tool.into(),
        arguments,
        clusters: vec![ClusterId(0), ClusterId(1)],
    };
    answer(world, &query)
}

#[test]
fn clusters_that_are_not_heard_are_unknown() {
    let world = world();
    let (text, rows, ok) = ask(&world, "list_clusters", json!({}));
    assert!(ok && rows == 2, "{text}");
    assert!(
        text.contains("alpha") && text.contains("status=critical"),
        "{text}"
    );
    assert!(
        text.contains("beta") && text.contains("status=unknown"),
        "{text}"
    );
    let (text, rows, _) = ask(&world, "list_clusters", json!({"state": "critical"}));
    assert_eq!(rows, 1, "{text}");
    let (text, rows, ok) = ask(&world, "list_clusters", json!({"environment": "x"}));
    assert!(
        ok && rows == 0 && text.contains("no cluster matches"),
        "{text}"
    );
}

#[test]
fn values_tell_age_and_absence() {
    let (text, rows, _) = ask(&world(), "get_gpu_summary", json!({}));
    assert_eq!(rows, 1);
    for part in [
        "91 C",
        "XID 79",
        "STALE",
        "power n/a",
        "beta (NOT HEARD NOW",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let (text, ..) = ask(&world(), "get_ptp_status", json!({}));
    assert!(
        text.contains("n-1 HOLDOVER") && text.contains("1 not locked"),
        "{text}"
    );
    let (text, ..) = ask(&world(), "get_sriov_status", json!({}));
    assert!(text.contains("no SR-IOV node state"), "{text}");
}

#[test]
fn alerts_and_incidents_in_numbers() {
    let world = world();
    let (text, rows, _) = ask(&world, "list_alerts", json!({"severity": "critical"}));
    assert_eq!(rows, 1, "{text}");
    assert!(
        text.contains("XID 79 on gpu-1") && text.contains("node=\"gpu-1\""),
        "{text}"
    );
    assert_eq!(ask(&world, "list_alerts", json!({"state": "pending"})).1, 0);
    let (text, rows, _) = ask(&world, "list_incidents", json!({}));
    assert!(
        rows == 1 && text.contains("INC-3") && text.contains("10m ago"),
        "{text}"
    );
    assert_eq!(ask(&world, "get_events", json!({})).1, 0);
    assert!(ask(&world, "time_now", json!({})).0.contains("2026"));
    assert!(!ask(&world, "rm", json!({})).2);
}

#[test]
fn without_a_model_the_console_answers() {
    let world = world();
    let all = crate::agent::offline::findings(&world, None);
    for part in ["INC-3", "/why INC-3", "Nothing can be said of 1 of 2"] {
        assert!(all.contains(part), "{part} in {all}");
    }
    let one = crate::agent::offline::findings(&world, Some(IncidentId(7)));
    assert!(
        one.contains("XID 79") && !one.contains("### Clusters"),
        "{one}"
    );
    let context = crate::agent::brief::incident_context(&world, IncidentId(7));
    assert!(
        context.contains("INC-3") && context.contains("critical GpuXid"),
        "{context}"
    );
    assert!(crate::agent::brief::incident_context(&world, IncidentId(1)).contains("no longer"));
}

#[test]
fn one_cluster_two_clusters_and_the_fleet() {
    let world = world();
    let name = world.clusters[0].name.to_string();
    let (text, rows, ok) = ask(&world, "get_fleet_summary", json!({}));
    assert!(ok && rows >= 2 && text.contains("2 clusters"), "{text}");
    for tool in [
        "get_cluster_status",
        "get_cluster_details",
        "get_cluster_health",
    ] {
        let (text, _, ok) = ask(&world, tool, json!({"cluster": name}));
        assert!(ok && text.contains(&name), "{tool}: {text}");
    }
    let two =
        json!({"cluster_1": name, "cluster_2": "beta", "metrics": ["node_cpu_busy", "nonsense"]});
    let (text, _, ok) = ask(&world, "compare_clusters", two);
    assert!(
        ok && text.contains("DIFFERENT") && text.contains("node_cpu_busy: n/a"),
        "{text}"
    );
    assert!(text.contains("no such signal"), "{text}");
}

#[test]
fn what_is_used_and_held_is_told_or_said_to_be_unknown() {
    let world = world();
    let name = world.clusters[0].name.to_string();
    let (text, ..) = ask(
        &world,
        "get_top_consumers",
        json!({"cluster": name, "resource": "cpu"}),
    );
    assert!(text.contains("n/a: no source tells it now"), "{text}");
    let (text, ..) = ask(&world, "get_gpu_nodes", json!({}));
    assert!(text.contains("1 with XID or a failed check"), "{text}");
    let (text, ..) = ask(&world, "get_gpu_processes", json!({}));
    assert!(text.contains("exporters do not tell processes"), "{text}");
    let (text, ..) = ask(&world, "get_resource_usage", json!({"cluster": name}));
    assert!(text.contains("cpu: allocatable n/a"), "{text}");
    let (text, ..) = ask(&world, "get_pod_issues", json!({"clusters": [name]}));
    assert!(text.contains("pods were not listed there"), "{text}");
    let (text, ..) = ask(&world, "get_vllm_stats", json!({"clusters": ["beta"]}));
    assert!(text.contains("no model server's metric"), "{text}");
    let object = json!({"cluster": name, "kind": "Widget", "name": "x"});
    let (text, _, ok) = ask(&world, "get_topology", object);
    assert!(!ok && text.contains("no kind that is watched"), "{text}");
}

#[test]
fn causes_are_told_of_what_was_asked_about() {
    let world = world();
    let name = world.clusters[0].name.to_string();
    let (text, rows, _) = ask(
        &world,
        "analyze_root_cause",
        json!({"cluster": name, "trigger": "INC-3"}),
    );
    assert!(rows == 1 && text.contains("INC-3"), "{text}");
    let (text, rows, ok) = ask(
        &world,
        "analyze_root_cause",
        json!({"cluster": name, "trigger": "certificate"}),
    );
    assert!(
        ok && rows == 0 && text.contains("not enough evidence"),
        "{text}"
    );
}

#[test]
fn rows_beyond_the_most_are_counted_and_not_written() {
    let mut world = world();
    for number in 0..60 {
        let mut another = incident();
        (another.id, another.number) = (IncidentId(100 + number), 100);
        world.incidents.push(another);
    }
    let (text, rows, _) = ask(&world, "list_incidents", json!({}));
    assert_eq!(rows, 61);
    assert_eq!(text.matches("INC-").count(), 40, "{text}");
    assert!(text.contains("(21 more rows, not shown)"), "{text}");
    let mut written = 0;
    let row = |_| {
        written += 1;
        String::new()
    };
    Told::default().rows((0..60).map(row), 40);
    assert_eq!(written, 40);
}

#[test]
fn data_paths_are_told_with_their_losses() {
    let mut world = world();
    let (text, ..) = ask(&world, "get_dpdk_stats", json!({}));
    assert!(text.contains("no DPDK series is found"), "{text}");
    let at = |value| Some(Sample { at: NOW, value });
    let app = |pod: &str| App {
        pod: Some(("ran".into(), pod.into())),
        node: Some("n-1".into()),
        ports: vec![Port {
            name: "fh0".into(),
            packets_in: at(812_400.0),
            missed: at(4_711.0),
            ..Port::default()
        }],
        ..App::default()
    };
    world.clusters[0].dpdk.apps = vec![app("du-0"), app("cu-0")];
    let (text, rows, _) = ask(&world, "get_dpdk_stats", json!({"pod_name": "du"}));
    assert_eq!(rows, 1, "{text}");
    assert!(
        text.contains("pod ran/du-0 on node n-1: memory n/a of n/a"),
        "{text}"
    );
    let port = "port fh0: packets in 812k/s, out n/a; bytes in n/a, out n/a; missed 4711/s; \
                no buffer n/a";
    assert!(text.contains(port), "{text}");
    assert!(text.contains("its core does not keep up"), "{text}");
    let (text, ..) = ask(&world, "get_dpdk_stats", json!({"namespace": "other"}));
    assert!(text.contains("alpha: 0 DPDK applications"), "{text}");
}

#[test]
fn what_people_did_about_an_incident_is_told() {
    let mut world = world();
    let ana = Hand {
        by: "ana".into(),
        ..Hand::default()
    };
    let deeds = [
        Deed::Acknowledge,
        Deed::Note("reseated \u{1b}[31mthe riser".into()),
    ];
    for deed in deeds {
        world.incidents[0].take(deed, &ana, NOW.plus_ms(-60_000));
    }
    let (text, ..) = ask(&world, "list_incidents", json!({}));
    assert!(text.contains("acknowledged by ana, 60s ago"), "{text}");
    assert!(text.contains("note of ana, 60s ago"), "{text}");
    assert!(
        text.contains("the riser") && !text.contains('\u{1b}'),
        "{text}"
    );
}
