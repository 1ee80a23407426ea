//! The door to one HTTP endpoint: sign-in, limits, and errors that name cluster and endpoint.
//!
//! Every request of sources, checks and the agent goes through here, so that time, size and
//! redirects are bounded and a failure is told in one way, whether it goes straight to the server
//! or through the API server of its cluster.

mod answer;
mod body;
pub(in crate::source) mod credentials;
mod forward;
mod place;
mod pods;
mod post;
mod proxy;
mod socket;
#[cfg(test)]
mod tests;
pub(super) mod tls;
mod way;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tracing::field::{Empty, display};
use tracing::{Instrument, Span};

use crate::clock;
use crate::config::{Auth, Endpoint};

pub use body::{retry_after, skew};

pub use super::error::{Cause, SourceError, quote};
pub(in crate::source) use credentials::read as read_secret;
pub use socket::Socket;
pub(in crate::source) use tls::client_config;

use super::SPAN;
use super::kubernetes::Server;
use credentials::Credentials;
use place::{content_type, extra_headers, redirects};
pub use place::{shown, shown_text};
pub(in crate::source) use pods::is_ready;
pub use post::{Poster, Untaken};
use way::Way;

/// Largest body of lists and pages, decompressed.
pub const BODY_LIMIT: usize = 16 << 20;
/// Largest body of a query's answer, decompressed.
pub const QUERY_LIMIT: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What we call ourselves everywhere.
pub const AGENT: &str = concat!("farwatch/", env!("CARGO_PKG_VERSION"));
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// A whole answer with how it was got.
#[derive(Clone, Debug)]
pub struct Reply {
    pub body: Vec<u8>,
    pub content_type: String,
    pub latency: Duration,
    /// Server's clock minus ours, from `Date`.
    pub skew_ms: Option<i64>,
    /// The way there, see [`Door::via`].
    pub via: Option<String>,
    /// False: the connection ended early (only from `get_partial`).
    pub complete: bool,
}

impl Reply {
    pub fn latency_ms(&self) -> u32 {
        u32::try_from(self.latency.as_millis()).unwrap_or(u32::MAX)
    }
}

/// One endpoint of one cluster. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Door {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    cluster: String,
    base: Url,
    /// As shown: no user, no password, no query values.
    shown: String,
    client: Client,
    way: Way,
    via: Option<String>,
    /// Settings of a client that keeps to HTTP/1.1, for WebSockets.
    tls: rustls::ClientConfig,
    headers: HeaderMap,
    credentials: Credentials,
    timeout: Duration,
}

impl Door {
    /// Reads certificates and builds the client; sends nothing. `server` is asked where the way
    /// or the sign-in goes through the cluster.
    pub fn open(
        endpoint: &Endpoint,
        cluster: &str,
        server: Option<&Server>,
    ) -> Result<Self, SourceError> {
        let mut base = Url::parse(&endpoint.url).map_err(|e| {
            let what = format!("the URL cannot be read: {e}");
            SourceError::new(cluster, &shown_text(&endpoint.url), Cause::Config(what))
        })?;
        let shown = shown(&base);
        let wrong = |what: String| SourceError::new(cluster, &shown, Cause::Config(what));
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong(format!("`{}` is not http or https", base.scheme())));
        }
        // A secret in the URL would end up in places that print URLs.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        let tls = tls::client_config(endpoint, Vec::new()).map_err(wrong)?;
        let headers = extra_headers(&endpoint.headers).map_err(wrong)?;
        let guarded = endpoint.auth != Auth::None || !headers.is_empty();
        let client = client(tls.clone(), redirects(guarded));
        let timeout = if endpoint.timeout.is_zero() {
            DEFAULT_TIMEOUT
        } else {
            endpoint.timeout
        };
        Ok(Self {
            shared: Arc::new(Shared {
                cluster: cluster.to_owned(),
                way: Way::of(endpoint, server).map_err(wrong)?,
                via: endpoint.via_words(),
                base,
                client: client.map_err(wrong)?,
                tls,
                headers,
                credentials: Credentials::new(endpoint.auth.clone(), server.cloned()),
                timeout,
                shown,
            }),
        })
    }

    pub fn cluster(&self) -> &str {
        &self.shared.cluster
    }

    /// The endpoint as it may be shown.
    pub fn shown(&self) -> &str {
        &self.shared.shown
    }

    /// The client, for protocols that make their requests themselves.
    pub fn client(&self) -> Client {
        self.shared.client.clone()
    }

    /// The bearer token, for the same; `None`: no sign-in is configured.
    pub async fn bearer(&self) -> Result<Option<SecretString>, SourceError> {
        let header = self.shared.credentials.header(false).await;
        let header = header.map_err(|cause| self.error("", cause))?;
        let text = header.as_ref().and_then(|value| value.to_str().ok());
        Ok(text
            .and_then(|text| text.strip_prefix("Bearer "))
            .map(SecretString::from))
    }

    pub fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    /// The way there, where it is not simply the configured URL: `via port-forward to NAME`.
    pub fn via(&self) -> Option<String> {
        match self.shared.way.pod() {
            Some(pod) => Some(format!("via port-forward to {pod}")),
            None => self.shared.via.clone(),
        }
    }

    /// Base URL and `path` as one URL. An empty path is the base itself.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.shared.base.clone();
        if !path.is_empty() {
            let joined = format!(
                "{}/{}",
                url.path().trim_end_matches('/'),
                path.trim_start_matches('/')
            );
            url.set_path(&joined);
        }
        url
    }

    /// `path` under this endpoint, as it may be shown.
    pub fn place(&self, path: &str) -> String {
        shown(&self.url(path))
    }

    pub fn error(&self, path: &str, cause: Cause) -> SourceError {
        self.fail(&self.url(path), cause)
    }

    fn fail(&self, url: &Url, cause: Cause) -> SourceError {
        let place = match self.via() {
            Some(via) => format!("{} ({via})", shown(url)),
            None => shown(url),
        };
        SourceError::new(self.cluster(), &place, cause)
    }

    /// A request to be changed and given to [`Door::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.shared
            .client
            .request(method, self.url(path))
            .headers(self.shared.headers.clone())
    }

    /// The same for what changes something: it goes to this place only, whatever the answer, as a
    /// redirect may turn it into a question. Such requests are few: each has a client of its own.
    pub fn change(&self, method: Method, path: &str) -> Result<RequestBuilder, SourceError> {
        let request = self.steady(path)?.request(method, self.url(path));
        Ok(request.headers(self.shared.headers.clone()))
    }

    /// A client that follows no redirect.
    fn steady(&self, path: &str) -> Result<Client, SourceError> {
        let client = client(self.shared.tls.clone(), Policy::none());
        client.map_err(|what| self.error(path, Cause::Config(what)))
    }

    /// Signs in, sends, signs in once more after a 401, and turns refusals into errors. The body
    /// is not read and has no time limit: streams set their own.
    pub async fn send(&self, builder: RequestBuilder) -> Result<Response, SourceError> {
        let response = self.signed(builder).await?;
        self.accept(response).await
    }

    async fn signed(&self, builder: RequestBuilder) -> Result<Response, SourceError> {
        let again = builder.try_clone();
        let response = self.send_once(builder, false).await?;
        match again {
            Some(again)
                if response.status() == StatusCode::UNAUTHORIZED
                    && self.shared.credentials.any() =>
            {
                self.send_once(again, true).await
            }
            _ => Ok(response),
        }
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Reply, SourceError> {
        let builder = self.request(Method::GET, path).query(query);
        self.whole(builder, BODY_LIMIT, false).await
    }

    /// Like `get`, but a body that ends early is given as far as it came.
    pub async fn get_partial(&self, path: &str, accept: &str) -> Result<Reply, SourceError> {
        let builder = self
            .request(Method::GET, path)
            .header(reqwest::header::ACCEPT, accept);
        self.whole(builder, BODY_LIMIT, true).await
    }

    /// Queries go as forms: their text may be longer than a URL may be.
    pub async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Result<Reply, SourceError> {
        let builder = self.request(Method::POST, path).form(form);
        self.whole(builder, QUERY_LIMIT, false).await
    }

    /// `get` and read as JSON.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(T, Reply), SourceError> {
        let reply = self.get(path, query).await?;
        let value = serde_json::from_slice(&reply.body)
            .map_err(|e| self.not_json(path, &e, &reply.body))?;
        Ok((value, reply))
    }

    /// The error for a body that is not the JSON it should be.
    pub fn not_json(&self, path: &str, error: &dyn std::fmt::Display, body: &[u8]) -> SourceError {
        let start = crate::model::text::clean(
            &String::from_utf8_lossy(body.get(..body.len().min(120)).unwrap_or(body)),
            80,
        );
        let what = if body.trim_ascii().is_empty() {
            "its body is empty".to_owned()
        } else if body::is_page(body) {
            format!("{} instead of data", body::page(body))
        } else {
            let what = crate::model::text::clean(&error.to_string(), 200);
            format!("{what}; it begins `{start}`")
        };
        self.error(path, Cause::Payload(self.shared.credentials.hide(what)))
    }

    /// Sends and reads the whole body, within the endpoint's time limit.
    pub async fn whole(
        &self,
        builder: RequestBuilder,
        limit: usize,
        partial: bool,
    ) -> Result<Reply, SourceError> {
        let started = clock::instant();
        let work = async {
            let response = self.send(builder).await?;
            let skew_ms = body::skew(response.headers(), started.elapsed());
            let content_type = content_type(response.headers());
            let url = response.url().clone();
            let (body, complete) = self.read(response, limit, partial).await?;
            if content_type.starts_with("text/html") {
                let what = format!("{} instead of data", body::page(&body));
                let cause = if body::is_login(&body) {
                    Cause::Login
                } else {
                    Cause::Payload(self.shared.credentials.hide(what))
                };
                return Err(self.fail(&url, cause));
            }
            Ok(Reply {
                body,
                content_type,
                latency: started.elapsed(),
                skew_ms,
                via: self.via(),
                complete,
            })
        };
        let span = tracing::debug_span!(
            target: SPAN, "request",
            cluster = self.cluster(), server = self.shown(), path = Empty, error = Empty,
        );
        let timed = tokio::time::timeout(self.shared.timeout, work);
        let result = match timed.instrument(span.clone()).await {
            Ok(result) => result,
            Err(_) => Err(self.error("", Cause::Timeout(self.shared.timeout))),
        };
        if let Err(error) = &result {
            span.record("error", display(&error.cause));
        }
        result
    }

    /// Reads a body up to `limit` bytes; `partial` forgives an early end.
    pub async fn read(
        &self,
        mut response: Response,
        limit: usize,
        partial: bool,
    ) -> Result<(Vec<u8>, bool), SourceError> {
        let url = response.url().clone();
        let fail = |cause| self.fail(&url, cause);
        let mut out = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if out.len() + chunk.len() > limit => {
                    return Err(fail(Cause::TooLarge(limit)));
                }
                Ok(Some(chunk)) => out.extend_from_slice(&chunk),
                Ok(None) => return Ok((out, true)),
                Err(_) if partial => return Ok((out, false)),
                Err(_) => return Err(fail(Cause::Cut(out.len() as u64))),
            }
        }
    }

    async fn send_once(
        &self,
        builder: RequestBuilder,
        fresh: bool,
    ) -> Result<Response, SourceError> {
        let sign_in = self.shared.credentials.header(fresh).await;
        let builder = match sign_in.map_err(|cause| self.error("", cause))? {
            Some(value) => builder.header(AUTHORIZATION, value),
            None => builder,
        };
        let (client, request) = builder.build_split();
        let request = request.map_err(|e| self.error("", body::cause_of(&e)))?;
        let url = request.url().clone();
        Span::current().record("path", url.path());
        self.shared
            .way
            .send(&client, request)
            .await
            .map_err(|(place, cause)| self.fail(&place.unwrap_or(url), cause))
    }

    async fn accept(&self, response: Response) -> Result<Response, SourceError> {
        let status = response.status();
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        let url = response.url().clone();
        if let Some(cause) = body::elsewhere(&response) {
            return Err(self.fail(&url, cause));
        }
        let moved = response.url().path() != self.shared.base.path()
            && response.url().host_str() != self.shared.base.host_str();
        let html = content_type(response.headers()).starts_with("text/html");
        let after = retry_after(response.headers());
        let body = match tokio::time::timeout(
            CONNECT_TIMEOUT,
            self.read(response, BODY_LIMIT, true),
        )
        .await
        {
            Ok(Ok((body, _))) => body,
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        let page = html || body::is_page(&body);
        let detail = match page {
            true if body.is_empty() => String::new(),
            true => body::page(&body),
            false => quote(&body),
        };
        let detail = self.shared.credentials.hide(detail);
        let cause = if html && moved {
            Cause::Login
        } else {
            body::cause_of_status(status, detail, after)
        };
        Err(self.fail(&url, cause))
    }
}

/// A client for one endpoint.
fn client(mut tls: rustls::ClientConfig, redirects: Policy) -> Result<Client, String> {
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirects)
        .pool_max_idle_per_host(4)
        .gzip(true)
        .build()
        .map_err(|e| format!("no HTTP client: {e}"))
}
