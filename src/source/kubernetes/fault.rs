//! Errors of the Kubernetes client as faults: with the verb and the resource, without secrets.
//!
//! The output of a login command is never quoted: it may hold the token.

use std::time::Duration;

use kube::client::AuthError;
use kube::config::KubeconfigError;

use crate::model::fault::{Fault, FaultKind};
use crate::model::text;

const LOGIN: &str =
    "sign in again with the command of the kubeconfig (`kubectl get nodes` shows it)";

const STRANGER: &str = "check that the context leads to a Kubernetes API server";

/// `doing` is what was tried: `list pods`.
pub fn of(error: &kube::Error, cluster: &str, place: &str, doing: &str) -> Fault {
    let (kind, what, hint) = match error {
        kube::Error::Api(status) => of_status(status.code, &status.message, doing),
        kube::Error::Auth(error) => (FaultKind::Auth, auth(error), LOGIN),
        kube::Error::Service(error) => of_transport(error.as_ref()),
        kube::Error::HyperError(error) => of_transport(error),
        kube::Error::ReadEvents(error) => of_transport(error),
        kube::Error::RustlsTls(error) => (
            FaultKind::Tls,
            format!("no TLS: {error}"),
            "check the certificates that the kubeconfig names",
        ),
        kube::Error::SerdeError(error) => (
            FaultKind::BadPayload,
            format!("{doing}: the answer cannot be read: {error}"),
            STRANGER,
        ),
        other => (FaultKind::BadPayload, format!("{doing}: {other}"), STRANGER),
    };
    Fault {
        kind,
        cluster: cluster.to_owned(),
        endpoint: place.to_owned(),
        what: text::clean(&what, 300),
        hint: hint.to_owned(),
    }
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
            LOGIN,
        ),
        403 => (
            FaultKind::Forbidden,
            format!("{doing}: 403, not allowed: {message}"),
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

/// What an error of a kubeconfig says, without any content of the file.
pub fn kubeconfig(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => "the kubeconfig is not the YAML it should be".into(),
        other => other.to_string(),
    }
}

fn auth(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { cmd, out } => {
            let program = cmd.split_whitespace().next().unwrap_or_default();
            format!("the login command `{program}` failed ({})", out.status)
        }
        AuthError::AuthExecStart(error) => format!("the login command does not start: {error}"),
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            "the login command printed no credentials".into()
        }
        AuthError::ReadTokenFile(error, path) => {
            format!("the token file {} cannot be read: {error}", path.display())
        }
        _ => "signing in failed".into(),
    }
}

fn of_transport(error: &(dyn std::error::Error + 'static)) -> (FaultKind, String, &'static str) {
    let mut words = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(kube) = error.downcast_ref::<kube::Error>()
            && let kube::Error::Auth(inner) = kube
        {
            return (FaultKind::Auth, auth(inner), LOGIN);
        }
        if let Some(inner) = error.downcast_ref::<AuthError>() {
            return (FaultKind::Auth, auth(inner), LOGIN);
        }
        words.push(error.to_string());
        next = error.source();
    }
    let last = words.last().cloned().unwrap_or_default();
    let all = words.join(" ").to_lowercase();
    if all.contains("certificate") || all.contains("tls") {
        let hint = "check the certificates that the kubeconfig names, and the clock";
        return (
            FaultKind::Tls,
            format!("the TLS handshake failed: {last}"),
            hint,
        );
    }
    if all.contains("timed out") || all.contains("timeout") || all.contains("elapsed") {
        let hint = "check the VPN and the address of the API server";
        return (FaultKind::Timeout, "no answer in time".into(), hint);
    }
    (
        FaultKind::Unreachable,
        format!("nobody answers: {last}"),
        "check the address, the VPN and the proxy; the API server may be down",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_verb_and_resource() {
        let body = std::fs::read("tests/fixtures/kube/err_403_cluster_scope.json").unwrap();
        let status: kube::core::Status = serde_json::from_slice(&body).unwrap();
        let error = kube::Error::Api(Box::new(status));
        let fault = of(&error, "alpha", "context a", "list pods");
        assert_eq!(fault.kind, FaultKind::Forbidden);
        assert!(fault.what.starts_with("list pods: 403"), "{fault}");
        assert!(
            fault.what.contains("cannot list resource \"pods\""),
            "{fault}"
        );
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
        let fault = of(&error, "a", "p", "list pods");
        assert_eq!(fault.kind, FaultKind::Auth);
        assert!(!fault.to_string().contains("sesame"), "{fault}");
    }
}
