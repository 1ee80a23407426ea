//! In which order the devices stand, and what a row of the map is.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::gpu::{Gpu, Measure, job_of};
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::state::world::World;
use crate::ui::view::common::clusters;

/// `s`: the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Node,
    /// A row a job: what one job holds, wherever it is.
    Job,
    /// Nodes, those with most of the measure first.
    Most,
}

impl Order {
    pub fn next(self) -> Self {
        match self {
            Self::Node => Self::Job,
            Self::Job => Self::Most,
            Self::Most => Self::Node,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Node => "by node",
            Self::Job => "by job",
            Self::Most => "most first",
        }
    }
}

/// Devices of one node or one job.
pub struct Row<'a> {
    pub cluster: ClusterId,
    pub cluster_name: &'a str,
    /// Of the node; of the job, with its namespace.
    pub name: Arc<str>,
    pub gpus: Vec<&'a Gpu>,
}

impl Row<'_> {
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let mut fields = vec![("cluster", self.cluster_name), ("node", self.name.as_ref())];
        for gpu in &self.gpus {
            fields.push(("node", gpu.node.as_ref()));
            fields.extend(gpu.model.as_deref().map(|m| ("model", m)));
            for (namespace, pod) in &gpu.holders {
                fields.extend([("namespace", namespace.as_str()), ("pod", pod.as_str())]);
            }
        }
        fields
    }

    /// Sum and count of those that tell it.
    pub fn sum(&self, read: impl Fn(&Gpu) -> Option<Sample>) -> Option<(f64, usize)> {
        let told = self.gpus.iter().filter_map(|g| read(g)).map(|s| s.value);
        let (sum, count) = told
            .filter(|v| v.is_finite())
            .fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
        (count > 0).then_some((sum, count))
    }

    pub fn mean(&self, measure: Measure) -> Option<f64> {
        let (sum, count) = self.sum(|g| measure.read(g))?;
        Some(sum / count as f64)
    }
}

fn job(gpu: &Gpu) -> Arc<str> {
    match &gpu.pod {
        Some((namespace, pod)) => format!("{namespace}/{}", job_of(pod)).into(),
        None => "(held by no pod)".into(),
    }
}

/// All rows of the scope; the readings stand by node, index and partition already.
pub fn rows(
    world: &World,
    scope: Option<ClusterId>,
    order: Order,
    measure: Measure,
) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for cluster in clusters(world, scope) {
        let mut groups: BTreeMap<Arc<str>, Vec<&Gpu>> = BTreeMap::new();
        for gpu in &cluster.gpus {
            let name = match order {
                Order::Job => job(gpu),
                Order::Node | Order::Most => gpu.node.clone(),
            };
            groups.entry(name).or_default().push(gpu);
        }
        rows.extend(groups.into_iter().map(|(name, gpus)| Row {
            cluster: cluster.id,
            cluster_name: &cluster.name,
            name,
            gpus,
        }));
    }
    if order == Order::Most {
        rows.sort_by_cached_key(|row| Most(row.mean(measure)));
    }
    rows
}

/// Greatest first; what is not told last.
#[derive(PartialEq)]
struct Most(Option<f64>);

impl Eq for Most {}

impl PartialOrd for Most {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Most {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Some(a), Some(b)) => b.total_cmp(&a),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }
}
