//! Tools that ask sources: all clusters side by side, each with its own status.

mod asked;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;

use super::whole::Whole;
use super::{Checked, digest};
use crate::clock;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::id::{ClusterId, RequestId};
use crate::model::time::Timestamp;
use crate::source::Lookup;

/// The result of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    pub text: String,
    pub rows: usize,
    /// False when no cluster answered.
    pub ok: bool,
    /// What the text is a digest of; `None`: it is all there is.
    pub whole: Option<Whole>,
}

impl Fetched {
    /// A text that is all there is.
    pub fn told(text: String, rows: usize, ok: bool) -> Self {
        Self {
            text,
            rows,
            ok,
            whole: None,
        }
    }

    /// Nothing was read; the text says why.
    pub fn failed(text: String) -> Self {
        Self::told(text, 0, false)
    }
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
    let parts = join_all(call.clusters.iter().map(|&cluster| {
        let one = One {
            lookup: lookup.clone(),
            cluster,
            name: names
                .get(usize::from(cluster.0))
                .map_or("?", String::as_str),
            timeout,
        };
        async move { one.carry_out(call, now).await }
    }))
    .await;
    // Failures first: where the text is cut, they must not be what is lost.
    let (fine, bad): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|part| part.1.is_some());
    let told = bad.iter().chain(&fine);
    let told: Vec<&str> = told.map(|(part, _)| part.text.as_str()).collect();
    let failed = bad.len();
    let mut text = told.join("\n");
    if failed > 0 && failed < parts.len() {
        text = format!(
            "PARTIAL_RESULTS: {failed} of {} clusters did not answer\n{text}",
            parts.len()
        );
    }
    let (rows, ok) = (
        parts.iter().map(|(p, _)| p.rows).sum(),
        failed < parts.len(),
    );
    let whole: Vec<_> = parts.into_iter().filter_map(|(_, whole)| whole).collect();
    Fetched {
        text,
        rows,
        ok,
        whole: Some(Whole::Answers(Arc::new(whole))),
    }
}

/// What one cluster told: its digest, and the answer with the cluster's name where there is one.
type Part = (Told, Option<(String, Answer)>);

struct Told {
    text: String,
    rows: usize,
}

/// One cluster of a call.
struct One<'a> {
    lookup: Arc<dyn Lookup>,
    cluster: ClusterId,
    name: &'a str,
    timeout: Duration,
}

impl One<'_> {
    async fn carry_out(&self, call: &Checked, now: Timestamp) -> Part {
        // Collectors name the labels of streams in different ways: the server is asked first.
        let mut labels = Vec::new();
        if call.tool == "search_error_logs" {
            match self.ask(Ask::LokiLabelNames).await {
                Ok(answered) => match answered.result {
                    Ok(Answer::Names(names)) => labels = names,
                    Ok(_) => {}
                    Err(fault) => {
                        return failed(format!("cluster {}: FAILED: {fault}\n", self.name));
                    }
                },
                Err(failed) => return failed,
            }
        }
        let ask = match asked::of(call, &labels, now) {
            Ok(ask) => ask,
            Err(text) => return failed(format!("cluster {}: {text}\n", self.name)),
        };
        match self.ask(ask).await {
            Ok(answered) => told(self.name, call, answered, now),
            Err(failed) => failed,
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Answered, Part> {
        let question = Question {
            id: RequestId(NEXT.fetch_add(1, Ordering::Relaxed)),
            cluster: self.cluster,
            ask,
        };
        let started = clock::instant();
        let answered = tokio::time::timeout(self.timeout, self.lookup.ask(question)).await;
        answered.map_err(|_| {
            failed(format!(
                "cluster {}: QUERY_TIMEOUT: no answer within {:.0} s\n",
                self.name,
                started.elapsed().as_secs_f32()
            ))
        })
    }
}

fn failed(text: String) -> Part {
    (Told { text, rows: 0 }, None)
}

fn told(name: &str, call: &Checked, answered: Answered, now: Timestamp) -> Part {
    let is_range = matches!(answered.ask, Ask::Range { .. });
    let (rows, body) = match &answered.result {
        Err(fault) => return failed(format!("cluster {name}: FAILED: {fault}\n")),
        Ok(Answer::Series(series)) if call.tool == "detect_anomalies" => (
            series.len(),
            digest::odd::text(series, asked::from(call, now)),
        ),
        Ok(Answer::Series(series)) if is_range => (series.len(), digest::range(series)),
        Ok(Answer::Series(series)) => (series.len(), digest::instant(series)),
        Ok(Answer::Logs(lines)) => (lines.len(), digest::logs(lines)),
        Ok(Answer::Names(names)) => digest::names(names, asked::contains(call)),
        Ok(Answer::Metadata(all)) => (all.len(), String::new()),
        Ok(Answer::Rules(all)) => (all.len(), String::new()),
        Ok(Answer::Object(object)) => (1, object.yaml.clone()),
        Ok(Answer::Traces(all)) => (all.len(), digest::traces::list(all)),
        Ok(Answer::Trace(trace)) => (trace.nodes.len(), digest::traces::one(trace)),
        Ok(Answer::TagValues(all)) => (all.len(), String::new()),
        Ok(Answer::Exemplars(all)) => (all.len(), String::new()),
        Ok(Answer::Messages(all)) => (all.len(), String::new()),
    };
    let what = match &answered.ask {
        Ask::Logs { .. } | Ask::PodLogs(_) => "lines",
        Ask::Traces { .. } => "traces",
        Ask::Trace { .. } => "spans",
        Ask::LabelValues { .. } => "values",
        _ => "series",
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
    let whole = answered.result.ok().map(|answer| (name.to_owned(), answer));
    (Told { text, rows }, whole)
}
