//! What both evaluators hold: counters that restart, gauges with NaN and infinities, buckets,
//! uneven scrapes, series that end. The older half lies in blocks, the newer in memory, because
//! staleness markers only come by remote write.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::random::Random;
use super::{Labels, Sample, Series, Timestamp};

/// Start of the data: no multiple of a minute.
pub const START_MS: i64 = 1_700_000_007_123;
const MINUTE_MS: i64 = 60_000;
/// From here on it is written over the wire.
pub const WRITTEN_MS: i64 = START_MS + 120 * MINUTE_MS;
pub const END_MS: i64 = WRITTEN_MS + 90 * MINUTE_MS;
const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// All series in the order of their labels.
pub fn series() -> Vec<Series> {
    let mut random = Random::new(7);
    let mut all = Vec::new();
    for (j, job) in ["api", "db", "web"].into_iter().enumerate() {
        for instance in ["a:1", "b:1", "c\"é:1"].into_iter().take(3 - j % 2) {
            let mut add = |name: &str, more: &[(&str, &str)], points: Vec<(i64, f64)>| {
                let mut pairs = vec![("__name__", name), ("job", job), ("instance", instance)];
                pairs.extend_from_slice(more);
                all.push(of(&pairs, points));
            };
            let r = &mut random;
            add("up", &[], gauge(r, 15_000, |r, _| r.up_to(2) as f64));
            for code in ["200", "404", "500"] {
                let more = [("code", code)];
                add("requests_total", &more, counter(r, 15_000, 7.0, true));
                add("errors_total", &more, counter(r, 30_000, 0.37, false));
            }
            for sensor in ["1", "2"] {
                let more = [("sensor", sensor)];
                add(
                    "temperature",
                    &more,
                    gauge(r, 20_000, |r, _| r.float(-40.0, 90.0)),
                );
                add("odd", &more, gauge(r, 30_000, odd));
            }
            add("uneven", &[], uneven(r));
            add(
                "epoch",
                &[],
                gauge(r, 60_000, |r, _| r.float(-3e9, 5e9).floor()),
            );
            add("level", &[], gauge(r, 60_000, |r, _| r.up_to(4) as f64));
            add(
                "info",
                &[("version", ["1.2", "1.3"][j % 2]), ("zone", "z")],
                gauge(r, 60_000, |_, _| 1.0),
            );
            let mut count = vec![0.0; 500];
            for le in ["0.1", "0.5", "1", "2.5", "+Inf"] {
                let points = counter(r, 15_000, 2.0, false);
                let points = points.into_iter().enumerate().map(|(i, (at, value))| {
                    let so_far = count.get_mut(i).map_or(value, |c| {
                        *c += value;
                        *c
                    });
                    (at, so_far)
                });
                let points = points.collect();
                add("latency_bucket", &[("le", le)], points);
            }
        }
    }
    all.push(of(
        &[("__name__", "alone")],
        gauge(&mut random, 60_000, |r, _| r.float(0.0, 5.0)),
    ));
    all.push(of(
        &[("__name__", "bad_bucket"), ("le", "x")],
        gauge(&mut random, 60_000, |_, _| 3.0),
    ));
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    all
}

fn of(pairs: &[(&str, &str)], points: Vec<(i64, f64)>) -> Series {
    let sample = |(at, value): (i64, f64)| Sample {
        at: Timestamp(at),
        value,
    };
    Series {
        labels: Labels::from_pairs(pairs.iter().copied()),
        points: points.into_iter().map(sample).collect(),
    }
}

/// Times about `every_ms` apart, with a few scrapes missing.
fn times(random: &mut Random, every_ms: i64) -> Vec<i64> {
    let first = START_MS + random.up_to(every_ms as u64) as i64;
    let mut times = Vec::new();
    let mut at = first;
    while at < END_MS {
        if random.up_to(40) != 0 {
            times.push(at + random.up_to(40) as i64);
        }
        at += every_ms;
    }
    times
}

fn gauge(
    random: &mut Random,
    every_ms: i64,
    value: impl Fn(&mut Random, usize) -> f64,
) -> Vec<(i64, f64)> {
    let times = times(random, every_ms);
    let points = times.into_iter().enumerate();
    let points = points.map(|(i, at)| (at, value(random, i))).collect();
    ended(random, points)
}

fn counter(random: &mut Random, every_ms: i64, by: f64, whole: bool) -> Vec<(i64, f64)> {
    let mut value = random.float(0.0, 100.0).floor();
    let times = times(random, every_ms);
    let mut points = Vec::new();
    for at in times {
        let step = random.float(0.0, by * 2.0);
        value += if whole { step.floor() } else { step };
        if random.up_to(60) == 0 {
            value = random.float(0.0, 3.0).floor();
        }
        points.push((at, value));
    }
    ended(random, points)
}

fn odd(random: &mut Random, _: usize) -> f64 {
    match random.up_to(12) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => -0.0,
        4 => 1e308,
        5 => -1e308,
        6 => 1e16,
        7 => 3e-308,
        8 => 0.0,
        _ => random.float(-1e3, 1e3),
    }
}

fn uneven(random: &mut Random) -> Vec<(i64, f64)> {
    let mut at = START_MS;
    let mut points = Vec::new();
    while at < END_MS {
        points.push((at, random.float(-1.0, 1.0)));
        at += random.up_to(9 * MINUTE_MS as u64) as i64 + 1;
    }
    ended(random, points)
}

/// In the newer half some series end, some go on after a while.
fn ended(random: &mut Random, mut points: Vec<(i64, f64)>) -> Vec<(i64, f64)> {
    let newer = points.iter().position(|p| p.0 >= WRITTEN_MS);
    let Some(newer) = newer.filter(|_| random.up_to(3) == 0) else {
        return points;
    };
    let end = newer + 1 + random.up_to((points.len() - newer) as u64) as usize;
    if let Some(point) = points.get_mut(end) {
        point.1 = STALE;
    }
    if random.up_to(2) == 0 {
        points.truncate(end + 1);
    } else {
        let gap = points.len().min(end + 1 + random.up_to(20) as usize);
        points.drain((end + 1).min(gap)..gap);
    }
    points
}

/// The older half as promtool reads it.
pub fn openmetrics(all: &[Series]) -> String {
    let mut text = String::new();
    for series in all {
        let name = series.labels.get("__name__").unwrap_or_default();
        let labels = series.labels.without(&["__name__"]);
        let labels: Vec<String> = labels
            .iter()
            .map(|(n, v)| format!("{n}=\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\"")))
            .collect();
        for point in series.points.iter().filter(|p| p.at.0 < WRITTEN_MS) {
            let (s, ms) = (point.at.0 / 1000, point.at.0 % 1000);
            let value = match point.value {
                v if v.is_nan() => "NaN".to_owned(),
                v if v == f64::INFINITY => "+Inf".to_owned(),
                v if v == f64::NEG_INFINITY => "-Inf".to_owned(),
                v => format!("{v:e}"),
            };
            writeln!(text, "{name}{{{}}} {value} {s}.{ms:03}", labels.join(",")).unwrap();
        }
    }
    text.push_str("# EOF\n");
    text
}

/// The newer half, over the wire, in time order.
pub fn write(port: u16, all: &[Series]) {
    let mut from = WRITTEN_MS;
    while from < END_MS + MINUTE_MS {
        let to = from + 10 * MINUTE_MS;
        let mut request = Vec::new();
        for series in all {
            let mut one = Vec::new();
            for (name, value) in series.labels.iter() {
                let mut label = Vec::new();
                bytes(&mut label, 1, name.as_bytes());
                bytes(&mut label, 2, value.as_bytes());
                bytes(&mut one, 1, &label);
            }
            let points = series
                .points
                .iter()
                .filter(|p| (from..to).contains(&p.at.0));
            for point in points {
                let mut sample = vec![0x09];
                sample.extend(point.value.to_bits().to_le_bytes());
                sample.push(0x10);
                varint(&mut sample, point.at.0 as u64);
                bytes(&mut one, 2, &sample);
            }
            bytes(&mut request, 1, &one);
        }
        post(port, &snappy(&request));
        from = to;
    }
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn bytes(out: &mut Vec<u8>, field: u8, content: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, content.len() as u64);
    out.extend(content);
}

/// Uncompressed, in the frames of the compressed form.
fn snappy(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, content.len() as u64);
    for part in content.chunks(60_000) {
        out.push(61 << 2);
        out.extend(((part.len() - 1) as u16).to_le_bytes());
        out.extend(part);
    }
    out
}

fn post(port: u16, body: &[u8]) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "POST /api/v1/write HTTP/1.0\r\nhost: localhost\r\ncontent-encoding: snappy\r\n\
         content-type: application/x-protobuf\r\nx-prometheus-remote-write-version: 0.1.0\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(body).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 204 "), "{answer}");
}
