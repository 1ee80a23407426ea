//! What the detectors have learned, as bytes and back, so that a restart is no beginning.
//!
//! Only what series usually do is kept: limits and states tell themselves again at the first look.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use crate::model::sample::{Sample, SeriesKey};
use crate::model::time::Timestamp;

use super::learned::Learned;

/// One series.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Learnt {
    /// By name: numbers are those of one run.
    pub cluster: Arc<str>,
    pub key: SeriesKey,
    pub(super) last: Sample,
    pub(super) torn_until: Timestamp,
    pub(super) told: bool,
    pub(super) learned: Learned,
}

/// Of the series of a cluster.
pub type Known = HashMap<SeriesKey, Learnt, RandomState>;

/// What an earlier run knew, by the clusters' names.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    pub(super) series: HashMap<Arc<str>, Known>,
    until: Option<Timestamp>,
}

impl Remembered {
    /// Series of which something is known.
    pub fn count(&self) -> usize {
        self.series.values().map(HashMap::len).sum()
    }

    /// Time of the newest point that taught.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

/// One after the other, so that parts make a whole.
pub fn pack<'a>(series: impl Iterator<Item = &'a Learnt>) -> Vec<u8> {
    let mut out = Vec::new();
    for one in series {
        // A vector takes all; what cannot be written is left out whole.
        let before = out.len();
        if rmp_serde::encode::write(&mut out, one).is_err() {
            out.truncate(before);
        }
    }
    out
}

/// All of it, or nothing: of another farwatch, or broken. Of a series that stands there twice the
/// latter counts.
pub fn unpack(bytes: &[u8]) -> Result<Remembered, String> {
    let mut rest = bytes;
    let mut all = Remembered::default();
    while !rest.is_empty() {
        let one: Learnt = rmp_serde::from_read(&mut rest).map_err(|e| e.to_string())?;
        all.until = all.until.max(Some(one.last.at));
        let cluster = all.series.entry(one.cluster.clone()).or_default();
        cluster.insert(one.key.clone(), one);
    }
    Ok(all)
}
