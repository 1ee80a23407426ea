//! Which Alertmanagers of a cluster know an alert or a silence, where there are several.

use super::group;
use crate::model::alert::{Alert, AlertState};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::state::world::{ClusterState, World};
use crate::ui::view::common::clusters;

/// `alertmanager, alertmanager 2 (down)`; `None`: there is but one, or it is not theirs to know.
pub fn told_by(world: &World, cluster: ClusterId, alert: &Alert) -> Option<String> {
    let known = world.cluster(cluster).filter(|c| several(c))?;
    let tellings = known.tellings(&alert.fingerprint);
    if !tellings.iter().any(|t| t.source.is_alertmanager()) {
        return None;
    }
    let down = known.alertmanagers_down(world.now);
    let is_down = |kind: SourceKind| down.iter().any(|(k, _)| *k == kind);
    let differ = tellings.iter().any(|t| t.state != alert.state);
    let mut told: Vec<String> = Vec::new();
    for telling in tellings {
        let mut notes = Vec::new();
        if differ {
            notes.push(match telling.state {
                AlertState::Suppressed => "hushed",
                _ => "fires",
            });
        }
        if is_down(telling.source) {
            notes.push("down");
        }
        told.push(match notes.is_empty() {
            true => telling.source.to_string(),
            false => format!("{} ({})", telling.source, notes.join(", ")),
        });
    }
    let told = told.join(", ");
    let lacks = known.alertmanagers().concat().into_iter();
    let lacks = lacks.filter(|k| !tellings.iter().any(|t| t.source == *k));
    let lacks: Vec<String> = lacks
        .map(|kind| match is_down(kind) {
            true => format!("{kind} (down)"),
            false => kind.to_string(),
        })
        .collect();
    Some(match lacks.is_empty() {
        true => told,
        false => format!("{told}; not {}", lacks.join(", ")),
    })
}

fn several(cluster: &ClusterState) -> bool {
    let managers = cluster.sources.keys().filter(|k| k.is_alertmanager());
    managers.count() > 1
}

/// Alertmanagers that are down beside another teller of alerts that answers, so that what only they
/// told is old: `down: alertmanager 2 of edge-1`. Where nobody answers, [`group::stale`] says so.
pub fn down(world: &World, scope: Option<ClusterId>) -> Vec<String> {
    let mut found = Vec::new();
    for cluster in clusters(world, scope).filter(|c| group::is_heard(c, world.now)) {
        let down = cluster.alertmanagers_down(world.now);
        let name = &cluster.name;
        found.extend(
            down.iter()
                .map(|(kind, _)| format!("down: {kind} of {name}")),
        );
    }
    found
}
