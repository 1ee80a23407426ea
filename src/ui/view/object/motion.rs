//! Moving, finding and copying in the text of an object.

use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};

use super::body::Body;
use super::{ObjectView, Tab, Visit};
use crate::command::Command;
use crate::model::object::ObjectKey;
use crate::state::world::World;
use crate::ui::widget::filter::Filter;
use crate::ui::{Ctx, measured};

/// Columns a step to the side moves.
const STEP: usize = 8;
/// Rows that `J` and `K` scroll.
const SCROLL: isize = 5;

/// The line without its first columns.
pub fn shifted(line: Line<'static>, by: usize) -> Line<'static> {
    if by == 0 {
        return line;
    }
    let mut left = by;
    let spans = line.spans.into_iter().map(|span| {
        let count = span.content.chars().count();
        let skip = left.min(count);
        left -= skip;
        let rest: String = span.content.chars().skip(skip).collect();
        Span::styled(rest, span.style)
    });
    Line::from(spans.collect::<Vec<_>>())
}

impl ObjectView {
    /// The rows, for what needs their number and text only.
    fn with_body<T>(&self, world: &World, what: impl FnOnce(&Body<'_>, &Ctx<'_>) -> T) -> T {
        measured(world, |ctx| what(&self.body(ctx), ctx))
    }

    /// The place of the text: without border and tabs.
    fn room(&self) -> Rect {
        let inner = self.area.inner(Margin::new(1, 1));
        Rect {
            height: inner.height.saturating_sub(1).max(1),
            width: inner.width.max(1),
            ..inner
        }
    }

    /// The first row of the last page.
    pub(super) fn last_top(&self, body: &Body<'_>, ctx: &Ctx<'_>, area: Rect) -> usize {
        let columns = usize::from(area.width);
        let mut room = usize::from(area.height);
        let mut top = body.len();
        while top > 0 {
            let rows = match self.wraps() {
                true => body.lines(ctx, top - 1, columns, true).len().max(1),
                false => 1,
            };
            if rows > room {
                break;
            }
            room -= rows;
            top -= 1;
        }
        top.min(body.len().saturating_sub(1))
    }

    /// True: the command moved, or looked for something.
    pub(super) fn moved(&mut self, command: &Command, world: &World) -> bool {
        let room = self.room();
        let view = usize::from(room.height);
        let page = view as isize;
        let (by, cursor) = match command {
            Command::Up => (-1, true),
            Command::Down => (1, true),
            Command::PageUp => (-page, true),
            Command::PageDown => (page, true),
            Command::Top => (isize::MIN / 2, true),
            Command::Bottom => (isize::MAX / 2, true),
            Command::ScrollUp => (-SCROLL, false),
            Command::ScrollDown => (SCROLL, false),
            other => return self.sideways(other, world),
        };
        let (count, last) = self.with_body(world, |b, ctx| (b.len(), self.last_top(b, ctx, room)));
        let Some(visit) = &mut self.visit else {
            return true;
        };
        if cursor && visit.tab == Tab::Owners {
            let most = count.saturating_sub(1);
            visit.cursor = visit.cursor.saturating_add_signed(by).min(most);
            follow(visit, view, last);
        } else {
            visit.top = visit.top.min(last).saturating_add_signed(by).min(last);
        }
        true
    }

    fn sideways(&mut self, command: &Command, world: &World) -> bool {
        match command {
            Command::Right if !self.wraps() => {
                let most = self.with_body(world, |body, _| body.widest());
                let most = most.saturating_sub(usize::from(self.room().width));
                if let Some(visit) = &mut self.visit {
                    visit.shift = (visit.shift + STEP).min(most.next_multiple_of(STEP));
                }
            }
            Command::Left => {
                if let Some(visit) = &mut self.visit {
                    visit.shift = visit.shift.saturating_sub(STEP);
                }
            }
            Command::Find(text) => {
                self.set_find(text);
                self.found_now = true;
                let top = self.visit.as_ref().map_or(0, |v| v.top);
                self.go_to_match(world, top, true);
            }
            // Enter after typing: the first match is in view already.
            Command::PreviousMatch if std::mem::take(&mut self.found_now) => {}
            Command::PreviousMatch => {
                let top = self.visit.as_ref().map_or(0, |v| v.top);
                self.go_to_match(world, top, false);
            }
            Command::NextMatch => {
                self.found_now = false;
                let top = self.visit.as_ref().map_or(0, |v| v.top);
                self.go_to_match(world, top + 1, true);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn set_find(&mut self, text: &str) {
        self.find = Filter::parse(text);
        text.clone_into(&mut self.find_text);
        self.found_now = false;
    }

    pub(super) fn matches_row(&self, body: &Body<'_>, at: usize) -> bool {
        !self.find.is_empty() && self.find.matches_text(&body.text(at))
    }

    /// `3 found`, while something is looked for.
    pub(super) fn matches_told(&self, body: &Body<'_>) -> String {
        if self.find.is_empty() {
            return String::new();
        }
        let count = (0..body.len())
            .filter(|at| self.matches_row(body, *at))
            .count();
        format!("find {:?}: {count}", self.find_text)
    }

    /// The match at or after `from`, or the one before it; round the end.
    fn go_to_match(&mut self, world: &World, from: usize, forward: bool) {
        let found = self.with_body(world, |body, _| {
            let all: Vec<usize> = (0..body.len())
                .filter(|at| self.matches_row(body, *at))
                .collect();
            let next = match forward {
                true => all.iter().find(|at| **at >= from).or(all.first()),
                false => all.iter().rev().find(|at| **at < from).or(all.last()),
            };
            next.copied()
        });
        if let (Some(at), Some(visit)) = (found, &mut self.visit) {
            visit.top = at;
            visit.cursor = at;
        }
    }

    /// The object under the cursor, among the owners.
    pub(super) fn target(&self, world: &World) -> Option<ObjectKey> {
        let at = self.visit.as_ref()?.cursor;
        self.with_body(world, |body, _| body.target(at).cloned())
    }

    /// What `yy` copies: the row under the cursor, else the whole text.
    pub(super) fn copied(&self, world: &World) -> Option<String> {
        let visit = self.visit.as_ref()?;
        let text = self.with_body(world, |body, _| match visit.tab {
            Tab::Owners => body.text(visit.cursor),
            _ => {
                let lines: Vec<String> = (0..body.len()).map(|at| body.text(at)).collect();
                lines.join("\n")
            }
        });
        Some(text)
    }
}

/// Keeps the cursor in view.
fn follow(visit: &mut Visit, view: usize, last: usize) {
    if visit.cursor < visit.top {
        visit.top = visit.cursor;
    } else if visit.cursor >= visit.top + view {
        visit.top = (visit.cursor + 1)
            .saturating_sub(view)
            .min(last.max(visit.cursor));
    }
}
