//! A series judged again from what is held of it, as if it began there, with another sensitivity.

use std::sync::Arc;

use crate::model::id::{ClusterId, SeriesId};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::sensitivity::Level;
use crate::model::signal::Group;
use crate::model::time::Timestamp;

use super::judge::{Arrival, Rule, Shape};
use super::watch::{LEARNED, Moment, Watch, is_blank};

/// A series that is compared with its past, and what is held of it, oldest first.
#[derive(Clone, Debug)]
pub struct Again {
    pub cluster: ClusterId,
    pub key: SeriesKey,
    pub points: Vec<Sample>,
    pub(super) rule: Arc<Rule>,
    pub(super) shape: Shape,
    pub interval_ms: u32,
}

impl Again {
    /// How often something would have been told of it.
    pub fn flags(&self, level: Level) -> u32 {
        let series = SeriesSamples {
            key: self.key.clone(),
            kind: SampleKind::Gauge,
            points: Vec::new().into(),
        };
        let arrival = Arrival {
            id: SeriesId(0),
            cluster: self.cluster,
            group: Group::Exporter,
            query: &self.key.name,
            series: &series,
            quiet: false,
            interval_ms: self.interval_ms,
        };
        let mut watch = Watch::new(&arrival, self.rule.clone(), Timestamp(i64::MIN));
        watch.level = level;
        watch.raise(self.shape.among, self.shape.raised);
        let moment = Moment {
            quiet: false,
            seam: None,
            told_until: None,
            interval_ms: self.interval_ms,
        };
        let (mut flags, mut out) = (0, Vec::new());
        for point in &self.points {
            let before = watch.is_told(LEARNED);
            let blank = is_blank(&self.key.name, point.value);
            let value = if blank { f64::NAN } else { point.value };
            watch.observe(Sample { value, ..*point }, moment, &mut out);
            out.clear();
            flags += u32::from(watch.is_told(LEARNED) && !before);
        }
        flags
    }
}
