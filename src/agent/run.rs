//! One run: ask the model, carry out the calls it wants, give it the results, until it answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::Value;
use tokio::sync::oneshot;

use super::chat::{ChatClient, ChatError};
use super::dialect::Message;
use super::out::Out;
use super::prompt::{self, Budget};
use super::redact::redact;
use super::stream::{Completion, Finish, ToolCall};
use super::tools::fetch::{Fetched, fetch};
use super::tools::{self, Checked, digest};
use super::{Shared, lock};
use crate::clock;
use crate::model::chat::{ChatEvent, ChatRequest, RunOutcome, WorldQuery};
use crate::model::fault::Fault;
use crate::model::text;

/// Longest result kept for the screen and the model.
const RESULT: usize = 32 * 1024;
const STOP: &str =
    "No more tools now. Answer with what you have; cite it as [n], and say what is not known.";

struct Run<'a> {
    shared: &'a Arc<Shared>,
    client: &'a ChatClient,
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

/// One call on its way.
struct Job {
    call: ToolCall,
    key: String,
    number: u32,
    checked: Result<Checked, String>,
    repeated: bool,
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
    let tool_chars: usize = tools::specs().iter().map(|s| s.to_string().len()).sum();
    let mut run = Run {
        shared,
        client,
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

impl Run<'_> {
    /// `Ok(Some(_))`: a limit ended it.
    async fn rounds(&mut self) -> Result<Option<String>, Fault> {
        let specs = tools::specs();
        let mut limit = format!("{} rounds of tools", self.shared.max_iterations);
        for _ in 0..self.shared.max_iterations {
            let done = self.ask(&specs).await?;
            if done.calls.is_empty() {
                return Ok(self.answered(&done).await);
            }
            if done.leaked && self.client.native_tools() {
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
        loop {
            let fitted = prompt::fit(&self.messages, self.budget.prompt);
            let done = self
                .client
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

    /// Carries out the calls of one answer side by side and appends the results in their order.
    async fn carry_out(&mut self, done: Completion) -> Round {
        let mut jobs = Vec::new();
        let mut stuck = None;
        for mut call in done.calls {
            let checked = tools::check(&call.name, &call.arguments, &self.request.clusters);
            let key = match &checked {
                Ok(checked) => format!("{} {}", checked.tool, checked.arguments),
                Err(_) => format!("{} {}", call.name, call.arguments),
            };
            let twin = jobs
                .iter()
                .find(|job: &&Job| job.key == key)
                .map(|job| job.number);
            let known = self.seen.get_mut(&key).map(|seen| {
                seen.asked += 1;
                (seen.number, seen.asked)
            });
            if let Some((_, 3..)) = known {
                stuck = Some(call.name.clone());
            }
            let number = match known.map(|(number, _)| number).or(twin) {
                Some(number) => number,
                None => {
                    self.last += 1;
                    self.last
                }
            };
            call.id = format!("call_{}_{}", number, jobs.len() + self.messages.len());
            jobs.push(Job {
                repeated: known.is_some() || twin.is_some(),
                call,
                key,
                number,
                checked,
            });
        }
        self.messages.push(Message::Assistant {
            text: done.text,
            calls: jobs.iter().map(|job| job.call.clone()).collect(),
        });
        if let Some(tool) = stuck {
            for job in &jobs {
                self.push_result(job, "not carried out: the same call was made before");
            }
            return Round::Stuck(text::clean(&tool, 100));
        }
        let results = join_all(jobs.iter().filter(|j| !j.repeated).map(|j| self.job(j))).await;
        let mut results = results.into_iter();
        for job in &jobs {
            if !job.repeated
                && let Some(result) = results.next()
            {
                self.learn(job, result);
            }
            self.give_back(job).await;
        }
        Round::Go
    }

    fn learn(&mut self, job: &Job, result: Fetched) {
        if result.ok {
            self.good.push(job.number);
        }
        self.seen.insert(
            job.key.clone(),
            Seen {
                number: job.number,
                asked: 1,
                result,
            },
        );
    }

    /// Gives the model its result; a repeated call gets the former one and is told so.
    async fn give_back(&mut self, job: &Job) {
        let Some((result, number)) = self
            .seen
            .get(&job.key)
            .map(|s| (s.result.clone(), s.number))
        else {
            return;
        };
        if job.repeated {
            self.show_start(job).await;
            self.show_end(job, &result, 0).await;
            let told = format!(
                "You made this call before; its result is [{number}] above. Do not repeat it."
            );
            self.push_result(job, &told);
            return;
        }
        let state = if result.ok { "" } else { " (failed)" };
        let cut = digest::cut(&result.text, self.budget.result);
        let told = format!(
            "[{number}] {}{state}:\n{}",
            job.call.name,
            prompt::as_data(&job.call.name, &cut)
        );
        self.push_result(job, &told);
    }

    fn push_result(&mut self, job: &Job, text: &str) {
        self.messages.push(Message::Tool {
            call: job.call.id.clone(),
            name: job.call.name.clone(),
            text: text.to_owned(),
        });
    }

    async fn job(&self, job: &Job) -> Fetched {
        self.show_start(job).await;
        let started = clock::instant();
        let result = match &job.checked {
            Ok(checked) => self.tool(job, checked).await,
            Err(what) => failed(format!("wrong arguments: {what}")),
        };
        let result = Fetched {
            text: redact(&text::clean_lines(&result.text, RESULT)),
            ..result
        };
        self.show_end(job, &result, millis(started.elapsed())).await;
        result
    }

    async fn tool(&self, job: &Job, checked: &Checked) -> Fetched {
        let limit = self.shared.tool_timeout;
        if tools::asks_sources(checked.tool) {
            let (lookup, names) = (self.shared.lookup.clone(), &self.request.clusters);
            return fetch(lookup, checked, names, self.request.now, limit).await;
        }
        let query = WorldQuery {
            run: self.request.run,
            call: job.call.id.clone(),
            tool: checked.tool.to_owned(),
            arguments: checked.arguments.clone(),
            clusters: checked.clusters.clone(),
        };
        let (answer, waiting) = oneshot::channel();
        let key = (query.run, query.call.clone());
        lock(&self.shared.waiting).insert(key.clone(), answer);
        let work = async {
            if self.shared.world.send(query).await.is_err() {
                return failed("the console is ending".into());
            }
            waiting
                .await
                .unwrap_or_else(|_| failed("the console did not answer".into()))
        };
        match tokio::time::timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => {
                lock(&self.shared.waiting).remove(&key);
                failed(format!("no answer within {:.0} s", limit.as_secs_f32()))
            }
        }
    }

    async fn show_start(&self, job: &Job) {
        let arguments = match &job.checked {
            Ok(checked) => checked.arguments.to_string(),
            Err(_) => job.call.arguments.clone(),
        };
        self.out
            .send(ChatEvent::ToolStarted {
                run: self.request.run,
                call: job.call.id.clone(),
                tool: text::clean(&job.call.name, 100),
                arguments: redact(&text::clean(&arguments, 2_000)),
                number: job.number,
            })
            .await;
    }

    async fn show_end(&self, job: &Job, result: &Fetched, duration_ms: u32) {
        self.out
            .send(ChatEvent::ToolEnded {
                run: self.request.run,
                call: job.call.id.clone(),
                result: digest::cut(&result.text, self.budget.result),
                rows: result.rows,
                ok: result.ok,
                duration_ms,
            })
            .await;
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

fn failed(text: String) -> Fetched {
    Fetched {
        text,
        rows: 0,
        ok: false,
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// Numbers in brackets: `[3]`, `[1, 2]`. `[0]` and dates in brackets do not count as such.
fn cites(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for part in text.split('[').skip(1) {
        let Some((inside, _)) = part.split_once(']') else {
            continue;
        };
        let numbers: Option<Vec<u32>> = inside
            .split(',')
            .map(|n| n.trim().parse::<u32>().ok().filter(|n| *n < 1_000))
            .collect();
        found.extend(numbers.unwrap_or_default());
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_citations() {
        assert_eq!(super::cites("a [1], b [2, 3] c [x] d [5m] [12"), [1, 2, 3]);
    }
}
