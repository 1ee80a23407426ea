//! How fast bodies become what is kept, beside the usual libraries, in one run.

mod tool;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::hint::black_box;

use farwatch::model::id::ClusterId;
use farwatch::model::sample::SampleKind;
use farwatch::model::signal::Group;
use farwatch::model::time::Timestamp;
use farwatch::pattern::Miner;
use farwatch::source::exposition::{self, Format, Options};
use farwatch::source::loki;
use farwatch::source::prometheus::read_query;
use farwatch::source::scrape::Memory;
use farwatch::store::logs::LogRing;
use farwatch::store::{Origin, Store};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use tool::{Duel, Goal, duel, heap, judged, time, told, wanted};

const ROUNDS: usize = 9;

fn main() {
    if wanted("exposition") {
        scraped();
    }
    if wanted("matrix") {
        matrix();
    }
    if wanted("streams") {
        streams();
    }
    if wanted("patterns") {
        patterns();
    }
}

/// The pattern of each line, on one core, all patterns known after the first round.
fn patterns() {
    let lines = loki::streams(logs().as_bytes()).expect("lines");
    let mut miner = Miner::default();
    let took = time(ROUNDS, || {
        for line in &lines {
            black_box(miner.line(&line.line));
        }
    });
    let a_second = lines.len() as f64 / took * 1e9;
    judged(
        "patterns: lines",
        a_second,
        "/s",
        Goal::Least(300_000.0, 1_000_000.0),
    );
    told("patterns: told apart", miner.len() as f64, "");
}

fn show(what: &str, duel: &Duel, bytes: usize, count: usize, goal: Goal) {
    let (ratio, least, most) = duel.ratio;
    judged(&format!("{what}: times the peer"), ratio, "x", goal);
    told(
        &format!("{what}: least and most of the rounds"),
        least,
        &format!("to {most:.1}"),
    );
    told(
        &format!("{what}: ours"),
        bytes as f64 / duel.ours * 1e3,
        "MB/s",
    );
    told(
        &format!("{what}: the peer"),
        bytes as f64 / duel.peer * 1e3,
        "MB/s",
    );
    told(
        &format!("{what}: ours, each"),
        duel.ours / count as f64,
        "ns",
    );
}

/// A page as a large GPU site has it: 24 000 samples with six labels, 5 MB.
fn page() -> String {
    let mut body = String::new();
    for m in 0..300 {
        let _ = writeln!(
            body,
            "# HELP DCGM_FI_DEV_F{m:03} x\n# TYPE DCGM_FI_DEV_F{m:03} gauge"
        );
        for g in 0..80 {
            let _ = writeln!(
                body,
                "DCGM_FI_DEV_F{m:03}{{gpu=\"{g}\",UUID=\"GPU-{g:08x}-1111-2222-3333-444444444444\",modelName=\"NVIDIA H100 80GB HBM3\",Hostname=\"node-{:03}\",exported_namespace=\"ml-{}\",exported_pod=\"train-{g}-{m}-abcdefghijklmnopqrstuvwxyz\"}} {}.5",
                g / 8,
                g % 7,
                g * m
            );
        }
    }
    body
}

/// From a scrape's body to points in the store, as an exporter is read every time.
fn scraped() {
    let body = page();
    let samples = body.lines().filter(|l| !l.starts_with('#')).count();
    let mut memory = Memory::new("node-1:9400", usize::MAX);
    let mut store = Store::new(0, 0, 3_600_000);
    let mut at = Timestamp(0);
    let mut ours = || {
        at = at.plus_ms(15_000);
        let (_, groups) = memory.read(body.as_bytes(), Format::Text, true, at);
        for (group, series) in &groups {
            for one in series {
                let origin = Origin {
                    cluster: ClusterId(0),
                    group: *group,
                    kind: one.kind,
                    interval_ms: 15_000,
                };
                for point in &one.points {
                    if let Some(id) = store.series(origin, &one.key, *point) {
                        store.put(id, *point);
                    }
                }
            }
        }
        groups.iter().map(|g| g.1.len()).sum::<usize>()
    };
    assert_eq!(ours(), samples);
    let alone = time(ROUNDS, || {
        exposition::parse(body.as_bytes(), Options::default(), |s, _| {
            black_box(s.value);
        })
    });
    told(
        "exposition, its text alone, each",
        alone / samples as f64,
        "ns",
    );
    let mut apart = Memory::new("node-1:9400", usize::MAX);
    let read = time(ROUNDS, || {
        apart.read(body.as_bytes(), Format::Text, true, Timestamp(0))
    });
    told(
        "exposition, text to series, each",
        read / samples as f64,
        "ns",
    );
    let peer = || {
        let lines = body.lines().map(|l| Ok(l.to_owned()));
        prometheus_parse::Scrape::parse(lines)
            .expect("a page that it can read")
            .samples
            .len()
    };
    assert_eq!(peer(), samples);
    let all = duel(ROUNDS, ours, peer);
    show(
        "exposition, scrape to store",
        &all,
        body.len(),
        samples,
        Goal::Least(10.0, 16.0),
    );
}

const ROWS: usize = 2_000;
const STEPS: usize = 240;

/// Two thousand series with an hour of points, 13.5 MB.
fn answer() -> String {
    let mut body = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for row in 0..ROWS {
        let comma = if row == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"metric":{{"__name__":"DCGM_FI_DEV_POWER_USAGE","Hostname":"gpu-{:04}","gpu":"{}","UUID":"GPU-{row:08x}-1111-2222-3333-444444444444"}},"values":["#,
            row / 8,
            row % 8
        );
        for step in 0..STEPS {
            let comma = if step == 0 { "" } else { "," };
            let mixed = (row * 7_919 + step * 104_729) % 1_000_003;
            let at = 1_795_231_090 + step * 15;
            let _ = match row % 3 {
                0 => write!(body, r#"{comma}[{at}.902,"{}"]"#, mixed % 700),
                1 => write!(body, r#"{comma}[{at}.902,"{:.2}"]"#, mixed as f64 / 1_000.0),
                _ => write!(
                    body,
                    r#"{comma}[{at}.902,"{}"]"#,
                    mixed as f64 / 1_000_003.0
                ),
            };
        }
        body.push_str("]}");
    }
    body.push_str("]}}");
    body
}

/// What a careful reader writes with serde: no tree, values straight to numbers.
mod typed {
    use super::*;

    #[derive(Deserialize)]
    pub struct Answer<'a> {
        #[serde(borrow)]
        pub data: Data<'a>,
    }

    #[derive(Deserialize)]
    pub struct Data<'a> {
        #[serde(borrow)]
        pub result: Vec<Row<'a>>,
    }

    #[derive(Deserialize)]
    pub struct Row<'a> {
        #[serde(borrow)]
        pub metric: BTreeMap<&'a str, &'a str>,
        pub values: Vec<Pair>,
    }

    pub struct Pair(pub i64, pub f64);

    impl<'de> Deserialize<'de> for Pair {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Two;
            impl<'de> Visitor<'de> for Two {
                type Value = Pair;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a pair")
                }
                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pair, A::Error> {
                    let missing = || serde::de::Error::custom("short");
                    let at: f64 = seq.next_element()?.ok_or_else(missing)?;
                    let value: &str = seq.next_element()?.ok_or_else(missing)?;
                    let value = value.parse().map_err(serde::de::Error::custom)?;
                    Ok(Pair((at * 1_000.0) as i64, value))
                }
            }
            deserializer.deserialize_tuple(2, Two)
        }
    }
}

fn matrix() {
    let body = answer();
    let points = ROWS * STEPS;
    let ours = || read_query(body.as_bytes(), "x", usize::MAX).expect("an answer");
    let peer = || serde_json::from_slice::<typed::Answer>(body.as_bytes()).expect("an answer");
    let read = ours();
    assert_eq!(
        read.series.iter().map(|s| s.points.len()).sum::<usize>(),
        points
    );
    let theirs = peer();
    for (a, b) in read.series.iter().zip(&theirs.data.result) {
        assert_eq!(a.key.labels.get("UUID"), b.metric.get("UUID").copied());
        let same = a
            .points
            .iter()
            .zip(&b.values)
            .all(|(a, b)| a.at.0 - b.0 <= 1 && a.value == b.1);
        assert!(same, "other points than serde_json reads");
    }
    drop((read, theirs));
    let both = duel(ROUNDS, ours, peer);
    show(
        "matrix, against serde_json typed",
        &both,
        body.len(),
        points,
        Goal::Least(1.0, 4.0),
    );
    let fast = || sonic_rs::from_slice::<typed::Answer>(body.as_bytes()).expect("an answer");
    let store = || {
        let answer = ours();
        let mut store = Store::new(0, 0, 3_600_000);
        for series in &answer.series {
            let origin = Origin {
                cluster: ClusterId(0),
                group: Group::Gpu,
                kind: SampleKind::Gauge,
                interval_ms: 15_000,
            };
            let id = series
                .points
                .first()
                .and_then(|p| store.series(origin, &series.key, *p));
            for point in &series.points {
                if let Some(id) = id {
                    store.put(id, *point);
                }
            }
        }
        store
    };
    let stored = duel(ROUNDS, store, fast);
    show(
        "matrix stored, against sonic-rs that only reads",
        &stored,
        body.len(),
        points,
        Goal::Least(0.5, 1.0),
    );
    let (heap, _) = heap(|| read_query(body.as_bytes(), "x", usize::MAX));
    let peak = (body.len() + heap.peak) as f64 / body.len() as f64;
    judged(
        "matrix: most memory, body and result",
        peak,
        "x the body",
        Goal::Most(2.0, 1.2),
    );
    told("matrix: allocations", heap.allocations as f64, "");
    // Reading is no work of the loop (source/prometheus/api.rs: a thread of its own); this is how
    // long the loop would stand if it were.
    told(
        "matrix: 10 MB take, off the loop",
        both.ours / body.len() as f64 * 10.0,
        "ms",
    );
}

/// 72 800 lines in twenty streams: JSON, logfmt and access logs, some with escapes; 10 MB.
fn logs() -> String {
    let mut body = String::from(r#"{"status":"success","data":{"resultType":"streams","result":["#);
    for stream in 0..20 {
        let comma = if stream == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"stream":{{"namespace":"team-{}","pod":"api-{stream}-7d9f8c6b5-abcde","container":"main","detected_level":"info"}},"values":["#,
            stream % 4
        );
        for line in 0..3_640 {
            let comma = if line == 0 { "" } else { "," };
            let at = 1_795_231_090_902_000_000_u64 + line * 1_000_003 + stream;
            let text = match line % 3 {
                0 => format!(
                    r#"{{\"level\":\"info\",\"msg\":\"request done\",\"id\":{line},\"took\":\"{}ms\"}}"#,
                    line % 97
                ),
                1 => format!(
                    "time=2026-11-21T14:32:07Z level=info msg=reconciled object=team-{stream}/cm-{line} generation={line}"
                ),
                _ => format!(
                    "10.1.{stream}.7 - - [21/Nov/2026:14:32:07 +0000] GET /api/v1/items/{line} HTTP/1.1 200 {} 0.00{}",
                    line * 7,
                    line % 10
                ),
            };
            let _ = write!(body, r#"{comma}["{at}","{text}"]"#);
        }
        body.push_str("]}");
    }
    body.push_str("]}}");
    body
}

mod entries {
    use super::*;

    #[derive(Deserialize)]
    pub struct Answer<'a> {
        #[serde(borrow)]
        pub data: Data<'a>,
    }

    #[derive(Deserialize)]
    pub struct Data<'a> {
        #[serde(borrow)]
        pub result: Vec<Stream<'a>>,
    }

    #[derive(Deserialize)]
    pub struct Stream<'a> {
        #[serde(borrow)]
        pub stream: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
        #[serde(borrow)]
        pub values: Vec<Entry<'a>>,
    }

    #[derive(Deserialize)]
    pub struct Entry<'a>(
        #[serde(deserialize_with = "number")] pub u64,
        #[serde(borrow)] pub Cow<'a, str>,
    );

    fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn streams() {
    let body = logs();
    let ours = || loki::streams(body.as_bytes()).expect("lines");
    let peer = || sonic_rs::from_slice::<entries::Answer>(body.as_bytes()).expect("lines");
    let (read, theirs) = (ours(), peer());
    let count = read.len();
    let all = theirs.data.result.iter().flat_map(|s| {
        assert!(s.stream.contains_key("pod"));
        &s.values
    });
    for (a, b) in read.iter().zip(all) {
        assert_eq!((a.at_ns, &*a.line), (b.0 as i64, &*b.1));
    }
    drop(black_box((read, theirs)));
    let both = duel(ROUNDS, ours, peer);
    show(
        "streams, against sonic-rs typed",
        &both,
        body.len(),
        count,
        Goal::Least(1.0, 2.0),
    );
    let (held, lines) = heap(|| loki::streams(body.as_bytes()).expect("lines"));
    told(
        "streams: allocations a line",
        held.allocations as f64 / count as f64,
        "",
    );
    let mut miner = Miner::default();
    let mined = time(ROUNDS, || lines.iter().map(|l| miner.line(&l.line).0).max());
    drop(lines);
    // As an answer is taken: parsed, put in order, packed. Patterns are found when they are shown.
    let stored = || LogRing::of(loki::streams(body.as_bytes()).expect("lines"));
    let (held, ring) = heap(stored);
    judged(
        "streams stored: most memory, without the body",
        held.peak as f64 / held.kept as f64,
        "x the end",
        Goal::Most(2.0, 1.5),
    );
    drop(ring);
    let both = duel(ROUNDS, stored, peer);
    judged(
        "streams stored: times the peer that only reads",
        both.ratio.0,
        "x",
        Goal::Least(0.5, 1.0),
    );
    told("streams stored: each line", both.ours / count as f64, "ns");
    told(
        "streams stored: its pattern, once it is wanted",
        mined / count as f64,
        "ns",
    );
    told(
        "streams stored, patterns found at once: times the peer",
        both.peer / (both.ours + mined),
        "x",
    );
}
