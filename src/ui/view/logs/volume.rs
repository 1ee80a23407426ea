//! How much is said, when and by whom: a histogram over the window, and a row for each origin.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::stream::Merged;
use super::tally::Counts;
use super::{Logs, Mode};
use crate::command::Command;
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::log::LogLine;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{above, empty, name, pane, scoped};
use crate::ui::widget::heat::{BLOCKS, bars};
use crate::ui::widget::table::{Column, Table};
use crate::ui::widget::timeline::Axis;

/// Origins told apart.
const MOST: usize = 500;
const SLOTS: usize = 24;
/// Columns of the scale beside the histogram.
const SCALE: u16 = 7;

const COLUMNS: [Column; 7] = [
    Column::new("FROM", 16, 44),
    Column::new("CLUSTER", 8, 14).priority(3),
    Column::new("LINES", 6, 7).right(),
    Column::new("SHARE", 6, 6).priority(2).right(),
    Column::new("ERR", 5, 6).right(),
    Column::new("WARN", 5, 6).right(),
    Column::new("TREND", SLOTS as u16, SLOTS as u16).priority(1),
];

/// Who said it: the label that tells, and its value.
pub type SourceId = (ClusterId, &'static str, String);

#[derive(Debug)]
pub struct Source {
    id: SourceId,
    /// Errors and worse, warnings, the rest.
    counts: [u32; 3],
    trend: [u32; SLOTS],
}

impl Source {
    fn new(id: SourceId) -> Self {
        Self {
            id,
            counts: [0; 3],
            trend: [0; SLOTS],
        }
    }

    fn add(&mut self, kinds: [u32; 3], slot: usize) {
        for (held, lines) in self.counts.iter_mut().zip(kinds) {
            *held += lines;
        }
        if let Some(held) = self.trend.get_mut(slot) {
            *held += kinds.iter().sum::<u32>();
        }
    }

    fn total(&self) -> u32 {
        self.counts.iter().sum()
    }
}

#[derive(Debug)]
pub struct Volume {
    rows: Vec<Source>,
    pub counts: Counts,
    axis: Axis,
}

/// The most telling label, as [`LogLine::origin`] chooses it.
fn origin(labels: &Labels) -> (&'static str, &str) {
    let told = LogLine::ORIGINS
        .iter()
        .find_map(|label| Some((*label, labels.get(label)?)));
    told.unwrap_or(("", ""))
}

/// Loudest first.
fn count(merged: &Merged<'_>, axis: Axis) -> Volume {
    let (start, end) = axis.range();
    let ns = |at: Timestamp| at.0.saturating_mul(1_000_000);
    let mut counts = Counts::new(axis.slots);
    let mut places: HashMap<SourceId, usize> = HashMap::new();
    let mut of_set: HashMap<(ClusterId, Labels), usize> = HashMap::new();
    let mut rows: Vec<Source> = Vec::new();
    let slot = |at_ns: i64| axis.slot(Timestamp(at_ns.div_euclid(1_000_000)));
    counts.cut = merged.parts((ns(start), ns(end)), slot, |part| {
        counts.add(part.kinds(), part.slot);
        part.by_set(|set, kinds| {
            if kinds == [0; 3] {
                return;
            }
            let known = of_set.entry((part.cluster, set.clone()));
            let place = *known.or_insert_with(|| {
                let (label, value) = origin(set);
                let id = (part.cluster, label, value.to_owned());
                *places.entry(id.clone()).or_insert_with(|| {
                    if rows.len() < MOST {
                        rows.push(Source::new(id));
                        return rows.len() - 1;
                    }
                    usize::MAX
                })
            });
            if let Some(row) = rows.get_mut(place) {
                row.add(kinds, part.slot * SLOTS / axis.slots.max(1));
            }
        });
    });
    let slot_ns = axis.slot_ms.saturating_mul(1_000_000);
    counts.unknown = merged.unknown(ns(start), slot_ns, axis.slots);
    rows.sort_by(|a, b| (b.total(), &a.id).cmp(&(a.total(), &b.id)));
    Volume { rows, counts, axis }
}

impl Logs {
    /// The time that is counted: that of the query, else that of the window.
    pub(super) fn in_view(&self, world: &World) -> (Timestamp, Timestamp) {
        match &self.asked {
            Some(asked) => asked.tells_of(self.window, world.now),
            None => self.window.bounds(world.now),
        }
    }

    fn volume(&self, world: &World, slots: usize) -> std::sync::Arc<Volume> {
        let (from, to) = self.in_view(world);
        let axis = Axis::new(from, to, slots);
        let place = (axis.range().0.0, axis.slot_ms);
        let key = self.key(world, (String::new(), place.0, place.1));
        self.kept
            .volume
            .get(key, || count(&self.merged(world), axis))
    }

    /// Slots of the histogram: one a column of what is inside the pane.
    fn volume_slots(&self) -> usize {
        let inside = self.layout(self.area).lines.width.saturating_sub(2);
        usize::from(inside.saturating_sub(SCALE)).max(1)
    }

    /// Where the list stands inside the pane.
    pub(super) fn volume_list(&self, inner: Rect, world: &World) -> Rect {
        let rows = self.volume(world, self.volume_slots()).rows.len();
        histogram_over(inner, rows).1
    }

    /// True: the command was for the list of origins.
    pub(super) fn move_in_volume(&mut self, command: &Command, world: &World) -> bool {
        let Mode::Volume(table) = &self.mode else {
            return false;
        };
        let mut table = table.clone();
        let volume = self.volume(world, self.volume_slots());
        let id = |s: &Source| s.id.clone();
        if *command == Command::Open {
            let at = table.position(&volume.rows, id);
            let chosen = at.and_then(|at| volume.rows.get(at));
            // The value may hold blanks, which part the terms of a filter.
            if let Some((_, label, value)) = chosen.map(|s| &s.id)
                && !label.is_empty()
                && !value.contains(char::is_whitespace)
            {
                let filter = format!("{label}={value}");
                self.set_filter(&filter);
                self.mode = Mode::Lines;
            }
            return true;
        }
        let own = !matches!(
            command,
            Command::Filter(_) | Command::Sort | Command::ReverseSort
        );
        let moved = own && table.update(command, &volume.rows, id);
        self.mode = Mode::Volume(table);
        moved
    }

    pub(super) fn draw_volume(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        table: &Table<SourceId>,
    ) {
        let volume = self.volume(
            ctx.world,
            usize::from(area.width.saturating_sub(2 + SCALE)).max(1),
        );
        let counts = &volume.counts;
        let sign = if counts.cut || counts.unknown > 0 {
            "≥ "
        } else {
            ""
        };
        let title = format!("volume by origin {}", volume.rows.len());
        let right = format!("{sign}{} lines", counts.total);
        let inner = pane(ctx, area, buf, &title, &right, true);
        if volume.rows.is_empty() {
            empty(ctx, inner, buf, &self.why_empty(ctx.world));
            return;
        }
        let (top, list) = histogram_over(inner, volume.rows.len());
        if top.height > 1 {
            histogram(ctx, top, buf, &volume);
        }
        table.draw(
            ctx,
            list,
            buf,
            (&scoped(ctx, &COLUMNS, 1), &volume.rows),
            |s| s.id.clone(),
            |source, column| cell(ctx, source, column, &volume),
        );
    }
}

/// The histogram takes what the rows leave, at least a third and at most twelve rows.
fn histogram_over(inner: Rect, rows: usize) -> (Rect, Rect) {
    let rows = u16::try_from(rows.saturating_add(1)).unwrap_or(u16::MAX);
    let least = inner.height / 3;
    let wanted = inner
        .height
        .saturating_sub(rows)
        .clamp(least, 12.max(least));
    above(inner, inner.height.saturating_sub(wanted))
}

/// Stacked by level, errors at the bottom; the scale at the left, the time below.
fn histogram(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, volume: &Volume) {
    let theme = ctx.theme;
    let Counts { slots, .. } = &volume.counts;
    let at = |kind: usize, slot: usize| {
        let held = slots.get(kind).and_then(|s| s.get(slot));
        held.copied().unwrap_or(0)
    };
    let totals = (0..volume.axis.slots).map(|slot| (0..3).map(|k| at(k, slot)).sum::<u32>());
    let most = totals.max().unwrap_or(0);
    let rows = area.height - 1;
    let styles = [theme.crit, theme.warn, theme.accent];
    for (slot, x) in (0..volume.axis.slots).zip(area.x + SCALE..area.right()) {
        let stack = [at(0, slot), at(1, slot), at(2, slot)];
        if volume.counts.known(stack.iter().sum(), slot).is_none() {
            ctx.put(buf, (x, area.y + rows - 1), 1, "?", theme.unknown);
            continue;
        }
        for row in 0..rows {
            let Some((glyph, style)) = part(stack, most, (row, rows), styles) else {
                continue;
            };
            let y = area.y + rows - 1 - row;
            ctx.put(buf, (x, y), 1, &glyph.to_string(), style);
        }
    }
    let per = match volume.axis.slot_ms {
        ms if ms < 120_000 => format!("{} s", (ms + 500) / 1000),
        ms => format!("{} m", (ms + 30_000) / 60_000),
    };
    let scale = SCALE - 1;
    let text = |n: f64| format!("{:>5}", Unit::None.write(n));
    ctx.put(
        buf,
        (area.x, area.y),
        scale,
        &text(f64::from(most)),
        theme.muted,
    );
    if rows > 2 {
        ctx.put(
            buf,
            (area.x, area.y + 1),
            scale,
            &format!("/{per}"),
            theme.muted,
        );
    }
    ctx.put(
        buf,
        (area.x, area.y + rows - 1),
        scale,
        &text(0.0),
        theme.muted,
    );
    let below = Rect {
        x: area.x + SCALE,
        y: area.bottom() - 1,
        width: area.width.saturating_sub(SCALE),
        height: 1,
    };
    volume.axis.draw_labels(ctx.zone, below, buf, theme.muted);
}

/// What of a column stands in one row of the histogram, counted from below.
fn part(
    stack: [u32; 3],
    most: u32,
    (row, rows): (u16, u16),
    styles: [Style; 3],
) -> Option<(char, Style)> {
    let total: u32 = stack.iter().sum();
    let height = |n: u32| f64::from(n) / f64::from(most.max(1)) * f64::from(rows);
    let filled = height(total) - f64::from(row);
    if total == 0 || filled <= 0.0 {
        return None;
    }
    let eighth = (filled.min(1.0) * 8.0).ceil() as usize;
    let glyph = BLOCKS.get(eighth.saturating_sub(1)).copied().unwrap_or('█');
    // The level that the middle of what is filled belongs to; the least error is seen.
    let middle = f64::from(row) + filled.min(1.0) / 2.0;
    let [bad, warned, _] = stack;
    let style = match () {
        () if bad > 0 && (row == 0 || middle <= height(bad)) => styles.first(),
        () if middle <= height(bad + warned) => styles.get(1),
        () => styles.last(),
    };
    Some((glyph, style.copied().unwrap_or_default()))
}

fn cell<'a>(ctx: &Ctx<'a>, source: &'a Source, column: usize, volume: &Volume) -> Line<'a> {
    let theme = ctx.theme;
    let all = volume.counts.total;
    let number = |n: u32, style: Style| match n {
        0 => Line::styled("0", theme.muted),
        n => Line::styled(n.to_string(), style),
    };
    let [bad, warned, _] = source.counts;
    match column {
        0 if source.id.2.is_empty() => Line::styled("no label tells", theme.muted),
        0 => Line::styled(source.id.2.as_str(), theme.base),
        1 => Line::styled(name(ctx.world, source.id.0), theme.muted),
        2 => number(source.total(), theme.base),
        3 => {
            let share = f64::from(source.total()) / (all.max(1) as f64);
            Line::styled(Unit::Ratio.write(share), theme.muted)
        }
        4 => number(bad, theme.crit),
        5 => number(warned, theme.warn),
        _ => {
            let most = source.trend.iter().copied().max().unwrap_or(0);
            let known = |(place, n): (usize, &u32)| {
                let slot = place * volume.axis.slots / SLOTS;
                volume.counts.known(*n, slot)
            };
            let values: Vec<Option<f64>> = (0..).zip(&source.trend).map(known).collect();
            let style = if bad > 0 { theme.crit } else { theme.base };
            Line::styled(bars(&values, f64::from(most)), style)
        }
    }
}

/// The volume in words; for the agent.
pub fn brief(view: &Logs, ctx: &Ctx<'_>) -> String {
    let volume = view.volume(ctx.world, SLOTS);
    let mut out = format!("log volume, {} lines by origin:", volume.counts.total);
    for source in volume.rows.iter().take(30) {
        let [bad, warned, _] = source.counts;
        out.push_str(&format!(
            "\n{} {}: {} lines, {bad} errors, {warned} warnings",
            name(ctx.world, source.id.0),
            source.id.2,
            source.total(),
        ));
    }
    out
}
