//! What good practice would change in workloads: information, grouped by finding and namespace.

use std::collections::BTreeMap;

use ratatui::text::Line;

use super::detail::Told;
use crate::model::id::ClusterId;
use crate::model::image;
use crate::model::object::ObjectKind;
use crate::model::workload::{Policy, Workload, WorkloadKind};
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::view::common::{clusters, name};
use crate::ui::view::{Focus, Goto, ScreenId};
use crate::ui::widget::filter::Filter;
use crate::ui::widget::table::Column;

pub const COLUMNS: [Column; 6] = [
    Column::new("S", 1, 1),
    Column::new("FINDING", 19, 22),
    Column::new("CLUSTER", 11, 16),
    Column::new("NAMESPACE", 12, 26),
    Column::new("N", 3, 5).right(),
    Column::new("WORKLOADS", 16, 90).priority(1),
];

/// Finding, cluster and namespace.
pub type PolicyId = (Policy, ClusterId, std::sync::Arc<str>);

pub struct Row<'a> {
    pub id: PolicyId,
    workloads: Vec<&'a Workload>,
    names: String,
}

/// Most workloads first.
pub fn rows<'a>(world: &'a World, scope: Option<ClusterId>, filter: &Filter) -> Vec<Row<'a>> {
    let mut found: BTreeMap<PolicyId, Vec<&'a Workload>> = BTreeMap::new();
    for cluster in clusters(world, scope) {
        // A Job is over before anybody can mend it.
        let lasting = cluster
            .workloads
            .values()
            .filter(|w| w.kind != WorkloadKind::Job);
        for workload in lasting {
            for policy in &workload.policies {
                if filter.is_empty() || matches(cluster, workload, *policy, filter) {
                    let id = (*policy, cluster.id, workload.namespace.clone());
                    found.entry(id).or_default().push(workload);
                }
            }
        }
    }
    let mut rows: Vec<Row<'a>> = found
        .into_iter()
        .map(|(id, workloads)| {
            let names: Vec<&str> = workloads.iter().map(|w| w.name.as_ref()).collect();
            Row {
                id,
                names: names.join(", "),
                workloads,
            }
        })
        .collect();
    rows.sort_by_key(|r| std::cmp::Reverse(r.workloads.len()));
    rows
}

fn matches(cluster: &ClusterState, workload: &Workload, policy: Policy, filter: &Filter) -> bool {
    filter.matches(&[
        ("finding", policy.words()),
        ("cluster", cluster.name.as_ref()),
        ("namespace", workload.namespace.as_ref()),
        ("app", workload.instance.as_deref().unwrap_or_default()),
        ("kind", workload.kind.as_str()),
        ("workload", workload.name.as_ref()),
    ])
}

pub fn title(rows: &[Row<'_>]) -> String {
    let mut names: Vec<(ClusterId, &str, &str)> = rows
        .iter()
        .flat_map(|r| {
            r.workloads
                .iter()
                .map(|w| (r.id.1, w.namespace.as_ref(), w.name.as_ref()))
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    format!(
        "Policy: {} findings in {} workloads, information",
        rows.len(),
        names.len()
    )
}

/// How many findings there are, whatever is shown of them.
pub fn known(world: &World, scope: Option<ClusterId>) -> usize {
    rows(world, scope, &Filter::default()).len()
}

pub fn why_empty(world: &World, scope: Option<ClusterId>) -> String {
    let kinds = [
        ObjectKind::Deployment,
        ObjectKind::StatefulSet,
        ObjectKind::DaemonSet,
    ];
    let known = |c: &&ClusterState| kinds.iter().all(|k| c.is_listed(*k));
    let all = clusters(world, scope).count();
    match clusters(world, scope).filter(known).count() {
        0 => format!("unknown: the workloads of {all} clusters are not listed yet, or may not be"),
        n if n < all => format!("no finding in {n} clusters; unknown in {}", all - n),
        n => format!("no finding in the workloads of {n} clusters"),
    }
}

pub fn cell<'a>(ctx: &Ctx<'a>, row: &'a Row<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    match column {
        0 => Line::styled("i", theme.muted),
        1 => Line::styled(row.id.0.words(), theme.base),
        2 => Line::styled(name(ctx.world, row.id.1), theme.base),
        3 => Line::styled(row.id.2.as_ref(), theme.base),
        4 => Line::styled(row.workloads.len().to_string(), theme.base),
        _ => Line::styled(row.names.as_str(), theme.muted),
    }
}

pub fn detail<'a>(ctx: &Ctx<'_>, row: &Row<'a>, width: usize) -> Vec<Line<'a>> {
    let mut told = Told::new(ctx, width);
    told.out
        .push(Line::styled(row.id.0.words(), ctx.theme.title));
    told.pair("cluster", name(ctx.world, row.id.1));
    told.pair("namespace", row.id.2.as_ref());
    told.text(advice(row.id.0), ctx.theme.muted);
    told.heading(format!("{} workloads", row.workloads.len()));
    for workload in &row.workloads {
        let app = match &workload.instance {
            Some(app) => format!(" of {app}"),
            None => String::new(),
        };
        let images: Vec<String> = workload.images.iter().map(|i| image::short(i)).collect();
        let text = format!(
            "{} {}{app}: {}",
            workload.kind.as_str(),
            workload.name,
            images.join(" ")
        );
        told.text(&text, ctx.theme.base);
    }
    told.out
}

/// Why it matters.
fn advice(policy: Policy) -> &'static str {
    match policy {
        Policy::LatestTag => "two pods of one workload may run different versions",
        Policy::NoLivenessProbe => "a process that hangs is not restarted",
        Policy::NoReadinessProbe => "requests come before the pod can serve them",
        Policy::NoLimits => "one leak takes the memory of the node",
        Policy::NoRequests => "placed without regard to what it needs, and evicted first",
        Policy::SingleReplica => "down while its node is drained",
        Policy::RootUser => "who breaks out of the container is root",
    }
}

/// Where Enter leads: a pod of the first workload.
pub fn target(world: &World, row: &Row<'_>) -> Option<Goto> {
    Some(Goto {
        screen: ScreenId::Cluster,
        cluster: Some(row.id.1),
        focus: focus(world, row),
        ..Goto::default()
    })
}

pub fn focus(world: &World, row: &Row<'_>) -> Option<Focus> {
    let cluster = world.cluster(row.id.1)?;
    let pods = row.workloads.iter();
    let mut pods = pods.filter_map(|w| super::timeline::pod_of(cluster, &w.namespace, &w.name));
    Some(pods.next().unwrap_or(Focus::Cluster(row.id.1)))
}

pub fn plain(row: &Row<'_>) -> String {
    format!("{} in {}: {}", row.id.0.words(), row.id.2, row.names)
}
