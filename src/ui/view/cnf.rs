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
use crate::ui::widget::table::Table;

mod chain;
mod changed;
mod clock;
mod dpdk;
mod function;
mod layout;
mod list;
mod motion;
mod network;
mod policy;
mod pool;
mod profile;
mod ptp;
mod ribbon;
mod sriov;
mod stability;
mod workload;

use list::{List, Rows, Tables};
use ptp::NodeId;

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
    /// Of the lists below.
    tables: Tables,
    part: Part,
    /// The list of SR-IOV.
    wired: List,
    page: Page,
    scope: Option<ClusterId>,
    problems: bool,
    detail: Option<bool>,
    /// Lines of the detail scrolled past.
    scroll: usize,
    area: Rect,
}

impl Default for Cnf {
    fn default() -> Self {
        Self {
            clocks: Table::default(),
            tables: Tables::default(),
            part: Part::Clocks,
            wired: List::default(),
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
            .filter(|row| !self.problems || !ptp::is_well(world, *row))
            .filter(|row| self.clocks.filter().matches(&ptp::fields(world, row)))
            .collect();
        // Worst first; within one state in the order of names, so that rows keep their places.
        rows.sort_by_cached_key(|(cluster, n)| {
            let rank = match n.state {
                Some(ClockState::Freerun) => 0,
                Some(ClockState::Holdover) => 1,
                _ if !ptp::is_well(world, (*cluster, n)) => 2,
                _ => 3,
            };
            (rank, *cluster, Arc::clone(&n.node))
        });
        rows
    }

    /// The list that stands below the clocks.
    fn list(&self) -> List {
        match self.part {
            Part::Workloads => List::Workloads,
            Part::Clocks | Part::Sriov => self.wired,
        }
    }

    /// Its rows, as far as they pass the filter.
    fn below<'a>(&self, world: &'a World) -> Rows<'a> {
        let mut rows = Rows::of(self.list(), world, self.scope);
        rows.keep(|row| {
            (!self.problems || row.is_bad()) && self.clocks.filter().matches(&row.fields(world))
        });
        rows
    }

    fn chosen<'a>(&self, rows: &[ClockRow<'a>]) -> Option<ClockRow<'a>> {
        rows.get(self.clocks.position(rows, ptp::id)?).copied()
    }

    /// What is under the cursor.
    fn draw_detail(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        (clocks, below): (&[ClockRow<'_>], &Rows<'_>),
    ) {
        if self.part != Part::Clocks {
            if let Some(row) = below.chosen(self.tables.of(self.list())) {
                return row.draw(ctx, area, buf, self.scroll);
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
        let below = self.below(ctx.world);
        let parts = self.layout(area, rows.len(), below.len());
        if parts.clocks.width > 0 && parts.clocks.height > 0 {
            let here = self.part == Part::Clocks;
            let inner = pane(
                ctx,
                parts.clocks,
                buf,
                &ptp::title(ctx.world, &rows),
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
            self.draw_detail(ctx, area, buf, (&rows, &below));
        }
        if parts.sriov.height > 0 {
            let here = focused(ctx, self.part != Part::Clocks);
            let table = self.tables.of(self.list());
            below.draw(&here, self.scope, parts.sriov, buf, table);
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        let parts = self.layout(area, self.nodes(world).len(), self.below(world).len());
        self.clocks.place(inside(parts.clocks));
        let list = self.list();
        self.tables.of_mut(list).place(inside(parts.sriov));
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
        let (screen, cluster) = match &focus {
            Focus::Node { cluster, .. } | Focus::Pod { cluster, .. } => {
                (ScreenId::Cluster, *cluster)
            }
            Focus::Object { cluster, .. } => (ScreenId::Object, *cluster),
            _ => return None,
        };
        Some(Goto {
            screen,
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
        if self.part != Part::Clocks {
            let rows = self.below(world);
            return Some(rows.chosen(self.tables.of(self.list()))?.focus());
        }
        let rows = self.nodes(world);
        let (cluster, node) = self.chosen(&rows)?;
        Some(Focus::Node {
            cluster,
            node: node.node.to_string(),
        })
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
                ("d", "detail"),
                ("m", "lists"),
                ("h/l", "scroll"),
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
        let mut out = ptp::title(ctx.world, &rows);
        for row in rows.iter().take(30) {
            out.push('\n');
            out.push_str(&clock::plain(ctx.world, *row));
        }
        for list in [
            List::Functions,
            List::Policies,
            List::Pools,
            List::Ports,
            List::Workloads,
        ] {
            let mut below = Rows::of(list, ctx.world, self.scope);
            below.keep(|row| self.clocks.filter().matches(&row.fields(ctx.world)));
            for line in below.plain(ctx.world, 30) {
                out.push('\n');
                out.push_str(&line);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
