//! The conversation as the chat pane shows it: plain data, changed by events only.

use std::collections::VecDeque;

use crate::model::chat::{ChatEvent, ChatRequest, Look, Model, RunId, RunOutcome, Setting};
use crate::model::id::{IncidentId, RequestId};
use crate::model::limits::Spent;
pub use crate::model::talk::{Author, Message, Part, ToolDone, ToolPart};
use crate::model::talk::{Session, SessionHead, SessionId};
use crate::model::time::Timestamp;

mod parts;

use parts::take;

/// Messages kept, and those of them that the model is told again.
const MESSAGES: usize = 100;
const IN_CONTEXT: usize = 50;
const QUEUE: usize = 20;
/// Letters of a title.
const TITLE: usize = 120;

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
    /// Once the server told.
    pub model: Option<Model>,
    /// What the last run has taken of its limits.
    pub spent: Option<Spent>,
    running: Option<RunId>,
    /// Calls of tools of other programs that wait for the operator's word, oldest first.
    pending: VecDeque<String>,
    /// What the running answer reads is shown unfolded.
    unfold: bool,
    last_run: u64,
    /// `None`: nothing was said yet.
    session: Option<SessionId>,
    /// The incident that it was begun about.
    about: Option<IncidentId>,
    /// Version that was put away last.
    kept: u64,
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
            ChatEvent::Model(model) => {
                let told = Some(model.clone());
                let changed = self.model != told;
                self.model = told;
                self.version += u64::from(changed);
                return changed;
            }
            // It is of no run that goes on.
            ChatEvent::Opened { .. } => return false,
            ChatEvent::Started { run }
            | ChatEvent::Text { run, .. }
            | ChatEvent::Reasoning { run, .. }
            | ChatEvent::ToolStarted { run, .. }
            | ChatEvent::ToolEnded { run, .. }
            | ChatEvent::Approval { run, .. }
            | ChatEvent::Formed { run, .. }
            | ChatEvent::Note { run, .. }
            | ChatEvent::Spent { run, .. }
            | ChatEvent::Ended { run, .. } => *run,
        };
        if self.running != Some(run) {
            return false;
        }
        if let ChatEvent::Ended { outcome, .. } = event {
            self.end(run, outcome);
            return true;
        }
        if let ChatEvent::Spent { spent, .. } = event {
            self.spent = Some(spent);
            self.version += 1;
            return true;
        }
        if let ChatEvent::Approval { call, .. } = &event {
            self.pending.push_back(call.clone());
        }
        let unfold = self.unfold;
        let Some(message) = self.message_of(run) else {
            return false;
        };
        message.version += 1;
        // The one thing that the operator asked to be looked up is what he wants to see.
        let folded = !unfold;
        take(&mut message.parts, event, folded);
        self.version += 1;
        true
    }

    /// Whether a call waits for the operator's word.
    pub fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The operator's word on the call that waits longest. `None`: none waits.
    pub fn decide(&mut self, allow: bool) -> Option<(RunId, String)> {
        let run = self.running?;
        let call = self.pending.pop_front()?;
        let said = if allow {
            "allowed by you"
        } else {
            "refused by you"
        };
        if let Some(message) = self.message_of(run) {
            message.parts.push(Part::Note(said.into()));
            message.version += 1;
        }
        self.version += 1;
        Some((run, call))
    }

    /// Said beside the answer of a run, also once that is over.
    pub fn note(&mut self, run: RunId, text: String) {
        if let Some(message) = self.message_of(run) {
            message.parts.push(Part::Note(text));
            message.version += 1;
            self.version += 1;
        }
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
        (self.session, self.about) = (None, None);
        self.version += 1;
        run
    }

    /// Kept under this name, if at all.
    pub fn is(&self, id: SessionId) -> bool {
        self.session == Some(id)
    }

    /// The conversation is about this incident, if it is about none yet.
    pub fn begin_about(&mut self, incident: Option<IncidentId>) {
        self.about = self.about.or(incident);
    }

    /// The conversation as it is to be kept; `None`: nothing was asked yet.
    pub fn session(&self, persona: &str) -> Option<Session> {
        let asked = || {
            self.messages
                .iter()
                .filter(|m| m.author == Author::Operator)
        };
        let title: String = asked().next()?.text().chars().take(TITLE).collect();
        Some(Session {
            head: SessionHead {
                id: self.session?,
                title: title.replace('\n', " "),
                persona: persona.to_owned(),
                incident: self.about,
                used: self.messages.last()?.at,
                questions: u32::try_from(asked().count()).unwrap_or(u32::MAX),
            },
            messages: self.messages.clone(),
        })
    }

    /// The same, where it changed since it was taken last and no answer is under way.
    pub fn unkept(&mut self, persona: &str) -> Option<Session> {
        if self.running.is_some() || self.kept == self.version {
            return None;
        }
        self.kept = self.version;
        self.session(persona)
    }

    /// Goes on with one that was kept. Gives the run whose task is to be cancelled.
    pub fn resume(&mut self, session: Session) -> Option<RunId> {
        let run = self.clear();
        self.session = Some(session.head.id);
        self.about = session.head.incident;
        self.messages = session.messages;
        for message in &mut self.messages {
            // What it ran in is gone.
            message.run = None;
        }
        self.kept = self.version;
        run
    }

    /// Goes on from the question of this number, counted from 1, in a conversation of its own; gives
    /// that question, to be asked in other words.
    pub fn branch(&mut self, question: usize, now: Timestamp) -> Option<String> {
        let asked = self.messages.iter().enumerate();
        let mut asked = asked.filter(|(_, m)| m.author == Author::Operator);
        let (at, message) = asked.nth(question.checked_sub(1)?)?;
        let text = message.text();
        self.cancel();
        self.messages.truncate(at);
        self.queue.clear();
        self.session = Some(SessionId(now.0));
        self.version += 1;
        Some(text)
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
        self.unfold = look.as_ref().is_some_and(|look| look.calls.len() == 1);
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
        self.spent = None;
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
        self.session.get_or_insert(SessionId(at.0));
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
        self.pending.clear();
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

#[cfg(test)]
mod tests;
