//! The site's own agent as a backend of the same pane: asked over its bus, answering with tools of
//! its own.
//!
//! None of our tools is called, so nothing of what the answer rests on was seen here; that is said
//! beside each answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::out::Out;
use super::prompt::in_one;
use super::run::{millis, span};
use crate::clock;
use crate::config;
use crate::model::chat::{ChatEvent, ChatRequest, Model, RunOutcome};
use crate::model::fault::Fault;
use crate::model::redact::redact;
use crate::model::text;
use crate::source::nats::Bus;
use crate::source::nats::chat::{self, Heard, Patience, Question};

/// What the pane calls it until it names its model.
const NAME: &str = "site's agent";
/// Bytes of question and context, as many as the bus takes.
const SIZES: [usize; 3] = [96 * 1024, 24 * 1024, 4 * 1024];
/// Earlier turns that are told, and bytes of each and of all.
const TURNS: usize = 20;
const TURN: usize = 8 * 1024;
const HISTORY: usize = 64 * 1024;
/// Longest piece shown at a time, bytes.
const PIECE: usize = 32 * 1024;
/// Longest answer in place of its pieces, bytes.
const WHOLE: usize = 512 * 1024;
/// Pieces under way to the screen.
const QUEUE: usize = 16;
const UNSEEN: &str = "not checked: the site's agent used tools of its own; farwatch saw nothing of what this rests on";

pub(super) struct Site {
    bus: Arc<Bus>,
    user: String,
    patience: Patience,
}

/// What was written so far.
#[derive(Default)]
struct Written {
    answer: bool,
}

impl Written {
    /// Before the first words of an answer it is said what they are, wherever it ends.
    async fn begin(&mut self, words: &str, out: &Out) {
        if !self.answer && !words.trim().is_empty() {
            self.answer = true;
            out.note(UNSEEN).await;
        }
    }
}

impl Site {
    /// Sends nothing.
    pub(super) fn new(settings: &config::SiteAgent) -> Self {
        Self {
            bus: Bus::apart(&settings.bus),
            user: settings.user.clone().unwrap_or_default(),
            patience: Patience {
                first: settings.patience,
                between: (settings.patience / 2).max(Duration::from_millis(100)),
            },
        }
    }

    /// Whether the bus is there and lets us ask; the agent itself is asked nothing.
    pub(super) async fn check(&self) -> Result<Model, Fault> {
        let session = self.bus.open("farwatch chat").await?;
        chat::check(&session, &self.user).await?;
        Ok(self.model(NAME.into()))
    }

    pub(super) async fn answer(&self, request: &ChatRequest, out: &Out) -> RunOutcome {
        let started = clock::instant();
        let limit = request.setting.limits.time;
        let Ok(outcome) = tokio::time::timeout(limit, self.ask(request, out)).await else {
            return RunOutcome::Limit(format!("{} of time", span(limit)));
        };
        match outcome {
            Err(fault) => RunOutcome::Failed(fault),
            Ok(answered) if answered.cut => {
                RunOutcome::Limit(format!("{} KiB of answer", WHOLE >> 10))
            }
            Ok(answered) => RunOutcome::Answered {
                prompt_tokens: answered.read_tokens,
                completion_tokens: answered.written_tokens,
                first_token_ms: out
                    .first_token()
                    .map_or(0, |at| millis(at.saturating_duration_since(started))),
                total_ms: millis(started.elapsed()),
                context_tokens: None,
                wrote_ms: None,
            },
        }
    }

    async fn ask(&self, request: &ChatRequest, out: &Out) -> Result<chat::Answered, Fault> {
        // Dropped with the question: whoever cancels closes the connection.
        let opened = self.bus.open_expecting("farwatch chat", chat::PART).await;
        let session = opened?;
        out.send(ChatEvent::Model(self.model(NAME.into()))).await;
        let (heard, pieces) = mpsc::channel(QUEUE);
        let questions = questions(request);
        let asking = chat::ask(&session, &self.user, questions, self.patience, heard);
        let (answered, written) = tokio::join!(asking, self.write(pieces, request, out));
        if answered.is_ok() && !written.answer {
            out.note("the site's agent gave an empty answer").await;
        }
        answered
    }

    async fn write(
        &self,
        mut pieces: mpsc::Receiver<Heard>,
        request: &ChatRequest,
        out: &Out,
    ) -> Written {
        let mut written = Written::default();
        while let Some(piece) = pieces.recv().await {
            match piece {
                Heard::Text(text) => {
                    written.begin(&text, out).await;
                    for part in parts(&text) {
                        out.text(part.to_owned()).await;
                    }
                }
                Heard::Whole(text) => {
                    written.begin(&text, out).await;
                    let (run, text) = (request.run, text::clean_lines(&text, WHOLE));
                    out.send(ChatEvent::Formed { run, text }).await;
                }
                Heard::Thought(text) => {
                    for part in parts(&text) {
                        out.reasoning(part.to_owned()).await;
                    }
                }
                Heard::Note(note) => out.note(&note).await,
                Heard::Model(name) => out.send(ChatEvent::Model(self.model(name))).await,
            }
        }
        written
    }

    fn model(&self, name: String) -> Model {
        Model {
            name,
            context: None,
            server: Some(self.bus.shown()),
        }
    }
}

/// The question with all that belongs to it, then with less and less.
fn questions(request: &ChatRequest) -> impl Iterator<Item = Question> {
    let with = |size: usize| Question {
        message: in_one(request, size),
        history: match size == SIZES[0] {
            true => history(request),
            false => Vec::new(),
        },
        persona: request.setting.persona.id.clone(),
        at: request.now,
    };
    SIZES.into_iter().map(with)
}

/// The last turns, without secrets.
fn history(request: &ChatRequest) -> Vec<(bool, String)> {
    let mut bytes = 0;
    let turns = request.history.iter().rev().take(TURNS);
    let mut kept: Vec<(bool, String)> = turns
        .map(|(operator, text)| (*operator, text::clean_lines(&redact(text), TURN)))
        .take_while(|(_, text)| {
            bytes += text.len();
            bytes <= HISTORY
        })
        .collect();
    kept.reverse();
    kept
}

/// Pieces of a text that is longer than what is shown at a time.
fn parts(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (head, rest) = text.split_at(text.floor_char_boundary(PIECE));
        text = rest;
        (!head.is_empty()).then_some(head)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_come_in_parts() {
        let text = "é".repeat(PIECE);
        let all: Vec<&str> = parts(&text).collect();
        assert_eq!((all.len(), all.concat()), (2, text.clone()));
        assert_eq!(parts("").count(), 0);
    }
}
