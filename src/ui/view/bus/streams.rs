//! Streams and consumers: a row for each consumer, one for a stream without any.

use std::cmp::Reverse;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::state::{buses, with_bus};
use super::{Bus, Part};
use crate::model::bus::{Consumer, Group, JetStream, Retention, Stream};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::view::common::{above, clusters, empty, focused, pane, scoped};
use crate::ui::widget::table::Column;

pub const COLUMNS: [Column; 12] = [
    Column::new("S", 1, 1),
    Column::new("CLUSTER", 9, 16),
    Column::new("STREAM", 10, 28),
    Column::new("MSGS", 5, 7).right(),
    Column::new("BYTES", 8, 8).priority(2).right(),
    Column::new("IN", 6, 8).priority(4).right(),
    Column::new("CONSUMER", 8, 24),
    Column::new("LAG", 6, 8).right(),
    Column::new("PEND", 4, 6).right(),
    Column::new("RDLV", 4, 6).right(),
    Column::new("LEADER", 6, 16).priority(3),
    Column::new("COPIES", 6, 22).priority(5),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamId {
    pub cluster: ClusterId,
    pub stream: Arc<str>,
    pub consumer: Option<Arc<str>>,
}

#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub cluster: &'a ClusterState,
    pub stream: &'a Stream,
    pub consumer: Option<&'a Consumer>,
    /// The first row of its stream.
    pub first: bool,
    /// Nobody knows whether it is still so.
    pub old: bool,
}

pub fn id(row: &Row<'_>) -> StreamId {
    StreamId {
        cluster: row.cluster.id,
        stream: row.stream.name.clone(),
        consumer: row.consumer.map(|c| c.name.clone()),
    }
}

/// `RAN_EVENTS / rca-sink`.
pub fn name(row: &Row<'_>) -> String {
    match row.consumer {
        Some(consumer) => format!("{} / {}", row.stream.name, consumer.name),
        None => row.stream.name.to_string(),
    }
}

/// What is wrong with it, worst first; `None`: nothing that can be seen from here.
pub fn problem(row: &Row<'_>) -> Option<String> {
    row.cluster.bus.problem(row.stream, row.consumer)
}

/// The row in words.
pub fn plain(row: &Row<'_>) -> String {
    let stream = row.stream;
    let mut text = format!(
        "{}: stream {} ({}): {} messages, {}",
        row.cluster.name,
        stream.name,
        retention(stream.retention),
        stream.messages,
        Unit::Bytes.write(stream.bytes as f64)
    );
    if let Some(c) = row.consumer {
        text.push_str(&format!(
            "; consumer {}: lag {}, {} not acknowledged, {} redelivered",
            c.name, c.lag, c.ack_pending, c.redelivered
        ));
    }
    if let Some(problem) = problem(row) {
        text.push_str("; ");
        text.push_str(&problem);
    }
    text
}

pub fn retention(retention: Retention) -> &'static str {
    match retention {
        Retention::Limits => "kept by limits",
        Retention::Interest => "kept for its consumers",
        Retention::WorkQueue => "work queue",
        Retention::Other => "kept in a way this version does not know",
    }
}

impl Bus {
    pub(super) fn stream_rows<'a>(&self, world: &'a World) -> Vec<Row<'a>> {
        let mut rows = Vec::new();
        for cluster in clusters(world, self.scope) {
            let old = !cluster.hears(SourceKind::Nats, world.now);
            let streams = cluster.bus.streams().into_iter().flat_map(|s| &s.streams);
            for stream in streams {
                let row = |consumer, first| Row {
                    cluster,
                    stream,
                    consumer,
                    first,
                    old,
                };
                if stream.consumers.is_empty() {
                    rows.push(row(None, true));
                }
                let each = stream.consumers.iter().enumerate();
                rows.extend(each.map(|(n, consumer)| row(Some(consumer), n == 0)));
            }
        }
        rows.retain(|row| self.keeps(row));
        self.sort(&mut rows);
        rows
    }

    fn keeps(&self, row: &Row<'_>) -> bool {
        if self.problems && problem(row).is_none() {
            return false;
        }
        let filter = self.streams.filter();
        filter.is_empty()
            || filter.matches(&[
                ("cluster", &row.cluster.name),
                ("stream", &row.stream.name),
                ("consumer", row.consumer.map_or("", |c| &c.name)),
                ("subject", &row.stream.subjects.join(" ")),
            ])
    }

    fn sort(&self, rows: &mut [Row<'_>]) {
        let (column, reverse) = self.streams.order();
        let of = |row: &Row<'_>, get: fn(&Consumer) -> u64| row.consumer.map_or(0, get);
        match column {
            Some(0) => rows.sort_by_cached_key(|r| problem(r).is_none()),
            Some(2) => rows.sort_by(|a, b| a.stream.name.cmp(&b.stream.name)),
            Some(3) => rows.sort_by_key(|r| Reverse(r.stream.messages)),
            Some(4) => rows.sort_by_key(|r| Reverse(r.stream.bytes)),
            Some(7) => rows.sort_by_key(|r| Reverse(of(r, |c| c.lag))),
            Some(8) => rows.sort_by_key(|r| Reverse(of(r, |c| c.ack_pending))),
            Some(9) => rows.sort_by_key(|r| Reverse(of(r, |c| c.redelivered))),
            _ => {}
        }
        if reverse {
            rows.reverse();
        }
        // In another order each row names its stream.
        if column.is_some() || reverse {
            rows.iter_mut().for_each(|row| row.first = true);
        }
    }

    pub(super) fn next_problem(&mut self, on: bool, world: &World) {
        let rows = self.stream_rows(world);
        let at = self.streams.position(&rows, id).unwrap_or(0);
        let bad = |r: &&Row<'_>| problem(r).is_some();
        let found = match on {
            true => rows.iter().skip(at + 1).find(bad),
            false => rows.iter().take(at).rev().find(bad),
        };
        let found = found.map(id);
        found.into_iter().for_each(|id| self.streams.select(id));
    }

    pub(super) fn draw_streams(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.stream_rows(ctx.world);
        let title = self.streams_title(ctx.world);
        let focus = self.part == Part::Streams;
        let right = if area.width < 60 { "" } else { "Tab messages" };
        let inner = pane(ctx, area, buf, &title, right, focus);
        let notes = self.notes(ctx.world, &rows, inner.width);
        let rows_of_notes = u16::try_from(notes.len()).unwrap_or(u16::MAX);
        let (inner, last) = above(inner, rows_of_notes);
        for (y, note) in (last.y..last.bottom()).zip(&notes) {
            ctx.put(buf, (last.x, y), last.width, note, ctx.theme.muted);
        }
        if rows.is_empty() {
            empty(ctx, inner, buf, &self.why_no_streams(ctx.world));
            return;
        }
        let ctx = focused(ctx, focus);
        self.streams.draw(
            &ctx,
            inner,
            buf,
            (&scoped(&ctx, &COLUMNS, 1), &rows),
            id,
            |row, column| cell(&ctx, row, column),
        );
    }

    fn streams_title(&self, world: &World) -> String {
        let only = if self.problems {
            " · problems only"
        } else {
            ""
        };
        let mut known = Known::default();
        for cluster in with_bus(world, self) {
            known.take(cluster, world);
        }
        format!("{known}{only}")
    }
}

/// What the buses in view told of their streams, and how many of them did. What one did not tell is no
/// zero.
#[derive(Default)]
struct Known {
    streams: (u64, u64),
    consumers: (u64, u64),
    now: u64,
    /// Those heard before and not now.
    before: u64,
    never: u64,
}

impl Known {
    fn take(&mut self, cluster: &ClusterState, world: &World) {
        let survey = cluster.bus.survey.as_ref();
        match survey.map(|s| &s.jetstream) {
            None | Some(JetStream::Denied(_) | JetStream::Unknown) => self.never += 1,
            Some(_) if cluster.hears(SourceKind::Nats, world.now) => self.now += 1,
            Some(_) => self.before += 1,
        }
        let Some(streams) = cluster.bus.streams() else {
            return;
        };
        self.streams.0 += streams.streams.len() as u64;
        self.streams.1 += streams.total;
        for stream in &streams.streams {
            let listed = stream.consumers.len() as u64;
            self.consumers.0 += listed;
            self.consumers.1 += stream.consumers_total.max(listed);
        }
    }
}

/// `Streams 3, 4 of 5 consumers, 1 bus unknown`.
impl std::fmt::Display for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.now + self.before, self.never) {
            (0, 0) => return f.write_str("Streams: no bus"),
            (0, _) => return f.write_str("Streams unknown"),
            _ => {}
        }
        match self.streams {
            (listed, total) if total > listed => write!(f, "Streams {listed} of {total}")?,
            (listed, _) => write!(f, "Streams {listed}")?,
        }
        match self.consumers {
            (0, total) if total > 0 => write!(f, ", {total} consumers, none seen")?,
            (listed, total) if total > listed => write!(f, ", {listed} of {total} consumers")?,
            (listed, _) => write!(f, ", {listed} consumers")?,
        }
        match (self.now, self.before) {
            (_, 0) => {}
            (0, _) => f.write_str(", as last seen")?,
            (_, n) => write!(f, ", {} as last seen", buses(n))?,
        }
        match self.never {
            0 => Ok(()),
            n => write!(f, ", {} unknown", buses(n)),
        }
    }
}

fn cell<'a>(ctx: &Ctx, row: &Row<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let base = if row.old { theme.muted } else { theme.base };
    let stream = row.stream;
    let count = |n: u64| Unit::None.write(n as f64);
    match column {
        0 => match (row.old, problem(row)) {
            (true, _) => Line::styled("?", theme.unknown),
            (false, Some(_)) => Line::styled("▲", theme.warn),
            // Whether its consumers are well is not known.
            (false, None) if row.consumer.is_none() && stream.consumers_total > 0 => {
                Line::styled("?", theme.unknown)
            }
            (false, None) => Line::styled("●", theme.ok),
        },
        1..=5 if !row.first => Line::default(),
        1 => Line::styled(row.cluster.name.as_ref(), base),
        2 => Line::styled(stream.name.as_ref(), base),
        3 => Line::styled(count(stream.messages), base),
        4 => Line::styled(Unit::Bytes.write(stream.bytes as f64), base),
        5 => match row.cluster.bus.rate_of(stream) {
            Some(rate) => Line::styled(Unit::PerSecond.write(rate), base),
            None => Line::styled("unknown", theme.muted),
        },
        _ => match row.consumer {
            Some(consumer) => of_consumer(ctx, row, consumer, (column, base)),
            None if column == 6 => Line::styled(without(stream), theme.muted),
            None if column == 10 => leader(ctx, stream.group.as_ref(), base),
            None if column == 11 => copies(ctx, stream.group.as_ref(), base),
            None => Line::styled("—", theme.muted),
        },
    }
}

/// In place of a consumer.
fn without(stream: &Stream) -> &'static str {
    match stream.consumers_total {
        0 => "none",
        _ => "not seen",
    }
}

fn of_consumer<'a>(
    ctx: &Ctx,
    row: &Row<'a>,
    consumer: &'a Consumer,
    (column, base): (usize, Style),
) -> Line<'a> {
    let theme = ctx.theme;
    let count = |n: u64| Unit::None.write(n as f64);
    let unless_zero = |n: u64, style| if n > 0 { style } else { base };
    match column {
        6 => Line::styled(consumer.name.as_ref(), base),
        7 => match row.cluster.bus.lag_grew(row.stream, consumer) {
            Some(grew) if grew > 0 => Line::styled(format!("{}▲", count(consumer.lag)), theme.warn),
            Some(grew) if grew < 0 => Line::styled(format!("{}▼", count(consumer.lag)), base),
            _ => Line::styled(count(consumer.lag), base),
        },
        8 => Line::styled(count(consumer.ack_pending), base),
        9 => Line::styled(
            count(consumer.redelivered),
            unless_zero(consumer.redelivered, theme.warn),
        ),
        10 => leader(ctx, group_of(row, consumer), base),
        _ => copies(ctx, group_of(row, consumer), base),
    }
}

/// Consumers of a group of copies have a leader and copies of their own.
fn group_of<'a>(row: &Row<'a>, consumer: &'a Consumer) -> Option<&'a Group> {
    consumer.group.as_ref().or(row.stream.group.as_ref())
}

fn leader<'a>(ctx: &Ctx, group: Option<&'a Group>, base: Style) -> Line<'a> {
    match group {
        None => Line::styled("single", ctx.theme.muted),
        Some(group) => match &group.leader {
            Some(leader) => Line::styled(leader.as_ref(), base),
            None => Line::styled("nobody", ctx.theme.crit),
        },
    }
}

/// `n2 behind by 22`.
fn copies<'a>(ctx: &Ctx, group: Option<&'a Group>, base: Style) -> Line<'a> {
    let Some(group) = group.filter(|g| !g.followers.is_empty()) else {
        return Line::styled("—", ctx.theme.muted);
    };
    let Some(behind) = group.followers.iter().find(|f| !f.current) else {
        return Line::styled(format!("{} current", group.followers.len()), base);
    };
    let by = behind
        .lag
        .map_or_else(String::new, |lag| format!(" by {lag}"));
    Line::styled(format!("{} behind{by}", behind.name), ctx.theme.warn)
}
