//! Incidents of watchers: as they were told last, with what people do about them here.

use super::*;
use crate::config::load::parse;
use crate::model::alert::Severity;
use crate::model::finding::{Finding, FindingKind, Subject};
use crate::model::incident::{Deed, IncidentState};
use crate::model::unit::Unit;

const CONFIG: &str = "[team]\nnats = { url = \"nats://a\" }\nincidents = \"watchers\"\n\
                      [[clusters]]\nname = \"lyon-1\"\n[[clusters]]\nname = \"lyon-2\"\n";

fn world() -> World {
    let config = parse(CONFIG, std::path::Path::new("/x/c.toml")).expect("valid");
    World::new(&config, Timestamp(1_000))
}

fn change(event: Event, revision: u32, state: IncidentState) -> Change {
    let incident = Incident {
        id: IncidentId(7),
        number: 40,
        cluster: ClusterId(9),
        severity: Severity::Warning,
        state,
        title: format!("as of {revision}"),
        opened: Timestamp(0),
        changed: Timestamp(0),
        closed: None,
        score: 0.5,
        subjects: Vec::new(),
        nodes: Default::default(),
        findings: Vec::new(),
        desk: Default::default(),
        reopened: 0,
        revision: 0,
        awaited: None,
        handed: None,
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
    assert_eq!((found.watcher.as_ref(), found.heard), ("w1", None));
    let (cluster, at) = (Arc::from("lyon-2"), Timestamp(900));
    world.found(Found::Watched {
        cluster,
        by: "w2".into(),
        at,
    });
    let found = world.found_by(&world.incidents[0]).expect("a watcher");
    assert_eq!(found.heard, Some(Timestamp(900)));
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
        cluster: ClusterId(0),
        subject: Subject::Node("n1".into()),
        key: "a".into(),
        kind: FindingKind::State,
        severity: Severity::Critical,
        score: 1.0,
        since: Timestamp(0),
        earlier: false,
        at: Timestamp(0),
        over: false,
        signal: "a".into(),
        unit: Unit::None,
        seen: None,
        expected: None,
        method: String::new(),
        text: String::new(),
        evidence: Vec::new(),
    };
    assert!(!world.take_findings(vec![finding]));
    assert!(world.incidents.is_empty());
}
