//! The lines in view for a file: all that the filter keeps, gathered off the loop.

use std::sync::Arc;

use super::Logs;
use super::hits::{Hits, Query};
use crate::message::Effect;
use crate::model::export::{Format, LinesExport, TakeLine};
use crate::model::log::LineRef;
use crate::state::world::World;
use crate::store::logs::Block;
use crate::ui::view::common::{lines_effect, name};

/// The blocks of one cluster, oldest first.
struct Held {
    cluster: String,
    blocks: Vec<Arc<Block>>,
}

/// Walks through the kept lines of one cluster.
struct Walk<'a> {
    held: &'a Held,
    query: &'a Query,
    block: usize,
    /// Places in the block that are still to come, last one first.
    places: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn new(held: &'a Held, query: &'a Query) -> Self {
        let mut walk = Self {
            held,
            query,
            block: 0,
            places: Vec::new(),
        };
        walk.look(0);
        walk
    }

    /// On to the first block from `number` on that has a line that is kept.
    fn look(&mut self, number: usize) {
        self.block = number;
        while let Some(block) = self.held.blocks.get(self.block) {
            let hits = Hits::of(block, self.query, None);
            self.places = hits.places().rev().collect();
            if !self.places.is_empty() {
                return;
            }
            self.block += 1;
        }
    }

    fn line(&self) -> Option<LineRef<'a>> {
        let block = self.held.blocks.get(self.block)?;
        block.get(*self.places.last()?)
    }

    fn next(&mut self) {
        self.places.pop();
        if self.places.is_empty() {
            self.look(self.block + 1);
        }
    }
}

/// All lines that the query keeps, by time; of one time in the order of the clusters.
fn each(held: &[Held], query: &Query, take: TakeLine<'_>) {
    let mut walks: Vec<Walk<'_>> = held.iter().map(|h| Walk::new(h, query)).collect();
    loop {
        let next = walks
            .iter_mut()
            .filter_map(|walk| Some((walk.line()?.at_ns, walk)))
            .min_by_key(|(at_ns, _)| *at_ns);
        let Some((_, walk)) = next else {
            return;
        };
        if let Some(line) = walk.line() {
            take(&walk.held.cluster, line);
        }
        walk.next();
    }
}

impl Logs {
    /// The lines in view, with those that had to be scrolled to.
    pub(super) fn export(&self, format: Format, world: &World) -> Effect {
        if self.counted.is_some() {
            return Effect::Say("curves of a log query are not written to files; Esc closes them");
        }
        let of = |(cluster, ring): (_, &crate::store::logs::LogRing)| Held {
            cluster: name(world, cluster).to_owned(),
            blocks: ring.blocks().map(|(_, block)| Arc::clone(block)).collect(),
        };
        let held: Vec<Held> = self.rings(world).into_iter().map(of).collect();
        let several = held.iter().filter(|h| !h.blocks.is_empty()).count() > 1;
        let some = held.iter().any(|h| !h.blocks.is_empty());
        let query = self.sieve.query();
        let lines = LinesExport::new(several, move |take| each(&held, &query, take));
        lines_effect(lines, world, format, some)
    }
}
