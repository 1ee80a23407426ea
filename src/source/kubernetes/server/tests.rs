//! Against a server that knows some tokens: rotation, refusal, loss and return of contexts.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::config::{Auth, Endpoint};
use crate::model::fault::FaultKind;

const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Known {
    token: String,
    /// `Authorization` of every request.
    seen: Vec<String>,
    agents: Vec<String>,
}

struct Api {
    url: String,
    known: Arc<Mutex<Known>>,
}

impl Api {
    async fn start(token: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let known = Arc::new(Mutex::new(Known {
            token: format!("Bearer {token}"),
            ..Known::default()
        }));
        let shared = known.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let known = shared.clone();
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match socket.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let answer = reply(&mut known.lock().unwrap(), &String::from_utf8_lossy(&head));
                    let _ = socket.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { url, known }
    }

    fn accepts(&self, token: &str) {
        self.known.lock().unwrap().token = format!("Bearer {token}");
    }

    fn seen(&self) -> Vec<String> {
        self.known.lock().unwrap().seen.clone()
    }
}

fn reply(known: &mut Known, head: &str) -> String {
    let field = |name: &str| {
        let line = head.lines().find_map(|l| l.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    let token = field("authorization:");
    known.seen.push(token.clone());
    known.agents.push(field("user-agent:"));
    let (status, body) = match token == known.token {
        true => ("200 OK", r#"{"gitVersion":"v1.33.4"}"#),
        false => ("401 Unauthorized", "{}"),
    };
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn kubeconfig(file: &Path, url: &str, user: &str) {
    let text = format!(
        "contexts: [{{name: lab, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: '{url}'}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
    );
    std::fs::write(file, text).unwrap();
}

fn of(file: &Path) -> Server {
    let kube = Kube {
        context: Some("lab".into()),
        kubeconfig: vec![file.to_path_buf()],
        ..Kube::default()
    };
    Server::looking_every("alpha", &kube, LOOK)
}

async fn asks(server: &Server) -> Result<String, Fault> {
    let cluster = server.cluster().await?;
    cluster.version().await.map(|seen| seen.version)
}

#[tokio::test]
async fn a_rotated_token_file_is_used_with_the_next_request() {
    let api = Api::start("one").await;
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "one\n").unwrap();
    let kube = Kube {
        server: Some(Endpoint {
            url: api.url.clone(),
            auth: Auth::BearerFile(token.clone()),
            ..Endpoint::default()
        }),
        ..Kube::default()
    };
    let server = Server::looking_every("alpha", &kube, LOOK);
    assert_eq!(asks(&server).await.unwrap(), "v1.33.4");
    let before = server.cluster().await.unwrap();
    std::fs::write(&token, "second\n").unwrap();
    api.accepts("second");
    assert_eq!(asks(&server).await.unwrap(), "v1.33.4");
    assert_eq!(api.seen(), ["Bearer one", "Bearer second"]);
    assert_eq!(server.bearer().await.unwrap().unwrap(), "Bearer second");
    // No new client for a new token.
    let after = server.cluster().await.unwrap();
    assert_eq!(before.generation, after.generation);
    let agents = api.known.lock().unwrap().agents.clone();
    assert!(
        agents.iter().all(|a| a.starts_with("farwatch/")),
        "{agents:?}"
    );
}

#[tokio::test]
async fn a_refused_token_is_read_once_more_and_then_told() {
    let api = Api::start("new").await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config");
    kubeconfig(&file, &api.url, "token: old");
    // Looks at files so seldom that only the refusal makes it read again.
    let mut server = of(&file);
    server = Server::looking_every("alpha", &server.shared.kube, Duration::from_secs(3600));
    let fault = asks(&server).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Auth);
    assert!(fault.what.starts_with("auth expired"), "{fault}");
    assert_eq!(api.seen().len(), 1, "the same token is not sent twice");
    kubeconfig(&file, &api.url, "token: new");
    // It was refused just now: not read again at once.
    let _ = asks(&server).await.unwrap_err();
    assert_eq!(api.seen().len(), 2);
    let fresh = Server::looking_every("alpha", &server.shared.kube, Duration::from_secs(3600));
    assert_eq!(asks(&fresh).await.unwrap(), "v1.33.4");
    api.accepts("newer");
    kubeconfig(&file, &api.url, "token: newer");
    assert_eq!(asks(&fresh).await.unwrap(), "v1.33.4");
    assert_eq!(
        api.seen()[2..],
        ["Bearer new", "Bearer new", "Bearer newer"]
    );
}

#[tokio::test]
async fn a_login_command_is_not_run_in_a_loop() {
    let api = Api::start("right").await;
    let dir = tempfile::tempdir().unwrap();
    let (file, runs) = (dir.path().join("config"), dir.path().join("runs"));
    let script = format!(
        "echo x >> {}; echo \\'{{\\\"status\\\":{{\\\"token\\\":\\\"wrong\\\"}}}}\\'",
        runs.display()
    )
    .replace("\\'", "'")
    .replace("\\\"", "\"");
    let script = script.replace('\'', "''");
    kubeconfig(
        &file,
        &api.url,
        &format!("exec: {{command: sh, args: [-c, '{script}']}}"),
    );
    let server = of(&file);
    for _ in 0..5 {
        let fault = asks(&server).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Auth, "{fault}");
        server.renew().await;
    }
    let runs = std::fs::read_to_string(&runs).unwrap().lines().count();
    assert!((2..=4).contains(&runs), "run {runs} times");
}

/// Writes a kubeconfig whose login command is this script; `$N` is the number of its run.
fn with_login(dir: &Path, url: &str, script: &str) -> Server {
    let (file, runs) = (dir.join("config"), dir.join("runs"));
    let runs = runs.display();
    let script = format!("echo x >> {runs}; N=$(wc -l < {runs}); {script}").replace('\'', "''");
    kubeconfig(
        &file,
        url,
        &format!("exec: {{command: sh, args: [-c, '{script}']}}"),
    );
    let kube = Kube {
        timeout: Duration::from_secs(2),
        ..of(&file).shared.kube.clone()
    };
    Server::looking_every("alpha", &kube, LOOK)
}

fn runs(dir: &Path) -> usize {
    let runs = std::fs::read_to_string(dir.join("runs"));
    runs.unwrap_or_default().lines().count()
}

/// Its first pass has ended already; the second takes longer than the server may.
#[tokio::test]
async fn a_login_that_takes_its_time_is_not_the_servers_delay() {
    const SCRIPT: &str = r#"U='"expirationTimestamp":"2020-01-01T00:00:00Z",'; [ $N = 1 ] || { U=; sleep 3; }; echo "{\"status\":{$U\"token\":\"right\"}}""#;
    let api = Api::start("right").await;
    let dir = tempfile::tempdir().unwrap();
    let server = with_login(dir.path(), &api.url, SCRIPT);
    assert_eq!(asks(&server).await.unwrap(), "v1.33.4");
    assert_eq!(runs(dir.path()), 2);
    let dir = tempfile::tempdir().unwrap();
    let server = with_login(dir.path(), &api.url, SCRIPT);
    let cluster = server.cluster().await.unwrap();
    let told: serde_json::Value = cluster.get_json("/version", "read").await.unwrap();
    assert_eq!(told["gitVersion"], "v1.33.4");
}

/// The server refuses the first pass; the question gives up while the second is being made.
#[tokio::test]
async fn a_login_after_a_refusal_goes_on_when_the_question_has_given_up() {
    let api = Api::start("right").await;
    let dir = tempfile::tempdir().unwrap();
    let script =
        r#"T=wrong; [ $N = 1 ] || { T=right; sleep 4; }; echo "{\"status\":{\"token\":\"$T\"}}""#;
    let server = with_login(dir.path(), &api.url, script);
    assert_eq!(asks(&server).await.unwrap_err().kind, FaultKind::Timeout);
    assert_eq!(asks(&server).await.unwrap(), "v1.33.4");
    assert_eq!(runs(dir.path()), 2);
}

#[tokio::test]
async fn a_login_command_that_fails_is_not_run_by_everybody() {
    let api = Api::start("right").await;
    let dir = tempfile::tempdir().unwrap();
    let server = with_login(dir.path(), &api.url, "exit 3");
    for _ in 0..24 {
        let fault = asks(&server).await.unwrap_err();
        assert!(fault.what.contains("failed (exit status: 3)"), "{fault}");
        server.renew().await;
    }
    assert_eq!(runs(dir.path()), 1);
}

#[tokio::test]
async fn a_context_that_goes_is_told_and_taken_again_when_it_is_back() {
    let (api, other) = (Api::start("t").await, Api::start("t").await);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config");
    kubeconfig(&file, &api.url, "token: t");
    let server = of(&file);
    let cluster = server.cluster().await.unwrap();
    std::fs::write(&file, "contexts: []\n").unwrap();
    tokio::time::timeout(PATIENCE, server.changed(&cluster))
        .await
        .unwrap();
    let fault = asks(&server).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    assert!(
        fault.what.contains("context lab is no longer in"),
        "{fault}"
    );
    let waits = server.clone();
    let mut mended = tokio::spawn(async move { waits.mended().await });
    let early = tokio::time::timeout(LOOK * 3, &mut mended).await;
    assert!(early.is_err(), "nothing is mended yet");
    kubeconfig(&file, &other.url, "token: t");
    tokio::time::timeout(PATIENCE, mended)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(asks(&server).await.unwrap(), "v1.33.4");
    assert_eq!(other.seen().len(), 1);
    let again = server.cluster().await.unwrap();
    assert!(again.generation > cluster.generation);
}
