//! What is usual for a series, as its engine knows it now: for the pictures.

use crate::model::time::Timestamp;

/// Values between these would not be told from this time on, until the next step. Infinite on a side
/// that is not bad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub at: Timestamp,
    pub low: f64,
    pub high: f64,
}

/// What the engine says of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Usual {
    /// Nothing is learned of it: it is not in the catalogue, or only its limit is judged.
    NotLearned,
    /// Too few points came to tell anything.
    Learning { seen: u32, of: u32 },
    /// Oldest first. `onset`: something is told since then, and the band is what was expected then.
    Known {
        steps: Vec<Step>,
        onset: Option<Timestamp>,
    },
}

impl Usual {
    /// In a few words, for the edge of a picture.
    pub fn words(&self) -> String {
        match self {
            Self::NotLearned => "nothing learned".into(),
            Self::Learning { seen, of } => format!("learning, {seen} of {of} points"),
            Self::Known { onset: None, .. } => "░ usual".into(),
            Self::Known { onset: Some(_), .. } => "░ usual at the onset".into(),
        }
    }

    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Known { steps, .. } => steps,
            _ => &[],
        }
    }
}
