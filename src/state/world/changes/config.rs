//! Objects that configure others: PTP profiles, SR-IOV functions, model servers.

use crate::model::change::{Change, ChangeKind};
use crate::model::object::Object;
use crate::model::ptp::PtpConfig;
use crate::model::serving::InferenceService;
use crate::model::sriov::{SriovNodeState, SriovPolicy, labels};
use crate::model::time::Timestamp;

use super::About;

pub(super) fn between(
    old: Option<&Object>,
    new: Option<&Object>,
    known: bool,
    seen: Timestamp,
    found: &mut Vec<Change>,
) {
    match (old, new) {
        (Some(Object::PtpConfig(old)), Some(Object::PtpConfig(new))) => ptp(old, new, seen, found),
        (None, Some(Object::PtpConfig(new))) if known => {
            found.push(of_ptp(new, seen).now(ChangeKind::Config, "created"));
        }
        (Some(Object::PtpConfig(old)), None) => {
            found.push(of_ptp(old, seen).now(ChangeKind::Config, "deleted"));
        }
        (Some(Object::SriovNodeState(old)), Some(Object::SriovNodeState(new))) => {
            sriov(old, new, seen, found);
        }
        (Some(Object::SriovPolicy(old)), Some(Object::SriovPolicy(new))) => {
            policy(old, new, seen, found);
        }
        (None, Some(Object::SriovPolicy(new))) if known => {
            found.push(of_policy(new, seen).now(ChangeKind::Config, "created"));
        }
        (Some(Object::SriovPolicy(old)), None) => {
            found.push(of_policy(old, seen).now(ChangeKind::Config, "deleted"));
        }
        (Some(Object::InferenceService(old)), Some(Object::InferenceService(new))) => {
            inference(old, new, seen, found);
        }
        _ => {}
    }
}

fn of_ptp(config: &PtpConfig, seen: Timestamp) -> About<'_> {
    About {
        kind: "PtpConfig",
        namespace: &config.namespace,
        name: &config.name,
        seen,
    }
}

fn ptp(old: &PtpConfig, new: &PtpConfig, seen: Timestamp, found: &mut Vec<Change>) {
    if (old.generation, &old.profiles) == (new.generation, &new.profiles) {
        return;
    }
    let named = |all: &PtpConfig, name: &str| all.profiles.iter().find(|p| p.name == name).cloned();
    let mut told = Vec::new();
    for profile in &new.profiles {
        match named(old, &profile.name) {
            None => told.push(format!("profile {} added", profile.name)),
            Some(was) if was != *profile => {
                let mut what = Vec::new();
                if was.interfaces != profile.interfaces {
                    let (was, is) = (was.interfaces.join(" "), profile.interfaces.join(" "));
                    what.push(format!("interfaces {was} → {is}"));
                }
                if was.domain != profile.domain {
                    let word = |d: Option<u32>| d.map_or("(none)".into(), |d| d.to_string());
                    what.push(format!(
                        "domain {} → {}",
                        word(was.domain),
                        word(profile.domain)
                    ));
                }
                if was.role != profile.role {
                    let word = |r: &Option<String>| r.clone().unwrap_or_else(|| "(none)".into());
                    what.push(format!(
                        "role {} → {}",
                        word(&was.role),
                        word(&profile.role)
                    ));
                }
                if was.threshold_ns != profile.threshold_ns || was.holdover_s != profile.holdover_s
                {
                    what.push("thresholds".into());
                }
                let what = if what.is_empty() {
                    "changed".to_owned()
                } else {
                    what.join(", ")
                };
                told.push(format!("profile {}: {what}", profile.name));
            }
            Some(_) => {}
        }
    }
    let gone = old
        .profiles
        .iter()
        .filter(|p| named(new, &p.name).is_none());
    told.extend(gone.map(|p| format!("profile {} taken out", p.name)));
    if told.is_empty() {
        told.push(format!(
            "generation {} → {}",
            old.generation, new.generation
        ));
    }
    found.push(of_ptp(new, seen).now(ChangeKind::Config, told.join("; ")));
}

/// What is wanted of each port; what the operator then does is its state.
fn sriov(old: &SriovNodeState, new: &SriovNodeState, seen: Timestamp, found: &mut Vec<Change>) {
    let about = About {
        kind: "SriovNetworkNodeState",
        namespace: "",
        name: &new.node,
        seen,
    };
    for port in &new.interfaces {
        let before = old.interfaces.iter();
        let Some(was) = before.clone().find(|p| p.pci_address == port.pci_address) else {
            continue;
        };
        if was.desired_vfs != port.desired_vfs {
            let word = |n: Option<u32>| n.map_or("none".into(), |n| n.to_string());
            let what = format!(
                "{}: virtual functions wanted {} → {}",
                port.name,
                word(was.desired_vfs),
                word(port.desired_vfs)
            );
            found.push(about.now(ChangeKind::Config, what));
        } else if was.groups != port.groups {
            let what = format!(
                "{}: what its virtual functions are for was changed",
                port.name
            );
            found.push(about.now(ChangeKind::Config, what));
        }
    }
}

fn of_policy(policy: &SriovPolicy, seen: Timestamp) -> About<'_> {
    About {
        kind: "SriovNetworkNodePolicy",
        namespace: &policy.namespace,
        name: &policy.name,
        seen,
    }
}

fn policy(old: &SriovPolicy, new: &SriovPolicy, seen: Timestamp, found: &mut Vec<Change>) {
    let mut told = Vec::new();
    for (what, was, is) in [
        ("wants", old.wants(), new.wants()),
        ("resource", old.resource.clone(), new.resource.clone()),
        (
            "priority",
            old.priority.to_string(),
            new.priority.to_string(),
        ),
        ("ports", old.ports.words(), new.ports.words()),
        ("nodes", labels(old), labels(new)),
    ] {
        if was != is {
            told.push(format!("{what} {was} → {is}"));
        }
    }
    if !told.is_empty() {
        found.push(of_policy(new, seen).now(ChangeKind::Config, told.join("; ")));
    }
}

fn inference(
    old: &InferenceService,
    new: &InferenceService,
    seen: Timestamp,
    found: &mut Vec<Change>,
) {
    let about = About {
        kind: "InferenceService",
        namespace: &new.namespace,
        name: &new.name,
        seen,
    };
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".into());
    for (name, was, is) in [
        ("model", &old.model, &new.model),
        ("runtime", &old.runtime, &new.runtime),
    ] {
        if was != is {
            let what = format!("{name} {} → {}", word(was), word(is));
            found.push(about.now(ChangeKind::Config, what));
        }
    }
}
