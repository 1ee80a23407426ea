//! Lines of the stream on the screen: rows, strip of counts, detail.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Logs;
use super::find::Find;
use super::stream::{Entry, Merged};
use crate::model::health::SourceKind;
use crate::model::log::Level;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::view::common::{clusters, empty, heading, lines, name, pair, pane};
use crate::ui::widget::heat::bars;
use crate::ui::widget::text::{fit, wrap};
use crate::ui::widget::timeline::{Axis, format_time};
use crate::ui::{Ctx, Theme};

/// Rows one wrapped line may take.
const WRAP_ROWS: usize = 6;

impl Logs {
    pub(super) fn draw_lines(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let merged = self.merged(ctx.world);
        let inner = pane(
            ctx,
            area,
            buf,
            &self.title(),
            &self.standing(ctx, &merged, area.width),
            true,
        );
        if inner.height < 2 {
            return;
        }
        self.draw_strip(ctx, inner, buf, &merged);
        let rows = Rect {
            y: inner.y + 1,
            height: inner.height - 1,
            ..inner
        };
        let page = self.page(ctx.world, usize::from(rows.height));
        if page.entries.is_empty() {
            empty(ctx, rows, buf, &self.why_empty(ctx.world));
            return;
        }
        let columns = usize::from(rows.width);
        let look = Look {
            many: clusters(ctx.world, self.scope).count() > 1,
            columns,
            time: time_format(ctx, &page.entries, columns),
            wrap: self.wrap,
            find: &self.find,
        };
        let mut text: Vec<Line<'_>> = Vec::new();
        let mut marked = 0..0;
        for (index, entry) in page.entries.iter().enumerate() {
            let start = text.len();
            text.extend(row(ctx, entry, &look));
            if index == page.cursor {
                marked = start..text.len();
            }
        }
        let height = usize::from(rows.height);
        let skip = if self.cursor.is_none() {
            text.len().saturating_sub(height)
        } else {
            marked.end.saturating_sub(height)
        };
        lines(ctx, rows, buf, &text, skip);
        for place in marked.filter(|p| *p >= skip && ctx.focus) {
            let y = rows.y + u16::try_from(place - skip).unwrap_or(u16::MAX);
            if y < rows.bottom() {
                buf.set_style(
                    Rect {
                        y,
                        height: 1,
                        ..rows
                    },
                    ctx.theme.selected,
                );
            }
        }
    }

    fn title(&self) -> String {
        let kind = if self.asked.is_some() {
            "lines of the query"
        } else {
            "logs"
        };
        let mut title = kind.to_owned();
        if self.problems {
            title.push_str(" · warnings and worse");
        }
        title
    }

    fn standing(&self, ctx: &Ctx<'_>, merged: &Merged<'_>, columns: u16) -> String {
        let mut parts = Vec::new();
        if !self.find.is_empty() {
            let told = self.matches(ctx.world);
            parts.push(format!("find {:?} {told}", self.find.text()));
        }
        if self.asked.is_none() {
            parts.extend(self.tails(ctx, columns));
        }
        parts.extend(self.sifted(ctx.world));
        match (&self.cursor, merged.newer(self.seen_ns)) {
            (None, _) if self.asked.is_some() => {}
            (None, _) => parts.push("following".into()),
            (Some(_), (0, _)) => parts.push("paused".into()),
            (Some(_), (n, false)) => parts.push(format!("paused, {n} new (G)")),
            (Some(_), (n, true)) => parts.push(format!("paused, ≥ {n} new (G)")),
        }
        parts.join(" · ")
    }

    fn draw_strip(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, merged: &Merged<'_>) {
        let (from, to) = ctx.window.bounds(ctx.world.now);
        // The header says the window too; the strip repeats it where there is room.
        let wide = area.width >= 96;
        let taken = if wide { 62 } else { 46 };
        let slots = (usize::from(area.width).saturating_sub(taken) / 3).clamp(6, 30);
        let axis = Axis::new(from, to, slots);
        let start = axis.range().0.0.saturating_mul(1_000_000);
        let slot_ns = axis.slot_ms.saturating_mul(1_000_000);
        let key = self.key(ctx.world, (String::new(), start, slot_ns));
        let strip = &self.kept.strip;
        let counts = strip.get(key, || merged.counts(start, slot_ns, slots));
        let mut spans = Vec::new();
        let styles = [ctx.theme.crit, ctx.theme.warn, ctx.theme.base];
        for ((word, slots), style) in ["err", "warn", "info"]
            .iter()
            .zip(&counts.slots)
            .zip(styles)
        {
            let most = slots.iter().copied().max().unwrap_or(0);
            let total: u32 = slots.iter().sum();
            let values: Vec<Option<f64>> = slots.iter().map(|n| Some(f64::from(*n))).collect();
            spans.push(Span::styled(format!("{word} "), ctx.theme.muted));
            spans.push(Span::styled(bars(&values, f64::from(most)), style));
            spans.push(Span::styled(format!(" {total}  "), style));
        }
        let sign = if counts.cut { "≥ " } else { "" };
        let mut told = format!("{sign}{} lines", counts.total);
        if wide {
            told.push_str(&format!(", {}", ctx.span(from, to)));
        }
        spans.push(Span::styled(told, ctx.theme.muted));
        lines(ctx, area, buf, &[Line::from(spans)], 0);
    }

    pub(super) fn why_empty(&self, world: &World) -> String {
        if self.asked.is_some() {
            return "no line matches".into();
        }
        let narrowed = !self.filter_text.is_empty() || self.problems;
        if narrowed && clusters(world, self.scope).any(|c| !c.logs.is_empty()) {
            return match self.sifted(world) {
                Some(told) => format!("no line matches yet, {told}"),
                None => "no line matches (Esc clears the filter)".into(),
            };
        }
        let with = clusters(world, self.scope)
            .filter(|c| c.sources.contains_key(&SourceKind::Loki))
            .count();
        match with {
            0 => {
                "no cluster of the scope has a Loki: xL on a pod reads its log from the API".into()
            }
            _ => {
                "no line yet: nothing was logged, or no selector is followed (log_selector)".into()
            }
        }
    }
}

pub fn level_style(theme: &Theme, level: Level) -> (&'static str, Style) {
    match level {
        Level::Critical => ("C", theme.crit),
        Level::Error => ("E", theme.crit),
        Level::Warning => ("W", theme.warn),
        Level::Info => ("I", theme.ok),
        Level::Debug | Level::Trace => ("D", theme.muted),
        Level::Unknown => ("?", theme.muted),
    }
}

/// Time of a line to the millisecond.
pub fn stamp(at_ns: i64) -> Timestamp {
    Timestamp(at_ns.div_euclid(1_000_000))
}

/// How the times of a page of lines are written: with the day where the oldest is not of today.
fn time_format(ctx: &Ctx<'_>, entries: &[Entry<'_>], columns: usize) -> &'static str {
    let oldest = entries.first().map(|e| stamp(e.line.at_ns));
    match (columns < 90, oldest.is_none_or(|at| ctx.is_today(at))) {
        (true, true) => "%H:%M:%S ",
        (true, false) => "%m-%d %H:%M:%S ",
        (false, true) => "%H:%M:%S%.3f ",
        (false, false) => "%m-%d %H:%M:%S%.3f ",
    }
}

/// How lines of one page are laid out.
struct Look<'a> {
    /// The cluster is told with each line.
    many: bool,
    columns: usize,
    time: &'static str,
    wrap: bool,
    find: &'a Find,
}

fn row<'a>(ctx: &Ctx<'a>, entry: &Entry<'a>, look: &Look<'_>) -> Vec<Line<'a>> {
    let (columns, find) = (look.columns, look.find);
    let line = entry.line;
    let theme = ctx.theme;
    let (letter, style) = level_style(theme, line.level);
    let narrow = columns < 90;
    let time = format_time(ctx.zone, stamp(line.at_ns), look.time);
    let mut used = time.len();
    let mut head = vec![Span::styled(time, theme.muted)];
    if look.many {
        let width = if narrow { 8 } else { 12 };
        let text = fit(name(ctx.world, entry.cluster), width);
        head.push(Span::styled(format!("{text} "), theme.accent));
        used += width + 1;
    }
    let width = if narrow { 10 } else { 18 };
    head.push(Span::styled(
        format!("{} ", fit(line.origin(), width)),
        theme.muted,
    ));
    head.push(Span::styled(letter, style));
    let late = if entry.late { "~" } else { " " };
    head.push(Span::styled(late, theme.warn));
    used += width + 3;
    let body = if line.level >= Level::Warning {
        style
    } else {
        theme.base
    };
    if !look.wrap {
        match find.is_empty() {
            true => head.push(Span::styled(line.line, body)),
            false => {
                let text = find.in_view(line.line, columns.saturating_sub(used));
                head.extend(find.spans(&text, body));
            }
        }
        return vec![Line::from(head)];
    }
    let mut parts = wrap(line.line, columns.saturating_sub(used)).into_iter();
    head.extend(find.spans(&parts.next().unwrap_or_default(), body));
    let mut rows = vec![Line::from(head)];
    rows.extend(parts.take(WRAP_ROWS - 1).map(|part| {
        let mut spans = vec![Span::raw(" ".repeat(used))];
        spans.extend(find.spans(&part, body));
        Line::from(spans)
    }));
    rows
}

/// The line whole, its labels, and the fields of a JSON line.
pub fn detail<'a>(ctx: &Ctx<'a>, entry: &Entry<'a>, width: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let line = entry.line;
    let (_, style) = level_style(theme, line.level);
    let word = format!("{:?}", line.level).to_lowercase();
    let mut out = vec![
        pair(
            theme,
            "time",
            format_time(ctx.zone, stamp(line.at_ns), "%F %H:%M:%S%.3f"),
            theme.base,
        ),
        pair(theme, "cluster", name(ctx.world, entry.cluster), theme.base),
        pair(theme, "level", word, style),
    ];
    if entry.late {
        out.push(pair(
            theme,
            "late",
            "came well after newer lines",
            theme.warn,
        ));
    }
    let told = |key: &str, value: &str| key == "cluster" && value == name(ctx.world, entry.cluster);
    for (key, value) in line.labels.iter().filter(|(k, v)| !told(k, v)) {
        let mut parts = wrap(value, width.saturating_sub(12)).into_iter();
        out.push(pair(
            theme,
            key,
            parts.next().unwrap_or_default(),
            theme.base,
        ));
        out.extend(parts.take(2).map(|p| pair(theme, "", p, theme.base)));
    }
    out.push(heading(theme, "line"));
    out.extend(
        wrap(line.line, width)
            .into_iter()
            .map(|p| Line::styled(p, theme.base)),
    );
    if let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(line.line) {
        out.push(heading(theme, format!("json, {} keys", fields.len())));
        for (key, value) in fields.into_iter().take(50) {
            let text = match value {
                serde_json::Value::String(text) => crate::model::text::clean(&text, 1_000),
                other => other.to_string(),
            };
            let text = format!("{key}: {text}");
            out.extend(
                wrap(&text, width)
                    .into_iter()
                    .take(4)
                    .map(|p| Line::styled(p, theme.base)),
            );
        }
    }
    out
}

/// The end of the stream and the chosen line, in words; for the agent.
pub fn brief(ctx: &Ctx<'_>, merged: &Merged<'_>, chosen: Option<&Entry<'_>>) -> String {
    let write = |e: &Entry<'_>| {
        let at = stamp(e.line.at_ns).rfc3339();
        let cluster = name(ctx.world, e.cluster);
        format!(
            "{at} {cluster} {} {:?}: {}",
            e.line.origin(),
            e.line.level,
            e.line.line
        )
    };
    let mut out = String::from("newest log lines:");
    for entry in merged.before(None, 15) {
        out.push('\n');
        out.push_str(&write(&entry));
    }
    if let Some(entry) = chosen {
        out.push_str("\nchosen: ");
        out.push_str(&write(entry));
    }
    out
}
