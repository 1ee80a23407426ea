//! One cluster of the fleet in full: how well it is reached and why, its sources, its room.

use super::group::{Head, Row};
use super::row;
use crate::model::health::Health;
use crate::model::object::ObjectKind;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::{Amount, ClusterState, Status, World};
use crate::ui::widget::badge;

/// Everything known of the row, in lines.
pub fn text(world: &World, row: &Row) -> String {
    match row {
        Row::Cluster(one) => cluster(world, one.c),
        Row::Head(head) => group(world, head),
    }
}

fn group(world: &World, head: &Head) -> String {
    let mut lines = vec![format!(
        "{}: {} clusters, {} ok, {} warning, {} critical, {} unknown",
        head.value.unwrap_or("(none)"),
        head.members.len(),
        head.count(Status::Ok),
        head.count(Status::Warning),
        head.count(Status::Critical),
        head.count(Status::Unknown),
    )];
    let points = head
        .members
        .iter()
        .filter_map(|o| o.c.score(world.now).points);
    let points: Vec<u32> = points.map(u32::from).collect();
    if !points.is_empty() {
        let mean = points.iter().sum::<u32>() / points.len() as u32;
        lines.push(format!("health {mean} of 100 on average"));
    }
    lines.push("Enter or z folds and unfolds".into());
    lines.join("\n")
}

fn cluster(world: &World, c: &ClusterState) -> String {
    let (status, why) = world.standing(c.id);
    let word = status.word();
    let score = c.score(world.now);
    let points = score.points.map_or("?".to_owned(), |p| p.to_string());
    let mut lines = vec![
        format!("{}  {word}: {why}", c.name),
        format!("health {points} of 100, {}", score.reach.word()),
    ];
    let reasons = world.reach_reasons(c);
    lines.extend(reasons.iter().map(|(cost, text)| match cost {
        0 => format!("   ±0  {text}"),
        cost => format!("  -{cost:<3} {text}"),
    }));
    if reasons.is_empty() && score.points.is_some() {
        lines.push("       every part that is configured answers".into());
    }
    let mut facts = vec![c.kind.as_str().to_owned()];
    facts.extend(c.environment.iter().map(|e| format!("environment {e}")));
    facts.extend(c.region.iter().map(|r| format!("region {r}")));
    facts.extend(
        c.facts
            .openshift_version
            .iter()
            .map(|v| format!("OpenShift {v}")),
    );
    facts.extend(
        c.facts
            .kubernetes_version
            .iter()
            .map(|v| format!("Kubernetes {v}")),
    );
    facts.extend(
        c.labels
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    lines.push(facts.join("  "));
    lines.push(format!("sources: {}", sources(world, c)));
    let room = &c.capacity;
    let nodes = match c.listed_count(ObjectKind::Node, c.nodes.len()) {
        Some(all) => format!("{} of {all} ready", room.ready_nodes),
        None => "not known".into(),
    };
    let now = world.now;
    lines.push(format!(
        "nodes {nodes} · CPU {} · memory {} · pods {}",
        amount(now, &room.cpu, (Unit::None, 1000.0)),
        amount(now, &room.memory, (Unit::Bytes, 1.0)),
        amount(now, &room.pods, (Unit::None, 1.0)),
    ));
    if let Some(gpus) = room.gpus() {
        lines.push(format!("GPUs {}", amount(now, &gpus, (Unit::None, 1.0))));
    }
    lines.push(match row::apps(c) {
        None => "GitOps: not known".into(),
        Some(apps) if apps.all == 0 => "GitOps: no application".into(),
        Some(apps) => format!(
            "GitOps: {} applications, {} out of sync, {} not healthy or failed, {} unknown",
            apps.all, apps.drift, apps.bad, apps.unknown
        ),
    });
    lines.push(match &c.identity {
        None => "you: not known there".into(),
        Some(who) => format!("you: {} ({})", who.user, who.role.word()),
    });
    lines.push(match c.skew() {
        None => "clock: unknown, no source told the time".into(),
        Some(skew) => {
            let age = |at| format!(", {} ago", badge::age(world.age_ms(at)));
            let heard = skew.heard.map(age).unwrap_or_default();
            format!("clock: {} ({}{heard})", skew.words(), skew.source)
        }
    });
    lines.join("\n")
}

/// `71% used (mean of 3 nodes), 63% requested (30 of 48)`.
pub fn amount(now: Timestamp, amount: &Amount, (unit, scale): (Unit, f64)) -> String {
    let mut parts = Vec::new();
    if let Some(used) = amount.used {
        let nodes = match amount.told {
            1 => "1 node".to_owned(),
            n => format!("mean of {n} nodes"),
        };
        let old = match amount.is_old(now) {
            true => ", old: no sample since",
            false => "",
        };
        parts.push(format!("{:.0}% used ({nodes}{old})", used * 100.0));
    }
    let write = |v: u64| unit.write(v as f64 / scale);
    match (amount.requested, amount.allocatable) {
        (Some(asked), Some(all)) => {
            let share = amount
                .asked()
                .map_or(String::new(), |s| format!("{:.0}% ", s * 100.0));
            parts.push(format!(
                "{share}requested ({} of {})",
                write(asked),
                write(all)
            ));
        }
        (None, Some(all)) => parts.push(format!("{} allocatable", write(all))),
        (_, None) if parts.is_empty() => return "not known".into(),
        (_, None) => {}
    }
    parts.join(", ")
}

fn sources(world: &World, c: &ClusterState) -> String {
    let each = c.sources.iter().map(|(kind, source)| {
        let letter = row::letter(*kind);
        let state = match &source.health {
            Health::Connecting => "not heard yet",
            Health::Live if source.is_stale(world.now) => "late",
            Health::Live => "live",
            Health::Failing { .. } => "failing",
            Health::Denied { .. } => "denied",
        };
        let latency = source
            .latency_ms
            .map_or(String::new(), |ms| format!(" {ms} ms"));
        let last = match source.last_ok {
            Some(at) => format!(", {} ago", badge::age(world.age_ms(at))),
            None => String::new(),
        };
        format!("{letter} {kind} {state}{latency}{last}")
    });
    let each: Vec<String> = each.collect();
    match each.is_empty() {
        true => "none configured".into(),
        false => each.join(" · "),
    }
}
