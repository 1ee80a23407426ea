//! The editor of the query: typed, run, and run again.

use super::Logs;
use super::asked::Asked;
use crate::message::Effect;
use crate::model::input::KeyPress;
use crate::state::world::World;
use crate::ui::widget::field::typed;

impl Logs {
    pub(super) fn type_key(&mut self, press: KeyPress, world: &World) -> Vec<Effect> {
        match typed(&mut self.editor, press) {
            Some(query) => self.run(&query, world),
            None => Vec::new(),
        }
    }

    pub(super) fn run(&mut self, query: &str, world: &World) -> Vec<Effect> {
        self.cursor = None;
        let query = query.trim();
        if query.is_empty() {
            self.asked = None;
            return Vec::new();
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

    /// Asks again for what is shown.
    pub(super) fn rerun(&mut self, world: &World) -> Vec<Effect> {
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
