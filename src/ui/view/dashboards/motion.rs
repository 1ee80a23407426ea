//! What keys do on a board.

use super::Site;
use super::board::Board;
use super::choice::{Choosing, Outcome};
use super::grid::{self, Spot};
use crate::command::Command;
use crate::message::Effect;
use crate::ui::widget::table::Table;

impl Board {
    pub fn update(&mut self, command: &Command, site: &mut Site<'_>) -> Vec<Effect> {
        if let Some(choosing) = &mut self.choosing {
            return match choosing.update(command) {
                Outcome::Stay => Vec::new(),
                Outcome::Taken => self.taken(site),
            };
        }
        match command {
            Command::NextPane => self.next_variable(1),
            Command::PreviousPane => self.next_variable(-1),
            Command::Open => self.open(),
            Command::Mode => {
                if let Some(panel) = self.panels.get_mut(self.at) {
                    panel.next_form();
                }
            }
            Command::Refresh => {
                let mut effects = self.values.ask(true, site);
                effects.extend(self.ask(site, true));
                return effects;
            }
            Command::CopyQuery => {
                let query = self.query_of_panel(site.window);
                return query.map(|(q, _)| Effect::Copy(q)).into_iter().collect();
            }
            Command::CopyCurl => {
                let copied = self.panel().and_then(|p| p.curl(site.desk.world));
                return copied.into_iter().collect();
            }
            Command::Export(format) => {
                let world = site.desk.world;
                let kept = self
                    .panel()
                    .map(|p| p.export(world, (site.window, site.at), *format));
                return kept.into_iter().collect();
            }
            Command::Click { column, row, .. } => self.click(*column, *row),
            command if Table::<()>::moves(command) => self.go(command),
            _ => return Vec::new(),
        }
        self.follow(site)
    }

    /// What was chosen holds: all that depends on it is asked anew.
    fn taken(&mut self, site: &mut Site<'_>) -> Vec<Effect> {
        let changed = match self.choosing.take() {
            Some(choosing) => choosing.put(&mut self.values),
            None => false,
        };
        match changed {
            true => self.ask_changed(site),
            false => Vec::new(),
        }
    }

    fn next_variable(&mut self, by: isize) {
        let all = self.values.all.len();
        if all == 0 {
            return;
        }
        // One place beside the variables is that of the panels.
        let at = self.variable.map_or(0, |v| v + 1);
        let next = (at + all + 1).saturating_add_signed(by) % (all + 1);
        self.variable = next.checked_sub(1);
    }

    fn open(&mut self) {
        let Some(number) = self.variable else {
            self.whole = !self.whole;
            return;
        };
        if let Some(value) = self.values.all.get(number) {
            let mut choosing = Choosing::new(number, value);
            choosing.place(self.area);
            self.choosing = Some(choosing);
        }
    }

    /// To another panel: left and right in the order of reading, up and down by rows.
    fn go(&mut self, command: &Command) {
        let last = self.panels.len().saturating_sub(1);
        let page = self.body().height;
        self.at = match command {
            Command::Down => self.beside(1),
            Command::Up => self.beside(-1),
            Command::Top => 0,
            Command::Bottom => last,
            Command::PageDown => self.jump(i32::from(page)),
            Command::PageUp => self.jump(-i32::from(page)),
            _ => self.at,
        }
        .min(last);
        self.variable = None;
        self.show();
    }

    fn beside(&self, by: isize) -> usize {
        self.at.saturating_add_signed(by)
    }

    /// The first panel so many rows away.
    fn jump(&self, rows: i32) -> usize {
        let Some(here) = self.spot(self.at) else {
            return self.at;
        };
        let wanted = i32::from(here.area.y) + rows;
        let panels = self.spots.iter().filter(|s| s.panel.is_some());
        let away = |s: &&Spot| (i32::from(s.area.y) - wanted).abs();
        let near = panels.min_by_key(away).and_then(|s| s.panel);
        near.unwrap_or(self.at)
    }

    fn spot(&self, panel: usize) -> Option<&Spot> {
        self.spots.iter().find(|s| s.panel == Some(panel))
    }

    /// Scrolls to the panel under the cursor, with the heading above it.
    fn show(&mut self) {
        let Some(at) = self.spots.iter().position(|s| s.panel == Some(self.at)) else {
            return;
        };
        let Some(mut area) = self.spots.get(at).map(|s| s.area) else {
            return;
        };
        let before = at.checked_sub(1).and_then(|b| self.spots.get(b));
        if let Some(heading) = before.filter(|s| s.panel.is_none()) {
            area.height += area.y - heading.area.y;
            area.y = heading.area.y;
        }
        self.top = grid::scroll(self.top, self.body().height, area);
    }

    fn click(&mut self, column: u16, row: u16) {
        let body = self.body();
        if self.whole || row < body.y {
            return;
        }
        let at = (column.saturating_sub(body.x), row - body.y + self.top);
        let hit = |s: &&Spot| s.area.contains(at.into());
        if let Some(panel) = self.spots.iter().find(hit).and_then(|s| s.panel) {
            self.at = panel;
            self.variable = None;
        }
    }

    pub fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match (&self.choosing, self.variable) {
            (Some(_), _) => &[("Enter", "choose"), ("Tab", "take"), ("/", "narrow")],
            (None, Some(_)) => &[("Enter", "choose"), ("Tab", "next"), ("Esc", "panels")],
            (None, None) => &[
                ("Enter", "alone"),
                ("Tab", "variables"),
                ("m", "form"),
                ("xm", "explore"),
                ("C-s", "export"),
            ],
        }
    }
}
