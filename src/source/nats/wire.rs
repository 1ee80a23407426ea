//! Answers of the JetStream API as they are sent. What a server leaves out is not an error.

use serde::{Deserialize, Deserializer};
use std::sync::Arc;

use crate::model::bus;
use crate::model::text;
use crate::model::time::Timestamp;

/// Longest name or subject that is kept, bytes.
const NAME: usize = 200;
/// Subjects and filters kept of one stream or consumer.
const SUBJECTS: usize = 32;
/// Copies kept of one group.
const COPIES: usize = 16;

/// `{"error": {...}}`, or what was asked for.
#[derive(Deserialize)]
pub struct Answer<T> {
    pub error: Option<Refusal>,
    #[serde(flatten)]
    pub body: Option<T>,
}

#[derive(Debug, Deserialize)]
pub struct Refusal {
    #[serde(default)]
    pub code: u16,
    /// The server's own number for it.
    #[serde(default)]
    pub err_code: u64,
    #[serde(default)]
    pub description: String,
}

#[derive(Deserialize)]
pub struct AccountInfo {
    #[serde(default)]
    memory: u64,
    #[serde(default)]
    storage: u64,
    #[serde(default)]
    streams: u64,
    #[serde(default)]
    consumers: u64,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    api: Api,
}

#[derive(Default, Deserialize)]
struct Limits {
    #[serde(default)]
    max_memory: i64,
    #[serde(default)]
    max_storage: i64,
}

#[derive(Default, Deserialize)]
struct Api {
    #[serde(default)]
    errors: u64,
}

#[derive(Deserialize)]
pub struct StreamPage {
    pub total: u64,
    #[serde(default, deserialize_with = "or_none")]
    pub streams: Vec<StreamInfo>,
    /// Those of which nobody answers.
    #[serde(default, deserialize_with = "or_none")]
    pub missing: Vec<String>,
}

#[derive(Deserialize)]
pub struct ConsumerPage {
    pub total: u64,
    #[serde(default, deserialize_with = "or_none")]
    pub consumers: Vec<ConsumerInfo>,
}

#[derive(Deserialize)]
pub struct StreamInfo {
    config: StreamConfig,
    created: Option<String>,
    #[serde(default)]
    state: State,
    cluster: Option<Cluster>,
    /// When the server said it.
    ts: Option<String>,
}

#[derive(Deserialize)]
struct StreamConfig {
    name: String,
    #[serde(default, deserialize_with = "or_none")]
    subjects: Vec<String>,
    #[serde(default)]
    retention: String,
    #[serde(default)]
    max_msgs: i64,
    #[serde(default)]
    max_bytes: i64,
    /// Nanoseconds.
    #[serde(default)]
    max_age: i64,
    #[serde(default)]
    discard: String,
    #[serde(default)]
    num_replicas: u32,
}

#[derive(Default, Deserialize)]
struct State {
    #[serde(default)]
    messages: u64,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    first_seq: u64,
    #[serde(default)]
    last_seq: u64,
    last_ts: Option<String>,
    #[serde(default)]
    consumer_count: u64,
}

#[derive(Deserialize)]
struct Cluster {
    #[serde(default)]
    leader: String,
    #[serde(default, deserialize_with = "or_none")]
    replicas: Vec<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    name: String,
    #[serde(default)]
    current: bool,
    #[serde(default)]
    offline: bool,
    /// Nanoseconds.
    #[serde(default)]
    active: u64,
    lag: Option<u64>,
}

#[derive(Deserialize)]
pub struct ConsumerInfo {
    name: String,
    config: ConsumerConfig,
    #[serde(default)]
    delivered: Sequence,
    #[serde(default)]
    ack_floor: Sequence,
    #[serde(default)]
    num_ack_pending: u64,
    #[serde(default)]
    num_redelivered: u64,
    #[serde(default)]
    num_waiting: u64,
    #[serde(default)]
    num_pending: u64,
    cluster: Option<Cluster>,
    #[serde(default)]
    paused: bool,
}

#[derive(Deserialize)]
struct ConsumerConfig {
    description: Option<String>,
    durable_name: Option<String>,
    deliver_subject: Option<String>,
    filter_subject: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    filter_subjects: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Sequence {
    #[serde(default)]
    stream_seq: u64,
    last_active: Option<String>,
}

impl AccountInfo {
    pub fn fact(&self) -> bus::Account {
        bus::Account {
            memory_bytes: self.memory,
            storage_bytes: self.storage,
            memory_limit_bytes: limit(self.limits.max_memory),
            storage_limit_bytes: limit(self.limits.max_storage),
            streams: self.streams,
            consumers: self.consumers,
            api_errors: self.api.errors,
        }
    }
}

impl StreamInfo {
    /// The name as the server wants it in a request.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    pub fn told_at(&self) -> Option<Timestamp> {
        time(self.ts.as_deref())
    }

    pub fn consumer_count(&self) -> u64 {
        self.state.consumer_count
    }

    /// Without consumers: these come in another answer.
    pub fn fact(&self) -> bus::Stream {
        let (config, state) = (&self.config, &self.state);
        bus::Stream {
            name: name(&config.name),
            subjects: names(&config.subjects),
            retention: match config.retention.as_str() {
                "limits" => bus::Retention::Limits,
                "interest" => bus::Retention::Interest,
                "workqueue" => bus::Retention::WorkQueue,
                _ => bus::Retention::Other,
            },
            created: time(self.created.as_deref()),
            messages: state.messages,
            bytes: state.bytes,
            first_sequence: state.first_seq,
            last_sequence: state.last_seq,
            last_at: time(state.last_ts.as_deref()),
            max_bytes: limit(config.max_bytes),
            max_messages: limit(config.max_msgs),
            max_age_ms: limit(config.max_age)
                .filter(|ns| *ns > 0)
                .map(|ns| ns / 1_000_000),
            refuses_when_full: config.discard == "new",
            replicas: config.num_replicas,
            group: self.cluster.as_ref().map(Cluster::fact),
            consumers: Vec::new(),
            consumers_total: state.consumer_count,
            consumers_missing: None,
        }
    }
}

impl ConsumerInfo {
    /// What its maker says of it.
    pub fn description(&self) -> Option<&str> {
        self.config.description.as_deref()
    }

    pub fn fact(&self) -> bus::Consumer {
        let one = self.config.filter_subject.iter();
        let filters: Vec<String> = one
            .filter(|f| !f.is_empty())
            .chain(&self.config.filter_subjects)
            .cloned()
            .collect();
        bus::Consumer {
            name: name(&self.name),
            durable: is_set(&self.config.durable_name),
            push: is_set(&self.config.deliver_subject),
            lag: self.num_pending,
            ack_pending: self.num_ack_pending,
            redelivered: self.num_redelivered,
            waiting: self.num_waiting,
            acked_sequence: self.ack_floor.stream_seq,
            delivered_sequence: self.delivered.stream_seq,
            last_delivered: time(self.delivered.last_active.as_deref()),
            paused: self.paused,
            filters: names(&filters),
            group: self.cluster.as_ref().map(Cluster::fact),
        }
    }
}

impl Cluster {
    fn fact(&self) -> bus::Group {
        let follower = |peer: &Peer| bus::Follower {
            name: name(&peer.name),
            current: peer.current,
            offline: peer.offline,
            lag: peer.lag,
            active_ms: peer.active / 1_000_000,
        };
        bus::Group {
            leader: (!self.leader.is_empty()).then(|| name(&self.leader)),
            followers: self.replicas.iter().take(COPIES).map(follower).collect(),
        }
    }
}

fn is_set(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|t| !t.is_empty())
}

fn name(text: &str) -> Arc<str> {
    text::shared(text, NAME)
}

fn names(texts: &[String]) -> Vec<Arc<str>> {
    texts.iter().take(SUBJECTS).map(|t| name(t)).collect()
}

/// Negative is no limit.
fn limit(value: i64) -> Option<u64> {
    u64::try_from(value).ok()
}

/// Year 1 is the server's word for never.
fn time(text: Option<&str>) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text?).filter(|at| at.0 > 0)
}

/// A list that may be `null`.
fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
