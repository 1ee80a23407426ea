use super::*;

fn about(id: u64, keys: &[&str], opened: i64, until: i64) -> About {
    About::Incident {
        id: IncidentId(id),
        cluster: "alpha".into(),
        keys: keys.iter().map(|k| Arc::from(*k)).collect(),
        opened: Timestamp(opened),
        until: Timestamp(until),
    }
}

#[test]
fn an_incident_is_known_again_by_its_id_or_by_a_sign_at_the_same_time() {
    let one = about(1, &["a", "b"], 1_000_000, 2_000_000);
    let same = |other: &About| one.is_same(other) && other.is_same(&one);
    assert!(same(&about(1, &["z"], 90_000_000, 91_000_000)), "the id");
    assert!(same(&about(2, &["b", "c"], 1_700_000, 3_000_000)), "a sign");
    assert!(
        same(&about(2, &["b"], 2_600_000, 3_000_000)),
        "ten minutes apart"
    );
    assert!(
        !same(&about(2, &["c"], 1_000_000, 2_000_000)),
        "other signs"
    );
    let later = about(2, &["b"], 2_900_001, 3_000_000);
    assert!(!same(&later), "a quarter of an hour later it is another");
    let elsewhere = About::Incident {
        id: IncidentId(1),
        cluster: "beta".into(),
        keys: BTreeSet::new(),
        opened: Timestamp(1_000_000),
        until: Timestamp(2_000_000),
    };
    assert!(!same(&elsewhere));
}

#[test]
fn what_no_console_writes_is_not_taken() {
    let long: Arc<str> = "k".repeat(KEY + 1).into();
    let finding = |cluster: &str, key: Arc<str>| About::Finding {
        cluster: cluster.into(),
        key,
    };
    assert_eq!(Doc::safe(finding("alpha", long), Vec::new()), None);
    let (doc, _) = Doc::safe(finding("al\u{1b}[2Jpha", "k".into()), Vec::new()).expect("taken");
    assert_eq!(doc.about.cluster().as_ref(), "alpha");
}
