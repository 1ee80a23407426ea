//! A headless console for tests of screens and keys: telemetry in, keys in, text out.
#![allow(dead_code, reason = "each test uses a part")]

use std::sync::Arc;

use farwatch::command::parse_keys;
use farwatch::config::{Cluster, ClusterKind, Config, Endpoint, Kube};
use farwatch::message::{Effect, Msg};
use farwatch::model::alert::{Alert, AlertState, Severity};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::input::InputEvent;
use farwatch::model::label::Labels;
use farwatch::model::log::{Level, LogLine};
use farwatch::model::object::{Event, Node, Object, ObjectKind, Pod, Requests, Room};
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{
    Body, ClusterFacts, LogBatch, ObjectBatch, SampleBatch, Telemetry,
};
use farwatch::model::time::Timestamp;
use farwatch::state::State;
use farwatch::ui;
use farwatch::ui::theme::{Depth, Looks};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

#[path = "standing.rs"]
mod standing;

/// 2026-11-21T14:32:07Z
pub const NOW: Timestamp = Timestamp(1_795_271_527_000);
pub const NAMES: [&str; 3] = ["edge-ran-07", "gpu-train-1", "prod-eu-1"];

pub struct Console {
    pub state: State,
    pub effects: Vec<Effect>,
    size: (u16, u16),
}

fn config(names: &[&str]) -> Config {
    let endpoint = || Some(Endpoint::default());
    let clusters = names.iter().zip(
        [ClusterKind::FarEdge, ClusterKind::Spoke, ClusterKind::Hub]
            .iter()
            .cycle(),
    );
    Config {
        clusters: clusters
            .map(|(name, kind)| Cluster {
                name: (*name).to_owned(),
                kind: *kind,
                region: Some("lyon".into()),
                environment: Some(environment(*kind).into()),
                labels: vec![("tier".into(), tier(*kind).into())],
                kube: Some(Kube::default()),
                prometheus: endpoint(),
                alertmanagers: endpoint().into_iter().collect(),
                loki: endpoint(),
                ..Cluster::default()
            })
            .collect(),
        ..Config::default()
    }
}

fn environment(kind: ClusterKind) -> &'static str {
    if kind == ClusterKind::Spoke {
        "lab"
    } else {
        "prod"
    }
}

fn tier(kind: ClusterKind) -> &'static str {
    if kind == ClusterKind::FarEdge {
        "far"
    } else {
        "core"
    }
}

impl Console {
    pub fn new(names: &[&str], size: (u16, u16)) -> Self {
        Self::with_looks(names, size, Looks::default())
    }

    pub fn with_looks(names: &[&str], size: (u16, u16), looks: Looks) -> Self {
        Self::of(config(names), size, looks)
    }

    /// With room for so many bytes of log lines.
    pub fn with_log_memory(names: &[&str], size: (u16, u16), bytes: u64) -> Self {
        let mut config = config(names);
        config.limits.log_bytes = bytes;
        Self::of(config, size, Looks::default())
    }

    /// Its incidents are those of the watchers.
    pub fn of_watchers(size: (u16, u16)) -> Self {
        let mut config = config(&NAMES);
        let text = "[team]\nnats = { url = \"nats://a\" }\nincidents = \"watchers\"\n";
        let read = farwatch::config::load::parse(text, std::path::Path::new("/x/c.toml"));
        config.team = read.expect("valid").team;
        Self::of(config, size, Looks::default())
    }

    fn of(config: Config, size: (u16, u16), looks: Looks) -> Self {
        let state = State::new(Arc::new(config), NOW, TimeZone::UTC, looks);
        let mut console = Self {
            state,
            effects: Vec::new(),
            size,
        };
        console.resize(size);
        console
    }

    pub fn ascii(names: &[&str], size: (u16, u16)) -> Self {
        Self::with_looks(
            names,
            size,
            Looks {
                depth: Depth::None,
                ascii: true,
            },
        )
    }

    /// Everything heard: one cluster in trouble, one with a warning, one calm.
    pub fn live(size: (u16, u16)) -> Self {
        let mut console = Self::new(&NAMES, size);
        console.tell_live();
        console
    }

    /// As live, then the first cluster is gone and the second refuses.
    pub fn failing(size: (u16, u16)) -> Self {
        let mut console = Self::live(size);
        console.tell_standing();
        let now = Timestamp(NOW.0 + 660_000);
        for kind in kinds() {
            console.tell(0, kind, Body::Health(failing(now)));
            for cluster in 1..NAMES.len() as u16 {
                let health = SourceHealth {
                    last_ok: Some(Timestamp(now.0 - 3_000)),
                    ..live()
                };
                console.tell(cluster, kind, Body::Health(health));
            }
        }
        console.tell(1, SourceKind::Loki, Body::Health(denied(now)));
        console.update(Msg::Tick(now));
        console.update(Msg::Notice {
            error: false,
            text: "edge-ran-07 is gone".into(),
        });
        console.keys("<esc>");
        console
    }

    pub fn tell_live(&mut self) {
        for cluster in 0..self.state.world.clusters.len() as u16 {
            for kind in kinds() {
                self.tell(cluster, kind, Body::Health(live()));
            }
            self.tell(cluster, SourceKind::Kubernetes, Body::Facts(facts()));
            self.tell(
                cluster,
                SourceKind::Kubernetes,
                objects(ObjectKind::Node, nodes(cluster)),
            );
            self.tell(
                cluster,
                SourceKind::Kubernetes,
                objects(ObjectKind::Pod, pods(cluster)),
            );
            self.tell(
                cluster,
                SourceKind::Prometheus,
                samples("node_cpu_busy", 0.3),
            );
            self.tell(
                cluster,
                SourceKind::Prometheus,
                samples("node_memory_used", 0.6),
            );
        }
        self.tell(
            0,
            SourceKind::Kubernetes,
            objects(ObjectKind::Event, events()),
        );
        self.tell(0, SourceKind::Loki, logs());
        self.tell(
            0,
            SourceKind::Alertmanager(0),
            Body::Alerts(vec![
                alert("PtpOutOfSync", Severity::Critical),
                alert("KubePodCrashLooping", Severity::Warning),
            ]),
        );
        self.tell(
            1,
            SourceKind::Alertmanager(0),
            Body::Alerts(vec![alert("GpuThrottle", Severity::Warning)]),
        );
        self.update(Msg::Tick(NOW));
    }

    /// What the objects themselves do not show: applications, rights, and that of the other kinds
    /// there are none.
    pub fn tell_standing(&mut self) {
        for cluster in 0..self.state.world.clusters.len() as u16 {
            let apps = objects(ObjectKind::Application, standing::apps(cluster));
            self.tell(cluster, SourceKind::Kubernetes, apps);
            let who = Body::Identity(Box::new(standing::identity()));
            self.tell(cluster, SourceKind::Kubernetes, who);
            for kind in standing::WORKLOADS {
                let listed = self.state.world.clusters[usize::from(cluster)].is_listed(kind);
                if !listed {
                    self.tell(cluster, SourceKind::Kubernetes, objects(kind, Vec::new()));
                }
            }
        }
    }

    pub fn tell(&mut self, cluster: u16, source: SourceKind, body: Body) {
        self.update(Msg::Telemetry(Box::new(Telemetry {
            cluster: ClusterId(cluster),
            source,
            received: self.state.world.now,
            body,
        })));
    }

    pub fn update(&mut self, msg: Msg) {
        let mut effects = self.state.update(msg);
        effects.reverse();
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Work(work) => {
                    work.run();
                    effects.extend(self.state.update(Msg::Worked));
                }
                other => self.effects.push(other),
            }
        }
    }

    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.update(Msg::Input(InputEvent::Resize {
            columns: size.0,
            rows: size.1,
        }));
    }

    /// Types keys in the notation of the command table.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for press in parse_keys(keys) {
            self.update(Msg::Input(InputEvent::Key(press)));
        }
        self
    }

    pub fn buffer(&self) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        ui::draw(&self.state, &mut buf);
        buf
    }

    /// The screen as lines of text.
    pub fn screen(&self) -> String {
        let buf = self.buffer();
        let mut out = String::new();
        for row in buf.content.chunks(usize::from(self.size.0).max(1)) {
            let line: String = row.iter().map(|cell| cell.symbol()).collect();
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    #[track_caller]
    pub fn has(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "no {text:?} in\n{screen}");
    }

    #[track_caller]
    pub fn lacks(&self, text: &str) {
        let screen = self.screen();
        assert!(!screen.contains(text), "{text:?} in\n{screen}");
    }
}

pub fn kinds() -> [SourceKind; 4] {
    [
        SourceKind::Prometheus,
        SourceKind::Alertmanager(0),
        SourceKind::Loki,
        SourceKind::Kubernetes,
    ]
}

pub fn live() -> SourceHealth {
    SourceHealth {
        health: Health::Live,
        latency_ms: Some(12),
        last_ok: Some(Timestamp(NOW.0 - 3_000)),
        version: Some("3.5.0".into()),
        answers: 41,
        bytes: 81_920,
        interval_ms: 15_000,
        ..SourceHealth::default()
    }
}

fn failing(now: Timestamp) -> SourceHealth {
    SourceHealth {
        health: Health::Failing {
            fault: fault(
                FaultKind::Unreachable,
                "connection refused",
                "is the server up?",
            ),
            since: NOW,
            retry_at: Timestamp(now.0 + 12_000),
            failures: 9,
        },
        failures: 9,
        ..live()
    }
}

fn denied(_now: Timestamp) -> SourceHealth {
    SourceHealth {
        health: Health::Denied {
            fault: fault(
                FaultKind::Forbidden,
                "403: not allowed",
                "give the token the role logs-reader",
            ),
            since: NOW,
        },
        ..live()
    }
}

fn fault(kind: FaultKind, what: &str, hint: &str) -> Fault {
    Fault {
        kind,
        cluster: "edge-ran-07".into(),
        endpoint: "http://10.0.0.7:9090/api/v1/query".into(),
        what: what.into(),
        hint: hint.into(),
    }
}

fn facts() -> ClusterFacts {
    ClusterFacts {
        kubernetes_version: Some("1.30.4".into()),
        openshift_version: Some("4.17.1".into()),
        prometheus_version: Some("3.5.0".into()),
        capabilities: None,
        ..ClusterFacts::default()
    }
}

pub fn objects(kind: ObjectKind, upserts: Vec<Object>) -> Body {
    Body::Objects(ObjectBatch {
        kind,
        reset: true,
        upserts,
        ..ObjectBatch::empty(kind)
    })
}

pub fn node(name: &str, ready: bool) -> Object {
    Object::Node(Node {
        name: name.into(),
        roles: vec!["worker".into()],
        ready: Some(ready),
        unschedulable: !ready,
        problems: if ready {
            vec![]
        } else {
            vec!["KubeletNotReady".into()]
        },
        kubelet_version: "v1.30.4".into(),
        allocatable: vec![("nvidia.com/gpu".into(), 8)],
        room: Room {
            cpu_milli: Some(32_000),
            memory_bytes: Some(128 << 30),
            pods: Some(250),
        },
        created: Some(Timestamp(NOW.0 - 20 * 86_400_000)),
        ..Node::default()
    })
}

fn nodes(cluster: u16) -> Vec<Object> {
    ["n-07-a", "n-07-b", "n-07-c"]
        .iter()
        .map(|name| node(name, cluster != 0 || *name != "n-07-b"))
        .collect()
}

pub fn pod(namespace: &str, name: &str, reason: Option<&str>, restarts: u32) -> Object {
    Object::Pod(Pod {
        namespace: namespace.into(),
        name: name.into(),
        node: Some("n-07-b".into()),
        phase: "Running".into(),
        reason: reason.map(str::to_owned),
        message: reason.map(|r| format!("back-off: {r}")),
        ready: u16::from(reason.is_none()),
        containers: 1,
        restarts,
        owner: Some(("StatefulSet".into(), "du-high".into())),
        started: Some(NOW),
        since: Some(Timestamp(NOW.0 - 720_000)),
        requests: Requests {
            cpu_milli: 2_000,
            memory_bytes: 8 << 30,
            extended: vec![],
            exclusive_cpus: None,
        },
        ..Pod::default()
    })
}

fn pods(cluster: u16) -> Vec<Object> {
    let bad = (cluster == 0).then_some("CrashLoopBackOff");
    let mut pods = vec![pod("ran-du", "du-high-0", bad, 6)];
    pods.extend((0..8).map(|n| pod("default", &format!("web-{n}"), None, 0)));
    pods
}

fn events() -> Vec<Object> {
    let event = |name: &str, ago_s: i64, warning, reason: &str, message: &str| {
        Object::Event(Event {
            namespace: "ran-du".into(),
            name: name.into(),
            at: Timestamp(NOW.0 - ago_s * 1000),
            warning,
            reason: reason.into(),
            message: message.into(),
            about: ("Pod".into(), "du-high-0".into()),
            count: 6,
            reporter: "kubelet".into(),
        })
    };
    vec![
        event("e1", 700, false, "ScalingReplicaSet", "scaled up to 3"),
        event(
            "e2",
            600,
            true,
            "BackOff",
            "Back-off restarting failed container",
        ),
    ]
}

fn samples(name: &str, least: f64) -> Body {
    let series = ["n-07-a", "n-07-b", "n-07-c"]
        .iter()
        .map(|node| SeriesSamples {
            key: SeriesKey::new(name, Labels::from_pairs([("node", *node)])),
            kind: SampleKind::Gauge,
            points: (0..60)
                .map(|n| Sample {
                    at: Timestamp(NOW.0 - (59 - n) * 15_000),
                    value: least + (n % 10) as f64 / 100.0,
                })
                .collect(),
        });
    Body::Samples(SampleBatch {
        group: Group::Cluster,
        name: name.into(),
        query: name.into(),
        at: NOW,
        interval_ms: 15_000,
        backfill: false,
        series: series.collect(),
        cut_from: None,
    })
}

fn logs() -> Body {
    let lines = (0..20).map(|n| LogLine {
        at_ns: (NOW.0 - (20 - n) * 1000) * 1_000_000,
        labels: Labels::from_pairs([("namespace", "ran-du"), ("pod", "du-high-0")]),
        line: format!("PHC offset {} ns > 1500", 4000 + n).into(),
        level: if n % 3 == 0 {
            Level::Error
        } else {
            Level::Info
        },
    });
    Body::Logs(LogBatch {
        lines: lines.collect(),
        dropped: 0,
        live: true,
    })
}

pub fn alert(name: &str, severity: Severity) -> Alert {
    Alert {
        fingerprint: format!("fp-{name}").into(),
        name: name.into(),
        severity,
        state: AlertState::Firing,
        labels: Labels::from_pairs([("alertname", name), ("node", "n-07-b")]),
        annotations: Labels::from_pairs([("summary", "clock is off")]),
        starts_at: Timestamp(NOW.0 - 720_000),
        ends_at: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        value: Some(4123.0),
        expression: None,
    }
}
