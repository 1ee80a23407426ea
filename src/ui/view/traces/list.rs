//! The traces that a search found, each with its duration as a bar.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::asked::{Row, Search};
use super::waterfall::took;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::model::trace::{Spread, Summary, TraceId, spread};
use crate::model::unit::age;
use crate::ui::Ctx;
use crate::ui::view::common::{dated, empty, lines, name, scoped};
use crate::ui::widget::heat::meter;
use crate::ui::widget::table::{Column, Table, widths};
use crate::ui::widget::text::{cut, wrap};

pub const COLUMNS: [Column; 10] = [
    Column::new("TIME", 8, 8),
    Column::new("CLUSTER", 7, 14).priority(1),
    Column::new("SERVICE", 8, 24),
    Column::new("OPERATION", 12, 60),
    Column::new("TOOK", 7, 9).right(),
    Column::new("", 8, 24).priority(4),
    Column::new("SPANS", 5, 6).priority(5).right(),
    Column::new("SVC", 3, 4).priority(6).right(),
    Column::new("ERRORS", 6, 7).priority(3).right(),
    Column::new("TRACE", 9, 9).priority(2),
];
/// Number of the column with the bar.
const BAR: usize = 5;

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    (table, rows): (&Table<(ClusterId, TraceId)>, &[Row]),
) {
    let columns = scoped(ctx, &COLUMNS, 1);
    let columns = dated(ctx, columns, 0, rows.iter().map(|r| r.found.at()));
    let shown = widths(&columns, area.width);
    let wide = shown.iter().find(|(column, _)| *column == BAR);
    let wide = wide.map_or(0, |(_, width)| usize::from(*width));
    let longest = rows.iter().map(|r| r.found.duration_ms).max().unwrap_or(0);
    table.draw(ctx, area, buf, (&columns, rows), Row::id, |row, column| {
        cell(ctx, row, column, (wide, longest))
    });
}

fn cell<'a>(ctx: &Ctx<'a>, row: &'a Row, column: usize, (wide, longest): (usize, u64)) -> Line<'a> {
    let (theme, found) = (ctx.theme, &row.found);
    let counts = found.counts;
    let number = |n: Option<u64>| match n {
        Some(n) => Line::styled(n.to_string(), theme.base),
        None => Line::styled("n/a", theme.muted),
    };
    let root = |text: &'a str, missing: &'static str| match text {
        "" => Line::styled(missing, theme.muted),
        text => Line::styled(text, theme.base),
    };
    match column {
        0 => Line::styled(ctx.clock_or_day(found.at()), theme.base),
        1 => Line::styled(name(ctx.world, row.cluster).to_owned(), theme.muted),
        2 => root(&found.service, "no root yet"),
        3 => root(&found.operation, "-"),
        4 => Line::styled(duration(found), theme.base),
        5 => {
            let share = found.duration_ms as f64 / longest.max(1) as f64;
            let style = match found.failed() {
                Some(true) => theme.crit,
                _ => theme.accent,
            };
            Line::styled(meter(share, wide), style)
        }
        6 => number(counts.map(|c| c.spans)),
        7 => number(counts.map(|c| c.services)),
        8 => match counts.map(|c| c.errors) {
            Some(0) => Line::styled("0", theme.muted),
            Some(n) => Line::styled(format!("{n} ✗"), theme.crit),
            None => number(None),
        },
        _ => Line::styled(found.id.short(), theme.muted),
    }
}

/// Searches tell whole milliseconds only.
pub fn duration(found: &Summary) -> String {
    match found.duration_ms {
        0 => "<1 ms".to_owned(),
        ms => took(
            i64::try_from(ms)
                .unwrap_or(i64::MAX)
                .saturating_mul(1_000_000),
        ),
    }
}

/// How far the search got and what the traces have in common, in a few words.
pub fn status(search: &Search, shown: usize, now: Timestamp) -> String {
    let asking = &search.asking;
    if search.is_begun() {
        return "asking …".to_owned();
    }
    let all = search.rows.len();
    let more = if search.full { "+" } else { "" };
    let mut text = match shown < all {
        true => format!("{shown} of {all}{more} traces"),
        false => format!("{all}{more} traces"),
    };
    let summaries: Vec<Summary> = search.rows.iter().map(|r| r.found.clone()).collect();
    if let Some(Spread {
        p50_ms,
        p95_ms,
        failed,
        known,
        ..
    }) = spread(&summaries)
    {
        let ms = |ms: u64| {
            took(
                i64::try_from(ms)
                    .unwrap_or(i64::MAX)
                    .saturating_mul(1_000_000),
            )
        };
        text.push_str(&format!(" · p50 {} p95 {}", ms(p50_ms), ms(p95_ms)));
        if known > 0 {
            let share = 100.0 * failed as f64 / known as f64;
            text.push_str(&format!(" · err {share:.1}%"));
        }
    }
    if !asking.pending.is_empty() {
        text.push_str(&format!(" · {} asked …", asking.pending.len()));
    }
    if let Some(at) = search.stale() {
        text.push_str(&format!(" · stale {}", age(now.age_since_ms(at))));
    }
    if asking.without > 0 {
        text.push_str(&format!(" · {} without Tempo", asking.without));
    }
    text
}

/// The query as it was sent, with the place where it is wrong, and what the servers said.
pub fn told<'a>(ctx: &Ctx<'_>, search: &'a Search, columns: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let query = match &search.query {
        Ok(query) => query,
        Err(wrong) => {
            return vec![
                Line::styled(search.text.as_str(), theme.base),
                Line::styled(wrong.as_str(), theme.crit),
            ];
        }
    };
    let mut out = Vec::new();
    let place = search.asking.faults.iter().find_map(|f| place_in(&f.what));
    match place.filter(|at| *at < columns && query.chars().count() <= columns) {
        Some(at) => {
            let before: String = query.chars().take(at).collect();
            let wrong: String = query.chars().skip(at).collect();
            let wrong = if wrong.is_empty() {
                " ".to_owned()
            } else {
                wrong
            };
            out.push(Line::from(vec![
                Span::styled(before, theme.base),
                Span::styled(wrong, theme.crit),
            ]));
            out.push(Line::styled(format!("{}^", " ".repeat(at)), theme.crit));
        }
        None => out.push(Line::styled(cut(query, columns), theme.base)),
    }
    for fault in &search.asking.faults {
        let parts = wrap(&fault.to_string(), columns).into_iter();
        out.extend(parts.map(|p| Line::styled(p, theme.crit)));
    }
    for warning in &search.asking.warnings {
        let parts = wrap(&format!("warning: {warning}"), columns).into_iter();
        out.extend(parts.map(|p| Line::styled(p, theme.warn)));
    }
    out
}

/// Where a query of one line is wrong, as Tempo says it: `line 1, col 12`, counted from 1.
fn place_in(what: &str) -> Option<usize> {
    let (_, rest) = what.split_once("line 1, col ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse::<usize>().ok()?.checked_sub(1)
}

/// Why nobody is asked.
pub fn nobody(replay: bool) -> String {
    match replay {
        true => "this recording holds no traces: no Tempo was recorded".to_owned(),
        false => "no Tempo is configured or found for these clusters: add \
                  `tempo = { url = \"…\" }` to a cluster in the configuration"
            .to_owned(),
    }
}

/// Why there is no row.
pub fn why_empty(search: Option<&Search>, filtered: bool, replay: bool) -> String {
    let Some(search) = search else {
        return "nothing was searched for: o asks, r shows recent traces".to_owned();
    };
    let asking = &search.asking;
    if search.query.is_err() {
        return "the search was not sent".to_owned();
    }
    if asking.nobody() {
        return nobody(replay);
    }
    match (asking.pending.is_empty(), asking.answered, filtered) {
        (false, ..) => "asking …".to_owned(),
        (_, 0, _) => "no answer: the reason stands above".to_owned(),
        (.., true) => "nothing passes the filter".to_owned(),
        _ => "no trace matches in this time: t changes the time, o the query".to_owned(),
    }
}

pub fn draw_empty(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    search: Option<&Search>,
    filtered: bool,
) {
    let replay = ctx.world.replay.is_some();
    empty(ctx, area, buf, &why_empty(search, filtered, replay));
}

pub fn draw_told(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, search: &Search) {
    let text = told(ctx, search, usize::from(area.width));
    lines(ctx, area, buf, &text, 0);
}

#[cfg(test)]
mod tests {
    use super::place_in;

    #[test]
    fn the_place_of_a_mistake_is_read() {
        let what = "the query was refused: parse error at line 1, col 12: syntax error";
        assert_eq!(place_in(what), Some(11));
        assert_eq!(place_in("line 1, col 0"), None);
        assert_eq!(place_in("line 1, col x"), None);
        assert_eq!(place_in("binary operations"), None);
    }
}
