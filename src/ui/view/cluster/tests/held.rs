//! What stays as it was: the row that is sought, the place in a list, counts and values that are not
//! (or no longer) known.

use super::*;

#[test]
fn another_row_never_stands_in_for_the_one_sought() {
    let mut world = world();
    let mut screen = screen();
    screen.tab = Tab::Only(List::Pods);
    screen.update(Command::Filter("web".into()), &world);
    let entry = |pod: &str| Entry {
        scope: Some(ClusterId(0)),
        ..fake::entry(Some(Focus::Pod {
            cluster: ClusterId(0),
            namespace: "ran".into(),
            pod: pod.into(),
        }))
    };
    screen.enter(&entry("du-5d-b"), &world);
    assert_eq!(screen.filter(), "", "the filter would hide it");
    assert_eq!(screen.focus(&world), entry("du-5d-b").focus);
    screen.enter(&entry("late-1"), &world);
    assert_eq!(screen.focus(&world), Some(Focus::Cluster(ClusterId(0))));
    assert_eq!(screen.open(&world), None);
    let text = drawn(&screen, &world);
    assert!(text.contains("ran/late-1 is not among them"), "{text}");
    list(
        &mut world,
        ObjectKind::Pod,
        vec![pod("a-1", None), pod("late-1", None)],
    );
    assert_eq!(screen.focus(&world), entry("late-1").focus);
    let workload = Focus::Object {
        cluster: ClusterId(0),
        kind: ObjectKind::DaemonSet,
        namespace: "ran".into(),
        name: "vector".into(),
    };
    let entry = Entry {
        focus: Some(workload.clone()),
        ..entry("")
    };
    screen.enter(&entry, &world);
    assert_eq!(screen.focus(&world), Some(workload));
}

#[test]
fn nothing_is_counted_before_it_is_listed() {
    let mut world = fake::world(&["edge"]);
    let mut screen = screen();
    let all = |screen: &mut Cluster, world: &World| {
        let tabs = Tab::ALL.iter().map(|tab| {
            screen.tab = *tab;
            drawn(screen, world)
        });
        tabs.collect::<String>()
    };
    let text = all(&mut screen, &world);
    for wanted in ["Problems ?", "Nodes ?", "Pods ?", "Workloads ?", "Events ?"] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    assert!(!text.contains("Nodes 0") && !text.contains("nothing is wrong"));
    list(&mut world, ObjectKind::Node, vec![node("n1", true)]);
    list(&mut world, ObjectKind::Pod, vec![]);
    let heard = fake::heard();
    fake::tell_of(&mut world, 0, SourceKind::Kubernetes, Body::Health(heard));
    screen.tab = Tab::Overview;
    let text = drawn(&screen, &world);
    assert!(text.contains("Problems ?"), "{text}");
    assert!(text.contains("not listed: Deployment"), "{text}");
    for kind in List::Workloads.kinds() {
        list(&mut world, *kind, vec![]);
    }
    let text = drawn(&screen, &world);
    assert!(text.contains("Problems 0"), "{text}");
    assert!(
        text.contains("nothing is wrong in what is listed"),
        "{text}"
    );
}

#[test]
fn esc_shows_all_again_before_it_leaves() {
    let world = world();
    let mut screen = screen();
    screen.update(Command::Problems, &world);
    assert_eq!(screen.depth(), 1);
    assert!(drawn(&screen, &world).contains("! problems only"));
    assert!(screen.back() && !screen.problems);
    assert!(!screen.back());
}

#[test]
fn times_of_another_day_have_their_date() {
    let mut world = world();
    let events = vec![
        event("e1", "du-5d-a", 86_400_000, 1),
        event("e2", "web-1", 0, 1),
    ];
    list(&mut world, ObjectKind::Event, events);
    let mut screen = screen();
    screen.tab = Tab::Only(List::Events);
    let text = drawn(&screen, &world);
    // The newest of the group is of today, its first of yesterday.
    assert!(text.contains("│08:00:00    01-14 08:00 "), "{text}");
}

#[test]
fn values_of_metrics_that_no_longer_come_are_marked() {
    let mut world = world();
    fake::samples(
        &mut world,
        0,
        crate::model::signal::Group::Cluster,
        "node_cpu_busy",
        &[("node", "n1")],
        &[0.5],
    );
    let mut screen = screen();
    screen.tab = Tab::Only(List::Nodes);
    let text = drawn(&screen, &world);
    assert!(text.contains("50%") && !text.contains("50%~"), "{text}");
    world.tick(Timestamp(fake::NOW + 62_000));
    let text = drawn(&screen, &world);
    assert_eq!(
        text.matches("50%~").count(),
        2,
        "of the cluster, of the node\n{text}"
    );
    screen.tab = Tab::Only(List::Capacity);
    let text = fake::screen(&world, 200, 34, |ctx, area, buf| {
        screen.draw(ctx, area, buf)
    });
    assert!(text.contains("~ is old: no sample since"), "{text}");
}

#[test]
fn rights_are_scrolled_no_further_than_their_end() {
    use crate::model::identity::{Identity, Review};
    let mut world = world();
    let reviews = (0..60).map(|n| Review {
        right: crate::model::identity::Right {
            verb: "list".into(),
            group: String::new(),
            resource: format!("things-{n:02}"),
            namespace: None,
        },
        allowed: Some(false),
        purpose: String::new(),
        reason: String::new(),
        at: Timestamp(fake::NOW),
    });
    let identity = Identity {
        reviews: reviews.collect(),
        ..Identity::default()
    };
    fake::tell(&mut world, 0, Body::Identity(Box::new(identity)));
    let mut screen = screen();
    screen.tab = Tab::Only(List::Rights);
    screen.place(Rect::new(0, 0, 120, 34), &world);
    screen.update(Command::PageDown, &world);
    let page = screen.skip;
    assert!(page > 10, "a page at a time");
    for _ in 0..9 {
        screen.update(Command::PageDown, &world);
    }
    let end = screen.skip;
    assert!(drawn(&screen, &world).contains("things-59"));
    screen.update(Command::Bottom, &world);
    assert_eq!(screen.skip, end);
    screen.update(Command::Up, &world);
    assert_eq!(screen.skip, end - 1);
}
