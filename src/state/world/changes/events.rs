//! Kubernetes events that tell of a change somebody or something made: what was changed before
//! farwatch began, and in kinds that it does not watch.

use crate::model::change::{Change, ChangeKind, Told};
use crate::model::gitops::AppKind;
use crate::model::object::Event;

/// Longest message in a change.
const MESSAGE: usize = 160;

/// The kind of change that events of this reason tell of.
fn kind(event: &Event) -> Option<ChangeKind> {
    let node = event.about.0 == "Node";
    match event.reason.as_str() {
        _ if event.warning => None,
        "ScalingReplicaSet" | "SuccessfulRescale" => Some(ChangeKind::Scale),
        "Starting" if !node => None,
        "NodeNotSchedulable" | "NodeSchedulable" | "Cordon" | "Uncordon" | "Drain" | "Rebooted"
        | "Reboot" | "Starting" | "OSUpdateStarted" | "OSUpgradeApplied" | "PendingConfig"
        | "SetDesiredConfig" => Some(ChangeKind::Node),
        "OperationStarted" | "OperationCompleted" | "ResourceUpdated" | "Sync" => {
            let app = AppKind::named(&event.about.0).is_some_and(|k| !k.is_source());
            (app && !is_state(event)).then_some(ChangeKind::Sync)
        }
        _ => None,
    }
}

/// Argo CD writes each new sync and health state under the reason that a user's change has, too.
fn is_state(event: &Event) -> bool {
    let states = ["Updated sync status", "Updated health status"];
    states.iter().any(|s| event.message.starts_with(s))
}

fn told(event: &Event) -> Told {
    match event.reason.as_str() {
        "Drain" | "Rebooted" | "Reboot" | "Starting" | "OSUpdateStarted" | "OSUpgradeApplied"
        | "PendingConfig" | "SetDesiredConfig" => Told::Event,
        _ => Told::WeakEvent,
    }
}

pub(in crate::state::world) fn of_event(event: &Event) -> Option<Change> {
    let kind = kind(event)?;
    let message: String = event.message.chars().take(MESSAGE).collect();
    let what = match message.as_str() {
        "" => event.reason.clone(),
        message => format!("{}: {message}", event.reason),
    };
    let by = Some(event.reporter.clone()).filter(|r| !r.is_empty());
    let namespace = match kind {
        ChangeKind::Node => String::new(),
        _ => event.namespace.to_string(),
    };
    Some(Change {
        at: event.at,
        kind,
        subject: event.about.clone(),
        namespace,
        what,
        by,
        told: told(event),
        symptom: false,
        unwatched: None,
    })
}
