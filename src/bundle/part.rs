//! One part of a recording on the disk: a head with its kind, sizes, times and checksum, and its
//! content as gzip. The checksum is over all of it, so that one wrong byte names its part.

use std::io::{Read, Seek, Write};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

use super::wire::Cursor;
use super::{BundleError, CHUNK, CHUNK_LIMIT, Version, length};
use crate::model::time::Timestamp;

/// Bytes before the checksum: kind, packed size, unpacked size, first and last time.
const HEAD: usize = 25;
const CRC: usize = 4;

pub(super) trait Input: Read + Seek + Send + Sync {}
impl<T: Read + Seek + Send + Sync> Input for T {}

/// What stands before the content.
pub(super) struct Head {
    pub tag: u8,
    /// Bytes of the content as it lies there.
    pub packed: usize,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The head as it was read, and what the whole part should sum to.
    sealed: Option<([u8; HEAD], u32)>,
}

pub(super) fn crc(pieces: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    pieces.iter().for_each(|piece| crc.update(piece));
    crc.sum()
}

/// The part as it is written.
pub(super) fn seal(
    tag: u8,
    raw: &[u8],
    (first, last): (Timestamp, Timestamp),
) -> Result<Vec<u8>, BundleError> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(raw)?;
    let packed = packed.finish()?;
    let mut out = Vec::with_capacity(HEAD + CRC + packed.len());
    out.push(tag);
    out.extend_from_slice(&length(packed.len())?);
    out.extend_from_slice(&length(raw.len())?);
    out.extend_from_slice(&first.0.to_le_bytes());
    out.extend_from_slice(&last.0.to_le_bytes());
    let sum = crc(&[&out, &packed]);
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&packed);
    Ok(out)
}

/// The head that stands here; `None`: there is none, or none that makes sense.
pub(super) fn head(input: &mut dyn Input, version: Version) -> Option<Head> {
    let mut bytes = [0; HEAD];
    input.read_exact(&mut bytes).ok()?;
    let mut cursor = Cursor::new(&bytes);
    let tag = cursor.byte().ok()?;
    let packed = u32::from_le_bytes(cursor.fixed().ok()?) as usize;
    let raw = u32::from_le_bytes(cursor.fixed().ok()?) as usize;
    let first = Timestamp(i64::from_le_bytes(cursor.fixed().ok()?));
    let last = Timestamp(i64::from_le_bytes(cursor.fixed().ok()?));
    let sealed = match version {
        Version::One if tag != CHUNK => return None,
        Version::One => None,
        Version::Two => {
            let mut sum = [0; CRC];
            input.read_exact(&mut sum).ok()?;
            Some((bytes, u32::from_le_bytes(sum)))
        }
    };
    (raw <= CHUNK_LIMIT && packed <= CHUNK_LIMIT).then_some(Head {
        tag,
        packed,
        first,
        last,
        sealed,
    })
}

/// What stands behind the head, unpacked: `most` bytes of it are taken at the longest.
pub(super) fn content(
    input: &mut dyn Input,
    head: &Head,
    (name, most): (&str, usize),
) -> Result<Vec<u8>, BundleError> {
    let broken = || BundleError::Part(name.to_owned());
    let packed = super::read::read_exactly(input, head.packed).map_err(|_| broken())?;
    if let Some((bytes, sum)) = &head.sealed
        && crc(&[bytes, &packed]) != *sum
    {
        return Err(broken());
    }
    let mut raw = Vec::new();
    GzDecoder::new(packed.as_slice())
        .take(most as u64 + 1)
        .read_to_end(&mut raw)
        .map_err(|_| broken())?;
    if raw.len() > most {
        return Err(broken());
    }
    Ok(raw)
}
