//! What the client library says when it fails, as a cause the operator can act on.

use std::error::Error;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind,
};
use async_nats::{ConnectError, ConnectErrorKind, ServerError};

use crate::model::text;
use crate::source::door;
use crate::source::error::Cause;

/// Longest foreign text that is quoted, bytes.
const QUOTE: usize = 200;
/// Words of the server that are about who we are; it has no codes.
const ABOUT_CREDENTIALS: [&str; 6] = [
    "authorization",
    "authentication",
    "expired",
    "revoked",
    "account",
    "nkey",
];

/// Why a connection could not be made.
pub(super) fn of_connect(error: &ConnectError, waited: Duration) -> Cause {
    if let Some(words) = door::tls::told(error) {
        return Cause::Tls(words);
    }
    let told = innermost(error);
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation => {
            Cause::Refused("authorization violation".into())
        }
        ConnectErrorKind::Authentication => {
            Cause::Refused("the server's challenge cannot be signed with this key".into())
        }
        ConnectErrorKind::TimedOut => Cause::Timeout(waited),
        ConnectErrorKind::Tls => Cause::Tls(told),
        ConnectErrorKind::ServerParse => Cause::Config(format!("not a NATS address: {told}")),
        ConnectErrorKind::Dns => Cause::Unreachable(format!("the name is not known: {told}")),
        ConnectErrorKind::Io | ConnectErrorKind::MaxReconnects => of_words(told),
    }
}

/// Why JetStream did not do what it was asked: it says no, there is none, or no answer came.
pub(super) fn of_jetstream(error: &(dyn Error + 'static)) -> Cause {
    let told = chain(error);
    let (mut refused, mut next) = (false, Some(error));
    while let Some(error) = next {
        refused |= is_refusal(error);
        next = error.source();
    }
    let low = told.to_lowercase();
    let none = ["no responders", "not enabled", "jetstream unavailable"];
    if low.contains("jetstream") && none.iter().any(|words| low.contains(words)) {
        return Cause::Absent(format!("no JetStream for us: {told}"));
    }
    match refused {
        true => Cause::Rejected(told),
        false => Cause::Unreachable(told),
    }
}

fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    let made = error.downcast_ref::<CreateStreamError>();
    let got = error.downcast_ref::<GetStreamError>();
    error.is::<jetstream::Error>()
        || made.is_some_and(|e| matches!(e.kind(), CreateStreamErrorKind::JetStream(_)))
        || got.is_some_and(|e| matches!(e.kind(), GetStreamErrorKind::JetStream(_)))
}

/// What the server said on an open connection.
pub(super) fn of_server(error: &ServerError) -> Cause {
    match error {
        ServerError::AuthorizationViolation => Cause::Refused("authorization violation".into()),
        ServerError::SlowConsumer(_) => {
            Cause::Unreachable("the server cut us off: we read too slowly".into())
        }
        ServerError::Other(words) => of_words(text::clean(words, QUOTE)),
    }
}

fn of_words(words: String) -> Cause {
    let low = words.to_lowercase();
    // "maximum account active connections exceeded" is not about who we are.
    if low.contains("maximum") {
        return Cause::Unreachable(words);
    }
    if ABOUT_CREDENTIALS.iter().any(|word| low.contains(word)) {
        return Cause::Refused(words);
    }
    if low.contains("expected info") {
        return Cause::Payload(
            "the server does not greet as NATS does; does the port want TLS first?".into(),
        );
    }
    if low.contains("invalid server operation") {
        return Cause::Payload("the server does not speak NATS".into());
    }
    if low.contains("slow consumer") {
        return Cause::Unreachable("the server cut us off: we read too slowly".into());
    }
    Cause::Unreachable(words)
}

/// The subject of a permission that is missing, from the server's words; they are its interface.
///
/// `Permissions Violation for Publish to "$JS.API.INFO"`, seen from NATS 2.15 (see the recordings).
pub(super) fn denied(error: &ServerError) -> Option<Denied> {
    let ServerError::Other(words) = error else {
        return None;
    };
    let low = words.to_lowercase();
    let rest = low.find("permissions violation for ")?;
    let publish = low.get(rest..)?.contains("for publish to");
    let mut quoted = words.get(rest..)?.split('"');
    let subject = text::clean(quoted.nth(1)?, QUOTE);
    Some(Denied { publish, subject })
}

/// A permission that the server says is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// To publish; `false`: to subscribe.
    pub publish: bool,
    pub subject: String,
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.publish {
            "publish on"
        } else {
            "subscribe to"
        };
        write!(f, "{what} {}", self.subject)
    }
}

/// What an error says, with what it wraps.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !told.contains(&words) {
            told = format!("{told}: {words}");
        }
        cause = inner.source();
    }
    text::clean(&told, QUOTE)
}

fn innermost(error: &ConnectError) -> String {
    let mut now: &(dyn Error + 'static) = error;
    while let Some(inner) = now.source() {
        now = inner;
    }
    text::clean(&now.to_string(), QUOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_permissions_name_their_subject() {
        let of = |words: &str| denied(&ServerError::Other(words.into()));
        let told = of("Permissions Violation for Publish to \"$JS.API.INFO\"");
        assert_eq!(
            told.map(|d| d.to_string()).as_deref(),
            Some("publish on $JS.API.INFO")
        );
        let told = of("Permissions Violation for Subscription to \"secret.\u{1b}[2J>\"");
        assert_eq!(
            told.map(|d| d.to_string()).as_deref(),
            Some("subscribe to secret.>")
        );
        assert_eq!(of("Stale Connection"), None);
    }

    #[test]
    fn words_about_credentials_are_refusals() {
        for words in [
            "Authorization Violation",
            "User Authentication Expired",
            "Account Authentication Expired",
        ] {
            assert!(
                matches!(of_words(words.into()), Cause::Refused(_)),
                "{words}"
            );
        }
        for words in [
            "Stale Connection",
            "maximum connections exceeded",
            "maximum account active connections exceeded",
        ] {
            let cause = of_words(words.into());
            assert!(matches!(cause, Cause::Unreachable(_)), "{words}");
        }
    }

    #[test]
    fn what_jetstream_refuses_is_no_silence() {
        let refusal = r#"{"code": 400, "err_code": 10065, "description": "subjects overlap with an existing stream"}"#;
        let refusal: jetstream::Error = serde_json::from_str(refusal).expect("JSON");
        let made = CreateStreamError::new(CreateStreamErrorKind::JetStream(refusal));
        let cause = of_jetstream(&made);
        assert!(
            matches!(&cause, Cause::Rejected(why) if why.contains("subjects overlap")),
            "{cause:?}"
        );
        let late = CreateStreamError::new(CreateStreamErrorKind::TimedOut);
        assert!(matches!(of_jetstream(&late), Cause::Unreachable(_)));
        let none = CreateStreamError::new(CreateStreamErrorKind::JetStreamUnavailable);
        assert!(matches!(of_jetstream(&none), Cause::Absent(_)));
    }
}
