//! The answers of several clusters to one query as one list of series: side by side, or summed,
//! averaged, least or greatest at each step.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::grid::Grid;
use super::id::ClusterId;
use super::label::Labels;
use super::sample::{Sample, SeriesKey, SeriesSamples};

/// Label that tells the clusters apart.
pub const CLUSTER: &str = "cluster";
/// Where a label of that name goes which the server itself had given, as Prometheus does it.
const OWN: &str = "exported_cluster";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Combine {
    /// Each cluster's own series, told apart by the label `cluster`.
    #[default]
    Merge,
    Sum,
    Avg,
    Min,
    Max,
}

impl Combine {
    pub const ALL: [Self; 5] = [Self::Merge, Self::Sum, Self::Avg, Self::Min, Self::Max];

    pub fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|c| *c == self).unwrap_or(0);
        let next = Self::ALL.get((at + 1) % Self::ALL.len());
        next.copied().unwrap_or_default()
    }
}

/// One series over several clusters.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined {
    pub key: SeriesKey,
    pub points: Vec<Sample>,
    /// Clusters that have it.
    pub clusters: usize,
    /// Steps at which fewer of them had a value than have the series.
    pub short: usize,
}

/// These labels with that of our cluster; one that the server had given is kept under another name.
pub fn with_cluster(labels: &Labels, cluster: &str) -> Labels {
    let mut pairs: Vec<(Arc<str>, Arc<str>)> = labels
        .pairs()
        .iter()
        .map(|(name, value)| match name.as_ref() {
            CLUSTER => (Arc::from(OWN), Arc::clone(value)),
            _ => (Arc::clone(name), Arc::clone(value)),
        })
        .collect();
    pairs.push((Arc::from(CLUSTER), Arc::from(cluster)));
    Labels::new(pairs)
}

/// Series of equal name and labels (but for `cluster`) of all clusters become one, step by step.
/// [`Combine::Merge`] has nothing to do here: it gives nothing.
pub fn combine(parts: &[(ClusterId, &[SeriesSamples])], grid: Grid, how: Combine) -> Vec<Combined> {
    if how == Combine::Merge {
        return Vec::new();
    }
    let mut groups: BTreeMap<SeriesKey, Group> = BTreeMap::new();
    for (cluster, series) in parts {
        for one in *series {
            let key = SeriesKey::new(
                Arc::clone(&one.key.name),
                one.key.labels.without(&[CLUSTER]),
            );
            let group = groups.entry(key).or_insert_with(|| Group::new(grid.len()));
            group.add(*cluster, &one.points, grid, how);
        }
    }
    groups
        .into_iter()
        .map(|(key, group)| group.done(key, grid, how))
        .collect()
}

struct Group {
    steps: Vec<(f64, u32)>,
    clusters: Vec<ClusterId>,
}

impl Group {
    fn new(steps: usize) -> Self {
        Self {
            steps: vec![(0.0, 0); steps],
            clusters: Vec::new(),
        }
    }

    fn add(&mut self, cluster: ClusterId, points: &[Sample], grid: Grid, how: Combine) {
        if !self.clusters.contains(&cluster) {
            self.clusters.push(cluster);
        }
        for point in points {
            let slot = grid.slot(point.at).and_then(|at| self.steps.get_mut(at));
            if let Some((held, count)) = slot {
                *held = match *count {
                    0 => point.value,
                    _ => joined(*held, point.value, how),
                };
                *count += 1;
            }
        }
    }

    fn done(self, key: SeriesKey, grid: Grid, how: Combine) -> Combined {
        let most = self.steps.iter().map(|(_, n)| *n).max().unwrap_or(0);
        let seen = || self.steps.iter().enumerate().filter(|(_, (_, n))| *n > 0);
        let points = seen()
            .map(|(slot, (value, count))| Sample {
                at: grid.at(slot),
                value: match how {
                    Combine::Avg => value / f64::from(*count),
                    _ => *value,
                },
            })
            .collect();
        Combined {
            key,
            points,
            clusters: self.clusters.len(),
            short: seen().filter(|(_, (_, n))| *n < most).count(),
        }
    }
}

/// As PromQL does it: NaN stays in a sum, and yields to numbers in a least or greatest value.
fn joined(a: f64, b: f64, how: Combine) -> f64 {
    match how {
        Combine::Min => a.min(b),
        Combine::Max => a.max(b),
        Combine::Merge | Combine::Sum | Combine::Avg => a + b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::SampleKind;
    use crate::model::time::Timestamp;
    use proptest::prelude::*;

    const GRID: Grid = Grid {
        start: Timestamp(0),
        end: Timestamp(30_000),
        step_ms: 10_000,
    };

    fn series(labels: &[(&str, &str)], points: &[(i64, f64)]) -> SeriesSamples {
        SeriesSamples {
            key: SeriesKey::new("load", Labels::from_pairs(labels.iter().copied())),
            kind: SampleKind::Gauge,
            points: points
                .iter()
                .map(|(s, value)| Sample {
                    at: Timestamp(s * 1000),
                    value: *value,
                })
                .collect(),
        }
    }

    fn values(how: Combine) -> Vec<(i64, f64)> {
        let a = [series(
            &[("node", "n"), ("cluster", "x")],
            &[(0, 1.0), (10, 5.0), (30, 2.0)],
        )];
        let b = [series(
            &[("node", "n"), ("cluster", "y")],
            &[(0, 3.0), (10, -1.0), (20, 7.0)],
        )];
        let all = combine(&[(ClusterId(0), &a), (ClusterId(1), &b)], GRID, how);
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].clusters, all[0].short), (2, 2));
        let points = all[0].points.iter();
        points.map(|p| (p.at.0 / 1000, p.value)).collect()
    }

    #[test]
    fn steps_meet() {
        let at = |v: [f64; 4]| [(0, v[0]), (10, v[1]), (20, v[2]), (30, v[3])].to_vec();
        assert_eq!(values(Combine::Sum), at([4.0, 4.0, 7.0, 2.0]));
        assert_eq!(values(Combine::Avg), at([2.0, 2.0, 7.0, 2.0]));
        assert_eq!(values(Combine::Min), at([1.0, -1.0, 7.0, 2.0]));
        assert_eq!(values(Combine::Max), at([3.0, 5.0, 7.0, 2.0]));
    }

    #[test]
    fn what_is_no_number_is_kept_in_sums_and_yields_in_extremes() {
        let a = [series(&[], &[(0, f64::NAN), (10, f64::INFINITY)])];
        let b = [series(&[], &[(0, 1.0), (10, 1.0)])];
        let parts: [(ClusterId, &[SeriesSamples]); 2] = [(ClusterId(0), &a), (ClusterId(1), &b)];
        let sum = combine(&parts, GRID, Combine::Sum);
        assert!(sum[0].points[0].value.is_nan());
        assert_eq!(sum[0].points[1].value, f64::INFINITY);
        assert_eq!(combine(&parts, GRID, Combine::Max)[0].points[0].value, 1.0);
        assert!(combine(&parts, GRID, Combine::Merge).is_empty());
    }

    #[test]
    fn a_cluster_label_of_the_server_is_kept() {
        let labels = Labels::from_pairs([("cluster", "theirs"), ("node", "n")]);
        assert_eq!(
            with_cluster(&labels, "ours").to_string(),
            r#"{cluster="ours", exported_cluster="theirs", node="n"}"#
        );
    }

    #[test]
    fn every_way_comes_round() {
        let mut how = Combine::Merge;
        let seen: Vec<&str> = (0..5)
            .map(|_| {
                how = how.next();
                how.word()
            })
            .collect();
        assert_eq!(seen, ["sum", "avg", "min", "max", "merge"]);
    }

    proptest! {
        /// Whole numbers, so that the order of additions does not matter.
        #[test]
        fn sums_are_the_sums_of_columns(rows in proptest::collection::vec(
            proptest::collection::vec(proptest::option::of(-1000_i32..1000), 4), 1..6)) {
            let all: Vec<Vec<SeriesSamples>> = rows.iter().map(|row| {
                let points: Vec<(i64, f64)> = (0..).zip(row)
                    .filter_map(|(i, v)| v.map(|v| (i * 10, f64::from(v)))).collect();
                vec![series(&[], &points)]
            }).collect();
            let parts: Vec<(ClusterId, &[SeriesSamples])> = (0..).zip(&all)
                .map(|(i, s)| (ClusterId(i), s.as_slice())).collect();
            let sum = combine(&parts, GRID, Combine::Sum);
            for column in 0..4 {
                let held: Vec<f64> = rows.iter()
                    .filter_map(|r| r[column]).map(f64::from).collect();
                let found = sum[0].points.iter().find(|p| p.at == GRID.at(column));
                let wanted = (!held.is_empty()).then(|| held.iter().sum::<f64>());
                prop_assert_eq!(found.map(|p| p.value), wanted);
            }
        }
    }
}
