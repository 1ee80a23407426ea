//! GPUs of the fleet: a heat map of nodes or jobs, a table, who holds them; the chosen device or
//! model; the models served.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{clusters, focused, inside};
use super::scroll::Scroll;
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::gpu::Measure;
use crate::model::id::ClusterId;
use crate::state::world::World;
use crate::ui::widget::filter::Filter;
use crate::ui::widget::table::Table;

mod detail;
mod draw;
mod fields;
mod holders;
mod identity;
mod layout;
mod map;
mod model;
mod motion;
mod order;
mod past;
mod served;
mod serving;
mod table;

use layout::WIDE;
use map::Id;
use order::{Order, Row};

/// Pods told to the agent at most.
const MOST_BRIEFED: usize = 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Devices,
    Serving,
}

/// `m`: how the devices are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Map,
    Table,
    /// Pods that hold them.
    Holders,
}

#[derive(Debug)]
pub struct Gpu {
    chosen: Option<Id>,
    mode: Mode,
    measure: Measure,
    order: Order,
    devices: Table<Id>,
    held: Table<(ClusterId, String, String)>,
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

impl Default for Gpu {
    fn default() -> Self {
        Self {
            chosen: None,
            mode: Mode::default(),
            measure: Measure::default(),
            order: Order::default(),
            devices: Table::default(),
            held: Table::sorted(holders::SORTS),
            serving: Table::default(),
            part: Part::default(),
            scope: None,
            filter_text: String::new(),
            filter: Filter::default(),
            problems: false,
            detail: None,
            scroll: Scroll::default(),
            area: Rect::ZERO,
        }
    }
}

impl Gpu {
    fn rows<'a>(&self, world: &'a World) -> Vec<Row<'a>> {
        let mut rows = order::rows(world, self.scope, self.order, self.measure);
        let all = self.filter_text.is_empty();
        rows.retain(|row| {
            (!self.problems || row.gpus.iter().any(|g| map::trouble(g).is_some()))
                && (all || self.filter.matches(&row.fields()))
        });
        rows
    }

    fn holders<'a>(&self, world: &'a World) -> Vec<holders::Holder<'a>> {
        let mut rows = holders::rows(world, self.scope, &self.filter, self.held.order());
        rows.retain(|row| !self.problems || row.is_bad());
        rows
    }

    fn models<'a>(&self, world: &'a World) -> Vec<served::Row<'a>> {
        clusters(world, self.scope)
            .flat_map(|c| served::all(c).map(move |s| (c.id, s)))
            .collect()
    }

    /// The model under the cursor.
    fn model<'a>(&self, models: &[served::Row<'a>]) -> Option<served::Row<'a>> {
        let at = self.serving.position(models, serving::id)?;
        models.get(at).copied()
    }

    fn click(&mut self, (column, row): (u16, u16), world: &World, models: usize) -> bool {
        let parts = self.layout(self.area, models);
        let below = parts.serving.contains((column, row).into());
        self.part = if below { Part::Serving } else { Part::Devices };
        if below || self.mode != Mode::Map {
            return false;
        }
        let rows = self.rows(world);
        let current = self.current(&rows).map(|(c, g)| Id::of(c, g));
        let found = map::at(&rows, current.as_ref(), parts.devices, (column, row));
        self.chosen = found.or(current);
        true
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
        if let Command::Click { column, row } = command
            && self.click((column, row), world, models.len())
        {
            return Vec::new();
        }
        let moved = match self.part {
            Part::Serving => {
                let moved = self.serving.update(&command, &models, serving::id);
                if moved {
                    self.scroll.to_top();
                }
                moved
            }
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
            Command::Mode => {
                self.mode = match self.mode {
                    Mode::Map => Mode::Table,
                    Mode::Table => Mode::Holders,
                    Mode::Holders => Mode::Map,
                };
            }
            Command::Column => self.measure = self.measure.next(),
            Command::Sort => self.order = self.order.next(),
            Command::Problems => self.problems = !self.problems,
            Command::Detail => {
                self.detail = Some(!self.detail.unwrap_or(self.area.width >= WIDE));
            }
            Command::Open => self.detail = Some(true),
            Command::NextProblem | Command::PreviousProblem => {
                let rows = self.rows(world);
                self.next_problem(&rows, command == Command::NextProblem);
            }
            Command::ScrollDown => self.scroll.down(),
            Command::ScrollUp => self.scroll.up(),
            Command::Refresh => return vec![Effect::Refresh(self.scope)],
            Command::CopyRow => return self.copy(world).map(Effect::Copy).into_iter().collect(),
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let models = self.models(ctx.world);
        let parts = self.layout(area, models.len());
        if parts.devices.width > 0 {
            self.draw_devices(ctx, &rows, parts.devices, buf);
        }
        if let Some(area) = parts.detail {
            self.draw_detail(ctx, &rows, &models, (area, buf));
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
        self.held.place(inside(parts.devices));
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
            let known = clusters(world, self.scope).filter(|c| c.id == cluster);
            let found = known
                .flat_map(|c| &c.gpus)
                .filter(|g| g.node.as_ref() == node.as_str())
                .find(|g| index.is_none_or(|place| g.is_called(place)));
            if let Some(gpu) = found {
                self.chosen = Some(Id::of(cluster, gpu));
            }
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        if self.part == Part::Serving {
            let models = self.models(world);
            if !self.detail.unwrap_or(self.area.width >= WIDE) {
                return None;
            }
            let (cluster, served) = self.model(&models)?;
            let served::Served::Model(model) = served else {
                return None;
            };
            return Some(Goto {
                screen: ScreenId::Metrics,
                cluster: Some(cluster),
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
        let rows = self.rows(world);
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
        let rows = self.rows(world);
        let (cluster, gpu) = self.current(&rows)?;
        Some(Focus::Gpu {
            cluster,
            node: gpu.node.to_string(),
            gpu: gpu.place(),
        })
    }

    fn filter(&self) -> &str {
        &self.filter_text
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Enter", "open"),
            ("d", "device"),
            ("m", "map/table/pods"),
            (";", "measure"),
            ("s", "order"),
            ("e", "next trouble"),
            ("Tab", "models"),
            ("a", "ask"),
        ]
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let rows = self.rows(ctx.world);
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
        if self.mode == Mode::Holders {
            for holder in self.holders(ctx.world).iter().take(MOST_BRIEFED) {
                out.push('\n');
                out.push_str(&holders::plain(ctx.world, holder));
            }
        }
        for model in self.models(ctx.world) {
            out.push('\n');
            out.push_str(&serving::plain(ctx.world, model));
        }
        out
    }
}

#[cfg(test)]
mod tests;
