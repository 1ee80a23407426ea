//! Whether we may ask the site's agent, without asking it anything.

use serde::Deserialize;
use tokio_util::bytes::Bytes;

use super::{answered_on, asked_on};
use crate::model::bus::Pattern;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::session::{Session, Unanswered};

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

/// `Ok(false)`: the server does not say what we may.
pub async fn check(session: &Session, user: &str) -> Result<bool, SourceError> {
    let fail = |cause| Err(session.settings.error(cause));
    let permissions = match session.ask(USER_INFO.into(), Bytes::new()).await {
        Ok(body) => serde_json::from_slice::<Answer>(&body)
            .ok()
            .and_then(|answer| answer.data)
            .map(|user| user.permissions.unwrap_or_default()),
        Err(Unanswered::Ended(cause)) => return fail(cause),
        Err(_) => None,
    };
    let Some(permissions) = permissions else {
        return Ok(false);
    };
    let subject = asked_on(user);
    if !permissions.publish.permit(&subject) {
        return fail(Cause::Unpermitted(format!("publish on {subject}")));
    }
    if !permissions.subscribe.permit(&answered_on("x")) {
        let what = format!("subscribe to {}", answered_on("*"));
        return fail(Cause::Unpermitted(what));
    }
    Ok(true)
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
