//! Errors of the Kubernetes client as faults: with the verb and the resource, without secrets.
//!
//! The output of a login command is never quoted: it may hold the token.

mod transport;

use std::error::Error;
use std::time::Duration;

use kube::client::AuthError;

use super::about::{About, Problem};
use crate::clock;
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::Expiry;
use crate::model::text;

const STRANGER: &str = "check that the context leads to a Kubernetes API server";
const SIGN_IN: &str = "sign in again; `kubectl get nodes` shows whether it helped";
/// Clocks further apart make tokens look expired or not yet valid.
const CLOCK_LIMIT_MS: i64 = 60_000;

/// What is known of the place where it happened.
pub struct Told<'a> {
    pub cluster: &'a str,
    pub place: &'a str,
    /// Name or address of the server; empty where that is not known.
    pub host: &'a str,
    pub proxy: Option<&'a str>,
    pub expires: Option<Expiry>,
    pub skew_ms: Option<i64>,
    pub credential: Option<About>,
}

impl<'a> Told<'a> {
    /// Nothing but the place.
    pub fn at(cluster: &'a str, place: &'a str) -> Self {
        Self {
            cluster,
            place,
            host: "",
            proxy: None,
            expires: None,
            skew_ms: None,
            credential: None,
        }
    }

    fn named(&self) -> String {
        match self.host {
            "" => "the API server".to_owned(),
            host => host.to_owned(),
        }
    }
}

/// `doing` is what was tried: `list pods`.
pub fn told(error: &(dyn Error + 'static), about: &Told, doing: &str) -> Fault {
    let (kind, what, hint) = sentence(error, about, doing);
    Fault {
        kind,
        cluster: about.cluster.to_owned(),
        endpoint: about.place.to_owned(),
        what: text::clean(&what, 300),
        hint: text::clean(&hint, 300),
    }
}

fn sentence(
    error: &(dyn Error + 'static),
    about: &Told,
    doing: &str,
) -> (FaultKind, String, String) {
    for cause in transport::chain(error) {
        if let Some(problem) = cause.downcast_ref::<Problem>() {
            return (problem.kind(), problem.to_string(), problem.hint());
        }
        if cause.downcast_ref::<AuthError>().is_some() {
            return (FaultKind::Auth, "signing in failed".into(), SIGN_IN.into());
        }
    }
    match error.downcast_ref::<kube::Error>() {
        Some(kube::Error::Api(status)) if status.code == 401 => unauthorized(about, doing),
        Some(kube::Error::Api(status)) => {
            let (kind, what, hint) = of_status(status.code, &status.message, doing);
            (kind, what, hint.to_owned())
        }
        Some(kube::Error::RustlsTls(error)) => (
            FaultKind::Tls,
            format!("no TLS: {error}"),
            "check the certificates that the kubeconfig names".into(),
        ),
        Some(kube::Error::SerdeError(error)) => (
            FaultKind::BadPayload,
            format!("{doing}: the answer cannot be read: {error}"),
            STRANGER.into(),
        ),
        Some(kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_))
        | None => transport::of(error, about),
        Some(other) => (
            FaultKind::BadPayload,
            format!("{doing}: {other}"),
            STRANGER.into(),
        ),
    }
}

/// The server does not know us any more.
fn unauthorized(about: &Told, doing: &str) -> (FaultKind, String, String) {
    let now = clock::now();
    let Some(credential) = &about.credential else {
        let (kind, what, hint) = of_status(401, "", doing);
        return (kind, what, hint.to_owned());
    };
    let ended = about.expires.filter(|e| e.at <= now);
    let what = match ended {
        Some(expiry) => format!("auth expired: the {} (401, {doing})", expiry.told(now)),
        None if credential.what == "no credentials" => {
            format!("{doing}: 401, and there are no credentials to send")
        }
        None => format!(
            "auth expired: the API server does not accept {} (401, {doing})",
            credential.what
        ),
    };
    let clock = about.skew_ms.filter(|ms| ms.abs() > CLOCK_LIMIT_MS);
    let hint = match clock {
        Some(ms) => format!("{}; {}", clock_words(ms), credential.hint),
        None => credential.hint.clone(),
    };
    (FaultKind::Auth, what, hint)
}

/// `ms`: server's clock minus ours.
pub fn clock_words(ms: i64) -> String {
    let which = if ms > 0 { "behind" } else { "ahead of" };
    let seconds = ms.unsigned_abs().div_ceil(1000);
    let by = match seconds {
        0..120 => format!("{seconds} s"),
        _ => format!("{} min", (seconds + 30) / 60),
    };
    format!(
        "this host's clock is {by} {which} the server's: set both by NTP, tokens and certificates \
         are judged by them"
    )
}

pub fn timeout(cluster: &str, place: &str, limit: Duration) -> Fault {
    Fault {
        kind: FaultKind::Timeout,
        cluster: cluster.to_owned(),
        endpoint: place.to_owned(),
        what: format!("no answer within {} s", limit.as_secs()),
        hint: "the API server is slow or a firewall drops the packets; check the VPN".into(),
    }
}

pub fn of_status(code: u16, message: &str, doing: &str) -> (FaultKind, String, &'static str) {
    let message = message.trim();
    match code {
        401 => (
            FaultKind::Auth,
            format!("{doing}: 401, the sign-in is missing or has expired"),
            SIGN_IN,
        ),
        403 => (
            FaultKind::Forbidden,
            match permission(message) {
                Some(missing) => format!("{doing}: 403, no permission: {missing}"),
                None => format!("{doing}: 403, no permission: {message}"),
            },
            "ask for a role with get, list and watch on it (for example cluster-reader)",
        ),
        404 => (
            FaultKind::NotFound,
            format!("{doing}: 404, not installed: {message}"),
            STRANGER,
        ),
        429 => (
            FaultKind::RateLimited,
            format!("{doing}: 429, too many requests"),
            "the API server is busy; it is tried again",
        ),
        400 | 422 => (
            FaultKind::BadQuery,
            format!("{doing}: {code} {message}"),
            "the API server is of a version that farwatch does not know; please report it",
        ),
        500.. => (
            FaultKind::Server,
            format!("{doing}: the server failed with status {code}: {message}"),
            "it is tried again",
        ),
        // Something that is no Kubernetes status, read as one.
        0 => (
            FaultKind::BadPayload,
            format!("{doing}: refused: {message}"),
            STRANGER,
        ),
        _ => (
            FaultKind::BadPayload,
            format!("{doing}: unexpected status {code} {message}"),
            STRANGER,
        ),
    }
}

/// What is missing, from the message of a 403: `list pods in namespace shop`.
fn permission(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" cannot ")?;
    let user = between(message, "User \"", "\"");
    let (verb, rest) = rest.split_once(' ')?;
    let what = if let Some(path) = between(rest, "path \"", "\"") {
        path.to_owned()
    } else {
        let resource = between(rest, "resource \"", "\"")?;
        let group = between(rest, "in API group \"", "\"").unwrap_or_default();
        let place = match between(rest, "in the namespace \"", "\"") {
            Some(namespace) => format!(" in namespace {namespace}"),
            None => " in the whole cluster".to_owned(),
        };
        match group {
            "" => format!("{resource}{place}"),
            group => format!("{resource}.{group}{place}"),
        }
    };
    Some(match user {
        Some(user) => format!("{verb} {what}, as {user}"),
        None => format!("{verb} {what}"),
    })
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_verb_and_resource() {
        let body = std::fs::read("tests/fixtures/kube/err_403_cluster_scope.json").unwrap();
        let status: kube::core::Status = serde_json::from_slice(&body).unwrap();
        let error = kube::Error::Api(Box::new(status));
        let fault = told(&error, &Told::at("alpha", "context a"), "list pods");
        assert_eq!(fault.kind, FaultKind::Forbidden);
        let wanted = "list pods: 403, no permission: list pods in the whole cluster, as ";
        assert!(fault.what.starts_with(wanted), "{fault}");
    }

    #[test]
    fn every_form_of_refusal_is_read() {
        for (message, wanted) in [
            (
                r#"deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments" in API group "apps" in the namespace "shop""#,
                Some("get deployments.apps in namespace shop, as jane"),
            ),
            (
                r#"forbidden: User "system:anonymous" cannot get path "/version""#,
                Some("get /version, as system:anonymous"),
            ),
            ("no", None),
            ("x cannot y", None),
        ] {
            assert_eq!(permission(message).as_deref(), wanted, "{message}");
        }
    }

    #[test]
    fn output_of_login_commands_is_not_told() {
        let out = std::process::Output {
            status: Default::default(),
            stdout: b"token: sesame".to_vec(),
            stderr: b"sesame".to_vec(),
        };
        let error = kube::Error::Auth(AuthError::AuthExecRun {
            cmd: "login --password sesame".into(),
            out: Box::new(out),
        });
        let fault = told(&error, &Told::at("a", "p"), "list pods");
        assert_eq!(fault.kind, FaultKind::Auth);
        assert!(!fault.to_string().contains("sesame"), "{fault}");
    }

    #[test]
    fn clocks() {
        assert!(
            clock_words(600_000).contains("10 min behind"),
            "{}",
            clock_words(600_000)
        );
        assert!(clock_words(-90_000).contains("90 s ahead of"));
    }
}
