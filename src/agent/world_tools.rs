//! Tools answered from what the console already holds. Pure: the loop calls `answer`.
//!
//! Texts are tables in words. A value the sources do not tell is `n/a`, with its age where it has
//! one; a cluster that cannot be heard is said to be so, never left out.

mod bus;
mod cause;
mod cluster;
mod data_path;
mod fleet;
mod gitops;
mod platform;
mod runbooks;
mod usage;

pub(super) use fleet::incident as incident_text;

use serde::de::DeserializeOwned;

use crate::model::chat::WorldQuery;
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::time::Timestamp;
use crate::model::unit::{Unit, age};
use crate::state::world::{ClusterState, World};

/// Rows told of each cluster.
const ROWS: usize = 40;
/// A value older than this tells nothing of now.
const STALE_MS: u64 = 5 * 60_000;

/// Text for the model, number of rows, and whether it could be answered.
pub fn answer(world: &World, query: &WorldQuery) -> (String, usize, bool) {
    let mut told = Told::default();
    let known = answered(world, query, &mut told);
    match known {
        Ok(()) => (told.text, told.rows, true),
        Err(what) => (what, 0, false),
    }
}

fn answered(world: &World, query: &WorldQuery, told: &mut Told) -> Result<(), String> {
    let ids = query.clusters.as_slice();
    match query.tool.as_str() {
        "list_clusters" => fleet::clusters(world, &read(query)?, told),
        "get_fleet_summary" => cluster::summary(world, told),
        "get_cluster_status" => cluster::status(world, ids, told),
        "get_cluster_details" => cluster::details(world, ids, told),
        "get_cluster_health" => cluster::of_health(world, ids, told),
        "compare_clusters" => cluster::compare(world, ids, &read(query)?, told)?,
        "list_alerts" => fleet::alerts(world, ids, &read(query)?, told),
        "list_incidents" => fleet::incidents(world, ids, &read(query)?, told),
        "analyze_root_cause" => cause::root_cause(world, ids, &read(query)?, told),
        "get_topology" => cause::topology(world, ids, &read(query)?, told)?,
        "get_events" => fleet::events(world, ids, &read(query)?, told),
        "get_pod_issues" => cause::pods(world, ids, &read(query)?, told),
        "get_resource_usage" => usage::resources(world, ids, &read(query)?, told),
        "get_top_consumers" => usage::top(world, ids, &read(query)?, told),
        "get_gpu_summary" => platform::gpus(world, ids, told),
        "get_gpu_nodes" => usage::gpu_nodes(world, ids, told),
        "get_gpu_processes" => usage::gpu_processes(world, ids, told),
        "get_gpu_workloads" => usage::gpu_workloads(world, ids, &read(query)?, told),
        "get_vllm_stats" => platform::models(world, ids, told),
        "get_ptp_status" => platform::ptp(world, ids, told),
        "get_sriov_status" => platform::sriov(world, ids, told),
        "get_cnf_workloads" => cause::functions(world, ids, &read(query)?, told),
        "get_dpdk_stats" => data_path::ports(world, ids, &read(query)?, told),
        "get_gitops_status" => gitops::apps(world, ids, &read(query)?, told),
        "get_nats_streams" => bus::streams(world, ids, &read(query)?, told),
        "get_changes" => gitops::changes(world, ids, &read(query)?, told),
        "find_runbook" => runbooks::find(world, &read(query)?, told)?,
        "read_runbook" => runbooks::read(world, &read(query)?, told)?,
        "generate_report" => cause::report(world, ids, &read(query)?, told)?,
        "time_now" => {
            told.line(format!("{} (UTC)", world.now.rfc3339()));
            told.rows = 1;
        }
        other => return Err(format!("there is no tool `{other}`")),
    }
    Ok(())
}

fn read<T: DeserializeOwned>(query: &WorldQuery) -> Result<T, String> {
    serde_json::from_value(query.arguments.clone()).map_err(|e| e.to_string())
}

#[derive(Default)]
pub(super) struct Told {
    pub text: String,
    pub rows: usize,
}

impl Told {
    pub fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// Rows under a heading: the first of them in full, the others counted and not even written.
    pub fn rows<Rows>(&mut self, rows: Rows, most: usize)
    where
        Rows: IntoIterator<Item = String, IntoIter: ExactSizeIterator>,
    {
        let rows = rows.into_iter();
        let count = rows.len();
        rows.take(most).for_each(|row| self.line(row));
        if count > most {
            self.line(format!("  ({} more rows, not shown)", count - most));
        }
        self.rows += count;
    }
}

/// The clusters of a call, in the order of the configuration.
pub(super) fn chosen<'a>(
    world: &'a World,
    ids: &'a [ClusterId],
) -> impl Iterator<Item = &'a ClusterState> {
    world
        .clusters
        .iter()
        .filter(move |cluster| ids.contains(&cluster.id))
}

/// `not heard` where nothing can be said of a cluster now.
pub(super) fn hearing(world: &World, cluster: &ClusterState) -> String {
    if cluster.is_heard(world.now) {
        String::new()
    } else {
        format!(
            " (NOT HEARD NOW: {}; what follows is old)",
            world.standing(cluster.id).1
        )
    }
}

/// A value with its unit, and its age where it is old.
pub(super) fn value(world: &World, sample: Option<Sample>, unit: Unit) -> String {
    let Some(sample) = sample else {
        return "n/a".into();
    };
    let ms = world.now.age_since_ms(sample.at);
    let written = unit.write(sample.value);
    if ms > STALE_MS {
        format!("{written} (STALE, {} ago)", age(ms))
    } else {
        written
    }
}

/// `12m ago, 2026-…Z`.
pub(super) fn since(world: &World, at: Timestamp) -> String {
    format!("{} ago, {}", age(world.now.age_since_ms(at)), at.rfc3339())
}

pub(super) fn or_na(text: Option<&str>) -> &str {
    text.unwrap_or("n/a")
}

#[cfg(test)]
mod tests;
