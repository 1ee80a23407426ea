//! Credentials that end by themselves, told a week before.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farwatch::clock;
use farwatch::config::{Cluster, Config};
use farwatch::model::health::{Health, Pass, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::state::world::World;

use crate::apiserver::{ApiServer, User};
use crate::console::{Console, kube, pace};

const DAY: i64 = 86_400;

/// From the token in the kubeconfig to what the operator reads; `None`: nothing.
async fn told(ends_in: i64) -> Option<String> {
    let now = clock::now();
    let end = now.0 / 1_000 + ends_in;
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let claims = part(format!("{{\"exp\":{end},\"iat\":{}}}", end - 90 * DAY));
    let token = format!("{}.{claims}.x", part("{}".into()));
    let server = ApiServer::start().await;
    server.user(&token, User::admin("alice"));
    let kube = kube(&server);
    server.kubeconfig_with(&token);
    let mut console = Console::with(&kube, &pace());
    console
        .until("live", |c| {
            c.health.health == Health::Live && c.health.expires.is_some()
        })
        .await;
    let expires = console.health.expires.unwrap();
    assert_eq!((expires.what, expires.at.0), (Pass::Token, end * 1_000));
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let mut world = World::new(&config, now);
    world.ingest(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Kubernetes,
        received: now,
        body: Body::Health(console.health.clone()),
    });
    let told = world.notices.iter().map(|n| n.text.clone());
    told.into_iter().find(|text| text.contains("expires"))
}

#[tokio::test]
async fn a_token_is_told_a_week_before_its_end() {
    let text = told(6 * DAY).await.expect("told");
    assert!(
        text.contains("alpha") && text.contains("renew it"),
        "{text}"
    );
    assert_eq!(told(8 * DAY).await, None);
}
