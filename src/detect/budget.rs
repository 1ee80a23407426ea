//! How much rarer a thing must be to be told where many series are watched: a fleet may tell of
//! some healthy series each day, however many it has.
//!
//! Counted are the series of a cluster and the clusters that are configured, not those that happen
//! to answer: what is told of a cluster must not hang on when the others came.

use std::collections::BTreeMap;

use crate::model::id::ClusterId;

/// So many series need no higher bar.
const FEW: f32 = 100.0;
/// The most by which it is raised, decades: what is rarer cannot be told apart.
const MOST: f32 = 4.0;

#[derive(Debug, Default)]
pub(super) struct Budget {
    clusters: usize,
    watched: BTreeMap<ClusterId, usize>,
}

impl Budget {
    pub(super) fn new(clusters: usize) -> Self {
        Self {
            clusters,
            watched: BTreeMap::new(),
        }
    }

    pub(super) fn begin(&mut self, cluster: ClusterId) {
        *self.watched.entry(cluster).or_default() += 1;
    }

    pub(super) fn end(&mut self, cluster: ClusterId) {
        if let Some(count) = self.watched.get_mut(&cluster) {
            *count = count.saturating_sub(1);
        }
    }

    /// Series that are compared with their past, as if all clusters had as many as this one.
    pub(super) fn series(&self, cluster: ClusterId) -> usize {
        let own = self.watched.get(&cluster).copied().unwrap_or_default();
        own.saturating_mul(self.clusters.max(1))
    }
}

/// Decades by which the bar is higher.
pub(super) fn raise(series: usize) -> f32 {
    (series as f32 / FEW).max(1.0).log10().min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::ensemble::tests::noise::{Noise, healthy};
    use crate::detect::{Detector, Learned};
    use crate::model::signal::Bad;
    use crate::model::time::Timestamp;

    /// Findings a day that a fleet of healthy series of all kinds may tell of.
    const ALLOWED: f64 = 5.0;

    fn told_a_day(series: usize, days: i64, step_s: i64) -> f64 {
        let mut told = 0;
        for n in 0..series as u64 {
            let (mut noise, mut walk) = (Noise::new(n + 1), 0.0);
            let mut learned = Learned::new(Bad::Both, 0.0);
            learned.shift(raise(series));
            let mut on = false;
            for i in 0..days * 86_400 / step_s {
                let day = (i * step_s) as f64 / 86_400.0;
                let value = healthy(n, &mut noise, &mut walk, day);
                let now = learned.observe(Timestamp(i * step_s * 1000), value);
                told += u32::from(now.abnormal.is_some() && !on);
                on = now.abnormal.is_some();
            }
        }
        f64::from(told) / days as f64
    }

    #[test]
    fn a_healthy_fleet_tells_of_five_findings_a_day_at_most() {
        for (series, days, step_s) in [(50, 2, 60), (500, 1, 60), (500, 5, 300), (1000, 10, 3600)] {
            let told = told_a_day(series, days, step_s);
            println!("{series} series each {step_s} s: {told:.2} a day");
            assert!(told <= ALLOWED, "{series} each {step_s} s: {told} a day");
        }
    }

    #[test]
    fn the_bar_rises_with_the_series_of_all_clusters() {
        let (one, other) = (ClusterId(0), ClusterId(1));
        let mut budget = Budget::new(10);
        for _ in 0..1_000 {
            budget.begin(one);
        }
        assert_eq!((budget.series(one), budget.series(other)), (10_000, 0));
        assert!((raise(budget.series(one)) - 2.0).abs() < 1e-3);
        assert_eq!((raise(0), raise(100)), (0.0, 0.0));
        assert_eq!(raise(usize::MAX), MOST);
        budget.end(one);
        budget.end(other);
        assert_eq!((budget.series(one), budget.series(other)), (9_990, 0));
    }
}
