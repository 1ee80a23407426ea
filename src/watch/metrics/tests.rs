use super::super::told::tests::{NOW, incident, turn};
use super::*;

fn process(counts: &[(String, Arc<Count>)]) -> Process<'_> {
    Process {
        counts,
        lines_lost: Some(0),
        resident_bytes: 0,
        started: Timestamp(NOW),
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    let bare = page(None, &process(&[]));
    assert!(bare.contains("farwatch_build_info{version="), "{bare}");
    for absent in ["loop", "clusters", "bus", "resident", "outlet"] {
        assert!(!bare.contains(absent), "{absent}: {bare}");
    }
    let page = page(Some(&turn(0, vec![incident(7, "alpha")])), &process(&[]));
    assert!(page.contains("farwatch_clusters_held 2\n"), "{page}");
    assert!(page.contains("farwatch_cluster_health_score{cluster=\"alpha\"} 80\n"));
    assert!(!page.contains("farwatch_cluster_health_score{cluster=\"beta\"}"));
    assert!(page.contains("farwatch_incidents_open{cluster=\"alpha\",severity=\"warning\"} 1\n"));
    assert!(page.contains("farwatch_incidents_open{cluster=\"beta\",severity=\"critical\"} 0\n"));
    assert!(page.contains("farwatch_sources{health=\"live\"} 2\n"));
    assert!(page.contains(&format!(
        "farwatch_last_loop_timestamp_seconds {}\n",
        NOW / 1000
    )));
}

#[test]
fn every_family_is_described_once_and_stands_together() {
    let counts = ["webhook", "otlp"].map(|n| (n.to_owned(), Arc::<Count>::default()));
    let mut told = turn(0, Vec::new());
    told.gauges.bus.wanted = true;
    let page = page(Some(&told), &process(&counts));
    let mut seen = std::collections::BTreeSet::new();
    let mut current = "";
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            current = rest.split(' ').next().expect("a name");
            assert!(seen.insert(current), "{current} stands twice");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next();
            assert_eq!(name, Some(current), "{line}");
        }
    }
    assert!(seen.len() > 22, "{seen:?}");
}

#[test]
fn labels_are_escaped() {
    assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
}
