//! CNF: PTP clocks with their states over the window, SR-IOV, desired and actual, and the network
//! functions that hang on both.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{clusters, empty, focused, inside, pane};
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::id::ClusterId;
use crate::model::ptp::{ClockState, PtpNode};
use crate::state::world::World;
use crate::state::world::timing::Timing;
use crate::ui::widget::table::Table;

mod chain;
mod changed;
mod clock;
mod function;
mod layout;
mod motion;
mod profile;
mod ptp;
mod ribbon;
mod sriov;
mod stability;
mod workload;

use ptp::NodeId;
use sriov::{FunctionId, FunctionRow};
use workload::{WorkloadId, WorkloadRow};

/// From this width on the clock stands beside the list.
const WIDE: u16 = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Clocks,
    Sriov,
    /// Network functions that run as pods.
    Workloads,
}

impl Part {
    fn next(self) -> Self {
        match self {
            Self::Clocks => Self::Sriov,
            Self::Sriov => Self::Workloads,
            Self::Workloads => Self::Clocks,
        }
    }

    fn before(self) -> Self {
        self.next().next()
    }
}

/// What is shown of the chosen clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Page {
    #[default]
    Clock,
    Stability,
    Changed,
    /// All clocks of its cluster, from source to follower.
    Chain,
}

impl Page {
    fn next(self) -> Self {
        match self {
            Self::Clock => Self::Stability,
            Self::Stability => Self::Changed,
            Self::Changed => Self::Chain,
            Self::Chain => Self::Clock,
        }
    }
}

#[derive(Debug)]
pub struct Cnf {
    clocks: Table<NodeId>,
    functions: Table<FunctionId>,
    workloads: Table<WorkloadId>,
    part: Part,
    page: Page,
    scope: Option<ClusterId>,
    problems: bool,
    detail: Option<bool>,
    /// Virtual functions scrolled past.
    scroll: usize,
    area: Rect,
}

impl Default for Cnf {
    fn default() -> Self {
        Self {
            clocks: Table::default(),
            functions: Table::default(),
            workloads: Table::default(),
            part: Part::Clocks,
            page: Page::default(),
            scope: None,
            problems: false,
            detail: None,
            scroll: 0,
            area: Rect::ZERO,
        }
    }
}

type ClockRow<'a> = (ClusterId, &'a PtpNode);

impl Cnf {
    fn nodes<'a>(&self, world: &'a World) -> Vec<ClockRow<'a>> {
        let mut rows: Vec<ClockRow<'a>> = clusters(world, self.scope)
            .flat_map(|c| c.ptp.iter().map(move |n| (c.id, n)))
            .filter(|(_, n)| !self.problems || n.state != Some(ClockState::Locked))
            .filter(|row| self.clocks.filter().matches(&ptp::fields(world, row)))
            .collect();
        // Worst first; within one state in the order of names, so that rows keep their places.
        rows.sort_by_key(|(cluster, n)| {
            let rank = match n.state {
                Some(ClockState::Freerun) => 0,
                Some(ClockState::Holdover) => 1,
                None => 2,
                Some(ClockState::Locked) => 3,
            };
            (rank, *cluster, Arc::clone(&n.node))
        });
        rows
    }

    fn functions<'a>(&self, world: &'a World) -> Vec<FunctionRow<'a>> {
        let mut rows = sriov::rows(world, self.scope);
        rows.retain(|r| {
            (!self.problems || r.problem().is_some())
                && self.clocks.filter().matches(&r.fields(world))
        });
        rows
    }

    fn workloads<'a>(&self, world: &'a World) -> Vec<WorkloadRow<'a>> {
        let mut rows = workload::rows(world, self.scope);
        rows.retain(|r| {
            (!self.problems || r.workload.timing() != Timing::Met)
                && self.clocks.filter().matches(&r.fields(world))
        });
        rows
    }

    /// Rows of what stands below the clocks.
    fn below(&self, world: &World) -> usize {
        match self.part {
            Part::Workloads => self.workloads(world).len(),
            Part::Clocks | Part::Sriov => self.functions(world).len(),
        }
    }

    fn chosen<'a>(&self, rows: &[ClockRow<'a>]) -> Option<ClockRow<'a>> {
        rows.get(self.clocks.position(rows, ptp::id)?).copied()
    }

    /// The clock or the port under the cursor.
    fn draw_detail(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        (clocks, functions): (&[ClockRow<'_>], &[FunctionRow<'_>]),
    ) {
        if self.part == Part::Workloads {
            let rows = self.workloads(ctx.world);
            let at = self.workloads.position(&rows, WorkloadRow::id);
            if let Some(row) = at.and_then(|at| rows.get(at)) {
                return workload::draw_detail(ctx, area, buf, row);
            }
        } else if self.part == Part::Sriov {
            let at = self.functions.position(functions, FunctionRow::id);
            if let Some(row) = at.and_then(|at| functions.get(at)) {
                return function::draw(ctx, area, buf, row, self.scroll);
            }
        } else if let Some(row) = self.chosen(clocks) {
            return match self.page {
                Page::Clock => clock::draw(ctx, area, buf, row),
                Page::Stability => stability::draw(ctx, area, buf, row),
                Page::Changed => changed::draw(ctx, area, buf, row),
                Page::Chain => chain::draw(ctx, area, buf, row, clocks),
            };
        }
        let inner = pane(ctx, area, buf, "detail", "d", false);
        empty(ctx, inner, buf, "nothing chosen");
    }

    fn why_no_clock(&self, world: &World) -> String {
        if !self.clocks.filter_text().is_empty() || self.problems {
            return "no node matches (Esc clears the filter)".into();
        }
        match clusters(world, self.scope).any(|c| c.last_sample.is_some()) {
            true => {
                "no PTP metric: linuxptp-daemon is not known to the sources of the scope".into()
            }
            false => "nothing known yet: no metric source of the scope has answered".into(),
        }
    }
}

impl View for Cnf {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        self.act(command, world)
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.nodes(ctx.world);
        let functions = self.functions(ctx.world);
        let parts = self.layout(area, rows.len(), self.below(ctx.world));
        if parts.clocks.width > 0 && parts.clocks.height > 0 {
            let here = self.part == Part::Clocks;
            let inner = pane(
                ctx,
                parts.clocks,
                buf,
                &ptp::title(&rows),
                "Tab SR-IOV",
                here,
            );
            if rows.is_empty() {
                empty(ctx, inner, buf, &self.why_no_clock(ctx.world));
            } else {
                ptp::draw(&focused(ctx, here), inner, buf, &rows, &self.clocks);
            }
        }
        if let Some(area) = parts.detail {
            self.draw_detail(ctx, area, buf, (&rows, &functions));
        }
        if parts.sriov.height > 0 {
            let here = focused(ctx, self.part != Part::Clocks);
            match self.part {
                Part::Workloads => {
                    let rows = self.workloads(ctx.world);
                    workload::draw(&here, parts.sriov, buf, (&rows, &self.workloads));
                }
                Part::Clocks | Part::Sriov => sriov::draw(
                    &here,
                    self.scope,
                    parts.sriov,
                    buf,
                    (&functions, &self.functions),
                ),
            }
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        let parts = self.layout(area, self.nodes(world).len(), self.below(world));
        self.clocks.place(inside(parts.clocks));
        self.functions.place(inside(parts.sriov));
        self.workloads.place(inside(parts.sriov));
    }

    fn enter(&mut self, entry: &Entry, _world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        if let Some(Focus::Node { cluster, node }) = &entry.focus {
            self.clocks.set_filter("");
            self.part = Part::Clocks;
            self.clocks.select((*cluster, node.as_str().into()));
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        if !self.detail.unwrap_or(self.area.width >= WIDE) {
            return None;
        }
        let focus = self.focus(world)?;
        let (Focus::Node { cluster, .. } | Focus::Pod { cluster, .. }) = &focus else {
            return None;
        };
        Some(Goto {
            screen: ScreenId::Cluster,
            cluster: Some(*cluster),
            focus: Some(focus),
            ..Goto::default()
        })
    }

    fn back(&mut self) -> bool {
        if self.detail == Some(true) && self.area.width < WIDE {
            self.detail = None;
            return true;
        }
        if self.part != Part::Clocks {
            self.part = Part::Clocks;
            return true;
        }
        self.clocks.back() || std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        [
            self.detail == Some(true) && self.area.width < WIDE,
            self.part != Part::Clocks,
            !self.clocks.filter_text().is_empty(),
            self.problems,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let (cluster, node) = match self.part {
            Part::Clocks => {
                let rows = self.nodes(world);
                let (cluster, node) = self.chosen(&rows)?;
                (cluster, node.node.to_string())
            }
            Part::Sriov => {
                let rows = self.functions(world);
                let row = rows.get(self.functions.position(&rows, FunctionRow::id)?)?;
                (row.cluster, row.state.node.to_string())
            }
            Part::Workloads => {
                let rows = self.workloads(world);
                let row = rows.get(self.workloads.position(&rows, WorkloadRow::id)?)?;
                return Some(row.focus());
            }
        };
        Some(Focus::Node { cluster, node })
    }

    fn filter(&self) -> &str {
        self.clocks.filter_text()
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.part {
            Part::Clocks => &[
                ("Enter", "open"),
                ("d", "clock"),
                ("m", "pages"),
                ("Tab", "SR-IOV"),
                ("!", "not locked"),
                ("a", "ask"),
            ],
            Part::Sriov => &[
                ("Enter", "open"),
                ("d", "VFs"),
                ("h/l", "scroll VFs"),
                ("Tab", "functions"),
                ("a", "ask"),
            ],
            Part::Workloads => &[
                ("Enter", "open"),
                ("d", "timing"),
                ("!", "in doubt"),
                ("Tab", "PTP"),
                ("a", "ask"),
            ],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let rows = self.nodes(ctx.world);
        let mut out = ptp::title(&rows);
        for row in rows.iter().take(30) {
            out.push('\n');
            out.push_str(&clock::plain(ctx.world, *row));
        }
        for row in self.functions(ctx.world).iter().take(30) {
            out.push('\n');
            out.push_str(&row.plain(ctx.world));
        }
        for row in self.workloads(ctx.world).iter().take(30) {
            out.push('\n');
            out.push_str(&row.plain(ctx.world));
        }
        out
    }
}

#[cfg(test)]
mod tests;
