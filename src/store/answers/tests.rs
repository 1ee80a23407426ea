//! A cache that never changes what is shown.

use super::*;
use crate::model::label::Labels;
use crate::model::sample::SampleKind;
use proptest::prelude::*;

const STEP: u32 = 15_000;
const HOUR: i64 = 3_600_000;

fn asking(query: &str) -> Asking {
    Asking {
        cluster: ClusterId(0),
        query: query.into(),
        step_ms: STEP,
    }
}

fn grid(from: i64, to: i64) -> Grid {
    Grid::covering(Timestamp(from), Timestamp(to), STEP)
}

/// What a server would answer: a value at each step that tells its time; series `b` ends early.
fn answer(grid: Grid) -> Vec<SeriesSamples> {
    let of = |node: &str, until: i64| SeriesSamples {
        key: SeriesKey::new("load", Labels::from_pairs([("node", node)])),
        kind: SampleKind::Gauge,
        points: (0..grid.len())
            .map(|slot| grid.at(slot))
            .filter(|at| at.0 <= until)
            .map(|at| Sample {
                at,
                value: at.0 as f64,
            })
            .collect(),
    };
    let all = [of("a", i64::MAX), of("b", 10 * HOUR)];
    all.into_iter().filter(|s| !s.points.is_empty()).collect()
}

impl Answers {
    fn put(
        &mut self,
        asking: &Asking,
        ranges: (Grid, Grid),
        series: Vec<SeriesSamples>,
        now: Timestamp,
    ) -> Arc<Vec<SeriesSamples>> {
        let held = self
            .joining(asking, ranges, (now, true))
            .join(&Arc::new(series));
        let series = Arc::clone(held.series());
        self.keep(asking, held);
        series
    }
}

fn sorted(series: &[SeriesSamples], within: Grid) -> Vec<(String, Vec<i64>)> {
    let mut all: Vec<(String, Vec<i64>)> = series
        .iter()
        .map(|s| {
            let inside = s.points.iter().filter(|p| within.holds(p.at));
            (s.key.to_string(), inside.map(|p| p.at.0).collect())
        })
        .filter(|(_, points): &(_, Vec<i64>)| !points.is_empty())
        .collect();
    all.sort();
    all
}

#[test]
fn a_refresh_asks_for_the_tail_only() {
    let mut answers = Answers::new(1 << 20);
    let (now, later) = (10 * HOUR, 10 * HOUR + 60_000);
    let first = grid(now - HOUR, now);
    assert_eq!(answers.missing(&asking("up"), first), Some(first));
    answers.put(&asking("up"), (first, first), answer(first), Timestamp(now));
    let next = grid(later - HOUR, later);
    let tail = answers.missing(&asking("up"), next).expect("a tail");
    assert_eq!(tail.end, next.end);
    assert_eq!(tail.start.0, now - UNSETTLED_MS + i64::from(STEP));
    let shown = answers.put(&asking("up"), (tail, next), answer(tail), Timestamp(later));
    assert_eq!(sorted(&shown, next), sorted(&answer(next), next));
    let other = Asking {
        step_ms: 30_000,
        ..asking("up")
    };
    let coarse = Grid::covering(next.start, next.end, 30_000);
    assert_eq!(answers.missing(&other, coarse), Some(coarse));
}

#[test]
fn what_has_settled_is_not_asked_for_again() {
    let mut answers = Answers::new(1 << 20);
    let now = Timestamp(100 * HOUR);
    let whole = grid(10 * HOUR, 12 * HOUR);
    answers.put(&asking("up"), (whole, whole), answer(whole), now);
    let inner = grid(11 * HOUR, 12 * HOUR);
    assert_eq!(answers.missing(&asking("up"), inner), None);
    assert!(answers.get(&asking("up")).is_some());
    let earlier = grid(9 * HOUR, 11 * HOUR);
    let head = answers.missing(&asking("up"), earlier).expect("a head");
    assert_eq!(
        (head.start, head.end.0),
        (earlier.start, 10 * HOUR - i64::from(STEP))
    );
    let far = grid(20 * HOUR, 21 * HOUR);
    assert_eq!(answers.missing(&asking("up"), far), Some(far));
    answers.forget(&asking("up"));
    assert_eq!(answers.missing(&asking("up"), inner), Some(inner));
}

#[test]
fn the_oldest_goes_first_and_the_limit_holds() {
    let whole = grid(0, HOUR);
    let one = weight(&answer(whole));
    let mut answers = Answers::new(one * 3);
    for query in ["a", "b", "c"] {
        answers.put(
            &asking(query),
            (whole, whole),
            answer(whole),
            Timestamp(HOUR),
        );
    }
    answers.get(&asking("a"));
    answers.put(&asking("d"), (whole, whole), answer(whole), Timestamp(HOUR));
    assert_eq!(answers.usage(), (3, one * 3));
    assert!(answers.get(&asking("b")).is_none() && answers.get(&asking("a")).is_some());
    let mut none = Answers::new(10);
    let shown = none.put(&asking("x"), (whole, whole), answer(whole), Timestamp(HOUR));
    assert_eq!((shown.len(), none.usage()), (2, (0, 0)), "shown, not kept");
}

proptest! {
    /// Windows wander; what is shown is what a server would have answered to the whole question.
    #[test]
    fn shows_what_the_whole_question_would(moves in proptest::collection::vec((-40_i64..40, 1_i64..60), 1..30)) {
        let mut answers = Answers::new(1 << 24);
        let mut end = 10 * HOUR;
        let mut now = 10 * HOUR;
        for (by, minutes) in moves {
            end += by * 60_000;
            now = now.max(end);
            let wanted = grid(end - minutes * 60_000, end);
            let shown = match answers.missing(&asking("q"), wanted) {
                None => answers.get(&asking("q")).expect("held"),
                Some(asked) => {
                    prop_assert!(asked.start >= wanted.start && asked.end <= wanted.end);
                    prop_assert!(asked.start <= asked.end);
                    answers.put(&asking("q"), (asked, wanted), answer(asked), Timestamp(now))
                }
            };
            prop_assert_eq!(sorted(&shown, wanted), sorted(&answer(wanted), wanted));
        }
    }
}

#[test]
fn what_has_gaps_is_no_answer_for_good() {
    let mut answers = Answers::new(1 << 20);
    let now = Timestamp(100 * HOUR);
    let whole = grid(10 * HOUR, 12 * HOUR);
    let gaps = answers.joining(&asking("up"), (whole, whole), (now, false));
    answers.keep(&asking("up"), gaps.join(&Arc::new(answer(whole))));
    let inner = grid(11 * HOUR, 12 * HOUR);
    assert_eq!(answers.missing(&asking("up"), inner), Some(inner));
    // With more of it that has gaps it is shown; once there are none, all is asked for.
    let earlier = grid(9 * HOUR, 11 * HOUR);
    let head = answers.missing(&asking("up"), earlier).expect("a head");
    assert!(answers.completes(&asking("up"), (head, earlier), false));
    assert!(!answers.completes(&asking("up"), (head, earlier), true));
    assert!(answers.completes(&asking("up"), (earlier, earlier), true));
    let joined = answers.joining(&asking("up"), (head, earlier), (now, true));
    assert!(!joined.join(&Arc::new(answer(head))).whole);
    // What went, or does not reach so far, completes nothing.
    let far = grid(8 * HOUR, 11 * HOUR);
    assert!(!answers.completes(&asking("up"), (head, far), false));
    answers.forget(&asking("up"));
    assert!(!answers.completes(&asking("up"), (head, earlier), false));
}
