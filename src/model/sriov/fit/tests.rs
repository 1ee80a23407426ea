//! Policies against nodes, each mismatch beside what is well.

use super::*;
use crate::model::label::Labels;
use crate::model::sriov::{NicSelector, VfGroup, VirtualFunction};

fn policy(name: &str, vfs: u32, names: &[&str]) -> SriovPolicy {
    SriovPolicy {
        name: name.into(),
        resource: name.replace('-', "_"),
        priority: 10,
        num_vfs: vfs,
        device_type: "netdevice".into(),
        nodes: vec![("node-role.kubernetes.io/worker-cnf".into(), String::new())],
        ports: NicSelector {
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            ..NicSelector::default()
        },
        ..SriovPolicy::default()
    }
}

fn worker(name: &str) -> Node {
    Node {
        name: name.into(),
        marks: vec!["node-role.kubernetes.io/worker-cnf".into()],
        labels: Labels::from_pairs([("sriov", "true")]),
        ..Node::default()
    }
}

fn port(name: &str, vfs: u32, taken: &[&str]) -> PhysicalFunction {
    PhysicalFunction {
        name: name.into(),
        pci_address: "0000:3b:00.0".into(),
        vendor: "Intel".into(),
        device_id: Some("1593".into()),
        mtu: Some(1500),
        num_vfs: vfs,
        total_vfs: 64,
        functions: (0..vfs)
            .map(|index| VirtualFunction {
                index,
                pci_address: format!("0000:3b:01.{index}"),
                driver: Some("iavf".into()),
                mac: None,
                vlan: None,
                mtu: None,
            })
            .collect(),
        groups: taken
            .iter()
            .map(|policy| VfGroup {
                resource: policy.replace('-', "_"),
                device_type: None,
                policy: Some((*policy).to_owned()),
                range: None,
            })
            .collect(),
        ..PhysicalFunction::default()
    }
}

fn state(status: &str, ports: Vec<PhysicalFunction>) -> SriovNodeState {
    SriovNodeState {
        node: "worker-1".into(),
        sync_status: Some(status.into()),
        interfaces: ports,
        ..SriovNodeState::default()
    }
}

fn held(wanted: &SriovPolicy, others: &[&SriovPolicy], state: &SriovNodeState) -> Fit {
    let mut policies = vec![wanted];
    policies.extend(others);
    let states = BTreeMap::from([(Arc::clone(&state.node), state.clone())]);
    first(fits(&policies, Some(&workers()), Some(&states)))
}

fn workers() -> ByName<Node> {
    BTreeMap::from([("worker-1".into(), worker("worker-1"))])
}

fn first(all: Vec<Fit>) -> Fit {
    all.into_iter().next().expect("one for each policy")
}

/// What is told of one policy on one node with one port.
fn told(wanted: &SriovPolicy, status: &str, port: PhysicalFunction) -> (Grade, String) {
    let found = held(wanted, &[], &state(status, vec![port]));
    let [one] = found.each.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(found.grade, one.grade);
    (one.grade, one.text.clone())
}

#[test]
fn what_is_asked_for_and_there_is_met() {
    let wanted = policy("fh", 8, &["ens1f0"]);
    let met = (Grade::Met, "8 of 8 VFs on ens1f0".to_owned());
    assert_eq!(told(&wanted, "Succeeded", port("ens1f0", 8, &["fh"])), met);
    // Another policy has its share of the same port.
    let wanted = policy("fh", 4, &["ens1f0#0-3"]);
    let rest = policy("mh", 8, &["ens1f0#4-7"]);
    let shared = state("Succeeded", vec![port("ens1f0", 8, &["fh", "mh"])]);
    let found = held(&wanted, &[&rest], &shared);
    assert_eq!(
        (found.grade, found.met(), found.problem()),
        (Grade::Met, 1, None)
    );
    // The port goes by another name.
    let mut renamed = port("eth5", 8, &["fh"]);
    renamed.alt_names = vec!["ens1f0".into()];
    let (grade, _) = told(&policy("fh", 8, &["ens1f0"]), "Succeeded", renamed);
    assert_eq!(grade, Grade::Met);
}

#[test]
fn too_few_functions() {
    let wanted = policy("fh", 16, &["ens1f0"]);
    let few = |status| told(&wanted, status, port("ens1f0", 8, &["fh"]));
    let text = "wants 16 VFs on ens1f0, node has 8".to_owned();
    assert_eq!(few("InProgress"), (Grade::Pending, text.clone()));
    assert_eq!(few("Succeeded"), (Grade::Missed, text));
    let (grade, text) = told(
        &policy("fh", 80, &["ens1f0"]),
        "InProgress",
        port("ens1f0", 0, &[]),
    );
    assert_eq!(grade, Grade::Missed);
    assert_eq!(text, "wants 80 VFs on ens1f0, which can have 64");
}

#[test]
fn functions_of_another_kind() {
    let mut wanted = policy("fh", 8, &["ens1f0"]);
    wanted.mtu = Some(9000);
    let (grade, text) = told(&wanted, "Succeeded", port("ens1f0", 8, &["fh"]));
    assert_eq!(
        (grade, text.as_str()),
        (Grade::Missed, "wants MTU 9000 on ens1f0, port has 1500")
    );
    wanted.mtu = None;
    wanted.device_type = "vfio-pci".into();
    let (_, text) = told(&wanted, "Succeeded", port("ens1f0", 8, &["fh"]));
    assert_eq!(text, "wants vfio-pci on ens1f0, 8 VFs are on iavf");
    // Only the indices that are its own count.
    wanted.ports.names = vec!["ens1f0#6-7".into()];
    let (_, text) = told(&wanted, "Succeeded", port("ens1f0", 8, &["fh"]));
    assert_eq!(text, "wants vfio-pci on ens1f0, 2 VFs are on iavf");
    let mut switch = port("ens1f0", 8, &["fh"]);
    switch.eswitch = Some("legacy".into());
    let mut wanted = policy("fh", 8, &["ens1f0"]);
    wanted.eswitch = Some("switchdev".into());
    let (_, text) = told(&wanted, "Succeeded", switch);
    assert_eq!(text, "wants switchdev on ens1f0, port is legacy");
}

#[test]
fn ports_that_are_not_there() {
    let named = |wanted: &SriovPolicy| told(wanted, "Succeeded", port("ens1f0", 8, &[]));
    assert_eq!(
        named(&policy("fh", 8, &["ens9"])),
        (
            Grade::Missed,
            "PF not found: wants ens9, the node has ens1f0 Intel 1593".to_owned()
        )
    );
    // It is there and another card.
    let mut other = policy("fh", 8, &["ens1f0"]);
    other.ports.vendor = Some("NVIDIA".into());
    assert_eq!(named(&other).1, "ens1f0 is of Intel, wanted NVIDIA");
    // Of a make and not by name: that nodes of the fleet have others is no fault.
    let mut make = policy("fh", 8, &[]);
    make.ports.vendor = Some("NVIDIA".into());
    let intel = state("Succeeded", vec![port("ens1f0", 8, &[])]);
    let found = held(&make, &[], &intel);
    let text = "no node has a port of NVIDIA";
    assert_eq!(
        (found.grade, found.text.as_deref()),
        (Grade::Missed, Some(text))
    );
    let mut nodes = workers();
    nodes.insert("worker-2".into(), worker("worker-2"));
    let mut card = port("ens3f0", 8, &["fh"]);
    card.vendor = "NVIDIA".into();
    let other = SriovNodeState {
        node: "worker-2".into(),
        ..state("Succeeded", vec![card])
    };
    let states = BTreeMap::from([intel, other].map(|s| (Arc::clone(&s.node), s)));
    let found = first(fits(&[&make], Some(&nodes), Some(&states)));
    assert_eq!(
        (found.grade, found.met(), found.nodes, found.problem()),
        (Grade::Met, 1, Some(1), None)
    );
    let none = held(
        &policy("fh", 8, &["ens9"]),
        &[],
        &state("Succeeded", vec![]),
    );
    assert_eq!(none.grade, Grade::Pending, "not told yet is not missing");
}

#[test]
fn two_policies_claim_the_same_port() {
    let mut strong = policy("core", 8, &["ens1f0"]);
    strong.priority = 5;
    let weak = policy("fh", 8, &["ens1f0"]);
    let node = state("Succeeded", vec![port("ens1f0", 8, &["core"])]);
    let found = held(&weak, &[&strong], &node);
    assert_eq!(
        found.problem().as_deref(),
        Some("worker-1: two policies claim ens1f0 VFs 0-7: core wins (priority 5 before 10)")
    );
    // The stronger one has what it wants: that is what priorities are for.
    assert_eq!(held(&strong, &[&weak], &node).grade, Grade::Met);
    // Of equal priority the later name stays, and both are told.
    strong.priority = 10;
    let node = state("Succeeded", vec![port("ens1f0", 8, &["fh"])]);
    let found = held(&strong, &[&weak], &node);
    assert_eq!(found.grade, Grade::Missed);
    assert!(
        found
            .problem()
            .unwrap()
            .ends_with("fh wins (of the same priority 10)")
    );
    let found = held(&weak, &[&strong], &node);
    assert_eq!(
        found.problem().as_deref(),
        Some("worker-1: 8 VFs on ens1f0; core claims them too")
    );
}

#[test]
fn policies_without_a_node_or_a_word() {
    let mut nowhere = policy("fh", 8, &["ens1f0"]);
    nowhere.nodes = vec![("sriov".into(), "false".into())];
    let node = state("Succeeded", vec![port("ens1f0", 8, &["fh"])]);
    let found = held(&nowhere, &[], &node);
    assert_eq!(
        found.problem().as_deref(),
        Some("no node matches sriov=false")
    );
    nowhere.nodes = vec![("sriov".into(), "true".into())];
    assert_eq!(held(&nowhere, &[], &node).grade, Grade::Met);
    let mut empty = policy("fh", 8, &[]);
    assert_eq!(held(&empty, &[], &node).grade, Grade::Missed);
    empty.name = "default".into();
    assert_eq!(held(&empty, &[], &node).grade, Grade::Unknown);
    // Nothing is made up of what is not known.
    let wanted = policy("fh", 8, &["ens1f0"]);
    let grade = |nodes, states| first(fits(&[&wanted], nodes, states)).grade;
    assert_eq!(grade(None, None), Grade::Unknown);
    let nodes = workers();
    assert_eq!(grade(Some(&nodes), None), Grade::Unknown);
    let none = BTreeMap::new();
    assert_eq!(
        grade(Some(&nodes), Some(&none)),
        Grade::Missed,
        "not looked after"
    );
}
