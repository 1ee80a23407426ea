//! Servers of tools (MCP) that the agent may use: are they there, and what do they have?

use std::time::Duration;

use super::probe::NO_CLUSTER;
use super::{Good, Probe, boxed, way};
use crate::agent::mcp::client as mcp;
use crate::config::{McpPlace, McpServer};

/// The server's own limit ends first: it says more.
const LEAVING: Duration = Duration::from_secs(5);

/// A server of tools: who it is and what it has. None of them is called.
pub fn probe(server: &McpServer) -> Probe<'_> {
    let auth = match &server.place {
        McpPlace::Command(_) => "none needed",
        McpPlace::Url(endpoint) => way(&endpoint.auth, Some(endpoint)),
    };
    Probe {
        cluster: NO_CLUSTER,
        source: format!("mcp {}", server.name),
        endpoint: mcp::shown(&server.place),
        auth,
        limit: server.timeout + LEAVING,
        work: boxed(async move {
            let looking = tokio::time::timeout(server.timeout, mcp::look(server));
            let introduced = looking.await.map_err(|_| mcp::silent(server))??;
            Ok(Good {
                note: Some(counted(server, &introduced.tools)),
                version: introduced.name,
                latency: introduced.latency,
                ..Good::default()
            })
        }),
    }
}

/// How many tools there are, how many of them are used, and which are named that are not there.
fn counted(server: &McpServer, there: &[String]) -> String {
    let known = |name: &&String| there.contains(name);
    let used = match server.tools.as_slice() {
        [] => there.len(),
        named => named.iter().filter(known).count(),
    };
    let unasked = server.allow.iter().filter(known).count();
    let mut told = format!(
        "{} tools, {used} used, {unasked} of them where nobody can be asked",
        there.len()
    );
    let named = server.tools.iter().chain(&server.allow);
    let mut missing: Vec<&str> = named.filter(|n| !known(n)).map(String::as_str).collect();
    missing.dedup();
    if !missing.is_empty() {
        told.push_str(&format!("; it has no {}", missing.join(", ")));
    }
    told
}
