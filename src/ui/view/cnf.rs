//! CNF: PTP clocks with their states over the window, and SR-IOV, desired and actual.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{above, beside, clusters, empty, focused, inside, pane};
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::id::ClusterId;
use crate::model::ptp::{ClockState, PtpNode};
use crate::state::world::World;
use crate::ui::widget::table::Table;

mod clock;
mod function;
mod ptp;
mod ribbon;
mod sriov;

use ptp::NodeId;
use sriov::{FunctionId, FunctionRow};

/// From this width on the clock stands beside the list.
const WIDE: u16 = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Clocks,
    Sriov,
}

#[derive(Debug)]
pub struct Cnf {
    clocks: Table<NodeId>,
    functions: Table<FunctionId>,
    part: Part,
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
            part: Part::Clocks,
            scope: None,
            problems: false,
            detail: None,
            scroll: 0,
            area: Rect::ZERO,
        }
    }
}

/// Where the parts stand; width or height 0: left out.
struct Layout {
    clocks: Rect,
    detail: Option<Rect>,
    sriov: Rect,
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

    fn layout(&self, area: Rect, clocks: usize, functions: usize) -> Layout {
        let none = Rect { height: 0, ..area };
        let wide = area.width >= WIDE;
        let show = self.detail.unwrap_or(wide);
        // On a small screen one part at a time.
        if !wide || area.height < 16 {
            if show {
                return Layout {
                    clocks: Rect { width: 0, ..area },
                    detail: Some(area),
                    sriov: none,
                };
            }
            let (clocks, sriov) = match self.part {
                Part::Clocks => (area, none),
                Part::Sriov => (Rect { width: 0, ..area }, area),
            };
            return Layout {
                clocks,
                detail: None,
                sriov,
            };
        }
        let wanted = match (functions, clocks) {
            (0, _) => 4,
            (n, 0) => u16::try_from(n + 4).unwrap_or(u16::MAX),
            (n, _) => u16::try_from(n + 4)
                .unwrap_or(u16::MAX)
                .min(area.height / 2),
        };
        let (top, sriov) = above(area, wanted.min(area.height.saturating_sub(6)));
        let (clocks, detail) = match show {
            true => beside(top, WIDE, (area.width * 9 / 20).max(48)),
            false => (top, None),
        };
        Layout {
            clocks,
            detail,
            sriov,
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
        if self.part == Part::Sriov {
            let at = self.functions.position(functions, FunctionRow::id);
            if let Some(row) = at.and_then(|at| functions.get(at)) {
                return function::draw(ctx, area, buf, row, self.scroll);
            }
        } else if let Some(row) = self.chosen(clocks) {
            return clock::draw(ctx, area, buf, row);
        }
        let inner = pane(ctx, area, buf, "detail", "d", false);
        empty(ctx, inner, buf, "nothing chosen");
    }

    fn next_problem(&mut self, world: &World, forward: bool) {
        let rows = self.nodes(world);
        let at = self.clocks.position(&rows, ptp::id).unwrap_or(0);
        let bad = |r: &&ClockRow<'_>| r.1.state != Some(ClockState::Locked);
        let found = if forward {
            rows.iter().skip(at + 1).find(bad)
        } else {
            rows.iter().take(at).rev().find(bad)
        };
        if let Some(id) = found.map(ptp::id) {
            self.clocks.select(id);
        }
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
        if let Command::Filter(text) = &command {
            self.clocks.set_filter(text);
            return Vec::new();
        }
        if let Command::Click { column, row } = command {
            let counts = (self.nodes(world).len(), self.functions(world).len());
            let parts = self.layout(self.area, counts.0, counts.1);
            let below = parts.sriov.contains((column, row).into());
            self.part = if below { Part::Sriov } else { Part::Clocks };
        }
        let moved = match self.part {
            Part::Clocks => {
                let rows = self.nodes(world);
                self.clocks.update(&command, &rows, ptp::id)
            }
            Part::Sriov => {
                let rows = self.functions(world);
                self.functions.update(&command, &rows, FunctionRow::id)
            }
        };
        if moved {
            self.scroll = 0;
            return Vec::new();
        }
        match command {
            Command::NextPane | Command::PreviousPane | Command::Mode => {
                self.part = match self.part {
                    Part::Clocks => Part::Sriov,
                    Part::Sriov => Part::Clocks,
                };
            }
            Command::Right => self.scroll += 1,
            Command::Left => self.scroll = self.scroll.saturating_sub(1),
            Command::Problems => self.problems = !self.problems,
            Command::Detail => {
                self.detail = Some(!self.detail.unwrap_or(self.area.width >= WIDE));
            }
            Command::Open => self.detail = Some(true),
            Command::NextProblem => self.next_problem(world, true),
            Command::PreviousProblem => self.next_problem(world, false),
            Command::Refresh => return vec![Effect::Refresh(self.scope)],
            Command::CopyRow => {
                let text = match self.part {
                    Part::Clocks => {
                        let rows = self.nodes(world);
                        self.chosen(&rows).map(|row| clock::plain(world, row))
                    }
                    Part::Sriov => {
                        let rows = self.functions(world);
                        let at = self.functions.position(&rows, FunctionRow::id);
                        at.and_then(|at| rows.get(at)).map(|r| r.plain(world))
                    }
                };
                return text.map(Effect::Copy).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.nodes(ctx.world);
        let functions = self.functions(ctx.world);
        let parts = self.layout(area, rows.len(), functions.len());
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
            let here = focused(ctx, self.part == Part::Sriov);
            sriov::draw(
                &here,
                self.scope,
                parts.sriov,
                buf,
                (&functions, &self.functions),
            );
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        let (clocks, functions) = (self.nodes(world).len(), self.functions(world).len());
        let parts = self.layout(area, clocks, functions);
        self.clocks.place(inside(parts.clocks));
        self.functions.place(inside(parts.sriov));
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
        let (cluster, node) = match self.part {
            Part::Clocks => {
                let rows = self.nodes(world);
                let (cluster, node) = self.chosen(&rows)?;
                (cluster, Arc::clone(&node.node))
            }
            Part::Sriov => {
                let rows = self.functions(world);
                let row = rows.get(self.functions.position(&rows, FunctionRow::id)?)?;
                (row.cluster, Arc::clone(&row.state.node))
            }
        };
        Some(Goto {
            screen: ScreenId::Cluster,
            cluster: Some(cluster),
            focus: Some(Focus::Node {
                cluster,
                node: node.to_string(),
            }),
            ..Goto::default()
        })
    }

    fn back(&mut self) -> bool {
        if self.detail == Some(true) && self.area.width < WIDE {
            self.detail = None;
            return true;
        }
        if self.part == Part::Sriov {
            self.part = Part::Clocks;
            return true;
        }
        self.clocks.back() || std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        [
            self.detail == Some(true) && self.area.width < WIDE,
            self.part == Part::Sriov,
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
                ("Tab", "SR-IOV"),
                ("!", "not locked"),
                ("a", "ask"),
            ],
            Part::Sriov => &[
                ("Enter", "open"),
                ("d", "VFs"),
                ("h/l", "scroll VFs"),
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
        out
    }
}

#[cfg(test)]
mod tests;
