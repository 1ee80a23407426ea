//! More messages than anyone can read: a fair choice of them, and the count of the others.

use tokio_util::bytes::Bytes;

/// A message as it came, before it is read.
pub struct Raw {
    pub subject: String,
    pub reply: Option<String>,
    pub headers: Option<async_nats::HeaderMap>,
    /// The beginning of the payload.
    pub kept: Bytes,
    /// Size of all of it, bytes.
    pub bytes: u64,
    pub at: crate::model::time::Timestamp,
}

/// Chooses up to `room` of what comes between two emptyings, each with the same chance.
pub struct Sample {
    room: usize,
    chosen: Vec<(u64, Raw)>,
    offered: u64,
    /// State of a generator of random numbers; fairness is all that is asked of it.
    dice: u64,
}

impl Sample {
    pub fn new(room: usize) -> Self {
        Self {
            room: room.max(1),
            chosen: Vec::new(),
            offered: 0,
            dice: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Takes the next message if the dice say so; `make` is called only then.
    pub fn offer(&mut self, make: impl FnOnce() -> Raw) {
        let number = self.offered;
        self.offered += 1;
        if self.chosen.len() < self.room {
            self.chosen.push((number, make()));
            return;
        }
        let place = self.roll() % self.offered;
        if let Ok(place) = usize::try_from(place)
            && let Some(slot) = self.chosen.get_mut(place)
        {
            *slot = (number, make());
        }
    }

    /// What was chosen, in the order it came, and how many were left out. Begins anew.
    pub fn take(&mut self) -> (Vec<Raw>, u64) {
        let left_out = self.offered - self.chosen.len() as u64;
        self.offered = 0;
        let mut chosen = std::mem::take(&mut self.chosen);
        chosen.sort_by_key(|(number, _)| *number);
        (chosen.into_iter().map(|(_, raw)| raw).collect(), left_out)
    }

    /// xorshift64*.
    fn roll(&mut self) -> u64 {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(number: u64) -> Raw {
        Raw {
            subject: number.to_string(),
            reply: None,
            headers: None,
            kept: Bytes::new(),
            bytes: 0,
            at: crate::model::time::Timestamp(0),
        }
    }

    #[test]
    fn below_the_rate_all_are_kept() {
        let mut sample = Sample::new(4);
        for number in 0..4 {
            sample.offer(|| raw(number));
        }
        let (chosen, left_out) = sample.take();
        let subjects: Vec<String> = chosen.into_iter().map(|r| r.subject).collect();
        assert_eq!((subjects.join(""), left_out), ("0123".into(), 0));
        assert_eq!(sample.take().1, 0);
    }

    #[test]
    fn above_it_each_has_the_same_chance() {
        let mut sample = Sample::new(10);
        let mut hits = [0_u32; 10];
        for _ in 0..1_000 {
            for number in 0..1_000_u64 {
                sample.offer(|| raw(number));
            }
            let (chosen, left_out) = sample.take();
            assert_eq!((chosen.len(), left_out), (10, 990));
            for raw in chosen {
                let number: usize = raw.subject.parse().expect("a number");
                hits[number / 100] += 1;
            }
        }
        // 1,000 are expected in each tenth.
        assert!(hits.iter().all(|h| (850..1_150).contains(h)), "{hits:?}");
    }
}
