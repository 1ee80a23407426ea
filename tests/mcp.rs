//! `farwatch mcp`: the real program, asked by the SDK's own client and by one written by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ServiceError, ServiceExt};
use serde_json::{Value, json};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.fwr");
const TOKEN: &str = "lab-token-0123456789";

type Client = RunningService<RoleClient, ()>;

/// With a home of its own: nothing of this machine's is read.
fn program(home: &std::path::Path, flags: &[&str]) -> Command {
    let mut command = farwatch(home);
    command
        .args(["mcp", "--replay", DEMO, "--at", "10m"])
        .args(flags);
    command
}

fn farwatch(home: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farwatch"));
    command
        .env("HOME", home)
        .env_remove("FARWATCH_CONFIG")
        .env_remove("XDG_CONFIG_HOME");
    command
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let arguments = arguments.as_object().cloned().expect("an object");
    let asked = CallToolRequestParams::new(tool).with_arguments(arguments);
    client.call_tool(asked).await.expect("an answer")
}

fn text(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|c| c.as_text());
    texts.map(|t| t.text.clone()).collect()
}

/// What every client sees, however it comes.
async fn looks_right(client: &Client) {
    let server = client.peer_info().expect("introduced");
    assert!(format!("{server:?}").contains("farwatch"), "{server:?}");
    let tools = client.list_all_tools().await.expect("tools");
    let all = farwatch::agent::tools::all().iter();
    let served: Vec<&str> = all.filter(|t| t.stands_alone()).map(|t| t.name).collect();
    let names: Vec<&str> = tools.iter().map(|t| t.name.as_ref()).collect();
    assert_eq!(names, served);
    for console in [
        "describe_view",
        "read_result",
        "find_similar_incidents",
        "propose_silence",
        "propose_gitops",
    ] {
        assert!(!served.contains(&console), "{console} needs a console");
    }
    for tool in &tools {
        let hints = tool.annotations.as_ref().expect("annotated");
        assert_eq!(hints.read_only_hint, Some(true), "{}", tool.name);
        assert_eq!(tool.input_schema.get("type"), Some(&json!("object")));
    }
    let held = call(client, "list_incidents", json!({})).await;
    let told = text(&held);
    assert!(told.starts_with("<data from=\"list_incidents\">"), "{told}");
    assert!(
        told.contains("INC-1") && held.is_error != Some(true),
        "{told}"
    );
    let asked = call(
        client,
        "query_metrics",
        json!({"query": "DCGM_FI_DEV_GPU_TEMP"}),
    )
    .await;
    assert!(
        asked.is_error != Some(true) && text(&asked).contains("gpu-a-02"),
        "{}",
        text(&asked)
    );
    let runbook = call(client, "read_runbook", json!({"id": "gpu-hot"})).await;
    assert!(text(&runbook).contains("## Decide"));
    for (tool, arguments, what) in [
        ("delete_pod", json!({}), "there is no tool"),
        ("query_metrics", json!({"expr": "up"}), "unknown field"),
        (
            "get_cluster_status",
            json!({"cluster": "nowhere"}),
            "CLUSTER_NOT_FOUND",
        ),
    ] {
        let refused = call(client, tool, arguments).await;
        assert_eq!(refused.is_error, Some(true), "{tool}");
        assert!(text(&refused).contains(what), "{}", text(&refused));
    }
}

#[tokio::test]
async fn the_sdks_client_over_standard_input_and_output() {
    let home = tempfile::tempdir().expect("a folder");
    let command = tokio::process::Command::from(program(home.path(), &[]));
    let transport = TokioChildProcess::new(command).expect("started");
    let client: Client = ().serve(transport).await.expect("introduced");
    looks_right(&client).await;
    // Many at once are answered each.
    let calls = (0..40).map(|_| call(&client, "get_fleet_summary", json!({})));
    for told in futures::future::join_all(calls).await {
        assert!(text(&told).contains("cluster"), "{}", text(&told));
    }
    client.cancel().await.expect("ended");
}

struct Listening {
    program: Child,
    url: String,
    /// Held open: the program writes there.
    _told: BufReader<ChildStderr>,
}

impl Listening {
    fn start(home: &std::path::Path, flags: &[&str]) -> Self {
        let mut program = program(home, flags)
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let mut told = BufReader::new(program.stderr.take().expect("piped"));
        let mut line = String::new();
        told.read_line(&mut line).expect("text");
        let url = line
            .split(" at ")
            .nth(1)
            .unwrap_or_else(|| panic!("{line}"));
        Self {
            program,
            url: url.trim().to_owned(),
            _told: told,
        }
    }

    async fn client(&self, token: Option<&str>) -> Result<Client, String> {
        let mut config =
            StreamableHttpClientTransportConfig::with_uri(Arc::from(self.url.as_str()));
        if let Some(token) = token {
            config = config.auth_header(token);
        }
        let transport = StreamableHttpClientTransport::from_config(config);
        ().serve(transport).await.map_err(|e| format!("{e:?}"))
    }

    async fn status(&self, headers: &[(&str, &str)]) -> u16 {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        let mut request = reqwest::Client::new()
            .post(&self.url)
            .header("Accept", "application/json, text/event-stream")
            .json(&body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer").status().as_u16()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[tokio::test]
async fn the_sdks_client_over_http_with_a_token() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("token");
    std::fs::write(&file, TOKEN).expect("written");
    let server = Listening::start(home.path(), &["--token-file", file.to_str().expect("text")]);
    let client = server.client(Some(TOKEN)).await.expect("let in");
    looks_right(&client).await;
    client.cancel().await.expect("ended");
    for wrong in [None, Some("lab-token-0123456788"), Some("")] {
        assert!(server.client(wrong).await.is_err(), "{wrong:?}");
    }
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(server.status(&[]).await, 401);
    let from_a_page = [
        ("Authorization", bearer.as_str()),
        ("Origin", "http://evil.example"),
    ];
    assert_eq!(server.status(&from_a_page).await, 403);
    let rebound = [("Authorization", bearer.as_str()), ("Host", "evil.example")];
    assert_eq!(server.status(&rebound).await, 403);
}

#[tokio::test]
async fn without_a_token_on_this_machine_only() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let home = tempfile::tempdir().expect("a folder");
    let server = Listening::start(home.path(), &[]);
    let client = server.client(None).await.expect("let in");
    assert!(!client.list_all_tools().await.expect("tools").is_empty());
    drop(client);
    let refused = program(home.path(), &["--listen", "0.0.0.0:0"])
        .output()
        .expect("run");
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("--token-file"), "{told}");
}

/// A client that is not of the SDK: lines of JSON, an older version of the protocol, and mistakes.
#[test]
fn a_client_written_by_hand() {
    let home = tempfile::tempdir().expect("a folder");
    let mut program = program(home.path(), &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut to = program.stdin.take().expect("piped");
    let mut from = BufReader::new(program.stdout.take().expect("piped"));
    let mut say = |line: &str| {
        writeln!(to, "{line}").expect("taken");
        to.flush().expect("taken");
    };
    let mut hear = |id: u64| -> Value {
        loop {
            let mut line = String::new();
            assert!(from.read_line(&mut line).expect("text") > 0, "it ended");
            let value: Value = serde_json::from_str(&line).expect("only JSON on this side");
            if value["id"] == id {
                return value;
            }
        }
    };
    say(
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"by-hand","version":"1"}}}"#,
    );
    let hello = hear(1);
    assert_eq!(hello["result"]["serverInfo"]["name"], "farwatch", "{hello}");
    assert!(
        hello["result"]["capabilities"]["tools"].is_object(),
        "{hello}"
    );
    say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    say("this is no JSON");
    say(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#);
    assert!(
        hear(2)["result"]["tools"]
            .as_array()
            .is_some_and(|t| t.len() > 30)
    );
    say(
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"analyze_root_cause","arguments":{"cluster":"nowhere"}}}"#,
    );
    assert_eq!(hear(3)["result"]["isError"], true);
    say(
        r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"list_alerts","arguments":{}}}"#,
    );
    let told = hear(4)["result"]["content"][0]["text"].to_string();
    assert!(told.contains("<data from="), "{told}");
    say(r#"{"jsonrpc":"2.0","id":5,"method":"no/such/thing"}"#);
    assert!(hear(5)["error"].is_object());
    // The client leaves: so do we.
    drop(to);
    let ended = program.wait().expect("ended");
    let mut told = String::new();
    let mut stderr = program.stderr.take().expect("piped");
    stderr.read_to_string(&mut told).expect("text");
    assert!(ended.success(), "{ended}: {told}");
}

/// Errors of the protocol, not of a tool, are as the SDK knows them.
#[tokio::test]
async fn what_it_does_not_have_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let command = tokio::process::Command::from(program(home.path(), &[]));
    let transport = TokioChildProcess::new(command).expect("started");
    let client: Client = ().serve(transport).await.expect("introduced");
    let prompts = client.list_all_prompts().await;
    assert!(
        matches!(prompts, Err(ServiceError::McpError(_))) || prompts.is_ok_and(|p| p.is_empty())
    );
    client.cancel().await.expect("ended");
}

/// What another console handed over is asked like any recording: its incidents bear their sender's
/// numbers and say whose they are.
#[tokio::test]
async fn an_incident_that_was_handed_over_is_read() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("inc.fwr");
    let out = file.to_str().expect("text");
    let exported = farwatch(home.path())
        .env("USER", "ada")
        .args(["export", "--incident", "INC-1", "--replay", DEMO])
        .args(["--at", "16m", "--out", out])
        .output()
        .expect("run");
    assert!(exported.status.success(), "{exported:?}");
    let mut command = farwatch(home.path());
    command.args(["mcp", "--replay", out]);
    let command = tokio::process::Command::from(command);
    let transport = TokioChildProcess::new(command).expect("started");
    let client: Client = ().serve(transport).await.expect("introduced");
    let held = text(&call(&client, "list_incidents", json!({})).await);
    let line = held.lines().find(|line| line.contains("INC-1"));
    assert!(line.is_some_and(|line| line.contains("handed")), "{held}");
    client.cancel().await.expect("ended");
}
