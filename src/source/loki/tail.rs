//! The live tail: the last minutes first, then what comes, over a WebSocket.
//!
//! Lines go on in batches of at most 50 ms; a batch that finds the queue full is lost and counted
//! in the next one. After a break the tail goes on where it ended.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::{ENCODING, ENCODING_HEADER, Loki, parse};
use crate::clock;
use crate::model::fault::{Fault, FaultKind};
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine};
use crate::model::telemetry::{Body, LogBatch};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::door::Socket;
use crate::source::error::{Cause, SourceError};
use crate::source::report::Report;
use crate::source::supervisor::Gate;

const PATH: &str = "/loki/api/v1/tail";
/// How far back the log begins at start, and at most after a break.
const LOOK_BACK_NS: i64 = 10 * 60 * 1_000_000_000;
const LOOK_BACK_LINES: u32 = 1_000;
const BATCH_TIME: Duration = Duration::from_millis(50);
const BATCH_LINES: usize = 500;
/// Quiet for this long: a ping; no sign of life after three: cut.
const PING: Duration = Duration::from_secs(10);
const FRAME_LIMIT: usize = 16 << 20;

/// Follows `selector` until the loop is gone. Every fault is told and tried again; where another
/// report speaks for the source, in a line of the log itself.
pub async fn follow(gate: Arc<Gate>, selector: String, mut report: Report) {
    let loki = loop {
        let error = match gate.door().await {
            Ok(door) => break Loki::new(door.clone()),
            Err(error) => error,
        };
        match report.failed(error.fault(), None).await {
            Some(delay) => report.waits.rest(delay).await,
            None => return,
        }
    };
    let mut tail = Tail {
        next_ns: now_ns().saturating_sub(LOOK_BACK_NS),
        pending: Vec::new(),
        lost: 0,
        losing: false,
        loki,
        gate,
        selector,
        report,
    };
    loop {
        let Err(end) = tail.session().await else {
            return;
        };
        tail.flush();
        let fault = end.fault();
        tracing::info!(fault = %fault, "log tail ended");
        if tail.report.is_quiet() {
            tail.note(&fault);
            if end.is_about_query() {
                return;
            }
        }
        match tail.report.failed(fault, end.retry_after()).await {
            Some(delay) => tail.report.waits.rest(delay).await,
            None => return,
        }
    }
}

struct Tail {
    loki: Loki,
    gate: Arc<Gate>,
    selector: String,
    report: Report,
    /// The first time that was not told yet.
    next_ns: i64,
    pending: Vec<LogLine>,
    /// Lines lost since the last batch that got through.
    lost: u64,
    /// The server says that it lost lines; that is told also where no others come.
    losing: bool,
}

impl Tail {
    /// Look-back, then the tail until it breaks. `Ok` means that the loop is gone.
    async fn session(&mut self) -> Result<(), SourceError> {
        if self.report.health.version.is_none() && !self.report.is_quiet() {
            self.gate.budget.take().await;
            if let Ok((version, _)) = self.loki.version().await {
                self.report.health.version = version;
            }
        }
        if !self.look_back().await? {
            return Ok(());
        }
        let mut socket = self.connect().await?;
        if !self.report.live().await {
            return Ok(());
        }
        self.pump(&mut socket).await.map(|never| match never {})
    }

    /// What happened between the last line told and now; the newest lines where it is too much.
    async fn look_back(&mut self) -> Result<bool, SourceError> {
        let end_ns = now_ns();
        let oldest = end_ns.saturating_sub(LOOK_BACK_NS);
        let start_ns = self.next_ns.max(oldest);
        if end_ns <= start_ns {
            return Ok(true);
        }
        let asked = LOOK_BACK_LINES as usize;
        self.gate.budget.take().await;
        let (mut lines, reply) = self
            .loki
            .query_ns(&self.selector, start_ns, end_ns, LOOK_BACK_LINES, true)
            .await?;
        lines.reverse();
        self.report.health.latency_ms = Some(reply.latency_ms());
        self.report.health.skew_ms = reply.skew_ms;
        self.report.health.via = reply.via;
        self.report.heard(reply.body.len() as u64);
        self.advance(&lines);
        let broken = self.report.health.failures > 0;
        if broken && (start_ns == oldest || lines.len() >= asked) {
            let resumed = lines.first().map_or(end_ns, |l| l.at_ns);
            lines.insert(0, gap(start_ns, resumed));
        }
        let batch = LogBatch {
            lines,
            dropped: std::mem::take(&mut self.lost),
            live: false,
        };
        let telemetry = self.report.wrap(Body::Logs(batch));
        Ok(self.report.outlet.send(telemetry).await)
    }

    async fn connect(&self) -> Result<Socket, SourceError> {
        self.gate.budget.take().await;
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static(ENCODING_HEADER),
            HeaderValue::from_static(ENCODING),
        )]);
        let query = [
            ("query", self.selector.as_str()),
            ("limit", &LOOK_BACK_LINES.to_string()),
            ("start", &self.next_ns.to_string()),
        ];
        let door = self.loki.door();
        door.web_socket(PATH, &query, headers, FRAME_LIMIT).await
    }

    /// Reads until the tail breaks.
    async fn pump(&mut self, socket: &mut Socket) -> Result<Infallible, SourceError> {
        let mut flush = interval(BATCH_TIME);
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    self.message(message)?;
                }
                _ = flush.tick(), if self.has_news() => self.flush(),
                _ = ping.tick() => {
                    if heard.elapsed() > PING * 3 {
                        return Err(self.fail(Cause::Timeout(PING * 3)));
                    }
                    let sent = timeout(PING, socket.send(Message::Ping(Vec::new().into()))).await;
                    match sent {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return Err(self.fail(cause_of(&error))),
                        Err(_) => return Err(self.fail(Cause::Timeout(PING))),
                    }
                    // Not waited for: a full queue must not stop the reading of the tail.
                    self.report.offer();
                }
            }
            if self.pending.len() >= BATCH_LINES {
                self.flush();
            }
        }
    }

    fn message(&mut self, message: Option<Result<Message, WsError>>) -> Result<(), SourceError> {
        match message {
            Some(Ok(Message::Text(payload))) => {
                self.report.heard(payload.len() as u64);
                match parse::frame(&payload) {
                    Ok((lines, dropped)) => {
                        self.advance(&lines);
                        self.lost += dropped;
                        self.losing |= dropped > 0;
                        self.report.health.dropped += dropped;
                        self.pending.extend(lines);
                    }
                    Err(_) => self.report.health.bad_lines += 1,
                }
                Ok(())
            }
            Some(Ok(Message::Close(frame))) => {
                let reason = frame.map_or_else(String::new, |f| {
                    let why = text::clean(&f.reason, 200);
                    format!(": code {} {why}", u16::from(f.code))
                });
                let what = format!("the server closed the tail{reason}");
                Err(self.fail(Cause::Unreachable(what)))
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(self.fail(cause_of(&error))),
            None => Err(self.fail(Cause::Unreachable("the tail ended".into()))),
        }
    }

    /// Goes on after the newest of `lines`; one stamped in the future must not hide the others.
    fn advance(&mut self, lines: &[LogLine]) {
        if let Some(last) = lines.iter().map(|l| l.at_ns).max() {
            let next = last.saturating_add(1).min(now_ns());
            self.next_ns = self.next_ns.max(next);
        }
    }

    fn has_news(&self) -> bool {
        !self.pending.is_empty() || self.losing
    }

    /// Offers what is pending; lost lines are told with the next batch.
    fn flush(&mut self) {
        if !self.has_news() {
            return;
        }
        self.losing = false;
        let mut lines = std::mem::take(&mut self.pending);
        lines.sort_by_key(|l| l.at_ns);
        let count = lines.len() as u64;
        let dropped = std::mem::take(&mut self.lost);
        let batch = LogBatch {
            lines,
            dropped,
            live: !self.report.is_quiet(),
        };
        let telemetry = self.report.wrap(Body::Logs(batch));
        if !self.report.outlet.offer(telemetry) {
            self.lost = dropped + count;
            self.report.health.dropped += count;
        }
    }

    /// Says in the log what nobody else says: the tail asked for beside the configured one broke.
    fn note(&mut self, fault: &Fault) {
        let again = match fault.kind {
            FaultKind::BadQuery => "not followed",
            _ => "tried again",
        };
        let text = format!("the tail of {} broke, {again}: {fault}", self.selector);
        self.pending.push(own(now_ns(), text));
        self.flush();
    }

    fn fail(&self, cause: Cause) -> SourceError {
        self.loki.door().error(PATH, cause)
    }
}

/// Said in the log itself, where the lines are missing: nobody knows how many they are.
fn gap(from_ns: i64, to_ns: i64) -> LogLine {
    let time = |ns: i64| Timestamp(ns / 1_000_000).rfc3339();
    let line = format!(
        "gap: the tail was interrupted, lines before {} may be missing (last heard {})",
        time(to_ns),
        time(from_ns)
    );
    own(to_ns.saturating_sub(1), line)
}

/// A line of farwatch itself.
fn own(at_ns: i64, text: String) -> LogLine {
    LogLine {
        at_ns,
        labels: Labels::from_pairs([("app", "farwatch")]),
        line: Arc::from(text),
        level: Level::Warning,
    }
}

fn now_ns() -> i64 {
    clock::now().0.saturating_mul(1_000_000)
}

fn cause_of(error: &WsError) -> Cause {
    match error {
        WsError::Capacity(_) => Cause::TooLarge(FRAME_LIMIT),
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Cause::Unreachable("the connection ended".into())
        }
        WsError::Protocol(error) => Cause::Payload(text::clean(&error.to_string(), 200)),
        other => Cause::Unreachable(text::clean(&other.to_string(), 200)),
    }
}
