//! One run: ask the model, carry out the calls it wants, give it the results, until it answers.

mod calls;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Shared;
use super::answer::{cites, unsupported};
use super::chat::{ATTEMPTS, Asked, ChatError};
use super::dialect::Message;
use super::mcp::client::Tool;
use super::out::Out;
use super::prompt::{self, Budget};
use super::servers::Servers;
use super::stream::{Completion, Finish, ToolCall};
use super::tools;
use super::tools::fetch::Fetched;
use crate::clock;
use crate::model::chat::{ChatEvent, ChatRequest, Look, RunOutcome};
use crate::model::fault::Fault;

const STOP: &str =
    "No more tools now. Answer with what you have; cite it as [n], and say what is not known.";

struct Run<'a> {
    shared: &'a Arc<Shared>,
    /// `None`: no model is asked.
    servers: Option<&'a Servers>,
    /// The server that is asked.
    at: usize,
    request: ChatRequest,
    out: &'a Out,
    budget: Budget,
    /// Tools of other programs.
    foreign: Vec<Tool>,
    foreign_names: Arc<[String]>,
    messages: Vec<Message>,
    /// Results by tool and arguments, and how often each was asked for.
    seen: HashMap<String, Seen>,
    /// Number of the last result.
    last: u32,
    /// Numbers of results that succeeded.
    good: Vec<u32>,
    usage: Usage,
}

/// What the model's answers took.
#[derive(Default)]
struct Usage {
    prompt: Option<u32>,
    completion: Option<u32>,
    wrote_ms: Option<u32>,
    /// Of the last prompt and its answer.
    context: Option<u32>,
}

struct Seen {
    number: u32,
    asked: u32,
    result: Fetched,
}

/// What a round of calls came to.
enum Round {
    Go,
    /// The same call a third time.
    Stuck(String),
}

pub(super) async fn run(shared: &Arc<Shared>, request: ChatRequest, out: &Out) -> RunOutcome {
    let started = clock::instant();
    let servers = match &shared.servers {
        Ok(servers) => servers,
        Err(fault) => return RunOutcome::Failed(fault.clone()),
    };
    let mut run = Run {
        shared,
        servers: Some(servers),
        at: 0,
        messages: prompt::opening(&request),
        request,
        out,
        budget: Budget::looked_up(),
        foreign: Vec::new(),
        foreign_names: Arc::default(),
        seen: HashMap::new(),
        last: 0,
        good: Vec::new(),
        usage: Usage::default(),
    };
    run.meet_foreign().await;
    if let Err(fault) = run.connect(&mut Vec::new(), None).await {
        return RunOutcome::Failed(fault);
    }
    match run.rounds().await {
        Ok(limit) => run.outcome(limit, started),
        Err(fault) => RunOutcome::Failed(fault),
    }
}

/// Without a model: looks up what is to be looked up, then says what is to be said.
pub(super) async fn look(
    shared: &Arc<Shared>,
    request: ChatRequest,
    look: Look,
    out: &Out,
) -> RunOutcome {
    let started = clock::instant();
    let mut run = Run {
        shared,
        servers: None,
        at: 0,
        messages: Vec::new(),
        budget: Budget::looked_up(),
        foreign: Vec::new(),
        foreign_names: Arc::default(),
        request,
        out,
        seen: HashMap::new(),
        last: 0,
        good: Vec::new(),
        usage: Usage::default(),
    };
    let calls = look.calls.into_iter();
    let done = Completion {
        calls: calls
            .map(|(name, arguments)| ToolCall {
                id: String::new(),
                name,
                arguments: arguments.to_string(),
            })
            .collect(),
        ..Completion::default()
    };
    run.carry_out(done).await;
    out.send(ChatEvent::Text {
        run: run.request.run,
        text: look.answer,
    })
    .await;
    run.outcome(None, started)
}

impl Run<'_> {
    /// `Ok(Some(_))`: a limit ended it.
    async fn rounds(&mut self) -> Result<Option<String>, Fault> {
        let specs = self.specs();
        let mut limit = format!("{} rounds of tools", self.shared.max_iterations);
        for _ in 0..self.shared.max_iterations {
            let done = self.ask(&specs).await?;
            if done.calls.is_empty() {
                return Ok(self.answered(&done).await);
            }
            if done.leaked && self.native_tools() {
                self.out
                    .note("the server left the tool call in the text; it was read from there")
                    .await;
            }
            match self.carry_out(done).await {
                Round::Go => {}
                Round::Stuck(tool) => {
                    limit = format!("the same call of {tool} three times");
                    break;
                }
            }
        }
        self.out
            .note(&format!(
                "limit reached: {limit}; answering with what is known"
            ))
            .await;
        self.messages.push(Message::User(STOP.into()));
        let done = self.ask(&[]).await?;
        self.answered(&done).await;
        Ok(Some(limit))
    }

    /// Ours, then those of other programs.
    fn specs(&self) -> Vec<Value> {
        let foreign = self.foreign.iter().map(|tool| tool.spec.clone());
        let own = tools::specs(&self.request.setting.tools);
        own.into_iter().chain(foreign).collect()
    }

    /// Asks the configured servers for their tools; without them the run goes on.
    async fn meet_foreign(&mut self) {
        let (foreign, faults) = self.shared.foreign.tools().await;
        for fault in faults {
            self.out.note(&fault).await;
        }
        if let (false, Some(Message::System(text))) =
            (foreign.is_empty(), self.messages.first_mut())
        {
            text.push_str(prompt::FOREIGN);
        }
        self.foreign_names = foreign.iter().map(|tool| tool.name.clone()).collect();
        self.foreign = foreign;
    }

    fn native_tools(&self) -> bool {
        let client = self.servers.and_then(|all| all.client(self.at));
        client.is_some_and(super::chat::ChatClient::native_tools)
    }

    /// Goes to the best server that was not tried yet and tells its model. `why`: what the one before
    /// it failed with. `Err`: there is none left.
    async fn connect(
        &mut self,
        tried: &mut Vec<usize>,
        mut why: Option<Fault>,
    ) -> Result<(), Fault> {
        let servers = self.servers.ok_or_else(super::not_configured)?;
        let first = why.clone();
        while let Some(at) = servers.next(tried) {
            let place = |at| servers.client(at).map_or("?", |client| client.place());
            if let (Some(last), Some(fault)) = (tried.last(), &why) {
                let (from, to) = (place(*last), place(at));
                let note = format!("model server {from}: {}; {to} is asked instead", fault.what);
                self.out.note(&note).await;
            }
            tried.push(at);
            match servers.model(at).await {
                Ok(model) => {
                    self.at = at;
                    let specs = self.specs();
                    let chars = specs.iter().map(|spec| spec.to_string().len()).sum();
                    self.budget = Budget::new(model.context, self.shared.max_tokens, chars);
                    self.out.send(ChatEvent::Model(model)).await;
                    return Ok(());
                }
                Err(fault) => {
                    servers.failed(at, &fault);
                    why = Some(fault);
                }
            }
        }
        Err(first.or(why).unwrap_or_else(super::not_configured))
    }

    /// One completion. Shortened and asked again where the prompt was too long; asked of the next
    /// server where this one fails before its first word.
    async fn ask(&mut self, specs: &[Value]) -> Result<Completion, Fault> {
        let servers = self.servers.ok_or_else(super::not_configured)?;
        let mut halvings = 0;
        let mut tried = vec![self.at];
        loop {
            let client = servers.client(self.at).ok_or_else(super::not_configured)?;
            let fitted = prompt::fit(&self.messages, self.budget.prompt);
            let asked = Asked {
                messages: &fitted,
                tools: specs,
                foreign: &self.foreign_names,
                max_tokens: self.budget.answer,
                // Another server is there sooner than this one is well again.
                attempts: servers.next(&tried).map_or(ATTEMPTS, |_| 1),
            };
            match client.complete(&asked, self.out).await {
                Ok(done) => {
                    servers.answered(self.at);
                    self.usage.add(&done);
                    return Ok(done);
                }
                Err(ChatError::ContextTooLong(_)) if halvings < 2 => {
                    halvings += 1;
                    self.budget = self.budget.halved();
                    self.out
                        .note("the prompt is longer than the model's context; shortened and asked again")
                        .await;
                }
                Err(ChatError::Failed(fault)) => {
                    servers.failed(self.at, &fault);
                    self.connect(&mut tried, Some(fault)).await?;
                }
                Err(error) => {
                    let fault = error.into_fault();
                    servers.failed(self.at, &fault);
                    return Err(fault);
                }
            }
        }
    }

    /// Looks at a final answer. `Some`: it was cut.
    async fn answered(&self, done: &Completion) -> Option<String> {
        let said = done.text.trim();
        if let Some(unknown) = cites(said).into_iter().find(|n| *n == 0 || *n > self.last) {
            self.out
                .note(&format!(
                    "unverified: [{unknown}] names no result of this run"
                ))
                .await;
        } else if !said.is_empty()
            && self.last > 0
            && !cites(said).iter().any(|n| self.good.contains(n))
        {
            self.out
                .note("unverified: the answer cites no result that succeeded")
                .await;
        } else if !said.is_empty() && self.last == 0 {
            self.out
                .note("no evidence: the model used no tool for this answer")
                .await;
        }
        if let Some(bare) = unsupported(said, &self.good) {
            self.out.note(&bare).await;
        }
        if done.finish == Some(Finish::Length) {
            let what = if done.cut_call {
                "a tool call was cut by the token limit"
            } else {
                "the answer was cut by the token limit"
            };
            return Some(format!("{what} ({} tokens)", self.budget.answer));
        }
        if said.is_empty() {
            self.out.note("the model gave an empty answer").await;
        }
        None
    }

    fn outcome(&self, limit: Option<String>, started: Instant) -> RunOutcome {
        match limit {
            Some(limit) => RunOutcome::Limit(limit),
            None => RunOutcome::Answered {
                prompt_tokens: self.usage.prompt,
                completion_tokens: self.usage.completion,
                context_tokens: self.usage.context,
                wrote_ms: self.usage.wrote_ms,
                first_token_ms: self
                    .out
                    .first_token()
                    .map_or(0, |at| millis(at.saturating_duration_since(started))),
                total_ms: millis(started.elapsed()),
            },
        }
    }
}

impl Usage {
    fn add(&mut self, done: &Completion) {
        let add = |a: Option<u32>, b: Option<u32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        self.prompt = add(self.prompt, done.prompt_tokens);
        self.completion = add(self.completion, done.completion_tokens);
        self.wrote_ms = add(self.wrote_ms, done.wrote_ms);
        self.context = add(done.prompt_tokens, done.completion_tokens).or(self.context);
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
