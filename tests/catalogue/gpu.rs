//! Each GPU and vLLM page by two ways, as one table.

use std::fmt::Write as _;

use farwatch::model::gpu::Gpu;
use farwatch::model::id::ClusterId;
use farwatch::model::serving::{Latency, Serving};
use farwatch::model::signal::Group;
use farwatch::model::unit::Unit;
use farwatch::state::world::World;

use super::ways::{Site, same_table, written};

/// What each page may be asked about; a page has series of its own group only.
const GPU_PAGES: [&str; 12] = [
    "amd_8xmi300x.prom",
    "amd_mi300x_cpx_prefix.prom",
    "dcgm_46_field_names.prom",
    "dcgm_4xa100_pods.prom",
    "dcgm_8xh100_mig.prom",
    "dcgm_old_namespace.prom",
    "dcgm_timeslicing.prom",
    "dcgm_xid_throttle.prom",
    "intel_xpumd2.prom",
    "vllm_dp2_overloaded.prom",
    "vllm_single.prom",
    "vllm_v0_legacy.prom",
];

fn gpu(out: &mut String, g: &Gpu) {
    let v = |s, unit| written(s, unit);
    let number = |n: Option<f64>, unit: Unit| n.map_or("n/a".into(), |n| unit.write(n));
    let flag = |b: Option<bool>| b.map_or("n/a", |b| if b { "yes" } else { "no" });
    let pod = g
        .pod
        .as_ref()
        .map_or("-".into(), |(n, p)| format!("{n}/{p}"));
    let _ = writeln!(
        out,
        "{} {} {} pod {pod} x{}",
        g.label(),
        g.vendor,
        g.model.as_deref().unwrap_or("n/a"),
        g.holders.len()
    );
    let _ = writeln!(
        out,
        "  util {} engine {} tensor {} dram {} activity {} enc {} dec {}",
        v(g.utilisation, Unit::Percent),
        v(g.engine_active, Unit::Ratio),
        v(g.tensor_active, Unit::Ratio),
        v(g.dram_active, Unit::Ratio),
        v(g.memory_activity, Unit::Percent),
        v(g.encoder, Unit::Percent),
        v(g.decoder, Unit::Percent),
    );
    let _ = writeln!(
        out,
        "  memory {} of {} temp {} mem {} power {} of {} clocks {} {}",
        v(g.memory_used_mib, Unit::Mebibytes),
        number(g.memory_total_mib, Unit::Mebibytes),
        v(g.temperature_c, Unit::Celsius),
        v(g.memory_temperature_c, Unit::Celsius),
        v(g.power_w, Unit::Watts),
        number(g.power_limit_w, Unit::Watts),
        v(g.sm_clock_mhz, Unit::Megahertz),
        v(g.memory_clock_mhz, Unit::Megahertz),
    );
    let _ = writeln!(
        out,
        "  pcie {} {} replays {} link {} errors {} cut {:?}",
        v(g.pcie_sent, Unit::BytesPerSecond),
        v(g.pcie_received, Unit::BytesPerSecond),
        v(g.pcie_replays, Unit::PerSecond),
        v(g.link, Unit::BytesPerSecond),
        v(g.link_errors, Unit::PerSecond),
        g.peers_cut,
    );
    let _ = writeln!(
        out,
        "  xid {:?} held {:?} heat {} power {} ecc {} {} rows {} {} pending {} failed {} healthy {} {:?} {:?}",
        g.xid,
        g.throttle,
        v(g.thermal_share, Unit::Ratio),
        v(g.power_share, Unit::Ratio),
        number(g.ecc_corrected, Unit::None),
        number(g.ecc_uncorrected, Unit::None),
        number(g.remapped_corrected, Unit::None),
        number(g.remapped_uncorrected, Unit::None),
        flag(g.remap_pending),
        flag(g.row_remap_failure),
        flag(g.healthy),
        g.checks,
        g.recovery.map(|action| &action.word),
    );
}

fn model(out: &mut String, s: &Serving) {
    let v = |s, unit| written(s, unit);
    let three = |l: &Latency| {
        let each = [l.p50, l.p95, l.p99].map(|s| written(s, Unit::Seconds));
        each.join(" ")
    };
    let _ = writeln!(
        out,
        "{} engines {} running {} waiting {} swapped {} cache {} asleep {:?} prefix {}",
        s.model,
        s.engines,
        v(s.running, Unit::None),
        v(s.waiting, Unit::None),
        v(s.swapped, Unit::None),
        v(s.kv_cache, Unit::Ratio),
        s.asleep,
        v(s.prefix_hits, Unit::Ratio),
    );
    let _ = writeln!(
        out,
        "  tokens {} {} preempted {} rejected {} ttft {} itl {} e2e {} queue {}",
        v(s.prompt_tokens_per_s, Unit::PerSecond),
        v(s.generation_tokens_per_s, Unit::PerSecond),
        v(s.preemptions_per_s, Unit::PerSecond),
        v(s.rejected_per_s, Unit::PerSecond),
        three(&s.ttft),
        three(&s.itl),
        three(&s.e2e),
        v(s.queue_p95_s, Unit::Seconds),
    );
    for (reason, rate) in &s.finished {
        let _ = writeln!(out, "  {reason} {}", v(Some(*rate), Unit::PerSecond));
    }
}

/// An idle histogram has no percentile either way: 0/0 there, nothing here.
fn table(world: &World) -> String {
    let cluster = world.cluster(ClusterId(0)).expect("there");
    let mut out = String::new();
    cluster.gpus.iter().for_each(|g| gpu(&mut out, g));
    cluster.serving.iter().for_each(|s| model(&mut out, s));
    out.replace("idle", "n/a")
}

pub(super) async fn both_ways_give_the_same_table(site: &Site<'_>) {
    let groups = [Group::Gpu, Group::Serving];
    same_table(site, "gpu_tables", &GPU_PAGES, &groups, table).await;
}

/// What is aggregated without the labels of a part would be told of a device of its own.
#[test]
fn an_aggregate_that_becomes_a_reading_keeps_the_part_it_is_told_of() {
    let catalogue = farwatch::config::signal::built_in();
    let own = |name: &str| farwatch::model::gpu::names().any(|reading| reading == name);
    let mut seen = 0;
    for signal in catalogue.signals.iter().filter(|s| own(&s.name)) {
        for labels in signal.query.split(" by (").skip(1) {
            let labels = labels.split(')').next().unwrap_or("");
            let kept: Vec<&str> = labels.split(", ").collect();
            let part = match kept.contains(&"gpu_id") {
                true => ["gpu_compute_partition_type", "gpu_partition_id"],
                false if kept.contains(&"gpu") => ["GPU_I_PROFILE", "GPU_I_ID"],
                false => continue,
            };
            seen += 1;
            let whole = part.iter().all(|label| kept.contains(label));
            assert!(whole, "{}: {labels}", signal.name);
        }
    }
    assert!(seen > 5, "{seen}");
}
