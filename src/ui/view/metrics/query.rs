//! The editor of the query: typed, completed, run, and the queries before it.

use std::sync::Arc;

use super::asked::Asked;
use super::complete::Offered;
use super::{Metrics, list};
use crate::language::promql::PROMQL;
use crate::message::Effect;
use crate::model::input::KeyPress;
use crate::state::world::World;
use crate::ui::widget::editor::{Editor, Outcome, Saved};

impl Metrics {
    pub(super) fn run(&mut self, query: &str, world: &World) -> Vec<Effect> {
        let query = query.trim();
        if query.is_empty() {
            self.asked = None;
            return Vec::new();
        }
        self.past.add(query);
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
        let Some(editor) = &mut self.editor else {
            return Vec::new();
        };
        let known = Offered {
            heard: &self.heard,
            world,
            scope: self.scope,
        };
        match editor.press(press, &self.past, &known) {
            Outcome::Stay => self.want(world),
            Outcome::Run(query) => {
                self.editor = None;
                self.run(&query, world)
            }
        }
    }

    pub(super) fn paste(&mut self, text: &str, world: &World) -> Vec<Effect> {
        let Some(editor) = &mut self.editor else {
            return Vec::new();
        };
        let known = Offered {
            heard: &self.heard,
            world,
            scope: self.scope,
        };
        editor.paste(text, &self.past, &known);
        self.want(world)
    }

    /// Asks for what the place of the cursor wants and is not yet known.
    fn want(&mut self, world: &World) -> Vec<Effect> {
        let place = self.editor.as_ref().and_then(Editor::place);
        let wants = place.map(|p| p.wants).unwrap_or_default();
        self.heard.ask(&wants, world, self.scope, &mut self.numbers)
    }

    /// More is known: the list shows it.
    pub(super) fn look(&mut self, world: &World) -> Vec<Effect> {
        let known = Offered {
            heard: &self.heard,
            world,
            scope: self.scope,
        };
        if let Some(editor) = &mut self.editor {
            editor.look(&known);
        }
        Vec::new()
    }

    pub(super) fn edit(&mut self, world: &World) -> Vec<Effect> {
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
        self.editor = Some(Editor::new(&PROMQL, &text));
        self.heard.ask_names(world, self.scope, &mut self.numbers)
    }

    /// Shows the queries before this one, and those that are kept.
    pub(super) fn recall(&mut self, world: &World) -> Vec<Effect> {
        let effects = self.edit(world);
        let saved = world.queries.iter().map(|q| Saved {
            name: q.name.clone(),
            query: q.query.clone(),
        });
        self.past.set_saved(saved.collect());
        if let Some(editor) = &mut self.editor {
            editor.search(&self.past);
        }
        effects
    }
}
