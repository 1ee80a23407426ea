use super::*;
use crate::config::{Cluster, Config, Kube};

/// A cluster with an API server and no Loki.
fn without_loki() -> World {
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            kube: Some(Kube::default()),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    World::new(&config, Timestamp(fake::NOW))
}

#[test]
fn without_loki_a_pod_is_asked_of_the_api_server() {
    let world = without_loki();
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 120, 24), &world);
    let focus = Focus::Pod {
        cluster: ClusterId(0),
        namespace: "shop".into(),
        pod: "cart-x".into(),
    };
    let asked = |effects: &[Effect]| match effects {
        [Effect::Ask(question)] => match &question.ask {
            Ask::PodLogs(pod) => (question.id, pod.clone()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let (id, pod) = asked(&view.enter(&fake::entry(Some(focus)), &world));
    assert_eq!((pod.container.clone(), pod.since_s), (None, Some(3_600)));
    let line = |container: &str, text: &str| LogLine {
        at_ns: fake::NOW * 1_000_000,
        labels: Labels::from_pairs([
            ("namespace", "shop"),
            ("pod", "cart-x"),
            ("container", container),
        ]),
        line: text.into(),
        level: Level::Info,
    };
    let answered = Answered {
        id,
        cluster: ClusterId(0),
        ask: Ask::PodLogs(pod),
        origin: "context lab".into(),
        at: Timestamp(fake::NOW),
        latency_ms: 4,
        warnings: vec!["container c: has not started".into()],
        cut_from: None,
        result: Ok(Answer::Logs(vec![line("a", "hello"), line("b", "there")])),
    };
    view.answer(&answered, &world);
    let shown = fake::screen(&world, 120, 24, |ctx, area, buf| view.draw(ctx, area, buf));
    for wanted in [
        "pod shop/cart-x · all containers",
        "hello",
        "context lab",
        "container c:",
    ] {
        assert!(shown.contains(wanted), "{wanted} in {shown}");
    }
    // Patterns of an answer are found once they are shown, and none is told before.
    view.update(Command::Mode, &world);
    for found in [false, true] {
        let patterns = view.found_patterns(&world);
        let rows: Vec<&str> = patterns.rows.iter().map(|p| &*p.template).collect();
        match found {
            true => assert_eq!((&rows[..], patterns.cut), (&["hello", "there"][..], false)),
            false => assert!(rows.is_empty() && patterns.cut),
        }
        settle(&mut view, &world);
    }
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let (_, next) = asked(&view.update(Command::NextPane, &world));
    assert_eq!(next.container.as_deref(), Some("a"));
    let (_, last) = asked(&view.update(Command::PreviousPane, &world));
    assert_eq!(last.container, None);
    let (_, before) = asked(&view.update(Command::PreviousRun, &world));
    assert_eq!((before.previous, before.since_s), (true, None));
    let followed = view.update(Command::Bottom, &world);
    assert!(
        matches!(
            followed.as_slice(),
            [Effect::TailLogs(tails)] if matches!(tails.as_slice(), [(ClusterId(0), Tail::Pod(_))])
        ),
        "{followed:?}"
    );
    assert_eq!(view.filter(), "namespace=shop pod=cart-x");
}

#[test]
fn with_loki_the_lines_of_a_pod_are_asked_of_it() {
    let mut world = fake::world(&["alpha", "beta"]);
    let focus = |pod: &str| Focus::Pod {
        cluster: ClusterId(1),
        namespace: "shop".into(),
        pod: pod.into(),
    };
    let query = |world: &World, pod: &str| {
        let mut view = Logs::default();
        let entry = Entry {
            scope: Some(ClusterId(1)),
            ..fake::entry(Some(focus(pod)))
        };
        let effects = view.enter(&entry, world);
        let asked = effects.iter().find_map(|effect| match effect {
            Effect::Ask(question) => Some(question.clone()),
            _ => None,
        });
        match asked.map(|q| (q.cluster, q.ask)) {
            Some((ClusterId(1), Ask::Logs { query, .. })) => query,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        query(&world, "cart-\"0\""),
        r#"{namespace="shop", pod="cart-\"0\""}"#
    );
    // Where the lines held tell that its labels have other names, by those.
    let labels = [
        ("kubernetes_namespace_name", "shop"),
        ("kubernetes_pod_name", "cart-1"),
    ];
    let line = LogLine {
        at_ns: fake::NOW * 1_000_000,
        labels: Labels::from_pairs(labels),
        line: "hello".into(),
        level: Level::Info,
    };
    let batch = LogBatch {
        lines: vec![line],
        dropped: 0,
        live: false,
    };
    fake::tell(&mut world, 1, Body::Logs(batch));
    assert_eq!(
        query(&world, "cart-0"),
        r#"{kubernetes_namespace_name="shop", kubernetes_pod_name="cart-0"}"#
    );
}

#[test]
fn a_pod_of_the_same_name_elsewhere_is_another_pod() {
    let config = Config {
        clusters: ["edge-1", "edge-2"]
            .map(|name| Cluster {
                name: name.into(),
                kube: Some(Kube::default()),
                ..Cluster::default()
            })
            .into(),
        ..Config::default()
    };
    let world = World::new(&config, Timestamp(NOW));
    let mut view = Logs::default();
    let ask = |view: &mut Logs, cluster: u16| {
        let focus = Focus::Pod {
            cluster: ClusterId(cluster),
            namespace: "ran-du".into(),
            pod: "du-high-0".into(),
        };
        let effects = view.enter(&fake::entry(Some(focus)), &world);
        super::editor::questions(&effects).remove(0)
    };
    let question = ask(&mut view, 0);
    let lines = vec![line(5, "du-high-0", Level::Info, "of the first cluster")];
    let answer = super::editor::told(&question, Answer::Logs(lines));
    view.answer(&answer, &world);
    let drawn = |view: &Logs| super::editor::drawn(view, &world, (120, 24));
    assert!(drawn(&view).contains("of the first cluster"));
    // The same once more stays in view until it is answered.
    ask(&mut view, 0);
    assert!(drawn(&view).contains("of the first cluster"));
    ask(&mut view, 1);
    let text = drawn(&view);
    assert!(!text.contains("of the first cluster"), "{text}");
    assert!(text.contains("asking …"), "{text}");
}
