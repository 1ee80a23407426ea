//! What of the screen changes with the clock alone. An idle screen is drawn when this changes,
//! and at no other time.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::screen::Screen;
use super::world::World;
use crate::command::ScreenId;
use crate::model::health::Health;
use crate::model::id::ClusterId;
use crate::model::unit;
use crate::ui::widget::badge;

/// Signals of the nodes that the cluster screen shows.
const NODES: [&str; 2] = ["node_cpu_busy", "node_memory_used"];

/// A number that stays the same while the passing of time changes nothing on the screen.
pub fn shown(world: &World, screen: &Screen, answering: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    (world.now.0 / 60_000).hash(&mut hasher);
    if answering && screen.chat_open {
        // How long the model has been at it.
        (world.now.0 / 1_000).hash(&mut hasher);
    }
    screen.toast(world).is_some().hash(&mut hasher);
    for health in world.clusters.iter().flat_map(|c| c.sources.values()) {
        health.is_stale(world.now).hash(&mut hasher);
    }
    incidents(world, &mut hasher);
    match screen.at {
        ScreenId::Alerts => alerts(world, &mut hasher),
        ScreenId::Fleet => clusters(world, &mut hasher),
        ScreenId::Cluster | ScreenId::Diagnostics => {
            clusters(world, &mut hasher);
            sources(world, &mut hasher);
            nodes(world, screen.scope, &mut hasher);
        }
        // How long who is asked has been at it.
        ScreenId::Metrics if screen.views.metrics.is_waiting() => {
            (world.now.0 / 1_000).hash(&mut hasher);
        }
        // Curves and values with their ages: often enough to be true, seldom enough to be quiet.
        _ => (world.now.0 / 10_000).hash(&mut hasher),
    }
    hasher.finish()
}

/// Incidents and alerts change with time too: they close, and are forgotten.
fn incidents(world: &World, hasher: &mut DefaultHasher) {
    for i in &world.incidents {
        (
            i.number,
            i.word(world.now),
            i.severity,
            &i.title,
            i.findings.len(),
        )
            .hash(hasher);
        ((i.score * 100.0) as i64).hash(hasher);
    }
    for cluster in &world.clusters {
        cluster.alerts.len().hash(hasher);
    }
}

fn alerts(world: &World, hasher: &mut DefaultHasher) {
    for alert in world.clusters.iter().flat_map(|c| c.alerts.values()) {
        unit::age(world.age_ms(alert.starts_at)).hash(hasher);
        alert
            .ends_at
            .map(|at| unit::age(world.age_ms(at)))
            .hash(hasher);
    }
    // How long nobody has told of them.
    for health in world.clusters.iter().flat_map(|c| c.sources.values()) {
        let silent = health.health != Health::Live || health.is_stale(world.now);
        let last = health.last_ok.filter(|_| silent);
        last.map(|at| unit::age(world.age_ms(at))).hash(hasher);
    }
}

fn clusters(world: &World, hasher: &mut DefaultHasher) {
    for cluster in &world.clusters {
        if let Some(at) = cluster.last_sample {
            badge::age(world.age_ms(at)).hash(hasher);
        }
        let room = &cluster.capacity;
        let until = [room.cpu.until, room.memory.until];
        let readings = [cluster.samples_until, cluster.gpus_until, cluster.ptp_until];
        let old = until.into_iter().chain(readings).map(|u| world.is_old(u));
        old.for_each(|old| old.hash(hasher));
    }
}

/// What was told of the nodes is forgotten with time.
fn nodes(world: &World, scope: Option<ClusterId>, hasher: &mut DefaultHasher) {
    let cluster = scope.and_then(|id| world.cluster(id));
    for (cluster, signal) in cluster.into_iter().flat_map(|c| NODES.map(|s| (c, s))) {
        world.node_values(cluster, signal).len().hash(hasher);
    }
}

fn sources(world: &World, hasher: &mut DefaultHasher) {
    for health in world.clusters.iter().flat_map(|c| c.sources.values()) {
        if let Some(at) = health.last_ok {
            badge::age(world.age_ms(at)).hash(hasher);
        }
        if let Health::Failing { retry_at, .. } = &health.health {
            badge::wait(retry_at.age_since_ms(world.now)).hash(hasher);
        }
    }
}
