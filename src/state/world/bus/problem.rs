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
    let full = |max: u64| stream.bytes as f64 >= max as f64 * FULL;
    stream.refuses_when_full && stream.max_bytes.is_some_and(full)
}
