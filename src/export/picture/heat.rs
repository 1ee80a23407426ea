//! Histograms over time as a picture: a row a bucket, darker where more fell into it.

use plotters::prelude::*;

use super::{ExportError, FONT, Root, SIZE, curves, origin, told};
use crate::model::export::{HeatExport, SeriesExport};
use crate::model::text::clean;

/// Little to much; white is nothing that is known of.
const FAINT: (f64, f64, f64) = (222.0, 235.0, 247.0);
const DARK: (f64, f64, f64) = (8.0, 48.0, 107.0);
/// A known nothing.
const NONE: RGBColor = RGBColor(246, 246, 242);
/// Bounds that are written at most.
const LABELS: usize = 20;
/// Rows of pixels for the scale and the origin.
const FOOT: i32 = 66;

/// The map into `area`, its scale and origin at the foot of `root`.
pub fn paint<B: DrawingBackend>(
    area: &Root<'_, B>,
    root: &Root<'_, B>,
    (export, map): (&SeriesExport, &HeatExport),
) -> Result<(), ExportError>
where
    B::ErrorType: 'static,
{
    let height = i32::try_from(SIZE.1).unwrap_or(0);
    let (area, _) = area.split_vertically(height - FOOT - 62);
    let (_, foot) = root.split_vertically(height - FOOT);
    chart(&area, export, map)?;
    scale(&foot, map)?;
    origin(&foot, export)
}

fn chart<B: DrawingBackend>(
    area: &Root<'_, B>,
    export: &SeriesExport,
    map: &HeatExport,
) -> Result<(), ExportError>
where
    B::ErrorType: 'static,
{
    let (from, to) = (export.from.0, export.to.0.max(export.from.0 + 1));
    let rows = map.bounds.len().max(1);
    let times = (from..to).with_key_points(curves::ticks(from, to));
    let mut chart = ChartBuilder::on(area)
        .x_label_area_size(28)
        .y_label_area_size(84)
        .build_cartesian_2d(times, 0.0..rows as f64)
        .map_err(told)?;
    let long = to - from > 86_400_000;
    // A bound stands at the upper edge of its bucket.
    let bound = |edge: &f64| {
        let bucket = edge.round() as usize;
        let bound = bucket.checked_sub(1).and_then(|b| map.bounds.get(b));
        bound.map_or(String::new(), |b| map.unit.write(*b))
    };
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(8)
        .y_labels(rows.min(LABELS) + 1)
        .x_label_formatter(&|ms| curves::time(*ms, long))
        .y_label_formatter(&bound)
        .label_style((FONT, 13))
        .axis_style(RGBColor(120, 120, 120))
        .draw()
        .map_err(told)?;
    let slots = map.cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let edge = |slot: usize| from + (to - from) * slot as i64 / slots as i64;
    for (bucket, row) in map.cells.iter().enumerate() {
        for (slot, value) in row.iter().enumerate() {
            let Some(value) = value else { continue };
            let corners = [
                (edge(slot), bucket as f64),
                (edge(slot + 1), (bucket + 1) as f64),
            ];
            let cell = Rectangle::new(corners, shade(*value, map.most).filled());
            chart.draw_series([cell]).map_err(told)?;
        }
    }
    Ok(())
}

/// By the root of its share, as on the screen, so that few are seen beside many.
fn shade(value: f64, most: f64) -> RGBColor {
    if value <= 0.0 || most <= 0.0 {
        return NONE;
    }
    let share = (value / most).clamp(0.0, 1.0).sqrt();
    let mix = |faint: f64, dark: f64| (faint + (dark - faint) * share).round() as u8;
    RGBColor(
        mix(FAINT.0, DARK.0),
        mix(FAINT.1, DARK.1),
        mix(FAINT.2, DARK.2),
    )
}

/// `0 ▁▂▃▅▇ 12/s` and what that is.
fn scale<B: DrawingBackend>(area: &Root<'_, B>, map: &HeatExport) -> Result<(), ExportError>
where
    B::ErrorType: 'static,
{
    const STEPS: i32 = 24;
    let style = (FONT, 13).into_font().color(&BLACK);
    let text = |text: String, x: i32| {
        area.draw(&Text::new(text, (x, 8), style.clone()))
            .map_err(told)
    };
    text("0".into(), 88)?;
    for step in 0..STEPS {
        let value = map.most * f64::from(step) / f64::from(STEPS - 1);
        let x = 104 + step * 8;
        let part = Rectangle::new([(x, 8), (x + 8, 22)], shade(value, map.most).filled());
        area.draw(&part).map_err(told)?;
    }
    let right = 104 + STEPS * 8 + 8;
    let most = crate::model::unit::Unit::None.write(map.most);
    text(clean(&format!("{most}   {}", map.counts), 150), right)
}
