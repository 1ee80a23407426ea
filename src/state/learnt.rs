//! What the detectors have learned goes into a file at intervals and at the end, a part at a time, and
//! comes back at the start.

use std::sync::{Arc, OnceLock};

use super::State;
use crate::detect::{self, Remembered};
use crate::message::{Effect, Work};
use crate::model::time::Timestamp;

/// So often, milliseconds.
const EACH_MS: u64 = 600_000;
/// Places looked at on the loop for one part: some tenths of a millisecond.
const PLACES: usize = 500;
/// Bytes that are kept at most; what comes after is left out.
const MOST: usize = 60 << 20;

#[derive(Debug, Default)]
pub struct Memory {
    /// There is a file for it.
    on: bool,
    /// When it was put away last, or this run began.
    last: Option<Timestamp>,
    under_way: Option<Parts>,
    coming: Option<Arc<OnceLock<Result<Remembered, String>>>>,
}

#[derive(Debug, Default)]
struct Parts {
    next: Option<usize>,
    parts: Vec<Vec<u8>>,
    working: Option<Arc<OnceLock<Vec<u8>>>>,
}

impl Parts {
    fn bytes(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }
}

impl State {
    /// The file was looked for; `Ok(None)`: there is none yet.
    pub(super) fn take_learnt(
        &mut self,
        read: Result<Option<Arc<Vec<u8>>>, String>,
    ) -> Vec<Effect> {
        self.memory.on = true;
        self.memory.last = Some(self.world.now);
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Vec::new(),
            Err(why) => {
                self.learns_anew(&why);
                return Vec::new();
            }
        };
        let made = Arc::new(OnceLock::new());
        self.memory.coming = Some(Arc::clone(&made));
        vec![Effect::Work(Work::new(move || {
            // Nobody else sets it.
            let _ = made.set(detect::unpack(&bytes));
        }))]
    }

    fn learns_anew(&mut self, why: &str) {
        let text = format!("what was learned before is not taken up: {why}; it is learned anew");
        self.notice(true, text);
    }

    /// Takes up what was read, and goes on with what is put away.
    pub(super) fn go_on_learnt(&mut self) -> Vec<Effect> {
        let coming = self.memory.coming.take_if(|c| c.get().is_some());
        match coming.and_then(|c| c.get().cloned()) {
            Some(Ok(known)) => {
                let (count, until) = (known.count(), known.until());
                self.world.remember(known);
                if let Some(until) = until {
                    let ago = crate::model::unit::age(self.world.age_ms(until));
                    let text =
                        format!("taken up: what was learned of {count} series until {ago} ago");
                    self.notice(false, text);
                }
            }
            Some(Err(why)) => self.learns_anew(&why),
            None => {}
        }
        let Some(parts) = &mut self.memory.under_way else {
            return Vec::new();
        };
        if let Some(working) = &parts.working {
            let Some(part) = working.get() else {
                return Vec::new();
            };
            parts.parts.push(part.clone());
            parts.working = None;
        }
        let next = parts.next.filter(|_| parts.bytes() < MOST);
        let Some(from) = next else {
            let parts = std::mem::take(&mut parts.parts);
            self.memory.under_way = None;
            return vec![Effect::Remember(Arc::new(parts))];
        };
        let (series, next) = self.world.learnt(from, PLACES);
        parts.next = next;
        let made = Arc::new(OnceLock::new());
        parts.working = Some(Arc::clone(&made));
        vec![Effect::Work(Work::new(move || {
            let _ = made.set(detect::pack(series.iter()));
        }))]
    }

    /// Begins to put it away when it is time.
    pub(super) fn put_away_learnt(&mut self) -> Vec<Effect> {
        let last = self.memory.last.unwrap_or(self.world.now);
        let due = self.world.age_ms(last) >= EACH_MS;
        if !self.memory.on || !due || self.memory.under_way.is_some() {
            return Vec::new();
        }
        self.memory.last = Some(self.world.now);
        // What is not taken up yet goes first: of a series that came back the latter counts.
        let former = self.world.former();
        let made = Arc::new(OnceLock::new());
        self.memory.under_way = Some(Parts {
            next: Some(0),
            parts: Vec::new(),
            working: Some(Arc::clone(&made)),
        });
        vec![Effect::Work(Work::new(move || {
            let all = former.iter().flat_map(|known| known.values());
            let _ = made.set(detect::pack(all));
        }))]
    }

    /// All of it at once: the end is near, and nobody looks any more. `None`: nowhere to put it.
    pub fn last_learnt(&self) -> Option<Vec<Vec<u8>>> {
        // What was read and is not understood yet must not be written over.
        if !self.memory.on || self.memory.coming.is_some() {
            return None;
        }
        let former = self.world.former();
        let former = detect::pack(former.iter().flat_map(|known| known.values()));
        let (mut bytes, mut parts, mut next) = (former.len(), vec![former], Some(0));
        while let Some(from) = next.filter(|_| bytes < MOST) {
            let (series, after) = self.world.learnt(from, PLACES);
            let part = detect::pack(series.iter());
            bytes += part.len();
            parts.push(part);
            next = after;
        }
        Some(parts)
    }
}
