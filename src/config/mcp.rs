//! MCP servers of the operator: programs that are started, or addresses.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::build::{Mistake, mistake};
use super::endpoint::{Shared, endpoint};
use super::file::{self, Span};
use super::{McpPlace, McpServer};

/// Time an answer may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
const REQUESTS: u32 = 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub name: Spanned<String>,
    /// The program and its arguments.
    pub command: Option<Vec<String>>,
    pub url: Option<Spanned<String>>,
    pub bearer_file: Option<String>,
    pub bearer_command: Option<Vec<String>>,
    pub ca_file: Option<String>,
    pub client_cert_file: Option<String>,
    pub client_key_file: Option<String>,
    pub timeout: Option<Span>,
    /// Only these of its tools are offered; all unless set.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Those that may be used where nobody can be asked.
    #[serde(default)]
    pub allow: Vec<Spanned<String>>,
}

pub(super) fn servers(
    entries: Vec<Spanned<Written>>,
    folder: &Path,
) -> Result<Vec<McpServer>, Mistake> {
    let mut all: Vec<McpServer> = Vec::new();
    for entry in entries {
        let span = entry.get_ref().name.span();
        let server = server(entry, folder)?;
        if all.iter().any(|known| known.name == server.name) {
            let what = format!("MCP server \"{}\" stands here twice", server.name);
            return mistake(span, what, "every server needs a name of its own");
        }
        all.push(server);
    }
    Ok(all)
}

fn server(entry: Spanned<Written>, folder: &Path) -> Result<McpServer, Mistake> {
    let whole = entry.span();
    let entry = entry.into_inner();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = entry.name.get_ref().clone();
    if !(2..=24).contains(&name.len()) || !name.chars().all(plain) {
        return mistake(
            entry.name.span(),
            "an MCP server cannot have this name",
            "2 to 24 small letters, digits and hyphens",
        );
    }
    let timeout = entry.timeout.map_or(TIMEOUT, |s| s.0);
    let place = match (entry.command, entry.url) {
        (Some(command), None) => {
            if command.first().is_none_or(String::is_empty) {
                return mistake(whole, "`command` is empty", "[\"program\", \"argument\"]");
            }
            McpPlace::Command(command)
        }
        (None, Some(url)) => {
            let written = file::Endpoint {
                url: Some(url),
                bearer_file: entry.bearer_file,
                bearer_command: entry.bearer_command,
                ca_file: entry.ca_file,
                client_cert_file: entry.client_cert_file,
                client_key_file: entry.client_key_file,
                timeout: entry.timeout,
                ..file::Endpoint::default()
            };
            let shared = Shared {
                folder,
                interval: None,
                timeout: TIMEOUT,
                requests: REQUESTS,
                kube: false,
            };
            McpPlace::Url(Box::new(endpoint(Spanned::new(whole, written), &shared)?))
        }
        _ => {
            return mistake(
                whole,
                "an MCP server has either a `command` or a `url`",
                "command = [\"program\", \"argument\"], or url = \"https://host/mcp\"",
            );
        }
    };
    let offered = |name: &str| entry.tools.is_empty() || entry.tools.iter().any(|t| t == name);
    if let Some(odd) = entry.allow.iter().find(|n| !offered(n.get_ref())) {
        let what = format!(
            "`allow` names {:?}, which `tools` leaves out",
            odd.get_ref()
        );
        return mistake(odd.span(), what, "name it in `tools` too, or leave it out");
    }
    Ok(McpServer {
        name,
        place,
        timeout,
        allow: entry.allow.into_iter().map(Spanned::into_inner).collect(),
        tools: entry.tools,
    })
}
