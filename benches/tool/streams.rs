//! 1,000 streams of one bus, each with two consumers that fall behind.

use std::iter::once;

use farwatch::model::bus::{Consumer, JetStream, Stream, Streams, Survey};
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::model::time::Timestamp;

pub const ALL: usize = 1_000;

/// One look, at this time.
pub fn answers(at: Timestamp) -> impl Iterator<Item = Telemetry> {
    let streams: Vec<Stream> = (0..ALL).map(|n| stream(n, at)).collect();
    let survey = Survey {
        at,
        jetstream: JetStream::On(Box::new(Streams {
            total: streams.len() as u64,
            streams,
            ..Streams::default()
        })),
        ..Survey::default()
    };
    once(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Nats,
        received: at,
        body: Body::Bus(Box::new(survey)),
    })
}

fn stream(n: usize, at: Timestamp) -> Stream {
    let came = at.0.unsigned_abs() / 1_000 * (1 + n as u64 % 7);
    let consumer = |name: &str| Consumer {
        name: name.into(),
        lag: came % 100_000,
        ..Consumer::default()
    };
    Stream {
        name: format!("STREAM_{n:04}").into(),
        subjects: vec![format!("site.{n}.>").into()],
        messages: came,
        last_sequence: came,
        consumers: vec![consumer("sink"), consumer("tsdb")],
        consumers_total: 2,
        ..Stream::default()
    }
}
