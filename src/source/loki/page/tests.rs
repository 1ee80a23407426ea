//! A server with limits of its own, and random streams with many lines in one nanosecond.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::label::Labels;
use crate::model::log::Level;

fn line(at_ns: i64, text: &str) -> LogLine {
    LogLine {
        at_ns,
        labels: Labels::default(),
        line: text.into(),
        level: Level::Unknown,
    }
}

/// Answers as Loki does: oldest first, cut at the limit, in no certain order within a nanosecond.
struct Server {
    lines: Vec<(i64, u32)>,
    most: u32,
    longest_ns: i64,
    /// Says what it allows.
    tells: bool,
    /// Answers of more lines are too large to come through.
    heavy: u32,
    /// More time than this takes too long.
    slow_ns: i64,
    turn: usize,
}

impl Server {
    fn answer(&mut self, ask: Ask) -> Result<Vec<LogLine>, Refusal> {
        let asked = ask.end_ns - ask.start_ns;
        if asked > self.longest_ns {
            return Err(Refusal::Range(self.tells.then_some(self.longest_ns)));
        }
        if ask.limit > self.most {
            return Err(Refusal::Lines(self.tells.then_some(self.most)));
        }
        if asked > self.slow_ns {
            return Err(Refusal::Work);
        }
        self.turn += 1;
        let mut found: Vec<(i64, u32)> = self
            .lines
            .iter()
            .filter(|(at, _)| (ask.start_ns..ask.end_ns).contains(at))
            .copied()
            .collect();
        let turn = self.turn as u32;
        found.sort_by_key(|(at, id)| (*at, id.wrapping_mul(2_654_435_761) ^ (turn << 7)));
        found.truncate(ask.limit as usize);
        if found.len() as u32 > self.heavy {
            return Err(Refusal::Size);
        }
        found.reverse();
        Ok(found
            .iter()
            .map(|(at, id)| line(*at, &id.to_string()))
            .collect())
    }
}

/// All that is read, the gaps, and how many questions it took.
fn read(server: &mut Server, want: Want) -> (Vec<(i64, u32)>, Vec<Gap>, usize) {
    let mut pager = Pager::new(want);
    let (mut out, mut asked) = (Vec::new(), 0);
    while let Some(ask) = pager.ask() {
        asked += 1;
        assert!(asked < 100_000, "it does not end");
        match server.answer(ask) {
            Ok(lines) => {
                let lines = pager.answered(lines, 0).expect("kept to the question");
                out.extend(lines.iter().map(|l| (l.at_ns, l.line.parse().expect("id"))));
            }
            Err(refusal) => assert!(pager.refused(refusal), "{refusal:?} of {ask:?}"),
        }
    }
    (out, pager.gaps().to_vec(), asked)
}

fn numbered(times: &[i64]) -> Vec<(i64, u32)> {
    times.iter().copied().zip(0..).collect()
}

/// Times of which many are equal.
fn times() -> impl Strategy<Value = Vec<i64>> {
    let bunch = (0_i64..400, 1_usize..40);
    prop::collection::vec(bunch, 0..40).prop_map(|bunches| {
        bunches
            .into_iter()
            .flat_map(|(at, n)| vec![at; n])
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(
        times in times(),
        page in 1_u32..60,
        chunk_ns in 1_i64..600,
        server_most in 1_u32..80,
        longest_ns in 1_i64..600,
        tells in any::<bool>(),
        heavy in prop_oneof![3 => Just(u32::MAX), 1 => 40_u32..200],
        (start_ns, end_ns) in (0_i64..200, 200_i64..420),
    ) {
        let mut server = Server {
            lines: numbered(&times),
            most: server_most,
            longest_ns,
            tells,
            heavy,
            slow_ns: i64::MAX,
            turn: 0,
        };
        let want = Want { start_ns, end_ns, chunk_ns, page, most: None, paginate: true };
        let (out, gaps, _) = read(&mut server, want);
        prop_assert!(out.windows(2).all(|w| w[0].0 <= w[1].0), "in order of time");
        let mut ids: Vec<u32> = out.iter().map(|(_, id)| *id).collect();
        ids.sort_unstable();
        prop_assert!(ids.windows(2).all(|w| w[0] != w[1]), "nothing twice");
        let mut there: BTreeMap<i64, u64> = BTreeMap::new();
        for (at, _) in server.lines.iter().filter(|(at, _)| (start_ns..end_ns).contains(at)) {
            *there.entry(*at).or_default() += 1;
        }
        let mut got: BTreeMap<i64, u64> = BTreeMap::new();
        for (at, _) in &out {
            *got.entry(*at).or_default() += 1;
        }
        for (at, count) in &there {
            let read = got.get(at).copied().unwrap_or(0);
            match gaps.iter().find(|g| g.at_ns == *at) {
                // Told, and as much read as comes at once; a full page may hold just all.
                Some(gap) => {
                    prop_assert_eq!(gap.read, read);
                    prop_assert!(read <= *count && read > 0);
                    if tells && heavy == u32::MAX {
                        prop_assert_eq!(read, u64::from(server_most).min(*count));
                        prop_assert!(*count >= u64::from(server_most));
                    }
                }
                None => prop_assert_eq!(read, *count, "at {}", at),
            }
        }
        prop_assert!(got.keys().all(|at| there.contains_key(at)));
    }

    #[test]
    fn the_cut_is_exact_and_keeps_the_oldest(
        times in times(),
        page in 1_u32..60,
        most in 0_u64..300,
    ) {
        let mut server = Server {
            lines: numbered(&times),
            most: 100_000,
            longest_ns: 100,
            tells: true,
            heavy: u32::MAX,
            slow_ns: i64::MAX,
            turn: 0,
        };
        let want = Want {
            start_ns: 0, end_ns: 400, chunk_ns: 500, page, most: Some(most), paginate: true,
        };
        let (out, gaps, _) = read(&mut server, want);
        prop_assert!(gaps.is_empty());
        let mut wanted = times.clone();
        wanted.sort_unstable();
        wanted.truncate(most as usize);
        let got: Vec<i64> = out.iter().map(|(at, _)| *at).collect();
        prop_assert_eq!(got, wanted);
    }
}

fn wide(page: u32) -> Want {
    Want {
        start_ns: 0,
        end_ns: 1_000,
        chunk_ns: 1_000,
        page,
        most: None,
        paginate: true,
    }
}

fn plain(times: &[i64], most: u32) -> Server {
    Server {
        lines: numbered(times),
        most,
        longest_ns: i64::MAX,
        tells: true,
        heavy: u32::MAX,
        slow_ns: i64::MAX,
        turn: 0,
    }
}

#[test]
fn thousands_of_lines_in_one_nanosecond_come_whole() {
    let times: Vec<i64> = [vec![4; 10], vec![5; 4_999], vec![6; 7]].concat();
    let (out, gaps, asked) = read(&mut plain(&times, 5_000), wide(1_000));
    assert_eq!((out.len(), gaps.len()), (times.len(), 0));
    assert!(asked < 8, "{asked}");
}

#[test]
fn more_than_the_server_gives_is_told_and_the_rest_goes_on() {
    let times: Vec<i64> = [vec![4; 10], vec![5; 7_000], vec![6; 7]].concat();
    let (out, gaps, _) = read(&mut plain(&times, 5_000), wide(1_000));
    assert_eq!(
        gaps,
        [Gap {
            at_ns: 5,
            read: 5_000
        }]
    );
    assert_eq!(out.len(), 10 + 5_000 + 7);
}

#[test]
fn what_takes_too_long_is_asked_in_shorter_pieces_for_as_long_as_it_does() {
    let second = 1_000_000_000;
    let times: Vec<i64> = (0..60).map(|n| n * second).collect();
    let mut server = Server {
        slow_ns: 7 * second,
        ..plain(&times, 5_000)
    };
    let want = Want {
        end_ns: 60 * second,
        chunk_ns: 60 * second,
        ..wide(1_000)
    };
    let (out, _, asked) = read(&mut server, want);
    assert_eq!(out.len(), 60);
    assert!(asked < 60, "{asked}");
}

#[test]
fn the_first_page_alone_says_that_there_is_more() {
    let mut pager = Pager::new(Want {
        paginate: false,
        ..wide(2)
    });
    let page = vec![line(1, "a"), line(2, "b")];
    assert_eq!(pager.answered(page, 0).map(|l| l.len()), Ok(2));
    assert!(pager.ask().is_none() && pager.is_more());
}

#[test]
fn a_server_that_gives_other_times_is_not_asked_for_ever() {
    let mut pager = Pager::new(wide(2));
    let page = vec![line(-5, "a"), line(-4, "b")];
    assert_eq!(pager.answered(page, 0), Err(Astray));
    assert!(!Pager::new(wide(1)).refused(Refusal::Lines(Some(0))));
}

#[test]
fn entries_that_are_no_lines_count_for_the_page() {
    let mut pager = Pager::new(wide(3));
    let first = pager
        .answered(vec![line(1, "a"), line(2, "b")], 1)
        .expect("kept");
    assert_eq!(first.len(), 1);
    assert_eq!(pager.ask().map(|a| a.start_ns), Some(2));
}
