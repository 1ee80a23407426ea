//! Logs of all clusters of the scope as one stream in time order, or what a LogQL query answers.

use std::cell::Cell;

use ratatui::layout::Rect;

use super::ScreenId;
use super::common::Numbers;
use super::editing::Editing;
use crate::model::id::ClusterId;
use crate::pattern::PatternId;
use crate::state::world::World;
use crate::store::logs::LogRing;
use crate::ui::Window;
use crate::ui::widget::filter::Filter;
use crate::ui::widget::table::Table;

mod around;
mod asked;
mod compare;
mod complete;
mod fields;
mod find;
mod form;
mod hints;
mod hits;
mod keep;
mod kept;
mod levels;
mod look;
mod marks;
mod mining;
mod motion;
mod numbers;
mod page;
mod paint;
mod patterns;
mod pod;
mod query;
mod row;
mod sieve;
mod stream;
mod tail;
mod tally;
mod view;
mod volume;

use around::Aside;
use asked::Asked;
use compare::Compare;
use find::Find;
use form::Form;
use kept::Kept;
use marks::Marks;
use numbers::Counted;
pub use paint::level_style;
pub use pod::is_asked as pod_is_asked;
use row::Stamps;
use sieve::Sieve;
use stream::{LineId, Merged};

#[derive(Debug)]
pub struct Logs {
    scope: Option<ClusterId>,
    window: Window,
    /// The line under the cursor; `None`: the newest one, followed.
    cursor: Option<LineId>,
    /// Newest line when the cursor left the end: what came after it is new.
    seen_ns: i64,
    filter_text: String,
    filter: Filter,
    problems: bool,
    wrap: bool,
    mode: Mode,
    find: Find,
    /// What the filter keeps, and in what of it is found what is looked for.
    sieve: Sieve,
    search: Sieve,
    kept: Kept,
    detail: Option<bool>,
    editing: Editing,
    form: Option<Form>,
    asked: Option<Asked>,
    /// The curves of a query that gives numbers, in place of lines.
    counted: Option<Counted>,
    /// What the lines around one stand in front of.
    aside: Option<Aside>,
    /// Cursor in the list of fields, and how many rows that has.
    field: usize,
    field_rows: Cell<usize>,
    /// Fields beside the lines.
    columns: Vec<String>,
    marks: Marks,
    unfolded: Marks,
    all_unfolded: bool,
    stamps: Stamps,
    delta: bool,
    /// The pod that led here last, for its log from the API server.
    pod: Option<(ClusterId, String, String)>,
    numbers: Numbers,
    area: Rect,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            scope: None,
            window: Window::HOUR,
            cursor: None,
            seen_ns: i64::MAX,
            filter_text: String::new(),
            filter: Filter::default(),
            problems: false,
            wrap: false,
            mode: Mode::Lines,
            find: Find::default(),
            sieve: Sieve::default(),
            search: Sieve::default(),
            kept: Kept::default(),
            detail: None,
            editing: Editing::new(&complete::ABOUT),
            form: None,
            asked: None,
            counted: None,
            aside: None,
            field: 0,
            field_rows: Cell::new(0),
            columns: Vec::new(),
            marks: Marks::default(),
            unfolded: Marks::default(),
            all_unfolded: false,
            stamps: Stamps::default(),
            delta: false,
            pod: None,
            numbers: Numbers::new(ScreenId::Logs),
            area: Rect::ZERO,
        }
    }
}

/// How the lines are shown; with the cursor among what is shown instead of them.
#[derive(Debug)]
enum Mode {
    Lines,
    Patterns(Table<PatternId>),
    Volume(Table<volume::SourceId>),
    Compare(Box<Compare>),
}

impl Logs {
    fn rings<'a>(&'a self, world: &'a World) -> Vec<(ClusterId, &'a LogRing)> {
        match &self.asked {
            Some(asked) => asked.rings(self.scope),
            None => super::common::clusters(world, self.scope)
                .map(|c| (c.id, &c.logs))
                .collect(),
        }
    }

    fn merged<'a>(&'a self, world: &'a World) -> Merged<'a> {
        let known_from = match &self.asked {
            Some(asked) => {
                let cut = asked.cut_short().into_iter().map(|(_, at_ns)| at_ns);
                // Of what was before a recording nobody knows.
                let recorded = world.replay.as_ref().map(|r| r.start.0);
                let recorded = recorded.map(|ms| ms.saturating_mul(1_000_000));
                cut.chain(recorded).max()
            }
            None => tail::known_from(world, self.scope),
        };
        Merged::new(self.rings(world), &self.sieve).known_from(known_from)
    }

    fn shows_lines(&self) -> bool {
        matches!(self.mode, Mode::Lines)
    }

    fn set_filter(&mut self, text: &str) {
        self.filter = Filter::parse(text);
        text.clone_into(&mut self.filter_text);
        self.sift();
    }

    fn chosen<'a>(&'a self, world: &'a World) -> Option<stream::Entry<'a>> {
        let merged = self.merged(world);
        match &self.cursor {
            None => merged.before(None, 1).pop(),
            Some(id) => merged.find(id),
        }
    }
}

#[cfg(test)]
mod tests;
