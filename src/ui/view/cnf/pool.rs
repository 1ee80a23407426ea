//! Pools of virtual functions node by node: made, offered by the device plugin, asked for by pods.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::dpdk;
use super::list::{self, Row, RowId};
use super::policy::paragraph;
use crate::model::id::ClusterId;
use crate::model::object::ObjectKind;
use crate::model::sriov::Pool;
use crate::state::world::{ClusterState, World};
use crate::ui::view::Focus;
use crate::ui::view::common::{clusters, heading, lines, pane};
use crate::ui::widget::table::{Column, Table};
use crate::ui::{Ctx, Theme};

const COLUMNS: [Column; 9] = [
    Column::new("S", 1, 1),
    Column::new("NODE", 14, 24),
    Column::new("CLUSTER", 8, 14).priority(3),
    Column::new("RESOURCE", 20, 40),
    Column::new("MADE", 4, 5).priority(4).right(),
    Column::new("OFFERED", 7, 7).right(),
    Column::new("REQUESTED", 9, 9).right(),
    Column::new("FREE", 4, 5).priority(2).right(),
    Column::new("PROBLEM", 16, 60).priority(1),
];

pub struct PoolRow<'a> {
    pub cluster: &'a ClusterState,
    pub pool: &'a Pool,
}

/// Those with a problem first.
pub fn rows(world: &World, scope: Option<ClusterId>) -> Vec<PoolRow<'_>> {
    let mut rows: Vec<PoolRow<'_>> = clusters(world, scope)
        .flat_map(|cluster| {
            cluster
                .pools
                .iter()
                .map(move |pool| PoolRow { cluster, pool })
        })
        .collect();
    rows.sort_by_key(|r| match r.pool.problem() {
        Some((_, true)) => 0,
        Some((_, false)) => 1,
        None => 2,
    });
    rows
}

fn count(number: Option<u64>) -> String {
    number.map_or("n/a".into(), |n| n.to_string())
}

impl Row for PoolRow<'_> {
    fn id(&self) -> RowId {
        (
            self.cluster.id,
            Arc::clone(&self.pool.node),
            Arc::clone(&self.pool.resource),
        )
    }

    fn fields<'b>(&'b self, _: &'b World) -> Vec<(&'b str, &'b str)> {
        vec![
            ("node", &self.pool.node),
            ("cluster", &self.cluster.name),
            ("resource", &self.pool.resource),
        ]
    }

    fn plain(&self, _: &World) -> String {
        let pool = self.pool;
        let problem = pool.problem().map(|(text, _)| format!("; {text}"));
        format!(
            "{} {} {}: {} VFs made, {} offered, {} requested{}",
            self.cluster.name,
            pool.node,
            pool.resource,
            count(pool.configured),
            count(pool.allocatable),
            count(pool.requested),
            problem.unwrap_or_default(),
        )
    }

    fn focus(&self) -> Focus {
        Focus::Node {
            cluster: self.cluster.id,
            node: self.pool.node.to_string(),
        }
    }

    fn is_bad(&self) -> bool {
        self.pool.problem().is_some()
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, skip: usize) {
        let pool = self.pool;
        let title = format!("{} {}", self.cluster.name, pool.node);
        let inner = pane(ctx, area, buf, &title, "", false);
        let width = usize::from(inner.width);
        let theme = ctx.theme;
        let mut text = Vec::new();
        let source = match self.cluster.is_listed(ObjectKind::Node) {
            true => "nodes and pods of the API server",
            false => "kube-state-metrics",
        };
        for (key, told) in [
            ("resource", pool.resource.to_string()),
            ("VFs made", count(pool.configured)),
            ("offered", count(pool.allocatable)),
            ("requested", count(pool.requested)),
            ("free", count(pool.free())),
            ("told by", source.to_owned()),
        ] {
            paragraph(&mut text, theme, (key, &told, theme.base), width);
        }
        if let Some((problem, grave)) = pool.problem() {
            let style = if grave { theme.crit } else { theme.warn };
            paragraph(&mut text, theme, ("problem", &problem, style), width);
        }
        let holders = self.holders();
        if !holders.is_empty() {
            text.push(Line::default());
            text.push(heading(theme, "pods that ask for it here"));
            text.extend(holders.into_iter().map(|l| Line::styled(l, theme.base)));
        }
        let waiting = self.cluster.waiting_for(&pool.resource);
        if !waiting.is_empty() {
            text.push(Line::default());
            text.push(heading(theme, "pods that wait for it and have no node"));
            text.extend(waiting.into_iter().map(|(pod, count)| {
                let told = format!("{count:>3}  {}/{}", pod.namespace, pod.name);
                Line::styled(told, theme.warn)
            }));
        }
        let most = text.len().saturating_sub(usize::from(inner.height));
        lines(ctx, inner, buf, &text, skip.min(most));
    }
}

impl PoolRow<'_> {
    /// How many each pod of the node asks for.
    fn holders(&self) -> Vec<String> {
        let pods = self.cluster.pods.values();
        let here = pods.filter(|p| p.node.as_ref() == Some(&self.pool.node));
        here.filter_map(|pod| {
            let mut own = pod.requests.extended.iter();
            let (_, count) = own.find(|(name, _)| *name == self.pool.resource)?;
            Some(format!("{count:>3}  {}/{}", pod.namespace, pod.name))
        })
        .collect()
    }
}

pub fn draw<'a>(
    ctx: &Ctx<'a>,
    scope: Option<ClusterId>,
    area: Rect,
    buf: &mut Buffer,
    (rows, table): (&'a [PoolRow<'a>], &Table<RowId>),
) {
    let sum = |of: fn(&Pool) -> Option<u64>| total(rows.iter().map(|r| of(r.pool)));
    let title = format!("SR-IOV resources, {} pools of nodes", rows.len());
    let right = format!(
        "{} of {} requested · m {}",
        sum(|p| p.requested),
        sum(|p| p.allocatable),
        if dpdk::is_found(ctx.world, scope) {
            "DPDK"
        } else {
            "PFs"
        },
    );
    let why = "no node offers a resource that a policy, a network or a node state of SR-IOV names, \
               and kube-state-metrics tells of none, or none matches the filter";
    list::draw(
        ctx,
        area,
        buf,
        (&title, &right, why),
        &COLUMNS,
        (rows, table),
        |row, column| cell(ctx, row, column),
    );
}

/// The sum of what is known: `12`; `≥12` where some of it is not, `n/a` where nothing is.
fn total(all: impl Iterator<Item = Option<u64>>) -> String {
    let (mut known, mut sum, mut unknown) = (false, 0, false);
    for one in all {
        known |= one.is_some();
        unknown |= one.is_none();
        sum += one.unwrap_or(0);
    }
    match (known, unknown) {
        (false, _) => "n/a".to_owned(),
        (true, true) => format!("≥{sum}"),
        (true, false) => sum.to_string(),
    }
}

fn mark(theme: &Theme, pool: &Pool) -> (&'static str, Style) {
    match pool.problem() {
        Some((_, true)) => ("✗", theme.crit),
        Some((_, false)) => ("▲", theme.warn),
        None if pool.free().is_none() => ("?", theme.unknown),
        // Nothing is offered, and nobody asks: no state at all.
        None if pool.allocatable == Some(0) => ("·", theme.muted),
        None => ("●", theme.ok),
    }
}

fn cell<'a>(ctx: &Ctx<'a>, row: &'a PoolRow<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let pool = row.pool;
    let (glyph, style) = mark(theme, pool);
    let number = |value: Option<u64>| match value {
        Some(value) => Line::styled(value.to_string(), theme.base),
        None => Line::styled("n/a", theme.muted),
    };
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(pool.node.as_ref(), theme.base),
        2 => Line::styled(row.cluster.name.as_ref(), theme.muted),
        3 => Line::styled(pool.resource.as_ref(), theme.base),
        4 => number(pool.configured),
        5 => number(pool.allocatable),
        6 => number(pool.requested),
        7 => number(pool.free()),
        _ => match pool.problem() {
            Some((problem, _)) => Line::styled(problem, style),
            None => Line::styled("-", theme.muted),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn what_is_unknown_is_not_counted_as_nothing() {
        assert_eq!(total([Some(3), Some(4)].into_iter()), "7");
        assert_eq!(total([Some(3), None].into_iter()), "≥3");
        assert_eq!(total([None, None].into_iter()), "n/a");
        assert_eq!(total([].into_iter()), "n/a");
    }
}
