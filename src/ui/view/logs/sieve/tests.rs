use proptest::prelude::*;

use super::*;
use crate::model::label::Labels;
use crate::model::log::LogLine;
use crate::pattern::Miner;
use crate::ui::view::logs::stream::Entry;

fn line(at_ns: i64, pod: u8, level: Level, text: &str) -> LogLine {
    LogLine {
        at_ns,
        labels: Labels::from_pairs([("pod", format!("pod-{pod}"))]),
        line: text.into(),
        level,
    }
}

fn told(entries: &[Entry<'_>]) -> Vec<(i64, u16, String)> {
    let one = |e: &Entry<'_>| (e.line.at_ns, e.cluster.0, e.line.line.to_owned());
    entries.iter().map(one).collect()
}

fn query(filter: &str, least: Level, find: &str) -> Query {
    Query {
        filter: Filter::parse(filter),
        least,
        find: Filter::parse(find),
    }
}

/// Does all that is to be done off the loop.
fn finish(sieve: &mut Sieve, rings: &[(ClusterId, &LogRing)]) -> usize {
    let mut portions = 0;
    while let Some(work) = sieve.work(rings) {
        assert!(sieve.work(rings).is_none(), "one portion at a time");
        work.run();
        portions += 1;
    }
    portions
}

#[test]
fn a_great_buffer_is_looked_at_in_portions_and_only_once() {
    let (mut ring, mut miner) = (LogRing::new(40 << 20), Miner::default());
    let text = |n: i64| format!("line {n} {}", if n % 1_000 == 0 { "needle" } else { "hay" });
    for n in 0..60_000 {
        ring.push(&line(n, 0, Level::Info, &text(n)), &mut miner);
    }
    let mut sieve = Sieve::default();
    sieve.ask(query("needle", Level::Unknown, ""));
    {
        let rings = [(ClusterId(0), &ring)];
        // The newest lines are there at once, and what is not known is not passed over.
        let merged = Merged::new(rings.to_vec(), &sieve);
        let newest = merged.before(None, 100);
        assert!(!newest.is_empty() && newest.len() < 60 && merged.stopped());
        assert!(merged.rank(None).2);
        assert!(finish(&mut sieve, &rings) > 1);
        let merged = Merged::new(rings.to_vec(), &sieve);
        assert_eq!(merged.before(None, 100).len(), 60);
        assert_eq!(merged.rank(None), (60, 60, false));
        assert_eq!(
            sieve.progress(&rings),
            (ring.blocks().len(), ring.blocks().len())
        );
    }
    // What comes is found alone.
    ring.push(&line(60_000, 0, Level::Info, "needle"), &mut miner);
    let rings = [(ClusterId(0), &ring)];
    assert_eq!(
        Merged::new(rings.to_vec(), &sieve).rank(None),
        (61, 61, false)
    );
    assert_eq!(finish(&mut sieve, &rings), 0);
}

#[test]
fn what_was_found_goes_with_its_lines() {
    let (mut ring, mut miner) = (LogRing::new(300_000), Miner::default());
    let mut sieve = Sieve::default();
    sieve.ask(query("x", Level::Unknown, ""));
    for n in 0..40_000 {
        ring.push(&line(n, 0, Level::Info, &format!("x {n}")), &mut miner);
        if n % 500 == 0 {
            finish(&mut sieve, &[(ClusterId(0), &ring)]);
        }
    }
    let rings = [(ClusterId(0), &ring)];
    finish(&mut sieve, &rings);
    assert!(ring.dropped() > 20_000);
    assert_eq!(Merged::new(rings.to_vec(), &sieve).rank(None).1, ring.len());
    assert!(sieve.held.borrow().len() <= ring.blocks().len() + PORTION);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Lines come in any order, in two clusters, and are asked for in between: what is walked is
    /// what a plain filter keeps of a sorted list.
    #[test]
    fn walks_what_a_plain_filter_keeps(
        came in prop::collection::vec(
            (0i64..200, 0u8..2, 0u8..3, 0usize..4, 0u8..40, 0usize..300), 1..700),
        filter in prop::sample::select(vec!["", "a1", "pod-1", "!pod-0 a2", "/a[0-3]$/", "line=~a"]),
        find in prop::sample::select(vec!["", "a3", "pod-2"]),
        least in 0usize..4,
        from in 0i64..200,
        limit in prop_oneof![Just(0u64), Just(40_000)],
    ) {
        const LEVELS: [Level; 4] = [Level::Unknown, Level::Info, Level::Warning, Level::Error];
        let mut rings = [LogRing::new(limit), LogRing::new(limit)];
        let mut miner = Miner::default();
        let mut sieve = Sieve::default();
        sieve.ask(query(filter, LEVELS[least], find));
        for (n, (at, cluster, pod, level, word, length)) in came.iter().enumerate() {
            let text = format!("{} a{word}", "z".repeat(*length));
            let new = line(*at, *pod, LEVELS[*level], &text);
            rings[usize::from(*cluster)].push(&new, &mut miner);
            if n % 100 == 0 {
                let rings = [(ClusterId(0), &rings[0]), (ClusterId(1), &rings[1])];
                finish(&mut sieve, &rings);
            }
        }
        let rings = [(ClusterId(0), &rings[0]), (ClusterId(1), &rings[1])];
        finish(&mut sieve, &rings);
        let (filter, find) = (Filter::parse(filter), Filter::parse(find));
        let mut wanted: Vec<(i64, u16, String)> = Vec::new();
        let mut counted = [0u32; 3];
        for (cluster, ring) in &rings {
            for l in ring.iter() {
                let mut fields: Vec<(&str, &str)> = l.labels.iter().collect();
                fields.push(("line", l.line));
                if l.level >= LEVELS[least] && filter.matches(&fields) && find.matches(&fields) {
                    wanted.push((l.at_ns, cluster.0, l.line.to_owned()));
                    counted[super::super::hits::kind(l.level)] += 1;
                }
            }
        }
        wanted.sort_by_key(|(at, cluster, _)| (*at, *cluster));
        let merged = Merged::new(rings.to_vec(), &sieve);
        let all = merged.before(None, usize::MAX);
        prop_assert_eq!(&told(&all), &wanted);
        let first = told(merged.first().as_slice());
        prop_assert_eq!(first.first(), wanted.first());
        if let Some(middle) = all.get(all.len() / 2) {
            let id = middle.id();
            let place = all.len() / 2;
            prop_assert_eq!(&told(&merged.before(Some(&id), usize::MAX)), &wanted[..place]);
            prop_assert_eq!(&told(&merged.after(&id, usize::MAX)), &wanted[place + 1..]);
            prop_assert_eq!(merged.rank(Some(&id)), (place + 1, all.len(), false));
        }
        let newer = wanted.iter().filter(|w| w.0 > from).count();
        prop_assert_eq!(merged.newer(from), (newer, false));
        // By time, whatever the slots: each line once.
        let counts = merged.counts(from, 7, 20);
        let inside = |w: &&(i64, u16, String)| w.0 >= from && w.0 <= from + 140;
        prop_assert_eq!(counts.total, wanted.iter().filter(inside).count());
        let every = merged.counts(0, 1, 200);
        let sums: Vec<u32> = every.slots.iter().map(|s| s.iter().sum()).collect();
        prop_assert_eq!(sums, counted);
    }
}
