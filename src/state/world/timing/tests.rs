//! What decides whether a distributed unit can meet its timing.

use super::*;
use crate::config;
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::object::{Node, Object, ObjectKind, Requests};
use crate::model::ptp;
use crate::model::sample::SeriesKey;
use crate::model::signal::Group;
use crate::model::sriov::{self, PhysicalFunction, SriovNodeState, VfGroup, VirtualFunction};
use crate::model::telemetry::ObjectBatch;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const ADDRESS: &str = "0000:5e:01.0";

fn pod() -> Pod {
    let mut pod: Pod = serde_json::from_value(serde_json::json!({
        "namespace": "ran", "name": "vdu-0", "node": "n1", "phase": "Running", "reason": null,
        "message": null, "ready": 2, "containers": 2, "restarts": 0, "owner": null,
        "started": null, "since": null}))
    .unwrap();
    pod.requests = Requests {
        cpu_milli: 8_000,
        memory_bytes: 0,
        extended: vec![
            ("openshift.io/fronthaul".into(), 1),
            ("hugepages-1Gi".into(), 4 << 30),
        ],
        exclusive_cpus: Some(8),
    };
    pod
}

fn port() -> PhysicalFunction {
    PhysicalFunction {
        name: "ens2f0".into(),
        pci_address: "0000:5e:00.0".into(),
        vendor: "Intel".into(),
        link_speed: Some("25000 Mb/s".into()),
        num_vfs: 1,
        total_vfs: 8,
        desired_vfs: Some(1),
        vfs: 1,
        functions: vec![VirtualFunction {
            index: 0,
            pci_address: ADDRESS.into(),
            driver: None,
            mac: None,
            vlan: None,
            mtu: None,
        }],
        groups: vec![VfGroup {
            resource: "fronthaul".into(),
            device_type: None,
            policy: None,
            range: None,
        }],
        ..PhysicalFunction::default()
    }
}

/// All is as it should be, but for what a test changes.
struct Site {
    pod: Pod,
    ready: bool,
    state: Option<f64>,
    told: Timestamp,
    /// How often clocks are asked for, milliseconds.
    pace: u32,
    offset: f64,
    sync: &'static str,
    port: PhysicalFunction,
    owner: bool,
    /// It holds another function, of which nothing is told.
    more: bool,
    drops: Option<f64>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            pod: pod(),
            ready: true,
            state: Some(1.0),
            told: NOW,
            pace: 15_000,
            offset: -4.0,
            sync: "Succeeded",
            port: port(),
            owner: true,
            more: false,
            drops: Some(0.0),
        }
    }
}

impl Site {
    /// The answer, and what decides it where it is not yes.
    fn timing(self) -> (Timing, String) {
        let mut cluster = ClusterState::new(ClusterId(0), &config::Cluster::default(), 0);
        let node: Node = serde_json::from_value(serde_json::json!({
            "name": "n1", "roles": [], "ready": self.ready, "unschedulable": false,
            "problems": [], "kubelet_version": "", "labels": [], "allocatable": []}))
        .unwrap();
        let state = SriovNodeState {
            node: "n1".into(),
            sync_status: Some(self.sync.into()),
            interfaces: vec![self.port],
            ..SriovNodeState::default()
        };
        for (kind, object) in [
            (ObjectKind::Node, Object::Node(node)),
            (ObjectKind::Pod, Object::Pod(self.pod)),
            (ObjectKind::SriovNodeState, Object::SriovNodeState(state)),
        ] {
            let batch = ObjectBatch {
                upserts: vec![object],
                ..ObjectBatch::empty(kind)
            };
            cluster.take_objects(batch, NOW, 10);
        }
        let labels = [("node", "n1"), ("process", "ptp4l"), ("iface", "ens1fx")];
        let of = |name: &str, value| {
            let key = SeriesKey::new(name, Labels::from_pairs(labels));
            let at = self.told;
            (key, Sample { at, value })
        };
        let mut series = vec![of("openshift_ptp_offset_ns", self.offset)];
        series.extend(self.state.map(|s| of("openshift_ptp_clock_state", s)));
        cluster.ptp = ptp::read(series.iter().map(|(k, s)| (k, *s)));
        cluster.paces[Group::Ptp as usize] = self.pace;
        let mut told = Vec::new();
        let mut put = |name: &str, labels: &[(&str, &str)], value| {
            let key = SeriesKey::new(name, Labels::from_pairs(labels.iter().copied()));
            told.push((key, Sample { at: NOW, value }));
        };
        if self.owner {
            let owner = [
                ("node", "n1"),
                ("pciAddr", ADDRESS),
                ("namespace", "ran"),
                ("pod", "vdu-0"),
            ];
            put("sriov_kubepoddevice", &owner, 1.0);
            if self.more {
                let [node, _, namespace, pod] = owner;
                let other = [node, ("pciAddr", "0000:5e:01.1"), namespace, pod];
                put("sriov_kubepoddevice", &other, 1.0);
            }
        }
        if let Some(rate) = self.drops {
            let labels = [
                ("node", "n1"),
                ("pciAddr", ADDRESS),
                ("pf", "ens2f0"),
                ("vf", "0"),
            ];
            put("sriov_vf_rx_dropped", &labels, rate);
            // The same address on another node is another function.
            let other = [
                ("node", "n2"),
                ("pciAddr", ADDRESS),
                ("pf", "ens2f0"),
                ("vf", "0"),
            ];
            put("sriov_vf_tx_dropped", &other, 900.0);
        }
        cluster.vfs = sriov::read(told.iter().map(|(k, s)| (k, *s)));
        let found = cluster.network_functions(NOW);
        let [workload] = found.as_slice() else {
            panic!("one network function: {found:?}");
        };
        let timing = workload.timing();
        let needs = workload.needs.iter();
        let deciding = needs.filter(|n| n.timing == timing && timing != Timing::Met);
        let told: Vec<String> = deciding
            .map(|n| format!("{}: {}", n.what, n.text))
            .collect();
        (timing, told.join("; "))
    }
}

#[test]
fn all_that_it_needs_is_there() {
    assert_eq!(Site::default().timing(), (Timing::Met, String::new()));
}

#[test]
fn each_thing_that_is_wrong_says_no() {
    let no = |site: Site, why: &str| {
        assert_eq!(site.timing(), (Timing::NotMet, why.to_owned()));
    };
    let site = Site::default;
    let mut waiting = pod();
    (waiting.ready, waiting.reason) = (1, Some("CrashLoopBackOff".into()));
    let pod_of = |pod| Site { pod, ..site() };
    no(pod_of(waiting), "pod: 1 of 2 ready, CrashLoopBackOff");
    no(
        Site {
            ready: false,
            ..site()
        },
        "node: n1 is not ready",
    );
    no(
        Site {
            state: Some(2.0),
            ..site()
        },
        "clock: n1 is HOLDOVER",
    );
    no(
        Site {
            offset: 140.0,
            ..site()
        },
        "clock: LOCKED, offset 140 ns",
    );
    no(
        Site {
            sync: "Failed",
            ..site()
        },
        "VFs: SR-IOV sync of n1 failed",
    );
    let mut down = port();
    down.link_speed = Some("-1 Mb/s".into());
    no(
        Site {
            port: down,
            ..site()
        },
        "VFs: link of ens2f0 is down",
    );
    no(
        Site {
            drops: Some(812.0),
            ..site()
        },
        "VFs: 1 held, 812/s dropped",
    );
    let mut shared = pod();
    shared.requests.exclusive_cpus = Some(0);
    no(
        pod_of(shared),
        "CPUs: shared: not Guaranteed, or no container asks for whole ones",
    );
}

#[test]
fn what_is_asked_for_rarely_is_known_until_two_answers_are_missed() {
    let told = |ago_s: i64| Site {
        told: NOW.plus_ms(-ago_s * 1_000),
        pace: 120_000,
        ..Site::default()
    };
    assert_eq!(told(100).timing().0, Timing::Met);
    assert_eq!(told(300).timing().0, Timing::Unknown);
}

#[test]
fn what_is_not_known_is_not_said_to_be_well() {
    let unknown = |site: Site, why: &str| {
        assert_eq!(site.timing(), (Timing::Unknown, why.to_owned()));
    };
    let site = Site::default;
    unknown(
        Site {
            state: None,
            ..site()
        },
        "clock: no PTP state is known of its node",
    );
    unknown(
        Site {
            told: NOW.plus_ms(-180_000),
            ..site()
        },
        "clock: LOCKED as told 3m ago",
    );
    unknown(
        Site {
            owner: false,
            ..site()
        },
        "VFs: 1 asked for; no exporter tells which ones",
    );
    unknown(
        Site {
            drops: None,
            ..site()
        },
        "VFs: 1 held; their drops are not told",
    );
    // Of one of two it is told that it drops nothing.
    unknown(
        Site {
            more: true,
            ..site()
        },
        "VFs: 2 held; their drops are not told",
    );
    let mut quiet = pod();
    quiet.requests.exclusive_cpus = None;
    unknown(
        Site {
            pod: quiet,
            ..site()
        },
        "CPUs: quality of service not told",
    );
}
