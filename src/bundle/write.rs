//! Writing a recording, chunk by chunk.

use std::io::Write;

use super::frame::Encoder;
use super::read::ChunkRef;
use super::{BundleError, CHUNK, CHUNK_LIMIT, END, Header, INDEX, MAGIC, handed, length, part};
use crate::model::handover::Handover;
use crate::model::telemetry::Telemetry;
use crate::model::time::Timestamp;

/// A chunk is closed when it has so many bytes or spans so much time: what a crash may cost.
const CHUNK_BYTES: usize = 512 << 10;
const CHUNK_MS: u64 = 10_000;

pub struct Writer<W: Write> {
    out: W,
    offset: u64,
    encoder: Encoder,
    raw: Vec<u8>,
    frames: u32,
    /// Time of the first and the greatest time of the frames in `raw`.
    span: Option<(Timestamp, Timestamp)>,
    chunks: Vec<ChunkRef>,
}

impl<W: Write> Writer<W> {
    pub fn new(out: W, header: &Header) -> Result<Self, BundleError> {
        let mut writer = Self {
            out,
            offset: 0,
            encoder: Encoder::default(),
            raw: Vec::new(),
            frames: 0,
            span: None,
            chunks: Vec::new(),
        };
        let header = rmp_serde::to_vec_named(header)
            .map_err(|_| BundleError::Damaged("the header cannot be written"))?;
        writer.put(MAGIC)?;
        writer.table(&header)?;
        Ok(writer)
    }

    /// What somebody gives along. To be called before the first delivery: readers look for it there.
    pub fn hand_over(&mut self, handover: &Handover) -> Result<(), BundleError> {
        for bytes in handed::parts(handover)? {
            self.put(&bytes)?;
        }
        Ok(())
    }

    /// Length, checksum, bytes.
    fn table(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.put(&length(bytes.len())?)?;
        self.put(&part::crc(&[bytes]).to_le_bytes())?;
        self.put(bytes)
    }

    pub fn push(&mut self, telemetry: &Telemetry) -> Result<(), BundleError> {
        let at = telemetry.received;
        let full = self.raw.len() >= CHUNK_BYTES;
        if full
            || self
                .span
                .is_some_and(|(first, _)| at.age_since_ms(first) >= CHUNK_MS)
        {
            self.flush()?;
        }
        let before = self.raw.len();
        self.encoder.put(&mut self.raw, telemetry)?;
        let size = self.raw.len() - before;
        if self.raw.len() > CHUNK_LIMIT {
            return Err(BundleError::TooLarge(size));
        }
        self.frames += 1;
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        Ok(())
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.offset
    }

    /// Closes the chunk that is being filled.
    pub fn flush(&mut self) -> Result<(), BundleError> {
        let Some((first, last)) = self.span.take() else {
            return Ok(());
        };
        let sealed = part::seal(CHUNK, &self.raw, (first, last))?;
        self.chunks.push(ChunkRef {
            offset: self.offset,
            first,
            last,
            frames: std::mem::take(&mut self.frames),
        });
        self.put(&sealed)?;
        self.raw.clear();
        self.out.flush()?;
        Ok(())
    }

    /// Closes the recording; returns its file.
    pub fn finish(mut self) -> Result<W, BundleError> {
        self.flush()?;
        let at = self.offset;
        let index = rmp_serde::to_vec(&self.chunks)
            .map_err(|_| BundleError::Damaged("the index cannot be written"))?;
        self.put(&[INDEX])?;
        self.table(&index)?;
        self.put(&at.to_le_bytes())?;
        self.put(END)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.out.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}
