//! Clocks, model servers, virtual functions.

use super::*;

#[test]
fn ptp_and_serving() {
    let all = items("crds/ptp.json");
    let Object::PtpConfig(gm) = of(ptp_config, &all[1]) else {
        panic!("no config");
    };
    let profile = &gm.profiles[0];
    assert_eq!(profile.role.as_deref(), Some("T-GM"));
    assert_eq!(profile.interfaces, ["ens2f0", "ens2f1"]);
    assert_eq!((profile.domain, profile.priority), (Some(24), Some(4)));
    assert_eq!(
        (profile.threshold_ns, profile.holdover_s),
        (Some((-100.0, 100.0)), Some(14_400))
    );
    assert_eq!(gm.matches, [("worker-gm-0".into(), "grandmaster".into())]);
    let Object::PtpConfig(oc) = of(ptp_config, &all[2]) else {
        panic!("no config");
    };
    assert_eq!(oc.profiles[0].role.as_deref(), Some("OC"));
    assert_eq!(oc.profiles[0].interfaces, ["ens1f0"]);
    let Object::PtpDevices(ports) = of(ptp_devices, &all[3]) else {
        panic!("no ports");
    };
    let up: Vec<Option<bool>> = ports.ports.iter().map(|p| p.link_up).collect();
    assert_eq!(up, [Some(true), Some(false), None]);
    let Object::PtpDevices(none) = of(ptp_devices, &all[4]) else {
        panic!("no ports");
    };
    assert!(none.ports.is_empty());
    let all = items("crds/kserve.json");
    let Object::InferenceService(bad) = of(inference_service, &all[1]) else {
        panic!("no service");
    };
    assert_eq!((bad.ready, bad.gpus), (Some(false), 4));
    assert_eq!(bad.transition.as_deref(), Some("BlockedByFailedLoad"));
    assert!(bad.failure.as_ref().unwrap().contains("OutOfMemory"));
    assert!(
        bad.conditions
            .iter()
            .all(|c| c.kind != "LatestDeploymentReady"),
        "only information"
    );
}

#[test]
fn sriov_states_with_their_odd_spellings() {
    let states: Vec<SriovNodeState> = items("kube/sriov_nodestates.json")
        .iter()
        .map(|s| match of(sriov_node_state, s) {
            Object::SriovNodeState(s) => s,
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
    assert_eq!(pf.groups[0].resource, "sriov_fh");
    assert_eq!(pf.groups[0].range.as_deref(), Some("ens3f0#0-7"));
    let down = &first.interfaces[1];
    assert_eq!((down.is_down(), down.desired_vfs), (true, None));
    for file in ["failed", "inprogress", "succeeded"] {
        for told in items(&format!("crds/sriov_nodestate_{file}.json")) {
            of(sriov_node_state, &told);
        }
    }
}

#[test]
fn policies_and_networks_of_virtual_functions() {
    let policies: Vec<SriovPolicy> = items("crds/sriov_policies.json")
        .iter()
        .map(|p| match of(sriov_policy, p) {
            Object::SriovPolicy(p) => p,
            other => panic!("{other:?}"),
        })
        .collect();
    let [fronthaul, offload] = policies.as_slice() else {
        panic!("{policies:?}");
    };
    assert_eq!(fronthaul.wants(), "8 VFs, vfio-pci, MTU 9000");
    assert_eq!(
        fronthaul.ports.words(),
        "Intel 1593, ens2f0#0-3, 0000:3b:00.0"
    );
    let selector = [(
        "node-role.kubernetes.io/worker-cnf".to_owned(),
        String::new(),
    )];
    assert_eq!(fronthaul.nodes, selector);
    assert_eq!((&*fronthaul.resource, fronthaul.priority), ("fh_dpdk", 10));
    assert_eq!(offload.wants(), "32 VFs, netdevice, switchdev, RDMA");
    assert_eq!(
        (offload.ports.words().as_str(), offload.priority),
        ("NVIDIA 101d", 0)
    );
    // What is asked for and what the recorded nodes have.
    let told = |file: &str| match of(sriov_node_state, &items(file)[0]) {
        Object::SriovNodeState(s) => s,
        other => panic!("{other:?}"),
    };
    let state = told("crds/sriov_nodestate_succeeded.json");
    let selected = state.interfaces.iter().map(|p| fronthaul.ports.refusal(p));
    let refusals: Vec<Option<String>> = selected.collect();
    assert_eq!(refusals[0], None);
    assert_eq!(
        refusals[1].as_deref(),
        Some("is at 0000:3b:00.1, wanted 0000:3b:00.0")
    );
    assert_eq!(refusals[2].as_deref(), Some("is device 1572, wanted 1593"));
    let networks: Vec<SriovNetwork> = items("crds/sriov_networks.json")
        .iter()
        .map(|n| match of(sriov_network, n) {
            Object::SriovNetwork(n) => n,
            other => panic!("{other:?}"),
        })
        .collect();
    let first = &networks[0];
    assert_eq!(
        (first.target(), first.vlan, first.ready),
        ("ran-du", 101, Some(false))
    );
    assert_eq!(first.ipam.as_deref(), Some("whereabouts"));
    assert!(
        first
            .message
            .as_ref()
            .is_some_and(|m| m.contains("does not exist"))
    );
    let second = &networks[1];
    assert_eq!(second.target(), "openshift-sriov-network-operator");
    assert_eq!((second.vlan, second.ready, &second.ipam), (0, None, &None));
}
