//! The devices as a table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::map::{Id, trouble};
use super::order::Row;
use crate::model::gpu::Gpu;
use crate::model::id::ClusterId;
use crate::model::signal::Group;
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::reading;
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("GPU", 10, 26),
    Column::new("MODEL", 21, 24).priority(5),
    Column::new("UTIL", 6, 10).right(),
    Column::new("MEMORY", 8, 12).priority(1).right(),
    Column::new("TEMP", 6, 10).right(),
    Column::new("POWER", 7, 10).priority(2).right(),
    Column::new("POD", 24, 60).priority(4),
];

pub fn rows<'a>(rows: &[Row<'a>]) -> Vec<(ClusterId, &'a Gpu)> {
    rows.iter()
        .flat_map(|r| r.gpus.iter().map(move |g| (r.cluster, *g)))
        .collect()
}

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    rows: &[(ClusterId, &Gpu)],
    table: &Table<Id>,
) {
    table.draw(
        ctx,
        area,
        buf,
        (&COLUMNS, rows),
        |(cluster, gpu)| Id::of(*cluster, gpu),
        |(cluster, gpu), column| cell(&ctx.polled(*cluster, Group::Gpu), gpu, column),
    );
}

fn cell<'a>(ctx: &Ctx<'_>, gpu: &Gpu, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let base = theme.base;
    match column {
        0 if trouble(gpu).is_some() => Line::styled("✗", theme.crit),
        0 if gpu.slowed().next().is_some() => Line::styled("▲", theme.warn),
        // What nobody tells now is not well.
        0 if gpu.newest().is_none_or(|s| ctx.is_old(s.at)) => Line::styled("?", theme.unknown),
        0 => Line::styled("●", theme.ok),
        1 => Line::styled(gpu.label(), base),
        2 => Line::styled(
            gpu.model.clone().unwrap_or_else(|| "n/a".into()),
            theme.muted,
        ),
        3 => reading(ctx, gpu.utilisation, Unit::Percent, base).into(),
        4 => reading(ctx, gpu.memory_used_mib, Unit::Mebibytes, base).into(),
        5 => reading(ctx, gpu.temperature_c, Unit::Celsius, base).into(),
        // Of a part it is that of its card.
        6 if gpu.partition.is_some() => reading(ctx, gpu.power_w, Unit::Watts, theme.muted).into(),
        6 => reading(ctx, gpu.power_w, Unit::Watts, base).into(),
        _ => match &gpu.pod {
            Some((namespace, pod)) => Line::styled(format!("{namespace}/{pod}"), base),
            None => Line::styled("-", theme.muted),
        },
    }
}
