//! SR-IOV in all its lists: ports, policies and networks, over objects as the operator writes them.

use farwatch::model::health::SourceKind;
use farwatch::model::label::Labels;
use farwatch::model::object::{Node, Object, ObjectKind, Pod, Requests};
use farwatch::model::sriov::{
    NicSelector, PhysicalFunction, SriovNetwork, SriovNodeState, SriovPolicy, VfGroup,
    VirtualFunction,
};

use crate::SIZES;
use crate::scenario::{Console, objects};

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
            let name = format!("sriov_{name}_{}x{}", size.0, size.1);
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("../snapshots");
            settings.set_prepend_module_to_snapshot(false);
            settings.bind(|| insta::assert_snapshot!(name, console.screen()));
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
