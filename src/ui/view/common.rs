//! What the views share: a cursor that stays on its row, and how ages, readings and panes are
//! written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::command::Command;
use crate::model::alert::Severity;
use crate::model::sample::Sample;
use crate::model::time::Timestamp;
use crate::model::unit::{Unit, age};
use crate::ui::widget::text::{Pane, first_row};
use crate::ui::{Ctx, Theme};

/// The cursor of a list: bound to what is selected, not to its place.
#[derive(Clone, Debug)]
pub struct Pick<K> {
    key: Option<K>,
    /// Where it stood, for when its row is gone.
    place: usize,
}

impl<K> Default for Pick<K> {
    fn default() -> Self {
        Self {
            key: None,
            place: 0,
        }
    }
}

impl<K: PartialEq + Clone> Pick<K> {
    pub fn index(&self, keys: &[K]) -> usize {
        self.key
            .as_ref()
            .and_then(|key| keys.iter().position(|k| k == key))
            .unwrap_or(self.place)
            .min(keys.len().saturating_sub(1))
    }

    pub fn set(&mut self, key: K) {
        self.key = Some(key);
    }

    pub fn is_set(&self) -> bool {
        self.key.is_some()
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Moves by a list command; false if it is none.
    pub fn step(&mut self, command: &Command, keys: &[K]) -> bool {
        let now = self.index(keys);
        let last = keys.len().saturating_sub(1);
        let to = match command {
            Command::Up => now.saturating_sub(1),
            Command::Down => now + 1,
            Command::PageUp => now.saturating_sub(PAGE),
            Command::PageDown => now + PAGE,
            Command::Top => 0,
            Command::Bottom => last,
            _ => return false,
        };
        self.go(to.min(last), keys);
        true
    }

    pub fn go(&mut self, index: usize, keys: &[K]) {
        self.place = index;
        self.key = keys.get(index).cloned();
    }
}

/// Rows a page key moves; screens differ, a step that is always alike is learnt by hand.
const PAGE: usize = 10;

/// Rows of a list that fit, with the selected one among them: (first, count).
pub fn visible(selected: usize, len: usize, height: u16) -> (usize, usize) {
    let height = usize::from(height);
    (first_row(selected, len, height), height.min(len))
}

/// A pane in the colours of the theme; gives its inside.
pub fn pane(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    title: &str,
    right: &str,
    focus: bool,
) -> Rect {
    Pane {
        title,
        right,
        border: if focus {
            ctx.theme.border_focus
        } else {
            ctx.theme.border
        },
        title_style: ctx.theme.title,
    }
    .draw(area, buf)
}

/// Glyph and style of a severity.
pub fn severity(theme: &Theme, severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Critical => ("✗", theme.crit),
        Severity::Warning => ("▲", theme.warn),
        Severity::Info => ("●", theme.muted),
    }
}

/// A reading is old when nothing newer came for longer than this, milliseconds.
pub const STALE_MS: u64 = 60_000;

/// Value with unit, or `n/a`; dimmed and with its age when it is old.
pub fn reading(ctx: &Ctx<'_>, sample: Option<Sample>, unit: Unit, style: Style) -> (String, Style) {
    let Some(sample) = sample else {
        return ("n/a".into(), ctx.theme.muted);
    };
    let old = ctx.world.now.age_since_ms(sample.at);
    let text = unit.write(sample.value);
    if old > STALE_MS {
        (format!("{text} {}~", age(old)), ctx.theme.muted)
    } else {
        (text, style)
    }
}

pub fn is_stale(now: Timestamp, sample: Sample) -> bool {
    now.age_since_ms(sample.at) > STALE_MS
}

/// How long ago, as `12m`.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    age(now.age_since_ms(at))
}

/// Style of the n-th curve.
pub fn series_style(theme: &Theme, index: usize) -> Style {
    if theme.series.is_empty() {
        return theme.base;
    }
    let color = theme.series.get(index % theme.series.len()).copied();
    color.map_or(theme.base, |c| theme.base.fg(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_follows_its_row() {
        let mut pick = Pick::default();
        assert!(pick.step(&Command::Down, &["a", "b", "c"]));
        assert_eq!(pick.index(&["a", "b", "c"]), 1);
        assert_eq!(pick.index(&["b", "a", "c"]), 0, "the row moved");
        assert_eq!(pick.index(&["a", "c"]), 1, "the row is gone");
        assert_eq!(pick.index(&[]), 0);
        assert!(!pick.step(&Command::Open, &["a"]));
    }
}
