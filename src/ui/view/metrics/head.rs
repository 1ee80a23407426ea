//! The query above the picture: its editor, or how it went.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Metrics;
use crate::model::combine::Combine;
use crate::model::fault::Fault;
use crate::ui::Ctx;
use crate::ui::panel::status;
use crate::ui::view::editing::Shown as Query;

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
        let every = self.every_ms().filter(|_| ctx.window.end.is_none());
        let query = Query {
            title: "promql (o edit)",
            status: &format!("{} (@){how}", self.choice.word(self.scope)),
            told: &status::line(asked, &self.picture, every),
            text: &asked.query,
            faults: &faults,
            warnings: &warnings,
        };
        self.editing.draw(ctx, area, buf, &query);
    }
}
