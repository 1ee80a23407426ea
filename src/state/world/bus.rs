//! What is known of the bus of a cluster: the last look at its streams, and the messages kept of
//! what passed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::model::bus::{Consumer, JetStream, Message, Pattern, Stream, Streams, Survey, Tail};
use crate::model::time::Timestamp;

mod problem;

/// Messages kept of one bus, and their bytes.
const MESSAGES: usize = 500;
const BYTES: usize = 4 << 20;
/// Deliveries of which the rate is made: about four seconds.
const LATELY: usize = 16;
/// What was told longer ago is no rate of now, milliseconds.
const LATE_MS: u64 = 5_000;

/// The bus of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Bus {
    /// The last look; `None`: there was none yet.
    pub survey: Option<Survey>,
    /// What changed since the look before, by stream; what is not known is not there.
    changed: HashMap<Arc<str>, Changed>,
    /// What was kept of what passed, oldest first.
    pub messages: VecDeque<Message>,
    bytes: usize,
    /// Messages that were ever kept: the number of the last.
    kept: u64,
    /// What is followed, or was last, and the number of the last message before it.
    last: (Vec<Pattern>, Arc<str>, u64),
    pub tail: Followed,
}

/// What one stream did between two looks.
#[derive(Clone, Debug, Default)]
struct Changed {
    /// Messages that came, a second.
    rate: Option<f64>,
    /// How much the lag of each consumer grew.
    lags: HashMap<Arc<str>, i64>,
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

    /// The rate of now; `None`: not known, because nothing was told lately or all is withheld.
    pub fn rate_now(&self, now: Timestamp) -> Option<Rate> {
        let is_late = |told| now.age_since_ms(told) > LATE_MS;
        if self.told.is_none_or(is_late) || self.is_withheld() {
            return None;
        }
        self.rate()
    }

    /// A right is missing for everything that is followed.
    pub fn is_withheld(&self) -> bool {
        let denied = self.denied.iter().filter_map(|d| Pattern::new(d).ok());
        let denied: Vec<Pattern> = denied.collect();
        let withheld = |pattern: &Pattern| denied.iter().any(|d| d.covers(pattern));
        !denied.is_empty() && self.patterns.iter().all(withheld)
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
        if tail.gap {
            // Another connection: what is still withheld is said again.
            self.denied.clear();
        }
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

    /// Messages that came into a stream since the look before, a second; `None`: not known.
    pub fn rate_of(&self, stream: &Stream) -> Option<f64> {
        self.changed.get(&stream.name)?.rate
    }

    /// How much the lag of a consumer grew since the look before; `None`: not known.
    pub fn lag_grew(&self, stream: &Stream, consumer: &Consumer) -> Option<i64> {
        let changed = self.changed.get(&stream.name)?;
        changed.lags.get(&consumer.name).copied()
    }

    /// What passed of what is followed, or was last, oldest first.
    pub fn passed(&self) -> impl DoubleEndedIterator<Item = &Message> {
        let (.., before) = &self.last;
        self.messages.iter().filter(|m| m.serial > *before)
    }

    pub(super) fn take_survey(&mut self, survey: Survey) -> bool {
        let before = self.survey.replace(survey);
        self.changed = match (&before, &self.survey) {
            (Some(before), Some(now)) => changed(before, now),
            _ => HashMap::new(),
        };
        true
    }

    /// True when something that is shown changed.
    pub(super) fn take_tail(&mut self, tail: Tail, at: Timestamp) -> bool {
        let before = (self.tail.rate(), self.tail.fault.clone());
        let other = self.tail.patterns != tail.patterns || self.tail.words != tail.words;
        self.tail.take(&tail, at);
        let is_last = self.last.0 == tail.patterns && self.last.1 == tail.words;
        if !tail.patterns.is_empty() && !is_last {
            self.last = (tail.patterns, tail.words, self.kept);
        }
        let news = other || !tail.messages.is_empty();
        for mut message in tail.messages {
            self.kept += 1;
            message.serial = self.kept;
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

fn changed(before: &Survey, now: &Survey) -> HashMap<Arc<str>, Changed> {
    let (JetStream::On(was), JetStream::On(is)) = (&before.jetstream, &now.jetstream) else {
        return HashMap::new();
    };
    let seconds = now.at.age_since_ms(before.at) as f64 / 1_000.0;
    if seconds <= 0.0 {
        return HashMap::new();
    }
    let was: HashMap<&str, &Stream> = was.streams.iter().map(|s| (&*s.name, s)).collect();
    let streams = is.streams.iter().filter_map(|stream| {
        let before = was.get(&*stream.name)?;
        // One made anew counts from the beginning.
        let came = stream.last_sequence.checked_sub(before.last_sequence);
        let same = before.created == stream.created;
        let rate = came.filter(|_| same).map(|came| came as f64 / seconds);
        let lags = lags(before, stream);
        Some((stream.name.clone(), Changed { rate, lags }))
    });
    streams.collect()
}

fn lags(before: &Stream, now: &Stream) -> HashMap<Arc<str>, i64> {
    let was: HashMap<&str, u64> = before.consumers.iter().map(|c| (&*c.name, c.lag)).collect();
    let grew = now.consumers.iter().filter_map(|consumer| {
        let before = i64::try_from(*was.get(&*consumer.name)?).ok()?;
        let now = i64::try_from(consumer.lag).ok()?;
        Some((consumer.name.clone(), now - before))
    });
    grew.collect()
}

#[cfg(test)]
mod tests;
