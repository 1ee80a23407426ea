//! What is known of leases and replicas, and what follows from it. No clock, no bus: both are given.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::model::news::token;
use crate::model::time::Timestamp;
use crate::team::share::share;

const LEASE: &str = "cluster.";
const BEAT: &str = "replica.";

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
}

impl Lease {
    pub fn free(cluster: Arc<str>, at: Timestamp) -> Self {
        Self {
            cluster,
            holder: "".into(),
            instance: "".into(),
            since: at,
            expires: at,
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

/// Replicas, and which of them has the turn at each cluster.
type Turns = (Vec<Arc<str>>, BTreeMap<Arc<str>, Arc<str>>);

/// What a cluster is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mine {
    /// To be taken or renewed now, over this revision.
    Due(u64),
    /// Ours, and renewed lately.
    Held,
    /// Ours, and another one's turn.
    GiveUp,
    Theirs,
}

#[derive(Debug)]
pub struct Table {
    pub name: Arc<str>,
    pub instance: Arc<str>,
    interval: Duration,
    clusters: Vec<Arc<str>>,
    leases: BTreeMap<Arc<str>, Seen<Lease>>,
    beats: BTreeMap<String, Seen<Beat>>,
    /// Whose turn each cluster is, among these replicas.
    turns: Turns,
}

pub fn lease_key(cluster: &str) -> String {
    format!("{LEASE}{}", token(cluster))
}

impl Table {
    pub fn new(name: &str, interval: Duration, clusters: Vec<Arc<str>>) -> Self {
        // The standard library's hash keys are random; no more is wanted of this.
        let random = RandomState::new().build_hasher().finish();
        Self {
            name: name.into(),
            instance: format!("{random:016x}").into(),
            interval,
            clusters,
            leases: BTreeMap::new(),
            beats: BTreeMap::new(),
            turns: Default::default(),
        }
    }

    pub fn own_key(&self) -> String {
        format!("{BEAT}{}.{}", token(&self.name), self.instance)
    }

    /// A lease that is not renewed lives so long.
    fn life(&self) -> Duration {
        self.interval * 2
    }

    /// And for its holder so long: it must have stopped before another begins.
    pub fn sure(&self) -> Duration {
        self.life() - self.interval / 4
    }

    /// `body`: nothing where the key was taken away.
    pub fn hear(&mut self, key: &str, body: Option<&[u8]>, revision: u64, now: Instant) {
        if let Some(name) = key.strip_prefix(LEASE) {
            let Some(cluster) = self.clusters.iter().find(|c| token(c) == name).cloned() else {
                return;
            };
            let lease = body.and_then(|b| rmp_serde::from_slice::<Lease>(b).ok());
            let what = lease.unwrap_or_else(|| Lease::free(cluster.clone(), Timestamp::default()));
            newer(
                &mut self.leases,
                cluster,
                Seen {
                    what,
                    revision,
                    at: now,
                },
            );
        } else if key.starts_with(BEAT) {
            match body.and_then(|b| rmp_serde::from_slice::<Beat>(b).ok()) {
                Some(what) => {
                    newer(
                        &mut self.beats,
                        key.to_owned(),
                        Seen {
                            what,
                            revision,
                            at: now,
                        },
                    );
                }
                None => {
                    self.beats.remove(key);
                }
            }
        }
    }

    /// Written by us.
    pub fn renewed(&mut self, cluster: &Arc<str>, what: Lease, revision: u64, sent: Instant) {
        let seen = Seen {
            what,
            revision,
            at: sent,
        };
        self.leases.insert(cluster.clone(), seen);
    }

    pub fn forget(&mut self, cluster: &str) {
        if let Some(seen) = self.leases.get_mut(cluster) {
            seen.what.instance = "".into();
        }
    }

    /// The revision of our lease on it.
    pub fn ours(&self, cluster: &str) -> Option<u64> {
        let seen = self.leases.get(cluster)?;
        (seen.what.instance == self.instance).then_some(seen.revision)
    }

    pub fn all_ours(&self) -> Vec<Arc<str>> {
        let all = self.clusters.iter();
        all.filter(|c| self.ours(c).is_some()).cloned().collect()
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

    /// What each cluster is to us now.
    pub fn look(&mut self, now: Instant) -> Vec<(Arc<str>, Mine)> {
        let replicas = self.replicas(now);
        if self.turns.0 != replicas {
            self.turns = (replicas.clone(), share(&replicas, &self.clusters));
        }
        let wanted = &self.turns.1;
        let of = |cluster: &Arc<str>| {
            let turn = wanted.get(cluster) == Some(&self.instance);
            let seen = self.leases.get(cluster);
            let ours = self.ours(cluster).is_some();
            let age = seen.map(|s| now.saturating_duration_since(s.at));
            let lives = age.is_some_and(|age| age < self.life());
            let free = seen.is_none_or(|s| s.what.instance.is_empty()) || !lives;
            let revision = seen.map_or(0, |s| s.revision);
            match (ours, turn) {
                (true, true) if age.is_some_and(|age| age < self.interval) => Mine::Held,
                (true, false) if lives => Mine::GiveUp,
                (true, true) => Mine::Due(revision),
                (false, true) if free => Mine::Due(revision),
                _ => Mine::Theirs,
            }
        };
        let all = self.clusters.iter();
        all.map(|cluster| (cluster.clone(), of(cluster))).collect()
    }
}

fn newer<K: Ord, T>(all: &mut BTreeMap<K, Seen<T>>, key: K, seen: Seen<T>) {
    // A watch that begins anew tells again what is known: its age counts from the first time.
    if all
        .get(&key)
        .is_none_or(|known| known.revision < seen.revision)
    {
        all.insert(key, seen);
    }
}

#[cfg(test)]
mod tests;
