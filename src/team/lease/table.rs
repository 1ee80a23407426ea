//! What is known of leases and replicas, and what follows from it. No clock, no bus: both are given.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::duty::{Duty, Turns, turns};
use crate::model::news::token;
use crate::model::time::Timestamp;

const LEASE: &str = "cluster.";
const BEAT: &str = "replica.";
const DUTY: &str = "duty.";
/// The bucket has long let it go.
const FORGOTTEN: Duration = Duration::from_secs(7_200);

/// Who watches a cluster, as it stands in the bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    pub cluster: Arc<str>,
    /// Name of the replica; empty: nobody.
    pub holder: Arc<str>,
    /// Another start of the same replica is another one.
    pub instance: Arc<str>,
    /// By the holder's clock: for people. Who decides counts by its own.
    pub since: Timestamp,
    pub expires: Timestamp,
    /// It lives so long after it was renewed, milliseconds; 0: told by a farwatch that did not say.
    #[serde(default)]
    pub life_ms: u64,
}

impl Lease {
    pub fn free(cluster: Arc<str>, at: Timestamp) -> Self {
        Self {
            cluster,
            holder: "".into(),
            instance: "".into(),
            since: at,
            expires: at,
            life_ms: 0,
        }
    }
}

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    pub replica: Arc<str>,
    pub instance: Arc<str>,
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
struct Seen<T> {
    what: T,
    revision: u64,
    /// When we saw this revision first.
    at: Instant,
}

/// What a cluster is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mine {
    /// To be taken or renewed now, over this revision.
    Due(u64),
    /// Ours, and renewed lately.
    Held,
    /// Ours, and another one's turn.
    GiveUp,
    /// Its exporters can be asked from here only, but another one's lease on it has not ended yet.
    Awaited,
    Theirs,
}

#[derive(Debug)]
pub struct Table {
    pub name: Arc<str>,
    pub instance: Arc<str>,
    interval: Duration,
    /// What we could watch.
    duty: Duty,
    /// By what stands for them in a key.
    tokens: HashMap<String, Arc<str>>,
    leases: BTreeMap<Arc<str>, Seen<Lease>>,
    /// Clusters whose lease is ours.
    ours: BTreeSet<Arc<str>>,
    beats: BTreeMap<String, Seen<Beat>>,
    /// What each replica could watch, by its key.
    duties: BTreeMap<String, Duty>,
    /// What follows for these live replicas; none: it has to be found anew.
    turns: (Vec<Arc<str>>, Turns),
}

pub fn lease_key(cluster: &str) -> String {
    format!("{LEASE}{}", token(cluster))
}

impl Table {
    /// `clusters`: what could be watched here; `publishes`: those of them whose samples are published
    /// from here.
    pub fn new(
        name: &str,
        interval: Duration,
        clusters: Vec<Arc<str>>,
        publishes: BTreeSet<Arc<str>>,
    ) -> Self {
        // The standard library's hash keys are random; no more is wanted of this.
        let random = RandomState::new().build_hasher().finish();
        let instance: Arc<str> = format!("{random:016x}").into();
        let tokens = clusters.iter().map(|c| (token(c), c.clone())).collect();
        Self {
            name: name.into(),
            instance: instance.clone(),
            interval,
            duty: Duty {
                instance,
                clusters: clusters.into_iter().collect(),
                publishes,
            },
            tokens,
            leases: BTreeMap::new(),
            ours: BTreeSet::new(),
            beats: BTreeMap::new(),
            duties: BTreeMap::new(),
            turns: Default::default(),
        }
    }

    pub fn own_key(&self) -> String {
        format!("{BEAT}{}.{}", token(&self.name), self.instance)
    }

    pub fn duty_key(&self) -> String {
        format!("{DUTY}{}.{}", token(&self.name), self.instance)
    }

    pub fn duty(&self) -> &Duty {
        &self.duty
    }

    /// A lease that is not renewed lives so long.
    fn life(&self) -> Duration {
        self.interval * 2
    }

    /// And for its holder so long: it must have stopped before another begins.
    pub fn sure(&self) -> Duration {
        self.life() - self.interval / 4
    }

    /// Our own word stands there under this revision now. Where that is below what is known, the bucket
    /// was made anew, and nothing that is known of the former one counts.
    pub fn meet(&mut self, revision: u64) {
        let leases = self.leases.values().map(|seen| seen.revision);
        let beats = self.beats.values().map(|seen| seen.revision);
        if leases.chain(beats).any(|known| known >= revision) {
            self.leases.clear();
            self.beats.clear();
            self.duties.clear();
            self.turns.0.clear();
            self.ours.clear();
        }
    }

    /// `body`: nothing where the key was taken away. True where more is new than that somebody goes
    /// on: all that follows from time alone is seen by [`Self::look`].
    pub fn hear(&mut self, key: &str, body: Option<&[u8]>, revision: u64, now: Instant) -> bool {
        if let Some(name) = key.strip_prefix(LEASE) {
            let Some(cluster) = self.tokens.get(name).cloned() else {
                return false;
            };
            let lease = body.and_then(|b| rmp_serde::from_slice::<Lease>(b).ok());
            let what = lease.unwrap_or_else(|| Lease::free(cluster.clone(), Timestamp::default()));
            self.stands(cluster, what, revision, now)
        } else if key.starts_with(BEAT) {
            self.beats
                .retain(|_, beat| now.saturating_duration_since(beat.at) < FORGOTTEN);
            let Some(what) = body.and_then(|b| rmp_serde::from_slice::<Beat>(b).ok()) else {
                return self.beats.remove(key).is_some();
            };
            let seen = Seen {
                what,
                revision,
                at: now,
            };
            newer(&mut self.beats, key.to_owned(), seen).is_some_and(|before| before.is_none())
        } else if key.starts_with(DUTY) {
            self.told(key, body)
        } else {
            false
        }
    }

    /// What a replica could watch; true where that is news.
    fn told(&mut self, key: &str, body: Option<&[u8]>) -> bool {
        let duty = body.and_then(|b| rmp_serde::from_slice::<Duty>(b).ok());
        let news = self.duties.get(key) != duty.as_ref();
        if news {
            match duty {
                Some(duty) => drop(self.duties.insert(key.to_owned(), duty)),
                None => drop(self.duties.remove(key)),
            }
            self.turns.0.clear();
        }
        news
    }

    /// A lease as it stands in the bucket now; true where its holder is another.
    fn stands(&mut self, cluster: Arc<str>, what: Lease, revision: u64, at: Instant) -> bool {
        let instance = what.instance.clone();
        let seen = Seen { what, revision, at };
        let Some(before) = newer(&mut self.leases, cluster.clone(), seen) else {
            return false;
        };
        match instance == self.instance {
            true => self.ours.insert(cluster),
            false => self.ours.remove(&cluster),
        };
        before.is_none_or(|lease| lease.instance != instance)
    }

    /// Written by us.
    pub fn renewed(&mut self, cluster: &Arc<str>, what: Lease, revision: u64, sent: Instant) {
        let at = sent;
        let seen = Seen { what, revision, at };
        self.leases.insert(cluster.clone(), seen);
        self.ours.insert(cluster.clone());
    }

    pub fn forget(&mut self, cluster: &str) {
        if let Some(seen) = self.leases.get_mut(cluster) {
            seen.what.instance = "".into();
        }
        self.ours.remove(cluster);
    }

    /// The revision of our lease on it.
    pub fn ours(&self, cluster: &str) -> Option<u64> {
        let held = self.ours.contains(cluster);
        let seen = self.leases.get(cluster).filter(|_| held)?;
        Some(seen.revision)
    }

    pub fn all_ours(&self) -> Vec<Arc<str>> {
        self.ours.iter().cloned().collect()
    }

    /// The next lease of ours on it.
    pub fn lease(&self, cluster: &Arc<str>, now: Timestamp) -> Lease {
        let held = self.leases.get(cluster).map(|seen| &seen.what);
        let held = held.filter(|lease| lease.instance == self.instance);
        let life = i64::try_from(self.life().as_millis()).unwrap_or(i64::MAX);
        Lease {
            cluster: cluster.clone(),
            holder: self.name.clone(),
            instance: self.instance.clone(),
            since: held.map_or(now, |lease| lease.since),
            expires: now.plus_ms(life),
            life_ms: life.unsigned_abs(),
        }
    }

    /// Live replicas, ourselves included.
    fn replicas(&self, now: Instant) -> Vec<Arc<str>> {
        let live = self
            .beats
            .values()
            .filter(|b| now.saturating_duration_since(b.at) < self.life());
        let mut all: Vec<Arc<str>> = live
            .map(|b| b.what.instance.clone())
            .filter(|i| *i != self.instance)
            .collect();
        all.push(self.instance.clone());
        all.sort();
        all
    }

    pub fn live(&self, now: Instant) -> usize {
        self.replicas(now).len()
    }

    /// What each cluster is to us now; those are left out that neither are our turn nor ours.
    pub fn look(&mut self, now: Instant) -> BTreeMap<Arc<str>, Mine> {
        let replicas = self.replicas(now);
        if self.turns.0 != replicas {
            let lives =
                |duty: &&Duty| duty.instance != self.instance && replicas.contains(&duty.instance);
            let others: Vec<&Duty> = self.duties.values().filter(lives).collect();
            self.turns = (replicas, turns(&self.duty, &others));
        }
        let all = self.turns.1.ours.union(&self.ours);
        all.map(|cluster| (cluster.clone(), self.mine(cluster, now)))
            .collect()
    }

    /// Clusters that another live replica could watch too, as of the last look.
    pub fn shared(&self) -> &BTreeSet<Arc<str>> {
        &self.turns.1.shared
    }

    /// We publish its samples, and nobody else who is live does.
    fn is_only_here(&self, cluster: &Arc<str>) -> bool {
        self.duty.publishes.contains(cluster) && !self.shared().contains(cluster)
    }

    fn mine(&self, cluster: &Arc<str>, now: Instant) -> Mine {
        let turn = self.turns.1.ours.contains(cluster);
        let ours = self.ours.contains(cluster);
        let seen = self.leases.get(cluster);
        let age = seen.map(|s| now.saturating_duration_since(s.at));
        let lives = age.is_some_and(|age| age < self.life());
        let free = seen.is_none_or(|s| s.what.instance.is_empty()) || !lives;
        let revision = seen.map_or(0, |s| s.revision);
        match (ours, turn) {
            (true, true) if age.is_some_and(|age| age < self.interval) => Mine::Held,
            (true, false) if lives => Mine::GiveUp,
            (true, true) => Mine::Due(revision),
            (false, true) if free => Mine::Due(revision),
            (false, true) if self.is_only_here(cluster) => Mine::Awaited,
            _ => Mine::Theirs,
        }
    }
}

/// What stood there, where this is newer; a watch that begins anew tells again what is known: its age
/// counts from the first time.
fn newer<K: Ord, T>(all: &mut BTreeMap<K, Seen<T>>, key: K, seen: Seen<T>) -> Option<Option<T>> {
    let known = all.get(&key);
    if known.is_some_and(|known| known.revision >= seen.revision) {
        return None;
    }
    Some(all.insert(key, seen).map(|before| before.what))
}

#[cfg(test)]
mod tests;
