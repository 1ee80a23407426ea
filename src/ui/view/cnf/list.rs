//! What stands below the clocks: one list out of several, each with rows of its own.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::dpdk::{self, PortRow};
use super::network::NetworkRow;
use super::policy::PolicyRow;
use super::pool::PoolRow;
use super::sriov::{self, FunctionRow};
use super::workload::{self, WorkloadRow};
use super::{network, policy, pool};
use crate::command::Command;
use crate::model::id::ClusterId;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::Focus;
use crate::ui::view::common::{empty, pane, scoped};
use crate::ui::widget::table::{Column, Table};

/// Which list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum List {
    /// Physical functions of SR-IOV, with their virtual ones.
    #[default]
    Functions,
    /// What the SR-IOV operator was told to make.
    Policies,
    Networks,
    /// What device plugins offer and pods ask for.
    Pools,
    /// Of DPDK applications.
    Ports,
    /// Network functions that run as pods.
    Workloads,
}

impl List {
    /// The next list of SR-IOV; `dpdk`: there are ports of DPDK to list.
    pub fn next(self, dpdk: bool) -> Self {
        match self {
            Self::Functions => Self::Policies,
            Self::Policies => Self::Networks,
            Self::Networks => Self::Pools,
            Self::Pools if dpdk => Self::Ports,
            Self::Pools | Self::Ports | Self::Workloads => Self::Functions,
        }
    }
}

/// Cluster and two words that no other row of the list has.
pub type RowId = (ClusterId, Arc<str>, Arc<str>);

/// One row of such a list.
pub trait Row {
    fn id(&self) -> RowId;

    /// What the filter looks at.
    fn fields<'b>(&'b self, world: &'b World) -> Vec<(&'b str, &'b str)>;

    /// All of it in words, on one line.
    fn plain(&self, world: &World) -> String;

    fn focus(&self) -> Focus;

    /// Something is wrong with it, or nobody knows.
    fn is_bad(&self) -> bool;

    /// What is known of it, from line `skip` on.
    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, skip: usize);
}

/// The cursor and the order of each list.
#[derive(Debug, Default)]
pub struct Tables {
    functions: Table<RowId>,
    policies: Table<RowId>,
    networks: Table<RowId>,
    pools: Table<RowId>,
    ports: Table<RowId>,
    workloads: Table<RowId>,
}

impl Tables {
    pub fn of(&self, list: List) -> &Table<RowId> {
        match list {
            List::Functions => &self.functions,
            List::Policies => &self.policies,
            List::Networks => &self.networks,
            List::Pools => &self.pools,
            List::Ports => &self.ports,
            List::Workloads => &self.workloads,
        }
    }

    pub fn of_mut(&mut self, list: List) -> &mut Table<RowId> {
        match list {
            List::Functions => &mut self.functions,
            List::Policies => &mut self.policies,
            List::Networks => &mut self.networks,
            List::Pools => &mut self.pools,
            List::Ports => &mut self.ports,
            List::Workloads => &mut self.workloads,
        }
    }
}

/// The rows of one list.
pub enum Rows<'a> {
    Functions(Vec<FunctionRow<'a>>),
    Policies(Vec<PolicyRow<'a>>),
    Networks(Vec<NetworkRow<'a>>),
    Pools(Vec<PoolRow<'a>>),
    Ports(Vec<PortRow<'a>>),
    Workloads(Vec<WorkloadRow<'a>>),
}

/// The same for the rows of every kind.
macro_rules! each {
    ($rows:expr, $all:ident => $what:expr) => {
        match $rows {
            Rows::Functions($all) => $what,
            Rows::Policies($all) => $what,
            Rows::Networks($all) => $what,
            Rows::Pools($all) => $what,
            Rows::Ports($all) => $what,
            Rows::Workloads($all) => $what,
        }
    };
}

impl<'a> Rows<'a> {
    pub fn of(list: List, world: &'a World, scope: Option<ClusterId>) -> Self {
        match list {
            List::Functions => Self::Functions(sriov::rows(world, scope)),
            List::Policies => Self::Policies(policy::rows(world, scope)),
            List::Networks => Self::Networks(network::rows(world, scope)),
            List::Pools => Self::Pools(pool::rows(world, scope)),
            List::Ports => Self::Ports(dpdk::rows(world, scope)),
            List::Workloads => Self::Workloads(workload::rows(world, scope)),
        }
    }

    pub fn len(&self) -> usize {
        each!(self, all => all.len())
    }

    pub fn keep(&mut self, wanted: impl Fn(&dyn Row) -> bool) {
        each!(self, all => all.retain(|row| wanted(row)));
    }

    /// The row under the cursor.
    pub fn chosen(&self, table: &Table<RowId>) -> Option<&dyn Row> {
        each!(self, all => {
            let row = all.get(table.position(all, Row::id)?)?;
            Some(row as &dyn Row)
        })
    }

    /// The first of them, in words.
    pub fn plain(&self, world: &World, most: usize) -> Vec<String> {
        each!(self, all => all.iter().take(most).map(|row| row.plain(world)).collect())
    }

    pub fn update(&self, table: &mut Table<RowId>, command: &Command) -> bool {
        each!(self, all => table.update(command, all, Row::id))
    }

    pub fn draw(
        &self,
        ctx: &Ctx<'_>,
        scope: Option<ClusterId>,
        area: Rect,
        buf: &mut Buffer,
        table: &Table<RowId>,
    ) {
        match self {
            Self::Functions(rows) => sriov::draw(ctx, scope, area, buf, (rows, table)),
            Self::Policies(rows) => policy::draw(ctx, scope, area, buf, (rows, table)),
            Self::Networks(rows) => network::draw(ctx, scope, area, buf, (rows, table)),
            Self::Pools(rows) => pool::draw(ctx, scope, area, buf, (rows, table)),
            Self::Ports(rows) => dpdk::draw(ctx, area, buf, (rows, table)),
            Self::Workloads(rows) => workload::draw(ctx, area, buf, (rows, table)),
        }
    }
}

/// A list in a pane; `head`: its title, what stands at its right end, and why it may be empty.
pub fn draw<'a, R: Row, const N: usize>(
    ctx: &Ctx<'a>,
    area: Rect,
    buf: &mut Buffer,
    head: (&str, &str, &str),
    columns: &[Column<'_>; N],
    (rows, table): (&'a [R], &Table<RowId>),
    cell: impl Fn(&'a R, usize) -> Line<'a>,
) {
    let (title, right, why) = head;
    let inner = pane(ctx, area, buf, title, right, ctx.focus);
    if rows.is_empty() {
        return empty(ctx, inner, buf, why);
    }
    let columns = scoped(ctx, columns, 2);
    table.draw(ctx, inner, buf, (&columns, rows), Row::id, cell);
}
