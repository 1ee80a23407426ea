//! What one run of the agent may take, and what it has taken.

use std::time::Duration;

use super::id::ClusterId;

/// The most that one run may take. What is reached first ends it: the model then answers with what
/// it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Rounds of tools.
    pub rounds: u32,
    /// Tokens that the model reads and writes, of all its answers together.
    pub tokens: u32,
    /// From question to answer.
    pub time: Duration,
    /// Calls that ask the sources of one cluster.
    pub queries: u32,
}

impl RunLimits {
    /// How long the answer may take that is given when a limit was reached.
    pub fn last_answer(&self) -> Duration {
        (self.time / 4).max(Duration::from_secs(60))
    }

    /// `Err`: the key of the configuration that is out of range, and its range.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let seconds = self.time.as_secs();
        if !(1..=30).contains(&self.rounds) {
            return Err(("max_iterations", "1 to 30"));
        }
        if !(1_000..=10_000_000).contains(&self.tokens) {
            return Err(("max_run_tokens", "1000 to 10000000"));
        }
        if !(5..=3_600).contains(&seconds) {
            return Err(("max_run_time", "5s to 1h"));
        }
        if !(1..=1_000).contains(&self.queries) {
            return Err(("max_queries_per_cluster", "1 to 1000"));
        }
        Ok(())
    }
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            rounds: 8,
            tokens: 200_000,
            time: Duration::from_secs(600),
            queries: 40,
        }
    }
}

/// What a run has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub limits: RunLimits,
    pub rounds: u32,
    pub tokens: u32,
    /// The server does not tell how many tokens it read and wrote: they are counted by the length of
    /// the text.
    pub estimated: bool,
    /// Of the cluster that was asked most.
    pub queries: u32,
}

/// Calls that asked the sources of each cluster.
#[derive(Debug, Default)]
pub struct Asked(Vec<(ClusterId, u32)>);

impl Asked {
    /// Counts one call of these clusters. `Err`: those whose `most` is used up; nothing is counted.
    pub fn count(&mut self, clusters: &[ClusterId], most: u32) -> Result<(), Vec<ClusterId>> {
        let used = |id: &&ClusterId| self.of(**id) >= most;
        let full: Vec<ClusterId> = clusters.iter().filter(used).copied().collect();
        if !full.is_empty() {
            return Err(full);
        }
        for id in clusters {
            match self.0.iter_mut().find(|(known, _)| known == id) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => self.0.push((*id, 1)),
            }
        }
        Ok(())
    }

    pub fn of(&self, cluster: ClusterId) -> u32 {
        let found = self.0.iter().find(|(known, _)| *known == cluster);
        found.map_or(0, |(_, count)| *count)
    }

    /// Of the cluster that was asked most.
    pub fn most(&self) -> u32 {
        self.0.iter().map(|(_, count)| *count).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_was_asked_enough_is_named() {
        let (a, b) = (ClusterId(0), ClusterId(1));
        let mut asked = Asked::default();
        assert_eq!(asked.count(&[a], 2), Ok(()));
        assert_eq!(asked.count(&[a, b], 2), Ok(()));
        assert_eq!(asked.count(&[a, b], 2), Err(vec![a]));
        assert_eq!((asked.of(a), asked.of(b), asked.most()), (2, 1, 2));
        assert_eq!(asked.count(&[b], 2), Ok(()));
    }
}
