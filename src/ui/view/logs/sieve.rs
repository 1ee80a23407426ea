//! Which lines a filter keeps, block by block, worked out once for each block.
//!
//! What is near the cursor is looked at while drawing, as far as a frame has room; the rest on a
//! thread of its own, the newest first. A block that goes takes what was found in it along, lines
//! that come are looked at alone.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;

use super::Logs;
use super::hits::{Hits, Query};
use super::stream::Merged;
use crate::message::{Effect, Work};
use crate::model::id::ClusterId;
use crate::model::log::Level;
use crate::state::world::World;
use crate::store::logs::{Block, LogRing};
use crate::ui::widget::filter::Filter;

/// Blocks handed to the thread at once: some ten milliseconds.
const PORTION: usize = 64;
/// Lines looked at while a frame is made: a millisecond or two.
const SLICE: usize = 4_096;

type Found = OnceLock<Vec<Arc<Hits>>>;

#[derive(Debug, Default)]
pub struct Sieve {
    query: Arc<Query>,
    held: RefCell<HashMap<u64, Arc<Hits>, RandomState>>,
    /// Under way on the thread.
    working: Option<Arc<Found>>,
    left: Cell<usize>,
    /// Counts questions and what [`Sieve::work`] found.
    version: Cell<u64>,
}

impl Sieve {
    /// Looks for something else from now on.
    pub fn ask(&mut self, query: Query) {
        self.query = Arc::new(query);
        self.held.get_mut().clear();
        self.working = None;
        self.renew();
        self.turn();
    }

    /// Another number, other lines kept, apart from those that came meanwhile.
    pub fn version(&self) -> u64 {
        self.version.get()
    }

    fn turn(&self) {
        self.version.set(self.version.get() + 1);
    }

    /// What it looks for.
    pub fn query(&self) -> Arc<Query> {
        Arc::clone(&self.query)
    }

    pub fn is_all(&self) -> bool {
        self.query.is_all()
    }

    /// A new frame has room for a slice.
    pub fn renew(&self) {
        self.left.set(SLICE);
    }

    /// What is kept of a block; `None`: it was not looked at yet.
    pub fn hits(&self, block: &Block) -> Option<Arc<Hits>> {
        let state = block.state();
        let mut held = self.held.borrow_mut();
        let known = held.get(&state.serial);
        if let Some(hits) = known.filter(|h| h.is_of(state)) {
            return Some(Arc::clone(hits));
        }
        let new = known.map_or(state.lines, |h| h.new_lines(state));
        let left = self.left.get().checked_sub(new)?;
        self.left.set(left);
        let hits = Arc::new(Hits::of(block, &self.query, known.map(Arc::as_ref)));
        held.insert(state.serial, Arc::clone(&hits));
        Some(hits)
    }

    /// Takes what the thread found, and gives it the next portion.
    pub fn work(&mut self, rings: &[(ClusterId, &LogRing)]) -> Option<Work> {
        self.renew();
        if let Some(found) = &self.working {
            let found = found.get()?;
            let held = self.held.get_mut();
            for hits in found {
                // More lines may have come meanwhile.
                let newer = held.get(&hits.serial()).is_some_and(|h| h.is_after(hits));
                if !newer {
                    held.insert(hits.serial(), Arc::clone(hits));
                }
            }
            self.working = None;
            self.turn();
        }
        self.forget(rings);
        let mut portion = self.missing(rings);
        let missing = portion.len();
        portion.retain(|block| self.hits(block).is_none());
        if portion.len() < missing {
            self.turn();
        }
        if portion.is_empty() {
            return None;
        }
        let found = Arc::new(Found::new());
        self.working = Some(Arc::clone(&found));
        let query = Arc::clone(&self.query);
        Some(Work::new(move || {
            let hits = portion
                .iter()
                .map(|block| Arc::new(Hits::of(block, &query, None)));
            // Nobody else sets it.
            let _ = found.set(hits.collect());
        }))
    }

    /// Blocks looked at, and all there are.
    pub fn progress(&self, rings: &[(ClusterId, &LogRing)]) -> (usize, usize) {
        let held = self.held.borrow();
        let blocks = rings.iter().flat_map(|(_, ring)| ring.blocks());
        blocks.fold((0, 0), |(done, all), (_, block)| {
            let known = held.contains_key(&block.state().serial);
            (done + usize::from(known), all + 1)
        })
    }

    /// The newest blocks that were not looked at.
    fn missing(&self, rings: &[(ClusterId, &LogRing)]) -> Vec<Arc<Block>> {
        let held = self.held.borrow();
        let mut missing = Vec::new();
        for (_, ring) in rings {
            let blocks = ring.blocks().rev().map(|(_, block)| block);
            let new = blocks.filter(|b| {
                let known = held.get(&b.state().serial);
                known.is_none_or(|h| !h.is_of(b.state()))
            });
            missing.extend(new.take(PORTION));
        }
        missing.sort_by_key(|b| std::cmp::Reverse(b.last_ns()));
        missing.into_iter().take(PORTION).cloned().collect()
    }

    /// What was found in blocks that are gone.
    fn forget(&mut self, rings: &[(ClusterId, &LogRing)]) {
        let count: usize = rings.iter().map(|(_, ring)| ring.blocks().len()).sum();
        let held = self.held.get_mut();
        if held.len() <= count + PORTION {
            return;
        }
        let blocks = rings.iter().flat_map(|(_, ring)| ring.blocks());
        let there: std::collections::HashSet<u64, RandomState> =
            blocks.map(|(_, block)| block.state().serial).collect();
        held.retain(|serial, _| there.contains(serial));
    }
}

impl Logs {
    /// The filter, or the least level, is another one.
    pub(super) fn sift(&mut self) {
        self.sieve.ask(Query {
            filter: self.filter.clone(),
            least: self.least(),
            find: Filter::default(),
        });
        self.seek();
    }

    /// What is looked for is something else.
    pub(super) fn seek(&mut self) {
        self.search.ask(Query {
            filter: self.filter.clone(),
            least: self.least(),
            find: self.find.filter().clone(),
        });
    }

    fn least(&self) -> Level {
        match self.problems {
            true => Level::Warning,
            false => Level::Unknown,
        }
    }

    /// The lines in which is found what is looked for.
    pub(super) fn found<'a>(&'a self, world: &'a World) -> Merged<'a> {
        Merged::new(self.rings(world), &self.search)
    }

    /// How far the lines were looked at, while that goes on.
    pub(super) fn sifted(&self, world: &World) -> Option<String> {
        let sieve = match self.find.is_empty() {
            true => &self.sieve,
            false => &self.search,
        };
        let (done, all) = sieve.progress(&self.rings(world));
        let shown = done < all && !sieve.is_all();
        shown.then(|| format!("{} % looked at", done * 100 / all.max(1)))
    }

    /// Goes on looking, off the loop where it takes longer.
    pub(super) fn sift_on(&mut self, world: &World) -> Vec<Effect> {
        let mut sieves = (
            std::mem::take(&mut self.sieve),
            std::mem::take(&mut self.search),
        );
        let mut rings = self.rings(world);
        rings.extend(self.compared_with().into_iter().flat_map(|a| a.rings(None)));
        let mut work = vec![sieves.0.work(&rings)];
        if !self.find.is_empty() {
            work.push(sieves.1.work(&rings));
        }
        (self.sieve, self.search) = sieves;
        work.into_iter().flatten().map(Effect::Work).collect()
    }
}

#[cfg(test)]
mod tests;
