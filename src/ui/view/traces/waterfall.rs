//! The spans of a trace one under another, each where it lies in time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span as Piece};

use super::asked::Opened;
use super::list::nobody;
use crate::model::trace::{Node, Place, Trace};
use crate::model::unit::{Unit, counted};
use crate::ui::Ctx;
use crate::ui::view::common::{empty, name};
use crate::ui::widget::table::{Column, widths};
use crate::ui::widget::text::wrap;

const COLUMNS: [Column; 5] = [
    Column::new("SERVICE", 8, 18).priority(1),
    Column::new("SPAN", 20, 56),
    Column::new("", 10, 200),
    Column::new("TOOK", 10, 10).right(),
    Column::new("SELF", 8, 8).priority(2).right(),
];
/// Number of the column with the bars.
const BAR: usize = 2;
/// Lines of what is odd about the trace.
const DOUBTS: usize = 3;
/// Deepest level that is drawn indented.
const INDENT: usize = 12;

/// A time span for people.
pub fn took(ns: i64) -> String {
    Unit::Nanoseconds.write(ns as f64)
}

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, opened: &Opened) {
    let Some(trace) = opened.trace() else {
        let text = why_empty(ctx, opened);
        empty(ctx, area, buf, &text);
        return;
    };
    let told = doubts(opened);
    for (y, part) in (area.y..area.bottom()).zip(wrapped(&told, area.width)) {
        ctx.put(buf, (area.x, y), area.width, &part, ctx.theme.warn);
    }
    let area = spans(area, opened);
    let visible = opened.visible();
    let wide = widths(&COLUMNS, area.width);
    let wide = wide.iter().find(|(column, _)| *column == BAR);
    let wide = wide.map_or(0, |(_, width)| usize::from(*width));
    opened.table.draw(
        ctx,
        area,
        buf,
        (&COLUMNS, &visible),
        |at| *at,
        |at, column| match trace.nodes.get(*at) {
            Some(node) => cell(ctx, (opened, trace), (*at, node), column, wide),
            None => Line::default(),
        },
    );
}

fn cell<'a>(
    ctx: &Ctx<'a>,
    (opened, trace): (&Opened, &Trace),
    (at, node): (usize, &Node),
    column: usize,
    wide: usize,
) -> Line<'a> {
    let theme = ctx.theme;
    let span = &node.span;
    let style = if span.failed() {
        theme.crit
    } else {
        theme.base
    };
    match column {
        0 => Line::styled(span.service.to_string(), theme.muted),
        1 => Line::from(vec![
            Piece::styled(branch(trace, at, opened.folded.contains(&at)), theme.muted),
            Piece::styled(span.operation.clone(), style),
        ]),
        2 => bar(ctx, trace, node, wide),
        3 => {
            let time = span.duration_ns().map_or("n/a".to_owned(), took);
            let mark = if span.failed() { " ✗" } else { "  " };
            let odd = if node.early_ns > 0 || node.place != Place::Root && node.depth == 0 {
                "?"
            } else {
                ""
            };
            Line::styled(format!("{odd}{time}{mark}"), style)
        }
        _ => {
            let own = node.self_ns.map_or("n/a".to_owned(), took);
            Line::styled(own, theme.muted)
        }
    }
}

/// The lines that lead to a node, and whether something is folded below it.
fn branch(trace: &Trace, at: usize, folded: bool) -> String {
    let Some(node) = trace.nodes.get(at) else {
        return String::new();
    };
    let mut out = String::new();
    if node.depth > INDENT {
        out.push_str(&format!("{}…", node.depth));
    } else if node.depth > 0 {
        let mut lead = vec![if is_last(trace, at) { "└ " } else { "├ " }];
        let mut above = node.parent;
        while let Some((at, parent)) = above.and_then(|at| Some((at, trace.nodes.get(at)?))) {
            if parent.depth > 0 {
                lead.push(if is_last(trace, at) { "  " } else { "│ " });
            }
            above = parent.parent;
        }
        out.extend(lead.into_iter().rev());
    }
    if folded {
        let failed = match node.failed_below {
            0 => String::new(),
            n => format!(" {n}✗"),
        };
        out.push_str(&format!("▸{}{failed} ", node.below));
    }
    match node.place {
        Place::Orphan => out.push_str("(parent missing) "),
        Place::Loop => out.push_str("(circle) "),
        Place::Root | Place::Child => {}
    }
    out
}

/// Nothing beside it follows.
fn is_last(trace: &Trace, at: usize) -> bool {
    let depth_at = |at: usize| trace.nodes.get(at).map(|n| n.depth);
    let below = trace.nodes.get(at).map_or(0, |n| n.below);
    depth_at(at + below + 1) < depth_at(at)
}

/// Where the span lies in the trace: full where the end waited for it, thin where it did not.
fn bar<'a>(ctx: &Ctx<'a>, trace: &Trace, node: &Node, wide: usize) -> Line<'a> {
    let Some((begin, end)) = trace.extent() else {
        return Line::default();
    };
    let span = &node.span;
    if !span.is_timed() {
        return Line::styled("no usable times", ctx.theme.muted);
    }
    let whole = (end - begin).max(1) as f64;
    let cells = |ns: i64| (ns as f64 / whole * wide as f64).round() as usize;
    let left = cells(span.start_ns - begin).min(wide.saturating_sub(1));
    let right = cells(span.end_ns - begin).clamp(left + 1, wide.max(left + 1));
    let glyph = if node.critical_ns > 0 { "█" } else { "░" };
    let style = match (span.failed(), node.critical_ns > 0) {
        (true, _) => ctx.theme.crit,
        (false, true) => ctx.theme.accent,
        (false, false) => ctx.theme.muted,
    };
    Line::from(vec![
        Piece::raw(" ".repeat(left)),
        Piece::styled(glyph.repeat(right - left), style),
    ])
}

/// What stands over the waterfall.
pub fn title(ctx: &Ctx<'_>, opened: &Opened) -> String {
    let Some((cluster, trace)) = &opened.got else {
        return format!("trace {}", opened.id.short());
    };
    let time = trace
        .extent()
        .map_or("n/a".to_owned(), |(a, b)| took(b - a));
    let spans = match trace.cut_from {
        Some(all) => format!("{} of {all} spans", trace.nodes.len()),
        None => counted(trace.nodes.len(), "span"),
    };
    format!(
        "{} {} · {time} · {spans} · {} · {}",
        name(ctx.world, *cluster),
        trace.id.short(),
        counted(trace.services(), "service"),
        counted(trace.failed(), "error"),
    )
}

/// Where the spans stand within the pane: below what is odd about the trace.
pub fn spans(area: Rect, opened: &Opened) -> Rect {
    let told = wrapped(&doubts(opened), area.width);
    let rows = u16::try_from(told.len())
        .unwrap_or(u16::MAX)
        .min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

/// The lines of it that there is room for.
fn wrapped(told: &str, width: u16) -> Vec<String> {
    let mut lines = match told {
        "" => Vec::new(),
        told => wrap(told, usize::from(width)),
    };
    lines.truncate(DOUBTS);
    lines
}

/// What is odd about the trace: a part of it, missing parents, clocks.
pub fn doubts(opened: &Opened) -> String {
    let mut told = opened.asking.warnings.clone();
    if opened.former.is_some() && opened.asking.pending.is_empty() {
        let fault = opened.asking.faults.first().map(|f| f.what.as_str());
        let why = fault.unwrap_or("nobody has it any more");
        told.insert(0, format!("stale, as it was before: {why}"));
    }
    let found = opened.trace().map_or(&[][..], Trace::doubts);
    told.extend(found.iter().cloned());
    told.join(" · ")
}

fn why_empty(ctx: &Ctx<'_>, opened: &Opened) -> String {
    let asking = &opened.asking;
    if !asking.pending.is_empty() {
        return format!("asking for trace {} …", opened.id);
    }
    match asking.faults.first() {
        Some(fault) => fault.to_string(),
        None => nobody(ctx.world.replay.is_some()),
    }
}
