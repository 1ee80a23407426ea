//! Sends each question to the server that can answer it.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::plan::Gate;
use crate::clock;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::{Fault, FaultKind};
use crate::source::Lookup;
use crate::source::door::shown_text;
use crate::source::error::{Cause, SourceError};
use crate::source::kubernetes::{KubeLookup, Server};
use crate::source::loki::Loki;
use crate::source::prometheus::PromLookup;

/// Who answers for one cluster.
#[derive(Default)]
pub(super) struct Route {
    pub cluster: String,
    pub prometheus: Option<PromLookup>,
    pub loki: Option<LokiRoute>,
    pub kube: Option<KubeLookup>,
    /// For what is followed, not asked.
    pub server: Option<Server>,
}

impl Route {
    /// The gate of the cluster's Loki.
    pub(super) fn logs(&self) -> Option<Arc<Gate>> {
        self.loki.as_ref().map(|l| l.gate.clone())
    }
}

/// Questions to Loki, through the door that the tail uses.
pub(super) struct LokiRoute {
    gate: Arc<Gate>,
    shown: String,
}

impl LokiRoute {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self {
            shown: shown_text(gate.url()),
            gate,
        }
    }

    /// The answer, whether it was cut and at how many, and the round trip.
    async fn find(&self, ask: &Ask) -> Result<(Answer, Option<usize>, u32), SourceError> {
        let loki = Loki::new(self.gate.door().await?.clone());
        self.gate.budget.charge().await;
        match ask {
            Ask::Logs {
                query,
                start,
                end,
                limit,
                backward,
            } => {
                let found = loki.query_range(query, *start, *end, *limit, *backward);
                let (lines, reply) = found.await?;
                let full = lines.len() >= *limit as usize;
                let cut = full.then_some(lines.len());
                Ok((Answer::Logs(lines), cut, reply.latency_ms()))
            }
            Ask::LokiLabelValues { label } => {
                let (names, reply) = loki.label_values(label).await?;
                Ok((Answer::Names(names), None, reply.latency_ms()))
            }
            _ => {
                let what = "this question goes to Prometheus".to_owned();
                Err(SourceError::new("", &self.shown, Cause::Bug(what)))
            }
        }
    }
}

impl Lookup for LokiRoute {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        Box::pin(async move {
            let started = clock::instant();
            let found = self.find(&question.ask).await;
            let waited = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
            let (cut_from, latency_ms, result) = match found {
                Ok((answer, cut, latency)) => (cut, latency, Ok(answer)),
                Err(error) => (None, waited, Err(error.fault())),
            };
            Answered {
                id: question.id,
                cluster: question.cluster,
                ask: question.ask,
                origin: self.shown.clone(),
                at: clock::now(),
                latency_ms,
                warnings: Vec::new(),
                cut_from,
                result,
            }
        })
    }
}

pub(super) struct Router {
    routes: Vec<Route>,
}

impl Router {
    pub(super) fn new(routes: Vec<Route>) -> Self {
        Self { routes }
    }
}

impl Lookup for Router {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        let route = self.routes.get(usize::from(question.cluster.0));
        let wanted = match question.ask {
            Ask::Logs { .. } | Ask::LokiLabelValues { .. } => "loki",
            Ask::Object { .. } | Ask::PodLogs(_) => "kube",
            _ => "prometheus",
        };
        let answerer: Option<&dyn Lookup> = route.and_then(|route| match wanted {
            "loki" => route.loki.as_ref().map(|l| l as &dyn Lookup),
            "kube" => route.kube.as_ref().map(|k| k as &dyn Lookup),
            _ => route.prometheus.as_ref().map(|p| p as &dyn Lookup),
        });
        match answerer {
            Some(answerer) => answerer.ask(question),
            None => {
                let cluster = route.map(|r| r.cluster.clone()).unwrap_or_default();
                Box::pin(async move { nobody(question, cluster, wanted) })
            }
        }
    }
}

fn nobody(question: Question, cluster: String, wanted: &str) -> Answered {
    Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask,
        origin: String::new(),
        at: clock::now(),
        latency_ms: 0,
        warnings: Vec::new(),
        cut_from: None,
        result: Err(Fault {
            kind: FaultKind::Config,
            cluster,
            endpoint: wanted.to_owned(),
            what: format!("no {wanted} is configured for this cluster"),
            hint: match wanted {
                "kube" => {
                    "add `kube = { context = \"…\" }` to the cluster in the configuration".into()
                }
                _ => format!(
                    "add `{wanted} = {{ url = \"…\" }}` to the cluster in the configuration"
                ),
            },
        }),
    }
}
