//! GPUs of the fleet: a heat map of nodes, the chosen device, and the models served on them.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{above, beside, clusters, empty, focused, inside, pane};
use super::scroll::Scroll;
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::id::ClusterId;
use crate::model::serving::Serving;
use crate::state::world::World;
use crate::ui::widget::filter::Filter;
use crate::ui::widget::table::Table;

mod detail;
mod map;
mod motion;
mod past;
mod serving;
mod table;

use map::{Id, NodeRow};

/// From this width on the device stands beside the map.
const WIDE: u16 = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Devices,
    Serving,
}

#[derive(Debug, Default)]
pub struct Gpu {
    chosen: Option<Id>,
    /// A table of devices instead of the map.
    devices: Table<Id>,
    as_table: bool,
    serving: Table<(ClusterId, String, String)>,
    part: Part,
    scope: Option<ClusterId>,
    filter_text: String,
    filter: Filter,
    problems: bool,
    detail: Option<bool>,
    scroll: Scroll,
    area: Rect,
}

/// Where the parts stand; width or height 0: left out.
struct Layout {
    devices: Rect,
    detail: Option<Rect>,
    serving: Rect,
}

impl Gpu {
    fn nodes<'a>(&self, world: &'a World) -> Vec<NodeRow<'a>> {
        let mut rows = map::rows(world, self.scope);
        rows.retain(|row| {
            (!self.problems || row.gpus.iter().any(|g| map::trouble(g).is_some()))
                && self.filter.matches(&row.fields())
        });
        rows
    }

    fn models<'a>(&self, world: &'a World) -> Vec<(ClusterId, &'a Serving)> {
        clusters(world, self.scope)
            .flat_map(|c| c.serving.iter().map(move |s| (c.id, s)))
            .collect()
    }

    fn layout(&self, area: Rect, models: usize) -> Layout {
        let wanted = match models {
            0 => 0,
            n => u16::try_from(n)
                .unwrap_or(u16::MAX)
                .saturating_add(3)
                .min(area.height / 3),
        };
        let (top, serving) = above(area, wanted);
        let show = self.detail.unwrap_or(area.width >= WIDE);
        let (devices, detail) = match show {
            false => (top, None),
            true if area.width >= WIDE => beside(top, WIDE, (area.width * 2 / 5).max(44)),
            true => (Rect { width: 0, ..top }, Some(top)),
        };
        Layout {
            devices,
            detail,
            serving,
        }
    }

    fn draw_devices(&self, ctx: &Ctx<'_>, rows: &[NodeRow<'_>], area: Rect, buf: &mut Buffer) {
        let here = self.part == Part::Devices;
        let inner = pane(
            ctx,
            area,
            buf,
            &map::title(rows),
            &map::sum(rows, self.problems),
            here,
        );
        if rows.is_empty() {
            empty(ctx, inner, buf, &self.why_empty(ctx.world));
            return;
        }
        let inside = focused(ctx, here);
        if self.as_table {
            table::draw(&inside, inner, buf, &table::rows(rows), &self.devices);
            return;
        }
        let current = self.current(rows).map(|(c, g)| Id::of(c, g));
        map::draw(&inside, inner, buf, rows, current.as_ref());
    }

    fn why_empty(&self, world: &World) -> String {
        let known = map::rows(world, self.scope).len();
        if known > 0 && self.filter_text.is_empty() {
            return format!("no trouble told of the devices of {known} nodes (! shows all)");
        }
        if known > 0 {
            return "no node matches (Esc clears the filter)".into();
        }
        let heard = clusters(world, self.scope).any(|c| c.last_sample.is_some());
        match heard {
            true => {
                "no GPU metric: no DCGM or AMD exporter is known to the sources of the scope".into()
            }
            false => "nothing known yet: no metric source of the scope has answered".into(),
        }
    }
}

impl View for Gpu {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Command::Filter(text) = &command {
            self.filter = Filter::parse(text);
            text.clone_into(&mut self.filter_text);
            return Vec::new();
        }
        let models = self.models(world);
        if let Command::Click { column, row } = command {
            let parts = self.layout(self.area, models.len());
            let below = parts.serving.contains((column, row).into());
            self.part = if below { Part::Serving } else { Part::Devices };
            if !below && !self.as_table {
                let rows = self.nodes(world);
                let current = self.current(&rows).map(|(c, g)| Id::of(c, g));
                let found = map::at(&rows, current.as_ref(), parts.devices, (column, row));
                self.chosen = found.or(current);
                return Vec::new();
            }
        }
        let moved = match self.part {
            Part::Serving => self.serving.update(&command, &models, serving::id),
            Part::Devices => self.update_devices(&command, world),
        };
        if moved {
            return Vec::new();
        }
        match command {
            Command::NextPane | Command::PreviousPane if !models.is_empty() => {
                self.part = match self.part {
                    Part::Devices => Part::Serving,
                    Part::Serving => Part::Devices,
                };
            }
            Command::Mode => self.as_table = !self.as_table,
            Command::Problems => self.problems = !self.problems,
            Command::Detail => {
                self.detail = Some(!self.detail.unwrap_or(self.area.width >= WIDE));
            }
            Command::Open => self.detail = Some(true),
            Command::NextProblem | Command::PreviousProblem => {
                let rows = self.nodes(world);
                self.next_problem(&rows, command == Command::NextProblem);
            }
            Command::ScrollDown => self.scroll.down(),
            Command::ScrollUp => self.scroll.up(),
            Command::Refresh => return vec![Effect::Refresh(self.scope)],
            Command::CopyRow => {
                let rows = self.nodes(world);
                let text = self.current(&rows).map(|(c, g)| detail::plain(world, c, g));
                return text.map(Effect::Copy).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.nodes(ctx.world);
        let models = self.models(ctx.world);
        let parts = self.layout(area, models.len());
        if parts.devices.width > 0 {
            self.draw_devices(ctx, &rows, parts.devices, buf);
        }
        if let Some(area) = parts.detail {
            match self.current(&rows) {
                Some((cluster, gpu)) => {
                    let inner = pane(
                        ctx,
                        area,
                        buf,
                        &detail::title(ctx.world, cluster, gpu),
                        "d",
                        false,
                    );
                    let text = detail::lines(ctx, cluster, gpu, usize::from(inner.width));
                    self.scroll.draw(ctx, inner, buf, &text);
                }
                None => {
                    let inner = pane(ctx, area, buf, "device", "d", false);
                    empty(ctx, inner, buf, "no device");
                }
            }
        }
        if parts.serving.height > 0 {
            let here = focused(ctx, self.part == Part::Serving);
            serving::draw(&here, parts.serving, buf, &models, &self.serving);
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        // How many models there are is not known here; the table only pages by this.
        let parts = self.layout(area, self.models(world).len());
        self.devices.place(inside(parts.devices));
        self.serving.place(inside(parts.serving));
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        let wanted = match &entry.focus {
            Some(Focus::Gpu { cluster, node, gpu }) => Some((*cluster, node, Some(gpu))),
            Some(Focus::Node { cluster, node }) => Some((*cluster, node, None)),
            _ => None,
        };
        if let Some((cluster, node, index)) = wanted {
            self.part = Part::Devices;
            let rows = map::rows(world, self.scope);
            let found = rows
                .iter()
                .filter(|r| r.cluster == cluster && r.node.as_ref() == node.as_str())
                .flat_map(|r| r.gpus.iter())
                .find(|g| index.is_none_or(|i| g.index == *i || g.label().ends_with(i.as_str())));
            if let Some(gpu) = found {
                self.chosen = Some(Id::of(cluster, gpu));
            }
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        if self.part == Part::Serving {
            let models = self.models(world);
            let at = self.serving.position(&models, serving::id)?;
            return models.get(at).map(|(cluster, model)| Goto {
                screen: ScreenId::Metrics,
                cluster: Some(*cluster),
                query: Some(format!(
                    "vllm:num_requests_waiting{{model_name={:?}}}",
                    model.model
                )),
                ..Goto::default()
            });
        }
        if !self.detail.unwrap_or(self.area.width >= WIDE) {
            return None;
        }
        let rows = self.nodes(world);
        let (cluster, gpu) = self.current(&rows)?;
        let focus = match &gpu.pod {
            Some((namespace, pod)) => Focus::Pod {
                cluster,
                namespace: namespace.clone(),
                pod: pod.clone(),
            },
            None => Focus::Node {
                cluster,
                node: gpu.node.to_string(),
            },
        };
        Some(Goto {
            screen: ScreenId::Cluster,
            cluster: Some(cluster),
            focus: Some(focus),
            ..Goto::default()
        })
    }

    fn back(&mut self) -> bool {
        if self.detail == Some(true) && self.area.width < WIDE {
            self.detail = None;
            return true;
        }
        if self.part == Part::Serving {
            self.part = Part::Devices;
            return true;
        }
        if !self.filter_text.is_empty() {
            self.filter = Filter::default();
            self.filter_text.clear();
            return true;
        }
        std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        [
            self.detail == Some(true) && self.area.width < WIDE,
            self.part == Part::Serving,
            !self.filter_text.is_empty(),
            self.problems,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let rows = self.nodes(world);
        let (cluster, gpu) = self.current(&rows)?;
        Some(Focus::Gpu {
            cluster,
            node: gpu.node.to_string(),
            gpu: gpu.index.clone(),
        })
    }

    fn filter(&self) -> &str {
        &self.filter_text
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Enter", "open"),
            ("d", "device"),
            ("m", "map/table"),
            ("e", "next trouble"),
            ("Tab", "models"),
            ("a", "ask"),
        ]
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let rows = self.nodes(ctx.world);
        let mut out = map::title(&rows);
        for (cluster, gpu) in rows
            .iter()
            .flat_map(|r| r.gpus.iter().map(|g| (r.cluster, *g)))
        {
            if map::trouble(gpu).is_some() {
                out.push('\n');
                out.push_str(&detail::plain(ctx.world, cluster, gpu));
            }
        }
        if let Some((cluster, gpu)) = self.current(&rows) {
            out.push_str("\nchosen: ");
            out.push_str(&detail::plain(ctx.world, cluster, gpu));
        }
        for (cluster, model) in self.models(ctx.world) {
            out.push('\n');
            out.push_str(&serving::plain(ctx.world, cluster, model));
        }
        out
    }
}

/// Name of the node under which its devices stand.
type NodeName = Arc<str>;

#[cfg(test)]
mod tests;
