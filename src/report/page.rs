//! A report as Markdown, JSON, or one HTML page that needs nothing else.

use std::fmt::Write as _;

use pulldown_cmark::{Event, Options, Parser, html};

use super::{Chart, Report, Section, Table};
use crate::model::redact::redact;
use crate::model::text::clean;

/// Longest cell, letters.
const CELL: usize = 400;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 140.0;
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}\
table{border-collapse:collapse;margin:.8rem 0;display:block;overflow-x:auto}\
th,td{border:1px solid #d0d7de;padding:.25rem .6rem;text-align:left;vertical-align:top}\
th{background:#f6f8fa}svg{background:#f6f8fa;max-width:100%;height:auto}figure{margin:1rem 0}\
figcaption{font:12px monospace;overflow-wrap:anywhere}";

/// As JSON, whole.
pub fn json(report: &Report) -> serde_json::Result<String> {
    serde_json::to_string_pretty(report).map(|text| redact(&text))
}

pub fn markdown(report: &Report) -> String {
    let mut out = head(report);
    for section in &report.sections {
        out.push_str(&body(section));
        for chart in &section.charts {
            let (low, high) = chart.extent();
            let _ = writeln!(
                out,
                "- {}: {} to {} in {} points",
                plain(&chart.title),
                chart.unit.write(low),
                chart.unit.write(high),
                chart.points.len()
            );
        }
    }
    out.push_str(&tail(report));
    redact(&out)
}

/// One page; the curves stand in it.
pub fn page(report: &Report) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head><body>\n",
        escaped(&report.title)
    );
    out.push_str(&hyper(&redact(&head(report))));
    for section in &report.sections {
        out.push_str(&hyper(&redact(&body(section))));
        for chart in &section.charts {
            out.push_str(&figure(chart));
        }
    }
    out.push_str(&hyper(&redact(&tail(report))));
    out.push_str("</body></html>\n");
    out
}

/// Markdown as HTML; what came from outside as HTML is text.
fn hyper(markdown: &str) -> String {
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

fn head(report: &Report) -> String {
    let mut out = format!(
        "# {}\n\nClusters: {}  \nPeriod: {} to {} (UTC)  \nBy: {}{}\n\n## Summary\n\n",
        plain(&report.title),
        plain(&report.clusters.join(", ")),
        report.start,
        report.end,
        report.generated_by,
        report
            .recording
            .as_ref()
            .map_or(String::new(), |file| format!(
                ", from the recording {}",
                plain(file)
            )),
    );
    list(&report.summary, &mut out);
    if let Some(words) = &report.by_model {
        let _ = writeln!(
            out,
            "\n## Summary by a model\n\nWritten by {}, not checked; what was heard stands below.\n",
            plain(&words.model)
        );
        // Set off, so that it cannot pass for what the console says.
        for line in words.text.lines() {
            let _ = writeln!(out, "> {}", plain(line));
        }
    }
    out
}

fn tail(report: &Report) -> String {
    let mut out = String::from("\n## Recommendations\n\n");
    list(&report.recommendations, &mut out);
    out.push_str("\n## What is not known\n\n");
    list(&report.data_gaps, &mut out);
    out
}

fn list(lines: &[String], out: &mut String) {
    if lines.is_empty() {
        out.push_str("- none\n");
    }
    for line in lines {
        let _ = writeln!(out, "- {}", plain(line));
    }
}

fn body(section: &Section) -> String {
    let mut out = format!("\n## {}\n\n", plain(&section.title));
    for line in &section.lines {
        let _ = writeln!(out, "- {}", plain(line));
    }
    for table in &section.tables {
        rows(table, &mut out);
    }
    out
}

fn rows(table: &Table, out: &mut String) {
    let _ = writeln!(out, "\n### {}\n", plain(&table.title));
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let all: Vec<String> = cells.collect();
        format!("| {} |\n", all.join(" | "))
    };
    out.push_str(&line(&mut table.columns.iter().map(|c| (*c).to_owned())));
    out.push_str(&line(&mut table.columns.iter().map(|_| "---".to_owned())));
    for row in &table.rows {
        out.push_str(&line(&mut row.iter().map(|cell| plain(cell))));
    }
    if table.more > 0 {
        let _ = writeln!(out, "\n{} more rows, not told.", table.more);
    }
}

/// Text from outside: nothing in it is a mark of Markdown or HTML.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text, CELL).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn escaped(text: &str) -> String {
    let text = clean(text, CELL);
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn figure(chart: &Chart) -> String {
    let (low, high) = chart.extent();
    let (Some(first), Some(last)) = (chart.points.first(), chart.points.last()) else {
        return String::new();
    };
    let span = (last.0 - first.0).max(1) as f64;
    let x = |at: i64| (at - first.0) as f64 / span * WIDTH;
    let size = if high > low { high - low } else { 1.0 };
    let y = |value: f64| HEIGHT - 8.0 - (value - low) / size * (HEIGHT - 16.0);
    let line: Vec<String> = chart
        .points
        .iter()
        .map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value)))
        .collect();
    let onset = chart.onset_ms.filter(|at| (first.0..=last.0).contains(at));
    let onset = onset.map_or(String::new(), |at| {
        format!(
            "<line x1=\"{0:.1}\" y1=\"0\" x2=\"{0:.1}\" y2=\"{HEIGHT}\" stroke=\"#cf222e\" stroke-dasharray=\"4 3\"/>",
            x(at)
        )
    });
    format!(
        "<figure><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" role=\"img\"><polyline fill=\"none\" stroke=\"#0969da\" stroke-width=\"1.5\" points=\"{}\"/>{onset}</svg><figcaption>{}: {} to {}</figcaption></figure>\n",
        line.join(" "),
        escaped(&redact(&chart.title)),
        escaped(&chart.unit.write(low)),
        escaped(&chart.unit.write(high)),
    )
}
