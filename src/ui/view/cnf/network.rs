//! Networks of SR-IOV: how pods are attached to VFs, and whether there are any to attach them to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::list::{self, Row, RowId};
use super::policy::paragraph;
use super::sriov::no_object;
use crate::model::id::ClusterId;
use crate::model::object::ObjectKind;
use crate::model::sriov::SriovNetwork;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::view::Focus;
use crate::ui::view::common::{clusters, lines, pane};
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column; 9] = [
    Column::new("S", 1, 1),
    Column::new("NETWORK", 10, 24),
    Column::new("CLUSTER", 8, 14).priority(2),
    Column::new("RESOURCE", 8, 18),
    Column::new("NAMESPACE", 9, 20).priority(4),
    Column::new("VLAN", 8, 8).priority(3),
    Column::new("TRUST", 5, 5).priority(6),
    Column::new("SPOOF CHECK", 11, 11).priority(7),
    Column::new("PROBLEM", 36, 110).priority(1),
];

pub struct NetworkRow<'a> {
    pub cluster: &'a ClusterState,
    pub network: &'a SriovNetwork,
    /// Why no pod can be attached; `None`: nothing speaks against it.
    pub problem: Option<String>,
    /// What speaks for it is known.
    known: bool,
}

/// Those with a problem first.
pub fn rows(world: &World, scope: Option<ClusterId>) -> Vec<NetworkRow<'_>> {
    let mut rows: Vec<NetworkRow<'_>> = clusters(world, scope)
        .flat_map(|cluster| {
            cluster
                .sriov_networks
                .values()
                .map(move |network| NetworkRow {
                    cluster,
                    network,
                    problem: problem(cluster, network),
                    known: network.ready == Some(true)
                        || [ObjectKind::SriovPolicy, ObjectKind::Node]
                            .iter()
                            .all(|kind| cluster.is_listed(*kind)),
                })
        })
        .collect();
    rows.sort_by_key(|r| (r.problem.is_none(), r.known));
    rows
}

fn problem(cluster: &ClusterState, network: &SriovNetwork) -> Option<String> {
    if network.ready == Some(false) {
        let told = network.message.as_deref().unwrap_or("no cause given");
        return Some(format!("not ready: {told}"));
    }
    let pool = &network.resource;
    let made = |p: &crate::model::sriov::SriovPolicy| p.counts() && p.resource == *pool;
    if cluster.is_listed(ObjectKind::SriovPolicy) && !cluster.sriov_policies.values().any(made) {
        return Some(format!("no policy makes {pool}"));
    }
    let offered = |(name, _): &(String, u64)| name.rsplit_once('/').is_some_and(|(_, p)| p == pool);
    let mut nodes = cluster.nodes.values();
    let offers = nodes.any(|n| n.allocatable.iter().any(offered));
    (cluster.is_listed(ObjectKind::Node) && !offers).then(|| format!("no node offers {pool}"))
}

impl Row for NetworkRow<'_> {
    fn id(&self) -> RowId {
        let network = self.network;
        (
            self.cluster.id,
            network.namespace.clone(),
            network.name.clone(),
        )
    }

    fn fields<'b>(&'b self, _: &'b World) -> Vec<(&'b str, &'b str)> {
        vec![
            ("network", &self.network.name),
            ("cluster", &self.cluster.name),
            ("resource", &self.network.resource),
            ("namespace", self.network.target()),
        ]
    }

    fn plain(&self, _: &World) -> String {
        let network = self.network;
        let settings = network.settings().into_iter();
        let settings: Vec<String> = settings
            .map(|(key, text)| format!("{key} {text}"))
            .collect();
        let problem = self.problem.as_ref();
        format!(
            "{} SR-IOV network {}/{}: VFs of {}, {}{}",
            self.cluster.name,
            network.target(),
            network.name,
            network.resource,
            settings.join(", "),
            problem.map_or(String::new(), |p| format!("; {p}")),
        )
    }

    fn focus(&self) -> Focus {
        Focus::Object {
            cluster: self.cluster.id,
            kind: ObjectKind::SriovNetwork,
            namespace: self.network.namespace.to_string(),
            name: self.network.name.to_string(),
        }
    }

    fn is_bad(&self) -> bool {
        self.problem.is_some() || !self.known
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, skip: usize) {
        let network = self.network;
        let title = format!("{} {}", self.cluster.name, network.name);
        let inner = pane(ctx, area, buf, &title, "", false);
        let width = usize::from(inner.width);
        let theme = ctx.theme;
        let mut text = Vec::new();
        let mut say = |key, told: &str, style| {
            paragraph(&mut text, theme, (key, told, style), width);
        };
        let attachment = format!("{}/{}", network.target(), network.name);
        say("attachment", &attachment, theme.base);
        say("resource", &network.resource, theme.base);
        for (key, told) in network.settings() {
            say(key, &told, theme.base);
        }
        say("policies", &self.policies(), theme.base);
        say("offered by", &self.offered(), theme.base);
        if let Some(problem) = &self.problem {
            say("problem", problem, theme.crit);
        }
        let most = text.len().saturating_sub(usize::from(inner.height));
        lines(ctx, inner, buf, &text, skip.min(most));
    }
}

impl NetworkRow<'_> {
    /// Those that make its VFs.
    fn policies(&self) -> String {
        let all = self.cluster.policies();
        let own = all.filter(|(p, _)| p.resource == self.network.resource);
        let told: Vec<String> = own
            .map(|(p, fit)| format!("{} ({})", p.name, fit.grade.word()))
            .collect();
        match told.is_empty() {
            true if self.cluster.is_listed(ObjectKind::SriovPolicy) => "none".into(),
            true => "n/a".into(),
            false => told.join(", "),
        }
    }

    /// Nodes whose device plugin offers its VFs, and how many.
    fn offered(&self) -> String {
        let own = |name: &str| {
            let pool = name.rsplit_once('/').map_or(name, |(_, pool)| pool);
            pool == self.network.resource
        };
        let nodes = self.cluster.nodes.values();
        let told: Vec<String> = nodes
            .filter_map(|n| {
                let (_, count) = n.allocatable.iter().find(|(name, _)| own(name))?;
                Some(format!("{} ({count})", n.name))
            })
            .collect();
        match told.is_empty() {
            true if self.cluster.is_listed(ObjectKind::Node) => "no node".into(),
            true => "n/a".into(),
            false => told.join(", "),
        }
    }
}

pub fn draw<'a>(
    ctx: &Ctx<'a>,
    scope: Option<ClusterId>,
    area: Rect,
    buf: &mut Buffer,
    (rows, table): (&'a [NetworkRow<'a>], &Table<RowId>),
) {
    let bad = rows.iter().filter(|r| r.problem.is_some()).count();
    let title = format!("SR-IOV networks {}", rows.len());
    let right = match bad {
        0 => "m resources".to_owned(),
        n => format!("{n} with a problem · m resources"),
    };
    let why = no_object(ctx.world, scope, ObjectKind::SriovNetwork);
    let head = (title.as_str(), right.as_str(), why.as_str());
    list::draw(
        ctx,
        area,
        buf,
        head,
        &COLUMNS,
        (rows, table),
        |row, column| cell(ctx, row, column),
    );
}

fn cell<'a>(ctx: &Ctx<'a>, row: &'a NetworkRow<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let network = row.network;
    let told = |value: &'a Option<String>| match value {
        Some(value) => Line::styled(value.as_str(), theme.base),
        None => Line::styled("-", theme.muted),
    };
    match column {
        0 => match &row.problem {
            Some(_) => Line::styled("✗", theme.crit),
            None if !row.known => Line::styled("?", theme.unknown),
            None => Line::styled("●", theme.ok),
        },
        1 => Line::styled(network.name.as_ref(), theme.base),
        2 => Line::styled(row.cluster.name.as_ref(), theme.muted),
        3 => Line::styled(network.resource.as_str(), theme.base),
        4 => Line::styled(network.target(), theme.base),
        5 => match network.vlan {
            0 => Line::styled("untagged", theme.muted),
            vlan => Line::styled(vlan.to_string(), theme.base),
        },
        6 => told(&network.trust),
        7 => told(&network.spoof_check),
        _ => match &row.problem {
            Some(problem) => Line::styled(problem.as_str(), theme.crit),
            None => Line::styled("-", theme.muted),
        },
    }
}
