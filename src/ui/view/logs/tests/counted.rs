use super::*;

/// What takes many lines to tell is worked out once, and again when a line came.
#[test]
fn patterns_volume_and_matches_are_kept() {
    let mut world = world();
    let mut view = Logs::default();
    view.update(Command::Find("odd".into()), &world);
    let look = |view: &Logs, world: &World| {
        let key = view.key(world, Default::default());
        let patterns = view.kept.patterns.get(key, || panic!("is kept"));
        (patterns, view.matches(world))
    };
    view.update(Command::Mode, &world);
    fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    let first = look(&view, &world);
    let again = look(&view, &world);
    assert!(std::sync::Arc::ptr_eq(&first.0, &again.0));
    tell(
        &mut world,
        1,
        vec![line(0, "vllm-0", Level::Info, "odd")],
        0,
    );
    fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    let after = look(&view, &world);
    assert!(!std::sync::Arc::ptr_eq(&first.0, &after.0));
    assert_eq!(after.1, "21/21");
}

#[test]
fn volume_by_origin_leads_to_its_lines() {
    let world = world();
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 120, 30), &world);
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let text = fake::screen(&world, 120, 30, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(
        text.contains("volume by origin 2") && text.contains("50%"),
        "{text}"
    );
    view.update(Command::Open, &world);
    assert!(view.shows_lines());
    assert_eq!(view.filter(), "pod=du-high-0");
    for width in (0..120).step_by(7) {
        for height in 0..20 {
            view.mode = Mode::Volume(Table::default());
            view.place(Rect::new(0, 0, width, height), &world);
            fake::screen(&world, width, height, |ctx, area, buf| {
                view.draw(ctx, area, buf)
            });
        }
    }
}

#[test]
fn more_lines_than_can_be_counted_are_as_many_as_can() {
    let mut counts = tally::Counts::new(1);
    counts.add([u32::MAX, 0, 1], 0);
    counts.add([u32::MAX, 0, 1], 0);
    assert_eq!(counts.slots, [vec![u32::MAX], vec![0], vec![2]]);
}
