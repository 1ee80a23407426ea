//! Answers to range queries, kept so that what is already known is not asked for again.
//!
//! Ranges stand on whole steps ([`Grid`]), so that a later question of the same step only needs
//! what is missing at one end. The newest part is always asked for again: late samples may still
//! come. Over the byte limit the answer used longest ago goes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::grid::Grid;
use crate::model::id::ClusterId;
use crate::model::sample::{Sample, SeriesKey, SeriesSamples};
use crate::model::time::Timestamp;

/// What came in within so long before the answer is asked for again, milliseconds.
const UNSETTLED_MS: i64 = 5 * 60_000;

/// Whose answer to what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asking {
    pub cluster: ClusterId,
    pub query: Arc<str>,
    pub step_ms: u32,
}

/// What is known of a range.
#[derive(Clone, Debug)]
pub struct Held {
    grid: Grid,
    /// Up to here nothing changes any more.
    settled: Timestamp,
    /// No server named something that it could not see.
    whole: bool,
    series: Arc<Vec<SeriesSamples>>,
    bytes: u64,
    used: u64,
}

impl Held {
    pub fn series(&self) -> &Arc<Vec<SeriesSamples>> {
        &self.series
    }
}

/// An answer that is to be joined to what was known: by whoever has the time for it.
#[derive(Clone, Debug)]
pub struct Joining {
    former: Option<Held>,
    asked: Grid,
    wanted: Grid,
    /// Up to here nothing of it changes any more.
    settled: Timestamp,
    /// The server named nothing that it could not see.
    whole: bool,
}

#[derive(Debug)]
pub struct Answers {
    limit_bytes: u64,
    bytes: u64,
    uses: u64,
    held: HashMap<Asking, Held>,
}

impl Answers {
    pub fn new(limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            bytes: 0,
            uses: 0,
            held: HashMap::new(),
        }
    }

    /// What has to be asked so that `wanted` can be shown; `None`: all of it is known.
    pub fn missing(&self, asking: &Asking, wanted: Grid) -> Option<Grid> {
        let Some(held) = self.held.get(asking).filter(|h| joins(h.grid, wanted)) else {
            return Some(wanted);
        };
        let step = i64::from(wanted.step_ms);
        let known = Grid {
            end: held.settled,
            ..held.grid
        };
        let (before, after) = (known.start <= wanted.start, known.end >= wanted.end);
        match (before, after) {
            (true, true) if held.whole => None,
            (true, true) => Some(wanted),
            (true, false) if known.end >= wanted.start => Some(Grid {
                start: known.end.plus_ms(step),
                ..wanted
            }),
            (false, true) if known.start <= wanted.end => Some(Grid {
                end: known.start.plus_ms(-step),
                ..wanted
            }),
            _ => Some(wanted),
        }
    }

    /// An answer to `asked` makes `wanted` complete: what was not asked is still held. Where that
    /// has gaps which a server named, and this answer has none, all of it is to be asked anew.
    pub fn completes(&self, asking: &Asking, (asked, wanted): (Grid, Grid), whole: bool) -> bool {
        let reaches = |h: &Held| {
            let (start, end) = (h.grid.start.min(asked.start), h.grid.end.max(asked.end));
            joins(h.grid, asked) && start <= wanted.start && end >= wanted.end
        };
        let held = self.held.get(asking);
        asked == wanted || held.is_some_and(|h| reaches(h) && (h.whole || !whole))
    }

    /// How to join what was asked, and is answered at `now`, to what is known of `wanted`. `whole`:
    /// the server named nothing that it could not see.
    pub fn joining(
        &self,
        asking: &Asking,
        (asked, wanted): (Grid, Grid),
        (now, whole): (Timestamp, bool),
    ) -> Joining {
        let settled = Grid::covering(asked.start, now.plus_ms(-UNSETTLED_MS), asked.step_ms).end;
        // Beside a part that was not asked anew stands what was known of it.
        let former = self.held.get(asking);
        let former = former.filter(|h| asked != wanted && joins(h.grid, asked));
        Joining {
            former: former.cloned(),
            asked,
            wanted,
            settled,
            whole,
        }
    }

    /// Puts this in the place of what was known.
    pub fn keep(&mut self, asking: &Asking, mut held: Held) {
        self.forget(asking);
        self.uses += 1;
        held.used = self.uses;
        if held.bytes <= self.limit_bytes {
            self.bytes += held.bytes;
            self.held.insert(asking.clone(), held);
        }
        while self.bytes > self.limit_bytes {
            let oldest = self.held.iter().min_by_key(|(_, h)| h.used);
            let Some(oldest) = oldest.map(|(asking, _)| asking.clone()) else {
                break;
            };
            self.forget(&oldest);
        }
    }

    /// What is known; to be shown where nothing is [`Answers::missing`].
    pub fn get(&mut self, asking: &Asking) -> Option<Arc<Vec<SeriesSamples>>> {
        self.uses += 1;
        let uses = self.uses;
        let held = self.held.get_mut(asking)?;
        held.used = uses;
        Some(Arc::clone(&held.series))
    }

    /// It will be asked for as a whole: it was cut, or the operator wants it anew.
    pub fn forget(&mut self, asking: &Asking) {
        if let Some(held) = self.held.remove(asking) {
            self.bytes -= held.bytes;
        }
    }

    /// Answers held and the bytes they take.
    pub fn usage(&self) -> (usize, u64) {
        (self.held.len(), self.bytes)
    }
}

/// Whether one step leads from one range into the other, or they overlap.
fn joins(a: Grid, b: Grid) -> bool {
    let step = i64::from(a.step_ms);
    a.step_ms == b.step_ms && a.start.plus_ms(-step) <= b.end && b.start.plus_ms(-step) <= a.end
}

impl Joining {
    /// All that is then known of what is wanted. It takes its time with many series.
    pub fn join(&self, series: &Arc<Vec<SeriesSamples>>) -> Held {
        let (asked, wanted) = (self.asked, self.wanted);
        let (grid, settled, series) = match &self.former {
            None => (asked, self.settled.min(asked.end), Arc::clone(series)),
            Some(former) => {
                let end = asked.end.max(former.grid.end).min(wanted.end);
                // The end of what was known stays unsettled unless it was just asked for.
                let sure = match asked.end >= former.grid.end {
                    true => self.settled,
                    false => former.settled,
                };
                let all = joined(&former.series, (asked, wanted), series);
                (Grid { end, ..wanted }, sure.min(end), Arc::new(all))
            }
        };
        Held {
            grid,
            settled,
            whole: self.whole && self.former.as_ref().is_none_or(|f| f.whole),
            bytes: weight(&series),
            series,
            used: 0,
        }
    }
}

/// What was known of `wanted` without `asked`, and what came in.
fn joined(
    former: &[SeriesSamples],
    (asked, wanted): (Grid, Grid),
    series: &[SeriesSamples],
) -> Vec<SeriesSamples> {
    let stays = |p: &Sample| wanted.holds(p.at) && !asked.holds(p.at);
    let mut all: Vec<SeriesSamples> = former
        .iter()
        .map(|one| SeriesSamples {
            key: one.key.clone(),
            kind: one.kind,
            points: one.points.iter().copied().filter(stays).collect(),
        })
        .collect();
    let places: HashMap<SeriesKey, usize> =
        (0..).zip(&all).map(|(at, s)| (s.key.clone(), at)).collect();
    for new in series {
        match places.get(&new.key).and_then(|at| all.get_mut(*at)) {
            Some(old) => {
                old.points.extend(new.points.iter().copied());
                old.points.sort_by_key(|p| p.at);
            }
            None => all.push(new.clone()),
        }
    }
    all.retain(|s| !s.points.is_empty());
    all
}

/// About what these series take.
fn weight(series: &[SeriesSamples]) -> u64 {
    let one = |s: &SeriesSamples| {
        let labels = s.key.labels.len() * 64;
        size_of::<SeriesSamples>() + labels + s.points.len() * size_of::<Sample>()
    };
    series.iter().map(one).sum::<usize>() as u64
}

#[cfg(test)]
mod tests;
