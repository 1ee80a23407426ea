//! What went wrong, told so that the operator can act: where, what, and what to try.
//! The edge's error enums become this fact; it holds no secret.

use serde::{Deserialize, Serialize};

/// Kind of fault: decides how the supervisor goes on and which glyph is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nobody answers: refused, no route, name unknown, cut.
    Unreachable,
    Timeout,
    /// Certificate expired, unknown, for another name.
    Tls,
    /// 401: credentials missing, wrong or expired.
    Auth,
    /// 403: known, but not allowed.
    Forbidden,
    /// 404: no such API there.
    NotFound,
    /// 429.
    RateLimited,
    /// 5xx.
    Server,
    /// 400 and 422: the query is wrong.
    BadQuery,
    /// The body is not what the protocol says, too large, or cut.
    BadPayload,
    /// A mistake in the configuration or in a file it names.
    Config,
    Cancelled,
    /// Our own mistake.
    Bug,
}

/// One fault, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// Cluster name; empty if it concerns none.
    pub cluster: String,
    /// URL without user, password and query values; or a file, or a context.
    pub endpoint: String,
    /// One sentence in lower case.
    pub what: String,
    /// What to try; may be empty.
    pub hint: String,
}

impl Fault {
    /// The server is there and does not let us in.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, FaultKind::Auth | FaultKind::Forbidden)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.cluster.is_empty() {
            write!(f, "{}: ", self.cluster)?;
        }
        if !self.endpoint.is_empty() {
            write!(f, "{}: ", self.endpoint)?;
        }
        f.write_str(&self.what)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}
