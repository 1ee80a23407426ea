//! Who we are, and what is said when nobody lets us in.

use std::io::{Read, Write};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farwatch::model::fault::FaultKind;
use farwatch::source::error::SourceError;
use farwatch::source::nats::session::{Auth, Session, Settings};
use farwatch::source::nats::survey::survey;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::nats::Nats;
use crate::nats::ports::Refusal;
use crate::settings;

const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

async fn try_open(settings: Settings) -> Result<Session, SourceError> {
    let session = Session::open(settings, 1 << 20).await?;
    // Whether we are let in is known once an answer came.
    survey(&session).await?;
    Ok(session)
}

async fn fault(settings: Settings) -> (FaultKind, String) {
    match try_open(settings).await {
        Ok(_) => panic!("let in"),
        Err(error) => (error.kind(), error.to_string()),
    }
}

fn with(server: &Nats, auth: Auth) -> Settings {
    Settings {
        auth,
        ..settings(&[server.url()])
    }
}

fn user(user: &str, password: &str) -> Auth {
    Auth::User {
        user: user.into(),
        password: password.to_owned().into(),
    }
}

#[tokio::test]
async fn user_and_password() {
    let server = Nats::start("authorization { user: watcher, password: \"open sesame\" }");
    try_open(with(&server, user("watcher", "open sesame")))
        .await
        .map(drop)
        .expect("let in");
    for wrong in [user("watcher", "hunter2"), Auth::None] {
        let (kind, words) = fault(with(&server, wrong)).await;
        assert_eq!(kind, FaultKind::Auth, "{words}");
        assert!(!words.contains("hunter2"), "{words}");
    }
}

#[tokio::test]
async fn token() {
    let server = Nats::start("authorization { token: \"s3cret\" }");
    let token = |t: &str| Auth::Token(t.to_owned().into());
    try_open(with(&server, token("s3cret")))
        .await
        .map(drop)
        .expect("let in");
    assert_eq!(
        fault(with(&server, token("wrong"))).await.0,
        FaultKind::Auth
    );
}

#[tokio::test]
async fn nkey() {
    let key = nkeys::KeyPair::new_user();
    let public = key.public_key();
    let server = Nats::start(&format!(
        "authorization {{ users: [ {{ nkey: {public} }} ] }}"
    ));
    let seed = |key: &nkeys::KeyPair| Auth::Nkey(format!("{}\n", key.seed().unwrap()).into());
    try_open(with(&server, seed(&key)))
        .await
        .map(drop)
        .expect("let in");
    let stranger = nkeys::KeyPair::new_user();
    assert_eq!(
        fault(with(&server, seed(&stranger))).await.0,
        FaultKind::Auth
    );
    let (kind, words) = fault(with(&server, Auth::Nkey("SUnoseed".to_owned().into()))).await;
    assert_eq!(kind, FaultKind::Auth);
    assert!(!words.contains("SUnoseed"), "{words}");
}

/// A token of the server's own kind, signed by `issuer`.
fn jwt(issuer: &nkeys::KeyPair, subject: &str, kind: &str) -> String {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let head = part(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#.into());
    let none = if kind == "account" {
        r#","limits":{"subs":-1,"conn":-1,"leaf":-1,"imports":-1,"exports":-1,"data":-1,"payload":-1,"wildcards":true}"#
    } else {
        r#","subs":-1,"data":-1,"payload":-1"#
    };
    let none = if kind == "operator" { "" } else { none };
    let body = part(format!(
        r#"{{"jti":"x","iat":1700000000,"iss":"{}","name":"lab","sub":"{subject}","nats":{{"type":"{kind}","version":2{none}}}}}"#,
        issuer.public_key()
    ));
    let signed = format!("{head}.{body}");
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn creds_file() {
    let operator = nkeys::KeyPair::new_operator();
    let account = nkeys::KeyPair::new_account();
    let person = nkeys::KeyPair::new_user();
    let server = Nats::start(&format!(
        "operator: {}\nresolver: MEMORY\nresolver_preload {{ {}: {} }}\n",
        jwt(&operator, &operator.public_key(), "operator"),
        account.public_key(),
        jwt(&operator, &account.public_key(), "account"),
    ));
    let creds = |key: &nkeys::KeyPair| {
        let token = jwt(&account, &person.public_key(), "user");
        let seed = key.seed().unwrap();
        Auth::Creds(
            format!(
                "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
                 -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
            )
            .into(),
        )
    };
    try_open(with(&server, creds(&person)))
        .await
        .map(drop)
        .expect("let in");
    let other = nkeys::KeyPair::new_user();
    assert_eq!(fault(with(&server, creds(&other))).await.0, FaultKind::Auth);
    let (kind, words) = fault(with(&server, Auth::Creds("hunter2".to_owned().into()))).await;
    assert_eq!(kind, FaultKind::Config);
    assert!(!words.contains("hunter2"), "{words}");
}

fn client_tls(client: bool) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(format!("{TLS}/ca.pem")).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    if !client {
        return builder.with_no_client_auth();
    }
    let cert = CertificateDer::from_pem_file(format!("{TLS}/valid.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{TLS}/valid.key")).unwrap();
    builder.with_client_auth_cert(vec![cert], key).unwrap()
}

#[tokio::test]
async fn tls_with_and_without_a_certificate_of_ours() {
    let files = format!(
        "cert_file: \"{TLS}/valid.pem\", key_file: \"{TLS}/valid.key\", ca_file: \"{TLS}/ca.pem\""
    );
    let server = Nats::start(&format!("tls {{ {files}, verify: true }}"));
    let with = |tls: Option<rustls::ClientConfig>| Settings {
        tls,
        ..settings(&[format!("tls://localhost:{}", server.port)])
    };
    try_open(with(Some(client_tls(true))))
        .await
        .map(drop)
        .expect("let in");
    // The authority is not known, then our certificate is missing.
    let (kind, words) = fault(with(None)).await;
    assert_eq!(kind, FaultKind::Tls, "{words}");
    let (kind, words) = fault(with(Some(client_tls(false)))).await;
    assert_eq!(kind, FaultKind::Tls, "{words}");
    let server = Nats::start(&format!("tls {{ {files}, handshake_first: true }}"));
    let first = Settings {
        tls: Some(client_tls(false)),
        tls_first: true,
        ..settings(&[format!("tls://localhost:{}", server.port)])
    };
    try_open(first).await.map(drop).expect("let in");
}

#[tokio::test]
async fn nobody_there_or_somebody_else() {
    let refusal = Refusal::new();
    let refused = format!("nats://{}", refusal.address());
    assert_eq!(
        fault(settings(std::slice::from_ref(&refused))).await.0,
        FaultKind::Unreachable
    );
    // The next address is tried.
    let server = Nats::jetstream();
    try_open(settings(&[refused, server.url()]))
        .await
        .map(drop)
        .expect("let in");
    let web = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("nats://{}", web.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in web.incoming().flatten() {
            let mut socket = socket;
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = socket.read(&mut [0; 64]);
        }
    });
    let (kind, words) = fault(settings(&[address])).await;
    assert_eq!(kind, FaultKind::BadPayload, "{words}");
}

#[tokio::test]
async fn the_end_of_a_server_ends_the_session() {
    let mut server = Nats::jetstream();
    let session = crate::open(&server).await;
    server.kill();
    assert_eq!(session.ended().await.kind(), FaultKind::Unreachable);
    server.restart();
    crate::open(&server).await;
}
