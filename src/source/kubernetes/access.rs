//! A signed-in client of one API server.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderValue};
use kube::Client;
use kube::api::GetParams;
use kube::client::Body;
use kube::core::Status;
use serde::Deserialize;
use tower::BoxError;

use super::credential::Credential;
use super::fault::{self, Told};
use super::proxy;
use super::way::{self, NoWay, Way};
use crate::clock;
use crate::config::Kube;
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::Expiry;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::door;
use crate::source::error::quote;

const SIGN_IN: &str = "sign in";
const READ_VERSION: &str = "read /version";
const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(15);
/// The server's clock is not known yet.
const UNKNOWN: i64 = i64::MIN;

/// A signed-in client and how its place is called in messages.
#[derive(Clone)]
pub struct Cluster {
    pub client: Client,
    pub name: String,
    /// `context NAME (https://host:6443)`.
    pub place: String,
    /// Counts the clients of this server: a greater one has come, this one is of yesterday.
    pub generation: u64,
    pub(super) timeout: Duration,
    about: Arc<About>,
}

/// What faults are told with.
struct About {
    /// `https://host:6443`.
    host: String,
    proxy: Option<String>,
    /// End of the client certificate.
    certificate: Option<Expiry>,
    /// End of what a login command gave for TLS.
    until: Option<Timestamp>,
    credential: Arc<Credential>,
    skew_ms: Arc<AtomicI64>,
}

/// Makes the client for a way. Runs the login command where that may give a certificate; asks the
/// server nothing yet.
pub(super) async fn open(
    name: &str,
    kube: &Kube,
    mut way: Way,
    credential: Arc<Credential>,
    generation: u64,
) -> Result<Cluster, Fault> {
    let place = way.place;
    credential.set(way.means).await;
    let told = Told::at(name, &place);
    let own = credential.certificate().await;
    let own = own.map_err(|e| fault::told(&e, &told, SIGN_IN))?;
    let mut until = None;
    if let Some(own) = own {
        way::identify(&mut way.config, own.chain.as_bytes(), &own.key);
        until = own.until;
    }
    way.config.connect_timeout = Some(CONNECT);
    let host = way.config.cluster_url.host().unwrap_or_default().to_owned();
    let proxy = way.config.proxy_url.as_ref().map(proxy::shown);
    let namespace = way.config.default_namespace.clone();
    let inner = Client::try_from(way.config).map_err(|e| fault::told(&e, &told, SIGN_IN))?;
    let skew_ms = Arc::new(AtomicI64::new(UNKNOWN));
    let about = About {
        host,
        proxy,
        certificate: way.expires,
        until,
        credential: credential.clone(),
        skew_ms: skew_ms.clone(),
    };
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let (inner, credential, skew_ms) = (inner.clone(), credential.clone(), skew_ms.clone());
        async move { send(&inner, &credential, &skew_ms, request).await }
    });
    Ok(Cluster {
        client: Client::new(service, namespace),
        name: name.to_owned(),
        place,
        generation,
        timeout: match kube.timeout {
            Duration::ZERO => TIMEOUT,
            set => set,
        },
        about: Arc::new(about),
    })
}

/// One request with who we are. A refused credential is read once more.
async fn send(
    inner: &Client,
    credential: &Arc<Credential>,
    skew_ms: &AtomicI64,
    mut request: http::Request<Body>,
) -> Result<http::Response<Body>, BoxError> {
    let sent = credential.header().await?;
    let copy = sent.is_some().then(|| copy_of(&request)).flatten();
    if let Some(header) = &sent {
        request.headers_mut().insert(AUTHORIZATION, header.clone());
    }
    let started = clock::instant();
    let answer = inner.send(request).await?;
    if let Some(ms) = door::skew(answer.headers(), started.elapsed()) {
        skew_ms.store(ms, Ordering::Relaxed);
    }
    if answer.status() == StatusCode::UNAUTHORIZED
        && let (Some(sent), Some(mut request)) = (sent, copy)
        && let Some(other) = again(credential.clone(), sent).await
    {
        request.headers_mut().insert(AUTHORIZATION, other);
        return Ok(inner.send(request).await?);
    }
    Ok(answer)
}

/// By itself: whoever gives up waiting for the answer does not stop a login command.
async fn again(credential: Arc<Credential>, sent: HeaderValue) -> Option<HeaderValue> {
    let renewed = tokio::spawn(async move { credential.again(&sent).await });
    renewed.await.ok().flatten()
}

/// The same request again; `None` where its body is a stream.
fn copy_of(request: &http::Request<Body>) -> Option<http::Request<Body>> {
    let mut copy = http::Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

/// The fault of a way that there is not.
pub(super) fn no_way(name: &str, kube: &Kube, no: &NoWay) -> Fault {
    let hint = match (kube.server.is_some(), kube.in_cluster) {
        (true, _) => "check the keys of `kube` in the configuration file",
        (_, true) => "`in_cluster` is for a farwatch that runs in a pod with a service account",
        _ => "check `kube.context` and `kube.kubeconfig`; `kubectl config get-contexts` lists them",
    };
    Fault {
        kind: FaultKind::Config,
        cluster: name.to_owned(),
        endpoint: no.place.clone(),
        what: text::clean(&no.what, 300),
        hint: hint.into(),
    }
}

/// What the server says of itself, with how it was got.
pub struct Seen {
    /// `v1.33.4`.
    pub version: String,
    pub latency: Duration,
    /// Server's clock minus ours, from `Date`.
    pub skew_ms: Option<i64>,
}

impl Cluster {
    /// What the client's error means here. `doing` is what was tried: `list pods`.
    pub fn fault(&self, error: &kube::Error, doing: &str) -> Fault {
        fault::told(error, &self.known(), doing)
    }

    /// The same for a status that was read by hand.
    pub fn fault_of_status(&self, code: u16, message: &str, doing: &str) -> Fault {
        let status = Status::failure(message, "").with_code(code).boxed();
        self.fault(&kube::Error::Api(status), doing)
    }

    fn known(&self) -> Told<'_> {
        let about = &self.about;
        let credential = about.credential.about();
        Told {
            cluster: &self.name,
            place: &self.place,
            host: &about.host,
            proxy: about.proxy.as_deref(),
            expires: self.expiry(),
            skew_ms: self.skew_ms(),
            credential: Some(credential),
        }
    }

    /// Server's clock minus ours, as its last answer said.
    fn skew_ms(&self) -> Option<i64> {
        let ms = self.about.skew_ms.load(Ordering::Relaxed);
        (ms != UNKNOWN).then_some(ms)
    }

    /// What ends first of all that we sign in with.
    pub fn expiry(&self) -> Option<Expiry> {
        let token = self.about.credential.about().expires;
        [self.about.certificate, token]
            .into_iter()
            .flatten()
            .min_by_key(|e| e.at)
    }

    /// The certificate of a login command ended: a new one needs a new client.
    pub(super) fn is_ended(&self) -> bool {
        super::credential::is_ended(self.about.until)
    }

    /// The `Authorization` header that is sent now.
    pub async fn bearer(&self) -> Result<Option<HeaderValue>, Fault> {
        let header = self.about.credential.header().await;
        header.map_err(|e| fault::told(&e, &self.known(), SIGN_IN))
    }

    /// The server's version; also the cheapest sign of life.
    pub async fn version(&self) -> Result<Seen, Fault> {
        // A login command may think for a while: that is not the server's time.
        self.bearer().await?;
        match tokio::time::timeout(self.timeout, self.ask_version()).await {
            Ok(Ok(seen)) => Ok(seen),
            Ok(Err(e)) => Err(self.fault(&e, READ_VERSION)),
            Err(_) => Err(fault::timeout(&self.name, &self.place, self.timeout)),
        }
    }

    /// Asked by hand: the client's own call tells neither the server's clock nor, for an answer
    /// that is no Kubernetes status, the HTTP status.
    async fn ask_version(&self) -> Result<Seen, kube::Error> {
        #[derive(Deserialize)]
        struct Info {
            #[serde(rename = "gitVersion")]
            git_version: String,
        }
        let request = kube::core::Request::new("").get("version", &GetParams::default());
        let request = request.map_err(kube::Error::BuildRequest)?;
        let started = clock::instant();
        let answer = self.client.send(request.map(Body::from)).await?;
        let skew_ms = door::skew(answer.headers(), started.elapsed());
        let status = answer.status();
        let body = answer.into_body().collect_bytes().await?;
        if !status.is_success() {
            let message = quote(&body);
            return Err(kube::Error::Api(
                Status::failure(&message, "")
                    .with_code(status.as_u16())
                    .boxed(),
            ));
        }
        let info: Info = serde_json::from_slice(&body).map_err(kube::Error::SerdeError)?;
        Ok(Seen {
            version: text::clean(&info.git_version, 60),
            latency: started.elapsed(),
            skew_ms,
        })
    }
}
