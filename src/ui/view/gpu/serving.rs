//! Models served by vLLM and its like.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::served::{Row, Served, why_silent};
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::serving::{CACHE_FULL, InferenceService, Serving};
use crate::model::signal::Group;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{name, pane, reading, scoped};
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column; 10] = [
    Column::new("MODEL", 12, 48),
    Column::new("NAMESPACE", 8, 14).priority(5),
    Column::new("CLUSTER", 8, 14).priority(4),
    Column::new("RUN", 5, 6).right(),
    Column::new("QUEUE", 5, 6).right(),
    Column::new("KV", 6, 6).right(),
    Column::new("GEN tok/s", 9, 9).priority(2).right(),
    Column::new("TTFT p95", 8, 9).right(),
    Column::new("ITL p95", 8, 9).priority(1).right(),
    Column::new("PREEMPT", 8, 9).priority(3).right(),
];

pub fn id(row: &Row<'_>) -> (ClusterId, String, String) {
    (row.0, row.1.namespace().to_owned(), row.1.name().to_owned())
}

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    rows: &[Row<'_>],
    table: &Table<(ClusterId, String, String)>,
) {
    let title = format!("models served: {}", rows.len());
    let inner = pane(ctx, area, buf, &title, "", ctx.focus);
    table.draw(
        ctx,
        inner,
        buf,
        (&scoped(ctx, &COLUMNS, 2), rows),
        id,
        |row, column| cell(&ctx.polled(row.0, Group::Serving), row, column),
    );
}

fn cell<'a>(ctx: &Ctx<'a>, (cluster, served): &Row<'a>, column: usize) -> Line<'a> {
    match (column, served) {
        (0, Served::Model(model)) => Line::styled(model.model.as_str(), ctx.theme.base),
        (0, Served::Silent(service)) => state(ctx, service),
        (1, served) => Line::styled(served.namespace(), ctx.theme.muted),
        (2, _) => Line::styled(name(ctx.world, *cluster), ctx.theme.muted),
        (column, Served::Model(model)) => figure(ctx, model, column),
        (_, Served::Silent(_)) => Line::styled("n/a", ctx.theme.muted),
    }
}

/// A service of which nothing more is known than whether it is ready.
fn state<'a>(ctx: &Ctx<'a>, service: &'a InferenceService) -> Line<'a> {
    let (mark, word, style) = match service.ready {
        Some(true) => ("● ", " ready", ctx.theme.ok),
        Some(false) => ("✗ ", " not ready", ctx.theme.crit),
        None => ("? ", "", ctx.theme.muted),
    };
    Line::from(vec![
        Span::styled(mark, style),
        Span::styled(&*service.name, ctx.theme.base),
        Span::styled(word, style),
    ])
}

fn figure<'a>(ctx: &Ctx<'a>, model: &'a Serving, column: usize) -> Line<'a> {
    let base = ctx.theme.base;
    let warn = |over: bool| if over { ctx.theme.warn } else { base };
    let over = |sample: Option<Sample>, limit: f64| sample.is_some_and(|s| s.value > limit);
    match column {
        3 => reading(ctx, model.running, Unit::None, base).into(),
        4 => reading(
            ctx,
            model.waiting,
            Unit::None,
            warn(over(model.waiting, 0.0)),
        )
        .into(),
        5 => reading(
            ctx,
            model.kv_cache,
            Unit::Ratio,
            warn(over(model.kv_cache, CACHE_FULL)),
        )
        .into(),
        6 => reading(ctx, model.generation_tokens_per_s, Unit::None, base).into(),
        7 => latency(ctx, model.ttft.p95, base),
        8 => latency(ctx, model.itl.p95, base),
        _ => {
            let style = warn(over(model.preemptions_per_s, 0.0));
            reading(ctx, model.preemptions_per_s, Unit::PerSecond, style).into()
        }
    }
}

/// An idle server has no latency: that is not a value of zero.
fn latency<'a>(ctx: &Ctx<'_>, sample: Option<Sample>, style: Style) -> Line<'a> {
    match sample {
        Some(s) if s.value.is_nan() => Line::styled("idle", ctx.theme.muted),
        other => reading(ctx, other, Unit::Seconds, style).into(),
    }
}

pub fn plain(world: &World, (cluster, served): Row<'_>) -> String {
    let model = match served {
        Served::Model(model) => model,
        Served::Silent(service) => return silent(world, cluster, service),
    };
    let write = |sample: Option<Sample>, unit: Unit| match sample {
        Some(s) if s.value.is_nan() => "idle".into(),
        Some(s) => unit.write(s.value),
        None => "n/a".into(),
    };
    format!(
        "{} model {}: running {}, waiting {}, KV cache {}, TTFT p95 {}, ITL p95 {}",
        name(world, cluster),
        model.model,
        write(model.running, Unit::None),
        write(model.waiting, Unit::None),
        write(model.kv_cache, Unit::Ratio),
        write(model.ttft.p95, Unit::Seconds),
        write(model.itl.p95, Unit::Seconds),
    )
}

fn silent(world: &World, cluster: ClusterId, service: &InferenceService) -> String {
    let state = match service.ready {
        Some(true) => "ready",
        Some(false) => "not ready",
        None => "not told whether it is ready",
    };
    let known = world.cluster(cluster);
    let why = known.map_or_else(String::new, |c| why_silent(c, service));
    format!(
        "{} KServe {}/{}: {state}, metrics n/a: {why}",
        name(world, cluster),
        service.namespace,
        service.name
    )
}
