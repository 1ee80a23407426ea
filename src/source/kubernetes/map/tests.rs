//! The mapping on objects as a real API server gave them.

use super::*;

fn items<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    let body = std::fs::read(format!("tests/fixtures/kube/{name}")).unwrap();
    let list: serde_json::Value = serde_json::from_slice(&body).unwrap();
    serde_json::from_value(list["items"].clone()).unwrap()
}

#[test]
fn nodes() {
    let nodes: Vec<Node> = items::<core::Node>("nodes.json")
        .iter()
        .map(|n| match node(n) {
            Some(Object::Node(n)) => n,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(nodes.len(), 6);
    let first = &nodes[0];
    assert_eq!(first.name.as_ref(), "cp-0");
    assert_eq!(first.roles, ["control-plane"]);
    assert_eq!(first.ready, Some(true));
    assert_eq!(first.kubelet_version, "v1.36.2");
    assert!(
        nodes
            .iter()
            .any(|n| n.allocatable.iter().any(|(r, _)| r == "nvidia.com/gpu"))
    );
    assert!(
        nodes
            .iter()
            .any(|n| n.ready != Some(true) && !n.problems.is_empty())
    );
}

#[test]
fn pods_in_trouble_say_why() {
    let pods: Vec<Pod> = ["pods_shop.json", "pods_fieldselector.json"]
        .iter()
        .flat_map(|f| items::<core::Pod>(f))
        .map(|p| match pod(&p) {
            Some(Object::Pod(p)) => p,
            other => panic!("{other:?}"),
        })
        .collect();
    let cart = pods.iter().find(|p| p.name.starts_with("cart")).unwrap();
    assert_eq!((cart.ready, cart.containers, cart.restarts), (1, 1, 1));
    assert!(!cart.is_bad());
    let pending = pods.iter().find(|p| p.phase == "Pending").unwrap();
    assert!(pending.is_bad());
    assert_eq!(pending.reason.as_deref(), Some("Unschedulable"));
    assert!(
        pending
            .message
            .as_ref()
            .unwrap()
            .contains("Insufficient nvidia.com/gpu")
    );
    assert!(
        pods.iter()
            .any(|p| p.reason.as_deref() == Some("CrashLoopBackOff")
                || p.reason.as_deref() == Some("OOMKilled")
                || p.reason.as_deref() == Some("ImagePullBackOff"))
    );
}

#[test]
fn events() {
    let events = items::<core::Event>("events_shop.json");
    assert_eq!(events.len(), 3);
    let Some(Object::Event(first)) = event(&events[0]) else {
        panic!("no event");
    };
    assert_eq!(first.count, 31);
    assert_eq!(first.about.0, "Pod");
    assert_eq!(first.reporter, "kubelet");
    assert_eq!(
        Some(first.at),
        Timestamp::parse_rfc3339("2026-11-21T02:45:52Z")
    );
}

#[test]
fn sriov_states_with_their_odd_spellings() {
    let states: Vec<SriovNodeState> = items::<DynamicObject>("sriov_nodestates.json")
        .iter()
        .map(|s| match sriov_node_state(s) {
            Some(Object::SriovNodeState(s)) => s,
            other => panic!("{other:?}"),
        })
        .collect();
    let first = &states[0];
    assert_eq!(first.node.as_ref(), "ran-du-0");
    assert_eq!(first.sync_status.as_deref(), Some("Succeeded"));
    assert_eq!(first.last_sync_error, None);
    assert_eq!(first.current_state.as_deref(), Some("Idle"));
    let pf = &first.interfaces[0];
    assert_eq!(
        (pf.num_vfs, pf.total_vfs, pf.desired_vfs, pf.vfs),
        (8, 64, Some(8), 8)
    );
    assert_eq!(pf.vendor, "Intel");
    let last = &pf.functions[7];
    assert_eq!((last.index, last.pci_address.as_str()), (7, "0000:3b:01.7"));
    assert_eq!(last.driver.as_deref(), Some("vfio-pci"));
    assert_eq!(
        (last.mac.clone(), last.vlan),
        (None, None),
        "not told, not made up"
    );
    let group = &pf.groups[0];
    assert_eq!(group.resource, "sriov_fh");
    assert_eq!(group.range.as_deref(), Some("ens3f0#0-7"));
    let down = &first.interfaces[1];
    assert_eq!((down.link_speed.clone(), down.desired_vfs), (None, None));
}

#[test]
fn bookmarks_are_nothing() {
    let text = std::fs::read_to_string("tests/fixtures/kube/watch_bookmark_minute.jsonl").unwrap();
    for line in text.lines() {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["object"]["spec"]["containers"] = serde_json::json!([]);
        let object: core::Pod = serde_json::from_value(value["object"].take()).unwrap();
        assert_eq!(pod(&object), None);
    }
}
