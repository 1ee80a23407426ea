//! The editor of a screen's query with what goes with it: the queries before it, those that are
//! kept, and what the servers told that can be completed. A screen says in an [`About`] which
//! language it speaks and whom it asks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::common::{Numbers, lines, pane};
use crate::language::{Language, Want, What};
use crate::message::Effect;
use crate::model::ask::{Answered, Ask};
use crate::model::fault::Fault;
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::input::KeyPress;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::widget::editor::{Editor, Known, Offer, Outcome, Past, Saved};
use crate::ui::widget::text::{cut, wrap};

mod heard;

pub use heard::Heard;

/// Takes one thing that can be put in.
pub type Take<'a> = &'a mut dyn FnMut(Offer<'_>);

/// A language on a screen.
#[derive(Debug)]
pub struct About {
    pub language: &'static Language,
    /// Who is asked.
    pub source: SourceKind,
    /// Asked for when the editor opens.
    pub first: What,
    /// The questions that tell what there is of this.
    pub asks: fn(&What) -> Vec<Ask>,
    /// What can be put in, of what was heard and what the console holds itself.
    pub offers: fn(&Seen<'_>, &What, Take<'_>),
}

/// All that is known, for one look at the list.
pub struct Seen<'a> {
    about: &'static About,
    pub heard: &'a Heard,
    pub world: &'a World,
    pub scope: Option<ClusterId>,
}

impl Known for Seen<'_> {
    fn each(&self, what: &What, take: Take<'_>) {
        (self.about.offers)(self, what, take);
    }

    fn note(&self, what: &What) -> String {
        self.heard.note(&(self.about.asks)(what))
    }
}

#[derive(Debug)]
pub struct Editing {
    about: &'static About,
    editor: Option<Editor>,
    past: Past,
    heard: Heard,
}

impl Editing {
    pub fn new(about: &'static About) -> Self {
        Self {
            about,
            editor: None,
            past: Past::default(),
            heard: Heard::default(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.editor.is_some()
    }

    /// What is written; `None`: the editor is closed.
    pub fn text(&self) -> Option<&str> {
        self.editor.as_ref().map(Editor::text)
    }

    /// Closes the editor; false: it was not open.
    pub fn close(&mut self) -> bool {
        self.editor.take().is_some()
    }

    /// Esc: closes what is open in the editor, then the editor.
    pub fn back(&mut self) -> bool {
        self.editor.as_mut().is_some_and(Editor::back) || self.close()
    }

    pub fn depth(&self) -> usize {
        self.editor.as_ref().map_or(0, |e| 1 + e.depth())
    }

    /// Remembers a query that is run.
    pub fn ran(&mut self, query: &str) {
        self.past.add(query);
    }

    pub fn open(
        &mut self,
        text: &str,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        let editor = Editor::new(self.about.language, text);
        self.open_with(editor, world, scope, numbers)
    }

    /// As [`Self::open`], with a text that nobody wrote: a letter begins another one.
    pub fn propose(
        &mut self,
        text: &str,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        let editor = Editor::proposing(self.about.language, text);
        self.open_with(editor, world, scope, numbers)
    }

    fn open_with(
        &mut self,
        editor: Editor,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        self.editor = Some(editor);
        self.ask(
            &[Want::plain(self.about.first.clone())],
            world,
            scope,
            numbers,
        )
    }

    /// Opens it on the queries before this one, and those of this language that are kept.
    pub fn recall(
        &mut self,
        text: &str,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        let effects = self.open(text, world, scope, numbers);
        let own = |q: &&crate::config::Query| q.language.name() == self.about.language.name;
        let saved = world.queries.iter().filter(own).map(|q| Saved {
            name: q.name.clone(),
            query: q.query.clone(),
        });
        self.past.set_saved(saved.collect());
        if let Some(editor) = &mut self.editor {
            editor.search(&self.past);
        }
        effects
    }

    /// A key for the editor. The query to be run, where it was Enter: the editor is closed then.
    pub fn press(
        &mut self,
        press: KeyPress,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Result<String, Vec<Effect>> {
        let seen = Seen {
            about: self.about,
            heard: &self.heard,
            world,
            scope,
        };
        let Some(editor) = &mut self.editor else {
            return Err(Vec::new());
        };
        match editor.press(press, &self.past, &seen) {
            Outcome::Stay => Err(self.want(world, scope, numbers)),
            Outcome::Run(query) => {
                self.editor = None;
                Ok(query)
            }
        }
    }

    pub fn paste(
        &mut self,
        text: &str,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        let seen = Seen {
            about: self.about,
            heard: &self.heard,
            world,
            scope,
        };
        let Some(editor) = &mut self.editor else {
            return Vec::new();
        };
        editor.paste(text, &self.past, &seen);
        self.want(world, scope, numbers)
    }

    /// Takes what a server told. False: no answer to a question of the editor.
    pub fn take(&mut self, answered: &Answered, world: &World, scope: Option<ClusterId>) -> bool {
        if !self.heard.take(answered) {
            return false;
        }
        let seen = Seen {
            about: self.about,
            heard: &self.heard,
            world,
            scope,
        };
        if let Some(editor) = &mut self.editor {
            editor.look(&seen);
        }
        true
    }

    /// Asks for what these want and is not yet known.
    pub fn ask(
        &mut self,
        wants: &[Want],
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        let asks = wants.iter().flat_map(|w| (self.about.asks)(&w.what));
        let asks = asks.collect();
        self.heard
            .ask(asks, self.about.source, (world, scope), numbers)
    }

    fn want(
        &mut self,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        let place = self.editor.as_ref().and_then(Editor::place);
        let wants = place.map(|p| p.wants).unwrap_or_default();
        self.ask(&wants, world, scope, numbers)
    }

    /// The names that a question was answered with, as far as it was asked.
    pub fn heard(&self) -> &Heard {
        &self.heard
    }

    /// The query, or the editor in its place.
    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, query: &Shown<'_>) {
        let (title, status) = match self.is_open() {
            true => {
                let name = self.about.language.name;
                (format!("{name}: Enter runs it, Tab completes"), "")
            }
            false => (query.title.to_owned(), query.status),
        };
        let inner = pane(ctx, area, buf, &title, status, self.is_open());
        if let Some(editor) = &self.editor {
            editor.draw(ctx, inner, buf);
            return;
        }
        let columns = usize::from(inner.width);
        let mut out = vec![Line::styled(cut(query.text, columns), ctx.theme.base)];
        if !query.told.is_empty() {
            let parts = wrap(query.told, columns).into_iter();
            out.extend(parts.map(|p| Line::styled(p, ctx.theme.muted)));
        }
        for fault in query.faults {
            let parts = wrap(&fault.to_string(), columns);
            out.extend(parts.into_iter().map(|p| Line::styled(p, ctx.theme.crit)));
        }
        out.extend(query.warnings.iter().map(|w| {
            Line::from(vec![
                Span::styled("warning: ", ctx.theme.warn),
                Span::styled(*w, ctx.theme.base),
            ])
        }));
        lines(ctx, inner, buf, &out, 0);
    }

    /// What can be completed, over what is drawn below the editor; after all the rest.
    pub fn draw_list(&self, ctx: &Ctx<'_>, query: Rect, bounds: Rect, buf: &mut Buffer) {
        if let Some(editor) = &self.editor {
            editor.draw_list(ctx, query, bounds, buf);
        }
    }
}

/// Keys while the editor is open.
pub const HINTS: &[(&str, &str)] = &[
    ("Enter", "run"),
    ("Tab", "complete"),
    ("Up", "history"),
    ("Ctrl-r", "search"),
    ("Esc", "leave"),
];

/// A query that was asked, for its pane.
#[derive(Default)]
pub struct Shown<'a> {
    pub title: &'a str,
    /// Beside the title.
    pub status: &'a str,
    /// How far it got, below the query.
    pub told: &'a str,
    pub text: &'a str,
    pub faults: &'a [&'a Fault],
    pub warnings: &'a [&'a str],
}
