//! `/health`, `/ready` and `/metrics` over HTTP: few connections, short ones, nothing secret.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing_appender::non_blocking::ErrorCounter;

use super::Gauges;
use super::metrics::{self, Process};
use super::outlets::{Count, Hearing};
use super::told::{Heard, Told};
use crate::app::resident;
use crate::clock;
use crate::model::time::Timestamp;

/// What is served; `assets/deploy` asks for these.
pub const HEALTH: &str = "/health";
pub const READY: &str = "/ready";
pub const METRICS: &str = "/metrics";

const CONNECTIONS: usize = 64;
/// A connection, from its first byte to its last: one request each.
const WHOLE: Duration = Duration::from_secs(5);
/// Largest head of a request, bytes.
const HEAD: usize = 16 * 1024;
/// A loop that has not gone round for so long stands still.
const STILL: Duration = Duration::from_secs(30);
/// Sources that say nothing are no longer waited for: one dead server is no reason to have no watcher.
const PATIENCE: Duration = Duration::from_secs(60);

type Answer = Response<Full<Bytes>>;

/// Where the answers come from.
pub struct Page {
    hearing: Hearing,
    counts: Vec<(String, Arc<Count>)>,
    lines_lost: Option<ErrorCounter>,
    begun: Instant,
    started: Timestamp,
}

impl Page {
    pub fn new(
        hearing: Hearing,
        counts: Vec<(String, Arc<Count>)>,
        lines_lost: Option<ErrorCounter>,
    ) -> Self {
        Self {
            hearing,
            counts,
            lines_lost,
            begun: clock::instant(),
            started: clock::now(),
        }
    }

    fn answer(&self, method: &Method, path: &str) -> Answer {
        if method != Method::GET && method != Method::HEAD {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            let allowed = header::HeaderValue::from_static("GET, HEAD");
            refused.headers_mut().insert(header::ALLOW, allowed);
            return refused;
        }
        let told = self.hearing.borrow().clone();
        let told = told.as_deref();
        match path {
            HEALTH => verdict(is_alive(told, self.begun)),
            READY => verdict(is_ready(told, self.begun)),
            METRICS => self.metrics(told),
            _ => plain(
                StatusCode::NOT_FOUND,
                "there is /health, /ready and /metrics\n",
            ),
        }
    }

    fn metrics(&self, told: Option<&Told>) -> Answer {
        let process = Process {
            counts: &self.counts,
            lines_lost: self.lines_lost.as_ref().map(ErrorCounter::dropped_lines),
            resident_bytes: resident(),
            started: self.started,
        };
        let mut answer = plain(StatusCode::OK, metrics::page(told, &process));
        let kind = header::HeaderValue::from_static(metrics::CONTENT_TYPE);
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}

/// The loop goes round. `Err`: it does not, and for how long.
pub fn is_alive(told: Option<&Told>, begun: Instant) -> Result<(), String> {
    let still = told.map_or(begun, |told| told.turned).elapsed();
    match still <= STILL {
        true => Ok(()),
        false => Err(format!(
            "the loop has stood still for {} s",
            still.as_secs()
        )),
    }
}

/// It does what it is there for: it knows its clusters, has heard their sources, and what it finds
/// gets to the bus or is kept for it.
pub fn is_ready(told: Option<&Told>, begun: Instant) -> Result<(), String> {
    is_alive(told, begun)?;
    let Some(told) = told else {
        return Err("the loop has not gone round yet".into());
    };
    let Gauges { bus, leases, .. } = &told.gauges;
    if bus.wanted && !leases.settled {
        return Err("it is not settled which clusters are ours".into());
    }
    if bus.wanted && !bus.ready && bus.unsafe_spool.is_some() {
        return Err("the bus is not reached, and events cannot be kept for it".into());
    }
    let sources = told.clusters.iter().flat_map(|c| &c.sources);
    let unheard = sources.filter(|h| **h == Heard::Connecting).count();
    let unseen = told.gauges.watched.saturating_sub(told.clusters.len());
    match (unheard, unseen) {
        (0, 0) => Ok(()),
        _ if begun.elapsed() > PATIENCE => Ok(()),
        (0, _) => Err(format!("{unseen} clusters have not been looked at yet")),
        _ => Err(format!("{unheard} sources have not been heard yet")),
    }
}

fn verdict(told: Result<(), String>) -> Answer {
    match told {
        Ok(()) => plain(StatusCode::OK, "ok\n"),
        Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let fixed = header::HeaderValue::from_static;
    headers.insert(header::CONTENT_TYPE, fixed("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, fixed("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    answer
}

/// Until it is ended.
pub async fn serve(listener: TcpListener, page: Arc<Page>, ended: CancellationToken) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            () = ended.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let page = Arc::clone(&page);
        tokio::spawn(async move {
            let _place = place;
            // A client that leaves in the middle or dawdles is no fault of ours.
            let _ = tokio::time::timeout(WHOLE, connection(stream, page)).await;
        });
    }
}

async fn connection(stream: TcpStream, page: Arc<Page>) -> hyper::Result<()> {
    let answering = service_fn(move |request: Request<Incoming>| {
        let answer = page.answer(request.method(), request.uri().path());
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), answering)
        .await
}

#[cfg(test)]
mod tests;
