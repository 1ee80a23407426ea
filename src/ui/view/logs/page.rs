//! Where the parts of the screen stand, which lines are in view, and where.

use ratatui::layout::Rect;

use super::Logs;
use super::stream::{Entry, LineId};
use crate::state::world::World;
use crate::ui::view::common::beside;

/// From this width on the detail stands beside the lines.
const WIDE: u16 = 100;

/// Where the parts stand.
pub struct Layout {
    pub query: Rect,
    pub lines: Rect,
    pub detail: Option<Rect>,
}

/// Lines in view, oldest first, and the place of the cursor among them.
pub struct Page<'a> {
    pub entries: Vec<Entry<'a>>,
    pub cursor: usize,
}

impl Logs {
    pub(super) fn layout(&self, area: Rect) -> Layout {
        let query_rows = if self.editing.is_open() || self.asked.is_some() || self.counted.is_some()
        {
            4
        } else {
            0
        };
        let query = Rect {
            height: query_rows.min(area.height),
            ..area
        };
        let rest = Rect {
            y: query.bottom(),
            height: area.height - query.height,
            ..area
        };
        let wanted = self.detail.unwrap_or(false) && self.shows_lines() && self.counted.is_none();
        let (lines, detail) = match wanted {
            false => (rest, None),
            true if area.width >= WIDE => beside(rest, WIDE, (area.width / 3).max(36)),
            true => (Rect { width: 0, ..rest }, Some(rest)),
        };
        Layout {
            query,
            lines,
            detail,
        }
    }

    /// Rows of lines in view, without border and strip.
    pub(super) fn page_rows(&self) -> usize {
        usize::from(self.layout(self.area).lines.height.saturating_sub(3)).max(1)
    }

    /// A page of `rows` lines: its end follows the newest line, or the cursor stands in its middle.
    pub(super) fn page<'a>(&'a self, world: &'a World, rows: usize) -> Page<'a> {
        let merged = self.merged(world);
        let Some(id) = &self.cursor else {
            let entries = merged.before(None, rows);
            let cursor = entries.len().saturating_sub(1);
            return Page { entries, cursor };
        };
        let mut above = merged.before(Some(id), rows);
        let mut below = merged.after(id, rows);
        let here = merged.find(id);
        let own = usize::from(here.is_some());
        let most_above = (rows / 2).max(rows.saturating_sub(below.len() + own));
        if above.len() > most_above {
            above.drain(..above.len() - most_above);
        }
        below.truncate(rows.saturating_sub(above.len() + own));
        let cursor = above.len();
        above.extend(here);
        above.extend(below);
        Page {
            cursor: cursor.min(above.len().saturating_sub(1)),
            entries: above,
        }
    }
}

/// The line at a place of the screen.
pub fn at(view: &Logs, world: &World, column: u16, row: u16) -> Option<LineId> {
    let area = view.layout(view.area).lines;
    let inside = Rect {
        x: area.x + 1,
        y: area.y.saturating_add(2),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(3),
    };
    if view.wrap || !inside.contains((column, row).into()) {
        return None;
    }
    let page = view.page(world, usize::from(inside.height));
    page.entries.get(usize::from(row - inside.y)).map(Entry::id)
}
