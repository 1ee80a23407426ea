//! Virtual functions from the newest samples of sriov-network-metrics-exporter: what the catalogue's
//! queries answer, and what a scrape of the exporter itself brings.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::gpu::host_part;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesKey};

/// All that is told of one cluster's virtual functions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// By node, port and index.
    pub functions: Vec<Function>,
    /// By node and address.
    pub holders: Vec<Holder>,
}

/// What the counters of one virtual function tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    pub node: Arc<str>,
    /// Name of its physical function.
    pub port: Arc<str>,
    pub index: u32,
    /// PCI address; only within its node there is but one of it.
    pub address: Option<Arc<str>>,
    /// Bits a second.
    pub received: Option<Sample>,
    pub sent: Option<Sample>,
    /// Packets a second.
    pub dropped_in: Option<Sample>,
    pub dropped_out: Option<Sample>,
}

/// A pod that holds one.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    pub node: Arc<str>,
    pub address: Arc<str>,
    pub namespace: Arc<str>,
    pub pod: Arc<str>,
    /// The pool that it came from (`dev_type`), by its full name.
    pub resource: Option<Arc<str>>,
}

impl Function {
    /// Both ways together; `None`: neither is told.
    pub fn dropped(&self) -> Option<Sample> {
        match (self.dropped_in, self.dropped_out) {
            (Some(a), Some(b)) => Some(Sample {
                at: a.at.max(b.at),
                value: a.value + b.value,
            }),
            (a, b) => a.or(b),
        }
    }
}

impl Readings {
    pub fn on<'a>(&'a self, node: &'a str, port: &'a str) -> impl Iterator<Item = &'a Function> {
        let all = self.functions.iter();
        all.filter(move |f| &*f.node == node && &*f.port == port)
    }

    pub fn holder(&self, node: &str, address: &str) -> Option<&Holder> {
        let key = |h: &Holder| (&*h.node, &*h.address).cmp(&(node, address));
        let place = self.holders.binary_search_by(key).ok()?;
        self.holders.get(place)
    }
}

const HOLDER: &str = "sriov_kubepoddevice";

enum Field {
    Received,
    Sent,
    DroppedIn,
    DroppedOut,
}

/// Of queries, and with `:rate` of scrapes.
const FIELDS: [(&str, Field, f64); 8] = [
    ("sriov_vf_rx_bits", Field::Received, 1.0),
    ("sriov_vf_tx_bits", Field::Sent, 1.0),
    ("sriov_vf_rx_dropped", Field::DroppedIn, 1.0),
    ("sriov_vf_tx_dropped", Field::DroppedOut, 1.0),
    ("sriov_vf_rx_bytes:rate", Field::Received, 8.0),
    ("sriov_vf_tx_bytes:rate", Field::Sent, 8.0),
    ("sriov_vf_rx_dropped:rate", Field::DroppedIn, 1.0),
    ("sriov_vf_tx_dropped:rate", Field::DroppedOut, 1.0),
];

/// Names under which such series are found in a store.
pub fn names() -> impl Iterator<Item = String> {
    let all = FIELDS.iter().map(|(name, ..)| *name);
    all.chain([HOLDER, "sriov_vf_owner"]).map(str::to_owned)
}

/// Declared a counter, and 1 as long as the pod holds it.
pub fn is_level(name: &str) -> bool {
    name == HOLDER
}

pub fn read<'a>(series: impl Iterator<Item = (&'a SeriesKey, Sample)>) -> Readings {
    let mut functions: BTreeMap<(Arc<str>, Arc<str>, u32), Function> = BTreeMap::new();
    let mut holders: BTreeMap<(Arc<str>, Arc<str>), Holder> = BTreeMap::new();
    for (key, sample) in series {
        let labels = &key.labels;
        if let Some(holder) = holder(labels).filter(|_| is_owner(&key.name) && sample.value >= 0.5)
        {
            holders.insert((holder.node.clone(), holder.address.clone()), holder);
            continue;
        }
        let field = FIELDS.iter().find(|(name, ..)| **name == *key.name);
        let place = labels
            .get("pf")
            .zip(labels.get("vf").and_then(|n| n.parse().ok()));
        let (Some((_, field, factor)), Some((port, index)), true) =
            (field, place, sample.value.is_finite())
        else {
            continue;
        };
        let (node, port): (Arc<str>, Arc<str>) = (node_of(labels).into(), port.into());
        let place = (node.clone(), port.clone(), index);
        let known = functions.entry(place).or_insert_with(|| Function {
            node,
            port,
            index,
            address: labels.get("pciAddr").map(Arc::from),
            ..Function::default()
        });
        let held = match field {
            Field::Received => &mut known.received,
            Field::Sent => &mut known.sent,
            Field::DroppedIn => &mut known.dropped_in,
            Field::DroppedOut => &mut known.dropped_out,
        };
        // Told by two sources: the later word.
        if held.is_none_or(|h| h.at <= sample.at) {
            let value = sample.value * factor;
            *held = Some(Sample { value, ..sample });
        }
    }
    Readings {
        functions: functions.into_values().collect(),
        holders: holders.into_values().collect(),
    }
}

fn is_owner(name: &str) -> bool {
    matches!(name, HOLDER | "sriov_vf_owner")
}

/// Where Prometheus keeps its own labels, the exporter's are called `exported_*`.
fn holder(labels: &Labels) -> Option<Holder> {
    let pod = labels.first_of(&["exported_pod", "pod"])?;
    let namespace = labels.first_of(&["exported_namespace", "namespace"])?;
    Some(Holder {
        node: node_of(labels).into(),
        address: labels.get("pciAddr")?.into(),
        namespace: namespace.into(),
        pod: pod.into(),
        resource: labels.get("dev_type").map(Arc::from),
    })
}

/// The exporter of the operator tells its node; one that stands alone is known by its address.
fn node_of(labels: &Labels) -> &str {
    let told = labels.first_of(&["node", "nodename"]);
    told.unwrap_or_else(|| host_part(labels.get("instance").unwrap_or("")))
}

#[cfg(test)]
mod tests;
