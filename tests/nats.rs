//! The bus sources against real nats-server processes.

#[path = "nats/connect.rs"]
mod connect;
#[path = "nats/follower.rs"]
mod follower;
#[path = "nats/foreign.rs"]
mod foreign;
#[path = "nats/history.rs"]
mod history;
#[path = "support/nats.rs"]
mod nats;
#[path = "nats/survey.rs"]
mod survey;
#[path = "nats/tail.rs"]
mod tail;

use std::time::Duration;

use farwatch::source::nats::session::{Auth, Session, Settings};

pub fn settings(urls: &[String]) -> Settings {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Settings {
        cluster: "lab".into(),
        urls: urls.to_vec(),
        tls: None,
        tls_required: false,
        tls_first: false,
        auth: Auth::None,
        name: "farwatch".into(),
        inbox_prefix: None,
        domain: None,
        timeout: Duration::from_secs(5),
    }
}

pub async fn open(server: &nats::Nats) -> Session {
    let opened = Session::open(settings(&[server.url()]), 1 << 20).await;
    opened.unwrap_or_else(|e| panic!("{e}"))
}

/// A client that is not ours.
pub async fn other(server: &nats::Nats) -> async_nats::Client {
    async_nats::connect(server.url()).await.expect("connected")
}
