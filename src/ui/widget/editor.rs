//! An editor for one query of any language: colours, the mistake underlined with its sentence, a
//! list of what may be completed, and the queries before this one.
//!
//! It waits for nothing: what can be completed comes from [`Known`], and when more of that has
//! arrived [`Editor::look`] shows it.

mod draw;
mod list;
mod past;

pub use past::{Past, Saved};

use crate::language::{Language, Place, Problem, What};
use crate::model::input::{Key, KeyPress};
use crate::ui::widget::field::Field;
use list::List;

/// One thing that could be put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    pub text: &'a str,
    /// In a word: gauge, label, snippet.
    pub kind: &'a str,
    pub help: &'a str,
    /// What is put in; empty: the text itself.
    pub puts: &'a str,
}

/// What can be completed, as far as it is known now.
pub trait Known {
    fn each(&self, what: &What, take: &mut dyn FnMut(Offer<'_>));

    /// How far it is known: being asked for, cut, or of a source that is silent.
    fn note(&self, _what: &What) -> String {
        String::new()
    }
}

/// What a key led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Stay,
    Run(String),
}

#[derive(Debug)]
pub struct Editor {
    language: &'static Language,
    field: Field,
    problem: Option<Problem>,
    list: Option<List>,
    /// A list was looked for here, by key or not: it opens when more is known.
    awaited: Option<bool>,
    /// Looks for an earlier query; what is typed then goes here.
    search: Option<(Field, List)>,
    /// Queries gone back; 0: what is being written.
    back: usize,
    draft: String,
}

impl Editor {
    pub fn new(language: &'static Language, text: &str) -> Self {
        Self::of(language, Field::new(text))
    }

    /// With a query that nobody wrote: see [`Field::proposing`].
    pub fn proposing(language: &'static Language, text: &str) -> Self {
        Self::of(language, Field::proposing(text))
    }

    fn of(language: &'static Language, field: Field) -> Self {
        let mut editor = Self {
            language,
            field,
            problem: None,
            list: None,
            awaited: None,
            search: None,
            back: 0,
            draft: String::new(),
        };
        editor.check();
        editor
    }

    pub fn text(&self) -> &str {
        self.field.text()
    }

    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// What is completed at the cursor.
    pub fn place(&self) -> Option<Place> {
        if self.search.is_some() {
            return None;
        }
        (self.language.place)(self.field.text(), self.field.cursor_byte())
    }

    /// Esc: closes the search, then the list. False: neither is open.
    pub fn back(&mut self) -> bool {
        self.awaited = None;
        self.search.take().is_some() || self.list.take().is_some()
    }

    /// Steps that [`Self::back`] can undo.
    pub fn depth(&self) -> usize {
        usize::from(self.search.is_some()) + usize::from(self.list.is_some())
    }

    pub fn press(&mut self, press: KeyPress, past: &Past, known: &dyn Known) -> Outcome {
        if self.search.is_some() {
            self.search_key(press, past);
            return Outcome::Stay;
        }
        match (press.ctrl, press.key) {
            (true, Key::Char('r')) => self.search(past),
            (false, Key::Tab) => match self.list.is_some() {
                true => self.accept(known),
                false => self.open(known, true),
            },
            (false, Key::Enter) => match self.list.as_ref().is_some_and(List::is_chosen) {
                true => self.accept(known),
                false => return Outcome::Run(self.field.text().to_owned()),
            },
            (false, Key::Down) | (true, Key::Char('n')) => self.vertical(1, past),
            (false, Key::Up) | (true, Key::Char('p')) => self.vertical(-1, past),
            (false, Key::PageDown) => self.page(10),
            (false, Key::PageUp) => self.page(-10),
            (false, Key::BackTab) => self.page(-1),
            _ => {
                let before = self.field.text().len();
                if self.field.press(press) {
                    self.edited(before, known);
                }
            }
        }
        Outcome::Stay
    }

    pub fn paste(&mut self, text: &str, past: &Past, known: &dyn Known) {
        if let Some((field, _)) = &mut self.search {
            field.paste(text);
            self.search_again(past);
            return;
        }
        self.field.paste(text);
        self.edited(usize::MAX, known);
    }

    /// More is known now: the list is made anew, the row chosen stays chosen.
    pub fn look(&mut self, known: &dyn Known) {
        let before = self.list.take();
        if let Some(forced) = self.awaited {
            self.open(known, forced);
        }
        if let (Some(new), Some(before)) = (&mut self.list, before) {
            new.choose_again(&before);
        }
    }

    /// Shows earlier and saved queries.
    pub fn search(&mut self, past: &Past) {
        let field = Field::default();
        let list = past.list(field.text());
        self.search = Some((field, list));
        self.close();
    }

    fn search_key(&mut self, press: KeyPress, past: &Past) {
        let Some((field, list)) = &mut self.search else {
            return;
        };
        match (press.ctrl, press.key) {
            (false, Key::Enter | Key::Tab) => {
                if let Some(query) = list.taken() {
                    self.field = Field::new(&query);
                    self.back = 0;
                    self.check();
                }
                self.search = None;
            }
            (false, Key::Down) | (true, Key::Char('r' | 'n')) => list.step(1),
            (false, Key::Up) | (true, Key::Char('p')) => list.step(-1),
            (false, Key::PageDown) => list.step(10),
            (false, Key::PageUp) => list.step(-10),
            _ if field.press(press) => self.search_again(past),
            _ => {}
        }
    }

    fn search_again(&mut self, past: &Past) {
        if let Some((field, list)) = &mut self.search {
            *list = past.list(field.text());
        }
    }

    /// Up and down: in the list if there is one, else among the queries before.
    fn vertical(&mut self, by: isize, past: &Past) {
        let in_list = by > 0 || self.list.as_ref().is_some_and(List::is_chosen);
        if let Some(list) = self.list.as_mut().filter(|_| in_list) {
            list.step(by);
            return;
        }
        self.close();
        if self.back == 0 {
            self.draft = self.field.text().to_owned();
        }
        let wanted = self.back.saturating_add_signed(-by).min(past.len());
        if wanted == self.back {
            return;
        }
        self.back = wanted;
        let text = match wanted {
            0 => self.draft.clone(),
            back => past.before(back).unwrap_or_default().to_owned(),
        };
        self.field = Field::new(&text);
        self.check();
    }

    fn page(&mut self, by: isize) {
        if let Some(list) = &mut self.list {
            list.step(by);
        }
    }

    fn edited(&mut self, before: usize, known: &dyn Known) {
        let moved = self.field.text().len() == before;
        if moved {
            self.close();
            return;
        }
        self.back = 0;
        self.check();
        self.open(known, false);
    }

    fn check(&mut self) {
        self.problem = (self.language.check)(self.field.text());
    }

    fn open(&mut self, known: &dyn Known, forced: bool) {
        let place = self.place();
        let place = place.filter(|p| forced || p.eager || !p.typed.is_empty());
        self.awaited = place.is_some().then_some(forced);
        self.list = place.and_then(|place| List::of(place, known, forced));
    }

    fn close(&mut self) {
        self.list = None;
        self.awaited = None;
    }

    /// Puts in the row chosen, or the first.
    fn accept(&mut self, known: &dyn Known) {
        self.awaited = None;
        let Some((bytes, text, back)) = self.list.take().and_then(|l| l.put()) else {
            return;
        };
        self.field.splice(bytes, &text, back);
        self.back = 0;
        self.check();
        // What was put in may lead on: a label to its values.
        if back > 0 && self.place().is_some_and(|p| p.eager) {
            self.open(known, false);
        }
    }
}

#[cfg(test)]
mod tests;
