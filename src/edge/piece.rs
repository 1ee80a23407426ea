//! The samples of one series, packed: runs of times and values, the newest still open.

use std::collections::VecDeque;
use std::sync::Arc;

use super::value::Last;
use crate::bundle::wire::{Cursor, put_i64};
use crate::model::sample::{Sample, SeriesKey};
use crate::model::scrape::Class;
use crate::model::time::Timestamp;

/// Samples of a closed piece.
const PIECE: u32 = 120;
const PIECE_BYTES: usize = size_of::<Piece>() + 16;

#[derive(Debug)]
pub(super) struct Series {
    pub key: SeriesKey,
    pub class: Class,
    closed: VecDeque<Piece>,
    open: Open,
    /// The look that brought it last.
    pub seen: u64,
    pub alive: bool,
    /// Its samples bear their own times: it ends without a mark, as in Prometheus.
    pub own_time: bool,
}

/// A run of samples.
#[derive(Clone, Debug)]
struct Piece {
    first: i64,
    last: i64,
    count: u32,
    bytes: Arc<[u8]>,
}

#[derive(Debug, Default)]
struct Open {
    first: i64,
    at: i64,
    step: i64,
    count: u32,
    value: Last,
    bytes: Vec<u8>,
}

impl Open {
    fn put(&mut self, at: i64, value: f64, counts: bool) {
        if self.count == 0 {
            *self = Self {
                first: at,
                at,
                bytes: std::mem::take(&mut self.bytes),
                ..Self::default()
            };
        } else {
            let step = at.wrapping_sub(self.at);
            put_i64(&mut self.bytes, step.wrapping_sub(self.step));
            (self.at, self.step) = (at, step);
        }
        self.value.put(&mut self.bytes, value, counts);
        self.count += 1;
    }

    fn piece(&self) -> Piece {
        Piece {
            first: self.first,
            last: self.at,
            count: self.count,
            bytes: self.bytes.as_slice().into(),
        }
    }
}

impl Piece {
    /// Adds the samples between these times.
    fn read(&self, (first, last): (i64, i64), counts: bool, out: &mut Vec<Sample>) {
        let (mut from, mut value) = (Cursor::new(&self.bytes), Last::default());
        let (mut at, mut step) = (self.first, 0_i64);
        for n in 0..self.count {
            if n > 0 {
                let Ok(more) = from.i64() else { return };
                step = more.wrapping_add(step);
                at = step.wrapping_add(at);
            }
            let Ok(value) = value.take(&mut from, counts) else {
                return;
            };
            if at > last {
                return;
            }
            if at >= first {
                let at = Timestamp(at);
                out.push(Sample { at, value });
            }
        }
    }
}

impl Series {
    pub fn new(key: SeriesKey, class: Class) -> Self {
        Self {
            key,
            class,
            closed: VecDeque::new(),
            open: Open::default(),
            seen: 0,
            alive: true,
            own_time: false,
        }
    }

    pub fn newest(&self) -> Option<i64> {
        match self.open.count {
            0 => self.closed.back().map(|p| p.last),
            _ => Some(self.open.at),
        }
    }

    /// When its oldest piece begins and ends.
    pub fn oldest(&self) -> Option<(i64, i64)> {
        let open = (self.open.count > 0).then_some((self.open.first, self.open.at));
        self.closed.front().map(|p| (p.first, p.last)).or(open)
    }

    /// How many bytes more it takes now; `None`: older than what it told.
    pub fn put(&mut self, at: i64, value: f64) -> Option<usize> {
        if self.newest().is_some_and(|newest| at <= newest) {
            return None;
        }
        let before = self.open.bytes.len();
        self.open.put(at, value, self.class.is_count());
        let mut more = self.open.bytes.len() - before;
        if self.open.count >= PIECE {
            self.closed.push_back(self.open.piece());
            self.open.count = 0;
            self.open.bytes.clear();
            more += PIECE_BYTES;
        }
        Some(more)
    }

    /// Forgets pieces that ended before this time; how many bytes that frees.
    pub fn forget(&mut self, from: i64) -> usize {
        let mut freed = 0;
        while let Some(gone) = self.closed.pop_front_if(|p| p.last < from) {
            freed += gone.bytes.len() + PIECE_BYTES;
        }
        if self.open.count > 0 && self.open.at < from {
            freed += self.open.bytes.len();
            self.open = Open::default();
        }
        freed
    }

    /// With the pieces that have samples between these times; `None`: it has none.
    pub fn between(&self, (first, last): (i64, i64)) -> Option<Found> {
        let open = (self.open.count > 0).then(|| self.open.piece());
        let pieces = self.closed.iter().cloned().chain(open);
        let pieces: Vec<Piece> = pieces
            .filter(|p| p.first <= last && p.last >= first)
            .collect();
        (!pieces.is_empty()).then(|| Found {
            key: self.key.clone(),
            class: self.class,
            samples: pieces.iter().map(|p| p.count as usize).sum(),
            pieces,
        })
    }
}

/// A series that was found, its samples still packed: reading them needs no lock.
#[derive(Clone, Debug)]
pub struct Found {
    pub key: SeriesKey,
    pub class: Class,
    pieces: Vec<Piece>,
    pub samples: usize,
}

impl Found {
    /// In time order, marks of ends among them.
    pub fn read(&self, span: (i64, i64)) -> Vec<Sample> {
        let mut out = Vec::with_capacity(self.samples);
        for piece in &self.pieces {
            piece.read(span, self.class.is_count(), &mut out);
        }
        out
    }
}
