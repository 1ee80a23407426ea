//! Domain rules: which states of GPUs, clocks, virtual functions and model servers are bad.

use crate::model::alert::Severity;
use crate::model::finding::Subject;
use crate::model::gpu::Gpu;
use crate::model::ptp::{self as clock, ClockState, PtpNode};
use crate::model::serving::Serving;
use crate::model::sriov::SriovNodeState;
use crate::model::unit::Unit;
use crate::model::xid::{self, XidClass};

use super::Condition;

mod cluster;
mod gitops;
mod heartbeat;
mod objects;

pub use cluster::{alerts, credentials, nodes, pods, sources};
pub use gitops::{apps, inference};
pub use heartbeat::heartbeat;
pub use objects::{autoscalers, claims, operators, version, workloads};

/// A warning XID is news for this long, milliseconds.
const XID_NEWS_MS: u64 = 15 * 60_000;
const HOT_C: f64 = 80.0;

fn gpu_subject(gpu: &Gpu) -> Subject {
    let place = match &gpu.partition {
        Some(part) => format!("{} {part}", gpu.index),
        None => gpu.index.clone(),
    };
    Subject::Gpu {
        node: gpu.node.to_string(),
        gpu: place,
    }
}

pub fn gpus(all: &[Gpu]) -> Vec<Condition> {
    let mut found = Vec::new();
    for gpu in all {
        let mut push = |what: &str, severity, text: String, change: &dyn Fn(&mut Condition)| {
            let key = format!("gpu/{}/{what}", gpu.label());
            let mut condition = Condition::state(gpu_subject(gpu), key, severity, text);
            change(&mut condition);
            found.push(condition);
        };
        if let Some((number, text)) = &gpu.xid {
            let class = XidClass::of(*number);
            let severity = xid::severity(*number);
            let said = format!("XID {number} ({text})");
            push(&format!("xid{number}"), severity, said, &|c| {
                c.signal = "XID";
                c.seen = Some(f64::from(*number));
                c.method = format!("NVIDIA's advice: {}", class.advice());
                c.most_ms = (severity < Severity::Critical).then_some(XID_NEWS_MS);
            });
        }
        let held_down: Vec<&str> = gpu
            .throttle
            .iter()
            .copied()
            .filter(|r| *r != "power cap")
            .collect();
        if !held_down.is_empty() {
            let hot = gpu.temperature_c.filter(|t| t.value >= HOT_C);
            let severity = if hot.is_some() {
                Severity::Critical
            } else {
                Severity::Warning
            };
            let at = gpu
                .temperature_c
                .map(|t| format!(" at {}", Unit::Celsius.write(t.value)));
            let said = format!(
                "clocks held down: {}{}",
                held_down.join(", "),
                at.unwrap_or_default()
            );
            push("throttle", severity, said, &|c| {
                c.signal = "clock event reasons";
                c.for_ms = 45_000;
                c.weight = 0.9;
                c.method = "clock-event bits for 45 s".into();
            });
        }
        if gpu.row_remap_failure == Some(true) {
            let said = "row remapping failed: replace the GPU".to_owned();
            push("remap", Severity::Critical, said, &|c| {
                c.signal = "row remap failure"
            });
        }
        if gpu.healthy == Some(false) {
            let said = "health check failed".to_owned();
            push("health", Severity::Critical, said, &|c| {
                c.signal = "GPU health";
                c.for_ms = 30_000;
                c.weight = 0.95;
            });
        }
    }
    found
}

fn clock_subject(node: &PtpNode, interface: &str) -> Subject {
    Subject::Clock {
        node: node.node.to_string(),
        interface: interface.to_owned(),
    }
}

pub fn ptp(all: &[PtpNode]) -> Vec<Condition> {
    let mut found = Vec::new();
    for node in all {
        clock_state(node, &mut found);
        clock_class(node, &mut found);
        for (process, config, up, _) in &node.processes {
            if *up == Some(false) {
                let subject = Subject::Node(node.node.to_string());
                let key = format!("ptp/{}/process/{process}/{config}", node.node);
                let text = format!("PTP process {process} ({config}) is down");
                let mut condition = Condition::state(subject, key, Severity::Critical, text);
                condition.signal = "openshift_ptp_process_status";
                condition.for_ms = 5_000;
                found.push(condition);
            }
        }
        for clock in node
            .clocks
            .iter()
            .filter(|c| c.role.as_deref() == Some("FAULTY"))
        {
            let subject = clock_subject(node, &clock.interface);
            let key = format!("ptp/{}/role/{}", node.node, clock.interface);
            let text = format!("PTP port {} is FAULTY", clock.interface);
            let mut condition = Condition::state(subject, key, Severity::Critical, text);
            condition.signal = "openshift_ptp_interface_role";
            condition.for_ms = 15_000;
            found.push(condition);
        }
        offset(node, &mut found);
    }
    found
}

fn clock_state(node: &PtpNode, found: &mut Vec<Condition>) {
    let Some((worst, (state, sample))) = node.worst().and_then(|c| c.state.map(|s| (c, s))) else {
        return;
    };
    let severity = match state {
        ClockState::Locked => return,
        ClockState::Holdover => Severity::Warning,
        ClockState::Freerun => Severity::Critical,
    };
    let offset = worst.offset_ns.or(node.worst_offset().map(|(_, o)| o));
    let offset = offset.map(|o| format!(", offset {}", Unit::Nanoseconds.write(o.value)));
    let text = format!(
        "{} is {}, expected LOCKED{}",
        worst.process,
        state.word(),
        offset.unwrap_or_default()
    );
    let key = format!("ptp/{}/state", node.node);
    let subject = clock_subject(node, &worst.interface);
    let mut condition = Condition::state(subject, key, severity, text);
    condition.signal = "openshift_ptp_clock_state";
    condition.seen = Some(sample.value);
    condition.expected = Some((1.0, 1.0));
    condition.method = "worst clock state of the node".into();
    found.push(condition);
}

fn clock_class(node: &PtpNode, found: &mut Vec<Condition>) {
    let Some(class) = node.clock_class else {
        return;
    };
    let severity = match class.value as i64 {
        7 | 52 | 58 | 135 => Severity::Warning,
        140 | 150 | 160 | 165 | 187 | 193 => Severity::Critical,
        // Also what a clock says that has just started: bad only if it stays.
        248 => Severity::Warning,
        _ => return,
    };
    let text = format!(
        "clock class {} ({})",
        class.value,
        clock::class_text(class.value)
    );
    let key = format!("ptp/{}/class", node.node);
    let subject = Subject::Node(node.node.to_string());
    let mut condition = Condition::state(subject, key, severity, text);
    condition.signal = "openshift_ptp_clock_class";
    condition.seen = Some(class.value);
    condition.for_ms = if class.value == 248.0 { 60_000 } else { 15_000 };
    condition.weight = 0.9;
    condition.method = "clock class of IEEE 1588 and G.8275.1".into();
    found.push(condition);
}

/// The threshold is strict: in range only if min < offset < max. A clock that is not locked is told
/// already.
fn offset(node: &PtpNode, found: &mut Vec<Condition>) {
    let (min, max) = node
        .threshold_ns
        .filter(|t| t.0 < t.1)
        .unwrap_or((-100.0, 100.0));
    let Some((clock, offset)) = node.worst_offset() else {
        return;
    };
    let inside = min < offset.value && offset.value < max;
    if inside || node.state != Some(ClockState::Locked) {
        return;
    }
    let write = |v| Unit::Nanoseconds.write(v);
    let text = format!(
        "offset of {} {}, expected above {} and below {}",
        clock.process,
        write(offset.value),
        write(min),
        write(max)
    );
    let key = format!("ptp/{}/offset/{}", node.node, clock.interface);
    let subject = clock_subject(node, &clock.interface);
    let mut condition = Condition::state(subject, key, Severity::Warning, text);
    condition.kind = crate::model::finding::FindingKind::Threshold;
    condition.signal = "openshift_ptp_offset_ns";
    condition.unit = Unit::Nanoseconds;
    condition.seen = Some(offset.value);
    condition.expected = Some((min, max));
    condition.for_ms = 30_000;
    condition.method = "threshold of the PTP profile for 30 s".into();
    found.push(condition);
}

pub fn sriov<'a>(all: impl Iterator<Item = &'a SriovNodeState>) -> Vec<Condition> {
    let mut found = Vec::new();
    for state in all {
        let subject = Subject::Node(state.node.to_string());
        let key = |what: &str| format!("sriov/{}/{what}", state.node);
        let status = state.sync_status.as_deref().unwrap_or("");
        if status == "Failed" {
            let cause = state.last_sync_error.as_deref().unwrap_or("no cause given");
            let text = format!("SR-IOV sync failed: {cause}");
            found.push(Condition::state(
                subject.clone(),
                key("sync"),
                Severity::Critical,
                text,
            ));
        } else if status == "InProgress" {
            let text = "SR-IOV sync in progress for more than 10 min".to_owned();
            let mut c = Condition::state(subject.clone(), key("progress"), Severity::Warning, text);
            c.for_ms = 600_000;
            found.push(c);
        }
        for port in &state.interfaces {
            let wanted = port.desired_vfs.unwrap_or(port.num_vfs);
            let have = port
                .num_vfs
                .min(port.vfs.max(if port.vfs == 0 { port.num_vfs } else { 0 }));
            let nic = Subject::Nic {
                node: state.node.to_string(),
                interface: port.name.clone(),
            };
            if have < wanted && status != "InProgress" {
                let text = format!("{have} of {wanted} virtual functions on {}", port.name);
                let place = key(&format!("vfs/{}", port.pci_address));
                let mut c = Condition::state(nic.clone(), place, Severity::Warning, text);
                c.seen = Some(f64::from(have));
                c.expected = Some((f64::from(wanted), f64::from(wanted)));
                c.for_ms = 60_000;
                found.push(c);
            }
            if port.link_speed.is_none() && port.num_vfs > 0 {
                let text = format!(
                    "link of {} is down, {} virtual functions on it",
                    port.name, port.num_vfs
                );
                let place = key(&format!("link/{}", port.pci_address));
                let mut c = Condition::state(nic, place, Severity::Warning, text);
                c.for_ms = 30_000;
                found.push(c);
            }
        }
    }
    for condition in &mut found {
        condition.signal = "SriovNetworkNodeState";
        condition.method = "status of the SR-IOV operator".into();
    }
    found
}

pub fn serving(all: &[Serving]) -> Vec<Condition> {
    let full = all.iter().filter(|s| s.is_saturated());
    full.map(|s| {
        let subject = Subject::Model {
            namespace: s.namespace.clone(),
            model: s.model.clone(),
        };
        let waiting = s.waiting.map_or(f64::NAN, |w| w.value);
        let cache = s.kv_cache.map_or(f64::NAN, |c| c.value);
        let text = format!(
            "saturated: {} requests wait, KV cache {} full",
            Unit::None.write(waiting),
            Unit::Ratio.write(cache)
        );
        let key = format!("vllm/{}/{}/saturated", s.namespace, s.model);
        let mut condition = Condition::state(subject, key, Severity::Warning, text);
        condition.signal = "vllm:num_requests_waiting";
        condition.unit = Unit::None;
        condition.seen = Some(waiting);
        condition.for_ms = 60_000;
        condition.method = "waiting > 0 and cache >= 90% for 60 s".into();
        condition
    })
    .collect()
}
