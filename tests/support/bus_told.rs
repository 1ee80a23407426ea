//! A bus as a source tells it: a stream whose consumer falls behind, a work queue, and messages.
#![allow(dead_code, reason = "each test uses its part")]

use farwatch::model::bus::{
    Account, Consumer, Content, Encoding, Follower, Group, JetStream, Message, Part, Pattern,
    Reply, Retention, Row, Server, Shape, Stream, Streams, Survey, Tail,
};
use farwatch::model::health::SourceKind;
use farwatch::model::telemetry::Body;
use farwatch::model::time::Timestamp;

use crate::scenario::{Console, NOW, live};

fn consumer(name: &str, lag: u64, ack_pending: u64, redelivered: u64) -> Consumer {
    Consumer {
        name: name.into(),
        durable: true,
        lag,
        ack_pending,
        redelivered,
        ..Consumer::default()
    }
}

/// `lag`: of the consumer that falls behind.
pub fn survey(at: Timestamp, lag: u64, came: u64) -> Survey {
    let group = Group {
        leader: Some("nats-1".into()),
        followers: vec![
            Follower {
                name: "nats-0".into(),
                current: true,
                ..Follower::default()
            },
            Follower {
                name: "nats-2".into(),
                lag: Some(1_899),
                ..Follower::default()
            },
        ],
    };
    let events = Stream {
        name: "RAN_EVENTS".into(),
        subjects: vec!["ran.events.>".into()],
        messages: 1_203_411,
        bytes: 671_088_640,
        last_sequence: came,
        consumers: vec![
            consumer("rca-sink", lag, 512, 31),
            consumer("tsdb", 0, 0, 0),
        ],
        consumers_total: 2,
        group: Some(group),
        replicas: 3,
        ..Stream::default()
    };
    let work = Stream {
        name: "JOBS".into(),
        subjects: vec!["jobs.>".into()],
        retention: Retention::WorkQueue,
        messages: 42,
        bytes: 4_096,
        consumers: vec![consumer("worker", 40, 2, 0)],
        consumers_total: 1,
        ..Stream::default()
    };
    let log = Stream {
        name: "CHANGE_LOG".into(),
        subjects: vec!["change.>".into()],
        messages: 412,
        bytes: 1_048_576,
        ..Stream::default()
    };
    Survey {
        at,
        server: Server {
            name: "nats-1".into(),
            version: "2.15.1".into(),
            max_payload: 1 << 20,
            lame_duck: false,
        },
        jetstream: JetStream::On(Box::new(Streams {
            account: Some(Account {
                storage_bytes: 672_140_000,
                storage_limit_bytes: Some(1 << 30),
                streams: 3,
                consumers: 3,
                ..Account::default()
            }),
            streams: vec![events, work, log],
            total: 3,
            missing: vec!["no permission to publish on $JS.API.CONSUMER.LIST.SECRET".into()],
        })),
    }
}

fn row(depth: u8, part: Part, shape: Shape, value: &str) -> Row {
    Row {
        depth,
        part,
        shape,
        value: value.into(),
    }
}

pub fn message(serial: u64, subject: &str, encoding: Encoding) -> Message {
    let key = |k: &str| Part::Key(k.into());
    Message {
        serial,
        at: NOW.plus_ms(-10_000 + serial as i64 * 1_003),
        subject: subject.into(),
        bytes: 214,
        sequence: None,
        reply: Reply::None,
        headers: vec![("Nats-Msg-Id".into(), format!("m{serial}").into())],
        content: Content {
            encoding,
            rows: vec![
                row(0, Part::Root, Shape::Map, "4"),
                row(1, key("kind"), Shape::Text, "ptp.state"),
                row(1, key("to"), Shape::Text, "HOLDOVER"),
                row(1, key("offset_ns"), Shape::Int, "1812"),
                row(1, key("ports"), Shape::List, "2"),
                row(2, Part::Index(0), Shape::Text, "ens4f0"),
                row(2, Part::Index(1), Shape::Bool, "true"),
            ],
            cut: false,
            head: (*b"\x84\xa4kind\xa9ptp.state\xa2to\xa8HOLDOVER").into(),
        },
    }
}

pub fn tail(messages: Vec<Message>) -> Tail {
    Tail {
        span_ms: 1_000,
        patterns: vec![Pattern::new("ai.>").expect("valid")],
        seen: 412,
        bytes: 88_168,
        matched: 412,
        sampled_out: 412 - messages.len() as u64,
        messages,
        ..Tail::default()
    }
}

/// Two looks a minute apart, and a second of a busy subject.
pub fn tell(console: &mut Console) {
    console.tell(0, SourceKind::Nats, Body::Health(live()));
    let before = survey(NOW.plus_ms(-60_000), 9_000, 100);
    console.tell(0, SourceKind::Nats, Body::Bus(Box::new(before)));
    let now = survey(NOW.plus_ms(-4_000), 18_402, 6_820);
    console.tell(0, SourceKind::Nats, Body::Bus(Box::new(now)));
    let messages = vec![
        message(1, "ai.chat.user.u1.message", Encoding::MessagePack),
        message(2, "ai.farwatch.edge-ran-07.anomaly", Encoding::Json),
        message(3, "ai.pipeline.trigger", Encoding::MessagePack),
    ];
    console.tell(0, SourceKind::Nats, Body::BusTail(Box::new(tail(messages))));
}
