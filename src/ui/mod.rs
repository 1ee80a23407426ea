//! Drawing: a pure function of state. No I/O, no clock, no terminal.

use ratatui::style::{Color, Modifier, Style};

use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::state::world::{ClusterState, World};

pub mod view;
pub mod widget;

/// What every view may read while it draws or decides.
pub struct Ctx<'a> {
    pub world: &'a World,
    pub theme: &'a Theme,
    /// Only ASCII characters may be drawn.
    pub ascii: bool,
    pub zone: &'a jiff::tz::TimeZone,
    /// The one time window of all screens.
    pub window: Window,
    /// The one choice of clusters of all screens.
    pub scope: &'a Scope,
}

impl<'a> Ctx<'a> {
    /// The clusters looked at, in the order of the configuration.
    pub fn clusters(&self) -> impl Iterator<Item = &'a ClusterState> {
        let scope = self.scope;
        self.world.clusters.iter().filter(|c| scope.has(c.id))
    }

    pub fn cluster(&self, id: ClusterId) -> Option<&'a ClusterState> {
        self.world.clusters.iter().find(|c| c.id == id)
    }

    /// Begin and end of the window.
    pub fn range(&self) -> (Timestamp, Timestamp) {
        let end = self.window.end.unwrap_or(self.world.now);
        (end.plus_ms(-self.window.span_ms.max(1)), end)
    }
}

/// Clusters looked at; empty: all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope(pub Vec<ClusterId>);

impl Scope {
    pub fn has(&self, cluster: ClusterId) -> bool {
        self.0.is_empty() || self.0.contains(&cluster)
    }
}

/// `[end - span, end]`; follows `world.now` when live.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub end: Option<Timestamp>,
    pub span_ms: i64,
}

/// Roles of the screen. With no colour every field holds modifiers only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Theme {
    pub name: String,
    pub base: Style,
    pub muted: Style,
    pub ok: Style,
    pub warn: Style,
    pub crit: Style,
    pub unknown: Style,
    pub title: Style,
    pub border: Style,
    pub border_focus: Style,
    pub selected: Style,
    pub accent: Style,
    pub key: Style,
    pub replay: Style,
    /// Colours of curves, in turn.
    pub series: Vec<Color>,
    pub bold: Modifier,
}
