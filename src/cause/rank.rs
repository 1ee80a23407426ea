//! All evidence together: the ranking, its probabilities, and what would confirm each.

use super::change::{self, Blame};
use super::knowledge::Fix;
use super::picture::Picture;
use super::place;

/// Natural logs of evidence that make one of probability: what adds up is not independent. Fitted
/// so that of the first guesses with a probability as many are right as it says.
const PLACES: f64 = 1.0;
const CHANGES: f64 = 1.5;
/// Wider by this where signs tell: their weights are set by hand, no recording was scored with them.
const BY_HAND: f64 = 2.0;
/// Evidence that none of the objects is it.
const NO_PLACE: f64 = 0.5;

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Natural logs for it; against it where negative.
    pub weight: f64,
    /// In words, with the numbers.
    pub says: String,
    /// Where this is from.
    pub origin: String,
}

impl Evidence {
    pub fn new(weight: f64, says: impl Into<String>, origin: &str) -> Self {
        Self {
            weight,
            says: says.into(),
            origin: origin.to_owned(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Object(usize),
    Change(usize),
    /// None of those that are known.
    None,
}

#[derive(Clone, Debug)]
pub struct Cause {
    pub what: What,
    pub probability: f64,
    /// Sum of the weights.
    pub score: f64,
    /// Strongest first, whichever side.
    pub evidence: Vec<Evidence>,
    /// A query whose answer would settle it.
    pub confirm: Option<String>,
    pub fix: Option<Fix>,
}

/// Most likely first; each list holds "none of these" once.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    pub places: Vec<Cause>,
    pub changes: Vec<Cause>,
    /// Series that show it, by their place in the picture, most telling first.
    pub series: Vec<usize>,
}

impl Ranking {
    /// The first answer to where, if there is evidence for one rather than for none.
    pub fn place(&self) -> Option<&Cause> {
        self.places.first().filter(|c| c.what != What::None)
    }

    pub fn change(&self) -> Option<&Cause> {
        self.changes.first().filter(|c| c.what != What::None)
    }
}

pub fn rank(picture: &Picture) -> Ranking {
    let seen = place::Seen::of(picture);
    let mut places = seen.places();
    places.push(Cause::of(What::None, vec![Evidence::new(NO_PLACE, "", "")]));
    let by_hand = if picture.signs.is_empty() {
        1.0
    } else {
        BY_HAND
    };
    settle(&mut places, PLACES * by_hand);
    let mut changes = Vec::new();
    if !picture.changes.is_empty() {
        changes.extend(change::of(picture, &seen).into_iter().map(Blame::cause));
        settle(&mut changes, CHANGES * by_hand);
    }
    let series = seen.series(&places);
    Ranking {
        places,
        changes,
        series,
    }
}

impl Cause {
    /// The probability as it is shown; nothing is certain, and nothing impossible.
    pub fn percent(&self) -> String {
        match 100.0 * self.probability {
            percent if percent >= 99.5 => ">99 %".to_owned(),
            percent if percent < 0.5 => "<1 %".to_owned(),
            percent => format!("{percent:.0} %"),
        }
    }

    pub fn of(what: What, mut evidence: Vec<Evidence>) -> Self {
        evidence.retain(|e| e.weight.is_finite() && e.weight.abs() >= 0.005);
        // From 0.0, since the sum of nothing is -0.0.
        let score = evidence.iter().fold(0.0, |sum, e| sum + e.weight);
        evidence.sort_by(|a, b| {
            let by = b.weight.abs().total_cmp(&a.weight.abs());
            by.then_with(|| a.says.cmp(&b.says))
        });
        Self {
            what,
            probability: 0.0,
            score,
            evidence,
            confirm: None,
            fix: None,
        }
    }
}

/// Probabilities that add up to 1, and the order.
fn settle(causes: &mut [Cause], scale: f64) {
    let most = causes
        .iter()
        .map(|c| c.score)
        .fold(f64::NEG_INFINITY, f64::max);
    let odds = |cause: &Cause| ((cause.score - most) / scale).exp();
    let all: f64 = causes.iter().map(odds).sum();
    for cause in causes.iter_mut() {
        cause.probability = if all > 0.0 { odds(cause) / all } else { 0.0 };
    }
    causes.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.what.cmp(&b.what)));
}
