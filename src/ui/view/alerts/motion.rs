//! What the keys do, and what is asked for what comes into view.

use super::asked::Asker;
use super::{Alerts, Page, curve, detail, group};
use crate::command::Command;
use crate::message::Effect;
use crate::state::world::World;
use crate::ui::view::{Focus, View};

impl Alerts {
    /// Goes to a page; what it shows is asked for when it is first looked at.
    pub(super) fn turn_to(&mut self, page: Page, world: &World) -> Vec<Effect> {
        self.page = page;
        self.place(self.area, world);
        let from = Asker {
            world,
            scope: self.scope,
            numbers: &mut self.numbers,
        };
        match page {
            Page::Alerts => self.ask_curve(world),
            Page::Silences => Vec::new(),
            Page::Rules => self.rules.enter(from),
            Page::Digest => self.digest.enter(from),
        }
    }

    /// Asks for the curve of the chosen alert, where its detail is in view.
    pub(super) fn ask_curve(&mut self, world: &World) -> Vec<Effect> {
        if self.page != Page::Alerts || !self.shows_detail(self.area.width) {
            return Vec::new();
        }
        let rows = self.rows(world);
        let wanted = self.chosen(&rows).and_then(|r| curve::Wanted::of(world, r));
        drop(rows);
        let asked = wanted.and_then(|w| self.curves.ask(w, world, &mut self.numbers));
        asked.into_iter().collect()
    }

    /// Puts the cursor on an alert.
    pub(super) fn show(&mut self, focus: &Focus, world: &World) {
        let Focus::Alert {
            cluster,
            fingerprint,
        } = focus
        else {
            return;
        };
        self.problems = false;
        self.table.set_filter("");
        let rows = group::rows(world, self.scope, self.each);
        let found = rows
            .iter()
            .find(|r| r.id.cluster == *cluster && r.holds(fingerprint))
            .map(|r| r.id.clone());
        found.into_iter().for_each(|id| self.table.select(id));
    }

    pub(super) fn command(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Some(page) = self.page.next(&command) {
            return self.turn_to(page, world);
        }
        let from = Asker {
            world,
            scope: self.scope,
            numbers: &mut self.numbers,
        };
        match self.page {
            Page::Alerts => {}
            Page::Silences => return self.update_silences(&command, world),
            Page::Rules => return self.rules.update(&command, from),
            Page::Digest => return self.digest.update(&command, from),
        }
        let rows = self.rows(world);
        let mut table = self.table.clone();
        if table.update(&command, &rows, |r| r.id.clone()) {
            drop(rows);
            self.table = table;
            self.scroll.to_top();
            return self.ask_curve(world);
        }
        match command {
            Command::CopyRow => {
                let text = self.chosen(&rows).map(|row| detail::plain(world, row));
                return text.map(Effect::Copy).into_iter().collect();
            }
            Command::Problems => self.problems = !self.problems,
            Command::Mode => self.each = !self.each,
            Command::Detail => self.detail = Some(!self.shows_detail(self.area.width)),
            Command::Open => self.detail = Some(true),
            Command::NextProblem | Command::PreviousProblem => {
                let forward = command == Command::NextProblem;
                let at = self.table.position(&rows, |r| r.id.clone()).unwrap_or(0);
                let found = group::next_problem(&rows, at, forward).map(|r| r.id.clone());
                drop(rows);
                found.into_iter().for_each(|id| self.table.select(id));
            }
            Command::Right | Command::ScrollDown => self.scroll.down(),
            Command::Left | Command::ScrollUp => self.scroll.up(),
            Command::Refresh => {
                drop(rows);
                self.curves.forget();
                let mut effects = vec![Effect::Refresh(self.scope)];
                effects.extend(self.ask_curve(world));
                return effects;
            }
            _ => return Vec::new(),
        }
        self.ask_curve(world)
    }
}
