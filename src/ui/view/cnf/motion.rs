//! What keys and clicks do on the CNF screen.

use super::{ClockRow, Cnf, Part, WIDE, clock, dpdk, ptp};
use crate::command::Command;
use crate::message::Effect;
use crate::state::world::World;

impl Cnf {
    pub(super) fn act(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Command::Filter(text) = &command {
            self.clocks.set_filter(text);
            return Vec::new();
        }
        if let Command::Click { column, row } = command {
            let parts = self.layout(self.area, self.nodes(world).len(), self.below(world).len());
            let below = parts.sriov.contains((column, row).into());
            self.part = match (below, self.part) {
                (false, _) => Part::Clocks,
                (true, Part::Clocks) => Part::Sriov,
                (true, part) => part,
            };
        }
        let moved = match self.part {
            Part::Clocks => {
                let rows = self.nodes(world);
                self.clocks.update(&command, &rows, ptp::id)
            }
            Part::Sriov | Part::Workloads => {
                let list = self.list();
                self.below(world).update(self.tables.of_mut(list), &command)
            }
        };
        if moved {
            self.scroll = 0;
            return Vec::new();
        }
        match command {
            Command::Mode if self.part == Part::Clocks => {
                self.detail = Some(true);
                self.page = self.page.next();
            }
            Command::Mode if self.part == Part::Sriov => {
                self.wired = self.wired.next(dpdk::is_found(world, self.scope));
                self.scroll = 0;
            }
            Command::NextPane => self.part = self.part.next(),
            Command::PreviousPane => self.part = self.part.before(),
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
                    Part::Sriov | Part::Workloads => {
                        let rows = self.below(world);
                        let row = rows.chosen(self.tables.of(self.list()));
                        row.map(|row| row.plain(world))
                    }
                };
                return text.map(Effect::Copy).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn next_problem(&mut self, world: &World, forward: bool) {
        let rows = self.nodes(world);
        let at = self.clocks.position(&rows, ptp::id).unwrap_or(0);
        let bad = |r: &&ClockRow<'_>| !ptp::is_well(world, **r);
        let found = if forward {
            rows.iter().skip(at + 1).find(bad)
        } else {
            rows.iter().take(at).rev().find(bad)
        };
        if let Some(id) = found.map(ptp::id) {
            self.clocks.select(id);
        }
    }
}
