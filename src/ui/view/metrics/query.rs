//! The query: typed, completed, run, and the queries before it.

use std::sync::Arc;

use super::asked::Asked;
use super::{Metrics, list};
use crate::message::Effect;
use crate::model::input::KeyPress;
use crate::state::world::World;

impl Metrics {
    pub(super) fn run(&mut self, query: &str, world: &World) -> Vec<Effect> {
        let query = query.trim();
        if query.is_empty() {
            self.asked = None;
            return Vec::new();
        }
        self.editing.ran(query);
        self.alone = None;
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
    fn written(&self, world: &World) -> String {
        if let Some(asked) = &self.asked {
            return asked.query.clone();
        }
        let rows = self.rows(world);
        let at = self.list.position(&rows, |r| Arc::clone(&r.name));
        let row = at.and_then(|at| rows.get(at));
        row.map(|r| list::query_of(world, &r.name))
            .unwrap_or_default()
    }

    pub(super) fn edit(&mut self, world: &World) -> Vec<Effect> {
        let text = self.written(world);
        self.editing
            .open(&text, world, self.scope, &mut self.numbers)
    }

    /// Shows the queries before this one, and those that are kept.
    pub(super) fn recall(&mut self, world: &World) -> Vec<Effect> {
        let text = self.written(world);
        self.editing
            .recall(&text, world, self.scope, &mut self.numbers)
    }
}
