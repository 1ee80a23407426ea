//! What several screens need: scope, panes, rows of text, readings, marks of changes.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ScreenId;
use crate::message::Effect;
use crate::model::export::{Export, Format, Kept, LinesExport};
use crate::model::id::{ClusterId, RequestId};
use crate::model::sample::{Sample, SampleKind};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::model::usual::Usual;
use crate::state::world::{ClusterState, World};
use crate::ui::layout::middle;
use crate::ui::widget::badge::age;
use crate::ui::widget::chart::{Band, Over};
use crate::ui::widget::table::{Column, put_line};
use crate::ui::widget::text::Pane;
use crate::ui::{Ctx, Theme};

/// The clusters of the scope, in the order of the configuration.
pub fn clusters(world: &World, scope: Option<ClusterId>) -> impl Iterator<Item = &ClusterState> {
    world
        .clusters
        .iter()
        .filter(move |c| scope.is_none_or(|s| s == c.id))
}

pub fn name(world: &World, id: ClusterId) -> &str {
    world.name_of(id)
}

/// Numbers of the questions of one screen.
#[derive(Clone, Debug)]
pub struct Numbers {
    next: RequestId,
}

impl Numbers {
    pub fn new(screen: ScreenId) -> Self {
        Self {
            next: screen.first_request(),
        }
    }

    pub fn take(&mut self) -> RequestId {
        let taken = self.next;
        self.next = RequestId(taken.0 + 1);
        taken
    }
}

/// These columns with that of the cluster (number `at`) as wide as the names of clusters need it;
/// without it where the scope is one cluster, which the first row names.
pub fn scoped<'a, const N: usize>(
    ctx: &Ctx<'_>,
    columns: &[Column<'a>; N],
    at: usize,
) -> [Column<'a>; N] {
    let mut columns = *columns;
    let longest = ctx.world.clusters.iter().map(|c| c.name.chars().count());
    let longest = u16::try_from(longest.max().unwrap_or(0)).unwrap_or(u16::MAX);
    if let Some(column) = columns.get_mut(at) {
        *column = match ctx.scope {
            Some(_) => column.hidden(),
            None => Column {
                min: column.min.max(longest.min(14)),
                max: longest.clamp(column.min, 40),
                ..*column
            },
        };
    }
    columns
}

/// These columns with that of a time (number `at`) wide enough for a date, where one of these times
/// is not of today.
pub fn dated<'a, const N: usize>(
    ctx: &Ctx<'_>,
    mut columns: [Column<'a>; N],
    at: usize,
    times: impl IntoIterator<Item = Timestamp>,
) -> [Column<'a>; N] {
    const DATED: u16 = 11;
    if times.into_iter().any(|t| !ctx.is_today(t))
        && let Some(column) = columns.get_mut(at)
    {
        (column.min, column.max) = (DATED, DATED);
    }
    columns
}

/// What a pane holds, without its border.
pub fn inside(pane: Rect) -> Rect {
    pane.inner(Margin::new(1, 1))
}

/// A pane over the middle of the screen; gives its inside.
pub fn sheet(
    ctx: &Ctx<'_>,
    area: Rect,
    (width, height): (u16, u16),
    buf: &mut Buffer,
    title: &str,
    right: &str,
) -> Rect {
    let spot = middle(area, width, height);
    ctx.clear(buf, spot);
    pane(ctx, spot, buf, title, right, true)
}

/// A pane in the colours of the theme; gives its inside.
pub fn pane(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    title: &str,
    right: &str,
    focus: bool,
) -> Rect {
    let focus = focus && ctx.focus;
    Pane {
        title,
        right,
        border: if focus {
            ctx.theme.border_focus
        } else {
            ctx.theme.border
        },
        title_style: ctx.theme.title,
    }
    .draw(area, buf)
}

/// The same context for a pane that does or does not hold the cursor.
pub fn focused<'a>(ctx: &Ctx<'a>, focus: bool) -> Ctx<'a> {
    Ctx {
        focus: ctx.focus && focus,
        ..*ctx
    }
}

/// Lines one under another, from `skip` on.
pub fn lines(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, lines: &[Line<'_>], skip: usize) {
    let shown = lines.iter().skip(skip).take(usize::from(area.height));
    for (y, line) in (area.y..).zip(shown) {
        put_line(ctx, buf, (area.x, y), area.width, false, line);
    }
}

/// Log lines to a file, where there are `some`.
pub fn lines_effect(lines: LinesExport, world: &World, format: Format, some: bool) -> Effect {
    if !some {
        return Effect::Say("no line is in view: there is nothing to write");
    }
    let export = Export {
        format,
        at: world.now,
        kept: Kept::Lines(lines),
    };
    Effect::Save(Box::new(export))
}

/// One sentence in the middle of an empty pane.
pub fn empty(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, text: &str) {
    let parts = super::super::widget::text::wrap(text, usize::from(area.width.saturating_sub(2)));
    let top = area.y + area.height.saturating_sub(parts.len() as u16) / 2;
    for (y, part) in (top..area.bottom()).zip(parts) {
        ctx.put(
            buf,
            (area.x + 1, y),
            area.width.saturating_sub(2),
            &part,
            ctx.theme.muted,
        );
    }
}

/// What is known of a row in full, in a pane over the lower part of the screen.
pub fn detail(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, text: &str, most: u16) {
    let lines = super::super::widget::text::wrap(text, usize::from(area.width.saturating_sub(2)));
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let rows = rows.saturating_add(2).min(most).max(3);
    let (_, area) = above(area, rows);
    ctx.clear(buf, area);
    let shown = usize::from(area.height.saturating_sub(2));
    let right = match lines.len() > shown {
        true => format!("{shown} of {} lines · d closes", lines.len()),
        false => "d closes".to_owned(),
    };
    let inner = pane(ctx, area, buf, "Detail", &right, true);
    for (y, line) in (inner.y..inner.bottom()).zip(&lines) {
        ctx.put(buf, (inner.x, y), inner.width, line, ctx.theme.base);
    }
}

/// `key  value`, the key dimmed.
pub fn pair<'a>(theme: &Theme, key: &'a str, value: impl Into<String>, style: Style) -> Line<'a> {
    Line::from(vec![
        Span::styled(format!("{key:<11} "), theme.muted),
        Span::styled(value.into(), style),
    ])
}

/// A heading within a detail pane.
pub fn heading<'a>(theme: &Theme, text: impl Into<String>) -> Line<'a> {
    Line::styled(text.into(), theme.title)
}

/// Readings of which nobody knows how often they come are old after this, milliseconds.
pub const STALE_MS: u64 = 60_000;

/// Value with unit; `n/a` when the exporter lacks it; with its age and dimmed when it is old.
pub fn reading(ctx: &Ctx<'_>, sample: Option<Sample>, unit: Unit, style: Style) -> Span<'static> {
    let Some(sample) = sample else {
        return Span::styled("n/a", ctx.theme.muted);
    };
    let text = unit.write(sample.value);
    match ctx.is_old(sample.at) {
        true => Span::styled(
            format!("{text} {}~", ago(ctx.world, sample.at)),
            ctx.theme.muted,
        ),
        false => Span::styled(text, style),
    }
}

/// Style of the n-th curve.
pub fn series_style(theme: &Theme, index: usize) -> Style {
    match theme.series.get(index % theme.series.len().max(1)) {
        Some(color) => theme.base.fg(*color),
        None => theme.base,
    }
}

/// The one time cursor, over a chart.
pub fn cursor(ctx: &Ctx<'_>) -> Over {
    Over {
        cursor: ctx.cursor.at.map(|at| (at, ctx.theme.key)),
        ..Over::default()
    }
}

/// What is usual, as an area behind curves.
pub fn band<'a>(ctx: &Ctx<'_>, usual: &'a Usual) -> Band<'a> {
    Band {
        steps: usual.steps(),
        style: ctx.theme.border,
    }
}

/// Unit of a series: from the catalogue, else from the name as Prometheus wants names to be.
pub fn unit_of(world: &World, name: &str) -> Unit {
    if let Some(signal) = world.signals.iter().find(|s| s.name.as_ref() == name) {
        return signal.unit;
    }
    let base = name.strip_suffix("_total").unwrap_or(name);
    match base {
        b if b.ends_with("_bytes") => Unit::Bytes,
        b if b.ends_with("_seconds") => Unit::Seconds,
        b if b.ends_with("_ns") => Unit::Nanoseconds,
        b if b.ends_with("_ratio") => Unit::Ratio,
        b if b.ends_with("_percent") => Unit::Percent,
        b if b.ends_with("_celsius") => Unit::Celsius,
        b if b.ends_with("_watts") => Unit::Watts,
        _ => Unit::None,
    }
}

/// Unit of the rate of a counter.
pub fn rate_unit(unit: Unit) -> Unit {
    match unit {
        Unit::Bytes => Unit::BytesPerSecond,
        // Seconds a second: how many run at a time.
        Unit::Seconds => Unit::None,
        _ => Unit::PerSecond,
    }
}

/// Points as they may be drawn: a counter as its growth per second, with a gap where it restarted.
pub fn drawable(points: impl Iterator<Item = Sample>, kind: SampleKind) -> Vec<Sample> {
    if kind == SampleKind::Gauge {
        return points.collect();
    }
    let mut before: Option<Sample> = None;
    let mut rates = Vec::new();
    for point in points {
        if let Some(last) = before {
            let seconds = (point.at.0 - last.at.0) as f64 / 1000.0;
            let grown = point.value - last.value;
            if seconds > 0.0 {
                let value = if grown >= 0.0 {
                    grown / seconds
                } else {
                    f64::NAN
                };
                rates.push(Sample {
                    at: point.at,
                    value,
                });
            }
        }
        before = Some(point);
    }
    rates
}

/// Whole seconds between two points of a range answer: about one a dot, never under 15 s.
pub fn step_ms(span_ms: i64) -> u32 {
    // Few different steps, so that windows of about one length share what is known.
    const EVEN_S: [i64; 16] = [
        15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 600, 900, 1800, 3600, 7200,
    ];
    let wanted = span_ms / 240;
    let even = EVEN_S.iter().map(|s| s * 1000).find(|s| *s >= wanted);
    u32::try_from(even.unwrap_or(wanted / 1000 * 1000)).unwrap_or(u32::MAX)
}

/// Share of two panes side by side; the right one is left out where it would be too narrow.
pub fn beside(area: Rect, least: u16, right: u16) -> (Rect, Option<Rect>) {
    if area.width < least {
        return (area, None);
    }
    let left = Rect {
        width: area.width - right,
        ..area
    };
    let right = Rect {
        x: left.right(),
        width: right,
        ..area
    };
    (left, Some(right))
}

/// Upper and lower part; the lower one has `rows` rows.
pub fn above(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let top = Rect {
        height: area.height - rows,
        ..area
    };
    let bottom = Rect {
        y: top.bottom(),
        height: rows,
        ..area
    };
    (top, bottom)
}

/// `now - at` in coarse steps.
pub fn ago(world: &World, at: Timestamp) -> String {
    age(world.age_ms(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64, value: f64) -> Sample {
        Sample {
            at: Timestamp(s * 1000),
            value,
        }
    }

    #[test]
    fn counters_are_drawn_as_rates_with_gaps_at_restarts() {
        let points = [at(0, 10.0), at(10, 30.0), at(20, 5.0), at(30, 6.0)];
        let rates = drawable(points.into_iter(), SampleKind::Counter);
        assert_eq!(rates.len(), 3);
        assert_eq!(rates.first().map(|r| r.value), Some(2.0));
        assert!(rates.get(1).is_some_and(|r| r.value.is_nan()));
        assert_eq!(drawable(points.into_iter(), SampleKind::Gauge).len(), 4);
    }

    #[test]
    fn units_by_name() {
        let world = World::default();
        assert_eq!(
            unit_of(&world, "node_network_receive_bytes_total"),
            Unit::Bytes
        );
        assert_eq!(unit_of(&world, "up"), Unit::None);
        assert_eq!(rate_unit(Unit::Bytes), Unit::BytesPerSecond);
    }

    #[test]
    fn steps_are_whole_seconds() {
        assert_eq!(step_ms(3_600_000), 15_000);
        assert_eq!(step_ms(86_400_000), 360_000);
        assert_eq!(step_ms(0), 15_000);
    }
}
