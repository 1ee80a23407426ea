//! The lists of the fleet screen: clusters, open incidents, changes; and the detail over them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::group::{Grouping, Row};
use super::news::{self, News};
use super::{Fleet, Pane, cell, detail, row};
use crate::incident::Incident;
use crate::state::world::ClusterState;
use crate::ui::Ctx;
use crate::ui::view::common;
use crate::ui::widget::badge;
use crate::ui::widget::cell::Cell;
use crate::ui::widget::table::Column;

impl Fleet {
    pub(super) fn draw_clusters(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let (rows, shown) = self.rows(ctx.world);
        let total = ctx.world.clusters.len();
        let count = if shown == total {
            format!("{total}")
        } else {
            format!("{shown} of {total}")
        };
        let order = match self.clusters.order() {
            (None, false) => "sort risk ↓".to_owned(),
            (None, true) => "sort risk ↑".to_owned(),
            (Some(at), _) => format!("sort {}", row::COLUMNS.get(at).map_or("?", |c| c.title)),
        };
        let by = match &self.grouping {
            Grouping::Flat => String::new(),
            grouping => format!(" · by {}", grouping.word()),
        };
        let right = if self.problems { "! problems only" } else { "" };
        let focus = ctx.focus && self.pane == Pane::Clusters;
        let title = format!("Clusters {count} · {order}{by}");
        let inner = common::pane(ctx, area, buf, &title, right, focus);
        let all = Ctx {
            scope: None,
            ..*ctx
        };
        let mut columns = common::scoped(&all, &row::COLUMNS, 1);
        let grouped = self.grouping != Grouping::Flat;
        if grouped && let Some(name) = columns.get_mut(1) {
            // Names stand a cell further in; heads count what they hold.
            name.max = name.max.saturating_add(4);
        }
        let told = |of: fn(&ClusterState) -> bool| ctx.world.clusters.iter().any(of);
        for (place, some) in [
            (row::SITE, told(|c| row::site(c) != "—")),
            (row::ENVIRONMENT, told(|c| c.environment.is_some())),
        ] {
            if let Some(column) = columns.get_mut(place).filter(|_| !some) {
                *column = column.hidden();
            }
        }
        let ctx = Ctx { focus, ..*ctx };
        self.clusters.draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            Row::id,
            |row, column| cell::cell(&ctx, row, column, grouped),
        );
    }

    pub(super) fn draw_incidents(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer, narrow: bool) {
        let rows = self.open_incidents(ctx.world);
        let focus = ctx.focus && self.pane == Pane::Incidents;
        let side = if narrow { "Tab: changes" } else { "" };
        let muted = ctx.world.incidents.iter();
        let muted = muted.filter(|i| i.is_live() && i.is_muted(ctx.world.now));
        let title = match muted.count() {
            0 => format!("Open incidents {}", rows.len()),
            muted => format!("Open incidents {} · {muted} muted", rows.len()),
        };
        let inner = common::pane(ctx, area, buf, &title, side, focus);
        if rows.is_empty() {
            let heard = ctx.world.clusters.iter().any(|c| c.is_heard(ctx.world.now));
            let text = match heard {
                true => "none: nothing abnormal in what is heard",
                false => "unknown: no cluster is heard",
            };
            ctx.put(buf, (inner.x, inner.y), inner.width, text, ctx.theme.muted);
            return;
        }
        let columns = [
            Column::new("S", 1, 1),
            Column::new("INCIDENT", 8, 8),
            Column::new("CLUSTER", 10, 12).priority(1),
            Column::new("WHAT", 16, 200),
            Column::new("SINCE", 5, 5),
            Column::new("SCORE", 5, 5).priority(2),
        ];
        let ctx = Ctx {
            focus,
            scope: None,
            ..*ctx
        };
        let columns = common::scoped(&ctx, &columns, 2);
        self.incidents.draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            |i| i.id,
            |i, column| incident(&ctx, i, column),
        );
    }

    pub(super) fn draw_changes(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.recent(ctx.world);
        let focus = ctx.focus && self.pane == Pane::Changes;
        let count = match rows.len() {
            news::MOST => format!("the newest {}", news::MOST),
            count => count.to_string(),
        };
        let title = format!("Changes and warnings, 1h: {count}");
        let inner = common::pane(ctx, area, buf, &title, "", focus);
        if rows.is_empty() {
            let clusters = &ctx.world.clusters;
            let known = clusters
                .iter()
                .any(|c| !c.events.is_empty() || !c.changes.is_empty());
            let text = if known {
                "none in the last hour"
            } else {
                "no events heard (needs a kube context)"
            };
            ctx.put(buf, (inner.x, inner.y), inner.width, text, ctx.theme.muted);
            return;
        }
        let columns = [
            Column::new("TIME", 8, 8),
            Column::new("CLUSTER", 10, 16).priority(1),
            Column::new("WHAT", 16, 200),
        ];
        let ctx = Ctx {
            focus,
            scope: None,
            ..*ctx
        };
        let columns = common::scoped(&ctx, &columns, 1);
        self.changes.draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            News::id,
            |news, column| change(&ctx, news, column),
        );
    }

    pub(super) fn draw_detail(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let text = match self.pane {
            Pane::Clusters => self.row(ctx.world).map(|row| detail::text(ctx.world, &row)),
            Pane::Incidents => {
                let rows = self.open_incidents(ctx.world);
                let at = self.incidents.position(&rows, |i| i.id);
                let row = at.and_then(|at| rows.get(at));
                row.map(|i| {
                    let since = ctx.clock_or_day(i.opened);
                    format!(
                        "INC-{} since {since}  {}\nEnter opens it",
                        i.number, i.title
                    )
                })
            }
            Pane::Changes => {
                let rows = self.recent(ctx.world);
                let at = self.changes.position(&rows, News::id);
                let row = at.and_then(|at| rows.get(at));
                row.map(|news| {
                    let name = common::name(ctx.world, news.cluster);
                    format!("{} {name}\n{}", ctx.clock(news.at), news.text())
                })
            }
        };
        let text = text.unwrap_or_else(|| "nothing chosen".into());
        let most = area.height.saturating_sub(4);
        common::detail(ctx, area, buf, &text, most);
    }
}

fn incident<'a>(ctx: &Ctx<'a>, i: &'a Incident, column: usize) -> Cell<'a> {
    let (glyph, _, style) = badge::severity(ctx.theme, i.severity);
    match column {
        0 => Cell::new(glyph, style),
        1 => Cell::new(format!("INC-{}", i.number), ctx.theme.accent),
        2 => Cell::new(common::name(ctx.world, i.cluster), ctx.theme.base),
        3 => Cell::new(i.title.as_str(), ctx.theme.base),
        4 => Cell::new(ctx.minute_or_day(i.opened), ctx.theme.muted),
        _ => Cell::new(format!("{:.2}", i.score), style),
    }
}

fn change<'a>(ctx: &Ctx<'a>, news: &News<'a>, column: usize) -> Cell<'a> {
    let style = if news.is_warning() {
        ctx.theme.warn
    } else {
        ctx.theme.base
    };
    match column {
        0 => Cell::new(ctx.clock(news.at), ctx.theme.base),
        1 => Cell::new(common::name(ctx.world, news.cluster), ctx.theme.base),
        _ => Cell::new(news.text(), style),
    }
}
