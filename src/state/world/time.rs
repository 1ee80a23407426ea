//! What time does to the world: what ages, ends and is forgotten.

use super::{World, judge};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;

impl World {
    /// The clock moved. True when something other than ages changed on the screen.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        self.now = now;
        let mut changed = false;
        for cluster in self.clusters.iter_mut().filter(|c| c.capacity_due) {
            cluster.count_capacity();
            changed = true;
        }
        for cluster in self.clusters.iter_mut().filter(|c| c.fits_due) {
            cluster.hold_policies();
            changed = true;
        }
        // What ages slowly is looked at every ten seconds.
        if now.0 / 10_000 != self.ticked.0 / 10_000 {
            self.ticked = now;
            self.store.tick(now);
            changed |= self.forget_series(now);
            for place in 0..self.clusters.len() {
                if let Some(cluster) = self.clusters.get_mut(place) {
                    changed |= cluster.forget_alerts(now);
                    cluster.note_score(now, f64::NAN);
                }
                let id = ClusterId(place as u16);
                changed |= self.count_used(id);
                changed |= self.judge_known(id, judge::Known::All, now);
                changed |= self.judge_logs(id, now);
            }
            if !self.is_watched() {
                changed |= self.grouper.tick(&mut self.incidents, now);
            }
        }
        changed
    }
}
