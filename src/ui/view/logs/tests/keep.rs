use super::*;
use crate::model::export::{Format, Kept};

/// What is written: cluster and text of each line.
fn written(effects: &[Effect]) -> Vec<(String, String)> {
    let [Effect::Save(export)] = effects else {
        panic!("{effects:?}");
    };
    let Kept::Lines(lines) = &export.kept else {
        panic!("no lines");
    };
    let mut out = Vec::new();
    lines.each(&mut |cluster, line| out.push((cluster.to_owned(), line.line.to_owned())));
    out
}

#[test]
fn the_lines_that_the_filter_keeps_are_written_in_time_order() {
    let world = world();
    let mut view = Logs::default();
    let all = written(&view.update(Command::Export(Format::Text), &world));
    assert_eq!(all.len(), 40);
    let first: Vec<&str> = all.iter().take(3).map(|(_, text)| text.as_str()).collect();
    assert_eq!(first, ["even 0", "odd 0 offset", "even 1"]);
    assert_eq!((&*all[0].0, &*all[1].0), ("edge-ran-07", "gpu-train-1"));
    view.update(Command::Filter("pod=vllm-0 !19".into()), &world);
    view.update(Command::Problems, &world);
    let some = written(&view.update(Command::Export(Format::Csv), &world));
    let texts: Vec<&str> = some.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "odd 0 offset",
            "odd 5 offset",
            "odd 10 offset",
            "odd 15 offset"
        ]
    );
    // That there is no picture of lines is said where files are written; of no line there is none.
    assert_eq!(
        written(&view.update(Command::Export(Format::Png), &world)).len(),
        4
    );
    let empty = fake::world(&["edge-ran-07"]);
    let mut view = Logs::default();
    let said = view.update(Command::Export(Format::Json), &empty);
    assert!(matches!(said[..], [Effect::Say(_)]), "{said:?}");
}
