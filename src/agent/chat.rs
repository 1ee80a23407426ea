//! Client of an OpenAI-compatible chat server, streaming where the server can.
//!
//! A call is tried again only while nothing of the answer has come; dropping the future closes the
//! connection, which is how a run is cancelled.

use std::io::Cursor;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt, TryStreamExt};
use reqwest::{Method, Response};
use serde_json::Value;
use sse_stream::SseByteStream;

use super::dialect::{Dialect, Message, is_context};
use super::leak::Piece;
use super::out::Out;
use super::stream::{Accumulator, Completion, Refusal, ServerError};
use crate::clock;
use crate::config;
use crate::model::fault::{Fault, FaultKind};
use crate::model::text;
use crate::source::door::{Cause, Door, SourceError};

/// Until the first token; prompts are read slowly on small machines.
const FIRST_TOKEN: Duration = Duration::from_secs(120);
/// Between two pieces of a stream.
const SILENCE: Duration = Duration::from_secs(60);
/// After this long without a token the operator is told that we wait.
const SLOW: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Most bytes of one answer.
const ANSWER_LIMIT: usize = 16 << 20;

#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    pub name: String,
    pub context: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChatError {
    /// The prompt is longer than the model's context.
    ContextTooLong(Fault),
    Failed(Fault),
}

impl ChatError {
    pub fn into_fault(self) -> Fault {
        match self {
            Self::ContextTooLong(fault) | Self::Failed(fault) => fault,
        }
    }
}

/// A failed try.
struct Failure {
    error: ChatError,
    /// Nothing of the answer had come and it may go better.
    again: Option<Option<Duration>>,
    /// For learning what the server cannot do.
    cause: Option<Cause>,
}

#[derive(Debug)]
pub struct ChatClient {
    door: Door,
    settings: config::Agent,
    first_token: Duration,
    silence: Duration,
    dialect: Mutex<Dialect>,
    model: Mutex<Option<ModelInfo>>,
}

impl ChatClient {
    /// Reads certificates; sends nothing.
    pub fn open(settings: &config::Agent) -> Result<Self, Fault> {
        let mut endpoint = settings.endpoint.clone();
        let mut url = endpoint.url.trim().trim_end_matches('/');
        for tail in ["/chat/completions", "/models"] {
            url = url.strip_suffix(tail).unwrap_or(url);
        }
        let pinned = url.ends_with("/v1");
        let url = url.strip_suffix("/v1").unwrap_or(url);
        endpoint.url = url.to_owned();
        let timeout = endpoint.timeout;
        let door = Door::open(&endpoint, "").map_err(|e| fault_of(&e))?;
        let first_token = if timeout.is_zero() {
            FIRST_TOKEN
        } else {
            timeout
        };
        Ok(Self {
            door,
            settings: settings.clone(),
            first_token,
            silence: first_token.min(SILENCE),
            dialect: Mutex::new(Dialect::new(pinned)),
            model: Mutex::new(None),
        })
    }

    /// True while tools go in the field for them.
    pub fn native_tools(&self) -> bool {
        self.dialect().native_tools
    }

    /// Name and context length of the model; asked from the server once.
    pub async fn model(&self) -> Result<ModelInfo, Fault> {
        if let Some(known) = lock(&self.model).clone() {
            return Ok(known);
        }
        let told = match self.ask_models().await {
            Ok(told) => told,
            // The name is configured: the list is a convenience, the chat will tell.
            Err(error)
                if self.settings.model.is_some() && matches!(error.cause, Cause::NotFound(_)) =>
            {
                Value::Null
            }
            Err(error) => return Err(fault_of(&error)),
        };
        let info = self.choose(&told)?;
        *lock(&self.model) = Some(info.clone());
        Ok(info)
    }

    /// Forgets what `/v1/models` said: the server may have been started anew with another model.
    pub fn forget_model(&self) {
        *lock(&self.model) = None;
    }

    async fn ask_models(&self) -> Result<Value, SourceError> {
        loop {
            let path = self.path("models");
            match self.door.get_json::<Value>(&path, &[]).await {
                Ok((value, _)) => return Ok(value),
                Err(error) => {
                    let bare = matches!(error.cause, Cause::NotFound(_))
                        && self.dialect().adapt(&error.cause, false).is_some();
                    if !bare {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn choose(&self, told: &Value) -> Result<ModelInfo, Fault> {
        let listed: Vec<&Value> = told
            .get("data")
            .and_then(Value::as_array)
            .map(|all| all.iter().collect())
            .unwrap_or_default();
        let name_of = |model: &Value| model.get("id").and_then(Value::as_str).map(str::to_owned);
        let wanted = self.settings.model.clone();
        let entry = match &wanted {
            Some(name) => listed.iter().find(|m| name_of(m).as_deref() == Some(name)),
            None => listed.first(),
        };
        let context = entry
            .and_then(|m| m.get("max_model_len").or_else(|| m.get("context_length")))
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok());
        match wanted.or_else(|| entry.and_then(|m| name_of(m))) {
            Some(name) => Ok(ModelInfo {
                name: text::clean(&name, 200),
                context,
            }),
            None => Err(Fault {
                kind: FaultKind::NotFound,
                cluster: String::new(),
                endpoint: self.door.place(&self.path("models")),
                what: "the model server serves no model".into(),
                hint: "load a model there, or name one in `[agent] model`".into(),
            }),
        }
    }

    /// One answer of the model. Pieces go out as they come.
    pub async fn complete(
        &self,
        messages: &[Message],
        tools: &[Value],
        max_tokens: u32,
        out: &Out,
    ) -> Result<Completion, ChatError> {
        let model = self.model().await.map_err(ChatError::Failed)?.name;
        let mut attempt = 0;
        loop {
            let dialect = self.dialect().clone();
            let body = dialect.body(
                &model,
                messages,
                tools,
                max_tokens,
                self.settings.temperature,
            );
            let failure = match self.attempt(&body, out).await {
                Ok(done) => {
                    self.dialect().tools_accepted |= dialect.native_tools && !tools.is_empty();
                    return Ok(done);
                }
                Err(failure) => failure,
            };
            if let Some(cause) = &failure.cause {
                let learned = self.dialect().adapt(cause, !tools.is_empty());
                if let Some(note) = learned {
                    if !note.is_empty() {
                        out.note(note).await;
                    }
                    continue;
                }
            }
            attempt += 1;
            let Some(wait) = failure.again.filter(|_| attempt < ATTEMPTS) else {
                if matches!(&failure.error, ChatError::Failed(f) if f.kind == FaultKind::NotFound) {
                    self.forget_model();
                }
                return Err(failure.error);
            };
            let wait = wait.unwrap_or(Duration::from_millis(400 << attempt));
            let why = failure.error.into_fault().what;
            out.note(&format!(
                "model server: {why}; trying again in {:.1} s",
                wait.as_secs_f32()
            ))
            .await;
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, body: &Value, out: &Out) -> Result<Completion, Failure> {
        let path = self.path("chat/completions");
        let started = clock::instant();
        let builder = self.door.request(Method::POST, &path).json(body);
        let send = async {
            match tokio::time::timeout(self.first_token, self.door.send(builder)).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(error)) => Err(refused(&error)),
                Err(_) => Err(self.failure(
                    Cause::Timeout(self.first_token),
                    "the model server did not begin to answer",
                    false,
                )),
            }
        };
        let response = patient(send, started, out).await?;
        let kind = response
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if kind.contains("event-stream") {
            self.streamed(response, started, out).await
        } else {
            if kind.starts_with("text/html") {
                return Err(self.failure(
                    Cause::Login,
                    "a web page came instead of an answer",
                    false,
                ));
            }
            self.whole(response, body, out).await
        }
    }

    async fn whole(
        &self,
        response: Response,
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
        let mut all = Accumulator::new(super::tools::is_known);
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

    async fn streamed(
        &self,
        response: Response,
        started: Instant,
        out: &Out,
    ) -> Result<Completion, Failure> {
        let mut events = SseByteStream::new(limited(response));
        let mut all = Accumulator::new(super::tools::is_known);
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
        let (rest, done) = all.finish();
        show(rest, out).await;
        Ok(done)
    }

    fn dialect(&self) -> MutexGuard<'_, Dialect> {
        lock(&self.dialect)
    }

    fn path(&self, tail: &str) -> String {
        if self.dialect().bare {
            format!("/{tail}")
        } else {
            format!("/v1/{tail}")
        }
    }

    /// The stream ended without saying so.
    fn cut(&self, all: &Accumulator) -> Failure {
        self.failure(
            Cause::Cut(0),
            "the connection was cut in the middle of the answer",
            all.is_empty(),
        )
    }

    fn silent(&self, limit: Duration, all: &Accumulator) -> Failure {
        let what = if all.is_empty() {
            "the model server sent no token"
        } else {
            "the model server fell silent in the middle of the answer"
        };
        self.failure(Cause::Timeout(limit), what, false)
    }

    fn refusal(&self, refusal: Refusal, empty: bool) -> Failure {
        match refusal {
            Refusal::Server(ServerError { message, code }) => {
                let told = text::clean(&message, 300);
                let cause = match code {
                    Some(status @ 500..) => Cause::Server {
                        status,
                        detail: told.clone(),
                    },
                    _ => Cause::Query(told.clone()),
                };
                let again = empty && matches!(cause, Cause::Server { .. });
                let mut failure = self.failure(
                    cause.clone(),
                    &format!("the model server broke off: {told}"),
                    again,
                );
                failure.cause = empty.then_some(cause);
                failure
            }
            Refusal::Garbage(what) => {
                let what = text::clean(&what, 200);
                self.failure(
                    Cause::Payload(what.clone()),
                    &format!("the stream cannot be read: {what}"),
                    false,
                )
            }
        }
    }

    fn failure(&self, cause: Cause, what: &str, again: bool) -> Failure {
        let limit = match &cause {
            Cause::Timeout(limit) => format!(" within {:.1} s", limit.as_secs_f32()),
            _ => String::new(),
        };
        let error = self.door.error(&self.path("chat/completions"), cause);
        let mut fault = fault_of(&error);
        fault.what = format!("{what}{limit}");
        Failure {
            error: ChatError::Failed(fault),
            again: again.then_some(None),
            cause: None,
        }
    }
}

/// Waits, and says once that it does.
async fn patient<T>(work: impl Future<Output = T>, started: Instant, out: &Out) -> T {
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

fn refused(error: &SourceError) -> Failure {
    let fault = fault_of(error);
    let again = match &error.cause {
        Cause::Unreachable(_) | Cause::Cut(_) => Some(None),
        Cause::RateLimited(after) if after.is_none_or(|wait| wait <= LONGEST_WAIT) => Some(*after),
        Cause::Server {
            status: 502..=504, ..
        } => Some(None),
        _ => None,
    };
    let context = matches!(&error.cause, Cause::Query(told) if is_context(told));
    Failure {
        error: if context {
            ChatError::ContextTooLong(fault)
        } else {
            ChatError::Failed(fault)
        },
        again,
        cause: Some(error.cause.clone()),
    }
}

/// The source's error in the words of the chat.
fn fault_of(error: &SourceError) -> Fault {
    let mut fault = error.fault();
    fault.cluster = String::new();
    match &error.cause {
        Cause::Query(told) => {
            fault.what = format!("the model server refused the request: {told}");
            fault.hint = if is_context(told) {
                "ask something shorter, begin a new conversation, or serve the model with a longer context"
            } else {
                "read the model server's log"
            }
            .into();
        }
        Cause::NotFound(told) if told.contains("model") => {
            fault.what = format!("404: {told}");
            fault.hint = "name a model that is served in `[agent] model`, or leave it out".into();
        }
        Cause::NotFound(_) => {
            fault.hint = "is `[agent] url` the base of an OpenAI-compatible server?".into();
        }
        Cause::Forbidden(_) => fault.hint = "this key may not use the model".into(),
        Cause::RateLimited(_) => fault.hint = "wait and ask again".into(),
        Cause::Timeout(_) => {
            fault.hint =
                "the model server is slow or overloaded; raise `timeout` in `[agent]`".into();
        }
        Cause::Unreachable(_) => {
            fault.hint =
                "is the model server running? check `[agent] url`, the VPN and the proxy".into();
        }
        Cause::Server { .. } | Cause::Cut(_) => {
            fault.hint = "read the model server's log, then ask again".into();
        }
        _ => {}
    }
    fault
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
