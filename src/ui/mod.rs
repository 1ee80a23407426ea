//! Drawing: a pure function of state. No I/O, no clock, no terminal.

use ratatui::style::{Color, Modifier, Style};

use crate::model::time::Timestamp;
use crate::state::world::World;

pub mod view;
pub mod widget;

/// What every view may read while it draws.
pub struct Ctx<'a> {
    pub world: &'a World,
    pub theme: &'a Theme,
    /// Only ASCII characters may be drawn.
    pub ascii: bool,
    pub zone: &'a jiff::tz::TimeZone,
    /// The one time window of all screens.
    pub window: Window,
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
