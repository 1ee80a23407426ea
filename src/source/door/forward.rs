//! By port-forward: HTTP/1.1 over streams that the API server leads to a ready pod.
//!
//! No port is opened on this machine: others who work here could use it. A pod that goes is
//! replaced by another with the next connection.

mod pipe;

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Body, Method, Request, Response};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tower::Service;
use tower_http::decompression::Decompression;

use super::answer::answer;
use super::pods::{Chosen, choose};
use super::tls;
use super::way::trouble;
use crate::config::{Endpoint, Target};
use crate::model::fault::FaultKind;
use crate::model::text;
use crate::source::error::Cause;
use crate::source::kubernetes::{Cluster, Server};

use pipe::{Forwarded, Pipe, Words};

/// Connections kept for the next request, and how long.
const IDLE: usize = 4;
const IDLE_TIME: Duration = Duration::from_secs(90);
/// Longest way to a new connection: service, pods, the forward itself, TLS.
const LONGEST: Duration = Duration::from_secs(15);
/// Where OpenShift puts the authority of its services, in every namespace.
const AUTHORITY: (&str, &str) = ("openshift-service-ca.crt", "service-ca.crt");

pub(super) struct Forward {
    path: Arc<Path>,
    client: Decompression<Client<Connector, Body>>,
}

/// What all connections of one door share.
struct Path {
    server: Server,
    target: Target,
    endpoint: Endpoint,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Made with the authorities as they were then; forgotten when a handshake fails.
    tls: Option<TlsConnector>,
    chosen: Option<Chosen>,
    /// A pod that failed: the next choice is another, if there is one.
    avoid: Option<String>,
}

impl Forward {
    pub(super) fn new(server: Server, target: Target, endpoint: &Endpoint) -> Self {
        let path = Arc::new(Path {
            server,
            target,
            endpoint: endpoint.clone(),
            state: Mutex::default(),
        });
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE)
            .build(Connector(path.clone()));
        Self {
            path,
            client: Decompression::new(client),
        }
    }

    pub(super) fn pod(&self) -> Option<String> {
        let state = self.path.state();
        state.chosen.as_ref().map(|c| text::clean(&c.pod, 253))
    }

    /// Asks; a question that got no answer because the pod or the way broke is asked once more.
    pub(super) async fn send(&self, request: Request) -> Result<Response, Cause> {
        let again = request.try_clone().filter(is_question);
        match (self.ask(request).await, again) {
            (Err(Broken { cause, again: true }), Some(request)) => {
                tracing::debug!(%cause, "the forward broke, asked again");
                self.ask(request).await.map_err(|broken| broken.cause)
            }
            (result, _) => result.map_err(|broken| broken.cause),
        }
    }

    async fn ask(&self, request: Request) -> Result<Response, Broken> {
        let url = request.url().clone();
        let request = http::Request::try_from(request).map_err(|e| Broken {
            cause: Cause::Bug(e.to_string()),
            again: false,
        })?;
        let got = self.client.clone().call(request).await;
        let (parts, body) = got.map_err(|e| self.path.broken(&e))?.into_parts();
        answer(url, parts, Body::wrap(body)).map_err(|cause| Broken {
            cause,
            again: false,
        })
    }
}

/// A request that may be sent twice: queries go as GET or as forms.
fn is_question(request: &Request) -> bool {
    let form = request.headers().get(CONTENT_TYPE);
    request.method() == Method::GET
        || form.is_some_and(|v| {
            v.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        })
}

struct Broken {
    cause: Cause,
    /// A connection that stood broke: another may do.
    again: bool,
}

impl Path {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the pod in use. False: none was.
    fn leave(&self) -> bool {
        let mut state = self.state();
        let left = state.chosen.take().map(|c| c.pod);
        let any = left.is_some();
        state.avoid = left.or(state.avoid.take());
        any
    }

    /// Why a request got no answer; the pod is not trusted any more.
    fn broken(&self, error: &(dyn Error + 'static)) -> Broken {
        let mut next = Some(error);
        let mut innermost = error;
        while let Some(now) = next {
            if let Some(Refused(cause)) = now.downcast_ref::<Refused>() {
                let cause = cause.clone();
                return Broken {
                    cause,
                    again: false,
                };
            }
            innermost = now;
            // An `io::Error` leaves out what it wraps when asked for its source.
            let wrapped = now.downcast_ref::<std::io::Error>();
            next = match wrapped.and_then(std::io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => now.source(),
            };
        }
        self.leave();
        let words = text::clean(&innermost.to_string(), 200);
        let what = match innermost.downcast_ref::<Words>() {
            Some(_) => format!("the pod does not answer: {words}"),
            None => format!("the port-forward broke: {words}"),
        };
        Broken {
            cause: Cause::Unreachable(what),
            again: true,
        }
    }

    /// A stream to a ready pod: to the one in use, to another where that one is gone.
    async fn connect(&self) -> Result<Pipe, Cause> {
        let work = async {
            let used = self.state().chosen.is_some();
            match self.forward().await {
                Err(_) if self.leave() && used => self.forward().await,
                result => result,
            }
        };
        match tokio::time::timeout(LONGEST, work).await {
            Ok(result) => result.inspect_err(|_| {
                self.leave();
            }),
            Err(_) => {
                self.leave();
                Err(Cause::Timeout(LONGEST))
            }
        }
    }

    async fn forward(&self) -> Result<Pipe, Cause> {
        let cluster = self.cluster().await?;
        let stream = match self.stream(&cluster).await {
            Err(Cause::Tunnel(fault)) if fault.kind == FaultKind::Auth => {
                self.server.renew().await;
                self.stream(&self.cluster().await?).await
            }
            result => result,
        }?;
        let Target::Service(service) = &self.target else {
            return Ok(Box::new(stream));
        };
        if !service.tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(service.host())
            .map_err(|_| Cause::Config(format!("{} is no name for TLS", service.host())))?;
        let connector = self.tls(&cluster).await?;
        let secured = connector.connect(name, stream).await;
        Ok(Box::new(secured.map_err(|e| {
            let words = || Cause::Unreachable(text::clean(&e.to_string(), 200));
            self.state().tls = None;
            tls::told(&e).map_or_else(words, Cause::Tls)
        })?))
    }

    async fn cluster(&self) -> Result<Cluster, Cause> {
        let cluster = self.server.cluster().await;
        cluster.map_err(|fault| Cause::Tunnel(Box::new(fault)))
    }

    async fn stream(&self, cluster: &Cluster) -> Result<Forwarded, Cause> {
        let (known, avoid) = {
            let state = self.state();
            (state.chosen.clone(), state.avoid.clone())
        };
        let chosen = match known {
            Some(chosen) => chosen,
            None => choose(cluster, &self.target, avoid.as_deref()).await?,
        };
        self.state().chosen = Some(chosen.clone());
        let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &chosen.namespace);
        let forwarder = api.portforward(&chosen.pod, &[chosen.port]).await;
        let forwarder = forwarder.map_err(|e| {
            let place = format!("{}/{}", chosen.namespace, chosen.pod);
            let doing = format!("forward a port (create and get pods/portforward) to {place}");
            trouble(cluster, &e, &doing)
        })?;
        Forwarded::new(forwarder, chosen.port)
            .ok_or_else(|| Cause::Bug("a forward without its port".into()))
    }

    /// TLS with the authorities of the system, of `ca_file`, else of OpenShift's services.
    async fn tls(&self, cluster: &Cluster) -> Result<TlsConnector, Cause> {
        if let Some(known) = self.state().tls.clone() {
            return Ok(known);
        }
        let more = match (&self.endpoint.ca_file, &self.target) {
            (None, Target::Service(service)) => authority(cluster, &service.namespace).await?,
            _ => Vec::new(),
        };
        let config = tls::client_config(&self.endpoint, more).map_err(Cause::Config)?;
        let made = TlsConnector::from(Arc::new(config));
        self.state().tls = Some(made.clone());
        Ok(made)
    }
}

/// None where this is not OpenShift, or is not ours to read: the handshake then says so.
async fn authority(
    cluster: &Cluster,
    namespace: &str,
) -> Result<Vec<CertificateDer<'static>>, Cause> {
    let api: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), namespace);
    let found = match api.get_opt(AUTHORITY.0).await {
        Ok(found) => found,
        Err(kube::Error::Api(status)) if status.code == 403 => None,
        Err(error) => {
            let doing = format!("get configmap {namespace}/{}", AUTHORITY.0);
            return Err(trouble(cluster, &error, &doing));
        }
    };
    let data = found.and_then(|f| f.data).unwrap_or_default();
    let pem = data
        .get(AUTHORITY.1)
        .map(String::as_str)
        .unwrap_or_default();
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    Ok(certificates.filter_map(Result::ok).collect())
}

/// Makes the connections of the client's pool.
#[derive(Clone)]
struct Connector(Arc<Path>);

impl Service<http::Uri> for Connector {
    type Response = TokioIo<Pipe>;
    type Error = Refused;
    type Future = BoxFuture<'static, Result<Self::Response, Refused>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let path = self.0.clone();
        Box::pin(async move { path.connect().await.map(TokioIo::new).map_err(Refused) })
    }
}

/// No connection.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(Cause);

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Forward").field(&self.path.target).finish()
    }
}
