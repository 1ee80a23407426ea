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
    told.gauges.samples = vec![("far-1".into(), Published::default())];
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

/// A cluster of whose samples nothing is known yet has no line: 0 would be a word.
#[test]
fn samples_are_told_of_where_they_are_known() {
    let mut told = turn(0, Vec::new());
    let bare = page(Some(&told), &process(&[]));
    assert!(!bare.contains("farwatch_samples"), "{bare}");
    let published = Published {
        sent: 5,
        sent_bytes: 4_000,
        waiting: 2,
        waiting_scrapes: 9,
        lost: 3,
    };
    told.gauges.samples = vec![("far-1".into(), published)];
    let page = page(Some(&told), &process(&[]));
    for line in [
        "farwatch_samples_messages_sent_total{cluster=\"far-1\"} 5\n",
        "farwatch_samples_sent_bytes_total{cluster=\"far-1\"} 4000\n",
        "farwatch_samples_messages_waiting{cluster=\"far-1\"} 2\n",
        "farwatch_samples_scrapes_waiting{cluster=\"far-1\"} 9\n",
        "farwatch_samples_scrapes_dropped_total{cluster=\"far-1\"} 3\n",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    assert!(!page.contains("cluster=\"beta\"} 0"), "{page}");
}

#[test]
fn labels_are_escaped() {
    assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
}
