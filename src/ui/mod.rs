//! Drawing: a pure function of state. No I/O, no clock, no terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar;

use crate::model::id::ClusterId;
use crate::model::signal::Group;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::state::world::World;

pub mod frame;
pub mod layout;
pub mod panel;
pub mod prompt;
pub mod theme;
pub mod view;
pub mod widget;

pub use frame::draw;

/// What every view may read while it draws.
pub struct Ctx<'a> {
    pub world: &'a World,
    pub theme: &'a Theme,
    /// Only ASCII characters may be drawn.
    pub ascii: bool,
    pub zone: &'a jiff::tz::TimeZone,
    /// The one time window of all screens.
    pub window: Window,
    /// The one cluster of the scope; `None`: all.
    pub scope: Option<ClusterId>,
    /// The pane has the keyboard: its selection is shown.
    pub focus: bool,
    /// The one time cursor of all charts.
    pub cursor: Cursor,
    /// Readings older than this are shown as old, milliseconds.
    pub old_ms: u64,
}

/// A time that the operator points at, and where the selection that ends there began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub at: Option<Timestamp>,
    pub from: Option<Timestamp>,
}

impl Cursor {
    /// What is selected, earlier end first.
    pub fn selection(self) -> Option<(Timestamp, Timestamp)> {
        let (at, from) = (self.at?, self.from?);
        Some((at.min(from), at.max(from)))
    }
}

impl<'a> Ctx<'a> {
    /// The same for readings of this group of this cluster: old is what missed two of its polls.
    pub fn polled(&self, cluster: ClusterId, group: Group) -> Ctx<'a> {
        let cluster = self.world.cluster(cluster);
        Ctx {
            old_ms: cluster.map_or(self.old_ms, |c| c.current_ms(group)),
            ..*self
        }
    }

    /// Nobody knows whether what was told then is still so.
    pub fn is_old(&self, at: Timestamp) -> bool {
        self.world.age_ms(at) > self.old_ms
    }

    /// Writes one line of text from `at`, at most `width` cells, and returns where it ended.
    /// Cut text ends in `…`; characters that could forge the screen are left out.
    pub fn put(
        &self,
        buf: &mut Buffer,
        at: (u16, u16),
        width: u16,
        text: &str,
        style: Style,
    ) -> u16 {
        let (mut x, y) = at;
        let area = buf.area;
        if y < area.top() || y >= area.bottom() || x < area.left() {
            return x;
        }
        let end = x.saturating_add(width).min(area.right());
        let mut last = None;
        for c in text.chars() {
            if text::is_unsafe(c) {
                continue;
            }
            let c = if self.ascii {
                widget::text::ascii_of(c)
            } else {
                c
            };
            let wide = u16::try_from(c.width().unwrap_or(0)).unwrap_or(0);
            if wide == 0 {
                continue;
            }
            if x + wide > end {
                let mark = if self.ascii { '~' } else { '…' };
                if let Some(cell) = last.and_then(|at| buf.cell_mut((at, y))) {
                    cell.set_char(mark);
                }
                return end;
            }
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.set_char(c).set_style(style);
            }
            for after in x + 1..x + wide {
                if let Some(cell) = buf.cell_mut((after, y)) {
                    cell.set_char(' ').set_style(style);
                }
            }
            last = Some(x);
            x += wide;
        }
        x
    }

    /// Blanks an area in the ground colour, for what lies over the screen.
    pub fn clear(&self, buf: &mut Buffer, area: Rect) {
        let area = area.intersection(buf.area);
        for position in area.positions() {
            if let Some(cell) = buf.cell_mut(position) {
                cell.reset();
                cell.set_style(self.theme.base);
            }
        }
    }

    /// Short name of the operator's zone at this time.
    pub fn zone_name(&self, at: Timestamp) -> String {
        self.time(at, "%Z")
    }

    /// `14:32 .. 15:32`; what is not within today with its days.
    pub fn span(&self, from: Timestamp, to: Timestamp) -> String {
        let within = self.is_today(from) && self.is_today(to);
        let format = if within { "%H:%M" } else { "%m-%d %H:%M" };
        format!("{} .. {}", self.time(from, format), self.time(to, format))
    }

    /// A time of day in the operator's zone: `14:32:07`.
    pub fn clock(&self, at: Timestamp) -> String {
        self.time(at, "%H:%M:%S")
    }

    /// `14:32`.
    pub fn minute(&self, at: Timestamp) -> String {
        self.time(at, "%H:%M")
    }

    /// `14:32`; of another day its date: `11-20`.
    pub fn minute_or_day(&self, at: Timestamp) -> String {
        self.time(at, if self.is_today(at) { "%H:%M" } else { "%m-%d" })
    }

    /// `14:32:07`; of another day with its date: `11-20 14:32`.
    pub fn clock_or_day(&self, at: Timestamp) -> String {
        let today = self.is_today(at);
        self.time(at, if today { "%H:%M:%S" } else { "%m-%d %H:%M" })
    }

    /// When the day began in the operator's zone.
    pub fn today(&self) -> Option<Timestamp> {
        let now = jiff::Timestamp::from_millisecond(self.world.now.0).ok()?;
        let start = now.to_zoned(self.zone.clone()).start_of_day().ok()?;
        Some(Timestamp(start.timestamp().as_millisecond()))
    }

    fn is_today(&self, at: Timestamp) -> bool {
        let ended = |start: Timestamp| start.plus_ms(86_400_000) <= at;
        self.today()
            .is_none_or(|start| start <= at && !ended(start))
    }

    /// `2026-11-21 UTC`.
    pub fn day(&self, at: Timestamp) -> String {
        self.time(at, "%F %Z")
    }

    fn time(&self, at: Timestamp, format: &str) -> String {
        jiff::Timestamp::from_millisecond(at.0)
            .map(|t| t.to_zoned(self.zone.clone()).strftime(format).to_string())
            .unwrap_or_else(|_| "?".into())
    }
}

/// The context for what only measures a screen's text: its looks and time zone do not matter.
pub fn measured<T>(world: &World, what: impl FnOnce(&Ctx<'_>) -> T) -> T {
    let theme = Theme::default();
    what(&Ctx {
        world,
        theme: &theme,
        ascii: false,
        zone: &jiff::tz::TimeZone::UTC,
        window: Window::HOUR,
        scope: None,
        focus: false,
        cursor: Cursor::default(),
        old_ms: crate::ui::view::common::STALE_MS,
    })
}

/// `[end - span, end]`; follows `world.now` when live.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub end: Option<Timestamp>,
    pub span_ms: i64,
}

impl Window {
    pub const HOUR: Self = Self {
        end: None,
        span_ms: 3_600_000,
    };

    /// From and to, in milliseconds of the wall clock.
    pub fn bounds(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let end = self.end.unwrap_or(now);
        (end.plus_ms(self.span_ms.saturating_neg()), end)
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::HOUR
    }
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
