//! What is wrong with a stream or a consumer, as far as it can be seen from outside.

use super::Bus;
use crate::model::bus::{Consumer, Stream};

/// So full that a stream which drops nothing will soon refuse messages.
const FULL: f64 = 0.95;

impl Bus {
    /// The worst that is wrong; `None`: nothing that can be seen from here.
    pub fn problem(&self, stream: &Stream, consumer: Option<&Consumer>) -> Option<String> {
        of_groups(stream, consumer)
            .or_else(|| refuses(stream).then(|| "full: it refuses messages".into()))
            .or_else(|| self.of_consumer(stream, consumer?))
    }

    fn of_consumer(&self, stream: &Stream, consumer: &Consumer) -> Option<String> {
        if consumer.redelivered > 0 {
            return Some(format!(
                "{} messages come again and again",
                consumer.redelivered
            ));
        }
        if self.lag_grew(stream, consumer).is_some_and(|grew| grew > 0) {
            return Some("its lag grows".into());
        }
        consumer.paused.then(|| "paused".into())
    }
}

fn of_groups(stream: &Stream, consumer: Option<&Consumer>) -> Option<String> {
    let groups = [
        stream.group.as_ref(),
        consumer.and_then(|c| c.group.as_ref()),
    ];
    groups.into_iter().flatten().find_map(|group| {
        if group.leader.is_none() {
            return Some("nobody leads".into());
        }
        let behind = group.behind();
        (behind > 0).then(|| format!("{behind} of its copies are not up to date"))
    })
}

fn refuses(stream: &Stream) -> bool {
    let full = |now: u64, max: Option<u64>| max.is_some_and(|m| now as f64 >= m as f64 * FULL);
    let bytes = full(stream.bytes, stream.max_bytes);
    stream.refuses_when_full && (bytes || full(stream.messages, stream.max_messages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_is_full_by_bytes_and_by_messages() {
        let told = |bytes, messages, refuses_when_full| {
            let stream = Stream {
                max_bytes: Some(1_000),
                max_messages: Some(100),
                bytes,
                messages,
                refuses_when_full,
                ..Stream::default()
            };
            Bus::default().problem(&stream, None).is_some()
        };
        assert!(told(990, 3, true) && told(10, 99, true));
        assert!(!told(10, 3, true) && !told(990, 99, false));
        let endless = Stream {
            refuses_when_full: true,
            messages: 7,
            ..Stream::default()
        };
        assert_eq!(Bus::default().problem(&endless, None), None);
    }
}
