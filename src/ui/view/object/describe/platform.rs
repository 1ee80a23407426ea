//! The objects of operators: OpenShift, Argo CD and Flux, SR-IOV, PTP, KServe.

use crate::model::gitops::{App, AppHealth, Sync};
use crate::model::openshift::{ClusterOperator, ClusterVersion};
use crate::model::ptp::{PtpConfig, PtpDevices};
use crate::model::serving::InferenceService;
use crate::model::sriov::{self, SriovNetwork, SriovNodeState, SriovPolicy};
use crate::ui::Ctx;

use super::super::row::{Row, Tone};
use super::{conditions, list, maybe_when, or};

pub fn operator(ctx: &Ctx<'_>, o: &ClusterOperator) -> Vec<Row> {
    let (state, tone) = match (o.is_bad(), o.is_progressing()) {
        (true, _) => ("not well", Tone::Bad),
        (false, true) => ("changing", Tone::Warn),
        (false, false) => ("well", Tone::Good),
    };
    let mut rows = vec![
        Row::toned("state", state, tone),
        Row::pair("version", or(o.version.as_deref(), "unknown")),
    ];
    rows.extend(conditions(ctx, &o.conditions));
    rows
}

pub fn version(ctx: &Ctx<'_>, v: &ClusterVersion) -> Vec<Row> {
    let updates = match &v.available_updates {
        Some(all) => list(all),
        None => "unknown: the update service could not be asked".into(),
    };
    let mut rows = vec![
        Row::pair("installed", or(v.installed(), "unknown")),
        Row::toned(
            "wanted",
            v.desired.as_str(),
            if v.is_updating() {
                Tone::Warn
            } else {
                Tone::Plain
            },
        ),
        Row::pair("channel", or(v.channel.as_deref(), "none")),
        Row::pair("updates", updates),
        Row::heading("History"),
    ];
    for u in v.history.iter().take(20) {
        let done = u.completed.or(u.started);
        rows.push(Row::pair(
            &u.version,
            format!("{}, {}", u.state, maybe_when(ctx, done)),
        ));
    }
    rows.extend(conditions(ctx, &v.conditions));
    rows
}

pub fn app(ctx: &Ctx<'_>, a: &App) -> Vec<Row> {
    let sync = match a.sync {
        Sync::Synced => Tone::Good,
        Sync::OutOfSync => Tone::Warn,
        Sync::Unknown => Tone::Unknown,
    };
    let health = match a.health {
        AppHealth::Healthy => Tone::Good,
        AppHealth::Degraded | AppHealth::Missing => Tone::Bad,
        AppHealth::Unknown => Tone::Unknown,
        _ => Tone::Warn,
    };
    let mut rows = vec![
        Row::toned("sync", a.sync.word(), sync),
        Row::toned(
            "health",
            format!(
                "{} ({})",
                a.health.word(),
                or(Some(&a.state), "no state told")
            ),
            health,
        ),
    ];
    rows.extend(
        a.message
            .as_deref()
            .map(|m| Row::toned("message", m, health)),
    );
    if a.suspended {
        rows.push(Row::toned("suspended", "nothing is reconciled", Tone::Warn));
    }
    for s in &a.sources {
        let told = format!(
            "{} {} at {}",
            s.repository,
            s.path,
            or(Some(&s.target), "no target")
        );
        rows.push(Row::pair("source", told));
    }
    rows.extend([
        Row::pair("revision", or(a.revision.as_deref(), "unknown")),
        Row::pair(
            "goes to",
            format!(
                "{}, namespace {}",
                or(a.destination.as_deref(), "the cluster it stands in"),
                or(a.destination_namespace.as_deref(), "its own")
            ),
        ),
        Row::pair("automation", automation(a)),
        Row::pair("last looked", maybe_when(ctx, a.reconciled)),
    ]);
    rows.extend(
        a.attempted
            .as_deref()
            .map(|r| Row::toned("attempted", r, Tone::Warn)),
    );
    if let Some((chart, version)) = &a.chart {
        rows.push(Row::pair("chart", format!("{chart} {version}")));
    }
    if let Some(o) = &a.operation {
        let by = or(o.by.as_deref(), "somebody");
        let told = format!(
            "{} by {by}, {}: {}",
            o.phase,
            maybe_when(ctx, o.finished.or(o.started)),
            o.message
        );
        rows.push(Row::pair("operation", told));
    }
    rows.push(Row::pair("images", list(&a.images)));
    rows.extend(unwell(a));
    rows.extend(conditions(ctx, &a.conditions));
    rows
}

fn automation(a: &App) -> String {
    match &a.automation {
        None if a.kind.tool() == "argo" => "by hand".into(),
        None => "always".into(),
        Some(auto) => {
            let prune = if auto.prune {
                "prunes"
            } else {
                "does not prune"
            };
            let heal = if auto.self_heal {
                "heals itself"
            } else {
                "does not heal itself"
            };
            format!("{prune}, {heal}")
        }
    }
}

fn unwell(a: &App) -> Vec<Row> {
    let count = a
        .resource_count
        .map_or_else(|| "?".into(), |n| n.to_string());
    let mut rows = vec![Row::heading(&format!(
        "Not well: {} of {count} resources",
        a.resources.len()
    ))];
    for r in &a.resources {
        let health = r.health.map_or("", AppHealth::word);
        let told = format!(
            "{} {}/{}: {} {health} {}",
            r.kind, r.namespace, r.name, r.status, r.message
        );
        rows.push(Row::line(told.trim_end(), Tone::Warn));
    }
    rows
}

pub fn sriov(s: &SriovNodeState) -> Vec<Row> {
    let tone = match s.sync_status.as_deref() {
        Some("Succeeded") => Tone::Good,
        Some("Failed") => Tone::Bad,
        Some(_) => Tone::Warn,
        None => Tone::Unknown,
    };
    let mut rows = vec![Row::toned(
        "sync",
        or(s.sync_status.as_deref(), "unknown"),
        tone,
    )];
    rows.extend(
        s.last_sync_error
            .as_deref()
            .map(|e| Row::toned("error", e, Tone::Bad)),
    );
    rows.push(Row::pair(
        "state",
        format!(
            "{}, wanted {}",
            or(s.current_state.as_deref(), "unknown"),
            or(s.desired_state.as_deref(), "unknown")
        ),
    ));
    for i in &s.interfaces {
        let wanted = i
            .desired_vfs
            .map_or_else(String::new, |n| format!(", {n} wanted"));
        let told = format!(
            "{} {}, {} of {} VFs{wanted}, link {}",
            i.vendor,
            or(i.driver.as_deref(), "no driver"),
            i.num_vfs,
            i.total_vfs,
            or(i.link(), "n/a")
        );
        rows.push(Row::pair(&i.name, told));
    }
    rows
}

pub fn sriov_policy(p: &SriovPolicy) -> Vec<Row> {
    vec![
        Row::pair("wants", p.wants()),
        Row::pair("resource", p.resource.as_str()),
        Row::pair(
            "priority",
            format!("{} (the lower number wins)", p.priority),
        ),
        Row::pair("ports", p.ports.words()),
        Row::pair("nodes", sriov::labels(p)),
    ]
}

pub fn sriov_network(n: &SriovNetwork) -> Vec<Row> {
    let mut rows = vec![
        Row::pair("resource", n.resource.as_str()),
        Row::pair("attachment", format!("{}/{}", n.target(), n.name)),
    ];
    rows.extend(
        n.settings()
            .into_iter()
            .map(|(key, text)| Row::pair(key, text)),
    );
    let told = n.message.as_deref().filter(|_| n.ready == Some(false));
    rows.extend(told.map(|m| Row::toned("not ready", m, Tone::Bad)));
    rows
}

pub fn ptp_config(c: &PtpConfig) -> Vec<Row> {
    let mut rows = Vec::new();
    for p in &c.profiles {
        let domain = p.domain.map_or_else(|| "unknown".into(), |d| d.to_string());
        rows.push(Row::pair(
            "profile",
            format!(
                "{}: {}, domain {domain}, {}",
                p.name,
                or(p.role.as_deref(), "role unknown"),
                list(&p.interfaces)
            ),
        ));
    }
    for (node, profile) in &c.matches {
        rows.push(Row::pair("applies to", format!("{node} ({profile})")));
    }
    if c.matches.is_empty() {
        rows.push(Row::toned("applies to", "no node", Tone::Warn));
    }
    rows
}

pub fn ptp_devices(d: &PtpDevices) -> Vec<Row> {
    let mut rows = vec![Row::pair("node", d.node.as_ref())];
    for p in &d.ports {
        let link = match p.link_up {
            Some(true) => "up",
            Some(false) => "down",
            None => "unknown",
        };
        let told = format!(
            "link {link}, {}, profile {}",
            or(p.driver.as_deref(), "driver unknown"),
            or(p.profile.as_deref(), "none")
        );
        rows.push(Row::pair(&p.name, told));
    }
    rows
}

pub fn inference(ctx: &Ctx<'_>, s: &InferenceService) -> Vec<Row> {
    let (state, tone) = match s.ready {
        Some(true) => ("ready", Tone::Good),
        Some(false) => ("not ready", Tone::Bad),
        None => ("unknown: KServe has not said yet", Tone::Unknown),
    };
    let mut rows = vec![
        Row::toned("state", state, tone),
        Row::pair("model", or(s.model.as_deref(), "unknown")),
        Row::pair("runtime", or(s.runtime.as_deref(), "unknown")),
        Row::pair("address", or(s.url.as_deref(), "none yet")),
        Row::pair("GPUs", s.gpus.to_string()),
        Row::pair("transition", or(s.transition.as_deref(), "unknown")),
    ];
    rows.extend(
        s.failure
            .as_deref()
            .map(|f| Row::toned("failure", f, Tone::Bad)),
    );
    rows.extend(conditions(ctx, &s.conditions));
    rows
}
