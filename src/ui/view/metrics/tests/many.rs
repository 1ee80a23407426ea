//! Answers of many series: what is made of them is made elsewhere, and none is lost meanwhile.

use super::asked::Desk;
use super::*;

/// More than is looked at on the loop.
const MANY: usize = 300;

fn shown(desk: &Desk) -> usize {
    desk.view.shown(&desk.world).len()
}

#[test]
fn many_series_are_put_together_elsewhere() {
    let mut desk = Desk::new("up");
    desk.steady(0, 1.0, MANY);
    assert_eq!(shown(&desk), 0, "nothing was made on the loop");
    desk.has("1 being joined");
    desk.steady(1, 2.0, MANY);
    desk.fail(2, "connection refused");
    assert_eq!(shown(&desk), 0);
    // Two answers, one after the other: the second waited for the first.
    assert!(desk.work() >= 2);
    assert_eq!(shown(&desk), 2 * MANY);
    desk.has("600 series · 2 of 3 clusters");
    desk.has("1 failed");
    desk.tell(Command::Combine);
    assert_eq!(shown(&desk), 2 * MANY, "until it is summed");
    assert!(desk.work() >= 1);
    assert_eq!(shown(&desk), MANY);
    assert_eq!(
        desk.view.shown(&desk.world)[0].figures.range,
        Some((3.0, 3.0, 3.0))
    );
}

#[test]
fn what_is_made_for_a_query_before_is_not_shown_for_the_next() {
    let mut desk = Desk::new("up");
    desk.steady(0, 1.0, MANY);
    let entry = Entry {
        query: Some("other".into()),
        ..fake::entry(None)
    };
    let effects = desk.view.enter(&entry, &desk.world);
    desk.take(&effects);
    desk.work();
    assert_eq!(shown(&desk), 0);
    desk.steady(1, 9.0, 2);
    desk.work();
    assert_eq!(shown(&desk), 2);
}

#[test]
fn a_tail_is_joined_to_many_known_series() {
    let mut desk = Desk::new("up");
    desk.steady(0, 7.0, MANY);
    desk.work();
    let before = desk.view.shown(&desk.world)[0].points.len();
    desk.tick(60_000);
    desk.work();
    let (question, start, end, step) = desk.asked(0);
    assert!(end.0 - start.0 < 400_000, "the tail only");
    let points: Vec<_> = (start.0..=end.0)
        .step_by(step as usize)
        .map(|at| crate::model::sample::Sample {
            at: Timestamp(at),
            value: 8.0,
        })
        .collect();
    let tail = (0..MANY).map(|n| super::asked::series(&[("node", &format!("n{n}"))], &points));
    desk.answer(
        &question,
        Ok(Answer::Series(Arc::new(tail.collect()))),
        None,
    );
    desk.work();
    let all = desk.view.shown(&desk.world);
    assert_eq!((all.len(), all[0].points.len()), (MANY, before));
    assert_eq!(all[0].figures.last.map(|p| p.value), Some(8.0));
}
