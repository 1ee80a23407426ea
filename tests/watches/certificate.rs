//! Signing in with a client certificate: from files, from a login command, and without any.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use farwatch::config::Kube;
use farwatch::model::health::Pass;
use farwatch::model::object::ObjectKind;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::apiserver::{ApiServer, wire};
use crate::console::{Console, pace};

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

/// TLS before the API server; who has no certificate of our authority stays outside.
async fn front(server: &ApiServer) -> SocketAddr {
    let inner = server.address();
    let authority = CertificateDer::from_pem_slice(&wire::fixture("tls/ca.pem")).unwrap();
    let own = CertificateDer::from_pem_slice(&wire::fixture("tls/valid.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&wire::fixture("tls/valid.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority).unwrap();
    let roots = Arc::new(roots);
    let clients =
        rustls::server::WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(vec![own], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((outside, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outside) = acceptor.accept(outside).await else {
                    return;
                };
                let mut inside = TcpStream::connect(inner).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    address
}

fn kubeconfig(folder: &Path, at: SocketAddr, user: &str) -> Kube {
    let file = folder.join("kubeconfig");
    let port = at.port();
    let text = format!(
        "contexts: [{{name: lab, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'https://localhost:{port}', certificate-authority: '{FILES}/ca.pem'}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    );
    std::fs::write(&file, text).unwrap();
    Kube {
        context: Some("lab".into()),
        kubeconfig: vec![file],
        ..Kube::default()
    }
}

#[tokio::test]
async fn with_the_certificate_of_the_kubeconfig_or_of_a_login_command() {
    let server = ApiServer::recorded().await;
    let at = front(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let read = |file: &str| std::fs::read_to_string(format!("{FILES}/{file}")).unwrap();
    let printed = serde_json::json!({"kind": "ExecCredential", "status": {
        "clientCertificateData": read("valid.pem"), "clientKeyData": read("valid.key")}});
    let pass = folder.path().join("pass.json");
    std::fs::write(&pass, printed.to_string()).unwrap();
    let files = format!("client-certificate: '{FILES}/valid.pem', client-key: '{FILES}/valid.key'");
    let login = format!("exec: {{command: cat, args: ['{}']}}", pass.display());
    for user in [&files, &login] {
        let mut console = Console::with(&kubeconfig(folder.path(), at, user), &pace());
        console
            .until("live", |c| c.live() && c.names(ObjectKind::Node).len() == 6)
            .await;
        if user == &files {
            let ends = console.health.expires.expect("the end of the certificate");
            assert_eq!(ends.what, Pass::ClientCertificate);
        }
    }
    let asked = server.requests("/api/v1/nodes");
    assert!(asked.iter().all(|r| r.header("authorization").is_none()));
}

#[tokio::test]
async fn without_a_certificate_the_server_stays_closed_and_that_is_told() {
    let server = ApiServer::recorded().await;
    let at = front(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let mut console = Console::with(&kubeconfig(folder.path(), at, "token: t"), &pace());
    console
        .until("told", |c| {
            c.health
                .fault()
                .is_some_and(|f| f.what.to_lowercase().contains("certificate"))
        })
        .await;
    assert!(server.seen().is_empty());
}
