//! What the engine is given of one incident. Objects are named by their place in `objects`.

use super::aspect::Aspect;

/// One incident with all that was measured around it.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Services, workloads, pods, nodes, devices: whatever can be blamed.
    pub objects: Vec<String>,
    /// Who needs whom: the first is served by the second, whose trouble it feels.
    pub calls: Vec<(usize, usize)>,
    pub window: Window,
    /// Where and in what it was noticed, if anybody said.
    pub symptom: Option<(usize, Aspect)>,
    pub series: Vec<Series>,
    pub counts: Vec<Count>,
    pub signs: Vec<Sign>,
    pub changes: Vec<Change>,
    /// What the alert says, in its own words.
    pub told: Vec<String>,
}

/// The time of the incident, seconds of any one clock.
#[derive(Clone, Debug, Default)]
pub struct Window {
    pub begins: f64,
    pub ends: f64,
    /// Between two values of a series; nothing is known to be earlier by less.
    pub step: f64,
    /// Other incidents in the recording: no quiet time.
    pub others: Vec<(f64, f64)>,
}

/// What a series is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Object(usize),
    /// Measured between a caller and the one it calls.
    Call(usize, usize),
}

#[derive(Clone, Debug)]
pub struct Series {
    pub place: Place,
    /// As its source calls it.
    pub name: String,
    /// Time and value; what is no number is a missing value.
    pub points: Vec<(f64, f64)>,
}

/// Where a count comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Lines of one log pattern.
    Lines,
    /// Spans of one operation.
    Spans,
}

/// Time, number, and the 95th percentile of its duration in seconds (spans only).
pub type Tally = (f64, f64, Option<f64>);

/// How often something was seen, in steps of time; a step without it is not listed.
#[derive(Clone, Debug)]
pub struct Count {
    pub object: usize,
    pub what: Counted,
    /// The pattern, or the name of the operation.
    pub text: String,
    pub points: Vec<Tally>,
}

/// Something that was changed on purpose.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub id: String,
    /// When it was made.
    pub at: f64,
    /// Where it took effect, and when.
    pub live: Vec<(Option<usize>, f64)>,
    /// Nobody saw when: it was there at this time, at the latest.
    pub seen: Option<f64>,
    /// What its author says.
    pub text: String,
    pub files: Vec<String>,
    pub diff: String,
}

impl Window {
    /// A time at which nothing was wrong yet, as far as known. Trouble reaches a step to either side.
    pub fn is_quiet(&self, at: f64) -> bool {
        let near = |(from, to): &(f64, f64)| at >= from - self.step && at <= to + self.step;
        at < self.begins - self.step && !self.others.iter().any(near)
    }

    pub fn is_during(&self, at: f64) -> bool {
        at >= self.begins && at <= self.ends
    }
}

/// What somebody found on an object.
#[derive(Clone, Debug, Default)]
pub struct Sign {
    pub object: usize,
    /// The signal, and one sentence with numbers.
    pub name: String,
    pub text: String,
    /// How far out of the usual, 0 to 1.
    pub score: f64,
    /// Bad in itself, whatever is usual.
    pub hard: bool,
    /// First sign, seconds.
    pub since: f64,
    /// Between two looks at what shows it, seconds: it may have begun by so much earlier, and what
    /// happened by more later did not begin it.
    pub step: f64,
    /// It began before that, nobody knows when.
    pub before: bool,
    /// How it was found.
    pub origin: String,
    /// What shows it: a query.
    pub query: Option<String>,
}
