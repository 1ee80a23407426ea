use proptest::prelude::*;

use super::*;
use crate::model::label::Labels;
use crate::model::log::Level;

fn line(at_ns: i64, text: &str) -> LogLine {
    of_pod(at_ns, "p", text)
}

fn of_pod(at_ns: i64, pod: &str, text: &str) -> LogLine {
    LogLine {
        at_ns,
        labels: Labels::from_pairs([("pod", pod)]),
        line: text.into(),
        level: Level::Info,
    }
}

fn texts(ring: &LogRing) -> Vec<&str> {
    ring.iter().map(|l| l.line).collect()
}

#[test]
fn keeps_time_order_without_doubles() {
    let mut ring = LogRing::new(0);
    let mut miner = Miner::default();
    for (at, text) in [(1, "a"), (3, "c"), (2, "b"), (3, "c"), (3, "d")] {
        ring.push(&line(at, text), &mut miner);
    }
    assert!(ring.push(&of_pod(3, "q", "c"), &mut miner).is_some());
    assert_eq!(texts(&ring), ["a", "b", "c", "d", "c"]);
    // Each line keeps its pattern where it went.
    for (place, line) in ring.iter().enumerate() {
        assert_eq!(miner.template(ring.pattern(place)), *line.line);
        assert_eq!(ring.get(place), Some(line));
    }
    assert_eq!((ring.before(3), ring.until(3)), (2, 5));
}

#[test]
fn is_bounded_by_bytes_and_gives_labels_back() {
    let (mut ring, mut miner) = (LogRing::new(20_000), Miner::default());
    for at in 0..1000 {
        let pod = format!("pod-{}", at / 10);
        ring.push(&of_pod(at, &pod, &"x".repeat(100)), &mut miner);
        assert!(ring.bytes() <= 20_000);
    }
    assert_eq!(ring.len() as u64 + ring.dropped(), 1000);
    assert_eq!(ring.taken(), 1000);
    assert_eq!(ring.last().map(|l| l.at_ns), Some(999));
    assert!(ring.len() > 50 && ring.get(ring.len()).is_none());
    // Only the sets of the lines that are there weigh.
    assert!(ring.sets.bytes() < 20 * 200);
}

#[test]
fn thousands_of_one_nanosecond_keep_their_order() {
    let (mut ring, mut miner) = (LogRing::new(0), Miner::default());
    ring.push(&line(8, "after"), &mut miner);
    for _ in 0..2 {
        for n in 0..20_000 {
            ring.push(&line(7, &format!("line {n}")), &mut miner);
        }
    }
    assert_eq!(ring.len(), 20_001);
    for (n, l) in ring.iter().take(20_000).enumerate() {
        assert_eq!(l.line, format!("line {n}"));
    }
    assert_eq!(ring.last().map(|l| l.line), Some("after"));
}

#[test]
fn a_line_is_late_well_behind_the_newest() {
    let (mut ring, mut miner) = (LogRing::new(0), Miner::default());
    for at in [10, 11, 9, 4] {
        ring.push(&line(at * 1_000_000_000, "x"), &mut miner);
    }
    let late: Vec<bool> = (0..4).map(|place| ring.is_late(place)).collect();
    assert_eq!(late, [true, false, false, false]);
    assert_eq!(ring.late(), 1);
}

#[test]
fn a_block_that_is_held_elsewhere_stays_as_it_was() {
    let (mut ring, mut miner) = (LogRing::new(0), Miner::default());
    ring.push(&line(2, "b"), &mut miner);
    let held = ring.blocks().next().map(|(_, b)| Arc::clone(b)).unwrap();
    let before = held.state();
    ring.push(&line(3, "c"), &mut miner);
    let added = ring.blocks().next().unwrap().1.state();
    assert_eq!((added.serial, added.edits), (before.serial, before.edits));
    ring.push(&line(1, "a"), &mut miner);
    assert_ne!(ring.blocks().next().unwrap().1.state().edits, before.edits);
    assert_eq!(held.iter().map(|l| l.line).collect::<Vec<_>>(), ["b"]);
    assert_eq!(texts(&ring), ["a", "b", "c"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever comes in whatever order: as a sorted list without doubles, with the oldest gone.
    #[test]
    fn is_a_sorted_list(
        came in prop::collection::vec((0i64..60, 0u8..3, 0u16..400, 1usize..700), 0..900),
        limit in prop_oneof![Just(0u64), Just(60_000)],
    ) {
        let (mut ring, mut miner) = (LogRing::new(limit), Miner::default());
        let mut wanted: Vec<LogLine> = Vec::new();
        for (at, pod, word, length) in came {
            let text = format!("{word} {}", "y".repeat(length));
            let line = of_pod(at, &format!("pod-{pod}"), &text);
            let double = ring.iter().any(|l| l == line.view());
            prop_assert_eq!(ring.push(&line, &mut miner).is_none(), double);
            let gone = wanted.len() + usize::from(!double) - ring.len();
            if !double {
                let place = wanted.partition_point(|l| l.at_ns <= at);
                wanted.insert(place, line);
            }
            wanted.drain(..gone);
            prop_assert!(limit == 0 || ring.bytes() <= limit);
        }
        let held: Vec<LogLine> = ring.iter().map(|l| l.to_owned()).collect();
        prop_assert_eq!(&held, &wanted);
        for (place, line) in wanted.iter().enumerate() {
            prop_assert_eq!(ring.get(place), Some(line.view()));
            prop_assert_eq!(ring.before(line.at_ns), wanted.partition_point(|l| l.at_ns < line.at_ns));
        }
        let weighed: u64 = ring.blocks().map(|(_, b)| b.bytes()).sum();
        prop_assert_eq!(ring.block_bytes, weighed);
    }

    /// An answer packed at once: as its lines sorted, with the patterns that pushing them finds.
    #[test]
    fn of_an_answer_is_a_sorted_list(
        came in prop::collection::vec((0i64..60, 0u8..3, 0u16..400, 1usize..700), 0..900),
    ) {
        let text = |word, length| format!("{word} {}", "y".repeat(length));
        let lines: Vec<LogLine> = came
            .into_iter()
            .map(|(at, pod, word, length)| of_pod(at, &format!("pod-{pod}"), &text(word, length)))
            .collect();
        let mut wanted = lines.clone();
        wanted.sort_by_key(|l| l.at_ns);
        let mut ring = LogRing::of(lines);
        let held: Vec<LogLine> = ring.iter().map(|l| l.to_owned()).collect();
        prop_assert_eq!(&held, &wanted);
        prop_assert_eq!((ring.len(), ring.taken()), (wanted.len(), wanted.len() as u64));
        for (place, line) in wanted.iter().enumerate() {
            prop_assert_eq!(ring.get(place), Some(line.view()));
            prop_assert_eq!(ring.before(line.at_ns), wanted.partition_point(|l| l.at_ns < line.at_ns));
        }
        let weighed: u64 = ring.blocks().map(|(_, b)| b.bytes()).sum();
        prop_assert_eq!(ring.block_bytes, weighed);
        prop_assert_eq!(ring.sets.bytes() > 0, !wanted.is_empty());

        let (mut miner, mut other) = (Miner::default(), Miner::default());
        let before: Vec<u32> = ring.blocks().map(|(_, b)| b.state().edits).collect();
        mine(&mut ring, &mut miner);
        prop_assert!(ring.unread(1).is_empty());
        let weighed: u64 = ring.blocks().map(|(_, b)| b.bytes()).sum();
        prop_assert_eq!(ring.block_bytes, weighed);
        for (place, line) in wanted.iter().enumerate() {
            prop_assert_eq!(ring.pattern(place), other.line(&line.line));
        }
        for ((_, block), before) in ring.blocks().zip(before) {
            prop_assert!(block.has_patterns() && block.state().edits > before);
        }
        // A line that is there already is known as such, whatever way it came.
        if let Some(line) = wanted.first() {
            prop_assert!(ring.push(line, &mut miner).is_none());
        }
    }
}

/// Finds all patterns, as the thread does that is given the blocks.
fn mine(ring: &mut LogRing, miner: &mut Miner) {
    loop {
        let unread = ring.unread(1);
        let Some(block) = unread.first() else {
            return;
        };
        let mined = Arc::new(block.mined(|line| miner.line(line)));
        assert!(ring.found(block.state(), &mined));
        assert!(!ring.found(block.state(), &mined), "it is another one now");
    }
}

#[test]
fn a_block_that_changed_meanwhile_keeps_its_lines() {
    let mut miner = Miner::default();
    let mut ring = LogRing::of(vec![of_pod(5, "a", "five"), of_pod(9, "a", "nine")]);
    let block = ring.unread(9).remove(0);
    let mined = Arc::new(block.mined(|line| miner.line(line)));
    assert!(ring.join(&of_pod(7, "a", "seven")) && !ring.join(&of_pod(7, "a", "seven")));
    assert!(!ring.found(block.state(), &mined));
    assert_eq!(ring.len(), 3);
    mine(&mut ring, &mut miner);
    // A line that joins a block whose patterns are found makes it one to be looked at again.
    assert!(ring.join(&of_pod(8, "a", "eight")));
    assert_eq!(ring.unread(9).len(), 1);
    mine(&mut ring, &mut miner);
    for (place, line) in ["five", "seven", "eight", "nine"].iter().enumerate() {
        assert_eq!(miner.template(ring.pattern(place)), *line);
    }
}
