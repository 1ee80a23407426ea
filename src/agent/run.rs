//! One run: ask the model, carry out the calls it wants, give it the results, until it answers.

mod calls;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Shared;
use super::answer::{cites, unsupported};
use super::chat::{ChatClient, ChatError};
use super::dialect::Message;
use super::out::Out;
use super::prompt::{self, Budget};
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
    client: Option<&'a ChatClient>,
    request: ChatRequest,
    out: &'a Out,
    budget: Budget,
    messages: Vec<Message>,
    /// Results by tool and arguments, and how often each was asked for.
    seen: HashMap<String, Seen>,
    /// Number of the last result.
    last: u32,
    /// Numbers of results that succeeded.
    good: Vec<u32>,
    usage: (Option<u32>, Option<u32>),
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
    let client = match &shared.client {
        Ok(client) => client,
        Err(fault) => return RunOutcome::Failed(fault.clone()),
    };
    let model = match client.model().await {
        Ok(model) => model,
        Err(fault) => return RunOutcome::Failed(fault),
    };
    out.send(ChatEvent::Model {
        name: model.name.clone(),
        context: model.context,
    })
    .await;
    let tool_chars: usize = tools::specs(&request.setting.tools)
        .iter()
        .map(|s| s.to_string().len())
        .sum();
    let mut run = Run {
        shared,
        client: Some(client),
        messages: prompt::opening(&request),
        request,
        out,
        budget: Budget::new(model.context, shared.max_tokens, tool_chars),
        seen: HashMap::new(),
        last: 0,
        good: Vec::new(),
        usage: (None, None),
    };
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
        client: None,
        messages: Vec::new(),
        budget: Budget::looked_up(),
        request,
        out,
        seen: HashMap::new(),
        last: 0,
        good: Vec::new(),
        usage: (None, None),
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
        let specs = tools::specs(&self.request.setting.tools);
        let mut limit = format!("{} rounds of tools", self.shared.max_iterations);
        for _ in 0..self.shared.max_iterations {
            let done = self.ask(&specs).await?;
            if done.calls.is_empty() {
                return Ok(self.answered(&done).await);
            }
            if done.leaked && self.client.is_some_and(ChatClient::native_tools) {
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

    /// One completion; shortened and asked again once where the prompt was too long.
    async fn ask(&mut self, specs: &[Value]) -> Result<Completion, Fault> {
        let mut halvings = 0;
        let client = self.client.ok_or_else(super::not_configured)?;
        loop {
            let fitted = prompt::fit(&self.messages, self.budget.prompt);
            let done = client
                .complete(&fitted, specs, self.budget.answer, self.out)
                .await;
            match done {
                Ok(done) => {
                    let add = |a: Option<u32>, b: Option<u32>| match (a, b) {
                        (Some(a), Some(b)) => Some(a.saturating_add(b)),
                        (a, b) => a.or(b),
                    };
                    self.usage = (
                        add(self.usage.0, done.prompt_tokens),
                        add(self.usage.1, done.completion_tokens),
                    );
                    return Ok(done);
                }
                Err(ChatError::ContextTooLong(_)) if halvings < 2 => {
                    halvings += 1;
                    self.budget = self.budget.halved();
                    self.out
                        .note("the prompt is longer than the model's context; shortened and asked again")
                        .await;
                }
                Err(error) => return Err(error.into_fault()),
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
                prompt_tokens: self.usage.0,
                completion_tokens: self.usage.1,
                first_token_ms: self
                    .out
                    .first_token()
                    .map_or(0, |at| millis(at.saturating_duration_since(started))),
                total_ms: millis(started.elapsed()),
            },
        }
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
