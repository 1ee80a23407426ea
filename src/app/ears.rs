//! All that the loop listens to, in the order of importance.

use std::time::Instant;

use tokio::sync::mpsc;

use super::signals::{Caught, Signals};
use crate::message::Msg;
use crate::model::ask::Answered;
use crate::model::chat::{ChatEvent, WorldQuery};
use crate::model::telemetry::Telemetry;
use crate::source::replay::Fed;
use crate::term::Screen;
use crate::term::reader::Heard;

/// Where telemetry comes from.
pub enum Feed {
    Live(mpsc::Receiver<Telemetry>),
    Replay(mpsc::Receiver<Fed>),
}

impl Feed {
    pub async fn recv(&mut self) -> Option<Fed> {
        match self {
            Self::Live(queue) => queue.recv().await.map(|t| Fed::Telemetry(Box::new(t))),
            Self::Replay(queue) => queue.recv().await,
        }
    }

    pub fn try_recv(&mut self) -> Option<Fed> {
        match self {
            Self::Live(queue) => queue.try_recv().ok().map(|t| Fed::Telemetry(Box::new(t))),
            Self::Replay(queue) => queue.try_recv().ok(),
        }
    }

    /// Batches waiting, and room in all.
    pub fn depth(&self) -> (usize, usize) {
        match self {
            Self::Live(queue) => (queue.len(), queue.max_capacity()),
            Self::Replay(queue) => (queue.len(), queue.max_capacity()),
        }
    }

    pub fn is_replay(&self) -> bool {
        matches!(self, Self::Replay(_))
    }
}

pub struct Ears {
    pub signals: Signals,
    pub heard: mpsc::Receiver<Heard>,
    pub answers: mpsc::Receiver<Answered>,
    pub chat: mpsc::Receiver<ChatEvent>,
    pub queries: mpsc::Receiver<WorldQuery>,
    /// Lines for the operator, from whoever watches what is configured.
    pub notices: mpsc::Receiver<String>,
    /// What became of effects.
    pub happened: mpsc::Receiver<Msg>,
    pub feed: Feed,
}

/// What woke the loop.
#[derive(Debug)]
pub enum Woken {
    Signal(Caught),
    Heard(Heard),
    /// A frame is due, and the writer is free.
    Frame,
    Answer(Box<Answered>),
    Chat(ChatEvent),
    Query(WorldQuery),
    Notice(String),
    Happened(Box<Msg>),
    Tick,
    Fed(Fed),
}

impl Ears {
    /// Waits for the first of all; what may always be ready comes last, so that it starves nothing.
    pub async fn next(&mut self, screen: &Screen, frame: Option<Instant>, tick: Instant) -> Woken {
        tokio::select! { biased;
            caught = self.signals.next() => Woken::Signal(caught),
            heard = self.heard.recv() => Woken::Heard(heard.unwrap_or(Heard::Gone)),
            () = paintable(screen, frame) => Woken::Frame,
            Some(answer) = self.answers.recv() => Woken::Answer(Box::new(answer)),
            Some(event) = self.chat.recv() => Woken::Chat(event),
            Some(query) = self.queries.recv() => Woken::Query(query),
            Some(text) = self.notices.recv() => Woken::Notice(text),
            Some(msg) = self.happened.recv() => Woken::Happened(Box::new(msg)),
            () = tokio::time::sleep_until(tick.into()) => Woken::Tick,
            Some(fed) = self.feed.recv() => Woken::Fed(fed),
        }
    }
}

async fn paintable(screen: &Screen, frame: Option<Instant>) {
    match frame {
        Some(due) => {
            tokio::time::sleep_until(due.into()).await;
            screen.idle().await;
        }
        None => std::future::pending().await,
    }
}
