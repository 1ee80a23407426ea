//! One edit: what was set to what, by whom, and its place among all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::incident::{Opinion, Stamp};
use crate::model::redact::redact;
use crate::model::text;
use crate::model::time::Timestamp;

/// Edits kept of one field; notes and pins are many by nature.
const FIELD: usize = 16;
const NOTES: usize = 200;
const PINS: usize = 64;
/// Bytes of a note, of a pin, of a name, of a console's id. Longer ones are nobody's.
pub const NOTE: usize = 2_000;
pub const PIN: usize = 500;
pub const NAME: usize = 60;
const CONSOLE: usize = 32;
/// What the mark of a cut text may add to these.
const CUT: usize = 40;
/// The longest mute that a console gives, with a day for clocks that are apart, milliseconds.
const MUTE_MS: i64 = 31 * 86_400_000;
/// How often a text is gone over until nothing in it changes any more.
const GONE_OVER: usize = 4;

/// The place of an edit in the order of all: a hybrid logical clock, then who made it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Milliseconds since 1970 by the author's clock, or those of what was in view if that is later.
    pub ms: i64,
    /// Counts edits of the same millisecond.
    pub count: u32,
    pub by: Arc<str>,
    pub console: Arc<str>,
}

/// One thing that somebody did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    pub mark: Mark,
    /// By the author's clock, as it is shown.
    pub at: Timestamp,
    /// The edit of the same field that the author had in view.
    #[serde(default)]
    pub seen: Option<Mark>,
    pub what: What,
}

/// A field and its new value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Acknowledged(bool),
    /// `None`: to nobody.
    Assigned(Option<String>),
    /// Until then; `None`: no longer.
    Muted(Option<Timestamp>),
    Note(String),
    /// Evidence that somebody wants to keep in view, or no longer.
    Pinned {
        text: String,
        on: bool,
    },
    /// Of a finding, with its score then; `None`: taken back.
    Verdict(Option<(Opinion, Score)>),
}

/// From 0 to 1, with an order.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Score(f64);

impl From<f64> for Score {
    fn from(value: f64) -> Self {
        // `clamp` keeps what is no number.
        Self(if value.is_nan() {
            0.0
        } else {
            value.clamp(0.0, 1.0)
        })
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> Self {
        score.0
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Score {}

/// What an edit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Acknowledged,
    Assigned,
    Muted,
    Notes,
    Pins,
    Verdict,
}

impl Field {
    pub(super) const ALL: [Self; 6] = [
        Self::Acknowledged,
        Self::Assigned,
        Self::Muted,
        Self::Notes,
        Self::Pins,
        Self::Verdict,
    ];

    pub(super) fn most(self) -> usize {
        match self {
            Self::Notes => NOTES,
            Self::Pins => PINS,
            _ => FIELD,
        }
    }

    /// The newest edit decides.
    pub(super) fn is_single(self) -> bool {
        !matches!(self, Self::Notes | Self::Pins)
    }
}

impl What {
    pub fn field(&self) -> Field {
        match self {
            Self::Acknowledged(_) => Field::Acknowledged,
            Self::Assigned(_) => Field::Assigned,
            Self::Muted(_) => Field::Muted,
            Self::Note(_) => Field::Notes,
            Self::Pinned { .. } => Field::Pins,
            Self::Verdict(_) => Field::Verdict,
        }
    }

    /// As people say it; `time` writes a time.
    pub fn words(&self, time: impl Fn(Timestamp) -> String) -> String {
        match self {
            Self::Acknowledged(true) => "acknowledged".into(),
            Self::Acknowledged(false) => "no longer acknowledged".into(),
            Self::Assigned(Some(who)) => format!("assigned to {who}"),
            Self::Assigned(None) => "assigned to nobody".into(),
            Self::Muted(Some(until)) => format!("muted until {}", time(*until)),
            Self::Muted(None) => "no longer muted".into(),
            Self::Note(text) => format!("note: {text}"),
            Self::Pinned { text, on: true } => format!("pinned: {text}"),
            Self::Pinned { text, on: false } => format!("no longer pinned: {text}"),
            Self::Verdict(Some((Opinion::True, _))) => "it was something".into(),
            Self::Verdict(Some((Opinion::False, _))) => "it was nothing".into(),
            Self::Verdict(None) => "no verdict".into(),
        }
    }

    /// A later edit of this takes the place of the other.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Note(_), _) => false,
            (Self::Pinned { text, .. }, Self::Pinned { text: of, .. }) => text == of,
            _ => self.field() == other.field(),
        }
    }

    /// As it is before anybody did anything.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(
            self,
            Self::Acknowledged(false)
                | Self::Assigned(None)
                | Self::Muted(None)
                | Self::Pinned { on: false, .. }
                | Self::Verdict(None)
        )
    }
}

impl Edit {
    pub fn stamp(&self) -> Stamp {
        Stamp {
            by: self.mark.by.clone(),
            at: self.at,
        }
    }

    pub(super) fn is_of(&self, field: Field) -> bool {
        self.what.field() == field
    }

    /// Of the same console.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        (&self.mark.by, &self.mark.console) == (&other.mark.by, &other.mark.console)
    }

    /// As it may be kept, from whoever it is: no escape sequences, and nothing that looks like a
    /// credential. What is so already stays as it is. `None`: of a length that no console writes.
    pub(super) fn safe(mut self) -> Option<Self> {
        let mut marks = std::iter::once(&self.mark).chain(&self.seen);
        if !marks.all(|m| fits(&m.by, NAME) && fits(&m.console, CONSOLE)) {
            return None;
        }
        match &mut self.what {
            What::Note(text) => *text = safe(text, NOTE)?,
            What::Assigned(Some(text)) => *text = safe(text, NAME)?,
            What::Pinned { text, .. } => *text = safe(text, PIN)?,
            What::Muted(Some(until)) if until.0.saturating_sub(self.mark.ms) > MUTE_MS => {
                return None;
            }
            _ => {}
        }
        self.mark = self.mark.safe();
        self.seen = self.seen.map(Mark::safe);
        Some(self)
    }
}

fn fits(text: &str, most: usize) -> bool {
    text.len() <= most + CUT
}

/// The text as every console keeps it, whoever made it safe how often; `None`: too long.
fn safe(text: &str, most: usize) -> Option<String> {
    if !fits(text, most) {
        return None;
    }
    let once = |text: &str| {
        let masked = redact(&text::clean(text, most + CUT));
        match fits(&masked, most) {
            true => masked,
            // The masks made it longer.
            false => text::clean(&masked, most),
        }
    };
    let mut kept = text.to_owned();
    for _ in 0..GONE_OVER {
        let again = once(&kept);
        if again == kept {
            break;
        }
        kept = again;
    }
    Some(kept)
}

impl Mark {
    fn safe(mut self) -> Self {
        self.by = text::shared(&self.by, NAME + CUT);
        self.console = text::shared(&self.console, CONSOLE + CUT);
        self
    }
}
