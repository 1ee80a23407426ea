//! What is not told now is neither well nor a problem.

use super::*;
use crate::model::time::Timestamp;

#[test]
fn a_dead_link_is_a_problem_and_an_untold_one_is_not() {
    let mut world = fake::world(&["edge-ran-07"]);
    let port = |speed: Option<&str>| PhysicalFunction {
        link_speed: speed.map(str::to_owned),
        ..function("ens2f0", 8, 8)
    };
    let tell = |world: &mut World, speed: Option<&str>| {
        let state = SriovNodeState {
            node: "n-07-a".into(),
            sync_status: Some("Succeeded".into()),
            last_sync_error: None,
            desired_state: None,
            current_state: None,
            interfaces: vec![port(speed)],
        };
        let batch = ObjectBatch {
            reset: true,
            upserts: vec![Object::SriovNodeState(state)],
            ..ObjectBatch::empty(ObjectKind::SriovNodeState)
        };
        fake::tell(world, 0, Body::Objects(batch));
    };
    let mut view = Cnf::default();
    view.place(Rect::new(0, 0, 120, 32), &world);
    view.update(Command::NextPane, &world);
    view.update(Command::Problems, &world);
    tell(&mut world, Some("-1 Mb/s"));
    assert_eq!(view.below(&world).len(), 1);
    let rows = sriov::rows(&world, None);
    let problem = rows.first().and_then(|row| row.problem());
    assert_eq!(problem, Some(("link down, 8 VFs on it".into(), true)));
    let text = |view: &Cnf, world: &World| {
        fake::screen(world, 200, 32, |ctx, a, buf| view.draw(ctx, a, buf))
    };
    let shown = text(&view, &world);
    assert!(
        shown.contains("✗ n-07-a") && shown.contains("down"),
        "{shown}"
    );
    tell(&mut world, None);
    assert_eq!(view.below(&world).len(), 0, "nothing is wrong with it");
    view.update(Command::Problems, &world);
    let shown = text(&view, &world);
    assert!(shown.contains("n/a") && !shown.contains("down"), "{shown}");
}

#[test]
fn what_is_polled_rarely_is_not_old_between_two_polls() {
    let mut world = fake::world(&["edge-ran-07", "far-ran-01"]);
    let labels = [
        ("node", "n-07-a"),
        ("process", "ptp4l"),
        ("iface", "ens1fx"),
    ];
    for (name, value) in [
        ("openshift_ptp_clock_state", 1.0),
        ("openshift_ptp_offset_ns", 3.0),
    ] {
        fake::polled(
            &mut world,
            (0, Group::Ptp),
            name,
            &labels,
            &[value],
            120_000,
        );
    }
    let text = |world: &World| {
        let view = Cnf::default();
        fake::screen(world, 160, 32, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    let after = |world: &mut World, s: i64| world.tick(Timestamp(fake::NOW + s * 1_000));
    after(&mut world, 110);
    let shown = text(&world);
    assert!(shown.contains("1 locked, 0 holdover"), "{shown}");
    assert!(
        shown.contains("● n-07-a") && !shown.contains('~'),
        "{shown}"
    );
    // An hour after its source died nobody knows.
    after(&mut world, 3_600);
    let shown = text(&world);
    assert!(
        shown.contains("0 locked") && shown.contains("1 unknown"),
        "{shown}"
    );
    assert!(
        shown.contains("? n-07-a") && shown.contains("LOCKED, old"),
        "{shown}"
    );
    assert!(!shown.contains('●'), "{shown}");
    let mut view = Cnf::default();
    view.update(Command::Problems, &world);
    assert_eq!(view.nodes(&world).len(), 1, "it is not known to be well");
    // A page that shows all of its clocks says so as well.
    let rows = view.nodes(&world);
    let chain = fake::screen(&world, 90, 12, |ctx, area, buf| {
        chain::draw(ctx, area, buf, rows[0], &rows);
    });
    assert!(chain.contains("ptp4l ?") && !chain.contains('●'), "{chain}");
}

#[test]
fn a_dead_process_writes_no_more_letters() {
    let mut world = world();
    let labels = [
        ("node", "n-07-a"),
        ("process", "ptp4l"),
        ("config", "ptp4l.0.config"),
    ];
    let up: Vec<f64> = (0..120).map(|i| f64::from(u8::from(i < 60))).collect();
    fake::samples(
        &mut world,
        0,
        Group::Ptp,
        "openshift_ptp_process_status",
        &labels,
        &up,
    );
    let view = Cnf::default();
    let rows = view.nodes(&world);
    let row = rows.iter().find(|r| &*r.1.node == "n-07-a").expect("there");
    let ribbon = fake::screen(&world, 40, 1, |ctx, area, buf| {
        let series = ribbon::States::of(ctx, std::iter::once(row.0));
        let states = ribbon::states(ctx, &series, *row, 40);
        let line = ribbon::line(ctx.theme, &states);
        crate::ui::view::common::lines(ctx, area, buf, &[line], 0);
    });
    let letters = ribbon.matches('L').count();
    assert!((18..=24).contains(&letters), "half of it: {ribbon:?}");
}
