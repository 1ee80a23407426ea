//! How far it is, on standard error, where a person watches.

use std::time::{Duration, Instant};

use super::merge::Feed;
use crate::clock;
use crate::export::lines::stamp;

const EVERY: Duration = Duration::from_millis(200);
const CELLS: usize = 24;

pub struct Progress {
    shown: bool,
    /// Something stands in the line.
    drawn: bool,
    due: Instant,
    range: (i64, i64),
}

impl Progress {
    pub fn new(shown: bool, range: (i64, i64)) -> Self {
        Self {
            shown,
            drawn: false,
            due: clock::instant(),
            range,
        }
    }

    pub fn tell(&mut self, lines: u64, feeds: &[Feed]) {
        let now = clock::instant();
        if !self.shown || now < self.due {
            return;
        }
        self.due = now + EVERY;
        self.drawn = true;
        eprint!("\r\x1b[K{}", bar(share(feeds, self.range), lines));
    }

    /// A whole line of its own.
    pub fn note(&mut self, text: &str) {
        self.clear();
        eprintln!("farwatch: {text}");
    }

    pub fn clear(&mut self) {
        if self.drawn {
            eprint!("\r\x1b[K");
            self.drawn = false;
        }
    }
}

/// Until when each cluster is read, for those that did not end.
pub fn reached(feeds: &[Feed]) -> String {
    let open = feeds.iter().filter(|f| f.tally.is_none());
    let told: Vec<String> = open
        .map(|f| format!("{} up to {}", f.cluster, stamp(f.up_to_ns)))
        .collect();
    told.join(", ")
}

/// How much of the time is read, 0 to 1, over all clusters.
fn share(feeds: &[Feed], (start, end): (i64, i64)) -> f64 {
    let whole = (end.saturating_sub(start)).max(1) as f64;
    let one = |feed: &Feed| match feed.tally {
        Some(_) => 1.0,
        None => (feed.up_to_ns.saturating_sub(start) as f64 / whole).clamp(0.0, 1.0),
    };
    feeds.iter().map(one).sum::<f64>() / feeds.len().max(1) as f64
}

fn bar(share: f64, lines: u64) -> String {
    let full = ((share * CELLS as f64) as usize).min(CELLS);
    format!(
        "[{}{}] {:3.0} %  {lines} lines (Ctrl-C keeps them)",
        "#".repeat(full),
        "-".repeat(CELLS - full),
        (share * 100.0).floor()
    )
}

#[cfg(test)]
mod tests {
    use super::super::merge::Tally;
    use super::*;

    fn feed(up_to_ns: i64, ended: bool) -> Feed {
        let (_, queue) = tokio::sync::mpsc::channel(1);
        let mut feed = Feed::new("alpha", up_to_ns, queue);
        feed.tally = ended.then(Tally::default);
        feed
    }

    #[test]
    fn the_share_is_that_of_the_time_read() {
        assert_eq!(share(&[feed(150, false), feed(0, true)], (100, 200)), 0.75);
        assert_eq!(share(&[feed(-5, false)], (100, 200)), 0.0);
        let half = "[############------------]  50 %  7 lines (Ctrl-C keeps them)";
        assert_eq!(bar(0.5, 7), half);
        assert!(bar(1.0, 7).starts_with("[########################] 100 %"));
    }

    #[test]
    fn what_is_not_read_is_named() {
        let told = reached(&[feed(0, true), feed(1_795_230_000_000_000_000, false)]);
        assert_eq!(told, "alpha up to 2026-11-21T03:00:00.000000000Z");
    }
}
