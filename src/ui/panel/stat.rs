//! One number a series, with a small curve: for what is looked at from afar.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Shown;
use super::label::{differing, label};
use crate::ui::Ctx;
use crate::ui::view::common::{name, series_style};
use crate::ui::widget::spark::{line, squeeze};
use crate::ui::widget::text::cut;

/// Rows of one: name, value, curve.
const ROWS: u16 = 3;
const LEAST_WIDTH: u16 = 26;

/// As many as there is room for; gives how many were drawn.
pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, shown: &[(usize, &Shown)]) -> usize {
    if area.height < 2 || area.width < 10 {
        return 0;
    }
    let across = (area.width / LEAST_WIDTH).max(1);
    let rows = ROWS.min(area.height);
    let down = (area.height / (rows + 1)).max(1);
    let width = area.width / across;
    let room = usize::from(across) * usize::from(down);
    let all: Vec<&Shown> = shown.iter().map(|(_, s)| *s).collect();
    let own = differing(&all);
    for (place, (index, one)) in shown.iter().take(room).enumerate() {
        let place = u16::try_from(place).unwrap_or(0);
        let spot = Rect {
            x: area.x + place % across * width,
            y: area.y + place / across * (rows + 1),
            width: width.saturating_sub(2),
            height: rows,
        };
        block(ctx, spot, buf, (*index, one), &own);
    }
    room.min(shown.len())
}

fn block(
    ctx: &Ctx<'_>,
    spot: Rect,
    buf: &mut Buffer,
    (index, shown): (usize, &Shown),
    own: &[String],
) {
    let theme = ctx.theme;
    let cluster = shown.id.cluster.filter(|_| ctx.scope.is_none());
    let cluster = cluster.map(|c| format!("{} ", name(ctx.world, c)));
    let title = format!(
        "{}{}",
        cluster.unwrap_or_default(),
        label(&shown.id.key, own)
    );
    let columns = usize::from(spot.width);
    ctx.put(
        buf,
        (spot.x, spot.y),
        spot.width,
        &cut(&title, columns),
        theme.muted,
    );
    let value = shown
        .figures
        .last
        .map_or("-".to_owned(), |p| shown.unit.write(p.value));
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
