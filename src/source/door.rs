//! The door to one HTTP endpoint: sign-in, limits, and errors that name cluster and endpoint.
//!
//! Every request of sources, checks and the agent goes through here, so that time, size and
//! redirects are bounded and a failure is told in one way.

mod body;
mod credentials;
mod place;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::clock;
use crate::config::{Auth, Endpoint};

pub use body::{retry_after, skew};

pub use super::error::{Cause, SourceError, quote};

use credentials::Credentials;
use place::{content_type, extra_headers};
pub use place::{shown, shown_text};

/// Largest body of lists and pages, decompressed.
pub const BODY_LIMIT: usize = 16 << 20;
/// Largest body of a query's answer, decompressed.
pub const QUERY_LIMIT: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// A whole answer with how it was got.
#[derive(Clone, Debug)]
pub struct Reply {
    pub body: Vec<u8>,
    pub content_type: String,
    pub latency: Duration,
    /// Server's clock minus ours, from `Date`.
    pub skew_ms: Option<i64>,
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
    tls: Arc<rustls::ClientConfig>,
    headers: HeaderMap,
    credentials: Credentials,
    timeout: Duration,
}

impl Door {
    /// Reads certificates and builds the client; sends nothing.
    pub fn open(endpoint: &Endpoint, cluster: &str) -> Result<Self, SourceError> {
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
        let tls = tls::client_config(endpoint).map_err(wrong)?;
        let headers = extra_headers(&endpoint.headers).map_err(wrong)?;
        let mut with_alpn = tls.clone();
        with_alpn.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = Client::builder()
            .tls_backend_preconfigured(with_alpn)
            .user_agent(concat!("farwatch/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(place::redirects(
                endpoint.auth != Auth::None || !headers.is_empty(),
            ))
            .pool_max_idle_per_host(4)
            .gzip(true)
            .build()
            .map_err(|e| wrong(format!("no HTTP client: {e}")))?;
        let timeout = if endpoint.timeout.is_zero() {
            DEFAULT_TIMEOUT
        } else {
            endpoint.timeout
        };
        Ok(Self {
            shared: Arc::new(Shared {
                cluster: cluster.to_owned(),
                base,
                shown,
                client,
                tls: Arc::new(tls),
                headers,
                credentials: Credentials::new(endpoint.auth.clone()),
                timeout,
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

    pub fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    /// TLS settings for protocols beside HTTP (WebSocket); without ALPN.
    pub fn tls(&self) -> Arc<rustls::ClientConfig> {
        self.shared.tls.clone()
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
        SourceError::new(&self.shared.cluster, &self.place(path), cause)
    }

    /// Extra headers and sign-in for protocols that we do not speak through `reqwest`.
    pub async fn headers(&self) -> Result<HeaderMap, SourceError> {
        let mut headers = self.shared.headers.clone();
        if let Some(value) = self.authorization(false).await? {
            headers.insert(reqwest::header::AUTHORIZATION, value);
        }
        Ok(headers)
    }

    /// The `Authorization` header; `fresh` reads the secret anew (after a 401).
    pub async fn authorization(&self, fresh: bool) -> Result<Option<HeaderValue>, SourceError> {
        self.shared
            .credentials
            .header(fresh)
            .await
            .map_err(|what| self.error("", Cause::Config(what)))
    }

    /// A request to be changed and given to [`Door::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.shared
            .client
            .request(method, self.url(path))
            .headers(self.shared.headers.clone())
    }

    /// Signs in, sends, signs in once more after a 401, and turns refusals into errors. The body
    /// is not read and has no time limit: streams set their own.
    pub async fn send(&self, builder: RequestBuilder) -> Result<Response, SourceError> {
        let again = builder.try_clone();
        let response = self.send_once(builder, false).await?;
        let response = match again {
            Some(again)
                if response.status() == StatusCode::UNAUTHORIZED
                    && self.shared.credentials.any() =>
            {
                self.send_once(again, true).await?
            }
            _ => response,
        };
        self.accept(response).await
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
        let what = crate::model::text::clean(&error.to_string(), 200);
        let what = format!("{what}; it begins `{start}`");
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
            let place = shown(response.url());
            let (body, complete) = self.read(response, limit, partial).await?;
            if content_type.starts_with("text/html") {
                let what = "a web page instead of data".to_owned();
                let cause = if body::is_login(&body) {
                    Cause::Login
                } else {
                    Cause::Payload(what)
                };
                return Err(SourceError::new(self.cluster(), &place, cause));
            }
            Ok(Reply {
                body,
                content_type,
                latency: started.elapsed(),
                skew_ms,
                complete,
            })
        };
        match tokio::time::timeout(self.shared.timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(self.error("", Cause::Timeout(self.shared.timeout))),
        }
    }

    /// Reads a body up to `limit` bytes; `partial` forgives an early end.
    pub async fn read(
        &self,
        mut response: Response,
        limit: usize,
        partial: bool,
    ) -> Result<(Vec<u8>, bool), SourceError> {
        let place = shown(response.url());
        let fail = |cause| SourceError::new(self.cluster(), &place, cause);
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
        let builder = match self.authorization(fresh).await? {
            Some(value) => builder.header(reqwest::header::AUTHORIZATION, value),
            None => builder,
        };
        builder.send().await.map_err(|e| {
            let place = e.url().map_or_else(|| self.shown().to_owned(), shown);
            SourceError::new(self.cluster(), &place, body::cause_of(&e))
        })
    }

    async fn accept(&self, response: Response) -> Result<Response, SourceError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let place = shown(response.url());
        if let Some(cause) = body::elsewhere(&response) {
            return Err(SourceError::new(self.cluster(), &place, cause));
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
        let detail = if html { String::new() } else { quote(&body) };
        let detail = self.shared.credentials.hide(detail);
        let cause = if html && moved {
            Cause::Login
        } else {
            body::cause_of_status(status, detail, after)
        };
        Err(SourceError::new(self.cluster(), &place, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_joined_and_shown_without_secrets() {
        let endpoint = Endpoint {
            url: "http://me:pw@host:9090/prefix/?token=x".into(),
            ..Endpoint::default()
        };
        let door = Door::open(&endpoint, "alpha").unwrap();
        assert_eq!(
            door.place("/api/v1/query"),
            "http://host:9090/prefix/api/v1/query"
        );
        assert_eq!(door.shown(), "http://host:9090/prefix");
        assert!(!door.url("x").as_str().contains("pw"));
    }

    #[test]
    fn wrong_configuration_is_told_without_secrets() {
        for url in ["http://u:secret@[bad", "ftp://u:secret@h/", ""] {
            let endpoint = Endpoint {
                url: url.into(),
                ..Endpoint::default()
            };
            let error = Door::open(&endpoint, "alpha").unwrap_err();
            assert_eq!(error.kind(), crate::model::fault::FaultKind::Config);
            assert!(!error.fault().to_string().contains("secret"), "{error}");
        }
        let endpoint = Endpoint {
            url: "https://h".into(),
            ca_file: Some("/does/not/exist.pem".into()),
            ..Endpoint::default()
        };
        let error = Door::open(&endpoint, "alpha").unwrap_err();
        assert!(error.to_string().contains("/does/not/exist.pem"), "{error}");
    }
}
