//! What several clusters show together.

use super::*;

#[test]
fn the_same_onset_in_several_clusters_points_above_them() {
    let mut world = world(&["a", "b", "c"]);
    let of = |cluster: u16| {
        let mut lost = finding(gpu(), "clock is in holdover", 0, FindingKind::Spike);
        lost.cluster = ClusterId(cluster);
        incident(cluster, vec![lost])
    };
    world.incidents = vec![of(0), of(1)];
    let causes = world.causes(&world.incidents[0]);
    assert!(!causes.words().contains("share"), "{}", causes.words());
    world.incidents.push(of(2));
    let causes = world.causes(&world.incidents[0]);
    let place = causes.ranking.place().expect("evidence");
    assert_eq!(causes.name(place), "what these clusters share");
    assert!(
        causes.words().contains("within 0 s in a, b, c"),
        "{}",
        causes.words()
    );
    // Minutes apart is each its own.
    world.incidents[1].opened = Timestamp(NOW - 600_000 - 500_000);
    let causes = world.causes(&world.incidents[0]);
    assert!(!causes.words().contains("share"), "{}", causes.words());
}

/// The clocks of the clusters are so many seconds ahead of ours, as their Prometheus tells.
fn set_clocks(world: &mut World, seconds: &[Option<i64>]) {
    for (cluster, seconds) in world.clusters.iter_mut().zip(seconds) {
        let health = SourceHealth {
            skew_ms: seconds.map(|s| s * 1000),
            ..SourceHealth::default()
        };
        cluster.sources.insert(SourceKind::Prometheus, health);
    }
}

#[test]
fn who_was_first_among_clusters_is_known_beyond_their_clocks_only() {
    let told = |after_s: i64, clocks: [Option<i64>; 3]| {
        let mut world = world(&["a", "b", "c"]);
        set_clocks(&mut world, &clocks);
        let of = |cluster: u16, at_s: i64| {
            let mut lost = finding(gpu(), "clock is in holdover", at_s, FindingKind::Spike);
            lost.cluster = ClusterId(cluster);
            let mut incident = incident(cluster, vec![lost]);
            incident.opened = incident.opened.plus_ms(at_s * 1000);
            incident
        };
        world.incidents = vec![of(0, after_s), of(1, 0), of(2, 0)];
        world.causes(&world.incidents[0]).words()
    };
    let later = "came 96 s after the earliest";
    // 100 s before, of which four seconds are the clocks': more than the interval of a minute.
    let words = told(100, [Some(0); 3]);
    assert!(words.contains(later), "{words}");
    assert!(words.contains("within 100 s in a, b, c"), "{words}");
    assert!(!words.contains("clocks"), "{words}");
    // Its clock is half a minute ahead, or nobody knows: that is no order.
    for clocks in [[Some(30), Some(0), Some(0)], [None, Some(0), Some(0)]] {
        let words = told(100, clocks);
        assert!(words.contains("what these clusters share"), "{words}");
        assert!(!words.contains("after the earliest"), "{words}");
    }
    let words = told(100, [Some(0), None, Some(0)]);
    assert!(words.contains("how far the clocks of b are off"), "{words}");
    // Minutes apart, and at the same time by their clocks.
    let words = told(600, [Some(590), Some(0), Some(-5)]);
    assert!(
        words.contains("within 10 s in a, b, c; their clocks are 595 s apart"),
        "{words}"
    );
    let words = told(600, [Some(0); 3]);
    assert!(!words.contains("share"), "{words}");
}

#[test]
fn what_clusters_say_together_is_told_by_what_it_says() {
    let mut world = world(&["a", "b", "c"]);
    let mut of = |texts: [&str; 3], key: &str, kind: FindingKind, earlier: bool| {
        let incidents = texts.iter().zip(0..).map(|(text, cluster)| {
            let mut told = finding(gpu(), text, 0, kind);
            (told.cluster, told.earlier) = (ClusterId(cluster), earlier);
            (told.signal, told.key) = ("alert".into(), format!("{key}/{text}").into());
            incident(cluster, vec![told])
        });
        world.incidents = incidents.collect();
        world.causes(&world.incidents[0]).words()
    };
    let same = ["alert A: x", "alert A: y", "alert A: z"];
    let others = ["alert A: x", "alert B: y", "alert C: z"];
    let words = of(same, "alert", FindingKind::Alert, false);
    assert!(
        words.contains("alert A began within 0 s in a, b, c"),
        "{words}"
    );
    let words = of(others, "alert", FindingKind::Alert, false);
    assert!(!words.contains("share"), "{words}");
    // Begun before our data: nobody knows that it was together.
    let words = of(same, "alert", FindingKind::Alert, true);
    assert!(!words.contains("share"), "{words}");
    // States go by what stands at the end of their key.
    let reasons = ["OOMKilled", "CrashLoopBackOff", "Evicted"];
    let words = of(reasons, "pods/x", FindingKind::State, false);
    assert!(!words.contains("share"), "{words}");
    let words = of(["OOMKilled"; 3], "pods/x", FindingKind::State, false);
    assert!(words.contains("alert OOMKilled began within"), "{words}");
}
