//! Sends each question to the server that can answer it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;

use super::plan::{Gate, Part};
use crate::clock;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::SourceKind;
use crate::source::actions::Reach;
use crate::source::edge::{Figures, Held, WindowLookup};
use crate::source::error::{Cause, SourceError};
use crate::source::kubernetes::{self, KubeLookup};
use crate::source::loki::Loki;
use crate::source::nats::Bus;
use crate::source::prometheus::PromLookup;
use crate::source::tempo::TempoLookup;
use crate::source::{Lookup, Told, addressed};

/// Who answers for one cluster; it may change while the cluster runs.
#[derive(Default)]
pub(super) struct Route {
    cluster: String,
    pub prometheus: Option<Arc<PromLookup>>,
    /// Asked where there is no Prometheus.
    pub held: Option<Arc<Held>>,
    /// Of its samples on the team's bus, where we publish them.
    pub published: Option<Arc<Figures>>,
    pub loki: Option<Arc<LokiRoute>>,
    pub tempo: Option<Arc<TempoLookup>>,
    pub kube: Option<Arc<KubeLookup>>,
    pub bus: Option<Arc<Bus>>,
    /// For what is changed, not asked.
    pub alertmanagers: BTreeMap<u16, Arc<Gate>>,
    /// For what is followed or changed, not asked.
    pub server: Option<kubernetes::Server>,
}

pub(super) type SharedRoute = Arc<RwLock<Route>>;

impl Route {
    pub(super) fn new(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            ..Self::default()
        }
    }

    /// A source came that also answers.
    pub(super) fn take(&mut self, part: Part) {
        match part {
            Part::Metrics(lookup) => self.prometheus = Some(lookup),
            Part::Logs(lookup) => self.loki = Some(lookup),
            Part::Traces(lookup) => self.tempo = Some(lookup),
            Part::Alerts(n, gate) => {
                self.alertmanagers.insert(n, gate);
            }
            Part::Bus(bus) => self.bus = Some(bus),
            Part::None => {}
        }
    }

    /// The source of this kind goes.
    pub(super) fn lose(&mut self, kind: SourceKind) {
        match kind {
            SourceKind::Prometheus => self.prometheus = None,
            SourceKind::Loki => self.loki = None,
            SourceKind::Alertmanager(n) => {
                self.alertmanagers.remove(&n);
            }
            SourceKind::Tempo => self.tempo = None,
            SourceKind::Kubernetes
            | SourceKind::Exporter(_)
            | SourceKind::NvidiaSmi
            | SourceKind::ClockEvents(_)
            | SourceKind::Edge => {}
            SourceKind::Nats => self.bus = None,
        }
    }

    /// PromQL is answered from what exporters told: there is no Prometheus.
    pub(super) fn asks_what_is_held(&self) -> bool {
        self.prometheus.is_none() && self.held.is_some()
    }

    /// Who answers PromQL: a Prometheus, else what exporters told.
    fn metrics(&self) -> Option<Arc<dyn Lookup>> {
        if let Some(prometheus) = &self.prometheus {
            return Some(prometheus.clone());
        }
        let held = self.held.clone()?;
        Some(Arc::new(WindowLookup(held)))
    }

    /// Ways to what can be changed.
    pub(super) fn reach(&self) -> Reach {
        Reach {
            server: self.server.clone(),
            alertmanagers: self.alertmanagers.values().cloned().collect(),
        }
    }

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
            shown: gate.shown(),
            gate,
        }
    }

    async fn find(&self, ask: &Ask) -> Result<Told, SourceError> {
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
                Ok(told(Answer::Logs(lines), cut, reply.latency_ms()))
            }
            Ask::LokiLabelValues { label, query } => {
                let (names, reply) = loki.label_values(label, query.as_deref()).await?;
                Ok(told(Answer::Names(names), None, reply.latency_ms()))
            }
            Ask::LokiLabelNames => {
                let (names, reply) = loki.labels().await?;
                Ok(told(Answer::Names(names), None, reply.latency_ms()))
            }
            Ask::LogSeries {
                query,
                start,
                end,
                step_ms,
            } => {
                let found = loki.series(query, (*start, *end), *step_ms).await?;
                let series = Answer::Series(found.series.into());
                Ok(told(series, found.cut_from, found.latency_ms))
            }
            Ask::LogVolume {
                query,
                start,
                end,
                step_ms,
            } => {
                let found = loki.volume(query, (*start, *end), *step_ms).await?;
                let series = Answer::Series(found.series.into());
                Ok(told(series, found.cut_from, found.latency_ms))
            }
            _ => {
                let what = "this question goes to Prometheus".to_owned();
                Err(SourceError::new("", &self.shown, Cause::Bug(what)))
            }
        }
    }
}

/// Loki warns of nothing.
fn told(answer: Answer, cut_from: Option<usize>, latency_ms: u32) -> Told {
    Told {
        answer,
        warnings: Vec::new(),
        cut_from,
        latency_ms: Some(latency_ms),
    }
}

impl Lookup for LokiRoute {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        Box::pin(async move {
            let started = clock::instant();
            let found = self.find(&question.ask).await;
            addressed(question, &self.shown, started, found)
        })
    }
}

/// Whose question it is.
#[derive(Clone, Copy)]
enum Server {
    Prometheus,
    Loki,
    Tempo,
    Kubernetes,
    Nats,
}

impl Server {
    fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Logs { .. }
            | Ask::LokiLabelValues { .. }
            | Ask::LokiLabelNames
            | Ask::LogSeries { .. }
            | Ask::LogVolume { .. } => Self::Loki,
            Ask::Object { .. } | Ask::PodLogs(_) => Self::Kubernetes,
            Ask::Traces { .. }
            | Ask::Trace { .. }
            | Ask::TraceTags
            | Ask::TraceTagValues { .. } => Self::Tempo,
            Ask::Messages { .. } => Self::Nats,
            _ => Self::Prometheus,
        }
    }

    /// As the configuration calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Loki => "loki",
            Self::Tempo => "tempo",
            Self::Kubernetes => "kube",
            Self::Nats => "nats",
        }
    }
}

pub(super) struct Router {
    routes: Vec<SharedRoute>,
}

impl Router {
    pub(super) fn new(routes: Vec<SharedRoute>) -> Self {
        Self { routes }
    }

    /// Who answers now, and the name of the cluster.
    fn answerer(&self, question: &Question, wanted: Server) -> (Option<Arc<dyn Lookup>>, String) {
        let Some(route) = self.routes.get(usize::from(question.cluster.0)) else {
            return (None, String::new());
        };
        let route = route.read().unwrap_or_else(PoisonError::into_inner);
        let answerer: Option<Arc<dyn Lookup>> = match wanted {
            Server::Loki => route.loki.clone().map(|l| l as Arc<dyn Lookup>),
            Server::Tempo => route.tempo.clone().map(|t| t as Arc<dyn Lookup>),
            Server::Kubernetes => route.kube.clone().map(|k| k as Arc<dyn Lookup>),
            Server::Nats => route.bus.clone().map(|b| b as Arc<dyn Lookup>),
            Server::Prometheus => route.metrics(),
        };
        (answerer, route.cluster.clone())
    }
}

impl Lookup for Router {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        let wanted = Server::of(&question.ask);
        let (answerer, cluster) = self.answerer(&question, wanted);
        Box::pin(async move {
            match answerer {
                Some(answerer) => answerer.ask(question).await,
                None => nobody(question, cluster, wanted),
            }
        })
    }
}

fn nobody(question: Question, cluster: String, wanted: Server) -> Answered {
    let word = wanted.word();
    let (what, hint) = match wanted {
        Server::Kubernetes => (
            "no kube is configured for this cluster".to_owned(),
            "add `kube = { context = \"…\" }` to the cluster in the configuration".to_owned(),
        ),
        Server::Nats => (
            "no bus is configured for this cluster".to_owned(),
            "add `nats = { url = \"nats://…\" }` to the cluster in the configuration".to_owned(),
        ),
        Server::Prometheus | Server::Loki | Server::Tempo => (
            format!("no {word} is configured for this cluster, and none was found"),
            format!("add `{word} = {{ url = \"…\" }}` to the cluster in the configuration"),
        ),
    };
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
            endpoint: word.to_owned(),
            what,
            hint,
        }),
    }
}
