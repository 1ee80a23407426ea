//! Each GPU and vLLM page by two ways: scraped by a real Prometheus and asked for with the
//! catalogue's queries, and scraped directly. Both give the same table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use farwatch::config::{Cluster, Config, Endpoint, signal};
use farwatch::model::gpu::Gpu;
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::sample::Sample;
use farwatch::model::serving::{Latency, Serving};
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;
use farwatch::model::unit::Unit;
use farwatch::source::exposition::Format;
use farwatch::source::prometheus::read_query;
use farwatch::source::scrape::Memory;
use farwatch::state::world::World;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::Expr;

use super::{PAGES, Prometheus};

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

const AT: Timestamp = Timestamp(1_800_000_000_000);

fn world() -> World {
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            prometheus: Some(Endpoint::default()),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    World::new(&config, AT)
}

fn take(world: &mut World, batch: SampleBatch) {
    world.ingest(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Prometheus,
        received: batch.at,
        body: Body::Samples(batch),
    });
}

/// The query asked of one job only.
fn of_job(query: &str, job: &str) -> String {
    let mut expression = promql_parser::parser::parse(query).expect(query);
    narrow(&mut expression, job);
    expression.to_string()
}

fn narrow(expression: &mut Expr, job: &str) {
    let own = || Matcher::new(MatchOp::Equal, "job", job);
    match expression {
        Expr::VectorSelector(v) => v.matchers.matchers.push(own()),
        Expr::MatrixSelector(m) => m.vs.matchers.matchers.push(own()),
        Expr::Aggregate(a) => narrow(&mut a.expr, job),
        Expr::Unary(u) => narrow(&mut u.expr, job),
        Expr::Binary(b) => {
            narrow(&mut b.lhs, job);
            narrow(&mut b.rhs, job);
        }
        Expr::Paren(p) => narrow(&mut p.expr, job),
        Expr::Subquery(s) => narrow(&mut s.expr, job),
        Expr::Call(c) => c.args.args.iter_mut().for_each(|e| narrow(e, job)),
        _ => {}
    }
}

/// The catalogue's answers about one page.
async fn through(prometheus: &Prometheus, page: &str) -> World {
    let mut world = world();
    let catalogue = signal::built_in();
    let wanted = |g| matches!(g, Group::Gpu | Group::Serving);
    for signal in catalogue.signals.iter().filter(|s| wanted(s.group)) {
        let body = prometheus.body(&of_job(&signal.query, page)).await;
        let answer = read_query(&body, &signal.name, 20_000)
            .unwrap_or_else(|e| panic!("{}: {e:?}", signal.name));
        if answer.series.is_empty() {
            continue;
        }
        let newest = answer.series.iter().filter_map(|s| s.points.last());
        let at = newest.map(|s| s.at).max().unwrap_or(AT);
        let batch = SampleBatch {
            group: signal.group,
            name: signal.name.clone(),
            query: signal.query.clone(),
            at,
            interval_ms: 15_000,
            backfill: false,
            series: answer.series,
            cut_from: None,
        };
        take(&mut world, batch);
    }
    world
}

/// The page itself, twice: rates need two points.
fn direct(page: &str, instance: &str) -> World {
    let mut world = world();
    let body = std::fs::read(Path::new(PAGES).join(page)).expect("fixture");
    let mut memory = Memory::new(instance, 50_000);
    for at in [AT, AT.plus_ms(15_000)] {
        let (summary, groups) = memory.read(&body, Format::Text, true, at);
        assert_eq!(summary.bad_lines, 0, "{page}");
        for (group, series) in groups {
            let batch = SampleBatch {
                group,
                name: "direct".into(),
                query: "direct".into(),
                at,
                interval_ms: 15_000,
                backfill: false,
                series,
                cut_from: None,
            };
            take(&mut world, batch);
        }
    }
    world
}

fn written(sample: Option<Sample>, unit: Unit) -> String {
    match sample {
        Some(s) if s.value.is_nan() => "idle".into(),
        Some(s) => unit.write(s.value),
        None => "n/a".into(),
    }
}

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
        g.pods
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
        g.recovery,
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

fn table(world: &World) -> String {
    let cluster = world.cluster(ClusterId(0)).expect("there");
    let mut out = String::new();
    cluster.gpus.iter().for_each(|g| gpu(&mut out, g));
    cluster.serving.iter().for_each(|s| model(&mut out, s));
    out
}

/// An idle histogram has no percentile either way: 0/0 there, nothing here.
fn plain(text: &str) -> String {
    text.replace("idle", "n/a")
}

pub(super) async fn both_ways_give_the_same_table(prometheus: &Prometheus, instance: &str) {
    let mut tables = BTreeMap::new();
    for page in GPU_PAGES {
        let through = plain(&table(&through(prometheus, page).await));
        let direct = plain(&table(&direct(page, instance)));
        assert_eq!(direct, through, "{page}: directly, and through Prometheus");
        assert!(!direct.is_empty(), "{page} tells nothing");
        tables.insert(page, direct);
    }
    let text: String = tables
        .iter()
        .map(|(page, table)| format!("== {page}\n{table}\n"))
        .collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("gpu_tables", text));
}
