//! The cursor among the devices.

use super::map::{self, Id};
use super::order::Row;
use super::table;
use super::{Gpu, Mode, holders};
use crate::command::Command;
use crate::model::gpu;
use crate::model::id::ClusterId;
use crate::state::world::World;

impl Gpu {
    /// The chosen device, or the first one that has trouble, or the first one.
    pub(super) fn current<'a>(&self, rows: &[Row<'a>]) -> Option<(ClusterId, &'a gpu::Gpu)> {
        let all = || {
            rows.iter()
                .flat_map(|r| r.gpus.iter().map(move |g| (r.cluster, *g)))
        };
        all()
            .find(|(c, g)| self.chosen.as_ref().is_some_and(|id| id.is(*c, g)))
            .or_else(|| all().find(|(_, g)| map::trouble(g).is_some()))
            .or_else(|| all().next())
    }

    fn step(&mut self, rows: &[Row<'_>], command: &Command) -> bool {
        let Some((cluster, gpu)) = self.current(rows) else {
            return false;
        };
        let own =
            |r: &Row<'_>| r.cluster == cluster && r.gpus.iter().any(|g| std::ptr::eq(*g, gpu));
        let Some(row) = rows.iter().position(own) else {
            return false;
        };
        let column = rows
            .get(row)
            .and_then(|r| r.gpus.iter().position(|g| std::ptr::eq(*g, gpu)))
            .unwrap_or(0);
        let last = rows.len().saturating_sub(1);
        let (row, column) = match command {
            Command::Up => (row.saturating_sub(1), column),
            Command::Down => ((row + 1).min(last), column),
            Command::PageUp => (row.saturating_sub(10), column),
            Command::PageDown => ((row + 10).min(last), column),
            Command::Top => (0, 0),
            Command::Bottom => (last, 0),
            Command::Left => (row, column.saturating_sub(1)),
            Command::Right => (row, column + 1),
            _ => return false,
        };
        if let Some(target) = rows.get(row) {
            let column = column.min(target.gpus.len().saturating_sub(1));
            self.chosen = target.gpus.get(column).map(|g| Id::of(target.cluster, g));
        }
        self.scroll.to_top();
        true
    }

    pub(super) fn next_problem(&mut self, rows: &[Row<'_>], forward: bool) {
        let all: Vec<_> = rows
            .iter()
            .flat_map(|r| r.gpus.iter().map(move |g| (r.cluster, *g)))
            .collect();
        let Some((cluster, gpu)) = self.current(rows) else {
            return;
        };
        let at = all
            .iter()
            .position(|(c, g)| *c == cluster && std::ptr::eq(*g, gpu))
            .unwrap_or(0);
        let bad = |(_, g): &&(ClusterId, &gpu::Gpu)| map::trouble(g).is_some();
        let found = if forward {
            all.iter().skip(at + 1).find(bad)
        } else {
            all.iter().take(at).rev().find(bad)
        };
        if let Some((cluster, gpu)) = found {
            let id = Id::of(*cluster, gpu);
            // The table has a cursor of its own.
            self.devices.select(id.clone());
            self.chosen = Some(id);
        }
    }

    pub(super) fn update_devices(&mut self, command: &Command, world: &World) -> bool {
        let rows = self.rows(world);
        match self.mode {
            Mode::Map => self.step(&rows, command),
            Mode::Table => {
                let all = table::rows(&rows);
                let moved = self.devices.update(command, &all, |(c, g)| Id::of(*c, g));
                if moved {
                    self.chosen = self.devices.selected_id().cloned();
                    self.scroll.to_top();
                }
                moved
            }
            Mode::Holders => {
                let all = self.holders(world);
                let moved = self.held.update(command, &all, holders::Holder::id);
                let at = self.held.position(&all, holders::Holder::id);
                let first = at.and_then(|at| all.get(at)?.gpus.first().map(|g| (at, *g)));
                if let Some((at, gpu)) = first.filter(|_| moved) {
                    let cluster = all.get(at).map_or(ClusterId(0), |h| h.cluster);
                    self.chosen = Some(Id::of(cluster, gpu));
                }
                moved
            }
        }
    }
}
