//! A chat server that says what a test scripts, and an agent wired to it as the console wires it.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::agent::Agent;
use farwatch::agent::mcp::client::Foreign;
use farwatch::config;
use farwatch::model::ask::{Answered, Question};
use farwatch::model::chat::{ChatEvent, ChatRequest, OpenResult, RunOutcome, Setting, WorldQuery};
use farwatch::model::fault::Fault;
use farwatch::model::id::RequestId;
use farwatch::model::limits::{RunLimits, Spent};
use farwatch::model::time::Timestamp;
use farwatch::source::Lookup;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

#[path = "wire.rs"]
pub mod wire;

pub const NOW: Timestamp = Timestamp(1_795_227_000_000);

/// One answer to one chat request.
#[derive(Clone, Debug)]
pub enum Say {
    /// Pieces of an event stream as HTTP chunks, ended well.
    Stream(Vec<Vec<u8>>),
    /// The same, then the connection is closed without the last chunk.
    Cut(Vec<Vec<u8>>),
    /// The same, then silence for ever.
    Stall(Vec<Vec<u8>>),
    Json(u16, String),
    Wait(&'static str),
    /// Closes without a word.
    Close,
    /// Never answers.
    Hang,
}

pub fn event(value: &Value) -> Vec<u8> {
    format!("data: {value}\n\n").into_bytes()
}

/// A stream that says this text and stops.
pub fn text(text: &str) -> Say {
    Say::Stream(vec![
        event(&json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})),
        event(&json!({"choices": [{"index": 0, "delta": {"content": text}}]})),
        event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})),
        event(&json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}})),
        b"data: [DONE]\n\n".to_vec(),
    ])
}

/// A stream that asks for these calls.
pub fn calls(calls: &[(&str, Value)]) -> Say {
    let mut pieces = Vec::new();
    for (i, (name, arguments)) in calls.iter().enumerate() {
        pieces.push(event(&json!({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": i, "id": format!("id{i}"), "type": "function", "function": {"name": name}}]}}]})));
        pieces.push(event(
            &json!({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": i, "function": {"arguments": arguments.to_string()}}]}}]}),
        ));
    }
    pieces.push(event(
        &json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}),
    ));
    pieces.push(b"data: [DONE]\n\n".to_vec());
    Say::Stream(pieces)
}

#[derive(Debug)]
pub struct ChatServer {
    pub server: wire::Server,
    seen: Arc<Mutex<Vec<Value>>>,
    /// Connections of chat requests that the client closed while we were silent.
    pub left: Arc<Mutex<u32>>,
}

impl ChatServer {
    /// Answers chat requests in turn under `/v1`; the last answer is repeated.
    pub async fn start(says: Vec<Say>) -> Self {
        Self::start_under("/v1", says).await
    }

    pub async fn start_under(prefix: &'static str, says: Vec<Say>) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let left = Arc::new(Mutex::new(0));
        let script = Arc::new(Mutex::new(VecDeque::from(says)));
        let (log, gone) = (seen.clone(), left.clone());
        let handler: wire::Handler = Arc::new(move |request, stream| {
            let (script, log, gone) = (script.clone(), log.clone(), gone.clone());
            Box::pin(async move {
                let path = request.path.strip_prefix(prefix).unwrap_or("?").to_owned();
                match path.as_str() {
                    "/models" => {
                        let body = json!({"data": [{"id": "lab", "max_model_len": 32_768}]});
                        let body = body.to_string();
                        wire::reply(stream, 200, "application/json", &[], body.as_bytes()).await
                    }
                    "/chat/completions" => {
                        let body: Value = serde_json::from_slice(&request.body).unwrap();
                        log.lock().unwrap().push(body);
                        let say = {
                            let mut script = script.lock().unwrap();
                            if script.len() > 1 {
                                script.pop_front().unwrap()
                            } else {
                                script.front().cloned().unwrap()
                            }
                        };
                        answer(say, stream, &gone).await
                    }
                    _ => {
                        let body = wire::fixture("vllm/err_404.json");
                        wire::reply(stream, 404, "application/json", &[], &body).await
                    }
                }
            })
        });
        Self {
            server: wire::Server::start(handler).await,
            seen,
            left,
        }
    }

    pub fn url(&self) -> String {
        format!("{}/v1", self.server.url())
    }

    /// Bodies of the chat requests so far.
    pub fn requests(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(say: Say, stream: &mut TcpStream, gone: &Mutex<u32>) -> std::io::Result<bool> {
    match say {
        Say::Json(status, body) => {
            wire::reply(stream, status, "application/json", &[], body.as_bytes()).await
        }
        Say::Wait(seconds) => {
            wire::reply(
                stream,
                429,
                "application/json",
                &[("Retry-After", seconds)],
                b"{}",
            )
            .await
        }
        Say::Close => Ok(false),
        Say::Hang => {
            wire::never(stream).await?;
            *gone.lock().unwrap() += 1;
            Ok(false)
        }
        Say::Stream(pieces) => {
            send(stream, &pieces).await?;
            wire::end_chunks(stream).await
        }
        Say::Cut(pieces) => {
            send(stream, &pieces).await?;
            Ok(false)
        }
        Say::Stall(pieces) => {
            send(stream, &pieces).await?;
            wire::never(stream).await?;
            *gone.lock().unwrap() += 1;
            Ok(false)
        }
    }
}

async fn send(stream: &mut TcpStream, pieces: &[Vec<u8>]) -> std::io::Result<()> {
    wire::begin_chunks(stream, "text/event-stream; charset=utf-8").await?;
    for piece in pieces {
        wire::chunk(stream, piece).await?;
    }
    Ok(())
}

/// Answers questions with what the closure says, after the time it says.
pub struct Answers<F>(pub F);

impl<F> Lookup for Answers<F>
where
    F: Fn(&Question) -> (Duration, Answered) + Send + Sync,
{
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        let (wait, answered) = (self.0)(&question);
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            answered
        })
    }
}

/// No source answers.
pub fn nothing() -> Arc<dyn Lookup> {
    Arc::new(Answers(|q: &Question| {
        let fault = Fault {
            kind: farwatch::model::fault::FaultKind::Unreachable,
            cluster: "x".into(),
            endpoint: "http://x".into(),
            what: "nobody answers".into(),
            hint: String::new(),
        };
        (Duration::ZERO, answered(q, Err(fault)))
    }))
}

pub fn answered(q: &Question, result: Result<farwatch::model::ask::Answer, Fault>) -> Answered {
    Answered {
        id: q.id,
        cluster: q.cluster,
        ask: q.ask.clone(),
        origin: "http://prometheus.test".into(),
        at: NOW,
        latency_ms: 3,
        warnings: Vec::new(),
        cut_from: None,
        result,
    }
}

pub fn settings(url: &str, timeout: Duration) -> config::Agent {
    config::Agent {
        servers: vec![model_server(url, timeout)],
        site: None,
        limits: RunLimits::default(),
        max_tokens: 512,
        temperature: 0.2,
    }
}

pub fn model_server(url: &str, timeout: Duration) -> config::ModelServer {
    config::ModelServer {
        endpoint: config::Endpoint {
            url: url.to_owned(),
            timeout,
            ..config::Endpoint::default()
        },
        model: None,
    }
}

/// An agent as the console holds it; world queries are answered with their arguments.
pub struct Bench {
    pub agent: Agent,
    pub events: mpsc::Receiver<ChatEvent>,
    /// What the operator says to calls of tools of other programs.
    pub allow: bool,
    /// What a run may take.
    pub limits: RunLimits,
    next: u64,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Seen {
    pub text: String,
    pub reasoning: String,
    pub notes: Vec<String>,
    /// Servers that were gone to.
    pub models: Vec<farwatch::model::chat::Model>,
    /// Calls of tools of other programs that the operator was asked about.
    pub asked: Vec<(String, String)>,
    /// Tool, arguments, number.
    pub started: Vec<(String, String, u32)>,
    /// Result, rows, fine.
    pub ended: Vec<(String, usize, bool)>,
    /// The answer in its form.
    pub formed: Option<String>,
    /// What was taken, step by step.
    pub spent: Vec<Spent>,
    pub outcome: Option<RunOutcome>,
}

impl Seen {
    pub fn answered(&self) -> bool {
        matches!(self.outcome, Some(RunOutcome::Answered { .. }))
    }

    #[track_caller]
    pub fn fault(&self) -> &Fault {
        match &self.outcome {
            Some(RunOutcome::Failed(fault)) => fault,
            other => panic!("no failure but {other:?} in {self:?}"),
        }
    }

    pub fn noted(&self, word: &str) -> bool {
        self.notes.iter().any(|note| note.contains(word))
    }
}

impl Bench {
    pub fn new(url: &str) -> Self {
        Self::with(settings(url, Duration::from_secs(10)), nothing())
    }

    pub fn with(settings: config::Agent, lookup: Arc<dyn Lookup>) -> Self {
        Self::build(Some(settings), lookup, |query| {
            Some((format!("{} for {}", query.tool, query.arguments), 2, true))
        })
    }

    pub fn build(
        settings: Option<config::Agent>,
        lookup: Arc<dyn Lookup>,
        world: fn(&WorldQuery) -> Option<(String, usize, bool)>,
    ) -> Self {
        let none = Foreign::new(&[], None, "operator".into());
        Self::beside(settings, lookup, world, none)
    }

    pub fn with_foreign(settings: config::Agent, foreign: Foreign) -> Self {
        let world =
            |query: &WorldQuery| Some((format!("{} for {}", query.tool, query.arguments), 2, true));
        Self::beside(Some(settings), nothing(), world, foreign)
    }

    fn beside(
        settings: Option<config::Agent>,
        lookup: Arc<dyn Lookup>,
        world: fn(&WorldQuery) -> Option<(String, usize, bool)>,
        foreign: Foreign,
    ) -> Self {
        let (sender, events) = mpsc::channel(8);
        let (asks, mut queries) = mpsc::channel::<WorldQuery>(8);
        let agent = Agent::new(settings, lookup, sender, asks)
            .with_tool_timeout(Duration::from_millis(700))
            .with_foreign(foreign);
        let answering = agent.clone();
        tokio::spawn(async move {
            while let Some(query) = queries.recv().await {
                if let Some((text, rows, ok)) = world(&query) {
                    answering.world_answer(query.run, query.call, text, rows, ok);
                }
            }
        });
        Self {
            agent,
            events,
            allow: false,
            limits: setting(&[]).limits,
            next: 0,
        }
    }

    pub fn start(&mut self, words: &str) -> RequestId {
        self.next += 1;
        let run = RequestId(self.next);
        self.agent.start(ChatRequest {
            run,
            text: words.into(),
            context: String::new(),
            history: Vec::new(),
            setting: Setting {
                limits: self.limits,
                ..setting(&["alpha", "beta"])
            },
            look: None,
            now: NOW,
        });
        run
    }

    pub async fn ask(&mut self, words: &str) -> Seen {
        self.start(words);
        self.wait().await
    }

    /// The text in which a result is shown in full.
    pub async fn open(&mut self, wanted: OpenResult) -> String {
        self.agent.open(wanted);
        let next = tokio::time::timeout(Duration::from_secs(20), self.events.recv());
        match next.await.expect("in time").expect("open") {
            ChatEvent::Opened { text, .. } => text,
            other => panic!("{other:?}"),
        }
    }

    /// All events up to the end of the run.
    pub async fn wait(&mut self) -> Seen {
        let mut seen = Seen::default();
        while seen.outcome.is_none() {
            let next = tokio::time::timeout(Duration::from_secs(60), self.events.recv());
            match next.await.expect("in time").expect("open") {
                ChatEvent::Text { text, .. } => seen.text.push_str(&text),
                ChatEvent::Reasoning { text, .. } => seen.reasoning.push_str(&text),
                ChatEvent::Note { text, .. } => seen.notes.push(text),
                ChatEvent::ToolStarted {
                    tool,
                    arguments,
                    number,
                    ..
                } => seen.started.push((tool, arguments, number)),
                ChatEvent::ToolEnded {
                    result, rows, ok, ..
                } => seen.ended.push((result, rows, ok)),
                ChatEvent::Ended { outcome, .. } => seen.outcome = Some(outcome),
                ChatEvent::Model(model) => seen.models.push(model),
                ChatEvent::Approval {
                    run,
                    call,
                    tool,
                    arguments,
                } => {
                    seen.asked.push((tool, arguments));
                    self.agent.approve(run, call, self.allow);
                }
                ChatEvent::Formed { text, .. } => seen.formed = Some(text),
                ChatEvent::Spent { spent, .. } => seen.spent.push(spent),
                ChatEvent::Started { .. } | ChatEvent::Opened { .. } => {}
            }
        }
        seen
    }
}

/// All tools, for clusters of these names.
pub fn setting(clusters: &[&str]) -> Setting {
    Setting {
        clusters: clusters.iter().map(|name| (*name).to_owned()).collect(),
        persona: farwatch::config::persona::built_in().remove(0),
        tools: farwatch::agent::tools::all()
            .iter()
            .map(|t| t.name)
            .collect(),
        limits: RunLimits {
            rounds: 5,
            ..RunLimits::default()
        },
    }
}
