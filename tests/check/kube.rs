//! What `farwatch check` says of API servers that cannot be reached, or do not let us in: the
//! commonest faults, word for word.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::sick::{Manner, Server, fixture};

/// A kubeconfig of many contexts, each with a cluster and a user of its own.
#[derive(Default)]
struct Contexts {
    clusters: String,
    users: String,
    contexts: String,
}

impl Contexts {
    fn add(&mut self, name: &str, cluster: &str, user: &str) {
        self.clusters += &format!("- {{name: {name}, cluster: {{{cluster}}}}}\n");
        self.users += &format!("- {{name: {name}, user: {{{user}}}}}\n");
        self.contexts +=
            &format!("- {{name: {name}, context: {{cluster: {name}, user: {name}}}}}\n");
    }

    fn text(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n{}users:\n{}contexts:\n{}",
            self.clusters, self.users, self.contexts
        )
    }
}

async fn answers(status: u16, head: &'static str, body: &'static str) -> Server {
    Server::start(Manner::Status(status, head, body)).await
}

/// In the form of an HTTP date.
fn date(minutes: i64) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server with a clock of its own"
    )]
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
    let now = now.to_zoned(jiff::tz::TimeZone::UTC);
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Without what is another each time: ports, paths, times, the widths of the columns.
fn steady(text: &str, folder: &Path) -> String {
    let folder = regex::escape(&folder.display().to_string());
    let mut text = text.to_owned();
    for (pattern, with) in [
        (folder.as_str(), "FOLDER"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\b\d+ ms\b", "N ms"),
        (r"[+-]\d+\.\d s", "N s"),
        (r"clock says \d{4}-\d\d-\d\d \d\d:\d\d", "clock says NOW"),
        (r" {2,}", "  "),
    ] {
        let pattern = regex::Regex::new(pattern).expect("a pattern");
        text = pattern.replace_all(&text, with).into_owned();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commonest_faults_say_what_to_do() {
    const VERSION: &str = r#"{"gitVersion":"v1.33.4"}"#;
    const FORBIDDEN: &str = r#"{"kind":"Status","code":403,"message":"forbidden: User \"jane\" cannot get path \"/version\""}"#;
    let folder = tempfile::tempdir().expect("folder");
    let valid = Server::start_tls(Manner::Status(200, "", VERSION), "valid").await;
    let expired = Server::start_tls(Manner::Status(200, "", VERSION), "expired").await;
    let refusing = answers(401, "", "").await;
    let forbidding = answers(403, "", FORBIDDEN).await;
    let skewed: &'static str = Box::leak(format!("date: {}\r\n", date(10)).into_boxed_str());
    let skewed = answers(200, skewed, VERSION).await;
    let proxy = answers(407, "proxy-authenticate: Basic\r\n", "").await;
    let mute = Server::start(Manner::Silent).await;
    let refusal = super::Refusal::new();
    let dead = refusal.address();
    let ca = format!("certificate-authority: '{}'", fixture("ca.pem").display());
    let server = |url: &str| format!("server: '{url}'");
    let token = "token: hunter2";
    let mut all = Contexts::default();
    let mut add = |name: &str, cluster: String, user: &str| all.add(name, &cluster, user);
    add(
        "unknown-name",
        server("https://api.nowhere.invalid:6443"),
        token,
    );
    add("refused", server(&format!("http://{dead}")), token);
    add("silent", server(&mute.url()), token);
    let through = format!(
        "{}, proxy-url: '{}'",
        server("https://192.0.2.1:6443"),
        proxy.url()
    );
    add("proxy", through, token);
    add("authority", server(&valid.url()), token);
    let named = format!(
        "{}, {ca}, tls-server-name: api.example.org",
        server(&valid.url())
    );
    add("other-host", named, token);
    add(
        "expired",
        format!("{}, {ca}", server(&expired.url())),
        token,
    );
    add("oc-login", server(&refusing.url()), "token: sha256~hunter2");
    add("forbidden", server(&forbidding.url()), token);
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-login, args: [hunter2]}";
    add("plugin", server(&skewed.url()), exec);
    add("clock", server(&skewed.url()), token);
    let (cert, key) = (fixture("expired.pem"), fixture("expired.key"));
    let own = format!(
        "client-certificate: '{}', client-key: '{}'",
        cert.display(),
        key.display()
    );
    add(
        "certificate",
        format!("{}, {ca}", server(&valid.url())),
        &own,
    );
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, all.text()).expect("write");
    let config = folder.path().join("config.toml");
    let slow = "[[clusters]]\nname = \"slow\"\ntimeout = \"1s\"\nkube = { context = \"silent\" }\n\
                [[clusters]]\nname = \"nowhere\"\nkube = { context = \"nowhere\" }\n[kubeconfig]\n";
    std::fs::write(&config, slow).expect("write");
    let home = folder.path().to_path_buf();
    let output = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_farwatch"))
            .args(["check", "--config"])
            .arg(&config)
            .env("HOME", &home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("KUBECONFIG", &kubeconfig)
            .env("RES_OPTIONS", "timeout:1 attempts:1")
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy")
            .env_remove("SSL_CERT_FILE")
            .output()
            .expect("run")
    })
    .await
    .expect("ran");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("utf-8");
    assert!(!text.contains("hunter2"), "{text}");
    insta::assert_snapshot!("check_kube_faults", steady(&text, folder.path()));
}

/// A token that says when it ends, and nothing else that is true.
fn jwt(ends_in_minutes: i64) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server with a clock of its own"
    )]
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(ends_in_minutes);
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let claims = format!("{{\"exp\":{},\"sub\":\"jane\"}}", end.as_second());
    format!("{}.{}.x", part("{\"alg\":\"none\"}".into()), part(claims))
}

/// A proxy that leads wherever one signs in to go.
async fn proxy(sign_in: &'static str) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("listen");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await?);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let mut words = head.split(' ');
                let (method, target) = (words.next(), words.next().unwrap_or_default());
                if method != Some("CONNECT") || !head.contains(sign_in) {
                    let no =
                        "HTTP/1.1 407 X\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
                    return client.write_all(no.as_bytes()).await;
                }
                let mut server = tokio::net::TcpStream::connect(target).await?;
                client.write_all(b"HTTP/1.1 200 X\r\n\r\n").await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await?;
                Ok(())
            });
        }
    });
    address
}

/// A token from the issuer in place of one that ended; and a proxy that wants a sign-in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuers_and_proxies_are_asked_first() {
    const VERSION: &str = r#"{"gitVersion":"v1.33.4"}"#;
    let folder = tempfile::tempdir().expect("folder");
    let (fresh, ended) = (jwt(60), jwt(-60));
    let server = Server::start_tls(Manner::Status(200, "", VERSION), "valid").await;
    let other = Server::start_tls(Manner::Status(200, "", VERSION), "valid").await;
    // One answer says both where tokens are, and the token.
    let issuer = Server::start_tls(Manner::Silent, "valid").await;
    let answer = format!(
        r#"{{"issuer":"{0}","token_endpoint":"{0}/token","id_token":"{fresh}"}}"#,
        issuer.url()
    );
    issuer.become_(Manner::Status(200, "", Box::leak(answer.into_boxed_str())));
    let through = proxy("Basic Ym9iOnNlY3JldA==").await;
    let ca = format!("certificate-authority: '{}'", fixture("ca.pem").display());
    let mut all = Contexts::default();
    let to = |server: &Server| format!("server: '{}', {ca}", server.url());
    let oidc = format!(
        "auth-provider: {{name: oidc, config: {{idp-issuer-url: '{}', client-id: me, \
         client-secret: s, refresh-token: r, id-token: {ended}}}}}",
        issuer.url()
    );
    all.add("oidc", &to(&server), &oidc);
    let by = |sign_in: &str| format!("{}, proxy-url: 'http://{sign_in}{through}'", to(&other));
    all.add("signed-in", &by("bob:secret@"), "token: hunter2");
    all.add("stranger", &by(""), "token: hunter2");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, all.text()).expect("write");
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(["check", "--output", "json"])
        .env("HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("XDG_STATE_HOME", folder.path())
        .env("KUBECONFIG", &kubeconfig)
        .env("SSL_CERT_FILE", fixture("ca.pem"))
        .env_remove("FARWATCH_CONFIG")
        .output()
        .await
        .expect("run");
    let text = String::from_utf8(output.stdout).expect("utf-8");
    for secret in [fresh.as_str(), &ended, "hunter2", "secret"] {
        assert!(!text.contains(secret), "{text}");
    }
    let report: serde_json::Value = serde_json::from_str(&text).expect("json");
    let row = |cluster: &str| {
        let mut rows = report["results"].as_array().expect("rows").iter();
        let own = rows.find(|r| r["cluster"] == cluster && r["source"] == "kubernetes");
        own.unwrap_or_else(|| panic!("no {cluster} in {report:#}"))
    };
    for cluster in ["oidc", "signed-in"] {
        assert_eq!(row(cluster)["version"], "v1.33.4", "{:#}", row(cluster));
    }
    let heads = server.heads.lock().expect("heads").clone();
    assert!(heads.contains(&format!("Bearer {fresh}")), "{heads}");
    assert!(!heads.contains(&ended));
    let error = row("stranger")["error"].as_str().unwrap_or_default();
    assert!(error.contains("407"), "{:#}", row("stranger"));
}
