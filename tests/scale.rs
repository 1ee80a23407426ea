//! `docs/scale.md` says what the simulation says, and the simulation keeps what watchers promise.

#[path = "support/played.rs"]
#[allow(dead_code, reason = "only the world is looked at")]
mod played;
#[path = "lab/scale.rs"]
mod scale;

use std::sync::Arc;

use farwatch::model::news::{Change, Event};

use scale::chance::Chance;
use scale::load::EVENT_BYTES;

#[test]
fn the_document_holds_what_the_simulation_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scale.md");
    let document = std::fs::read_to_string(path).expect("docs/scale.md");
    for table in [scale::sharing(), scale::loads()] {
        assert!(
            document.contains(&table),
            "put this into docs/scale.md (cargo run --example scale):\n{table}"
        );
    }
}

/// No cluster is watched twice longer than one interval, none unwatched longer than three, whatever
/// the chance.
#[test]
fn the_promises_hold_whatever_the_chance() {
    for seed in 1..60 {
        let mut chance = Chance::new(seed);
        let (clusters, watchers) = (1 + chance.below(60), 2 + chance.below(9));
        let course = scale::course(clusters, watchers, seed);
        let told = format!("{clusters} clusters, {watchers} watchers, seed {seed}");
        for (unwatched, doubled) in [course.killed, course.joined, course.cut] {
            assert!(unwatched <= 3.0, "{unwatched}: {told}");
            assert!(doubled <= 1.0, "{doubled}: {told}");
        }
        assert!(course.moved.0 >= course.moved.1, "{told}");
        assert!(course.loads.1 - course.loads.0 <= 1, "{told}");
    }
}

/// The demo's incidents, as a watcher tells them.
#[test]
fn a_message_is_as_large_as_the_document_says() {
    let mut played = played::Played::new(false);
    played.play(16.0);
    let world = &played.state.world;
    let sizes = world.incidents.iter().map(|incident| {
        let change = Change {
            id: format!("cluster.{:016x}.1", incident.id.0),
            event: Event::IncidentOpened,
            cluster: world.name_of(incident.cluster).into(),
            by: "watcher-0".into(),
            at: world.now,
            revision: 1,
            incident: Arc::new(incident.clone()),
            finding: None,
            into: None,
            cut: false,
        };
        rmp_serde::to_vec_named(&change).expect("packed").len() as u64
    });
    let sizes: Vec<u64> = sizes.collect();
    let mean = sizes.iter().sum::<u64>() / sizes.len().max(1) as u64;
    println!("{} incidents, {mean} bytes each: {sizes:?}", sizes.len());
    let near = EVENT_BYTES * 3 / 4..=EVENT_BYTES * 5 / 4;
    assert!(near.contains(&mean), "{mean} of {sizes:?}");
}
