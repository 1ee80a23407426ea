//! The names of the series that the store holds of the scope.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ratatui::text::Line;

use crate::model::finding::Evidence;
use crate::model::id::ClusterId;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::clusters;

#[derive(Clone, Debug)]
pub struct Row {
    pub name: Arc<str>,
    /// What the catalogue says of it.
    pub about: String,
    pub series: usize,
    /// An open incident rests on one of its series.
    pub abnormal: bool,
}

pub fn rows(world: &World, scope: Option<ClusterId>) -> Vec<Row> {
    let mut counts: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for cluster in clusters(world, scope) {
        for name in world.store.names(cluster.id) {
            let series = world.store.find(cluster.id, &name).count();
            *counts.entry(name).or_default() += series;
        }
    }
    let abnormal = abnormal(world, scope);
    counts
        .into_iter()
        .map(|(name, series)| Row {
            about: about(world, &name).to_owned(),
            abnormal: abnormal.contains(name.as_ref()),
            name,
            series,
        })
        .collect()
}

fn abnormal(world: &World, scope: Option<ClusterId>) -> BTreeSet<&str> {
    world
        .incidents
        .iter()
        .filter(|i| i.is_live() && scope.is_none_or(|s| s == i.cluster))
        .flat_map(|i| &i.findings)
        .filter(|f| !f.over)
        .flat_map(|f| &f.evidence)
        .filter_map(|e| match e {
            Evidence::Series(key) => Some(key.name.as_ref()),
            _ => None,
        })
        .collect()
}

pub fn about<'a>(world: &'a World, name: &str) -> &'a str {
    world
        .signals
        .iter()
        .find(|s| s.name.as_ref() == name)
        .map_or("", |s| s.about.as_ref())
}

/// PromQL to begin with: that of the signal, or the bare name.
pub fn query_of(world: &World, name: &str) -> String {
    world
        .signals
        .iter()
        .find(|s| s.name.as_ref() == name)
        .map_or_else(|| name.to_owned(), |s| s.query.to_string())
}

pub fn cell<'a>(ctx: &Ctx<'_>, row: &'a Row, column: usize) -> Line<'a> {
    match column {
        0 if row.abnormal => Line::styled("◆", ctx.theme.warn),
        0 => Line::default(),
        1 => Line::styled(row.name.as_ref(), ctx.theme.base),
        _ => Line::styled(row.series.to_string(), ctx.theme.muted),
    }
}

pub fn why_empty(
    world: &World,
    scope: Option<ClusterId>,
    (filter, abnormal): (&str, bool),
) -> String {
    let held = clusters(world, scope).any(|c| !world.store.names(c.id).is_empty());
    if held && !filter.is_empty() {
        return format!("no series matches {filter:?} (Esc clears the filter)");
    }
    if held && abnormal {
        return "no series that an open incident rests on (! shows all)".into();
    }
    match clusters(world, scope).next() {
        None => "no cluster is configured".into(),
        Some(_) => "no series held yet: no metric source of the scope has answered".into(),
    }
}
