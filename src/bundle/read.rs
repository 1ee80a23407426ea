//! Reading a recording in order, from a file or from memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Cursor as Bytes, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};

use super::frame::Decoder;
use super::wire::Cursor;
use super::{BundleError, CHUNK, CHUNK_LIMIT, END, Header, INDEX, MAGIC, MAGIC_STEM, TABLE_LIMIT};
use crate::model::telemetry::Telemetry;
use crate::model::time::Timestamp;

/// Where a chunk stands and what time it covers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChunkRef {
    pub offset: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    pub frames: u32,
}

trait Input: Read + Seek + Send + Sync {}
impl<T: Read + Seek + Send + Sync> Input for T {}

pub struct Reader {
    input: Box<dyn Input>,
    header: Header,
    chunks: Vec<ChunkRef>,
    cut: bool,
    next_chunk: usize,
    decoder: Decoder,
    ready: VecDeque<Telemetry>,
    /// What is wrong with the chunk whose deliveries are in `ready`.
    broken: Option<BundleError>,
}

impl Reader {
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        Self::new(Box::new(BufReader::new(File::open(path)?)))
    }

    pub fn from_bytes(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    ) -> Result<Self, BundleError> {
        Self::new(Box::new(Bytes::new(bytes)))
    }

    fn new(mut input: Box<dyn Input>) -> Result<Self, BundleError> {
        let (header, begin) = read_header(&mut input)?;
        let (chunks, cut) = match read_index(&mut input, begin) {
            Some(chunks) => (chunks, false),
            None => (scan(&mut input, begin)?, true),
        };
        Ok(Self {
            input,
            header: header.cleaned(),
            chunks,
            cut,
            next_chunk: 0,
            decoder: Decoder::default(),
            ready: VecDeque::new(),
            broken: None,
        })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    pub fn start(&self) -> Timestamp {
        let first = self.chunks.iter().map(|c| c.first).min();
        first.map_or(self.header.start, |first| first.min(self.header.start))
    }

    pub fn end(&self) -> Timestamp {
        let last = self.chunks.iter().map(|c| c.last).max();
        last.map_or(self.header.start, |last| last.max(self.header.start))
    }

    /// The file ends before its index: it was not finished or not copied whole.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    #[cfg(test)]
    pub fn chunk_offset(&self, n: usize) -> usize {
        self.chunks[n].offset as usize
    }

    /// Not one delivery can be read.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The next delivery in the order of recording; `None` at the end. After damage nothing can be
    /// read on: chunks refer to the texts of those before.
    pub fn next_frame(&mut self) -> Result<Option<Telemetry>, BundleError> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(Some(frame));
            }
            if let Some(error) = self.broken.take() {
                return Err(error);
            }
            let Some(chunk) = self.chunks.get(self.next_chunk).copied() else {
                return Ok(None);
            };
            self.next_chunk += 1;
            if let Err(error) = self.unpack(chunk) {
                self.next_chunk = self.chunks.len();
                self.broken = Some(error);
            }
        }
    }

    /// The deliveries of a chunk, up to where it is damaged.
    fn unpack(&mut self, chunk: ChunkRef) -> Result<(), BundleError> {
        let raw = read_chunk(&mut self.input, chunk.offset)?;
        let mut cursor = Cursor::new(&raw);
        while let Some(frame) = self.decoder.take(&mut cursor)? {
            if usize::from(frame.cluster.0) >= self.header.clusters.len() {
                return Err(BundleError::Damaged("a delivery of an unknown cluster"));
            }
            self.ready.push_back(frame);
        }
        Ok(())
    }

    /// Back to the first delivery.
    pub fn rewind(&mut self) {
        self.next_chunk = 0;
        self.decoder = Decoder::default();
        self.ready.clear();
        self.broken = None;
    }
}

fn read_header(input: &mut dyn Input) -> Result<(Header, u64), BundleError> {
    let mut magic = Vec::new();
    input.take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    if !magic.starts_with(MAGIC_STEM) {
        return Err(BundleError::NotARecording);
    }
    if magic.len() < MAGIC.len() {
        return Err(BundleError::Empty);
    }
    if magic != MAGIC {
        let version = magic.get(MAGIC_STEM.len()..).unwrap_or_default();
        let version = String::from_utf8_lossy(version).trim().to_owned();
        return Err(BundleError::Version(crate::model::text::clean(
            &version, 16,
        )));
    }
    let header = read_table(input).map_err(|error| match error {
        BundleError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => BundleError::Empty,
        other => other,
    })?;
    let begin = input.stream_position()?;
    let header = rmp_serde::from_slice(&header)
        .map_err(|_| BundleError::Damaged("its header cannot be read"))?;
    Ok((header, begin))
}

fn read_u32(input: &mut dyn Input) -> Result<usize, BundleError> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

/// So many bytes, or an error: memory grows with what is there, not with what is promised.
fn read_exactly(input: &mut dyn Input, len: usize) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    input.take(len as u64).read_to_end(&mut bytes)?;
    if bytes.len() < len {
        return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}

fn read_table(input: &mut dyn Input) -> Result<Vec<u8>, BundleError> {
    let len = read_u32(input)?;
    if len > TABLE_LIMIT {
        return Err(BundleError::Damaged("its header or index is too large"));
    }
    read_exactly(input, len)
}

/// The chunks as the index at the end lists them; `None`: there is none that makes sense.
fn read_index(input: &mut dyn Input, begin: u64) -> Option<Vec<ChunkRef>> {
    let tail = i64::try_from(8 + END.len()).ok()?;
    let end = input.seek(SeekFrom::End(-tail)).ok()?;
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes).ok()?;
    let mut mark = [0; END.len()];
    input.read_exact(&mut mark).ok()?;
    let at = u64::from_le_bytes(bytes);
    if mark != END || at < begin || at >= end {
        return None;
    }
    input.seek(SeekFrom::Start(at)).ok()?;
    let mut tag = [0];
    input.read_exact(&mut tag).ok()?;
    if tag != [INDEX] {
        return None;
    }
    let chunks: Vec<ChunkRef> = rmp_serde::from_slice(&read_table(input).ok()?).ok()?;
    let in_order = chunks.is_sorted_by(|a, b| a.offset < b.offset);
    let inside = chunks.iter().all(|c| (begin..at).contains(&c.offset));
    (in_order && inside).then_some(chunks)
}

/// The whole chunks from the beginning on, for a file without an index.
fn scan(input: &mut dyn Input, begin: u64) -> Result<Vec<ChunkRef>, BundleError> {
    let end = input.seek(SeekFrom::End(0))?;
    let mut chunks = Vec::new();
    let mut offset = begin;
    loop {
        input.seek(SeekFrom::Start(offset))?;
        let Some((packed, first, last)) = read_chunk_head(input) else {
            return Ok(chunks);
        };
        let next = input.stream_position()?.saturating_add(packed as u64);
        if next > end {
            return Ok(chunks);
        }
        chunks.push(ChunkRef {
            offset,
            first,
            last,
            frames: 0,
        });
        offset = next;
    }
}

fn read_chunk_head(input: &mut dyn Input) -> Option<(usize, Timestamp, Timestamp)> {
    let mut head = [0; 25];
    input.read_exact(&mut head).ok()?;
    let mut cursor = Cursor::new(&head);
    if cursor.byte().ok()? != CHUNK {
        return None;
    }
    let packed = u32::from_le_bytes(cursor.fixed().ok()?) as usize;
    let raw = u32::from_le_bytes(cursor.fixed().ok()?) as usize;
    let first = Timestamp(i64::from_le_bytes(cursor.fixed().ok()?));
    let last = Timestamp(i64::from_le_bytes(cursor.fixed().ok()?));
    (raw <= CHUNK_LIMIT && packed <= CHUNK_LIMIT).then_some((packed, first, last))
}

fn read_chunk(input: &mut dyn Input, offset: u64) -> Result<Vec<u8>, BundleError> {
    const BROKEN: BundleError = BundleError::Damaged("a chunk cannot be unpacked");
    input.seek(SeekFrom::Start(offset))?;
    let (packed, ..) = read_chunk_head(input).ok_or(BROKEN)?;
    let packed = read_exactly(input, packed)?;
    let mut raw = Vec::new();
    GzDecoder::new(packed.as_slice())
        .take(CHUNK_LIMIT as u64 + 1)
        .read_to_end(&mut raw)
        .map_err(|_| BROKEN)?;
    if raw.len() > CHUNK_LIMIT {
        return Err(BROKEN);
    }
    Ok(raw)
}
