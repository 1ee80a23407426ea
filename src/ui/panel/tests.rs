//! Forms and figures of a panel.

use super::heat::Heat;
use super::*;
use crate::model::label::Labels;
use crate::ui::widget::timeline::Axis;

fn shown(labels: &[(&str, &str)], points: &[(i64, f64)]) -> Shown {
    let points: Vec<Sample> = points
        .iter()
        .map(|(s, value)| Sample {
            at: Timestamp(s * 1000),
            value: *value,
        })
        .collect();
    let id = ShownId {
        cluster: Some(ClusterId(0)),
        key: SeriesKey::new("x", Labels::from_pairs(labels.iter().copied())),
    };
    Shown {
        interval_ms: 10_000,
        ..Shown::new(id, SampleKind::Gauge, points, Unit::None)
    }
}

#[test]
fn figures_name_what_is_no_number() {
    let odd = [(0, 3.0), (10, f64::NAN), (20, f64::INFINITY), (30, 1.0)];
    let figures = shown(&[], &odd).figures;
    assert_eq!(figures.range, Some((1.0, 3.0, 2.0)));
    assert_eq!((figures.nan, figures.infinite, figures.change), (1, 1, 2.0));
    assert_eq!(Figures::of(&[]).range, None);
}

#[test]
fn the_value_at_the_cursor_is_never_an_old_one() {
    let one = shown(&[], &[(0, 1.0), (10, 2.0), (100, 3.0)]);
    let at = |s: i64| one.at(Timestamp(s * 1000)).map(|p| p.value);
    assert_eq!(
        (at(-1), at(0), at(19), at(40)),
        (None, Some(1.0), Some(2.0), Some(2.0))
    );
    assert_eq!((at(41), at(100)), (None, Some(3.0)));
}

#[test]
fn buckets_become_counts_of_their_own() {
    let steady = |value: f64| [(0, value), (10, value), (20, value)];
    let all = [
        shown(&[("le", "1"), ("pod", "a")], &steady(2.0)),
        shown(&[("le", "5"), ("pod", "a")], &steady(5.0)),
        shown(&[("le", "+Inf"), ("pod", "a")], &steady(6.0)),
        shown(&[("le", "1"), ("pod", "b")], &steady(10.0)),
        // Torn: less than the bucket below it.
        shown(&[("le", "+Inf"), ("pod", "b")], &steady(9.5)),
    ];
    let axis = Axis::new(Timestamp(0), Timestamp(29_999), 3);
    let heat = Heat::of(&all.each_ref(), &axis).expect("buckets");
    assert_eq!(heat.bounds, [1.0, 5.0, f64::INFINITY]);
    let column: Vec<Option<f64>> = heat.cells.iter().map(|row| row[1]).collect();
    assert_eq!(column, [Some(12.0), Some(3.0), Some(1.0)]);
    assert_eq!(heat.most, 12.0);
    assert_eq!(super::heat::row_of(&heat, 0.5, 3), Some(2));
    assert_eq!(super::heat::row_of(&heat, 7.0, 3), Some(0));
    assert!(Heat::of(&[&shown(&[("pod", "a")], &steady(1.0))], &axis).is_none());
}

#[test]
fn a_gap_of_a_histogram_stays_a_gap() {
    let all = [shown(&[("le", "1")], &[(0, 1.0), (90, 1.0)])];
    let axis = Axis::new(Timestamp(0), Timestamp(99_999), 10);
    let heat = Heat::of(&all.each_ref(), &axis).expect("buckets");
    let known: Vec<bool> = heat.cells[0].iter().map(Option::is_some).collect();
    assert_eq!(known.iter().filter(|k| **k).count(), 2, "{known:?}");
}

#[test]
fn forms_go_round_and_leave_out_what_does_not_fit() {
    let lines = Series::new(vec![shown(&[], &[(0, 1.0)])]);
    let buckets = Series::new(vec![shown(&[("le", "1")], &[(0, 1.0)])]);
    let round = |all: &Series| {
        let mut form = Form::Line;
        let mut seen = vec![form];
        loop {
            form = form.next(all);
            if form == Form::Line {
                return seen;
            }
            seen.push(form);
        }
    };
    assert_eq!(
        round(&lines),
        [Form::Line, Form::Stacked, Form::Table, Form::Stat]
    );
    assert_eq!(round(&buckets).len(), 5);
}
