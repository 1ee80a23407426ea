//! The ways to an endpoint: straight, through the service proxy, by port-forward.

use futures::future::{BoxFuture, FutureExt, TryFutureExt};
use kube::Error;
use reqwest::{Client, Method, Request, Response, Url};

use super::answer;
use super::body;
use super::forward::Forward;
use super::place::REDIRECTS;
use super::proxy::Proxy;
use crate::config::{Endpoint, Via};
use crate::model::fault::{Fault, FaultKind};
use crate::source::error::Cause;
use crate::source::kubernetes::{Cluster, Server};

#[derive(Debug)]
pub(super) enum Way {
    Straight,
    Proxy(Proxy),
    Forward(Box<Forward>),
}

/// A failure, and where it happened if not at the address asked for.
type Failed = (Option<Url>, Cause);

impl Way {
    pub(super) fn of(endpoint: &Endpoint, server: Option<&Server>) -> Result<Self, String> {
        let server = || {
            let needed = "it is reached through the API server, but the cluster has no `kube`";
            server.cloned().ok_or_else(|| needed.to_owned())
        };
        Ok(match &endpoint.via {
            Via::Direct | Via::Route | Via::Ingress => Self::Straight,
            Via::Proxy(service) => Self::Proxy(Proxy::new(server()?, service.clone())),
            Via::Forward(target) => {
                Self::Forward(Box::new(Forward::new(server()?, target.clone(), endpoint)))
            }
        })
    }

    /// The pod at the end of a port-forward, once chosen.
    pub(super) fn pod(&self) -> Option<String> {
        match self {
            Self::Forward(forward) => forward.pod(),
            Self::Straight | Self::Proxy(_) => None,
        }
    }

    /// The answer, whatever its status. `client` is the door's own.
    pub(super) async fn send(&self, client: &Client, request: Request) -> Result<Response, Failed> {
        if let Self::Straight = self {
            let sent = client.execute(request).await;
            return sent.map_err(|e| (e.url().cloned(), body::cause_of(&e)));
        }
        let mut request = request;
        answer::introduce(&mut request);
        // Few steps, and only inside the server; the others are for the caller to judge.
        for _ in 0..=REDIRECTS {
            let again = request.try_clone().filter(|r| r.method() == Method::GET);
            let response: BoxFuture<'_, Result<Response, Cause>> = match self {
                Self::Straight => {
                    let sent = client.execute(request);
                    sent.map_err(|e| body::cause_of(&e)).boxed()
                }
                Self::Proxy(proxy) => proxy.send(request).boxed(),
                Self::Forward(forward) => forward.send(request).boxed(),
            };
            let response = response.await.map_err(|cause| (None, cause))?;
            match (again, answer::next(&response)) {
                (Some(mut again), Some(url)) => {
                    *again.url_mut() = url;
                    request = again;
                }
                _ => return Ok(response),
            }
        }
        Err((None, Cause::Redirects))
    }
}

/// Trouble with the API server, told with what was tried there.
pub(super) fn trouble(cluster: &Cluster, error: &Error, doing: &str) -> Cause {
    let mut fault = cluster.fault(error, doing);
    if fault.kind == FaultKind::Forbidden {
        fault.hint = format!("ask for the right to {doing}, or for another way (`via`, `url`)");
    }
    Cause::Tunnel(Box::new(fault))
}

/// The same in words of our own.
pub(super) fn told(cluster: &Cluster, kind: FaultKind, what: String, hint: &str) -> Cause {
    Cause::Tunnel(Box::new(Fault {
        kind,
        cluster: cluster.name.clone(),
        endpoint: cluster.place.clone(),
        what,
        hint: hint.to_owned(),
    }))
}
