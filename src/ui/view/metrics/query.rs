//! The query: typed, run, asked again as time goes on, and the queries before it.

use super::{Metrics, list};
use crate::message::Effect;
use crate::model::input::KeyPress;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::panel::asked::{Asked, Desk};
use crate::ui::panel::picture::Query;
use crate::ui::panel::unit::of_observations;
use crate::ui::view::common::step_ms;

/// How often a chart that follows now is asked for again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Every {
    /// Each step.
    #[default]
    Step,
    Ms(u32),
    Never,
}

impl Metrics {
    pub(super) fn run(&mut self, query: &str, world: &World) -> Vec<Effect> {
        let query = query.trim();
        if query.is_empty() {
            self.close();
            return Vec::new();
        }
        self.editing.ran(query);
        self.alone = None;
        self.hidden.clear();
        self.form = None;
        let mut before = self.asked.take();
        let mut effects = before.as_mut().map(Asked::cancel).unwrap_or_default();
        self.exemplars.clear();
        let mut asked = Asked::new(query, self.combine, world);
        asked.step_ms = self.step_ms;
        self.asked = Some(asked);
        self.picture.restart(true);
        effects.extend(self.ask(false, world));
        effects
    }

    /// Other points are asked for; a step with more points than a server gives becomes the least
    /// one it takes.
    pub(super) fn set_step(&mut self, step_ms: Option<u32>, world: &World) -> Vec<Effect> {
        self.step_ms = step_ms;
        let Some(asked) = &mut self.asked else {
            return Vec::new();
        };
        asked.step_ms = step_ms;
        let mut effects = asked.cancel();
        effects.extend(self.ask(false, world));
        effects
    }

    /// No query is in view any more.
    pub(super) fn close(&mut self) {
        self.asked = None;
        self.picture.clear();
    }

    /// Goes on with the picture of what was asked.
    pub(super) fn make(&mut self) -> Vec<Effect> {
        let Some(asked) = &mut self.asked else {
            return Vec::new();
        };
        let query = Query {
            asked,
            legend: None,
            unit: Unit::None,
            limits: &[],
        };
        self.picture.make(&mut [query], &mut self.answers)
    }

    /// Asks the clusters that are meant for the window; `anew`: also for what is known.
    pub(super) fn ask(&mut self, anew: bool, world: &World) -> Vec<Effect> {
        let clusters = self.choice.clusters(world, self.scope);
        let Some(asked) = &mut self.asked else {
            return Vec::new();
        };
        let mut desk = Desk {
            world,
            numbers: &mut self.numbers,
            answers: &mut self.answers,
        };
        let mut effects = asked.ask(&clusters, self.window, anew, &mut desk);
        // Nothing of them is recorded.
        if world.replay.is_none() {
            let unit = of_observations(world, &asked.query);
            effects.extend(self.exemplars.ask(asked, unit, &mut desk));
        }
        self.picture.restart(false);
        effects.extend(self.make());
        effects
    }

    /// Time went on, and now is looked at.
    pub(super) fn follow(&mut self, world: &World) -> Vec<Effect> {
        let Some(every) = self.every_ms().filter(|_| self.window.end.is_none()) else {
            return Vec::new();
        };
        // However fast a replay runs, it is asked no more often by the operator's clock.
        let speed = world.replay.as_ref().map_or(1.0, |r| r.speed.max(1.0));
        let due = (f64::from(every) * speed) as u64;
        let Some(asked) = &mut self.asked else {
            return Vec::new();
        };
        if world.now.age_since_ms(asked.at) < due {
            return Vec::new();
        }
        let mut desk = Desk {
            world,
            numbers: &mut self.numbers,
            answers: &mut self.answers,
        };
        let mut effects = asked.follow(self.window, &mut desk);
        self.picture.touch();
        if world.replay.is_none() && self.exemplars.is_old(world.now) {
            let unit = of_observations(world, &asked.query);
            effects.extend(self.exemplars.ask(asked, unit, &mut desk));
        }
        effects
    }

    /// `None`: never.
    pub(super) fn every_ms(&self) -> Option<u32> {
        match self.every {
            Every::Step => {
                let asked = self.asked.as_ref().map(|a| a.grid.step_ms);
                asked.or_else(|| Some(step_ms(self.window.span_ms)))
            }
            Every::Ms(ms) => Some(ms),
            Every::Never => None,
        }
    }

    /// Whether somebody is asked just now.
    pub fn is_waiting(&self) -> bool {
        self.asked.as_ref().is_some_and(Asked::is_waiting)
    }

    /// Stops what is under way. `None`: nothing is.
    pub(super) fn stop(&mut self) -> Option<Vec<Effect>> {
        let mut effects = self.asked.as_mut().map(Asked::cancel).unwrap_or_default();
        effects.extend(self.exemplars.cancel());
        (!effects.is_empty()).then_some(effects)
    }

    pub(super) fn type_key(&mut self, press: KeyPress, world: &World) -> Vec<Effect> {
        let done = self
            .editing
            .press(press, world, self.scope, &mut self.numbers);
        done.map_or_else(|effects| effects, |query| self.run(&query, world))
    }

    pub(super) fn paste(&mut self, text: &str, world: &World) -> Vec<Effect> {
        self.editing
            .paste(text, world, self.scope, &mut self.numbers)
    }

    /// The query asked, or that of the series under the cursor.
    pub(super) fn written(&self, world: &World) -> String {
        if let Some(asked) = &self.asked {
            return asked.query.to_string();
        }
        let name = self.chosen_name(world);
        name.map(|name| list::query_of(world, &name))
            .unwrap_or_default()
    }

    pub(super) fn edit(&mut self, world: &World) -> Vec<Effect> {
        let text = self.written(world);
        let (editing, numbers) = (&mut self.editing, &mut self.numbers);
        match self.asked {
            Some(_) => editing.open(&text, world, self.scope, numbers),
            None => editing.propose(&text, world, self.scope, numbers),
        }
    }

    /// Shows the queries before this one, and those that are kept.
    pub(super) fn recall(&mut self, world: &World) -> Vec<Effect> {
        let text = self.written(world);
        self.editing
            .recall(&text, world, self.scope, &mut self.numbers)
    }
}
