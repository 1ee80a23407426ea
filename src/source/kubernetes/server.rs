//! The API server of one cluster, signed in when first asked.
//!
//! Watches, discovery, tunnels, reviews and questions of a cluster share one: one sign-in, one
//! pool of connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::HeaderValue;
use tokio::sync::Mutex;

use super::access::{Cluster, open};
use super::identity;
use crate::clock;
use crate::config::Kube;
use crate::model::fault::Fault;
use crate::model::identity::{Review, Right};

/// How long the answer to a review holds.
const REVIEWED: Duration = Duration::from_secs(60);

/// Cheap to clone.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    kube: Kube,
    signed_in: Mutex<Option<Cluster>>,
    /// What was answered lately.
    reviews: std::sync::Mutex<HashMap<Right, (Instant, Review)>>,
}

impl Server {
    /// Reads and asks nothing yet.
    pub fn new(name: &str, kube: &Kube) -> Self {
        Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                kube: kube.clone(),
                signed_in: Mutex::new(None),
                reviews: std::sync::Mutex::default(),
            }),
        }
    }

    /// Name of the cluster in the configuration.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The signed-in client; signs in where that is yet to be done.
    pub async fn cluster(&self) -> Result<Cluster, Fault> {
        let mut held = self.shared.signed_in.lock().await;
        if let Some(cluster) = held.as_ref() {
            return Ok(cluster.clone());
        }
        let cluster = open(&self.shared.name, &self.shared.kube).await?;
        *held = Some(cluster.clone());
        Ok(cluster)
    }

    /// The `Authorization` header that the user of the kubeconfig sends now: for other servers of
    /// the same cluster (OpenShift's monitoring routes). `None`: a client certificate, or nobody.
    pub async fn bearer(&self) -> Result<Option<HeaderValue>, Fault> {
        self.cluster().await?.bearer().await
    }

    /// Signs in anew with the next question: the credentials were refused, or changed.
    pub async fn renew(&self) {
        *self.shared.signed_in.lock().await = None;
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
        lock.unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.shared.name)
            .finish_non_exhaustive()
    }
}
