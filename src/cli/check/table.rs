//! The result of a check as a table of text.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr;

use super::{DASHBOARD, RUNBOOK, Row};
use crate::model::health::CLOCK_ERROR_MS;
use crate::model::text::clean;

const HEAD: [&str; 9] = [
    "CLUSTER",
    "SOURCE",
    "ENDPOINT",
    "REACHABLE",
    "AUTH",
    "VERSION",
    "LATENCY",
    "SKEW",
    "WHAT TO DO",
];
/// Longest cell but the last, and longest endpoint.
const CELL: usize = 40;
const ENDPOINT: usize = 80;

/// Columns as wide as their widest cell; the last may run on.
pub fn write(rows: &[Row]) -> String {
    let cells: Vec<[String; 9]> = rows.iter().map(cells).collect();
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|i| {
            cells
                .iter()
                .filter_map(|row| row.get(i))
                .map(|c| c.width())
                .chain(HEAD.get(i).map(|h| h.width()))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = line(&HEAD.map(str::to_owned), &widths);
    for row in &cells {
        out.push_str(&line(row, &widths));
    }
    let warnings = rows.iter().filter(|r| r.warning).count();
    let (files, failed): (Vec<&Row>, Vec<&Row>) = rows
        .iter()
        .filter(|r| !r.ok)
        .partition(|r| r.source == DASHBOARD || r.source == RUNBOOK);
    let failed = failed.len();
    let answer = rows
        .iter()
        .filter(|r| r.ok && r.reachable == Some(true))
        .count();
    out.push_str(&match failed {
        0 => format!("\nall {answer} endpoints answer"),
        n => format!("\n{n} of {} endpoints fail", n + answer),
    });
    for kind in [DASHBOARD, RUNBOOK] {
        out.push_str(&match files.iter().filter(|r| r.source == kind).count() {
            0 => String::new(),
            1 => format!("; 1 {kind} cannot be used"),
            n => format!("; {n} {kind}s cannot be used"),
        });
    }
    out.push_str(&match warnings {
        0 => "\n".to_owned(),
        1 => "; 1 warning\n".to_owned(),
        n => format!("; {n} warnings\n"),
    });
    out.push_str(&clocks(rows).unwrap_or_default());
    out
}

/// How far the clocks of the clusters are from each other, where there are several.
fn clocks(rows: &[Row]) -> Option<String> {
    let mut each: BTreeMap<&str, Option<i64>> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.cluster != "-") {
        let held = each.entry(&row.cluster).or_default();
        if held.is_none_or(|h| row.clock_skew_ms.is_some_and(|ms| ms.abs() > h.abs())) {
            *held = row.clock_skew_ms.or(*held);
        }
    }
    if each.len() < 2 {
        return None;
    }
    let mut known: Vec<(i64, &str)> = each
        .iter()
        .filter_map(|(name, off)| Some(((*off)?, *name)))
        .collect();
    known.sort_unstable();
    let unknown = match each.len() - known.len() {
        0 => String::new(),
        n => format!("; unknown of {n}"),
    };
    let told = |(ms, name): (i64, &str)| {
        let name = clean(name, CELL);
        format!("{name} {:+.1} s", ms as f64 / 1000.0)
    };
    Some(match known.as_slice() {
        [] => "clocks of the clusters: unknown, no server told the time\n".to_owned(),
        [one] => format!("clocks of the clusters: {}{unknown}\n", told(*one)),
        [low, .., high] if high.0 - low.0 > CLOCK_ERROR_MS => {
            let apart = (high.0 - low.0) as f64 / 1000.0;
            let (low, high) = (told(*low), told(*high));
            format!("clocks of the clusters: {apart:.1} s apart ({low}, {high}){unknown}\n")
        }
        _ => {
            let within = CLOCK_ERROR_MS / 1000;
            format!("clocks of the clusters: within {within} s of each other{unknown}\n")
        }
    })
}

fn cells(row: &Row) -> [String; 9] {
    let unknown = || "-".to_owned();
    let advice = match (&row.error, row.advice.as_str()) {
        (Some(error), "") => error.clone(),
        (Some(error), advice) => format!("{error}: {advice}"),
        (None, "") => "nothing".to_owned(),
        (None, advice) => advice.to_owned(),
    };
    [
        clean(&row.cluster, CELL),
        clean(&row.source, CELL),
        clean(&row.endpoint, ENDPOINT),
        match row.reachable {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => "not tried".to_owned(),
        },
        match row.expires.as_deref().and_then(|e| e.split('T').next()) {
            Some(day) => clean(&format!("{} until {day}", row.auth), CELL),
            None => clean(&row.auth, CELL),
        },
        row.version
            .as_ref()
            .map_or_else(unknown, |v| clean(v, CELL)),
        row.latency_ms.map_or_else(unknown, |ms| format!("{ms} ms")),
        match (row.clock_skew_ms, row.ok && row.reachable == Some(true)) {
            (Some(ms), _) => format!("{:+.1} s", ms as f64 / 1000.0),
            (None, true) => "unknown".to_owned(),
            (None, _) => unknown(),
        },
        clean(&advice, 400),
    ]
}

fn line(cells: &[String; 9], widths: &[usize]) -> String {
    let mut out = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        out.push_str(cell);
        out.extend(std::iter::repeat_n(
            ' ',
            width.saturating_sub(cell.width()) + 2,
        ));
    }
    let mut out = out.trim_end().to_owned();
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_hostile_text_is_harmless() {
        let good = Row {
            cluster: "alpha".into(),
            source: "prometheus".into(),
            endpoint: "http://a".into(),
            ok: true,
            warning: false,
            reachable: Some(true),
            auth: "none needed".into(),
            version: Some("2.42.0\u{1b}[2J".into()),
            latency_ms: Some(12),
            clock_skew_ms: Some(-300),
            expires: Some("2030-01-02T03:04:05Z".into()),
            error: None,
            advice: String::new(),
        };
        let bad = Row {
            ok: false,
            reachable: Some(false),
            version: None,
            latency_ms: None,
            clock_skew_ms: None,
            error: Some("nobody answers".into()),
            advice: "start it".into(),
            ..good.clone()
        };
        let denied = Row {
            warning: true,
            reachable: None,
            ..good.clone()
        };
        let text = write(&[good.clone(), denied, bad]);
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let lines: Vec<&str> = text.lines().collect();
        let column = lines[0].find("WHAT TO DO").expect("head");
        assert_eq!(&lines[1][column..], "nothing");
        assert_eq!(&lines[3][column..], "nobody answers: start it");
        assert!(lines[1].contains("none needed until 2030-01-02"), "{text}");
        assert!(lines[1].contains("-0.3 s"), "{text}");
        assert!(
            text.ends_with("1 of 2 endpoints fail; 1 warning\n"),
            "{text}"
        );
        assert!(write(&[good]).ends_with("all 1 endpoints answer\n"));
    }

    #[test]
    fn the_clocks_of_several_clusters_are_compared_and_unknown_ones_said() {
        let row = |cluster: &str, clock_skew_ms: Option<i64>| Row {
            ok: true,
            reachable: Some(true),
            clock_skew_ms,
            ..Row::new(cluster, "prometheus".into(), "http://a".into())
        };
        let told = |rows: &[Row]| {
            let text = write(rows);
            let last = text.lines().last().unwrap_or_default().to_owned();
            last.strip_prefix("clocks of the clusters: ")
                .map(str::to_owned)
        };
        let (a, near, far) = (
            row("a", Some(-300)),
            row("b", Some(900)),
            row("c", Some(95_000)),
        );
        let nobody = row("d", None);
        assert!(write(std::slice::from_ref(&nobody)).contains("  unknown  nothing"));
        assert_eq!(told(&[a.clone(), row("a", Some(9_000))]), None);
        let both = told(&[a.clone(), near.clone()]);
        assert_eq!(both.as_deref(), Some("within 2 s of each other"));
        let all = told(&[a.clone(), near, far, nobody.clone()]);
        assert_eq!(
            all.as_deref(),
            Some("95.3 s apart (a -0.3 s, c +95.0 s); unknown of 1")
        );
        let one = told(&[a, nobody.clone()]);
        assert_eq!(one.as_deref(), Some("a -0.3 s; unknown of 1"));
        let none = told(&[nobody, row("e", None)]);
        assert_eq!(none.as_deref(), Some("unknown, no server told the time"));
    }
}
