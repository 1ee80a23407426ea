//! How a world and its clusters begin: nothing is known, and every configured source is waited for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::config::{self, Config};
use crate::detect::{Bursts, Judge};
use crate::incident::Grouper;
use crate::model::dpdk;
use crate::model::gpu::Drafts;
use crate::model::health::SourceHealth;
use crate::model::id::ClusterId;
use crate::model::sensitivity::Chosen;
use crate::model::signal::Group;
use crate::model::sriov::Readings;
use crate::model::telemetry::ClusterFacts;
use crate::model::time::Timestamp;
use crate::store::Store;
use crate::store::logs::LogRing;

use super::{Capacity, ClusterState, World, apps};

impl World {
    pub fn new(config: &Config, now: Timestamp) -> Self {
        let limits = &config.limits;
        let retention_ms = i64::try_from(limits.retention.as_millis()).unwrap_or(i64::MAX);
        let share = limits.log_bytes / config.clusters.len().max(1) as u64;
        let clusters: Vec<ClusterState> = config
            .clusters
            .iter()
            .enumerate()
            .map(|(i, c)| ClusterState {
                dpdk_names: config.dpdk.clone(),
                ..ClusterState::new(ClusterId(i as u16), c, share)
            })
            .collect();
        let names = clusters.iter().enumerate().rev();
        Self {
            now,
            words: apps::matrix::Words::of(&clusters),
            grouper: Grouper::of(clusters.iter().map(|c| c.name.clone())),
            by_name: names.map(|(at, c)| (c.name.clone(), at)).collect(),
            clusters,
            store: Store::new(limits.series_bytes, limits.series_per_cluster, retention_ms),
            signals: config.signals.clone(),
            metrics: config.metrics.clone(),
            queries: config.queries.clone(),
            dashboards: config.dashboards.clone(),
            runbooks: config.runbooks.clone(),
            dashboard_faults: config
                .dashboard_faults
                .iter()
                .map(ToString::to_string)
                .collect(),
            judge: Judge::new(
                config.clusters.iter().map(|c| c.name.as_str()),
                (&config.signals, &config.metrics),
                config.sensitivities.clone(),
            ),
            sensitivity: Chosen {
                configured: config.sensitivities.clone(),
                said: Vec::new(),
            },
            audit: audit(config),
            watchers: super::watchers::Watchers::of(config),
            shared: super::shared::Team::of(config),
            severities: config.severities.clone(),
            events_most: limits.events,
            ticked: now,
            ..Self::default()
        }
    }
}

impl ClusterState {
    /// Empty, with every configured source waited for.
    pub fn new(id: ClusterId, cluster: &config::Cluster, log_bytes: u64) -> Self {
        Self {
            id,
            name: cluster.name.as_str().into(),
            kind: cluster.kind,
            environment: cluster.environment.clone(),
            region: cluster.region.clone(),
            labels: cluster.labels.clone(),
            facts: ClusterFacts::default(),
            sources: cluster
                .sources()
                .map(|kind| (kind, SourceHealth::default()))
                .collect(),
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
            events: VecDeque::new(),
            sriov: BTreeMap::new(),
            sriov_policies: BTreeMap::new(),
            sriov_networks: BTreeMap::new(),
            syncs: BTreeMap::new(),
            fits: BTreeMap::new(),
            fits_due: false,
            vfs: Readings::default(),
            dpdk: dpdk::Readings::default(),
            dpdk_names: Arc::default(),
            pools: Vec::new(),
            workloads: BTreeMap::new(),
            autoscalers: BTreeMap::new(),
            claims: BTreeMap::new(),
            services: BTreeMap::new(),
            operators: BTreeMap::new(),
            version: None,
            apps: BTreeMap::new(),
            ptp_configs: BTreeMap::new(),
            clocks_told: BTreeMap::new(),
            ptp_devices: BTreeMap::new(),
            inference: BTreeMap::new(),
            changes: VecDeque::new(),
            changes_told: 0,
            probes: Vec::new(),
            identity: None,
            alerts: BTreeMap::new(),
            silences: BTreeMap::new(),
            heartbeats: Vec::new(),
            logs: LogRing::new(log_bytes),
            log_lag_ms: None,
            bursts: Bursts::default(),
            gpus: Vec::new(),
            gpu_drafts: Drafts::default(),
            unheld: BTreeMap::new(),
            ptp: Vec::new(),
            samples_until: None,
            gpus_until: None,
            ptp_until: None,
            serving: Vec::new(),
            serving_until: None,
            paces: [0; Group::ALL.len()],
            anomaly: [f64::NAN; 10],
            last_sample: None,
            capacity: Capacity::default(),
            bus: Default::default(),
            turns: VecDeque::new(),
            tellings: BTreeMap::new(),
            silence_tellers: BTreeMap::new(),
            gossip: BTreeMap::new(),
            spells: BTreeMap::new(),
            anomaly_slice: 0,
            drift: BTreeMap::new(),
            listed: BTreeMap::new(),
            event_names: BTreeSet::new(),
            capacity_due: false,
            absent: BTreeSet::new(),
            unread: BTreeSet::new(),
            reminded: BTreeMap::new(),
        }
    }
}

fn audit(config: &Config) -> String {
    let all = config.clusters.len();
    let ids = (0..all).map(|at| ClusterId(at as u16));
    match (
        ids.filter(|id| config.may_act(*id)).count(),
        &config.audit_file,
    ) {
        (0, _) => "off: farwatch only reads".into(),
        (on, Some(file)) => format!(
            "on for {on} of {all} clusters, written to {}",
            file.display()
        ),
        (_, None) => "none: there is no folder for the audit file".into(),
    }
}
