//! The list of incidents.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Incidents, Part, people};
use crate::incident::Incident;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{ago, empty, focused, name, pane, scoped};
use crate::ui::widget::badge;
use crate::ui::widget::table::Column;

const LIST: [Column; 7] = [
    Column::new("S", 1, 1),
    Column::new("ID", 6, 8),
    Column::new("CLUSTER", 10, 14),
    Column::new("STATE", 10, 10).priority(2),
    Column::new("SINCE", 5, 6),
    Column::new("SCORE", 5, 5).priority(1).right(),
    Column::new("WHAT", 20, 120),
];

impl Incidents {
    pub(super) fn rows<'a>(&self, world: &'a World) -> Vec<&'a Incident> {
        if self.kept.shown {
            // The archive did the choosing; what it found for another question is no answer.
            let past = world.past.iter().filter(|_| self.kept.answered.is_some());
            return past
                .filter(|i| self.scope.is_none_or(|s| s == i.cluster))
                .collect();
        }
        world
            .incidents
            .iter()
            .filter(|i| self.scope.is_none_or(|s| s == i.cluster))
            .filter(|i| !self.open_only || i.is_live())
            .filter(|i| {
                let id = format!("INC-{}", i.number);
                let fields = [
                    ("title", i.title.as_str()),
                    ("id", id.as_str()),
                    ("cluster", name(world, i.cluster)),
                    ("severity", i.severity.word()),
                ];
                self.list.filter().matches(&fields)
            })
            .collect()
    }

    fn why_empty(&self, world: &World) -> String {
        if self.kept.shown {
            return match &self.kept.answered {
                None => "the archive has not answered (a recording has none)".into(),
                Some(words) if words.is_empty() => "no ended incident is kept yet".into(),
                Some(words) => format!("no kept incident holds `{words}` (Esc clears it)"),
            };
        }
        let here = |i: &&Incident| self.scope.is_none_or(|s| s == i.cluster);
        match world.incidents.iter().filter(here).count() {
            0 => "no incident: no detector has found anything it is sure of".into(),
            _ if !self.list.filter_text().is_empty() => {
                "no incident matches the filter (Esc clears it)".into()
            }
            n => format!("no open incident, {n} resolved (! shows all)"),
        }
    }

    pub(super) fn draw_list(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let open = rows.iter().filter(|i| i.is_live()).count();
        let title = match self.kept.shown {
            true => self.kept_title(rows.len()),
            false => format!("Incidents: {open} open of {}", rows.len()),
        };
        let here = self.part == Part::List;
        let chosen = ctx.world.sensitivity.words().len();
        let said = match chosen {
            0 => None,
            1 => Some("sensitivity: 1 not default (gs)".to_owned()),
            n => Some(format!("sensitivity: {n} not default (gs)")),
        };
        let open = self.open_only.then(|| "open only".to_owned());
        // The pane of the chosen one says why.
        let unheard = people::unheard(ctx).map(|(text, _)| text);
        let right: Vec<String> = open.into_iter().chain(said).chain(unheard).collect();
        let inner = pane(ctx, area, buf, &title, &right.join(" · "), here);
        if rows.is_empty() {
            empty(ctx, inner, buf, &self.why_empty(ctx.world));
            return;
        }
        self.list.draw(
            &focused(ctx, here),
            inner,
            buf,
            (&scoped(ctx, &LIST, 2), &rows),
            |i| i.id,
            |incident, column| list_cell(ctx, incident, column),
        );
    }
}

fn list_cell<'a>(ctx: &Ctx<'a>, incident: &'a Incident, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let over = !incident.is_live();
    let base = if over { theme.muted } else { theme.base };
    let (glyph, _, style) = badge::severity(theme, incident.severity);
    match column {
        0 if over => Line::styled("✓", theme.muted),
        0 => Line::styled(glyph, style),
        1 => Line::styled(format!("INC-{}", incident.number), base),
        2 => Line::styled(name(ctx.world, incident.cluster), base),
        3 => Line::styled(incident.word(ctx.world.now), base),
        4 => Line::styled(ago(ctx.world, incident.opened), base),
        5 => Line::styled(format!("{:.2}", incident.score), base),
        _ => Line::styled(incident.title.as_str(), base),
    }
}
