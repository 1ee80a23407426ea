//! Words in the chat pane that begin with a slash: carried out by the console, with or without a
//! model.

use serde_json::json;

use super::State;
use crate::agent::{offline, tools, world_tools};
use crate::message::Effect;
use crate::model::chat::{
    ChatEvent, ChatRequest, Look, OpenResult, RunOutcome, Setting, WorldQuery,
};
use crate::model::id::IncidentId;
use crate::model::redact::redact;
use crate::model::talk::Part;
use crate::model::text::clean_lines;
use crate::ui::view::Focus;

/// Longest result kept for the screen.
const RESULT: usize = 32 * 1024;

const HELP: &str = "Carried out by the console itself, no model needed:\n\n\
- `/why` or `/why INC-3`: what the console knows of the cause\n\
- `/runbook`, `/runbook WORDS`, `/runbook ID`: which runbook fits, and what it says\n\
- `/query PROMQL`: asks the clusters in scope, over the time that is looked at\n\
- `/logs LOGQL`: likewise\n\
- `/compare CLUSTER CLUSTER`: two clusters side by side\n\
- `/result 3`, `/result 3 WORDS`, `/result 3 41`: result [3] in full, its rows with these words, its \
rows from the 41st on\n\
- `/report`, `/report detailed`, `/report capacity`, `/report INC-3`: a report as a Markdown \
file; with `model` behind it, as `/report model`, a summary by the model stands in it\n\
- `/budget`, `/budget time 2m`: what one answer of the agent may take
- `/persona` or `/persona ID`: the field in which the agent works\n\
- `/new`: a new conversation; `/branch 2`: one that goes on from your second question\n\
- `/sessions`, `/sessions WORDS`: conversations that were kept; `/resume 1`, `/forget 1`\n\
- `/allow`, `/deny`: whether a tool of another program (MCP) may be called\n\
- `/export`: this conversation as a Markdown file\n\n\
All else is asked of the model.";

impl State {
    /// `None`: it is no such word, and is asked of the model.
    pub(super) fn slash(&mut self, text: &str) -> Option<Vec<Effect>> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        if let Some(done) = self.session_word(word, rest) {
            self.open_chat();
            self.dirty = true;
            return Some(done.unwrap_or_else(|told| {
                self.chat.answer_locally(None, told, self.world.now);
                Vec::new()
            }));
        }
        let look = match word {
            "/allow" | "/deny" => match self.chat.decide(word == "/allow") {
                Some((run, call)) => {
                    self.dirty = true;
                    let allow = word == "/allow";
                    return Some(vec![Effect::Approve { run, call, allow }]);
                }
                None => Err("No call waits for your word.".into()),
            },
            "/persona" => return Some(self.choose_persona(rest)),
            "/help" => Err(HELP.to_owned()),
            "/budget" => Err(self.budget(rest)),
            "/runbook" => Err(self.runbook(rest)),
            "/why" => self.why(rest),
            "/query" => self.asks("query_metrics", rest, "PromQL, such as `/query up == 0`"),
            "/logs" => self.asks(
                "query_logs",
                rest,
                "LogQL, such as `/logs {namespace=\"shop\"}`",
            ),
            "/compare" => compare(rest),
            "/result" => match self.result(rest) {
                Ok(effect) => {
                    self.open_chat();
                    return Some(vec![effect]);
                }
                Err(told) => Err(told),
            },
            "/report" => match self.report(rest) {
                Ok(effects) => {
                    self.open_chat();
                    return Some(effects);
                }
                Err(told) => Err(told),
            },
            _ => return None,
        };
        self.open_chat();
        self.dirty = true;
        self.chat.begin_about(self.asked_about);
        let look = match look {
            Ok(look) => look,
            Err(told) => {
                self.chat.answer_locally(Some(text), told, self.world.now);
                return Some(Vec::new());
            }
        };
        Some(self.look_up(text, look))
    }

    /// What the console holds itself is looked up at once, the rest by the agent's task.
    pub(super) fn look_up(&mut self, text: &str, look: Look) -> Vec<Effect> {
        let setting = Setting {
            // A persona limits the model, not the operator. What he wants done he does by keys.
            tools: tools::all()
                .iter()
                .filter(|tool| !tool.proposes())
                .map(|tool| tool.name)
                .collect(),
            ..self.setting()
        };
        let Some(request) = self.chat.look(text, look, setting, self.world.now) else {
            return Vec::new();
        };
        match self.held(&request) {
            Some(events) => {
                for event in events {
                    self.chat.apply(event);
                }
                self.screen.views.chat.read_answer();
                Vec::new()
            }
            None => vec![Effect::Chat(request)],
        }
    }

    /// The whole answer, where no source has to be asked for it.
    fn held(&self, request: &ChatRequest) -> Option<Vec<ChatEvent>> {
        let look = request.look.as_ref()?;
        let setting = &request.setting;
        let mut events = Vec::new();
        for (place, (tool, arguments)) in look.calls.iter().enumerate() {
            let arguments = arguments.to_string();
            let checked = tools::check(tool, &arguments, &setting.clusters, &setting.tools);
            let (result, rows, ok) = match checked {
                Ok(checked) if checked.asks => return None,
                Ok(checked) => world_tools::answer(
                    &self.world,
                    &WorldQuery {
                        run: request.run,
                        call: String::new(),
                        tool: checked.tool.into(),
                        arguments: checked.arguments,
                        clusters: checked.clusters,
                    },
                ),
                Err(what) => (what, 0, false),
            };
            let call = format!("look_{place}");
            events.push(ChatEvent::ToolStarted {
                run: request.run,
                call: call.clone(),
                tool: tool.clone(),
                arguments,
                number: u32::try_from(place + 1).unwrap_or(u32::MAX),
            });
            events.push(ChatEvent::ToolEnded {
                run: request.run,
                call,
                result: redact(&clean_lines(&result, RESULT)),
                rows,
                ok,
                duration_ms: 0,
            });
        }
        events.push(ChatEvent::Text {
            run: request.run,
            text: look.answer.clone(),
        });
        events.push(ChatEvent::Ended {
            run: request.run,
            outcome: RunOutcome::Answered {
                prompt_tokens: None,
                completion_tokens: None,
                first_token_ms: 0,
                total_ms: 0,
                context_tokens: None,
                wrote_ms: None,
            },
        });
        Some(events)
    }

    /// `3`, `3 41` or `3 41 words`: a result of the last answer that has it.
    fn result(&self, words: &str) -> Result<Effect, String> {
        let usage = || "Name a result by its number: `/result 3`.".to_owned();
        let (number, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        let number: u32 = number
            .trim_matches(['[', ']'])
            .parse()
            .map_err(|_| usage())?;
        let rest = rest.trim();
        let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (from, contains) = match first.parse() {
            Ok(from) => (from, after.trim()),
            Err(_) => (1, rest),
        };
        let found = self.chat.messages.iter().rev().find_map(|message| {
            let mut tools = message.parts.iter().filter_map(Part::tool);
            Some((message.run, tools.find(|tool| tool.number == number)?))
        });
        let Some((run, tool)) = found else {
            return Err(format!(
                "There is no result [{number}] in this conversation."
            ));
        };
        let Some(done) = &tool.done else {
            return Err(format!("[{number}] is still under way."));
        };
        Ok(Effect::OpenResult(OpenResult {
            asked: format!("/result {words}"),
            run,
            number,
            digest: done.result.clone(),
            contains: contains.to_owned(),
            from,
        }))
    }

    fn why(&mut self, words: &str) -> Result<Look, String> {
        // The conversation is about it from here on: it is found, and handed over, with it.
        self.asked_about = self.meant(words)?;
        Ok(self.own_findings(self.asked_about, ""))
    }

    /// What the console itself knows of an incident, or of everything.
    pub(super) fn own_findings(&self, about: Option<IncidentId>, before: &str) -> Look {
        let answer = format!("{before}{}", offline::findings(&self.world, about));
        let Some(incident) = about.and_then(|id| self.world.incident(id)) else {
            let calls = ["get_fleet_summary", "list_incidents"];
            return Look {
                calls: calls.map(|tool| (tool.to_owned(), json!({}))).into(),
                answer,
            };
        };
        let cluster = self.world.cluster(incident.cluster);
        let cluster = cluster.map_or("", |c| c.name.as_ref());
        let minutes = self.world.now.age_since_ms(incident.opened) / 60_000;
        let trigger = format!("INC-{}", incident.number);
        let cause = json!({
            "cluster": cluster, "trigger": trigger, "time_window_minutes": minutes + 60,
        });
        let changes = json!({"clusters": [cluster], "minutes": minutes + 120});
        Look {
            calls: vec![
                ("analyze_root_cause".into(), cause),
                ("get_changes".into(), changes),
                ("list_alerts".into(), json!({"clusters": [cluster]})),
            ],
            answer,
        }
    }

    /// The incident of these words, else the one under the cursor, else the worst that is open.
    pub(super) fn meant(&self, words: &str) -> Result<Option<IncidentId>, String> {
        let number = words.to_uppercase();
        let number = number.trim_start_matches('@').trim_start_matches("INC-");
        if !number.is_empty() {
            let found = number.parse().ok().and_then(|n: u32| {
                let mut all = self.world.incidents.iter();
                all.find(|i| i.number == n)
            });
            let known = found.map(|i| Some(i.id));
            return known.ok_or_else(|| format!("There is no incident `{words}` here."));
        }
        Ok(match self.screen.view().focus(&self.world) {
            Some(Focus::Incident(id)) => Some(id),
            _ => self
                .world
                .incidents
                .iter()
                .find(|i| i.is_live())
                .map(|i| i.id),
        })
    }

    /// A query over the clusters in scope and the time that is looked at.
    fn asks(&self, tool: &str, query: &str, usage: &str) -> Result<Look, String> {
        if query.is_empty() {
            return Err(format!("Write what to ask: {usage}."));
        }
        let clusters: Vec<&str> = match self.screen.scope.and_then(|id| self.world.cluster(id)) {
            Some(cluster) => vec![cluster.name.as_ref()],
            None => Vec::new(),
        };
        let (start, end) = self.screen.window.bounds(self.world.now);
        let call = json!({
            "query": query, "clusters": clusters, "start": start.rfc3339(), "end": end.rfc3339(),
        });
        let place = match clusters.first() {
            Some(name) => format!("on {name}"),
            None => "on all clusters".into(),
        };
        Ok(Look {
            calls: vec![(tool.into(), call)],
            answer: format!(
                "`{query}` {place}, {} to {}, asked by the console without a model [1].",
                start.rfc3339(),
                end.rfc3339()
            ),
        })
    }
}

fn compare(words: &str) -> Result<Look, String> {
    let names: Vec<&str> = words.split_whitespace().collect();
    let [a, b] = names.as_slice() else {
        return Err("Write two names of clusters: `/compare alpha beta`.".into());
    };
    Ok(Look {
        calls: vec![(
            "compare_clusters".into(),
            json!({"cluster_1": a, "cluster_2": b}),
        )],
        answer: format!("{a} and {b} as the console knows them, without a model [1]."),
    })
}
