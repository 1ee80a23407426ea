//! Argo CD's applications and Flux's objects in one table, worst first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::model::gitops::{App, AppHealth, AppKind, Sync};
use crate::model::id::ClusterId;
use crate::model::image;
use crate::state::world::{ClusterState, Status, World, apps};
use crate::ui::Ctx;
use crate::ui::view::Focus;
use crate::ui::view::common::{ago, clusters, name, scoped};
use crate::ui::widget::badge;
use crate::ui::widget::table::{Column, Table};

pub const COLUMNS: [Column; 9] = [
    Column::new("S", 1, 1),
    Column::new("APP", 16, 34),
    Column::new("CLUSTER", 11, 16),
    Column::new("TOOL", 4, 19).priority(3),
    Column::new("SYNC", 9, 10),
    Column::new("HEALTH", 9, 12),
    Column::new("REV", 7, 18).priority(1),
    Column::new("AGE", 5, 6).right(),
    Column::new("BY", 5, 16).priority(2),
];

#[derive(Clone, Debug, PartialEq)]
pub struct AppId {
    pub cluster: ClusterId,
    pub kind: AppKind,
    pub namespace: std::sync::Arc<str>,
    pub name: std::sync::Arc<str>,
}

impl AppId {
    pub fn of(cluster: ClusterId, app: &App) -> Self {
        Self {
            cluster,
            kind: app.kind,
            namespace: app.namespace.clone(),
            name: app.name.clone(),
        }
    }

    pub fn focus(&self) -> Focus {
        Focus::App {
            cluster: self.cluster,
            kind: self.kind,
            namespace: self.namespace.to_string(),
            name: self.name.to_string(),
        }
    }
}

pub struct Row<'a> {
    pub id: AppId,
    pub cluster: &'a ClusterState,
    pub app: &'a App,
    pub status: Status,
}

impl Row<'_> {
    pub fn is_problem(&self) -> bool {
        matches!(self.status, Status::Critical | Status::Warning)
    }

    fn by(&self) -> &str {
        let operation = self.app.operation.as_ref();
        let by = operation.and_then(|o| o.by.as_deref());
        by.unwrap_or(self.app.kind.tool())
    }

    /// How long it has been as it is: the drift, else the health.
    pub fn age(&self, world: &World) -> String {
        match (self.cluster.drift(self.app), self.app.health_since) {
            (Some(drift), _) if drift.earlier => at_least(&ago(world, drift.since)),
            (Some(drift), _) => ago(world, drift.since),
            (None, Some(since)) => ago(world, since),
            (None, None) => "-".into(),
        }
    }

    /// Order of the ages: youngest last.
    fn since(&self) -> Option<crate::model::time::Timestamp> {
        let drift = self.cluster.drift(self.app).map(|d| d.since);
        drift.or(self.app.health_since)
    }
}

/// An age that may be greater: `≥5m`. Of `<20s` nothing is left to be sure of.
fn at_least(age: &str) -> String {
    match age.starts_with('<') {
        true => "≥0s".into(),
        false => format!("≥{age}"),
    }
}

/// Worst first; of these those that deploy before the sources, then by name.
pub fn rows<'a>(
    world: &'a World,
    scope: Option<ClusterId>,
    table: &Table<AppId>,
    problems: bool,
) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = clusters(world, scope)
        .flat_map(|cluster| cluster.apps.values().map(move |app| (cluster, app)))
        .map(|(cluster, app)| Row {
            id: AppId::of(cluster.id, app),
            cluster,
            app,
            status: apps::status(app, world.now),
        })
        .filter(|row| !problems || row.is_problem())
        .filter(|row| table.filter().is_empty() || matches(row, table))
        .collect();
    let rank = |status| match status {
        Status::Critical => 0,
        Status::Warning => 1,
        Status::Unknown => 2,
        Status::Ok => 3,
    };
    rows.sort_by(|a, b| {
        let key = |r: &Row<'_>| (rank(r.status), !r.app.is_ill(), r.app.kind.is_source());
        (key(a), &a.app.name, a.id.cluster).cmp(&(key(b), &b.app.name, b.id.cluster))
    });
    let (column, reverse) = table.order();
    match column {
        Some(1) => rows.sort_by(|a, b| a.app.name.cmp(&b.app.name)),
        Some(2) => rows.sort_by_key(|r| r.id.cluster),
        Some(3) => rows.sort_by_key(|r| r.app.kind),
        Some(4) => rows.sort_by_key(|r| std::cmp::Reverse(r.app.sync)),
        Some(5) => rows.sort_by_key(|r| std::cmp::Reverse(r.app.health)),
        Some(6) => rows.sort_by(|a, b| a.app.revision.cmp(&b.app.revision)),
        Some(7) => rows.sort_by_key(|r| std::cmp::Reverse(r.since())),
        Some(8) => rows.sort_by(|a, b| a.by().cmp(b.by())),
        _ => {}
    }
    if reverse {
        rows.reverse();
    }
    rows
}

fn matches(row: &Row<'_>, table: &Table<AppId>) -> bool {
    let app = row.app;
    let mut fields = vec![
        ("app", app.name.as_ref()),
        ("name", app.name.as_ref()),
        ("namespace", app.namespace.as_ref()),
        ("cluster", row.cluster.name.as_ref()),
        ("tool", app.kind.tool()),
        ("kind", app.kind.as_str()),
        ("sync", app.sync.word()),
        ("health", app.health.word()),
        ("project", app.project.as_deref().unwrap_or_default()),
        ("revision", app.revision.as_deref().unwrap_or_default()),
        ("by", row.by()),
        ("state", app.state.as_str()),
        (
            "environment",
            row.cluster.environment.as_deref().unwrap_or_default(),
        ),
    ];
    if app.suspended {
        fields.push(("suspended", "true"));
    }
    table.filter().matches(&fields)
}

/// How many there are, whatever is shown of them.
pub fn known(world: &World, scope: Option<ClusterId>) -> usize {
    clusters(world, scope).map(|c| c.apps.len()).sum()
}

pub fn title(world: &World, scope: Option<ClusterId>, rows: &[Row<'_>]) -> String {
    let deploying = rows.iter().filter(|r| !r.app.kind.is_source());
    let sources = rows.len() - deploying.clone().count();
    let drift = rows
        .iter()
        .filter(|r| r.app.sync == Sync::OutOfSync)
        .count();
    let degraded = rows
        .iter()
        .filter(|r| matches!(r.app.health, AppHealth::Degraded | AppHealth::Missing));
    let failed = rows.iter().filter(|r| r.app.has_failed()).count();
    let suspended = rows.iter().filter(|r| r.app.suspended).count();
    let mut text = format!(
        "Applications {}, drift {drift}, degraded {}",
        deploying.count(),
        degraded.count()
    );
    for (count, word) in [
        (failed, "failed"),
        (suspended, "suspended"),
        (sources, "sources"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {word} {count}"));
        }
    }
    // Clusters of which nothing is known are not left out in silence.
    let all = clusters(world, scope).count();
    let silent = clusters(world, scope).filter(|c| {
        use crate::model::discovery::Component::{ArgoCd, Flux};
        c.presence(ArgoCd) != apps::Presence::Found && c.presence(Flux) != apps::Presence::Found
    });
    match silent.count() {
        0 => text,
        n => format!("{text} · nothing from {n} of {all} clusters"),
    }
}

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, table: &Table<AppId>, rows: &[Row<'_>]) {
    // The last row tells of the clusters that have none, where there is a row to spare.
    let told =
        apps::absent(ctx.world, ctx.scope).filter(|_| usize::from(area.height) > rows.len() + 2);
    table.draw(
        ctx,
        area,
        buf,
        (&scoped(ctx, &COLUMNS, 2), rows),
        |r| r.id.clone(),
        |row, column| cell(ctx, row, column),
    );
    if let Some(told) = told {
        let at = (area.x, area.bottom().saturating_sub(1));
        ctx.put(buf, at, area.width, &told, ctx.theme.muted);
    }
}

fn cell<'a>(ctx: &Ctx<'a>, row: &'a Row<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let app = row.app;
    let (glyph, _, style) = badge::status(theme, row.status);
    let base = if app.suspended {
        theme.muted
    } else {
        theme.base
    };
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(app.name.as_ref(), base),
        2 => Line::styled(name(ctx.world, row.id.cluster), base),
        3 if app.kind == AppKind::Application => Line::styled("argo", theme.muted),
        3 => Line::styled(format!("flux {}", app.kind.as_str()), theme.muted),
        4 if app.kind.is_source() => Line::styled("-", theme.muted),
        4 => Line::styled(
            app.sync.word(),
            match app.sync {
                Sync::Synced => base,
                Sync::OutOfSync => theme.warn,
                Sync::Unknown => theme.unknown,
            },
        ),
        5 => Line::styled(
            app.health.word(),
            match app.health {
                AppHealth::Degraded | AppHealth::Missing => theme.crit,
                AppHealth::Progressing | AppHealth::Suspended => theme.warn,
                AppHealth::Unknown => theme.unknown,
                AppHealth::Healthy => base,
            },
        ),
        6 => match &app.revision {
            Some(revision) => Line::styled(image::revision(revision), base),
            None => Line::styled("-", theme.muted),
        },
        7 => Line::styled(row.age(ctx.world), base),
        _ => Line::styled(row.by(), theme.muted),
    }
}
