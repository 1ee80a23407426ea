//! What the watches told of an object, in plain words.

use crate::model::condition::ObjectCondition;
use crate::model::object::{Node, Pod};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::model::workload::{Autoscaler, Claim, Service, Workload, WorkloadKind};
use crate::state::world::Known;
use crate::ui::Ctx;
use crate::ui::view::common::ago;

use super::row::{Row, Tone};

mod platform;

use platform::{
    app, inference, operator, ptp_config, ptp_devices, sriov, sriov_network, sriov_policy, version,
};

pub fn rows(ctx: &Ctx<'_>, known: Known<'_>) -> Vec<Row> {
    match known {
        Known::Node(o) => node(ctx, o),
        Known::Pod(o) => pod(ctx, o),
        Known::Event(o) => vec![
            Row::pair("about", format!("{} {}", o.about.0, o.about.1)),
            Row::pair("reason", o.reason.as_str()),
            Row::pair("times", o.count.to_string()),
            Row::pair("last seen", when(ctx, o.at)),
            Row::pair("reporter", o.reporter.as_str()),
            Row::pair("message", o.message.as_str()),
        ],
        Known::SriovNodeState(o) => sriov(o),
        Known::Workload(o) => workload(ctx, o),
        Known::Autoscaler(o) => autoscaler(ctx, o),
        Known::Claim(o) => claim(ctx, o),
        Known::Service(o) => service(o),
        Known::ClusterOperator(o) => operator(ctx, o),
        Known::ClusterVersion(o) => version(ctx, o),
        Known::App(o) => app(ctx, o),
        Known::PtpConfig(o) => ptp_config(o),
        Known::PtpDevices(o) => ptp_devices(o),
        Known::InferenceService(o) => inference(ctx, o),
        Known::SriovPolicy(o) => sriov_policy(o),
        Known::SriovNetwork(o) => sriov_network(o),
    }
}

/// `2027-01-15 08:00:00, 5m ago`
fn when(ctx: &Ctx<'_>, at: Timestamp) -> String {
    format!("{} ago ({})", ago(ctx.world, at), at.rfc3339())
}

fn maybe_when(ctx: &Ctx<'_>, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "unknown".into(), |at| when(ctx, at))
}

fn or<'a>(text: Option<&'a str>, none: &'a str) -> &'a str {
    text.filter(|t| !t.is_empty()).unwrap_or(none)
}

fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let items: Vec<String> = items.into_iter().map(|i| i.as_ref().to_owned()).collect();
    if items.is_empty() {
        "none".into()
    } else {
        items.join(", ")
    }
}

fn cores(milli: u64) -> String {
    format!("{} cores", milli as f64 / 1000.0)
}

fn bytes(n: u64) -> String {
    Unit::Bytes.write(n as f64)
}

fn pod(ctx: &Ctx<'_>, p: &Pod) -> Vec<Row> {
    let tone = match (p.is_bad(), p.reason.is_some()) {
        (true, true) => Tone::Bad,
        (true, false) | (false, true) => Tone::Warn,
        (false, false) => Tone::Good,
    };
    let state = match &p.reason {
        Some(reason) if *reason != p.phase => format!("{reason} ({})", p.phase),
        _ => p.phase.clone(),
    };
    let mut rows = vec![
        Row::toned("state", state, tone),
        Row::pair(
            "containers",
            format!(
                "{} of {} ready, {} restarts",
                p.ready, p.containers, p.restarts
            ),
        ),
    ];
    if let Some(message) = p.message.as_deref().filter(|m| !m.is_empty()) {
        rows.push(Row::toned("message", message, tone));
    }
    let owner = p
        .owner
        .as_ref()
        .map(|(kind, name)| format!("{kind} {name}"));
    rows.extend([
        Row::pair("in that state", maybe_when(ctx, p.since)),
        Row::pair(
            "started",
            p.started
                .map_or_else(|| "not yet".into(), |at| when(ctx, at)),
        ),
        match &p.node {
            Some(node) => Row::pair("node", node.as_ref()),
            None => Row::toned("node", "none: not placed yet", Tone::Warn),
        },
        Row::pair(
            "owner",
            or(owner.as_deref(), "none: nobody starts it again"),
        ),
        Row::pair("images", list(&p.images)),
        Row::pair("container", list(&p.names)),
    ]);
    let r = &p.requests;
    let mut asks = Vec::new();
    if r.cpu_milli > 0 {
        asks.push(cores(r.cpu_milli));
    }
    if r.memory_bytes > 0 {
        asks.push(bytes(r.memory_bytes));
    }
    asks.extend(r.extended.iter().map(|(name, n)| format!("{name} {n}")));
    rows.push(Row::pair("requests", list(asks)));
    rows
}

fn node(ctx: &Ctx<'_>, n: &Node) -> Vec<Row> {
    let (state, tone) = match n.ready {
        Some(true) if n.problems.is_empty() => ("ready", Tone::Good),
        Some(true) => ("ready, with problems", Tone::Warn),
        Some(false) => ("not ready", Tone::Bad),
        None => ("unknown: its kubelet does not report", Tone::Unknown),
    };
    let mut rows = vec![Row::toned("state", state, tone)];
    rows.extend(
        n.problems
            .iter()
            .map(|p| Row::toned("problem", p.as_str(), Tone::Warn)),
    );
    if n.unschedulable {
        rows.push(Row::toned(
            "scheduling",
            "cordoned: no new pods",
            Tone::Warn,
        ));
    }
    let room = &n.room;
    let cpu = room.cpu_milli.map_or_else(|| "cores unknown".into(), cores);
    let memory = room
        .memory_bytes
        .map_or_else(|| "memory unknown".into(), bytes);
    let pods = room.pods.map_or_else(|| "?".into(), |n| n.to_string());
    let extended = n.allocatable.iter().map(|(name, n)| format!("{name} {n}"));
    rows.extend([
        Row::pair("roles", list(&n.roles)),
        Row::pair("kubelet", or(Some(&n.kubelet_version), "unknown")),
        Row::pair("system", or(Some(&n.os_image), "unknown")),
        Row::pair("room", format!("{cpu}, {memory}, {pods} pods")),
        Row::pair("devices", list(extended)),
        Row::pair("taints", list(&n.taints)),
        Row::pair("created", maybe_when(ctx, n.created)),
        Row::heading("Labels"),
    ]);
    let labels = n
        .labels
        .iter()
        .map(|(k, v)| Row::line(format!("{k}={v}"), Tone::Plain));
    rows.extend(labels);
    rows
}

fn workload(ctx: &Ctx<'_>, w: &Workload) -> Vec<Row> {
    let tone = match (w.is_short(), w.is_rolling()) {
        (true, _) if w.ready == 0 && w.desired > 0 => Tone::Bad,
        (true, _) => Tone::Warn,
        (false, true) => Tone::Muted,
        (false, false) => Tone::Good,
    };
    let state = match w.kind {
        WorkloadKind::Job => format!(
            "{} of {} completed, {} failed",
            w.ready, w.desired, w.failed
        ),
        _ => format!(
            "{} of {} ready, {} available",
            w.ready, w.desired, w.available
        ),
    };
    let mut rows = vec![Row::toned("replicas", state, tone)];
    if w.is_rolling() {
        let told = if w.observed {
            format!("{} of {} have the new template", w.updated, w.desired)
        } else {
            "its controller has not seen the newest spec".into()
        };
        rows.push(Row::toned("rollout", told, Tone::Warn));
    }
    if w.paused {
        rows.push(Row::toned("paused", "changes do not roll out", Tone::Warn));
    }
    rows.extend([
        Row::pair("images", list(&w.images)),
        Row::pair("revision", or(w.revision.as_deref(), "unknown")),
        Row::pair("generation", w.generation.to_string()),
        Row::pair("part of", or(w.instance.as_deref(), "no application")),
        Row::pair("created", maybe_when(ctx, w.created)),
    ]);
    if !w.policies.is_empty() {
        rows.push(Row::toned(
            "to improve",
            list(w.policies.iter().map(|p| p.words())),
            Tone::Muted,
        ));
    }
    rows.extend(conditions(ctx, &w.conditions));
    rows
}

/// Conditions with their reasons. Whether `True` is good depends on the kind, so only what names
/// trouble is marked.
fn conditions(ctx: &Ctx<'_>, all: &[ObjectCondition]) -> Vec<Row> {
    let mut rows = Vec::new();
    if !all.is_empty() {
        rows.push(Row::heading("Conditions"));
    }
    for c in all {
        let status = match c.status {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let bad_when_true = [
            "Degraded", "Failing", "Failed", "Failure", "Stalled", "Error",
        ];
        let names_trouble = bad_when_true.iter().any(|w| c.kind.contains(w));
        let bad_when_false = [
            "Ready",
            "Available",
            "Healthy",
            "AbleToScale",
            "ScalingActive",
        ];
        let tone = match c.status {
            Some(true) if names_trouble => Tone::Bad,
            Some(false) if bad_when_false.contains(&c.kind.as_str()) => Tone::Bad,
            None => Tone::Unknown,
            _ => Tone::Plain,
        };
        let since = c
            .since
            .map_or_else(String::new, |at| format!(", for {}", ago(ctx.world, at)));
        let mut told = format!("{status}{since}");
        for part in [&c.reason, &c.message] {
            if !part.is_empty() {
                told.push_str(": ");
                told.push_str(part);
            }
        }
        rows.push(Row::toned(&c.kind, told, tone));
    }
    rows
}

fn autoscaler(ctx: &Ctx<'_>, a: &Autoscaler) -> Vec<Row> {
    let tone = if a.is_degraded() {
        Tone::Bad
    } else {
        Tone::Plain
    };
    let mut rows = vec![
        Row::pair("scales", format!("{} {}", a.target.0, a.target.1)),
        Row::toned(
            "replicas",
            format!("{} now, {} wanted", a.current, a.desired),
            tone,
        ),
        Row::pair("between", format!("{} and {}", a.min, a.max)),
    ];
    rows.extend(conditions(ctx, &a.conditions));
    rows
}

fn claim(ctx: &Ctx<'_>, c: &Claim) -> Vec<Row> {
    let tone = match c.phase.as_str() {
        "Bound" => Tone::Good,
        "Lost" => Tone::Bad,
        _ => Tone::Warn,
    };
    vec![
        Row::toned("state", c.phase.as_str(), tone),
        Row::pair("capacity", or(c.capacity.as_deref(), "none yet")),
        Row::pair("class", or(c.class.as_deref(), "none")),
        Row::pair("created", maybe_when(ctx, c.created)),
    ]
}

fn service(s: &Service) -> Vec<Row> {
    let selector = s.selector.iter().map(|(k, v)| format!("{k}={v}"));
    let mut rows = vec![
        match s.selector.is_empty() {
            true => Row::pair(
                "selects",
                "nothing: its endpoints are kept by hand, or it has none",
            ),
            false => Row::pair("selects", list(selector)),
        },
        Row::pair(
            "address",
            if s.headless {
                "headless: the pods' own"
            } else {
                "of the cluster"
            },
        ),
    ];
    for (name, port, target) in &s.ports {
        let name = or(Some(name), "unnamed");
        rows.push(Row::pair("port", format!("{port} to {target} ({name})")));
    }
    rows.push(Row::pair(
        "labels",
        list(s.labels.iter().map(|(k, v)| format!("{k}={v}"))),
    ));
    rows
}
