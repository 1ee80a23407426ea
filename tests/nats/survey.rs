//! Streams and consumers as they are, or why they are not known.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use farwatch::model::bus::{JetStream, Retention, Stream, Streams, Survey};
use farwatch::source::nats::session::{Auth, Session, Settings};
use farwatch::source::nats::survey::survey;
use futures::StreamExt;

use crate::nats::{JETSTREAM, Nats, cluster, until};
use crate::{open, other, settings};

async fn look(session: &Session) -> Survey {
    survey(session)
        .await
        .unwrap_or_else(|e| panic!("{e}"))
        .survey
}

fn on(survey: Survey) -> Streams {
    match survey.jetstream {
        JetStream::On(streams) => *streams,
        other => panic!("{other:?}"),
    }
}

fn stream<'a>(streams: &'a Streams, name: &str) -> &'a Stream {
    let found = streams.streams.iter().find(|s| &*s.name == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn counts_are_the_servers() {
    let server = Nats::jetstream();
    let js = jetstream::new(other(&server).await);
    let made = js
        .create_stream(Config {
            name: "RAN".into(),
            subjects: vec!["ran.>".into()],
            max_bytes: 1 << 20,
            max_age: Duration::from_secs(3_600),
            ..Config::default()
        })
        .await
        .unwrap();
    let work = Config {
        name: "WORK".into(),
        subjects: vec!["work.>".into()],
        retention: RetentionPolicy::WorkQueue,
        ..Config::default()
    };
    js.create_stream(work).await.unwrap();
    for n in 0..10 {
        js.publish(format!("ran.n{n}"), vec![0; 100].into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    let consumer = made
        .create_consumer(pull::Config {
            durable_name: Some("sink".into()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: Duration::from_millis(500),
            ..pull::Config::default()
        })
        .await
        .unwrap();
    let mut batch = consumer.fetch().max_messages(4).messages().await.unwrap();
    for _ in 0..2 {
        batch.next().await.unwrap().unwrap().ack().await.unwrap();
    }
    let session = open(&server).await;
    let streams = on(look(&session).await);
    assert_eq!((streams.total, streams.account.unwrap().streams), (2, 2));
    let ran = stream(&streams, "RAN");
    assert_eq!(
        (ran.messages, ran.last_sequence, ran.retention),
        (10, 10, Retention::Limits)
    );
    assert_eq!(
        (ran.max_bytes, ran.max_age_ms),
        (Some(1 << 20), Some(3_600_000))
    );
    assert!(ran.bytes > 1_000 && ran.last_at.is_some() && ran.group.is_none());
    let sink = &ran.consumers[0];
    assert_eq!(
        (&*sink.name, sink.durable, sink.push),
        ("sink", true, false)
    );
    assert_eq!((sink.lag, sink.ack_pending, sink.acked_sequence), (6, 2, 2));
    assert_eq!(stream(&streams, "WORK").retention, Retention::WorkQueue);
    // The unacknowledged two come again to whoever asks.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let mut again = consumer.fetch().max_messages(2).messages().await.unwrap();
    while again.next().await.is_some() {}
    let streams = on(look(&session).await);
    assert_eq!(stream(&streams, "RAN").consumers[0].redelivered, 2);
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let server = Nats::start("jetstream { store_dir: data }\n");
    let js = jetstream::new(other(&server).await);
    let make = (0..300).map(|n| {
        let config = Config {
            name: format!("S{n:03}"),
            subjects: vec![format!("s{n}.>")],
            storage: jetstream::stream::StorageType::Memory,
            ..Config::default()
        };
        js.create_stream(config)
    });
    futures::stream::iter(make)
        .buffer_unordered(16)
        .for_each(async |s| drop(s.unwrap()))
        .await;
    let streams = on(look(&open(&server).await).await);
    assert_eq!((streams.streams.len(), streams.total), (300, 300));
}

#[tokio::test]
async fn without_jetstream_that_is_said() {
    let server = Nats::start("");
    let survey = look(&open(&server).await).await;
    assert!(matches!(survey.jetstream, JetStream::Off(_)), "{survey:?}");
    assert!(survey.server.version.starts_with("2."));
}

/// A user of whom `denied` is withheld.
fn with_denied(denied: &str) -> String {
    format!(
        "{JETSTREAM}authorization {{ users: [\
           {{ user: full, password: full }},\
           {{ user: part, password: part, permissions: {{ publish: {{ deny: [{denied}] }} }} }}\
         ] }}\n"
    )
}

async fn part(server: &Nats) -> Session {
    let settings = Settings {
        auth: Auth::User {
            user: "part".into(),
            password: "part".to_owned().into(),
        },
        ..settings(&[server.url()])
    };
    Session::open(settings, 1 << 20)
        .await
        .unwrap_or_else(|e| panic!("{e}"))
}

async fn full(server: &Nats) -> jetstream::Context {
    let client = async_nats::ConnectOptions::with_user_and_password("full".into(), "full".into())
        .connect(server.url())
        .await
        .unwrap();
    let js = jetstream::new(client);
    let config = Config {
        name: "A".into(),
        subjects: vec!["a".into()],
        ..Config::default()
    };
    let stream = js.create_stream(config).await.unwrap();
    let consumer = pull::Config {
        durable_name: Some("c".into()),
        ..pull::Config::default()
    };
    stream.create_consumer(consumer).await.unwrap();
    js
}

#[tokio::test]
async fn one_permission_missing_leaves_out_that_one() {
    let server = Nats::start(&with_denied("\"$JS.API.CONSUMER.>\""));
    full(&server).await;
    let streams = on(look(&part(&server).await).await);
    let a = stream(&streams, "A");
    assert_eq!((a.consumers.len(), a.consumers_total), (0, 1));
    let why = a.consumers_missing.as_deref().unwrap();
    assert_eq!(why, "no permission to publish on $JS.API.CONSUMER.LIST.A");
    assert_eq!(streams.missing.len(), 1);

    let server = Nats::start(&with_denied("\"$JS.API.INFO\""));
    full(&server).await;
    let streams = on(look(&part(&server).await).await);
    assert_eq!((streams.account, streams.streams.len()), (None, 1));
    assert_eq!(streams.missing.len(), 1);

    let server = Nats::start(&with_denied("\"$JS.>\""));
    full(&server).await;
    let survey = look(&part(&server).await).await;
    assert!(
        matches!(&survey.jetstream, JetStream::Denied(why) if why.contains("$JS.API")),
        "{survey:?}"
    );
}

/// Who cannot say what there is says neither that there is nothing nor that there is no JetStream.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_a_majority_is_unknown() {
    let mut servers = cluster();
    let first = settings(&[servers[0].url()]);
    let opened = async || Session::open(first.clone(), 1 << 20).await.ok();
    until("the cluster leads", async || {
        let survey = survey(&opened().await?).await.ok()?.survey;
        matches!(survey.jetstream, JetStream::On(_)).then_some(())
    })
    .await;
    servers[1].kill();
    servers[2].kill();
    until("it says that it cannot tell", async || {
        // It may be silent instead: then the look fails as a whole.
        let survey = survey(&opened().await?).await.ok()?.survey;
        let told = survey.jetstream;
        assert!(!matches!(told, JetStream::Off(_)), "{told:?}");
        matches!(&told, JetStream::Denied(why) if why.contains("unavailable")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_seen_and_another_leads() {
    let mut servers = cluster();
    let urls: Vec<String> = servers.iter().map(crate::nats::Nats::url).collect();
    let client = async_nats::connect(urls.clone()).await.unwrap();
    let js = jetstream::new(client);
    let config = || Config {
        name: "RAN".into(),
        subjects: vec!["ran.>".into()],
        num_replicas: 3,
        ..Config::default()
    };
    until("the cluster takes a stream", async || {
        js.create_stream(config()).await.ok()
    })
    .await;
    for _ in 0..20 {
        js.publish("ran.a", "x".into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    let session = Session::open(settings(&urls), 1 << 20)
        .await
        .map_err(|e| e.to_string())
        .unwrap();
    let group = |survey: Survey| stream(&on(survey), "RAN").group.clone().unwrap();
    let leader = until("a leader with two current copies", async || {
        let group = group(survey(&session).await.ok()?.survey);
        let current = group.followers.iter().filter(|f| f.current).count();
        group.leader.filter(|_| current == 2)
    })
    .await;
    let index: usize = leader.strip_prefix('n').unwrap().parse().unwrap();
    servers[index].kill();
    // The session may have been with that one: whoever keeps it opens another.
    let told = until("another leader, one copy away", async || {
        let session = Session::open(settings(&urls), 1 << 20).await.ok()?;
        let streams = survey(&session).await.ok()?.survey;
        let JetStream::On(streams) = streams.jetstream else {
            return None;
        };
        let group = streams.streams.first()?.group.clone()?;
        (group.leader.is_some() && group.leader.as_ref() != Some(&leader) && group.behind() == 1)
            .then_some(group)
    })
    .await;
    assert_eq!(told.followers.len(), 2);
    js.publish("ran.a", "x".into())
        .await
        .unwrap()
        .await
        .unwrap();
}
