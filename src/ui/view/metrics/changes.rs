//! Changes on the time axis of a graph, and the cursor that goes from one to the next.

use super::graph::Shown;
use crate::command::Command;
use crate::model::change::Change;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::view::common::name;
use crate::ui::{Ctx, Window};

/// Changes of these clusters in the window, oldest first.
pub fn shown<'a>(
    world: &'a World,
    clusters: &[ClusterId],
    window: Window,
) -> Vec<(ClusterId, &'a Change)> {
    let (from, to) = window.bounds(world.now);
    let known = clusters.iter().filter_map(|id| world.cluster(*id));
    let mut found: Vec<(ClusterId, &Change)> = known
        .flat_map(|c| c.changes_between(from, to).map(|change| (c.id, change)))
        .collect();
    found.sort_by_key(|(cluster, change)| (change.at, *cluster));
    found
}

/// Where the cursor stands after `h` or `l`.
pub fn moved(
    world: &World,
    curves: &[Shown],
    window: Window,
    at: Option<Timestamp>,
    command: &Command,
) -> Option<Timestamp> {
    let mut clusters: Vec<ClusterId> = curves.iter().map(|s| s.id.cluster).collect();
    clusters.sort_unstable();
    clusters.dedup();
    step(&shown(world, &clusters, window), at, command)
}

fn step(
    shown: &[(ClusterId, &Change)],
    at: Option<Timestamp>,
    command: &Command,
) -> Option<Timestamp> {
    let mut times = shown.iter().map(|(_, change)| change.at);
    match (at, command) {
        (None, _) => times.next_back(),
        (Some(at), Command::Left) => times.rfind(|t| *t < at).or(Some(at)),
        (Some(at), _) => times.find(|t| *t > at).or(Some(at)),
    }
}

/// The change under the cursor in words; without a cursor the newest.
pub fn told(
    ctx: &Ctx<'_>,
    shown: &[(ClusterId, &Change)],
    at: Option<Timestamp>,
) -> Option<String> {
    let here = |(_, change): &&(ClusterId, &Change)| at.is_none_or(|at| change.at == at);
    let (cluster, change) = shown.iter().rfind(here)?;
    let same = shown.iter().filter(here).count();
    let more = match (at, same) {
        (None, n) => format!("{n} changes (h l), newest "),
        (Some(_), 1) => String::new(),
        (Some(_), n) => format!("{n} at once: "),
    };
    let by = change.by.as_deref().map(|by| format!(" by {by}"));
    Some(format!(
        "▼ {more}{} {} {} {}: {}{}",
        ctx.clock_or_day(change.at),
        name(ctx.world, *cluster),
        change.kind.word(),
        change.subject.1,
        change.what,
        by.unwrap_or_default()
    ))
}
