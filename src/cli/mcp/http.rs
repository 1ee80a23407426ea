//! The HTTP side of the MCP server: a bearer token, few connections, no browsers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::agent::mcp::serve::Serving;

/// Where it is served.
const PATH: &str = "/mcp";
const CONNECTIONS: usize = 32;
/// Until the head of a request is there.
const HEAD: Duration = Duration::from_secs(10);
/// Largest request: arguments of a tool.
const BODY: usize = 256 * 1024;
/// Shorter ones can be guessed.
const LEAST: usize = 16;

type Answer = Response<BoxBody<Bytes, Infallible>>;
type Service = StreamableHttpService<Serving, LocalSessionManager>;

/// Who may come in.
pub struct Door {
    token: Option<SecretString>,
}

impl Door {
    /// By the token in a file; without one, whoever reaches the address.
    pub fn of(file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = file else {
            return Ok(Self { token: None });
        };
        let name = file.display();
        let text = std::fs::read_to_string(file).map_err(|e| format!("{name}: {e}"))?;
        let token = text.trim();
        if token.len() < LEAST || token.chars().any(|c| !c.is_ascii_graphic()) {
            return Err(format!(
                "{name}: a token is one line of {LEAST} or more plain letters"
            ));
        }
        Ok(Self {
            token: Some(token.into()),
        })
    }

    pub fn is_open(&self) -> bool {
        self.token.is_none()
    }

    fn lets_in<B>(&self, request: &Request<B>) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let said = request.headers().get(header::AUTHORIZATION);
        let said = said.and_then(|v| v.to_str().ok()).unwrap_or_default();
        let said = said.strip_prefix("Bearer ").unwrap_or_default();
        same(said.as_bytes(), token.expose_secret().as_bytes())
    }
}

/// In a time that does not tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Until it is cancelled.
pub async fn serve(
    address: SocketAddr,
    door: Door,
    serving: Serving,
    ended: CancellationToken,
) -> Result<(), String> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|e| format!("{address}: {e}"))?;
    let bound = listener.local_addr().map_err(|e| e.to_string())?;
    eprintln!("farwatch: MCP at http://{bound}{PATH}");
    if door.is_open() {
        eprintln!("farwatch: no --token-file: everybody on this machine may read");
    }
    let settings = StreamableHttpServerConfig::default()
        .with_max_request_body_bytes(BODY)
        .with_cancellation_token(ended.clone())
        .enforce_origin_validation();
    // Elsewhere it has names that we do not know; a page in a browser lacks the token.
    let settings = match bound.ip().is_loopback() {
        true => settings,
        false => settings.disable_allowed_hosts(),
    };
    let service: Service =
        StreamableHttpService::new(move || Ok(serving.clone()), Arc::default(), settings);
    let door = Arc::new(door);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else {
            return Ok(());
        };
        let (stream, _) = tokio::select! {
            () = ended.cancelled() => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let (service, door, ended) = (service.clone(), door.clone(), ended.clone());
        tokio::spawn(async move {
            let _place = place;
            let answering =
                service_fn(move |request| answer(service.clone(), door.clone(), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(stream), answering);
            tokio::select! {
                () = ended.cancelled() => {}
                // A client that leaves in the middle is no fault of ours.
                _ = connection => {}
            }
        });
    }
}

async fn answer(
    service: Service,
    door: Arc<Door>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    if !door.lets_in(&request) {
        let mut refused = plain(StatusCode::UNAUTHORIZED, "a bearer token is needed\n");
        let how = header::HeaderValue::from_static("Bearer");
        refused.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        return Ok(refused);
    }
    if request.uri().path() != PATH {
        return Ok(plain(StatusCode::NOT_FOUND, "MCP is at /mcp\n"));
    }
    Ok(service.handle(request).await)
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(authorization: Option<&str>) -> Request<()> {
        let mut request = Request::new(());
        if let Some(value) = authorization {
            let value = value.parse().expect("a header");
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        request
    }

    #[test]
    fn the_token_opens_and_nothing_else_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        std::fs::write(&file, "0123456789abcdef\n").expect("written");
        let door = Door::of(Some(&file)).expect("a token");
        assert!(!door.is_open() && door.lets_in(&asked(Some("Bearer 0123456789abcdef"))));
        for wrong in [
            None,
            Some(""),
            Some("Bearer "),
            Some("0123456789abcdef"),
            Some("Bearer 0123456789abcdeg"),
            Some("Bearer 0123456789abcdef0"),
        ] {
            assert!(!door.lets_in(&asked(wrong)), "{wrong:?}");
        }
        for bad in [
            "",
            "short",
            "0123456789abcdef\nmore of it",
            "0123456789 abcdef0",
        ] {
            std::fs::write(&file, bad).expect("written");
            assert!(Door::of(Some(&file)).is_err(), "{bad:?}");
        }
        assert!(Door::of(Some(Path::new("/nowhere"))).is_err());
        assert!(Door::of(None).is_ok_and(|door| door.is_open()));
    }
}
