//! What is drawn of a board: its variables, its panels, the choice over them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::board::Board;
use super::empty;
use super::grid::{Spot, height};
use super::values::Value;
use crate::ui::Ctx;
use crate::ui::view::common::lines;
use crate::ui::widget::text::width;

/// Rows above the panels: the name of the board with its variables.
pub const ROWS: u16 = 1;

impl Board {
    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        self.draw_head(ctx, area, buf);
        let body = self.body();
        if self.panels.is_empty() {
            empty(ctx, body, buf, "this dashboard has no panels");
        } else if let (true, Some(panel)) = (self.whole, self.panel()) {
            panel.draw(ctx, body, buf, true);
        } else {
            for spot in &self.spots {
                self.draw_spot(ctx, *spot, body, buf);
            }
        }
        if let Some(choosing) = &self.choosing {
            choosing.draw(ctx, area, buf);
        }
    }

    fn draw_head(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let theme = ctx.theme;
        let mut parts = vec![Span::styled(format!(" {} ", self.board.name), theme.title)];
        for (number, value) in self.values.all.iter().enumerate() {
            let here = self.variable == Some(number);
            let style = match (here, value.fault.is_some() && value.chosen.is_empty()) {
                (true, _) => theme.selected,
                (_, true) => theme.crit,
                _ => theme.base,
            };
            parts.push(Span::styled(
                format!(" {} ", value.variable.title()),
                theme.muted,
            ));
            parts.push(Span::styled(value_word(value), style));
        }
        let line = Line::from(parts);
        let seen = self.seen();
        let row = Rect { height: 1, ..area };
        lines(ctx, row, buf, &[line], 0);
        let columns = u16::try_from(width(&seen)).unwrap_or(0);
        if columns + 40 < area.width {
            let x = area.right().saturating_sub(columns + 1);
            ctx.put(buf, (x, area.y), columns, &seen, theme.muted);
        }
    }

    /// Which part of the board is in view.
    fn seen(&self) -> String {
        let body = self.body().height;
        let all = height(&self.spots);
        match (self.whole, all > body) {
            (true, _) => format!("panel {} of {}", self.at + 1, self.panels.len()),
            (false, true) => {
                let to = self.top.saturating_add(body).min(all);
                format!("rows {}–{to} of {all}", self.top + 1)
            }
            (false, false) => format!("{} panels", self.panels.len()),
        }
    }

    /// A panel that stands over the edge is drawn whole and then cut.
    fn draw_spot(&self, ctx: &Ctx<'_>, spot: Spot, body: Rect, buf: &mut Buffer) {
        let from = i32::from(spot.area.y) - i32::from(self.top);
        let to = from + i32::from(spot.area.height);
        if to <= 0 || from >= i32::from(body.height) {
            return;
        }
        let x = body.x + spot.area.x;
        if from >= 0 && to <= i32::from(body.height) {
            let y = body.y + u16::try_from(from).unwrap_or(0);
            let area = Rect { x, y, ..spot.area };
            return self.draw_one(ctx, spot, area, buf);
        }
        let own = Rect {
            x,
            y: 0,
            ..spot.area
        };
        let mut aside = Buffer::empty(own);
        self.draw_one(ctx, spot, own, &mut aside);
        for row in 0..own.height {
            let at = i32::from(row) + from;
            let Some(y) = u16::try_from(at).ok().filter(|y| *y < body.height) else {
                continue;
            };
            for column in own.left()..own.right() {
                let cell = aside.cell((column, row)).cloned();
                if let (Some(cell), Some(place)) = (cell, buf.cell_mut((column, body.y + y))) {
                    *place = cell;
                }
            }
        }
    }

    fn draw_one(&self, ctx: &Ctx<'_>, spot: Spot, area: Rect, buf: &mut Buffer) {
        match spot.panel {
            Some(number) => {
                let here = number == self.at && self.variable.is_none() && self.choosing.is_none();
                if let Some(panel) = self.panels.get(number) {
                    panel.draw(ctx, area, buf, here);
                }
            }
            None => {
                let text = self.heading(spot);
                ctx.put(buf, (area.x + 1, area.y), area.width, text, ctx.theme.title);
            }
        }
    }

    /// The section whose first panel follows.
    fn heading(&self, spot: Spot) -> &str {
        let mut after = self.spots.iter().skip_while(|s| **s != spot).skip(1);
        let panel = after.find_map(|s| s.panel);
        let panel = panel.and_then(|n| self.panels.get(n));
        panel.map_or("", |p| p.panel.section.as_str())
    }

    /// Where time runs from left to right.
    pub fn plots(&self) -> Vec<Rect> {
        let body = self.body();
        if self.choosing.is_some() {
            return Vec::new();
        }
        if self.whole {
            return self
                .panel()
                .and_then(|p| p.plot(body))
                .into_iter()
                .collect();
        }
        let inside = |spot: &Spot| {
            let y = spot.area.y.checked_sub(self.top)?;
            let area = Rect {
                x: body.x + spot.area.x,
                y: body.y + y,
                ..spot.area
            };
            (area.bottom() <= body.bottom()).then_some(area)
        };
        let plot = |spot: &Spot| self.panels.get(spot.panel?)?.plot(inside(spot)?);
        self.spots.iter().filter_map(plot).collect()
    }
}

fn value_word(value: &Value) -> String {
    let more = if value.cut { "≥" } else { "" };
    match value.offered.len() {
        0 | 1 => value.word(),
        n => format!("{} ({more}{n})", value.word()),
    }
}
