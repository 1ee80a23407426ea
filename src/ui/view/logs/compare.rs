//! The patterns of two ranges of time side by side: what is said now that was not said before, what
//! is said no longer, what far more or far less often. The range before is asked of Loki where lines
//! were asked for, else it is looked for in the lines that are held.

use super::around::{Aside, Beside};
use super::asked::Asked;
use super::patterns::filter_of;
use super::stream::LineId;
use super::{Logs, Mode};
use crate::command::Command;
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::pattern::PatternId;
use crate::state::world::World;
use crate::store::logs::LogRing;
use crate::ui::view::View;
use crate::ui::widget::table::Table;

mod differ;
mod draw;

pub use differ::Compared;
use differ::{Pair, Row};
pub use draw::list;

const DAY_MS: i64 = 86_400_000;
/// Lines of one time that are looked through for an example.
const LOOK: usize = 4_096;

/// A range of time, milliseconds since 1970.
pub type Range = (Timestamp, Timestamp);

/// Which range is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// As long, and ends where the one in view begins.
    Just,
    Day,
    Week,
    Chosen(Range),
}

impl Before {
    fn next(self) -> Self {
        match self {
            Self::Just => Self::Day,
            Self::Day => Self::Week,
            Self::Week | Self::Chosen(_) => Self::Just,
        }
    }

    fn range(self, (from, to): Range) -> Range {
        let back = match self {
            Self::Just => to.0.saturating_sub(from.0),
            Self::Day => DAY_MS,
            Self::Week => 7 * DAY_MS,
            Self::Chosen(range) => return range,
        };
        (from.plus_ms(-back), to.plus_ms(-back))
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Just => "just before",
            Self::Day => "a day before",
            Self::Week => "a week before",
            Self::Chosen(_) => "as chosen",
        }
    }
}

#[derive(Debug)]
pub struct Compare {
    /// What was in view when this began: it stays so while time goes on.
    pub now: Range,
    pub before: Before,
    /// Lines of the range before, asked of Loki; `None`: both are of the lines that are held.
    pub asked: Option<Asked>,
    pub table: Table<PatternId>,
}

impl Compare {
    pub fn before(&self) -> Range {
        self.before.range(self.now)
    }

    pub fn take(&mut self, answered: &Answered) {
        if let Some(asked) = &mut self.asked {
            asked.take(answered);
        }
    }
}

impl Logs {
    /// Compares what is in view with this range, or with the next one of those that are usual.
    pub(super) fn compare(&mut self, other: Option<Range>, world: &World) -> Vec<Effect> {
        // Numbers and the lines around one are no range of lines.
        if self.counted.is_some() || self.aside.is_some() {
            return vec![Effect::Say(
                "only lines of a range are compared; Esc leads to them",
            )];
        }
        let before = match (other, &self.mode) {
            (Some(range), _) => Before::Chosen(range),
            (None, Mode::Compare(with)) => with.before.next(),
            (None, _) => Before::Just,
        };
        self.compare_with(before, world)
    }

    pub(super) fn compare_with(&mut self, before: Before, world: &World) -> Vec<Effect> {
        let logql = self.asked.as_ref().filter(|a| a.is_logql());
        let asked_for = logql.and_then(|a| a.span);
        let now = asked_for.unwrap_or_else(|| self.window.bounds(world.now));
        let range = before.range(now);
        let (asked, questions) = match logql {
            Some(asked) => {
                let query = asked.query.clone();
                let (asked, questions) =
                    Asked::lines(&query, world, self.scope, range, &mut self.numbers);
                (Some(asked), questions)
            }
            None => (None, Vec::new()),
        };
        self.mode = Mode::Compare(Box::new(Compare {
            now,
            before,
            asked,
            table: Table::default(),
        }));
        self.place(self.area, world);
        questions.into_iter().map(Effect::Ask).collect()
    }

    /// The lines that those in view are compared with, where they were asked for.
    pub(super) fn compared_with(&self) -> Option<&Asked> {
        match &self.mode {
            Mode::Compare(with) => with.asked.as_ref(),
            _ => None,
        }
    }

    /// Both ranges of each cluster that has them.
    fn pairs<'a>(&'a self, world: &'a World, with: &'a Compare) -> Vec<Pair<'a>> {
        let rings = self.rings(world);
        if let (Some(now), Some(before)) = (&self.asked, &with.asked) {
            let (here, there) = (now.covered(), before.covered());
            let others = before.rings(self.scope);
            let of = |(cluster, ring): &(ClusterId, &'a LogRing)| {
                let span = |all: &[(ClusterId, (i64, i64))]| {
                    all.iter()
                        .find(|(c, _)| c == cluster)
                        .map(|(_, span)| *span)
                };
                let other = others.iter().find(|(c, _)| c == cluster)?;
                Some(Pair {
                    cluster: *cluster,
                    rings: [ring, other.1],
                    spans: [span(&here)?, span(&there)?],
                })
            };
            return rings.iter().filter_map(of).collect();
        }
        let of = |(cluster, ring): (ClusterId, &'a LogRing)| {
            // Before the oldest line nobody knows what was said.
            let first = ring.first()?.at_ns;
            let span = |(from, to): Range| {
                let ns = |at: Timestamp| at.0.saturating_mul(1_000_000);
                let span = (ns(from).max(first), ns(to));
                (span.0 < span.1).then_some(span)
            };
            Some(Pair {
                cluster,
                rings: [ring, ring],
                spans: [span(with.now)?, span(with.before())?],
            })
        };
        rings.into_iter().filter_map(of).collect()
    }

    pub(super) fn compared(&self, world: &World, with: &Compare) -> std::sync::Arc<Compared> {
        let (from, to) = with.before();
        let version = with.asked.as_ref().map(Asked::version);
        let key = self.key(world, (format!("{version:?}"), from.0, to.0));
        self.kept.compared.get(key, || {
            let pairs = self.pairs(world, with);
            differ::compare(&pairs, &self.sieve, |id| self.template(world, id))
        })
    }

    /// True: the command was for the list.
    pub(super) fn move_in_compare(&mut self, command: &Command, world: &World) -> bool {
        let Mode::Compare(with) = &self.mode else {
            return false;
        };
        let mut table = with.table.clone();
        let compared = self.compared(world, with);
        let rows = &compared.rows;
        if *command == Command::Open {
            let at = table.position(rows, |r| r.id);
            if let Some(row) = at.and_then(|at| rows.get(at)) {
                self.show_lines_of(row, world);
            }
            return true;
        }
        let own = !matches!(
            command,
            Command::Filter(_) | Command::Sort | Command::ReverseSort
        );
        let moved = own && table.update(command, rows, |r| r.id);
        if let Mode::Compare(with) = &mut self.mode {
            with.table = table;
        }
        moved
    }

    /// The lines of a pattern; of one that is said no longer, those of the range before.
    fn show_lines_of(&mut self, row: &Row, world: &World) {
        let filter = filter_of(&row.template);
        let Mode::Compare(with) = std::mem::replace(&mut self.mode, Mode::Lines) else {
            return;
        };
        if row.counts.first() == Some(&0) {
            match with.asked {
                Some(before) => {
                    let asked = self.asked.replace(before);
                    self.aside = Some(Aside {
                        by: Beside::Range,
                        asked,
                        cursor: self.cursor.take(),
                    });
                }
                None => {
                    let (_, end) = with.before();
                    let merged = self.merged(world);
                    let (newest, last) = (merged.newest_ns(), merged.last_until(end));
                    self.seen_ns = newest;
                    self.cursor = last;
                }
            }
        }
        self.set_filter(&filter);
    }

    /// A line of the pattern.
    fn example<'a>(&'a self, world: &'a World, with: &'a Compare, row: &Row) -> Option<LineId> {
        let (side, cluster, at_ns) = row.example;
        let rings = match (&with.asked, side) {
            (Some(before), 1) => before.rings(self.scope),
            _ => self.rings(world),
        };
        let (_, ring) = rings.into_iter().find(|(c, _)| *c == cluster)?;
        let places = (ring.before(at_ns)..ring.until(at_ns)).take(LOOK);
        let place = places.into_iter().find(|p| ring.pattern(*p) == row.id)?;
        Some(LineId::of(cluster, ring.get(place)?))
    }
}
