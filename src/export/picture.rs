//! Series as a picture: PNG or SVG, black on white, for reports.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::ExportError;
use crate::model::dashboard::Form;
use crate::model::export::SeriesExport;
use crate::model::sample::Sample;
use crate::model::text::clean;

mod curves;
mod heat;

use curves::{extent, runs, stack};

const SIZE: (u32, u32) = (1280, 720);
/// Names under the picture; the rest are counted.
const NAMES: usize = 16;
const FONT: &str = "sans-serif";
static FACE: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans-subset.ttf");

/// Colours that stay apart for the colour-blind too (Okabe and Ito, 2008), then darker ones.
const COLOURS: [RGBColor; 12] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(120, 94, 240),
    RGBColor(128, 128, 0),
    RGBColor(100, 60, 20),
    RGBColor(0, 90, 60),
    RGBColor(140, 20, 60),
    RGBColor(90, 90, 90),
];

pub fn svg(export: &SeriesExport) -> Result<String, ExportError> {
    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, SIZE).into_drawing_area();
        paint(&root, export)?;
        root.present().map_err(told)?;
    }
    Ok(out)
}

pub fn png(export: &SeriesExport) -> Result<Vec<u8>, ExportError> {
    let (width, height) = SIZE;
    let mut pixels = vec![0; width as usize * height as usize * 3];
    {
        let root = BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area();
        paint(&root, export)?;
        root.present().map_err(told)?;
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().map_err(told)?;
    writer.write_image_data(&pixels).map_err(told)?;
    writer.finish().map_err(told)?;
    Ok(out)
}

fn told(error: impl std::fmt::Display) -> ExportError {
    ExportError::Picture(error.to_string())
}

type Root<'a, B> = DrawingArea<B, Shift>;

fn paint<B: DrawingBackend>(root: &Root<'_, B>, export: &SeriesExport) -> Result<(), ExportError>
where
    B::ErrorType: 'static,
{
    // No font of the machine is looked for.
    register_font(FONT, FontStyle::Normal, FACE)
        .map_err(|_| ExportError::Picture("its font cannot be read".into()))?;
    root.fill(&WHITE).map_err(told)?;
    if let Some(map) = &export.heat {
        let upper = title(root, export)?;
        return heat::paint(&upper, root, (export, map));
    }
    let named = export.series.len().min(NAMES);
    let rows = (named + usize::from(export.series.len() > NAMES)).div_ceil(2);
    let foot = i32::try_from(rows * 20 + 34).unwrap_or(0);
    let (upper, lower) = root.split_vertically(i32::try_from(SIZE.1).unwrap_or(0) - foot);
    let upper = title(&upper, export)?;
    chart(&upper, export)?;
    names(&lower, export)
}

fn title<B: DrawingBackend>(
    area: &Root<'_, B>,
    export: &SeriesExport,
) -> Result<Root<'static, B>, ExportError>
where
    B::ErrorType: 'static,
{
    let line = |text: &str, size: i32, y: i32, shade: u8| {
        let style = (FONT, size)
            .into_font()
            .color(&RGBColor(shade, shade, shade));
        let text = clean(text, 150);
        area.draw(&Text::new(text, (16, y), style)).map_err(told)
    };
    line(&export.title, 20, 10, 0)?;
    line(&export.query, 13, 36, 90)?;
    Ok(area.clone().margin(58, 4, 16, 24))
}

fn chart<B: DrawingBackend>(area: &Root<'_, B>, export: &SeriesExport) -> Result<(), ExportError>
where
    B::ErrorType: 'static,
{
    let curves: Vec<Vec<Sample>> = match export.form {
        Form::Stacked => stack(&export.series),
        _ => export.series.iter().map(|s| s.points.to_vec()).collect(),
    };
    let (low, high) = extent(&curves, export.form == Form::Stacked);
    let unit = export.unit;
    let (from, to) = (export.from.0, export.to.0.max(export.from.0 + 1));
    let times = from..to;
    let mut chart = ChartBuilder::on(area)
        .x_label_area_size(28)
        .y_label_area_size(84)
        .build_cartesian_2d(times.with_key_points(curves::ticks(from, to)), low..high)
        .map_err(told)?;
    let long = export.to.0 - export.from.0 > 86_400_000;
    chart
        .configure_mesh()
        .x_labels(8)
        .y_labels(8)
        .x_label_formatter(&|ms| curves::time(*ms, long))
        .y_label_formatter(&|v| unit.write(*v))
        .label_style((FONT, 13))
        .light_line_style(RGBColor(245, 245, 245))
        .bold_line_style(RGBColor(225, 225, 225))
        .axis_style(RGBColor(120, 120, 120))
        .draw()
        .map_err(told)?;
    let gap_ms = i64::from(export.step_ms) * 3 / 2;
    for (number, points) in curves.iter().enumerate().rev() {
        let colour = colour(number);
        for run in runs(points, gap_ms) {
            let at = run.iter().map(|p| (p.at.0, p.value));
            if export.form == Form::Stacked {
                let area = AreaSeries::new(at.clone(), 0.0, colour.mix(0.35));
                chart.draw_series(area).map_err(told)?;
            }
            if let [one] = run {
                let dot = Circle::new((one.at.0, one.value), 2, colour.filled());
                chart.draw_series([dot]).map_err(told)?;
            }
            let line = LineSeries::new(at, colour.stroke_width(2));
            chart.draw_series(line).map_err(told)?;
        }
    }
    Ok(())
}

fn colour(number: usize) -> RGBColor {
    COLOURS
        .get(number % COLOURS.len())
        .copied()
        .unwrap_or(BLACK)
}

fn names<B: DrawingBackend>(area: &Root<'_, B>, export: &SeriesExport) -> Result<(), ExportError>
where
    B::ErrorType: 'static,
{
    let style = (FONT, 13).into_font().color(&BLACK);
    let place = |number: usize| {
        let column = i32::try_from(number % 2).unwrap_or(0);
        let row = i32::try_from(number / 2).unwrap_or(0);
        (100 + column * 580, 4 + row * 20)
    };
    for (number, series) in export.series.iter().take(NAMES).enumerate() {
        let (x, y) = place(number);
        let bar = Rectangle::new([(x - 18, y + 5), (x - 6, y + 9)], colour(number).filled());
        area.draw(&bar).map_err(told)?;
        let text = clean(&series.name, 76);
        area.draw(&Text::new(text, (x, y), style.clone()))
            .map_err(told)?;
    }
    if let Some(more) = export.series.len().checked_sub(NAMES).filter(|m| *m > 0) {
        let text = format!("and {more} more");
        area.draw(&Text::new(text, place(NAMES), style.clone()))
            .map_err(told)?;
    }
    origin(area, export)
}

/// Where it came from, in the last line.
fn origin<B: DrawingBackend>(area: &Root<'_, B>, export: &SeriesExport) -> Result<(), ExportError>
where
    B::ErrorType: 'static,
{
    let grey = (FONT, 12).into_font().color(&RGBColor(110, 110, 110));
    let bottom = i32::try_from(area.dim_in_pixel().1).unwrap_or(0) - 20;
    let text = clean(&export.origin, 190);
    area.draw(&Text::new(text, (16, bottom), grey))
        .map_err(told)
}
