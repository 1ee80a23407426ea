//! The frame around every screen: header, filter and freshness, hints; and what lies over it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::layout::{self, MIN_COLUMNS, MIN_ROWS};
use super::view::{handover, notices, whatif};
use super::{Ctx, prompt};
use crate::command::{ENTRIES, parse_keys, written};
use crate::message::ReplayStatus;
use crate::model::unit::Unit;
use crate::state::world::{Status, World};
use crate::state::{Overlay, State};
use crate::ui::widget::badge;
use crate::ui::widget::text::{fold_ascii, width};

/// Draws the whole screen. The buffer is as large as the terminal.
pub fn draw(state: &State, buf: &mut Buffer) {
    let area = buf.area;
    let screen = &state.screen;
    buf.set_style(area, screen.theme.base);
    let chatting = screen.chat_open && screen.chat_focus;
    let ctx = state.ctx(screen.overlay.is_none() && !chatting);
    if layout::too_small(area) {
        too_small(&ctx, area, buf);
    } else {
        let regions = layout::frame(area, screen.chat_open);
        header(&ctx, state, regions.header, buf);
        if let Some(row) = regions.status {
            status(&ctx, state, row, buf);
        }
        if !regions.body.is_empty() {
            screen.view().draw(&ctx, regions.body, buf);
        }
        if let Some(area) = regions.chat {
            let ctx = state.ctx(screen.chat_focus && screen.overlay.is_none());
            let configured = state.agent_configured();
            screen
                .views
                .chat
                .draw(&ctx, &state.chat, configured, area, buf);
        }
        overlay(&ctx, state, regions.body, buf);
        bottom(&ctx, state, regions.hints, buf);
    }
    make_safe(buf, ctx.ascii);
}

fn overlay(ctx: &Ctx, state: &State, body: Rect, buf: &mut Buffer) {
    let body = Rect {
        width: buf.area.width,
        ..body
    };
    match &state.screen.overlay {
        Some(Overlay::Help(help)) => help.draw(ctx, body, buf),
        Some(Overlay::Palette(palette)) => palette.draw(ctx, body, buf),
        Some(Overlay::Actions(actions)) => actions.draw(ctx, body, buf),
        Some(Overlay::WhatIf(whatif)) => whatif::draw(ctx, body, buf, whatif),
        Some(Overlay::HandOver(sending)) => handover::draw(ctx, body, buf, sending),
        Some(Overlay::Notices(skip)) => notices::draw(ctx, body, buf, *skip),
        None => {
            if let Some(notice) = state.screen.toast(ctx.world) {
                notices::toast(ctx, body, buf, notice);
            }
        }
    }
}

/// What the screen needs, and the mark of a replay, in whatever room there is.
fn too_small(ctx: &Ctx, area: Rect, buf: &mut Buffer) {
    let mut lines = vec![
        format!("farwatch needs {MIN_COLUMNS}x{MIN_ROWS}"),
        format!("this is {}x{}", area.width, area.height),
    ];
    if ctx.world.replay.is_some() {
        lines.insert(0, "REPLAY".into());
    }
    for (y, line) in (area.top()..area.bottom()).zip(&lines) {
        ctx.put(buf, (area.x, y), area.width, line, ctx.theme.base);
    }
}

/// Pieces of a row: text and style.
type Parts = Vec<(String, Style)>;

fn header(ctx: &Ctx, state: &State, row: Rect, buf: &mut Buffer) {
    let (left, right) = (header_left(ctx, state, row), header_right(ctx, state, row));
    let wide: usize = right.iter().map(|(text, _)| width(text)).sum();
    let wide = u16::try_from(wide).unwrap_or(row.width).min(row.width);
    let from = row.right() - wide;
    put_parts(
        ctx,
        buf,
        Rect {
            width: row.width.saturating_sub(wide + 1),
            ..row
        },
        &left,
    );
    put_parts(
        ctx,
        buf,
        Rect {
            x: from,
            width: wide,
            ..row
        },
        &right,
    );
}

fn header_left(ctx: &Ctx, state: &State, row: Rect) -> Parts {
    let theme = ctx.theme;
    let mut parts: Parts = Vec::new();
    if let Some(replay) = &ctx.world.replay {
        parts.push((replay_mark(ctx, replay), theme.replay));
        parts.push((" ".into(), theme.base));
    }
    let title = state.screen.at.title();
    if row.width >= 100 {
        parts.push(("farwatch ▸ ".into(), theme.muted));
    }
    parts.push((title.into(), theme.title));
    let scope = match ctx.scope.and_then(|id| ctx.world.cluster(id)) {
        Some(cluster) if state.screen.at.has_scope() => format!(" ▸ {}", cluster.name),
        // It waits for the screens that have one; the mark of a replay comes first.
        Some(cluster) if ctx.world.replay.is_none() || row.width >= 140 => format!(
            "  all {} (scope {})",
            ctx.world.clusters.len(),
            cluster.name
        ),
        _ => format!("  all {}", ctx.world.clusters.len()),
    };
    parts.push((scope, theme.accent));
    parts.push((format!("  {} ", window(ctx)), theme.base));
    parts.push(match (ctx.window.end, &ctx.world.replay) {
        (Some(end), _) => (format!("AT {}", ctx.minute(end)), theme.warn),
        (None, Some(replay)) => (of_replay(replay).into(), theme.warn),
        (None, None) => ("● LIVE".into(), theme.ok),
    });
    parts
}

fn replay_mark(ctx: &Ctx, replay: &ReplayStatus) -> String {
    format!(" REPLAY {} x{} ", ctx.clock(replay.now), replay.speed)
}

/// What a replay does, where a live screen says that it is live.
fn of_replay(replay: &ReplayStatus) -> &'static str {
    match (replay.seeking.is_some(), replay.ended, replay.paused) {
        (true, ..) => "SEEKING",
        (_, true, _) => "END",
        (_, _, true) => "PAUSED",
        _ => "PLAYING",
    }
}

/// Of when the recording is, so that nobody takes it for now, and how far it got.
fn recorded(ctx: &Ctx, replay: &ReplayStatus) -> String {
    let minutes = |ms: u64| format!("{}:{:02}", ms / 60_000, ms / 1000 % 60);
    let passed = minutes(replay.now.age_since_ms(replay.start));
    let whole = minutes(replay.end.age_since_ms(replay.start));
    format!(
        "   recording {} of {}, {passed} of {whole} min",
        replay.file,
        ctx.day(replay.now)
    )
}

fn window(ctx: &Ctx) -> String {
    let minutes = ctx.window.span_ms / 60_000;
    match minutes {
        0 => format!("last {}s", ctx.window.span_ms / 1000),
        m if m % 1440 == 0 => format!("last {}d", m / 1440),
        m if m % 60 == 0 => format!("last {}h", m / 60),
        m => format!("last {m}m"),
    }
}

fn header_right(ctx: &Ctx, state: &State, row: Rect) -> Parts {
    let theme = ctx.theme;
    let mut parts: Parts = Vec::new();
    for (status, count) in counts(ctx.world) {
        let (glyph, word, style) = badge::status(theme, status);
        let word = match (row.width >= 100, status) {
            (false, _) => "",
            (true, Status::Critical) => " crit",
            (true, Status::Warning) => " warn",
            (true, _) => &format!(" {word}"),
        };
        parts.push((format!("{glyph}{count}{word}  "), style));
    }
    if ctx.world.replay.is_none() {
        let time = format!(
            "{} {}",
            ctx.minute(ctx.world.now),
            ctx.zone_name(ctx.world.now)
        );
        parts.push((time, theme.base));
    }
    if row.width >= 100 && state.config.agent.is_none() {
        parts.push(("  no agent".into(), theme.muted));
    }
    parts.push(match state.may_write() {
        true => ("  WRITE".into(), theme.warn),
        false => ("  RO".into(), theme.muted),
    });
    parts
}

/// How many clusters are how; what nobody is, is left out.
fn counts(world: &World) -> Vec<(Status, usize)> {
    let all = world.statuses();
    [
        Status::Ok,
        Status::Warning,
        Status::Critical,
        Status::Unknown,
    ]
    .into_iter()
    .map(|status| (status, all.iter().filter(|s| **s == status).count()))
    .filter(|(_, count)| *count > 0)
    .collect()
}

fn status(ctx: &Ctx, state: &State, row: Rect, buf: &mut Buffer) {
    let theme = ctx.theme;
    let filter = state.screen.view().filter();
    let text = if filter.is_empty() { "(none)" } else { filter };
    let style = if filter.is_empty() {
        theme.muted
    } else {
        theme.accent
    };
    let mut left = vec![("filter ".into(), theme.muted), (text.to_owned(), style)];
    if let Some(replay) = &ctx.world.replay {
        left.push((recorded(ctx, replay), theme.muted));
    }
    let (right, style) = freshness(ctx);
    let wide = u16::try_from(width(&right))
        .unwrap_or(row.width)
        .min(row.width);
    put_parts(
        ctx,
        buf,
        Rect {
            width: row.width.saturating_sub(wide + 1),
            ..row
        },
        &left,
    );
    ctx.put(buf, (row.right() - wide, row.y), wide, &right, style);
}

fn freshness(ctx: &Ctx) -> (String, Style) {
    let world = ctx.world;
    let (mut all, mut fresh, mut stale, mut down, mut waiting) = (0, 0, 0, 0, 0);
    for health in world.clusters.iter().flat_map(|c| c.sources.values()) {
        all += 1;
        match badge::source(ctx.theme, health, world.now).1 {
            "live" => fresh += 1,
            "stale" => stale += 1,
            "connecting" => waiting += 1,
            _ => down += 1,
        }
    }
    if all == 0 {
        return (String::new(), ctx.theme.muted);
    }
    let mut text = format!("sources {fresh} of {all} fresh");
    for (count, word) in [(stale, "stale"), (down, "down"), (waiting, "connecting")] {
        if count > 0 {
            text.push_str(&format!(" · {count} {word}"));
        }
    }
    let style = match (down, stale) {
        (0, 0) => ctx.theme.muted,
        (0, _) => ctx.theme.warn,
        _ => ctx.theme.crit,
    };
    (text, style)
}

/// The last row: the prompt, the rest of a chord, or hints.
fn bottom(ctx: &Ctx, state: &State, row: Rect, buf: &mut Buffer) {
    if let Some(prompt) = &state.screen.prompt {
        let options = state.completions(prompt.field.text());
        prompt::draw(ctx, row, buf, prompt, &options);
        return;
    }
    let mut hints: Parts = Vec::new();
    if state.screen.pending.is_empty() {
        let view = hints_of(ctx, state);
        let filter = state.screen.view().filter();
        if row.width < 100 && !filter.is_empty() {
            hints.push((format!("/{filter}  "), ctx.theme.accent));
        }
        let free = state.screen.overlay.is_none() && !state.chatting();
        let replay: &[(&str, &str)] = match ctx.world.replay {
            Some(_) if free => &[("Space", "pause"), ("< >", "speed"), ("( )", "±1 min")],
            _ => &[],
        };
        for (key, word) in replay.iter().chain(view).take(6) {
            hints.push((format!("{key} "), ctx.theme.key));
            hints.push((format!("{word}  "), ctx.theme.muted));
        }
    } else {
        hints = chord(ctx, state, usize::from(row.width));
    }
    let right = match row.width < 100 {
        // The rest of a chord is needed whole, and now.
        _ if !state.screen.pending.is_empty() => (String::new(), ctx.theme.muted),
        true => freshness(ctx),
        false => traffic(ctx),
    };
    let wide = u16::try_from(width(&right.0))
        .unwrap_or(row.width)
        .min(row.width / 2);
    let room = row.width.saturating_sub(wide + 1);
    // A hint is told whole or not at all.
    let told = |hints: &Parts| hints.iter().map(|(text, _)| width(text)).sum::<usize>();
    while hints.len() > 2 && told(&hints) > usize::from(room) + 2 {
        hints.truncate(hints.len() - 2);
    }
    if let Some((last, _)) = hints.last_mut() {
        last.truncate(last.trim_end().len());
    }
    put_parts(ctx, buf, Rect { width: room, ..row }, &hints);
    ctx.put(buf, (row.right() - wide, row.y), wide, &right.0, right.1);
}

/// Keys of what has the keyboard: what lies over the screen, the chat, or the screen.
fn hints_of(ctx: &Ctx, state: &State) -> &'static [(&'static str, &'static str)] {
    match &state.screen.overlay {
        Some(Overlay::Palette(_)) => &[("Enter", "go"), ("Up/Down", "choose"), ("Esc", "close")],
        Some(Overlay::Actions(actions)) => actions.hints(),
        Some(Overlay::HandOver(_)) => &[("Enter", "write it"), ("j/k", "scroll"), ("Esc", "close")],
        Some(Overlay::Help(_) | Overlay::Notices(_) | Overlay::WhatIf(_)) => {
            &[("j/k", "scroll"), ("PgDn", "page"), ("Esc", "close")]
        }
        None if state.chatting() => state.screen.views.chat.hints(&state.chat),
        None if ctx.world.clusters.is_empty() => &[("?", "help"), ("q", "quit")],
        None => state.screen.view().hints(),
    }
}

/// What the keys pressed so far can become, closer together where `room` is scarce.
fn chord(ctx: &Ctx, state: &State, room: usize) -> Parts {
    let pressed = &state.screen.pending;
    let mut parts = Vec::new();
    for entry in ENTRIES {
        for keys in entry.keys {
            let keys = parse_keys(keys);
            if let Some(rest) = keys.strip_prefix(pressed.as_slice()) {
                parts.push((format!("{} ", written(rest)), ctx.theme.key));
                parts.push((format!("{}  ", entry.name), ctx.theme.muted));
            }
        }
    }
    if parts.iter().map(|(text, _)| width(text)).sum::<usize>() > room {
        for (text, _) in &mut parts {
            text.truncate(text.trim_end().len() + 1);
        }
    }
    parts
}

/// Which kinds of sources are heard: `prom 11/12`.
fn traffic(ctx: &Ctx) -> (String, Style) {
    use crate::model::health::SourceKind as Kind;
    let sources = || ctx.world.clusters.iter().flat_map(|c| c.sources.iter());
    let mut text = String::new();
    for (name, kind) in [
        ("prom", Kind::Prometheus),
        ("am", Kind::Alertmanager(0)),
        ("loki", Kind::Loki),
        ("kube", Kind::Kubernetes),
    ] {
        let is = |k: Kind| k == kind || (k.is_alertmanager() && kind.is_alertmanager());
        let all = sources().filter(|(k, _)| is(**k)).count();
        let live = sources()
            .filter(|(k, h)| is(**k) && badge::source(ctx.theme, h, ctx.world.now).1 == "live");
        if all > 0 {
            text.push_str(&format!("{name} {}/{all} ", live.count()));
        }
    }
    let lost: u64 =
        sources().map(|(_, h)| h.dropped).sum::<u64>() + ctx.world.gauges.telemetry_dropped;
    if lost > 0 {
        text.push_str(&format!("lost {} ", Unit::None.write(lost as f64)));
    }
    (
        text,
        if lost > 0 {
            ctx.theme.warn
        } else {
            ctx.theme.muted
        },
    )
}

fn put_parts(ctx: &Ctx, buf: &mut Buffer, row: Rect, parts: &[(String, Style)]) {
    let mut x = row.x;
    for (text, style) in parts {
        x = ctx.put(buf, (x, row.y), row.right().saturating_sub(x), text, *style);
    }
}

/// Last door before the terminal: whatever a view drew, no cell holds a character that could
/// forge the screen, and with `--ascii` none beyond ASCII.
fn make_safe(buf: &mut Buffer, ascii: bool) {
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if !symbol.is_ascii() || symbol.len() > 1 || symbol.chars().any(char::is_control) {
            let bad = symbol.chars().any(crate::model::text::is_unsafe);
            if bad {
                cell.set_symbol("?");
            }
        }
    }
    if ascii {
        fold_ascii(buf.area, buf);
    }
}
