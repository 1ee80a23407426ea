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

#[derive(Debug)]
struct Held {
    grid: Grid,
    /// Up to here nothing changes any more.
    settled: Timestamp,
    series: Arc<Vec<SeriesSamples>>,
    bytes: u64,
    used: u64,
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
            (true, true) => None,
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

    /// Adds what was asked and answered at `now`; gives all that is known of `wanted`.
    pub fn put(
        &mut self,
        asking: &Asking,
        (asked, wanted): (Grid, Grid),
        series: Vec<SeriesSamples>,
        now: Timestamp,
    ) -> Arc<Vec<SeriesSamples>> {
        let before = self.held.remove(asking);
        self.bytes -= before.as_ref().map_or(0, |h| h.bytes);
        let settled = Grid::covering(asked.start, now.plus_ms(-UNSETTLED_MS), asked.step_ms).end;
        // Beside a part that was not asked anew stands what was known of it.
        let former = before.filter(|h| asked != wanted && joins(h.grid, asked));
        let held = match former {
            None => Held {
                grid: asked,
                settled: settled.min(asked.end),
                series: Arc::new(series),
                bytes: 0,
                used: 0,
            },
            Some(former) => joined(former, (asked, wanted), series, settled),
        };
        self.keep(asking, held)
    }

    fn keep(&mut self, asking: &Asking, mut held: Held) -> Arc<Vec<SeriesSamples>> {
        self.uses += 1;
        held.used = self.uses;
        held.bytes = weight(&held.series);
        let series = Arc::clone(&held.series);
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
        series
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

fn joined(
    former: Held,
    (asked, wanted): (Grid, Grid),
    series: Vec<SeriesSamples>,
    settled: Timestamp,
) -> Held {
    let mut all = Arc::unwrap_or_clone(former.series);
    for one in &mut all {
        one.points
            .retain(|p| wanted.holds(p.at) && !asked.holds(p.at));
    }
    let places: HashMap<SeriesKey, usize> =
        (0..).zip(&all).map(|(at, s)| (s.key.clone(), at)).collect();
    for new in series {
        match places.get(&new.key).and_then(|at| all.get_mut(*at)) {
            Some(old) => {
                old.points.extend(new.points);
                old.points.sort_by_key(|p| p.at);
            }
            None => all.push(new),
        }
    }
    all.retain(|s| !s.points.is_empty());
    let end = asked.end.max(former.grid.end).min(wanted.end);
    // The end of what was known stays unsettled unless it was just asked for.
    let sure = match asked.end >= former.grid.end {
        true => settled,
        false => former.settled,
    };
    Held {
        grid: Grid { end, ..wanted },
        settled: sure.min(end),
        series: Arc::new(all),
        bytes: 0,
        used: 0,
    }
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
