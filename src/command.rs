//! What an operator can do: one table of names, keys and words. Keymap, palette, `:` commands,
//! help and hints all read it.

use crate::model::export::Format;
use crate::model::id::RequestId;
use crate::model::incident::Opinion;
use crate::model::input::KeyPress;
use crate::model::signal::Group;
use crate::model::time::Timestamp;

mod keys;
mod table;

pub use keys::{Lookup, lookup, name_of, parse_keys, written};
pub use table::{Context, ENTRIES, Entry, by_name};

/// Meant by the operator, independent of the key. Views get these.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Left,
    Right,
    /// Enter: go deeper.
    Open,
    /// Esc within a view: clear selection or filter. Views return to the frame what they do not use.
    Back,
    NextPane,
    PreviousPane,
    /// `m`: next mode of the view.
    Mode,
    Sort,
    ReverseSort,
    /// `z`: folds what is unfolded, and the other way round.
    Fold,
    /// `Z`: folds or unfolds all groups.
    FoldAll,
    /// `d`: detail pane.
    Detail,
    /// `w`
    Wrap,
    /// `P`: the log of the run before this one.
    PreviousRun,
    /// The log of the pod that led here, straight from the API server.
    PodLog,
    /// `J` / `K`: scrolls the text while the cursor stays.
    ScrollDown,
    ScrollUp,
    /// `!`: problems only.
    Problems,
    /// `e` / `E`
    NextProblem,
    PreviousProblem,
    /// Live text of the filter; empty clears.
    Filter(String),
    /// Live text to be found in a stream, which it does not narrow; empty clears.
    Find(String),
    /// `n` / `N`
    NextMatch,
    PreviousMatch,
    /// `p`
    Pause,
    /// `o`: edit the query of the view.
    Edit,
    /// A key for the view's own editor while it has the focus.
    Type(KeyPress),
    Paste(String),
    /// `r`
    Refresh,
    /// `yy`: copy the row.
    CopyRow,
    /// Mouse press at screen coordinates.
    Click {
        column: u16,
        row: u16,
    },
    /// `O`: earlier and saved queries.
    Recall,
    /// `@`: which clusters a query asks.
    Clusters,
    /// `F`: how the answers of several clusters become one.
    Combine,
    /// `_`: leaves a curve out of the chart, or takes it in again.
    Hide,
    /// How often a chart that follows now is asked for again, milliseconds; `None`: never.
    Every(Option<u32>),
    /// Distance of the points of a chart, milliseconds; `None`: as it suits the range.
    Step(Option<u32>),
    /// `yq`: copy the query.
    CopyQuery,
    /// `yu`: copy the query as commands for `curl`.
    CopyCurl,
    /// Write what is shown to a file.
    Export(Format),
    /// `Q`: a form that writes the query.
    Form,
    /// `W`: what a limit left out.
    LoadOn,
    /// `C`: the lines around the one under the cursor.
    Around,
    /// `$` / `#`: only what has the value under the cursor, or what has not.
    Only,
    Without,
    /// `;`: a field as a column.
    Column,
    /// `b` / `B`: marks the row; to the next one that is marked.
    Bookmark,
    NextBookmark,
    /// `T`: times as local, UTC, before now.
    Stamps,
    /// `D`: the time since the line before.
    Delta,
    /// `^`: what is in view beside another range of time; `None`: the range before it.
    Compare(Option<(Timestamp, Timestamp)>),
}

/// How the time in view moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeMove {
    /// Half of it, around the cursor.
    Closer,
    /// Twice as much, around the cursor.
    Wider,
    /// Half a window.
    Earlier,
    Later,
    /// Begins a selection at the cursor, or looks at what is selected.
    Select,
}

/// The screens, in the order of their number keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScreenId {
    #[default]
    Fleet,
    Cluster,
    Metrics,
    Logs,
    Gpu,
    Cnf,
    Alerts,
    Incidents,
    GitOps,
    Diagnostics,
    /// One object with all that is known of it; opened from a row.
    Object,
    Traces,
    Dashboards,
    Bus,
}

impl ScreenId {
    pub const ALL: [Self; 14] = [
        Self::Fleet,
        Self::Cluster,
        Self::Metrics,
        Self::Logs,
        Self::Gpu,
        Self::Cnf,
        Self::Alerts,
        Self::Incidents,
        Self::GitOps,
        Self::Diagnostics,
        Self::Object,
        Self::Traces,
        Self::Dashboards,
        Self::Bus,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::Cluster => "Cluster",
            Self::Metrics => "Metrics",
            Self::Logs => "Logs",
            Self::Gpu => "GPU",
            Self::Cnf => "CNF",
            Self::Alerts => "Alerts",
            Self::Incidents => "Incidents",
            Self::GitOps => "GitOps",
            Self::Diagnostics => "Diagnostics",
            Self::Object => "Object",
            Self::Traces => "Traces",
            Self::Dashboards => "Dashboards",
            Self::Bus => "Bus",
        }
    }

    /// What has to be polled first while this screen is in view.
    pub fn groups(self) -> &'static [Group] {
        match self {
            Self::Fleet
            | Self::Alerts
            | Self::Incidents
            | Self::Logs
            | Self::GitOps
            | Self::Diagnostics
            | Self::Object
            | Self::Traces
            | Self::Dashboards
            | Self::Bus => &[],
            Self::Cluster => &[Group::Cluster, Group::Workload],
            Self::Metrics => &Group::ALL,
            Self::Gpu => &[Group::Gpu, Group::Serving],
            Self::Cnf => &[Group::Ptp, Group::Sriov],
        }
    }

    /// Whether it shows the clusters of the scope only; the others always show all.
    pub fn has_scope(self) -> bool {
        !matches!(self, Self::Fleet | Self::Diagnostics)
    }

    /// The first number a screen gives its questions: answers then never reach another screen.
    pub fn first_request(self) -> RequestId {
        RequestId((1 + self as u64) << 40)
    }
}

/// What the frame does. Everything a key, a `:` command or the palette can start.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// For the view (or the open list) in focus.
    View(Command),
    Screen(ScreenId),
    LastScreen,
    Open,
    Back,
    /// `q`: closes what is open; at the top it quits.
    Close,
    Quit,
    /// Ctrl-c: cancels what runs; twice quits.
    Interrupt,
    Suspend,
    Redraw,
    /// `/`: finds in a stream, narrows a list.
    FindPrompt,
    /// `&`
    FilterPrompt,
    CommandPrompt,
    TimePrompt,
    Palette,
    Help,
    Notices,
    /// Back to the live edge.
    Live,
    /// Stops time on the screen, or lets it go on.
    Hold,
    ToggleChat,
    /// Asks the agent about the thing under the cursor.
    Ask,
    /// The next or the previous cluster becomes the scope.
    NextCluster,
    PreviousCluster,
    AllClusters,
    CopyName,
    /// What can be done with the thing under the cursor.
    Actions,
    /// Makes a silence for the alert under the cursor; mutes an incident.
    Mute,
    /// Somebody looks after the incident under the cursor; again: takes it back.
    Acknowledge,
    /// Puts the incident under the cursor together for another console.
    HandOver,
    /// Keeps the row under the cursor at the incident looked at last, or no longer.
    Pin,
    /// What the operator thinks of the finding under the cursor; `None` takes it back.
    Opine(Option<Opinion>),
    NextTheme,
    ReplayPause,
    ReplayFaster,
    ReplaySlower,
    /// Moves the replay by so many seconds.
    ReplaySkip(i64),
    /// To another screen, about the thing under the cursor.
    Jump(Jump),
    /// Needs an argument; the prompt opens with the name typed in.
    Typed(Typed),
    Time(TimeMove),
}

/// Where `x` leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    Logs,
    Metrics,
    Alerts,
    Incidents,
    Pods,
    Node,
    Gpu,
    Cnf,
    GitOps,
    /// All that is known of it.
    Object,
    /// The object that owns it.
    Owner,
    /// The log of its pod, straight from the API server.
    PodLog,
    /// The trace it belongs to, else traces of it.
    Traces,
}

impl Jump {
    pub fn word(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Alerts => "alerts",
            Self::Incidents => "incident",
            Self::Pods => "pod",
            Self::Node => "node",
            Self::Gpu => "GPU",
            Self::Cnf => "clock",
            Self::GitOps => "application",
            Self::Object => "object",
            Self::Owner => "owner",
            Self::PodLog => "pod",
            Self::Traces => "trace",
        }
    }
}

/// Commands with an argument, as typed after `:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    Theme,
    Cluster,
    Time,
    Speed,
    Seek,
    Ask,
    Promql,
    Logql,
    Incident,
    Object,
    Traceql,
    Every,
    Compare,
    Step,
    Note,
    Assign,
    Quiet,
    HandOver,
    Sensitivity,
    WhatIf,
    Follow,
}
