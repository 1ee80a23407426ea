//! From the file as written to the validated `Config`: defaults, paths, names, URLs.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::agent;
use super::endpoint::{Shared, endpoint, kube, resolve};
use super::mcp;
use super::nats;
use super::sensitivity::sensitivities;
use super::{
    Archive, Cluster, ClusterKind, Config, Contexts, Limits, Query, Roles, Ui, dpdk, edge, file,
    signal, team, watch,
};
use crate::model::alert::{Severities, Severity};
use crate::model::persona::Persona;

/// A mistake in the file's content, with its place.
#[derive(Debug)]
pub struct Mistake {
    pub span: Option<Range<usize>>,
    pub what: String,
    pub hint: String,
}

pub(super) fn mistake<T>(
    span: Range<usize>,
    what: impl Into<String>,
    hint: &str,
) -> Result<T, Mistake> {
    Err(Mistake {
        span: Some(span),
        what: what.into(),
        hint: hint.into(),
    })
}

/// Requests per minute that an endpoint is given unless the file says otherwise.
pub const PROMETHEUS_REQUESTS: u32 = 300;
pub const OTHER_REQUESTS: u32 = 60;
pub const AGENT_REQUESTS: u32 = 30;
/// A model may think for a while before its answer begins.
pub const AGENT_TIMEOUT: Duration = Duration::from_secs(120);
/// For a connection with the bus of the site's agent.
pub const BUS_TIMEOUT: Duration = Duration::from_secs(10);

impl ClusterKind {
    /// Time an endpoint of such a cluster is given to answer.
    pub fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            ClusterKind::Hub => 5,
            ClusterKind::Spoke => 10,
            ClusterKind::Edge => 15,
            ClusterKind::FarEdge => 30,
        })
    }

    /// Time between two polls of such a cluster.
    pub fn interval(self) -> Duration {
        Duration::from_secs(match self {
            ClusterKind::Hub => 15,
            ClusterKind::Spoke => 30,
            ClusterKind::Edge => 60,
            ClusterKind::FarEdge => 120,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            ClusterKind::Hub => "hub",
            ClusterKind::Spoke => "spoke",
            ClusterKind::Edge => "edge",
            ClusterKind::FarEdge => "far-edge",
        }
    }
}

pub fn build(file: file::File, folder: &Path) -> Result<Config, Mistake> {
    let mut clusters: Vec<Cluster> = Vec::with_capacity(file.clusters.len());
    let mut seen = HashSet::new();
    let roles = Roles::from_file(file.roles, &Roles::default());
    for entry in file.clusters {
        let span = entry.name.span();
        if !seen.insert(entry.name.get_ref().clone()) {
            return mistake(
                span,
                format!("cluster \"{}\" stands here twice", entry.name.get_ref()),
                "every cluster needs a name of its own",
            );
        }
        clusters.push(cluster(entry, folder, &roles, file.team.is_some())?);
    }
    if clusters.len() > usize::from(u16::MAX) {
        return Err(Mistake {
            span: None,
            what: format!("{} clusters are too many", clusters.len()),
            hint: "at most 65535".into(),
        });
    }
    let dpdk = dpdk::names(file.dpdk)?;
    let catalogue = signal::edited(&dpdk, &file.signals, &file.metrics)?;
    let contexts = match file.kubeconfig {
        Some(table) => Some(contexts(table, folder)),
        // A file that is about other things does not take the kubeconfig away.
        None => clusters.is_empty().then(Contexts::default),
    };
    Ok(Config {
        file: None,
        clusters,
        contexts,
        agent: file.agent.map(|a| agent::agent(a, folder)).transpose()?,
        mcp: mcp::servers(file.mcp, folder)?.into(),
        ui: ui(file.ui, folder)?,
        roles,
        actions: file.actions.enabled,
        audit_file: None,
        limits: limits(&file.limits),
        archive: archive(file.archive, folder),
        severities: severities(file.alerts)?,
        sensitivities: sensitivities(file.sensitivity, &catalogue)?.into(),
        signals: catalogue.signals.into(),
        metrics: catalogue.metrics.into(),
        dpdk: dpdk.into(),
        queries: queries(file.queries)?.into(),
        personas: personas(file.personas)?.into(),
        runbook_folder: file.runbooks.folder.map(|f| resolve(&f, folder)),
        team: file.team.map(|t| team::team(t, folder)).transpose()?,
        watch: watch::watch(file.watch, folder)?,
        ..Config::default()
    })
}

fn personas(entries: Vec<Spanned<Persona>>) -> Result<Vec<Arc<Persona>>, Mistake> {
    let mut all = super::persona::built_in();
    for entry in entries {
        let span = entry.span();
        if let Err(what) = super::persona::add(&mut all, entry.into_inner()) {
            let hint =
                "`id` is 4 to 32 lower-case letters, digits and hyphens; `tools` names tools";
            return mistake(span, what, hint);
        }
    }
    Ok(all)
}

fn queries(entries: Vec<Spanned<file::Query>>) -> Result<Vec<Query>, Mistake> {
    let mut queries: Vec<Query> = Vec::with_capacity(entries.len());
    for entry in entries {
        let (span, entry) = (entry.span(), entry.into_inner());
        let name = crate::model::text::clean(entry.name.trim(), 80);
        let query = crate::model::text::clean(entry.query.trim(), 4_096);
        if name.is_empty() || query.is_empty() {
            let hint = "`name` says what it tells, `query` is what is asked";
            return mistake(span, "a kept query needs a name and a query", hint);
        }
        if queries.iter().any(|q| q.name == name) {
            let what = format!("the query \"{name}\" stands here twice");
            return mistake(span, what, "every kept query needs a name of its own");
        }
        queries.push(Query {
            name,
            query,
            language: entry.language,
        });
    }
    Ok(queries)
}

fn severities(table: file::Alerts) -> Result<Severities, Mistake> {
    let mut words = BTreeMap::new();
    for (word, meaning) in table.severity {
        let Some(severity) = Severity::from_word(meaning.get_ref()) else {
            return mistake(
                meaning.span(),
                format!("\"{}\" is no severity", meaning.get_ref()),
                "write \"critical\", \"warning\" or \"info\"",
            );
        };
        words.insert(word.to_lowercase(), severity);
    }
    Ok(Severities { words })
}

/// `^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`.
pub fn is_cluster_name(name: &str) -> bool {
    name.len() >= 3 && super::name::is_label(name)
}

/// `team`: there is a bus of the team.
fn cluster(
    entry: file::Cluster,
    folder: &Path,
    roles: &Roles,
    team: bool,
) -> Result<Cluster, Mistake> {
    if !is_cluster_name(entry.name.get_ref()) {
        return mistake(
            entry.name.span(),
            "this is no cluster name",
            "3 to 63 lower-case letters, digits and hyphens, no hyphen at either end",
        );
    }
    let kind = match entry.kind {
        Some(file::Kind::Hub) => ClusterKind::Hub,
        Some(file::Kind::Edge) => ClusterKind::Edge,
        Some(file::Kind::FarEdge) => ClusterKind::FarEdge,
        Some(file::Kind::Spoke) | None => ClusterKind::Spoke,
    };
    let shared = Shared {
        folder,
        interval: entry.interval.map(|s| s.0),
        timeout: entry.timeout.map_or(kind.timeout(), |s| s.0),
        requests: OTHER_REQUESTS,
        kube: entry.kube.is_some(),
    };
    let metrics = Shared {
        requests: PROMETHEUS_REQUESTS,
        ..shared
    };
    let through = "the cluster has no `kube`, through which it would be looked";
    let discover = given(entry.discover.as_ref(), entry.kube.is_some(), through)?;
    let through = "the cluster has no `kube`, through which it would be run";
    let nvidia_smi = given(entry.nvidia_smi.as_ref(), entry.kube.is_some(), through)?;
    let one = |e: Option<Spanned<file::Endpoint>>, shared: &Shared| {
        e.map(|e| endpoint(e, shared)).transpose()
    };
    let many = |all: Vec<Spanned<file::Endpoint>>, shared: &Shared| {
        let all = all.into_iter().map(|e| endpoint(e, shared));
        all.collect::<Result<Vec<_>, _>>()
    };
    let beside = edge::Beside {
        exporters: !entry.exporters.is_empty(),
        prometheus: entry.prometheus.is_some(),
        team,
    };
    let edge = edge::edge(entry.edge, beside)?;
    Ok(Cluster {
        kind,
        edge,
        environment: entry.environment,
        region: entry.region,
        labels: entry.labels.into_iter().collect(),
        discover: discover.unwrap_or(entry.kube.is_some()),
        nvidia_smi: nvidia_smi.unwrap_or(false),
        nvidia_smi_namespaces: namespaces(entry.nvidia_smi_namespaces)?,
        discover_namespaces: namespaces(entry.discover_namespaces)?,
        kube: entry
            .kube
            .map(|k| kube(k, &shared, entry.name.span()))
            .transpose()?,
        prometheus: one(entry.prometheus, &metrics)?,
        alertmanagers: many(entry.alertmanager.0, &shared)?,
        loki: one(entry.loki, &shared)?,
        tempo: one(entry.tempo, &shared)?,
        exporters: many(entry.exporters, &shared)?,
        ptp_events: many(entry.ptp_events, &shared)?,
        nats: entry
            .nats
            .map(|n| nats::nats(n, folder, shared.interval, shared.timeout))
            .transpose()?,
        log_selector: entry.log_selector,
        roles: entry.roles.map(|r| Roles::from_file(Some(r), roles)),
        actions: entry.actions,
        name: entry.name.into_inner(),
    })
}

/// A switch for something that goes through the API server: it cannot be on without one.
fn given(
    wanted: Option<&Spanned<bool>>,
    kube: bool,
    without: &str,
) -> Result<Option<bool>, Mistake> {
    match wanted {
        Some(wanted) if *wanted.get_ref() && !kube => {
            let hint = "add `kube = { context = \"...\" }`";
            mistake(wanted.span(), without, hint)
        }
        wanted => Ok(wanted.map(|w| *w.get_ref())),
    }
}

fn namespaces(given: Vec<Spanned<String>>) -> Result<Vec<String>, Mistake> {
    let mut names = Vec::new();
    for name in given {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let text = name.get_ref();
        if !(1..=63).contains(&text.len()) || !text.bytes().all(inner) {
            let hint = "lower-case letters, digits and hyphens";
            return mistake(name.span(), "this is no name of a namespace", hint);
        }
        names.push(name.into_inner());
    }
    Ok(names)
}

fn contexts(table: file::Contexts, folder: &Path) -> Contexts {
    Contexts {
        files: table.files.iter().map(|p| resolve(p, folder)).collect(),
        only: table.contexts,
        except: table.except,
    }
}

fn ui(entry: file::Ui, folder: &Path) -> Result<Ui, Mistake> {
    let defaults = Ui::default();
    if let Some(fps) = &entry.max_fps
        && !(1..=60).contains(fps.get_ref())
    {
        return mistake(fps.span(), "`max_fps` is out of range", "1 to 60");
    }
    Ok(Ui {
        theme: entry.theme.unwrap_or(defaults.theme),
        ascii: entry.ascii.unwrap_or(defaults.ascii),
        mouse: entry.mouse.unwrap_or(defaults.mouse),
        motion: entry.motion.unwrap_or(defaults.motion),
        max_fps: entry.max_fps.map(Spanned::into_inner),
        exports: entry.exports.map(|e| resolve(&e, folder)),
    })
}

fn archive(entry: file::Archive, folder: &Path) -> Archive {
    let defaults = Archive::default();
    Archive {
        enabled: entry.enabled.unwrap_or(defaults.enabled),
        file: entry.file.map(|f| resolve(&f, folder)),
        keep: entry.keep.map_or(defaults.keep, |s| s.0),
    }
}

fn limits(entry: &file::Limits) -> Limits {
    let defaults = Limits::default();
    Limits {
        series_bytes: entry.series_memory.map_or(defaults.series_bytes, |s| s.0),
        series_per_cluster: entry
            .series_per_cluster
            .unwrap_or(defaults.series_per_cluster),
        retention: entry.retention.map_or(defaults.retention, |s| s.0),
        log_bytes: entry.log_memory.map_or(defaults.log_bytes, |s| s.0),
        events: entry.events.unwrap_or(defaults.events).max(1),
        // A queue of none could never deliver.
        queue: entry.queue.unwrap_or(defaults.queue).max(1),
    }
}
