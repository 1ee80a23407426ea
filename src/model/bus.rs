//! A message bus as it is seen from outside: servers, streams, consumers, and messages that pass.
//!
//! What the server did not tell stays `None`. Every text is clean.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

mod masked;
mod message;
mod subject;

pub use message::{Content, Encoding, Message, Part, Reply, Row, Shape, Tail};
pub use subject::{Family, Pattern, PatternError};

/// What shall be followed live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Following {
    pub patterns: Vec<Pattern>,
    /// All of them must stand in a message, capitals or not.
    pub words: String,
}

/// Where to begin to read what a stream keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Sequence(u64),
    Time(Timestamp),
    /// This many before the end.
    Last(u64),
}

/// What one look at a bus found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Our clock when the last answer came in.
    pub at: Timestamp,
    pub server: Server,
    pub jetstream: JetStream,
}

/// The server that we are connected with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub name: Arc<str>,
    pub version: Arc<str>,
    /// Largest message it takes, bytes.
    pub max_payload: u64,
    /// It will soon stop, and asks its clients to go elsewhere.
    pub lame_duck: bool,
}

/// Streams and consumers, or why nothing is known of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum JetStream {
    #[default]
    Unknown,
    On(Box<Streams>),
    /// The server, or this account, has none.
    Off(Arc<str>),
    /// It may be there; a right is missing to see it, or it could not say.
    Denied(Arc<str>),
}

/// What JetStream holds for this account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Streams {
    /// `None`: not told, or no right to see it.
    pub account: Option<Account>,
    pub streams: Vec<Stream>,
    /// How many streams there are; more than are listed where the list was cut.
    pub total: u64,
    /// What could not be asked for lack of a right, or failed, in words.
    pub missing: Vec<Arc<str>>,
}

/// Use and limits of the account; bytes. A limit of `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub memory_bytes: u64,
    pub storage_bytes: u64,
    pub memory_limit_bytes: Option<u64>,
    pub storage_limit_bytes: Option<u64>,
    pub streams: u64,
    pub consumers: u64,
    pub api_errors: u64,
}

/// When a stream lets go of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// By age, number or bytes.
    #[default]
    Limits,
    /// Once every consumer has it.
    Interest,
    /// Once one consumer has it: reading it takes it away from others.
    WorkQueue,
    /// A word that this version does not know.
    Other,
}

impl Retention {
    /// A consumer of ours changes nothing for others.
    pub fn may_be_read(self) -> bool {
        self == Self::Limits
    }
}

/// One stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    pub name: Arc<str>,
    pub subjects: Vec<Arc<str>>,
    pub retention: Retention,
    pub created: Option<Timestamp>,
    pub messages: u64,
    pub bytes: u64,
    pub first_sequence: u64,
    pub last_sequence: u64,
    /// `None`: no message yet.
    pub last_at: Option<Timestamp>,
    /// `None`: no limit.
    pub max_bytes: Option<u64>,
    pub max_messages: Option<u64>,
    pub max_age_ms: Option<u64>,
    /// Full, it refuses new messages rather than drop old ones.
    pub refuses_when_full: bool,
    /// Copies as configured.
    pub replicas: u32,
    /// `None`: a single server.
    pub group: Option<Group>,
    pub consumers: Vec<Consumer>,
    /// How many consumers there are; more than are listed where the list was cut or refused.
    pub consumers_total: u64,
    /// Why its consumers are not listed.
    pub consumers_missing: Option<Arc<str>>,
}

/// Who leads a group of copies, and how well the others follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// `None`: nobody leads now.
    pub leader: Option<Arc<str>>,
    pub followers: Vec<Follower>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follower {
    pub name: Arc<str>,
    pub current: bool,
    pub offline: bool,
    /// Operations behind the leader; `None`: none, or not told.
    pub lag: Option<u64>,
    /// Since the leader last heard of it.
    pub active_ms: u64,
}

impl Group {
    /// The copy that is farthest behind, of those that are there.
    pub fn worst_lag(&self) -> Option<&Follower> {
        self.followers
            .iter()
            .filter(|f| f.lag.unwrap_or(0) > 0)
            .max_by_key(|f| f.lag)
    }

    /// Copies that are not up to date: behind, or gone. (A killed server is not said to be offline
    /// before minutes have passed; NATS 2.15.)
    pub fn behind(&self) -> usize {
        self.followers.iter().filter(|f| !f.current).count()
    }
}

/// One consumer of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    pub name: Arc<str>,
    pub durable: bool,
    /// The server pushes; `false`: the client pulls.
    pub push: bool,
    /// Messages that match and were not delivered yet: its lag.
    pub lag: u64,
    /// Delivered, not acknowledged.
    pub ack_pending: u64,
    /// Delivered more than once and not acknowledged.
    pub redelivered: u64,
    /// Pull requests that wait for messages.
    pub waiting: u64,
    /// Up to here everything is acknowledged, in the stream's sequence.
    pub acked_sequence: u64,
    pub delivered_sequence: u64,
    /// `None`: nothing was delivered yet, or the server does not tell.
    pub last_delivered: Option<Timestamp>,
    pub paused: bool,
    pub filters: Vec<Arc<str>>,
    pub group: Option<Group>,
}
