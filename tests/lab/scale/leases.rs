//! Watchers that share clusters by leases, played without clocks and without a bus.
//!
//! The rule is that of `src/team/lease`: a sign of life each interval, a lease renewed each interval
//! that lives for two, its holder sure of it for a quarter of an interval less, and clusters shared by
//! [`share()`]. The bus is one order of writes; each watcher hears it a little later than the others.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use farwatch::team::share::share;

use super::chance::Chance;

/// Steps of an interval; a watcher looks at what it knows once a step.
pub const STEPS: u64 = 20;
/// What nobody renewed this long is free.
const LIFE: u64 = 2 * STEPS;
/// How long its holder is sure of it.
const SURE: u64 = LIFE - STEPS / 4;

/// What happened to the sharing.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Longest time that a cluster had no watcher, and two, in steps; the first taking apart.
    pub unwatched: u64,
    pub doubled: u64,
    /// Clusters that another watches than before.
    pub moved: usize,
}

struct Watcher {
    name: Arc<str>,
    /// Since when it is there; `None`: killed, or not started yet.
    since: Option<u64>,
    /// Neither hears nor reaches the bus until then.
    cut_until: u64,
    /// Its first and its last sign of life on the bus.
    beats: Option<(u64, u64)>,
    /// How it shared the clusters out last.
    view: Option<Rc<Turns>>,
    /// How much later than written it hears.
    late: u64,
}

#[derive(Clone, Copy, Default)]
struct Lease {
    holder: Option<usize>,
    renewed: u64,
}

struct Cluster {
    lease: Lease,
    /// Who watches it, and until when each is sure.
    watched: Vec<(usize, u64)>,
    bare_since: Option<u64>,
    doubled_since: Option<u64>,
    before: Option<usize>,
}

/// Whose turn each cluster is, and the clusters of each watcher.
struct Turns {
    of: Vec<Option<usize>>,
    clusters: BTreeMap<usize, Vec<usize>>,
}

pub struct Play {
    now: u64,
    watchers: Vec<Watcher>,
    names: Vec<Arc<str>>,
    clusters: Vec<Cluster>,
    turns: BTreeMap<Vec<usize>, Rc<Turns>>,
    seen: Seen,
    /// Writes of the current step, and of the whole play.
    writes_now: u64,
    pub writes: u64,
    pub most_writes: u64,
    settled: bool,
}

impl Play {
    /// `there`: how many of the watchers are there from the beginning.
    pub fn new(clusters: usize, watchers: usize, there: usize, chance: &mut Chance) -> Self {
        let watcher = |n: usize| Watcher {
            name: format!("{:016x}", chance.draw()).into(),
            since: (n < there).then(|| chance.below(STEPS)),
            cut_until: 0,
            beats: None,
            view: None,
            late: chance.below(2),
        };
        let cluster = |_| Cluster {
            lease: Lease::default(),
            watched: Vec::new(),
            bare_since: None,
            doubled_since: None,
            before: None,
        };
        Self {
            now: 0,
            watchers: (0..watchers).map(watcher).collect(),
            names: (0..clusters)
                .map(|n| format!("cluster-{n}").into())
                .collect(),
            clusters: (0..clusters).map(cluster).collect(),
            turns: BTreeMap::new(),
            seen: Seen::default(),
            writes_now: 0,
            writes: 0,
            most_writes: 0,
            settled: false,
        }
    }

    /// Plays on, and says what happened meanwhile.
    pub fn go(&mut self, intervals: u64) -> Seen {
        self.seen = Seen::default();
        (self.writes, self.most_writes) = (0, 0);
        for cluster in &mut self.clusters {
            cluster.before = cluster.lease.holder;
        }
        for _ in 0..intervals * STEPS {
            self.step();
        }
        let moved = self.clusters.iter();
        let moved = moved.filter(|c| c.before.is_some() && c.lease.holder != c.before);
        self.seen.moved = moved.count();
        self.settled = true;
        self.seen.clone()
    }

    pub fn kill(&mut self, watcher: usize) {
        self.watchers[watcher].since = None;
        for cluster in &mut self.clusters {
            cluster.watched.retain(|(who, _)| *who != watcher);
        }
    }

    pub fn start(&mut self, watcher: usize) {
        self.watchers[watcher].since = Some(self.now);
    }

    pub fn cut(&mut self, watcher: usize, intervals: u64) {
        self.watchers[watcher].cut_until = self.now + intervals * STEPS;
    }

    /// Fewest and most clusters of a watcher that is there.
    pub fn loads(&self) -> (usize, usize) {
        let there = self.watchers.iter().enumerate();
        let there = there.filter(|(_, watcher)| watcher.since.is_some());
        let loads: Vec<usize> = there.map(|(n, _)| self.held(n)).collect();
        let least = loads.iter().min().copied().unwrap_or(0);
        (least, loads.iter().max().copied().unwrap_or(0))
    }

    pub fn held(&self, watcher: usize) -> usize {
        let held = |c: &&Cluster| c.lease.holder == Some(watcher);
        self.clusters.iter().filter(held).count()
    }

    fn step(&mut self) {
        self.now += 1;
        self.writes_now = 0;
        for watcher in 0..self.watchers.len() {
            self.guard(watcher);
            if self.hears(watcher) {
                self.work(watcher);
            }
        }
        self.look();
        self.writes += self.writes_now;
        self.most_writes = self.most_writes.max(self.writes_now);
    }

    fn hears(&self, watcher: usize) -> bool {
        let watcher = &self.watchers[watcher];
        watcher.since.is_some_and(|since| since <= self.now) && watcher.cut_until <= self.now
    }

    /// Stops what is no longer sure.
    fn guard(&mut self, watcher: usize) {
        let now = self.now;
        if self.hears(watcher) {
            return;
        }
        for cluster in &mut self.clusters {
            cluster
                .watched
                .retain(|(who, until)| *who != watcher || *until > now);
        }
    }

    fn work(&mut self, me: usize) {
        let now = self.now;
        let beats = self.watchers[me].beats;
        if beats.is_none_or(|(_, last)| now >= last + STEPS) {
            self.watchers[me].beats = Some((beats.map_or(now, |(first, _)| first), now));
            self.writes_now += 1;
        }
        // Who comes with us shall be known before anything is taken.
        if self.watchers[me]
            .since
            .is_none_or(|since| now < since + STEPS / 2)
        {
            return;
        }
        let turns = self.turns_of(me);
        let known = self.watchers[me].view.replace(Rc::clone(&turns));
        if known.is_none_or(|known| !Rc::ptr_eq(&known, &turns)) {
            self.give_up(me, &turns);
        }
        let late = self.watchers[me].late;
        for number in turns.clusters.get(&me).into_iter().flatten() {
            let cluster = &mut self.clusters[*number];
            let age = now - cluster.lease.renewed;
            let due = match cluster.lease.holder {
                None => true,
                Some(holder) if holder == me => age >= STEPS,
                Some(_) => age >= LIFE + late,
            };
            if due {
                cluster.lease = Lease {
                    holder: Some(me),
                    renewed: now,
                };
                cluster.watched.retain(|(who, _)| *who != me);
                cluster.watched.push((me, now + SURE));
                self.writes_now += 1;
            }
        }
    }

    /// Stops what is another's turn, then lets it go.
    fn give_up(&mut self, me: usize, turns: &Turns) {
        for (cluster, turn) in self.clusters.iter_mut().zip(&turns.of) {
            if cluster.lease.holder == Some(me) && *turn != Some(me) {
                cluster.watched.retain(|(who, _)| *who != me);
                cluster.lease.holder = None;
                self.writes_now += 1;
            }
        }
    }

    /// Whose turn each cluster is, as this watcher knows the others.
    fn turns_of(&mut self, me: usize) -> Rc<Turns> {
        let (now, late) = (self.now, self.watchers[me].late);
        let live = |other: &usize| {
            let heard = |(first, last)| now >= first + late && now < last + late + LIFE;
            *other == me || self.watchers[*other].beats.is_some_and(heard)
        };
        let live: Vec<usize> = (0..self.watchers.len()).filter(live).collect();
        if let Some(known) = self.turns.get(&live) {
            return Rc::clone(known);
        }
        let names: Vec<Arc<str>> = live
            .iter()
            .map(|n| self.watchers[*n].name.clone())
            .collect();
        let numbers: BTreeMap<&Arc<str>, usize> = names.iter().zip(live.iter().copied()).collect();
        let shared = share(&names, &self.names);
        let turn = |cluster| {
            shared
                .get(cluster)
                .and_then(|name| numbers.get(name).copied())
        };
        let of: Vec<Option<usize>> = self.names.iter().map(turn).collect();
        let mut clusters: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (cluster, turn) in of.iter().enumerate() {
            if let Some(watcher) = turn {
                clusters.entry(*watcher).or_default().push(cluster);
            }
        }
        let turns = Rc::new(Turns { of, clusters });
        self.turns.insert(live, Rc::clone(&turns));
        turns
    }

    fn look(&mut self) {
        let now = self.now;
        for cluster in &mut self.clusters {
            let bare = cluster.watched.is_empty();
            cluster.bare_since = bare.then(|| cluster.bare_since.unwrap_or(now));
            let doubled = cluster.watched.len() > 1;
            cluster.doubled_since = doubled.then(|| cluster.doubled_since.unwrap_or(now));
            if self.settled {
                let for_ = |since: Option<u64>| since.map_or(0, |since| now + 1 - since);
                self.seen.unwatched = self.seen.unwatched.max(for_(cluster.bare_since));
                self.seen.doubled = self.seen.doubled.max(for_(cluster.doubled_since));
            }
        }
    }
}
