use super::*;
use crate::model::usual::Step;
use crate::ui::widget::text::dump;

fn points(values: &[(i64, f64)]) -> Vec<Sample> {
    values
        .iter()
        .map(|(s, value)| Sample {
            at: Timestamp(s * 1000),
            value: *value,
        })
        .collect()
}

fn picture(points: &[Sample], now_ms: i64, ascii: bool, limits: &[(f64, Style)]) -> Buffer {
    let area = Rect::new(0, 0, 60, 10);
    let mut buf = Buffer::empty(area);
    Chart {
        curves: &[Curve {
            points,
            style: Style::default(),
            gap_ms: 0,
        }],
        band: None,
        unit: Unit::Percent,
        from: Timestamp(now_ms - 3_600_000),
        to: Timestamp(now_ms),
        limits,
        marks: &[Mark {
            at: Timestamp(now_ms - 600_000),
            kind: MarkKind::Anomaly,
            style: Style::default(),
        }],
        zone: &TimeZone::UTC,
        axis: Style::default(),
        ascii,
        over: Over::default(),
    }
    .draw(area, &mut buf);
    buf
}

fn ramp(from_s: i64, to_s: i64) -> Vec<Sample> {
    let values: Vec<_> = (from_s..to_s)
        .step_by(15)
        .map(|s| (s, 40.0 + 30.0 * (s as f64 / 300.0).sin()))
        .collect();
    points(&values)
}

const NOW: i64 = 1_800_000_000_000;

#[test]
fn less_than_a_dot_of_time_changes_nothing() {
    let data = ramp(NOW / 1000 - 5_000, NOW / 1000);
    // 52 columns of two dots: a dot is 34.6 s and more; NOW is placed at the start of one.
    let axis = Axis::new(Timestamp(NOW - 3_600_000), Timestamp(NOW), 104);
    let start = NOW.div_euclid(axis.slot_ms) * axis.slot_ms;
    let mark = |now: i64| {
        let mut buf = picture(&data, now, false, &[]);
        // The mark is placed relative to now by the helper; blank its row.
        for x in 0..60 {
            buf[(x, 8)].set_symbol(" ");
        }
        buf
    };
    let differing = (start..start + axis.slot_ms)
        .step_by(500)
        .map(mark)
        .collect::<Vec<_>>()
        .windows(2)
        .filter(|w| w[0] != w[1])
        .count();
    assert!(
        differing <= 1,
        "{differing} pictures within the time of one dot"
    );
    assert_ne!(mark(start), mark(start + 20 * axis.slot_ms));
}

#[test]
fn gaps_and_numbers_that_are_none_are_not_drawn() {
    let mut data = ramp(NOW / 1000 - 3_600, NOW / 1000);
    data.retain(|p| !(NOW - 2_400_000..NOW - 1_200_000).contains(&p.at.0));
    let text = dump(&picture(&data, NOW, false, &[]));
    let holes = text
        .lines()
        .take(8)
        .all(|line| line.chars().skip(29).take(12).all(|c| c == ' '));
    assert!(holes, "{text}");
    let sick = points(&[
        (NOW / 1000 - 30, f64::NAN),
        (NOW / 1000 - 20, f64::INFINITY),
        (NOW / 1000 - 10, f64::NEG_INFINITY),
    ]);
    assert!(dump(&picture(&sick, NOW, false, &[])).contains("no data in the window"));
}

#[test]
fn ascii_holds_ascii_only() {
    let data = ramp(NOW / 1000 - 3_600, NOW / 1000);
    let text = dump(&picture(&data, NOW, true, &[(80.0, Style::default())]));
    assert!(text.is_ascii(), "{text}");
    assert!(text.contains('*') && text.contains("50%"), "{text}");
}

#[test]
fn looks_like_this() {
    let data = ramp(NOW / 1000 - 3_600, NOW / 1000);
    insta::assert_snapshot!(dump(&picture(
        &data,
        NOW,
        false,
        &[(80.0, Style::default())]
    )));
}

#[test]
fn survives_any_size_and_number() {
    let data = points(&[
        (0, 1e308),
        (1, -1e308),
        (2, 5e-324),
        (i64::MAX / 2_000, 1.0),
    ]);
    for width in 0..30 {
        for height in 0..8 {
            let area = Rect::new(0, 0, width, height);
            let mut buf = Buffer::empty(area);
            Chart {
                curves: &[Curve {
                    points: &data,
                    style: Style::default(),
                    gap_ms: 0,
                }],
                band: None,
                unit: Unit::Bytes,
                from: Timestamp(0),
                to: Timestamp(10_000),
                limits: &[(f64::NAN, Style::default())],
                marks: &[],
                zone: &TimeZone::UTC,
                axis: Style::default(),
                ascii: false,
                over: Over::default(),
            }
            .draw(area, &mut buf);
        }
    }
}

#[test]
fn what_is_usual_lies_behind_the_curve_up_to_the_edge() {
    let data = ramp(NOW / 1000 - 3_600, NOW / 1000);
    let step = |ago_s: i64, low, high| Step {
        at: Timestamp(NOW - ago_s * 1000),
        low,
        high,
    };
    let steps = [step(1_800, 20.0, 60.0), step(900, f64::NEG_INFINITY, 40.0)];
    let drawn = |ascii| {
        let area = Rect::new(0, 0, 60, 10);
        let mut buf = Buffer::empty(area);
        Chart {
            curves: &[Curve {
                points: &data,
                style: Style::default(),
                gap_ms: 0,
            }],
            band: Some(Band {
                steps: &steps,
                style: Style::default(),
            }),
            unit: Unit::Percent,
            from: Timestamp(NOW - 3_600_000),
            to: Timestamp(NOW),
            limits: &[],
            marks: &[],
            zone: &TimeZone::UTC,
            axis: Style::default(),
            ascii,
            over: Over::default(),
        }
        .draw(area, &mut buf);
        dump(&buf)
    };
    insta::assert_snapshot!("usual", drawn(false));
    assert!(!drawn(true).contains('░') && drawn(true).contains("..."));
}
