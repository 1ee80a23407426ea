//! Two ranges side by side on the screen: what is compared, the list, a line of the row under the
//! cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::differ::{Change, Compared, Row};
use super::{Asked, Compare, Logs};
use crate::model::log::Level;
use crate::pattern::PatternId;
use crate::ui::Ctx;
use crate::ui::view::common::{above, clusters, empty, lines, pane};
use crate::ui::view::logs::paint::{level_style, stamp};
use crate::ui::widget::table::Column;
use crate::ui::widget::text::wrap;

const COLUMNS: [Column; 8] = [
    Column::new("CHANGE", 6, 7),
    Column::new("NOW", 6, 7).right(),
    Column::new("BEFORE", 6, 7).right(),
    Column::new("NOW/min", 7, 8).right().priority(3),
    Column::new("BEFORE/min", 10, 10).right().priority(3),
    Column::new("S", 1, 1),
    Column::new("FROM", 12, 26).priority(4),
    Column::new("PATTERN", 36, 400),
];
/// Rows of the example, and from which height on there is room for it.
const EXAMPLE: u16 = 3;
const HIGH: u16 = 14;
/// From this width on both ranges are told in one row.
const WIDE: u16 = 110;

/// Where the list stands inside the pane: below what is compared, above the example.
pub fn list(inner: Rect) -> Rect {
    let head = inner.height.min(if inner.width < WIDE { 2 } else { 1 });
    let below = if inner.height >= HIGH { EXAMPLE + 1 } else { 0 };
    Rect {
        y: inner.y + head,
        height: inner.height.saturating_sub(head + below),
        ..inner
    }
}

impl Logs {
    pub(in crate::ui::view::logs) fn draw_compare(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        with: &Compare,
    ) {
        let compared = self.compared(ctx.world, with);
        let (from, to) = with.before();
        let title = format!(
            "compared with {}, {}",
            ctx.span(from, to),
            with.before.word()
        );
        let inner = pane(ctx, area, buf, &title, &tally(&compared), true);
        let place = list(inner);
        let told = self.heads(ctx, with, &compared);
        let told = match inner.width < WIDE {
            true => told,
            false => vec![told.join(" · ")],
        };
        let told = told.into_iter().map(|t| Line::styled(t, ctx.theme.muted));
        let top = Rect {
            height: place.y - inner.y,
            ..inner
        };
        lines(ctx, top, buf, &told.collect::<Vec<_>>(), 0);
        if compared.rows.is_empty() {
            empty(ctx, place, buf, &self.why_nothing(ctx, with, &compared));
            return;
        }
        with.table.draw(
            ctx,
            place,
            buf,
            (&COLUMNS, &compared.rows),
            |r: &Row| r.id,
            |row, column| cell(ctx, row, column),
        );
        let (_, below) = above(inner, inner.bottom() - place.bottom());
        self.draw_example(ctx, below, buf, with, &compared);
    }

    fn draw_example(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        with: &Compare,
        compared: &Compared,
    ) {
        let id = |r: &Row| -> PatternId { r.id };
        let at = with.table.position(&compared.rows, id);
        let row = at.and_then(|at| compared.rows.get(at));
        let Some(row) = row.filter(|_| area.height > 1) else {
            return;
        };
        let Some(line) = self.example(ctx.world, with, row) else {
            return;
        };
        let range = ["now", "before"].get(row.example.0).unwrap_or(&"");
        let at = ctx.clock_or_day(stamp(line.at_ns));
        let head = format!("─ a line of it, {range}, {at}");
        let mut text = vec![Line::styled(head, ctx.theme.muted)];
        let (_, style) = level_style(ctx.theme, row.level);
        let said = match row.level >= Level::Warning {
            true => style,
            false => ctx.theme.base,
        };
        let parts = wrap(line.text(), usize::from(area.width)).into_iter();
        text.extend(parts.map(|part| Line::styled(part, said)));
        lines(ctx, area, buf, &text, 0);
    }

    /// How many lines of which time, on both sides, and what is missing.
    fn heads(&self, ctx: &Ctx<'_>, with: &Compare, compared: &Compared) -> Vec<String> {
        let ranges = [with.now, with.before()];
        let asked = [self.asked.as_ref(), with.asked.as_ref()];
        let sides = ["now", "before"].into_iter().zip(ranges).zip(asked);
        let mut parts = Vec::new();
        for (side, ((word, range), asked)) in sides.enumerate() {
            let lines = compared.lines.get(side).copied().unwrap_or(0);
            let first = compared.first_ns.get(side).copied().unwrap_or(i64::MAX);
            // A limit was hit, or the lines held begin later: only so much is compared.
            let late = compared.clusters > 0 && stamp(first) > range.0;
            let from = if late { stamp(first) } else { range.0 };
            let cut = asked.is_some_and(Asked::is_cut);
            let sign = if compared.unread { "≥ " } else { "" };
            let span = ctx.span(from, range.1);
            let mut told = match compared.clusters {
                0 => format!("{word} {span}"),
                _ => format!("{word} {sign}{lines} lines of {span}"),
            };
            if late || cut {
                let why = if cut {
                    ", limit hit"
                } else {
                    ", held from then on"
                };
                told.push_str(why);
            }
            if let Some(n) = asked.map(Asked::awaited).filter(|n| *n > 0) {
                told.push_str(&format!(", {n} asked …"));
            }
            parts.push(told);
        }
        let all = clusters(ctx.world, self.scope).count();
        let left = all.saturating_sub(compared.clusters);
        if let Some(last) = parts.last_mut()
            && left > 0
            && compared.clusters > 0
        {
            last.push_str(&format!(" · {left} of {all} clusters left out"));
        }
        parts
    }

    fn why_nothing(&self, ctx: &Ctx<'_>, with: &Compare, compared: &Compared) -> String {
        let (from, to) = with.before();
        let awaited = [self.asked.as_ref(), with.asked.as_ref()];
        let awaited: usize = awaited.into_iter().flatten().map(Asked::awaited).sum();
        if awaited > 0 && compared.clusters == 0 {
            return format!("asking for {} …", ctx.span(from, to));
        }
        if compared.unread {
            return "looking at the lines …".into();
        }
        if compared.clusters > 0 {
            let narrowed = !self.filter_text.is_empty() || self.problems;
            let why = if narrowed {
                " matches (Esc clears the filter)"
            } else {
                ""
            };
            return format!("no line in either range{why}");
        }
        if with.asked.is_some() {
            return "no cluster gave the lines of both ranges; r asks again".into();
        }
        let held = self.rings(ctx.world).into_iter();
        let oldest = held
            .filter_map(|(_, ring)| ring.first())
            .map(|l| l.at_ns)
            .min();
        match oldest {
            None => "no line is held".into(),
            Some(oldest) => format!(
                "no line of {} is held: the oldest is of {}. A query (o) asks Loki for both ranges",
                ctx.span(from, to),
                ctx.clock_or_day(stamp(oldest)),
            ),
        }
    }

    /// The comparison in words; for the agent.
    pub(in crate::ui::view::logs) fn brief_compare(&self, ctx: &Ctx<'_>) -> String {
        let super::Mode::Compare(with) = &self.mode else {
            return String::new();
        };
        let compared = self.compared(ctx.world, with);
        let mut out = format!(
            "log patterns compared: {}",
            self.heads(ctx, with, &compared).join("; ")
        );
        for row in compared.rows.iter().take(20) {
            let [now, before] = row.counts;
            out.push_str(&format!(
                "\n{} ({now} now, {before} before) {:?} from {}: {}",
                change(row),
                row.level,
                row.from,
                row.template
            ));
        }
        out
    }
}

/// How many patterns changed in which way.
fn tally(compared: &Compared) -> String {
    let words = [
        (Change::New, "new"),
        (Change::Gone, "gone"),
        (Change::More, "more"),
        (Change::Less, "less"),
    ];
    let told = words.map(|(change, word)| format!("{} {word}", compared.count(change)));
    match compared.rows.is_empty() {
        true => String::new(),
        false if compared.more => format!("{} · of the first patterns", told.join(" · ")),
        false => told.join(" · "),
    }
}

fn change(row: &Row) -> String {
    let ratio = row.ratio();
    let times = |n: f64| match n >= 10.0 {
        true => format!("{n:.0}"),
        false => format!("{n:.1}"),
    };
    match row.change() {
        Change::New => "new".into(),
        Change::Gone => "gone".into(),
        Change::More => format!("×{}", times(ratio)),
        Change::Less => format!("÷{}", times(1.0 / ratio)),
        Change::Same => "same".into(),
        Change::Unsure => "?".into(),
    }
}

fn style(ctx: &Ctx<'_>, row: &Row) -> Style {
    let theme = ctx.theme;
    match row.change() {
        Change::New | Change::More if row.level >= Level::Error => theme.crit,
        Change::New | Change::More => theme.warn,
        Change::Gone | Change::Less => theme.accent,
        Change::Same | Change::Unsure => theme.muted,
    }
}

/// Lines a minute, as short as it goes.
fn rate(per_minute: f64) -> String {
    match per_minute {
        0.0 => "0".into(),
        n if n >= 10.0 => format!("{n:.0}"),
        n if n >= 0.1 => format!("{n:.1}"),
        _ => "< 0.1".into(),
    }
}

fn cell<'a>(ctx: &Ctx<'_>, row: &'a Row, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (letter, level) = level_style(theme, row.level);
    let [now, before] = row.counts;
    let [now_rate, before_rate] = row.per_minute;
    match column {
        0 => Line::styled(change(row), style(ctx, row)),
        1 => Line::styled(now.to_string(), theme.base),
        2 => Line::styled(before.to_string(), theme.base),
        3 => Line::styled(rate(now_rate), theme.muted),
        4 => Line::styled(rate(before_rate), theme.muted),
        5 => Line::styled(letter, level),
        6 => Line::styled(row.from.as_str(), theme.muted),
        _ => Line::styled(
            row.template.as_str(),
            match row.level >= Level::Warning {
                true => level,
                false => theme.base,
            },
        ),
    }
}
