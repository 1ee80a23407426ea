//! The heat map: a row a node or a job, two cells a GPU.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use std::collections::BTreeSet;
use std::sync::Arc;

use super::order::{Order, Row};
use crate::model::alert::Severity;
use crate::model::gpu::{Gpu, Measure, cards, power_of};
use crate::model::id::ClusterId;
use crate::model::signal::Group;
use crate::model::unit::Unit;
use crate::model::xid;
use crate::ui::Ctx;
use crate::ui::view::common::lines;
use crate::ui::widget::heat::block;
use crate::ui::widget::text::{first_row, fit, fit_right};

#[derive(Clone, Debug, PartialEq)]
pub struct Id {
    cluster: ClusterId,
    node: Arc<str>,
    index: String,
    partition: Option<String>,
}

impl Id {
    pub fn of(cluster: ClusterId, gpu: &Gpu) -> Self {
        Self {
            cluster,
            node: gpu.node.clone(),
            index: gpu.index.clone(),
            partition: gpu.partition.clone(),
        }
    }

    pub fn is(&self, cluster: ClusterId, gpu: &Gpu) -> bool {
        self.cluster == cluster
            && self.node == gpu.node
            && self.index == gpu.index
            && self.partition == gpu.partition
    }
}

/// What is wrong with a device itself, in a few words.
pub fn trouble(gpu: &Gpu) -> Option<String> {
    if let Some((code, text)) = &gpu.xid
        && xid::of(*code).severity > Severity::Info
    {
        return Some(format!("XID {code} {text}"));
    }
    if gpu.row_remap_failure == Some(true) {
        return Some("row remapping failed".into());
    }
    if let Some(count) = gpu.ecc_uncorrected.filter(|n| *n > 0.0) {
        return Some(format!("uncorrectable memory errors: {count:.0}"));
    }
    if gpu.healthy == Some(false) {
        return Some(match gpu.checks.first() {
            Some(check) => format!("reported unhealthy: {check}"),
            None => "reported unhealthy".into(),
        });
    }
    let action = gpu.recovery.filter(|a| a.severity == Severity::Critical);
    action.map(|a| format!("driver asks to {}", a.word))
}

/// How the cells are made and ordered: the measure, and the greatest value of the fleet.
#[derive(Clone, Copy)]
pub struct Scale {
    measure: Measure,
    order: Order,
    top: f64,
}

impl Scale {
    pub fn of(measure: Measure, order: Order, rows: &[Row<'_>]) -> Self {
        let gpus = rows.iter().flat_map(|r| &r.gpus);
        let values = gpus.filter_map(|g| measure.read(g)).map(|s| s.value);
        let top = values.fold(0.0, f64::max);
        Self {
            measure,
            order,
            top,
        }
    }
}

/// Two characters for a device: never colour alone.
fn cell(ctx: &Ctx<'_>, gpu: &Gpu, scale: Scale) -> (String, Style) {
    let theme = ctx.theme;
    if trouble(gpu).is_some() {
        return ("✗✗".into(), theme.crit);
    }
    let Some(sample) = scale.measure.read(gpu) else {
        return ("--".into(), theme.muted);
    };
    let value = sample.value;
    let level = block(scale.measure.share(gpu, value, scale.top));
    if ctx.is_old(sample.at) {
        return (format!("{level}~"), theme.muted);
    }
    let limits = scale.measure.limits();
    if limits.is_some_and(|(_, crit)| value >= crit) {
        return (format!("{level}!"), theme.crit);
    }
    if gpu.slowed().next().is_some() || limits.is_some_and(|(warn, _)| value >= warn) {
        return (format!("{level}▲"), theme.warn);
    }
    let idle = gpu.utilisation.is_some_and(|s| s.value < 5.0);
    let style = if idle { theme.muted } else { theme.ok };
    (format!("{level}{level}"), style)
}

pub fn title(rows: &[Row<'_>]) -> String {
    let all = rows
        .iter()
        .flat_map(|r| r.gpus.iter().map(|g| (r.cluster, *g)));
    let all: Vec<(ClusterId, &Gpu)> = all.collect();
    let clusters: BTreeSet<ClusterId> = all.iter().map(|(c, _)| *c).collect();
    let gpus = clusters.into_iter().map(|cluster| {
        let own = all.iter().filter(|(c, _)| *c == cluster);
        cards(own.map(|(_, g)| *g))
    });
    let gpus: usize = gpus.sum();
    let parts = match gpus == all.len() {
        true => String::new(),
        false => format!(" in {} parts", all.len()),
    };
    let mut nodes: Vec<(ClusterId, &Arc<str>)> = rows
        .iter()
        .flat_map(|r| r.gpus.iter().map(|g| (r.cluster, &g.node)))
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    format!("devices: {gpus} GPUs{parts} on {} nodes", nodes.len())
}

/// `unheld`: series of the shown clusters that the store does not hold.
pub fn sum(rows: &[Row<'_>], problems: bool, unheld: usize) -> String {
    let gpus = || rows.iter().flat_map(|r| &r.gpus);
    let bad = gpus().filter(|g| trouble(g).is_some()).count();
    let slow = gpus().filter(|g| g.slowed().next().is_some()).count();
    let only = if problems { " · problems only" } else { "" };
    let missing = match unheld {
        0 => String::new(),
        n => format!("{n} series not held · "),
    };
    format!("{missing}{bad} in trouble · {slow} throttled{only}")
}

/// Columns taken by the name of a node.
fn head(width: u16) -> usize {
    if width >= 60 { 24 } else { 14 }
}

/// Columns of the numbers at the end of a row, and of the mark of devices that it does not show.
const NUMBERS: usize = 19;
const MARK: usize = 8;

/// Devices shown in a row: all of the longest, or as many as there is room for beside the mark.
fn cells(rows: &[Row<'_>], width: u16) -> usize {
    let most = rows.iter().map(|r| r.gpus.len()).max().unwrap_or(0);
    let room = usize::from(width).saturating_sub(head(width) + NUMBERS);
    match most * 3 <= room {
        true => most,
        false => (room.saturating_sub(MARK) / 3).max(1),
    }
}

/// Where not all devices go into the row, those around the chosen one are shown: how many of the
/// first are not.
fn hidden(row: &Row<'_>, shown: usize, current: Option<&Id>) -> usize {
    let own = |g: &&Gpu| current.is_some_and(|id| id.is(row.cluster, g));
    let place = row.gpus.iter().position(own);
    first_row(place.unwrap_or(0), row.gpus.len(), shown)
}

fn name(row: &Row<'_>, many: bool, columns: usize) -> String {
    match many {
        true => fit(&format!("{}/{}", row.cluster_name, row.name), columns),
        false => fit(&row.name, columns),
    }
}

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    (rows, scale): (&[Row<'_>], Scale),
    current: Option<&Id>,
) {
    let head = head(area.width);
    let many = rows
        .iter()
        .any(|r| r.cluster != rows.first().map_or(r.cluster, |f| f.cluster));
    let shown = cells(rows, area.width);
    // Where rows are cut, each shows others.
    let whole = rows.iter().all(|r| r.gpus.len() <= shown);
    let number = |i: usize| {
        if whole {
            format!("{i:<3}")
        } else {
            "   ".into()
        }
    };
    let numbers: String = (0..shown).map(number).collect();
    let what = format!("{} {}", scale.measure.word(), scale.order.word());
    let mut out = vec![Line::styled(
        format!(
            "{} {numbers} {} {}",
            fit(&what, head),
            fit_right("power", 8),
            fit_right("mean", 8)
        ),
        ctx.theme.muted,
    )];
    let chosen = chosen_row(rows, current);
    let height = usize::from(area.height.saturating_sub(1));
    let first = first_row(chosen, rows.len(), height);
    for row in rows.iter().skip(first).take(height) {
        out.push(line(ctx, (row, scale), (head, shown), many, current));
    }
    lines(ctx, area, buf, &out, 0);
}

fn chosen_row(rows: &[Row<'_>], current: Option<&Id>) -> usize {
    rows.iter()
        .position(|r| {
            r.gpus
                .iter()
                .any(|g| current.is_some_and(|id| id.is(r.cluster, g)))
        })
        .unwrap_or(0)
}

fn line<'a>(
    ctx: &Ctx<'_>,
    (row, scale): (&Row<'_>, Scale),
    (head, shown): (usize, usize),
    many: bool,
    current: Option<&Id>,
) -> Line<'a> {
    let ctx = &ctx.polled(row.cluster, Group::Gpu);
    let theme = ctx.theme;
    let mut spans = vec![Span::styled(
        format!("{} ", name(row, many, head)),
        theme.base,
    )];
    let skip = hidden(row, shown, current);
    for gpu in row.gpus.iter().skip(skip).take(shown) {
        let (text, style) = cell(ctx, gpu, scale);
        let chosen = ctx.focus && current.is_some_and(|id| id.is(row.cluster, gpu));
        let style = if chosen {
            style.patch(theme.selected)
        } else {
            style
        };
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" "));
    }
    let missing = shown.saturating_sub(row.gpus.len());
    spans.push(Span::raw(" ".repeat(missing * 3)));
    let watts = power_of(row.gpus.iter().copied());
    let power = watts.map_or("n/a".into(), |w| Unit::Watts.write(w));
    let measure = scale.measure;
    let mean = row
        .mean(measure)
        .map_or("n/a".into(), |value| measure.unit().write(value));
    let text = format!(" {} {}", fit_right(&power, 8), fit_right(&mean, 8));
    spans.push(Span::styled(text, theme.base));
    if row.gpus.len() > shown {
        spans.push(Span::styled(
            format!(" {shown}/{}", row.gpus.len()),
            theme.warn,
        ));
    }
    Line::from(spans)
}

/// The device at a place of the screen; `area` with its border.
pub fn at(rows: &[Row<'_>], current: Option<&Id>, area: Rect, at: (u16, u16)) -> Option<Id> {
    let inner = Rect::new(
        area.x.saturating_add(1),
        area.y.saturating_add(2),
        area.width.saturating_sub(2),
        area.height.saturating_sub(3),
    );
    if !inner.contains(at.into()) {
        return None;
    }
    let first = first_row(
        chosen_row(rows, current),
        rows.len(),
        usize::from(inner.height),
    );
    let row = rows.get(first + usize::from(at.1 - inner.y))?;
    let column = usize::from(at.0 - inner.x).checked_sub(head(inner.width) + 1)? / 3;
    let shown = cells(rows, inner.width);
    let skip = hidden(row, shown, current);
    let hit = row.gpus.get(skip + column).filter(|_| column < shown)?;
    Some(Id::of(row.cluster, hit))
}
