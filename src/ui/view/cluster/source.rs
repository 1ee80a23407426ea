//! Rows of the sources: how each is heard, by which way, and what to do.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::time::Timestamp;
use crate::ui::Ctx;
use crate::ui::widget::badge;

pub fn cell<'a>(ctx: &Ctx, kind: SourceKind, h: &SourceHealth, column: usize) -> Line<'a> {
    let (glyph, word, style) = badge::source(ctx.theme, h, ctx.world.now);
    let muted = ctx.theme.muted;
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(kind.to_string(), ctx.theme.base),
        2 => Line::styled(word, style),
        3 => Line::styled(
            h.latency_ms.map_or("?".into(), |ms| format!("{ms} ms")),
            muted,
        ),
        4 => Line::styled(last_ok(ctx, h), muted),
        5 => Line::styled(h.version.clone().unwrap_or_else(|| "?".into()), muted),
        6 => Line::styled(retry(ctx, h), muted),
        _ => {
            let mut why = why(ctx, h, style);
            if let Some(via) = &h.via {
                let comma = if why.spans.is_empty() { "" } else { ", " };
                why.push_span(Span::styled(format!("{comma}{via}"), muted));
            }
            why
        }
    }
}

/// The whole of it, for the detail.
pub fn explain(kind: SourceKind, h: &SourceHealth, now: Timestamp) -> String {
    let mut lines = vec![format!(
        "{kind}: {} answers, {} failed",
        h.answers, h.failures
    )];
    lines.extend(h.via.clone());
    if let Some(fault) = h.fault() {
        lines.push(format!("{}: {}", fault.endpoint, fault.what));
        if !fault.hint.is_empty() {
            lines.push(format!("try: {}", fault.hint));
        }
    }
    if let Health::Failing {
        since, failures, ..
    } = &h.health
    {
        lines.push(format!(
            "{failures} failures in a row since {}",
            since.rfc3339()
        ));
    }
    lines.extend(h.clock_off_ms().map(clock));
    lines.extend(h.expires.map(|e| e.told(now)));
    lines.join("\n")
}

/// What is wrong with a source, if anything.
fn why<'a>(ctx: &Ctx, h: &SourceHealth, style: Style) -> Line<'a> {
    match h.fault() {
        Some(fault) if fault.hint.is_empty() => Line::styled(fault.what.clone(), style),
        Some(fault) => Line::styled(format!("{}: {}", fault.what, fault.hint), style),
        None if h.is_stale(ctx.world.now) => Line::styled("answers are late", style),
        None => match h.clock_off_ms() {
            Some(ms) => Line::styled(clock(ms), ctx.theme.warn),
            None => ends(ctx.world.now, h)
                .map(|told| Line::styled(told, ctx.theme.warn))
                .unwrap_or_default(),
        },
    }
}

/// A credential that ends soon.
fn ends(now: Timestamp, h: &SourceHealth) -> Option<String> {
    let near = h.expires.filter(|e| e.is_near(now));
    near.map(|e| format!("{}: renew it", e.told(now)))
}

fn last_ok(ctx: &Ctx, h: &SourceHealth) -> String {
    match (h.last_ok, &h.health) {
        // A stream is heard as long as it stands.
        (Some(_), Health::Live) if h.interval_ms == 0 => "now".into(),
        (Some(at), _) => badge::age(ctx.world.age_ms(at)),
        (None, _) => "never".into(),
    }
}

fn retry(ctx: &Ctx, h: &SourceHealth) -> String {
    match &h.health {
        Health::Failing { retry_at, .. } => badge::wait(retry_at.age_since_ms(ctx.world.now)),
        Health::Denied { .. } => "rarely".into(),
        Health::Connecting | Health::Live => String::new(),
    }
}

/// How far the server's clock is from ours.
fn clock(off_ms: i64) -> String {
    let seconds = (off_ms.unsigned_abs() + 500) / 1000;
    let way = if off_ms < 0 { "behind" } else { "ahead of" };
    format!("its clock is {seconds} s {way} ours")
}
