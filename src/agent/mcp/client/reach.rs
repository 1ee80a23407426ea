//! The way to an MCP server: its program is started or its address gone to, and it introduces itself.

use std::error::Error;
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::service::{ClientInitializeError, RoleClient, RunningService};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransportConfig, StreamableHttpError,
};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use secrecy::ExposeSecret;

use super::told_error;
use crate::clock;
use crate::config::{Endpoint, McpPlace, McpServer};
use crate::model::fault::{Fault, FaultKind};
use crate::model::text::clean;
use crate::source::door::{Door, shown_text};

pub(super) type Client = RunningService<RoleClient, ()>;

type HttpError = StreamableHttpError<reqwest::Error>;

/// Longest message of a server over HTTP, bytes.
const MESSAGE: usize = 1 << 20;
/// What to try with a program that does not answer as it should.
const STRANGE: &str = "start it by hand: does it speak MCP over standard input and output, and what does \
                       it say?";
/// Letters of what a server calls itself.
const NAME: usize = 60;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Introduced {
    /// Name and version; `None`: it does not tell.
    pub name: Option<String>,
    /// Its tools by their own names, cleaned.
    pub tools: Vec<String>,
    /// Until it had told all that.
    pub latency: Duration,
}

/// Where it is, as it may be shown: a program without its arguments, an address without its secrets.
pub fn shown(place: &McpPlace) -> String {
    match place {
        McpPlace::Command(command) => command.first().cloned().unwrap_or_default(),
        McpPlace::Url(endpoint) => shown_text(&endpoint.url),
    }
}

/// Goes to a server, asks who it is and what it has, and leaves again. Calls nothing.
pub async fn look(settings: &McpServer) -> Result<Introduced, Fault> {
    let started = clock::instant();
    let client = connected(settings).await?;
    let listed = client.list_all_tools().await.map_err(|e| {
        let what = format!("it does not tell its tools: {}", told_error(&e));
        let hint = "is it an MCP server that has tools? read its log";
        fault(settings, FaultKind::BadPayload, what, hint)
    })?;
    let info = client.peer_info();
    let name = info
        .and_then(|info| info.server_info.clone())
        .map(|own| clean(&format!("{} {}", own.name, own.version), NAME));
    let introduced = Introduced {
        name: name.filter(|name| !name.trim().is_empty()),
        tools: listed.iter().map(|tool| clean(&tool.name, NAME)).collect(),
        latency: started.elapsed(),
    };
    // Its program ends with the connection, however it takes the farewell.
    let _ = client.cancel().await;
    Ok(introduced)
}

pub(super) async fn connected(settings: &McpServer) -> Result<Client, Fault> {
    match &settings.place {
        McpPlace::Command(command) => begun(settings, command).await,
        McpPlace::Url(endpoint) => gone_to(settings, endpoint).await,
    }
}

async fn begun(settings: &McpServer, command: &[String]) -> Result<Client, Fault> {
    let wrong = |kind, what: String, hint: &str| fault(settings, kind, what, hint);
    let Some((program, arguments)) = command.split_first() else {
        let hint = "command = [\"program\", \"argument\"]";
        return Err(wrong(FaultKind::Config, "`command` is empty".into(), hint));
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).kill_on_drop(true);
    // Its words would stand across the screen.
    let started = TokioChildProcess::builder(command)
        .stderr(std::process::Stdio::null())
        .spawn();
    let (transport, _) = started.map_err(|e| {
        let what = format!("the program cannot be started: {}", told_error(&e));
        let hint = "is it installed, executable and found in PATH?";
        wrong(FaultKind::Config, what, hint)
    })?;
    ().serve(transport).await.map_err(|e| {
        let what = format!(
            "the program did not introduce itself: {}",
            told_error(&words(&e))
        );
        wrong(FaultKind::BadPayload, what, STRANGE)
    })
}

async fn gone_to(settings: &McpServer, endpoint: &Endpoint) -> Result<Client, Fault> {
    let door = Door::open(endpoint, "", None).map_err(|e| e.fault())?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(door.url("").as_str());
    let token = door.bearer().await.map_err(|e| e.fault())?;
    if let Some(token) = &token {
        config = config.auth_header(token.expose_secret());
    }
    let config = config
        .max_sse_event_size(MESSAGE)
        .max_json_response_size(MESSAGE);
    let transport = StreamableHttpClientTransport::with_client(door.client(), config);
    ().serve(transport).await.map_err(|error| {
        let (mut what, (kind, hint)) = of_http(&error);
        // A server may quote what it was sent.
        if let Some(token) = &token {
            what = what.replace(token.expose_secret(), "***");
        }
        let what = format!("it did not introduce itself: {}", told_error(&what));
        fault(settings, kind, what, hint)
    })
}

/// What a refused introduction over HTTP was, in its own words, and what to try.
fn of_http(error: &ClientInitializeError) -> (String, (FaultKind, &'static str)) {
    let sent = match error {
        ClientInitializeError::TransportError { error, .. } => {
            error.error.downcast_ref::<HttpError>()
        }
        _ => None,
    };
    let Some(sent) = sent else {
        return (words(error), of_status(0));
    };
    let fault = match sent {
        HttpError::Client(inner) if inner.is_connect() => (
            FaultKind::Unreachable,
            "check the address and port, the VPN and the proxy; the server may be down",
        ),
        HttpError::Client(inner) => of_status(inner.status().map_or(0, |s| s.as_u16())),
        HttpError::HttpStatus(inner) => of_status(inner.status),
        HttpError::AuthRequired(_) => of_status(401),
        HttpError::InsufficientScope(_) => of_status(403),
        HttpError::SessionExpired => of_status(404),
        // The SDK tells other refusals in words alone.
        HttpError::UnexpectedServerResponse(told) => {
            let named = |status: &u16| told.contains(&format!("HTTP {status}"));
            of_status([401, 403, 404].into_iter().find(named).unwrap_or(0))
        }
        _ => of_status(0),
    };
    let mut deepest: &dyn Error = match sent {
        HttpError::Client(inner) => inner,
        other => other,
    };
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    (deepest.to_string(), fault)
}

/// Without the names of the SDK's types.
fn words(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => error.error.to_string(),
        other => other.to_string(),
    }
}

fn of_status(status: u16) -> (FaultKind, &'static str) {
    match status {
        401 => (
            FaultKind::Auth,
            "check the token that `bearer_file` or `bearer_command` names; it may be missing or expired",
        ),
        403 => (
            FaultKind::Forbidden,
            "ask for the right to use it; behind a proxy, is the host name the one it expects?",
        ),
        404 => (FaultKind::NotFound, "check the path, often /mcp"),
        500.. => (FaultKind::Server, "read the server's log"),
        _ => (
            FaultKind::BadPayload,
            "does an MCP server (streamable HTTP) answer at this address and path, often /mcp?",
        ),
    }
}

/// It said nothing in its time.
pub fn silent(settings: &McpServer) -> Fault {
    let hint = match &settings.place {
        McpPlace::Command(_) => STRANGE,
        McpPlace::Url(_) => "the server is slow or a firewall drops the packets",
    };
    let seconds = settings.timeout.as_secs_f32();
    let what = format!("no answer within {seconds:.0} s");
    fault(settings, FaultKind::Timeout, what, hint)
}

fn fault(settings: &McpServer, kind: FaultKind, what: String, hint: &str) -> Fault {
    Fault {
        kind,
        cluster: String::new(),
        endpoint: shown(&settings.place),
        what,
        hint: hint.to_owned(),
    }
}
