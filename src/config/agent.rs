//! The agent's model servers, or the site's own agent on a bus: as written and validated.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::build::{AGENT_REQUESTS, AGENT_TIMEOUT, BUS_TIMEOUT, Mistake, mistake};
use super::endpoint::{Shared, endpoint};
use super::file::{self, Span};
use super::nats::{self, nats};
use super::{Agent, ModelServer, SiteAgent};
use crate::model::limits::RunLimits;

/// The keys of one server stand beside the agent's own: `flatten` would lose the line of a mistake.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `[agent]`, and below it `url = \"http://host:port/v1\"`")]
pub struct Written {
    pub url: Option<Spanned<String>>,
    pub model: Option<String>,
    pub max_iterations: Option<u32>,
    pub max_tokens: Option<u32>,
    pub max_run_tokens: Option<u32>,
    pub max_run_time: Option<Span>,
    pub max_queries_per_cluster: Option<u32>,
    pub temperature: Option<f32>,
    pub bearer_file: Option<String>,
    pub bearer_command: Option<Vec<String>>,
    pub user: Option<String>,
    pub password_file: Option<String>,
    pub ca_file: Option<String>,
    pub client_cert_file: Option<String>,
    pub client_key_file: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub timeout: Option<Span>,
    pub requests_per_minute: Option<u32>,
    /// More servers, best first.
    #[serde(default)]
    pub servers: Vec<Spanned<Server>>,
    /// The bus on which the site's own agent lives, in place of servers.
    pub nats: Option<Spanned<nats::Written>>,
    /// Who asks there.
    pub user_id: Option<String>,
}

/// One of several servers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `{ url = \"http://host:port/v1\" }`")]
pub struct Server {
    pub url: Spanned<String>,
    pub model: Option<String>,
    pub bearer_file: Option<String>,
    pub bearer_command: Option<Vec<String>>,
    pub user: Option<String>,
    pub password_file: Option<String>,
    pub ca_file: Option<String>,
    pub client_cert_file: Option<String>,
    pub client_key_file: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub timeout: Option<Span>,
    pub requests_per_minute: Option<u32>,
}

pub(super) fn agent(entry: Spanned<Written>, folder: &Path) -> Result<Agent, Mistake> {
    let whole = entry.span();
    let entry = entry.into_inner();
    let defaults = Agent::default();
    let span = entry.url.as_ref().map_or(whole.clone(), Spanned::span);
    let temperature = entry.temperature.unwrap_or(defaults.temperature);
    if !(0.0..=2.0).contains(&temperature) {
        return mistake(span, "`temperature` is out of range", "0 to 2");
    }
    let limits = match limits(&entry, defaults.limits) {
        Ok(limits) => limits,
        Err((key, range)) => return mistake(span, format!("`{key}` is out of range"), range),
    };
    let max_tokens = entry.max_tokens.unwrap_or(defaults.max_tokens);
    let mut entry = entry;
    let site = match entry.nats.take() {
        Some(bus) => Some(site(bus, &entry, whole.clone(), folder)?),
        None if entry.user_id.is_some() => {
            let hint = "it says who asks the site's agent, whose bus `nats` names";
            return mistake(whole, "`user_id` belongs to `nats`", hint);
        }
        None => None,
    };
    Ok(Agent {
        servers: match site {
            Some(_) => Vec::new(),
            None => servers(entry, whole, folder)?,
        },
        site,
        limits,
        max_tokens,
        temperature,
    })
}

/// The site's agent, which has its own models and tools: what belongs to a server of models stands not
/// beside it.
fn site(
    bus: Spanned<nats::Written>,
    entry: &Written,
    whole: Range<usize>,
    folder: &Path,
) -> Result<SiteAgent, Mistake> {
    let modelled = [
        entry.url.is_some() || !entry.servers.is_empty(),
        entry.requests_per_minute.is_some(),
        entry.max_tokens.is_some() || entry.temperature.is_some(),
    ];
    if modelled.contains(&true) || signs(entry).contains(&true) {
        return mistake(
            whole,
            "`nats` stands in place of `url` and what belongs to it",
            "either a server of models (`url`, `servers`) answers, or the site's agent on the bus",
        );
    }
    let span = bus.span();
    let bus = nats(bus, folder, None, BUS_TIMEOUT)?;
    if !bus.follow.is_empty() || bus.interval.is_some() {
        let hint = "`follow` and `interval` belong to the `nats` of a cluster";
        return mistake(span, "this bus is asked, not looked at", hint);
    }
    Ok(SiteAgent {
        bus,
        user: entry.user_id.clone(),
        patience: entry.timeout.as_ref().map_or(AGENT_TIMEOUT, |span| span.0),
    })
}

/// `Err`: the key that is out of range, and the range.
fn limits(entry: &Written, usual: RunLimits) -> Result<RunLimits, (&'static str, &'static str)> {
    let limits = RunLimits {
        rounds: entry.max_iterations.unwrap_or(usual.rounds),
        tokens: entry.max_run_tokens.unwrap_or(usual.tokens),
        time: entry.max_run_time.map_or(usual.time, |span| span.0),
        queries: entry.max_queries_per_cluster.unwrap_or(usual.queries),
    };
    limits.check().map(|()| limits)
}

/// The one of the table itself stands before those of the list.
fn servers(
    entry: Written,
    whole: Range<usize>,
    folder: &Path,
) -> Result<Vec<ModelServer>, Mistake> {
    let alone = entry.servers.is_empty();
    let signed = signs(&entry).contains(&true)
        || entry.timeout.is_some()
        || entry.requests_per_minute.is_some();
    let own = match entry.url {
        Some(url) => Some(Spanned::new(
            url.span(),
            Server {
                url,
                model: entry.model,
                bearer_file: entry.bearer_file,
                bearer_command: entry.bearer_command,
                user: entry.user,
                password_file: entry.password_file,
                ca_file: entry.ca_file,
                client_cert_file: entry.client_cert_file,
                client_key_file: entry.client_key_file,
                headers: entry.headers,
                timeout: entry.timeout,
                requests_per_minute: entry.requests_per_minute,
            },
        )),
        None if alone || signed => {
            return mistake(
                whole,
                "`url` is missing",
                "what says how a server is asked stands beside its `url`",
            );
        }
        None => None,
    };
    let all = own.into_iter().chain(entry.servers);
    all.map(|server| one(server, folder)).collect()
}

/// Which keys are given that say how one server of models is asked.
fn signs(entry: &Written) -> [bool; 9] {
    [
        entry.model.is_some(),
        entry.bearer_file.is_some(),
        entry.bearer_command.is_some(),
        entry.user.is_some(),
        entry.password_file.is_some(),
        entry.ca_file.is_some(),
        entry.client_cert_file.is_some(),
        entry.client_key_file.is_some(),
        !entry.headers.is_empty(),
    ]
}

fn one(server: Spanned<Server>, folder: &Path) -> Result<ModelServer, Mistake> {
    let span = server.span();
    let server = server.into_inner();
    let written = file::Endpoint {
        url: Some(server.url),
        bearer_file: server.bearer_file,
        bearer_command: server.bearer_command,
        user: server.user,
        password_file: server.password_file,
        ca_file: server.ca_file,
        client_cert_file: server.client_cert_file,
        client_key_file: server.client_key_file,
        headers: server.headers,
        timeout: server.timeout,
        requests_per_minute: server.requests_per_minute,
        ..file::Endpoint::default()
    };
    let shared = Shared {
        folder,
        interval: None,
        timeout: AGENT_TIMEOUT,
        requests: AGENT_REQUESTS,
        kube: false,
    };
    Ok(ModelServer {
        endpoint: endpoint(Spanned::new(span, written), &shared)?,
        model: server.model,
    })
}

#[cfg(test)]
mod tests {
    use crate::config::load::parse;

    fn read(text: &str) -> Result<super::Agent, String> {
        let config = parse(text, std::path::Path::new("/x/c.toml")).map_err(|e| e.to_string())?;
        config.agent.ok_or_else(|| "no agent".into())
    }

    #[test]
    fn the_sites_agent_stands_in_place_of_servers() {
        let agent = read(
            "[agent]\nnats = { url = \"tls://a\", creds_file = \"c\" }\nuser_id = \"anna\"\n\
             timeout = \"30s\"\nmax_run_time = \"5m\"\n",
        );
        let agent = agent.expect("valid");
        let site = agent.site.expect("there");
        assert!(agent.servers.is_empty());
        assert_eq!(site.bus.urls, ["tls://a"]);
        assert_eq!(site.user.as_deref(), Some("anna"));
        assert_eq!(
            (site.patience.as_secs(), agent.limits.time.as_secs()),
            (30, 300)
        );
    }

    #[test]
    fn what_belongs_to_servers_is_refused_beside_it() {
        let bus = "nats = { url = \"nats://a\" }\n";
        for (more, told) in [
            ("url = \"http://a\"", "in place of `url`"),
            ("model = \"m\"", "in place of `url`"),
            ("temperature = 0.1", "in place of `url`"),
            ("bearer_file = \"t\"", "in place of `url`"),
            ("[[agent.servers]]\nurl = \"http://a\"", "in place of `url`"),
        ] {
            let error = read(&format!("[agent]\n{bus}{more}\n")).expect_err(more);
            assert!(error.contains(told), "{more}: {error}");
        }
        for (text, told) in [
            (
                "[agent]\nurl = \"http://a\"\nuser_id = \"u\"",
                "belongs to `nats`",
            ),
            (
                "[agent]\nnats = { url = \"nats://a\", follow = [\"ai.>\"] }",
                "asked, not looked at",
            ),
            ("[agent]\nnats = { tls = true }", "no server"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
