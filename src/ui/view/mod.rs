//! One screen a file. What a screen is to the frame around it stands here.
//!
//! A view owns what the operator did in it (selection, scroll, filter, mode) and nothing else;
//! the facts come with each call. The frame maps keys, keeps prompts and history, and hands the
//! view commands. Views never see the other views.

pub mod actions;
pub mod alerts;
pub mod bus;
pub mod chat;
pub mod cluster;
pub mod cnf;
pub mod common;
pub mod dashboards;
pub mod diagnostics;
pub mod editing;
#[cfg(test)]
pub mod fake;
pub mod first_run;
pub mod fleet;
pub mod gitops;
pub mod gpu;
pub mod handover;
pub mod help;
pub mod incident;
pub mod logs;
pub mod metrics;
pub mod notices;
pub mod object;
pub mod palette;
pub mod rights;
pub mod scroll;
pub mod traces;
pub mod whatif;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Ctx, Window};
pub use crate::command::ScreenId;
use crate::command::{Command, Jump};
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::gitops::AppKind;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::object::ObjectKind;
use crate::model::time::Timestamp;
use crate::state::world::World;

/// The thing under the cursor: what `a` asks about, `x` jumps from and `yn` copies.
#[derive(Clone, Debug, PartialEq)]
pub enum Focus {
    Cluster(ClusterId),
    Node {
        cluster: ClusterId,
        node: String,
    },
    Pod {
        cluster: ClusterId,
        namespace: String,
        pod: String,
    },
    /// Any Kubernetes object; the namespace of a cluster-wide one is empty.
    Object {
        cluster: ClusterId,
        kind: ObjectKind,
        namespace: String,
        name: String,
    },
    Gpu {
        cluster: ClusterId,
        node: String,
        gpu: String,
    },
    Alert {
        cluster: ClusterId,
        fingerprint: String,
    },
    Incident(IncidentId),
    /// An application, or an object of Flux.
    App {
        cluster: ClusterId,
        kind: AppKind,
        namespace: String,
        name: String,
    },
    Silence {
        cluster: ClusterId,
        id: String,
    },
    /// Anything else, in words.
    Text {
        cluster: Option<ClusterId>,
        text: String,
    },
}

/// Another screen, and what to show there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Goto {
    pub screen: ScreenId,
    /// Narrows the scope to this cluster.
    pub cluster: Option<ClusterId>,
    /// What to put the cursor on.
    pub focus: Option<Focus>,
    /// PromQL for the metrics screen, LogQL for the logs screen, a trace id or TraceQL for the
    /// traces screen.
    pub query: Option<String>,
    /// The time to look at.
    pub window: Option<Window>,
}

/// Told to a view when it comes into view and when scope or window change while it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The one cluster of the scope; `None`: all.
    pub scope: Option<ClusterId>,
    pub window: Window,
    pub focus: Option<Focus>,
    pub query: Option<String>,
}

pub trait View {
    /// Everything but the calls below. `Command::Open` only comes where [`View::open`] gave
    /// nothing; `Command::Back` never comes, [`View::back`] is asked.
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect>;

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer);

    /// Where the view will be drawn; for paging and the mouse.
    fn place(&mut self, _area: Rect, _world: &World) {}

    fn enter(&mut self, _entry: &Entry, _world: &World) -> Vec<Effect> {
        Vec::new()
    }

    /// Enter: the screen it leads to, if it leads to another one.
    fn open(&mut self, _world: &World) -> Option<Goto> {
        None
    }

    /// Esc: undoes one step inside (editor, detail, selection, filter). False: nothing to undo.
    fn back(&mut self) -> bool {
        false
    }

    /// How many steps [`View::back`] can undo.
    fn depth(&self) -> usize {
        0
    }

    fn focus(&self, _world: &World) -> Option<Focus> {
        None
    }

    /// Key and score of the finding under the cursor.
    fn finding(&self, _world: &World) -> Option<(ClusterId, Arc<str>, f64)> {
        None
    }

    /// Where a jump from the row under the cursor leads, where the view knows better than the
    /// thing under it tells.
    fn leads(&self, _to: Jump, _world: &World) -> Option<Goto> {
        None
    }

    /// An answer to a question this view asked; it compares the id with its newest question.
    fn answer(&mut self, _answered: &Answered, _world: &World) -> Vec<Effect> {
        Vec::new()
    }

    /// Goes on with what takes longer than a frame, or comes with time.
    fn work(&mut self, _world: &World) -> Vec<Effect> {
        Vec::new()
    }

    /// Where time runs from left to right over the window: there the time cursor moves, and a drag
    /// of the mouse selects.
    fn time_plots(&self, _world: &World) -> Vec<Rect> {
        Vec::new()
    }

    /// The time cursor moved, here or on another screen.
    fn point(&mut self, _at: Option<Timestamp>) {}

    /// The next time (`on`) or the one before at which something happened: a change, an alert.
    fn beside(&self, _at: Option<Timestamp>, _on: bool, _world: &World) -> Option<Timestamp> {
        None
    }

    /// Ctrl-c: stops what runs. `None`: nothing does.
    fn cancel(&mut self) -> Option<Vec<Effect>> {
        None
    }

    /// An editor of the view has the keyboard: keys come as `Command::Type`.
    fn typing(&self) -> bool {
        false
    }

    /// The filter in force, for the second row.
    fn filter(&self) -> &str {
        ""
    }

    /// The text looked for in a stream; `None`: there is nothing to find in, `/` narrows.
    fn found(&self) -> Option<&str> {
        None
    }

    /// Keys of this view worth telling, best first.
    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// What is on the screen, in words and numbers, for the agent.
    fn brief(&self, _ctx: &Ctx) -> String {
        String::new()
    }
}
