//! What the benchmarks share: processor time, a counting allocator, and lines that name the goal.
//!
//! Times are of the thread's own processor clock and are compared within one run, round by round
//! in turn, so that a busy machine falsifies neither. Arguments choose lines by part of their name.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::time::{ClockId, clock_gettime};

/// Counts what the system's allocator is asked for.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn took(bytes: usize) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        took(size);
        unsafe { System.realloc(at, layout, size) }
    }
}

/// What some work asked of the allocator.
#[derive(Clone, Copy, Debug)]
pub struct Heap {
    pub allocations: usize,
    /// Most bytes held beyond those held before.
    pub peak: usize,
    /// Bytes held at its end beyond those held before.
    pub kept: usize,
}

pub fn heap<T>(work: impl FnOnce() -> T) -> (Heap, T) {
    let (count, held) = (COUNT.load(Ordering::Relaxed), HELD.load(Ordering::Relaxed));
    PEAK.store(held, Ordering::Relaxed);
    let made = black_box(work());
    let heap = Heap {
        allocations: COUNT.load(Ordering::Relaxed) - count,
        peak: PEAK.load(Ordering::Relaxed) - held,
        kept: HELD.load(Ordering::Relaxed).saturating_sub(held),
    };
    (heap, made)
}

/// Processor time of this thread, nanoseconds.
fn clock() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

/// Processor time of some work, nanoseconds. What it makes is dropped after.
pub fn cpu<T>(work: impl FnOnce() -> T) -> f64 {
    let begin = clock();
    let made = black_box(work());
    let took = clock() - begin;
    drop(made);
    // The allocator tidies up after small pieces when a large one goes: here, and not within
    // whatever is measured next.
    drop(black_box(Vec::<u8>::with_capacity(100_000)));
    took
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Median processor time of `rounds` runs after one that warms up.
pub fn time<T>(rounds: usize, mut work: impl FnMut() -> T) -> f64 {
    work();
    median((0..rounds).map(|_| cpu(&mut work)).collect())
}

/// Ours and a peer, in turn.
pub struct Duel {
    pub ours: f64,
    pub peer: f64,
    /// How many times as fast we are: median, least, most of the rounds.
    pub ratio: (f64, f64, f64),
}

pub fn duel<A, B>(rounds: usize, mut ours: impl FnMut() -> A, mut peer: impl FnMut() -> B) -> Duel {
    ours();
    peer();
    let both: Vec<(f64, f64)> = (0..rounds)
        .map(|_| (cpu(&mut ours), cpu(&mut peer)))
        .collect();
    let ratios: Vec<f64> = both.iter().map(|(a, b)| b / a).collect();
    Duel {
        ours: median(both.iter().map(|b| b.0).collect()),
        peer: median(both.iter().map(|b| b.1).collect()),
        ratio: (
            median(ratios.clone()),
            ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratios.iter().copied().fold(0.0, f64::max),
        ),
    }
}

/// What must be reached, what is aimed at.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    Most(f64, f64),
    Least(f64, f64),
}

impl Goal {
    fn verdict(self, value: f64) -> (&'static str, f64, f64, &'static str) {
        let (sign, must, aim, must_met, aim_met) = match self {
            Self::Most(must, aim) => ("<=", must, aim, value <= must, value <= aim),
            Self::Least(must, aim) => (">=", must, aim, value >= must, value >= aim),
        };
        let word = match (must_met, aim_met) {
            (_, true) => "aim reached",
            (true, _) => "reached",
            _ => "NOT REACHED",
        };
        (sign, must, aim, word)
    }
}

/// Whether a part of the run was asked for: no words, or one that is part of the name.
pub fn wanted(name: &str) -> bool {
    let mut words = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .peekable();
    words.peek().is_none() || words.any(|w| name.contains(&w))
}

/// A figure with its goal.
pub fn judged(what: &str, value: f64, unit: &str, goal: Goal) {
    let (sign, must, aim, word) = goal.verdict(value);
    println!(
        "{what:<52} {value:>10.3} {unit:<12} must {sign} {must:<7} aim {sign} {aim:<7} {word}"
    );
}

/// A figure without a goal.
pub fn told(what: &str, value: f64, unit: &str) {
    println!("{what:<52} {value:>10.3} {unit}");
}

/// Resident memory of this process, bytes.
pub fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .unwrap_or("");
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(f64::NAN);
    kib * 1024.0
}
