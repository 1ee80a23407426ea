//! Everything that was changed, newest first.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::text::Line;

use super::detail::Told;
use crate::model::change::{Change, ChangeKind};
use crate::model::gitops::App;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::state::world::{ClusterState, World};
use crate::ui::view::common::{ago, clusters, dated, name, scoped};
use crate::ui::view::{Focus, Goto, ScreenId};
use crate::ui::widget::badge::age;
use crate::ui::widget::filter::Filter;
use crate::ui::widget::table::Column;
use crate::ui::{Ctx, Window};

const COLUMNS: [Column; 7] = [
    Column::new("TIME", 8, 8),
    Column::new("AGO", 5, 5).right().priority(2),
    Column::new("CLUSTER", 11, 16),
    Column::new("KIND", 7, 8),
    Column::new("OBJECT", 18, 40),
    Column::new("WHAT", 18, 90),
    Column::new("BY", 5, 20).priority(1),
];

/// Changes shown at most.
const MOST: usize = 5_000;

/// Cluster, time, and what tells it from others of that time: a row of thousands is compared in
/// every frame, so nothing is copied.
pub type ChangeId = (ClusterId, Timestamp, u64);

pub struct Row<'a> {
    cluster: &'a ClusterState,
    change: &'a Change,
}

impl<'a> Row<'a> {
    /// `ran-du/du-high`
    fn object(&self) -> Cow<'a, str> {
        match self.change.namespace.as_str() {
            "" => Cow::Borrowed(&self.change.subject.1),
            namespace => Cow::Owned(format!("{namespace}/{}", self.change.subject.1)),
        }
    }
}

pub fn id(row: &Row<'_>) -> ChangeId {
    let change = row.change;
    let mut hasher = DefaultHasher::new();
    let told = (&change.subject, &change.namespace, &change.what);
    (change.kind, told).hash(&mut hasher);
    (row.cluster.id, change.at, hasher.finish())
}

/// Those of the window, newest first.
pub fn rows<'a>(
    world: &'a World,
    scope: Option<ClusterId>,
    window: Window,
    filter: &Filter,
) -> Vec<Row<'a>> {
    let (from, to) = window.bounds(world.now);
    let changes = world.changes_since(scope, from, MOST).into_iter();
    changes
        .filter(|(_, change)| change.at <= to)
        .filter_map(|(cluster, change)| {
            let cluster = world.cluster(cluster)?;
            Some(Row { cluster, change })
        })
        .filter(|row| filter.is_empty() || matches(row, filter))
        .collect()
}

fn matches(row: &Row<'_>, filter: &Filter) -> bool {
    filter.matches(&[
        ("kind", row.change.kind.word()),
        ("cluster", row.cluster.name.as_ref()),
        ("namespace", &row.change.namespace),
        ("object", &row.object()),
        ("type", &row.change.subject.0),
        ("what", &row.change.what),
        ("by", row.change.by.as_deref().unwrap_or_default()),
    ])
}

/// How many there are, whatever is shown of them.
pub fn known(world: &World, scope: Option<ClusterId>) -> usize {
    clusters(world, scope).map(|c| c.changes.len()).sum()
}

pub fn title(world: &World, scope: Option<ClusterId>, window: Window, rows: &[Row<'_>]) -> String {
    let span = u64::try_from(window.span_ms).unwrap_or(0);
    format!(
        "Changes: {} in {}, {} known",
        rows.len(),
        age(span),
        known(world, scope)
    )
}

pub fn why_empty(world: &World, scope: Option<ClusterId>, window: Window) -> String {
    let span = age(u64::try_from(window.span_ms).unwrap_or(0));
    match known(world, scope) {
        0 => "no change is known: none was seen since farwatch began, and none was told".into(),
        n => format!("no change in these {span}; {n} at other times (t sets the range)"),
    }
}

pub fn columns(ctx: &Ctx<'_>, rows: &[Row<'_>]) -> [Column<'static>; 7] {
    // They stand in the order of time.
    let ends = [rows.first(), rows.last()];
    let times = ends.into_iter().flatten().map(|r| r.change.at);
    dated(ctx, scoped(ctx, &COLUMNS, 2), 0, times)
}

pub fn cell<'a>(ctx: &Ctx<'a>, row: &'a Row<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    match column {
        0 => Line::styled(ctx.clock_or_day(row.change.at), theme.base),
        1 => Line::styled(ago(ctx.world, row.change.at), theme.muted),
        2 => Line::styled(name(ctx.world, row.cluster.id), theme.base),
        3 => Line::styled(row.change.kind.word(), theme.accent),
        4 => Line::styled(row.object(), theme.base),
        5 => Line::styled(row.change.what.as_str(), theme.base),
        _ => Line::styled(row.change.by.as_deref().unwrap_or("-"), theme.muted),
    }
}

pub fn detail<'a>(ctx: &Ctx<'_>, row: &Row<'a>, width: usize) -> Vec<Line<'a>> {
    let change = row.change;
    let mut told = Told::new(ctx, width);
    told.out
        .push(Line::styled(change.what.as_str(), ctx.theme.title));
    told.pair(
        "at",
        format!("{} {}", ctx.day(change.at), ctx.clock(change.at)),
    );
    told.pair("kind", change.kind.word());
    told.pair("cluster", name(ctx.world, row.cluster.id));
    told.pair("object", format!("{} {}", change.subject.0, row.object()));
    told.pair("by", change.by.as_deref().unwrap_or("not told"));
    let from = change.at.plus_ms(-300_000);
    let near = row
        .cluster
        .changes_between(from, change.at.plus_ms(300_000));
    let near: Vec<String> = near
        .filter(|c| *c != change)
        .map(|c| {
            format!(
                "{} {} {}: {}",
                ctx.clock_or_day(c.at),
                c.kind.word(),
                c.subject.1,
                c.what
            )
        })
        .collect();
    if !near.is_empty() {
        told.heading("within 5 minutes of it");
        told.list(near.into_iter());
    }
    told.out
}

/// The thing that was changed.
pub fn focus(world: &World, row: &Row<'_>) -> Option<Focus> {
    let (kind, object) = (&row.change.subject.0, &row.change.subject.1);
    let cluster = row.cluster;
    let node = |node: String| Focus::Node {
        cluster: cluster.id,
        node,
    };
    let app = |app: &App| Focus::App {
        cluster: cluster.id,
        kind: app.kind,
        namespace: app.namespace.to_string(),
        name: app.name.to_string(),
    };
    if matches!(kind.as_str(), "Node" | "SriovNetworkNodeState") {
        return Some(node(object.clone()));
    }
    if let Some(found) = cluster.changed_app(row.change) {
        return Some(app(found));
    }
    if kind == "SriovNetworkNodePolicy" {
        let key = (row.change.namespace.as_str().into(), object.as_str().into());
        let policy = cluster.sriov_policies.get(&key)?;
        let first = cluster.nodes.values().find(|n| policy.matches(n));
        return first.map(|n| node(n.name.to_string()));
    }
    if kind == "PtpConfig" {
        let key = (row.change.namespace.as_str().into(), object.as_str().into());
        let config = cluster.ptp_configs.get(&key)?;
        return config.matches.first().map(|(n, _)| node(n.clone()));
    }
    let pod = pod_of(cluster, &row.change.namespace, object);
    let there = world.cluster(cluster.id).map(|c| Focus::Cluster(c.id));
    pod.or(there)
}

/// Where Enter leads: to the object, on the screen that shows it.
pub fn target(world: &World, row: &Row<'_>) -> Option<Goto> {
    let focus = focus(world, row)?;
    let screen = match (row.change.kind, &focus) {
        (_, Focus::App { .. }) => ScreenId::GitOps,
        (ChangeKind::Config, Focus::Node { .. }) => ScreenId::Cnf,
        _ => ScreenId::Cluster,
    };
    Some(Goto {
        screen,
        cluster: Some(row.cluster.id),
        focus: Some(focus),
        ..Goto::default()
    })
}

/// A pod of a workload, one in trouble if there is one.
pub fn pod_of(cluster: &ClusterState, namespace: &str, workload: &str) -> Option<Focus> {
    let pods = cluster
        .pods
        .values()
        .filter(|p| p.namespace.as_ref() == namespace);
    let pods = pods.filter(|p| p.controller().is_some_and(|(_, name)| name == workload));
    let pod = pods.max_by_key(|p| p.is_bad())?;
    Some(Focus::Pod {
        cluster: cluster.id,
        namespace: namespace.to_owned(),
        pod: pod.name.to_string(),
    })
}

pub fn plain(row: &Row<'_>) -> String {
    let change = row.change;
    format!(
        "{} {} {} {} {}: {} by {}",
        change.at.rfc3339(),
        row.cluster.name,
        change.kind.word(),
        change.subject.0,
        row.object(),
        change.what,
        change.by.as_deref().unwrap_or("unknown")
    )
}
