//! Questions to Prometheus: of the operator and of the agent.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::api::{Api, Span, Urgency};
use super::rules::{Rules, metadata};
use crate::clock;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::text;
use crate::source::error::{Cause, SourceError};
use crate::source::supervisor::{Gate, Heard};
use crate::source::{Lookup, Told, addressed};

/// Most series of one answer.
const SERIES: usize = 5_000;
/// Most names of one answer.
const NAMES: usize = 50_000;
/// Most exemplars of one answer.
const EXEMPLARS: usize = 1_000;
/// Name of series that a query left without one.
const NAMELESS: &str = "value";

/// Answers questions about metrics and rules of one cluster.
#[derive(Clone, Debug)]
pub struct PromLookup {
    api: Api,
    shown: String,
}

impl PromLookup {
    pub fn new(gate: Arc<Gate>) -> Self {
        Self {
            shown: gate.shown(),
            api: Api::new(gate, Urgency::Question),
        }
    }

    async fn find(&self, ask: &Ask) -> Result<Told, SourceError> {
        match ask {
            Ask::Instant { query, at } => {
                let found = self.api.instant(query, Some(*at), NAMELESS, SERIES).await?;
                Ok(series(found))
            }
            Ask::Range {
                query,
                start,
                end,
                step_ms,
            } => {
                let span = Span {
                    start: *start,
                    end: *end,
                    step_ms: *step_ms,
                };
                Ok(series(self.api.range(query, span, NAMELESS, SERIES).await?))
            }
            Ask::Metadata => {
                let (map, warnings, heard) = self.api.get("/api/v1/metadata", &[]).await?;
                Ok(whole(Answer::Metadata(metadata(map)), warnings, heard))
            }
            Ask::LabelNames => self.names("/api/v1/labels").await,
            Ask::LabelValues { label } => {
                let path = format!("/api/v1/label/{}/values", escaped(label));
                self.names(&path).await
            }
            Ask::Rules => {
                let (rules, warnings, heard) = self.api.get::<Rules>("/api/v1/rules", &[]).await?;
                Ok(whole(Answer::Rules(rules.into_facts()), warnings, heard))
            }
            Ask::Exemplars { query, start, end } => {
                let (found, warnings, heard) = self.api.exemplars(query, *start, *end).await?;
                let total = found.len();
                let mut found = found;
                // The newest tell most.
                found.sort_by_key(|e| e.at);
                found.drain(..total.saturating_sub(EXEMPLARS));
                Ok(Told {
                    answer: Answer::Exemplars(found),
                    warnings,
                    cut_from: (total > EXEMPLARS).then_some(total),
                    latency_ms: heard.latency_ms,
                })
            }
            Ask::Logs { .. }
            | Ask::LokiLabelValues { .. }
            | Ask::Object { .. }
            | Ask::PodLogs(_)
            | Ask::Traces { .. }
            | Ask::Trace { .. }
            | Ask::TraceTags
            | Ask::TraceTagValues { .. }
            | Ask::LokiLabelNames
            | Ask::LogSeries { .. }
            | Ask::LogVolume { .. }
            | Ask::Messages { .. } => {
                let what = "this question goes to another source".to_owned();
                Err(SourceError::new("", &self.shown, Cause::Bug(what)))
            }
        }
    }

    async fn names(&self, path: &str) -> Result<Told, SourceError> {
        let (names, warnings, heard) = self.api.get::<Vec<String>>(path, &[]).await?;
        let total = names.len();
        let names: Vec<String> = names
            .iter()
            .take(NAMES)
            .map(|n| text::clean(n, 1024))
            .collect();
        Ok(Told {
            answer: Answer::Names(names),
            warnings,
            cut_from: (total > NAMES).then_some(total),
            latency_ms: heard.latency_ms,
        })
    }
}

impl Lookup for PromLookup {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        Box::pin(async move {
            let started = clock::instant();
            let found = self.find(&question.ask).await;
            addressed(question, &self.shown, started, found)
        })
    }
}

fn series((answer, heard): (super::wire::QueryAnswer, Heard)) -> Told {
    Told {
        cut_from: (answer.total > answer.series.len()).then_some(answer.total),
        answer: Answer::Series(answer.series.into()),
        warnings: answer.warnings,
        latency_ms: heard.latency_ms,
    }
}

fn whole(answer: Answer, warnings: Vec<String>, heard: Heard) -> Told {
    Told {
        answer,
        warnings,
        cut_from: None,
        latency_ms: heard.latency_ms,
    }
}

/// A label in a path: names that are not plain are written as Prometheus 3 wants them (`U__`).
fn escaped(label: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if label.chars().all(plain) {
        return label.to_owned();
    }
    let mut out = String::from("U__");
    for c in label.chars() {
        match c {
            '_' => out.push_str("__"),
            c if plain(c) => out.push(c),
            c => out.push_str(&format!("_{:x}_", u32::from(c))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_never_leave_their_place_in_the_path() {
        assert_eq!(escaped("job"), "job");
        assert_eq!(escaped("k8s.pod_name"), "U__k8s_2e_pod__name");
        assert_eq!(escaped("../x"), "U___2e__2e__2f_x");
    }
}
