//! What outlives the process: what is put away, what is asked back.

use std::sync::Arc;

use super::desk::Desk;
use super::id::IncidentId;
use super::incident::Incident;
use super::talk::{Session, SessionHead, SessionId};

/// To be put away. Clusters go by name: their numbers are those of one run.
#[derive(Clone, Debug, PartialEq)]
pub enum Keep {
    Incident(Box<Past>),
    /// Another one took it in.
    Gone(IncidentId),
    /// What was said of the findings of a key, also that it was taken back.
    Verdict {
        cluster: Arc<str>,
        key: Arc<str>,
        said: Desk,
    },
    /// A conversation of the chat pane.
    Session(Box<Session>),
    Forget(SessionId),
}

/// An incident as it is put away.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    pub cluster: Arc<str>,
    /// What it shows, in words that two incidents of the same kind share.
    pub signs: Vec<String>,
    pub incident: Incident,
}

/// Asked of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall {
    /// Ended ones that share signs with this one.
    Like {
        id: IncidentId,
        signs: Vec<String>,
    },
    /// Ended ones in which these words stand; empty: the newest.
    Search(String),
    /// Conversations in which these words stand; empty: the newest.
    Sessions(String),
    Session(SessionId),
    /// Conversations about this incident, whole.
    About(IncidentId),
}

impl Recall {
    /// The operator waits for the answer; the others only add to what is shown.
    pub fn is_asked_for(&self) -> bool {
        matches!(self, Self::Sessions(_) | Self::Session(_) | Self::About(_))
    }
}

/// What the archive says.
#[derive(Clone, Debug, PartialEq)]
pub enum Recalled {
    /// At start: what was open or ended lately, the verdicts, and the greatest number so far.
    Begin {
        incidents: Vec<Past>,
        verdicts: Vec<(Arc<str>, Arc<str>, Desk)>,
        numbered: u32,
    },
    Like {
        id: IncidentId,
        past: Vec<Past>,
    },
    Search {
        words: String,
        past: Vec<Past>,
    },
    Sessions {
        words: String,
        heads: Vec<SessionHead>,
    },
    /// `None`: it is not there (any more).
    Session(Option<Box<Session>>),
    About {
        id: IncidentId,
        talks: Vec<Session>,
    },
    /// What could not be done, and what to try.
    Fault(String),
}
