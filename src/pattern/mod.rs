//! Patterns of log lines: what lines say apart from the values in them, found as they stream in.
//!
//! A line loses its head ([`head`]), or gives its message if it is JSON or logfmt ([`text`]); what
//! varies becomes a mark ([`mask`]); equal rests are one pattern. A rest that was not seen before
//! may still belong to a pattern that differs in one word ([`alike`]). Each line gets its pattern
//! when it comes, from what came before it, in about a microsecond. No system is known by name.
//!
//! Masking first and comparing only what is new follows what measurement says of log parsing:
//! a mask by shape ties with Drain (He et al., ICWS 2017), and cutting the head matters more than
//! the miner.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::{FixedState, RandomState};

mod alike;
pub mod head;
mod mask;
mod text;
mod word;

/// Words of a template that are compared with others; longer ones are taken as they are.
const MOST_WORDS: usize = 48;
/// Rests remembered for each pattern that may be kept, on average.
const RESTS: usize = 4;

/// Number of a pattern in its miner; 0 gathers what came when no more were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatternId(pub u32);

impl PatternId {
    /// Lines of many patterns, as there was no room for more.
    pub const OTHER: Self = Self(0);
}

/// Finds the pattern of each line. Memory is bounded by the number of patterns.
#[derive(Debug)]
pub struct Miner {
    most: usize,
    mask: mask::Mask,
    /// Rest of a line, hashed, to its pattern.
    rests: HashMap<u64, PatternId, RandomState>,
    /// Template without one word, hashed, to the pattern and the place of the word.
    gaps: HashMap<u64, (PatternId, u16), RandomState>,
    hash: FixedState,
    templates: Vec<Box<[u8]>>,
}

impl Default for Miner {
    fn default() -> Self {
        Self::new(20_000)
    }
}

impl Miner {
    /// Keeps at most `most` patterns apart.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            mask: mask::Mask::default(),
            rests: HashMap::default(),
            gaps: HashMap::default(),
            hash: FixedState::default(),
            templates: vec![Box::from(*b"(other lines)")],
        }
    }

    /// The pattern of a whole line, as a server delivers it.
    pub fn line(&mut self, line: &str) -> PatternId {
        let line = line.trim();
        match text::message(line) {
            Some(message) => self.message(message),
            None => self.message(head::body(line)),
        }
    }

    /// The pattern of a message that has no head (any more).
    pub fn message(&mut self, message: &str) -> PatternId {
        let rest = self.mask.of(message);
        let hash = self.hash.hash_one(rest);
        if let Some(id) = self.rests.get(&hash) {
            return *id;
        }
        let id = self.find_alike().unwrap_or_else(|| self.begin());
        if self.rests.len() < self.most.saturating_mul(RESTS) {
            self.rests.insert(hash, id);
        }
        id
    }

    /// Patterns told apart so far.
    pub fn len(&self) -> usize {
        self.templates.len() - 1
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pattern in writing, `<*>` for what varies.
    pub fn template(&self, id: PatternId) -> String {
        let template = self.templates.get(id.0 as usize).map_or(&b""[..], |t| t);
        let mut out = String::with_capacity(template.len() + 8);
        for (i, part) in template.split(|b| *b == mask::MARK).enumerate() {
            if i > 0 {
                out.push_str("<*>");
            }
            out.push_str(&String::from_utf8_lossy(part));
        }
        out
    }

    fn begin(&mut self) -> PatternId {
        if self.len() >= self.most {
            return PatternId::OTHER;
        }
        let rest = self.mask.rest();
        let id = PatternId(u32::try_from(self.templates.len()).unwrap_or(0));
        for at in 0..words(rest).take(MOST_WORDS + 1).count() {
            if at < MOST_WORDS {
                let gap = gap(&self.hash, rest, at);
                let place = u16::try_from(at).unwrap_or(u16::MAX);
                self.gaps.entry(gap).or_insert((id, place));
            }
        }
        self.templates.push(rest.into());
        id
    }

    /// A pattern that differs in one word, a value.
    fn find_alike(&self) -> Option<PatternId> {
        let rest = self.mask.rest();
        let count = words(rest).take(MOST_WORDS + 1).count();
        if count > MOST_WORDS {
            return None;
        }
        let mut before: &[u8] = b"";
        for (at, word) in words(rest).enumerate() {
            if let Some((id, place)) = self.gaps.get(&gap(&self.hash, rest, at)) {
                let other = self.templates.get(id.0 as usize)?;
                let other = words(other).nth(usize::from(*place))?;
                if alike::are_values(word, other, before, count) {
                    return Some(*id);
                }
            }
            before = word;
        }
        None
    }
}

fn words(rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    rest.split(|b| *b == b' ')
}

/// The hash of a rest without the word at `without`.
fn gap(hash: &FixedState, rest: &[u8], without: usize) -> u64 {
    let mut hasher = hash.build_hasher();
    for (at, word) in words(rest).enumerate() {
        if at == without {
            hasher.write_u8(0);
        } else {
            hasher.write(word);
            hasher.write_u8(1);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
