//! SR-IOV in all its lists: ports, policies and networks, over objects as the operator writes them.

use farwatch::model::health::SourceKind;
use farwatch::model::label::Labels;
use farwatch::model::object::{Node, Object, ObjectKind, Pod, Requests};
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::Group;
use farwatch::model::sriov::{
    NicSelector, PhysicalFunction, SriovNetwork, SriovNodeState, SriovPolicy, VfGroup,
    VirtualFunction,
};
use farwatch::model::telemetry::{Body, SampleBatch};

use crate::SIZES;
use crate::scenario::{Console, NOW, objects};

const OPERATOR: &str = "openshift-sriov-network-operator";

fn node(at: usize) -> Object {
    Object::Node(Node {
        name: format!("worker-cnf-{at}").into(),
        ready: Some(true),
        labels: Labels::from_pairs([("feature.node.kubernetes.io/network-sriov.capable", "true")]),
        marks: vec!["node-role.kubernetes.io/worker-cnf".into()],
        allocatable: vec![(
            "openshift.io/fh_dpdk".into(),
            [8, 8, 0].get(at).copied().unwrap_or(0),
        )],
        ..Node::default()
    })
}

/// Two that hold what the first node offers, and one that waits.
fn pods() -> Vec<Object> {
    let pod = |name: &str, node: Option<&str>, count| {
        Object::Pod(Pod {
            namespace: "ran-du".into(),
            name: name.into(),
            node: node.map(Into::into),
            phase: if node.is_some() { "Running" } else { "Pending" }.into(),
            ready: 1,
            containers: 1,
            requests: Requests {
                extended: vec![("openshift.io/fh_dpdk".into(), count)],
                ..Requests::default()
            },
            ..Pod::default()
        })
    };
    vec![
        pod("vdu-l1-0", Some("worker-cnf-0"), 6),
        pod("vdu-l1-1", Some("worker-cnf-0"), 2),
        pod("vdu-l1-2", None, 4),
    ]
}

fn port(name: &str, (vendor, device, driver): (&str, &str, &str), vfs: u32) -> PhysicalFunction {
    PhysicalFunction {
        name: name.into(),
        pci_address: if vendor == "Intel" {
            "0000:3b:00.0"
        } else {
            "0000:5e:00.0"
        }
        .into(),
        vendor: vendor.into(),
        device_id: Some(device.into()),
        eswitch: Some("legacy".into()),
        driver: Some(driver.into()),
        mtu: Some(9000),
        link_speed: Some("25000 Mb/s".into()),
        num_vfs: vfs,
        vfs,
        total_vfs: if vendor == "Intel" { 64 } else { 16 },
        functions: (0..vfs)
            .map(|index| VirtualFunction {
                index,
                pci_address: format!("0000:3b:01.{index}"),
                driver: Some("vfio-pci".into()),
                mac: None,
                vlan: None,
                mtu: None,
            })
            .collect(),
        ..PhysicalFunction::default()
    }
}

const E810: (&str, &str, &str) = ("Intel", "1593", "ice");

fn state(at: usize, status: &str, port: PhysicalFunction, policy: &str) -> SriovNodeState {
    let group = VfGroup {
        resource: if policy == "fronthaul" {
            "fh_dpdk"
        } else {
            "n3_sw"
        }
        .into(),
        device_type: Some("vfio-pci".into()),
        policy: Some(policy.into()),
        range: Some("0-7".into()),
    };
    let wanted = PhysicalFunction {
        desired_vfs: Some(if policy == "n3-offload" { 32 } else { 8 }),
        groups: vec![group],
        ..port
    };
    SriovNodeState {
        node: format!("worker-cnf-{at}").into(),
        sync_status: Some(status.into()),
        desired_state: Some("Idle".into()),
        current_state: Some("Idle".into()),
        interfaces: vec![wanted],
        ..SriovNodeState::default()
    }
}

/// One node as wanted, one whose card cannot do it, one that the operator is at.
fn states() -> Vec<Object> {
    let other = port("ens3f0np0", ("NVIDIA", "101d", "mlx5_core"), 0);
    let error = "failed to configure NIC: cannot set numVfs=32 on 0000:5e:00.0: write error: \
                 Numerical result out of range";
    let failed = SriovNodeState {
        last_sync_error: Some(error.into()),
        desired_state: Some("Drain_Required".into()),
        current_state: Some("DrainComplete".into()),
        ..state(1, "Failed", other, "n3-offload")
    };
    let draining = SriovNodeState {
        desired_state: Some("Reboot_Required".into()),
        current_state: Some("Draining".into()),
        ..state(2, "InProgress", port("ens2f0", E810, 0), "fronthaul")
    };
    vec![
        Object::SriovNodeState(state(0, "Succeeded", port("ens2f0", E810, 8), "fronthaul")),
        Object::SriovNodeState(failed),
        Object::SriovNodeState(draining),
    ]
}

fn policy(name: &str, resource: &str, vfs: u32, names: &[&str]) -> SriovPolicy {
    SriovPolicy {
        namespace: OPERATOR.into(),
        name: name.into(),
        resource: resource.into(),
        priority: 10,
        num_vfs: vfs,
        device_type: "vfio-pci".into(),
        nodes: vec![("node-role.kubernetes.io/worker-cnf".into(), String::new())],
        ports: NicSelector {
            vendor: Some("Intel".into()),
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            ..NicSelector::default()
        },
        ..SriovPolicy::default()
    }
}

fn policies() -> Vec<Object> {
    let mut fronthaul = policy("fronthaul", "fh_dpdk", 8, &["ens2f0"]);
    fronthaul.mtu = Some(9000);
    let mut offload = policy("n3-offload", "n3_sw", 32, &[]);
    offload.device_type = "netdevice".into();
    offload.eswitch = Some("switchdev".into());
    offload.rdma = true;
    offload.ports.vendor = Some("NVIDIA".into());
    offload.ports.device_id = Some("101d".into());
    let mut claims = policy("midhaul", "mh_netdev", 4, &["ens2f0#4-7"]);
    claims.priority = 50;
    let mut nowhere = policy("edge", "edge_vf", 4, &["ens9f0"]);
    nowhere.nodes = vec![("tier".into(), "edge".into())];
    [fronthaul, offload, claims, nowhere]
        .map(Object::SriovPolicy)
        .to_vec()
}

fn networks() -> Vec<Object> {
    let network = |name: &str, resource: &str, vlan| SriovNetwork {
        namespace: OPERATOR.into(),
        name: name.into(),
        resource: resource.into(),
        target: Some("ran-du".into()),
        vlan,
        ipam: Some("whereabouts".into()),
        ..SriovNetwork::default()
    };
    let lost = SriovNetwork {
        ready: Some(false),
        message: Some("target namespace \"ran-du\" does not exist".into()),
        ..network("midhaul-net", "mh_netdev", 0)
    };
    let trusted = SriovNetwork {
        trust: Some("on".into()),
        spoof_check: Some("off".into()),
        max_rate: Some(10_000),
        ..network("fronthaul-net", "fh_dpdk", 101)
    };
    let orphan = network("mgmt", "mgmt_vf", 12);
    [lost, trusted, orphan].map(Object::SriovNetwork).to_vec()
}

fn told(size: (u16, u16)) -> Console {
    let mut console = Console::live(size);
    for (kind, all) in [
        (ObjectKind::Node, (0..3).map(node).collect()),
        (ObjectKind::Pod, pods()),
        (ObjectKind::SriovNodeState, states()),
        (ObjectKind::SriovPolicy, policies()),
        (ObjectKind::SriovNetwork, networks()),
    ] {
        console.tell(1, SourceKind::Kubernetes, objects(kind, all));
    }
    console
}

/// Three ports of two vDUs: one that is well, one that loses, one of which nobody tells losses.
fn data_path() -> Body {
    let of = |pod, more: &[(&'static str, &'static str)]| {
        let own = [("namespace", "ran-du"), ("pod", pod)];
        Labels::from_pairs(own.into_iter().chain(more.iter().copied()))
    };
    let mut all = Vec::new();
    let mut say = |name: &str, labels: &Labels, value| {
        all.push(SeriesSamples {
            key: SeriesKey::new(name, labels.clone()),
            kind: SampleKind::Gauge,
            points: [Sample { at: NOW, value }].into(),
        });
    };
    for (pod, port, packets, missed) in [
        ("vdu-l1-0", "0000:3b:01.0", 812_400.0, Some(0.0)),
        ("vdu-l1-0", "0000:3b:01.1", 640_112.0, Some(4_711.0)),
        ("vdu-l1-1", "0000:3b:01.6", 93.0, None),
    ] {
        let labels = of(pod, &[("port", port)]);
        say("dpdk_rx_packets", &labels, packets);
        say("dpdk_tx_packets", &labels, packets * 0.97);
        say("dpdk_rx_bytes", &labels, packets * 1_420.0);
        say("dpdk_tx_bytes", &labels, packets * 1_390.0);
        if let Some(missed) = missed {
            say("dpdk_rx_missed", &labels, missed);
            say("dpdk_rx_nombuf", &labels, 0.0);
            say("dpdk_rx_errors", &labels, 0.0);
            say("dpdk_tx_errors", &labels, 0.0);
        }
    }
    for (core, busy) in [("4", 0.62), ("24", 0.994)] {
        let labels = of("vdu-l1-0", &[("cpu", core)]);
        say("dpdk_busy_cycles", &labels, 2.1e9 * busy);
        say("dpdk_total_cycles", &labels, 2.1e9);
    }
    say(
        "dpdk_memory_used_bytes",
        &of("vdu-l1-0", &[]),
        6.0 * f64::from(1 << 30),
    );
    say(
        "dpdk_memory_total_bytes",
        &of("vdu-l1-0", &[]),
        8.0 * f64::from(1 << 30),
    );
    Body::Samples(SampleBatch {
        group: Group::Sriov,
        name: "dpdk".into(),
        query: "dpdk".into(),
        at: NOW,
        interval_ms: 15_000,
        backfill: false,
        series: all,
        cut_from: None,
    })
}

#[test]
fn ports_of_dpdk_are_there_once_a_series_tells_of_them() {
    let mut console = told((120, 36));
    console.keys("6<tab>mmmm");
    console.has("SR-IOV per PF");
    for size in SIZES {
        for (name, keys) in [
            ("ports", "6<tab>mmmm"),
            ("port", "6<tab>mmmm"),
            ("unknown", "6<tab>mmmmjj"),
            ("vdu", "6<tab><tab>/vdu-l1-0<enter>"),
        ] {
            let mut console = told(size);
            console.tell(1, SourceKind::Prometheus, data_path());
            console.keys(keys);
            // On a small screen one part at a time.
            if name != "ports" && size.0 < 100 {
                console.keys("d");
            }
            snapshot(&format!("dpdk_{name}_{}x{}", size.0, size.1), &console);
        }
    }
}

fn snapshot(name: &str, console: &Console) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, console.screen()));
}

#[test]
fn policies_and_networks() {
    for size in SIZES {
        for (name, keys) in [
            ("ports", "6<tab>"),
            ("policies", "6<tab>m"),
            ("policy", "6<tab>m<enter>"),
            ("claimed", "6<tab>mjj<enter>"),
            ("networks", "6<tab>mm"),
            ("network", "6<tab>mm<enter>"),
            ("pools", "6<tab>mmm"),
            ("pool", "6<tab>mmm<enter>"),
        ] {
            let mut console = told(size);
            console.keys(keys);
            snapshot(&format!("sriov_{name}_{}x{}", size.0, size.1), &console);
        }
    }
}

#[test]
fn what_is_said_where_there_is_none() {
    let mut console = Console::live((120, 36));
    console.keys("6<tab>m");
    console.has("no SriovNetworkNodePolicy seen");
    let none = objects(ObjectKind::SriovPolicy, Vec::new());
    console.tell(1, SourceKind::Kubernetes, none);
    console.has("there is no SriovNetworkNodePolicy");
}
