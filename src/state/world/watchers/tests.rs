//! Incidents of watchers: as they were told last, with what people do about them here.

use super::*;
use crate::config::load::parse;
use crate::model::alert::Severity;
use crate::model::desk::{Hand, What};
use crate::model::finding::Finding;
use crate::model::health::SourceKind;
use crate::model::incident::{Deed, IncidentState};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, SampleBatch, Telemetry};
use crate::state::world::Status;

const CONFIG: &str = "[team]\nnats = { url = \"nats://a\" }\nincidents = \"watchers\"\n\
                      [[clusters]]\nname = \"lyon-1\"\n[[clusters]]\nname = \"lyon-2\"\n";

fn world() -> World {
    let config = parse(CONFIG, std::path::Path::new("/x/c.toml")).expect("valid");
    World::new(&config, Timestamp(1_000))
}

fn change(event: Event, revision: u32, state: IncidentState) -> Change {
    let incident = Incident {
        number: 40,
        cluster: ClusterId(9),
        state,
        title: format!("as of {revision}"),
        ..Incident::bare(7)
    };
    let (cluster, by) = (Arc::from("lyon-2"), Arc::from("w1"));
    Change::new(
        event,
        cluster,
        by,
        revision,
        Arc::new(incident),
        Timestamp(0),
    )
}

/// A sign of life of whoever watches `lyon-2`.
fn hear(world: &mut World, at: i64, life_ms: u64) {
    world.found(Found::Watched {
        cluster: "lyon-2".into(),
        by: "w2".into(),
        at: Timestamp(at),
        life_ms,
    });
}

fn take(world: &mut World, changes: Vec<Change>) {
    assert_eq!(world.found(Found::Changes(changes)), None);
}

#[test]
fn they_stand_as_they_were_told_last() {
    let mut world = world();
    let open = IncidentState::Open;
    take(
        &mut world,
        vec![
            change(Event::IncidentOpened, 1, open),
            change(Event::IncidentChanged, 3, open),
            change(Event::IncidentChanged, 2, open),
        ],
    );
    assert_eq!(world.incidents.len(), 1);
    let incident = &world.incidents[0];
    assert_eq!((incident.title.as_str(), incident.number), ("as of 3", 1));
    assert_eq!(world.name_of(incident.cluster), "lyon-2");
    let found = world.found_by(incident).expect("a watcher");
    assert_eq!((found.watcher.as_ref(), found.heard), ("w1", Ear::Silent));
    hear(&mut world, 900, 20_000);
    let found = world.found_by(&world.incidents[0]).expect("a watcher");
    assert_eq!(found.heard, Ear::Heard(100));
}

#[test]
fn what_people_do_here_stays() {
    let mut world = world();
    take(
        &mut world,
        vec![change(Event::IncidentOpened, 1, IncidentState::Open)],
    );
    assert!(world.deed(IncidentId(7), Deed::Note("looked".into()), &"me".into()));
    let desk = world.incidents[0].desk.clone();
    take(
        &mut world,
        vec![change(Event::IncidentResolved, 2, IncidentState::Resolved)],
    );
    assert_eq!(world.incidents[0].state, IncidentState::Resolved);
    assert_eq!(world.incidents[0].desk, desk);
    take(
        &mut world,
        vec![change(Event::IncidentMerged, 3, IncidentState::Open)],
    );
    assert!(world.incidents.is_empty());
}

#[test]
fn a_fault_is_said_once_and_nothing_is_detected_here() {
    let mut world = world();
    let fault = || Found::Fault("nobody answers".into());
    assert!(
        world
            .found(fault())
            .is_some_and(|t| t.contains("nobody answers"))
    );
    assert_eq!(world.found(fault()), None);
    assert_eq!(world.unheard_watchers(), Some("nobody answers"));
    let finding = Finding {
        severity: Severity::Critical,
        ..Finding::bare("a")
    };
    assert!(!world.take_findings(vec![finding]));
    assert!(world.incidents.is_empty());
}

/// Nothing of the cluster is heard here: what its watcher tells holds, with its age.
#[test]
fn a_cluster_stands_as_its_watcher_tells() {
    let mut world = world();
    let (here, there) = (ClusterId(0), ClusterId(1));
    let stands = |world: &World| world.standing(there);
    assert_eq!(
        stands(&world),
        (Status::Unknown, "watcher not heard".into())
    );
    hear(&mut world, 1_000, 20_000);
    let calm = "watcher 0s ago: nothing abnormal; not heard here";
    assert_eq!(stands(&world), (Status::Unknown, calm.into()));
    let mut told = change(Event::IncidentOpened, 1, IncidentState::Open);
    Arc::make_mut(&mut told.incident).severity = Severity::Critical;
    take(&mut world, vec![told]);
    world.tick(Timestamp(4_000));
    assert_eq!(
        stands(&world),
        (Status::Critical, "watcher 3s ago: as of 1".into())
    );
    assert_eq!(world.statuses(), [Status::Unknown, Status::Critical]);
    // By the interval of that watcher: two of them, and he is late.
    world.tick(Timestamp(21_000));
    assert!(
        stands(&world).1.starts_with("watcher 20s ago"),
        "{:?}",
        stands(&world)
    );
    world.tick(Timestamp(43_000));
    assert_eq!(
        stands(&world),
        (Status::Critical, "watcher stale 42s: as of 1".into())
    );
    hear(&mut world, 43_000, 120_000);
    world.tick(Timestamp(85_000));
    assert!(
        stands(&world).1.starts_with("watcher 42s ago"),
        "{:?}",
        stands(&world)
    );
    // It is over, and the watcher is late: nothing is known.
    take(
        &mut world,
        vec![change(Event::IncidentResolved, 2, IncidentState::Resolved)],
    );
    world.tick(Timestamp(243_000));
    assert_eq!(stands(&world), (Status::Unknown, "watcher stale 3m".into()));
    assert_eq!(world.standing(here).0, Status::Unknown);
}

/// What was done elsewhere comes along; what was done here stays, and waits for the team as before.
#[test]
fn what_people_did_elsewhere_is_merged() {
    let note = |desk: &mut Desk, text: &str, console: &str, at: i64| {
        let hand = Hand {
            by: console.into(),
            console: console.into(),
        };
        let mark = desk.write(What::Note(text.into()), &hand, Timestamp(at));
        desk.wait(mark.expect("new"));
    };
    let notes = |world: &World| -> Vec<String> {
        let notes = world.incidents[0].desk.notes();
        notes.map(|(_, text)| text.to_owned()).collect()
    };
    let mut world = world();
    let mut first = change(Event::IncidentOpened, 1, IncidentState::Open);
    note(
        &mut Arc::make_mut(&mut first.incident).desk,
        "there",
        "c1",
        10,
    );
    take(&mut world, vec![first]);
    assert_eq!(notes(&world), ["there"]);
    assert_eq!(
        world.incidents[0].desk.waiting(),
        0,
        "theirs is not ours to send"
    );
    note(&mut world.incidents[0].desk, "here", "c2", 20);
    let mut second = change(Event::IncidentChanged, 2, IncidentState::Open);
    let desk = &mut Arc::make_mut(&mut second.incident).desk;
    note(desk, "there", "c1", 10);
    note(desk, "there again", "c1", 30);
    take(&mut world, vec![second]);
    assert_eq!(notes(&world), ["there", "here", "there again"]);
    assert_eq!(world.incidents[0].desk.waiting(), 1);
    // An incident of the archive that its watcher tells again.
    let mut held = Incident::bare(8);
    note(&mut held.desk, "before", "c2", 5);
    assert!(world.hold_desk(&held));
    let mut third = change(Event::IncidentOpened, 1, IncidentState::Open);
    Arc::make_mut(&mut third.incident).id = IncidentId(8);
    note(
        &mut Arc::make_mut(&mut third.incident).desk,
        "theirs",
        "c1",
        6,
    );
    take(&mut world, vec![third]);
    let both = world
        .incidents
        .iter()
        .find(|i| i.id == IncidentId(8))
        .expect("there");
    let told: Vec<&str> = both.desk.notes().map(|(_, text)| text).collect();
    assert_eq!(told, ["before", "theirs"]);
}

/// A stream of years is no memory of years.
#[test]
fn those_that_ended_long_ago_are_let_go() {
    let mut world = world();
    for n in 0..3_000_u64 {
        let mut told = change(Event::IncidentOpened, 1, IncidentState::Resolved);
        let incident = Arc::make_mut(&mut told.incident);
        (incident.id, incident.opened) = (IncidentId(n), Timestamp(n as i64));
        take(&mut world, vec![told]);
    }
    assert!(world.incidents.len() < 1_000, "{}", world.incidents.len());
    assert_eq!(world.incidents[0].id, IncidentId(2_999), "the newest stay");
}

/// Their result would be dropped.
#[test]
fn no_detector_runs_here() {
    let heat = |at: i64| {
        let series = SeriesSamples {
            key: SeriesKey::new("lab_heat", Labels::from_pairs([("node", "n1")])),
            kind: SampleKind::Gauge,
            points: std::iter::once(Sample {
                at: Timestamp(at),
                value: 20.0,
            })
            .collect(),
        };
        Telemetry {
            cluster: ClusterId(0),
            source: SourceKind::Exporter(0),
            received: Timestamp(at),
            body: Body::Samples(SampleBatch {
                group: Group::Exporter,
                name: "scrape".into(),
                query: "".into(),
                at: Timestamp(at),
                interval_ms: 1_000,
                backfill: false,
                series: vec![series],
                cut_from: None,
            }),
        }
    };
    let metric = "[[metrics]]\nname = \"lab_heat\"\nabout = \"heat\"\nunit = \"celsius\"\n\
                  bad = \"high\"\nlimit = { warn = 90.0, for_s = 1 }\n";
    let own = CONFIG.replace("\"watchers\"", "\"own\"");
    for (team, judged) in [(CONFIG.to_owned(), false), (own, true)] {
        let text = format!("{metric}{team}");
        let config = parse(&text, std::path::Path::new("/x/c.toml")).expect("valid");
        let mut world = World::new(&config, Timestamp(1_000));
        for second in 1..20 {
            world.ingest(heat(second * 1_000));
            world.tick(Timestamp(second * 1_000));
        }
        assert_eq!(world.judge.places() > 0, judged);
        assert!(
            world.clusters[0].last_sample.is_some(),
            "it is drawn all the same"
        );
    }
}
