//! What a stream keeps, as it was asked for.

use std::sync::Arc;

use super::{Bus, Part, streams};
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::bus::{Message, Start};
use crate::model::fault::Fault;
use crate::model::id::{ClusterId, RequestId};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::widget::table::Table;

/// Messages asked for at a time.
const MESSAGES: u32 = 100;

#[derive(Debug)]
pub struct History {
    id: RequestId,
    pub cluster: ClusterId,
    pub stream: Arc<str>,
    /// `None`: it is under way. Newest first.
    told: Option<Result<Vec<Message>, Fault>>,
    /// There is more than this.
    cut: bool,
}

impl History {
    pub fn messages(&self) -> &[Message] {
        match &self.told {
            Some(Ok(messages)) => messages,
            _ => &[],
        }
    }

    pub fn take(&mut self, answered: &Answered) {
        if answered.id != self.id {
            return;
        }
        self.cut = answered.cut_from.is_some();
        self.told = Some(match &answered.result {
            Ok(Answer::Messages(messages)) => Ok(messages.iter().rev().cloned().collect()),
            Ok(_) => Ok(Vec::new()),
            Err(fault) => Err(fault.clone()),
        });
    }

    pub fn title(&self, ctx: &Ctx) -> String {
        let place = format!("{} of {}", self.stream, ctx.world.name_of(self.cluster));
        match self.messages().len() {
            0 => format!("kept in {place}"),
            count => format!("kept in {place}: the last {count}"),
        }
    }

    pub fn note(&self) -> (String, bool) {
        match &self.told {
            None => ("asked for".into(), false),
            Some(Ok(_)) if self.cut => ("there may be more than these · Esc: back".into(), false),
            Some(Ok(_)) => ("read without taking anything · Esc: back".into(), false),
            Some(Err(_)) => ("Esc: back".into(), true),
        }
    }

    pub fn why_empty(&self) -> String {
        match &self.told {
            None => format!("what {} keeps is asked for …", self.stream),
            Some(Ok(_)) => format!("{} keeps nothing", self.stream),
            Some(Err(fault)) if fault.hint.is_empty() => fault.what.clone(),
            Some(Err(fault)) => format!("{} ({})", fault.what, fault.hint),
        }
    }
}

impl Bus {
    /// Asks for the end of what the stream under the cursor keeps.
    pub(super) fn read_stream(&mut self, world: &World) -> Vec<Effect> {
        let rows = self.stream_rows(world);
        let row = self.streams.position(&rows, streams::id);
        let Some(row) = row.and_then(|at| rows.get(at)) else {
            return Vec::new();
        };
        if !row.stream.retention.may_be_read() {
            return vec![Effect::Say(
                "not read: its messages are kept for its consumers, and reading would take or hold them",
            )];
        }
        let (cluster, stream) = (row.cluster.id, row.stream.name.clone());
        drop(rows);
        let id = self.numbers.take();
        self.history = Some(History {
            id,
            cluster,
            stream: stream.clone(),
            told: None,
            cut: false,
        });
        self.part = Part::Messages;
        self.messages = Table::default();
        self.scroll.to_top();
        vec![Effect::Ask(Question {
            id,
            cluster,
            ask: Ask::Messages {
                stream: stream.to_string(),
                start: Start::Last(MESSAGES.into()),
                filter: None,
                limit: MESSAGES,
            },
        })]
    }
}
