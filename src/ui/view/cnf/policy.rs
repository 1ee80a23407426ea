//! Policies of SR-IOV: what each one wants, on which nodes, and what keeps it from being so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::list::{self, Row, RowId};
use super::sriov::{no_object, sync_words};
use crate::model::id::ClusterId;
use crate::model::object::ObjectKind;
use crate::model::sriov::{Fit, Grade, SriovPolicy, labels};
use crate::state::world::{ClusterState, World};
use crate::ui::view::Focus;
use crate::ui::view::common::{clusters, heading, lines, pair, pane};
use crate::ui::widget::table::{Column, Table};
use crate::ui::widget::text::wrap;
use crate::ui::{Ctx, Theme};

const COLUMNS: [Column; 10] = [
    Column::new("S", 1, 1),
    Column::new("POLICY", 10, 24),
    Column::new("CLUSTER", 8, 14).priority(2),
    Column::new("RESOURCE", 8, 18).priority(3),
    Column::new("PRIO", 4, 4).priority(7).right(),
    Column::new("VFS", 3, 4).right(),
    Column::new("TYPE", 9, 9).priority(6),
    Column::new("PORTS", 17, 28).priority(4),
    Column::new("NODES MET", 9, 11),
    Column::new("PROBLEM", 36, 110).priority(1),
];

pub struct PolicyRow<'a> {
    pub cluster: &'a ClusterState,
    pub policy: &'a SriovPolicy,
    pub fit: &'a Fit,
}

/// Those with a problem first.
pub fn rows(world: &World, scope: Option<ClusterId>) -> Vec<PolicyRow<'_>> {
    let mut rows: Vec<PolicyRow<'_>> = clusters(world, scope)
        .flat_map(|cluster| {
            cluster.policies().map(move |(policy, fit)| PolicyRow {
                cluster,
                policy,
                fit,
            })
        })
        .collect();
    rows.sort_by_key(|r| std::cmp::Reverse(r.fit.grade));
    rows
}

impl PolicyRow<'_> {
    /// `2 of 3`; `n/a`: nobody tells.
    fn met(&self) -> String {
        match self.fit.nodes {
            Some(nodes) => format!("{} of {nodes}", self.fit.met()),
            None => "n/a".into(),
        }
    }
}

impl Row for PolicyRow<'_> {
    fn id(&self) -> RowId {
        let policy = self.policy;
        (
            self.cluster.id,
            policy.namespace.clone(),
            policy.name.clone(),
        )
    }

    fn fields<'b>(&'b self, _: &'b World) -> Vec<(&'b str, &'b str)> {
        vec![
            ("policy", &self.policy.name),
            ("cluster", &self.cluster.name),
            ("resource", &self.policy.resource),
            ("namespace", &self.policy.namespace),
        ]
    }

    fn plain(&self, _: &World) -> String {
        let policy = self.policy;
        let problem = self.fit.problem();
        format!(
            "{} SR-IOV policy {}: wants {} for {} on {} of {}, priority {}, met on {} nodes{}",
            self.cluster.name,
            policy.name,
            policy.wants(),
            policy.resource,
            policy.ports.words(),
            labels(policy),
            policy.priority,
            self.met(),
            problem.map_or(String::new(), |p| format!("; {p}")),
        )
    }

    fn focus(&self) -> Focus {
        Focus::Object {
            cluster: self.cluster.id,
            kind: ObjectKind::SriovPolicy,
            namespace: self.policy.namespace.to_string(),
            name: self.policy.name.to_string(),
        }
    }

    fn is_bad(&self) -> bool {
        self.fit.grade > Grade::Apart
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, skip: usize) {
        let policy = self.policy;
        let title = format!("{} {}", self.cluster.name, policy.name);
        let right = format!("met on {} nodes", self.met());
        let inner = pane(ctx, area, buf, &title, &right, false);
        let width = usize::from(inner.width);
        let mut text = Vec::new();
        let base = ctx.theme.base;
        for (key, told) in [
            ("wants", format!("{} on each port", policy.wants())),
            ("resource", policy.resource.clone()),
            ("ports", policy.ports.words()),
            ("nodes", labels(policy)),
            (
                "priority",
                format!("{}: the lower number wins", policy.priority),
            ),
            ("networks", self.networks()),
        ] {
            paragraph(&mut text, ctx.theme, (key, &told, base), width);
        }
        if let Some(whole) = &self.fit.text {
            let style = style(ctx.theme, self.fit.grade).1;
            paragraph(&mut text, ctx.theme, ("problem", whole, style), width);
        }
        if !self.fit.each.is_empty() {
            text.push(Line::default());
            text.push(heading(ctx.theme, "node by node"));
        }
        text.extend(self.each(ctx, width));
        let most = text.len().saturating_sub(usize::from(inner.height));
        lines(ctx, inner, buf, &text, skip.min(most));
    }
}

impl PolicyRow<'_> {
    /// The networks whose VFs are of its pool.
    fn networks(&self) -> String {
        let all = self.cluster.sriov_networks.values();
        let own = all.filter(|n| n.resource == self.policy.resource);
        let told: Vec<String> = own.map(|n| format!("{}/{}", n.target(), n.name)).collect();
        match told.is_empty() {
            true if self.cluster.is_listed(ObjectKind::SriovNetwork) => "none".into(),
            true => "n/a".into(),
            false => told.join(", "),
        }
    }

    /// Each port of each node, the bad ones first; after those of a node what the operator says.
    fn each(&self, ctx: &Ctx<'_>, width: usize) -> Vec<Line<'static>> {
        let mut out = Vec::new();
        let mut said: Vec<&str> = Vec::new();
        for fit in &self.fit.each {
            let (glyph, style) = style(ctx.theme, fit.grade);
            let mut told = format!("{}: {}", fit.node, fit.text);
            if fit.grade > Grade::Apart && !said.contains(&&*fit.node) {
                said.push(&fit.node);
                let words = sync_words(ctx, self.cluster, &fit.node);
                told.extend(words.map(|w| format!("; {w}")));
            }
            for (at, part) in wrap(&told, width.saturating_sub(2)).into_iter().enumerate() {
                let head = if at == 0 { glyph } else { " " };
                out.push(Line::from(vec![
                    Span::styled(format!("{head} "), style),
                    Span::styled(part, ctx.theme.base),
                ]));
            }
        }
        out
    }
}

/// A key and its text, as many lines as it needs.
pub fn paragraph<'a>(
    out: &mut Vec<Line<'a>>,
    theme: &Theme,
    (key, told, style): (&'a str, &str, Style),
    width: usize,
) {
    let parts = wrap(told, width.saturating_sub(12)).into_iter();
    for (at, part) in parts.enumerate() {
        out.push(pair(theme, if at == 0 { key } else { "" }, part, style));
    }
}

fn style(theme: &Theme, grade: Grade) -> (&'static str, Style) {
    match grade {
        Grade::Met => ("●", theme.ok),
        Grade::Apart => ("·", theme.muted),
        Grade::Unknown => ("?", theme.unknown),
        Grade::Pending => ("▲", theme.warn),
        Grade::Missed => ("✗", theme.crit),
    }
}

pub fn draw<'a>(
    ctx: &Ctx<'a>,
    scope: Option<ClusterId>,
    area: Rect,
    buf: &mut Buffer,
    (rows, table): (&'a [PolicyRow<'a>], &Table<RowId>),
) {
    let count = |grade| rows.iter().filter(|r| r.fit.grade == grade).count();
    let title = format!("SR-IOV policies {}", rows.len());
    let mut parts: Vec<String> = Vec::new();
    for grade in [Grade::Missed, Grade::Pending, Grade::Unknown, Grade::Met] {
        if count(grade) > 0 {
            parts.push(format!("{} {}", count(grade), grade.word()));
        }
    }
    let right = format!("{} · m networks", parts.join(" · "));
    let why = no_object(ctx.world, scope, ObjectKind::SriovPolicy);
    let head = (
        title.as_str(),
        right.trim_start_matches(" · "),
        why.as_str(),
    );
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

fn cell<'a>(ctx: &Ctx<'a>, row: &'a PolicyRow<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (glyph, colour) = style(theme, row.fit.grade);
    let policy = row.policy;
    match column {
        0 => Line::styled(glyph, colour),
        1 => Line::styled(policy.name.as_ref(), theme.base),
        2 => Line::styled(row.cluster.name.as_ref(), theme.muted),
        3 => Line::styled(policy.resource.as_str(), theme.base),
        4 => Line::styled(policy.priority.to_string(), theme.muted),
        5 => Line::styled(policy.num_vfs.to_string(), theme.base),
        6 => Line::styled(policy.device_type.as_str(), theme.muted),
        7 => Line::styled(policy.ports.words(), theme.base),
        8 => Line::styled(row.met(), colour),
        _ => match row.fit.problem() {
            Some(problem) => Line::styled(problem, colour),
            None => Line::styled("-", theme.muted),
        },
    }
}
