//! What is known of the bus of a cluster: the last look at its streams, and the messages kept of
//! what passed.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::bus::{Consumer, JetStream, Message, Pattern, Stream, Streams, Survey, Tail};
use crate::model::time::Timestamp;

mod problem;

/// Messages kept of one bus, and their bytes.
const MESSAGES: usize = 500;
const BYTES: usize = 4 << 20;
/// Deliveries of which the rate is made: about four seconds.
const LATELY: usize = 16;

/// The bus of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Bus {
    /// The last look; `None`: there was none yet.
    pub survey: Option<Survey>,
    /// The look before, for what changed since.
    before: Option<Survey>,
    /// What was kept of what passed, oldest first.
    pub messages: VecDeque<Message>,
    bytes: usize,
    pub tail: Followed,
}

/// What is followed, and what became of all that came since it began.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// Empty: nothing.
    pub patterns: Vec<Pattern>,
    pub words: Arc<str>,
    /// Why nothing comes; `None`: it is followed.
    pub fault: Option<Arc<str>>,
    pub seen: u64,
    pub matched: u64,
    /// Not shown, because there were too many.
    pub sampled_out: u64,
    /// Lost before anybody could look at them.
    pub dropped: u64,
    /// Followed no further for lack of a right.
    pub denied: Vec<Arc<str>>,
    /// Before these the connection was lost.
    pub gaps: u64,
    /// When it was last heard of.
    pub told: Option<Timestamp>,
    lately: VecDeque<Lately>,
}

#[derive(Clone, Copy, Debug)]
struct Lately {
    span_ms: u32,
    seen: u64,
    bytes: u64,
    matched: u64,
    shown: u64,
}

/// Rates of the last seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub messages_per_s: f64,
    pub bytes_per_s: f64,
    /// Of so many that hold the words one is shown; 1.0: all are.
    pub one_of: f64,
}

impl Followed {
    /// `None`: nothing was told yet.
    pub fn rate(&self) -> Option<Rate> {
        let mut all = Lately {
            span_ms: 0,
            seen: 0,
            bytes: 0,
            matched: 0,
            shown: 0,
        };
        for one in &self.lately {
            all.span_ms = all.span_ms.saturating_add(one.span_ms);
            all.seen += one.seen;
            all.bytes += one.bytes;
            all.matched += one.matched;
            all.shown += one.shown;
        }
        let seconds = f64::from(all.span_ms) / 1_000.0;
        (seconds > 0.0).then(|| Rate {
            messages_per_s: all.seen as f64 / seconds,
            bytes_per_s: all.bytes as f64 / seconds,
            one_of: (all.matched as f64 / all.shown.max(1) as f64).max(1.0),
        })
    }

    fn take(&mut self, tail: &Tail, at: Timestamp) {
        if self.patterns != tail.patterns || self.words != tail.words {
            *self = Self {
                patterns: tail.patterns.clone(),
                words: tail.words.clone(),
                ..Self::default()
            };
        }
        self.fault.clone_from(&tail.fault);
        self.told = Some(at);
        if tail.fault.is_some() {
            self.lately.clear();
            return;
        }
        self.seen += tail.seen + tail.dropped;
        self.matched += tail.matched;
        self.sampled_out += tail.sampled_out;
        self.dropped += tail.dropped;
        self.gaps += u64::from(tail.gap);
        for subject in &tail.denied {
            if !self.denied.contains(subject) {
                self.denied.push(subject.clone());
            }
        }
        self.lately.push_back(Lately {
            span_ms: tail.span_ms,
            seen: tail.seen + tail.dropped,
            bytes: tail.bytes,
            matched: tail.matched,
            shown: tail.messages.len() as u64,
        });
        while self.lately.len() > LATELY {
            self.lately.pop_front();
        }
    }
}

impl Bus {
    pub fn streams(&self) -> Option<&Streams> {
        match &self.survey.as_ref()?.jetstream {
            JetStream::On(streams) => Some(streams),
            JetStream::Off(_) | JetStream::Denied(_) | JetStream::Unknown => None,
        }
    }

    fn stream_before(&self, name: &str) -> Option<(&Stream, f64)> {
        let (now, before) = (self.survey.as_ref()?, self.before.as_ref()?);
        let seconds = now.at.age_since_ms(before.at) as f64 / 1_000.0;
        let JetStream::On(streams) = &before.jetstream else {
            return None;
        };
        let stream = streams.streams.iter().find(|s| *s.name == *name)?;
        (seconds > 0.0).then_some((stream, seconds))
    }

    /// Messages that came into a stream since the look before, a second; `None`: not known.
    pub fn rate_of(&self, stream: &Stream) -> Option<f64> {
        let (before, seconds) = self.stream_before(&stream.name)?;
        // One made anew counts from the beginning.
        let came = stream.last_sequence.checked_sub(before.last_sequence)?;
        (before.created == stream.created).then_some(came as f64 / seconds)
    }

    /// How much the lag of a consumer grew since the look before; `None`: not known.
    pub fn lag_grew(&self, stream: &Stream, consumer: &Consumer) -> Option<i64> {
        let (before, _) = self.stream_before(&stream.name)?;
        let before = before.consumers.iter().find(|c| c.name == consumer.name)?;
        let (now, before) = (i64::try_from(consumer.lag), i64::try_from(before.lag));
        Some(now.ok()? - before.ok()?)
    }

    pub(super) fn take_survey(&mut self, survey: Survey) -> bool {
        self.before = self.survey.replace(survey);
        true
    }

    /// True when something that is shown changed.
    pub(super) fn take_tail(&mut self, tail: Tail, at: Timestamp) -> bool {
        let before = (self.tail.rate(), self.tail.fault.clone());
        self.tail.take(&tail, at);
        let news = !tail.messages.is_empty();
        for message in tail.messages {
            self.bytes += message.weight();
            self.messages.push_back(message);
        }
        while self.messages.len() > MESSAGES || self.bytes > BYTES {
            match self.messages.pop_front() {
                Some(old) => self.bytes = self.bytes.saturating_sub(old.weight()),
                None => break,
            }
        }
        news || before != (self.tail.rate(), self.tail.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(serial: u64, bytes: usize) -> Message {
        Message {
            serial,
            at: Timestamp(0),
            subject: "a".into(),
            bytes: bytes as u64,
            sequence: None,
            reply: Default::default(),
            headers: vec![("h".into(), "x".repeat(bytes).into())],
            content: Default::default(),
        }
    }

    fn tail(messages: Vec<Message>, seen: u64) -> Tail {
        Tail {
            span_ms: 250,
            patterns: vec![Pattern::new("a.>").expect("valid")],
            seen,
            matched: seen,
            messages,
            ..Tail::default()
        }
    }

    #[test]
    fn what_is_kept_is_bounded_by_number_and_bytes() {
        let mut bus = Bus::default();
        for serial in 0..1_000 {
            bus.take_tail(tail(vec![message(serial, 10)], 1), Timestamp(0));
        }
        assert_eq!(bus.messages.len(), MESSAGES);
        for serial in 0..100 {
            bus.take_tail(tail(vec![message(serial, 1 << 20)], 1), Timestamp(0));
        }
        assert!(bus.messages.len() < 5, "{}", bus.messages.len());
    }

    #[test]
    fn rates_are_of_the_last_seconds_and_end_with_a_fault() {
        let mut bus = Bus::default();
        assert_eq!(bus.tail.rate(), None);
        for _ in 0..100 {
            bus.take_tail(tail(vec![message(1, 1)], 10), Timestamp(0));
        }
        let rate = bus.tail.rate().expect("told");
        assert!((rate.messages_per_s - 40.0).abs() < 1e-9);
        assert!((rate.one_of - 10.0).abs() < 1e-9);
        assert_eq!(bus.tail.seen, 1_000);
        let broken = Tail {
            fault: Some("gone".into()),
            messages: Vec::new(),
            ..tail(Vec::new(), 0)
        };
        bus.take_tail(broken, Timestamp(1));
        assert_eq!(bus.tail.rate(), None);
        assert_eq!(bus.tail.seen, 1_000, "what was counted stays");
        let other = Tail {
            words: "x".into(),
            ..tail(Vec::new(), 3)
        };
        bus.take_tail(other, Timestamp(2));
        assert_eq!(bus.tail.seen, 3, "another tail counts anew");
    }

    #[test]
    fn rates_of_streams_and_lags_need_two_looks() {
        let look = |at, last_sequence, lag| Survey {
            at: Timestamp(at),
            jetstream: JetStream::On(Box::new(Streams {
                streams: vec![Stream {
                    name: "S".into(),
                    last_sequence,
                    consumers: vec![Consumer {
                        name: "c".into(),
                        lag,
                        ..Consumer::default()
                    }],
                    ..Stream::default()
                }],
                ..Streams::default()
            })),
            ..Survey::default()
        };
        let mut bus = Bus::default();
        bus.take_survey(look(0, 100, 5));
        let ask = |bus: &Bus| {
            let stream = bus.streams().expect("on").streams[0].clone();
            (
                bus.rate_of(&stream),
                bus.lag_grew(&stream, &stream.consumers[0]),
            )
        };
        assert_eq!(ask(&bus), (None, None));
        bus.take_survey(look(10_000, 150, 2));
        assert_eq!(ask(&bus), (Some(5.0), Some(-3)));
        bus.take_survey(look(20_000, 3, 0));
        assert_eq!(ask(&bus).0, None, "it was emptied or made anew");
    }
}
