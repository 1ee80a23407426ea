//! The evaluator of PromQL beside a real Prometheus that holds the same data.

use std::sync::{Arc, Mutex, Weak};

use farwatch::model::label::Labels;
use farwatch::model::sample::Sample;
use farwatch::model::time::Timestamp;
use farwatch::promql::{Limits, Memory, PromqlError, Query, Series, Value};

#[path = "promql/awkward.rs"]
mod awkward;
#[path = "promql/data.rs"]
mod data;
#[path = "promql/generate.rs"]
mod generate;
#[path = "support/prometheus.rs"]
mod prometheus;
#[path = "promql/random.rs"]
mod random;
#[path = "promql/said.rs"]
mod said;

use generate::{Generator, Part};
use prometheus::Prometheus;
use random::Random;
use said::{Said, ask, bits, difference, near, said, single, theirs, unnamed, unsigned};

/// A query at one time, or at several.
#[derive(Clone, Copy, Debug)]
struct When {
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
}

/// So that no generated query is refused: they make more values than people do.
const LIMITS: Limits = Limits {
    steps: 20_000,
    series: 100_000,
    cells: 1_000_000_000,
    visits: u64::MAX,
    stop: &|| false,
};

struct Both {
    server: Prometheus,
    memory: Memory,
}

/// The server is one for all tests that run at the same time, and ends with the last of them.
fn both() -> Arc<Both> {
    static BOTH: Mutex<Weak<Both>> = Mutex::new(Weak::new());
    let mut held = BOTH.lock().unwrap_or_else(|e| e.into_inner());
    held.upgrade().unwrap_or_else(|| {
        let both = Arc::new(Both::start());
        *held = Arc::downgrade(&both);
        both
    })
}

impl Both {
    fn start() -> Self {
        let all = data::series();
        let text = data::openmetrics(&all);
        let mut server = Prometheus::start_with_history("", "", Some(&text));
        server.configure(
            "",
            &[
                "--web.enable-remote-write-receiver",
                "--query.max-concurrency=4",
            ],
        );
        data::write(server.port, &all);
        Self {
            server,
            memory: Memory::new(all),
        }
    }

    fn theirs(&self, query: &str, when: When) -> (Said, Vec<u64>) {
        let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
        let path = match when.step_ms {
            0 => format!("query?time={}", seconds(when.start_ms)),
            step => format!(
                "query_range?start={}&end={}&step={}",
                seconds(when.start_ms),
                seconds(when.end_ms),
                seconds(step)
            ),
        };
        let body = ask(self.server.port, &path, query);
        theirs(&serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}")))
    }

    fn ours(&self, query: &str, when: When) -> (Said, Vec<u64>) {
        let mut asked = Query::range(query, (when.start_ms, when.end_ms), when.step_ms);
        // The interval of rules of this server.
        asked.subquery_step_ms = 1_000;
        match asked.answer(&self.memory, LIMITS) {
            Ok(Value::Scalar(value)) => single("{}".into(), when.start_ms, value),
            Ok(Value::Text(text)) => (Said::Text(text), Vec::new()),
            Ok(Value::Vector(all) | Value::Matrix(all)) => said(all),
            Err(PromqlError::Parse(words)) => (Said::Error(true, words), Vec::new()),
            Err(error) => (Said::Error(false, error.to_string()), Vec::new()),
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    asked: usize,
    same: usize,
    errors: usize,
    empty: usize,
    /// Of those whose order Prometheus leaves to chance.
    chance: usize,
    near: usize,
    /// Equal but for the last digits of a mathematics library.
    rounded: usize,
    varied: usize,
}

/// `None`: it is as it should be.
fn wrong(both: &Both, part: &Part, when: When, tally: &mut Tally) -> Option<String> {
    let query = &part.text;
    let chance = part.random[usize::from(when.step_ms != 0)];
    let (ours, our_order) = both.ours(query, when);
    let (theirs, their_order) = both.theirs(query, when);
    tally.asked += 1;
    tally.chance += usize::from(chance);
    tally.errors += usize::from(matches!(theirs, Said::Error(..)));
    tally.empty += usize::from(matches!(&theirs, Said::Series(all) if all.is_empty()));
    let same = match (&ours, &theirs) {
        (Said::Error(true, _), Said::Error(parse, _)) => *parse,
        (Said::Error(_, ours), Said::Error(_, theirs)) => unnamed(ours) == unnamed(theirs),
        (ours, theirs) => ours == theirs,
    };
    let sorted = query.starts_with("sort") && query.ends_with(')') && when.step_ms == 0;
    if same && (!sorted || our_order == their_order) {
        tally.same += 1;
        return None;
    }
    if part.rounded && near(&ours, &theirs) {
        tally.rounded += 1;
        return None;
    }
    // Zeros of both signs are equal: which one a quantile takes depends on how they are sorted.
    if query.contains("quantile") && unsigned(&ours) == unsigned(&theirs) {
        tally.near += 1;
        return None;
    }
    if chance && near(&ours, &theirs) {
        tally.near += 1;
        return None;
    }
    // Where it is chance, it comes out differently some day.
    if chance && (0..60).any(|_| both.theirs(query, when).0 != theirs) {
        tally.varied += 1;
        return None;
    }
    Some(format!(
        "{query}\n  {when:?} chance {chance}\n{}",
        difference(&ours, &theirs)
    ))
}

fn some_time(random: &mut Random) -> When {
    let span = (data::END_MS - data::START_MS) as u64;
    let start_ms = data::START_MS + random.up_to(span) as i64;
    match random.once_in(2) {
        true => When {
            start_ms,
            end_ms: start_ms,
            step_ms: 0,
        },
        false => {
            let step_ms = random.of(&[15_000, 30_000, 60_000, 47_500, 333]);
            let steps = 1 + random.up_to(30) as i64;
            When {
                start_ms,
                end_ms: start_ms + steps * step_ms,
                step_ms,
            }
        }
    }
}

#[test]
fn generated_queries_are_answered_as_by_prometheus() {
    let count = std::env::var("QUERIES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3_000);
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let mut generator = Generator {
        random: Random::new(seed),
    };
    let mut times = Random::new(seed + 1_000_003);
    let mut tally = Tally::default();
    let both = both();
    let mut all_wrong = Vec::new();
    for _ in 0..count {
        let part = generator.query();
        all_wrong.extend(wrong(&both, &part, some_time(&mut times), &mut tally));
    }
    println!("{tally:?}");
    assert!(
        all_wrong.is_empty(),
        "{} of {count} differ:\n{}",
        all_wrong.len(),
        all_wrong
            .iter()
            .take(12)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn awkward_queries_are_answered_as_by_prometheus() {
    let both = both();
    let mut all_wrong = Vec::new();
    let mut tally = Tally::default();
    let start_ms = data::WRITTEN_MS + 20 * 60_000;
    let instant = When {
        start_ms,
        end_ms: start_ms,
        step_ms: 0,
    };
    let range = When {
        start_ms,
        end_ms: start_ms + 1_200_000,
        step_ms: 60_000,
    };
    for query in awkward::AWKWARD {
        for when in [instant, range] {
            let part = Part::exact(query);
            all_wrong.extend(wrong(&both, &part, when, &mut tally));
        }
    }
    println!("{tally:?}");
    assert!(all_wrong.is_empty(), "{}", all_wrong.join("\n"));
}

/// Farthest that a value may be off where it comes from a mathematics library, relative.
const OFF: f64 = 2e-14;

#[test]
fn functions_of_one_value_are_off_by_their_last_digits_at_most() {
    let both = both();
    let mut random = Random::new(99);
    let mut worst = (0.0, String::new());
    let mut powers = 0;
    let when = When {
        start_ms: data::START_MS,
        end_ms: data::START_MS,
        step_ms: 0,
    };
    let mut off = |query: String, exact: bool| {
        let (Said::Series(ours), Said::Series(theirs)) =
            (both.ours(&query, when).0, both.theirs(&query, when).0)
        else {
            panic!("{query}");
        };
        let value = |all: &[(String, Vec<(i64, u64)>)]| f64::from_bits(all[0].1[0].1);
        let (ours, theirs) = (value(&ours), value(&theirs));
        if bits(ours) == bits(theirs) {
            return;
        }
        assert!(!exact, "{query}: {ours} and {theirs}");
        let by = (ours - theirs).abs() / theirs.abs();
        if by.is_nan() || by > worst.0 {
            worst = (by, format!("{query}: {ours} and {theirs}"));
        }
    };
    for name in [
        "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
        "tanh", "asinh", "acosh", "atanh",
    ] {
        for most in [1.0, 1.0, 10.0, 100.0, 1e6, 1e12] {
            for _ in 0..25 {
                off(
                    format!("{name}(vector({}))", random.float(-most, most)),
                    false,
                );
            }
        }
    }
    for most in [1.0, 10.0, 100.0, 1e6] {
        for _ in 0..50 {
            let (a, b) = (random.float(-most, most), random.float(-9.0, 9.0));
            off(format!("vector({a}) ^ {b}"), false);
            off(format!("vector({a}) atan2 {b}"), false);
            off(format!("vector({a}) ^ {}", b.floor()), true);
            off(format!("sqrt(vector({a}))"), true);
            off(format!("vector({a}) % {b}"), true);
            powers += 1;
        }
    }
    println!("{powers} powers, worst {worst:?}");
    assert!(worst.0 <= OFF, "{worst:?}");
}
