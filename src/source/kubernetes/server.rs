//! The API server of one cluster, signed in when first asked.
//!
//! Watches, discovery, tunnels, reviews and questions of a cluster share one: one sign-in, one
//! pool of connections.

use std::sync::Arc;

use http::header::HeaderValue;
use tokio::sync::Mutex;

use super::access::{Cluster, open};
use crate::config::Kube;
use crate::model::fault::Fault;

/// Cheap to clone.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    kube: Kube,
    signed_in: Mutex<Option<Cluster>>,
}

impl Server {
    /// Reads and asks nothing yet.
    pub fn new(name: &str, kube: &Kube) -> Self {
        Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                kube: kube.clone(),
                signed_in: Mutex::new(None),
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
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.shared.name)
            .finish_non_exhaustive()
    }
}
