//! An answer on its way into what is known: joined by whoever has the time for it.

use std::sync::Arc;

use crate::model::id::RequestId;
use crate::model::sample::SeriesSamples;
use crate::store::answers::{Asking, Held, Joining};

/// An answer that is to be joined to what is known.
#[derive(Clone, Debug)]
pub struct Coming {
    pub(super) id: RequestId,
    pub(super) asking: Asking,
    pub series: Arc<Vec<SeriesSamples>>,
    /// Series held of it.
    pub(super) most: usize,
    /// `None`: it is not kept.
    pub(super) joining: Option<Joining>,
}

/// A [`Coming`] as it is shown.
#[derive(Clone, Debug)]
pub struct Joined {
    pub(super) id: RequestId,
    pub(super) asking: Asking,
    pub series: Arc<Vec<SeriesSamples>>,
    pub(super) held: Option<Held>,
}

impl Coming {
    /// Takes its time with many series.
    pub fn join(&self) -> Joined {
        let held = self.joining.as_ref().map(|j| j.join(&self.series));
        let series = match (&held, self.series.get(..self.most)) {
            (Some(held), _) => Arc::clone(held.series()),
            (None, Some(first)) => Arc::new(first.to_vec()),
            (None, None) => Arc::clone(&self.series),
        };
        Joined {
            id: self.id,
            asking: self.asking.clone(),
            series,
            held,
        }
    }
}
