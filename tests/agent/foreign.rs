//! Tools of MCP servers that are not ours: called as the operator allows, written down, and not
//! believed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::agent::mcp::client::Foreign;
use farwatch::config::{Endpoint, McpPlace, McpServer};
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};

use crate::attacks::{ATTACKS, is_plain, tool_texts};
use crate::chat::{Bench, ChatServer, Seen, calls, settings, text};

/// Says in every place what it is told to say.
#[derive(Clone, Default)]
struct Hostile {
    says: String,
    called: Arc<Mutex<Vec<Value>>>,
}

impl ServerHandler for Hostile {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({"type": "object", "properties": {
            "text": {"description": self.says}, "limit": {"type": "integer", "title": self.says}}});
        let schema = schema.as_object().cloned().unwrap_or_default();
        let names = ["echo", "bad name", "list_alerts", "x</data>"];
        let tools = names.map(|name| Tool::new(name, self.says.clone(), schema.clone()));
        Ok(ListToolsResult::with_all_items(tools.into()))
    }

    async fn call_tool(
        &self,
        asked: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(asked.arguments.unwrap_or_default());
        self.called.lock().expect("whole").push(arguments);
        Ok(CallToolResult::success(vec![ContentBlock::text(self.says.clone())]).into())
    }
}

/// Serves it; gives its address.
async fn served(server: Hostile) -> String {
    let service: StreamableHttpService<Hostile, LocalSessionManager> = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::default(),
        StreamableHttpServerConfig::default(),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("bound");
    let router = axum::Router::new().nest_service("/mcp", service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/mcp")
}

fn configured(place: McpPlace) -> McpServer {
    McpServer {
        name: "tickets".into(),
        place,
        timeout: Duration::from_secs(10),
        tools: Vec::new(),
        allow: Vec::new(),
    }
}

fn at(url: String) -> McpServer {
    configured(McpPlace::Url(Box::new(Endpoint {
        url,
        ..Endpoint::default()
    })))
}

struct Tried {
    seen: Seen,
    server: ChatServer,
    audit: Vec<Value>,
    called: Vec<Value>,
}

/// One question, in which the model makes these calls one after another.
async fn tried(says: &str, wanted: &[(&str, Value)], allow: bool) -> Tried {
    let hostile = Hostile {
        says: says.into(),
        ..Hostile::default()
    };
    let called = Arc::clone(&hostile.called);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("actions.jsonl");
    let foreign = foreign(&[at(served(hostile).await)], Some(file.clone()));
    let mut rounds: Vec<_> = wanted
        .iter()
        .map(|call| calls(std::slice::from_ref(call)))
        .collect();
    rounds.push(text("So it is [1]."));
    let server = ChatServer::start(rounds).await;
    let mut bench = Bench::with_foreign(settings(&server.url(), Duration::from_secs(20)), foreign);
    bench.allow = allow;
    let seen = bench.ask("why?").await;
    let lines = std::fs::read_to_string(&file).unwrap_or_default();
    let audit = lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"));
    Tried {
        seen,
        server,
        audit: audit.collect(),
        called: called.lock().expect("whole").clone(),
    }
}

fn foreign(servers: &[McpServer], audit: Option<PathBuf>) -> Foreign {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Foreign::new(servers, audit, "anna".into())
}

#[tokio::test]
async fn each_kind_of_call_is_allowed_once_and_written_down() {
    let wanted = [
        ("tickets.echo", json!({"text": "a"})),
        ("tickets.echo", json!({"text": "b"})),
        ("tickets.echo", json!({"text": ["c"]})),
        ("list_alerts", json!({})),
    ];
    let tried = tried("ticket 7 is open", &wanted, true).await;
    assert!(tried.seen.answered(), "{:?}", tried.seen);
    let asked: Vec<&str> = tried.seen.asked.iter().map(|(_, a)| a.as_str()).collect();
    assert_eq!(asked, [r#"{"text":"a"}"#, r#"{"text":["c"]}"#]);
    assert_eq!(tried.called.len(), 3);
    let stages: Vec<&str> = tried
        .audit
        .iter()
        .filter_map(|l| l["stage"].as_str())
        .collect();
    assert_eq!(stages, ["asked", "done", "asked", "done", "asked", "done"]);
    assert_eq!(tried.audit[0]["subject"], "tickets.echo");
    assert_eq!(tried.audit[0]["user"], "anna");
    let requests = tried.server.requests();
    let offered = requests[0]["tools"].to_string();
    assert!(
        offered.contains("tickets.echo") && !offered.contains("bad name"),
        "{offered}"
    );
    let rules = requests[0]["messages"][0]["content"].to_string();
    assert!(rules.contains("belong to other programs"), "{rules}");
    let last = requests.last().expect("asked");
    assert!(tool_texts(last)[0].contains("ticket 7 is open"));
    // Ours is ours, whatever they call theirs.
    assert!(tool_texts(last)[3].contains("list_alerts for"));
}

/// A server without a tool parser leaves the call in the text: it goes the same way.
#[tokio::test]
async fn a_call_in_the_text_is_asked_about_like_any_other() {
    for allow in [true, false] {
        let hostile = Hostile::default();
        let called = Arc::clone(&hostile.called);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("actions.jsonl");
        let foreign = foreign(&[at(served(hostile).await)], Some(file.clone()));
        let written =
            "```json\n{\"name\": \"tickets.echo\", \"arguments\": {\"text\": \"a\"}}\n```";
        let server = ChatServer::start(vec![text(written), text("So [1].")]).await;
        let mut bench =
            Bench::with_foreign(settings(&server.url(), Duration::from_secs(20)), foreign);
        bench.allow = allow;
        let seen = bench.ask("why?").await;
        assert!(seen.answered() && !seen.text.contains("```"), "{seen:?}");
        let asked = ("tickets.echo".to_owned(), r#"{"text":"a"}"#.to_owned());
        assert_eq!(seen.asked, [asked]);
        assert_eq!(called.lock().expect("whole").len(), usize::from(allow));
        let audit = std::fs::read_to_string(&file).expect("written");
        let stage = if allow { "\"done\"" } else { "\"refused\"" };
        assert!(audit.contains(stage), "{audit}");
    }
}

#[tokio::test]
async fn what_is_not_allowed_is_not_called() {
    let tried = tried("x", &[("tickets.echo", json!({"text": "a"}))], false).await;
    assert!(tried.called.is_empty() && tried.seen.asked.len() == 1);
    assert!(
        tried.seen.ended[0].0.contains("did not allow"),
        "{:?}",
        tried.seen
    );
    assert_eq!(tried.audit.len(), 1);
    assert_eq!(tried.audit[0]["stage"], "refused");
    // What cannot be seen as it is cannot be allowed.
    for hidden in ["a\u{202e}b", &"x".repeat(3_000)] {
        let call = [("tickets.echo", json!({"text": hidden}))];
        let tried = self::tried("x", &call, true).await;
        assert!(
            tried.called.is_empty() && tried.seen.asked.is_empty(),
            "{hidden:?}"
        );
        assert!(
            tried.seen.ended[0].0.contains("cannot be shown"),
            "{:?}",
            tried.seen
        );
    }
}

/// Beside a recording only what was allowed beforehand is there, and is asked about; with nobody to be
/// asked it is called at once.
#[tokio::test]
async fn what_was_allowed_beforehand_is_all_there_is() {
    for (allow, asks) in [("echo", true), ("echo", false), ("list_alerts", false)] {
        let hostile = Hostile::default();
        let called = Arc::clone(&hostile.called);
        let allowed = McpServer {
            allow: vec![allow.into()],
            ..at(served(hostile).await)
        };
        let other = McpServer {
            name: "absent".into(),
            ..configured(McpPlace::Command(vec!["/no/such/program".into()]))
        };
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Some(folder.path().join("actions.jsonl"));
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let foreign = Foreign::allowed_only(&[allowed, other], audit, "anna".into());
        let foreign = if asks { foreign } else { foreign.unasked() };
        let server =
            ChatServer::start(vec![calls(&[("tickets.echo", json!({}))]), text("So.")]).await;
        let settings = settings(&server.url(), Duration::from_secs(20));
        let mut bench = Bench::with_foreign(settings, foreign);
        let seen = bench.ask("why?").await;
        assert!(
            seen.noted("MCP server absent: not used here") && !seen.noted("cannot be started"),
            "{seen:?}"
        );
        assert_eq!(seen.asked.len(), usize::from(asks), "{allow} {seen:?}");
        let is_called = allow == "echo" && !asks;
        assert_eq!(called.lock().expect("whole").len(), usize::from(is_called));
    }
}

#[tokio::test]
async fn without_an_audit_file_nothing_is_called() {
    let hostile = Hostile::default();
    let called = Arc::clone(&hostile.called);
    let foreign = foreign(&[at(served(hostile).await)], None);
    let call = ("tickets.echo", json!({"text": "a"}));
    let server = ChatServer::start(vec![calls(&[call]), text("No.")]).await;
    let mut bench = Bench::with_foreign(settings(&server.url(), Duration::from_secs(20)), foreign);
    bench.allow = true;
    let seen = bench.ask("why?").await;
    assert!(seen.ended[0].0.contains("audit file"), "{seen:?}");
    assert!(called.lock().expect("whole").is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_and_the_run_goes_on() {
    let refusal = crate::ports::Refusal::new();
    let gone = at(format!("http://{}/mcp", refusal.address()));
    let missing = McpServer {
        name: "absent".into(),
        ..configured(McpPlace::Command(vec!["/no/such/program".into()]))
    };
    let foreign = foreign(&[gone, missing], None);
    let server = ChatServer::start(vec![text("So it is.")]).await;
    let mut bench = Bench::with_foreign(settings(&server.url(), Duration::from_secs(20)), foreign);
    let seen = bench.ask("why?").await;
    assert!(seen.answered(), "{seen:?}");
    assert!(
        seen.noted("MCP server tickets: ") && seen.noted("MCP server absent: "),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_program_is_started_and_asked() {
    let home = tempfile::tempdir().expect("a folder");
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.fwr");
    let config = home.path().join("empty.toml");
    std::fs::write(&config, "").expect("written");
    let config = config.to_str().expect("text");
    let command = [
        env!("CARGO_BIN_EXE_farwatch"),
        "mcp",
        "--replay",
        demo,
        "--at",
        "3m",
        "--config",
        config,
    ];
    let place = McpPlace::Command(command.map(str::to_owned).into());
    let other = McpServer {
        tools: vec!["list_incidents".into()],
        timeout: Duration::from_secs(60),
        ..configured(place)
    };
    let foreign = foreign(&[other], Some(home.path().join("actions.jsonl")));
    let call = ("tickets.list_incidents", json!({}));
    let server = ChatServer::start(vec![calls(&[call]), text("Two [1].")]).await;
    let mut bench = Bench::with_foreign(settings(&server.url(), Duration::from_secs(20)), foreign);
    bench.allow = true;
    let seen = bench.ask("why?").await;
    assert!(
        seen.ended[0].2 && seen.ended[0].0.contains("INC-1"),
        "{seen:?}"
    );
    let tools = server.requests()[0]["tools"].to_string();
    assert_eq!(
        tools.matches("\"tickets.").count(),
        1,
        "only what was chosen"
    );
}

#[tokio::test]
async fn nothing_that_a_server_says_can_leave_its_fence_or_give_orders() {
    for attack in ATTACKS {
        let wanted = [
            ("tickets.echo", json!({"text": "a"})),
            ("tickets.silence_alert", json!({})),
        ];
        let tried = tried(attack, &wanted, true).await;
        let requests = tried.server.requests();
        let last = requests.last().expect("asked");
        for told in tool_texts(last) {
            assert!(is_plain(&told), "{attack:?}: {told}");
        }
        let first = &requests[0]["messages"][0];
        let unchanged = requests.iter().all(|r| &r["messages"][0] == first);
        assert!(unchanged, "{attack:?}: the rules changed");
        let offered = requests[0]["tools"].as_array().expect("tools");
        let theirs = offered.iter().filter(|t| {
            t["function"]["name"]
                .as_str()
                .is_some_and(|n| n.contains('.'))
        });
        for spec in theirs {
            let words = spec.to_string();
            for border in [
                "<|",
                "|>",
                "[INST]",
                "<<SYS>>",
                "</s>",
                "<tool_call>",
                "</think>",
                "</data",
                "<｜",
            ] {
                assert!(!words.contains(border), "{attack:?}: {words}");
            }
            let about = spec["function"]["description"].as_str().expect("words");
            assert!(
                about.starts_with("[of the MCP server tickets; its own words"),
                "{about}"
            );
            assert!(
                !about.contains('\u{1b}') && about.chars().count() < 400,
                "{about}"
            );
        }
        assert!(!tried.seen.ended[1].2, "a tool that is not there");
    }
}
