//! Domain rules: which states of GPUs, clocks, virtual functions and model servers are bad.

use crate::model::alert::Severity;
use crate::model::finding::Subject;
use crate::model::gpu::Gpu;
use crate::model::serving::Serving;
use crate::model::unit::Unit;
use crate::model::xid::{self, XidClass};

use super::Condition;

mod clocks;
mod cluster;
mod gitops;
mod heartbeat;
mod objects;
mod sriov;

pub use clocks::{ptp, ptp_trends};
pub use cluster::{alerts, credentials, nodes, pods, sources};
pub use gitops::{apps, inference};
pub use heartbeat::heartbeat;
pub use objects::{autoscalers, claims, operators, version, workloads};
pub use sriov::{sriov, sriov_drops, sriov_exhausted};

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
