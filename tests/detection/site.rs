//! One cluster with all that farwatch looks at, told every 15 s: three nodes, a shop (web, cart, db),
//! a model on four GPUs, a vDU with its clock and its virtual function, DNS. A fault changes what is
//! told from minute 60 on.
#![allow(dead_code, reason = "each test uses its part")]

use std::sync::Arc;

use farwatch::model::health::SourceKind;
use farwatch::model::object::{Node, Object, ObjectKind, Pod};
use farwatch::model::signal::Group;
use farwatch::model::sriov::SriovNodeState;
use farwatch::model::time::Timestamp;
use farwatch::model::workload::{Workload, WorkloadKind};

use crate::stage::{MINUTE, STEP_MS, Stage, alert, port};

/// The fault begins here, minutes; and so long it is looked at.
pub const ONSET: f64 = 60.0;
pub const AFTER: f64 = 16.0;
pub const STEPS_A_MINUTE: i64 = MINUTE / STEP_MS;

pub const WEB: &str = "web-5d9c8b7f6-bcdfg";
pub const CART: &str = "cart-7d9f8b6c5-x2x9z";
pub const NEW_CART: &str = "cart-6c8f7b5d4-q4q7w";
pub const DNS: &str = "coredns-6d5f7c8b9-k2k4p";
const NODES: [&str; 3] = ["n1", "n2", "n3"];

/// A signal of the nodes, and where its value stands.
type Column = (&'static str, fn(&NodeNow) -> f64);

#[derive(Clone)]
pub struct NodeNow {
    pub cpu: f64,
    pub memory: f64,
    pub disk: f64,
    pub busy: f64,
    pub bits: f64,
    pub faults: f64,
    pub ready: bool,
    pub problem: Option<&'static str>,
}

#[derive(Clone)]
pub struct GpuNow {
    pub util: f64,
    pub temp: f64,
    pub power: f64,
    pub xid: f64,
    pub reasons: f64,
    pub pending: f64,
    pub there: bool,
}

#[derive(Clone)]
pub struct PodNow {
    pub namespace: &'static str,
    pub name: &'static str,
    pub owner: (&'static str, &'static str),
    pub node: Option<&'static str>,
    pub phase: &'static str,
    pub reason: Option<&'static str>,
    pub restarts: f64,
    pub oom: bool,
}

/// All that is told in one step.
#[derive(Clone)]
pub struct Told {
    /// Minutes since the onset; negative before.
    pub since: f64,
    pub nodes: [NodeNow; 3],
    pub gpus: [GpuNow; 4],
    pub ttft: f64,
    pub tokens: f64,
    pub waiting: f64,
    pub cache: f64,
    pub preempted: f64,
    /// `clock_state`, `clock_class`, offset in ns.
    pub clock: (f64, f64, f64),
    pub port: f64,
    pub vf_dropped: [f64; 2],
    /// Packets that the ports of the vDU lose in a second.
    pub dpdk_lost: [f64; 2],
    pub sriov: (&'static str, Option<&'static str>),
    pub pods: Vec<PodNow>,
    /// Image of `shop/cart`, and replicas ready.
    pub cart: (&'static str, u32),
    pub api_errors: f64,
    /// Name and labels.
    pub alerts: Vec<(&'static str, Vec<(&'static str, &'static str)>)>,
}

impl Told {
    /// Something is so from this many minutes after the onset on.
    pub fn after(&self, minutes: f64) -> bool {
        self.since >= minutes
    }

    pub fn alert(&mut self, name: &'static str, labels: &[(&'static str, &'static str)]) {
        self.alerts.push((name, labels.to_vec()));
    }

    pub fn pod(&mut self, name: &str) -> &mut PodNow {
        let found = self.pods.iter_mut().find(|p| p.name == name);
        found.expect("a pod of the site")
    }
}

fn healthy(stage: &mut Stage, since: f64) -> Told {
    let wave = (since / 25.0).sin();
    let mut about = |mean: f64, spread: f64| mean + spread * (0.6 * wave + stage.noise());
    let node = |cpu: f64, memory: f64| NodeNow {
        cpu,
        memory,
        disk: 0.52,
        busy: 0.12,
        bits: 4.0e8,
        faults: 0.0,
        ready: true,
        problem: None,
    };
    let mut nodes = [(0.35, 0.55), (0.28, 0.48), (0.31, 0.60)]
        .map(|(cpu, memory)| node(about(cpu, 0.03), about(memory, 0.01)));
    for node in &mut nodes {
        node.bits = about(4.0e8, 2.0e7);
        node.busy = about(0.12, 0.03);
    }
    let gpus = [0; 4].map(|_| GpuNow {
        util: about(93.0, 3.0),
        temp: about(60.0, 2.0),
        power: about(560.0, 20.0),
        xid: 0.0,
        reasons: 0.0,
        pending: 0.0,
        there: true,
    });
    let pod = |namespace, name, owner, node| PodNow {
        namespace,
        name,
        owner,
        node: Some(node),
        phase: "Running",
        reason: None,
        restarts: 0.0,
        oom: false,
    };
    Told {
        since,
        nodes,
        gpus,
        ttft: about(0.30, 0.03),
        tokens: about(1500.0, 60.0),
        waiting: 0.0,
        cache: about(0.55, 0.05),
        preempted: 0.0,
        clock: (1.0, 6.0, about(0.0, 4.0)),
        port: 1.0,
        vf_dropped: [0.0, 0.0],
        dpdk_lost: [0.0, 0.0],
        sriov: ("Succeeded", None),
        pods: vec![
            pod("shop", WEB, ("ReplicaSet", "web-5d9c8b7f6"), "n1"),
            pod("shop", CART, ("ReplicaSet", "cart-7d9f8b6c5"), "n2"),
            pod("shop", "db-0", ("StatefulSet", "db"), "n3"),
            pod("ml", "vllm-0", ("StatefulSet", "vllm"), "n1"),
            pod("ran", "du-0", ("StatefulSet", "du"), "n2"),
            pod(
                "kube-system",
                DNS,
                ("ReplicaSet", "coredns-6d5f7c8b9"),
                "n3",
            ),
        ],
        cart: ("registry.example/cart:1.4.0", 1),
        api_errors: about(0.001, 0.0005).max(0.0),
        alerts: Vec::new(),
    }
}

/// The clusters of these names, of which the first `ill` have the fault.
pub struct Site {
    pub stage: Stage,
    clusters: u16,
    ill: u16,
    /// The first minute that is told.
    from: f64,
    before: Vec<Option<Told>>,
    /// When each alert began, by cluster and name.
    fired: Vec<(u16, &'static str, Timestamp)>,
}

impl Site {
    pub fn new(names: &[&str], ill: u16) -> Self {
        let mut stage = Stage::new(names);
        let clusters = names.len() as u16;
        for cluster in 0..clusters {
            stage.live(cluster, Stage::at(0.0));
        }
        Self {
            stage,
            clusters,
            ill,
            from: 0.0,
            before: vec![None; names.len()],
            fired: Vec::new(),
        }
    }

    /// To be recorded from this minute on; its own world hears nothing.
    pub fn tape(&mut self, from: f64) {
        self.from = from;
        self.stage.tape = Some(Vec::new());
        for cluster in 0..self.clusters {
            self.stage.live(cluster, Stage::at(from));
        }
    }

    /// Plays all of it; after each step `look` may look.
    pub fn play(&mut self, change: impl Fn(&mut Told), mut look: impl FnMut(&Stage, f64)) {
        let steps = ((ONSET + AFTER) * STEPS_A_MINUTE as f64) as i64;
        let first = (self.from * STEPS_A_MINUTE as f64) as i64;
        for step in first..steps {
            let minute = step as f64 / STEPS_A_MINUTE as f64;
            for cluster in 0..self.clusters {
                let mut told = healthy(&mut self.stage, minute - ONSET);
                if minute >= ONSET && cluster < self.ill {
                    change(&mut told);
                }
                self.tell(cluster, Stage::at(minute), told);
            }
            self.stage.world.tick(Stage::at(minute));
            look(&self.stage, minute - ONSET);
        }
    }

    fn tell(&mut self, cluster: u16, at: Timestamp, told: Told) {
        self.tell_objects(cluster, at, &told);
        self.tell_nodes(cluster, at, &told);
        self.tell_gpus(cluster, at, &told);
        self.tell_radio(cluster, at, &told);
        self.tell_pods(cluster, at, &told);
        let mut alerts = Vec::new();
        for (name, labels) in &told.alerts {
            let known = self.fired.iter().find(|f| (f.0, f.1) == (cluster, name));
            let since = known.map_or(at, |f| f.2);
            if known.is_none() {
                self.fired.push((cluster, name, at));
            }
            alerts.push(alert(name, labels, since));
        }
        self.fired
            .retain(|f| f.0 != cluster || told.alerts.iter().any(|a| a.0 == f.1));
        self.stage.alerts(cluster, at, alerts);
        if let Some(before) = self.before.get_mut(usize::from(cluster)) {
            *before = Some(told);
        }
    }

    fn tell_nodes(&mut self, cluster: u16, at: Timestamp, told: &Told) {
        let hosts = NODES.map(|n| format!("{n}:9100"));
        let columns: [Column; 6] = [
            ("node_cpu_busy", |n| n.cpu),
            ("node_memory_used", |n| n.memory),
            ("node_disk_busy", |n| n.busy),
            ("node_network_receive", |n| n.bits),
            ("node_network_faults", |n| n.faults),
            ("node_filesystem_used", |n| n.disk),
        ];
        for (name, value) in columns {
            let labels: Vec<_> = hosts
                .iter()
                .map(|host| match name {
                    "node_filesystem_used" => {
                        vec![("instance", host.as_str()), ("mountpoint", "/")]
                    }
                    _ => vec![("instance", host.as_str())],
                })
                .collect();
            let living = told.nodes.iter().zip(&labels).filter(|(n, _)| n.ready);
            let points: Vec<_> = living
                .map(|(node, labels)| (name, labels.as_slice(), value(node)))
                .collect();
            let stage = &mut self.stage;
            stage.samples(cluster, Group::Cluster, name, at, &points);
        }
        let name = "apiserver_error_ratio";
        let errors = [(name, [].as_slice(), told.api_errors)];
        self.stage
            .samples(cluster, Group::Cluster, name, at, &errors);
    }

    fn tell_gpus(&mut self, cluster: u16, at: Timestamp, told: &Told) {
        let numbers = ["0", "1", "2", "3"];
        let codes: Vec<String> = told.gpus.iter().map(|g| g.xid.to_string()).collect();
        let mut labels = Vec::new();
        for (number, code) in numbers.iter().zip(&codes) {
            let own = vec![
                ("Hostname", "n1"),
                ("gpu", *number),
                ("exported_namespace", "ml"),
                ("exported_pod", "vllm-0"),
            ];
            let mut coded = own.clone();
            coded.push(("err_code", code.as_str()));
            labels.push((own, coded));
        }
        let mut points = Vec::new();
        for (gpu, (own, coded)) in told.gpus.iter().zip(&labels) {
            points.push(("DCGM_FI_DEV_XID_ERRORS", coded.as_slice(), gpu.xid));
            if !gpu.there {
                continue;
            }
            for (name, value) in [
                ("DCGM_FI_DEV_GPU_UTIL", gpu.util),
                ("DCGM_FI_DEV_GPU_TEMP", gpu.temp),
                ("DCGM_FI_DEV_POWER_USAGE", gpu.power),
                ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", gpu.reasons),
                ("DCGM_FI_DEV_ROW_REMAP_PENDING", gpu.pending),
            ] {
                points.push((name, own.as_slice(), value));
            }
        }
        let stage = &mut self.stage;
        stage.samples(cluster, Group::Gpu, "gpu_dcgm", at, &points);
        let model = [("namespace", "ml"), ("model_name", "qwen")];
        for (name, value) in [
            ("vllm_ttft_p95", told.ttft),
            ("vllm_generation_tokens", told.tokens),
            ("vllm_preemptions", told.preempted),
        ] {
            let points = [(name, model.as_slice(), value)];
            stage.samples(cluster, Group::Serving, name, at, &points);
        }
        let state = [
            ("vllm:num_requests_waiting", model.as_slice(), told.waiting),
            ("vllm:num_requests_running", model.as_slice(), 40.0),
            ("vllm:kv_cache_usage_perc", model.as_slice(), told.cache),
        ];
        stage.samples(cluster, Group::Serving, "vllm_state", at, &state);
    }

    fn tell_radio(&mut self, cluster: u16, at: Timestamp, told: &Told) {
        let clock = [("node", "n2"), ("process", "ts2phc"), ("iface", "ens7fx")];
        let port = [("node", "n2"), ("process", "ptp4l"), ("iface", "ens7f0")];
        let daemon = [
            ("node", "n2"),
            ("process", "ptp4l"),
            ("config", "ptp4l.0.config"),
        ];
        let (state, class, offset) = told.clock;
        let points = [
            ("openshift_ptp_clock_state", clock.as_slice(), state),
            ("openshift_ptp_offset_ns", clock.as_slice(), offset),
            ("openshift_ptp_interface_role", port.as_slice(), told.port),
            ("openshift_ptp_clock_class", daemon.as_slice(), class),
            ("openshift_ptp_process_status", daemon.as_slice(), 1.0),
        ];
        let stage = &mut self.stage;
        stage.samples(cluster, Group::Ptp, "ptp_state", at, &points);
        let vf = |n| [("node", "n2"), ("pf", "ens1f0"), ("vf", n)];
        let (one, two) = (vf("0"), vf("3"));
        let name = "sriov_vf_rx_dropped";
        let points = [
            (name, one.as_slice(), told.vf_dropped[0]),
            (name, two.as_slice(), told.vf_dropped[1]),
        ];
        stage.samples(cluster, Group::Sriov, name, at, &points);
        let port = |n| [("namespace", "ran"), ("pod", "du-0"), ("port", n)];
        let (fronthaul, midhaul) = (port("fh0"), port("mh0"));
        let name = "dpdk_rx_missed";
        let points = [
            (name, fronthaul.as_slice(), told.dpdk_lost[0]),
            (name, midhaul.as_slice(), told.dpdk_lost[1]),
        ];
        stage.samples(cluster, Group::Sriov, name, at, &points);
    }

    fn tell_pods(&mut self, cluster: u16, at: Timestamp, told: &Told) {
        let labels: Vec<_> = told
            .pods
            .iter()
            .map(|p| {
                let own = [
                    ("namespace", p.namespace),
                    ("pod", p.name),
                    ("container", "main"),
                ];
                (p, own)
            })
            .collect();
        let stage = &mut self.stage;
        let mut say = |name: &str, wanted: &dyn Fn(&PodNow) -> Option<f64>| {
            let points: Vec<_> = labels
                .iter()
                .filter_map(|(p, own)| Some((name, own.as_slice(), wanted(p)?)))
                .collect();
            stage.samples(cluster, Group::Workload, name, at, &points);
        };
        say("pod_restarts", &|p| {
            (p.restarts > 0.0).then_some(p.restarts)
        });
        say("pod_out_of_memory", &|p| p.oom.then_some(p.restarts));
        say("pod_crashloop", &|p| {
            (p.reason == Some("CrashLoopBackOff")).then_some(1.0)
        });
        say("pod_cannot_start", &|p| {
            (p.reason == Some("ImagePullBackOff")).then_some(1.0)
        });
    }

    /// Objects are told at the start, and when they have changed.
    fn tell_objects(&mut self, cluster: u16, at: Timestamp, told: &Told) {
        let before = self
            .before
            .get(usize::from(cluster))
            .and_then(Option::as_ref);
        let shape = |t: &Told| {
            let nodes: Vec<Node> = NODES
                .iter()
                .zip(&t.nodes)
                .map(|(n, now)| node(n, now))
                .collect();
            let pods: Vec<Pod> = t.pods.iter().map(|p| pod(p, at)).collect();
            (nodes, pods, functions(t), cart(t))
        };
        let now = shape(told);
        let old = before.map(shape);
        let gone: Vec<_> = old
            .iter()
            .flat_map(|o| &o.1)
            .filter(|p| !now.1.iter().any(|n| n.name == p.name))
            .map(|p| Object::Pod(p.clone()).key())
            .collect();
        let stage = &mut self.stage;
        if old.as_ref().is_none_or(|o| o.0 != now.0) {
            let nodes = now.0.into_iter().map(Object::Node).collect();
            stage.objects(cluster, ObjectKind::Node, at, nodes);
        }
        let differ = |p: &Pod| {
            let held = old.iter().flat_map(|o| &o.1).find(|o| o.name == p.name);
            held.is_none_or(|o| (o.phase.as_str(), &o.reason) != (p.phase.as_str(), &p.reason))
        };
        let pods: Vec<_> = now.1.into_iter().filter(differ).map(Object::Pod).collect();
        if !pods.is_empty() || !gone.is_empty() {
            let mut batch = farwatch::model::telemetry::ObjectBatch::empty(ObjectKind::Pod);
            (batch.upserts, batch.deletes) = (pods, gone);
            let body = farwatch::model::telemetry::Body::Objects(batch);
            stage.tell(cluster, SourceKind::Kubernetes, at, body);
        }
        if old.as_ref().is_none_or(|o| o.2 != now.2) {
            let states = vec![Object::SriovNodeState(now.2)];
            stage.objects(cluster, ObjectKind::SriovNodeState, at, states);
        }
        if old.as_ref().is_none_or(|o| o.3 != now.3) {
            let workloads = vec![Object::Workload(now.3)];
            let kind = ObjectKind::Deployment;
            stage.objects(cluster, kind, at, workloads);
        }
    }
}

fn node(name: &str, now: &NodeNow) -> Node {
    Node {
        name: name.into(),
        ready: Some(now.ready),
        problems: now.problem.iter().map(|p| (*p).to_owned()).collect(),
        kubelet_version: "v1.33.0".into(),
        ..Node::default()
    }
}

fn pod(now: &PodNow, at: Timestamp) -> Pod {
    let well = now.phase == "Running" && now.reason.is_none();
    Pod {
        namespace: now.namespace.into(),
        name: now.name.into(),
        node: now.node.map(Arc::from),
        phase: now.phase.into(),
        reason: now.reason.map(str::to_owned),
        ready: u16::from(well),
        containers: 1,
        restarts: now.restarts as u32,
        owner: Some((now.owner.0.into(), now.owner.1.into())),
        since: Some(at),
        ..Pod::default()
    }
}

fn functions(told: &Told) -> SriovNodeState {
    SriovNodeState {
        node: "n2".into(),
        sync_status: Some(told.sriov.0.into()),
        last_sync_error: told.sriov.1.map(str::to_owned),
        interfaces: vec![port()],
        ..SriovNodeState::default()
    }
}

fn cart(told: &Told) -> Workload {
    let (image, ready) = told.cart;
    let second = !image.ends_with("1.4.0");
    Workload {
        kind: WorkloadKind::Deployment,
        namespace: "shop".into(),
        name: "cart".into(),
        desired: 1,
        ready,
        updated: 1,
        available: ready,
        failed: 0,
        paused: false,
        observed: true,
        generation: 4 + u64::from(second),
        images: vec![image.into()],
        conditions: Vec::new(),
        revision: Some(if second { "8" } else { "7" }.into()),
        instance: None,
        policies: Vec::new(),
        created: None,
    }
}
