//! One node's clocks: offset over the window, states, class, processes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{ClockRow, profile, ptp, ribbon};
use crate::model::clock_class;
use crate::model::id::ClusterId;
use crate::model::ptp::{Clock, ClockState, PtpNode, is_sentinel, node_of};
use crate::model::sample::Sample;
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{above, ago, band, cursor, lines, name, pane, reading, series_style};
use crate::ui::widget::chart::{Chart, Curve, read_from};

/// Rows that the curve keeps where all is told.
const CHART: u16 = 10;
/// Curves of one node at most: its interfaces, seen by several processes.
const CURVES: usize = 8;

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, row: ClockRow<'_>) {
    let (cluster, node) = row;
    let title = format!("{} {}", name(ctx.world, cluster), node.node);
    let (_, word, _) = ptp::shown(ctx, row);
    let old = node.state.is_some() && ptp::is_old(ctx.world, row);
    let right = format!("{word}{}", if old { ", old" } else { "" });
    let inner = pane(ctx, area, buf, &title, &right, false);
    let most = inner.height.saturating_sub(CHART).max(inner.height * 3 / 5);
    let mut text = told(ctx, row, usize::from(inner.width), true);
    if text.len() > usize::from(most) {
        text = told(ctx, row, usize::from(inner.width), false);
    }
    let wanted = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let rows = wanted.min(most);
    let (graph, below) = above(inner, rows);
    draw_offsets(ctx, graph, buf, row);
    lines(ctx, below, buf, &text, 0);
}

fn draw_offsets(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, (cluster, node): ClockRow<'_>) {
    let (from, to) = ctx.window.bounds(ctx.world.now);
    let store = &ctx.world.store;
    let held: Vec<_> = store
        .find(cluster, "openshift_ptp_offset_ns")
        .filter(|(_, key)| node_of(&key.labels) == node.node.as_ref())
        .take(CURVES)
        .collect();
    // Behind several curves nobody could tell whose it is.
    let usual = match held.as_slice() {
        [(_, key)] => {
            let columns = usize::from(area.width);
            Some(ctx.world.usual(cluster, key, (from, to), columns))
        }
        _ => None,
    };
    let offsets: Vec<(Vec<Sample>, u32)> = held
        .iter()
        .map(|(id, _)| {
            let id = *id;
            let points = store.points(id, read_from(from, to), to);
            // A value that means "no measurement" is a gap.
            let points = points.map(|p| match is_sentinel(p.value) {
                true => Sample {
                    value: f64::NAN,
                    ..p
                },
                false => p,
            });
            (points.collect(), store.interval_ms(id))
        })
        .collect();
    let curves: Vec<Curve<'_>> = offsets
        .iter()
        .enumerate()
        .map(|(index, (points, interval))| Curve {
            points,
            style: series_style(ctx.theme, index),
            gap_ms: i64::from(*interval) * 3,
        })
        .collect();
    let limits: Vec<_> = node
        .threshold_ns
        .map(|(low, high)| vec![(low, ctx.theme.crit), (high, ctx.theme.crit)])
        .unwrap_or_default();
    Chart {
        curves: &curves,
        band: usual.as_ref().map(|usual| band(ctx, usual)),
        unit: Unit::Nanoseconds,
        from,
        to,
        limits: &limits,
        marks: &[],
        zone: ctx.zone,
        axis: ctx.theme.muted,
        ascii: ctx.ascii,
        over: cursor(ctx),
    }
    .draw(area, buf);
}

/// Ribbon, clock class, clocks and processes; `full`: with what is told beside state and offset.
fn told<'a>(
    ctx: &Ctx<'_>,
    (cluster, node): ClockRow<'a>,
    width: usize,
    full: bool,
) -> Vec<Line<'a>> {
    let ctx = &ctx.polled(cluster, Group::Ptp);
    let theme = ctx.theme;
    let states = ribbon::States::of(ctx, std::iter::once(cluster));
    let mut out = vec![ribbon::line(
        theme,
        &ribbon::states(ctx, &states, (cluster, node), width),
    )];
    let class = match node.clock_class {
        Some(class) => format!("{:.0} {}", class.value, clock_class::meaning(class.value)),
        None => "n/a".into(),
    };
    let band = match node.threshold_ns {
        Some((low, high)) => format!("limit {low:.0} .. {high:.0} ns, as the exporter tells it"),
        None => "limit n/a: judged by -100 .. 100 ns".into(),
    };
    out.push(Line::from(vec![
        Span::styled("class ", theme.muted),
        Span::styled(class, theme.base),
    ]));
    out.push(Line::styled(band, theme.muted));
    if let Some(gnss) = node.gnss {
        let fix = [
            "no fix",
            "dead reckoning",
            "2D",
            "3D",
            "GPS + dead reckoning",
            "time only",
        ];
        let index = usize::try_from(gnss.value as i64).unwrap_or(usize::MAX);
        let words = fix.get(index).copied().unwrap_or("unknown");
        let style = if gnss.value < 2.0 {
            theme.crit
        } else {
            theme.base
        };
        out.push(Line::from(vec![
            Span::styled("GNSS  ", theme.muted),
            Span::styled(words, style),
        ]));
    }
    out.extend(around(ctx, cluster, node));
    for clock in &node.clocks {
        let head = format!("{:<8} {:<10} ", clock.process, clock.interface);
        if let (None, None, Some(role)) = (clock.state, clock.offset_ns, &clock.role) {
            let style = match role == "FAULTY" {
                true => theme.crit,
                false => theme.muted,
            };
            // A port of the daemon: it has a part to play and no clock of its own.
            out.push(Line::from(vec![
                Span::styled(head, theme.base),
                Span::styled(format!("port {role}"), style),
            ]));
            continue;
        }
        let (glyph, word, style) = ptp::clock(ctx, clock.state);
        out.push(Line::from(vec![
            Span::styled(head, theme.base),
            Span::styled(format!("{glyph} {word:<8} "), style),
            reading(ctx, clock.offset_ns, Unit::Nanoseconds, theme.base),
            Span::styled(
                format!("  {}", clock.role.as_deref().unwrap_or("")),
                theme.muted,
            ),
        ]));
        let more = beside(clock);
        if full && !more.is_empty() {
            out.push(Line::styled(format!("{:19} {more}", ""), theme.muted));
        }
    }
    out.extend(processes(ctx, node));
    out
}

/// What stands around the clocks: the profile, SyncE, which profile steers, how long it may hold
/// over.
fn around<'a>(ctx: &Ctx<'_>, cluster: ClusterId, node: &PtpNode) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let mut out = Vec::new();
    let mut say = |key: &str, text: String, style| {
        out.push(Line::from(vec![
            Span::styled(format!("{key} "), theme.muted),
            Span::styled(text, style),
        ]));
    };
    if let Some(profile) = profile::of(ctx.world, cluster, &node.node) {
        let role = profile.role.as_deref().unwrap_or("role not told");
        let domain = profile.domain.map(|d| format!(", domain {d}"));
        let text = format!("{}, {role}{}", profile.name, domain.unwrap_or_default());
        say("profile", text, theme.base);
    }
    for (profile, steers) in &node.profiles {
        let word = if *steers { "steers" } else { "stands by" };
        say("profile", format!("{profile} {word}"), theme.base);
    }
    if let (Some(timeout_s), Some(since)) = (node.holdover_timeout_s, held_over(ctx, cluster, node))
    {
        let age = ago(ctx.world, since);
        let text = format!("since {age}, allowed for {timeout_s:.0}s");
        say("holdover", text, theme.warn);
    }
    for synce in &node.synce {
        let text = format!("{} {}", synce.interface, synce.quality_word());
        say("SyncE", text, theme.base);
    }
    out
}

/// When the clock that sets the node's state went into holdover, as far as the samples reach.
fn held_over(ctx: &Ctx<'_>, cluster: ClusterId, node: &PtpNode) -> Option<Timestamp> {
    let worst = node.worst()?;
    let in_holdover = |s| ClockState::from_wire(s) == Some(ClockState::Holdover);
    worst.state.filter(|(_, s)| in_holdover(s.value))?;
    let store = &ctx.world.store;
    let (id, _) = store
        .find(cluster, "openshift_ptp_clock_state")
        .find(|(_, key)| {
            let is = |label: &str, value: &str| key.labels.get(label) == Some(value);
            node_of(&key.labels) == node.node.as_ref()
                && is("process", &worst.process)
                && is("iface", &worst.interface)
        })?;
    let points = store.points(id, Timestamp(i64::MIN), ctx.world.now);
    points.fold(None, |since, p| match in_holdover(p.value) {
        true => since.or(Some(p.at)),
        false => None,
    })
}

/// What is told of a clock beside its state and offset.
fn beside(clock: &Clock) -> String {
    let ns = |s: Sample| Unit::Nanoseconds.write(s.value);
    let word = |known: bool| if known { "there" } else { "lost" };
    [
        clock.max_offset_ns.map(|s| format!("max {}", ns(s))),
        clock.delay_ns.map(|s| format!("path {}", ns(s))),
        clock
            .frequency_ppb
            .map(|s| format!("freq {:+.0} ppb", s.value)),
        clock
            .frequency_lock
            .map(|l| format!("frequency {}", l.word())),
        clock.phase_lock.map(|l| format!("phase {}", l.word())),
        clock.pps.map(|p| format!("PPS {}", word(p))),
        clock.nmea.map(|n| format!("NMEA {}", word(n))),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join("  ")
}

fn processes<'a>(ctx: &Ctx<'_>, node: &'a PtpNode) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    node.processes
        .iter()
        .map(|(process, config, up, restarts)| {
            let (word, style) = match up {
                Some(true) => ("up", theme.ok),
                Some(false) => ("DOWN ✗", theme.crit),
                None => ("unknown", theme.muted),
            };
            // The exporter counts the first start as one.
            let restarts = match restarts {
                Some(n) => format!("  {:.0} restarts", (n - 1.0).max(0.0)),
                None => String::new(),
            };
            Line::from(vec![
                Span::styled(format!("process {process} "), theme.muted),
                Span::styled(word, style),
                Span::styled(format!("{restarts}  {config}"), theme.muted),
            ])
        })
        .collect()
}

/// The node's clocks in words; for the clipboard and the agent.
pub fn plain(world: &World, (cluster, node): ClockRow<'_>) -> String {
    let state = node.state.map_or("unknown", ClockState::word);
    let mut out = format!("{} {} PTP {state}", name(world, cluster), node.node);
    if let Some(class) = node.clock_class {
        out.push_str(&format!(", clock class {:.0}", class.value));
    }
    for clock in &node.clocks {
        let state = clock.state.map_or("unknown", |(s, _)| s.word());
        let offset = clock
            .offset_ns
            .map_or("n/a".into(), |o| Unit::Nanoseconds.write(o.value));
        let place = format!("{} {}", clock.process, clock.interface);
        out.push_str(&format!("; {place} {state} offset {offset}"));
    }
    for (process, _, up, _) in &node.processes {
        if *up == Some(false) {
            out.push_str(&format!("; process {process} is down"));
        }
    }
    out
}
