//! The messages of one generation, in a file of their own or in memory.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tokio_util::bytes::Bytes;

use crate::edge::{Head, Packed};

/// Ends the name of a file.
pub(super) const KIND: &str = "fws";
/// Stands where the size of a message stands: all up to the sequence that follows are on the bus.
const SENT: u32 = u32::MAX;
/// Larger messages are none of ours.
const MOST_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Generation {
    place: Option<(PathBuf, File)>,
    /// Bytes written, sent or not.
    pub size: u64,
    pub waiting: VecDeque<Waiting>,
    pub scrapes: u64,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub head: Head,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Held(Bytes),
    At(u64, usize),
}

impl Generation {
    pub fn new(folder: Option<&Path>, head: &Head, now_ms: i64) -> io::Result<Self> {
        let place = match folder {
            None => None,
            Some(folder) => {
                let (run, sequence) = (head.run, head.sequence);
                let name = format!("{now_ms:016}-{run:016x}-{sequence:012}.{KIND}");
                let path = folder.join(name);
                let file = private().create_new(true).open(&path)?;
                Some((path, file))
            }
        };
        Ok(Self {
            place,
            size: 0,
            waiting: VecDeque::new(),
            scrapes: 0,
        })
    }

    /// What is broken at the end, as after a loss of power, is left out.
    pub fn read(path: PathBuf) -> io::Result<Self> {
        let bytes = std::fs::read(&path)?;
        let file = private().open(&path)?;
        let mut found = Self {
            place: Some((path, file)),
            size: 0,
            waiting: VecDeque::new(),
            scrapes: 0,
        };
        let mut at = 0;
        while let Some((size, body)) = bytes.get(at..).and_then(|b| b.split_first_chunk::<4>()) {
            let size = u32::from_be_bytes(*size);
            if size == SENT {
                let Some((sequence, _)) = body.split_first_chunk::<8>() else {
                    break;
                };
                let sent = u64::from_be_bytes(*sequence);
                found.waiting.retain(|w| w.head.sequence > sent);
                at += 12;
                continue;
            }
            let size = size as usize;
            let Some(Ok(head)) = body.get(..size).map(Head::of) else {
                break;
            };
            let body = Body::At(at as u64 + 4, size);
            found.waiting.push_back(Waiting { head, body });
            at += 4 + size;
        }
        found.size = at as u64;
        found.tidy();
        found.scrapes = found.waiting.iter().map(|w| w.head.scrapes).sum();
        Ok(found)
    }

    pub fn push(&mut self, packed: Packed) -> io::Result<()> {
        let Packed { head, bytes } = packed;
        if bytes.len() > MOST_BYTES {
            return Err(io::Error::other("a message is too large for the spool"));
        }
        let len = bytes.len();
        let body = match self.place {
            Some(_) => {
                let mut record = (len as u32).to_be_bytes().to_vec();
                record.extend_from_slice(&bytes);
                self.write(&record)?;
                Body::At(self.size + 4, len)
            }
            None => Body::Held(bytes.into()),
        };
        self.size += 4 + len as u64;
        self.scrapes += head.scrapes;
        self.waiting.push_back(Waiting { head, body });
        Ok(())
    }

    /// At the end of what is whole: half a record, as a full disk leaves it, is written over.
    fn write(&self, record: &[u8]) -> io::Result<()> {
        let Some((_, file)) = &self.place else {
            return Ok(());
        };
        let written = file.write_all_at(record, self.size);
        if written.is_err() {
            self.tidy();
        }
        written
    }

    /// Takes away what stands behind the last whole record.
    fn tidy(&self) {
        if let Some((_, file)) = &self.place {
            let _ = file.set_len(self.size);
        }
    }

    /// The body of a message that waits.
    pub fn body(&self, waiting: &Waiting) -> io::Result<Bytes> {
        Ok(match (&waiting.body, &self.place) {
            (Body::At(at, len), Some((_, file))) => {
                let mut bytes = vec![0; *len];
                file.read_exact_at(&mut bytes, *at)?;
                bytes.into()
            }
            (Body::Held(bytes), _) => bytes.clone(),
            (Body::At(..), None) => Bytes::new(),
        })
    }

    /// Lost, the message is sent again, and heard once all the same.
    pub fn note_sent(&mut self, sequence: u64) {
        let mut record = SENT.to_be_bytes().to_vec();
        record.extend_from_slice(&sequence.to_be_bytes());
        if self.place.is_some() && self.write(&record).is_ok() {
            self.size += record.len() as u64;
        }
    }

    pub fn remove(self) {
        if let Some((path, _)) = self.place {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}
