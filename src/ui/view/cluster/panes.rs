//! The lists of the cluster screen, drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::{List, Tab};
use super::row::NodeFacts;
use super::rows::{Row, RowId};
use super::{Cluster, cell};
use crate::model::health::SourceKind;
use crate::state::world::ClusterState;
use crate::ui::Ctx;
use crate::ui::layout::split_bottom;
use crate::ui::view::{common, rights};
use crate::ui::widget::text::wrap;

impl Cluster {
    pub(super) fn draw_list(
        &self,
        ctx: &Ctx,
        (list, area): (List, Rect),
        buf: &mut Buffer,
        c: &ClusterState,
    ) {
        let focus = ctx.focus && self.list() == list;
        if list == List::Rights {
            return self.draw_rights(ctx, area, buf, c, focus);
        }
        let rows = self.rows(ctx.world, c, list);
        let title = self.title(list, rows.len(), c);
        let side = self.side(list);
        let inner = common::pane(ctx, area, buf, &title, side, focus);
        if rows.is_empty() {
            let (text, style) = self.nothing(ctx, list, c);
            ctx.put(buf, (inner.x, inner.y), inner.width, &text, style);
            return;
        }
        let held = match list {
            List::Nodes => NodeFacts::new(ctx.world, c),
            _ => NodeFacts::default(),
        };
        let ctx = Ctx { focus, ..*ctx };
        let columns = list.columns(self.tab == Tab::Only(List::Nodes));
        self.table(list).draw(
            &ctx,
            inner,
            buf,
            (columns, &rows),
            Row::id,
            |row, column| cell::cell(&ctx, &held, row, column),
        );
    }

    fn title(&self, list: List, shown: usize, c: &ClusterState) -> String {
        let of = |all: usize| match shown == all {
            true => format!("{all}"),
            false => format!("{shown} of {all}"),
        };
        match list {
            List::Problems => format!("Problems {shown}"),
            List::Nodes => format!("Nodes {}", of(c.nodes.len())),
            List::Pods => format!("Pods {}", of(c.pods.len())),
            List::Workloads => format!("Workloads {}", of(c.workloads.len())),
            List::Events if self.each_event => format!("Events {}", of(c.events.len())),
            List::Events => format!("Events {} in {shown} groups", c.events.len()),
            List::Operators => format!("Operators {}", of_operators(shown, c)),
            List::Capacity => "Capacity and blind spots".into(),
            List::Discovery => format!("Discovery {}", of(c.probes.len())),
            List::Sources => {
                let now_heard = c.sources.values();
                let live = now_heard
                    .filter(|h| h.fault().is_none() && h.last_ok.is_some())
                    .count();
                format!("Sources {live} of {} heard", c.sources.len())
            }
            List::Rights => "Identity and rights".into(),
        }
    }

    fn side(&self, list: List) -> &'static str {
        if self.single && self.tab == Tab::Overview {
            return match list {
                List::Problems => "Tab: nodes",
                List::Nodes => "Tab: events",
                List::Events => "Tab: sources",
                _ => "Tab: problems",
            };
        }
        match list {
            List::Events if self.each_event => "z: groups",
            List::Events => "z: each",
            _ if self.problems && self.tab != Tab::Overview => "! problems only",
            _ => "",
        }
    }

    /// Why a list is empty: none, not known, or not permitted.
    fn nothing(&self, ctx: &Ctx, list: List, c: &ClusterState) -> (String, ratatui::style::Style) {
        let muted = ctx.theme.muted;
        let unknown = |text: &str| (text.to_owned(), ctx.theme.unknown);
        if list == List::Sources {
            return ("no source is configured".into(), muted);
        }
        if list == List::Discovery && c.probes.is_empty() {
            return unknown("not yet looked");
        }
        let kinds = list.kinds();
        if let Some(text) = kinds.iter().find_map(|kind| rights::refused(c, *kind)) {
            return (text, ctx.theme.warn);
        }
        let listed = kinds.iter().any(|kind| c.is_listed(*kind)) || list.count(c).is_some();
        let heard = match c.sources.get(&SourceKind::Kubernetes) {
            None => return unknown("unknown: no kube context is configured for this cluster"),
            Some(h) if h.fault().is_some() && !listed => {
                return unknown("unknown: the Kubernetes API is not heard");
            }
            Some(h) => h.last_ok.is_some(),
        };
        if !self.table(list).filter_text().is_empty() {
            return ("nothing passes the filter".into(), muted);
        }
        match (list, listed, heard) {
            (List::Problems, true, _) => {
                ("nothing is wrong in what is listed".into(), ctx.theme.ok)
            }
            (List::Operators, false, true) => {
                ("none: this is no OpenShift, or not listed".into(), muted)
            }
            (_, true, _) => ("none".into(), muted),
            (_, false, true) => ("not listed yet".into(), muted),
            (_, false, false) => ("not heard yet".into(), muted),
        }
    }

    fn draw_rights(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState, focus: bool) {
        let inner = common::pane(ctx, area, buf, "Identity and rights", "", focus);
        let lines = rights::lines(ctx, c);
        let most = lines.len().saturating_sub(usize::from(inner.height));
        common::lines(ctx, inner, buf, &lines, self.skip.min(most));
    }

    pub(super) fn draw_detail(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let text = self
            .explain(ctx.world)
            .unwrap_or_else(|| "nothing chosen".into());
        let lines = wrap(&text, usize::from(area.width.saturating_sub(2)));
        let rows = u16::try_from(lines.len())
            .unwrap_or(u16::MAX)
            .saturating_add(2);
        let (_, area) = split_bottom(area, rows.min(area.height / 2).max(3));
        ctx.clear(buf, area);
        let inner = common::pane(ctx, area, buf, "Detail", "d closes", true);
        for (y, line) in (inner.y..inner.bottom()).zip(&lines) {
            ctx.put(buf, (inner.x, y), inner.width, line, ctx.theme.base);
        }
    }

    pub(super) fn table(&self, list: List) -> &crate::ui::widget::table::Table<RowId> {
        let table = self.tables.get(list as usize);
        table.unwrap_or(&self.spare)
    }
}

fn of_operators(shown: usize, c: &ClusterState) -> String {
    let shown = shown.saturating_sub(usize::from(c.version.is_some()));
    match shown >= c.operators.len() {
        true => c.operators.len().to_string(),
        false => format!("{shown} of {}", c.operators.len()),
    }
}
