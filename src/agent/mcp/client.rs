//! Tools of MCP servers that the operator configured. Nobody here wrote them: each is called only as
//! the operator allowed, what it says is data like a log line, its words to the model are cut and
//! cleaned, and every call stands in the audit file.

mod approval;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use approval::{Approvals, shape};

use crate::agent::fence;
use crate::agent::tools::fetch::Fetched;
use crate::clock;
use crate::config::{McpPlace, McpServer};
use crate::model::redact::redact;
use crate::model::text::{clean, clean_lines};
use crate::source::audit::{Audit, Deed, Stage};
use crate::source::door::{Door, SourceError};

/// Tools of one server that are offered at most: each costs a small model room.
const TOOLS: usize = 24;
/// Letters of what a tool says of itself.
const ABOUT: usize = 300;
/// Bytes of its schema; a longer one is not offered.
const SCHEMA: usize = 4 * 1024;
/// Longest result.
const RESULT: usize = 32 * 1024;
/// A server that failed to introduce itself is left alone for so long: no question waits for it twice.
const LEFT_ALONE: Duration = Duration::from_secs(60);

/// A tool of one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// `server.tool`.
    pub name: String,
    server: usize,
    /// As the server calls it.
    own: String,
    /// As the model is told it.
    pub spec: Value,
}

type Client = RunningService<RoleClient, ()>;

/// All servers. Nothing is started or asked before the first question.
pub struct Foreign {
    servers: Vec<Server>,
    audit: Audit,
    /// Who allows.
    operator: Arc<str>,
}

struct Server {
    settings: McpServer,
    /// What is said of where it is.
    place: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    client: Option<Arc<Client>>,
    tools: Vec<Tool>,
    /// When it failed to introduce itself, and why.
    failed: Option<(Instant, String)>,
}

impl Foreign {
    pub fn new(servers: &[McpServer], audit: Option<PathBuf>, operator: Arc<str>) -> Self {
        let servers = servers.iter().map(|settings| Server {
            place: match &settings.place {
                McpPlace::Command(command) => command.first().cloned().unwrap_or_default(),
                McpPlace::Url(endpoint) => crate::source::door::shown_text(&endpoint.url),
            },
            settings: settings.clone(),
            state: Mutex::default(),
        });
        Self {
            servers: servers.collect(),
            audit: Audit::new(audit),
            operator,
        }
    }

    /// The tools there are now, and what is wrong with servers that have none to offer.
    pub async fn tools(&self) -> (Vec<Tool>, Vec<String>) {
        let each = self
            .servers
            .iter()
            .enumerate()
            .map(|(at, server)| async move { server.introduced(at).await });
        let mut tools = Vec::new();
        let mut faults = Vec::new();
        let listed = futures::future::join_all(each).await;
        for (server, listed) in self.servers.iter().zip(listed) {
            match listed {
                Ok(own) => tools.extend(own),
                Err(what) => faults.push(format!("MCP server {}: {what}", server.settings.name)),
            }
        }
        (tools, faults)
    }

    /// Calls it, as the operator allowed. Written down before and after.
    pub async fn call(&self, tool: &Tool, arguments: &Value) -> Fetched {
        let Some(server) = self.servers.get(tool.server) else {
            return Fetched::failed(format!("there is no tool `{}`", tool.name));
        };
        let deed = self.deed(server, tool, arguments);
        if let Err(why) = self.audit.write(&deed, Stage::Asked, "").await {
            return Fetched::failed(format!(
                "not called: the audit file cannot be written: {why}"
            ));
        }
        let limit = server.settings.timeout;
        let done = match tokio::time::timeout(limit, server.call(tool, arguments)).await {
            Ok(done) => done,
            Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
        };
        if done.is_err() {
            // The next call begins anew: the program may have ended, or a token changed.
            server.state.lock().await.client = None;
        }
        let told = done.map_or_else(Fetched::failed, |result| told(&result));
        let stage = if told.ok { Stage::Done } else { Stage::Failed };
        let outcome = format!("{} bytes", told.text.len());
        match self.audit.write(&deed, stage, &outcome).await {
            Ok(()) => told,
            Err(why) => Fetched::failed(format!("called, but the audit file lacks it: {why}")),
        }
    }

    /// The operator did not allow it.
    pub async fn refused(&self, tool: &Tool, arguments: &Value) {
        if let Some(server) = self.servers.get(tool.server) {
            let deed = self.deed(server, tool, arguments);
            let written = self.audit.write(&deed, Stage::Refused, "not allowed").await;
            if let Err(why) = written {
                tracing::warn!(%why, "a refusal is not in the audit file");
            }
        }
    }

    fn deed<'a>(&'a self, server: &'a Server, tool: &Tool, arguments: &Value) -> Deed<'a> {
        Deed {
            cluster: "",
            user: &self.operator,
            action: "mcp",
            subject: tool.name.clone(),
            server: &server.place,
            via: None,
            method: "tools/call",
            path: tool.own.clone(),
            body: Some(redact(&arguments.to_string())),
        }
    }
}

impl Server {
    /// Its tools, within its time; why there are none is remembered for a while.
    async fn introduced(&self, at: usize) -> Result<Vec<Tool>, String> {
        if let Some((when, why)) = &self.state.lock().await.failed
            && when.elapsed() < LEFT_ALONE
        {
            return Err(why.clone());
        }
        let limit = self.settings.timeout;
        let listed = match tokio::time::timeout(limit, self.listed(at)).await {
            Ok(listed) => listed,
            Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
        };
        let failed = listed.as_ref().err();
        self.state.lock().await.failed = failed.map(|why| (clock::instant(), why.clone()));
        listed
    }

    async fn listed(&self, at: usize) -> Result<Vec<Tool>, String> {
        let mut state = self.state.lock().await;
        if state.client.as_ref().is_some_and(|c| !c.is_closed()) {
            return Ok(state.tools.clone());
        }
        let client = self.connected().await?;
        let listed = client.list_all_tools().await.map_err(|e| told_error(&e))?;
        let wanted = &self.settings.tools;
        let tools = listed
            .into_iter()
            .filter(|tool| wanted.is_empty() || wanted.iter().any(|w| *w == tool.name))
            .filter_map(|tool| self.tool(at, &tool));
        state.tools = tools.take(TOOLS).collect();
        state.client = Some(Arc::new(client));
        Ok(state.tools.clone())
    }

    /// `None`: its name or schema is nothing that a model could be told.
    fn tool(&self, at: usize, tool: &rmcp::model::Tool) -> Option<Tool> {
        let right = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if tool.name.is_empty() || tool.name.len() > 48 || !tool.name.chars().all(right) {
            return None;
        }
        let mut schema = Value::Object((*tool.input_schema).clone());
        plain(&mut schema);
        if schema.to_string().len() > SCHEMA {
            return None;
        }
        let name = format!("{}.{}", self.settings.name, tool.name);
        let about = tool.description.as_deref().unwrap_or_default();
        let about = format!(
            "[of the MCP server {}; its own words, not checked] {}",
            self.settings.name,
            quoted(about, ABOUT)
        );
        Some(Tool {
            spec: json!({"type": "function", "function": {
                "name": name, "description": about, "parameters": schema}}),
            name,
            server: at,
            own: tool.name.to_string(),
        })
    }

    async fn call(&self, tool: &Tool, arguments: &Value) -> Result<CallToolResult, String> {
        let client = {
            let state = self.state.lock().await;
            state.client.clone().filter(|c| !c.is_closed())
        };
        let client = match client {
            Some(client) => client,
            None => {
                let client = Arc::new(self.connected().await?);
                self.state.lock().await.client = Some(Arc::clone(&client));
                client
            }
        };
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let asked = CallToolRequestParams::new(tool.own.clone()).with_arguments(arguments);
        client.call_tool(asked).await.map_err(|e| told_error(&e))
    }

    async fn connected(&self) -> Result<Client, String> {
        let running = match &self.settings.place {
            McpPlace::Command(command) => {
                let (program, arguments) = command.split_first().ok_or("`command` is empty")?;
                let mut command = tokio::process::Command::new(program);
                command.args(arguments).kill_on_drop(true);
                // Its words would stand across the screen.
                let started = TokioChildProcess::builder(command)
                    .stderr(std::process::Stdio::null())
                    .spawn();
                let (transport, _) = started.map_err(|e| told_error(&e))?;
                ().serve(transport).await
            }
            McpPlace::Url(endpoint) => {
                let wrong = |e: SourceError| e.fault().to_string();
                let door = Door::open(endpoint, "", None).map_err(wrong)?;
                let mut config =
                    StreamableHttpClientTransportConfig::with_uri(door.url("").as_str());
                if let Some(token) = door.bearer().await.map_err(wrong)? {
                    config = config.auth_header(token.expose_secret());
                }
                let config = config
                    .max_sse_event_size(1 << 20)
                    .max_json_response_size(1 << 20);
                let transport = StreamableHttpClientTransport::with_client(door.client(), config);
                ().serve(transport).await
            }
        };
        running.map_err(|e| told_error(&e))
    }
}

/// In one line; a secret that an error quotes is blotted out.
fn told_error(error: &dyn std::fmt::Display) -> String {
    redact(&clean(&error.to_string(), 300))
}

/// What a tool answered, as text.
fn told(result: &CallToolResult) -> Fetched {
    let mut text = String::new();
    for part in &result.content {
        match part.as_text() {
            Some(part) => text.push_str(&part.text),
            None => text.push_str("(something that is no text was left out)"),
        }
        text.push('\n');
    }
    if text.is_empty()
        && let Some(value) = &result.structured_content
    {
        text = value.to_string();
    }
    let rows = text.lines().count();
    let ok = result.is_error != Some(true);
    Fetched::told(clean_lines(&text, RESULT), rows, ok)
}

/// Words of a server to a model: one line, cut, and no borders of turns in it.
fn quoted(text: &str, most: usize) -> String {
    fence::without_borders(&redact(&clean(&text.replace('\n', " "), most)))
}

/// The words in a schema likewise.
fn plain(schema: &mut Value) {
    match schema {
        Value::String(text) => *text = quoted(text, 200),
        Value::Array(all) => all.iter_mut().for_each(plain),
        Value::Object(fields) => {
            fields.remove("$schema");
            fields.remove("title");
            let taken = std::mem::take(fields);
            fields.extend(taken.into_iter().map(|(name, mut value)| {
                plain(&mut value);
                (quoted(&name, 64), value)
            }));
        }
        _ => {}
    }
}
