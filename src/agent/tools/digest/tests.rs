//! What is told of series and lines, and what is cut.

use super::*;
use crate::model::sample::{SampleKind, SeriesKey};

fn series(values: &[f64]) -> SeriesSamples {
    let points = values
        .iter()
        .enumerate()
        .map(|(i, &value)| Sample {
            at: Timestamp(1_795_227_000_000 + i as i64 * 60_000),
            value,
        })
        .collect();
    SeriesSamples {
        key: SeriesKey::new("temp", Labels::from_pairs([("node", "n1")])),
        kind: SampleKind::Gauge,
        points,
    }
}

#[test]
fn a_step_is_found_and_noise_is_not() {
    let mut values = vec![40.0, 41.0, 40.5, 40.2, 40.8, 41.1];
    values.extend([82.0, 83.0, 82.5, 82.2, 83.1, f64::NAN]);
    let text = range(&[series(&values)]);
    assert!(text.contains("changed at"), "{text}");
    assert!(text.contains("max 83.1 at"), "{text}");
    assert!(text.contains("1 points are no number"), "{text}");
    let text = range(&[series(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0])]);
    assert!(!text.contains("changed at"), "{text}");
    assert!(range(&[series(&[f64::NAN])]).contains("1 series have no number"));
}

#[test]
fn many_series_are_cut_and_counted() {
    let many: Vec<_> = (0..100).map(|i| series(&[f64::from(i)])).collect();
    let text = instant(&many);
    assert!(text.starts_with("temp{node=\"n1\"} = 99\n"), "{text}");
    assert!(text.contains("(70 more series"), "{text}");
}

#[test]
fn lines_are_counted_by_pattern() {
    let lines: Vec<LogLine> = (0..40)
        .map(|i| LogLine {
            at_ns: 1_795_227_000_000_000_000 + i,
            labels: Labels::from_pairs([("pod", "p1")]),
            line: format!("offset {i} ns too large").into(),
            level: if i == 3 { Level::Error } else { Level::Info },
        })
        .collect();
    let text = logs(&lines);
    assert!(text.contains("40 x offset # ns too large"), "{text}");
    assert!(text.contains("by level: info 39, error 1"), "{text}");
    let samples = text.split("samples").nth(1).expect("samples");
    assert!(
        samples
            .lines()
            .nth(1)
            .is_some_and(|l| l.contains("offset 3 ns")),
        "{text}"
    );
    assert_eq!(logs(&[]), "no line matched\n");
}

#[test]
fn cuts_say_so() {
    let text = cut(&"äöü line\n".repeat(100), 200);
    assert!(text.len() < 300 && text.contains("(cut: "), "{text}");
}
