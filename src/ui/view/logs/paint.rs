//! Lines of the stream on the screen: rows, strip of counts, detail.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Logs;
use super::levels::Told;
use super::row::{self, Look, Own};
use super::stream::{Entry, Merged};
use super::tally::Counts;
use crate::model::health::SourceKind;
use crate::model::log::Level;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::view::common::{clusters, empty, lines, name, pane};
use crate::ui::widget::heat::bars;
use crate::ui::widget::timeline::Axis;
use crate::ui::{Ctx, Theme};

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
        if self.asked.as_ref().is_some_and(|a| !a.has_answer()) {
            // Nothing is known that could be counted.
            empty(ctx, inner, buf, &self.why_empty(ctx.world));
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
            wrap: self.wrap,
            find: &self.find,
            marks: !self.marks.is_empty(),
            fields: &self.columns,
        };
        let stamps = row::stamps(ctx, &page.entries, columns, (self.stamps, self.delta));
        let mut text: Vec<Line<'_>> = Vec::new();
        let mut marked = 0..0;
        for (index, (entry, stamp)) in page.entries.iter().zip(&stamps).enumerate() {
            let start = text.len();
            let id = entry.id();
            let own = Own {
                stamp,
                marked: self.marks.has(&id),
                unfolded: self.all_unfolded != self.unfolded.has(&id),
            };
            text.extend(row::rows(ctx, entry, &look, &own));
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
        for look in self.looks() {
            title.push_str(&format!(" · {look}"));
        }
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
        let (from, to) = self.in_view(ctx.world);
        // The header says the window too; the strip repeats it where there is room.
        let wide = area.width >= 96;
        let taken = if wide { 62 } else { 46 };
        let slots = (usize::from(area.width).saturating_sub(taken) / 3).clamp(6, 30);
        let axis = Axis::new(from, to, slots);
        let start = axis.range().0.0.saturating_mul(1_000_000);
        let slot_ns = axis.slot_ms.saturating_mul(1_000_000);
        let told = self
            .asked
            .as_ref()
            .and_then(|a| a.levels(start, slot_ns, slots));
        let (counts, by) = match told {
            Some(Told::Bytes(bytes)) => {
                let strip = bytes_strip(ctx, &bytes);
                lines(ctx, area, buf, &[strip], 0);
                return;
            }
            Some(Told::Lines(counts)) => (std::sync::Arc::new(counts), ", counted by Loki"),
            None => {
                let key = self.key(ctx.world, (String::new(), start, slot_ns));
                let strip = &self.kept.strip;
                let own = if self.asked.is_some() { " read" } else { "" };
                (strip.get(key, || merged.counts(start, slot_ns, slots)), own)
            }
        };
        let mut spans = level_bars(ctx, &counts);
        let mut told = total(&counts, by);
        if wide && counts.unknown < slots {
            let known = merged.known_from.filter(|_| counts.unknown > 0);
            told.push_str(&match known {
                Some(known) => format!(", known from {}", ctx.minute_or_day(stamp(known))),
                // The first slot may begin a little later.
                None => format!(", {}", ctx.span(from.max(axis.range().0), to)),
            });
        }
        spans.push(Span::styled(told, ctx.theme.muted));
        lines(ctx, area, buf, &[Line::from(spans)], 0);
    }

    pub(super) fn why_empty(&self, world: &World) -> String {
        if let Some(asked) = &self.asked {
            return asked.why_empty();
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

/// How many lines. Those read are just that; of those held there may have been more.
fn total(counts: &Counts, by: &str) -> String {
    let slots = counts.slots.first().map_or(0, Vec::len);
    let more = counts.cut || counts.unknown > 0 && by.is_empty();
    match (counts.total, counts.unknown >= slots) {
        (0, true) => "lines of this time: unknown".to_owned(),
        (n, _) => format!("{}{n} lines{by}", if more { "≥ " } else { "" }),
    }
}

/// Errors, warnings and the rest over time.
fn level_bars(ctx: &Ctx<'_>, counts: &Counts) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let styles = [ctx.theme.crit, ctx.theme.warn, ctx.theme.base];
    for ((word, slots), style) in ["err", "warn", "info"]
        .iter()
        .zip(&counts.slots)
        .zip(styles)
    {
        let most = slots.iter().copied().max().unwrap_or(0);
        let total: u64 = slots.iter().map(|n| u64::from(*n)).sum();
        let values: Vec<Option<f64>> = (0..)
            .zip(slots)
            .map(|(slot, n)| counts.known(*n, slot))
            .collect();
        spans.push(Span::styled(format!("{word} "), ctx.theme.muted));
        spans.push(Span::styled(bars(&values, f64::from(most)), style));
        let total = match total {
            0 if counts.unknown >= slots.len() => "?".to_owned(),
            n => n.to_string(),
        };
        spans.push(Span::styled(format!(" {total}  "), style));
    }
    spans
}

/// What the index knows: how much, not how bad.
fn bytes_strip(ctx: &Ctx<'_>, bytes: &[f64]) -> Line<'static> {
    let most = bytes.iter().copied().fold(0.0, f64::max);
    let values: Vec<Option<f64>> = bytes.iter().map(|b| Some(*b)).collect();
    let total = Unit::Bytes.write(bytes.iter().sum());
    Line::from(vec![
        Span::styled("all ", ctx.theme.muted),
        Span::styled(bars(&values, most), ctx.theme.base),
        Span::styled(
            format!(" {total} by Loki's index, which knows no levels"),
            ctx.theme.muted,
        ),
    ])
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
