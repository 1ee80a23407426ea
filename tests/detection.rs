//! Scenarios with known answers: telemetry in, incidents out.

#[path = "detection/fault_table.rs"]
mod fault_table;
#[path = "detection/faults.rs"]
mod faults;
#[path = "detection/gpu.rs"]
mod gpu;
#[path = "detection/site.rs"]
mod site;
#[path = "support/stage.rs"]
mod stage;

use farwatch::incident::{Incident, IncidentState};
use farwatch::model::alert::Severity;
use farwatch::model::finding::{Evidence, FindingKind, Subject};
use farwatch::model::health::{Health, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::label::Labels;
use farwatch::model::log::{Level, LogLine};
use farwatch::model::object::{Object, ObjectKind, Pod};
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::Group;
use farwatch::model::sriov::SriovNodeState;
use farwatch::model::telemetry::{Body, LogBatch, SampleBatch};
use farwatch::model::time::Timestamp;
use farwatch::state::world::Status;

use stage::{MINUTE, START, STEP_MS, Stage, alert, port, refused};

/// How a GPU cluster is at a step: `fault` hits gpu 2 of n1, which serves the model.
fn gpu_step(stage: &mut Stage, cluster: u16, step: i64, fault: bool, lost: bool) {
    let at = Stage::at((step * STEP_MS) as f64 / MINUTE as f64);
    let mut points: Vec<(String, String, String, f64)> = Vec::new();
    for node in ["n1", "n2"] {
        for gpu in 0..4 {
            let hit = fault && node == "n1" && gpu == 2;
            if lost && node == "n2" && gpu == 3 {
                continue;
            }
            let temp = if hit { 86.0 } else { 58.0 } + stage.noise();
            let power = if hit { 180.0 } else { 400.0 } + 10.0 * stage.noise();
            for (name, value) in [
                ("DCGM_FI_DEV_GPU_TEMP", temp),
                ("DCGM_FI_DEV_POWER_USAGE", power),
                ("DCGM_FI_DEV_XID_ERRORS", if hit { 79.0 } else { 0.0 }),
                (
                    "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
                    if hit { 104.0 } else { 0.0 },
                ),
            ] {
                points.push((name.into(), node.into(), gpu.to_string(), value));
            }
        }
    }
    let named: Vec<_> = points
        .iter()
        .map(|(name, node, gpu, value)| {
            let labels = vec![
                ("Hostname", node.as_str()),
                ("gpu", gpu.as_str()),
                ("exported_namespace", "ml"),
                (
                    "exported_pod",
                    if node == "n1" { "vllm-0" } else { "train-0" },
                ),
            ];
            (name.as_str(), labels, *value)
        })
        .collect();
    let batch: Vec<_> = named
        .iter()
        .map(|(n, l, v)| (*n, l.as_slice(), *v))
        .collect();
    stage.samples(cluster, Group::Gpu, "gpu_dcgm", at, &batch);
    let ttft = if fault { 1.4 } else { 0.30 } + 0.02 * stage.noise();
    let labels = [("namespace", "ml"), ("model_name", "qwen")];
    stage.samples(
        cluster,
        Group::Serving,
        "vllm_ttft_p95",
        at,
        &[("vllm_ttft_p95", &labels, ttft)],
    );
    stage.world.tick(at);
}

#[test]
fn a_quiet_hour_has_no_incident() {
    let mut stage = Stage::new(&["alpha", "beta"]);
    for cluster in [0, 1] {
        stage.live(cluster, Stage::at(0.0));
    }
    for step in 0..960 {
        gpu_step(&mut stage, 0, step, false, false);
        gpu_step(&mut stage, 1, step, false, false);
    }
    let titles: Vec<_> = stage.world.incidents.iter().map(|i| &i.title).collect();
    assert!(titles.is_empty(), "{titles:?}");
    assert_eq!(stage.world.status(ClusterId(0)), Status::Ok);
}

fn gpu_fault() -> Stage {
    let mut stage = Stage::new(&["alpha", "beta"]);
    stage.live(0, Stage::at(0.0));
    for step in 0..320 {
        let fault = (240..280).contains(&step);
        gpu_step(&mut stage, 0, step, fault, false);
        gpu_step(&mut stage, 1, step, false, false);
    }
    stage
}

#[test]
fn a_gpu_fault_that_slows_a_model_is_one_incident() {
    let stage = gpu_fault();
    let all = &stage.world.incidents;
    let titles: Vec<_> = all.iter().map(|i| &i.title).collect();
    assert_eq!(all.len(), 1, "{titles:#?}");
    let incident = &all[0];
    assert_eq!(
        (incident.cluster, incident.severity),
        (ClusterId(0), Severity::Critical)
    );
    assert!(
        incident.title.starts_with("n1 gpu 2: XID 79"),
        "{}",
        incident.title
    );
    let lead = incident.lead().expect("one");
    assert_eq!(
        (lead.since, lead.at),
        (Stage::at(60.0), Stage::at(70.25)),
        "from its onset to its end"
    );
    let model = Subject::Model {
        namespace: "ml".into(),
        model: "qwen".into(),
    };
    assert!(
        incident.subjects.contains(&model),
        "{:?}",
        incident.subjects
    );
    let slow = incident
        .findings
        .iter()
        .find(|f| f.subject == model)
        .expect("latency");
    let (_, high) = slow.expected.expect("range");
    assert!(
        high > 0.3 && high < 0.9 && slow.seen.is_some_and(|s| s > 1.0),
        "{slow:?}"
    );
    let hot = incident
        .findings
        .iter()
        .any(|f| f.signal.as_ref() == "DCGM_FI_DEV_GPU_TEMP");
    assert!(hot, "the limit of 80 C");
    assert_ne!(
        incident.state,
        IncidentState::Open,
        "it was repaired after ten minutes"
    );
    let other_cards = incident
        .subjects
        .iter()
        .any(|s| s.to_string().starts_with("n2"));
    assert!(!other_cards, "{:?}", incident.subjects);
}

#[test]
fn the_same_telemetry_gives_the_same_incidents() {
    let (first, second) = (gpu_fault(), gpu_fault());
    let text = |s: &Stage| format!("{:?}", s.world.incidents);
    assert_eq!(text(&first), text(&second));
    assert!(!first.world.incidents.is_empty());
}

/// The exporter names the pod that holds a card: another pod is another series, not another card.
/// Card 1 comes back after five minutes, under another pod too.
#[test]
fn a_card_handed_to_another_pod_is_not_lost() {
    let mut stage = Stage::new(&["alpha"]);
    let mut missed = Vec::new();
    for step in 0..240 {
        let at = Stage::at((step * STEP_MS) as f64 / MINUTE as f64);
        let pod = if step < 180 { "train-0" } else { "train-1" };
        let watts = 400.0 + 10.0 * stage.noise();
        let labels = ["0", "1"].map(|g| [("Hostname", "n2"), ("gpu", g), ("exported_pod", pod)]);
        let there = if (180..200).contains(&step) { 1 } else { 2 };
        let points: Vec<_> = labels
            .iter()
            .take(there)
            .map(|l| ("DCGM_FI_DEV_POWER_USAGE", l.as_slice(), watts))
            .collect();
        stage.samples(0, Group::Gpu, "gpu_dcgm", at, &points);
        stage.world.tick(at);
        let findings = stage.world.incidents.iter().flat_map(|i| &i.findings);
        let missing = findings.filter(|f| f.kind == FindingKind::MissingData && !f.over);
        missed.extend(missing.map(|f| (step, f.subject.to_string())));
    }
    assert!(
        missed
            .iter()
            .all(|(step, subject)| subject == "n2 gpu 1" && (180..=201).contains(step)),
        "{missed:?}"
    );
    assert!(!missed.is_empty(), "the one that was silent is told");
}

#[test]
fn a_card_that_vanishes_is_missed() {
    let mut stage = Stage::new(&["alpha"]);
    for step in 0..270 {
        gpu_step(&mut stage, 0, step, false, step >= 240);
    }
    let open = stage.open();
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(open[0].severity, Severity::Critical);
    assert!(
        open[0].title.starts_with("n2 gpu 3: no longer reported"),
        "{}",
        open[0].title
    );
    assert_eq!(open[0].findings.len(), 1, "all its series are one loss");
}

fn ptp_step(stage: &mut Stage, cluster: u16, minute: f64, holdover: bool) {
    let at = Stage::at(minute);
    let state = if holdover { 2.0 } else { 1.0 };
    let class = if holdover { 7.0 } else { 6.0 };
    let clock = [("node", "du-1"), ("process", "ts2phc"), ("iface", "ens7fx")];
    let system = [
        ("node", "du-1"),
        ("process", "phc2sys"),
        ("iface", "CLOCK_REALTIME"),
    ];
    let daemon = [
        ("node", "du-1"),
        ("process", "ptp4l"),
        ("config", "ptp4l.0.config"),
    ];
    let offset = 4.0 + 2.0 * stage.noise();
    stage.samples(
        cluster,
        Group::Ptp,
        "ptp_state",
        at,
        &[
            ("openshift_ptp_clock_state", &clock, state),
            ("openshift_ptp_clock_state", &system, 1.0),
            ("openshift_ptp_clock_class", &daemon, class),
            ("openshift_ptp_process_status", &daemon, 1.0),
            (
                "openshift_ptp_offset_ns",
                &clock,
                if holdover { 999_999.0 } else { offset },
            ),
        ],
    );
    stage.world.tick(at);
}

fn sriov(status: &str, error: Option<&str>) -> Object {
    Object::SriovNodeState(SriovNodeState {
        node: "du-1".into(),
        sync_status: Some(status.into()),
        last_sync_error: error.map(str::to_owned),
        interfaces: vec![port()],
        ..SriovNodeState::default()
    })
}

#[test]
fn holdover_and_a_failed_sync_on_one_node_are_one_incident_per_cluster() {
    let mut stage = Stage::new(&["alpha", "beta"]);
    for cluster in [0, 1] {
        stage.objects(
            cluster,
            ObjectKind::SriovNodeState,
            Stage::at(0.0),
            vec![sriov("Succeeded", None)],
        );
    }
    for step in 0..60 {
        let minute = f64::from(step) / 4.0;
        ptp_step(&mut stage, 0, minute, step >= 40);
        ptp_step(&mut stage, 1, minute, step >= 40);
    }
    let failed = sriov("Failed", Some("cannot set numVfs on 0000:3b:00.0"));
    stage.objects(1, ObjectKind::SriovNodeState, Stage::at(15.0), vec![failed]);
    let open = stage.open();
    assert_eq!(open.len(), 2, "same node name, two clusters: {open:#?}");
    let of = |cluster| {
        open.iter()
            .find(|i| i.cluster == ClusterId(cluster))
            .expect("one each")
    };
    assert_eq!(of(0).severity, Severity::Warning);
    assert!(
        of(0).title.contains("HOLDOVER, expected LOCKED"),
        "{}",
        of(0).title
    );
    let since = of(0).lead().map(|lead| lead.since);
    assert_eq!(since, Some(Stage::at(10.0)));
    assert_eq!(of(1).severity, Severity::Critical);
    assert!(
        of(1)
            .title
            .contains("SR-IOV sync failed: cannot set numVfs"),
        "{}",
        of(1).title
    );
    let offsets = of(1).findings.iter().any(|f| f.signal.contains("offset"));
    assert!(!offsets, "a sentinel is no measurement");
}

#[test]
fn a_deaf_cluster_is_unknown_with_the_age_of_its_last_sample() {
    let mut stage = Stage::new(&["alpha", "beta"]);
    let id = ClusterId(0);
    assert_eq!(
        stage.world.standing(id),
        (Status::Unknown, "connecting".into())
    );
    for cluster in [0, 1] {
        stage.live(cluster, Stage::at(0.0));
        gpu_step(&mut stage, cluster, 0, false, false);
    }
    assert_eq!(stage.world.status(id), Status::Ok);
    for source in [
        SourceKind::Prometheus,
        SourceKind::Alertmanager(0),
        SourceKind::Kubernetes,
    ] {
        stage.health(0, source, Stage::at(1.0), refused(Stage::at(0.5), 3));
    }
    stage.world.tick(Stage::at(2.0));
    let (status, why) = stage.world.standing(id);
    assert_eq!(status, Status::Unknown);
    assert!(
        why.contains("connection refused") && why.contains("120s ago") || why.contains("2m ago"),
        "{why}"
    );
    assert_eq!(
        stage.world.status(ClusterId(1)),
        Status::Ok,
        "the other one is not touched"
    );
    let open = stage.open();
    assert_eq!(
        (open.len(), open[0].severity),
        (1, Severity::Critical),
        "{open:#?}"
    );
    assert_eq!(open[0].findings[0].kind, FindingKind::Unreachable);
    stage.live(0, Stage::at(3.0));
    stage.world.tick(Stage::at(3.2));
    stage.world.tick(Stage::at(3.4));
    assert_eq!(stage.open().len(), 0);
    stage.world.tick(Stage::at(10.0));
    assert_eq!(stage.world.incidents[0].state, IncidentState::Resolved);
    assert_eq!(stage.world.status(id), Status::Ok);
}

#[test]
fn an_alert_opens_joins_and_closes() {
    let mut stage = Stage::new(&["alpha"]);
    stage.live(0, Stage::at(0.0));
    let node_alert = alert("NodeOutOfPtpSync", &[("node", "du-1")], Stage::at(10.5));
    for step in 0..48 {
        ptp_step(&mut stage, 0, f64::from(step) / 4.0, step >= 40);
    }
    let watchdog = alert("Watchdog", &[], Stage::at(0.0));
    stage.alerts(0, Stage::at(12.0), vec![node_alert, watchdog.clone()]);
    let open = stage.open();
    assert_eq!(open.len(), 1, "joined by the node: {open:#?}");
    let class = open[0]
        .findings
        .iter()
        .find(|f| f.key.ends_with("/class"))
        .expect("class 7");
    assert!(
        matches!(class.evidence.last(), Some(Evidence::Alert(_))),
        "{class:?}"
    );
    let counts = stage
        .world
        .cluster(ClusterId(0))
        .expect("cluster")
        .alert_counts();
    assert_eq!(
        (counts.critical, counts.firing()),
        (1, 1),
        "the heartbeat does not count"
    );
    for step in 49..60 {
        ptp_step(&mut stage, 0, f64::from(step) / 4.0, false);
    }
    assert_eq!(stage.open().len(), 1, "the alert still fires");
    stage.alerts(0, Stage::at(15.0), vec![watchdog]);
    assert_eq!(stage.open().len(), 0);
    stage.alerts(0, Stage::at(16.0), Vec::new());
    let open = stage.open();
    let text = open.first().map(|i| i.title.as_str()).unwrap_or_default();
    assert!(text.contains("alerting pipeline is broken"), "{open:#?}");
}

#[test]
fn pods_of_one_owner_crash_together() {
    let mut stage = Stage::new(&["alpha"]);
    let pod = |n: usize, reason: Option<&str>| {
        Object::Pod(Pod {
            namespace: "shop".into(),
            name: format!("cart-7d9f8b6c5-{n}").as_str().into(),
            node: Some("n1".into()),
            phase: "Running".into(),
            reason: reason.map(str::to_owned),
            ready: u16::from(reason.is_none()),
            containers: 1,
            restarts: 4,
            owner: Some(("ReplicaSet".into(), "cart-7d9f8b6c5".into())),
            since: Some(Stage::at(0.0)),
            requests: farwatch::model::object::Requests::default(),
            ..Pod::default()
        })
    };
    let bad = vec![
        pod(1, Some("CrashLoopBackOff")),
        pod(2, Some("CrashLoopBackOff")),
        pod(3, None),
    ];
    stage.objects(0, ObjectKind::Pod, Stage::at(0.5), bad);
    assert!(stage.open().is_empty(), "not before a minute");
    stage.world.tick(Stage::at(2.0));
    assert_eq!(stage.open().len(), 1);
    assert!(
        stage.open()[0].title.starts_with("shop/cart: 2 pods"),
        "{}",
        stage.open()[0].title
    );
    assert_eq!(stage.open()[0].severity, Severity::Warning);
    stage.world.tick(Stage::at(11.0));
    assert_eq!(
        stage.open()[0].severity,
        Severity::Critical,
        "after ten minutes"
    );
    let cluster = stage.world.cluster_by_name("alpha").expect("cluster");
    assert_eq!(cluster.unhealthy_pods().count(), 2);
}

#[test]
fn counters_and_history_raise_nothing() {
    let mut stage = Stage::new(&["alpha"]);
    let hot = |gpu: &str, kind, minute: i64, backfill| {
        let labels = farwatch::model::label::Labels::from_pairs([("Hostname", "n1"), ("gpu", gpu)]);
        let points = (0..60).map(|i| farwatch::model::sample::Sample {
            at: Stage::at(minute as f64 + i as f64 / 4.0),
            value: 95.0,
        });
        Body::Samples(SampleBatch {
            group: Group::Gpu,
            name: "gpu_dcgm".into(),
            query: "".into(),
            at: Stage::at(minute as f64 + 15.0),
            interval_ms: 15_000,
            backfill,
            series: vec![farwatch::model::sample::SeriesSamples {
                key: farwatch::model::sample::SeriesKey::new("DCGM_FI_DEV_GPU_TEMP", labels),
                kind,
                points: points.collect(),
            }],
            cut_from: None,
        })
    };
    stage.tell(
        0,
        SourceKind::Prometheus,
        Stage::at(15.0),
        hot("0", SampleKind::Gauge, 0, true),
    );
    assert!(stage.world.incidents.is_empty(), "history");
    stage.tell(
        0,
        SourceKind::Prometheus,
        Stage::at(30.0),
        hot("1", SampleKind::Counter, 0, false),
    );
    assert!(stage.world.incidents.is_empty(), "a counter");
    stage.tell(
        0,
        SourceKind::Prometheus,
        Stage::at(45.0),
        hot("0", SampleKind::Gauge, 15, false),
    );
    assert_eq!(stage.open().len(), 1, "the same as it is now");
    assert!(
        stage.open()[0].title.contains("95 C, expected below 80 C"),
        "{}",
        stage.open()[0].title
    );
}

#[test]
fn a_source_that_failed_once_is_no_incident() {
    let mut stage = Stage::new(&["alpha"]);
    stage.live(0, Stage::at(0.0));
    stage.health(
        0,
        SourceKind::Alertmanager(0),
        Stage::at(1.0),
        refused(Stage::at(1.0), 1),
    );
    stage.world.tick(Stage::at(1.2));
    assert!(stage.open().is_empty());
    stage.health(
        0,
        SourceKind::Alertmanager(0),
        Stage::at(2.0),
        refused(Stage::at(1.0), 4),
    );
    assert_eq!(stage.open().len(), 1);
    assert_eq!(
        stage.world.status(ClusterId(0)),
        Status::Warning,
        "the others still tell"
    );
    stage.health(0, SourceKind::Alertmanager(0), Stage::at(3.0), Health::Live);
    stage.world.tick(Stage::at(3.4));
    assert!(stage.open().is_empty());
}

/// A node's load and how many scrapes the server had, as a restart of the server bends both.
fn loads(scrapes_tell: bool) -> Stage {
    let mut stage = Stage::new(&["alpha"]);
    for step in 0..320 {
        let at = Stage::at(f64::from(step) / 4.0);
        let seam = (240..249).contains(&step);
        let count = if seam && scrapes_tell { 5.0 } else { 8.0 };
        let busy = if seam { 0.47 } else { 0.33 } + 0.01 * stage.noise();
        let labels = [("instance", "n1:9100")];
        let cpu = ("node_cpu_busy", labels.as_slice(), busy);
        stage.samples(0, Group::Cluster, "node_cpu_busy", at, &[cpu]);
        stage.samples(0, Group::Cluster, "scrapes", at, &[("scrapes", &[], count)]);
        stage.world.tick(at);
    }
    stage
}

/// The rate over a gap tells too little; the same values without a gap are a finding.
#[test]
fn a_restart_of_the_server_is_no_load() {
    let titles = |stage: &Stage| -> Vec<String> {
        let all = stage.world.incidents.iter();
        all.map(|i| i.title.clone()).collect()
    };
    assert_eq!(titles(&loads(true)), [""; 0]);
    let real = titles(&loads(false));
    assert!(
        real.len() == 1 && real[0].contains("node_cpu_busy"),
        "{real:?}"
    );
}

/// What one card of `n1` tells: temperature, XID, bits of its clocks.
fn card(stage: &mut Stage, at: Timestamp, told: Option<(f64, &str, f64)>) {
    let labels = |gpu: &'static str| [("Hostname", "n1"), ("gpu", gpu)];
    let (one, other) = (labels("0"), labels("1"));
    let watts = [400.0, 400.0].map(|w| w + 10.0 * stage.noise());
    let mut points = vec![("DCGM_FI_DEV_POWER_USAGE", other.as_slice(), watts[0])];
    let number: f64 = told.map_or(79.0, |t| t.1.parse().expect("a number"));
    let code = number.to_string();
    let with_code = [("Hostname", "n1"), ("gpu", "0"), ("err_code", &code)];
    for (name, value) in [
        ("DCGM_FI_DEV_XID_ERRORS", 0.0),
        ("DCGM_FI_DEV_GPU_TEMP", 55.0),
        ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", 0.0),
    ] {
        points.push((name, other.as_slice(), value));
    }
    points.push(("DCGM_FI_DEV_XID_ERRORS", with_code.as_slice(), number));
    if let Some((celsius, _, reasons)) = told {
        points.push(("DCGM_FI_DEV_POWER_USAGE", one.as_slice(), watts[1]));
        points.push(("DCGM_FI_DEV_GPU_TEMP", one.as_slice(), celsius));
        points.push(("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", one.as_slice(), reasons));
    }
    stage.samples(0, Group::Gpu, "gpu_dcgm", at, &points);
    stage.world.tick(at);
}

/// Hot and slowed at first, an XID that names the fault, then the card is lost: one story, told by
/// what causes it, and open without values of the past.
#[test]
fn a_card_that_is_lost_is_told_by_its_xid() {
    let mut stage = Stage::new(&["alpha"]);
    let mut titles = Vec::new();
    for step in 0..320 {
        let at = Stage::at(f64::from(step) / 4.0);
        let told = match step {
            0..200 => Some((55.0, "0", 0.0)),
            200..210 => Some((88.0, "0", 104.0)),
            210..280 => Some((88.0, "94", 104.0)),
            _ => None,
        };
        card(&mut stage, at, told);
        let open = stage.open();
        titles.push(open.iter().map(|i| i.title.clone()).collect::<Vec<_>>());
    }
    let at = |step: usize| titles[step].join(" | ");
    assert!(
        at(207).contains("clocks held down: hw thermal"),
        "{}",
        at(207)
    );
    assert!(
        at(230).starts_with("n1 gpu 0: XID 94 (contained ECC error; NVIDIA's"),
        "{}",
        at(230)
    );
    assert!(
        at(282).starts_with("n1 gpu 0: XID 79 (GPU has fallen"),
        "{}",
        at(282)
    );
    let end = at(319);
    assert!(
        end.starts_with("n1 gpu 0: XID 79") && !end.contains(" | "),
        "{end}"
    );
    assert!(end.contains(", no longer reported ("), "{end}");
    let open = stage.open();
    let gone = open[0].findings.iter().filter(|f| !f.over);
    let gone: Vec<_> = gone.map(|f| (f.kind, f.seen)).collect();
    let (missing, xid) = (FindingKind::MissingData, FindingKind::State);
    assert_eq!(gone, [(missing, None), (xid, Some(79.0))]);
}

/// History of one XID series from `minute` on, beside a card that is well, then the same live.
fn started_late(minute: i64) -> Incident {
    let mut stage = Stage::new(&["alpha"]);
    let series = |gpu: &str, from: i64, value: f64| SeriesSamples {
        key: SeriesKey::new(
            "DCGM_FI_DEV_XID_ERRORS",
            Labels::from_pairs([("Hostname", "n1"), ("gpu", gpu)]),
        ),
        kind: SampleKind::Gauge,
        points: (from * 4..240)
            .map(|n| Sample {
                at: Stage::at(n as f64 / 4.0),
                value,
            })
            .collect(),
    };
    for backfill in [true, false] {
        let at = Stage::at(if backfill { 59.75 } else { 60.0 });
        let mut all = vec![series("0", minute, 79.0), series("1", 0, 0.0)];
        if !backfill {
            for series in &mut all {
                let value = series.points[0].value;
                series.points = [Sample { at, value }].into();
            }
        }
        let body = Body::Samples(SampleBatch {
            group: Group::Gpu,
            name: "gpu_dcgm".into(),
            query: "".into(),
            at,
            interval_ms: 15_000,
            backfill,
            series: all,
            cut_from: None,
        });
        stage.tell(0, SourceKind::Prometheus, at, body);
    }
    stage.open().first().cloned().cloned().expect("an incident")
}

#[test]
fn the_past_dates_what_was_bad_before_the_start() {
    let held = started_late(20);
    assert!(held.title.contains("XID 79"), "{held:?}");
    assert_eq!((held.opened, held.is_older()), (Stage::at(20.0), false));
    let before = started_late(0);
    assert_eq!((before.opened, before.is_older()), (Stage::at(0.0), true));
}

/// The limit itself is beyond: the sentence must not call it allowed.
#[test]
fn a_value_at_its_limit_is_not_expected() {
    let mut stage = Stage::new(&["alpha"]);
    let labels = [("node", "du-1"), ("iface", "ens7fx"), ("process", "ts2phc")];
    for (step, changes) in [0.0, 3.0, 3.0, 4.0].into_iter().enumerate() {
        let at = Stage::at(step as f64 / 4.0);
        let point = ("ptp_flapping", labels.as_slice(), changes);
        stage.samples(0, Group::Ptp, "ptp_flapping", at, &[point]);
        stage.world.tick(at);
        assert_eq!(
            stage.open().len(),
            usize::from(changes >= 4.0),
            "one loss is no flapping"
        );
    }
    let title = &stage.open()[0].title;
    assert!(
        title.contains("ptp_flapping 4, expected below 4 (limit"),
        "{title}"
    );
}

/// A minute of the log as a live tail brings it, and the ticks after it.
fn log_minute(stage: &mut Stage, minute: i64, errors: u32) {
    let line = |n: u32, level, text: String| LogLine {
        at_ns: (START + minute * MINUTE) * 1_000_000 + i64::from(n) * 100_000_000,
        labels: Labels::from_pairs([("namespace", "shop"), ("pod", "api-0")]),
        line: text.into(),
        level,
    };
    let usual = 60 + (stage.noise() * 10.0) as u32;
    let served = (0..usual).map(|n| line(n, Level::Info, format!("served request {n} of cart")));
    let failed = (0..errors).map(|n| {
        line(
            n,
            Level::Error,
            format!("upstream {n} refused the connection"),
        )
    });
    let batch = LogBatch {
        lines: served.chain(failed).collect(),
        dropped: 0,
        live: true,
    };
    let at = Stage::at(minute as f64 + 0.9);
    stage.tell(0, SourceKind::Loki, at, Body::Logs(batch));
    for tick in 0..6 {
        stage.world.tick(Timestamp(at.0 + tick * 10_000));
    }
}

#[test]
fn a_burst_of_errors_in_the_log_is_an_incident_of_its_pod() {
    let mut stage = Stage::new(&["alpha"]);
    stage.live(0, Stage::at(0.0));
    stage.health(0, SourceKind::Loki, Stage::at(0.0), Health::Live);
    for minute in 0..90 {
        log_minute(&mut stage, minute, 1);
    }
    assert!(
        stage.world.incidents.is_empty(),
        "{:#?}",
        stage.world.incidents
    );
    for minute in 90..95 {
        log_minute(&mut stage, minute, 200);
    }
    let open = stage.open();
    assert_eq!(open.len(), 1, "{open:#?}");
    let finding = &open[0].findings[0];
    assert_eq!(finding.kind, FindingKind::LogBurst);
    let pod = Subject::Pod {
        namespace: "shop".into(),
        pod: "api-0".into(),
    };
    assert_eq!(open[0].subjects, [pod]);
    assert!(
        finding.text.contains("upstream <*> refused the connection"),
        "{}",
        finding.text
    );
    let is_line =
        |e: &Evidence| matches!(e, Evidence::Log { line, .. } if line.contains("upstream"));
    assert!(finding.evidence.iter().any(is_line));
    for minute in 95..120 {
        log_minute(&mut stage, minute, 1);
    }
    assert!(stage.open().is_empty());
}

#[test]
fn a_log_that_is_not_heard_is_not_silent() {
    let mut stage = Stage::new(&["alpha"]);
    stage.live(0, Stage::at(0.0));
    stage.health(0, SourceKind::Loki, Stage::at(0.0), Health::Live);
    for minute in 0..90 {
        log_minute(&mut stage, minute, 1);
    }
    let down = Stage::at(90.0);
    stage.health(0, SourceKind::Loki, down, refused(down, 1));
    for tick in 0..120 {
        stage.world.tick(Timestamp(down.0 + tick * 10_000));
    }
    let logs = stage.world.incidents.iter().flat_map(|i| &i.findings);
    let told: Vec<_> = logs.filter(|f| f.kind == FindingKind::LogBurst).collect();
    assert!(told.is_empty(), "{told:#?}");
}

/// A fleet's hour as a history of it and as its live rounds: `busy` is the load of a node.
fn round(nodes: usize, at: Timestamp, busy: impl Fn(usize) -> f64) -> Vec<SeriesSamples> {
    let one = |n: usize| SeriesSamples {
        key: SeriesKey::new(
            "node_cpu_busy",
            Labels::from_pairs([("instance", format!("n{n}:9100").as_str())]),
        ),
        kind: SampleKind::Gauge,
        points: [Sample { at, value: busy(n) }].into(),
    };
    (0..nodes).map(one).collect()
}

fn tell_round(stage: &mut Stage, at: Timestamp, backfill: bool, series: Vec<SeriesSamples>) {
    let body = Body::Samples(SampleBatch {
        group: Group::Cluster,
        name: "node_cpu_busy".into(),
        query: "".into(),
        at,
        interval_ms: STEP_MS as u32,
        backfill,
        series,
        cut_from: None,
    });
    stage.tell(0, SourceKind::Prometheus, at, body);
    stage.world.tick(at);
}

/// Load of a node at a step: its own level, noise, and one of ten with a fault at some time.
fn load_of(n: usize, step: i64) -> f64 {
    let seed = (n as i64 * 7_919 + step * 104_729).unsigned_abs();
    let noise = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1u64 << 24) as f64;
    0.1 + 0.02 * (n % 20) as f64 + 0.02 * noise
}

/// Started anew, it reads the last hour: what was usual before is usual, and what was wrong before
/// is no news a hundred times over.
#[test]
fn a_restart_tells_nothing_of_a_healthy_fleet() {
    const NODES: usize = 200;
    let mut stage = Stage::new(&["alpha"]);
    stage.live(0, Stage::at(0.0));
    let at = |step: i64| Stage::at(step as f64 / 4.0);
    let mut past: Vec<SeriesSamples> = round(NODES, at(0), |n| load_of(n, 0));
    for step in 1..240 {
        let more = round(NODES, at(step), |n| load_of(n, step));
        for (series, new) in past.iter_mut().zip(more) {
            series.points.extend(new.points);
        }
    }
    tell_round(&mut stage, at(239), true, past);
    let mut told = Vec::new();
    for step in 240..480 {
        // One node is in trouble when it is time to see that the rest is still watched.
        let busy = |n: usize| match n == 7 && step >= 440 {
            true => 0.75,
            false => load_of(n, step),
        };
        tell_round(&mut stage, at(step), false, round(NODES, at(step), busy));
        let titles = stage.world.incidents.iter().map(|i| i.title.clone());
        told.push(titles.collect::<Vec<_>>());
    }
    assert!(told[199].is_empty(), "{:#?}", told[199]);
    let end = told.last().expect("steps");
    assert!(end.len() == 1 && end[0].contains("n7"), "{end:#?}");
}

/// The cluster is silent for twenty minutes and comes back with other loads for some minutes, as
/// caches fill: one story, and nothing of each of its series.
#[test]
fn a_cluster_that_returns_after_an_outage_is_one_incident() {
    const NODES: usize = 200;
    let mut stage = Stage::new(&["alpha"]);
    stage.live(0, Stage::at(0.0));
    let at = |step: i64| Stage::at(step as f64 / 4.0);
    for step in 0..240 {
        let series = round(NODES, at(step), |n| load_of(n, step));
        tell_round(&mut stage, at(step), false, series);
    }
    for source in [
        SourceKind::Prometheus,
        SourceKind::Alertmanager(0),
        SourceKind::Kubernetes,
    ] {
        stage.health(0, source, at(242), refused(at(241), 3));
    }
    for step in 242..320 {
        stage.world.tick(at(step));
    }
    stage.live(0, at(320));
    for step in 320..400 {
        // The rate over the hole is of what was missed.
        let hole = if step < 328 { 1.8 } else { 1.0 };
        let series = round(NODES, at(step), |n| hole * load_of(n, step));
        tell_round(&mut stage, at(step), false, series);
    }
    let titles: Vec<_> = stage.world.incidents.iter().map(|i| &i.title).collect();
    assert_eq!(titles.len(), 1, "{titles:#?}");
    let incident = &stage.world.incidents[0];
    let kinds: Vec<_> = incident.findings.iter().map(|f| f.kind).collect();
    assert!(
        kinds.iter().all(|k| *k == FindingKind::Unreachable),
        "{kinds:?}"
    );
    assert_ne!(incident.state, IncidentState::Open);
}

/// Clusters do not know of each other: whose answers come first changes nothing.
#[test]
fn the_order_of_arrival_across_clusters_changes_nothing() {
    let run = |turn: bool| {
        let mut stage = Stage::new(&["alpha", "beta"]);
        for step in 0..320 {
            let fault = (240..280).contains(&step);
            let mut order = [0, 1];
            if turn && step % 3 != 0 {
                order.reverse();
            }
            let at = Stage::at(f64::from(step) / 4.0);
            for cluster in order {
                let level = if fault { 0.60 } else { 0.20 };
                // The same of a step, whoever is asked first.
                let noise = f64::from((step * 37 + i32::from(cluster) * 11) % 17) / 1_000.0;
                let labels = [("instance", "n1:9100")];
                let busy = ("node_cpu_busy", labels.as_slice(), level + noise);
                stage.samples(cluster, Group::Cluster, "node_cpu_busy", at, &[busy]);
            }
            stage.world.tick(at);
        }
        let mut told: Vec<_> = stage
            .world
            .incidents
            .iter()
            .map(|i| format!("{} {} {:?}", i.cluster.0, i.title, i.findings))
            .collect();
        told.sort();
        told
    };
    let told = run(false);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(told, run(true));
}
