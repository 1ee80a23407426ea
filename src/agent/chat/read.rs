//! Reading an answer: as a stream of events, or whole.

use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt, TryStreamExt};
use reqwest::Response;
use serde_json::Value;
use sse_stream::SseByteStream;

use super::fault::{fault_of, refused};
use super::{ChatClient, ChatError, Failure};
use crate::agent::constrained;
use crate::agent::leak::{Known, Piece};
use crate::agent::out::Out;
use crate::agent::stream::{Accumulator, Completion, Refusal};
use crate::clock;
use crate::source::door::Cause;

/// After this long without a token the operator is told that we wait.
const SLOW: Duration = Duration::from_secs(15);
/// Most bytes of one answer.
const ANSWER_LIMIT: usize = 16 << 20;

impl ChatClient {
    pub(super) async fn whole(
        &self,
        response: Response,
        mut all: Accumulator,
        body: &Value,
        out: &Out,
    ) -> Result<Completion, Failure> {
        let read = self.door.read(response, ANSWER_LIMIT, false);
        let bytes = match tokio::time::timeout(self.first_token, read).await {
            Ok(Ok((bytes, _))) => bytes,
            Ok(Err(error)) => return Err(refused(&error)),
            Err(_) => {
                return Err(self.failure(
                    Cause::Timeout(self.first_token),
                    "the model server did not finish its answer",
                    false,
                ));
            }
        };
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| {
            let error = self
                .door
                .not_json(&self.path("chat/completions"), &e, &bytes);
            Failure {
                error: ChatError::Failed(fault_of(&error)),
                again: None,
                cause: None,
            }
        })?;
        let pieces = all.value(&value).map_err(|r| self.refusal(r, true))?;
        if value.get("choices").is_none() {
            return Err(self.failure(
                Cause::Payload("no choices in it".into()),
                "the answer is no chat completion",
                false,
            ));
        }
        if body.get("stream") == Some(&Value::Bool(true)) && self.dialect().stream {
            self.dialect().stream = false;
            out.note("the model server does not stream: the answer comes whole")
                .await;
        }
        show(pieces, out).await;
        let (rest, done) = all.finish();
        show(rest, out).await;
        Ok(done)
    }

    pub(super) async fn streamed(
        &self,
        response: Response,
        mut all: Accumulator,
        started: Instant,
        out: &Out,
    ) -> Result<Completion, Failure> {
        let mut events = SseByteStream::new(limited(response));
        let mut begun = None;
        let mut first = true;
        loop {
            let limit = if first {
                self.first_token.saturating_sub(started.elapsed())
            } else {
                self.silence
            };
            let next = async {
                match tokio::time::timeout(limit, events.next()).await {
                    Ok(next) => Ok(next),
                    Err(_) => Err(self.silent(limit, &all)),
                }
            };
            let next = if first {
                patient(next, started, out).await?
            } else {
                next.await?
            };
            match next {
                Some(Ok(event)) => {
                    let data = event.data.unwrap_or_default();
                    let empty = all.is_empty();
                    let pieces = all.event(&data).map_err(|r| self.refusal(r, empty))?;
                    first &= all.is_empty() && pieces.is_empty();
                    if !first {
                        begun.get_or_insert_with(clock::instant);
                    }
                    show(pieces, out).await;
                    if all.is_done() {
                        break;
                    }
                }
                Some(Err(_)) if all.is_complete() => break,
                None if all.is_complete() => break,
                Some(Err(sse_stream::Error::Utf8Parse(_))) => {
                    return Err(self.refusal(Refusal::Garbage("no UTF-8".into()), false));
                }
                Some(Err(_)) | None => return Err(self.cut(&all)),
            }
        }
        let (rest, mut done) = all.finish();
        let wrote = begun.map(|at| at.elapsed().as_millis());
        done.wrote_ms = wrote.and_then(|ms| u32::try_from(ms).ok());
        show(rest, out).await;
        Ok(done)
    }
}

/// Reads what this request asks for.
pub(super) fn accumulator(body: &Value, foreign: &Arc<[String]>) -> Accumulator {
    let known = Known::new(crate::agent::tools::is_known, Arc::clone(foreign));
    match body.pointer("/response_format/json_schema/name") {
        Some(name) if name == constrained::NAME => Accumulator::formed(known),
        _ => Accumulator::new(known),
    }
}

/// Waits, and says once that it does.
pub(super) async fn patient<T>(work: impl Future<Output = T>, started: Instant, out: &Out) -> T {
    let mut work = std::pin::pin!(work);
    let left = SLOW.saturating_sub(started.elapsed());
    if left.is_zero() {
        return work.await;
    }
    match tokio::time::timeout(left, &mut work).await {
        Ok(done) => done,
        Err(_) => {
            out.note("no token from the model server for 15 s; still waiting")
                .await;
            work.await
        }
    }
}

async fn show(pieces: Vec<Piece>, out: &Out) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.text(text).await,
            Piece::Reasoning(text) => out.reasoning(text).await,
        }
    }
}

/// The body as bytes, cut with an error at the limit; a last event without its empty line counts.
fn limited(
    response: Response,
) -> impl Stream<Item = Result<Cursor<Vec<u8>>, std::io::Error>> + Unpin {
    let mut total = 0usize;
    let body = response
        .bytes_stream()
        .map_err(std::io::Error::other)
        .and_then(move |bytes| {
            total = total.saturating_add(bytes.len());
            let fits = total <= ANSWER_LIMIT;
            futures::future::ready(if fits {
                Ok(Cursor::new(bytes.to_vec()))
            } else {
                Err(std::io::Error::other("the answer is too large"))
            })
        });
    let end = futures::stream::once(futures::future::ready(Ok(Cursor::new(b"\n\n".to_vec()))));
    Box::pin(body.chain(end))
}
