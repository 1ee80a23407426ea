//! What is usual for the series that are held, and how much is told of what is not.

use std::sync::Arc;

use super::World;
use crate::detect::{Known, Learnt, Remembered};
use crate::model::id::ClusterId;
use crate::model::sample::SeriesKey;
use crate::model::sensitivity::Sensitivity;
use crate::model::time::Timestamp;
use crate::model::usual::Usual;

impl World {
    /// From now on so much is told of these series; `None`: as the configuration says.
    pub fn be_sensitive(&mut self, said: Option<Sensitivity>) {
        match said {
            Some(said) => self.sensitivity.say(said),
            None => self.sensitivity.said.clear(),
        }
        self.judge.set_sensitivities(self.sensitivity.all());
    }

    /// What an earlier run learned: taken up as its series come.
    pub fn remember(&mut self, known: Remembered) {
        self.judge.remember(known);
    }

    /// What is remembered and may not be taken up yet.
    pub fn former(&self) -> Vec<Arc<Known>> {
        self.judge.former()
    }

    /// What was learned of the series of some places, and the next place; `None`: that is all.
    pub fn learnt(&self, from: usize, places: usize) -> (Vec<Learnt>, Option<usize>) {
        self.judge.learnt(from, places)
    }

    /// Whether signals of that name are compared with their past at all.
    pub fn learns(&self, said: &Sensitivity) -> bool {
        let mut signals = self.signals.iter().filter(|s| s.learn);
        let mut metrics = self.metrics.iter().filter(|m| m.learn);
        signals.any(|s| said.names(&s.name)) || metrics.any(|m| said.names(&m.name))
    }

    /// What is usual for a held series at so many times of a range, as its detector knows it now.
    pub fn usual(
        &self,
        cluster: ClusterId,
        key: &SeriesKey,
        range: (Timestamp, Timestamp),
        count: usize,
    ) -> Usual {
        let id = self.store.lookup(cluster, key);
        id.map_or(Usual::NotLearned, |id| self.judge.usual(id, range, count))
    }
}
