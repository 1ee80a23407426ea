//! What is drawn, for a file.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::heat::{self, Heat};
use super::{Form, MOST, Series, Shown};
use crate::message::Effect;
use crate::model::combine::{CLUSTER, with_cluster};
use crate::model::dashboard;
use crate::model::export::{
    Cell, Export, Exported, Format, HeatExport, Kept, SeriesExport, TableExport,
};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::view::common::name;

/// Why there is no file.
pub const NOTHING: &str = "no series is in view: there is nothing to write";
/// Columns of a heat map in a file at most: more cannot be told apart.
const SLOTS: u16 = 300;

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
    /// Unit of the bounds of a histogram.
    pub bounds: Unit,
    /// The time cursor: lists tell the values there, else the last ones.
    pub at: Option<Timestamp>,
    /// Each with its name.
    pub shown: Vec<(&'a Shown, String)>,
}

impl Keep<'_> {
    pub fn effect(self, format: Format) -> Effect {
        if self.shown.is_empty() {
            return Effect::Say(NOTHING);
        }
        let list = matches!(self.form, Form::Table | Form::Stat);
        let export = Export {
            format,
            at: self.world.now,
            kept: match format {
                Format::Csv | Format::Json if list => Kept::Table(self.list()),
                _ => Kept::Series(self.series(format)),
            },
        };
        Effect::Save(Box::new(export))
    }

    /// A row a series with the value that its panel tells, a column a label.
    fn list(self) -> TableExport {
        let cluster = |id: ClusterId| name(self.world, id);
        let labelled = |shown: &Shown| with_cluster(&shown.id.key.labels, "-");
        let labels: BTreeSet<String> = self
            .shown
            .iter()
            .flat_map(|(shown, _)| {
                labelled(shown)
                    .iter()
                    .map(|(n, _)| n.to_owned())
                    .collect::<Vec<_>>()
            })
            .filter(|label| label != CLUSTER)
            .collect();
        let mut columns = vec!["series".to_owned(), CLUSTER.to_owned()];
        // A label of the server that is called like a column of ours.
        let column = |label: &String| match label.as_str() {
            "series" | "metric" | "time" | "value" => format!("label_{label}"),
            _ => label.clone(),
        };
        columns.extend(["metric", "time", "value"].map(str::to_owned));
        columns.extend(labels.iter().map(column));
        // Where only the last value is in view the time cursor is not.
        let at = self.at.filter(|_| self.form == Form::Table);
        let row = |(shown, text): &(&Shown, String)| {
            let point = at.map_or(shown.figures.last, |at| shown.at(at));
            let own = labelled(shown);
            let mut row = vec![
                Cell::text(text),
                Cell::text(shown.id.cluster.map_or("", cluster)),
                Cell::text(&shown.id.key.name),
                point.map_or(Cell::Nothing, |p| Cell::Time(p.at)),
                point.map_or(Cell::Nothing, |p| Cell::Number(p.value)),
            ];
            row.extend(
                labels
                    .iter()
                    .map(|l| Cell::text(own.get(l).unwrap_or_default())),
            );
            row
        };
        TableExport {
            rows: self.shown.iter().map(row).collect(),
            columns,
            title: self.title,
            query: self.query,
            origin: self.origin,
        }
    }

    fn series(self, format: Format) -> SeriesExport {
        // A table holds all of it, a picture what can be told apart.
        let picture = matches!(format, Format::Png | Format::Svg);
        let heat = self.heat().filter(|_| picture);
        let most = match picture {
            true => MOST,
            false => usize::MAX,
        };
        let (from, to) = self.window.bounds(self.world.now);
        let unit = self.shown.first().map_or(Unit::None, |(s, _)| s.unit);
        let cluster = |id: ClusterId| name(self.world, id).to_owned();
        let all = self.shown.len();
        let origin = match all > most && heat.is_none() {
            true => format!(
                "{most} of {all} series, those that changed most · {}",
                self.origin
            ),
            false => self.origin,
        };
        let series = self
            .shown
            .into_iter()
            .take(most)
            .map(|(shown, text)| Exported {
                name: text,
                cluster: shown.id.cluster.map(cluster).unwrap_or_default(),
                metric: shown.id.key.name.to_string(),
                labels: shown.id.key.labels.clone(),
                points: Arc::clone(&shown.points),
            });
        SeriesExport {
            series: series.collect(),
            title: self.title,
            query: self.query,
            origin,
            unit,
            form: match self.form {
                Form::Stacked => dashboard::Form::Stacked,
                _ => dashboard::Form::Lines,
            },
            from,
            to,
            step_ms: self.step_ms,
            heat,
        }
    }

    /// The heat map, where the screen shows one.
    fn heat(&self) -> Option<HeatExport> {
        if self.form != Form::Heat {
            return None;
        }
        let (from, to) = self.window.bounds(self.world.now);
        let steps = (to.0 - from.0) / i64::from(self.step_ms.max(1));
        let columns = u16::try_from(steps).unwrap_or(u16::MAX).clamp(1, SLOTS);
        let shown: Vec<&Shown> = self.shown.iter().map(|(shown, _)| *shown).collect();
        let heat = Heat::of(&shown, &heat::axis((from, to), columns))?;
        Some(HeatExport {
            bounds: heat.bounds,
            unit: self.bounds,
            cells: heat.cells,
            most: heat.most,
            counts: heat::COUNTS.to_owned(),
        })
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
