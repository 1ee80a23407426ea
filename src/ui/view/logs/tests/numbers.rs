use super::editor::{SIZES, drawn, questions, told};
use super::lines::{asked, told_world};
use super::*;
use crate::model::ask::Question;
use crate::model::fault::{Fault, FaultKind};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};

pub fn series(name: &str, labels: &[(&str, &str)], values: &[f64]) -> SeriesSamples {
    let at = |n: usize| Timestamp(NOW - 1_800_000 + n as i64 * 15_000);
    SeriesSamples {
        key: SeriesKey::new(name, Labels::from_pairs(labels.iter().copied())),
        kind: SampleKind::Gauge,
        points: (values.iter().enumerate())
            .map(|(n, value)| Sample {
                at: at(n),
                value: *value,
            })
            .collect(),
    }
}

#[test]
fn a_query_of_numbers_is_drawn_as_curves() {
    let world = told_world();
    let mut view = Logs::default();
    let asked = questions(&view.run("sum by (app) (rate({a=\"b\"}[5m]))", &world));
    assert_eq!(asked.len(), 2);
    assert!(
        asked.iter().all(|q| matches!(q.ask, Ask::LogSeries { .. })),
        "{asked:?}"
    );
    assert!(drawn(&view, &world, (120, 30)).contains("asking …"));
    let rows = vec![
        series("value", &[("app", "cart")], &[1.0, 2.0, 4.0, 3.0]),
        series("value", &[("app", "checkout")], &[2.0, 9.0, 1.0, 7.5]),
    ];
    view.answer(&told(&asked[0], Answer::Series(rows.into())), &world);
    let fault = Fault {
        kind: FaultKind::BadQuery,
        cluster: "gpu-train-1".into(),
        endpoint: "http://127.0.0.1:3100".into(),
        what: "maximum number of series (500) reached for a single query".into(),
        hint: "ask for less".into(),
    };
    let failed = Answered {
        result: Err(fault),
        ..told(&asked[1], Answer::Series(std::sync::Arc::default()))
    };
    view.answer(&failed, &world);
    for size in SIZES {
        insta::assert_snapshot!(
            format!("numbers_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
    }
    assert!(view.back() && view.counted.is_none());
}

#[test]
fn levels_are_those_that_loki_counts() {
    let world = told_world();
    let (mut view, asked) = asked(
        &world,
        "{app=\"cart\"}",
        vec![line(50, "a", Level::Info, "x")],
    );
    assert!(drawn(&view, &world, (120, 20)).contains("1 lines read"));
    let volume: Vec<&Question> = asked
        .iter()
        .filter(|q| matches!(q.ask, Ask::LogVolume { .. }))
        .collect();
    assert_eq!(volume.len(), 2);
    let counted = vec![
        series("lines", &[("detected_level", "error")], &[5.0, 7.0]),
        series("lines", &[("level", "info")], &[1_000.0]),
    ];
    view.answer(&told(volume[0], Answer::Series(counted.into())), &world);
    assert!(
        drawn(&view, &world, (120, 20)).contains("1 lines read"),
        "one is missing"
    );
    view.answer(
        &told(volume[1], Answer::Series(std::sync::Arc::default())),
        &world,
    );
    let text = drawn(&view, &world, (120, 20));
    assert!(text.contains("1012 lines, counted by Loki"), "{text}");
    assert!(text.contains(" 12 ") && text.contains(" 1000 "), "{text}");
}

#[test]
fn bytes_of_the_index_are_told_as_such() {
    let world = told_world();
    let (mut view, asked) = asked(&world, "{app=\"cart\"}", Vec::new());
    for question in asked
        .iter()
        .filter(|q| matches!(q.ask, Ask::LogVolume { .. }))
    {
        let bytes = vec![series("bytes", &[], &[1_048_576.0, 0.0])];
        view.answer(&told(question, Answer::Series(bytes.into())), &world);
    }
    let text = drawn(&view, &world, (120, 20));
    assert!(
        text.contains("by Loki's index, which knows no levels"),
        "{text}"
    );
}
