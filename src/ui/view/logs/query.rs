//! The editor of the query: typed, run, and run again.

use super::asked::Asked;
use super::{Logs, Mode};
use crate::language::logql::is_metric;
use crate::message::Effect;
use crate::model::input::KeyPress;
use crate::state::world::World;

impl Logs {
    pub(super) fn type_key(&mut self, press: KeyPress, world: &World) -> Vec<Effect> {
        if self.form.is_some() {
            return self.press_form(press, world);
        }
        let done = self
            .editing
            .press(press, world, self.scope, &mut self.numbers);
        done.map_or_else(|effects| effects, |query| self.run(&query, world))
    }

    pub(super) fn paste(&mut self, text: &str, world: &World) -> Vec<Effect> {
        if self.form.is_some() {
            self.paste_form(text);
            return Vec::new();
        }
        self.editing
            .paste(text, world, self.scope, &mut self.numbers)
    }

    /// The query asked; a pod's log is none.
    fn written(&self) -> String {
        if let Some(counted) = &self.counted {
            return counted.query.clone();
        }
        let asked = self.asked.as_ref().filter(|a| a.is_logql());
        asked.map(|a| a.query.clone()).unwrap_or_default()
    }

    pub(super) fn edit(&mut self, world: &World) -> Vec<Effect> {
        let text = self.written();
        self.editing
            .open(&text, world, self.scope, &mut self.numbers)
    }

    /// Shows the queries before this one, and those that are kept.
    pub(super) fn recall(&mut self, world: &World) -> Vec<Effect> {
        let text = self.written();
        self.editing
            .recall(&text, world, self.scope, &mut self.numbers)
    }

    pub(super) fn run(&mut self, query: &str, world: &World) -> Vec<Effect> {
        self.cursor = None;
        let query = query.trim();
        if query.is_empty() {
            (self.asked, self.counted) = (None, None);
            return Vec::new();
        }
        self.editing.ran(query);
        if matches!(self.mode, Mode::Compare(_)) {
            self.mode = Mode::Lines;
        }
        (self.aside, self.counted) = (None, None);
        if is_metric(query) {
            return self.count(query, world);
        }
        let before = self.asked.take();
        let (asked, effects) = Asked::new(
            query,
            world,
            self.scope,
            self.window,
            &mut self.numbers,
            before,
        );
        self.asked = Some(asked);
        effects
    }

    /// Asks again for what is shown, with what it is compared with.
    pub(super) fn rerun(&mut self, world: &World) -> Vec<Effect> {
        let before = match &self.mode {
            Mode::Compare(with) => Some(with.before),
            _ => None,
        };
        let mut effects = self.ask_again(world);
        if let Some(before) = before {
            effects.extend(self.compare_with(before, world));
        }
        effects
    }

    fn ask_again(&mut self, world: &World) -> Vec<Effect> {
        if let Some(counted) = &self.counted {
            let query = counted.query.clone();
            return self.run(&query, world);
        }
        let Some(asked) = &self.asked else {
            return Vec::new();
        };
        match &asked.pod {
            Some(pod) => {
                let pod = pod.clone();
                self.ask_for(pod, world)
            }
            None => {
                let query = asked.query.clone();
                self.run(&query, world)
            }
        }
    }
}
