//! The legend: what each curve is, its figures, and which of them are drawn. As a table of its own
//! it has a column for each label that tells the series apart.

use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::plot::Panel;
use super::{MOST, Shown, ShownId};
use crate::model::sample::Sample;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{name, scoped, series_style};
use crate::ui::widget::badge::age;
use crate::ui::widget::chart::SYMBOLS;
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column<'static>; 9] = [
    Column::new("", 1, 1),
    Column::new("SERIES", 16, 60),
    Column::new("CLUSTER", 8, 14).priority(2),
    Column::new("LAST", 9, 9).right(),
    Column::new("MIN", 9, 9).priority(4).right(),
    Column::new("MAX", 9, 9).priority(3).right(),
    Column::new("MEAN", 9, 9).priority(5).right(),
    Column::new("AGE", 4, 5).right(),
    Column::new("ODD", 6, 13).priority(1).right(),
];
/// Columns of the legend, by which it can be sorted.
pub const SORTS: usize = 8;

/// The order in which the legend shows these series, by place in the picture.
pub fn order(
    world: &World,
    cursor: Option<Timestamp>,
    shown: &[Shown],
    table: &Table<ShownId>,
) -> Vec<usize> {
    let named = |at: &usize| shown.get(*at).is_some_and(|s| matches(world, s, table));
    let all = 0..shown.len();
    let mut places: Vec<usize> = match table.filter_text() {
        "" => all.collect(),
        _ => all.filter(named).collect(),
    };
    let (column, reverse) = table.order();
    if let Some(column) = column {
        let get = |at: &usize| shown.get(*at);
        places.sort_by(|a, b| match (get(a), get(b)) {
            (Some(a), Some(b)) => compared((world, cursor), a, b, column),
            _ => Ordering::Equal,
        });
    }
    if reverse {
        places.reverse();
    }
    places
}

/// The filter looks at the name, the cluster and every label.
fn matches(world: &World, shown: &Shown, table: &Table<ShownId>) -> bool {
    let cluster = shown.id.cluster.map_or("", |c| name(world, c));
    let mut fields = vec![("name", shown.id.key.name.as_ref()), ("cluster", cluster)];
    fields.extend(shown.id.key.labels.iter());
    table.filter().matches(&fields)
}

fn compared(
    (world, cursor): (&World, Option<Timestamp>),
    a: &Shown,
    b: &Shown,
    column: usize,
) -> Ordering {
    let number = |v: Option<f64>| v.unwrap_or(f64::NEG_INFINITY);
    let range = |s: &Shown, pick: fn((f64, f64, f64)) -> f64| number(s.figures.range.map(pick));
    // The greatest first: that is what one looks for.
    let greater = |f: &dyn Fn(&Shown) -> f64| f(b).total_cmp(&f(a));
    match column {
        0 => greater(&|s| s.figures.change),
        1 => a.id.key.cmp(&b.id.key),
        2 => {
            let named = |s: &Shown| s.id.cluster.map(|c| name(world, c).to_owned());
            named(a).cmp(&named(b))
        }
        3 => greater(&|s| number(value(cursor, s).map(|p| p.value))),
        4 => greater(&|s| range(s, |r| r.0)),
        5 => greater(&|s| range(s, |r| r.1)),
        6 => greater(&|s| range(s, |r| r.2)),
        _ => greater(&|s| -number(s.figures.last.map(|p| p.at.0 as f64))),
    }
}

/// What counts at the cursor, else the last point.
fn value(cursor: Option<Timestamp>, shown: &Shown) -> Option<Sample> {
    match cursor {
        Some(at) => shown.at(at),
        None => shown.figures.last,
    }
}

/// The legend as rows under the picture.
pub fn draw(
    ctx: &Ctx<'_>,
    panel: &Panel<'_>,
    area: Rect,
    buf: &mut Buffer,
    table: &Table<ShownId>,
) {
    let rows = rows(ctx, panel, table);
    let [mark, series, cluster, last, low, high, mean, age, odd] = scoped(ctx, &COLUMNS, 2);
    let hidden = |column: Column<'static>, hide: bool| match hide {
        true => column.hidden(),
        false => column,
    };
    let one = !panel.shown.is_empty() && panel.shown.iter().all(|s| s.id.cluster.is_none());
    let columns = [
        mark,
        series,
        hidden(cluster, one),
        Column {
            title: at_cursor(ctx),
            ..last
        },
        low,
        high,
        mean,
        age,
        hidden(odd, panel.shown.is_even()),
    ];
    table.draw(
        ctx,
        area,
        buf,
        (&columns, &rows),
        |(_, s)| s.id.clone(),
        |(index, shown), column| cell(ctx, panel, (*index, shown), column),
    );
}

pub fn rows<'a>(
    ctx: &Ctx<'_>,
    panel: &Panel<'a>,
    table: &Table<ShownId>,
) -> Vec<(usize, &'a Shown)> {
    let order = order(ctx.world, ctx.cursor.at, panel.shown, table);
    let with = |at: usize| panel.shown.get(at).map(|s| (at, s));
    order.into_iter().filter_map(with).collect()
}

fn cell<'a>(
    ctx: &Ctx<'a>,
    panel: &Panel<'_>,
    (index, shown): (usize, &Shown),
    column: usize,
) -> Line<'a> {
    let theme = ctx.theme;
    let number = |v: Option<f64>| match v {
        Some(v) => Line::styled(shown.unit.write(v), theme.base),
        None => Line::styled("-", theme.muted),
    };
    let figures = &shown.figures;
    match column {
        0 => glyph(ctx, panel, index, shown),
        1 if panel.is_hidden(shown) => Line::styled(panel.shown.called(&shown.id), theme.muted),
        1 => Line::styled(panel.shown.called(&shown.id), theme.base),
        2 => {
            let cluster = shown.id.cluster.map(|c| name(ctx.world, c));
            Line::styled(cluster.unwrap_or("all"), theme.muted)
        }
        3 => number(value(ctx.cursor.at, shown).map(|p| p.value)),
        4 => number(figures.range.map(|r| r.0)),
        5 => number(figures.range.map(|r| r.1)),
        6 => number(figures.range.map(|r| r.2)),
        7 => aged(ctx, shown),
        _ => odd(ctx, shown),
    }
}

fn glyph<'a>(ctx: &Ctx<'a>, panel: &Panel<'_>, index: usize, shown: &Shown) -> Line<'a> {
    let style = series_style(ctx.theme, index);
    if !panel.draws(index, shown) {
        return Line::default();
    }
    if ctx.ascii {
        let symbol = SYMBOLS.get(index % SYMBOLS.len()).copied().unwrap_or('*');
        return Line::styled(symbol.to_string(), style);
    }
    Line::styled("■", style)
}

fn aged<'a>(ctx: &Ctx<'a>, shown: &Shown) -> Line<'a> {
    let old = shown.figures.last.map(|p| ctx.world.age_ms(p.at));
    let usual = u64::from(shown.interval_ms.max(1_000)) * 2;
    let text = old.map_or("-".into(), age);
    // A window of the past is as old as it is.
    match old.is_some_and(|o| o > usual) && ctx.window.end.is_none() {
        true => Line::styled(format!("{text}~"), ctx.theme.warn),
        false => Line::styled(text, ctx.theme.muted),
    }
}

/// `3 NaN`, `2 Inf`: points that no curve can show.
fn odd<'a>(ctx: &Ctx<'a>, shown: &Shown) -> Line<'a> {
    let (nan, infinite) = (shown.figures.nan, shown.figures.infinite);
    let mut words = Vec::new();
    if nan > 0 {
        words.push(format!("{nan} NaN"));
    }
    if infinite > 0 {
        words.push(format!("{infinite} Inf"));
    }
    Line::styled(words.join(" "), ctx.theme.warn)
}

fn at_cursor(ctx: &Ctx<'_>) -> &'static str {
    match ctx.cursor.at {
        Some(_) => "CURSOR",
        None => "LAST",
    }
}

/// Columns before those of the labels.
const FIGURES: usize = 4;

/// The form `table`: a row a series, a column a label.
pub fn draw_table(
    ctx: &Ctx<'_>,
    panel: &Panel<'_>,
    area: Rect,
    buf: &mut Buffer,
    table: &Table<ShownId>,
) {
    let own = panel.shown.labels();
    let rows = rows(ctx, panel, table);
    let [mark, _, cluster, ..] = scoped(ctx, &COLUMNS, 2);
    let value = Column::new(at_cursor(ctx), 9, 12).right();
    let mut columns = vec![mark, Column::new("NAME", 8, 40), cluster, value];
    for (at, (label, wide)) in (1..).zip(own) {
        columns.push(Column::new(label, 4, *wide).priority(at));
    }
    table.draw(
        ctx,
        area,
        buf,
        (&columns, &rows),
        |(_, s)| s.id.clone(),
        |(index, shown), column| match column {
            0 => glyph(ctx, panel, *index, shown),
            1 => Line::styled(shown.id.key.name.to_string(), ctx.theme.base),
            2 | 3 => cell(ctx, panel, (*index, shown), column),
            n => {
                let label = n.checked_sub(FIGURES).and_then(|n| own.get(n));
                let value = label.and_then(|(l, _)| shown.id.key.labels.get(l));
                Line::styled(value.unwrap_or("-").to_owned(), ctx.theme.base)
            }
        },
    );
}

/// What is drawn and what is not, for a title.
pub fn counted(panel: &Panel<'_>) -> String {
    let (all, hidden) = (panel.shown.len(), panel.hidden.len());
    let mut text = match all {
        n if n > MOST => format!(
            "{n} series · top {MOST} by |Δ|, {} others not drawn",
            n - MOST
        ),
        n => format!("{n} series"),
    };
    if panel.alone.is_some() {
        text.push_str(" · one alone");
    } else if hidden > 0 {
        text.push_str(&format!(" · {hidden} hidden"));
    }
    text
}
