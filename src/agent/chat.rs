//! Client of an OpenAI-compatible chat server, streaming where the server can.
//!
//! A call is tried again only while nothing of the answer has come; dropping the future closes the
//! connection, which is how a run is cancelled.

mod fault;
mod read;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use fault::{fault_of, refused};
use read::patient;

use super::dialect::{Dialect, Message};
use super::out::Out;
use super::stream::Completion;
use crate::clock;
use crate::config;
use crate::model::fault::{Fault, FaultKind};
use crate::model::text;
use crate::source::budget::Budget;
use crate::source::door::{Cause, Door, SourceError};

/// Until the first token; prompts are read slowly on small machines.
const FIRST_TOKEN: Duration = Duration::from_secs(120);
/// Between two pieces of a stream.
const SILENCE: Duration = Duration::from_secs(60);
/// Tries of one question where no other server could be asked.
pub const ATTEMPTS: u32 = 3;

#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    pub name: String,
    pub context: Option<u32>,
}

/// What is asked of the model.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub messages: &'a [Message],
    pub tools: &'a [Value],
    /// Names of other programs' tools, to find their calls in the text.
    pub foreign: &'a Arc<[String]>,
    /// Of what form the answer is to be, where the server can hold it to one; only without tools.
    pub form: Option<&'a Value>,
    /// Of the answer.
    pub max_tokens: u32,
    /// Tries, as long as nothing of the answer has come.
    pub attempts: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChatError {
    /// The prompt is longer than the model's context.
    ContextTooLong(Fault),
    /// Nothing of the answer had come: another server may be asked.
    Failed(Fault),
    /// It broke off in the middle.
    Broken(Fault),
}

impl ChatError {
    pub fn into_fault(self) -> Fault {
        match self {
            Self::ContextTooLong(fault) | Self::Failed(fault) | Self::Broken(fault) => fault,
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
    budget: Budget,
    /// Asked from the server when `None`.
    wanted: Option<String>,
    temperature: f32,
    first_token: Duration,
    silence: Duration,
    dialect: Mutex<Dialect>,
    model: Mutex<Option<ModelInfo>>,
}

impl ChatClient {
    /// Reads certificates; sends nothing.
    pub fn open(server: &config::ModelServer, temperature: f32) -> Result<Self, Fault> {
        let mut endpoint = server.endpoint.clone();
        let mut url = endpoint.url.trim().trim_end_matches('/');
        for tail in ["/chat/completions", "/models"] {
            url = url.strip_suffix(tail).unwrap_or(url);
        }
        let pinned = url.ends_with("/v1");
        let url = url.strip_suffix("/v1").unwrap_or(url);
        endpoint.url = url.to_owned();
        let timeout = endpoint.timeout;
        let door = Door::open(&endpoint, "", None).map_err(|e| fault_of(&e))?;
        let first_token = if timeout.is_zero() {
            FIRST_TOKEN
        } else {
            timeout
        };
        Ok(Self {
            door,
            budget: Budget::new(endpoint.requests_per_minute),
            wanted: server.model.clone(),
            temperature,
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
            Err(error) if self.wanted.is_some() && matches!(error.cause, Cause::NotFound(_)) => {
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

    /// Whether the server is there, and with which model now, whatever was known of it.
    pub async fn look(&self) -> Result<(), Fault> {
        match self.ask_models().await {
            Ok(told) => {
                let info = self.choose(&told)?;
                *lock(&self.model) = Some(info);
                Ok(())
            }
            // It answered.
            Err(error) if self.wanted.is_some() && matches!(error.cause, Cause::NotFound(_)) => {
                Ok(())
            }
            Err(error) => Err(fault_of(&error)),
        }
    }

    /// The server as it may be shown.
    pub fn place(&self) -> &str {
        self.door.shown()
    }

    async fn ask_models(&self) -> Result<Value, SourceError> {
        loop {
            let path = self.path("models");
            match self.door.get_json::<Value>(&path, &[]).await {
                Ok((value, _)) => return Ok(value),
                Err(error) => {
                    let bare = matches!(error.cause, Cause::NotFound(_))
                        && self.dialect().adapt(&error.cause, false, false).is_some();
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
        let wanted = self.wanted.clone();
        let entry = match &wanted {
            Some(name) => listed.iter().find(|m| name_of(m).as_deref() == Some(name)),
            None => listed.first(),
        };
        let context = entry
            .and_then(|m| {
                // vLLM; others; llama.cpp.
                let own = m.get("max_model_len").or_else(|| m.get("context_length"));
                own.or_else(|| m.pointer("/meta/n_ctx"))
            })
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
    pub async fn complete(&self, asked: &Asked<'_>, out: &Out) -> Result<Completion, ChatError> {
        let tools = asked.tools;
        let model = self.model().await.map_err(ChatError::Failed)?.name;
        let mut attempt = 0;
        let before = self.dialect().clone();
        loop {
            let dialect = self.dialect().clone();
            let body = dialect.body(
                &model,
                asked.messages,
                tools,
                asked.form,
                asked.max_tokens,
                self.temperature,
            );
            self.budget.take().await;
            let failure = match self.attempt(&body, asked.foreign, out).await {
                Ok(done) => {
                    self.dialect().tools_accepted |= dialect.native_tools && !tools.is_empty();
                    self.dialect().structured &= !done.unformed;
                    return Ok(done);
                }
                Err(failure) => failure,
            };
            if let Some(cause) = &failure.cause {
                let learned = self.dialect().adapt(
                    cause,
                    !tools.is_empty(),
                    body.get("response_format").is_some(),
                );
                if let Some(note) = learned {
                    if !note.is_empty() {
                        out.note(note).await;
                    }
                    continue;
                }
            }
            attempt += 1;
            let Some(wait) = failure.again.filter(|_| attempt < asked.attempts) else {
                // Refused without tools as well: it was no matter of tools.
                self.dialect().native_tools = before.native_tools;
                self.dialect().structured = before.structured;
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

    async fn attempt(
        &self,
        body: &Value,
        foreign: &Arc<[String]>,
        out: &Out,
    ) -> Result<Completion, Failure> {
        let all = read::accumulator(body, foreign);
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
            self.streamed(response, all, started, out).await
        } else {
            if kind.starts_with("text/html") {
                return Err(self.failure(
                    Cause::Login,
                    "a web page came instead of an answer",
                    false,
                ));
            }
            self.whole(response, all, body, out).await
        }
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
