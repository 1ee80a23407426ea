//! Traces for a model: the spread and the longest of a search; of one trace the critical path and
//! what failed.

use super::{more, number};
use crate::model::text::clean;
use crate::model::trace::{Node, Summary, Trace, spread};

const LISTED: usize = 20;
const SPANS: usize = 15;
const FAILED: usize = 10;

pub fn list(found: &[Summary]) -> String {
    let Some(spread) = spread(found) else {
        return "no trace matched\n".into();
    };
    let mut out = format!(
        "p50 {} ms, p95 {} ms, longest {} ms; {} of {} with a failed span\n",
        spread.p50_ms, spread.p95_ms, spread.longest_ms, spread.failed, spread.known
    );
    let mut longest: Vec<&Summary> = found.iter().collect();
    longest.sort_by_key(|s| std::cmp::Reverse((s.failed(), s.duration_ms)));
    for s in longest.iter().take(LISTED) {
        let failed = match s.failed() {
            Some(true) => ", FAILED",
            Some(false) => "",
            None => ", failures not told",
        };
        out.push_str(&format!(
            "  {} {} {} {} {} ms{failed}\n",
            s.id,
            s.at().rfc3339(),
            or_unknown(&s.service),
            or_unknown(&s.operation),
            s.duration_ms
        ));
    }
    more(&mut out, found.len(), LISTED, "traces that are shorter");
    out
}

fn or_unknown(text: &str) -> String {
    match text.is_empty() {
        true => "unknown".into(),
        false => clean(text, 100),
    }
}

pub fn one(trace: &Trace) -> String {
    let mut out = format!(
        "trace {}: {} spans of {} services, {} failed\n",
        trace.id,
        trace.nodes.len(),
        trace.services(),
        trace.failed()
    );
    if let Some((start, end)) = trace.extent() {
        out.push_str(&format!("takes {}\n", ms(end - start)));
    }
    let mut path: Vec<&Node> = trace.nodes.iter().filter(|n| n.critical_ns > 0).collect();
    path.sort_by_key(|n| std::cmp::Reverse(n.critical_ns));
    out.push_str("greatest shares of the critical path:\n");
    for node in path.iter().take(SPANS) {
        out.push_str(&format!(
            "  {} of it in {}\n",
            ms(node.critical_ns),
            span(node)
        ));
    }
    more(&mut out, path.len(), SPANS, "spans with smaller shares");
    let failed: Vec<&Node> = trace.nodes.iter().filter(|n| n.span.failed()).collect();
    // What failed below brings down what is above: deepest first.
    let mut deepest = failed.clone();
    deepest.sort_by_key(|n| std::cmp::Reverse(n.depth));
    for node in deepest.iter().take(FAILED) {
        out.push_str(&format!(
            "  FAILED at depth {}: {} {:?}\n",
            node.depth,
            span(node),
            clean(&node.span.message, 200)
        ));
    }
    more(&mut out, failed.len(), FAILED, "failed spans further up");
    for doubt in trace.doubts() {
        out.push_str(&format!("  doubt: {doubt}\n"));
    }
    out
}

fn span(node: &Node) -> String {
    let took = node.span.duration_ns().map_or("unknown".into(), ms);
    format!(
        "{} {} ({took})",
        or_unknown(&node.span.service),
        or_unknown(&node.span.operation)
    )
}

fn ms(ns: i64) -> String {
    format!("{} ms", number(ns as f64 / 1e6))
}
