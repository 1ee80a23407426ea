//! Lines of several clusters as one stream in order of time, without holding more than some pages.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::model::log::LogLine;
use crate::source::loki::page::Gap;

/// Lines given at once.
const AT_ONCE: usize = 4_096;

/// What the reader of one cluster tells.
#[derive(Debug)]
pub enum Told {
    /// The next lines, oldest first, and until when all is read.
    Lines(Vec<LogLine>, i64),
    /// Something the operator should know now.
    Note(String),
    End(Tally),
}

/// How the reading of a cluster ended.
#[derive(Debug, Default)]
pub struct Tally {
    pub error: Option<String>,
    pub gaps: Vec<Gap>,
    /// Entries without a time.
    pub unread: u64,
    /// The first page was not all.
    pub more: bool,
}

/// One cluster.
#[derive(Debug)]
pub struct Feed {
    pub cluster: String,
    pub up_to_ns: i64,
    /// Set when it ended.
    pub tally: Option<Tally>,
    queue: mpsc::Receiver<Told>,
    ready: VecDeque<LogLine>,
}

impl Feed {
    pub fn new(cluster: &str, start_ns: i64, queue: mpsc::Receiver<Told>) -> Self {
        Self {
            cluster: cluster.to_owned(),
            up_to_ns: start_ns,
            tally: None,
            queue,
            ready: VecDeque::new(),
        }
    }

    /// Nothing of it can be missing before its first line that waits.
    fn is_open(&self) -> bool {
        self.tally.is_none() && self.ready.is_empty()
    }

    fn take(&mut self, told: Option<Told>) -> Option<String> {
        match told {
            Some(Told::Lines(lines, up_to_ns)) => {
                self.ready.extend(lines);
                self.up_to_ns = up_to_ns;
            }
            Some(Told::Note(note)) => return Some(note),
            Some(Told::End(tally)) => self.tally = Some(tally),
            None => {
                self.tally = Some(Tally {
                    error: Some(format!("{}: the reading broke off", self.cluster)),
                    ..Tally::default()
                });
            }
        }
        None
    }
}

pub enum Step {
    /// Lines with the place of their cluster.
    Lines(Vec<(usize, LogLine)>),
    Note(String),
    /// Nothing yet, but some cluster got further.
    Further,
}

#[derive(Debug)]
pub struct Merge {
    pub feeds: Vec<Feed>,
}

impl Merge {
    /// `None`: all clusters ended. Can be dropped while it waits; nothing is lost by that.
    pub async fn next(&mut self) -> Option<Step> {
        if let Some(feed) = self.feeds.iter_mut().find(|f| f.is_open()) {
            let told = feed.queue.recv().await;
            let step = feed.take(told).map_or(Step::Further, Step::Note);
            return Some(step);
        }
        let lines = self.sorted(false);
        (!lines.is_empty()).then_some(Step::Lines(lines))
    }

    /// What came already, however far the others are.
    pub fn rest(&mut self) -> Vec<(usize, LogLine)> {
        for feed in &mut self.feeds {
            while let Ok(told) = feed.queue.try_recv() {
                feed.take(Some(told));
            }
        }
        let mut all = Vec::new();
        loop {
            let lines = self.sorted(true);
            if lines.is_empty() {
                return all;
            }
            all.extend(lines);
        }
    }

    /// Oldest lines, as far as no cluster can have older ones.
    fn sorted(&mut self, anyway: bool) -> Vec<(usize, LogLine)> {
        let mut out = Vec::new();
        while out.len() < AT_ONCE && (anyway || !self.feeds.iter().any(Feed::is_open)) {
            let first = |feed: &Feed| feed.ready.front().map(|l| l.at_ns);
            let oldest = self
                .feeds
                .iter()
                .enumerate()
                .filter_map(|(place, feed)| Some((first(feed)?, place)))
                .min();
            let Some((_, place)) = oldest else { break };
            let line = self.feeds.get_mut(place).and_then(|f| f.ready.pop_front());
            out.extend(line.map(|line| (place, line)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;
    use crate::model::log::Level;

    fn lines(times: &[i64]) -> Vec<LogLine> {
        let line = |at: &i64| LogLine {
            at_ns: *at,
            labels: Labels::default(),
            line: "x".into(),
            level: Level::Unknown,
        };
        times.iter().map(line).collect()
    }

    fn feed(name: &str) -> (mpsc::Sender<Told>, Feed) {
        let (sender, queue) = mpsc::channel(8);
        (sender, Feed::new(name, 0, queue))
    }

    async fn all(merge: &mut Merge) -> Vec<(usize, i64)> {
        let mut out = Vec::new();
        while let Some(step) = merge.next().await {
            if let Step::Lines(lines) = step {
                out.extend(lines.iter().map(|(place, l)| (*place, l.at_ns)));
            }
        }
        out
    }

    #[tokio::test]
    async fn clusters_come_in_order_of_time() {
        let ((a, first), (b, second)) = (feed("a"), feed("b"));
        for times in [&[1, 5][..], &[], &[9]] {
            a.send(Told::Lines(lines(times), 9)).await.expect("room");
        }
        b.send(Told::Lines(lines(&[2, 5, 6]), 9))
            .await
            .expect("room");
        a.send(Told::End(Tally::default())).await.expect("room");
        b.send(Told::End(Tally::default())).await.expect("room");
        let mut merge = Merge {
            feeds: vec![first, second],
        };
        let wanted = [(0, 1), (1, 2), (0, 5), (1, 5), (1, 6), (0, 9)];
        assert_eq!(all(&mut merge).await, wanted);
    }

    #[tokio::test]
    async fn one_that_breaks_off_is_told_and_the_others_go_on() {
        let ((a, first), (b, second)) = (feed("a"), feed("b"));
        drop(a);
        b.send(Told::Lines(lines(&[2]), 9)).await.expect("room");
        b.send(Told::End(Tally::default())).await.expect("room");
        let mut merge = Merge {
            feeds: vec![first, second],
        };
        assert_eq!(all(&mut merge).await, [(1, 2)]);
        let tally = merge.feeds[0].tally.as_ref().expect("ended");
        assert!(tally.error.is_some());
    }

    #[tokio::test]
    async fn what_came_is_kept_when_one_is_still_out() {
        let ((_a, first), (b, second)) = (feed("a"), feed("b"));
        b.send(Told::Lines(lines(&[2, 3]), 9)).await.expect("room");
        let mut merge = Merge {
            feeds: vec![first, second],
        };
        assert!(merge.sorted(false).is_empty());
        let rest: Vec<i64> = merge.rest().iter().map(|(_, l)| l.at_ns).collect();
        assert_eq!(rest, [2, 3]);
    }
}
