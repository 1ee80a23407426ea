//! What a call of a tool asks the sources of one cluster.

use serde::de::DeserializeOwned;

use crate::agent::tools::Checked;
use crate::agent::tools::args::asked::{
    DetectAnomalies, ErrorLogs, GetTrace, MetricLabels, MetricTrends, SearchTraces,
};
use crate::agent::tools::args::{PodLogsArgs, QueryLogs, QueryMetrics, duration_ms, window};
use crate::language::logql::write::{NAMESPACE, POD, quoted};
use crate::model::ask::{Ask, PodLogs};
use crate::model::time::Timestamp;
use crate::model::trace::TraceId;

/// Points asked for when the model names no step.
const POINTS: i64 = 120;
/// Points that anomalies are looked for in: enough before the window to learn what is usual.
const LEARNT: i64 = 600;
const MOST_LINES: u32 = 1000;
const HOUR_MS: i64 = 3_600_000;
/// What a line says that tells of an error, whatever its format.
const WORDS: &str = "(?i)(error|fatal|panic|exception|fail|refused|timed? ?out|denied|OOM)";

/// `labels`: names of the labels that streams have there, for the tools that need them.
pub(super) fn of(call: &Checked, labels: &[String], now: Timestamp) -> Result<Ask, String> {
    match call.tool {
        "query_logs" => logs(read(call)?, now),
        "search_error_logs" => errors(&read(call)?, labels, now),
        "get_pod_logs" => pod_logs(read(call)?),
        "get_metric_labels" => Ok(Ask::LabelValues {
            label: read::<MetricLabels>(call)?.label_name,
        }),
        "get_metric_trends" => {
            let args: MetricTrends = read(call)?;
            let period = duration_ms(args.period.as_deref().unwrap_or("1h"))?;
            Ok(range(args.metric, now, i64::from(period), POINTS))
        }
        "detect_anomalies" => {
            let args: DetectAnomalies = read(call)?;
            let window = hours(&args) * HOUR_MS;
            Ok(range(
                args.metric,
                now,
                (window * 4).max(6 * HOUR_MS),
                LEARNT,
            ))
        }
        "search_traces" => traces(&read(call)?, now),
        "get_trace" => {
            let id = read::<GetTrace>(call)?.trace_id;
            let id = TraceId::parse(&id).ok_or_else(|| format!("{id:?} is no trace id"))?;
            Ok(Ask::Trace { id })
        }
        _ => metrics(read(call)?, now),
    }
}

fn read<T: DeserializeOwned>(call: &Checked) -> Result<T, String> {
    serde_json::from_value(call.arguments.clone()).map_err(|e| e.to_string())
}

fn hours(args: &DetectAnomalies) -> i64 {
    i64::from(args.hours.unwrap_or(1).clamp(1, 168))
}

/// Where the window of anomalies begins; what is before it teaches.
pub(super) fn from(call: &Checked, now: Timestamp) -> Timestamp {
    let hours = read::<DetectAnomalies>(call).map_or(1, |args| hours(&args));
    now.plus_ms(-hours * HOUR_MS)
}

/// What values of a label must hold.
pub(super) fn contains(call: &Checked) -> Option<String> {
    read::<MetricLabels>(call).ok()?.contains
}

fn range(query: String, end: Timestamp, span: i64, points: i64) -> Ask {
    let step = u32::try_from(span / points).unwrap_or(u32::MAX);
    Ask::Range {
        query,
        start: end.plus_ms(-span),
        end,
        step_ms: step.max(15_000),
    }
}

fn logs(args: QueryLogs, now: Timestamp) -> Result<Ask, String> {
    let (start, end) = window(args.start.as_deref(), args.end.as_deref(), now)?;
    Ok(Ask::Logs {
        query: args.query,
        start: start.unwrap_or(end.plus_ms(-HOUR_MS)),
        end,
        limit: args.limit.unwrap_or(100).clamp(1, MOST_LINES),
        backward: true,
    })
}

fn errors(args: &ErrorLogs, labels: &[String], now: Timestamp) -> Result<Ask, String> {
    let named = |wanted: &[&'static str]| {
        let found = wanted.iter().find(|w| labels.iter().any(|l| l == *w));
        found.copied()
    };
    let mut matchers = Vec::new();
    if let Some(namespace) = args.namespace.as_deref().filter(|n| !n.is_empty()) {
        let label = named(NAMESPACE).ok_or("no label of its streams tells the namespace")?;
        matchers.push(format!("{label}={}", quoted(namespace)));
    }
    if let Some(service) = args.service.as_deref().filter(|n| !n.is_empty()) {
        let label = named(POD).ok_or("no label of its streams tells the pod")?;
        let begin = regex::escape(service);
        matchers.push(format!("{label}=~{}", quoted(&format!("{begin}.*"))));
    }
    if matchers.is_empty() {
        // A selector must not be empty.
        let any = named(NAMESPACE).or(labels.first().map(String::as_str));
        let any = any.ok_or("Loki has no streams there")?;
        matchers.push(format!("{any}=~\".+\""));
    }
    let pattern = args.error_pattern.as_deref().filter(|p| !p.is_empty());
    let hours = i64::from(args.hours.unwrap_or(1).clamp(1, 168));
    Ok(Ask::Logs {
        query: format!(
            "{{{}}} |~ {}",
            matchers.join(", "),
            quoted(pattern.unwrap_or(WORDS))
        ),
        start: now.plus_ms(-hours * HOUR_MS),
        end: now,
        limit: MOST_LINES,
        backward: true,
    })
}

fn pod_logs(args: PodLogsArgs) -> Result<Ask, String> {
    let since = args.since.as_deref().map(duration_ms).transpose()?;
    let previous = args.previous.unwrap_or(false);
    let seconds = since.unwrap_or(3_600_000) / 1_000;
    Ok(Ask::PodLogs(PodLogs {
        namespace: args.namespace,
        pod: args.pod,
        container: args.container.filter(|c| !c.is_empty()),
        previous,
        // What ran before may have ended long ago.
        since_s: (!previous || since.is_some()).then_some(seconds.max(1)),
        lines: MOST_LINES,
    }))
}

fn traces(args: &SearchTraces, now: Timestamp) -> Result<Ask, String> {
    let (start, end) = window(args.start.as_deref(), None, now)?;
    let mut terms = Vec::new();
    if let Some(service) = args.service_name.as_deref().filter(|s| !s.is_empty()) {
        terms.push(format!("resource.service.name = {}", quoted(service)));
    }
    if let Some(operation) = args.operation_name.as_deref().filter(|s| !s.is_empty()) {
        terms.push(format!("name = {}", quoted(operation)));
    }
    if let Some(least) = args.min_duration_ms {
        terms.push(format!("duration >= {least}ms"));
    }
    if let Some(most) = args.max_duration_ms {
        terms.push(format!("duration <= {most}ms"));
    }
    if args.failed == Some(true) {
        terms.push("status = error".into());
    }
    Ok(Ask::Traces {
        query: format!("{{ {} }}", terms.join(" && ")),
        start: start.unwrap_or(end.plus_ms(-HOUR_MS)),
        end,
        limit: args.limit.unwrap_or(20).clamp(1, 100),
    })
}

fn metrics(args: QueryMetrics, now: Timestamp) -> Result<Ask, String> {
    let (start, end) = window(args.start.as_deref(), args.end.as_deref(), now)?;
    let step = args.step.as_deref().map(duration_ms).transpose()?;
    if start.is_none() && step.is_none() {
        return Ok(Ask::Instant {
            query: args.query,
            at: end,
        });
    }
    let start = start.unwrap_or(end.plus_ms(-HOUR_MS));
    if start >= end {
        return Err("`end` must be later than `start`".into());
    }
    let span = end.0 - start.0;
    // Servers refuse more than 11 000 points; what is digested needs far fewer.
    let least = u32::try_from(span / 2_000).unwrap_or(u32::MAX).max(1_000);
    let usual = u32::try_from(span / POINTS).unwrap_or(u32::MAX).max(15_000);
    Ok(Ask::Range {
        query: args.query,
        start,
        end,
        step_ms: step.unwrap_or(usual).max(least),
    })
}
