//! One dashboard in view: its variables and its panels.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::choice::Choosing;
use super::grid::{self, Spot};
use super::panel::State;
use super::values::Values;
use super::{Site, head};
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::dashboard::{Dashboard, Source};
use crate::state::world::World;
use crate::ui::Window;

#[derive(Debug)]
pub struct Board {
    pub(super) board: Arc<Dashboard>,
    pub(super) values: Values,
    pub(super) panels: Vec<State>,
    /// The panel under the cursor.
    pub(super) at: usize,
    /// That panel alone.
    pub(super) whole: bool,
    /// Rows scrolled past.
    pub(super) top: u16,
    /// The cursor is on this variable.
    pub(super) variable: Option<usize>,
    pub(super) choosing: Option<Choosing>,
    pub(super) area: Rect,
    pub(super) spots: Vec<Spot>,
    /// The query of the panel under the cursor as it was last asked.
    now: crate::model::time::Timestamp,
}

impl Board {
    pub fn new(board: Arc<Dashboard>) -> Self {
        Self {
            values: Values::new(&board.variables),
            panels: board.panels.iter().cloned().map(State::new).collect(),
            board,
            at: 0,
            whole: false,
            top: 0,
            variable: None,
            choosing: None,
            area: Rect::ZERO,
            spots: Vec::new(),
            now: crate::model::time::Timestamp::default(),
        }
    }

    /// Where the panels stand.
    pub(super) fn body(&self) -> Rect {
        let rows = head::ROWS.min(self.area.height);
        Rect {
            y: self.area.y + rows,
            height: self.area.height - rows,
            ..self.area
        }
    }

    pub fn place(&mut self, area: Rect) {
        self.area = area;
        self.spots = grid::spots(&self.board.panels, area.width);
        let last = grid::height(&self.spots).saturating_sub(self.body().height);
        self.top = self.top.min(last);
        if let Some(choosing) = &mut self.choosing {
            choosing.place(area);
        }
    }

    /// Asks for values and for what is in view.
    pub fn begin(&mut self, site: &mut Site<'_>) -> Vec<Effect> {
        let mut effects = self.values.ask(true, site);
        effects.extend(self.ask(site, false));
        effects
    }

    /// Asks the panels in view anew; the others when they come into view.
    pub fn ask(&mut self, site: &mut Site<'_>, anew: bool) -> Vec<Effect> {
        self.now = site.desk.world.now;
        let mut effects = self.values.ask(false, site);
        let seen = self.in_view();
        for (number, panel) in self.panels.iter_mut().enumerate() {
            if seen.contains(&number) {
                effects.extend(panel.ask(&self.values, anew, site));
            } else {
                effects.extend(panel.cancel());
                *panel = State::new(panel.panel.clone());
            }
        }
        effects
    }

    /// Asks for the values and the panels that what is chosen changes.
    pub fn ask_changed(&mut self, site: &mut Site<'_>) -> Vec<Effect> {
        let mut effects = self.values.ask(false, site);
        let seen = self.in_view();
        for (number, panel) in self.panels.iter_mut().enumerate() {
            if seen.contains(&number) {
                effects.extend(panel.ask_changed(&self.values, site));
            } else if panel.is_asked() {
                effects.extend(panel.cancel());
                *panel = State::new(panel.panel.clone());
            }
        }
        effects
    }

    /// Asks what has come into view, and in view what is a step old.
    pub fn follow(&mut self, site: &mut Site<'_>) -> Vec<Effect> {
        self.now = site.desk.world.now;
        let seen = self.in_view();
        let live = site.window.end.is_none();
        let mut effects = Vec::new();
        for (number, panel) in self.panels.iter_mut().enumerate() {
            if !seen.contains(&number) {
                continue;
            }
            effects.extend(match panel.is_asked() {
                false => panel.ask(&self.values, false, site),
                true if live => panel.follow(&self.values, site),
                true => Vec::new(),
            });
            effects.extend(panel.make(site));
        }
        effects
    }

    /// Numbers of the panels of which something is to be seen.
    pub(super) fn in_view(&self) -> Vec<usize> {
        if self.whole {
            return vec![self.at];
        }
        let (from, to) = (self.top, self.top.saturating_add(self.body().height));
        let seen = |s: &&Spot| s.area.y < to && s.area.bottom() > from;
        let spots = self.spots.iter().filter(seen);
        spots.filter_map(|s| s.panel).collect()
    }

    pub fn answer(&mut self, answered: &Answered, site: &mut Site<'_>) -> Vec<Effect> {
        if self.values.take(answered) {
            // What could not be asked for want of a value can be now.
            let mut effects = self.values.ask(false, site);
            let seen = self.in_view();
            for number in seen {
                let Some(panel) = self.panels.get_mut(number) else {
                    continue;
                };
                effects.extend(panel.ask_changed(&self.values, site));
            }
            if let Some(choosing) = &mut self.choosing {
                choosing.look(&self.values);
            }
            return effects;
        }
        let taken = self.panels.iter_mut().find_map(|p| p.take(answered, site));
        taken.unwrap_or_default()
    }

    pub fn cancel(&mut self) -> Option<Vec<Effect>> {
        let effects: Vec<Effect> = self.panels.iter_mut().flat_map(State::cancel).collect();
        (!effects.is_empty()).then_some(effects)
    }

    pub fn back(&mut self) -> bool {
        self.choosing.take().is_some()
            || self.variable.take().is_some()
            || std::mem::take(&mut self.whole)
    }

    pub fn depth(&self) -> usize {
        [self.choosing.is_some(), self.variable.is_some(), self.whole]
            .into_iter()
            .filter(|open| *open)
            .count()
    }

    pub fn is_typing(&self) -> bool {
        self.choosing.as_ref().is_some_and(Choosing::is_typing)
    }

    pub fn filter(&self) -> &str {
        self.choosing.as_ref().map_or("", Choosing::filter)
    }

    pub(super) fn panel(&self) -> Option<&State> {
        self.panels.get(self.at)
    }

    pub fn told_of_panel(&self) -> Option<String> {
        let panel = self.panel()?;
        Some(format!(
            "panel {} of {}",
            panel.panel.title, self.board.name
        ))
    }

    /// What the panel under the cursor asks, and of whom.
    pub fn query_of_panel(&self, window: Window) -> Option<(String, Source)> {
        let panel = self.panel()?;
        let query = panel.query(&self.values, window, self.now)?;
        Some((query, panel.panel.source))
    }

    pub fn brief(&self, world: &World) -> String {
        let mut out = format!("dashboard {}", self.board.name);
        for value in &self.values.all {
            out.push_str(&format!(", {} = {}", value.variable.title(), value.word()));
        }
        for number in self.in_view() {
            if let Some(panel) = self.panels.get(number) {
                out.push('\n');
                out.push_str(&panel.brief(world));
            }
        }
        out
    }
}
