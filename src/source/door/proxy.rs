//! Through the API server's service proxy: plain requests to the API server, with its sign-in.
//!
//! The API server keeps `Authorization` to itself and answers in its own name where the service
//! cannot be reached: a `Status` object, which no source behind it sends.

use std::time::Duration;

use http_body_util::BodyExt;
use kube::client::Body as KubeBody;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue, LOCATION};
use reqwest::{Body, Request, Response, StatusCode, Url};
use serde::Deserialize;

use super::answer::{answer, body_of};
use super::way::{told, trouble};
use super::{CONNECT_TIMEOUT, retry_after};
use crate::config::ServiceRef;
use crate::model::fault::FaultKind;
use crate::model::text;
use crate::source::error::{Cause, quote};
use crate::source::kubernetes::{Cluster, Server};

/// Longest refusal that is read, bytes.
const REFUSAL: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Proxy {
    server: Server,
    service: ServiceRef,
    /// `/api/v1/namespaces/NAMESPACE/services/NAME:PORT/proxy`.
    prefix: String,
}

/// The API server's own words.
#[derive(Deserialize)]
struct Status {
    kind: String,
    #[serde(rename = "apiVersion")]
    api_version: String,
    #[serde(default)]
    message: String,
}

impl Proxy {
    pub(super) fn new(server: Server, service: ServiceRef) -> Self {
        let scheme = if service.tls { "https:" } else { "" };
        let prefix = format!(
            "/api/v1/namespaces/{}/services/{scheme}{}:{}/proxy",
            service.namespace, service.name, service.port
        );
        Self {
            server,
            service,
            prefix,
        }
    }

    /// Asks; signs in anew once where the API server itself says 401.
    pub(super) async fn send(&self, request: Request) -> Result<Response, Cause> {
        match self.ask(&request).await {
            Err(Cause::Tunnel(fault)) if fault.kind == FaultKind::Auth => {
                self.server.renew().await;
                self.ask(&request).await
            }
            other => other,
        }
    }

    async fn ask(&self, request: &Request) -> Result<Response, Cause> {
        let cluster = self.server.cluster().await;
        let cluster = cluster.map_err(|fault| Cause::Tunnel(Box::new(fault)))?;
        let url = request.url();
        let query = url.query().map_or_else(String::new, |q| format!("?{q}"));
        let mut asked = http::Request::builder()
            .method(request.method())
            .uri(format!("{}{}{query}", self.prefix, url.path()))
            .body(KubeBody::from(body_of(request)))
            .map_err(|e| Cause::Bug(e.to_string()))?;
        *asked.headers_mut() = request.headers().clone();
        asked.headers_mut().remove(AUTHORIZATION);
        asked.headers_mut().remove(CONTENT_LENGTH);
        let doing = format!("use the service proxy to {}", self.service);
        let got = cluster.client.send(asked).await;
        let (mut parts, body) = got.map_err(|e| trouble(&cluster, &e, &doing))?.into_parts();
        if let Some(inner) = parts.headers.get(LOCATION).and_then(|l| self.stripped(l)) {
            parts.headers.insert(LOCATION, inner);
        }
        if !parts.status.is_client_error() && !parts.status.is_server_error() {
            let body = Body::wrap_stream(body.into_data_stream());
            return answer(url.clone(), parts, body);
        }
        let words = refusal(body).await;
        if let Some(cause) = self.judge(&cluster, parts.status, &words) {
            return Err(match parts.status {
                StatusCode::TOO_MANY_REQUESTS => Cause::RateLimited(retry_after(&parts.headers)),
                _ => cause,
            });
        }
        answer(url.clone(), parts, Body::from(words))
    }

    /// The API server rewrites redirects to its own paths: the path in the service.
    fn stripped(&self, location: &HeaderValue) -> Option<HeaderValue> {
        let told = location.to_str().ok()?;
        let path = match Url::parse(told) {
            Ok(url) => {
                url.path().to_owned() + &url.query().map_or_else(String::new, |q| format!("?{q}"))
            }
            Err(_) => told.to_owned(),
        };
        HeaderValue::from_str(path.strip_prefix(&self.prefix)?).ok()
    }

    /// What a refusal means, where it is not simply the service's own.
    fn judge(&self, cluster: &Cluster, status: StatusCode, words: &[u8]) -> Option<Cause> {
        let code = status.as_u16();
        let own = serde_json::from_slice::<Status>(words)
            .ok()
            .filter(|s| s.kind == "Status" && s.api_version == "v1");
        let told = |kind, what: String, hint: &str| Some(told(cluster, kind, what, hint));
        let Some(own) = own else {
            // Whatever was sent along stayed with the API server.
            let kind = match code {
                401 => FaultKind::Auth,
                403 => FaultKind::Forbidden,
                _ => return None,
            };
            let quoted = quote(words);
            let what = format!("{code} from the service, which wants a sign-in: {quoted}");
            let hint = "the service proxy passes on no credentials: take `via = \"port-forward\"` \
                        with `bearer_from` or another sign-in, or a `url`";
            return told(kind, what, hint);
        };
        let message = text::clean(&own.message, 250);
        let service = &self.service;
        match code {
            401 => told(
                FaultKind::Auth,
                "the API server answers 401: the sign-in is missing or has expired".into(),
                "sign in again with the command of the kubeconfig",
            ),
            403 => told(
                FaultKind::Forbidden,
                format!("the API server answers 403: {message}"),
                "ask for get and create on services/proxy there, or take another way (`via`, `url`)",
            ),
            404 => told(
                FaultKind::NotFound,
                format!("the API server answers 404: {message}"),
                "check namespace and name of `service`",
            ),
            503 if message.contains("no service port") => {
                told(FaultKind::NotFound, message, "check the port of `service`")
            }
            503 if message.contains("tls:") => told(
                FaultKind::Tls,
                message,
                "the port speaks no TLS: leave `tls` out",
            ),
            503 => told(
                FaultKind::Unreachable,
                format!("{service} does not answer the API server: {message}"),
                "see whether its pods are ready, and check the port of `service`",
            ),
            400 => None,
            _ => told(
                FaultKind::Server,
                format!("the API server answers {code}: {message}"),
                "it is tried again",
            ),
        }
    }
}

/// The beginning of a refusal, as far as it comes in time.
async fn refusal(mut body: KubeBody) -> Vec<u8> {
    let mut words = Vec::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(data) = frame.into_data() {
                words.extend_from_slice(&data);
            }
            if words.len() > REFUSAL {
                break;
            }
        }
    };
    let limit: Duration = CONNECT_TIMEOUT;
    let _ = tokio::time::timeout(limit, reading).await;
    words
}
