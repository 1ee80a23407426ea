//! A durable consumer of our own: nothing lost, nothing twice, over the death of the server.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::Config;
use farwatch::source::nats::follower::{Delivery, Durable, Handler, Outcome, Progress, follow};
use farwatch::source::nats::session::Session;
use tokio::sync::mpsc;

use crate::nats::{Nats, until};
use crate::{open, other, settings};

fn durable(name: &str) -> Durable {
    Durable {
        stream: "RAN".into(),
        name: name.into(),
        filters: Vec::new(),
        only_new: false,
        ack_wait: Duration::from_secs(2),
        max_deliver: 3,
    }
}

async fn stream(server: &Nats) -> jetstream::Context {
    let js = jetstream::new(other(server).await);
    let config = Config {
        name: "RAN".into(),
        subjects: vec!["ran.>".into()],
        ..Config::default()
    };
    js.create_stream(config).await.unwrap();
    js
}

async fn publish(js: &jetstream::Context, id: &str, payload: &str) -> bool {
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", id);
    let sent = js
        .publish_with_headers("ran.a", headers, payload.to_owned().into())
        .await;
    match sent {
        Ok(taken) => taken.await.is_ok(),
        Err(_) => false,
    }
}

/// Tells which it handled; some pass only the second time, some never, some cannot be read.
struct Teller(mpsc::UnboundedSender<(String, u32)>);

impl Handler for Teller {
    async fn handle(&mut self, delivery: Delivery<'_>) -> Outcome {
        let outcome = match delivery.payload {
            b"unreadable" => Outcome::Never,
            b"later" if delivery.deliveries < 2 => Outcome::Later(Duration::from_millis(50)),
            b"hopeless" => Outcome::Later(Duration::from_millis(50)),
            _ => Outcome::Done,
        };
        if outcome == Outcome::Done {
            let _ = self.0.send((delivery.id, delivery.deliveries));
        }
        outcome
    }
}

#[tokio::test]
async fn acknowledges_puts_off_and_gives_up() {
    let server = Nats::jetstream();
    let js = stream(&server).await;
    for (id, payload) in [
        ("1", "ok"),
        ("2", "later"),
        ("3", "unreadable"),
        ("4", "hopeless"),
        ("5", "ok"),
    ] {
        assert!(publish(&js, id, payload).await);
    }
    let session = open(&server).await;
    let (told, mut handled) = mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        let mut progress = Progress::default();
        let mut teller = Teller(told);
        let ours = durable("farwatch-test");
        let wait = tokio::time::sleep(Duration::from_secs(2));
        tokio::select! {
            error = follow(&session, &ours, &mut progress, &mut teller) => panic!("{error}"),
            () = wait => {}
        }
        progress
    });
    let progress = task.await.unwrap();
    let mut ids = Vec::new();
    while let Some(id) = handled.recv().await {
        ids.push(id);
    }
    assert_eq!(ids, [("1".into(), 1), ("5".into(), 1), ("2".into(), 2)]);
    assert_eq!(
        (progress.done, progress.terminated, progress.given_up),
        (3, 1, 1)
    );
    assert_eq!((progress.put_off, progress.again), (3, 0));
    let info = js
        .get_stream("RAN")
        .await
        .unwrap()
        .consumer_info("farwatch-test")
        .await
        .unwrap();
    assert_eq!((info.num_ack_pending, info.num_pending), (0, 0));
}

#[tokio::test]
async fn anothers_durable_is_never_used() {
    let server = Nats::jetstream();
    let js = stream(&server).await;
    publish(&js, "1", "ok").await;
    let ran = js.get_stream("RAN").await.unwrap();
    let theirs = pull::Config {
        durable_name: Some("farwatch-theirs".into()),
        ..pull::Config::default()
    };
    ran.create_consumer(theirs).await.unwrap();
    let session = open(&server).await;
    for name in ["sink", "farwatch-theirs", "farwatch-a.b"] {
        let mut progress = Progress::default();
        let (told, _handled) = mpsc::unbounded_channel();
        let error = follow(&session, &durable(name), &mut progress, &mut Teller(told)).await;
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(progress.done, 0);
    }
    let info = ran.consumer_info("farwatch-theirs").await.unwrap();
    assert_eq!((info.num_pending, info.num_ack_pending), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_and_doubles_nothing() {
    let mut server = Nats::jetstream();
    stream(&server).await;
    let url = server.url();
    let (told, mut handled) = mpsc::unbounded_channel();
    let followed = {
        let url = url.clone();
        tokio::spawn(async move {
            let mut progress = Progress::default();
            let mut teller = Teller(told);
            loop {
                if let Ok(session) =
                    Session::open(settings(std::slice::from_ref(&url)), 1 << 20).await
                {
                    follow(
                        &session,
                        &durable("farwatch-kill"),
                        &mut progress,
                        &mut teller,
                    )
                    .await;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
    };
    // A publisher that sends again under the same id until the server says that it has it.
    let publisher = tokio::spawn(async move {
        let client = async_nats::ConnectOptions::new()
            .retry_on_initial_connect()
            .connect(url)
            .await
            .unwrap();
        let mut js = jetstream::new(client);
        js.set_timeout(Duration::from_millis(500));
        for n in 0..600 {
            while !publish(&js, &format!("m{n}"), "ok").await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        server.kill();
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.restart();
    }
    publisher.await.unwrap();
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    until("all are handled", async || {
        while let Ok((id, _)) = handled.try_recv() {
            *times.entry(id).or_default() += 1;
        }
        (times.len() >= 600).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    while let Ok((id, _)) = handled.try_recv() {
        *times.entry(id).or_default() += 1;
    }
    followed.abort();
    assert_eq!(times.len(), 600);
    let twice: Vec<_> = times.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
