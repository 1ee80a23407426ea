//! What the user of a connection may do, as the server tells it, without trying.

use serde::Deserialize;
use tokio_util::bytes::Bytes;

use super::session::{Session, Unanswered};
use crate::model::bus::Pattern;
use crate::source::error::SourceError;

/// Where every user may ask what he may, unless that is withheld too.
const USER_INFO: &str = "$SYS.REQ.USER.INFO";

#[derive(Deserialize)]
struct Answer {
    data: Option<User>,
}

#[derive(Deserialize)]
struct User {
    permissions: Option<Permissions>,
}

#[derive(Default, Deserialize)]
struct Permissions {
    #[serde(default)]
    publish: Subjects,
    #[serde(default)]
    subscribe: Subjects,
}

/// What is allowed and what is not; without a list of what is allowed: all.
#[derive(Default, Deserialize)]
struct Subjects {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
}

impl Subjects {
    fn permit(&self, subject: &str) -> bool {
        let within = |all: &[String]| {
            // A subscription's right may name a queue behind a blank.
            let subjects = all.iter().filter_map(|s| s.split_whitespace().next());
            let mut patterns = subjects.filter_map(|s| Pattern::new(s).ok());
            patterns.any(|pattern| pattern.matches(subject))
        };
        (self.allow.is_empty() || within(&self.allow)) && !within(&self.deny)
    }
}

/// What this connection may do.
pub struct Rights(Permissions);

impl Rights {
    /// `None`: the server does not tell.
    ///
    /// # Errors
    /// [`SourceError`]: the connection ended.
    pub async fn of(session: &Session) -> Result<Option<Self>, SourceError> {
        let body = match session.ask(USER_INFO.into(), Bytes::new()).await {
            Ok(body) => body,
            Err(Unanswered::Ended(cause)) => return Err(session.settings.error(cause)),
            Err(_) => return Ok(None),
        };
        let answer = serde_json::from_slice::<Answer>(&body).ok();
        let user = answer.and_then(|answer| answer.data);
        Ok(user.map(|user| Self(user.permissions.unwrap_or_default())))
    }

    pub fn may_publish(&self, subject: &str) -> bool {
        self.0.publish.permit(subject)
    }

    pub fn may_subscribe(&self, subject: &str) -> bool {
        self.0.subscribe.permit(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_denied_is_permitted() {
        let of = |json: &str| serde_json::from_str::<Subjects>(json).expect("JSON");
        assert!(of("{}").permit("a.b"));
        assert!(of(r#"{"allow": ["a.>"]}"#).permit("a.b"));
        assert!(!of(r#"{"allow": ["b.>"]}"#).permit("a.b"));
        assert!(!of(r#"{"allow": ["a.>"], "deny": ["a.* queue"]}"#).permit("a.b"));
    }
}
