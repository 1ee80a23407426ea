//! The whole vocabulary of the loop: what it hears and what it wants done.

use std::sync::Arc;

use crate::model::action::{Acted, ActionRequest};
use crate::model::archive::{Keep, Recall, Recalled};
use crate::model::ask::{Answered, Question};
use crate::model::bus::Following;
use crate::model::chat::{ChatEvent, ChatRequest, ModelWords, OpenResult, RunId, WorldQuery};
use crate::model::export::Export;
use crate::model::fault::Fault;
use crate::model::handover::Handover;
use crate::model::id::{ClusterId, RequestId};
use crate::model::input::InputEvent;
use crate::model::log::Tail;
use crate::model::news::Found;
use crate::model::shared::{Share, Shared};
use crate::model::signal::Group;
use crate::model::telemetry::Telemetry;
use crate::model::time::Timestamp;

/// What `State::update` hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    Input(InputEvent),
    Telemetry(Box<Telemetry>),
    Answer(Box<Answered>),
    Chat(ChatEvent),
    /// A tool of the agent asks for what the console already holds.
    WorldQuery(WorldQuery),
    /// The clock moved (replayed time in a replay).
    Tick(Timestamp),
    Replay(ReplayStatus),
    /// What another console handed over with the recording, before its first delivery.
    HandedOver(Box<Handover>),
    /// Figures of the loop itself, for the diagnostics screen.
    Gauges(LoopGauges),
    /// What became of an action.
    Acted(Box<Acted>),
    /// The dialog of this number was in view long enough for keys to count.
    Armed(u64),
    /// A line for the operator: kept in the notices, shown as a toast.
    Notice {
        error: bool,
        text: String,
    },
    /// Some [`Work`] is done.
    Worked,
    /// From the archive.
    Recalled(Box<Recalled>),
    /// From the watchers, where incidents are theirs.
    Found(Box<Found>),
    /// From the team's bus.
    Shared(Box<Shared>),
    /// Answer to [`Effect::Summarise`].
    Summarised(Result<ModelWords, Fault>),
    /// What an earlier run learned, as it was put away; `None`: nothing was. Or why it is not read.
    Learnt(Result<Option<Arc<Vec<u8>>>, String>),
}

/// Reckoning too long for the loop. It leaves its result where whoever gave it looks for it.
#[derive(Clone)]
pub struct Work(Arc<dyn Fn() + Send + Sync>);

impl Work {
    pub fn new(work: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(work))
    }

    /// On a thread that may be held up.
    pub fn run(&self) {
        (self.0)();
    }
}

impl PartialEq for Work {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

/// What `State::update` wants done; carried out by `effect`, never on the loop.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Quit,
    Suspend,
    /// Full clear and redraw (Ctrl-L).
    Redraw,
    Ask(Question),
    /// Poll these groups of these clusters first and faster; replaces the former demand.
    Demand(Vec<(ClusterId, Group)>),
    /// Poll everything of this cluster now.
    Refresh(Option<ClusterId>),
    Chat(ChatRequest),
    CancelChat(RunId),
    /// What the operator says to a call of a tool of another program.
    Approve {
        run: RunId,
        call: String,
        allow: bool,
    },
    /// Show a result in full; [`ChatEvent::Opened`] follows.
    OpenResult(OpenResult),
    /// Answer to a `WorldQuery`: text for the model, number of rows, fine or not.
    WorldAnswer {
        run: RunId,
        call: String,
        text: String,
        rows: usize,
        ok: bool,
    },
    /// To the terminal's clipboard (OSC 52).
    Copy(String),
    /// Change something, as the operator confirmed.
    Act(Box<ActionRequest>),
    /// The agent proposed this and it is not sent: written down, with the reason.
    NotActed(Box<ActionRequest>, &'static str),
    Replay(ReplayCommand),
    /// Follow these logs live, beside those that always are, in place of the former ones.
    TailLogs(Vec<(ClusterId, Tail)>),
    /// Follow these subjects of the buses in place of the former ones; a bus that is not named
    /// follows what its configuration says.
    FollowBus(Vec<(ClusterId, Following)>),
    /// Write this to a file of the operator.
    Save(Box<Export>),
    /// Ask these after a short pause, as for a list that follows what is typed; replaces those
    /// before them, asked or not.
    AskSoon(Vec<Question>),
    /// Reckon this off the loop; [`Msg::Worked`] follows.
    Work(Work),
    /// Nobody waits for these answers any more: the requests are dropped.
    Cancel(Vec<RequestId>),
    /// Put this away.
    Keep(Vec<Keep>),
    /// Put away what the detectors have learned, in place of what was there.
    Remember(Arc<Vec<Vec<u8>>>),
    /// Ask the archive; [`Msg::Recalled`] follows, where there is one.
    Recall(Recall),
    /// To the team's bus, where there is one.
    Share(Share),
    /// Ask a model to put this report into its words; [`Msg::Summarised`] follows.
    Summarise(String),
    /// Tell the operator why nothing was done.
    Say(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReplayCommand {
    Pause(bool),
    Speed(f64),
    Seek(Timestamp),
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReplayStatus {
    pub file: String,
    pub start: Timestamp,
    pub end: Timestamp,
    pub now: Timestamp,
    pub speed: f64,
    pub paused: bool,
    pub ended: bool,
    /// On the way to this time, as fast as it goes.
    pub seeking: Option<Timestamp>,
    /// The player went back: what is known is to be forgotten and will be told again.
    pub restarted: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoopGauges {
    pub frames: u64,
    pub frames_skipped: u64,
    pub frame_build_us: u32,
    pub frame_bytes: u32,
    pub write_us: u32,
    pub telemetry_queue: usize,
    pub telemetry_queue_max: usize,
    pub telemetry_dropped: u64,
    pub rss_bytes: u64,
}
