//! Reading a recording in order, from a file or from memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Cursor as Bytes, ErrorKind, Read, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::frame::Decoder;
use super::handed::{self, Found};
use super::part::{self, Input};
use super::wire::Cursor;
use super::{
    BundleError, CHUNK, CHUNK_LIMIT, END, Header, INDEX, MAGIC, MAGIC_1, MAGIC_STEM, TABLE_LIMIT,
    Version,
};
use crate::model::handover::Handover;
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

pub struct Reader {
    input: Box<dyn Input>,
    version: Version,
    header: Header,
    handover: Option<Handover>,
    /// What of the file cannot be read, beside deliveries.
    troubles: Vec<String>,
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
        let (header, version, begin) = read_header(&mut input)?;
        let found = match version {
            Version::One => Found {
                end: begin,
                ..Found::default()
            },
            Version::Two => handed::read(&mut input, begin)?,
        };
        let mut troubles = found.troubles;
        let (chunks, cut) = match read_index(&mut input, found.end, version) {
            Ok(chunks) => (chunks, false),
            Err(lost) => {
                if lost == Lost::Damaged {
                    troubles.push("its index is damaged; its parts were looked for".into());
                }
                (scan(&mut input, found.end, version)?, lost == Lost::Cut)
            }
        };
        Ok(Self {
            input,
            version,
            header: header.cleaned(),
            handover: found.handover,
            troubles,
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

    /// Neither a delivery nor what was handed over can be read.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.handover.is_none()
    }

    /// What another console handed over with it.
    pub fn handover(&self) -> Option<&Handover> {
        self.handover.as_ref()
    }

    /// What is to be told of the file before it is used: where it was cut, what is damaged.
    pub fn troubles(&self) -> Vec<String> {
        let cut = "the recording was cut; it is read up to its last whole part";
        let cut = self.cut.then(|| cut.to_owned());
        self.troubles.iter().cloned().chain(cut).collect()
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
        let number = self.next_chunk;
        let raw = read_chunk(&mut self.input, &chunk, self.version, number)?;
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

fn read_header(input: &mut dyn Input) -> Result<(Header, Version, u64), BundleError> {
    let mut magic = Vec::new();
    input.take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    if !magic.starts_with(MAGIC_STEM) {
        return Err(BundleError::NotARecording);
    }
    if magic.len() < MAGIC.len() {
        return Err(BundleError::Empty);
    }
    let version = match magic.as_slice() {
        m if m == MAGIC => Version::Two,
        m if m == MAGIC_1 => Version::One,
        _ => {
            let version = magic.get(MAGIC_STEM.len()..).unwrap_or_default();
            let version = String::from_utf8_lossy(version).trim().to_owned();
            return Err(BundleError::Version(crate::model::text::clean(
                &version, 16,
            )));
        }
    };
    let header = read_table(input, version).map_err(|error| match error {
        BundleError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => BundleError::Empty,
        other => other,
    })?;
    let begin = input.stream_position()?;
    let header = rmp_serde::from_slice(&header)
        .map_err(|_| BundleError::Damaged("its header cannot be read"))?;
    Ok((header, version, begin))
}

fn read_u32(input: &mut dyn Input) -> Result<u32, BundleError> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// So many bytes, or an error: memory grows with what is there, not with what is promised.
pub(super) fn read_exactly(input: &mut dyn Input, len: usize) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    input.take(len as u64).read_to_end(&mut bytes)?;
    if bytes.len() < len {
        return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}

fn read_table(input: &mut dyn Input, version: Version) -> Result<Vec<u8>, BundleError> {
    let len = read_u32(input)? as usize;
    if len > TABLE_LIMIT {
        return Err(BundleError::Damaged("its header or index is too large"));
    }
    let sum = match version {
        Version::One => None,
        Version::Two => Some(read_u32(input)?),
    };
    let bytes = read_exactly(input, len)?;
    match sum {
        Some(sum) if sum != part::crc(&[&bytes]) => {
            Err(BundleError::Part("its header or index".into()))
        }
        _ => Ok(bytes),
    }
}

/// Why there is no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    /// The file ends without it.
    Cut,
    /// It is there and makes no sense.
    Damaged,
}

/// The chunks as the index at the end lists them.
fn read_index(input: &mut dyn Input, begin: u64, version: Version) -> Result<Vec<ChunkRef>, Lost> {
    let (at, end) = index_place(input).ok_or(Lost::Cut)?;
    if at < begin || at >= end {
        return Err(Lost::Damaged);
    }
    index_at(input, at, begin, version).ok_or(Lost::Damaged)
}

/// Where the index begins, as the last bytes of a finished file say, and where these stand.
fn index_place(input: &mut dyn Input) -> Option<(u64, u64)> {
    let tail = i64::try_from(8 + END.len()).ok()?;
    let end = input.seek(SeekFrom::End(-tail)).ok()?;
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes).ok()?;
    let mut mark = [0; END.len()];
    input.read_exact(&mut mark).ok()?;
    (mark == END).then_some((u64::from_le_bytes(bytes), end))
}

fn index_at(input: &mut dyn Input, at: u64, begin: u64, version: Version) -> Option<Vec<ChunkRef>> {
    input.seek(SeekFrom::Start(at)).ok()?;
    let mut tag = [0];
    input.read_exact(&mut tag).ok()?;
    if tag != [INDEX] {
        return None;
    }
    let table = read_table(input, version).ok()?;
    let chunks: Vec<ChunkRef> = rmp_serde::from_slice(&table).ok()?;
    let in_order = chunks.is_sorted_by(|a, b| a.offset < b.offset);
    let inside = chunks.iter().all(|c| (begin..at).contains(&c.offset));
    (in_order && inside).then_some(chunks)
}

/// The whole chunks from the beginning on, for a file without an index.
fn scan(input: &mut dyn Input, begin: u64, version: Version) -> Result<Vec<ChunkRef>, BundleError> {
    let end = input.seek(SeekFrom::End(0))?;
    let mut chunks = Vec::new();
    let mut offset = begin;
    loop {
        input.seek(SeekFrom::Start(offset))?;
        let Some(head) = part::head(input, version) else {
            return Ok(chunks);
        };
        let next = input.stream_position()?.saturating_add(head.packed as u64);
        if head.tag != CHUNK || next > end {
            return Ok(chunks);
        }
        chunks.push(ChunkRef {
            offset,
            first: head.first,
            last: head.last,
            frames: 0,
        });
        offset = next;
    }
}

/// `number`: from 1, to name it.
fn read_chunk(
    input: &mut dyn Input,
    chunk: &ChunkRef,
    version: Version,
    number: usize,
) -> Result<Vec<u8>, BundleError> {
    let name = format!(
        "chunk {number}, deliveries from {} to {}",
        chunk.first.rfc3339(),
        chunk.last.rfc3339()
    );
    input.seek(SeekFrom::Start(chunk.offset))?;
    match part::head(input, version) {
        Some(head) if head.tag == CHUNK => part::content(input, &head, (&name, CHUNK_LIMIT)),
        _ => Err(BundleError::Part(name)),
    }
}
