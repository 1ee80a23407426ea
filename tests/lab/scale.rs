//! From one cluster to ten thousand: how watchers share them, and what that asks of NATS and of
//! Prometheus. Prints the tables of `docs/scale.md`; a test holds that they are these.
//!
//!     cargo run --example scale

#[path = "scale/chance.rs"]
pub mod chance;
#[path = "scale/leases.rs"]
pub mod leases;
#[path = "scale/load.rs"]
pub mod load;

use chance::Chance;
use leases::{Play, STEPS};

/// Of leases, seconds: the usual.
const INTERVAL: u64 = 10;
const CLUSTERS: [u64; 5] = [1, 10, 100, 1_000, 10_000];

/// What the sharing went through, for one number of clusters.
pub struct Course {
    pub watchers: u64,
    pub loads: (usize, usize),
    /// Writes of leases and signs of life: each second, and most within a twentieth of an interval.
    pub writes: f64,
    pub most: u64,
    /// Longest time without a watcher and with two, in intervals: killed, joined, cut off.
    pub killed: (f64, f64),
    pub joined: (f64, f64),
    pub cut: (f64, f64),
    /// Clusters that went to another, and how many had to.
    pub moved: (usize, usize),
    pub came: (usize, usize),
}

/// A tenth of the watchers, one at least.
fn some(watchers: u64) -> usize {
    usize::try_from((watchers / 10).max(1)).unwrap_or(1)
}

/// Watches quietly, then some are killed at once, as many start, and one is cut off the bus.
pub fn course(clusters: u64, watchers: u64, seed: u64) -> Course {
    let mut chance = Chance::new(seed);
    let (count, some) = (usize::try_from(clusters).unwrap_or(0), some(watchers));
    let there = usize::try_from(watchers).unwrap_or(0);
    let mut play = Play::new(count, there + some, there, &mut chance);
    play.go(6);
    let quiet = play.go(10);
    assert_eq!(
        (quiet.unwatched, quiet.doubled, quiet.moved),
        (0, 0, 0),
        "nothing happens"
    );
    let seconds = (10 * INTERVAL) as f64;
    let (writes, most) = (play.writes as f64 / seconds, play.most_writes);
    let loads = play.loads();
    let killed_held: usize = (0..some).map(|n| play.held(n)).sum();
    // In the middle of an interval: some leases are fresh, others nearly due.
    for n in 0..some {
        play.kill(n);
    }
    let killed = play.go(6);
    for n in there..there + some {
        play.start(n);
    }
    let joined = play.go(6);
    let had_to: usize = (there..there + some).map(|n| play.held(n)).sum();
    play.cut(some, 4);
    let cut = play.go(10);
    let intervals = |steps: u64| steps as f64 / STEPS as f64;
    let both = |seen: &leases::Seen| (intervals(seen.unwatched), intervals(seen.doubled));
    Course {
        watchers,
        loads,
        writes,
        most,
        killed: both(&killed),
        joined: both(&joined),
        cut: both(&cut),
        moved: (killed.moved, killed_held),
        came: (joined.moved, had_to),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How clusters are shared.
pub fn sharing() -> String {
    let mut out = String::from(
        "| clusters | watchers | clusters of one | writes/s | most in 0.5 s | deliveries/s | killed: \
         longest unwatched | started | cut off | watched twice | moved by a kill (needed) | by a start |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for clusters in CLUSTERS {
        let course = course(clusters, load::watchers(clusters), clusters);
        let of = |span: (f64, f64)| format!("{:.2}", span.0);
        let twice = course.killed.1.max(course.joined.1).max(course.cut.1);
        let (least, most) = course.loads;
        out.push_str(&format!(
            "| {} | {} | {least} to {most} | {:.1} | {} | {} | {} | {} | {} | {twice:.2} | {} ({}) | {} ({}) |\n",
            grouped(clusters),
            course.watchers,
            course.writes,
            grouped(course.most),
            grouped((course.writes * course.watchers as f64).round() as u64),
            of(course.killed),
            of(course.joined),
            of(course.cut),
            grouped(course.moved.0 as u64),
            grouped(course.moved.1 as u64),
            grouped(course.came.0 as u64),
            grouped(course.came.1 as u64),
        ));
    }
    out
}

/// What is asked of whom.
pub fn loads() -> String {
    let mut out = String::from(
        "| clusters | series in Prometheus | held | watchers | memory of one | cores of all | queries/s \
         | events/day | busiest second | of a storm | on the bus a day | the stream holds |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for clusters in CLUSTERS {
        let load = load::of(clusters, &mut Chance::new(clusters));
        let kept = match load.stream_minutes {
            minutes @ 0..120 => format!("{minutes} min"),
            minutes => format!("{} h", minutes / 60),
        };
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} MB | {:.3} | {} | {} | {} | {} | {} MB | {kept} |\n",
            grouped(clusters),
            grouped(clusters * load::IN_PROMETHEUS),
            grouped(clusters * load::HELD),
            load.watchers,
            grouped(load.memory_mb),
            load.milli_cores as f64 / 1000.0,
            grouped(load.queries),
            grouped(load.events_a_day),
            load.busiest,
            load.storm,
            grouped(load.mb_a_day),
        ));
    }
    out
}

#[allow(dead_code, reason = "the test takes the tables alone")]
fn main() {
    println!("{}\n{}", sharing(), loads());
}
