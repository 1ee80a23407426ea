//! The top of the cluster screen: who the cluster is, how it is, what it has; the tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::Tab;
use crate::state::world::{Amount, ClusterState};
use crate::ui::Ctx;
use crate::ui::view::rights;
use crate::ui::widget::badge;

/// Rows that it takes.
pub const ROWS: u16 = 4;

pub fn draw(ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState, tab: Tab) {
    who(ctx, area, buf, c);
    let (_, why) = ctx.world.standing(c.id);
    let lines = [
        (1, why, ctx.theme.base),
        (2, strip(ctx, c), ctx.theme.muted),
    ];
    for (row, text, style) in lines.iter().filter(|(row, ..)| *row < area.height) {
        ctx.put(buf, (area.x, area.y + row), area.width, text, *style);
    }
    if area.height > 3 {
        tabs(ctx, area, buf, c, tab);
    }
}

fn who(ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState) {
    let (status, _) = ctx.world.standing(c.id);
    let (glyph, word, style) = badge::status(ctx.theme, status);
    let state = format!("{glyph} {word} ");
    let x = ctx.put(buf, (area.x, area.y), area.width, &state, style);
    let left = area.right().saturating_sub(x);
    let x = ctx.put(buf, (x, area.y), left, &c.name, ctx.theme.title);
    let facts = &c.facts;
    let mut parts = vec![format!("  {}", c.kind.as_str())];
    parts.extend(c.environment.clone());
    parts.extend(c.region.clone());
    let versions = [
        ("OpenShift", &facts.openshift_version),
        ("Kubernetes", &facts.kubernetes_version),
        ("Prometheus", &facts.prometheus_version),
    ];
    let known = versions
        .iter()
        .filter_map(|(n, v)| v.as_ref().map(|v| format!("{n} {v}")));
    parts.extend(known);
    if facts.openshift_version.is_none() && facts.kubernetes_version.is_none() {
        parts.push("version unknown".into());
    }
    if let Some(v) = c.version.as_ref().filter(|v| v.is_updating()) {
        parts.push(format!("updating to {}", v.desired));
    }
    let left = area.right().saturating_sub(x);
    ctx.put(buf, (x, area.y), left, &parts.join(" · "), ctx.theme.muted);
}

/// Health, room and rights in one line.
fn strip(ctx: &Ctx, c: &ClusterState) -> String {
    let score = c.score(ctx.world.now);
    let points = score.points.map_or("?".to_owned(), |p| p.to_string());
    let share = |value: Option<f64>| value.map_or("n/a".into(), |v| format!("{:.0}%", v * 100.0));
    let used = |amount: &Amount| {
        let old = if amount.is_old(ctx.world.now) {
            "~"
        } else {
            ""
        };
        format!("{}{old} used", share(amount.used))
    };
    let room = &c.capacity;
    let mut parts = vec![format!("health {points} {}", score.reach.word())];
    if !c.nodes.is_empty() {
        parts.push(format!("nodes {}/{}", room.ready_nodes, c.nodes.len()));
    }
    parts.push(format!(
        "CPU {}, {} requested",
        used(&room.cpu),
        share(room.cpu.asked())
    ));
    parts.push(format!(
        "memory {}, {} requested",
        used(&room.memory),
        share(room.memory.asked())
    ));
    parts.extend(c.unheld_words());
    parts.push(format!("you: {}", rights::summary(c)));
    parts.join(" · ")
}

fn tabs(ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState, tab: Tab) {
    let theme = ctx.theme;
    let (mut x, y) = (area.x, area.y + 3);
    for each in Tab::ALL {
        let count = match each {
            Tab::Only(list) if area.width >= 100 => list.len(c).map(|n| list.counted(c, n)),
            _ => None,
        };
        let word = match count.as_deref() {
            Some("?") | None => each.word().to_owned(),
            Some(count) => format!("{} {count}", each.word()),
        };
        let (text, style) = match each == tab {
            true => (format!("[{word}] "), theme.title),
            false => (format!("{word} "), theme.muted),
        };
        x = ctx.put(buf, (x, y), area.right().saturating_sub(x), &text, style);
    }
}
