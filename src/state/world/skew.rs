//! How far the clocks of the clusters are from ours, as their sources show it, and from each other.
//!
//! Times of facts are those of their source and are not rewritten: what is told here says how far
//! two of them can be compared.

use super::{ClusterState, World};
use crate::model::health::{CLOCK_ERROR_MS, SourceKind};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;

/// A cluster's clock, by the source that shows it farthest off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// Its clock minus ours, milliseconds, measured to [`CLOCK_ERROR_MS`].
    pub off_ms: i64,
    pub source: SourceKind,
    /// When that source last answered; unknown in old recordings.
    pub heard: Option<Timestamp>,
}

impl Skew {
    /// More than the measure's own error.
    pub fn is_off(&self) -> bool {
        self.off_ms.abs() > CLOCK_ERROR_MS
    }

    /// Nothing where it is within the measure's own error.
    fn shift_ms(&self) -> i64 {
        if self.is_off() { self.off_ms } else { 0 }
    }

    /// `95 s ahead of ours`, `within 2 s of ours`.
    pub fn words(&self) -> String {
        match self.is_off() {
            true => {
                let seconds = (self.off_ms.unsigned_abs() + 500) / 1000;
                let way = if self.off_ms < 0 {
                    "behind"
                } else {
                    "ahead of"
                };
                format!("{seconds} s {way} ours")
            }
            false => format!("within {} s of ours", CLOCK_ERROR_MS / 1000),
        }
    }
}

impl ClusterState {
    /// Its clock against ours; none where no source told the time.
    pub fn skew(&self) -> Option<Skew> {
        let each = self.sources.iter().filter_map(|(kind, health)| {
            Some(Skew {
                off_ms: health.skew_ms?,
                source: *kind,
                heard: health.last_ok,
            })
        });
        // Of equal ones the first.
        each.reduce(|a, b| match b.off_ms.abs() > a.off_ms.abs() {
            true => b,
            false => a,
        })
    }
}

/// How two times of two clusters compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart {
    /// The second after the first, milliseconds. What is told may go by the clock of a cluster or
    /// by ours: the nearer of the two.
    pub ms: i64,
    /// By how much that may be wrong; none where a clock is not known.
    pub slack_ms: Option<i64>,
}

impl World {
    /// How long after a time of one cluster another of another cluster is.
    pub fn apart(&self, one: (ClusterId, Timestamp), other: (ClusterId, Timestamp)) -> Apart {
        let raw = other.1.0.saturating_sub(one.1.0);
        let skew = |id: ClusterId| self.cluster(id).and_then(ClusterState::skew);
        let (Some(a), Some(b)) = (skew(one.0), skew(other.0)) else {
            return Apart {
                ms: raw,
                slack_ms: None,
            };
        };
        let between = b.shift_ms().saturating_sub(a.shift_ms());
        let turned = raw.saturating_sub(between);
        Apart {
            ms: match turned.abs() < raw.abs() {
                true => turned,
                false => raw,
            },
            slack_ms: Some(between.saturating_abs().saturating_add(2 * CLOCK_ERROR_MS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Cluster, Config};
    use crate::model::health::SourceHealth;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn world(skews: &[Option<i64>]) -> World {
        let cluster = |i: usize| Cluster {
            name: format!("c{i}"),
            ..Cluster::default()
        };
        let config = Config {
            clusters: (0..skews.len()).map(cluster).collect(),
            ..Config::default()
        };
        let mut world = World::new(&config, NOW);
        for (cluster, skew_ms) in world.clusters.iter_mut().zip(skews) {
            let health = SourceHealth {
                skew_ms: *skew_ms,
                ..SourceHealth::default()
            };
            cluster.sources.insert(SourceKind::Prometheus, health);
        }
        world
    }

    #[test]
    fn the_source_that_is_farthest_off_tells_the_clock_and_no_source_tells_nothing() {
        let mut world = world(&[Some(-700), None]);
        let of = |world: &World, at: usize| world.clusters[at].skew();
        assert_eq!(of(&world, 1), None);
        let near = of(&world, 0).expect("told");
        assert_eq!(
            (near.is_off(), near.words()),
            (false, "within 2 s of ours".into())
        );
        let health = SourceHealth {
            skew_ms: Some(-95_400),
            last_ok: Some(NOW),
            ..SourceHealth::default()
        };
        let sources = &mut world.clusters[0].sources;
        sources.insert(SourceKind::Kubernetes, health);
        let far = of(&world, 0).expect("told");
        assert_eq!((far.source, far.heard), (SourceKind::Kubernetes, Some(NOW)));
        assert_eq!(far.words(), "95 s behind ours");
    }

    #[test]
    fn times_compare_as_far_as_the_clocks_are_known() {
        let world = world(&[Some(300), Some(90_000), None]);
        let at = |cluster: u16, after_s: i64| (ClusterId(cluster), NOW.plus_ms(after_s * 1000));
        let apart = |a, b| {
            let apart = world.apart(a, b);
            (apart.ms / 1000, apart.slack_ms.map(|ms| ms / 1000))
        };
        // By the clock of the second that is at the same time.
        assert_eq!(apart(at(0, 0), at(1, 95)), (5, Some(94)));
        assert_eq!(apart(at(1, 95), at(0, 0)), (-5, Some(94)));
        // By ours it is.
        assert_eq!(apart(at(0, 0), at(1, 3)), (3, Some(94)));
        assert_eq!(apart(at(0, 0), at(0, 30)), (30, Some(4)));
        assert_eq!(apart(at(0, 0), at(2, 30)), (30, None));
        assert_eq!(apart(at(0, 0), at(9, 30)), (30, None));
    }
}
