use super::*;
use crate::model::desk::{Desk, Hand, What};
use crate::model::id::IncidentId;
use crate::ui::view::fake;

fn doc(id: u64, cluster: &str, signs: &[&str], at: i64) -> Doc {
    let mut desk = Desk::default();
    let note = What::Note(format!("of {id}"));
    desk.write(note, &Hand::default(), Timestamp(at));
    Doc {
        about: About::Incident {
            id: IncidentId(id),
            cluster: cluster.into(),
            keys: signs.iter().map(|sign| Arc::from(*sign)).collect(),
            opened: Timestamp(1_000),
            until: Timestamp(2_000),
        },
        desk,
    }
}

#[test]
fn those_of_an_incident_are_found_by_id_and_by_each_sign_at_that_time() {
    let mut world = fake::world(&["alpha"]);
    world.take_findings(vec![super::super::tests::finding(0, "k", 1_000)]);
    let mut incident = world.incidents.remove(0);
    (incident.id, incident.closed) = (IncidentId(7), Some(Timestamp(2_000)));
    let cluster: Arc<str> = "alpha".into();
    let mut docs = Docs::default();
    for one in [
        doc(9, "alpha", &["k", "other"], 1),
        doc(7, "alpha", &["z"], 1),
        doc(8, "alpha", &["other"], 1),
        doc(3, "beta", &["k"], 1),
    ] {
        docs.put(one);
    }
    let ids = |docs: &Docs| -> Vec<String> {
        let found = docs.of(&incident, &cluster, Timestamp(9_000));
        found.iter().map(|doc| doc.key().to_string()).collect()
    };
    assert_eq!(
        ids(&docs),
        ["incident.0000000000000007", "incident.0000000000000009"]
    );
    // What is written anew stands under its new signs only.
    docs.put(doc(9, "alpha", &["other"], 1));
    assert_eq!(ids(&docs), ["incident.0000000000000007"]);
    docs.put(doc(9, "alpha", &["k"], 1));
    docs.remove("incident.0000000000000009");
    docs.remove("incident.0000000000000007");
    assert!(ids(&docs).is_empty());
    docs.remove("incident.0000000000000008");
    docs.remove("incident.0000000000000003");
    assert!(docs.is_empty() && docs.by_sign.is_empty(), "{docs:?}");
}

#[test]
fn of_too_many_the_oldest_go() {
    let mut docs = Docs::default();
    for n in 0..DOCS as u64 + 3 {
        docs.put(doc(n, "alpha", &["k"], n as i64));
    }
    assert_eq!(docs.len(), DOCS);
    let there = |n| docs.get(&DeskKey::of_incident(IncidentId(n))).is_some();
    assert!(!there(2) && there(3));
    assert_eq!(
        docs.by_sign.values().map(BTreeSet::len).sum::<usize>(),
        DOCS
    );
}
