//! DPDK applications from the newest samples: what the catalogue's queries answer, and what a scrape
//! of their exporters brings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Measure, Names};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesKey};

/// All DPDK applications that one cluster tells of, by namespace, pod and instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    pub apps: Vec<App>,
}

/// One DPDK application; rates are a second's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct App {
    /// Namespace and pod, where its series tell.
    pub pod: Option<(Arc<str>, Arc<str>)>,
    /// The address it was scraped at.
    pub instance: Arc<str>,
    /// `None`: its series do not tell; the pod may.
    pub node: Option<Arc<str>>,
    /// By name.
    pub ports: Vec<Port>,
    pub cores: Vec<Core>,
    /// Of packet buffers.
    pub pools: Vec<Pool>,
    /// Huge page memory, bytes.
    pub memory: Pool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Port {
    /// PCI address or number, as the exporter says.
    pub name: Arc<str>,
    pub packets_in: Option<Sample>,
    pub packets_out: Option<Sample>,
    pub bytes_in: Option<Sample>,
    pub bytes_out: Option<Sample>,
    pub missed: Option<Sample>,
    pub no_buffer: Option<Sample>,
    pub errors_in: Option<Sample>,
    pub errors_out: Option<Sample>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Core {
    pub name: Arc<str>,
    pub busy_cycles: Option<Sample>,
    pub total_cycles: Option<Sample>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool {
    pub name: Arc<str>,
    pub used: Option<Sample>,
    pub total: Option<Sample>,
}

impl Readings {
    /// The application that runs in a pod.
    pub fn in_pod(&self, namespace: &str, pod: &str) -> Option<&App> {
        let own = |app: &&App| {
            let place = app.pod.as_ref();
            place.is_some_and(|(ns, name)| &**ns == namespace && &**name == pod)
        };
        self.apps.iter().find(own)
    }
}

type Place = (Option<(Arc<str>, Arc<str>)>, Arc<str>);

/// An application while it is put together, its parts by name.
#[derive(Default)]
struct Draft {
    node: Option<Arc<str>>,
    ports: BTreeMap<Arc<str>, Port>,
    cores: BTreeMap<Arc<str>, Core>,
    pools: BTreeMap<Arc<str>, Pool>,
    memory: Pool,
}

pub fn read<'a>(names: &Names, series: impl Iterator<Item = (&'a SeriesKey, Sample)>) -> Readings {
    let mut drafts: BTreeMap<Place, Draft> = BTreeMap::new();
    for (key, sample) in series {
        let labels = &key.labels;
        let Some(measure) = names.measure(key).filter(|_| sample.value.is_finite()) else {
            continue;
        };
        let draft = drafts.entry(place(names, labels)).or_default();
        if let Some(node) = first(labels, &names.node) {
            draft.node.get_or_insert_with(|| node.into());
        }
        if let Some(held) = draft.field(names, measure, labels) {
            // Told by two sources: the later word.
            if held.is_none_or(|h| h.at <= sample.at) {
                *held = Some(sample);
            }
        }
    }
    let apps = drafts.into_iter().map(|((pod, instance), draft)| App {
        pod,
        instance,
        node: draft.node,
        ports: draft.ports.into_values().collect(),
        cores: draft.cores.into_values().collect(),
        pools: draft.pools.into_values().collect(),
        memory: draft.memory,
    });
    Readings {
        apps: apps.collect(),
    }
}

/// A pod is one application wherever it is asked; what tells no pod is known by its address.
fn place(names: &Names, labels: &Labels) -> Place {
    let pod = first(labels, &names.pod).zip(first(labels, &names.namespace));
    let instance = labels.get("instance").unwrap_or("").into();
    match pod {
        Some((pod, namespace)) => (Some((namespace.into(), pod.into())), "".into()),
        None => (None, instance),
    }
}

fn first<'a>(labels: &'a Labels, names: &[Arc<str>]) -> Option<&'a str> {
    names.iter().find_map(|name| labels.get(name))
}

impl Draft {
    /// Where a value belongs; `None`: its series does not say of which port or core it is.
    fn field(
        &mut self,
        names: &Names,
        measure: Measure,
        labels: &Labels,
    ) -> Option<&mut Option<Sample>> {
        let named = |names: &[Arc<str>]| first(labels, names).map(Arc::<str>::from);
        Some(match measure {
            Measure::MemoryUsed => &mut self.memory.used,
            Measure::MemoryTotal => &mut self.memory.total,
            Measure::BuffersUsed | Measure::BuffersTotal => {
                let name = named(&names.pool).unwrap_or_default();
                let pool = self.pools.entry(name.clone()).or_insert_with(|| Pool {
                    name,
                    ..Pool::default()
                });
                match measure {
                    Measure::BuffersUsed => &mut pool.used,
                    _ => &mut pool.total,
                }
            }
            Measure::BusyCycles | Measure::TotalCycles => {
                let name = named(&names.core)?;
                let core = self.cores.entry(name.clone()).or_insert_with(|| Core {
                    name,
                    ..Core::default()
                });
                match measure {
                    Measure::BusyCycles => &mut core.busy_cycles,
                    _ => &mut core.total_cycles,
                }
            }
            of_port => {
                let name = named(&names.port)?;
                let port = self.ports.entry(name.clone()).or_insert_with(|| Port {
                    name,
                    ..Port::default()
                });
                port.field(of_port)?
            }
        })
    }
}

impl Port {
    fn field(&mut self, measure: Measure) -> Option<&mut Option<Sample>> {
        Some(match measure {
            Measure::RxPackets => &mut self.packets_in,
            Measure::TxPackets => &mut self.packets_out,
            Measure::RxBytes => &mut self.bytes_in,
            Measure::TxBytes => &mut self.bytes_out,
            Measure::RxMissed => &mut self.missed,
            Measure::RxNoBuffer => &mut self.no_buffer,
            Measure::RxErrors => &mut self.errors_in,
            Measure::TxErrors => &mut self.errors_out,
            _ => return None,
        })
    }
}
