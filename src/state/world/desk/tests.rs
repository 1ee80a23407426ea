use super::*;
use crate::incident::IncidentState;
use crate::model::alert::Severity;
use crate::model::finding::{FindingKind, Subject};
use crate::state::world::Status;
use crate::ui::view::fake::{self, NOW};

fn finding(key: &str, score: f64, kind: FindingKind) -> Finding {
    Finding {
        kind,
        severity: Severity::Critical,
        score,
        signal: "load".into(),
        since: Timestamp(NOW),
        at: Timestamp(NOW),
        ..Finding::bare(key)
    }
}

fn me() -> Arc<str> {
    "ana".into()
}

fn kept(keeps: &[Keep]) -> Vec<(u32, &'static str)> {
    let incidents = keeps.iter().filter_map(|k| match k {
        Keep::Incident(past) => Some((past.incident.number, past.incident.state.word())),
        _ => None,
    });
    incidents.collect()
}

/// A world that knows its archive, with one incident.
fn world() -> World {
    let mut world = fake::world(&["alpha", "beta"]);
    world.restore(Vec::new(), Vec::new(), 6);
    world.take_findings(vec![finding("k", 0.9, FindingKind::Spike)]);
    world
}

#[test]
fn nothing_is_put_away_before_the_archive_answered() {
    let mut world = fake::world(&["alpha"]);
    world.take_findings(vec![finding("k", 0.9, FindingKind::Spike)]);
    assert_eq!(world.incidents[0].number, 1);
    assert!(world.unkept(true).is_empty());
    world.restore(Vec::new(), Vec::new(), 6);
    assert_eq!(world.incidents[0].number, 7, "numbers go on");
    assert_eq!(kept(&world.unkept(false)), [(7, "open")]);
}

#[test]
fn what_changes_is_put_away_now_and_then_what_ends_at_once() {
    let mut world = world();
    assert_eq!(kept(&world.unkept(false)), [(7, "open")]);
    assert!(world.unkept(true).is_empty(), "nothing changed");
    let id = world.incidents[0].id;
    assert!(world.deed(id, Deed::Note("seen".into()), &me()));
    assert!(world.unkept(false).is_empty(), "not each second");
    assert_eq!(kept(&world.unkept(true)), [(7, "open")]);
    world.take_findings(vec![Finding {
        over: true,
        ..finding("k", 0.9, FindingKind::Spike)
    }]);
    world.tick(Timestamp(NOW + 400_000));
    assert_eq!(kept(&world.unkept(false)), [(7, "resolved")]);
}

#[test]
fn what_another_took_in_is_let_go() {
    let mut world = world();
    world.unkept(true);
    world.incidents.clear();
    let gone = world.unkept(true);
    assert!(matches!(gone.as_slice(), [Keep::Gone(_)]), "{gone:?}");
    assert!(world.unkept(true).is_empty(), "once");
}

/// The archive may answer after the first signs: its number is the one that people know.
#[test]
fn what_was_found_before_the_archive_answered_goes_on_under_its_number() {
    let mut before = world();
    let id = before.incidents[0].id;
    before.deed(id, Deed::Acknowledge, &me());
    let kept = before.unkept(true).into_iter().find_map(|k| match k {
        Keep::Incident(past) => Some(*past),
        _ => None,
    });
    let mut world = fake::world(&["alpha"]);
    world.now = Timestamp(NOW);
    let other = Finding {
        subject: Subject::Node("n9".into()),
        ..finding("other", 0.9, FindingKind::Spike)
    };
    world.take_findings(vec![other, finding("k", 0.9, FindingKind::Spike)]);
    assert_eq!(world.incidents.len(), 2);
    world.restore(vec![kept.expect("kept")], Vec::new(), 7);
    let number = |id| world.incident(id).map(|i| i.number);
    assert_eq!(number(id), Some(7));
    let others: Vec<u32> = world.incidents.iter().map(|i| i.number).collect();
    assert!(
        others.iter().all(|n| *n >= 7) && others[0] != others[1],
        "{others:?}"
    );
    assert!(
        world
            .incident(id)
            .is_some_and(|i| i.desk.acknowledged().is_some())
    );
}

/// And it saw less of its begin, so that it would be called otherwise: it is still that one.
#[test]
fn what_was_found_later_before_the_archive_answered_is_no_second_one() {
    let mut before = world();
    let id = before.incidents[0].id;
    before.deed(id, Deed::Acknowledge, &me());
    let keeps = before.unkept(true).into_iter();
    let past = keeps.filter_map(|k| match k {
        Keep::Incident(past) => Some(*past),
        _ => None,
    });
    let mut world = fake::world(&["alpha"]);
    let since = Timestamp(NOW + 60_000);
    world.take_findings(vec![Finding {
        since,
        at: since,
        ..finding("k", 0.9, FindingKind::Spike)
    }]);
    assert_ne!(world.incidents[0].id, id);
    world.restore(past.collect(), Vec::new(), 7);
    let [one] = world.incidents.as_slice() else {
        panic!("{:?}", world.incidents);
    };
    assert_eq!((one.id, one.number, one.opened), (id, 7, Timestamp(NOW)));
    assert!(one.desk.acknowledged().is_some());
}

#[test]
fn an_incident_goes_on_after_a_restart() {
    let mut before = world();
    let id = before.incidents[0].id;
    before.deed(id, Deed::Acknowledge, &me());
    let past: Vec<Past> = before
        .unkept(true)
        .into_iter()
        .filter_map(|k| match k {
            Keep::Incident(past) => Some(*past),
            _ => None,
        })
        .collect();
    // The clusters stand in another order in the file now.
    let mut world = fake::world(&["beta", "alpha"]);
    world.now = Timestamp(NOW + 3_600_000);
    world.restore(past.clone(), Vec::new(), 7);
    let held = &world.incidents[0];
    assert_eq!((held.id, held.number, held.cluster), (id, 7, ClusterId(1)));
    assert_eq!(
        held.state,
        IncidentState::Recovering,
        "until its signs show"
    );
    assert!(held.desk.acknowledged().is_some());
    assert!(world.unkept(true).is_empty(), "it stands there already");
    // Its sign shows again: the same incident, with its begin.
    world.take_findings(vec![Finding {
        cluster: ClusterId(1),
        since: Timestamp(NOW + 3_600_000),
        at: Timestamp(NOW + 3_600_000),
        ..finding("k", 0.9, FindingKind::Spike)
    }]);
    let [held] = world.incidents.as_slice() else {
        panic!("{:?}", world.incidents);
    };
    assert_eq!((held.number, held.state), (7, IncidentState::Open));
    assert_eq!(held.opened, Timestamp(NOW));
    // Where no sign shows, it ended when it was last seen.
    let mut world = fake::world(&["alpha"]);
    world.now = Timestamp(NOW + 3_600_000);
    world.restore(past, Vec::new(), 7);
    world.tick(Timestamp(NOW + 3_600_000 + AWAITED_MS - 20_000));
    assert_eq!(world.incidents[0].state, IncidentState::Recovering);
    world.tick(Timestamp(NOW + 3_600_000 + AWAITED_MS + 20_000));
    assert_eq!(world.incidents[0].closed, Some(Timestamp(NOW)));
}

#[test]
fn an_incident_of_a_cluster_that_is_gone_stays_in_the_file() {
    let mut world = fake::world(&["alpha"]);
    let mut other = self::world();
    let past = Past {
        cluster: "gone".into(),
        signs: Vec::new(),
        incident: other.incidents.remove(0),
    };
    assert_eq!(world.own(past.clone()).cluster, ELSEWHERE);
    world.restore(vec![past], Vec::new(), 7);
    assert!(world.incidents.is_empty());
    assert!(world.unkept(true).is_empty(), "it is not deleted there");
}

#[test]
fn a_muted_incident_is_no_trouble_until_its_end() {
    let mut world = world();
    let id = world.incidents[0].id;
    let end = Timestamp(NOW + 7_200_000);
    let critical = |world: &World| world.statuses()[0] == Status::Critical;
    let loud = |world: &World| world.incidents.iter().any(|i| i.counts(world.now));
    assert!(loud(&world));
    world.deed(id, Deed::Mute(Some(end)), &me());
    assert!(!loud(&world) && !critical(&world));
    assert_eq!(world.incidents[0].word(world.now), "muted");
    // It ends, and opens anew with the same sign: still muted.
    world.incidents[0].state = IncidentState::Resolved;
    let later = Timestamp(NOW + 3_600_000);
    world.now = later;
    world.take_findings(vec![Finding {
        since: later,
        at: later,
        ..finding("k", 0.9, FindingKind::Spike)
    }]);
    assert!(
        world
            .incidents
            .iter()
            .any(|i| i.state == IncidentState::Open)
    );
    assert!(!loud(&world));
    world.now = end;
    assert!(loud(&world), "the mute is over");
}

#[test]
fn what_was_nothing_is_told_again_only_when_much_greater() {
    let mut world = world();
    let key: Arc<str> = "k".into();
    world.opine(ClusterId(0), (&key, 0.9), Some(Opinion::False), &me());
    assert_eq!(world.incidents[0].state, IncidentState::Recovering);
    let told = |world: &mut World, score| {
        world.take_findings(vec![finding("k", score, FindingKind::Spike)]);
        world.incidents[0].state == IncidentState::Open
    };
    assert!(!told(&mut world, 0.9));
    assert!(!told(&mut world, 0.94));
    assert!(told(&mut world, 0.96), "half as far from certain");
    let mut again = self::world();
    again.opine(ClusterId(0), (&key, 0.9), Some(Opinion::False), &me());
    again.opine(ClusterId(0), (&key, 0.9), None, &me());
    assert!(told(&mut again, 0.9), "it was taken back");
}

#[test]
fn a_verdict_never_hides_a_state() {
    let mut world = fake::world(&["alpha"]);
    world.restore(Vec::new(), Vec::new(), 0);
    let key: Arc<str> = "k".into();
    world.opine(ClusterId(0), (&key, 0.9), Some(Opinion::False), &me());
    world.take_findings(vec![finding("k", 0.9, FindingKind::State)]);
    assert_eq!(world.incidents.len(), 1);
}

#[test]
fn verdicts_are_put_away_and_come_back() {
    let mut world = world();
    let key: Arc<str> = "k".into();
    world.opine(ClusterId(0), (&key, 0.9), Some(Opinion::False), &me());
    let said = world.unkept(true);
    let verdict = said.iter().find_map(|k| match k {
        Keep::Verdict { cluster, said, .. } => Some((cluster.clone(), said.clone())),
        _ => None,
    });
    let Some((cluster, verdict)) = verdict else {
        panic!("{said:?}");
    };
    let mut next = fake::world(&["beta", "alpha"]);
    next.restore(Vec::new(), vec![(cluster, key, verdict)], 7);
    next.take_findings(vec![Finding {
        cluster: ClusterId(1),
        ..finding("k", 0.9, FindingKind::Spike)
    }]);
    assert!(next.incidents.is_empty());
}

#[test]
fn what_is_no_longer_muted_stays_so_when_it_comes_again() {
    let mut world = world();
    let id = world.incidents[0].id;
    let end = Timestamp(NOW + 86_400_000);
    world.deed(id, Deed::Mute(Some(end)), &me());
    world.incidents[0].state = IncidentState::Resolved;
    world.incidents[0].closed = Some(Timestamp(NOW));
    let again = |hours: i64| Finding {
        since: Timestamp(NOW + hours * 3_600_000),
        at: Timestamp(NOW + hours * 3_600_000),
        ..finding("k", 0.9, FindingKind::Spike)
    };
    world.take_findings(vec![again(1)]);
    let open = world.incidents.iter().find(|i| i.is_live()).expect("open");
    assert!(open.desk.muted().is_some(), "the mute holds on");
    let id = open.id;
    world.deed(id, Deed::Mute(None), &me());
    for incident in &mut world.incidents {
        incident.state = IncidentState::Resolved;
        incident.closed = Some(Timestamp(NOW + 3_600_000));
    }
    world.take_findings(vec![again(3)]);
    let open = world.incidents.iter().find(|i| i.is_live()).expect("open");
    assert_eq!(open.desk.muted(), None);
}
