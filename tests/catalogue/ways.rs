//! What an exporter's page tells by two ways: scraped by a real Prometheus and asked for with the
//! catalogue's queries, and scraped directly. Both give the same table.

use std::path::Path;

use farwatch::config::{Cluster, Config, Endpoint};
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::sample::Sample;
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

const AT: Timestamp = Timestamp(1_800_000_000_000);

/// Where the pages are read: by the server, and directly at the same address.
pub struct Site<'a> {
    pub prometheus: &'a Prometheus,
    pub instance: &'a str,
    /// Of the operator; its clusters do not count.
    pub config: Config,
}

fn world(site: &Site<'_>) -> World {
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            prometheus: Some(Endpoint::default()),
            ..Cluster::default()
        }],
        ..site.config.clone()
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

/// The catalogue's answers about one page, in these groups.
async fn through(site: &Site<'_>, page: &str, groups: &[Group]) -> World {
    let mut world = world(site);
    let signals = site.config.signals.iter();
    for signal in signals.filter(|s| groups.contains(&s.group)) {
        let body = site.prometheus.body(&of_job(&signal.query, page)).await;
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
fn direct(site: &Site<'_>, page: &str) -> World {
    let mut world = world(site);
    let body = std::fs::read(Path::new(PAGES).join(page)).expect("fixture");
    let mut memory = Memory::new(site.instance, 50_000);
    memory.names = site.config.dpdk.clone();
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

/// A reading in words; `idle`: a histogram without events.
pub fn written(sample: Option<Sample>, unit: Unit) -> String {
    match sample {
        Some(s) if s.value.is_nan() => "idle".into(),
        Some(s) => unit.write(s.value),
        None => "n/a".into(),
    }
}

/// Compares both tables of each page, and keeps them as a snapshot.
pub async fn same_table(
    site: &Site<'_>,
    name: &str,
    pages: &[&str],
    groups: &[Group],
    table: fn(&World) -> String,
) {
    let mut text = String::new();
    for page in pages {
        let through = table(&through(site, page, groups).await);
        let direct = table(&direct(site, page));
        assert_eq!(direct, through, "{page}: directly, and through Prometheus");
        assert!(!direct.is_empty(), "{page} tells nothing");
        text.push_str(&format!("== {page}\n{direct}\n"));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
