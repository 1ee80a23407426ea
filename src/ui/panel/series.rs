//! Many series with what is told of all of them, found once: what tells them apart, whether they are
//! buckets, how wide their labels are.

use std::ops::Deref;

use super::heat::bound;
use super::label::{self, differing};
use super::{Shown, ShownId};

/// Labels that have a column of their own in a table.
const LABELS: usize = 6;
/// Widest column of a label.
const WIDEST: u16 = 40;

#[derive(Clone, Debug, Default)]
pub struct Series {
    all: Vec<Shown>,
    own: Vec<String>,
    labels: Vec<(String, u16)>,
    buckets: bool,
    even: bool,
    short: usize,
}

impl Series {
    pub fn new(all: Vec<Shown>) -> Self {
        let each: Vec<&Shown> = all.iter().collect();
        let own = differing(&each);
        let mut labels = label::all(&each);
        labels.truncate(LABELS);
        let wide = |label: &String| {
            let values = all.iter().filter_map(|s| s.id.key.labels.get(label));
            let longest = values.map(|v| v.chars().count()).max().unwrap_or(0);
            let columns = longest.max(label.chars().count());
            u16::try_from(columns).map_or(WIDEST, |c| c.min(WIDEST))
        };
        let widths: Vec<u16> = labels.iter().map(wide).collect();
        let combined = all.iter().filter_map(|s| s.combined);
        Self {
            own,
            labels: labels.into_iter().zip(widths).collect(),
            buckets: !all.is_empty() && all.iter().all(|s| bound(s).is_some()),
            even: all.iter().all(|s| s.figures.nan + s.figures.infinite == 0),
            short: combined.map(|(_, short)| short).max().unwrap_or(0),
            all,
        }
    }

    /// What one of them is called: by the labels that tell it from the others.
    pub fn called(&self, id: &ShownId) -> String {
        label::label(&id.key, &self.own)
    }

    /// There are labels in which they differ.
    pub fn differ(&self) -> bool {
        !self.own.is_empty()
    }

    /// Labels that some of them have, most telling first, with the columns that their values take.
    pub fn labels(&self) -> &[(String, u16)] {
        &self.labels
    }

    /// They are the buckets of histograms.
    pub fn is_histogram(&self) -> bool {
        self.buckets
    }

    /// All their values are finite numbers.
    pub fn is_even(&self) -> bool {
        self.even
    }

    /// Most steps at which a series of several clusters lacks the value of one.
    pub fn short(&self) -> usize {
        self.short
    }
}

impl Deref for Series {
    type Target = [Shown];

    fn deref(&self) -> &[Shown] {
        &self.all
    }
}
