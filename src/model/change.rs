//! Change events: what was changed in a cluster, by whom and when. They stand on the timeline, in
//! the charts, and before the causes.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Argo CD or Flux applied a revision, or failed to.
    Sync,
    /// A workload's template changed and its pods follow.
    Rollout,
    /// A workload's replicas were changed.
    Scale,
    /// A node came, went, was cordoned, got another kubelet, lost or regained Ready.
    Node,
    /// An object that configures others changed (PtpConfig, SR-IOV, tracked branch).
    Config,
    /// The cluster's or an operator's version.
    Upgrade,
    /// A clock's state or class, as an event of its node tells it.
    Clock,
}

impl ChangeKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Rollout => "rollout",
            Self::Scale => "scale",
            Self::Node => "node",
            Self::Config => "config",
            Self::Upgrade => "upgrade",
            Self::Clock => "clock",
        }
    }
}

/// Who told of a change.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The object: its difference to its former self, or a history that it keeps.
    #[default]
    Object,
    /// The object, and only that something was changed: what exactly may be known already.
    Vague,
    /// An event about what no watched object tells.
    Event,
    /// An event about what the object tells better, where its kind is watched.
    WeakEvent,
}

impl Told {
    /// Left out where another tells the same.
    pub fn is_weak(self) -> bool {
        matches!(self, Self::Vague | Self::WeakEvent)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// As the server tells it; where it does not, when we saw it.
    pub at: Timestamp,
    pub kind: ChangeKind,
    /// Kind and name of the object; its namespace is empty for cluster-wide ones.
    pub subject: (String, String),
    pub namespace: String,
    /// In a few words: `image app:1.8 → app:1.9`.
    pub what: String,
    /// Who did it, where that is known.
    pub by: Option<String>,
    #[serde(default)]
    pub told: Told,
    /// It befell the object and nobody did it: a sign of trouble, never its cause.
    #[serde(default)]
    pub symptom: bool,
    /// Nobody watched from then until `at`: it happened somewhere between.
    #[serde(default)]
    pub unwatched: Option<Timestamp>,
}

impl Change {
    /// Kind, object, what was done and by whom.
    pub fn words(&self) -> String {
        let by = self.by.as_deref().map(|by| format!(" by {by}"));
        format!(
            "{} {} {}: {}{}",
            self.kind.word(),
            self.subject.0,
            self.subject.1,
            self.what,
            by.unwrap_or_default()
        )
    }

    /// What stands before its time, where that is only when we saw it.
    pub fn when(&self) -> &'static str {
        if self.unwatched.is_some() { "by " } else { "" }
    }
}
