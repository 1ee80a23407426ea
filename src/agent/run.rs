//! One run: ask the model, carry out the calls it wants, give it the results, until it answers.

mod calls;
mod last;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Shared;
use super::chat::{ATTEMPTS, Asked, ChatError};
use super::dialect::Message;
use super::mcp::client::Tool;
use super::out::Out;
use super::prompt::{self, Budget};
use super::servers::Servers;
use super::stream::{Completion, ToolCall};
use super::tools;
use super::tools::fetch::Fetched;
use crate::clock;
use crate::model::chat::{ChatEvent, ChatRequest, Look, RunOutcome};
use crate::model::fault::Fault;
use crate::model::limits::{Asked as Counted, RunLimits, Spent};
use crate::model::unit;

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
    started: Instant,
    spent: Spent,
    /// Calls that asked the sources of each cluster.
    counted: Counted,
    /// How long the operator was waited for, milliseconds: in the rounds before, and in this one.
    waited_ms: u64,
    waiting_ms: AtomicU64,
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

pub(super) async fn run(
    shared: &Arc<Shared>,
    servers: &Servers,
    request: ChatRequest,
    out: &Out,
) -> RunOutcome {
    let messages = prompt::opening(&request);
    let mut run = Run {
        messages,
        ..Run::new(shared, Some(servers), request, out)
    };
    run.meet_foreign().await;
    if let Err(fault) = run.connect(&mut Vec::new(), None).await {
        return RunOutcome::Failed(fault);
    }
    match run.rounds().await {
        Ok(limit) => run.outcome(limit),
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
    let mut run = Run::new(shared, None, request, out);
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
    run.outcome(None)
}

impl<'a> Run<'a> {
    fn new(
        shared: &'a Arc<Shared>,
        servers: Option<&'a Servers>,
        request: ChatRequest,
        out: &'a Out,
    ) -> Self {
        Self {
            shared,
            servers,
            at: 0,
            messages: Vec::new(),
            spent: Spent {
                limits: request.setting.limits,
                ..Spent::default()
            },
            request,
            out,
            budget: Budget::looked_up(),
            foreign: Vec::new(),
            foreign_names: Arc::default(),
            seen: HashMap::new(),
            last: 0,
            good: Vec::new(),
            usage: Usage::default(),
            started: clock::instant(),
            counted: Counted::default(),
            waited_ms: 0,
            waiting_ms: AtomicU64::new(0),
        }
    }
}

impl Run<'_> {
    /// `Ok(Some(_))`: a limit ended it.
    async fn rounds(&mut self) -> Result<Option<String>, Fault> {
        let specs = self.specs();
        self.tell_spent().await;
        let limit = loop {
            if let Some(limit) = self.used_up() {
                break limit;
            }
            let left = self.left();
            let Ok(done) = tokio::time::timeout(left, self.ask(&specs)).await else {
                break self.out_of_time();
            };
            let done = done?;
            if done.calls.is_empty() {
                return Ok(self.answered(&done).await);
            }
            self.spent.rounds += 1;
            self.tell_spent().await;
            if done.leaked && self.native_tools() {
                self.out
                    .note("the server left the tool call in the text; it was read from there")
                    .await;
            }
            match self.carry_out(done).await {
                Round::Go => {}
                Round::Stuck(tool) => break format!("the same call of {tool} three times"),
            }
            self.waited_ms += std::mem::take(self.waiting_ms.get_mut());
            self.tell_spent().await;
        };
        self.out
            .note(&format!(
                "limit reached: {limit}; answering with what is known"
            ))
            .await;
        self.messages.push(Message::User(STOP.into()));
        let most = self.spent.limits.last_answer();
        match tokio::time::timeout(most, self.ask(&[])).await {
            Ok(done) => {
                self.answered(&done?).await;
                Ok(Some(limit))
            }
            Err(_) => Ok(Some(format!(
                "{limit}; the last answer was not whole after {}",
                span(most)
            ))),
        }
    }

    /// What is used up; looked at between the steps.
    fn used_up(&self) -> Option<String> {
        let RunLimits { rounds, tokens, .. } = self.spent.limits;
        if self.spent.rounds >= rounds {
            return Some(format!("{rounds} rounds of tools"));
        }
        if self.spent.tokens >= tokens {
            return Some(format!("{tokens} tokens"));
        }
        self.left().is_zero().then(|| self.out_of_time())
    }

    /// Of the time; waiting for the operator does not count.
    fn left(&self) -> Duration {
        let waited = Duration::from_millis(self.waited_ms);
        let used = self.started.elapsed().saturating_sub(waited);
        self.spent.limits.time.saturating_sub(used)
    }

    fn out_of_time(&self) -> String {
        format!("{} of time", span(self.spent.limits.time))
    }

    async fn tell_spent(&mut self) {
        self.spent.queries = self.counted.most();
        let spent = self.spent;
        let run = self.request.run;
        self.out.send(ChatEvent::Spent { run, spent }).await;
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
                form: None,
                max_tokens: self.budget.answer,
                // Another server is there sooner than this one is well again.
                attempts: servers.next(&tried).map_or(ATTEMPTS, |_| 1),
            };
            match client.complete(&asked, self.out).await {
                Ok(done) => {
                    servers.answered(self.at);
                    self.take_usage(&done, &fitted, specs);
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

    /// Counts what an answer took, by the length of the text where the server does not tell.
    fn take_usage(&mut self, done: &Completion, asked: &[Message], specs: &[Value]) {
        self.usage.add(done);
        let told = done.prompt_tokens.zip(done.completion_tokens);
        let tokens = match told {
            Some((read, wrote)) => read.saturating_add(wrote),
            None => {
                self.spent.estimated = true;
                let messages: usize = asked.iter().map(Message::chars).sum();
                let calls: usize = done.calls.iter().map(|call| call.arguments.len()).sum();
                let specs: usize = specs.iter().map(|spec| spec.to_string().len()).sum();
                prompt::tokens(messages + specs + done.text.len() + calls)
            }
        };
        self.spent.tokens = self.spent.tokens.saturating_add(tokens);
    }

    fn outcome(&self, limit: Option<String>) -> RunOutcome {
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
                    .map_or(0, |at| millis(at.saturating_duration_since(self.started))),
                total_ms: millis(self.started.elapsed()),
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

/// A limit of time as it was set.
pub(super) fn span(time: Duration) -> String {
    unit::age(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

pub(super) fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
