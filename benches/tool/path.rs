//! The whole way of many series: the bytes of a server's answers are parsed, stored and judged.

use std::fmt::Write as _;

use farwatch::config::{Cluster, Config, Endpoint, Limits};
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::signal::{Group, Signal};
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;
use farwatch::source::prometheus::read_query;
use farwatch::state::world::World;

use crate::tool::{Goal, cpu, judged, median, resident, told};

const CLUSTERS: u16 = 20;
/// Series of one answer.
const ANSWER: usize = 2_500;
const STEP_MS: i64 = 30_000;
/// Rounds that are measured, after those in which the series become known.
const MEASURED: i64 = 20;
/// One series of so many breaks in the middle of what is measured.
const BREAKS: usize = 5_000;

/// So many series in rounds of thirty seconds; processor time of the last ones.
pub fn path(series: usize, warm: i64) {
    let config = config();
    let begin = Timestamp(1_800_000_000_000);
    let mut world = World::new(&config, begin);
    let before = resident();
    let polls = polls(&config, series);
    let (mut parses, mut takes, mut longest) = (Vec::new(), Vec::new(), 0.0_f64);
    let mut body = String::new();
    let mut flagged = 0;
    for round in 0..warm + MEASURED {
        let at = begin.plus_ms(round * STEP_MS);
        let (mut parse, mut take) = (0.0, 0.0);
        for (poll, signal) in polls.iter().enumerate() {
            let cluster = (poll % usize::from(CLUSTERS)) as u16;
            let broken = round >= warm + MEASURED / 2;
            answer(&mut body, (poll, unit(signal)), (round, broken), at);
            let mut telemetry = None;
            parse += cpu(|| telemetry = Some(read(body.as_bytes(), cluster, signal, at)));
            let telemetry = telemetry.take().expect("an answer");
            let took = cpu(|| world.ingest(telemetry));
            take += took;
            if round >= warm {
                longest = longest.max(took);
            }
        }
        take += cpu(|| world.tick(at));
        let findings = world.incidents.iter().map(|i| i.findings.len());
        flagged = flagged.max(findings.sum());
        if round >= warm {
            parses.push(parse);
            takes.push(take);
        }
    }
    let (held, bytes, _) = world.store.usage();
    assert_eq!(held, polls.len() * ANSWER, "all series are held");
    report(held, median(parses), median(takes), longest);
    let broke = held / BREAKS;
    let what = format!("path: flagged of {broke} series that broke");
    let all = broke as f64;
    judged(&what, flagged as f64, "series", Goal::Least(all, all));
    let points = bytes as f64 / held as f64;
    told("path: points and labels of a series", points, "B");
    let all = (resident() - before) / held as f64;
    told("path: resident memory of a series", all, "B");
}

fn report(held: usize, parse: f64, take: f64, longest: f64) {
    println!("{held} series each 30 s in answers of {ANSWER}");
    let a_series = |ns: f64| ns / held as f64;
    told("path: parsed, off the loop", a_series(parse), "ns a series");
    told("path: stored and judged", a_series(take), "ns a series");
    told(
        "path: the longest answer on the loop",
        longest / 1e6,
        "ms CPU",
    );
    // A core has thirty seconds for a million series.
    let share = a_series(parse + take) * 1e6 / 30e9 * 100.0;
    let what = "path: 1,000,000 series each 30 s, bytes to flag";
    judged(what, share, "% of a core", Goal::Most(25.0, 10.0));
}

fn config() -> Config {
    let cluster = |i: u16| Cluster {
        name: format!("cluster-{i:02}"),
        prometheus: Some(Endpoint::default()),
        ..Cluster::default()
    };
    Config {
        clusters: (0..CLUSTERS).map(cluster).collect(),
        limits: Limits {
            series_bytes: 0,
            series_per_cluster: 0,
            ..Limits::default()
        },
        ..Config::default()
    }
}

/// The signal of each answer: those of the catalogue that are compared with their past, in turn.
fn polls(config: &Config, series: usize) -> Vec<Signal> {
    let plain = |s: &&Signal| {
        s.learn && s.limit.is_none() && matches!(s.group, Group::Cluster | Group::Workload)
    };
    let signals: Vec<&Signal> = config.signals.iter().filter(plain).collect();
    let polls = (0..series / ANSWER).map(|poll| {
        let turn = poll / usize::from(CLUSTERS);
        (*signals.get(turn % signals.len()).expect("signals")).clone()
    });
    polls.collect()
}

/// What a change of the signal must exceed to matter: the figures are made of it, so that a break is
/// one for a signal in bits a second as well as for a share of time.
fn unit(signal: &Signal) -> f64 {
    match signal.floor > 0.0 {
        true => signal.floor,
        false => 1.0,
    }
}

/// What Prometheus answers to an instant query of this many pods.
fn answer(
    body: &mut String,
    (poll, unit): (usize, f64),
    (round, broken): (i64, bool),
    at: Timestamp,
) {
    body.clear();
    body.push_str(r#"{"status":"success","data":{"resultType":"vector","result":["#);
    let seconds = at.0 / 1000;
    for row in 0..ANSWER {
        let series = poll * ANSWER + row;
        let mixed = (round * 31 + series as i64).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64);
        let noise = ((mixed >> 40) & 0xffff) as f64 / 65_536.0;
        let level = if broken && series % BREAKS == 7 {
            450.0
        } else {
            1.5
        };
        let value = unit * (level + noise * 0.1);
        let comma = if row == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"metric":{{"namespace":"team-{:02}","node":"worker-{:03}.example.net","pod":"checkout-7d9f8c6b5-{series:07}"}},"value":[{seconds}.281,"{value}"]}}"#,
            row % 40,
            row % 200,
        );
    }
    body.push_str("]}}");
}

fn read(body: &[u8], cluster: u16, signal: &Signal, at: Timestamp) -> Telemetry {
    let answer = read_query(body, &signal.name, usize::MAX).expect("an answer");
    Telemetry {
        cluster: ClusterId(cluster),
        source: SourceKind::Prometheus,
        received: at,
        body: Body::Samples(SampleBatch {
            group: signal.group,
            name: signal.name.clone(),
            query: signal.query.clone(),
            at,
            interval_ms: STEP_MS as u32,
            backfill: false,
            series: answer.series,
            cut_from: None,
        }),
    }
}
