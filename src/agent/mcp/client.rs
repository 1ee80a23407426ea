//! Tools of MCP servers that the operator configured. Nobody here wrote them: each is called only as
//! the operator allowed, what it says is data like a log line, its words to the model are cut and
//! cleaned, and every call stands in the audit file.

mod approval;
mod reach;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rmcp::model::{CallToolRequestParams, CallToolResult};
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use approval::{Approvals, shape};
use reach::{Client, connected};
pub use reach::{Introduced, look, shown, silent};

use crate::agent::fence;
use crate::agent::tools::fetch::Fetched;
use crate::clock;
use crate::config::McpServer;
use crate::model::redact::redact;
use crate::model::text::{clean, clean_lines};
use crate::source::audit::{Audit, Deed, Stage};

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

/// All servers. Nothing is started or asked before the first question.
pub struct Foreign {
    servers: Vec<Server>,
    /// Servers of which nothing was allowed beforehand.
    left_out: Vec<String>,
    asks: bool,
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
            place: reach::shown(&settings.place),
            settings: settings.clone(),
            state: Mutex::default(),
        });
        Self {
            servers: servers.collect(),
            left_out: Vec::new(),
            asks: true,
            audit: Audit::new(audit),
            operator,
        }
    }

    /// Of each server only the tools that the operator allowed beforehand.
    pub fn allowed_only(servers: &[McpServer], audit: Option<PathBuf>, operator: Arc<str>) -> Self {
        let (allowed, left_out): (Vec<&McpServer>, Vec<_>) =
            servers.iter().partition(|server| !server.allow.is_empty());
        let allowed: Vec<McpServer> = allowed
            .into_iter()
            .map(|server| McpServer {
                tools: server.allow.clone(),
                ..server.clone()
            })
            .collect();
        Self {
            left_out: left_out.into_iter().map(|s| s.name.clone()).collect(),
            ..Self::new(&allowed, audit, operator)
        }
    }

    /// Calls without asking: nobody is there to be asked.
    pub fn unasked(mut self) -> Self {
        self.asks = false;
        self
    }

    /// Whether the operator is asked before a kind of call.
    pub fn asks(&self) -> bool {
        self.asks
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
        if !self.left_out.is_empty() {
            let names = self.left_out.join(", ");
            faults.push(format!(
                "MCP server {names}: not used here, since its `allow` names no tool"
            ));
        }
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
            proposed_by: Some("agent"),
            allowed_by: None,
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
        let client = connected(&self.settings).await.map_err(|f| f.what)?;
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
                let client = Arc::new(connected(&self.settings).await.map_err(|f| f.what)?);
                self.state.lock().await.client = Some(Arc::clone(&client));
                client
            }
        };
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let asked = CallToolRequestParams::new(tool.own.clone()).with_arguments(arguments);
        client.call_tool(asked).await.map_err(|e| told_error(&e))
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
