//! What consoles of one team share: desks of incidents and findings, and who looks at what.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::desk::Desk;
use super::id::IncidentId;
use super::incident::Incident;
use super::text;
use super::time::Timestamp;

/// Signs of one incident by which others know it again.
const KEYS: usize = 64;
/// Bytes of a sign, and of the name of a cluster.
const KEY: usize = 1_000;
const CLUSTER: usize = 120;
/// Two consoles see the begin and the end of the same thing this far apart, milliseconds. Less
/// than the quarter of an hour after which the same sign is a new incident.
const APART_MS: i64 = 600_000;

/// Under which key a desk stands: the kind, and a number made from what it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeskKey(Arc<str>);

impl DeskKey {
    pub fn of_incident(id: IncidentId) -> Self {
        Self(format!("incident.{:016x}", id.0).into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for DeskKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DeskKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a desk is about. Clusters go by name: their numbers are those of one console.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Incident {
        id: IncidentId,
        cluster: Arc<str>,
        /// Of its findings: two consoles may give one incident two ids, if one of them saw more of
        /// its begin.
        keys: BTreeSet<Arc<str>>,
        opened: Timestamp,
        /// Until then it is known to have gone on.
        until: Timestamp,
    },
    Finding {
        cluster: Arc<str>,
        key: Arc<str>,
    },
}

impl About {
    pub fn incident(incident: &Incident, cluster: &Arc<str>, now: Timestamp) -> Self {
        let keys = incident.findings.iter().map(|f| f.key.clone());
        let keys = keys.filter(|key| key.len() <= KEY);
        Self::Incident {
            id: incident.id,
            cluster: cluster.clone(),
            keys: keys
                .collect::<BTreeSet<_>>()
                .into_iter()
                .take(KEYS)
                .collect(),
            opened: incident.opened,
            until: incident.closed.unwrap_or(now),
        }
    }

    pub fn cluster(&self) -> &Arc<str> {
        match self {
            Self::Incident { cluster, .. } | Self::Finding { cluster, .. } => cluster,
        }
    }

    pub fn key(&self) -> DeskKey {
        match self {
            Self::Incident { id, .. } => DeskKey::of_incident(*id),
            Self::Finding { cluster, key } => {
                let text = format!("{cluster}|{key}");
                DeskKey(format!("verdict.{:016x}", IncidentId::of(&text).0).into())
            }
        }
    }

    /// Both are about the same incident: by id, or by a sign that both have at the same time.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Incident {
                    id,
                    cluster,
                    keys,
                    opened,
                    until,
                },
                Self::Incident {
                    id: their_id,
                    cluster: their_cluster,
                    keys: their_keys,
                    opened: their_opened,
                    until: their_until,
                },
            ) => {
                let near = || at_once((*opened, *until), (*their_opened, *their_until));
                cluster == their_cluster
                    && (id == their_id || !keys.is_disjoint(their_keys) && near())
            }
            (Self::Finding { .. }, Self::Finding { .. }) => self == other,
            _ => false,
        }
    }

    /// It is about this incident of this cluster.
    pub fn is_of(&self, incident: &Incident, of: &str, now: Timestamp) -> bool {
        let Self::Incident {
            id,
            cluster,
            keys,
            opened,
            until,
        } = self
        else {
            return false;
        };
        let known = || incident.findings.iter().any(|f| keys.contains(&f.key));
        let span = (incident.opened, incident.closed.unwrap_or(now));
        let near = || at_once((*opened, *until), span);
        **cluster == *of && (*id == incident.id || known() && near())
    }

    /// That it goes on is known no longer than until this time, whatever its author's clock said.
    pub fn bound(&mut self, latest: Timestamp) {
        if let Self::Incident { until, .. } = self {
            *until = (*until).min(latest);
        }
    }

    /// The same, under the id that another bears.
    pub fn under(mut self, other: &Self) -> Self {
        if let (Self::Incident { id, .. }, Self::Incident { id: theirs, .. }) = (&mut self, other) {
            *id = *theirs;
        }
        self
    }

    /// What both consoles know of it.
    pub fn merge(&mut self, other: &Self) {
        if let (
            Self::Incident {
                keys,
                opened,
                until,
                ..
            },
            Self::Incident {
                keys: more,
                opened: their_opened,
                until: their_until,
                ..
            },
        ) = (self, other)
        {
            keys.extend(more.iter().cloned());
            while keys.len() > KEYS {
                keys.pop_last();
            }
            *opened = (*opened).min(*their_opened);
            *until = (*until).max(*their_until);
        }
    }

    /// `None`: no console writes such names.
    fn safe(self) -> Option<Self> {
        let short = |name: &Arc<str>, most| name.len() <= most;
        let clean = |name: &Arc<str>| text::shared(name, KEY);
        match self {
            Self::Incident {
                id,
                cluster,
                keys,
                opened,
                until,
            } => {
                let fits = short(&cluster, CLUSTER)
                    && keys.len() <= KEYS
                    && keys.iter().all(|k| short(k, KEY));
                fits.then(|| Self::Incident {
                    id,
                    cluster: clean(&cluster),
                    keys: keys.iter().map(clean).collect(),
                    opened,
                    until,
                })
            }
            Self::Finding { cluster, key } => {
                let fits = short(&cluster, CLUSTER) && short(&key, KEY);
                fits.then(|| Self::Finding {
                    cluster: clean(&cluster),
                    key: clean(&key),
                })
            }
        }
    }
}

/// Two spans of time of which neither ends long before the other begins.
fn at_once(one: (Timestamp, Timestamp), other: (Timestamp, Timestamp)) -> bool {
    let before = |end: Timestamp, begin: Timestamp| begin.0.saturating_sub(end.0) > APART_MS;
    !before(one.1, other.0) && !before(other.1, one.0)
}

/// A desk with what it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Doc {
    pub about: About,
    pub desk: Desk,
}

impl Doc {
    pub fn key(&self) -> DeskKey {
        self.about.key()
    }

    pub fn merge(&mut self, other: &Self) {
        self.about.merge(&other.about);
        self.desk.merge(&other.desk);
    }

    /// As it may be kept, from whoever it is; `None`: no console writes such a thing.
    pub fn safe(about: About, edits: Vec<super::desk::Edit>) -> Option<(Self, usize)> {
        let about = about.safe()?;
        let (desk, left_out) = Desk::of(edits);
        Some((Self { about, desk }, left_out))
    }
}

/// Another console, and what it looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Present {
    pub console: Arc<str>,
    pub by: Arc<str>,
    /// The incident in view there.
    pub at: Option<About>,
    /// How old its word was when it was read, milliseconds.
    pub age_ms: u64,
}

impl Present {
    /// As it may be shown, from whoever it is.
    pub fn safe(self) -> Option<Self> {
        let short = self.by.len() <= 120 && self.console.len() <= 64;
        let at = match self.at {
            Some(about) => Some(about.safe()?),
            None => None,
        };
        short.then(|| Self {
            console: text::shared(&self.console, 64),
            by: text::shared(&self.by, 120),
            at,
            age_ms: self.age_ms,
        })
    }
}

/// How the bus of the team is heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Line {
    #[default]
    Connecting,
    /// All that others wrote is read.
    Online,
    /// Why, and what to try.
    Offline(String),
}

/// What the edge tells of the team.
#[derive(Clone, Debug, PartialEq)]
pub enum Shared {
    /// There is a team; this console bears this id.
    Begun {
        console: Arc<str>,
    },
    Line(Line),
    /// The whole bucket is read from its begin: what was known of it is void.
    Anew,
    /// Entries of the bucket as they are now.
    Docs(Vec<Doc>),
    /// Entries that are gone from the bucket.
    Gone(Vec<String>),
    /// Entries that nobody here can read, edits that nobody can have made, in all.
    LeftAlone(Odd),
    /// How far this console's clock is ahead of the server's, milliseconds.
    Ahead(i64),
    /// Another console is there, or looks at something else.
    Present(Vec<Present>),
    /// It left.
    Left(Arc<str>),
}

/// What was left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Odd {
    /// Garbage, too large, of a newer version.
    pub unreadable: u64,
    /// Edits too long to be ours, or of a time that has not come.
    pub edits: u64,
    /// Why the last of these.
    pub why: String,
    /// Why the bus does not take what was written here.
    pub refused: Option<String>,
}

/// What the state wants of the team.
#[derive(Clone, Debug, PartialEq)]
pub enum Share {
    /// Put these in, merged with what is there.
    Docs(Vec<Doc>),
    /// This is looked at now.
    Look(Option<About>),
}

/// An edit of a later time than this after its entry was written is not taken, milliseconds.
pub const AHEAD_MS: i64 = 3_600_000;

#[cfg(test)]
mod tests;
