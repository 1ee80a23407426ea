//! The rows of the mode in sight, and what is asked of any of them.

use ratatui::text::Line;

use super::{GitOps, Mode, detail, list, matrix, policy, timeline};
use crate::command::Command;
use crate::state::world::World;
use crate::ui::Ctx;

/// The rows of the mode in sight, read once for a command or a frame.
pub enum Rows<'a> {
    Apps(Vec<list::Row<'a>>),
    Matrix(matrix::Sheet<'a>),
    Policy(Vec<policy::Row<'a>>),
    Timeline(Vec<timeline::Row<'a>>),
}

impl Rows<'_> {
    pub fn len(&self) -> usize {
        match self {
            Self::Apps(rows) => rows.len(),
            Self::Matrix(sheet) => sheet.lines.len(),
            Self::Policy(rows) => rows.len(),
            Self::Timeline(rows) => rows.len(),
        }
    }

    /// Places of the matrix.
    pub fn places(&self) -> usize {
        match self {
            Self::Matrix(sheet) => sheet.places.len(),
            _ => 0,
        }
    }
}

impl GitOps {
    pub(super) fn rows<'a>(&self, world: &'a World) -> Rows<'a> {
        match self.mode {
            Mode::Apps => Rows::Apps(list::rows(world, self.scope, &self.apps, self.problems)),
            Mode::Matrix => {
                let filter = self.matrix.filter();
                Rows::Matrix(matrix::sheet(world, self.scope, filter, self.problems))
            }
            Mode::Policy => Rows::Policy(policy::rows(world, self.scope, self.policy.filter())),
            Mode::Timeline => {
                let filter = self.timeline.filter();
                Rows::Timeline(timeline::rows(world, self.scope, self.window, filter))
            }
        }
    }

    /// Moves, sorts and filters the table in sight.
    pub(super) fn move_in(&mut self, command: &Command, rows: &Rows<'_>) -> bool {
        match rows {
            Rows::Apps(rows) => self.apps.update(command, rows, |r| r.id.clone()),
            Rows::Matrix(sheet) => self.matrix.update(command, &sheet.lines, matrix::id),
            Rows::Policy(rows) => self.policy.update(command, rows, |r| r.id.clone()),
            Rows::Timeline(rows) => self.timeline.update(command, rows, timeline::id),
        }
    }

    pub(super) fn at(&self, rows: &Rows<'_>) -> Option<usize> {
        match rows {
            Rows::Apps(rows) => self.apps.position(rows, |r| r.id.clone()),
            Rows::Matrix(sheet) => self.matrix.position(&sheet.lines, matrix::id),
            Rows::Policy(rows) => self.policy.position(rows, |r| r.id.clone()),
            Rows::Timeline(rows) => self.timeline.position(rows, timeline::id),
        }
    }

    pub(super) fn detail_text<'a>(
        &self,
        ctx: &Ctx<'_>,
        rows: &Rows<'a>,
        width: usize,
    ) -> Vec<Line<'a>> {
        let Some(at) = self.at(rows) else {
            return vec![Line::styled("nothing chosen", ctx.theme.muted)];
        };
        match rows {
            Rows::Apps(rows) => rows.get(at).map(|r| detail::lines(ctx, r, width)),
            Rows::Matrix(sheet) => sheet.lines.get(at).map(|l| sheet.detail(ctx, l, width)),
            Rows::Policy(rows) => rows.get(at).map(|r| policy::detail(ctx, r, width)),
            Rows::Timeline(rows) => rows.get(at).map(|r| timeline::detail(ctx, r, width)),
        }
        .unwrap_or_default()
    }

    /// The next row that is a problem.
    pub(super) fn next_problem(&mut self, rows: &Rows<'_>, forward: bool) {
        let Rows::Apps(rows) = rows else {
            return;
        };
        let at = self.apps.position(rows, |r| r.id.clone()).unwrap_or(0);
        let bad = |r: &&list::Row<'_>| r.is_problem();
        let found = match forward {
            true => rows.iter().skip(at + 1).find(bad),
            false => rows.iter().take(at).rev().find(bad),
        };
        found
            .into_iter()
            .for_each(|r| self.apps.select(r.id.clone()));
    }

    /// The row in words; for the clipboard and the agent.
    pub(super) fn plain(&self, world: &World, rows: &Rows<'_>) -> Option<String> {
        let at = self.at(rows)?;
        match rows {
            Rows::Apps(rows) => rows.get(at).map(|r| detail::plain(world, r)),
            Rows::Matrix(sheet) => sheet.lines.get(at).map(|l| sheet.plain(l)),
            Rows::Policy(rows) => rows.get(at).map(policy::plain),
            Rows::Timeline(rows) => rows.get(at).map(timeline::plain),
        }
    }
}
