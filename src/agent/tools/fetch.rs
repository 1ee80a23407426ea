//! Tools that ask sources: all clusters side by side, each with its own status.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;

use super::args::{PodLogsArgs, QueryLogs, QueryMetrics, duration_ms, window};
use super::{Checked, digest};
use crate::clock;
use crate::model::ask::{Answer, Answered, Ask, PodLogs, Question};
use crate::model::id::{ClusterId, RequestId};
use crate::model::time::Timestamp;
use crate::source::Lookup;

/// Points asked for when the model names no step.
const POINTS: i64 = 120;
const MOST_LINES: u32 = 1000;

/// The result of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    pub text: String,
    pub rows: usize,
    /// False when no cluster answered.
    pub ok: bool,
}

/// Apart from the ids that the loop gives its own questions.
static NEXT: AtomicU64 = AtomicU64::new(1 << 62);

/// Asks all clusters of the call. `names` by id; `now` is the console's time.
pub async fn fetch(
    lookup: Arc<dyn Lookup>,
    call: &Checked,
    names: &[String],
    now: Timestamp,
    timeout: Duration,
) -> Fetched {
    let ask = match ask_of(call, now) {
        Ok(ask) => ask,
        Err(text) => {
            return Fetched {
                text,
                rows: 0,
                ok: false,
            };
        }
    };
    let parts = join_all(call.clusters.iter().map(|&cluster| {
        let (lookup, ask) = (lookup.clone(), ask.clone());
        async move { one(lookup, cluster, ask, names, timeout).await }
    }))
    .await;
    // Failures first: where the text is cut, they must not be what is lost.
    let (fine, bad): (Vec<&Fetched>, Vec<&Fetched>) = parts.iter().partition(|part| part.ok);
    let told: Vec<&str> = bad
        .iter()
        .chain(&fine)
        .map(|part| part.text.as_str())
        .collect();
    let failed = bad.len();
    let mut text = told.join("\n");
    if failed > 0 && failed < parts.len() {
        text = format!(
            "PARTIAL_RESULTS: {failed} of {} clusters did not answer\n{text}",
            parts.len()
        );
    }
    Fetched {
        text,
        rows: parts.iter().map(|part| part.rows).sum(),
        ok: failed < parts.len(),
    }
}

async fn one(
    lookup: Arc<dyn Lookup>,
    cluster: ClusterId,
    ask: Ask,
    names: &[String],
    timeout: Duration,
) -> Fetched {
    let name = names
        .get(usize::from(cluster.0))
        .map_or("?", String::as_str);
    let question = Question {
        id: RequestId(NEXT.fetch_add(1, Ordering::Relaxed)),
        cluster,
        ask,
    };
    let started = clock::instant();
    match tokio::time::timeout(timeout, lookup.ask(question)).await {
        Ok(answered) => told(name, &answered),
        Err(_) => Fetched {
            text: format!(
                "cluster {name}: QUERY_TIMEOUT: no answer within {:.0} s\n",
                started.elapsed().as_secs_f32()
            ),
            rows: 0,
            ok: false,
        },
    }
}

fn told(name: &str, answered: &Answered) -> Fetched {
    let is_range = matches!(answered.ask, Ask::Range { .. });
    let (rows, body) = match &answered.result {
        Err(fault) => {
            return Fetched {
                text: format!("cluster {name}: FAILED: {fault}\n"),
                rows: 0,
                ok: false,
            };
        }
        Ok(Answer::Series(series)) if is_range => (series.len(), digest::range(series)),
        Ok(Answer::Series(series)) => (series.len(), digest::instant(series)),
        Ok(Answer::Logs(lines)) => (lines.len(), digest::logs(lines)),
        Ok(Answer::Names(names)) => (names.len(), names.join(", ")),
        Ok(Answer::Metadata(all)) => (all.len(), String::new()),
        Ok(Answer::Rules(all)) => (all.len(), String::new()),
        Ok(Answer::Object(object)) => (1, object.yaml.clone()),
        Ok(Answer::Traces(all)) => (all.len(), String::new()),
        Ok(Answer::Trace(trace)) => (trace.nodes.len(), String::new()),
        Ok(Answer::TagValues(all)) => (all.len(), String::new()),
        Ok(Answer::Exemplars(all)) => (all.len(), String::new()),
    };
    let what = if matches!(answered.ask, Ask::Logs { .. } | Ask::PodLogs(_)) {
        "lines"
    } else {
        "series"
    };
    let mut text = format!(
        "cluster {name}: {rows} {what} from {} in {} ms, at {}\n",
        answered.origin,
        answered.latency_ms,
        answered.at.rfc3339()
    );
    if let Some(all) = answered.cut_from {
        text.push_str(&format!("(the answer was cut: at least {all} there)\n"));
    }
    for warning in answered.warnings.iter().take(3) {
        text.push_str(&format!("(the server warns: {warning})\n"));
    }
    if rows == 0 && what == "series" {
        text.push_str(
            "no series matched: the metric does not exist there, or nothing has these labels\n",
        );
    }
    text.push_str(&body);
    Fetched {
        text,
        rows,
        ok: true,
    }
}

fn ask_of(call: &Checked, now: Timestamp) -> Result<Ask, String> {
    let read = |e: serde_json::Error| e.to_string();
    if call.tool == "query_logs" {
        let args: QueryLogs = serde_json::from_value(call.arguments.clone()).map_err(read)?;
        let (start, end) = window(args.start.as_deref(), args.end.as_deref(), now)?;
        return Ok(Ask::Logs {
            query: args.query,
            start: start.unwrap_or(end.plus_ms(-3_600_000)),
            end,
            limit: args.limit.unwrap_or(100).clamp(1, MOST_LINES),
            backward: true,
        });
    }
    if call.tool == "get_pod_logs" {
        let args: PodLogsArgs = serde_json::from_value(call.arguments.clone()).map_err(read)?;
        let since = args.since.as_deref().map(duration_ms).transpose()?;
        let previous = args.previous.unwrap_or(false);
        let seconds = since.unwrap_or(3_600_000) / 1_000;
        return Ok(Ask::PodLogs(PodLogs {
            namespace: args.namespace,
            pod: args.pod,
            container: args.container.filter(|c| !c.is_empty()),
            previous,
            // What ran before may have ended long ago.
            since_s: (!previous || since.is_some()).then_some(seconds.max(1)),
            lines: MOST_LINES,
        }));
    }
    let args: QueryMetrics = serde_json::from_value(call.arguments.clone()).map_err(read)?;
    let (start, end) = window(args.start.as_deref(), args.end.as_deref(), now)?;
    let step = args.step.as_deref().map(duration_ms).transpose()?;
    if start.is_none() && step.is_none() {
        return Ok(Ask::Instant {
            query: args.query,
            at: end,
        });
    }
    let start = start.unwrap_or(end.plus_ms(-3_600_000));
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
