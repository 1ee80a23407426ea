//! Servers that misbehave on purpose, and one that behaves, on a free port of the loopback.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a server does with a request.
#[derive(Clone, Debug)]
pub enum Manner {
    /// A Prometheus with one series `up`.
    Good,
    /// Reads and never answers.
    Silent,
    /// Half of the promised body, then the end.
    HalfBody,
    /// Begins a body and sends a byte of it now and then.
    SlowBody,
    /// Closes at once.
    Closes,
    /// Bytes without sense, so many, as JSON.
    Garbage(usize),
    /// Endless body.
    Endless,
    /// Status, headers, body.
    Status(u16, &'static str, &'static str),
    /// Sends everybody to itself.
    RedirectLoop,
    /// Sends everybody to this place.
    RedirectTo(String),
    /// Good, but its clock stands still at this date.
    Clock(&'static str),
    /// Sends everybody to a page with a form, as an OAuth proxy does.
    LoginPage,
    /// Good on this path; nobody may ask for more.
    Only(&'static str),
    /// 401 until this token is shown.
    Token(&'static str),
    /// Hands everything to this server and back, whatever the protocol.
    Pass(SocketAddr),
}

pub struct Server {
    pub address: SocketAddr,
    pub requests: Arc<AtomicU64>,
    /// Heads of all requests that were answered.
    pub heads: Arc<Mutex<String>>,
    scheme: &'static str,
    manner: watch::Sender<Manner>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start(manner: Manner) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::listen(listener, manner, None).await
    }

    /// With a certificate of `tests/fixtures/tls`.
    pub async fn start_tls(manner: Manner, certificate: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start_tls_on(listener, manner, certificate).await
    }

    pub async fn start_tls_on(
        listener: std::net::TcpListener,
        manner: Manner,
        certificate: &str,
    ) -> Self {
        let file = |ending| fixture(&format!("{certificate}.{ending}"));
        let chain = CertificateDer::pem_file_iter(file("pem")).unwrap();
        let chain: Vec<_> = chain.map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(file("key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let tls = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        Self::listen(listener, manner, Some(tls)).await
    }

    async fn listen(
        listener: std::net::TcpListener,
        manner: Manner,
        tls: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (manner, shared) = watch::channel(manner);
        let requests = Arc::new(AtomicU64::new(0));
        let counted = requests.clone();
        let heads = Arc::new(Mutex::new(String::new()));
        let noted = heads.clone();
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    continue;
                };
                let (manner, counted, tls) = (shared.clone(), counted.clone(), tls.clone());
                let noted = noted.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(socket, manner, counted, noted).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                serve(socket, manner, counted, noted).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            requests,
            heads,
            scheme,
            manner,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn become_(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }
}

pub fn fixture(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tls")
        .join(name)
}

/// One request a connection: simple, and nothing is hidden in a pool.
async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    mut manner: watch::Receiver<Manner>,
    requests: Arc<AtomicU64>,
    heads: Arc<Mutex<String>>,
) {
    let now = manner.borrow_and_update().clone();
    if let Manner::Pass(to) = now {
        let Ok(mut server) = tokio::net::TcpStream::connect(to).await else {
            return;
        };
        requests.fetch_add(1, Ordering::SeqCst);
        // Long connections (tails, watches, pools) end when the manner changes.
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut socket, &mut server) => {}
            _ = manner.changed() => {}
        }
        return;
    }
    let Some(head) = read_request(&mut socket).await else {
        return;
    };
    requests.fetch_add(1, Ordering::SeqCst);
    heads.lock().unwrap().push_str(&head);
    let manner = manner.borrow().clone();
    let _ = answer(&mut socket, &head, manner).await;
    let _ = socket.shutdown().await;
}

/// Head of the request; the body is read and forgotten.
async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let n = socket.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some(end) = text.find("\r\n\r\n") else {
            continue;
        };
        let head = text[..end].to_owned();
        let length = head
            .lines()
            .find_map(|l| {
                l.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            return Some(head);
        }
    }
}

async fn answer(
    socket: &mut (impl AsyncWrite + Unpin),
    head: &str,
    manner: Manner,
) -> std::io::Result<()> {
    match manner {
        Manner::Good => good(socket, head, "").await,
        Manner::Clock(date) => good(socket, head, &format!("date: {date}\r\n")).await,
        Manner::Silent => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            Ok(())
        }
        Manner::SlowBody => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
            socket.write_all(head.as_bytes()).await?;
            loop {
                socket.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Manner::Closes => Ok(()),
        Manner::HalfBody => {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2000\r\n\r\n";
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(b"{\"status\":\"success\",\"data\":").await
        }
        Manner::Garbage(size) => {
            static BODY: OnceLock<Vec<u8>> = OnceLock::new();
            let byte = |i: usize| (i as u8).wrapping_mul(31) ^ (i >> 8) as u8;
            let body = BODY.get_or_init(|| (0..10 << 20).map(byte).collect());
            write(socket, 200, "", &body[..size]).await
        }
        Manner::Endless => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
            socket.write_all(head.as_bytes()).await?;
            loop {
                socket.write_all(&[b' '; 65536]).await?;
            }
        }
        Manner::Status(status, headers, body) => {
            write(socket, status, headers, body.as_bytes()).await
        }
        Manner::RedirectLoop => write(socket, 302, "location: /again\r\n", b"").await,
        Manner::RedirectTo(place) => {
            write(socket, 307, &format!("location: {place}\r\n"), b"").await
        }
        Manner::LoginPage if head.contains(" /login") => {
            let page = b"<html><form><input type=\"password\"></form></html>";
            write(socket, 200, "content-type: text/html\r\n", page).await
        }
        Manner::LoginPage => write(socket, 302, "location: /login\r\n", b"").await,
        Manner::Only(path) => match head.contains(&format!(" {path}")) {
            true => good(socket, head, "").await,
            false => write(socket, 403, "", b"Forbidden").await,
        },
        // The change came between the first byte and the last of a request.
        Manner::Pass(_) => Ok(()),
        Manner::Token(token) => {
            let head_lower = head.to_ascii_lowercase();
            if head_lower.contains(&format!("authorization: bearer {token}")) {
                good(socket, head, "").await
            } else {
                write(socket, 401, "", b"Unauthorized").await
            }
        }
    }
}

async fn write(
    socket: &mut (impl AsyncWrite + Unpin),
    status: u16,
    headers: &str,
    body: &[u8],
) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body).await
}

/// Enough of Prometheus and Alertmanager for a poll, and metrics for a scrape.
async fn good(
    socket: &mut (impl AsyncWrite + Unpin),
    head: &str,
    headers: &str,
) -> std::io::Result<()> {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let now = farwatch::clock::now().seconds();
    let row = format!(r#"{{"metric":{{"__name__":"up","job":"x"}},"value":[{now},"1"]}}"#);
    let body = match path.split('?').next().unwrap_or_default() {
        "/api/v1/query" => {
            format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{row}]}}}}"#)
        }
        "/api/v1/query_range" => {
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.to_owned()
        }
        "/api/v1/alerts" => r#"{"status":"success","data":{"alerts":[]}}"#.to_owned(),
        "/api/v1/rules" => r#"{"status":"success","data":{"groups":[]}}"#.to_owned(),
        "/api/v1/status/buildinfo" => {
            r#"{"status":"success","data":{"version":"9.9.9"}}"#.to_owned()
        }
        "/api/v2/alerts" => "[]".to_owned(),
        "/api/v2/status" => r#"{"versionInfo":{"version":"0.9.9"}}"#.to_owned(),
        "/metrics" => "# TYPE up gauge\nup 1\n# TYPE c_total counter\nc_total 5\n".to_owned(),
        _ => return write(socket, 404, "", b"404 page not found").await,
    };
    let kind = if path == "/metrics" {
        "text/plain"
    } else {
        "application/json"
    };
    write(
        socket,
        200,
        &format!("content-type: {kind}\r\n{headers}"),
        body.as_bytes(),
    )
    .await
}
