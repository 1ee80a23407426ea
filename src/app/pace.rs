//! When the next frame is due: at once after a key, seldom for what nobody waits for.

use std::time::{Duration, Instant};

/// Why something on the screen may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The operator did something.
    Input,
    /// What the operator asked for has come.
    Answer,
    /// Words of the agent.
    Chat,
    /// Data and clock.
    Data,
    /// A replay hurries past this on its way to another time.
    Passing,
}

/// Shortest time between two frames, by reason.
impl Why {
    fn gap(self) -> Duration {
        Duration::from_millis(match self {
            Self::Input => 16,
            Self::Answer => 33,
            Self::Chat => 100,
            Self::Data => 300,
            Self::Passing => 700,
        })
    }
}

/// After the last change of size, and after the first one of a storm.
const SETTLED: Duration = Duration::from_millis(30);
const STORM: Duration = Duration::from_millis(150);
const UNFOCUSED: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Pace {
    /// Most frames a second.
    floor: Duration,
    last: Option<Instant>,
    pending: Option<Why>,
    focused: bool,
    /// First and last change of size that was not drawn yet.
    resized: Option<(Instant, Instant)>,
}

impl Pace {
    /// `most` frames a second; 30, or 15 on a line that may be slow.
    pub fn new(most: Option<u32>, slow: bool) -> Self {
        let most = most.unwrap_or(if slow { 15 } else { 30 }).clamp(1, 120);
        Self {
            floor: Duration::from_secs(1) / most,
            last: None,
            pending: None,
            focused: true,
            resized: None,
        }
    }

    /// Something may look different now.
    pub fn mark(&mut self, why: Why) {
        let sooner = self.pending.is_none_or(|p| why.gap() < p.gap());
        if sooner {
            self.pending = Some(why);
        }
    }

    pub fn focus(&mut self, focused: bool) {
        self.focused = focused;
    }

    pub fn resized(&mut self, now: Instant) {
        let first = self.resized.map_or(now, |(first, _)| first);
        self.resized = Some((first, now));
        self.mark(Why::Input);
    }

    /// When the next frame is due; `None`: nothing to draw.
    pub fn due(&self) -> Option<Instant> {
        let why = self.pending?;
        let gap = match why {
            // A key does not wait for its share of a second, only for the last frame's.
            Why::Input => why.gap(),
            _ if !self.focused => UNFOCUSED,
            _ => why.gap().max(self.floor),
        };
        let due = self.last.map(|last| last + gap);
        let settled = self
            .resized
            .map(|(first, last)| (first + STORM).min(last + SETTLED));
        // Never drawn: due since the beginning.
        Some(due.max(settled).unwrap_or_else(crate::clock::instant))
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, now: Instant) {
        self.last = Some(now);
        self.pending = None;
        self.resized = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_key_is_drawn_at_once_and_data_waits() {
        let begin = crate::clock::instant();
        let mut pace = Pace::new(None, false);
        pace.drawn(begin);
        assert_eq!(pace.due(), None, "nothing changed");
        pace.mark(Why::Data);
        assert_eq!(pace.due(), Some(begin + ms(300)));
        pace.mark(Why::Input);
        assert_eq!(pace.due(), Some(begin + ms(16)));
        pace.mark(Why::Data);
        assert_eq!(pace.due(), Some(begin + ms(16)), "the sooner one stays");
        pace.drawn(begin + ms(16));
        assert_eq!(pace.due(), None);
    }

    #[test]
    fn seldom_when_nobody_looks() {
        let begin = crate::clock::instant();
        let mut pace = Pace::new(None, true);
        pace.drawn(begin);
        pace.mark(Why::Answer);
        assert_eq!(pace.due(), Some(begin + Duration::from_secs(1) / 15));
        pace.focus(false);
        assert_eq!(pace.due(), Some(begin + ms(1000)));
        pace.mark(Why::Input);
        assert_eq!(pace.due(), Some(begin + ms(16)));
    }

    #[test]
    fn a_storm_of_sizes_is_a_few_frames() {
        let begin = crate::clock::instant();
        let mut pace = Pace::new(None, false);
        let mut frames = 0;
        for n in 0..200 {
            let now = begin + ms(5 * n);
            pace.resized(now);
            if pace.due().is_some_and(|due| due <= now) {
                pace.drawn(now);
                frames += 1;
            }
        }
        assert!((5..8).contains(&frames), "{frames} frames in a second");
    }
}
