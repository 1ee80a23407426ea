//! The conversation as the chat pane shows it: plain data, changed by events only.

use std::collections::VecDeque;

use crate::model::chat::{ChatEvent, ChatRequest, Look, RunId, RunOutcome, Setting};
use crate::model::fault::Fault;
use crate::model::id::RequestId;
use crate::model::time::Timestamp;

/// Messages kept, and those of them that the model is told again.
const MESSAGES: usize = 100;
const IN_CONTEXT: usize = 50;
/// Longest answer, bytes.
const ANSWER: usize = 512 * 1024;
const QUEUE: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    Operator,
    Agent,
    /// The console itself: findings without a model.
    Console,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToolPart {
    pub call: String,
    /// The answer cites it as `[number]`.
    pub number: u32,
    pub tool: String,
    pub arguments: String,
    /// `None` while it runs.
    pub done: Option<ToolDone>,
    pub folded: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToolDone {
    pub result: String,
    pub rows: usize,
    pub ok: bool,
    pub duration_ms: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Markdown.
    Text(String),
    Reasoning {
        text: String,
        folded: bool,
    },
    Tool(ToolPart),
    Note(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub author: Author,
    pub at: Timestamp,
    /// The run that writes or wrote it.
    pub run: Option<RunId>,
    pub parts: Vec<Part>,
    /// How the run ended; `None` while it goes on and for what the operator said.
    pub outcome: Option<RunOutcome>,
    /// Grows with each change; screens keep what they laid out until it differs.
    pub version: u64,
}

impl Message {
    /// All text parts together.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.trim()),
                _ => None,
            })
            .filter(|text| !text.is_empty())
            .collect();
        texts.join("\n\n")
    }

    /// Numbers of the calls that succeeded: what an answer may rest on.
    pub fn good(&self) -> Vec<u32> {
        let tools = self.parts.iter().filter_map(|part| match part {
            Part::Tool(tool) => Some(tool),
            _ => None,
        });
        let good = tools.filter(|t| t.done.as_ref().is_some_and(|done| done.ok));
        good.map(|t| t.number).collect()
    }

    pub fn fault(&self) -> Option<&Fault> {
        match &self.outcome {
            Some(RunOutcome::Failed(fault)) => Some(fault),
            _ => None,
        }
    }
}

/// What the operator asked while a run was going on.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    pub text: String,
    pub context: String,
    /// Looked up by the console, without a model.
    pub look: Option<Look>,
}

#[derive(Clone, Debug, Default)]
pub struct Conversation {
    pub messages: Vec<Message>,
    pub queue: VecDeque<Queued>,
    /// Name and context length, once the server told.
    pub model: Option<(String, Option<u32>)>,
    running: Option<RunId>,
    last_run: u64,
    /// Grows with every change.
    pub version: u64,
}

impl Conversation {
    pub fn running(&self) -> Option<RunId> {
        self.running
    }

    /// What the operator sends. `Some`: start this run; `None`: queued behind the running one.
    pub fn ask(
        &mut self,
        text: impl Into<String>,
        context: impl Into<String>,
        setting: Setting,
        now: Timestamp,
    ) -> Option<ChatRequest> {
        let queued = Queued {
            text: text.into(),
            context: context.into(),
            look: None,
        };
        self.put(queued, setting, now)
    }

    /// What the console is to look up itself. Answers as [`Self::ask`].
    pub fn look(
        &mut self,
        text: impl Into<String>,
        look: Look,
        setting: Setting,
        now: Timestamp,
    ) -> Option<ChatRequest> {
        let queued = Queued {
            text: text.into(),
            context: String::new(),
            look: Some(look),
        };
        self.put(queued, setting, now)
    }

    fn put(&mut self, queued: Queued, setting: Setting, now: Timestamp) -> Option<ChatRequest> {
        if queued.text.trim().is_empty() && queued.look.is_none() {
            return None;
        }
        self.version += 1;
        if self.running.is_some() {
            self.queue.push_back(queued);
            self.queue.truncate(QUEUE);
            return None;
        }
        Some(self.begin(queued, setting, now))
    }

    /// The next queued question, when no run is going on. To be called after `apply` and `cancel`.
    pub fn next_request(&mut self, setting: Setting, now: Timestamp) -> Option<ChatRequest> {
        if self.running.is_some() {
            return None;
        }
        let queued = self.queue.pop_front()?;
        Some(self.begin(queued, setting, now))
    }

    /// What the operator asked and what the console itself answers, without a model.
    pub fn answer_locally(&mut self, question: Option<&str>, answer: String, now: Timestamp) {
        if let Some(question) = question {
            self.push(Author::Operator, now, None, question.to_owned());
        }
        self.push(Author::Console, now, None, answer);
    }

    /// Takes what a run reports. Events of a run that was cancelled or is over change nothing.
    /// True if something changed.
    pub fn apply(&mut self, event: ChatEvent) -> bool {
        let run = match &event {
            ChatEvent::Model { name, context } => {
                let told = Some((name.clone(), *context));
                let changed = self.model != told;
                self.model = told;
                self.version += u64::from(changed);
                return changed;
            }
            ChatEvent::Started { run }
            | ChatEvent::Text { run, .. }
            | ChatEvent::Reasoning { run, .. }
            | ChatEvent::ToolStarted { run, .. }
            | ChatEvent::ToolEnded { run, .. }
            | ChatEvent::Note { run, .. }
            | ChatEvent::Ended { run, .. } => *run,
        };
        if self.running != Some(run) {
            return false;
        }
        if let ChatEvent::Ended { outcome, .. } = event {
            self.end(run, outcome);
            return true;
        }
        let Some(message) = self.message_of(run) else {
            return false;
        };
        message.version += 1;
        // What the operator asked to be looked up is what he wants to see.
        let folded = message.author == Author::Agent;
        take(&mut message.parts, event, folded);
        self.version += 1;
        true
    }

    /// Ends the running answer at once; what its task still says is ignored. Gives the run whose
    /// task is to be cancelled.
    pub fn cancel(&mut self) -> Option<RunId> {
        let run = self.running?;
        self.end(run, RunOutcome::Cancelled);
        Some(run)
    }

    /// A new conversation; the model stays known.
    pub fn clear(&mut self) -> Option<RunId> {
        let run = self.cancel();
        self.messages.clear();
        self.queue.clear();
        self.version += 1;
        run
    }

    /// Folds or unfolds a tool call or a thought.
    pub fn toggle(&mut self, message: usize, part: usize) {
        let Some(message) = self.messages.get_mut(message) else {
            return;
        };
        match message.parts.get_mut(part) {
            Some(Part::Tool(tool)) => tool.folded = !tool.folded,
            Some(Part::Reasoning { folded, .. }) => *folded = !*folded,
            _ => return,
        }
        message.version += 1;
        self.version += 1;
    }

    /// Earlier turns as the model is told them: (from the operator?, text).
    pub fn history(&self) -> Vec<(bool, String)> {
        let skip = self.messages.len().saturating_sub(IN_CONTEXT);
        self.messages
            .iter()
            .skip(skip)
            .map(|m| (m.author == Author::Operator, m.text()))
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    fn begin(&mut self, queued: Queued, setting: Setting, now: Timestamp) -> ChatRequest {
        let Queued {
            text,
            context,
            look,
        } = queued;
        let author = match look {
            Some(_) => Author::Console,
            None => Author::Agent,
        };
        let history = self.history();
        self.last_run += 1;
        let run = RequestId(self.last_run);
        if !text.is_empty() {
            self.push(Author::Operator, now, None, text.clone());
        }
        self.push(author, now, Some(run), String::new());
        self.running = Some(run);
        ChatRequest {
            run,
            text,
            context,
            history,
            setting,
            look,
            now,
        }
    }

    fn push(&mut self, author: Author, at: Timestamp, run: Option<RunId>, text: String) {
        let parts = if text.is_empty() {
            Vec::new()
        } else {
            vec![Part::Text(text)]
        };
        self.messages.push(Message {
            author,
            at,
            run,
            parts,
            outcome: None,
            version: 0,
        });
        let over = self.messages.len().saturating_sub(MESSAGES);
        self.messages.drain(..over);
        self.version += 1;
    }

    fn end(&mut self, run: RunId, outcome: RunOutcome) {
        self.running = None;
        self.version += 1;
        if let Some(message) = self.message_of(run) {
            message.outcome = Some(outcome);
            message.version += 1;
        }
    }

    fn message_of(&mut self, run: RunId) -> Option<&mut Message> {
        self.messages.iter_mut().rev().find(|m| m.run == Some(run))
    }
}

fn take(parts: &mut Vec<Part>, event: ChatEvent, folded: bool) {
    match event {
        ChatEvent::Text { text, .. } => match parts.last_mut() {
            Some(Part::Text(last)) if last.len() < ANSWER => last.push_str(&text),
            Some(Part::Text(_)) => {}
            _ => parts.push(Part::Text(text)),
        },
        ChatEvent::Reasoning { text, .. } => match parts.last_mut() {
            Some(Part::Reasoning { text: last, .. }) if last.len() < ANSWER => last.push_str(&text),
            Some(Part::Reasoning { .. }) => {}
            _ => parts.push(Part::Reasoning { text, folded: true }),
        },
        ChatEvent::ToolStarted {
            call,
            tool,
            arguments,
            number,
            ..
        } => parts.push(Part::Tool(ToolPart {
            call,
            number,
            tool,
            arguments,
            done: None,
            folded,
        })),
        ChatEvent::ToolEnded {
            call,
            result,
            rows,
            ok,
            duration_ms,
            ..
        } => {
            let open = parts.iter_mut().rev().find_map(|part| match part {
                Part::Tool(tool) if tool.call == call => Some(tool),
                _ => None,
            });
            if let Some(tool) = open {
                tool.done = Some(ToolDone {
                    result,
                    rows,
                    ok,
                    duration_ms,
                });
            }
        }
        ChatEvent::Note { text, .. } => parts.push(Part::Note(text)),
        ChatEvent::Model { .. } | ChatEvent::Started { .. } | ChatEvent::Ended { .. } => {}
    }
}

#[cfg(test)]
mod tests;
