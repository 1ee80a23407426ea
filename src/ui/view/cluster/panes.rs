//! The four tables of a cluster: sources, nodes, pods and events.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Areas, Cluster, Pane, row, source};
use crate::model::object::{Event, Pod};
use crate::state::world::ClusterState;
use crate::ui::Ctx;
use crate::ui::view::common;
use crate::ui::widget::table::Column;

impl Cluster {
    pub(super) fn draw_tables(&self, ctx: &Ctx, areas: Areas, buf: &mut Buffer, c: &ClusterState) {
        if let Some(area) = areas.sources {
            self.draw_sources(ctx, area, buf, c);
        }
        if let Some(area) = areas.nodes {
            self.draw_nodes(ctx, area, buf, c);
        }
        if let Some(area) = areas.problems {
            self.draw_pods(ctx, area, buf, c);
        }
        if let Some(area) = areas.events {
            self.draw_events(ctx, area, buf, c);
        }
    }

    fn draw_sources(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState) {
        let focus = ctx.focus && self.pane == Pane::Sources;
        let rows: Vec<_> = c.sources.iter().collect();
        let live = rows
            .iter()
            .filter(|(_, h)| h.fault().is_none() && h.last_ok.is_some())
            .count();
        let title = format!("Sources {live} of {} heard", rows.len());
        let inner = common::pane(ctx, area, buf, &title, "", focus);
        let columns = [
            Column::new("S", 1, 1),
            Column::new("SOURCE", 12, 14),
            Column::new("STATE", 10, 10),
            Column::new("LATENCY", 7, 8).priority(3).right(),
            Column::new("LAST OK", 7, 9).priority(1).right(),
            Column::new("VERSION", 8, 12).priority(4),
            Column::new("RETRY", 6, 10).priority(2),
            Column::new("WHY, AND WHAT TO TRY", 26, 300),
        ];
        let ctx = Ctx { focus, ..*ctx };
        self.sources.draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            |(kind, _)| **kind,
            |(kind, h), column| source::cell(&ctx, **kind, h, column),
        );
    }

    fn draw_nodes(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState) {
        let focus = ctx.focus && self.pane == Pane::Nodes;
        let rows = self.node_rows(c);
        let side = if self.single { "Tab: events" } else { "" };
        let title = format!("Nodes {}", row::shown(rows.len(), c.nodes.len()));
        let inner = common::pane(ctx, area, buf, &title, side, focus);
        if row::nothing(ctx, inner, buf, c, c.nodes.is_empty()) {
            return;
        }
        let columns = [
            Column::new("S", 1, 1),
            Column::new("NODE", 10, 32),
            Column::new("ROLE", 6, 14).priority(3),
            Column::new("CPU", 5, 6).priority(1).right(),
            Column::new("MEM", 5, 6).priority(1).right(),
            Column::new("PODS", 4, 5).priority(2).right(),
            Column::new("KUBELET", 8, 14).priority(4),
            Column::new("NOTE", 8, 80),
        ];
        let ctx = Ctx { focus, ..*ctx };
        let held = row::NodeFacts::new(ctx.world, c);
        self.nodes.draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            |n| n.name.clone(),
            |n, column| row::node(&ctx, &held, n, column),
        );
    }

    fn draw_pods(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState) {
        let focus = ctx.focus && self.pane == Pane::Problems;
        let rows = self.pod_rows(c);
        let what = if self.all_pods {
            "Pods"
        } else {
            "Problem pods"
        };
        let side = if self.single {
            "Tab: nodes"
        } else {
            "m: all or problems"
        };
        let title = format!("{what} {}", row::shown(rows.len(), c.pods.len()));
        let inner = common::pane(ctx, area, buf, &title, side, focus);
        if row::nothing(ctx, inner, buf, c, c.pods.is_empty()) {
            return;
        }
        if rows.is_empty() {
            ctx.put(
                buf,
                (inner.x, inner.y),
                inner.width,
                "every pod is well",
                ctx.theme.ok,
            );
            return;
        }
        let columns = [
            Column::new("S", 1, 1),
            Column::new("POD", 18, 40),
            Column::new("STATE", 16, 22),
            Column::new("RESTARTS", 8, 8).priority(1).right(),
            Column::new("READY", 5, 5).priority(2),
            Column::new("SINCE", 5, 5).priority(3).right(),
            Column::new("NODE", 8, 24).priority(4),
        ];
        let ctx = Ctx { focus, ..*ctx };
        let id = |p: &&Pod| (p.namespace.clone(), p.name.clone());
        self.pods
            .draw(&ctx, inner, buf, (&columns, &rows), id, |p, column| {
                row::pod(&ctx, p, column)
            });
    }

    fn draw_events(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState) {
        let focus = ctx.focus && self.pane == Pane::Events;
        let rows = self.event_rows(c);
        let side = if self.single { "Tab: problem pods" } else { "" };
        let title = format!("Events {}", row::shown(rows.len(), c.events.len()));
        let inner = common::pane(ctx, area, buf, &title, side, focus);
        if row::nothing(ctx, inner, buf, c, c.events.is_empty()) {
            return;
        }
        let columns = [
            Column::new("TIME", 8, 8),
            Column::new("REASON", 12, 24),
            Column::new("OBJECT", 12, 40).priority(1),
            Column::new("N", 3, 5).priority(2).right(),
            Column::new("MESSAGE", 16, 300),
        ];
        let ctx = Ctx { focus, ..*ctx };
        let id = |e: &&Event| (e.namespace.clone(), e.name.clone());
        self.events
            .draw(&ctx, inner, buf, (&columns, &rows), id, |e, column| {
                row::event(&ctx, e, column)
            });
    }
}
