use super::*;

#[test]
fn a_query_is_followed_in_all_clusters_and_what_lags_is_named() {
    let mut world = world();
    let mut view = Logs::default();
    let entry = Entry {
        scope: None,
        window: Window::HOUR,
        focus: None,
        query: Some("{app=\"x\"}".into()),
    };
    view.enter(&entry, &world);
    let followed = view.update(Command::Bottom, &world);
    let wanted = |at: u16| (ClusterId(at), Tail::Loki("{app=\"x\"}".into()));
    assert_eq!(followed, [Effect::TailLogs(vec![wanted(0), wanted(1)])]);
    // The second lags by twenty seconds and lost three lines before.
    tell(&mut world, 1, vec![line(20, "p", Level::Info, "slow")], 0);
    let text = |view: &Logs, width| {
        fake::screen(&world, width, 20, |ctx, area, buf| {
            view.draw(ctx, area, buf)
        })
    };
    assert!(
        text(&view, 140).contains("gpu-train-1 20.0 s"),
        "{}",
        text(&view, 140)
    );
    assert!(
        text(&view, 80).contains("gpu-train-1 3 dropped"),
        "{}",
        text(&view, 80)
    );
}
