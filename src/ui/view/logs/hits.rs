//! What a filter keeps of one block, and what the kept lines tell together.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::model::log::Level;
use crate::pattern::PatternId;
use crate::store::logs::{Block, BlockState};
use crate::ui::widget::filter::Filter;

/// Lines asked for.
#[derive(Debug, Default)]
pub struct Query {
    pub filter: Filter,
    /// Lines of this level and worse.
    pub least: Level,
    /// Of these, what is looked for.
    pub find: Filter,
}

impl Query {
    pub fn is_all(&self) -> bool {
        self.filter.is_empty() && self.find.is_empty() && self.least == Level::Unknown
    }
}

/// Lines of one pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    pub pattern: PatternId,
    pub count: u32,
    pub worst: Level,
    pub first_ns: i64,
    pub last_ns: i64,
    /// Labels of the first one, as the block numbers them.
    pub set: usize,
}

#[derive(Debug, PartialEq)]
pub struct Hits {
    state: BlockState,
    /// Places of the lines kept; `None`: all.
    places: Option<Box<[u16]>>,
    pub said: Box<[Said]>,
    /// Errors and worse, warnings, the rest; of each label set of the block.
    pub by_set: Box<[[u32; 3]]>,
}

/// Errors and worse, warnings, the rest.
pub fn kind(level: Level) -> usize {
    match level {
        Level::Error | Level::Critical => 0,
        Level::Warning => 1,
        _ => 2,
    }
}

impl Hits {
    /// `before`: what was found when the block had fewer lines.
    pub fn of(block: &Block, query: &Query, before: Option<&Self>) -> Self {
        let state = block.state();
        let before =
            before.filter(|b| b.state.edits == state.edits && b.state.serial == state.serial);
        let places = (!query.is_all()).then(|| {
            let from = before.map_or(0, |b| b.state.lines);
            let known = before.and_then(|b| b.places.as_deref()).unwrap_or_default();
            let mut places = known.to_vec();
            keep(block, query, from, &mut places);
            places.into_boxed_slice()
        });
        let mut hits = Self {
            state,
            places,
            said: Box::default(),
            by_set: vec![[0; 3]; block.sets().len()].into(),
        };
        hits.sum_up(block);
        hits
    }

    fn sum_up(&mut self, block: &Block) {
        let mut said: Vec<Said> = Vec::new();
        let mut rows: HashMap<PatternId, usize, RandomState> = HashMap::default();
        let mut by_set = std::mem::take(&mut self.by_set);
        for place in self.places() {
            let (level, at_ns, set) = (block.level(place), block.at_ns(place), block.set(place));
            if let Some(count) = by_set.get_mut(set).and_then(|k| k.get_mut(kind(level))) {
                *count += 1;
            }
            let pattern = block.pattern(place);
            let row = *rows.entry(pattern).or_insert(said.len());
            match said.get_mut(row) {
                Some(row) => {
                    row.count += 1;
                    row.worst = row.worst.max(level);
                    row.last_ns = at_ns;
                }
                None => said.push(Said {
                    pattern,
                    count: 1,
                    worst: level,
                    first_ns: at_ns,
                    last_ns: at_ns,
                    set,
                }),
            }
        }
        (self.said, self.by_set) = (said.into(), by_set);
    }

    pub fn serial(&self) -> u64 {
        self.state.serial
    }

    /// Holds for a block in this state.
    pub fn is_of(&self, state: BlockState) -> bool {
        self.state == state
    }

    /// Found later in the same block.
    pub fn is_after(&self, other: &Self) -> bool {
        (self.state.edits, self.state.lines) > (other.state.edits, other.state.lines)
    }

    /// Lines that a block in this state has and that were not looked at.
    pub fn new_lines(&self, state: BlockState) -> usize {
        match self.state.edits == state.edits {
            true => state.lines.saturating_sub(self.state.lines),
            false => state.lines,
        }
    }

    /// Lines kept.
    pub fn count(&self) -> usize {
        self.places.as_ref().map_or(self.state.lines, |p| p.len())
    }

    /// Places of the lines kept, in the block's order.
    pub fn places(&self) -> impl DoubleEndedIterator<Item = usize> {
        let some = self.places.as_deref().unwrap_or_default();
        let all = match self.places {
            Some(_) => 0..0,
            None => 0..self.state.lines,
        };
        all.chain(some.iter().map(|place| usize::from(*place)))
    }

    /// The last line kept before this place.
    pub fn before(&self, place: usize) -> Option<usize> {
        let Some(places) = &self.places else {
            return place.min(self.state.lines).checked_sub(1);
        };
        let count = self.count_before(place);
        places.get(count.checked_sub(1)?).map(|p| usize::from(*p))
    }

    /// The first line kept at this place or after it.
    pub fn from(&self, place: usize) -> Option<usize> {
        match &self.places {
            None => (place < self.state.lines).then_some(place),
            Some(places) => places
                .get(self.count_before(place))
                .map(|p| usize::from(*p)),
        }
    }

    /// Lines kept before this place.
    pub fn count_before(&self, place: usize) -> usize {
        match &self.places {
            None => place.min(self.state.lines),
            Some(places) => places.partition_point(|p| usize::from(*p) < place),
        }
    }
}

/// Adds the places from `from` on that the query keeps.
fn keep(block: &Block, query: &Query, from: usize, places: &mut Vec<u16>) {
    if block.worst() < query.least {
        return;
    }
    let rests: Vec<_> = block
        .sets()
        .iter()
        .map(|labels| {
            let fields: Vec<(&str, &str)> = labels.iter().collect();
            (query.filter.rest(&fields), query.find.rest(&fields))
        })
        .collect();
    let never = |(filter, find): &(_, _)| decided_not(filter) || decided_not(find);
    if rests.iter().all(never) {
        return;
    }
    for place in from..block.len() {
        if block.level(place) < query.least {
            continue;
        }
        let (Some((filter, find)), Some(line)) = (rests.get(block.set(place)), block.get(place))
        else {
            continue;
        };
        if filter.matches(line.line) && find.matches(line.line) {
            places.push(u16::try_from(place).unwrap_or(u16::MAX));
        }
    }
}

fn decided_not(rest: &crate::ui::widget::filter::Rest<'_>) -> bool {
    rest.decided() == Some(false)
}
