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
use crate::model::sample::Sample;
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::view::common::{ago, name, reading, scoped};
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

pub fn title(world: &World, rows: &[ClockRow<'_>]) -> String {
    let now = |row: &ClockRow<'_>| row.1.state.filter(|_| !is_old(world, *row));
    let count = |wanted| rows.iter().filter(|r| now(r) == wanted).count();
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

/// As [`state`]; what is old is neither green nor red.
pub fn clock(
    ctx: &Ctx<'_>,
    told: Option<(ClockState, Sample)>,
) -> (&'static str, &'static str, Style) {
    let (glyph, word, style) = state(ctx.theme, told.map(|(state, _)| state));
    match told.is_some_and(|(_, sample)| ctx.is_old(sample.at)) {
        true => ("?", word, ctx.theme.muted),
        false => (glyph, word, style),
    }
}

/// When a state of the node was told last.
fn told_at(node: &PtpNode) -> Option<Timestamp> {
    let states = node.clocks.iter().filter_map(|c| c.state);
    states.map(|(_, sample)| sample.at).max()
}

/// The state is old: nobody knows how the clock is now.
pub fn is_old(world: &World, (cluster, node): ClockRow<'_>) -> bool {
    let current = world.cluster(cluster).map(|c| c.current_ms(Group::Ptp));
    let age = told_at(node).map(|at| world.age_ms(at));
    age.zip(current).is_none_or(|(age, current)| age > current)
}

/// It is locked, and told so now.
pub fn is_well(world: &World, row: ClockRow<'_>) -> bool {
    row.1.state == Some(ClockState::Locked) && !is_old(world, row)
}

/// As [`clock`], for the node.
pub fn shown(ctx: &Ctx<'_>, row: ClockRow<'_>) -> (&'static str, &'static str, Style) {
    let (glyph, word, style) = state(ctx.theme, row.1.state);
    match row.1.state.is_some() && is_old(ctx.world, row) {
        true => ("?", word, ctx.theme.muted),
        false => (glyph, word, style),
    }
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
    let old = is_old(ctx.world, *row);
    let (glyph, word, style) = shown(ctx, *row);
    let ctx = &ctx.polled(cluster, Group::Ptp);
    match column {
        0 => Line::styled(glyph, style),
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
            let text = told_at(node).map_or("?".into(), |at| ago(ctx.world, at));
            let mark = if old { "~" } else { "" };
            Line::styled(format!("{text}{mark}"), theme.muted)
        }
        _ => ribbon::line(theme, &ribbon::states(ctx, states, *row, slots)),
    }
}
