//! Versions of the platform, PTP profiles, virtual functions.

use super::{at, tell, told, words, world};
use crate::model::change::ChangeKind;
use crate::model::object::{Object, ObjectKind};
use crate::model::openshift::{ClusterOperator, ClusterVersion, Update};
use crate::model::ptp::{PtpConfig, PtpProfile};
use crate::model::sriov::{PhysicalFunction, SriovNodeState, SriovPolicy};

#[test]
fn upgrades_stand_in_the_history() {
    let mut world = world();
    let update = |version: &str, from: i64, to: Option<i64>| Update {
        version: version.into(),
        state: if to.is_some() { "Completed" } else { "Partial" }.into(),
        started: Some(at(from)),
        completed: to.map(at),
    };
    let version = |history: Vec<Update>| {
        vec![Object::ClusterVersion(ClusterVersion {
            name: "version".into(),
            channel: Some("stable-4.16".into()),
            desired: "4.16.3".into(),
            history,
            conditions: Vec::new(),
            available_updates: None,
        })]
    };
    let kind = ObjectKind::ClusterVersion;
    let old = update("4.15.0", -900, Some(-800));
    tell(
        &mut world,
        0,
        kind,
        true,
        version(vec![update("4.16.3", -5, None), old.clone()]),
    );
    tell(
        &mut world,
        1,
        kind,
        true,
        version(vec![update("4.16.3", -5, None), old.clone()]),
    );
    tell(
        &mut world,
        9,
        kind,
        false,
        version(vec![update("4.16.3", -5, Some(8)), old]),
    );
    let found: Vec<_> = told(&world).into_iter().map(|t| (t.0, t.3)).collect();
    let wanted = [
        (-900, "update to 4.15.0 began"),
        (-800, "4.15.0 installed"),
        (-5, "update to 4.16.3 began"),
        (8, "4.16.3 installed"),
    ];
    assert_eq!(found, wanted.map(|(m, w)| (m, w.to_owned())));
    let operator = |version: &str| {
        vec![Object::ClusterOperator(ClusterOperator {
            name: "etcd".into(),
            version: Some(version.into()),
            conditions: Vec::new(),
        })]
    };
    tell(
        &mut world,
        10,
        ObjectKind::ClusterOperator,
        true,
        operator("4.15.0"),
    );
    tell(
        &mut world,
        11,
        ObjectKind::ClusterOperator,
        false,
        operator("4.16.3"),
    );
    let last = told(&world).pop().expect("told");
    assert_eq!(
        (last.1, last.3.as_str()),
        (ChangeKind::Upgrade, "version 4.15.0 → 4.16.3")
    );
}

#[test]
fn profiles_and_virtual_functions_are_configuration() {
    let mut world = world();
    let config = |generation, domain, interface: &str| {
        vec![Object::PtpConfig(PtpConfig {
            namespace: "openshift-ptp".into(),
            name: "gm".into(),
            generation,
            profiles: vec![PtpProfile {
                name: "grandmaster".into(),
                interfaces: vec![interface.into()],
                domain: Some(domain),
                ..PtpProfile::default()
            }],
            matches: Vec::new(),
        })]
    };
    tell(
        &mut world,
        0,
        ObjectKind::PtpConfig,
        true,
        config(1, 24, "ens1f0"),
    );
    tell(
        &mut world,
        1,
        ObjectKind::PtpConfig,
        false,
        config(2, 25, "ens1f1"),
    );
    tell(
        &mut world,
        1,
        ObjectKind::PtpConfig,
        true,
        config(2, 25, "ens1f1"),
    );
    assert_eq!(
        words(&world),
        ["profile grandmaster: interfaces ens1f0 → ens1f1, domain 24 → 25"]
    );
    let state = |wanted| {
        vec![Object::SriovNodeState(SriovNodeState {
            node: "n-07-b".into(),
            sync_status: Some("Succeeded".into()),
            interfaces: vec![PhysicalFunction {
                name: "ens3f0".into(),
                pci_address: "0000:17:00.0".into(),
                num_vfs: 8,
                total_vfs: 64,
                desired_vfs: Some(wanted),
                vfs: 8,
                ..PhysicalFunction::default()
            }],
            ..SriovNodeState::default()
        })]
    };
    tell(&mut world, 2, ObjectKind::SriovNodeState, true, state(8));
    tell(&mut world, 3, ObjectKind::SriovNodeState, false, state(16));
    let last = told(&world).pop().expect("told");
    assert_eq!(
        (last.2.as_str(), last.3.as_str()),
        ("n-07-b", "ens3f0: virtual functions wanted 8 → 16")
    );
}

#[test]
fn policies_of_virtual_functions_are_configuration() {
    let mut world = world();
    let policy = |vfs| {
        vec![Object::SriovPolicy(SriovPolicy {
            name: "fronthaul".into(),
            num_vfs: vfs,
            device_type: "vfio-pci".into(),
            ..SriovPolicy::default()
        })]
    };
    let kind = ObjectKind::SriovPolicy;
    tell(&mut world, 0, kind, true, vec![]);
    tell(&mut world, 1, kind, false, policy(8));
    tell(&mut world, 2, kind, false, policy(8));
    tell(&mut world, 3, kind, false, policy(16));
    tell(&mut world, 4, kind, true, vec![]);
    let told: Vec<(i64, String)> = told(&world).into_iter().map(|c| (c.0, c.3)).collect();
    let wanted = [
        (1, "created"),
        (3, "wants 8 VFs, vfio-pci → 16 VFs, vfio-pci"),
        (4, "deleted (while not watched)"),
    ];
    assert_eq!(told, wanted.map(|(at, what)| (at, what.to_owned())));
}
