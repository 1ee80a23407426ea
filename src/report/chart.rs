//! A curve of a report.

use serde::Serialize;

use crate::model::id::ClusterId;
use crate::model::sample::SeriesKey;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;

/// Points drawn; of more, each stands for its neighbours by the greatest departure.
const POINTS: usize = 300;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    pub title: String,
    pub unit: Unit,
    /// Milliseconds since 1970 UTC, and the value.
    pub points: Vec<(i64, f64)>,
    /// When it left what was usual.
    pub onset_ms: Option<i64>,
}

impl Chart {
    /// `None`: the series is not held, or was silent.
    pub fn of(
        world: &World,
        cluster: ClusterId,
        key: &SeriesKey,
        from: Timestamp,
        unit: Unit,
    ) -> Option<Self> {
        let id = world.store.lookup(cluster, key)?;
        let points: Vec<(i64, f64)> = world
            .store
            .points(id, from, world.now)
            .filter(|p| p.value.is_finite())
            .map(|p| (p.at.0, p.value))
            .collect();
        (points.len() > 1).then(|| Self {
            title: key.to_string(),
            unit,
            points: thinned(&points),
            onset_ms: None,
        })
    }

    /// Least and greatest value.
    pub fn extent(&self) -> (f64, f64) {
        let values = self.points.iter().map(|(_, v)| *v);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        })
    }
}

fn thinned(points: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let each = points.len().div_ceil(POINTS).max(1);
    let mean = points.iter().map(|(_, v)| v).sum::<f64>() / points.len().max(1) as f64;
    let far = |p: &(i64, f64)| (p.1 - mean).abs();
    points
        .chunks(each)
        .filter_map(|some| {
            some.iter()
                .copied()
                .max_by(|a, b| far(a).total_cmp(&far(b)))
        })
        .collect()
}
