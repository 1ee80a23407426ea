//! What a message begins with, and how it is sealed.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::decode::Wrong;
use crate::bundle::wire::{Cursor, put_i64, put_len, put_u64};
use crate::model::time::Timestamp;

/// What a message begins with: that it is one, and its version.
const MAGIC: [u8; 2] = *b"FS";
const VERSION: u8 = 1;
/// Bytes of the sum over all the others, right before the compressed part.
const SUM: usize = 4;

/// Over what stands before the sum, and behind it.
fn sum(before: &[u8], rest: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(before);
    crc.update(rest);
    crc.sum()
}

/// What stands before the compressed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of one run of one publisher.
    pub run: u64,
    /// From 1, without a gap.
    pub sequence: u64,
    /// A generation begins: it can be read by who has read nothing before.
    pub first: bool,
    /// The scrapes in it: how many, when the first and the last were.
    pub scrapes: u64,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// A message, ready to be sent.
#[derive(Clone, Debug)]
pub struct Packed {
    pub head: Head,
    pub bytes: Vec<u8>,
}

impl Head {
    /// The head of a message, and what follows it: the size of the rest and the rest, compressed.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, usize, &[u8]), Wrong> {
        let mut from = Cursor::new(bytes);
        if from.fixed::<2>()? != MAGIC {
            return Err(Wrong::Foreign);
        }
        match from.byte()? {
            VERSION => {}
            version => return Err(Wrong::Version(version)),
        }
        let run = u64::from_be_bytes(from.fixed()?);
        let sequence = from.u64()?;
        let first = from.byte()? != 0;
        let scrapes = from.u64()?;
        let begin = from.i64()?;
        let head = Self {
            run,
            sequence,
            first,
            scrapes,
            from: Timestamp(begin),
            to: Timestamp(begin.wrapping_add(from.i64()?)),
        };
        let size = from.index()?;
        let sum = u32::from_be_bytes(from.fixed()?);
        let rest = from.take(from.len())?;
        let before = bytes.len().saturating_sub(rest.len() + SUM);
        if sum != self::sum(bytes.get(..before).unwrap_or_default(), rest) {
            return Err(Wrong::Damaged);
        }
        Ok((head, size, rest))
    }

    /// Of a message as it was sent.
    ///
    /// # Errors
    /// [`Wrong`]: it is none.
    pub fn of(bytes: &[u8]) -> Result<Self, Wrong> {
        Self::read(bytes).map(|(head, ..)| head)
    }

    /// The same however often it is sent.
    pub fn id(&self) -> String {
        format!("{:016x}-{}", self.run, self.sequence)
    }

    /// The message that begins so and says this.
    pub(super) fn seal(self, body: &[u8]) -> Option<Packed> {
        let mut bytes = Vec::with_capacity(64 + body.len() / 3);
        self.put(&mut bytes);
        put_len(&mut bytes, body.len());
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail.
        let rest = packed.write_all(body).and_then(|()| packed.finish()).ok()?;
        let sum = sum(&bytes, &rest).to_be_bytes();
        bytes.extend_from_slice(&sum);
        bytes.extend_from_slice(&rest);
        Some(Packed { head: self, bytes })
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&self.run.to_be_bytes());
        put_u64(out, self.sequence);
        out.push(u8::from(self.first));
        put_u64(out, self.scrapes);
        put_i64(out, self.from.0);
        put_i64(out, self.to.0.wrapping_sub(self.from.0));
    }
}
