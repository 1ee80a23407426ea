//! The API server of one cluster, signed in when first asked.
//!
//! Watches, discovery, tunnels, reviews and questions of a cluster share one: one sign-in, one
//! pool of connections. The files it was read from are looked at now and then; what changed there
//! is obeyed without a restart.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use http::header::HeaderValue;
use tokio::sync::{Mutex, watch};

use super::access::{Cluster, no_way, open};
use super::credential::{Credential, REFUSED_FOR};
use super::identity;
use super::kubeconfig::{Stamps, stamps};
use super::way;
use crate::clock;
use crate::config::Kube;
use crate::model::fault::Fault;
use crate::model::health::Expiry;
use crate::model::identity::{Review, Right};

/// How long the answer to a review holds.
const REVIEWED: Duration = Duration::from_secs(60);
/// Time between two looks at the files.
const LOOK: Duration = Duration::from_secs(10);

/// Cheap to clone.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    kube: Kube,
    look: Duration,
    credential: Arc<Credential>,
    held: Mutex<Held>,
    /// The last client: what is known of its credential is asked without waiting.
    last: std::sync::Mutex<Option<Cluster>>,
    news: watch::Sender<News>,
    /// What was answered lately.
    reviews: std::sync::Mutex<HashMap<Right, (Instant, Review)>>,
}

/// Counted up; whoever waits compares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct News {
    /// Clients made, or lost.
    generation: u64,
    /// Changes of any file.
    files: u64,
}

#[derive(Default)]
struct Held {
    open: Option<Cluster>,
    print: u64,
    files: Vec<PathBuf>,
    stamps: Stamps,
    looked: Option<Instant>,
    /// The files said something that makes no sense; perhaps they are being written.
    doubted: bool,
    renewed: Option<Instant>,
}

impl Server {
    /// Reads and asks nothing yet.
    pub fn new(name: &str, kube: &Kube) -> Self {
        Self::looking_every(name, kube, LOOK)
    }

    /// With another time between two looks at the files.
    pub fn looking_every(name: &str, kube: &Kube, look: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                kube: kube.clone(),
                look,
                credential: Arc::new(Credential::new(kube)),
                held: Mutex::default(),
                last: std::sync::Mutex::default(),
                news: watch::Sender::new(News::default()),
                reviews: std::sync::Mutex::default(),
            }),
        }
    }

    /// Name of the cluster in the configuration.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The signed-in client; signs in where that is yet to be done, and anew where the kubeconfig
    /// says something else now.
    pub async fn cluster(&self) -> Result<Cluster, Fault> {
        let mut held = self.shared.held.lock().await;
        self.look(&mut held).await;
        if let Some(cluster) = held.open.clone().filter(|c| !c.is_ended()) {
            return Ok(cluster);
        }
        self.open(&mut held).await
    }

    /// The client for a question that has its own time limit: a login command that is due has run.
    pub(in crate::source) async fn signed_in(&self) -> Result<Cluster, Fault> {
        let cluster = self.cluster().await?;
        cluster.bearer().await?;
        Ok(cluster)
    }

    async fn open(&self, held: &mut Held) -> Result<Cluster, Fault> {
        let Shared { name, kube, .. } = &*self.shared;
        held.open = None;
        let way = match way::of(kube) {
            Ok(way) => way,
            Err(no) => {
                held.stamps = stamps(&no.files);
                let fault = no_way(name, kube, &no);
                held.files = no.files;
                return Err(fault);
            }
        };
        held.print = way.print;
        held.stamps = stamps(&way.files);
        held.files.clone_from(&way.files);
        held.looked = Some(clock::instant());
        let generation = self.shared.news.borrow().generation + 1;
        let credential = self.shared.credential.clone();
        let cluster = open(name, kube, way, credential, generation).await?;
        self.shared.news.send_modify(|n| n.generation = generation);
        held.open = Some(cluster.clone());
        let last = self.shared.last.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Some(cluster.clone());
        Ok(cluster)
    }

    /// Looks at the files, if that was not done just now. A new token goes to the client that is
    /// there; anything else takes the client away, so that it is made anew.
    async fn look(&self, held: &mut Held) {
        let now = clock::instant();
        let due = held
            .looked
            .is_none_or(|at| now.duration_since(at) >= self.shared.look);
        if !due {
            return;
        }
        held.looked = Some(now);
        let seen = stamps(&held.files);
        if held.files.is_empty() || (seen == held.stamps && !held.doubted) {
            return;
        }
        match way::of(&self.shared.kube) {
            Ok(way) => {
                held.doubted = false;
                held.stamps = stamps(&way.files);
                held.files.clone_from(&way.files);
                if held.open.is_some() && way.print == held.print {
                    self.shared.credential.set(way.means).await;
                } else {
                    self.lose(held);
                }
            }
            Err(no) => {
                // Once may be a file half written.
                if held.doubted {
                    tracing::info!(cluster = %self.shared.name, what = %no.what, "kubeconfig");
                    self.lose(held);
                }
                held.doubted = !held.doubted;
                held.stamps = seen;
            }
        }
        self.shared.news.send_modify(|n| n.files += 1);
    }

    fn lose(&self, held: &mut Held) {
        if held.open.take().is_some() {
            self.shared.news.send_modify(|n| n.generation += 1);
        }
    }

    /// Comes back when this client is of yesterday: take a new one from [`Self::cluster`].
    pub async fn changed(&self, cluster: &Cluster) {
        self.until(|news| news.generation > cluster.generation)
            .await;
    }

    /// Comes back when a file changed that the sign-in is read from: a refusal may be mended.
    pub async fn mended(&self) {
        let before = *self.shared.news.borrow();
        self.until(|news| news.files != before.files).await;
    }

    async fn until(&self, is_it: impl Fn(&News) -> bool) {
        let mut news = self.shared.news.subscribe();
        loop {
            {
                let mut held = self.shared.held.lock().await;
                self.look(&mut held).await;
                if held.open.as_ref().is_some_and(Cluster::is_ended) {
                    self.lose(&mut held);
                }
            }
            if is_it(&news.borrow_and_update()) {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(self.shared.look) => {}
                _ = news.changed() => {}
            }
        }
    }

    /// The `Authorization` header that the user of the kubeconfig sends now: for other servers of
    /// the same cluster (OpenShift's monitoring routes). `None`: a client certificate, or nobody.
    pub async fn bearer(&self) -> Result<Option<HeaderValue>, Fault> {
        self.cluster().await?.bearer().await
    }

    /// The same, read or made once more: another server refused it. The client stays.
    pub async fn bearer_anew(&self) -> Result<Option<HeaderValue>, Fault> {
        let sent = self.bearer().await?;
        let other = match &sent {
            Some(sent) => self.shared.credential.again(sent).await,
            None => None,
        };
        Ok(other.or(sent))
    }

    /// What ends first of all that we sign in with, as far as it is known by now.
    pub fn expiry(&self) -> Option<Expiry> {
        let last = self.shared.last.lock();
        let last = last.unwrap_or_else(PoisonError::into_inner);
        last.as_ref().and_then(Cluster::expiry)
    }

    /// Signs in anew with the next question: the credentials were refused. However many ask for
    /// it, it is done once in a while.
    pub async fn renew(&self) {
        let mut held = self.shared.held.lock().await;
        let now = clock::instant();
        let lately = |at: Instant| now.duration_since(at) < REFUSED_FOR;
        if held.renewed.is_some_and(lately) {
            return;
        }
        held.renewed = Some(now);
        self.lose(&mut held);
        self.shared.credential.forget().await;
        self.answered().clear();
    }

    /// Whether I have this right, as the server said within the last minute.
    pub async fn review(&self, right: Right, purpose: &str) -> Review {
        let known = self.answered().get(&right).cloned();
        match known {
            Some((at, review)) if at.elapsed() < REVIEWED => review,
            _ => self.review_now(right, purpose).await,
        }
    }

    /// Whether I have this right, asked anew: before something is changed.
    pub async fn review_now(&self, right: Right, purpose: &str) -> Review {
        let cluster = match self.cluster().await {
            Ok(cluster) => cluster,
            Err(fault) => {
                return Review {
                    right,
                    allowed: None,
                    purpose: purpose.to_owned(),
                    reason: fault.what,
                    at: clock::now(),
                };
            }
        };
        let review = identity::review(&cluster, right, purpose).await;
        if review.allowed.is_some() {
            let answer = (clock::instant(), review.clone());
            self.answered().insert(review.right.clone(), answer);
        }
        review
    }

    fn answered(&self) -> std::sync::MutexGuard<'_, HashMap<Right, (Instant, Review)>> {
        let lock = self.shared.reviews.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.shared.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
