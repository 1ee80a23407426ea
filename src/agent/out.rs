//! Where a run speaks: the bounded queue of chat events.

use tokio::sync::mpsc;

use crate::model::chat::{ChatEvent, RunId, RunOutcome};
use crate::model::redact::redact;
use crate::model::text;

/// Longest single piece of text from a model.
const PIECE: usize = 64 * 1024;

/// One run's way to the screen. Waits for room: the run is slowed, never the screen.
#[derive(Clone, Debug)]
pub struct Out {
    run: RunId,
    events: mpsc::Sender<ChatEvent>,
    first: std::sync::Arc<std::sync::OnceLock<std::time::Instant>>,
    /// What the model writes is not shown.
    quiet: bool,
}

impl Out {
    pub fn new(run: RunId, events: mpsc::Sender<ChatEvent>) -> Self {
        Self {
            run,
            events,
            first: std::sync::Arc::default(),
            quiet: false,
        }
    }

    /// For an answer that is read before it is shown.
    pub fn quiet(&self) -> Self {
        Self {
            quiet: true,
            ..self.clone()
        }
    }

    /// When the first word or thought of the run came.
    pub fn first_token(&self) -> Option<std::time::Instant> {
        self.first.get().copied()
    }

    pub async fn text(&self, piece: String) {
        if self.quiet {
            return;
        }
        self.first.get_or_init(crate::clock::instant);
        let text = text::clean_lines(&piece, PIECE);
        self.send(ChatEvent::Text {
            run: self.run,
            text,
        })
        .await;
    }

    pub async fn reasoning(&self, piece: String) {
        if self.quiet {
            return;
        }
        self.first.get_or_init(crate::clock::instant);
        let text = text::clean_lines(&piece, PIECE);
        self.send(ChatEvent::Reasoning {
            run: self.run,
            text,
        })
        .await;
    }

    pub async fn note(&self, note: &str) {
        let text = redact(&text::clean(note, 600));
        self.send(ChatEvent::Note {
            run: self.run,
            text,
        })
        .await;
    }

    pub async fn started(&self) {
        self.send(ChatEvent::Started { run: self.run }).await;
    }

    pub async fn ended(&self, outcome: RunOutcome) {
        self.send(ChatEvent::Ended {
            run: self.run,
            outcome,
        })
        .await;
    }

    /// A closed queue means that the console is ending; there is nobody to tell.
    pub async fn send(&self, event: ChatEvent) {
        let _ = self.events.send(event).await;
    }
}
