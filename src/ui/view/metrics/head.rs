//! The query above the picture: its editor, or how it went.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Metrics;
use crate::model::combine::Combine;
use crate::model::fault::Fault;
use crate::ui::Ctx;
use crate::ui::panel::status;
use crate::ui::view::common::lines;
use crate::ui::view::editing::Shown as Query;
use crate::ui::widget::field::Field;

impl Metrics {
    pub(super) fn draw_head(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let Some(asked) = &self.asked else {
            return self.editing.draw(ctx, area, buf, &Query::default());
        };
        let how = match self.combine {
            Combine::Merge => String::new(),
            how => format!(" · {} (F)", how.word()),
        };
        let faults: Vec<&Fault> = asked.faults().collect();
        let mut warnings: Vec<&str> = Vec::new();
        for warning in asked.parts.iter().flat_map(|p| &p.warnings) {
            if !warnings.contains(&warning.as_str()) {
                warnings.push(warning);
            }
        }
        let live = ctx.window.end.is_none();
        let query = Query {
            title: "promql (o edit)",
            status: &format!("{} (@){how}", self.choice.word(self.scope)),
            told: &status::line(asked, self.every_ms(), live),
            text: &asked.query,
            faults: &faults,
            warnings: &warnings,
        };
        self.editing.draw(ctx, area, buf, &query);
    }
}

/// The text being edited with its cursor; a long text is moved so that the cursor is seen.
pub fn draw_field(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, field: &Field) {
    let room = usize::from(area.width.saturating_sub(3)).max(1);
    let (skip, _) = field.in_view(room);
    let before: String = field
        .text()
        .chars()
        .skip(skip)
        .take(field.cursor() - skip)
        .collect();
    let at: String = field.text().chars().skip(field.cursor()).take(1).collect();
    let after: String = field.text().chars().skip(field.cursor() + 1).collect();
    let cursor = if at.is_empty() { " ".to_owned() } else { at };
    let line = Line::from(vec![
        Span::styled("› ", ctx.theme.key),
        Span::styled(before, ctx.theme.base),
        Span::styled(cursor, ctx.theme.selected),
        Span::styled(after, ctx.theme.base),
    ]);
    lines(ctx, area, buf, &[line], 0);
}
