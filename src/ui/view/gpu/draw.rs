//! The panes of the screen, and why one is empty.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::map::{Id, Scale};
use super::order::{self, Order, Row};
use super::{Gpu, Mode, Part, detail, holders, map, model, served, table};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{clusters, empty, focused, pane};

impl Gpu {
    pub(super) fn draw_devices(
        &self,
        ctx: &Ctx<'_>,
        rows: &[Row<'_>],
        area: Rect,
        buf: &mut Buffer,
    ) {
        let here = self.part == Part::Devices;
        let inside = focused(ctx, here);
        if self.mode == Mode::Holders {
            let all = self.holders(ctx.world);
            let inner = pane(ctx, area, buf, &holders::title(&all), "s sort", here);
            match all.is_empty() {
                true => empty(ctx, inner, buf, &self.why_no_holder(ctx.world)),
                false => holders::draw(&inside, inner, buf, &all, &self.held),
            }
            return;
        }
        let unheld: usize = clusters(ctx.world, self.scope).map(|c| c.unheld()).sum();
        let sum = map::sum(rows, self.problems, unheld);
        let inner = pane(ctx, area, buf, &map::title(rows), &sum, here);
        if rows.is_empty() {
            empty(ctx, inner, buf, &self.why_empty(ctx.world));
            return;
        }
        if self.mode == Mode::Table {
            table::draw(&inside, inner, buf, &table::rows(rows), &self.devices);
            return;
        }
        let current = self.current(rows).map(|(c, g)| Id::of(c, g));
        let scale = Scale::of(self.measure, self.order, rows);
        map::draw(&inside, inner, buf, (rows, scale), current.as_ref());
    }

    fn why_empty(&self, world: &World) -> String {
        let known = order::rows(world, self.scope, Order::Node, self.measure).len();
        if known > 0 && self.filter_text.is_empty() {
            return format!("no trouble told of the devices of {known} nodes (! shows all)");
        }
        if known > 0 {
            return "no node matches (Esc clears the filter)".into();
        }
        let heard = clusters(world, self.scope).any(|c| c.last_sample.is_some());
        match heard {
            true => {
                "no GPU metric: no DCGM, AMD or Intel exporter is known to the sources of the scope"
                    .into()
            }
            false => "nothing known yet: no metric source of the scope has answered".into(),
        }
    }

    fn why_no_holder(&self, world: &World) -> String {
        let some = clusters(world, self.scope).any(|c| !c.gpus.is_empty());
        match (some, self.filter_text.is_empty()) {
            (_, false) => "no pod matches (Esc clears the filter)".into(),
            (true, true) if self.problems => {
                "no pod wastes a GPU or holds a broken one (! shows all)".into()
            }
            (true, true) => {
                "no pod holds a GPU, as far as the exporters' labels and Kubernetes tell".into()
            }
            (false, true) => self.why_empty(world),
        }
    }

    pub(super) fn draw_detail(
        &self,
        ctx: &Ctx<'_>,
        rows: &[Row<'_>],
        models: &[served::Row<'_>],
        (area, buf): (Rect, &mut Buffer),
    ) {
        let model = self.model(models).filter(|_| self.part == Part::Serving);
        if let Some(model) = model {
            let title = model::title(ctx.world, model);
            let inner = pane(ctx, area, buf, &title, "d", false);
            let text = model::lines(ctx, model, usize::from(inner.width));
            self.scroll.draw(ctx, inner, buf, &text);
            return;
        }
        let Some((cluster, gpu)) = self.current(rows) else {
            let inner = pane(ctx, area, buf, "device", "d", false);
            empty(ctx, inner, buf, "no device");
            return;
        };
        let title = detail::title(ctx.world, cluster, gpu);
        let inner = pane(ctx, area, buf, &title, "d", false);
        let text = detail::lines(ctx, cluster, gpu, usize::from(inner.width));
        self.scroll.draw(ctx, inner, buf, &text);
    }
}
