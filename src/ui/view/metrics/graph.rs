//! Curves and their legend.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::changes;
use super::label::{differing, label};
use super::list::about;
use crate::model::change::Change;
use crate::model::id::ClusterId;
use crate::model::sample::{Sample, SampleKind, SeriesKey};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::view::common::{
    above, clusters, drawable, empty, name, pane, rate_unit, scoped, series_style, unit_of,
};
use crate::ui::widget::badge::age;
use crate::ui::widget::chart::{Chart, Curve, Mark, MarkKind, SYMBOLS, read_from};
use crate::ui::widget::table::{Column, Table};
use crate::ui::{Ctx, Window};

/// Curves drawn at most: more cannot be told apart.
pub const MOST: usize = 20;

const LEGEND: [Column; 8] = [
    Column::new("", 1, 1),
    Column::new("SERIES", 16, 60),
    Column::new("CLUSTER", 8, 14).priority(1),
    Column::new("LAST", 9, 9).right(),
    Column::new("MIN", 9, 9).priority(3).right(),
    Column::new("MAX", 9, 9).priority(2).right(),
    Column::new("MEAN", 9, 9).priority(4).right(),
    Column::new("AGE", 4, 5).right(),
];

#[derive(Clone, Debug, PartialEq)]
pub struct ShownId {
    pub cluster: ClusterId,
    pub key: SeriesKey,
}

#[derive(Clone, Debug)]
pub struct Shown {
    pub id: ShownId,
    pub points: Vec<Sample>,
    pub unit: Unit,
    pub limits: Vec<f64>,
    pub interval_ms: u32,
}

impl Shown {
    fn finite(&self) -> impl Iterator<Item = f64> {
        self.points
            .iter()
            .map(|p| p.value)
            .filter(|v| v.is_finite())
    }

    fn change(&self) -> f64 {
        let first = self.finite().next();
        let last = self.finite().last();
        match (first, last) {
            (Some(a), Some(b)) => (b - a).abs(),
            _ => -1.0,
        }
    }

    /// Least, greatest and mean of what is finite.
    fn stats(&self) -> Option<(f64, f64, f64)> {
        let mut count = 0.0;
        let mut sum = 0.0;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in self.finite() {
            count += 1.0;
            sum += value;
            low = low.min(value);
            high = high.max(value);
        }
        (count > 0.0).then(|| (low, high, sum / count))
    }
}

/// Series of this name that the store holds of the scope.
pub fn held(world: &World, scope: Option<ClusterId>, wanted: &str, window: Window) -> Vec<Shown> {
    let (from, to) = window.bounds(world.now);
    let unit = unit_of(world, wanted);
    let limits = world
        .signals
        .iter()
        .find(|s| s.name.as_ref() == wanted)
        .and_then(|s| s.limit)
        .map(|l| [l.warn, l.crit].into_iter().flatten().collect::<Vec<_>>())
        .unwrap_or_default();
    let mut shown = Vec::new();
    for cluster in clusters(world, scope) {
        for (id, key) in world.store.find(cluster.id, wanted) {
            let kind = world.store.kind(id).unwrap_or_default();
            let points = drawable(world.store.points(id, read_from(from, to), to), kind);
            shown.push(Shown {
                id: ShownId {
                    cluster: cluster.id,
                    key: key.clone(),
                },
                points,
                unit: if kind == SampleKind::Counter {
                    rate_unit(unit)
                } else {
                    unit
                },
                limits: limits.clone(),
                interval_ms: world.store.interval_ms(id),
            });
        }
    }
    shown
}

/// The held series that is written like this.
pub fn held_by(world: &World, scope: Option<ClusterId>, text: &str) -> Option<ShownId> {
    let bare = text.split('{').next().unwrap_or(text);
    for cluster in clusters(world, scope) {
        for (_, key) in world.store.find(cluster.id, bare) {
            if key.to_string() == text {
                return Some(ShownId {
                    cluster: cluster.id,
                    key: key.clone(),
                });
            }
        }
    }
    None
}

/// Greatest change first; in doubt in the order of names, so that colours do not jump.
pub fn by_change(shown: &mut [Shown]) {
    if shown.len() > MOST {
        shown.sort_by(|a, b| {
            b.change()
                .total_cmp(&a.change())
                .then_with(|| a.id.key.cmp(&b.id.key))
        });
    }
}

pub struct Picture<'a> {
    pub shown: &'a [Shown],
    pub alone: Option<&'a ShownId>,
    pub asked: bool,
    /// The change that the cursor stands on.
    pub change: Option<Timestamp>,
}

impl Picture<'_> {
    fn drawn(&self) -> impl Iterator<Item = (usize, &Shown)> {
        self.shown
            .iter()
            .enumerate()
            .take(MOST)
            .filter(|(_, s)| self.alone.is_none_or(|id| *id == s.id))
    }

    pub fn draw_graph(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let first = self.shown.first();
        let unit = first.map_or(Unit::None, |s| s.unit);
        let title = match first {
            Some(s) if !self.asked => s.id.key.name.to_string(),
            _ => "graph".into(),
        };
        let inner = pane(ctx, area, buf, &title, &self.counted(ctx), false);
        if self.shown.is_empty() {
            empty(
                ctx,
                inner,
                buf,
                "no series: the query matched nothing, or nothing is chosen",
            );
            return;
        }
        let (from, to) = ctx.window.bounds(ctx.world.now);
        let curves: Vec<Curve<'_>> = self
            .drawn()
            .map(|(index, s)| Curve {
                points: &s.points,
                style: series_style(ctx.theme, index),
                gap_ms: i64::from(s.interval_ms) * 3,
            })
            .collect();
        let limits: Vec<(f64, Style)> = first
            .map(|s| s.limits.iter().map(|l| (*l, ctx.theme.crit)).collect())
            .unwrap_or_default();
        let changed = changes::shown(ctx.world, &self.clusters(), ctx.window);
        // What was changed is named under the chart.
        let told = changes::told(ctx, &changed, self.change).filter(|_| inner.height >= 8);
        let (inner, below) = above(inner, u16::from(told.is_some()));
        if let Some(told) = told {
            ctx.put(
                buf,
                (below.x, below.y),
                below.width,
                &told,
                ctx.theme.accent,
            );
        }
        Chart {
            curves: &curves,
            unit,
            from,
            to,
            limits: &limits,
            marks: &self.marks(ctx, &changed),
            zone: ctx.zone,
            axis: ctx.theme.muted,
            ascii: ctx.ascii,
        }
        .draw(inner, buf);
    }

    fn counted(&self, ctx: &Ctx<'_>) -> String {
        let first = self.shown.first();
        let words = first.map_or("", |s| about(ctx.world, &s.id.key.name));
        match self.shown.len() {
            n if n > MOST => format!("{n} series · top {MOST} by |Δ|"),
            n if words.is_empty() || self.asked => format!("{n} series"),
            n => format!("{words} · {n} series"),
        }
    }

    fn clusters(&self) -> Vec<ClusterId> {
        let mut seen: Vec<ClusterId> = self.drawn().map(|(_, s)| s.id.cluster).collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    /// Anomalies of the drawn series, and changes on their clusters.
    fn marks(&self, ctx: &Ctx<'_>, changed: &[(ClusterId, &Change)]) -> Vec<Mark> {
        use crate::model::finding::Evidence;
        let seen = self.clusters();
        let mut marks: Vec<Mark> = changed
            .iter()
            .map(|(_, change)| Mark {
                at: change.at,
                kind: MarkKind::Change,
                style: match self.change == Some(change.at) {
                    true => ctx.theme.selected,
                    false => ctx.theme.accent,
                },
            })
            .collect();
        for incident in ctx
            .world
            .incidents
            .iter()
            .filter(|i| seen.contains(&i.cluster))
        {
            for finding in &incident.findings {
                let here = finding.evidence.iter().any(|e| match e {
                    Evidence::Series(key) => self.drawn().any(|(_, s)| s.id.key == *key),
                    _ => false,
                });
                if here {
                    marks.push(Mark {
                        at: finding.since,
                        kind: MarkKind::Anomaly,
                        style: ctx.theme.warn,
                    });
                }
            }
        }
        marks
    }

    pub fn draw_legend(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, table: &Table<ShownId>) {
        let title = if self.alone.is_some() {
            "legend: one of them"
        } else {
            "legend"
        };
        let inner = pane(ctx, area, buf, title, "Enter isolates", ctx.focus);
        let own = differing(self.shown);
        let rows: Vec<(usize, &Shown)> = self.shown.iter().enumerate().collect();
        table.draw(
            ctx,
            inner,
            buf,
            (&scoped(ctx, &LEGEND, 2), &rows),
            |(_, s)| s.id.clone(),
            |(index, shown), column| self.cell(ctx, *index, shown, column, &own),
        );
    }

    fn cell<'a>(
        &self,
        ctx: &Ctx<'a>,
        index: usize,
        shown: &Shown,
        column: usize,
        own: &[String],
    ) -> Line<'a> {
        let theme = ctx.theme;
        let number = |v: Option<f64>| match v {
            Some(v) => Line::styled(shown.unit.write(v), theme.base),
            None => Line::styled("-", theme.muted),
        };
        let last = shown.points.last();
        match column {
            0 if index >= MOST => Line::default(),
            0 if ctx.ascii => {
                let symbol = SYMBOLS.get(index % SYMBOLS.len()).copied().unwrap_or('*');
                Line::styled(symbol.to_string(), series_style(theme, index))
            }
            0 => Line::styled("■", series_style(theme, index)),
            1 => Line::styled(label(&shown.id.key, own), theme.base),
            2 => Line::styled(name(ctx.world, shown.id.cluster), theme.muted),
            3 => number(last.map(|p| p.value)),
            4 => number(shown.stats().map(|s| s.0)),
            5 => number(shown.stats().map(|s| s.1)),
            6 => number(shown.stats().map(|s| s.2)),
            _ => {
                let old = last.map(|p| ctx.world.age_ms(p.at));
                let stale = old.is_some_and(|o| o > u64::from(shown.interval_ms.max(1_000)) * 2);
                let text = old.map_or("-".into(), age);
                match stale {
                    true => Line::styled(format!("{text}~"), theme.warn),
                    false => Line::styled(text, theme.muted),
                }
            }
        }
    }
}

/// What is drawn, in words; for the agent.
pub fn brief(ctx: &Ctx<'_>, shown: &[Shown], query: Option<&str>) -> String {
    let mut out = match query {
        Some(query) => format!("PromQL {query}: {} series", shown.len()),
        None => format!("{} series held", shown.len()),
    };
    for series in shown.iter().take(MOST) {
        let (low, high, mean) = series.stats().unwrap_or((f64::NAN, f64::NAN, f64::NAN));
        let last = series.points.last().map_or(f64::NAN, |p| p.value);
        let write = |v| series.unit.write(v);
        out.push_str(&format!(
            "\n{} {}: last {} min {} max {} mean {}",
            name(ctx.world, series.id.cluster),
            series.id.key,
            write(last),
            write(low),
            write(high),
            write(mean),
        ));
    }
    out
}
