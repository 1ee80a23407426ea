//! The unit of what a query answers: that of its one metric, where the query keeps it.

use crate::language::Kind;
use crate::language::promql::PROMQL;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::view::common::{rate_unit, unit_of};

/// Functions that give a share of what they are given for each second.
const RATES: [&str; 3] = ["rate", "irate", "deriv"];
/// What they give has another unit than what they are given, or none.
const OTHERS: [&str; 14] = [
    "count",
    "count_over_time",
    "count_values",
    "changes",
    "resets",
    "absent",
    "absent_over_time",
    "present_over_time",
    "group",
    "stdvar",
    "stdvar_over_time",
    "ln",
    "log2",
    "log10",
];

/// `Unit::None` where the query makes something else of its metrics, or has several units.
pub fn of_query(world: &World, query: &str) -> Unit {
    // A query of the catalogue has its unit from there.
    if let Some(signal) = world
        .signals
        .iter()
        .find(|s| s.query.as_ref() == query.trim())
    {
        return signal.unit;
    }
    let mut unit = None;
    let mut rates = false;
    let mut depth = 0_usize;
    for token in (PROMQL.highlight)(query) {
        let text = token.of(query);
        match (token.kind, text) {
            (Kind::Bracket, "{" | "[") => depth += 1,
            (Kind::Bracket, "}" | "]") => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            (Kind::Operator, "*" | "/" | "%" | "^") => return Unit::None,
            (Kind::Function | Kind::Keyword, name) if OTHERS.contains(&name) => return Unit::None,
            (Kind::Function, name) if RATES.contains(&name) => rates = true,
            (Kind::Keyword, "bool") => return Unit::None,
            (Kind::Name, name) => {
                let found = of_metric(world, name);
                if unit.is_some_and(|u| u != found) {
                    return Unit::None;
                }
                unit = Some(found);
            }
            _ => {}
        }
    }
    let quantile = query.contains("histogram_quantile");
    let buckets = query.contains("_bucket");
    match unit.unwrap_or_default() {
        // Counts of observations, unless their values are asked for.
        _ if buckets && !quantile => match rates {
            true => Unit::PerSecond,
            false => Unit::None,
        },
        unit if rates && !quantile => rate_unit(unit),
        unit => unit,
    }
}

/// The unit of what a histogram observed, whatever the query makes of its counts.
pub fn of_observations(world: &World, query: &str) -> Unit {
    let tokens = (PROMQL.highlight)(query);
    let names = tokens.iter().filter(|t| t.kind == Kind::Name);
    let mut units = names.map(|t| of_metric(world, t.of(query)));
    units.find(|u| *u != Unit::None).unwrap_or_default()
}

/// The unit of the values, also of the buckets, sums and counts of a histogram.
fn of_metric(world: &World, name: &str) -> Unit {
    let own = unit_of(world, name);
    if own != Unit::None {
        return own;
    }
    let base = name
        .strip_suffix("_bucket")
        .or_else(|| name.strip_suffix("_sum"));
    base.map_or(Unit::None, |base| unit_of(world, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_queries() {
        let world = World::default();
        for (query, unit) in [
            ("node_memory_Active_bytes", Unit::Bytes),
            ("sum by (node) (node_memory_Active_bytes)", Unit::Bytes),
            (
                "rate(node_network_receive_bytes_total{device!=\"lo\"}[5m])",
                Unit::BytesPerSecond,
            ),
            (
                "increase(node_network_receive_bytes_total[5m])",
                Unit::Bytes,
            ),
            ("rate(http_requests_total[5m])", Unit::PerSecond),
            (
                "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
                Unit::Seconds,
            ),
            (
                "sum by (le) (rate(http_request_duration_seconds_bucket[5m]))",
                Unit::PerSecond,
            ),
            ("count(node_memory_Active_bytes)", Unit::None),
            ("a_bytes / b_bytes", Unit::None),
            ("a_bytes + b_seconds", Unit::None),
            ("up", Unit::None),
            ("max_over_time(x_celsius[1h])", Unit::Celsius),
            ("sum(", Unit::None),
            ("", Unit::None),
        ] {
            assert_eq!(of_query(&world, query), unit, "{query}");
        }
    }
}
