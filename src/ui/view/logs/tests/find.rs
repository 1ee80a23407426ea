use super::*;

#[test]
fn finds_without_hiding_and_goes_round() {
    let world = world();
    let mut view = Logs::default();
    view.update(Command::Find("offset 1".into()), &world);
    assert_eq!(view.page(&world, 99).entries.len(), 40, "nothing is hidden");
    let told = |view: &Logs| view.matches(&world);
    assert_eq!(told(&view), "11/11");
    for (forward, line, at) in [
        (false, "odd 19 offset", "11/11"),
        (false, "odd 18 offset", "10/11"),
        (true, "odd 19 offset", "11/11"),
        (true, "odd 1 offset", "1/11"),
        (false, "odd 19 offset", "11/11"),
    ] {
        let to = match forward {
            true => Command::NextMatch,
            false => Command::PreviousMatch,
        };
        view.update(to, &world);
        assert_eq!(chosen(&view, &world).as_deref(), Some(line));
        assert_eq!(told(&view), at);
    }
    let text = fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("find \"offset 1\" 11/11"), "{text}");
    // Both may be on: what the filter leaves is searched.
    view.update(Command::Filter("pod=du-high-0".into()), &world);
    assert_eq!(told(&view), "0/0");
    assert!(view.depth() == 3 && view.back());
    assert!(view.find.is_empty() && !view.filter_text.is_empty());
}

#[test]
fn what_was_found_is_marked() {
    use ratatui::style::Style;
    let marked = |find: &str, line: &str| -> Vec<String> {
        let spans = Find::new(find).spans(line, Style::new());
        let whole: String = spans.iter().map(|s| s.content.as_ref()).collect();
        assert_eq!(whole, line);
        let marked = spans.iter().filter(|s| s.style != Style::new());
        marked.map(|s| s.content.to_string()).collect()
    };
    assert_eq!(marked("off", "Offset off"), ["Off", "off"]);
    assert_eq!(marked("Off", "Offset off"), ["Off"]);
    assert_eq!(marked("off offset", "an offset"), ["off", "set"]);
    assert_eq!(marked("/[0-9]+/ !x pod=y", "a 12 x pod=y 漢3"), ["12", "3"]);
    assert!(marked("", "text").is_empty());
    let line = format!("{} timeout of upstream", "x".repeat(60));
    let shown = Find::new("timeout").in_view(&line, 30);
    assert_eq!(shown, "…xxxxxxxxx timeout of upstream");
    assert_eq!(Find::new("xx").in_view(&line, 4), "xxx…");
    assert_eq!(Find::new("timeout").in_view("a timeout", 0), "");
}
