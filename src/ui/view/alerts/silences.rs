//! Silences: what they hush, who made them, until when; and that in words for a hushed alert.

use std::collections::{BTreeMap, BTreeSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Alerts, Page};
use crate::command::Command;
use crate::message::Effect;
use crate::model::alert::{Alert, AlertState, Silence};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::view::Focus;
use crate::ui::view::common::{clusters, dated, empty, pane, scoped};
use crate::ui::widget::badge::age;
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("MATCHERS", 24, 80),
    Column::new("CLUSTER", 11, 16).priority(3),
    Column::new("BY", 8, 20).priority(1),
    Column::new("UNTIL", 8, 8),
    Column::new("LEFT", 6, 6),
    Column::new("N", 3, 4).right(),
    Column::new("COMMENT", 12, 80).priority(2),
];

pub type SilenceId = (ClusterId, String);

pub struct SilenceRow<'a> {
    cluster: &'a ClusterState,
    pub silence: &'a Silence,
    /// Alerts that it hushes now, as the Alertmanager itself says.
    alerts: usize,
}

impl SilenceRow<'_> {
    pub fn id(&self) -> SilenceId {
        (self.cluster.id, self.silence.id.clone())
    }

    /// An alert that it hushes.
    pub fn alert(&self) -> Option<&Alert> {
        self.cluster
            .alerts
            .values()
            .find(|a| hushed_by(a, self.silence))
    }

    /// Which Alertmanager holds it, where there are several that do not tell each other.
    fn held_at(&self) -> Option<String> {
        let held = self.cluster.silence_held_at(&self.silence.id);
        let apart = self.cluster.alertmanagers().len() > 1;
        let names: Vec<String> = held.iter().map(ToString::to_string).collect();
        (apart && !names.is_empty()).then(|| names.join(", "))
    }

    pub fn plain(&self) -> String {
        let Silence {
            by,
            comment,
            matchers,
            ..
        } = self.silence;
        let held = self.held_at().map(|held| format!(" ({held})"));
        let held = held.unwrap_or_default();
        format!(
            "silence {} on {}{held}: {matchers}, by {by}, {} to {}, {} alerts, {comment:?}",
            self.silence.id,
            self.cluster.name,
            self.silence.starts_at.rfc3339(),
            self.silence.ends_at.rfc3339(),
            self.alerts,
        )
    }
}

fn hushed_by(alert: &Alert, silence: &Silence) -> bool {
    alert.state != AlertState::Resolved && alert.silenced_by.contains(&silence.id)
}

/// Those that end first come first; what is over, though nobody told it, is left out.
pub fn rows<'a>(
    world: &'a World,
    scope: Option<ClusterId>,
    table: &Table<SilenceId>,
) -> Vec<SilenceRow<'a>> {
    let mut rows: Vec<SilenceRow<'a>> = Vec::new();
    for cluster in clusters(world, scope) {
        let hushed = hushed(cluster);
        for silence in cluster.silences.values() {
            let fields = [
                ("matchers", silence.matchers.as_str()),
                ("by", &silence.by),
                ("comment", &silence.comment),
                ("cluster", &cluster.name),
            ];
            if silence.ends_at <= world.now || !table.filter().matches(&fields) {
                continue;
            }
            rows.push(SilenceRow {
                cluster,
                silence,
                alerts: hushed.get(silence.id.as_str()).copied().unwrap_or(0),
            });
        }
    }
    fn order<'r>(r: &SilenceRow<'r>) -> (Timestamp, ClusterId, &'r str) {
        (r.silence.ends_at, r.cluster.id, &r.silence.id)
    }
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    rows
}

/// How many alerts each silence of a cluster hushes.
fn hushed(cluster: &ClusterState) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    let alerts = cluster.alerts.values();
    for alert in alerts.filter(|a| a.state != AlertState::Resolved) {
        let ids: BTreeSet<&str> = alert.silenced_by.iter().map(String::as_str).collect();
        ids.into_iter()
            .for_each(|id| *counts.entry(id).or_default() += 1);
    }
    counts
}

impl Alerts {
    /// A command while the silences are in view.
    pub(super) fn update_silences(&mut self, command: &Command, world: &World) -> Vec<Effect> {
        let rows = rows(world, self.scope, &self.silences);
        if self.silences.update(command, &rows, SilenceRow::id) {
            return Vec::new();
        }
        let at = self.silences.position(&rows, SilenceRow::id);
        let chosen = at.and_then(|at| rows.get(at));
        match command {
            Command::CopyRow => chosen
                .map(|r| Effect::Copy(r.plain()))
                .into_iter()
                .collect(),
            Command::Refresh => vec![Effect::Refresh(self.scope)],
            // To an alert that it hushes.
            Command::Open => {
                if let Some((row, alert)) = chosen.and_then(|r| Some((r, r.alert()?))) {
                    let focus = Focus::Alert {
                        cluster: row.id().0,
                        fingerprint: alert.fingerprint.to_string(),
                    };
                    self.page = Page::Alerts;
                    self.show(&focus, world);
                    return self.ask_curve(world);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

pub fn draw(
    ctx: &Ctx<'_>,
    scope: Option<ClusterId>,
    area: Rect,
    buf: &mut Buffer,
    table: &Table<SilenceId>,
) {
    let rows = rows(ctx.world, scope, table);
    let idle = rows.iter().filter(|r| r.alerts == 0).count();
    let title = format!("Silences {}", rows.len());
    let right = match idle {
        0 => "Tab rules".to_owned(),
        n => format!("Tab rules · {n} hush nothing now"),
    };
    let inner = pane(ctx, area, buf, &title, &right, true);
    if rows.is_empty() {
        empty(ctx, inner, buf, &why_empty(ctx.world, scope, table));
        return;
    }
    let ends = rows.iter().map(|r| r.silence.ends_at);
    let columns = dated(ctx, scoped(ctx, &COLUMNS, 2), 4, ends);
    table.draw(
        ctx,
        inner,
        buf,
        (&columns, &rows),
        SilenceRow::id,
        |row, column| cell(ctx, row, column),
    );
}

fn cell<'a>(ctx: &Ctx<'a>, row: &SilenceRow<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let silence = row.silence;
    let waits = silence.starts_at > ctx.world.now;
    match column {
        0 if waits => Line::styled("·", theme.muted),
        0 => Line::styled("s", theme.base),
        1 => Line::styled(silence.matchers.as_str(), theme.base),
        2 => Line::styled(row.cluster.name.as_ref(), theme.base),
        3 => Line::styled(silence.by.as_str(), theme.base),
        4 => Line::styled(ctx.clock_or_day(silence.ends_at), theme.base),
        5 if waits => Line::styled("waits", theme.muted),
        5 => Line::styled(left(ctx, silence), theme.base),
        6 if row.alerts == 0 => Line::styled("0", theme.warn),
        6 => Line::styled(row.alerts.to_string(), theme.base),
        _ => {
            let held = row.held_at().map(|held| format!("at {held}: "));
            let text = format!("{}{}", held.unwrap_or_default(), silence.comment);
            Line::styled(text, theme.muted)
        }
    }
}

fn left(ctx: &Ctx<'_>, silence: &Silence) -> String {
    age(silence.ends_at.age_since_ms(ctx.world.now))
}

fn why_empty(world: &World, scope: Option<ClusterId>, table: &Table<SilenceId>) -> String {
    if !table.filter_text().is_empty() {
        return format!(
            "no silence matches {:?} (Esc clears the filter)",
            table.filter_text()
        );
    }
    let asked = clusters(world, scope).any(|c| c.sources.keys().any(|k| k.is_alertmanager()));
    match asked {
        true => "no silence is known: none is in force, or the Alertmanager has not told".into(),
        false => "no cluster of the scope has an Alertmanager configured".into(),
    }
}

/// Why an alert is hushed: `silenced to 16:00:00 by ops, 1h left: maintenance`, a line for each
/// reason. What is not told is said to be so.
pub fn reasons(ctx: &Ctx<'_>, cluster: ClusterId, alert: &Alert) -> Vec<String> {
    let known = ctx.world.cluster(cluster);
    let mut out = Vec::new();
    for id in &alert.silenced_by {
        let silence = known.and_then(|c| c.silences.get(id));
        out.push(match silence {
            Some(s) => {
                let said = match s.comment.is_empty() {
                    true => String::new(),
                    false => format!(": {}", s.comment),
                };
                let until = ctx.clock_or_day(s.ends_at);
                format!(
                    "silenced to {until} by {}, {} left{said}",
                    s.by,
                    left(ctx, s)
                )
            }
            None => format!("silenced by {id}; the Alertmanager has not told who and until when"),
        });
    }
    for fingerprint in &alert.inhibited_by {
        let other = known.and_then(|c| c.alerts.get(fingerprint.as_str()));
        out.push(match other {
            Some(a) => format!("inhibited by {} {}", a.severity.word(), a.name),
            None => format!("inhibited by alert {fingerprint}, which is not known here"),
        });
    }
    out
}

/// What the silences of an alert match, for the detail.
pub fn matchers<'a>(world: &'a World, cluster: ClusterId, alert: &Alert) -> Vec<&'a str> {
    let known = world.cluster(cluster);
    let silences = alert
        .silenced_by
        .iter()
        .filter_map(|id| known?.silences.get(id));
    silences.map(|s| s.matchers.as_str()).collect()
}
