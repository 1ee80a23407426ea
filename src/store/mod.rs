//! Bounded memory for series and logs.

use crate::model::id::{ClusterId, SeriesId};
use crate::model::sample::{Sample, SeriesKey};
use crate::model::time::Timestamp;

pub mod logs;

#[derive(Debug, Default)]
pub struct Store {}

impl Store {
    /// Series of a cluster with this name, in label order.
    pub fn find<'a>(
        &'a self,
        _cluster: ClusterId,
        _name: &'a str,
    ) -> Box<dyn Iterator<Item = (SeriesId, &'a SeriesKey)> + 'a> {
        Box::new(std::iter::empty())
    }

    /// Names of all series of a cluster, sorted, each once.
    pub fn names(&self, _cluster: ClusterId) -> Vec<std::sync::Arc<str>> {
        Vec::new()
    }

    /// Newest sample with its exact time.
    pub fn last(&self, _id: SeriesId) -> Option<Sample> {
        None
    }

    /// Samples in `[from, to]`, oldest first; gaps are missing points.
    pub fn points<'a>(
        &'a self,
        _id: SeriesId,
        _from: Timestamp,
        _to: Timestamp,
    ) -> Box<dyn Iterator<Item = Sample> + 'a> {
        Box::new(std::iter::empty())
    }

    /// Expected distance between samples, milliseconds.
    pub fn interval_ms(&self, _id: SeriesId) -> u32 {
        0
    }

    /// Series held, bytes they take (points and labels), series evicted since start.
    pub fn usage(&self) -> (usize, u64, u64) {
        (0, 0, 0)
    }
}
