//! The editor of the search: typed, run, and the searches before it.

use super::Traces;
use super::asked::{Opened, Search};
use crate::message::Effect;
use crate::model::input::{Key, KeyPress};
use crate::model::trace::TraceId;
use crate::state::world::World;
use crate::ui::widget::field::{Field, typed};

/// Searches that are remembered.
const HISTORY: usize = 50;
/// Shorter hex words are names.
const ID: usize = 16;

impl Traces {
    /// Searches, or opens the trace whose id it is.
    pub(super) fn run(&mut self, text: &str, world: &World) -> Vec<Effect> {
        let text = text.trim();
        self.history.retain(|q| q != text);
        self.history.push(text.to_owned());
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
        match TraceId::parse(text).filter(|_| text.len() >= ID) {
            Some(id) => {
                let (opened, effects) = Opened::new(id, world, self.scope, &mut self.numbers);
                self.opened = Some(opened);
                self.detail = self.area.width >= super::WIDE;
                effects
            }
            None => {
                self.opened = None;
                self.list.release();
                self.seek(text, world)
            }
        }
    }

    /// Searches; what is opened stays.
    pub(super) fn seek(&mut self, text: &str, world: &World) -> Vec<Effect> {
        let before = self.search.take();
        let place = (self.scope, self.window);
        let (search, effects) = Search::new(text, world, place, &mut self.numbers, before);
        self.search = Some(search);
        effects
    }

    pub(super) fn type_key(&mut self, press: KeyPress, world: &World) -> Vec<Effect> {
        if matches!(press.key, Key::Up | Key::Down) {
            self.walk_history(press.key == Key::Up);
            return Vec::new();
        }
        match typed(&mut self.editor, press) {
            Some(text) => self.run(&text, world),
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
        let text = self.history.get(place).map_or("", String::as_str);
        self.editor = Some(Field::new(text));
    }

    pub(super) fn edit(&mut self) {
        let text = self.search.as_ref().map_or("", |s| s.text.as_str());
        self.editor = Some(Field::new(text));
        self.back_in_history = 0;
    }
}
