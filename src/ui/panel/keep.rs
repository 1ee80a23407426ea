//! What is drawn, for a file.

use std::collections::BTreeSet;

use super::label::{differing, label};
use super::{Form, MOST, Shown};
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

/// What each series is called: by the labels that differ, with its cluster where there are several.
pub fn names(world: &World, shown: &[&Shown]) -> Vec<String> {
    let own = differing(shown);
    let clusters: BTreeSet<_> = shown.iter().filter_map(|s| s.id.cluster).collect();
    let named = |one: &&Shown| {
        let text = label(&one.id.key, &own);
        match one.id.cluster.filter(|_| clusters.len() > 1) {
            Some(cluster) => format!("{} {text}", name(world, cluster)),
            None => text,
        }
    };
    shown.iter().map(named).collect()
}
