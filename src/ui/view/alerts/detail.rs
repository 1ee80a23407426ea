//! Everything known about the alerts of one row.

use ratatui::text::{Line, Span};

use super::digest::Digest;
use super::group::Row;
use super::lines::around;
use super::{silences, tellers};
use crate::model::alert::{Alert, Spell};
use crate::model::change::Change;
use crate::model::finding::Evidence;
use crate::model::label::Labels;
use crate::model::unit::{Unit, counted};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{ago, heading, name, pair};
use crate::ui::widget::badge::{self, age};
use crate::ui::widget::text::wrap;

/// Alerts of a row that are listed one by one.
const LISTED: usize = 20;
/// Changes that are listed, and how long before the alert they may be, milliseconds.
const CHANGES: usize = 4;
const BEFORE_MS: i64 = 30 * 60_000;
/// Times of firing that are listed.
const SPELLS: usize = 8;

pub fn lines<'a>(ctx: &Ctx<'_>, row: &'a Row<'a>, width: usize, digest: &Digest) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let (glyph, word, style) = badge::severity(theme, row.severity);
    let mut out = vec![
        Line::from(vec![
            Span::styled(format!("{glyph} "), style),
            Span::styled(row.name, theme.title),
        ]),
        Line::styled(
            format!(
                "{word}, {} {}, since {}",
                row.state_word(),
                ago(ctx.world, row.since),
                ctx.clock_or_day(row.since)
            ),
            theme.base,
        ),
        pair(
            theme,
            "cluster",
            name(ctx.world, row.id.cluster),
            theme.base,
        ),
    ];
    let Some(first) = row.alerts.first() else {
        return out;
    };
    if let Some(told) = tellers::told_by(ctx.world, row.id.cluster, first) {
        let mut parts = wrap(&told, width.saturating_sub(12)).into_iter();
        let first = parts.next().unwrap_or_default();
        out.push(pair(theme, "told by", first, theme.base));
        out.extend(parts.map(|p| pair(theme, "", p, theme.base)));
    }
    if row.copies > 0 {
        let text = match row.copies {
            1 => "1 copy of a replica folded".to_owned(),
            n => format!("{n} copies of replicas folded"),
        };
        out.push(Line::styled(text, theme.muted));
    }
    out.extend(
        row.over(ctx.world.now)
            .map(|text| Line::styled(text, theme.muted)),
    );
    if let Some(turns) = row.flapping(ctx.world) {
        let text = format!("flapping: began or ended {turns} times in the last hour");
        out.push(Line::styled(text, theme.warn));
    }
    annotations(ctx, first, width, &mut out);
    if let Some(incident) = incident(ctx.world, row) {
        out.push(pair(theme, "incident", incident, theme.accent));
    }
    for reason in silences::reasons(ctx, row.id.cluster, first) {
        let parts = wrap(&reason, width).into_iter();
        out.extend(parts.map(|p| Line::styled(p, theme.accent)));
    }
    for matchers in silences::matchers(ctx.world, row.id.cluster, first) {
        let parts = wrap(matchers, width.saturating_sub(12)).into_iter();
        out.extend(parts.map(|p| pair(theme, "matches", p, theme.base)));
    }
    out.push(week(ctx, row, digest));
    out.extend(before(ctx, row, first, width));
    out.extend(around(ctx, row, first, width));
    out.extend(history(ctx, row));
    if row.alerts.len() == 1 {
        out.push(Line::default());
        out.push(heading(theme, "labels"));
        label_lines(ctx, &first.labels, width, &mut out);
    } else {
        instances(ctx, row, width, &mut out);
    }
    out
}

/// The seven days, as far as they were asked for.
fn week<'a>(ctx: &Ctx<'_>, row: &Row<'_>, digest: &Digest) -> Line<'a> {
    let theme = ctx.theme;
    match digest.of(row.id.cluster, row.name) {
        Some(Ok(fired)) => pair(theme, "7 days", fired.words(), theme.base),
        Some(Err(not)) => pair(theme, "7 days", not, theme.muted),
        None => pair(theme, "7 days", "not known (S-Tab asks)", theme.muted),
    }
}

/// What was changed shortly before it began; what has to do with it first.
fn before<'a>(ctx: &Ctx<'_>, row: &Row<'_>, alert: &Alert, width: usize) -> Vec<Line<'a>> {
    let Some(cluster) = ctx.world.cluster(row.id.cluster) else {
        return Vec::new();
    };
    let (from, to) = (row.since.plus_ms(-BEFORE_MS), row.since.plus_ms(60_000));
    let mut changes: Vec<&Change> = cluster.changes_between(from, to).rev().collect();
    if changes.is_empty() {
        return Vec::new();
    }
    let named = |text: &str| !text.is_empty() && alert.labels.iter().any(|(_, v)| v == text);
    changes.sort_by_key(|c| !(named(&c.subject.1) || named(&c.namespace)));
    let count = changes.len();
    let mut out = vec![
        Line::default(),
        heading(
            ctx.theme,
            format!("{} in the 30m before", counted(count, "change")),
        ),
    ];
    for change in changes.iter().take(CHANGES) {
        let by = change.by.as_deref().map(|by| format!(" by {by}"));
        let text = format!(
            "▼ {} {} {}: {}{}",
            ctx.clock_or_day(change.at),
            change.kind.word(),
            change.subject.1,
            change.what,
            by.unwrap_or_default()
        );
        let parts = wrap(&text, width).into_iter().take(2);
        out.extend(parts.map(|p| Line::styled(p, ctx.theme.base)));
    }
    if count > CHANGES {
        let text = format!("{} more (x g)", count - CHANGES);
        out.push(Line::styled(text, ctx.theme.muted));
    }
    out
}

/// When the alerts of the row fired, newest first, as far back as we saw it.
fn history<'a>(ctx: &Ctx<'_>, row: &Row<'_>) -> Vec<Line<'a>> {
    let Some(cluster) = ctx.world.cluster(row.id.cluster) else {
        return Vec::new();
    };
    let alerts = row.alerts.iter();
    let mut spells: Vec<Spell> = alerts
        .flat_map(|a| cluster.spells(&a.fingerprint))
        .collect();
    // Alerts of one row that began and ended together are one line.
    spells.sort_by_key(|s| std::cmp::Reverse((s.from, s.to)));
    spells.dedup();
    if spells.is_empty() {
        return Vec::new();
    }
    let theme = ctx.theme;
    let count = match spells.len() {
        1 => "fired once".to_owned(),
        n => format!("fired {n} times"),
    };
    let mut out = vec![
        Line::default(),
        heading(theme, format!("history: {count}, as far as seen here")),
    ];
    for spell in spells.iter().take(SPELLS) {
        let lasted = age(spell.to.unwrap_or(ctx.world.now).age_since_ms(spell.from));
        let (until, style) = match spell.to {
            Some(to) => (format!("{} resolved", ctx.clock_or_day(to)), theme.muted),
            None => ("still firing".to_owned(), theme.base),
        };
        let text = format!("{} → {until}, {lasted}", ctx.clock_or_day(spell.from));
        out.push(Line::styled(text, style));
    }
    if let Some(more) = spells.len().checked_sub(SPELLS).filter(|n| *n > 0) {
        out.push(Line::styled(format!("{more} earlier"), theme.muted));
    }
    out
}

fn annotations<'a>(ctx: &Ctx<'_>, alert: &'a Alert, width: usize, out: &mut Vec<Line<'a>>) {
    let theme = ctx.theme;
    for part in wrap(alert.summary(), width) {
        if !part.is_empty() {
            out.push(Line::styled(part, theme.base));
        }
    }
    if let Some(value) = alert.value {
        out.push(pair(theme, "value", Unit::None.write(value), theme.base));
    }
    if let Some(expression) = &alert.expression {
        out.push(heading(theme, "expression"));
        out.extend(
            wrap(expression, width)
                .into_iter()
                .map(|p| Line::styled(p, theme.base)),
        );
    }
    let shown = alert.summary();
    for (key, value) in alert.annotations.iter().filter(|(_, v)| *v != shown) {
        let key = if key == "runbook_url" { "runbook" } else { key };
        let mut parts = wrap(value, width.saturating_sub(12)).into_iter();
        if let Some(part) = parts.next() {
            out.push(pair(theme, key, part, theme.base));
        }
        out.extend(parts.map(|p| pair(theme, "", p, theme.base)));
    }
}

fn label_lines<'a>(ctx: &Ctx<'_>, labels: &'a Labels, width: usize, out: &mut Vec<Line<'a>>) {
    for (key, value) in labels.iter() {
        let mut parts = wrap(value, width.saturating_sub(12)).into_iter();
        if let Some(part) = parts.next() {
            out.push(pair(ctx.theme, key, part, ctx.theme.base));
        }
        out.extend(
            parts
                .take(3)
                .map(|p| pair(ctx.theme, "", p, ctx.theme.base)),
        );
    }
}

/// What differs between the alerts of a row.
fn instances<'a>(ctx: &Ctx<'_>, row: &'a Row<'a>, width: usize, out: &mut Vec<Line<'a>>) {
    out.push(Line::default());
    let count = row.alerts.len();
    out.push(heading(ctx.theme, format!("{count} alerts, what differs")));
    for alert in row.alerts.iter().take(LISTED) {
        let own: Vec<String> = alert
            .labels
            .iter()
            .filter(|(n, v)| row.alerts.iter().any(|a| a.labels.get(n) != Some(*v)))
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let text = format!("{} {}", ago(ctx.world, alert.starts_at), own.join(" "));
        out.extend(
            wrap(&text, width)
                .into_iter()
                .map(|p| Line::styled(p, ctx.theme.base)),
        );
    }
    if count > LISTED {
        let text = format!("{LISTED} of {count} shown (m: every alert a row)");
        out.push(Line::styled(text, ctx.theme.muted));
    }
    out.push(Line::default());
    out.push(heading(ctx.theme, "shared labels"));
    out.extend(
        wrap(&row.shared, width)
            .into_iter()
            .map(|p| Line::styled(p, ctx.theme.base)),
    );
}

/// The incident that holds an alert of this row.
fn incident(world: &World, row: &Row<'_>) -> Option<String> {
    let holds = |evidence: &Evidence| matches!(evidence, Evidence::Alert(f) if row.holds(f));
    world
        .incidents
        .iter()
        .filter(|i| i.cluster == row.id.cluster)
        .find(|i| i.findings.iter().any(|f| f.evidence.iter().any(holds)))
        .map(|i| format!("INC-{}", i.number))
}

/// The row in words; for the clipboard and the agent.
pub fn plain(world: &World, row: &Row<'_>) -> String {
    let over = row.over(world.now).map(|text| format!(", {text}"));
    let mut out = format!(
        "{} {} {} on {} since {}{}, {} alerts",
        row.name,
        row.severity.word(),
        row.state_word(),
        name(world, row.id.cluster),
        row.since.rfc3339(),
        over.unwrap_or_default(),
        row.alerts.len(),
    );
    if let Some(alert) = row.alerts.first() {
        out.push_str(&format!("\nlabels {}", alert.labels));
        if !alert.summary().is_empty() {
            out.push_str(&format!("\nsummary {}", alert.summary()));
        }
        if let Some(expression) = &alert.expression {
            out.push_str(&format!("\nexpression {expression}"));
        }
        if let Some(value) = alert.value {
            out.push_str(&format!("\nvalue {value}"));
        }
    }
    out
}
