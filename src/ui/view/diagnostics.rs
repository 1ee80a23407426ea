//! How farwatch itself is: every source in numbers, the store, the loop, memory.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Focus, Goto, ScreenId, View, common};
use crate::command::Command;
use crate::message::Effect;
use crate::model::health::{SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::shared::{Line as TeamLine, Odd};
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::layout::split_bottom;
use crate::ui::widget::badge;
use crate::ui::widget::table::{Column, Table};

/// `WAY` only where a source has one to tell.
const COLUMNS: [Column; 13] = [
    Column::new("S", 1, 1),
    Column::new("CLUSTER", 12, 24),
    Column::new("SOURCE", 12, 14),
    Column::new("STATE", 10, 10),
    Column::new("POLLS", 7, 8).right(),
    Column::new("FAILED", 6, 8).right(),
    Column::new("LATENCY", 7, 9).right(),
    Column::new("BYTES", 9, 10).priority(2).right(),
    Column::new("DROPPED", 7, 8).priority(1).right(),
    Column::new("BAD", 5, 8).priority(3).right(),
    Column::new("EVERY", 5, 6).priority(4).right(),
    Column::new("CLOCK", 7, 9).priority(3).right(),
    Column::new("WAY", 12, 60).priority(5),
];

#[derive(Debug, Default)]
pub struct Diagnostics {
    table: Table<(ClusterId, SourceKind)>,
    problems: bool,
}

type Row<'a> = (&'a ClusterState, SourceKind, &'a SourceHealth);

impl Diagnostics {
    fn rows<'a>(&self, world: &'a World) -> Vec<Row<'a>> {
        world
            .clusters
            .iter()
            .flat_map(|c| {
                c.sources
                    .iter()
                    .map(move |(kind, health)| (c, *kind, health))
            })
            .filter(|(_, _, health)| !self.problems || health.fault().is_some())
            .filter(|(c, kind, _)| {
                let kind = kind.to_string();
                self.table
                    .filter()
                    .matches(&[("cluster", &c.name), ("source", &kind)])
            })
            .collect()
    }

    fn draw_self(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let inner = common::pane(ctx, area, buf, "farwatch itself", "", false);
        for (y, (label, text, bad)) in (inner.y..inner.bottom()).zip(own(ctx.world)) {
            ctx.put(
                buf,
                (inner.x, y),
                inner.width.min(16),
                label,
                ctx.theme.muted,
            );
            let style = if bad { ctx.theme.warn } else { ctx.theme.base };
            let x = inner.x.saturating_add(17);
            ctx.put(buf, (x, y), inner.width.saturating_sub(17), &text, style);
        }
    }
}

/// Clusters of which not all series are held.
fn unheld(world: &World) -> Option<String> {
    let each = world.clusters.iter().filter(|c| c.unheld() > 0);
    let each: Vec<String> = each.map(|c| format!("{} {}", c.name, c.unheld())).collect();
    (!each.is_empty()).then(|| format!("{} series not held (limit); ", each.join(", ")))
}

/// Figures of the program: name, text, whether something is lost.
fn own(world: &World) -> Vec<(&'static str, String, bool)> {
    let gauges = &world.gauges;
    let (series, bytes, evicted) = world.store.usage();
    let (refused, unheld) = (world.store.refused(), unheld(world));
    let size = |bytes: u64| Unit::Bytes.write(bytes as f64);
    let events: usize = world.clusters.iter().map(|c| c.events.len()).sum();
    let rings = world.clusters.iter().map(|c| &c.logs);
    let logs = rings
        .clone()
        .fold((0, 0), |sum, r| (sum.0 + r.len(), sum.1 + r.bytes()));
    let dropped: u64 = rings.map(|r| r.dropped()).sum();
    let first = sensitivity(world).into_iter();
    let rest = vec![
        ("store", format!("{series} series, {}", size(bytes)), false),
        (
            "evicted",
            format!(
                "{}{evicted} series evicted, {refused} points refused",
                unheld.as_deref().unwrap_or_default()
            ),
            evicted > 0 || refused > 0 || unheld.is_some(),
        ),
        (
            "logs and events",
            format!(
                "{} lines, {}, {dropped} dropped; {events} events",
                logs.0,
                size(logs.1)
            ),
            dropped > 0,
        ),
        (
            "memory",
            match gauges.rss_bytes {
                0 => "unknown".into(),
                rss => format!("{} resident", size(rss)),
            },
            false,
        ),
        (
            "queue",
            format!(
                "{} of {} waiting",
                gauges.telemetry_queue, gauges.telemetry_queue_max
            ),
            false,
        ),
        (
            "dropped",
            format!("{} batches", gauges.telemetry_dropped),
            gauges.telemetry_dropped > 0,
        ),
        (
            "frames",
            format!("{} drawn, {} skipped", gauges.frames, gauges.frames_skipped),
            false,
        ),
        (
            "last frame",
            format!(
                "{:.1} ms to build, {} bytes, {:.1} ms to write",
                f64::from(gauges.frame_build_us) / 1000.0,
                gauges.frame_bytes,
                f64::from(gauges.write_us) / 1000.0
            ),
            false,
        ),
        ("actions", world.audit.clone(), false),
        (
            "incidents",
            format!("{} known", world.incidents.len()),
            false,
        ),
    ];
    let last = credentials(world).into_iter();
    let team = team(world).into_iter();
    first
        .chain(team)
        .chain(clocks(world))
        .chain(rest)
        .chain(last)
        .collect()
}

/// How the team is heard, and what was left alone; `None`: there is none.
fn team(world: &World) -> Option<(&'static str, String, bool)> {
    let team = &world.shared;
    if !team.is_on() {
        return None;
    }
    let others = team.consoles(world.now).count();
    let mut parts = match team.unheard() {
        None => vec!["online".to_owned()],
        Some((TeamLine::Offline(why), since)) => {
            let ago = badge::age(world.age_ms(since));
            vec![format!("offline for {ago}: {why}")]
        }
        Some(_) => vec!["connecting".to_owned()],
    };
    parts.push(format!(
        "{} desks, {others} other consoles, {} changes wait",
        team.held(),
        world.waiting()
    ));
    let odd = team.odd();
    if let Some(why) = &odd.refused {
        parts.push(format!("not taken: {why}"));
    }
    if odd.unreadable + odd.edits > 0 {
        parts.push(format!(
            "{} entries and {} edits left alone: {}",
            odd.unreadable, odd.edits, odd.why
        ));
    }
    if let Some(ms) = team.ahead_ms() {
        let (off, word) = (
            ms.unsigned_abs(),
            if ms > 0 { "ahead of" } else { "behind" },
        );
        parts.push(format!("this clock is {} {word} the bus", badge::age(off)));
    }
    let bad = team.unheard().is_some() || *odd != Odd::default() || team.ahead_ms().is_some();
    Some(("team", parts.join("; "), bad))
}

/// What is not told as it would be by itself.
fn sensitivity(world: &World) -> Option<(&'static str, String, bool)> {
    let words = world.sensitivity.words();
    (!words.is_empty()).then(|| ("sensitivity", words.join("; "), false))
}

/// The clocks of the clusters against ours, those that are off first, and of which nobody knows.
fn clocks(world: &World) -> Option<(&'static str, String, bool)> {
    let (known, unknown): (Vec<_>, Vec<_>) = world
        .clusters
        .iter()
        .map(|c| (c.name.as_ref(), c.skew()))
        .partition(|(_, skew)| skew.is_some());
    let known = known.into_iter().filter_map(|(name, s)| Some((name, s?)));
    let (mut off, near): (Vec<_>, Vec<_>) = known.partition(|(_, skew)| skew.is_off());
    off.sort_by_key(|(_, skew)| std::cmp::Reverse(skew.off_ms.abs()));
    let age = |at| format!(", {} ago", badge::age(world.age_ms(at)));
    let mut parts: Vec<String> = off
        .iter()
        .map(|(name, skew)| {
            let heard = skew.heard.map(age).unwrap_or_default();
            format!("{name} {} ({}{heard})", skew.words(), skew.source)
        })
        .collect();
    let some = |parts: &mut Vec<String>, names: &[&str], word: &str| match names {
        [] => {}
        [one] => parts.push(format!("{one} {word}")),
        [one, other] => parts.push(format!("{one}, {other} {word}")),
        [one, other, rest @ ..] => {
            parts.push(format!("{one}, {other} and {} more {word}", rest.len()));
        }
    };
    let within = near.first().map(|(_, skew)| skew.words());
    let near: Vec<&str> = near.iter().map(|(name, _)| *name).collect();
    some(&mut parts, &near, &within.unwrap_or_default());
    let unknown: Vec<&str> = unknown.iter().map(|(name, _)| *name).collect();
    some(&mut parts, &unknown, "unknown");
    (!parts.is_empty()).then(|| ("clocks", parts.join("; "), !off.is_empty()))
}

/// What ends first of all that is signed in with, where that is known.
fn credentials(world: &World) -> Option<(&'static str, String, bool)> {
    let all = world.clusters.iter().flat_map(|c| {
        let ends = c.sources.values().filter_map(|h| h.expires);
        ends.map(|e| (e, c.name.as_ref()))
    });
    let (first, cluster) = all.min_by_key(|(e, _)| e.at)?;
    let told = format!("{cluster}: {}", first.told(world.now));
    Some(("credentials", told, first.is_near(world.now)))
}

fn cell<'a>(ctx: &Ctx, (c, kind, h): &Row<'a>, column: usize) -> Line<'a> {
    let (glyph, word, style) = badge::source(ctx.theme, h, ctx.world.now);
    let lost = |n: u64| {
        if n > 0 {
            ctx.theme.warn
        } else {
            ctx.theme.muted
        }
    };
    let base = ctx.theme.base;
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(c.name.as_ref(), base),
        2 => Line::styled(kind.to_string(), base),
        3 => Line::styled(word, style),
        4 => Line::styled(h.answers.to_string(), base),
        5 => Line::styled(h.failures.to_string(), lost(h.failures)),
        6 => Line::styled(
            h.latency_ms.map_or("?".into(), |ms| format!("{ms} ms")),
            base,
        ),
        // The client of the watches does not tell.
        7 if *kind == SourceKind::Kubernetes => Line::styled("n/a", ctx.theme.muted),
        7 => Line::styled(Unit::Bytes.write(h.bytes as f64), base),
        8 => Line::styled(h.dropped.to_string(), lost(h.dropped)),
        9 => Line::styled(h.bad_lines.to_string(), lost(h.bad_lines)),
        11 => match (h.skew_ms, h.clock_off_ms()) {
            (None, _) => Line::styled("unknown", ctx.theme.muted),
            (_, Some(ms)) => Line::styled(seconds(ms), ctx.theme.warn),
            (Some(ms), None) => Line::styled(seconds(ms), base),
        },
        12 => Line::styled(h.via.clone().unwrap_or_default(), ctx.theme.muted),
        _ if h.interval_ms == 0 => Line::styled("stream", ctx.theme.muted),
        _ => Line::styled(format!("{}s", h.interval_ms / 1000), ctx.theme.muted),
    }
}

/// `+95.4 s`: a server's clock minus ours.
fn seconds(ms: i64) -> String {
    format!("{:+.1} s", ms as f64 / 1000.0)
}

fn id(row: &Row) -> (ClusterId, SourceKind) {
    (row.0.id, row.1)
}

fn split(area: Rect) -> (Rect, Rect) {
    split_bottom(area, 15.min(area.height / 2))
}

impl View for Diagnostics {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if command == Command::Problems {
            self.problems = !self.problems;
        }
        let rows = self.rows(world);
        self.table.update(&command, &rows, id);
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let (upper, lower) = split(area);
        let rows = self.rows(ctx.world);
        let title = format!("Sources {}", rows.len());
        let right = if self.problems { "! problems only" } else { "" };
        let inner = common::pane(ctx, upper, buf, &title, right, ctx.focus);
        if rows.is_empty() {
            let text = "no source is configured";
            ctx.put(buf, (inner.x, inner.y), inner.width, text, ctx.theme.muted);
        } else {
            let last = usize::from(rows.iter().all(|(_, _, h)| h.via.is_none()));
            let columns = COLUMNS.get(..COLUMNS.len() - last).unwrap_or(&COLUMNS);
            self.table
                .draw(ctx, inner, buf, (columns, &rows), id, |row, column| {
                    cell(ctx, row, column)
                });
        }
        self.draw_self(ctx, lower, buf);
    }

    fn place(&mut self, area: Rect, _world: &World) {
        let inner = common::inside(split(area).0);
        self.table.place(inner);
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        Some(Goto {
            screen: ScreenId::Cluster,
            focus: Some(self.focus(world)?),
            ..Goto::default()
        })
    }

    fn back(&mut self) -> bool {
        self.table.back() || std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        usize::from(!self.table.filter_text().is_empty()) + usize::from(self.problems)
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let rows = self.rows(world);
        let at = self.table.position(&rows, id)?;
        rows.get(at).map(|row| Focus::Cluster(row.0.id))
    }

    fn filter(&self) -> &str {
        self.table.filter_text()
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Enter", "cluster"),
            ("/", "filter"),
            ("!", "problems"),
            ("~", "notices"),
            ("?", "help"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Cluster, Config};
    use crate::model::time::Timestamp;

    #[test]
    fn clocks_that_are_off_are_told_first_with_their_source_and_age() {
        let now = Timestamp(1_800_000_000_000);
        let named = |name: &str| Cluster {
            name: name.into(),
            ..Cluster::default()
        };
        let config = Config {
            clusters: ["a", "b", "c", "d"].map(named).into(),
            ..Config::default()
        };
        let mut world = World::new(&config, now);
        let unknown = clocks(&world).map(|(_, text, bad)| (text, bad));
        assert_eq!(unknown, Some(("a, b and 2 more unknown".into(), false)));
        let skews = [Some(400), Some(-7_600), Some(95_000), None];
        for (cluster, skew_ms) in world.clusters.iter_mut().zip(skews) {
            let health = SourceHealth {
                skew_ms,
                last_ok: Some(now.plus_ms(-120_000)),
                ..SourceHealth::default()
            };
            cluster.sources.insert(SourceKind::Prometheus, health);
        }
        let (_, text, bad) = clocks(&world).expect("clusters");
        assert!(bad);
        assert_eq!(
            text,
            "c 95 s ahead of ours (prometheus, 2m ago); b 8 s behind ours (prometheus, 2m ago); \
             a within 2 s of ours; d unknown"
        );
        assert!(clocks(&World::new(&Config::default(), now)).is_none());
    }
}
