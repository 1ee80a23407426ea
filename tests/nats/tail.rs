//! The live tail: wildcards, floods, garbage, missing permissions.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, push};
use farwatch::config;
use farwatch::model::bus::{Encoding, Pattern, Reply, Tail};
use farwatch::source::error::SourceError;
use farwatch::source::nats::Bus;
use farwatch::source::nats::session::{Auth, Session, Settings};
use farwatch::source::nats::tail::{Wanted, follow};
use tokio::task::JoinHandle;

use crate::nats::{Nats, until};
use crate::{open, other, settings};

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Tail>>>);

impl Heard {
    fn sum(&self) -> Tail {
        let mut sum = Tail::default();
        for tail in self.0.lock().unwrap().iter() {
            sum.seen += tail.seen;
            sum.bytes += tail.bytes;
            sum.matched += tail.matched;
            sum.sampled_out += tail.sampled_out;
            sum.dropped += tail.dropped;
            sum.gap |= tail.gap;
            sum.denied.extend(tail.denied.iter().cloned());
            sum.messages.extend(tail.messages.iter().cloned());
        }
        sum
    }

    async fn until_seen(&self, count: u64) -> Tail {
        until("the messages are seen", async || {
            Some(self.sum()).filter(|s| s.seen + s.dropped >= count)
        })
        .await
    }
}

fn wanted(patterns: &[&str], words: &str) -> Wanted {
    Wanted {
        patterns: patterns.iter().map(|p| Pattern::new(p).unwrap()).collect(),
        words: words.into(),
        gap: false,
    }
}

/// Follows on a task; returns once the server knows what is followed.
async fn start(session: Session, wanted: Wanted) -> (Heard, JoinHandle<SourceError>) {
    let heard = Heard::default();
    let to = heard.clone();
    let task = tokio::spawn(async move {
        let give = |tail: Box<Tail>| {
            to.0.lock().unwrap().push(*tail);
            Ok(())
        };
        follow(&session, &wanted, give).await
    });
    until("a first delivery", async || {
        (!heard.0.lock().unwrap().is_empty()).then_some(())
    })
    .await;
    (heard, task)
}

#[tokio::test]
async fn wildcards_and_words() {
    let server = Nats::jetstream();
    let client = other(&server).await;
    let session = open(&server).await;
    let (heard, _task) = start(
        session,
        wanted(&["ai.chat.user.*.message", "ran.>"], "lyon"),
    )
    .await;
    let packed = rmp_serde::to_vec(&serde_json::json!({"site": "Lyon", "n": 7})).unwrap();
    client
        .publish("ai.chat.user.u1.message", packed.into())
        .await
        .unwrap();
    client
        .publish("ai.chat.user.u1.other", "lyon".into())
        .await
        .unwrap();
    client
        .publish_with_reply("ran.x", "answer.me", r#"{"at":"LYON"}"#.into())
        .await
        .unwrap();
    // A delivery to somebody else's consumer: its address wants an acknowledgement, no answer. A
    // wildcard alone does not make the server deliver (2.15).
    let _theirs = client.subscribe("ran.pushed").await.unwrap();
    let js = jetstream::new(client.clone());
    let stream = jetstream::stream::Config {
        name: "SITE".into(),
        subjects: vec!["site.>".into()],
        ..Default::default()
    };
    let stream = js.create_stream(stream).await.unwrap();
    let pushed = push::Config {
        deliver_subject: "ran.pushed".into(),
        ack_policy: AckPolicy::Explicit,
        ..push::Config::default()
    };
    stream.create_consumer(pushed).await.unwrap();
    let sent = js.publish("site.lyon", "x".into()).await.unwrap();
    sent.await.unwrap();
    client
        .publish("ran.lyon.y", vec![0xff, 0x00].into())
        .await
        .unwrap();
    client.publish("ran.paris", "nothing".into()).await.unwrap();
    let sum = heard.until_seen(5).await;
    assert_eq!(
        (sum.seen, sum.matched, sum.dropped, sum.sampled_out),
        (5, 4, 0, 0)
    );
    let mut told: Vec<_> = sum
        .messages
        .iter()
        .map(|m| (&*m.subject, m.content.encoding, m.content.rows.len()))
        .collect();
    told.sort_unstable_by_key(|t| t.0);
    assert_eq!(
        told,
        [
            ("ai.chat.user.u1.message", Encoding::MessagePack, 3),
            ("ran.lyon.y", Encoding::Binary, 1),
            ("ran.x", Encoding::Json, 2),
            ("site.lyon", Encoding::Text, 1),
        ]
    );
    let reply = |subject: &str| {
        let found = sum.messages.iter().find(|m| &*m.subject == subject);
        found.unwrap().reply.clone()
    };
    assert_eq!(reply("ran.x"), Reply::Wanted("answer.me".into()));
    assert_eq!(reply("site.lyon"), Reply::Acknowledge);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_eight_megabytes_is_cut_and_garbage_is_shown() {
    let server = Nats::start("max_payload: 9437184\n");
    let client = other(&server).await;
    let bus = Bus::apart(&config::Nats {
        urls: vec![server.url()],
        timeout: Duration::from_secs(5),
        ..config::Nats::default()
    });
    let eight = (0..8).map(|n| Pattern::new(&format!("s{n}.>")).unwrap());
    let eight: Vec<Pattern> = eight.collect();
    let session = bus.open_to_follow(&eight).await.ok().unwrap();
    let waiting = session.room * eight.len() * (9 << 20);
    assert!(waiting <= 512 << 20, "{waiting} bytes may wait");
    let session = bus.open_to_follow(&eight[..1]).await.ok().unwrap();
    assert_eq!(session.server().max_payload, 9 << 20);
    let (heard, _task) = start(session, wanted(&[">"], "")).await;
    client
        .publish("big", vec![0x91; 8 << 20].into())
        .await
        .unwrap();
    client
        .publish("evil", "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}hello".into())
        .await
        .unwrap();
    client.publish("none", "".into()).await.unwrap();
    client.flush().await.unwrap();
    let sum = heard.until_seen(3).await;
    let of = |subject: &str| {
        sum.messages
            .iter()
            .find(|m| &*m.subject == subject)
            .unwrap()
    };
    let big = of("big");
    assert_eq!((big.bytes, big.content.cut), (8 << 20, true));
    assert!(big.content.rows.len() < 1_000);
    assert_eq!(&*of("evil").content.rows[0].value, "hello");
    assert_eq!(of("none").content.encoding, Encoding::Empty);
}

#[tokio::test]
async fn a_missing_permission_names_the_subject_and_leaves_the_others() {
    let server = Nats::start(
        "authorization { users: [ { user: a, password: a, permissions: { subscribe: { deny: [\"secret.>\"] } } } ] }",
    );
    let auth = Auth::User {
        user: "a".into(),
        password: "a".to_owned().into(),
    };
    let settings = Settings {
        auth,
        ..settings(&[server.url()])
    };
    let session = Session::open(settings, 1 << 20)
        .await
        .map_err(|e| e.to_string())
        .unwrap();
    let (heard, _task) = start(session, wanted(&["secret.>", "ran.>"], "")).await;
    let client = async_nats::ConnectOptions::with_user_and_password("a".into(), "a".into())
        .connect(server.url())
        .await
        .unwrap();
    client.publish("ran.a", "1".into()).await.unwrap();
    let sum = heard.until_seen(1).await;
    assert_eq!(sum.messages.len(), 1);
    until("the refusal is told", async || {
        (heard.sum().denied == [Arc::from("secret.>")]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_finds_no_room_waits_and_the_oldest_gives_way() {
    let server = Nats::jetstream();
    let client = other(&server).await;
    let session = open(&server).await;
    let (sender, mut queue) = tokio::sync::mpsc::channel::<Box<Tail>>(1);
    let task = tokio::spawn(async move {
        let give = |tail: Box<Tail>| {
            sender.try_send(tail).map_err(|e| match e {
                tokio::sync::mpsc::error::TrySendError::Full(tail) => tail,
                tokio::sync::mpsc::error::TrySendError::Closed(tail) => tail,
            })
        };
        follow(&session, &wanted(&["ran.>"], ""), give).await
    });
    let first = queue.recv().await.unwrap();
    assert_eq!(first.seen, 0);
    // The two connections are read by the server each on its own.
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Nobody takes anything for a while, and there is room for one delivery.
    for n in 0..400 {
        client.publish("ran.a", n.to_string().into()).await.unwrap();
        if n % 8 == 0 {
            client.flush().await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    client.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let (mut seen, mut shown, mut other) = (0, 0, 0);
    while seen < 400 {
        let tail = queue.recv().await.unwrap();
        seen += tail.seen;
        shown += tail.messages.len() as u64;
        other += tail.dropped + tail.sampled_out;
        assert!(tail.messages.len() <= 200);
    }
    assert_eq!(shown + other, 400, "every message is shown or counted");
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_ends_the_tail() {
    let mut server = Nats::jetstream();
    let (_heard, task) = start(open(&server).await, wanted(&[">"], "")).await;
    server.kill();
    let error = task.await.unwrap();
    assert!(
        error.to_string().contains("the connection ended"),
        "{error}"
    );
    server.restart();
    let mut again = wanted(&[">"], "");
    again.gap = true;
    let (heard, _task) = start(open(&server).await, again).await;
    assert!(heard.sum().gap);
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|p| p.parse().ok())
        .unwrap_or(0);
    pages * 4096
}

#[tokio::test]
async fn what_is_pushed_to_others_is_not_drawn_here() {
    let server = Nats::jetstream();
    let client = other(&server).await;
    let js = jetstream::new(client.clone());
    let queue = jetstream::stream::Config {
        name: "JOBS".into(),
        subjects: vec!["jobs.in".into()],
        retention: jetstream::stream::RetentionPolicy::WorkQueue,
        ..Default::default()
    };
    let mut queue = js.create_stream(queue).await.unwrap();
    for _ in 0..3 {
        let sent = js.publish("jobs.in", "x".into()).await.unwrap();
        sent.await.unwrap();
    }
    let theirs = push::Config {
        durable_name: Some("workers".into()),
        deliver_subject: "jobs.out".into(),
        ack_policy: AckPolicy::Explicit,
        ..push::Config::default()
    };
    queue.create_consumer(theirs).await.unwrap();
    let session = open(&server).await;
    let (heard, _task) = start(session, wanted(&["jobs.out"], "")).await;
    client.publish("jobs.other", "x".into()).await.unwrap();
    client.publish("jobs.out", "x".into()).await.unwrap();
    client.flush().await.unwrap();
    let sum = heard.until_seen(1).await;
    assert_eq!((sum.seen, &*sum.messages[0].subject), (1, "jobs.out"));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(heard.sum().seen, 1);
    assert_eq!(queue.info().await.unwrap().state.messages, 3);
    let info = queue.consumer_info("workers").await.unwrap();
    assert_eq!((info.num_pending, info.delivered.stream_sequence), (3, 0));
}

/// Sends `total` messages, so many in each hundredth of a second, and tells what became of them.
#[allow(clippy::disallowed_methods, reason = "the rate is measured")]
async fn flood(total: u64, at_once: u64) -> (Tail, f64) {
    let server = Nats::start("");
    let session = open(&server).await;
    let (heard, _task) = start(session, wanted(&["ran.>"], "")).await;
    let before = resident_bytes();
    let begin = Instant::now();
    let url = server.url();
    let sender = tokio::spawn(async move {
        let client = async_nats::connect(url).await.unwrap();
        let told = serde_json::json!({"kind": "ptp.state", "offset": 1812, "site": "lyon"});
        let payload: tokio_util::bytes::Bytes = rmp_serde::to_vec(&told).unwrap().into();
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        for n in 0..total {
            if n % at_once == 0 {
                pace.tick().await;
            }
            let subject = format!("ran.events.n{}", n % 64);
            client.publish(subject, payload.clone()).await.unwrap();
        }
        client.flush().await.unwrap();
    });
    sender.await.unwrap();
    let sum = heard.until_seen(total).await;
    let rate = total as f64 / begin.elapsed().as_secs_f64();
    let grown = resident_bytes().saturating_sub(before) >> 20;
    println!(
        "{total} messages, {rate:.0}/s: shown {}, sampled out {}, dropped {}, {grown} MiB more",
        sum.messages.len(),
        sum.sampled_out,
        sum.dropped,
    );
    assert_eq!(sum.seen + sum.dropped, total);
    assert_eq!(sum.messages.len() as u64 + sum.sampled_out, sum.seen);
    assert!(grown < 128, "{grown} MiB");
    (sum, rate)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_a_second_are_counted_and_sampled() {
    let (sum, _) = flood(250_000, 500).await;
    assert!(
        sum.seen > 125_000,
        "most of them are at least looked at: {sum:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_can_be_taken_is_counted_as_lost() {
    flood(500_000, u64::MAX).await;
}
