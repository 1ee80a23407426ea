//! Several rings of lines read as one, in time order, from any line in both directions.
//! Only what is shown is walked; how far a walk may go is bounded.

use std::sync::Arc;

use super::find::Find;
use crate::model::id::ClusterId;
use crate::model::log::{Level, LineRef};
use crate::model::time::Timestamp;
use crate::pattern::PatternId;
use crate::store::logs::LogRing;
use crate::ui::widget::filter::Filter;

/// Lines looked at in one walk at most: a filter that matches nothing must not hold up a frame.
const WALK: usize = 50_000;

/// What a line is known by: the ring moves under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineId {
    pub at_ns: i64,
    pub cluster: ClusterId,
    line: Arc<str>,
}

#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub cluster: ClusterId,
    pub line: LineRef<'a>,
    pub pattern: PatternId,
}

impl Entry<'_> {
    pub fn id(&self) -> LineId {
        LineId {
            at_ns: self.line.at_ns,
            cluster: self.cluster,
            line: self.line.line.into(),
        }
    }
}

pub struct Merged<'a> {
    rings: Vec<(ClusterId, &'a LogRing)>,
    filter: &'a Filter,
    least: Level,
    find: Option<&'a Find>,
}

/// Lines of each level, of those looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Errors and worse, warnings, the rest; a slot of time each.
    pub slots: [Vec<u32>; 3],
    pub total: usize,
    /// Not all lines were looked at.
    pub cut: bool,
}

impl Counts {
    pub fn new(slots: usize) -> Self {
        Self {
            slots: [vec![0; slots], vec![0; slots], vec![0; slots]],
            ..Self::default()
        }
    }

    pub fn add(&mut self, level: Level, slot: usize) {
        self.total += 1;
        if let Some(held) = self
            .slots
            .get_mut(kind(level))
            .and_then(|s| s.get_mut(slot))
        {
            *held += 1;
        }
    }
}

/// Errors and worse, warnings, the rest.
pub fn kind(level: Level) -> usize {
    match level {
        Level::Error | Level::Critical => 0,
        Level::Warning => 1,
        _ => 2,
    }
}

impl<'a> Merged<'a> {
    pub fn new(rings: Vec<(ClusterId, &'a LogRing)>, filter: &'a Filter, problems: bool) -> Self {
        Self {
            rings,
            filter,
            least: if problems {
                Level::Warning
            } else {
                Level::Unknown
            },
            find: None,
        }
    }

    /// Only lines in which this is found.
    pub fn finding(mut self, find: &'a Find) -> Self {
        self.find = Some(find);
        self
    }

    /// Only lines of this level and worse.
    pub fn only(mut self, least: Level) -> Self {
        self.least = self.least.max(least);
        self
    }

    fn keeps(&self, line: LineRef<'_>) -> bool {
        if line.level < self.least {
            return false;
        }
        if self.find.is_some_and(|find| !find.matches(line)) {
            return false;
        }
        if self.filter.is_empty() {
            return true;
        }
        let mut fields: Vec<(&str, &str)> = line.labels.iter().collect();
        fields.push(("line", line.line));
        self.filter.matches(&fields)
    }

    pub fn newest_ns(&self) -> i64 {
        let lasts = self.rings.iter().filter_map(|(_, r)| r.last());
        lasts.map(|l| l.at_ns).max().unwrap_or(i64::MIN)
    }

    pub fn oldest(&self) -> Option<LineId> {
        let firsts = self
            .rings
            .iter()
            .filter_map(|(c, r)| r.first().map(|l| (l.at_ns, *c)));
        let (at_ns, cluster) = firsts.min()?;
        let start = LineId {
            at_ns: at_ns - 1,
            cluster,
            line: "".into(),
        };
        self.after(&start, 1).first().map(Entry::id)
    }

    /// The oldest line there is.
    pub fn first(&self) -> Option<Entry<'a>> {
        let id = self.oldest()?;
        self.find(&id)
    }

    /// The newest line that is not after `end`.
    pub fn last_until(&self, end: Timestamp) -> Option<LineId> {
        let bound = LineId {
            at_ns: end.0.saturating_add(1).saturating_mul(1_000_000),
            cluster: ClusterId(0),
            line: "".into(),
        };
        self.before(Some(&bound), 1).first().map(Entry::id)
    }

    /// Place of a line in its ring.
    fn place(ring: &LogRing, id: &LineId) -> Option<usize> {
        (ring.before(id.at_ns)..ring.until(id.at_ns))
            .find(|place| ring.get(*place).is_some_and(|l| *l.line == *id.line))
    }

    pub fn find(&self, id: &LineId) -> Option<Entry<'a>> {
        let (cluster, ring) = self.rings.iter().find(|(c, _)| *c == id.cluster)?;
        let place = Self::place(ring, id)?;
        Some(Entry {
            cluster: *cluster,
            line: ring.get(place)?,
            pattern: ring.pattern(place),
        })
    }

    /// Where each ring is cut by a line: first index that is not before it.
    fn cuts(&self, id: &LineId) -> Vec<usize> {
        self.rings
            .iter()
            .map(|(cluster, ring)| {
                let first = ring.before(id.at_ns);
                // Of one time, clusters stand in their order, lines in that of their ring.
                match cluster.cmp(&id.cluster) {
                    std::cmp::Ordering::Less => ring.until(id.at_ns),
                    std::cmp::Ordering::Equal => Self::place(ring, id).unwrap_or(first),
                    std::cmp::Ordering::Greater => first,
                }
            })
            .collect()
    }

    /// Up to `count` lines before `id` (`None`: before the end), oldest first.
    pub fn before(&self, id: Option<&LineId>, count: usize) -> Vec<Entry<'a>> {
        let mut ends = match id {
            Some(id) => self.cuts(id),
            None => self.rings.iter().map(|(_, r)| r.len()).collect(),
        };
        let mut found = Vec::new();
        for _ in 0..WALK {
            if found.len() >= count {
                break;
            }
            let next = self
                .rings
                .iter()
                .zip(&mut ends)
                .filter_map(|((cluster, ring), end)| {
                    let line = ring.get(end.checked_sub(1)?)?;
                    Some((line.at_ns, *cluster, line, (ring, end)))
                })
                .max_by_key(|(at, cluster, _, _)| (*at, *cluster));
            let Some((_, cluster, line, (ring, end))) = next else {
                break;
            };
            *end -= 1;
            if self.keeps(line) {
                found.push(Entry {
                    cluster,
                    line,
                    pattern: ring.pattern(*end),
                });
            }
        }
        found.reverse();
        found
    }

    /// Up to `count` lines after `id`, oldest first.
    pub fn after(&self, id: &LineId, count: usize) -> Vec<Entry<'a>> {
        let mut starts = self.cuts(id);
        for ((cluster, ring), start) in self.rings.iter().zip(&mut starts) {
            if *cluster == id.cluster && Self::place(ring, id) == Some(*start) {
                *start += 1;
            }
        }
        let mut found = Vec::new();
        for _ in 0..WALK {
            if found.len() >= count {
                break;
            }
            let next = self
                .rings
                .iter()
                .zip(&mut starts)
                .filter_map(|((cluster, ring), start)| {
                    let line = ring.get(*start)?;
                    Some((line.at_ns, *cluster, line, (ring, start)))
                })
                .min_by_key(|(at, cluster, _, _)| (*at, *cluster));
            let Some((_, cluster, line, (ring, start))) = next else {
                break;
            };
            let pattern = ring.pattern(*start);
            *start += 1;
            if self.keeps(line) {
                found.push(Entry {
                    cluster,
                    line,
                    pattern,
                });
            }
        }
        found
    }

    /// Lines newer than `at_ns`: how many, and whether there are more than were counted.
    pub fn newer(&self, at_ns: i64) -> (usize, bool) {
        let mut count = 0;
        let mut looked = 0;
        for (_, ring) in &self.rings {
            for line in ring.iter().rev().take_while(|l| l.at_ns > at_ns) {
                looked += 1;
                if looked > WALK {
                    return (count, true);
                }
                count += usize::from(self.keeps(line));
            }
        }
        (count, false)
    }

    /// Every line of the time from `from_ns` to `to_ns`, ring by ring, newest first. True: there
    /// are more than were looked at.
    pub fn each(
        &self,
        from_ns: i64,
        to_ns: i64,
        mut take: impl FnMut(ClusterId, LineRef<'a>),
    ) -> bool {
        let mut looked = 0;
        for (cluster, ring) in &self.rings {
            for line in ring.iter().rev().take_while(|l| l.at_ns >= from_ns) {
                looked += 1;
                if looked > WALK {
                    return true;
                }
                if line.at_ns <= to_ns && self.keeps(line) {
                    take(*cluster, line);
                }
            }
        }
        false
    }

    /// Lines by level over `slots` equal slots from `from_ns` on.
    pub fn counts(&self, from_ns: i64, slot_ns: i64, slots: usize) -> Counts {
        let mut counts = Counts::new(slots);
        let span = slot_ns.saturating_mul(i64::try_from(slots).unwrap_or(i64::MAX));
        let cut = self.each(from_ns, from_ns.saturating_add(span), |_, line| {
            let slot = usize::try_from((line.at_ns - from_ns) / slot_ns.max(1)).unwrap_or(0);
            counts.add(line.level, slot);
        });
        counts.cut = cut;
        counts
    }
}
