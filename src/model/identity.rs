//! Who the operator is in a cluster, and what may be done there.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Groups map to roles by configuration (domain reference, section 4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Viewer,
    Operator,
    Admin,
}

impl Role {
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// One right that the console uses, as SelfSubjectAccessReview asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Right {
    pub verb: String,
    /// API group; empty for the core.
    pub group: String,
    /// `pods`, `pods/log`, `applications` …
    pub resource: String,
    /// `None`: everywhere.
    pub namespace: Option<String>,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    pub right: Right,
    /// `None`: the server could not be asked.
    pub allowed: Option<bool>,
    /// What it is for: `logs of a pod`, `reach services by port-forward`.
    pub purpose: String,
    pub reason: String,
    pub at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    pub user: String,
    pub groups: Vec<String>,
    /// How it was found: `SelfSubjectReview`, `users/~`.
    pub source: String,
    pub role: Role,
    /// The group that gave the role; empty: none matched.
    pub role_from: String,
    pub reviews: Vec<Review>,
    pub at: Timestamp,
}

impl Identity {
    /// The answer to this right, where it was asked for.
    pub fn review(&self, verb: &str, resource: &str) -> Option<&Review> {
        self.reviews
            .iter()
            .find(|r| r.right.verb == verb && r.right.resource == resource)
    }
}
