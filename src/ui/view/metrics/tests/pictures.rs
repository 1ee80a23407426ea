//! Each form and each state of an asked query, at three sizes.

use super::asked::{Desk, series};
use super::*;
use crate::model::export::{Format, Kept};
use crate::model::sample::{Sample, SeriesSamples};
use crate::model::unit::Unit;

/// A curve that is told apart from others by its phase.
fn wave(desk: &mut Desk, cluster: u16, phase: f64) -> Question {
    let (question, start, end, step) = desk.asked(cluster);
    let points = |phase: f64| -> Vec<Sample> {
        let times = (start.0..=end.0).step_by(step as usize);
        (0..)
            .zip(times)
            .filter(|(i, _)| !(60..90).contains(i))
            .map(|(i, at)| Sample {
                at: Timestamp(at),
                value: match i {
                    120 => f64::NAN,
                    121 => f64::INFINITY,
                    i => 40.0 + 20.0 * (f64::from(i) / 20.0 + phase).sin(),
                },
            })
            .collect()
    };
    let all =
        ["n1", "n2"].map(|node| series(&[("node", node)], &points(phase + node.len() as f64)));
    desk.answer(&question, Ok(Answer::Series(Arc::new(all.to_vec()))), None);
    question
}

fn keep(desk: &mut Desk, name: &str) {
    for (width, height) in [(200, 50), (120, 36), (80, 24)] {
        desk.view.place(Rect::new(0, 0, width, height), &desk.world);
        let text = fake::screen(&desk.world, width, height, |ctx, area, buf| {
            let ctx = Ctx {
                cursor: crate::ui::Cursor {
                    at: desk.view.at,
                    from: None,
                },
                ..*ctx
            };
            desk.view.draw(&ctx, area, buf);
        });
        insta::assert_snapshot!(format!("asked_{name}_{width}x{height}"), text);
    }
}

#[test]
fn pictures_of_each_form() {
    let mut desk = Desk::new("sum by (node) (rate(node_network_receive_bytes_total[5m]))");
    for cluster in 0..3 {
        wave(&mut desk, cluster, f64::from(cluster));
    }
    desk.view.point(Some(Timestamp(NOW - 1_200_000)));
    keep(&mut desk, "line");
    desk.tell(Command::Combine);
    keep(&mut desk, "sum");
    for _ in 0..4 {
        desk.tell(Command::Combine);
    }
    for name in ["stacked", "table", "stat"] {
        desk.tell(Command::Mode);
        keep(&mut desk, name);
    }
}

#[test]
fn pictures_of_each_state() {
    let mut desk = Desk::new("rate(http_requests_total[5m])");
    keep(&mut desk, "loading");
    wave(&mut desk, 0, 0.0);
    desk.fail(2, "connection refused");
    keep(&mut desk, "partial");
    desk.tell(Command::Detail);
    keep(&mut desk, "partial_detail");
    desk.tell(Command::Clusters);
    keep(&mut desk, "clusters");
    desk.view.back();
    desk.tell(Command::Every(None));
    desk.tell(Command::Refresh);
    for cluster in 0..3 {
        desk.fail(cluster, "no answer within 10 s");
    }
    desk.tick(120_000);
    keep(&mut desk, "stale");

    let mut desk = Desk::new("absent_metric");
    for cluster in 0..3 {
        desk.steady(cluster, 1.0, 0);
    }
    keep(&mut desk, "empty");
    let mut desk = Desk::new("up");
    for cluster in 0..3 {
        desk.fail(cluster, "connection refused");
    }
    keep(&mut desk, "error");
}

#[test]
fn pictures_of_a_histogram() {
    let mut desk = Desk::new("sum by (le) (rate(http_request_duration_seconds_bucket[5m]))");
    let (question, start, end, step) = desk.asked(0);
    let bounds = [
        "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf",
    ];
    let all = (0..).zip(bounds).map(|(place, le)| {
        let times = (start.0..=end.0).step_by(step as usize);
        let points: Vec<Sample> = (0..)
            .zip(times)
            .map(|(i, at)| {
                let peak = 3.0 + 3.0 * (f64::from(i) / 40.0).sin();
                let share = 1.0 / (1.0 + (-(f64::from(place) - peak) * 1.5).exp());
                Sample {
                    at: Timestamp(at),
                    value: 100.0 * share,
                }
            })
            .collect();
        series(&[("le", le)], &points)
    });
    let all: Vec<SeriesSamples> = all.collect();
    desk.answer(&question, Ok(Answer::Series(Arc::new(all))), None);
    keep(&mut desk, "heat");
    let effects = desk.view.update(Command::Export(Format::Svg), &desk.world);
    let Some(Effect::Save(export)) = effects.first() else {
        panic!("a file: {effects:?}");
    };
    let Kept::Series(kept) = &export.kept else {
        panic!("a picture: {export:?}");
    };
    let heat = kept.heat.as_ref().expect("a heat map");
    assert_eq!((heat.bounds.len(), heat.unit), (10, Unit::Seconds));
    // Cells tell what a bucket holds alone: in sum what the highest holds.
    let column = heat.cells[0].len() / 2;
    let sum: f64 = heat.cells.iter().filter_map(|row| row[column]).sum();
    assert!((95.0..=100.0).contains(&sum), "{sum}");
    desk.tell(Command::Mode);
    let effects = desk.view.update(Command::Export(Format::Csv), &desk.world);
    let list = matches!(effects.first(), Some(Effect::Save(e)) if matches!(e.kept, Kept::Table(_)));
    assert!(list, "a table is kept as one: {effects:?}");
}

#[test]
fn a_picture_tells_what_is_left_out_and_what_is_old() {
    let mut desk = Desk::new("up");
    desk.steady(0, 1.0, 30);
    desk.steady(1, 1.0, 1);
    desk.steady(2, 1.0, 1);
    let origin = |desk: &mut Desk, format: Format| {
        let effects = desk.view.update(Command::Export(format), &desk.world);
        let Some(Effect::Save(export)) = effects.first() else {
            panic!("a file: {effects:?}");
        };
        match &export.kept {
            Kept::Series(kept) => kept.origin.clone(),
            other => panic!("{other:?}"),
        }
    };
    let told = origin(&mut desk, Format::Svg);
    assert!(
        told.starts_with("20 of 32 series, those that changed most"),
        "{told}"
    );
    let whole = origin(&mut desk, Format::Csv);
    assert!(
        whole.starts_with("prometheus of alpha, beta, gamma"),
        "{whole}"
    );
    desk.tell(Command::Refresh);
    desk.steady(0, 1.0, 1);
    desk.steady(1, 1.0, 1);
    desk.fail(2, "connection refused");
    let told = origin(&mut desk, Format::Svg);
    assert!(
        told.contains("older: gamma") && !told.contains("older: alpha"),
        "{told}"
    );
    desk.tell(Command::Refresh);
    let (question, start, ..) = desk.asked(0);
    let point = Sample {
        at: start,
        value: 1.0,
    };
    let one = Arc::new(vec![series(&[("node", "n1")], &[point])]);
    desk.answer(&question, Ok(Answer::Series(one)), Some(7_312));
    let told = origin(&mut desk, Format::Svg);
    assert!(told.contains("of ≥ 7314 series (1 cut)"), "{told}");
}

/// A value of long ago is not shown as if it were of now.
#[test]
fn a_value_alone_tells_that_it_is_old() {
    let mut desk = Desk::new("up");
    let (question, start, end, step) = desk.asked(0);
    let until = end.0 - 600_000;
    let points: Vec<Sample> = (start.0..=until)
        .step_by(step as usize)
        .map(|at| Sample {
            at: Timestamp(at),
            value: 42.0,
        })
        .collect();
    let one = Arc::new(vec![series(&[("node", "n1")], &points)]);
    desk.answer(&question, Ok(Answer::Series(one)), None);
    desk.steady(1, 7.0, 1);
    desk.steady(2, 7.0, 1);
    for _ in 0..3 {
        desk.tell(Command::Mode);
    }
    desk.has("stat (m)");
    let drawn = |end: Option<Timestamp>| {
        fake::screen(&desk.world, 120, 36, |ctx, area, buf| {
            let window = crate::ui::Window { end, ..ctx.window };
            desk.view.draw(&Ctx { window, ..*ctx }, area, buf);
        })
    };
    let text = drawn(None);
    assert_eq!(text.matches("42 10m~").count(), 1, "{text}");
    assert!(
        !text.contains("7 0s~") && !text.contains("7 15s~"),
        "{text}"
    );
    // A range of the past is as old as it is.
    let text = drawn(Some(Timestamp(NOW)));
    assert!(!text.contains("10m~"), "{text}");
}
