//! GPUs, clocks and SR-IOV in words.

use super::{ROWS, Told, chosen, hearing, or_na, value};
use crate::model::gpu::{Gpu, cards};
use crate::model::id::ClusterId;
use crate::model::ptp::{ClockState, PtpNode};
use crate::model::serving::Serving;
use crate::model::sriov::SriovNodeState;
use crate::model::unit::Unit;
use crate::state::world::World;

pub(super) fn gpus(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        let bad = c.gpus.iter().filter(|g| is_bad(g)).count();
        told.line(format!(
            "cluster {}{}: {} GPUs, {bad} with XID, throttling or a failed check; {} served models",
            c.name,
            hearing(world, c),
            cards(c.gpus.iter()),
            c.serving.len()
        ));
        if c.gpus.is_empty() {
            told.line("  no GPU metric comes from there (no exporter, or no GPU)");
        }
        let mut rows: Vec<&Gpu> = c.gpus.iter().collect();
        rows.sort_by_key(|g| !is_bad(g));
        told.rows(rows.into_iter().map(|g| gpu(world, g)), ROWS);
        told.rows(c.serving.iter().map(|s| serving(world, s)), ROWS);
    }
}

fn is_bad(g: &Gpu) -> bool {
    g.xid.is_some()
        || g.slowed().next().is_some()
        || g.healthy == Some(false)
        || g.row_remap_failure == Some(true)
}

fn gpu(world: &World, g: &Gpu) -> String {
    let v = |sample, unit| value(world, sample, unit);
    let xid = g
        .xid
        .as_ref()
        .map_or("none seen".to_owned(), |(code, text)| {
            format!("{code} ({text})")
        });
    let throttle = if g.throttle.is_empty() {
        "none seen".to_owned()
    } else {
        g.throttle.join(", ")
    };
    let mut out = format!(
        "  {} gpu {} {} {}{}: use {}, memory {} of {}, temperature {} (memory {}), power {} of {}, SM clock {}, throttling {throttle}, XID {xid}, pod {}",
        g.node,
        g.index,
        g.vendor,
        or_na(g.model.as_deref()),
        g.partition
            .as_deref()
            .map_or(String::new(), |p| format!(" partition {p}")),
        v(g.utilisation, Unit::Percent),
        v(g.memory_used_mib, Unit::Mebibytes),
        limit(g.memory_total_mib, Unit::Mebibytes),
        v(g.temperature_c, Unit::Celsius),
        v(g.memory_temperature_c, Unit::Celsius),
        v(g.power_w, Unit::Watts),
        limit(g.power_limit_w, Unit::Watts),
        v(g.sm_clock_mhz, Unit::Megahertz),
        g.pod
            .as_ref()
            .map_or("none or n/a".to_owned(), |(ns, pod)| format!("{ns}/{pod}")),
    );
    if g.row_remap_failure == Some(true) {
        out.push_str(", ROW REMAP FAILED");
    }
    if g.healthy == Some(false) {
        out.push_str(", UNHEALTHY");
    }
    out
}

/// Model servers: load, latency, what holds them back, and on which GPUs they run.
pub(super) fn models(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        told.line(format!(
            "cluster {}{}: {} served models",
            c.name,
            hearing(world, c),
            c.serving.len()
        ));
        if c.serving.is_empty() {
            told.line("  no model server's metric comes from there");
        }
        for s in c.serving.iter().take(ROWS) {
            told.line(serving(world, s));
            let gpus = s.gpus(&c.gpus);
            let names: Vec<String> = gpus.iter().map(|g| g.label()).collect();
            let names = match names.is_empty() {
                true => "not known".to_owned(),
                false => names.join(", "),
            };
            told.line(format!(
                "    on GPUs {names}; {}",
                match s.bound(&gpus) {
                    Some((bound, why)) => format!("{}: {why}", bound.word()),
                    None => "nothing holds it back, as far as is told".into(),
                }
            ));
        }
        told.rows += c.serving.len();
    }
}

fn limit(value: Option<f64>, unit: Unit) -> String {
    value.map_or("n/a".into(), |value| unit.write(value))
}

fn serving(world: &World, s: &Serving) -> String {
    let v = |sample, unit| value(world, sample, unit);
    format!(
        "  model {} in {}: running {}, waiting {}, KV cache {}, prompt {} tokens, generated {} tokens, p95 first token {}, p95 between tokens {}, p95 whole {}, preemptions {}",
        s.model,
        s.namespace,
        v(s.running, Unit::None),
        v(s.waiting, Unit::None),
        v(s.kv_cache, Unit::Ratio),
        v(s.prompt_tokens_per_s, Unit::PerSecond),
        v(s.generation_tokens_per_s, Unit::PerSecond),
        v(s.ttft.p95, Unit::Seconds),
        v(s.itl.p95, Unit::Seconds),
        v(s.e2e.p95, Unit::Seconds),
        v(s.preemptions_per_s, Unit::PerSecond),
    )
}

fn state_word(state: Option<ClockState>) -> &'static str {
    state.map_or("unknown", ClockState::word)
}

pub(super) fn ptp(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        let bad = c
            .ptp
            .iter()
            .filter(|n| n.state.is_some_and(|s| s != ClockState::Locked))
            .count();
        told.line(format!(
            "cluster {}{}: {} PTP nodes, {bad} not locked",
            c.name,
            hearing(world, c),
            c.ptp.len()
        ));
        if c.ptp.is_empty() {
            told.line("  no PTP metric comes from there");
        }
        let mut nodes: Vec<&PtpNode> = c.ptp.iter().collect();
        nodes.sort_by_key(|n| std::cmp::Reverse(n.state));
        for node in nodes {
            ptp_node(world, node, told);
        }
    }
}

fn ptp_node(world: &World, node: &PtpNode, told: &mut Told) {
    let threshold = node.threshold_ns.map_or("n/a".to_owned(), |(low, high)| {
        format!("{low} to {high} ns")
    });
    told.line(format!(
        "  node {} {}: clock class {}, GNSS {}, threshold {threshold}",
        node.node,
        state_word(node.state),
        value(world, node.clock_class, Unit::State),
        value(world, node.gnss, Unit::State),
    ));
    let rows = node.clocks.iter().map(|clock| {
        format!(
            "    {} {} {} role {}: offset {}, greatest offset {}",
            clock.process,
            clock.interface,
            state_word(clock.state.map(|(state, _)| state)),
            or_na(clock.role.as_deref()),
            value(world, clock.offset_ns, Unit::Nanoseconds),
            value(world, clock.max_offset_ns, Unit::Nanoseconds),
        )
    });
    told.rows(rows, ROWS);
    for (process, config, up, restarts) in &node.processes {
        if *up == Some(false) || restarts.is_some_and(|n| n > 0.0) {
            told.line(format!(
                "    process {process} ({config}): {}, restarts {}",
                match up {
                    Some(true) => "up",
                    Some(false) => "DOWN",
                    None => "unknown",
                },
                restarts.map_or("n/a".to_owned(), |n| n.to_string())
            ));
        }
    }
}

pub(super) fn sriov(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        let bad = c.sriov.values().filter(|s| failed(s)).count();
        told.line(format!(
            "cluster {}{}: {} SR-IOV nodes, {bad} not in sync",
            c.name,
            hearing(world, c),
            c.sriov.len()
        ));
        if c.sriov.is_empty() {
            told.line("  no SR-IOV node state is known there");
        }
        for state in c.sriov.values() {
            told.line(format!(
                "  node {}: sync {}{}, desired {}, current {}",
                state.node,
                or_na(state.sync_status.as_deref()),
                state
                    .last_sync_error
                    .as_deref()
                    .map_or(String::new(), |e| format!(" error {e:?}")),
                or_na(state.desired_state.as_deref()),
                or_na(state.current_state.as_deref()),
            ));
            let rows = state.interfaces.iter().map(|i| {
                format!(
                    "    {} {} {} driver {} link {}: VFs possible {}, configured {}, wanted {}, listed {}",
                    i.name,
                    i.pci_address,
                    i.vendor,
                    or_na(i.driver.as_deref()),
                    or_na(i.link()),
                    i.total_vfs,
                    i.num_vfs,
                    i.desired_vfs.map_or("n/a".to_owned(), |n| n.to_string()),
                    i.vfs
                )
            });
            told.rows(rows, ROWS);
        }
    }
}

fn failed(state: &SriovNodeState) -> bool {
    state
        .sync_status
        .as_deref()
        .is_some_and(|status| status != "Succeeded")
}
