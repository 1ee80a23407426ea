//! Messages read back. They come from elsewhere: nothing in them makes this panic or take more
//! memory than it is given.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use flate2::read::DeflateDecoder;

use super::batch::{ALL, GAP, NOTHING, SCRAPE, SERIES, SOME, TARGET, TEXT};
use super::head::Head;
use super::value::Last;
use super::window::Gap;
use super::{ENDED, has_ended};
use crate::bundle::BundleError;
use crate::bundle::wire::Cursor;
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::scrape::{Class, Raw, Scrape, Told};
use crate::model::text;
use crate::model::time::Timestamp;

/// Runs of publishers that are followed side by side.
const RUNS: usize = 8;
/// Most bytes of a message before it is compressed.
const MOST_BYTES: usize = 8 << 20;
/// What one generation may name.
const MOST_SERIES: usize = 200_000;
const MOST_TARGETS: usize = 1_000;
/// Labels of one series.
const MOST_LABELS: usize = 128;
/// Memory of the texts and series of one generation, and of all that are followed, bytes.
const MOST_HELD: usize = 96 << 20;
const MOST_OF_ALL: usize = 128 << 20;
/// What a text, a series and a label of it take beside their letters, bytes.
const TEXT_BYTES: usize = 32;
const SERIES_BYTES: usize = 128;
const LABEL_BYTES: usize = 32;
/// Values that one message may tell, the repeated ones too; a scrape or a gap counts as some.
pub(super) const MOST_VALUES: usize = 1_000_000;
pub(super) const EVENT: usize = 2;

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("it holds no samples of farwatch")]
    Foreign,
    #[error("it is of version {0}, which this farwatch does not read")]
    Version(u8),
    #[error("it is damaged")]
    Damaged,
    #[error("it holds more than is taken from one publisher")]
    TooMuch,
}

impl From<BundleError> for Wrong {
    fn from(_: BundleError) -> Self {
        Self::Damaged
    }
}

/// What a message said.
#[derive(Clone, Debug)]
pub enum Heard {
    /// It was read before.
    Again,
    /// Its generation began before we listened.
    Early,
    Told(Vec<Event>),
}

#[derive(Clone, Debug)]
pub enum Event {
    Scrape(Scrape),
    /// Nothing is known of this time.
    Gap(Gap),
}

/// Reads the messages of a cluster, of whichever publisher.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The one heard last is the last.
    runs: VecDeque<Run>,
    /// Something could be read.
    began: bool,
}

#[derive(Debug, Default)]
struct Run {
    id: u64,
    /// The next sequence.
    next: u64,
    until: Option<Timestamp>,
    /// `None`: the beginning of its generation was not read.
    state: Option<State>,
}

#[derive(Debug, Default)]
struct State {
    texts: Vec<Arc<str>>,
    targets: Vec<Target>,
    /// Series of all targets.
    series: usize,
    /// Bytes of texts and series.
    held: usize,
    /// Told by the message that is read.
    values: usize,
}

#[derive(Debug)]
struct Target {
    exporter: u16,
    url: Arc<str>,
    instance: Arc<str>,
    interval_ms: u32,
    at: i64,
    series: Vec<In>,
}

#[derive(Debug)]
struct In {
    key: SeriesKey,
    class: Class,
    bit: u8,
    last: Last,
    alive: bool,
}

impl Decoder {
    /// Reads one message.
    ///
    /// # Errors
    /// [`Wrong`]: it cannot be read, nor what follows it in its generation.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Heard, Wrong> {
        let (head, size, rest) = Head::read(bytes)?;
        let known = self.runs.iter().position(|run| run.id == head.run);
        let mut run = known.and_then(|at| self.runs.remove(at)).unwrap_or(Run {
            id: head.run,
            next: head.sequence,
            ..Run::default()
        });
        let heard = run.take(head, size, rest, self.began);
        self.began |= matches!(heard, Ok(Heard::Told(_)));
        // What was never understood shuts out nobody.
        if heard.is_err() && known.is_none() {
            return heard;
        }
        self.runs.push_back(run);
        while self.runs.len() > RUNS || self.runs.len() > 1 && self.held() > MOST_OF_ALL {
            self.runs.pop_front();
        }
        heard
    }

    /// Bytes of texts and series of all runs.
    pub(super) fn held(&self) -> usize {
        self.runs.iter().map(Run::held).sum()
    }
}

impl Run {
    /// Bytes of its texts and series.
    fn held(&self) -> usize {
        self.state.as_ref().map_or(0, |s| s.held)
    }

    fn take(&mut self, head: Head, size: usize, rest: &[u8], began: bool) -> Result<Heard, Wrong> {
        if head.sequence < self.next {
            return Ok(Heard::Again);
        }
        let mut events = Vec::new();
        if head.sequence > self.next {
            self.state = None;
            events.push(Event::Gap(Gap {
                from: self.until.unwrap_or(head.from),
                to: head.from,
                scrapes: 0,
                messages: head.sequence - self.next,
            }));
        }
        self.next = head.sequence.saturating_add(1);
        if head.first {
            self.state = Some(State::default());
        }
        let Some(state) = &mut self.state else {
            if !began && self.until.is_none() {
                return Ok(Heard::Early);
            }
            let from = self.until.unwrap_or(head.from);
            self.until = Some(head.to);
            events.push(Event::Gap(Gap {
                from: from.min(head.from),
                to: head.to,
                scrapes: head.scrapes,
                messages: 0,
            }));
            return Ok(Heard::Told(events));
        };
        let read = inflate(size, rest).and_then(|body| state.read(&body, &mut events));
        if let Err(wrong) = read {
            self.state = None;
            return Err(wrong);
        }
        self.until = Some(head.to);
        Ok(Heard::Told(events))
    }
}

fn inflate(size: usize, packed: &[u8]) -> Result<Vec<u8>, Wrong> {
    if size > MOST_BYTES {
        return Err(Wrong::TooMuch);
    }
    let mut body = Vec::new();
    let mut from = DeflateDecoder::new(packed).take(size as u64 + 1);
    from.read_to_end(&mut body).map_err(|_| Wrong::Damaged)?;
    (body.len() == size).then_some(body).ok_or(Wrong::Damaged)
}

impl State {
    fn read(&mut self, body: &[u8], events: &mut Vec<Event>) -> Result<(), Wrong> {
        let mut from = Cursor::new(body);
        self.values = 0;
        while !from.is_empty() {
            match from.byte()? {
                TEXT => self.text(from.bytes()?)?,
                TARGET => self.target(&mut from)?,
                SERIES => self.series(&mut from)?,
                SCRAPE => events.push(Event::Scrape(self.scrape(&mut from)?)),
                GAP => {
                    self.tell(EVENT)?;
                    let begin = from.i64()?;
                    events.push(Event::Gap(Gap {
                        from: Timestamp(begin),
                        to: Timestamp(begin.wrapping_add(from.i64()?)),
                        scrapes: from.u64()?,
                        messages: 0,
                    }));
                }
                _ => return Err(Wrong::Damaged),
            }
        }
        Ok(())
    }

    /// So many values more.
    fn tell(&mut self, values: usize) -> Result<(), Wrong> {
        self.values += values;
        match self.values > MOST_VALUES {
            true => Err(Wrong::TooMuch),
            false => Ok(()),
        }
    }

    /// So many bytes more are held until the generation ends.
    fn hold(&mut self, bytes: usize) -> Result<(), Wrong> {
        self.held += bytes;
        match self.held > MOST_HELD {
            true => Err(Wrong::TooMuch),
            false => Ok(()),
        }
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        self.hold(bytes.len() + TEXT_BYTES)?;
        let told = String::from_utf8_lossy(bytes);
        self.texts.push(text::shared(&told, text::LIMIT_BYTES));
        Ok(())
    }

    fn named(&self, from: &mut Cursor<'_>) -> Result<Arc<str>, Wrong> {
        let text = self.texts.get(from.index()?);
        text.cloned().ok_or(Wrong::Damaged)
    }

    fn target(&mut self, from: &mut Cursor<'_>) -> Result<(), Wrong> {
        if self.targets.len() >= MOST_TARGETS {
            return Err(Wrong::TooMuch);
        }
        let exporter = u16::try_from(from.u64()?).map_err(|_| Wrong::Damaged)?;
        let (url, instance) = (self.named(from)?, self.named(from)?);
        self.targets.push(Target {
            exporter,
            url,
            instance,
            interval_ms: from.u32()?,
            at: 0,
            series: Vec::new(),
        });
        Ok(())
    }

    fn series(&mut self, from: &mut Cursor<'_>) -> Result<(), Wrong> {
        self.series += 1;
        if self.series > MOST_SERIES {
            return Err(Wrong::TooMuch);
        }
        let target = from.index()?;
        let class = Class::ALL.get(usize::from(from.byte()?));
        let class = *class.ok_or(Wrong::Damaged)?;
        let bit = match from.byte()? {
            priority @ 0..3 => 1 << priority,
            _ => return Err(Wrong::Damaged),
        };
        let name = self.named(from)?;
        let count = from.count(2)?;
        if count > MOST_LABELS {
            return Err(Wrong::TooMuch);
        }
        self.hold(SERIES_BYTES + count * LABEL_BYTES)?;
        let mut pairs = Vec::with_capacity(count);
        for _ in 0..count {
            pairs.push((self.named(from)?, self.named(from)?));
        }
        let target = self.targets.get_mut(target).ok_or(Wrong::Damaged)?;
        target.series.push(In {
            key: SeriesKey::new(name, Labels::new(pairs)),
            class,
            bit,
            last: Last::default(),
            alive: false,
        });
        Ok(())
    }

    fn scrape(&mut self, from: &mut Cursor<'_>) -> Result<Scrape, Wrong> {
        let place = from.index()?;
        // What is repeated takes no byte of the message: it is counted here.
        self.tell(EVENT + self.targets.get(place).map_or(0, |t| t.series.len()))?;
        let target = self.targets.get_mut(place).ok_or(Wrong::Damaged)?;
        let flags = from.byte()?;
        target.at = target.at.wrapping_add(from.i64()?);
        let (kind, wanted) = (flags >> 4, flags & 0xf);
        let told = match kind {
            NOTHING => {
                target.series.iter_mut().for_each(|s| s.alive = false);
                Told::Nothing
            }
            ALL | SOME => target.told(from, kind == ALL, wanted)?,
            _ => return Err(Wrong::Damaged),
        };
        Ok(Scrape {
            exporter: target.exporter,
            url: target.url.clone(),
            instance: target.instance.clone(),
            interval_ms: target.interval_ms,
            at: Timestamp(target.at),
            told,
        })
    }
}

impl Target {
    fn told(&mut self, from: &mut Cursor<'_>, all: bool, wanted: u8) -> Result<Told, Wrong> {
        let changed = places(from, self.series.len(), 2, |_| Ok(()))?;
        let mut changed = changed.into_iter().map(|(at, ())| at).peekable();
        let whole = all && wanted == 0b111;
        let mut raws: Vec<(usize, Raw)> = Vec::new();
        for (at, series) in self.series.iter_mut().enumerate() {
            let news = changed.next_if_eq(&at).is_some();
            if news {
                let value = series.last.take(from, series.class.is_count())?;
                series.alive = !has_ended(value);
            }
            if wanted & series.bit == 0 {
                continue;
            }
            let value = match (news, series.alive) {
                (_, true) if news || all => series.last.value(),
                // Where not all is told, an end has to be.
                (true, false) if !whole => ENDED,
                _ => continue,
            };
            if !news {
                series.last.rest();
            }
            let raw = Raw {
                key: series.key.clone(),
                class: series.class,
                at: Timestamp(self.at),
                value,
            };
            raws.push((at, raw));
        }
        let own = places(from, self.series.len(), 2, |from| Ok(from.i64()?))?;
        let mut rest = raws.iter_mut();
        for (at, after) in own {
            let (_, raw) = rest.find(|(place, _)| *place == at).ok_or(Wrong::Damaged)?;
            raw.at = Timestamp(self.at.wrapping_add(after));
        }
        let raws = raws.into_iter().map(|(_, raw)| raw).collect();
        Ok(if whole {
            Told::All(raws)
        } else {
            Told::Some(raws)
        })
    }
}

/// Places of series in their order, each with what stands behind it.
fn places<T>(
    from: &mut Cursor<'_>,
    series: usize,
    least: usize,
    mut behind: impl FnMut(&mut Cursor<'_>) -> Result<T, Wrong>,
) -> Result<Vec<(usize, T)>, Wrong> {
    let count = from.count(least)?;
    if count > series {
        return Err(Wrong::Damaged);
    }
    let mut all = Vec::with_capacity(count);
    let mut next = 0_usize;
    for _ in 0..count {
        let at = next.saturating_add(from.index()?);
        if at >= series {
            return Err(Wrong::Damaged);
        }
        all.push((at, behind(from)?));
        next = at + 1;
    }
    Ok(all)
}
