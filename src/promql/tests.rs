//! What no server can be asked: limits, and texts that are no queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::model::label::Labels;

const MINUTE_MS: i64 = 60_000;

/// So many series of 120 points, one a minute.
fn memory(count: usize) -> Memory {
    let points: Arc<[Sample]> = (0..120)
        .map(|minute| Sample {
            at: Timestamp(minute * MINUTE_MS),
            value: minute as f64,
        })
        .collect();
    let series = (0..count).map(|n| Series {
        labels: Labels::from_pairs([(NAME, "up".to_owned()), ("n", n.to_string())]),
        points: Arc::clone(&points),
    });
    Memory::new(series.collect())
}

fn asked(text: &str, limits: Limits) -> Result<Value> {
    Query::range(text, (0, 119 * MINUTE_MS), MINUTE_MS).answer(&memory(100), limits)
}

fn refused(text: &str, limits: Limits) -> String {
    match asked(text, limits) {
        Err(PromqlError::TooBig(words)) => words,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_is_too_big_is_refused_with_the_reason() {
    let limits = Limits::default();
    assert!(asked("sum(rate(up[5m]))", limits).is_ok());
    let few = |series| Limits { series, ..limits };
    assert_eq!(refused("up", few(99)), "it gives more than 99 series");
    assert!(asked("up", few(100)).is_ok());
    assert_eq!(
        refused("up or up offset 1m", few(99)),
        "it gives more than 99 series"
    );
    let values = Limits {
        cells: 10_000,
        ..limits
    };
    assert_eq!(
        refused("up", values),
        "it keeps more than 10000 values on its way"
    );
    let visits = Limits {
        visits: 100_000,
        ..limits
    };
    assert_eq!(
        refused("rate(up[1h])", visits),
        "it looks at more than 100000 points"
    );
    let steps = Limits {
        steps: 119,
        ..limits
    };
    assert_eq!(
        refused("1", steps),
        "it has 120 steps where 119 are the most"
    );
    let words = refused("sum_over_time(up[1d:1s])", limits);
    assert!(words.starts_with("it has 93541 steps"), "{words}");
    assert_eq!(
        refused(&"(".repeat(2_000), limits),
        "it has more than 1,000 parts"
    );
    assert_eq!(
        refused(&"-".repeat(900).replace('-', "-("), limits),
        "it has more than 1,000 parts"
    );
    let deep = format!("{}up{}", "-(".repeat(150), ")".repeat(150));
    assert_eq!(refused(&deep, limits), "it is nested more than 100 deep");
    assert_eq!(
        refused(&" ".repeat(20_000), limits),
        "its text is longer than 16 KiB"
    );
    for range in ["1e300", "9e99", "inf", "999999999999999999999"] {
        let words = refused(&format!("up[{range}]"), limits);
        assert_eq!(words, "a duration in it is out of range");
        let words = refused(&format!("up offset -{range}"), limits);
        assert_eq!(words, "a duration in it is out of range");
    }
    assert_eq!(
        refused("up[9999y]", limits),
        "a duration or time in it is out of range"
    );
    assert_eq!(
        refused("up @ 1e15", limits),
        "a duration or time in it is out of range"
    );
}

#[test]
fn who_asked_can_stop_it() {
    let looks = AtomicUsize::new(0);
    let stop = || looks.fetch_add(1, Ordering::Relaxed) > 2;
    let limits = Limits {
        stop: &stop,
        ..Limits::default()
    };
    assert!(matches!(asked("up", limits), Ok(Value::Matrix(_))));
    looks.store(0, Ordering::Relaxed);
    let long = asked("rate(up[1h]) + sum_over_time(up[1h:1m])", limits);
    assert_eq!(long.err(), Some(PromqlError::Stopped));
}

#[test]
fn what_is_left_out_is_named() {
    let words = |text| asked(text, Limits::default()).err().map(|e| e.to_string());
    for (text, named) in [
        ("up + fill(0) up", "`fill`"),
        ("up{n=\"1\" or n=\"2\"}", "`or` between matchers"),
        ("limit_ratio(0.5, up)", "limit_ratio"),
        ("info(up)", "info()"),
        ("sort_by_label(up, \"n\")", "sort_by_label()"),
    ] {
        assert_eq!(words(text), Some(format!("{named} is not evaluated here")));
    }
    let times = [
        (
            Query::range("up", (10, 0), 1),
            "end timestamp must not be before start time",
        ),
        (
            Query::range("up", (0, 10), -1),
            "zero or negative query resolution step widths",
        ),
        (
            Query::range("up", (0, i64::MAX), 1),
            "a time of the query is out of range",
        ),
        (
            Query::range("up", (i64::MIN, 0), 1),
            "a time of the query is out of range",
        ),
    ];
    for (query, words) in times {
        let said = query.answer(&memory(1), Limits::default()).err();
        let said = said.map(|e| e.to_string()).unwrap_or_default();
        assert!(said.starts_with(words), "{said}");
    }
}

#[test]
fn the_points_that_a_query_can_see_are_told() {
    let minutes = |text: &str| -> Vec<(i64, i64)> {
        let query = Query::range(text, (600_000, 1_200_000), MINUTE_MS);
        let needs = query.needs(Limits::default()).expect("a query");
        let minute = |n: &Need| (n.start_ms / MINUTE_MS, n.end_ms / MINUTE_MS);
        needs.iter().map(minute).collect()
    };
    assert_eq!(minutes("up"), [(5, 20)]);
    assert_eq!(minutes("up offset 2m + sum(up @ 300)"), [(3, 18), (0, 5)]);
    assert_eq!(minutes("rate(up[3m] @ end())"), [(17, 20)]);
    assert_eq!(
        minutes("topk(scalar(up), rate(up[3m]))"),
        [(5, 20), (7, 20)]
    );
    assert_eq!(
        minutes("sum_over_time(rate(up[2m])[4m:1m] offset 1m)"),
        [(3, 19)]
    );
    assert_eq!(minutes("time() + 1"), []);
    let written = |text| {
        let needs = Query::instant(text, 0).needs(Limits::default());
        needs.map(|needs| needs.iter().map(Need::to_string).collect::<Vec<_>>())
    };
    for text in ["up", "up{a=\"b\\\"\"}", "{a=~\"b|c\",d!~\"e\",f!=\"g\"}"] {
        assert_eq!(written(text), Ok(vec![text.to_owned()]));
    }
}

/// Of newer versions, so no installed server can be asked.
#[test]
fn newer_functions_are_there() {
    let value = |text| match Query::instant(text, 600_000).answer(&memory(3), Limits::default()) {
        Ok(Value::Vector(all)) => all.iter().map(|s| s.points[0].value).collect::<Vec<_>>(),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(value("limitk(2, up)"), [10.0, 10.0]);
    assert_eq!(value("first_over_time(up{n=\"0\"}[5m])"), [5.0]);
    assert_eq!(value("mad_over_time(up{n=\"0\"}[4m])"), [1.0]);
    let smoothed = value("double_exponential_smoothing(up[5m], 0.5, 0.5)");
    assert_eq!(smoothed, value("holt_winters(up[5m], 0.5, 0.5)"));
}

/// Parts of queries in any order: whatever is said of them, nothing panics.
#[test]
fn nothing_panics() {
    const PARTS: &[&str] = &[
        "up",
        "{",
        "}",
        "n=\"1\"",
        "=~",
        "\".*\"",
        "(",
        ")",
        "(",
        ")",
        "[5m]",
        "[",
        "]",
        "5m",
        ":",
        "1m",
        "[5m:1m]",
        "[-1]",
        "[1e9]",
        "[0]",
        "[0.0001:0.0001]",
        "offset",
        "-",
        "@",
        "start()",
        "end()",
        "+",
        "*",
        "^",
        "atan2",
        "==",
        "bool",
        "and",
        "or",
        "on",
        "ignoring",
        "group_left",
        "(n)",
        "by",
        "sum",
        "topk",
        "count_values",
        "quantile",
        "rate(",
        "sum_over_time(",
        "absent(",
        "label_replace(",
        ",",
        "\"x\"",
        "'",
        "`",
        "1",
        "-1",
        "NaN",
        "Inf",
        "0x1f",
        "1e400",
        "1e-400",
        "08",
        "time()",
        "é",
        "\\",
        "\"\\xff\"",
        "#",
        "\n",
        "$",
        "fill",
        "1y9999w",
        "99999999999999y",
        "histogram_quantile(0.9,",
        "smoothed",
        "anchored",
        "step()",
        "range()",
        "min_of",
        "$__interval",
    ];
    let store = memory(3);
    let mut seed = 1u64;
    let mut next = |most: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % most
    };
    let mut answered = 0;
    for _ in 0..60_000 {
        let count = 1 + next(8);
        let text: Vec<&str> = (0..count).map(|_| PARTS[next(PARTS.len())]).collect();
        let text = text.join([" ", ""][next(2)]);
        let limits = Limits {
            visits: 10_000,
            steps: 300,
            ..Limits::default()
        };
        let query = match next(2) {
            0 => Query::instant(&text, 600_000),
            _ => Query::range(&text, (0, 600_000), MINUTE_MS),
        };
        answered += usize::from(query.answer(&store, limits).is_ok());
    }
    assert!(answered > 500, "{answered}");
}
