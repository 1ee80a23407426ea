//! The patterns of lines that were asked for: found on a thread of its own once they are shown, some
//! blocks at a time. On the loop only what was found is put in its place.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::message::Work;
use crate::pattern::{Miner, PatternId};
use crate::store::logs::{Block, BlockState, LogRing};

/// Lines handed to the thread at once: some twenty milliseconds.
const PORTION: usize = 32_768;
/// Patterns from which on the next query begins anew: half of what a miner tells apart.
const FULL: usize = 10_000;

/// A block with its patterns, and how it was when it was taken.
type Mined = (BlockState, Arc<Block>);

/// What came of a portion.
#[derive(Debug)]
struct Done {
    blocks: Vec<Mined>,
    /// Templates that were not known before.
    new: Vec<String>,
}

#[derive(Debug)]
pub struct Mining {
    /// Only the thread waits for it.
    miner: Arc<Mutex<Miner>>,
    templates: Vec<String>,
    /// Under way on the thread.
    working: Option<Arc<OnceLock<Done>>>,
}

impl Default for Mining {
    fn default() -> Self {
        let miner = Miner::default();
        Self {
            templates: vec![miner.template(PatternId::OTHER)],
            miner: Arc::new(Mutex::new(miner)),
            working: None,
        }
    }
}

impl Mining {
    /// What the lines of a pattern say, `<*>` for what varies.
    pub fn template(&self, id: PatternId) -> &str {
        let template = self.templates.get(id.0 as usize);
        template.map_or("", String::as_str)
    }

    /// New patterns may soon not be told apart.
    pub fn is_full(&self) -> bool {
        self.templates.len() > FULL
    }

    /// Takes what the thread found, and gives it the next portion.
    pub fn work(&mut self, rings: &mut [&mut LogRing]) -> Option<Work> {
        if let Some(working) = &self.working {
            let done = working.get()?;
            self.templates.extend(done.new.iter().cloned());
            for (state, block) in &done.blocks {
                // More lines may have come meanwhile; then it is looked at again.
                let _ = rings.iter_mut().any(|ring| ring.found(*state, block));
            }
            self.working = None;
        }
        let mut portion = Vec::new();
        let mut left = PORTION;
        for ring in rings.iter() {
            if left == 0 {
                break;
            }
            let unread = ring.unread(left);
            left = left.saturating_sub(unread.iter().map(|b| b.len()).sum());
            portion.extend(unread);
        }
        self.begin(portion)
    }

    fn begin(&mut self, portion: Vec<Arc<Block>>) -> Option<Work> {
        if portion.is_empty() {
            return None;
        }
        let done = Arc::new(OnceLock::new());
        self.working = Some(Arc::clone(&done));
        let (miner, known) = (Arc::clone(&self.miner), self.templates.len());
        Some(Work::new(move || {
            let mut miner = miner.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = |block: &Arc<Block>| {
                let mined = block.mined(|line| miner.line(line));
                (block.state(), Arc::new(mined))
            };
            let blocks = portion.iter().map(mine).collect();
            let new = (known..=miner.len())
                .filter_map(|id| u32::try_from(id).ok())
                .map(|id| miner.template(PatternId(id)))
                .collect();
            // Nobody else sets it.
            let _ = done.set(Done { blocks, new });
        }))
    }
}
