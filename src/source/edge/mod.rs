//! Sites with exporters and no Prometheus: what exporters tell is held, asked by PromQL, and
//! carried over the team's bus.

mod collect;
mod generation;
mod lookup;
mod publish;
mod read;
mod signals;
mod spool;
mod stream;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::edge::{Gap, Standing, Window};
use crate::model::scrape::Scrape;

pub use lookup::WindowLookup;
pub use publish::{Figures, Published, Publisher};
pub use read::SampleSource;
pub use signals::Signals;
pub use stream::{OnBus, look, stream_name, subject, teamless};

/// Scrapes that may wait for who publishes them.
const WAITING: usize = 256;

/// What the exporters of one cluster told lately.
#[derive(Debug)]
pub struct Held {
    cluster: String,
    window: Mutex<Window>,
    feed: broadcast::Sender<Arc<Scrape>>,
}

impl Held {
    /// `limit`: bytes of memory.
    pub fn new(cluster: &str, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            cluster: cluster.to_owned(),
            window: Mutex::new(Window::new(limit)),
            feed: broadcast::Sender::new(WAITING),
        })
    }

    /// Takes a scrape in, and hands it to who publishes them.
    pub fn put(&self, scrape: Scrape) {
        self.window().put(&scrape);
        if self.feed.receiver_count() > 0 {
            let _ = self.feed.send(Arc::new(scrape));
        }
    }

    /// Something is not known.
    pub fn gap(&self, gap: Gap) {
        self.window().gap(gap);
    }

    /// Every scrape from now on; who is slower than they come misses the oldest.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Scrape>> {
        self.feed.subscribe()
    }

    /// Names of the metrics that are held.
    fn names(&self) -> BTreeSet<Arc<str>> {
        self.window().metrics().into_keys().collect()
    }

    fn cluster(&self) -> &str {
        &self.cluster
    }

    pub fn standing(&self) -> Standing {
        self.window().standing()
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
