//! Sources that are not heard: told in the log once for each change, so that whoever reads nothing but
//! the log knows of it.

use std::collections::BTreeMap;

use crate::model::fault::Fault;
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::state::world::{ClusterState, World};

/// Failed checks in a row before a source that answered is told of.
const FAILED: u32 = 2;

/// What was told of the sources of one cluster.
#[derive(Debug, Default)]
pub struct Outages {
    /// With whether it was denied.
    told: BTreeMap<SourceKind, bool>,
}

/// What changed.
#[derive(Debug, PartialEq)]
enum Change {
    Lost(SourceKind, Fault),
    Back(SourceKind),
}

impl Outages {
    /// Says what changed since it was asked last.
    pub fn tell(&mut self, world: &World) {
        for cluster in &world.clusters {
            for change in self.changes(cluster) {
                match change {
                    Change::Lost(source, fault) => {
                        let (cluster, endpoint) = (&cluster.name, &fault.endpoint);
                        let (why, hint) = (&fault.what, &fault.hint);
                        tracing::warn!(%cluster, %source, %endpoint, %why, %hint, "not heard");
                    }
                    Change::Back(source) => {
                        tracing::info!(cluster = %cluster.name, %source, "heard again");
                    }
                }
            }
        }
    }

    fn changes(&mut self, cluster: &ClusterState) -> Vec<Change> {
        self.told
            .retain(|kind, _| cluster.sources.contains_key(kind));
        let mut changes = Vec::new();
        for (kind, source) in &cluster.sources {
            let told = self.told.get(kind).copied();
            match outage(source) {
                Some((denied, fault)) if told != Some(denied) => {
                    self.told.insert(*kind, denied);
                    changes.push(Change::Lost(*kind, fault.clone()));
                }
                None if told.is_some() && source.health == Health::Live => {
                    self.told.remove(kind);
                    changes.push(Change::Back(*kind));
                }
                _ => {}
            }
        }
        changes
    }
}

/// Whether it is denied, and why it is not heard.
fn outage(source: &SourceHealth) -> Option<(bool, &Fault)> {
    match &source.health {
        Health::Denied { fault, .. } => Some((true, fault)),
        Health::Failing {
            fault, failures, ..
        } if *failures >= FAILED || source.last_ok.is_none() => Some((false, fault)),
        Health::Failing { .. } | Health::Live | Health::Connecting => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Cluster, Config};
    use crate::model::fault::FaultKind;
    use crate::model::time::Timestamp;

    const KIND: SourceKind = SourceKind::Exporter(0);
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn fault() -> Fault {
        Fault {
            kind: FaultKind::Unreachable,
            cluster: "alpha".into(),
            endpoint: "http://h:9100".into(),
            what: "connection refused".into(),
            hint: String::new(),
        }
    }

    fn failing(failures: u32) -> Health {
        Health::Failing {
            fault: fault(),
            since: NOW,
            retry_at: NOW,
            failures,
        }
    }

    #[test]
    fn each_change_is_told_once() {
        let config = Config {
            clusters: vec![Cluster {
                name: "alpha".into(),
                ..Cluster::default()
            }],
            ..Config::default()
        };
        let mut world = World::new(&config, NOW);
        let mut outages = Outages::default();
        let mut told = |health: Health, last_ok: Option<Timestamp>| {
            let source = SourceHealth {
                health,
                last_ok,
                ..SourceHealth::default()
            };
            let cluster = &mut world.clusters[0];
            cluster.sources.insert(KIND, source);
            outages.changes(cluster)
        };
        let lost = || [Change::Lost(KIND, fault())];
        assert_eq!(told(Health::Connecting, None), []);
        assert_eq!(told(failing(1), None), lost(), "never heard");
        assert_eq!(told(failing(9), None), []);
        assert_eq!(told(Health::Live, Some(NOW)), [Change::Back(KIND)]);
        assert_eq!(told(Health::Live, Some(NOW)), []);
        assert_eq!(told(failing(1), Some(NOW)), [], "once is no outage");
        assert_eq!(told(failing(2), Some(NOW)), lost());
        let denied = Health::Denied {
            fault: fault(),
            since: NOW,
        };
        assert_eq!(told(denied.clone(), Some(NOW)), lost(), "another state");
        assert_eq!(told(denied, Some(NOW)), []);
    }
}
