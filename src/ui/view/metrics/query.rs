//! The editor of the query: typed, run, and the queries before it.

use std::sync::Arc;

use super::asked::Asked;
use super::{Metrics, list};
use crate::message::Effect;
use crate::model::input::{Key, KeyPress};
use crate::state::world::World;
use crate::ui::widget::field::{Field, typed};

/// Queries that are remembered.
const HISTORY: usize = 50;

impl Metrics {
    pub(super) fn run(&mut self, query: &str, world: &World) -> Vec<Effect> {
        let query = query.trim();
        if query.is_empty() {
            self.asked = None;
            return Vec::new();
        }
        self.history.retain(|q| q != query);
        self.history.push(query.to_owned());
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
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
        if matches!(press.key, Key::Up | Key::Down) {
            self.walk_history(press.key == Key::Up);
            return Vec::new();
        }
        match typed(&mut self.editor, press) {
            Some(query) => self.run(&query, world),
            None => Vec::new(),
        }
    }

    fn walk_history(&mut self, older: bool) {
        let most = self.history.len();
        self.back_in_history = match older {
            true => (self.back_in_history + 1).min(most),
            false => self.back_in_history.saturating_sub(1),
        };
        let place = most - self.back_in_history;
        let query = self.history.get(place).map_or("", String::as_str);
        self.editor = Some(Field::new(query));
    }

    pub(super) fn edit(&mut self, world: &World) {
        let text = match &self.asked {
            Some(asked) => asked.query.clone(),
            None => {
                let rows = self.rows(world);
                let at = self.list.position(&rows, |r| Arc::clone(&r.name));
                let signal = at
                    .and_then(|at| rows.get(at))
                    .map(|r| list::query_of(world, &r.name));
                signal.unwrap_or_default()
            }
        };
        self.back_in_history = 0;
        self.editor = Some(Field::new(&text));
    }
}
