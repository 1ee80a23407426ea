//! Recordings: what the sources delivered, written down and read back.
//!
//! A file is a magic line with the version, a header (the clusters as they are shown), what somebody
//! handed over with it (an incident, conversations), chunks of gzip that hold frames, and an index of
//! the chunks. A file that was cut reads up to its last whole chunk. docs/recording.md is the format
//! in full. Frames are [`Telemetry`](crate::model::telemetry::Telemetry) and nothing else: headers,
//! credentials and paths of the recording host have no place in the format.
//!
//! Version 2 has a checksum on each part and what is handed over; version 1 had neither and is read
//! as before.
//!
//! Reading takes nothing on trust: lengths are checked against what is there before memory is
//! taken, and every text is cleaned as if it came from a cluster.

use std::io;

use serde::{Deserialize, Serialize};

pub use crate::model::handover::RecordedCluster;
use crate::model::text;
use crate::model::time::Timestamp;

pub mod demo;
mod frame;
mod handed;
mod part;
pub mod read;
mod samples;
mod texts;
pub(crate) mod wire;
pub mod write;

pub use handed::redacted;
pub use read::Reader;
pub use write::Writer;

/// First line of every recording; the number is the version of all that follows.
const MAGIC: &[u8] = b"farwatch recording 2\n";
/// The same of those that are only read.
const MAGIC_1: &[u8] = b"farwatch recording 1\n";
const MAGIC_STEM: &[u8] = b"farwatch recording ";
/// Last bytes of a recording that was finished; the offset of the index stands before them.
const END: &[u8] = b"farwend\n";
const CHUNK: u8 = b'C';
const INDEX: u8 = b'I';
/// Who handed it over, why, and the incidents.
const HANDED: u8 = b'H';
/// A conversation that goes with it.
const TALK: u8 = b'T';
/// Longest header and index.
const TABLE_LIMIT: usize = 8 << 20;
/// Longest chunk, unpacked.
const CHUNK_LIMIT: usize = 64 << 20;
/// Texts that one recording may define, in bytes.
const DICTIONARY_LIMIT: usize = 256 << 20;

/// How the parts of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("the recording cannot be read or written")]
    Io(#[from] io::Error),
    #[error("this is not a recording of farwatch")]
    NotARecording,
    #[error("the recording has version {0}; this farwatch reads versions 1 and 2")]
    Version(String),
    #[error("the recording ends before its first delivery")]
    Empty,
    #[error("the recording is damaged: {0}")]
    Damaged(&'static str),
    #[error("the recording is damaged in {0}")]
    Part(String),
    #[error("a delivery of {0} bytes is too large for a recording; it was left out")]
    TooLarge(usize),
}

impl BundleError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io(_) => "check the path, its permissions and the room on the disk",
            Self::NotARecording => "give a file made by `farwatch record` or `farwatch export`",
            Self::Version(_) => "replay it with the farwatch that made it, or a newer one",
            Self::Empty => "copy it again whole, or record for longer",
            Self::Damaged(_) | Self::Part(_) => {
                "copy it again from where it was made, or record anew"
            }
            Self::TooLarge(_) => "lower series_per_cluster in the configuration",
        }
    }
}

/// What stands at the head of a recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the program that wrote it.
    pub program: String,
    pub start: Timestamp,
    /// `ClusterId` is the position in this list.
    pub clusters: Vec<RecordedCluster>,
}

impl Header {
    pub fn new(clusters: Vec<RecordedCluster>, start: Timestamp) -> Self {
        Self {
            program: env!("CARGO_PKG_VERSION").into(),
            start,
            clusters,
        }
    }

    /// All texts cleaned: a recording may come from anywhere.
    fn cleaned(mut self) -> Self {
        let clean = |t: &mut String| *t = text::clean(t, 256);
        clean(&mut self.program);
        for cluster in &mut self.clusters {
            clean(&mut cluster.name);
            clean(&mut cluster.kind);
            cluster.environment.iter_mut().for_each(clean);
            cluster.region.iter_mut().for_each(clean);
            for (name, value) in &mut cluster.labels {
                clean(name);
                clean(value);
            }
        }
        self
    }
}

fn length(len: usize) -> Result<[u8; 4], BundleError> {
    let len = u32::try_from(len).map_err(|_| BundleError::TooLarge(len))?;
    Ok(len.to_le_bytes())
}

#[cfg(test)]
mod tests;
