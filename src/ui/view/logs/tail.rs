//! The live tails of several clusters: which are asked for, how far each lags, what each lost.

use super::Logs;
use super::asked::Asked;
use crate::model::health::{Health, SourceKind};
use crate::model::id::ClusterId;
use crate::model::log::Tail;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::view::common::clusters;

/// Less is told only where there is room.
const LAG_MS: u64 = 5_000;
/// Clusters named one by one.
const NAMED: usize = 2;

/// What answers a query, followed live in all clusters that have it.
pub fn of(asked: &Asked, world: &World, scope: Option<ClusterId>) -> Vec<(ClusterId, Tail)> {
    let with = clusters(world, scope).filter(|c| c.sources.contains_key(&SourceKind::Loki));
    with.map(|c| (c.id, Tail::Loki(asked.query.clone())))
        .collect()
}

fn is_down(cluster: &ClusterState) -> bool {
    let source = cluster.sources.get(&SourceKind::Loki);
    source.is_some_and(|s| !matches!(s.health, Health::Live | Health::Connecting))
}

/// From when on the lines followed are known of every cluster, nanoseconds: from its first one on.
/// Where a cluster has none and its Loki does not answer, or where none has any, nothing is known.
pub fn known_from(world: &World, scope: Option<ClusterId>) -> Option<i64> {
    let first = |c: &ClusterState| c.logs.first().map(|l| l.at_ns);
    let unheard = |c: &ClusterState| {
        let loki = c.sources.get(&SourceKind::Loki);
        first(c).is_none() && loki.is_some_and(|s| s.health != Health::Live)
    };
    let firsts = clusters(world, scope).filter_map(first).max();
    match clusters(world, scope).any(unheard) {
        true => Some(i64::MAX),
        false => firsts.or(Some(i64::MAX)),
    }
}

/// Names with what is told of each; of many, how many more there are.
fn named(many: bool, what: &str, list: &[(&str, String)]) -> Option<String> {
    if list.is_empty() {
        return None;
    }
    if !many {
        let told = list.iter().map(|(_, told)| told.as_str());
        return Some(
            format!("{what}{}", told.collect::<String>())
                .trim()
                .to_owned(),
        );
    }
    let first = list.iter().take(NAMED);
    let mut told: Vec<String> = first
        .map(|(name, told)| format!("{name} {told}").trim().to_owned())
        .collect();
    if list.len() > NAMED {
        told.push(format!("{} more", list.len() - NAMED));
    }
    Some(format!("{what}{}", told.join(", ")))
}

impl Logs {
    /// Tails that are down, that lag, and lines lost, by cluster, worst first.
    pub(super) fn tails(&self, ctx: &Ctx<'_>, columns: u16) -> Vec<String> {
        let all: Vec<&ClusterState> = clusters(ctx.world, self.scope).collect();
        let many = all.len() > 1;
        let down = all.iter().filter(|c| is_down(c));
        let down: Vec<(&str, String)> = down.map(|c| (c.name.as_ref(), String::new())).collect();
        let least = if columns < 120 { LAG_MS } else { 0 };
        let mut lags: Vec<(u64, &str)> = all
            .iter()
            .filter(|c| !is_down(c))
            .filter_map(|c| Some((c.log_lag_ms.filter(|lag| *lag >= least)?, c.name.as_ref())))
            .collect();
        lags.sort_by_key(|lag| std::cmp::Reverse(lag.0));
        let seconds = |ms: u64| format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
        let lags: Vec<(&str, String)> = lags.into_iter().map(|(ms, n)| (n, seconds(ms))).collect();
        let mut lost: Vec<(u64, &str)> = all
            .iter()
            .map(|c| (c.logs.dropped(), c.name.as_ref()))
            .filter(|(lost, _)| *lost > 0)
            .collect();
        lost.sort_by_key(|lost| std::cmp::Reverse(lost.0));
        let lost: Vec<(&str, String)> = lost
            .into_iter()
            .map(|(n, at)| (at, n.to_string()))
            .collect();
        let lost = named(many, "", &lost).map(|told| format!("{told} dropped"));
        let parts = [
            named(many, "tail down ", &down),
            named(many, "lag ", &lags),
            lost,
        ];
        parts.into_iter().flatten().collect()
    }
}
