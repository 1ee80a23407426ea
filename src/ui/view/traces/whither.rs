//! From a span to what else is known of its pod at its time, and the screen in words.

use super::waterfall::{self, took};
use super::{Traces, list, map};
use crate::command::{Jump, ScreenId};
use crate::model::time::Timestamp;
use crate::model::trace::{Span, Trace};
use crate::ui::view::common::name;
use crate::ui::view::{Focus, Goto};
use crate::ui::{Ctx, Window};

const POD: [&str; 3] = ["k8s.pod.name", "pod", "kubernetes.pod_name"];
const NAMESPACE: [&str; 3] = [
    "k8s.namespace.name",
    "namespace",
    "kubernetes.namespace_name",
];
/// Looked at before and after a span, milliseconds.
const AROUND_MS: i64 = 60_000;
/// Shortest time that is looked at: charts need some points.
const LEAST_MS: i64 = 10 * 60_000;
/// Lines told to the agent.
const TOLD: usize = 40;

impl Traces {
    /// The pod that sent the span; without one, the span in words.
    pub(super) fn thing(&self) -> Option<Focus> {
        if let Some(map) = &self.map {
            let row = map.under()?;
            return Some(Focus::Text {
                cluster: Some(row.cluster),
                text: row.words(),
            });
        }
        if let Some((cluster, trace, node)) = self.under() {
            let span = &node.span;
            return Some(match (span.sender(&NAMESPACE), span.sender(&POD)) {
                (Some(namespace), Some(pod)) => Focus::Pod {
                    cluster,
                    namespace: namespace.to_owned(),
                    pod: pod.to_owned(),
                },
                _ => Focus::Text {
                    cluster: Some(cluster),
                    text: format!("span {} of trace {}", in_words(span), trace.id),
                },
            });
        }
        if self.opened.is_some() {
            return None;
        }
        let row = self.chosen()?;
        let found = &row.found;
        Some(Focus::Text {
            cluster: Some(row.cluster),
            text: format!("trace {}: {} {}", found.id, found.service, found.operation),
        })
    }

    /// Logs and metrics of what sent the span, at its time.
    pub(super) fn whither(&self, to: Jump) -> Option<Goto> {
        if let Some(map) = &self.map {
            let row = map.under()?;
            let (screen, query) = match to {
                Jump::Logs => (ScreenId::Logs, row.logs()),
                Jump::Metrics => (ScreenId::Metrics, row.metrics()),
                _ => return None,
            };
            return Some(Goto {
                screen,
                cluster: Some(row.cluster),
                focus: None,
                query: Some(query),
                window: None,
            });
        }
        let (cluster, trace, node) = self.under()?;
        let span = &node.span;
        let (screen, query) = match to {
            Jump::Logs => (ScreenId::Logs, logs(span, trace)),
            Jump::Metrics => (ScreenId::Metrics, metrics(span)),
            _ => return None,
        };
        let focus = self.thing().filter(|f| matches!(f, Focus::Pod { .. }));
        Some(Goto {
            screen,
            cluster: Some(cluster),
            focus: focus.filter(|_| query.is_none()),
            query,
            window: around(span),
        })
    }

    pub(super) fn words(&self, ctx: &Ctx<'_>) -> String {
        let mut out = Vec::new();
        if let Some(map) = &self.map {
            out.push(format!("service graph {}", map.origin(ctx)));
            let rows = map.rows();
            out.extend(rows.iter().take(TOLD).map(map::Shown::words));
            return out.join("\n");
        }
        if let Some(opened) = &self.opened {
            out.push(format!(
                "trace {}: {}",
                opened.id,
                waterfall::title(ctx, opened)
            ));
            out.push(waterfall::doubts(opened));
            let nodes = opened.trace().map_or(&[][..], |t| &t.nodes);
            for node in nodes.iter().take(TOLD) {
                let own = node.self_ns.map_or("n/a".to_owned(), took);
                let indent = "  ".repeat(node.depth.min(8));
                out.push(format!("{indent}{}, self {own}", in_words(&node.span)));
            }
            if nodes.len() > TOLD {
                out.push(format!("and {} more spans", nodes.len() - TOLD));
            }
            return out.join("\n");
        }
        let Some(search) = &self.search else {
            return String::new();
        };
        let rows = self.rows();
        let query = search.query.as_deref().unwrap_or(&search.text);
        out.push(format!(
            "traces of {query}: {}",
            list::status(search, rows.len(), ctx.world.now)
        ));
        for row in rows.iter().take(TOLD) {
            let found = &row.found;
            out.push(format!(
                "{} {} {} {} {}",
                name(ctx.world, row.cluster),
                found.id,
                found.service,
                found.operation,
                list::duration(found)
            ));
        }
        out.join("\n")
    }
}

fn in_words(span: &Span) -> String {
    let time = span.duration_ns().map_or("n/a".to_owned(), took);
    let failed = if span.failed() { ", ERROR" } else { "" };
    format!("{} {} {time}{failed}", span.service, span.operation)
}

/// `None`: the pod's own lines; without a pod, what mentions the trace.
fn logs(span: &Span, trace: &Trace) -> Option<String> {
    if span.sender(&POD).is_some() && span.sender(&NAMESPACE).is_some() {
        return None;
    }
    let service = span.service.as_ref();
    let selector = match service.is_empty() {
        true => "{service_name=~\".+\"}".to_owned(),
        false => format!("{{service_name={}}}", quoted(service)),
    };
    // Programs differ in whether they write the zeros in front.
    let id = trace.id.to_string();
    Some(format!("{selector} |= \"{}\"", id.trim_start_matches('0')))
}

/// What the pod needed; without a pod, the calls of the service as Tempo counts them.
fn metrics(span: &Span) -> Option<String> {
    match (span.sender(&NAMESPACE), span.sender(&POD)) {
        (Some(namespace), Some(pod)) => Some(format!(
            "sum by (container) (rate(container_cpu_usage_seconds_total{{namespace={},pod={}}}[5m]))",
            quoted(namespace),
            quoted(pod)
        )),
        _ if span.service.is_empty() => None,
        _ => Some(format!(
            "sum by (status_code) (rate(traces_spanmetrics_calls_total{{service={}}}[5m]))",
            quoted(&span.service)
        )),
    }
}

pub fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn around(span: &Span) -> Option<Window> {
    let (begin, end) = span
        .is_timed()
        .then_some((span.start_ns / 1_000_000, span.end_ns / 1_000_000))?;
    let span_ms = (end - begin + 2 * AROUND_MS).max(LEAST_MS);
    let middle = begin + (end - begin) / 2;
    Some(Window {
        end: Some(Timestamp(middle + span_ms / 2)),
        span_ms,
    })
}
