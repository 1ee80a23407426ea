//! What both evaluators say, in one form, and how two answers differ.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value as Json;

use super::{Labels, Sample, Series, Timestamp};

/// What both say, in one form.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Series by their labels, points by their time, values as bits: all NaN are one.
    Series(Vec<(String, Vec<(i64, u64)>)>),
    Text(String),
    /// Whether the text is no query, and the words.
    Error(bool, String),
}

pub fn bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

pub fn single(labels: String, at: i64, value: f64) -> (Said, Vec<u64>) {
    (
        Said::Series(vec![(labels, vec![(at, bits(value))])]),
        vec![bits(value)],
    )
}

pub fn said(all: Vec<Series>) -> (Said, Vec<u64>) {
    let order = all.iter().filter_map(|s| s.points.first());
    // Zeros of both signs are equal, and equal ones come in any order.
    let order = order.map(|p| bits(p.value + 0.0)).collect();
    let mut all: Vec<_> = all
        .into_iter()
        .map(|s| {
            let points = s.points.iter().map(|p| (p.at.0, bits(p.value)));
            (s.labels.to_string(), points.collect())
        })
        .collect();
    all.sort();
    (Said::Series(all), order)
}

pub fn theirs(answer: &Json) -> (Said, Vec<u64>) {
    if answer["status"] != "success" {
        let words = answer["error"].as_str().unwrap_or_default().to_owned();
        let parse = answer["errorType"] == "bad_data" && words.contains("parse error");
        return (Said::Error(parse, words), Vec::new());
    }
    let result = &answer["data"]["result"];
    let point = |p: &Json| {
        let at = (p[0].as_f64().unwrap() * 1000.0).round() as i64;
        (at, p[1].as_str().unwrap().parse::<f64>().unwrap())
    };
    match answer["data"]["resultType"].as_str().unwrap() {
        "string" => (Said::Text(result[1].as_str().unwrap().into()), Vec::new()),
        "scalar" => {
            let (at, value) = point(result);
            single("{}".into(), at, value)
        }
        _ => {
            let one = |s: &Json| {
                let labels = s["metric"].as_object().unwrap().iter();
                let labels = labels.map(|(n, v)| (n.as_str(), v.as_str().unwrap()));
                let points = match s["values"].as_array() {
                    Some(values) => values.iter().map(point).collect(),
                    None => vec![point(&s["value"])],
                };
                let sample = |(at, value)| Sample {
                    at: Timestamp(at),
                    value,
                };
                Series {
                    labels: Labels::from_pairs(labels),
                    points: points.into_iter().map(sample).collect(),
                }
            };
            said(result.as_array().unwrap().iter().map(one).collect())
        }
    }
}

/// The body of the answer, whatever its status.
pub fn ask(port: u16, path: &str, query: &str) -> String {
    let mut form = String::from("query=");
    for byte in query.bytes() {
        form.push_str(&format!("%{byte:02x}"));
    }
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (path, more) = path.split_once('?').unwrap();
    let form = format!("{form}&{more}");
    let head = format!(
        "POST /api/v1/{path} HTTP/1.0\r\nhost: localhost\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(form.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Equal but for the last digits of the values.
pub fn near(a: &Said, b: &Said) -> bool {
    let (Said::Series(a), Said::Series(b)) = (a, b) else {
        return matches!((a, b), (Said::Error(..), Said::Error(..)));
    };
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let value = |a: u64, b: u64| {
                let (a, b) = (f64::from_bits(a), f64::from_bits(b));
                a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) || a.is_nan() && b.is_nan()
            };
            a.0 == b.0
                && a.1.len() == b.1.len()
                && a.1
                    .iter()
                    .zip(&b.1)
                    .all(|(a, b)| a.0 == b.0 && value(a.1, b.1))
        })
}

pub fn unsigned(said: &Said) -> Said {
    let mut said = said.clone();
    if let Said::Series(all) = &mut said {
        let points = all.iter_mut().flat_map(|(_, points)| points);
        points.for_each(|(_, value)| *value = bits(f64::from_bits(*value) + 0.0));
    }
    said
}

/// Which of several series is met first is left to chance.
pub fn unnamed(words: &str) -> String {
    match words.split_once(" for the match group ") {
        Some((before, after)) => {
            let side = if after.contains(" on the left hand-side") {
                "left"
            } else {
                "right"
            };
            let end = after.rsplit_once("];").map_or("", |(_, end)| end);
            format!("{before} {side} {end}")
        }
        None => words.to_owned(),
    }
}

pub fn difference(ours: &Said, theirs: &Said) -> String {
    let (Said::Series(ours), Said::Series(theirs)) = (ours, theirs) else {
        let cut = |said: &Said| format!("{said:?}").chars().take(400).collect::<String>();
        return format!("  ours   {}\n  theirs {}", cut(ours), cut(theirs));
    };
    let lines = |all: &[(String, Vec<(i64, u64)>)]| -> Vec<String> {
        let line = |l: &String, p: &(i64, u64)| format!("{l} {} {:?}", p.0, f64::from_bits(p.1));
        all.iter()
            .flat_map(|(l, points)| points.iter().map(move |p| line(l, p)))
            .collect()
    };
    let (ours, theirs) = (lines(ours), lines(theirs));
    let only = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter()
            .filter(|l| !b.contains(l))
            .take(3)
            .cloned()
            .collect()
    };
    format!(
        "  {} and {} points\n  only ours   {:#?}\n  only theirs {:#?}",
        ours.len(),
        theirs.len(),
        only(&ours, &theirs),
        only(&theirs, &ours)
    )
}
