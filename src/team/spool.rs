//! What is told and not yet acknowledged by the bus, in a file of its own; beside it what was told
//! last of each incident, so that another run goes on with that.
//!
//! A record is the length of its body, a sum, its kind, its number and its body. What is cut or broken at the end,
//! as after a loss of power, is left out and counted.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Crc;
use tokio_util::bytes::Bytes;

use super::pack;
use super::stream::BODY;
use crate::model::id::IncidentId;
use crate::model::news::Change;
use crate::model::time::Timestamp;

const FILE: &str = "told.log";
const HEAD: usize = 4 + 4 + 1 + 8;
const TOLD: u8 = b'T';
/// All up to this number are acknowledged, or gave way.
const DONE: u8 = b'D';
/// As `TOLD`, and acknowledged already.
const KEPT: u8 = b'K';
/// This one alone is acknowledged: those before it wait.
const ONE: u8 = b'O';
/// Larger records are none of ours.
const MOST: usize = 16 << 20;
/// The file may grow to this over what it holds before it is written anew, bytes.
const SLACK: u64 = 1 << 20;
/// What ended so long ago is not gone on with, milliseconds.
const LATELY_MS: u64 = 7 * 86_400_000;

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("{}: [watch] spool cannot be used: {why}", path.display())]
    Io { path: PathBuf, why: io::Error },
    #[error("{}: another watcher uses this folder; give each its own [watch] spool", .0.display())]
    Taken(PathBuf),
    #[error("a change cannot be written: {0}")]
    Pack(String),
}

/// A message for the bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub number: u64,
    pub subject: String,
    /// Its `Nats-Msg-Id`.
    pub id: String,
    pub at: Timestamp,
    pub body: Bytes,
}

/// What became of what was told.
#[derive(Debug)]
pub struct Told {
    /// Messages that gave way.
    pub dropped: u64,
    /// Changes of which something was left out for want of room in a message.
    pub cut: u64,
}

#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: File,
    /// Held for as long as we live: no other process writes here.
    _lock: File,
    /// Bytes of the file.
    size: u64,
    /// Of what waits, at most.
    most: u64,
    next: u64,
    waiting: VecDeque<Message>,
    bytes: u64,
    last: BTreeMap<(Arc<str>, IncidentId), (u64, Bytes)>,
    last_bytes: u64,
    /// The disk did not take all: the file lacks what is held here.
    behind: bool,
    /// Bytes at the end of the file that could not be read at the start.
    pub broken: u64,
}

impl Spool {
    /// Opens what an earlier run left, or makes it. `most`: bytes that may wait.
    pub fn open(
        folder: &Path,
        most: u64,
        now: Timestamp,
    ) -> Result<(Self, Vec<Change>), SpoolError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |why| SpoolError::Io { path, why }
        };
        std::fs::create_dir_all(folder).map_err(at(folder))?;
        let lock = folder.join("lock");
        let held = private().open(&lock).map_err(at(&lock))?;
        held.try_lock().map_err(|e| match e {
            std::fs::TryLockError::WouldBlock => SpoolError::Taken(folder.to_owned()),
            std::fs::TryLockError::Error(why) => at(&lock)(why),
        })?;
        let path = folder.join(FILE);
        let mut bytes = Vec::new();
        let mut file = private().open(&path).map_err(at(&path))?;
        file.read_to_end(&mut bytes).map_err(at(&path))?;
        let mut spool = Self {
            path: path.clone(),
            file,
            _lock: held,
            size: 0,
            most,
            next: 1,
            waiting: VecDeque::new(),
            bytes: 0,
            last: BTreeMap::new(),
            last_bytes: 0,
            behind: false,
            broken: 0,
        };
        let read = spool.take_up(&bytes);
        spool.broken = (bytes.len() - read) as u64;
        let known = spool.known(now);
        // What was broken must not stand before what is written from now on.
        spool.write_anew().map_err(at(&path))?;
        Ok((spool, known))
    }

    /// Writes what is told now, and waits until the disk has it. `waits`: for the bus.
    pub fn tell(&mut self, changes: &[Change], waits: bool) -> Result<Told, SpoolError> {
        let (mut out, mut cut) = (Vec::new(), 0);
        for change in changes {
            let packed = pack::pack(change, BODY);
            let packed = packed.map_err(|e| SpoolError::Pack(e.to_string()))?;
            cut += u64::from(packed.cut);
            let (number, body) = (self.next, packed.body);
            record(&mut out, if waits { TOLD } else { KEPT }, number, &body);
            self.remember(change, number, body.into(), waits);
        }
        let mut dropped = 0;
        while self.bytes > self.most {
            let Some(oldest) = self.waiting.pop_front() else {
                break;
            };
            self.bytes -= oldest.body.len() as u64;
            dropped += 1;
            record(&mut out, DONE, oldest.number, &[]);
        }
        self.write(&out, true).map_err(|why| self.error(why))?;
        Ok(Told { dropped, cut })
    }

    /// The bus has these. Not waited for: what is told twice has one id.
    pub fn acknowledged(&mut self, numbers: &[u64]) -> Result<(), SpoolError> {
        let (mut out, mut until) = (Vec::new(), None);
        for number in numbers {
            if self.waiting.front().is_some_and(|m| m.number == *number) {
                self.let_go(*number);
                until = Some(*number);
            } else {
                self.let_go_one(*number);
                record(&mut out, ONE, *number, &[]);
            }
        }
        if let Some(until) = until {
            record(&mut out, DONE, until, &[]);
        }
        self.write(&out, false).map_err(|why| self.error(why))
    }

    /// What waits, the oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Message> {
        self.waiting.iter()
    }

    /// Messages and bytes that wait.
    pub fn pending(&self) -> (u64, u64) {
        (self.waiting.len() as u64, self.bytes)
    }

    fn error(&self, why: io::Error) -> SpoolError {
        SpoolError::Io {
            path: self.path.clone(),
            why,
        }
    }

    fn write(&mut self, bytes: &[u8], durably: bool) -> io::Result<()> {
        let large = self.size > SLACK + 2 * (self.bytes + self.last_bytes);
        let written = match self.behind || large {
            true => self.write_anew(),
            false => self.append(bytes, durably),
        };
        self.behind = written.is_err();
        written
    }

    fn append(&mut self, bytes: &[u8], durably: bool) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            // Half a record would hide all that comes behind it.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += bytes.len() as u64;
        match durably {
            true => self.file.sync_data(),
            false => Ok(()),
        }
    }

    fn remember(&mut self, change: &Change, number: u64, body: Bytes, waits: bool) {
        self.next = self.next.max(number + 1);
        let key = (change.cluster.clone(), change.incident.id);
        // What waits behind others stands in the file behind what was told later.
        let newest = self.last.get(&key).is_none_or(|(held, _)| *held < number);
        if change.event.is_of_incident() && newest {
            self.last_bytes += body.len() as u64;
            let former = self.last.insert(key, (number, body.clone()));
            self.last_bytes -= former.map_or(0, |(_, b)| b.len() as u64);
        }
        if waits {
            self.bytes += body.len() as u64;
            self.waiting.push_back(Message {
                number,
                subject: change.subject(),
                id: change.id.clone(),
                at: change.at,
                body,
            });
        }
    }

    /// Reads records; up to which byte they are whole.
    fn take_up(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some((kind, number, body, next)) = bytes.get(at..).and_then(next_record) {
            at += next;
            // What another version wrote keeps its number.
            self.next = self.next.max(number.saturating_add(1));
            if kind == DONE {
                self.let_go(number);
            } else if kind == ONE {
                self.let_go_one(number);
            } else if let Ok(change) = rmp_serde::from_slice::<Change>(body) {
                self.remember(&change, number, Bytes::copy_from_slice(body), kind == TOLD);
            }
        }
        at
    }

    fn let_go(&mut self, number: u64) {
        while let Some(first) = self.waiting.pop_front_if(|m| m.number <= number) {
            self.bytes -= first.body.len() as u64;
        }
    }

    fn let_go_one(&mut self, number: u64) {
        let place = self.waiting.binary_search_by_key(&number, |m| m.number);
        let gone = place.ok().and_then(|place| self.waiting.remove(place));
        self.bytes -= gone.map_or(0, |m| m.body.len() as u64);
    }

    /// What was told last of each incident; what ended long ago is forgotten.
    fn known(&mut self, now: Timestamp) -> Vec<Change> {
        let mut known = Vec::new();
        self.last.retain(|_, (_, body)| {
            let read = rmp_serde::from_slice::<Change>(body).ok();
            let kept = read.filter(|c| {
                c.incident.is_live() || now.age_since_ms(c.incident.changed) < LATELY_MS
            });
            let keep = kept.is_some();
            known.extend(kept);
            keep
        });
        self.last_bytes = self.last.values().map(|(_, b)| b.len() as u64).sum();
        known
    }

    /// Another file in the place of this one, whole or not at all.
    fn write_anew(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        let waits = |number: &u64| {
            let place = self.waiting.binary_search_by_key(number, |m| m.number);
            place.is_ok()
        };
        let quiet = self.last.values().filter(|(number, _)| !waits(number));
        for (number, body) in quiet {
            record(&mut out, KEPT, *number, body);
        }
        for message in &self.waiting {
            record(&mut out, TOLD, message.number, &message.body);
        }
        let near = self.path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&near)?;
        file.write_all(&out)?;
        file.sync_all()?;
        std::fs::rename(&near, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.file = private().open(&self.path)?;
        self.size = out.len() as u64;
        Ok(())
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options
}

fn record(out: &mut Vec<u8>, kind: u8, number: u64, body: &[u8]) {
    let head = out.len();
    out.extend((body.len() as u32).to_le_bytes());
    out.extend([0; 4]);
    out.push(kind);
    out.extend(number.to_le_bytes());
    out.extend(body);
    let mut sum = Crc::new();
    sum.update(out.get(head + 8..).unwrap_or_default());
    if let Some(place) = out.get_mut(head + 4..head + 8) {
        place.copy_from_slice(&sum.sum().to_le_bytes());
    }
}

/// Kind, number and body of the first record, and its whole length; `None`: it is cut or broken.
fn next_record(bytes: &[u8]) -> Option<(u8, u64, &[u8], usize)> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let inner = rest
        .get(..length.checked_add(9)?)
        .filter(|_| length <= MOST)?;
    let mut seen = Crc::new();
    seen.update(inner);
    let (kind, rest) = inner.split_first()?;
    let (number, body) = rest.split_first_chunk()?;
    let whole = seen.sum() == u32::from_le_bytes(*sum);
    whole.then_some((*kind, u64::from_le_bytes(*number), body, HEAD + length))
}

#[cfg(test)]
mod tests;
