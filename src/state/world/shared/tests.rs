use super::*;
use crate::incident::IncidentState;
use crate::model::alert::Severity;
use crate::model::finding::{Finding, FindingKind, Subject};
use crate::model::incident::{Deed, Opinion};
use crate::ui::view::fake::{self, NOW};

pub fn finding(cluster: u16, key: &str, since: i64) -> Finding {
    Finding {
        kind: FindingKind::Spike,
        severity: Severity::Critical,
        cluster: ClusterId(cluster),
        since: Timestamp(since),
        at: Timestamp(since),
        ..Finding::bare(key)
    }
}

/// A console of a team that can be heard.
fn console(names: &[&str], id: &str) -> World {
    let mut world = fake::world(names);
    world.restore(Vec::new(), Vec::new(), 0);
    let console = id.into();
    world.take_shared(Shared::Begun { console });
    world.take_shared(Shared::Anew);
    world.take_shared(Shared::Line(Line::Online));
    world
}

/// The bucket.
#[derive(Default)]
struct Bucket(BTreeMap<DeskKey, Doc>);

impl Bucket {
    /// What one console gives, and what all then hear.
    fn pass(&mut self, from: &mut World, to: &mut [&mut World]) -> Vec<String> {
        let mut told = from.adopt_held();
        for doc in from.unshared() {
            let key = doc.key();
            let held = self.0.entry(key.clone()).or_insert_with(|| doc.clone());
            held.merge(&doc);
            let now = vec![held.clone()];
            told.extend(from.take_shared(Shared::Docs(now.clone())));
            for one in to.iter_mut() {
                told.extend(one.take_shared(Shared::Docs(now.clone())));
            }
        }
        told
    }
}

fn by(name: &str) -> Arc<str> {
    name.into()
}

#[test]
fn consoles_with_clusters_in_another_order_give_one_incident_one_id() {
    let mut a = console(&["alpha", "beta"], "c1");
    let mut b = console(&["beta", "alpha"], "c2");
    a.take_findings(vec![finding(0, "k", NOW)]);
    b.take_findings(vec![finding(1, "k", NOW)]);
    assert_eq!(a.incidents[0].id, b.incidents[0].id);
    b.take_findings(vec![finding(0, "k", NOW)]);
    let same = b.incidents.iter().filter(|i| i.id == a.incidents[0].id);
    assert_eq!((same.count(), b.incidents.len()), (1, 2), "another cluster");
}

#[test]
fn an_incident_that_two_saw_begin_at_other_times_is_one() {
    let (mut a, mut b) = (console(&["alpha"], "c1"), console(&["alpha"], "c2"));
    a.take_findings(vec![finding(0, "k", NOW)]);
    b.take_findings(vec![finding(0, "k", NOW - 15_000)]);
    assert_ne!(a.incidents[0].id, b.incidents[0].id);
    let mut bucket = Bucket::default();
    let id = a.incidents[0].id;
    a.deed(id, Deed::Acknowledge, &by("ana"));
    assert_eq!(a.waiting(), 1);
    bucket.pass(&mut a, &mut [&mut b]);
    assert_eq!(a.waiting(), 0);
    assert!(b.incidents[0].desk.acknowledged().is_some());
    // What ben writes goes to the entry that is there.
    let id = b.incidents[0].id;
    b.deed(id, Deed::Note("mine".into()), &by("ben"));
    bucket.pass(&mut b, &mut [&mut a]);
    assert_eq!(bucket.0.len(), 1);
    assert_eq!(a.incidents[0].desk, b.incidents[0].desk);
    assert!(
        a.unshared().is_empty() && b.unshared().is_empty(),
        "at rest"
    );
}

#[test]
fn both_made_an_entry_before_they_heard_of_each_other() {
    let (mut a, mut b) = (console(&["alpha"], "c1"), console(&["alpha"], "c2"));
    a.take_findings(vec![finding(0, "k", NOW)]);
    b.take_findings(vec![finding(0, "k", NOW - 15_000)]);
    let (of_a, of_b) = (a.incidents[0].id, b.incidents[0].id);
    a.deed(of_a, Deed::Assign("carl".into()), &by("ana"));
    b.deed(of_b, Deed::Assign("dora".into()), &by("ben"));
    b.deed(of_b, Deed::Note("mine".into()), &by("ben"));
    let docs: Vec<Doc> = [a.unshared(), b.unshared()].concat();
    assert_eq!(docs.len(), 2);
    let mut bucket = Bucket(docs.iter().map(|d| (d.key(), d.clone())).collect());
    let mut told = a.take_shared(Shared::Docs(docs.clone()));
    told.extend(b.take_shared(Shared::Docs(docs)));
    assert_eq!(a.incidents[0].desk.edits(), b.incidents[0].desk.edits());
    assert_eq!(told.len(), 2, "each is told once of the clash: {told:?}");
    assert!(told[0].contains("assigned to carl"), "{told:?}");
    for _ in 0..3 {
        let told = [
            bucket.pass(&mut a, &mut [&mut b]),
            bucket.pass(&mut b, &mut [&mut a]),
        ];
        assert_eq!(told.concat(), Vec::<String>::new());
    }
    assert!(
        a.unshared().is_empty() && b.unshared().is_empty(),
        "at rest"
    );
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
}

#[test]
fn entries_of_incidents_that_are_not_found_yet_are_kept_until_they_are() {
    let (mut a, mut b) = (console(&["alpha"], "c1"), console(&["alpha"], "c2"));
    let mut bucket = Bucket::default();
    a.take_findings(vec![finding(0, "k", NOW)]);
    let id = a.incidents[0].id;
    a.deed(id, Deed::Note("before".into()), &by("ana"));
    bucket.pass(&mut a, &mut [&mut b]);
    assert_eq!(b.shared.held(), 1);
    b.take_findings(vec![finding(0, "k", NOW)]);
    assert_eq!(b.adopt_held(), Vec::<String>::new());
    assert_eq!(b.incidents[0].desk.notes().count(), 1);
    // A quarter of an hour after its end the same sign is another story.
    let mut c = console(&["alpha"], "c3");
    c.now = Timestamp(NOW + 3_600_000);
    let docs = bucket.0.values().cloned().collect();
    c.take_shared(Shared::Docs(docs));
    c.take_findings(vec![finding(0, "k", NOW + 3_600_000)]);
    c.adopt_held();
    assert!(c.incidents[0].desk.is_empty());
}

#[test]
fn verdicts_hold_for_all_and_can_be_taken_back_by_all() {
    let (mut a, mut b) = (console(&["alpha"], "c1"), console(&["beta", "alpha"], "c2"));
    let mut bucket = Bucket::default();
    b.take_findings(vec![finding(1, "k", NOW)]);
    let key: Arc<str> = "k".into();
    a.opine(ClusterId(0), (&key, 0.9), Some(Opinion::False), &by("ana"));
    bucket.pass(&mut a, &mut [&mut b]);
    assert_eq!(
        b.incidents[0].state,
        IncidentState::Recovering,
        "nobody is told again"
    );
    b.opine(ClusterId(1), (&key, 0.9), None, &by("ben"));
    bucket.pass(&mut b, &mut [&mut a]);
    assert_eq!(a.verdict(&finding(0, "k", NOW)), None);
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
}

#[test]
fn without_a_team_nothing_waits_and_nothing_goes_out() {
    let mut world = fake::world(&["alpha"]);
    world.restore(Vec::new(), Vec::new(), 0);
    world.take_findings(vec![finding(0, "k", NOW)]);
    let id = world.incidents[0].id;
    world.deed(id, Deed::Acknowledge, &by("ana"));
    assert_eq!(world.waiting(), 0);
    assert!(world.unshared().is_empty() && world.looks_at(Some(id)).is_none());
    assert!(world.shared.unheard().is_none());
}

#[test]
fn a_clock_that_is_ahead_is_corrected_when_the_bus_is_heard() {
    let mut a = fake::world(&["alpha"]);
    a.restore(Vec::new(), Vec::new(), 0);
    a.take_shared(Shared::Begun {
        console: "c1".into(),
    });
    a.take_findings(vec![finding(0, "k", NOW)]);
    let id = a.incidents[0].id;
    let ahead = 2 * AHEAD_MS;
    a.deed(id, Deed::Note("by a wrong clock".into()), &by("ana"));
    a.take_shared(Shared::Ahead(ahead));
    let desk = &a.incidents[0].desk;
    assert!(
        desk.edits().iter().all(|e| e.mark.ms <= NOW - ahead),
        "{desk:?}"
    );
    assert_eq!(a.waiting(), 1);
    a.deed(id, Deed::Note("by the bus's".into()), &by("ana"));
    let desk = &a.incidents[0].desk;
    assert!(
        desk.edits().iter().all(|e| e.at.0 == NOW - ahead),
        "{desk:?}"
    );
    assert_eq!(a.shared.ahead_ms(), Some(ahead));
}

#[test]
fn those_who_look_at_the_same_are_named_until_their_word_is_old() {
    let (mut a, mut b) = (console(&["alpha"], "c1"), console(&["alpha"], "c2"));
    a.take_findings(vec![finding(0, "k", NOW)]);
    b.take_findings(vec![finding(0, "k", NOW - 15_000)]);
    let at = b.looks_at(Some(b.incidents[0].id)).expect("news");
    assert!(b.looks_at(Some(b.incidents[0].id)).is_none(), "once");
    let present = |console: &str, age_ms| Present {
        console: console.into(),
        by: "ben".into(),
        at: at.clone(),
        age_ms,
    };
    let own = present("c1", 0);
    let old = Present {
        by: "eve".into(),
        ..present("c9", 60_000)
    };
    a.take_shared(Shared::Present(vec![own, present("c2", 1_000), old]));
    let names = |world: &World| Vec::from_iter(world.lookers(&world.incidents[0]));
    assert_eq!(names(&a), [(by("ben"), 1)]);
    a.now = Timestamp(NOW + 40_000);
    assert!(names(&a).is_empty());
    // On machines where all are called alike, two are two.
    a.take_shared(Shared::Present(vec![present("c2", 0), present("c3", 0)]));
    assert_eq!(names(&a), [(by("ben"), 2)]);
    a.take_shared(Shared::Left("c2".into()));
    assert_eq!(names(&a), [(by("ben"), 1)]);
}

#[test]
fn what_is_merged_into_another_keeps_what_people_did() {
    let mut a = console(&["alpha"], "c1");
    let of = |node: &str, key: &str, at: i64| Finding {
        subject: Subject::Node(node.into()),
        ..finding(0, key, at)
    };
    a.take_findings(vec![of("n1", "a", NOW), of("n2", "b", NOW)]);
    assert_eq!(a.incidents.len(), 2);
    for place in 0..2 {
        let id = a.incidents[place].id;
        a.deed(id, Deed::Note(format!("note {place}")), &by("ana"));
    }
    // Two nodes in one sign.
    let mut incidents = std::mem::take(&mut a.incidents);
    let both = Finding {
        subject: Subject::Node("n1".into()),
        ..finding(0, "c", NOW)
    };
    a.grouper
        .take(&mut incidents, both, &["n1".into(), "n2".into()]);
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].desk.notes().count(), 2);
}

/// The team's tasks are started after the first frame: what is done before that waits too.
#[test]
fn what_is_done_before_the_team_reports_in_waits() {
    let clusters = vec![crate::config::Cluster {
        name: "alpha".into(),
        ..Default::default()
    }];
    let text = "[team]\nnats = { url = \"nats://127.0.0.1:9\" }\n";
    let parsed = crate::config::load::parse(text, std::path::Path::new("/x/c.toml"));
    let config = Config {
        clusters,
        team: parsed.expect("valid").team,
        ..Config::default()
    };
    let mut a = World::new(&config, Timestamp(NOW));
    a.take_findings(vec![finding(0, "k", NOW)]);
    let id = a.incidents[0].id;
    a.deed(id, Deed::Acknowledge, &by("ana"));
    assert_eq!(a.waiting(), 1);
    assert!(a.shared.unheard().is_some(), "it is not heard yet");
    a.take_shared(Shared::Begun {
        console: "c1".into(),
    });
    a.take_shared(Shared::Line(Line::Online));
    let mut bucket = Bucket::default();
    bucket.pass(&mut a, &mut []);
    assert_eq!((a.waiting(), bucket.0.len()), (0, 1));
}

/// Where reading leaves out what was written, it is not written round and round.
#[test]
fn what_does_not_come_back_as_it_was_sent_is_not_sent_at_once_again() {
    let mut a = console(&["alpha"], "c1");
    a.take_findings(vec![finding(0, "k", NOW)]);
    let id = a.incidents[0].id;
    a.deed(id, Deed::Acknowledge, &by("ana"));
    let mut sent = 0;
    for second in 0..60 {
        a.now = Timestamp(NOW + second * 1_000);
        for doc in a.unshared() {
            sent += 1;
            let desk = Desk::default();
            a.take_shared(Shared::Docs(vec![Doc { desk, ..doc }]));
        }
    }
    assert!((2..=6).contains(&sent), "{sent} times in a minute");
    assert_eq!(a.waiting(), 1);
}

/// In an earlier run, without a team, the clock of this machine was a year ahead.
#[test]
fn what_an_earlier_run_did_by_a_wrong_clock_is_of_now() {
    let mut before = fake::world(&["alpha"]);
    before.restore(Vec::new(), Vec::new(), 0);
    before.take_findings(vec![finding(0, "k", NOW)]);
    let id = before.incidents[0].id;
    let year = 365 * 86_400_000;
    before.now = Timestamp(NOW + year);
    before.deed(id, Deed::Acknowledge, &by("ana"));
    let mut a = console(&["alpha"], "c1");
    a.incidents = before.incidents;
    a.take_shared(Shared::Ahead(0));
    let edits = a.incidents[0].desk.edits();
    assert!(edits.iter().all(|e| e.mark.ms == NOW), "{edits:?}");
    assert_eq!(a.waiting(), 1);
}
