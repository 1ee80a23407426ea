//! What is drawn, for a file.

use super::{Form, MOST, Series, Shown};
use crate::message::Effect;
use crate::model::dashboard;
use crate::model::export::{Export, Exported, Format, Kept, SeriesExport};
use crate::model::id::ClusterId;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::view::common::name;

/// A picture as it stands on a screen.
pub struct Keep<'a> {
    pub world: &'a World,
    pub window: Window,
    pub form: Form,
    pub title: String,
    pub query: String,
    /// Where the series came from, and when.
    pub origin: String,
    /// 0: as they came.
    pub step_ms: u32,
    /// Each with its name.
    pub shown: Vec<(&'a Shown, String)>,
}

impl Keep<'_> {
    /// `None`: there is nothing to be kept.
    pub fn effect(self, format: Format) -> Option<Effect> {
        if self.shown.is_empty() || format == Format::Text {
            return None;
        }
        let export = Export {
            format,
            at: self.world.now,
            kept: Kept::Series(self.series(format)),
        };
        Some(Effect::Save(Box::new(export)))
    }

    fn series(self, format: Format) -> SeriesExport {
        // A table holds all of it, a picture what can be told apart.
        let most = match format {
            Format::Csv | Format::Json | Format::Text => usize::MAX,
            Format::Png | Format::Svg => MOST,
        };
        let (from, to) = self.window.bounds(self.world.now);
        let unit = self.shown.first().map_or(Unit::None, |(s, _)| s.unit);
        let cluster = |id: ClusterId| name(self.world, id).to_owned();
        let series = self
            .shown
            .into_iter()
            .take(most)
            .map(|(shown, text)| Exported {
                name: text,
                cluster: shown.id.cluster.map(cluster).unwrap_or_default(),
                metric: shown.id.key.name.to_string(),
                labels: shown.id.key.labels.clone(),
                points: shown.points.clone(),
            });
        SeriesExport {
            series: series.collect(),
            title: self.title,
            query: self.query,
            origin: self.origin,
            unit,
            form: match self.form {
                Form::Stacked => dashboard::Form::Stacked,
                _ => dashboard::Form::Lines,
            },
            from,
            to,
            step_ms: self.step_ms,
        }
    }
}

/// What these are called: by the labels that tell all of them apart, with the cluster where there
/// are several.
pub fn names<'a>(
    world: &World,
    series: &Series,
    some: impl Iterator<Item = &'a Shown>,
) -> Vec<String> {
    let first = series.first().and_then(|s| s.id.cluster);
    let several = series.iter().any(|s| s.id.cluster != first);
    let named = |one: &Shown| {
        let text = series.called(&one.id);
        match one.id.cluster.filter(|_| several) {
            Some(cluster) => format!("{} {text}", name(world, cluster)),
            None => text,
        }
    };
    some.map(named).collect()
}
