//! What is said of a credential that is not accepted, or that cannot be had.

use kube::config::AuthInfo;
use secrecy::ExposeSecret;

use super::credential::Means;
use super::expiry::{self, Claims};
use super::login;
use crate::config::Auth;
use crate::model::fault::FaultKind;
use crate::model::health::Expiry;
use crate::model::text;

/// Why there is no header. Holds no secret and nothing that a login command wrote.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Problem {
    #[error("the login command `{program}` is not installed, or not in PATH")]
    Missing {
        program: String,
        hint: Option<String>,
    },
    #[error("the login command `{program}` does not start: {cause}")]
    NoStart { program: String, cause: String },
    #[error("the login command `{program}` failed ({status})")]
    Failed { program: String, status: String },
    #[error("the login command `{program}` did not end within {seconds} s")]
    Slow { program: String, seconds: u64 },
    #[error("the login command `{program}` printed no credentials")]
    Printed { program: String },
    #[error("{0}")]
    Reference(String),
    #[error("signing in by `auth-provider: {0}` failed")]
    Provider(String),
    #[error("the token holds characters that no header may hold")]
    Characters,
}

impl Problem {
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Slow { .. } => FaultKind::Timeout,
            Self::Reference(_) | Self::Characters => FaultKind::Config,
            _ => FaultKind::Auth,
        }
    }

    pub fn hint(&self) -> String {
        match self {
            Self::Missing {
                hint: Some(hint), ..
            } => hint.clone(),
            Self::Missing { program, .. } => format!(
                "install `{program}` on this host, or write its whole path into the kubeconfig"
            ),
            Self::NoStart { .. } => "check its path and mode in the kubeconfig".into(),
            Self::Failed { program, .. } => login_hint(program),
            Self::Slow { program, .. } => {
                format!(
                    "it may wait for a browser or a prompt: {}",
                    login_hint(program)
                )
            }
            Self::Printed { .. } => "run it in a shell and see what it prints".into(),
            Self::Reference(_) | Self::Characters => "check the file and its mode".into(),
            Self::Provider(_) => "sign in again, or use a login command (`exec`) instead".into(),
        }
    }
}

/// What to type to be signed in again, by the login command of the kubeconfig.
fn login_hint(program: &str) -> String {
    let known = match program {
        "aws" | "aws-iam-authenticator" => "aws sso login",
        "gke-gcloud-auth-plugin" | "gcloud" => "gcloud auth login",
        "kubelogin" => "kubelogin (for Azure: az login)",
        "tsh" => "tsh login",
        "oc" => "oc login",
        _ => {
            return "sign in with `kubectl get nodes` in a shell; it is tried again by itself"
                .into();
        }
    };
    format!("sign in with `{known}`; it is tried again by itself")
}

/// What is said of the credential when the server refuses it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// `the token of service account shop/ci`.
    pub what: String,
    pub hint: String,
    pub expires: Option<Expiry>,
}

pub fn about(means: &Means, token: Option<&str>) -> About {
    let token = match means {
        Means::Token(token) => Some(token.expose_secret()),
        _ => token,
    };
    let claims = token.and_then(expiry::claims).unwrap_or_default();
    let (what, hint) = words(means, token, &claims);
    let expires = match means {
        Means::Token(_) => expiry::of_token(&claims, false),
        Means::Reference(_) => expiry::of_token(&claims, true),
        // Renewed before each end.
        _ => None,
    };
    About {
        what,
        hint,
        expires,
    }
}

fn words(means: &Means, token: Option<&str>, claims: &Claims) -> (String, String) {
    let by_itself = "is read again by itself";
    match means {
        Means::Nothing => (
            "no credentials".into(),
            "the context names no user with credentials: sign in (`oc login`), or ask for a kubeconfig".into(),
        ),
        Means::Certificate => (
            "the client certificate".into(),
            "ask for a new client certificate, and put it into the kubeconfig".into(),
        ),
        Means::Basic(..) => (
            "user and password".into(),
            format!("correct them in the kubeconfig; it {by_itself}"),
        ),
        Means::Token(_) if token.is_some_and(|t| t.starts_with("sha256~")) => (
            "the token".into(),
            format!("run `oc login` again for this cluster; the kubeconfig {by_itself}"),
        ),
        Means::Token(_) => match account(claims) {
            Some((namespace, name)) => (
                format!("the token of service account {namespace}/{name}"),
                format!(
                    "make a new one (`kubectl create token {name} -n {namespace}`) and put it into \
                     the kubeconfig; it {by_itself}"
                ),
            ),
            None => (
                "the token".into(),
                format!("sign in again, or put a new token into the kubeconfig; it {by_itself}"),
            ),
        },
        Means::Reference(Auth::BearerFile(path)) => (
            format!("the token in {}", path.display()),
            format!("put a new token into the file; it {by_itself}"),
        ),
        Means::Reference(_) => (
            "the token of `bearer_command`".into(),
            "run it in a shell and see what it prints".into(),
        ),
        Means::Login(exec) => {
            let program = login::program(exec);
            (format!("the credentials of `{program}`"), login_hint(&program))
        }
        Means::Provider(user) => (
            format!("the token of `auth-provider: {}`", provider_name(user)),
            "sign in again with the program that wrote it into the kubeconfig".into(),
        ),
    }
}

/// Namespace and name of a service account, from the subject of its token.
fn account(claims: &Claims) -> Option<(String, String)> {
    let rest = claims
        .sub
        .as_deref()?
        .strip_prefix("system:serviceaccount:")?;
    let (namespace, name) = rest.split_once(':')?;
    let clean = |t: &str| text::clean(t, 63);
    Some((clean(namespace), clean(name)))
}

/// How the provider is called in the kubeconfig.
pub fn provider_name(user: &AuthInfo) -> String {
    let name = user.auth_provider.as_ref().map(|p| p.name.as_str());
    text::clean(name.unwrap_or("none"), 60)
}
