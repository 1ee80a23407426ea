//! Conditions as Kubernetes objects carry them in `status.conditions`.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObjectCondition {
    /// `Ready`, `Available`, `Degraded` …
    pub kind: String,
    /// `None`: the object itself says `Unknown`, or says nothing (Argo CD's conditions).
    pub status: Option<bool>,
    pub reason: String,
    pub message: String,
    pub since: Option<Timestamp>,
}

/// The condition of this kind.
pub fn find<'a>(all: &'a [ObjectCondition], kind: &str) -> Option<&'a ObjectCondition> {
    all.iter().find(|c| c.kind == kind)
}

/// Whether the condition of this kind is there and true.
pub fn is_true(all: &[ObjectCondition], kind: &str) -> bool {
    find(all, kind).and_then(|c| c.status) == Some(true)
}
