//! One number a series, with a small curve: for what is looked at from afar.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Series, Shown};
use crate::ui::Ctx;
use crate::ui::view::common::{name, series_style};
use crate::ui::widget::spark::{line, squeeze};
use crate::ui::widget::text::{self, cut};

/// Rows of one: name, value, curve.
const ROWS: u16 = 3;
const LEAST_WIDTH: u16 = 26;

/// These of all that are in the picture, with their places.
type Picked<'a> = (&'a Series, &'a [(usize, &'a Shown)]);

/// Whether there is room for a block each.
pub fn fits(area: Rect, count: usize) -> bool {
    let down = (area.height + 1) / (ROWS.min(area.height) + 1);
    area.height > 1 && count <= usize::from(across(area)) * usize::from(down)
}

fn across(area: Rect) -> u16 {
    (area.width / LEAST_WIDTH).max(1)
}

/// A block each; there is room for them as [`fits`] told.
pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, (series, shown): Picked<'_>) {
    let across = across(area);
    let rows = ROWS.min(area.height);
    let width = area.width / across;
    for (place, (index, one)) in shown.iter().enumerate() {
        let place = u16::try_from(place).unwrap_or(0);
        let spot = Rect {
            x: area.x + place % across * width,
            y: area.y + place / across * (rows + 1),
            width: width.saturating_sub(2),
            height: rows,
        };
        block(ctx, spot, buf, (*index, one), series);
    }
}

/// A row each, where there is no room for blocks; gives how many were drawn.
pub fn draw_rows(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    (series, shown): Picked<'_>,
) -> usize {
    let across = across(area);
    let width = area.width / across;
    let room = usize::from(across) * usize::from(area.height);
    for (place, (index, one)) in shown.iter().take(room).enumerate() {
        let place = u16::try_from(place).unwrap_or(0);
        let (x, y) = (area.x + place % across * width, area.y + place / across);
        let columns = width.saturating_sub(u16::from(across > 1));
        let value = one.last_told(ctx);
        let right = u16::try_from(text::width(&value)).unwrap_or(columns);
        let left = columns.saturating_sub(right + 1);
        let title = cut(&title(ctx, one, series), usize::from(left));
        ctx.put(buf, (x, y), left, &title, ctx.theme.muted);
        let style = series_style(ctx.theme, *index).add_modifier(ctx.theme.bold);
        let from = x + columns.saturating_sub(right);
        ctx.put(buf, (from, y), right, &value, style);
    }
    room.min(shown.len())
}

/// Cluster and labels; a cluster's only series is named by the cluster.
fn title(ctx: &Ctx<'_>, shown: &Shown, series: &Series) -> String {
    let cluster = shown.id.cluster.filter(|_| ctx.scope.is_none());
    let label = series.called(&shown.id);
    match cluster.map(|c| name(ctx.world, c)) {
        Some(cluster) if !series.differ() => cluster.to_owned(),
        Some(cluster) => format!("{cluster} {label}"),
        None => label,
    }
}

fn block(
    ctx: &Ctx<'_>,
    spot: Rect,
    buf: &mut Buffer,
    (index, shown): (usize, &Shown),
    series: &Series,
) {
    let theme = ctx.theme;
    let title = title(ctx, shown, series);
    let columns = usize::from(spot.width);
    ctx.put(
        buf,
        (spot.x, spot.y),
        spot.width,
        &cut(&title, columns),
        theme.muted,
    );
    let value = shown.last_told(ctx);
    let style = series_style(theme, index).add_modifier(theme.bold);
    let after = ctx.put(buf, (spot.x, spot.y + 1), spot.width, &value, style);
    if let Some((low, high, _)) = shown.figures.range {
        let room = spot.right().saturating_sub(after + 1);
        let text = format!("{} .. {}", shown.unit.write(low), shown.unit.write(high));
        ctx.put(buf, (after + 1, spot.y + 1), room, &text, theme.muted);
        if spot.height > 2 {
            let values: Vec<f64> = shown.points.iter().map(|p| p.value).collect();
            let curve = line(&squeeze(&values, columns), low, high);
            ctx.put(
                buf,
                (spot.x, spot.y + 2),
                spot.width,
                &curve,
                series_style(theme, index),
            );
        }
    }
}
