//! Which series tells which measure, and which of its labels tell whose it is.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Measure;
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::signal::{Bad, Group, Metric, Signal};
use crate::model::unit::Unit;

/// A metric, and labels that its series must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub metric: Arc<str>,
    pub labels: Vec<(Arc<str>, Arc<str>)>,
}

impl Name {
    fn plain(metric: &str) -> Self {
        Self {
            metric: metric.into(),
            labels: Vec::new(),
        }
    }

    fn has(&self, labels: &Labels) -> bool {
        let mut wanted = self.labels.iter();
        wanted.all(|(name, value)| labels.get(name).unwrap_or("") == &**value)
    }

    /// As PromQL writes it.
    fn selector(&self) -> String {
        let mut out = self.metric.to_string();
        for (at, (name, value)) in self.labels.iter().enumerate() {
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let open = if at == 0 { '{' } else { ',' };
            let _ = write!(out, "{open}{name}=\"{value}\"");
        }
        if !self.labels.is_empty() {
            out.push('}');
        }
        out
    }
}

/// Names of all measures; of several for one measure that is taken which is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    measures: [Vec<Name>; Measure::ALL.len()],
    /// Labels, the first of which that a series has tells its port, core and buffer pool.
    pub port: Vec<Arc<str>>,
    pub core: Vec<Arc<str>>,
    pub pool: Vec<Arc<str>>,
    pub node: Vec<Arc<str>>,
    pub namespace: Vec<Arc<str>>,
    pub pod: Vec<Arc<str>>,
}

/// DPDK's own exporter, then Telegraf's.
fn known(measure: Measure) -> &'static [&'static str] {
    match measure {
        Measure::RxPackets => &["dpdk_counters_rx_packets", "dpdk_ipackets"],
        Measure::TxPackets => &["dpdk_counters_tx_packets", "dpdk_opackets"],
        Measure::RxBytes => &["dpdk_counters_rx_bytes", "dpdk_ibytes"],
        Measure::TxBytes => &["dpdk_counters_tx_bytes", "dpdk_obytes"],
        Measure::RxMissed => &["dpdk_counters_rx_missed", "dpdk_imissed"],
        Measure::RxNoBuffer => &["dpdk_counters_rx_nombuf", "dpdk_rx_nombuf"],
        Measure::RxErrors => &["dpdk_counters_rx_errors", "dpdk_ierrors"],
        Measure::TxErrors => &["dpdk_counters_tx_errors", "dpdk_oerrors"],
        Measure::MemoryUsed => &["dpdk_memory_used_bytes"],
        Measure::MemoryTotal => &["dpdk_memory_total_bytes"],
        Measure::BuffersUsed | Measure::BuffersTotal => &[],
        Measure::BusyCycles => &["dpdk_cpu_busy_cycles"],
        Measure::TotalCycles => &["dpdk_cpu_total_cycles"],
    }
}

impl Default for Names {
    fn default() -> Self {
        let words = |all: &[&str]| all.iter().map(|w| Arc::from(*w)).collect();
        Self {
            measures: Measure::ALL.map(|m| known(m).iter().map(|n| Name::plain(n)).collect()),
            port: words(&["port", "interface", "params"]),
            core: words(&["cpu", "lcore", "core"]),
            pool: words(&["pool", "mempool", "name"]),
            // Where Prometheus keeps its own labels, the exporter's are called `exported_*`.
            node: words(&["node", "nodename"]),
            namespace: words(&["exported_namespace", "namespace"]),
            pod: words(&["exported_pod", "pod"]),
        }
    }
}

impl Names {
    pub fn of(&self, measure: Measure) -> &[Name] {
        self.measures
            .get(measure as usize)
            .map_or(&[], Vec::as_slice)
    }

    pub fn set(&mut self, measure: Measure, names: Vec<Name>) {
        if let Some(place) = self.measures.get_mut(measure as usize) {
            *place = names;
        }
    }

    /// Metrics that count, whatever their exporter says of them: Telegraf declares no type.
    pub fn is_counter(&self, metric: &str) -> bool {
        let counters = Measure::ALL.into_iter().filter(|m| m.is_counter());
        counters
            .flat_map(|m| self.of(m))
            .any(|name| &*name.metric == metric)
    }

    /// Names under which such series are found in a store: those of queries, and of scrapes.
    pub fn series(&self) -> impl Iterator<Item = String> {
        Measure::ALL.into_iter().flat_map(|measure| {
            let own = self
                .of(measure)
                .iter()
                .map(move |name| match measure.is_counter() {
                    true => format!("{}:rate", name.metric),
                    false => name.metric.to_string(),
                });
            std::iter::once(measure.signal().to_owned()).chain(own)
        })
    }

    /// What a series tells of; `None`: it is another thing's.
    pub(super) fn measure(&self, key: &SeriesKey) -> Option<Measure> {
        let plain = key.name.strip_suffix(":rate");
        Measure::ALL.into_iter().find(|measure| {
            let metric = match (measure.is_counter(), plain) {
                _ if *key.name == *measure.signal() => return true,
                (true, Some(metric)) => metric,
                (false, None) => &*key.name,
                _ => return false,
            };
            let mut own = self.of(*measure).iter();
            own.any(|name| &*name.metric == metric && name.has(&key.labels))
        })
    }

    /// One query a measure; a measure without a name has none.
    pub fn signals(&self) -> Vec<Signal> {
        let named = Measure::ALL.into_iter().filter(|m| !self.of(*m).is_empty());
        named.map(|measure| self.signal(measure)).collect()
    }

    fn signal(&self, measure: Measure) -> Signal {
        let names = self.of(measure);
        let each = names.iter().map(|name| match measure.is_counter() {
            true => format!("rate({}[2m])", name.selector()),
            false => name.selector(),
        });
        let needs: Vec<&str> = names.iter().map(|name| &*name.metric).collect();
        Signal {
            name: measure.signal().into(),
            group: Group::Sriov,
            query: each.collect::<Vec<_>>().join(" or ").into(),
            about: measure.about().into(),
            unit: unit(measure),
            // Judged against the other ports of its application, see `detect::dpdk_losses`.
            bad: Bad::None,
            learn: false,
            limit: None,
            floor: 0.0,
            needs: Some(needs.join("|").into()),
            backfill: measure.is_counter(),
        }
    }

    /// What keeps its own name when it is asked for.
    pub fn metrics(&self) -> Vec<Metric> {
        let levels = Measure::ALL.into_iter().filter(|m| !m.is_counter());
        let named = levels.flat_map(|m| self.of(m).iter().map(move |name| (m, name)));
        named
            .map(|(measure, name)| Metric {
                name: name.metric.clone(),
                about: measure.about().into(),
                unit: unit(measure),
                counter: false,
                bad: Bad::None,
                learn: false,
                limit: None,
                floor: 0.0,
            })
            .collect()
    }
}

fn unit(measure: Measure) -> Unit {
    match measure {
        Measure::MemoryUsed | Measure::MemoryTotal => Unit::Bytes,
        Measure::BuffersUsed | Measure::BuffersTotal => Unit::None,
        Measure::RxBytes | Measure::TxBytes => Unit::BytesPerSecond,
        _ => Unit::PerSecond,
    }
}
