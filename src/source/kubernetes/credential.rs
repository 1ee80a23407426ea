//! Who we are to an API server: the `Authorization` header, made anew where it ends or is refused.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, HeaderValue};
use kube::client::{Body, ConfigExt};
use kube::config::{AuthInfo, ExecConfig};
use secrecy::{ExposeSecret, SecretString};
use tower::util::BoxService;
use tower::{BoxError, Layer, Service, ServiceExt};

use super::about::{About, Problem, about, provider_name};
use super::login;
use crate::clock;
use crate::config::{Auth, Kube};
use crate::model::time::Timestamp;
use crate::source::door::credentials::Credentials;

/// A header that was refused, or could not be had, is not made anew sooner: no login command runs
/// in a loop.
pub const REFUSED_FOR: Duration = Duration::from_secs(30);
/// A login is renewed this long before it ends.
const AHEAD_MS: i64 = 60_000;

/// By which means we say who we are.
#[derive(Clone, Debug, Default)]
pub enum Means {
    #[default]
    Nothing,
    /// The TLS client certificate says it; no header.
    Certificate,
    Basic(String, SecretString),
    Token(SecretString),
    /// A token file, or a program that prints the token.
    Reference(Auth),
    Login(Box<ExecConfig>),
    /// OIDC and the like, left to the client library.
    Provider(Box<AuthInfo>),
}

impl Means {
    fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        std::mem::discriminant(self).hash(&mut hasher);
        match self {
            Self::Nothing | Self::Certificate => {}
            Self::Basic(user, password) => (user, password.expose_secret()).hash(&mut hasher),
            Self::Token(token) => token.expose_secret().hash(&mut hasher),
            Self::Reference(auth) => format!("{auth:?}").hash(&mut hasher),
            Self::Login(exec) => serde_json::to_string(exec).ok().hash(&mut hasher),
            Self::Provider(user) => serde_json::to_string(user).ok().hash(&mut hasher),
        }
        hasher.finish()
    }
}

type Header = Option<HeaderValue>;
type Provider = BoxService<http::Request<Body>, http::Response<Body>, BoxError>;

/// A client certificate and its key, PEM, from a login command.
#[derive(Clone)]
pub struct Certificate {
    pub chain: String,
    pub key: SecretString,
    pub until: Option<Timestamp>,
}

/// What a login command gave.
struct Kept {
    header: Header,
    certificate: Option<Certificate>,
    until: Option<Timestamp>,
}

#[derive(Default)]
struct State {
    means: Means,
    print: u64,
    kept: Option<Kept>,
    refused: Option<(HeaderValue, Instant)>,
    /// When the login command last failed, and how.
    failed: Option<(Instant, Problem)>,
    reference: Option<Credentials>,
    provider: Option<Provider>,
}

/// Shared by all that asks the server.
pub struct Credential {
    kube: Kube,
    state: tokio::sync::Mutex<State>,
    about: Mutex<About>,
}

impl Credential {
    pub fn new(kube: &Kube) -> Self {
        Self {
            kube: kube.clone(),
            state: tokio::sync::Mutex::default(),
            about: Mutex::default(),
        }
    }

    pub fn about(&self) -> About {
        self.about
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What the kubeconfig says now. What is the same keeps what it has.
    pub async fn set(&self, means: Means) {
        let mut state = self.state.lock().await;
        let print = means.print();
        if print != state.print {
            *state = State {
                print,
                reference: match &means {
                    Means::Reference(auth) => Some(Credentials::new(auth.clone(), None)),
                    _ => None,
                },
                means,
                ..State::default()
            };
        }
        self.tell(&state, None);
    }

    /// Forgets what was kept, so that the next header is made anew.
    pub async fn forget(&self) {
        let mut state = self.state.lock().await;
        state.kept = None;
        state.provider = None;
        state.refused = None;
    }

    /// The certificate that the login command gave, if it gives one.
    pub async fn certificate(&self) -> Result<Option<Certificate>, Problem> {
        let mut state = self.state.lock().await;
        if matches!(state.means, Means::Login(_)) && fresh(&state).is_none() {
            make(&mut state, false).await?;
        }
        Ok(state.kept.as_ref().and_then(|k| k.certificate.clone()))
    }

    /// What is sent now.
    pub async fn header(&self) -> Result<Header, Problem> {
        let mut state = self.state.lock().await;
        let header = match fresh(&state) {
            Some(header) => header,
            None => make(&mut state, false).await?,
        };
        self.tell(&state, header.as_ref());
        Ok(header)
    }

    /// `sent` was refused: reads the credential once more. `None`: there is no other.
    pub async fn again(&self, sent: &HeaderValue) -> Header {
        let mut state = self.state.lock().await;
        if let Some(Some(other)) = fresh(&state).filter(|h| h.as_ref() != Some(sent)) {
            return Some(other);
        }
        if let Some((refused, at)) = &state.refused
            && refused == sent
            && clock::instant().duration_since(*at) < REFUSED_FOR
        {
            return None;
        }
        if let Means::Token(_) | Means::Basic(..) = &state.means
            && let Ok(way) = super::way::of(&self.kube)
            && way.means.print() != state.print
        {
            state.print = way.means.print();
            state.means = way.means;
        }
        let made = make(&mut state, true).await.ok().flatten();
        self.tell(&state, made.as_ref());
        if made.as_ref() == Some(sent) || made.is_none() {
            state.refused = Some((sent.clone(), clock::instant()));
            return None;
        }
        made
    }

    fn tell(&self, state: &State, header: Option<&HeaderValue>) {
        let token = header
            .and_then(|h| h.to_str().ok())
            .and_then(|h| h.strip_prefix("Bearer "));
        let about = about(&state.means, token);
        let mut told = self.about.lock().unwrap_or_else(PoisonError::into_inner);
        if header.is_some() || told.what.is_empty() || told.hint != about.hint {
            *told = about;
        }
    }
}

/// What is kept and not near its end.
fn fresh(state: &State) -> Option<Header> {
    let kept = state.kept.as_ref()?;
    (!is_ended(kept.until)).then(|| kept.header.clone())
}

/// At its end, or as good as.
pub fn is_ended(until: Option<Timestamp>) -> bool {
    until.is_some_and(|until| clock::now().plus_ms(AHEAD_MS) >= until)
}

/// Makes the header; `again` after a refusal.
async fn make(state: &mut State, again: bool) -> Result<Header, Problem> {
    match &state.means {
        Means::Nothing | Means::Certificate => Ok(None),
        Means::Basic(user, password) => {
            let pair = format!("{user}:{}", password.expose_secret());
            let coded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair);
            sensitive(&format!("Basic {coded}")).map(Some)
        }
        Means::Token(token) => bearer(token).map(Some),
        Means::Reference(_) => match &state.reference {
            Some(reference) => reference.own(again).await.map_err(Problem::Reference),
            None => Ok(None),
        },
        Means::Login(exec) => {
            // Two dozen watches that each run it would help nobody.
            if let Some((at, problem)) = &state.failed
                && clock::instant().duration_since(*at) < REFUSED_FOR
            {
                return Err(problem.clone());
            }
            let ran = login::run(exec, login::LIMIT).await;
            let failed = ran.as_ref().err().cloned();
            state.failed = failed.map(|problem| (clock::instant(), problem));
            let pass = ran?;
            let header = match &pass.token {
                Some(token) => Some(bearer(token)?),
                None => None,
            };
            let until = pass.until;
            let certificate =
                pass.certificate
                    .map(|(chain, key)| Certificate { chain, key, until });
            state.kept = Some(Kept {
                header: header.clone(),
                certificate,
                until,
            });
            Ok(header)
        }
        Means::Provider(user) => {
            if again || state.provider.is_none() {
                state.provider = Some(provider(user).await?);
            }
            let name = provider_name(user);
            let failed = |_| Problem::Provider(name.clone());
            let Some(service) = &mut state.provider else {
                return Ok(None);
            };
            let service = service.ready().await.map_err(failed)?;
            let request = http::Request::new(Body::empty());
            let answer = tokio::time::timeout(login::LIMIT, service.call(request)).await;
            let answer = answer.map_err(|_| Problem::Provider(name.clone()))?;
            let answer = answer.map_err(failed)?;
            Ok(answer.headers().get(AUTHORIZATION).cloned())
        }
    }
}

/// The library's own sign-in, over a service that only tells what it was sent.
async fn provider(user: &AuthInfo) -> Result<Provider, Problem> {
    let name = provider_name(user);
    let mut config = kube::Config::new(http::Uri::from_static("https://localhost"));
    config.auth_info = user.clone();
    // It may run a program and wait for it.
    let layer = tokio::task::spawn_blocking(move || config.auth_layer()).await;
    let Ok(Ok(Some(layer))) = layer else {
        return Err(Problem::Provider(name));
    };
    let taken = tower::service_fn(|request: http::Request<Body>| {
        let mut answer = http::Response::new(Body::empty());
        if let Some(header) = request.headers().get(AUTHORIZATION) {
            answer.headers_mut().insert(AUTHORIZATION, header.clone());
        }
        std::future::ready(Ok::<_, BoxError>(answer))
    });
    Ok(BoxService::new(layer.layer(taken)))
}

fn bearer(token: &SecretString) -> Result<HeaderValue, Problem> {
    sensitive(&format!("Bearer {}", token.expose_secret().trim()))
}

fn sensitive(text: &str) -> Result<HeaderValue, Problem> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Problem::Characters)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The token file of a pod.
pub fn of_file(path: impl Into<PathBuf>) -> Means {
    Means::Reference(Auth::BearerFile(path.into()))
}
