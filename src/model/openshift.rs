//! OpenShift's own state: operators and the version of the cluster (config.openshift.io/v1).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::{ObjectCondition, find, is_true};
use super::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterOperator {
    pub name: Arc<str>,
    pub version: Option<String>,
    /// `Available`, `Progressing`, `Degraded`, `Upgradeable`.
    pub conditions: Vec<ObjectCondition>,
}

impl ClusterOperator {
    /// Degraded, or said to be not available.
    pub fn is_bad(&self) -> bool {
        is_true(&self.conditions, "Degraded")
            || find(&self.conditions, "Available").and_then(|c| c.status) == Some(false)
    }

    pub fn is_progressing(&self) -> bool {
        is_true(&self.conditions, "Progressing")
    }
}

/// One entry of the version's history, newest first in `ClusterVersion`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    pub version: String,
    /// `Completed` or `Partial`.
    pub state: String,
    pub started: Option<Timestamp>,
    /// `None` while it is under way.
    pub completed: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterVersion {
    pub name: Arc<str>,
    pub channel: Option<String>,
    pub desired: String,
    pub history: Vec<Update>,
    /// `Available`, `Failing`, `Progressing`, `RetrievedUpdates`, `Upgradeable` …
    pub conditions: Vec<ObjectCondition>,
    /// `None`: the update service could not be asked.
    pub available_updates: Option<Vec<String>>,
}

impl ClusterVersion {
    /// The version that was installed last, whole.
    pub fn installed(&self) -> Option<&str> {
        self.history
            .iter()
            .find(|u| u.state == "Completed")
            .map(|u| u.version.as_str())
    }

    pub fn is_updating(&self) -> bool {
        is_true(&self.conditions, "Progressing")
    }
}
