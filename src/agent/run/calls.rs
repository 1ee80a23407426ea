//! The calls of one answer: checked, carried out side by side, numbered, and given back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Round, Run, Seen, millis};
use crate::agent::dialect::Message;
use crate::agent::fence::as_data;
use crate::agent::lenient;
use crate::agent::lock;
use crate::agent::mcp::client::Tool;
use crate::agent::stream::{Completion, ToolCall};
use crate::agent::tools::args::asked::{READ_RESULT, ReadResult};
use crate::agent::tools::fetch::{Fetched, fetch};
use crate::agent::tools::whole::{Pick, Whole};
use crate::agent::tools::{self, Checked, digest};
use crate::clock;
use crate::model::chat::{ChatEvent, THINKING, WorldQuery};
use crate::model::id::ClusterId;
use crate::model::redact::redact;
use crate::model::text;

/// Longest result kept for the screen and the model.
const RESULT: usize = 32 * 1024;

/// One call on its way.
struct Job {
    call: ToolCall,
    key: String,
    number: u32,
    checked: Result<Wanted, String>,
    repeated: bool,
}

/// Whose tool it is.
enum Wanted {
    Own(Checked),
    Foreign(Tool, Value),
}

/// Longest arguments that can be shown to be allowed, letters.
const SHOWN: usize = 2_000;
/// What a proposal may take beyond the operator's time: servers are asked, and answer.
const SENDING: Duration = Duration::from_secs(120);

impl Run<'_> {
    /// Carries out the calls of one answer side by side and appends the results in their order.
    pub(super) async fn carry_out(&mut self, done: Completion) -> Round {
        let mut jobs = Vec::new();
        let mut stuck = None;
        for mut call in done.calls {
            let mut checked = self.wanted(&call);
            let key = match &checked {
                Ok(Wanted::Own(checked)) => format!("{} {}", checked.tool, checked.arguments),
                Ok(Wanted::Foreign(tool, arguments)) => format!("{} {arguments}", tool.name),
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
            let repeated = known.is_some() || twin.is_some();
            if !repeated {
                self.count(&mut checked);
            }
            call.id = format!("call_{}_{}", number, jobs.len() + self.messages.len());
            jobs.push(Job {
                repeated,
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

    /// Counts a call that asks sources; one beyond the limit of a cluster is not carried out.
    fn count(&mut self, wanted: &mut Result<Wanted, String>) {
        let Ok(Wanted::Own(checked)) = wanted else {
            return;
        };
        let most = self.spent.limits.queries;
        if !checked.asks {
            return;
        }
        if let Err(full) = self.counted.count(&checked.clusters, most) {
            let name = |id: &ClusterId| self.request.setting.clusters.get(usize::from(id.0));
            let names: Vec<&str> = full.iter().filter_map(name).map(String::as_str).collect();
            *wanted = Err(format!(
                "not asked: the {most} queries of this run are used up for {}; answer with what you have",
                names.join(", ")
            ));
        }
    }

    /// A line in the audit file; tools of other programs, and proposals, have their own.
    fn note(&self, job: &Job, result: &Fetched) {
        let (Some(ledger), Ok(Wanted::Own(checked))) = (&self.shared.ledger, &job.checked) else {
            return;
        };
        if tools::find(checked.tool).is_some_and(|tool| tool.needs == tools::Needs::Operator) {
            return;
        }
        let name = |id: &ClusterId| {
            self.request
                .setting
                .clusters
                .get(usize::from(id.0))
                .cloned()
        };
        let clusters: Vec<String> = checked.clusters.iter().filter_map(name).collect();
        ledger.note(checked.tool, &checked.arguments, &clusters, result);
    }

    fn learn(&mut self, job: &Job, mut result: Fetched) {
        if result.ok {
            self.good.push(job.number);
            let text = || Whole::Text(result.text.as_str().into());
            let whole = result.whole.take().unwrap_or_else(text);
            lock(&self.shared.results).keep(self.request.run, job.number, whole);
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
            as_data(&job.call.name, &cut)
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
            Ok(Wanted::Own(checked)) => self.tool(job, checked).await,
            Ok(Wanted::Foreign(tool, arguments)) => self.foreign(job, tool, arguments).await,
            Err(what) => Fetched::failed(what.clone()),
        };
        let text = redact(&text::clean_lines(&result.text, RESULT));
        let result = Fetched { text, ..result };
        self.note(job, &result);
        self.show_end(job, &result, millis(started.elapsed())).await;
        result
    }

    async fn tool(&self, job: &Job, checked: &Checked) -> Fetched {
        if tools::find(checked.tool).is_some_and(tools::Tool::proposes) {
            let asked = clock::instant();
            // One dialog at a time; the next waits without its time running.
            let turn = self.shared.proposing.lock().await;
            let limit = THINKING + SENDING;
            let told = self.told_by_console(job, checked, limit).await;
            drop(turn);
            let waited = u64::from(millis(asked.elapsed()));
            self.waiting_ms.fetch_max(waited, Ordering::Relaxed);
            return told;
        }
        let limit = self.shared.tool_timeout;
        if checked.tool == READ_RESULT {
            return self.opened(checked);
        }
        if checked.asks {
            let (lookup, names) = (self.shared.lookup.clone(), &self.request.setting.clusters);
            return fetch(lookup, checked, names, self.request.now, limit).await;
        }
        self.told_by_console(job, checked, limit).await
    }

    async fn told_by_console(&self, job: &Job, checked: &Checked, limit: Duration) -> Fetched {
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
                return Fetched::failed("the console is ending".into());
            }
            waiting
                .await
                .unwrap_or_else(|_| Fetched::failed("the console did not answer".into()))
        };
        match tokio::time::timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => {
                lock(&self.shared.waiting).remove(&key);
                Fetched::failed(format!("no answer within {:.0} s", limit.as_secs_f32()))
            }
        }
    }

    fn wanted(&self, call: &ToolCall) -> Result<Wanted, String> {
        if let Some(tool) = self
            .foreign
            .iter()
            .find(|tool| tool.name == call.name.trim())
        {
            let arguments = lenient::first_value(&call.arguments)
                .map_err(|what| format!("wrong arguments: {what}"))?;
            return match arguments.is_object() {
                true => Ok(Wanted::Foreign(tool.clone(), arguments)),
                false => Err("wrong arguments: they must be one JSON object".into()),
            };
        }
        let setting = &self.request.setting;
        tools::check(
            &call.name,
            &call.arguments,
            &setting.clusters,
            &setting.tools,
        )
        .map(Wanted::Own)
        .map_err(|what| format!("wrong arguments: {what}"))
    }

    /// Another program's tool: called as the operator allowed, asked first where he did not yet.
    async fn foreign(&self, job: &Job, tool: &Tool, arguments: &Value) -> Fetched {
        let (foreign, approvals) = (&self.shared.foreign, &self.shared.approvals);
        if foreign.asks() && !approvals.has(&tool.name, arguments) {
            let written = arguments.to_string();
            let shown = text::clean(&written, SHOWN);
            // Nobody can allow what he cannot see as it is.
            if shown != written {
                foreign.refused(tool, arguments).await;
                return Fetched::failed(
                    "not called: such arguments cannot be shown to the operator".into(),
                );
            }
            let run = self.request.run;
            let said = approvals.ask(run, &job.call.id);
            self.out
                .send(ChatEvent::Approval {
                    run,
                    call: job.call.id.clone(),
                    tool: tool.name.clone(),
                    arguments: shown,
                })
                .await;
            let asked = clock::instant();
            let said = tokio::time::timeout(THINKING, said).await;
            let waited = u64::from(millis(asked.elapsed()));
            self.waiting_ms.fetch_max(waited, Ordering::Relaxed);
            if !matches!(said, Ok(Ok(true))) {
                foreign.refused(tool, arguments).await;
                return Fetched::failed(
                    "not called: the operator did not allow it; go on without it".into(),
                );
            }
            approvals.remember(&tool.name, arguments);
        }
        foreign.call(tool, arguments).await
    }

    /// More of a result of this run.
    fn opened(&self, checked: &Checked) -> Fetched {
        let Ok(args) = ReadResult::deserialize(&checked.arguments) else {
            return Fetched::failed("wrong arguments".into());
        };
        let held = lock(&self.shared.results).get(self.request.run, args.number);
        let Some(whole) = held else {
            let number = args.number;
            return Fetched::failed(format!(
                "[{number}] names no result of this run that is held"
            ));
        };
        let (text, rows) = whole.page(&Pick {
            contains: args.contains.unwrap_or_default(),
            from: args.from.unwrap_or(1) as usize,
            rows: usize::MAX,
            // Its heading and the fence stand around it.
            chars: self.budget.result.saturating_sub(300),
        });
        Fetched::told(format!("of [{}]: {text}", args.number), rows, rows > 0)
    }

    async fn show_start(&self, job: &Job) {
        let arguments = match &job.checked {
            Ok(Wanted::Own(checked)) => checked.arguments.to_string(),
            Ok(Wanted::Foreign(_, arguments)) => arguments.to_string(),
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
}
