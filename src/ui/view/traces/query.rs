//! The search: typed, completed, run, and the searches before it.

use super::Traces;
use super::asked::{Opened, Search};
use crate::message::Effect;
use crate::model::input::KeyPress;
use crate::model::trace::TraceId;
use crate::state::world::World;

/// Shorter hex words are names.
const ID: usize = 16;

impl Traces {
    /// Searches, or opens the trace whose id it is.
    pub(super) fn run(&mut self, text: &str, world: &World) -> Vec<Effect> {
        let text = text.trim();
        if !text.is_empty() {
            self.editing.ran(text);
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
        let done = self
            .editing
            .press(press, world, self.scope, &mut self.numbers);
        done.map_or_else(|effects| effects, |text| self.run(&text, world))
    }

    pub(super) fn paste(&mut self, text: &str, world: &World) -> Vec<Effect> {
        self.editing
            .paste(text, world, self.scope, &mut self.numbers)
    }

    fn written(&self) -> String {
        let search = self.search.as_ref();
        search.map_or_else(String::new, |s| s.text.clone())
    }

    pub(super) fn edit(&mut self, world: &World) -> Vec<Effect> {
        let text = self.written();
        self.editing
            .open(&text, world, self.scope, &mut self.numbers)
    }

    /// Shows the searches before this one, and those that are kept.
    pub(super) fn recall(&mut self, world: &World) -> Vec<Effect> {
        let text = self.written();
        self.editing
            .recall(&text, world, self.scope, &mut self.numbers)
    }
}
