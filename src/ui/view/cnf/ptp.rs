//! The list of nodes with PTP clocks.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::ClockRow;
use super::ribbon::{self, States};
use crate::model::id::ClusterId;
use crate::model::ptp::{ClockState, PtpNode};
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::view::common::{STALE_MS, ago, name, reading, scoped};
use crate::ui::widget::table::{Column, Table, widths};
use crate::ui::{Ctx, Theme};

pub type NodeId = (ClusterId, Arc<str>);

const COLUMNS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("NODE", 8, 14),
    Column::new("CLUSTER", 8, 12).priority(3),
    Column::new("STATE", 8, 8),
    Column::new("CLASS", 5, 5).priority(6).right(),
    Column::new("OFFSET", 7, 9).right(),
    Column::new("AGE", 4, 6).priority(5).right(),
    Column::new("L ok H hold F free", 20, 200).priority(2),
];

/// Place of the ribbon among the columns.
const RIBBON: usize = 7;

pub fn id(row: &ClockRow<'_>) -> NodeId {
    (row.0, Arc::clone(&row.1.node))
}

pub fn fields<'a>(world: &'a World, row: &ClockRow<'a>) -> Vec<(&'a str, &'a str)> {
    vec![
        ("node", row.1.node.as_ref()),
        ("cluster", name(world, row.0)),
        ("state", row.1.state.map_or("unknown", ClockState::word)),
    ]
}

pub fn title(rows: &[ClockRow<'_>]) -> String {
    let count = |wanted| rows.iter().filter(|r| r.1.state == wanted).count();
    format!(
        "PTP {} nodes: {} locked, {} holdover, {} freerun, {} unknown",
        rows.len(),
        count(Some(ClockState::Locked)),
        count(Some(ClockState::Holdover)),
        count(Some(ClockState::Freerun)),
        count(None),
    )
}

/// Glyph, word and style of a state.
pub fn state(theme: &Theme, state: Option<ClockState>) -> (&'static str, &'static str, Style) {
    match state {
        Some(ClockState::Locked) => ("●", "LOCKED", theme.ok),
        Some(ClockState::Holdover) => ("▲", "HOLDOVER", theme.warn),
        Some(ClockState::Freerun) => ("✗", "FREERUN", theme.crit),
        None => ("?", "unknown", theme.unknown),
    }
}

/// The state is old: nobody knows how the clock is now.
pub fn is_old(ctx: &Ctx<'_>, node: &PtpNode) -> bool {
    let newest = node
        .clocks
        .iter()
        .filter_map(|c| c.state)
        .map(|(_, s)| s.at)
        .max();
    newest.is_none_or(|at| ctx.world.age_ms(at) > STALE_MS)
}

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    rows: &[ClockRow<'_>],
    table: &Table<NodeId>,
) {
    let columns = scoped(ctx, &COLUMNS, 2);
    let shown = widths(&columns, area.width);
    let slots = shown
        .iter()
        .find(|(i, _)| *i == RIBBON)
        .map_or(0, |(_, w)| usize::from(*w));
    let states = match slots {
        0 => States::default(),
        _ => States::of(ctx, rows.iter().map(|r| r.0)),
    };
    table.draw(ctx, area, buf, (&columns, rows), id, |row, column| {
        cell(ctx, row, column, (&states, slots))
    });
}

fn cell<'a>(
    ctx: &Ctx<'a>,
    row: &ClockRow<'a>,
    column: usize,
    (states, slots): (&States<'_>, usize),
) -> Line<'a> {
    let theme = ctx.theme;
    let (cluster, node) = *row;
    let old = is_old(ctx, node);
    let (glyph, word, style) = state(theme, node.state);
    let style = if old { theme.muted } else { style };
    match column {
        0 => Line::styled(if old { "?" } else { glyph }, style),
        1 => Line::styled(node.node.as_ref(), theme.base),
        2 => Line::styled(name(ctx.world, cluster), theme.muted),
        3 => Line::styled(word, style),
        4 => match node.clock_class {
            Some(class) => Line::styled(format!("{:.0}", class.value), theme.base),
            None => Line::styled("n/a", theme.muted),
        },
        5 => {
            let offset = node.worst_offset();
            let beyond = offset.is_some_and(|(_, o)| !node.is_inside(o.value));
            let style = if beyond { theme.crit } else { theme.base };
            reading(ctx, offset.map(|(_, o)| o), Unit::Nanoseconds, style).into()
        }
        6 => {
            let newest = node
                .clocks
                .iter()
                .filter_map(|c| c.state)
                .map(|(_, s)| s.at)
                .max();
            let text = newest.map_or("?".into(), |at| ago(ctx.world, at));
            let mark = if old { "~" } else { "" };
            Line::styled(format!("{text}{mark}"), theme.muted)
        }
        _ => ribbon::line(theme, &ribbon::states(ctx, states, *row, slots)),
    }
}
