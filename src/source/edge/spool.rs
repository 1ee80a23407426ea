//! What is not yet on the bus: a file a generation, so that what cannot be read without its
//! beginning goes with it. Without a folder the same in memory.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use tokio_util::bytes::Bytes;

use super::generation::{Generation, KIND};
use crate::edge::{Gap, Head, Packed};

/// What waits in memory at most, where there is no folder.
const MEMORY: u64 = 8 << 20;
/// A generation is this part of the whole at most.
const PARTS: u64 = 8;

#[derive(Debug)]
pub(super) struct Spool {
    folder: Option<PathBuf>,
    most: u64,
    /// Oldest first; the last one grows.
    generations: VecDeque<Generation>,
}

impl Spool {
    /// Opens what an earlier run left. `most`: bytes.
    pub fn open(folder: Option<&Path>, most: u64) -> io::Result<Self> {
        let mut spool = Self {
            folder: folder.map(Path::to_owned),
            most: if folder.is_some() {
                most
            } else {
                most.min(MEMORY)
            },
            generations: VecDeque::new(),
        };
        let Some(folder) = folder else {
            return Ok(spool);
        };
        std::fs::create_dir_all(folder)?;
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == KIND) {
                paths.push(path);
            }
        }
        // Names begin with the time.
        paths.sort();
        for path in paths {
            let generation = Generation::read(path)?;
            if generation.waiting.is_empty() {
                generation.remove();
            } else {
                spool.generations.push_back(generation);
            }
        }
        Ok(spool)
    }

    /// Keeps a message; gives what had to go for it. `None` in it: all is there.
    pub fn push(&mut self, packed: Packed, now_ms: i64) -> io::Result<Option<Gap>> {
        if packed.head.first || self.generations.is_empty() {
            let generation = Generation::new(self.folder.as_deref(), &packed.head, now_ms)?;
            // What is sent already and grows no more is needed no more.
            if self
                .generations
                .back()
                .is_some_and(|g| g.waiting.is_empty())
                && let Some(sent) = self.generations.pop_back()
            {
                sent.remove();
            }
            self.generations.push_back(generation);
        }
        if let Some(last) = self.generations.back_mut() {
            last.push(packed)?;
        }
        Ok(self.make_room())
    }

    /// The oldest generations go; what is left of a generation without its beginning is of no use.
    fn make_room(&mut self) -> Option<Gap> {
        let mut lost: Option<Gap> = None;
        while self.bytes() > self.most {
            let Some(oldest) = self.generations.pop_front() else {
                break;
            };
            if let (Some(first), Some(last)) = (oldest.waiting.front(), oldest.waiting.back()) {
                let gap = lost.get_or_insert(Gap {
                    from: first.head.from,
                    to: last.head.to,
                    scrapes: 0,
                    messages: 0,
                });
                gap.to = last.head.to;
                gap.scrapes += oldest.scrapes;
            }
            oldest.remove();
        }
        lost
    }

    /// The next message is to begin a generation.
    pub fn is_full(&self) -> bool {
        let last = self.generations.back();
        last.is_none_or(|g| g.size > self.most / PARTS)
    }

    fn bytes(&self) -> u64 {
        self.generations.iter().map(|g| g.size).sum()
    }

    /// Messages and scrapes that wait.
    pub fn waiting(&self) -> (usize, u64) {
        let each = self.generations.iter();
        each.fold((0, 0), |(n, scrapes), g| {
            (n + g.waiting.len(), scrapes + g.scrapes)
        })
    }

    /// The oldest message.
    pub fn front(&self) -> io::Result<Option<(Head, Bytes)>> {
        let mut all = self.generations.iter();
        let Some((generation, waiting)) = all.find_map(|g| Some((g, g.waiting.front()?))) else {
            return Ok(None);
        };
        Ok(Some((waiting.head, generation.body(waiting)?)))
    }

    /// This message is on the bus, if it is still the oldest.
    pub fn sent(&mut self, head: &Head) {
        let Some(at) = self.generations.iter().position(|g| !g.waiting.is_empty()) else {
            return;
        };
        let grows = at + 1 == self.generations.len();
        let Some(generation) = self.generations.get_mut(at) else {
            return;
        };
        if generation.waiting.front().map(|w| w.head.id()) != Some(head.id()) {
            return;
        }
        generation.waiting.pop_front();
        generation.scrapes -= head.scrapes.min(generation.scrapes);
        generation.note_sent(head.sequence);
        if generation.waiting.is_empty()
            && !grows
            && let Some(done) = self.generations.remove(at)
        {
            done.remove();
        }
    }

    /// This message will never be taken: its generation cannot be read beyond it.
    pub fn give_up(&mut self) -> Option<Gap> {
        let at = self
            .generations
            .iter()
            .position(|g| !g.waiting.is_empty())?;
        let gone = self.generations.remove(at)?;
        let gap = Gap {
            from: gone.waiting.front()?.head.from,
            to: gone.waiting.back()?.head.to,
            scrapes: gone.scrapes,
            messages: 0,
        };
        gone.remove();
        Some(gap)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use crate::edge::{Encoder, Level};
    use crate::model::scrape::{Scrape, Told};
    use crate::model::time::Timestamp;

    fn messages(encoder: &mut Encoder, n: i64) -> Vec<Packed> {
        let url = format!("http://h/{}", "x".repeat(200));
        let mut all = Vec::new();
        for at in 0..n {
            encoder.put(
                &Scrape {
                    exporter: 0,
                    url: url.as_str().into(),
                    instance: "h:1".into(),
                    interval_ms: 1_000,
                    at: Timestamp(at),
                    told: Told::Nothing,
                },
                Level::default(),
            );
            all.extend(encoder.pack());
        }
        all
    }

    fn drained(spool: &mut Spool) -> Vec<u64> {
        let mut all = Vec::new();
        while let Some((head, bytes)) = spool.front().unwrap() {
            assert_eq!(Head::of(&bytes), Ok(head));
            all.push(head.sequence);
            spool.sent(&head);
        }
        all
    }

    #[test]
    fn another_run_goes_on_where_the_former_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Spool::open(Some(folder.path()), 1 << 20).unwrap();
        let mut spool = open();
        for packed in messages(&mut Encoder::new(1), 5) {
            assert_eq!(spool.push(packed, 10).unwrap(), None);
        }
        let (head, _) = spool.front().unwrap().unwrap();
        spool.sent(&head);
        drop(spool);
        let mut spool = open();
        assert_eq!(spool.waiting(), (4, 4));
        for packed in messages(&mut Encoder::new(2), 2) {
            spool.push(packed, 20).unwrap();
        }
        assert_eq!(drained(&mut spool), [2, 3, 4, 5, 1, 2]);
        drop(spool);
        assert_eq!(open().waiting(), (0, 0));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_torn_end_costs_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(Some(folder.path()), 1 << 20).unwrap();
        for packed in messages(&mut Encoder::new(1), 3) {
            spool.push(packed, 10).unwrap();
        }
        drop(spool);
        let path = std::fs::read_dir(folder.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let mut spool = Spool::open(Some(folder.path()), 1 << 20).unwrap();
        assert_eq!(drained(&mut spool), [1, 2]);
    }

    #[test]
    fn the_oldest_generation_gives_way_whole_and_is_counted() {
        for folder in [None, Some(tempfile::tempdir().unwrap())] {
            let mut spool = Spool::open(folder.as_ref().map(|f| f.path()), 2_000).unwrap();
            let mut encoder = Encoder::new(1);
            let mut lost = 0;
            for round in 0..20 {
                encoder.begin();
                for packed in messages(&mut encoder, 5) {
                    let gap = spool.push(packed, round).unwrap();
                    lost += gap.map_or(0, |gap| gap.scrapes);
                }
            }
            let (_, waiting) = spool.waiting();
            assert!(lost > 0 && waiting > 0, "{lost} {waiting}");
            assert_eq!(lost + waiting, 100);
            assert!(spool.front().unwrap().unwrap().0.first);
            assert!(spool.bytes() <= 2_000);
        }
    }

    /// A disk that was full took half a record: what comes after it is in its place.
    #[test]
    fn half_a_record_costs_itself() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Spool::open(Some(folder.path()), 1 << 20).unwrap();
        let mut spool = open();
        let mut all = messages(&mut Encoder::new(1), 4).into_iter();
        for packed in all.by_ref().take(2) {
            spool.push(packed, 10).unwrap();
        }
        let path = std::fs::read_dir(folder.path()).unwrap().next();
        let path = path.unwrap().unwrap().path();
        let half = || {
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            std::io::Write::write_all(&mut file, &[0, 0, 1, 7, b'F', b'S', 1]).unwrap();
        };
        half();
        for packed in all {
            spool.push(packed, 10).unwrap();
        }
        half();
        let (head, bytes) = spool.front().unwrap().unwrap();
        assert_eq!(Head::of(&bytes), Ok(head));
        spool.sent(&head);
        drop(spool);
        assert_eq!(drained(&mut open()), [2, 3, 4]);
    }

    /// Two generations within a millisecond are two files.
    #[test]
    fn generations_of_one_moment_are_kept_apart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Spool::open(Some(folder.path()), 1 << 20).unwrap();
        let (mut spool, mut encoder) = (open(), Encoder::new(1));
        for _ in 0..3 {
            encoder.begin();
            for packed in messages(&mut encoder, 2) {
                spool.push(packed, 10).unwrap();
            }
        }
        drop(spool);
        assert_eq!(drained(&mut open()), [1, 2, 3, 4, 5, 6]);
    }
}
