//! The table `[dpdk]`: which series of a site tell of its DPDK applications.

use std::fmt;
use std::sync::Arc;

use promql_parser::label::MatchOp;
use promql_parser::parser::{Expr, parse};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use super::build::{Mistake, mistake};
use crate::model::dpdk::{Measure, Name, Names};
use crate::model::text::clean;

/// Longest name or label that is taken.
const LONGEST: usize = 200;

/// A measure that is named is told by these series only; the empty list switches it off.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dpdk {
    pub rx_packets: Option<Spanned<Words>>,
    pub tx_packets: Option<Spanned<Words>>,
    pub rx_bytes: Option<Spanned<Words>>,
    pub tx_bytes: Option<Spanned<Words>>,
    pub rx_missed: Option<Spanned<Words>>,
    pub rx_nombuf: Option<Spanned<Words>>,
    pub rx_errors: Option<Spanned<Words>>,
    pub tx_errors: Option<Spanned<Words>>,
    pub memory_used: Option<Spanned<Words>>,
    pub memory_total: Option<Spanned<Words>>,
    pub mbufs_used: Option<Spanned<Words>>,
    pub mbufs_total: Option<Spanned<Words>>,
    pub busy_cycles: Option<Spanned<Words>>,
    pub total_cycles: Option<Spanned<Words>>,
    #[serde(default)]
    pub labels: DpdkLabels,
}

/// Labels by what they tell; the first that a series has counts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DpdkLabels {
    pub port: Option<Words>,
    pub core: Option<Words>,
    pub pool: Option<Words>,
    pub node: Option<Words>,
    pub namespace: Option<Words>,
    pub pod: Option<Words>,
}

/// One text or a list of them.
#[derive(Debug, Default)]
pub struct Words(pub Vec<String>);

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name, or a list of names")
    }

    fn visit_str<E>(self, one: &str) -> Result<Words, E> {
        Ok(Words(vec![one.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Words(all))
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMany)
    }
}

pub(super) fn names(table: Dpdk) -> Result<Names, Mistake> {
    let mut names = Names::default();
    let given = [
        (Measure::RxPackets, table.rx_packets),
        (Measure::TxPackets, table.tx_packets),
        (Measure::RxBytes, table.rx_bytes),
        (Measure::TxBytes, table.tx_bytes),
        (Measure::RxMissed, table.rx_missed),
        (Measure::RxNoBuffer, table.rx_nombuf),
        (Measure::RxErrors, table.rx_errors),
        (Measure::TxErrors, table.tx_errors),
        (Measure::MemoryUsed, table.memory_used),
        (Measure::MemoryTotal, table.memory_total),
        (Measure::BuffersUsed, table.mbufs_used),
        (Measure::BuffersTotal, table.mbufs_total),
        (Measure::BusyCycles, table.busy_cycles),
        (Measure::TotalCycles, table.total_cycles),
    ];
    for (measure, words) in given {
        let Some(words) = words else { continue };
        let mut own = Vec::new();
        for word in &words.get_ref().0 {
            let Some(name) = name(word) else {
                let what = format!("`{}` of [dpdk] names no series", measure.key());
                let hint = "write a metric, with equal signs only where it needs labels: \
                            app_packets_total{direction=\"rx\"}";
                return mistake(words.span(), what, hint);
            };
            own.push(name);
        }
        names.set(measure, own);
    }
    let labels = table.labels;
    for (to, given) in [
        (&mut names.port, labels.port),
        (&mut names.core, labels.core),
        (&mut names.pool, labels.pool),
        (&mut names.node, labels.node),
        (&mut names.namespace, labels.namespace),
        (&mut names.pod, labels.pod),
    ] {
        if let Some(Words(given)) = given {
            *to = given.iter().map(|l| Arc::from(clean(l, LONGEST))).collect();
        }
    }
    Ok(names)
}

/// A metric with labels that are equal to something, and nothing else.
fn name(text: &str) -> Option<Name> {
    if text.len() > LONGEST {
        return None;
    }
    let Ok(Expr::VectorSelector(selector)) = parse(text) else {
        return None;
    };
    if selector.offset.is_some() || selector.at.is_some() {
        return None;
    }
    let matchers = &selector.matchers;
    let plain =
        matchers.or_matchers.is_empty() && matchers.matchers.iter().all(|m| m.op == MatchOp::Equal);
    let metric = selector.name.as_deref().filter(|_| plain)?;
    let labels = matchers.matchers.iter().filter(|m| m.name != "__name__");
    Some(Name {
        metric: metric.into(),
        labels: labels
            .map(|m| (m.name.as_str().into(), m.value.as_str().into()))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_selector_of_equal_signs() {
        let plain = name("app_packets_total").expect("plain");
        assert_eq!(
            (&*plain.metric, plain.labels.len()),
            ("app_packets_total", 0)
        );
        let two = name("p_total{dir=\"rx\", q=\"a\\\"b\"}").expect("two labels");
        assert_eq!(two.labels[0], ("dir".into(), "rx".into()));
        assert_eq!(two.labels[1], ("q".into(), "a\"b".into()));
        let long = "a".repeat(201);
        for wrong in [
            "",
            "rate(a[1m])",
            "a[1m]",
            "a offset 5m",
            "a{b=~\"c\"}",
            "a{b!=\"c\"}",
            "{b=\"c\"}",
            "a{",
            "a b",
            "1",
            "a @ 5",
            &long,
        ] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }
}
