//! What is known of a range, and what is asked for again.

use super::asked::Desk;
use super::*;
use crate::store::answers::Asking;

#[test]
fn what_is_known_is_not_asked_for_again() {
    let mut desk = Desk::new("up");
    for cluster in 0..3 {
        desk.steady(cluster, 1.0, 1);
    }
    desk.tick(5_000);
    assert!(desk.open.is_empty(), "not due");
    desk.tick(15_000);
    assert_eq!(desk.open.len(), 3, "each step, by default");
    let (question, start, end, step) = desk.asked(0);
    assert_eq!(step, 15_000);
    assert_eq!(start.0 % 15_000, 0, "on the step");
    let tail = end.0 - start.0;
    assert!((200_000..400_000).contains(&tail), "a tail: {tail}");
    desk.open.push(question);
    let before = desk.view.shown(&desk.world)[0].points.len();
    desk.steady(0, 1.0, 1);
    let after = desk.view.shown(&desk.world)[0].points.len();
    assert!(
        after >= before.saturating_sub(2) && after > 200,
        "{before} {after}"
    );
    desk.tell(Command::Refresh);
    let (_, start, end, _) = desk.asked(1);
    assert!(end.0 - start.0 >= 3_500_000, "`r` asks for all of it");
    desk.tell(Command::Every(None));
    desk.cancelled.clear();
    desk.open.clear();
    desk.tick(3_600_000);
    assert!(desk.open.is_empty(), "never");
}

/// Of the first cluster, how long a range is asked for.
fn range_ms(desk: &mut Desk) -> i64 {
    let (question, start, end, _) = desk.asked(0);
    desk.open.push(question);
    end.0 - start.0
}

#[test]
fn a_tail_that_has_lost_the_rest_is_asked_for_as_a_whole() {
    let mut desk = Desk::new("up");
    desk.steady(0, 1.0, 1);
    desk.tick(30_000);
    assert!(range_ms(&mut desk) < 400_000, "a tail");
    // Meanwhile other panels took the room.
    let asking = Asking {
        cluster: ClusterId(0),
        query: "up".into(),
        step_ms: 15_000,
    };
    desk.view.answers.forget(&asking);
    let points = |desk: &Desk| desk.view.shown(&desk.world)[0].points.len();
    let before = points(&desk);
    desk.steady(0, 1.0, 1);
    assert_eq!(points(&desk), before, "a tail is not the whole");
    assert!(range_ms(&mut desk) >= 3_500_000, "all of it is asked for");
    desk.steady(0, 1.0, 1);
    assert!(points(&desk) > 200);
    desk.tick(30_000);
    assert!(range_ms(&mut desk) < 400_000, "known again");
}

#[test]
fn what_a_server_could_not_see_in_full_is_asked_for_again() {
    let mut desk = Desk::new("up");
    desk.warned = vec!["fetch series: store is not there, partial response".into()];
    desk.steady(0, 1.0, 1);
    desk.tick(30_000);
    let tail = range_ms(&mut desk);
    assert!(tail < 400_000, "as long as it lacks some: {tail}");
    desk.steady(0, 1.0, 1);
    desk.tick(30_000);
    // What the engine notes of the query is no gap: the store is back.
    desk.warned = vec!["PromQL info: metric might not be a counter".into()];
    desk.steady(0, 1.0, 1);
    assert!(range_ms(&mut desk) >= 3_500_000, "its part is asked for");
    desk.has("partial response");
    desk.steady(0, 1.0, 1);
    desk.tick(30_000);
    assert_eq!(range_ms(&mut desk), tail);
}
