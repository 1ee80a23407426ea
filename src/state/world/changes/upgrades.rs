//! Versions of the cluster and of its operators.

use crate::model::change::{Change, ChangeKind};
use crate::model::openshift::{ClusterOperator, ClusterVersion};
use crate::model::time::Timestamp;

use super::About;

/// Updates of the cluster's history that are told when it is first seen.
const HISTORY: usize = 10;

fn about<'a>(version: &'a ClusterVersion, seen: Timestamp) -> About<'a> {
    About {
        kind: "ClusterVersion",
        namespace: "",
        name: &version.name,
        seen,
    }
}

pub(super) fn version(
    old: Option<&ClusterVersion>,
    new: &ClusterVersion,
    seen: Timestamp,
    found: &mut Vec<Change>,
) {
    let former = old.map_or_else(Vec::new, dated);
    found.extend(dated(new).into_iter().filter(|c| !former.contains(c)));
    let Some(old) = old else {
        return;
    };
    if old.channel != new.channel {
        let word = |v: &ClusterVersion| v.channel.clone().unwrap_or_else(|| "(none)".into());
        let what = format!("channel {} → {}", word(old), word(new));
        found.push(about(new, seen).now(ChangeKind::Config, what));
    }
}

/// Begin and end of each update, as the history dates them.
fn dated(version: &ClusterVersion) -> Vec<Change> {
    let about = about(version, Timestamp::default());
    let mut told = Vec::new();
    for update in version.history.iter().take(HISTORY) {
        if let Some(at) = update.started {
            let what = format!("update to {} began", update.version);
            told.push(about.change(ChangeKind::Upgrade, at, what));
        }
        // One that was given up for the next is `Partial` and has an end too.
        if let Some(at) = update.completed {
            let what = match update.state.as_str() {
                "Completed" => format!("{} installed", update.version),
                _ => format!("update to {} given up", update.version),
            };
            told.push(about.change(ChangeKind::Upgrade, at, what));
        }
    }
    told
}

pub(super) fn operator(
    old: &ClusterOperator,
    new: &ClusterOperator,
    seen: Timestamp,
    found: &mut Vec<Change>,
) {
    let (Some(was), Some(is)) = (&old.version, &new.version) else {
        return;
    };
    if was == is {
        return;
    }
    let about = About {
        kind: "ClusterOperator",
        namespace: "",
        name: &new.name,
        seen,
    };
    found.push(about.now(ChangeKind::Upgrade, format!("version {was} → {is}")));
}
