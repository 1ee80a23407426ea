//! Kubernetes events that tell of a change somebody or something made: what was changed before
//! farwatch began, and in kinds that it does not watch.

use crate::model::change::{Change, ChangeKind};
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
            super::is_app(&event.about.0).then_some(ChangeKind::Sync)
        }
        _ => None,
    }
}

/// The object itself tells the same where its kind is watched.
pub(in crate::state::world) fn retells(event: &Event) -> bool {
    !matches!(
        event.reason.as_str(),
        "Drain"
            | "Rebooted"
            | "Reboot"
            | "Starting"
            | "OSUpdateStarted"
            | "OSUpgradeApplied"
            | "PendingConfig"
            | "SetDesiredConfig"
    )
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
    })
}

/// Told by an event whose objects may tell it better.
pub(in crate::state::world) fn is_of_event(change: &Change) -> bool {
    const RETOLD: [&str; 8] = [
        "ScalingReplicaSet",
        "SuccessfulRescale",
        "NodeNotSchedulable",
        "NodeSchedulable",
        "Cordon",
        "Uncordon",
        "OperationStarted",
        "OperationCompleted",
    ];
    let reason = change.what.split(':').next().unwrap_or_default();
    RETOLD.contains(&reason)
}
