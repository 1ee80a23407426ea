//! What changed of one node's clocks in the window: states, classes, port roles, processes and
//! restarts, newest first, read from the samples held.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ClockRow;
use crate::model::change::ChangeKind;
use crate::model::clock_class::{self, Standing};
use crate::model::label::Labels;
use crate::model::ptp::{ClockState, node_of, role};
use crate::model::time::Timestamp;
use crate::ui::view::common::{above, ago, empty, heading, lines, name, pane};
use crate::ui::widget::text::wrap;
use crate::ui::{Ctx, Theme};

/// Changes shown.
const MOST: usize = 200;

struct Change {
    at: Timestamp,
    /// Process and port.
    who: String,
    text: String,
    style: Style,
}

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, row: ClockRow<'_>) {
    let (cluster, node) = row;
    let title = format!("{} {}: changes", name(ctx.world, cluster), node.node);
    let mut found = changes(ctx, row);
    found.extend(events(ctx, row));
    found.sort_by(|a, b| (b.at, &a.who).cmp(&(a.at, &b.who)));
    found.truncate(MOST);
    let count = format!("{} · m chain", found.len());
    let inner = pane(ctx, area, buf, &title, &count, false);
    let now = told_now(ctx, row, usize::from(inner.width));
    let rows = u16::try_from(now.len())
        .unwrap_or(u16::MAX)
        .min(inner.height / 2);
    let (head, inner) = above(inner, inner.height - rows);
    lines(ctx, head, buf, &now, 0);
    if found.is_empty() {
        return empty(ctx, inner, buf, "nothing changed in the time in view");
    }
    let wide = found.iter().map(|c| c.who.len()).max().unwrap_or(0).min(20);
    let text: Vec<Line<'_>> = found
        .iter()
        .take(usize::from(inner.height))
        .map(|c| {
            Line::from(vec![
                Span::styled(format!("{} ", ctx.clock_or_day(c.at)), ctx.theme.muted),
                Span::styled(format!("{:<wide$} ", c.who), ctx.theme.base),
                Span::styled(c.text.clone(), c.style),
            ])
        })
        .collect();
    lines(ctx, inner, buf, &text, 0);
}

/// What the proxy of the node tells now, with its age.
fn told_now(ctx: &Ctx<'_>, (cluster, node): ClockRow<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(cluster) = ctx.world.cluster(cluster) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for (at, told) in cluster.clocks_of(&node.node) {
        let text = format!(
            "{} {} · {} ago",
            told.name(),
            told.words(),
            ago(ctx.world, at)
        );
        let style = if ctx.is_old(at) {
            ctx.theme.muted
        } else {
            ctx.theme.base
        };
        let parts = wrap(&text, width.max(1)).into_iter();
        out.extend(parts.map(|part| Line::styled(part, style)));
    }
    if !out.is_empty() {
        out.insert(0, heading(ctx.theme, "as cloud-event-proxy tells it"));
        out.push(Line::default());
    }
    out
}

/// Events that the proxy of the node told of.
fn events(ctx: &Ctx<'_>, (cluster, node): ClockRow<'_>) -> Vec<Change> {
    let (from, to) = ctx.window.bounds(ctx.world.now);
    let all = ctx.world.cluster(cluster).into_iter();
    let all = all.flat_map(|c| &c.changes).filter(|change| {
        change.kind == ChangeKind::Clock
            && change.subject.1 == *node.node
            && (from..=to).contains(&change.at)
    });
    let told = all.map(|change| Change {
        at: change.at,
        who: "event".into(),
        text: format!("{}{}", change.when(), change.what),
        style: ctx.theme.base,
    });
    told.collect()
}

/// A value in words, how good it is.
type Words = fn(&Theme, f64) -> Option<(String, Style)>;

const KINDS: [(&str, Words); 5] = [
    ("openshift_ptp_clock_state", state),
    ("openshift_ptp_clock_class", class),
    ("openshift_ptp_interface_role", port),
    ("openshift_ptp_process_status", process),
    ("openshift_ptp_process_restart_count", restart),
];

fn changes(ctx: &Ctx<'_>, (cluster, node): ClockRow<'_>) -> Vec<Change> {
    let (from, to) = ctx.window.bounds(ctx.world.now);
    let store = &ctx.world.store;
    let mut found = Vec::new();
    for (metric, words) in KINDS {
        for (id, key) in store.find(cluster, metric) {
            if node_of(&key.labels) != node.node.as_ref() {
                continue;
            }
            let mut before: Option<f64> = None;
            for point in store.points(id, from, to).filter(|p| p.value.is_finite()) {
                let was = before.replace(point.value).filter(|b| *b != point.value);
                let told = was.and_then(|was| {
                    let (old, _) = words(ctx.theme, was)?;
                    let (new, style) = words(ctx.theme, point.value)?;
                    Some((format!("{old} → {new}"), style))
                });
                if let Some((text, style)) = told {
                    found.push(Change {
                        at: point.at,
                        who: who(&key.labels),
                        text,
                        style,
                    });
                }
            }
        }
    }
    found
}

fn who(labels: &Labels) -> String {
    let process = labels.get("process").unwrap_or("");
    let place = labels.first_of(&["iface", "config"]).unwrap_or("");
    format!("{process} {place}").trim().to_owned()
}

fn state(theme: &Theme, value: f64) -> Option<(String, Style)> {
    let state = ClockState::from_wire(value)?;
    let (_, word, style) = super::ptp::state(theme, Some(state));
    Some((word.to_owned(), style))
}

fn class(theme: &Theme, value: f64) -> Option<(String, Style)> {
    let style = match clock_class::of(value).map(|c| c.standing) {
        Some(Standing::Good) => theme.ok,
        Some(Standing::Critical) => theme.crit,
        Some(Standing::Warning | Standing::Starting) => theme.warn,
        Some(Standing::Note) | None => theme.base,
    };
    Some((format!("class {value:.0}"), style))
}

fn port(theme: &Theme, value: f64) -> Option<(String, Style)> {
    let role = role(value)?;
    let style = if role == "FAULTY" {
        theme.crit
    } else {
        theme.base
    };
    Some((role.to_owned(), style))
}

fn process(theme: &Theme, value: f64) -> Option<(String, Style)> {
    Some(match value >= 0.5 {
        true => ("up".to_owned(), theme.ok),
        false => ("down".to_owned(), theme.crit),
    })
}

/// The exporter counts the first start as one.
fn restart(theme: &Theme, value: f64) -> Option<(String, Style)> {
    Some((
        format!("{:.0} restarts", (value - 1.0).max(0.0)),
        theme.warn,
    ))
}
