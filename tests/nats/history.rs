//! What streams keep, read without touching them.

use async_nats::jetstream;
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use farwatch::model::bus::{Encoding, Pattern, Reply, Start};
use farwatch::model::fault::FaultKind;
use farwatch::model::time::Timestamp;
use farwatch::source::nats::history::read;
use farwatch::source::nats::session::{Auth, Session, Settings};
use futures::StreamExt;

use crate::nats::{JETSTREAM, Nats};
use crate::{open, other, settings};

async fn filled(server: &Nats, retention: RetentionPolicy) -> jetstream::stream::Stream {
    fill(other(server).await, retention).await
}

async fn fill(client: async_nats::Client, retention: RetentionPolicy) -> jetstream::stream::Stream {
    let js = jetstream::new(client);
    let config = Config {
        name: "RAN".into(),
        subjects: vec!["ran.>".into()],
        retention,
        ..Config::default()
    };
    let stream = js.create_stream(config).await.unwrap();
    for n in 0..30_u32 {
        let packed = rmp_serde::to_vec(&serde_json::json!({"n": n})).unwrap();
        let subject = format!("ran.{}", n % 3);
        js.publish(subject, packed.into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    stream
}

#[tokio::test]
async fn from_a_sequence_a_time_or_the_end() {
    let server = Nats::jetstream();
    let stream = filled(&server, RetentionPolicy::Limits).await;
    let session = open(&server).await;
    let sequences = async |start, filter: Option<&str>, most| {
        let filter = filter.map(|f| Pattern::new(f).unwrap());
        let found = read(&session, "RAN", start, filter.as_ref(), most).await;
        let found = found.unwrap_or_else(|e| panic!("{e}"));
        let sequences = found.messages.iter().map(|m| m.sequence.unwrap());
        (sequences.collect::<Vec<_>>(), found.more)
    };
    assert_eq!(
        sequences(Start::Sequence(28), None, 100).await,
        (vec![28, 29, 30], false)
    );
    assert_eq!(
        sequences(Start::Sequence(5), None, 3).await,
        (vec![5, 6, 7], true)
    );
    assert_eq!(
        sequences(Start::Last(4), None, 100).await,
        (vec![27, 28, 29, 30], false)
    );
    assert_eq!(
        sequences(Start::Sequence(1), Some("ran.2"), 3).await,
        (vec![3, 6, 9], true)
    );
    assert_eq!(
        sequences(Start::Sequence(1), Some("ran.none"), 3).await,
        (Vec::new(), false)
    );
    assert_eq!(
        sequences(Start::Sequence(1_000), None, 3).await,
        (Vec::new(), false)
    );
    let (all, more) = sequences(Start::Time(Timestamp(0)), None, 500).await;
    assert_eq!(
        (all.len(), more),
        (30, false),
        "more than are under way at a time"
    );
    let all = read(&session, "RAN", Start::Sequence(7), None, 1)
        .await
        .unwrap()
        .messages;
    assert_eq!(all[0].content.encoding, Encoding::MessagePack);
    assert_eq!(&*all[0].content.rows[1].value, "6");
    assert_eq!(all[0].reply, Reply::None);
    // Nothing of us stays there.
    assert_eq!(stream.consumer_names().count().await, 0);
}

/// The stream is full; who may not read it is told so, and not that it keeps nothing.
#[tokio::test]
async fn what_may_not_be_read_is_not_empty() {
    let server = Nats::start(&format!(
        "{JETSTREAM}authorization {{ users: [\
           {{ user: full, password: full }},\
           {{ user: part, password: part, permissions: \
              {{ publish: {{ deny: [\"$JS.API.CONSUMER.MSG.NEXT.>\"] }} }} }}\
         ] }}\n"
    ));
    let full = async_nats::ConnectOptions::with_user_and_password("full".into(), "full".into());
    let stream = fill(
        full.connect(server.url()).await.unwrap(),
        RetentionPolicy::Limits,
    )
    .await;
    let settings = Settings {
        auth: Auth::User {
            user: "part".into(),
            password: "part".to_owned().into(),
        },
        ..settings(&[server.url()])
    };
    let session = Session::open(settings, 1 << 20).await.ok().unwrap();
    let error = read(&session, "RAN", Start::Last(5), None, 5)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), FaultKind::Forbidden, "{error}");
    assert!(error.to_string().contains("CONSUMER.MSG.NEXT"), "{error}");
    assert_eq!(stream.consumer_names().count().await, 0);
}

#[tokio::test]
async fn streams_kept_for_consumers_are_not_touched() {
    for retention in [RetentionPolicy::WorkQueue, RetentionPolicy::Interest] {
        let server = Nats::jetstream();
        let mut stream = filled(&server, retention).await;
        let before = stream.info().await.unwrap().state.messages;
        let session = open(&server).await;
        let error = read(&session, "RAN", Start::Sequence(1), None, 10)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), FaultKind::BadQuery, "{error}");
        assert_eq!(stream.info().await.unwrap().state.messages, before);
        assert_eq!(stream.consumer_names().count().await, 0);
    }
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let server = Nats::jetstream();
    let session = open(&server).await;
    let kind = async |stream: &str| {
        let read = read(&session, stream, Start::Last(1), None, 10).await;
        read.unwrap_err().kind()
    };
    assert_eq!(kind("NONE").await, FaultKind::NotFound);
    assert_eq!(kind("A.B > C").await, FaultKind::BadQuery);
    let server = Nats::start("");
    let session = open(&server).await;
    let error = read(&session, "NONE", Start::Last(1), None, 10)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), FaultKind::NotFound, "{error}");
}
