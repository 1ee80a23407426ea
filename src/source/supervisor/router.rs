//! Sends each question to the server that can answer it.

use futures::future::BoxFuture;

use crate::clock;
use crate::model::ask::{Answered, Ask, Question};
use crate::model::fault::{Fault, FaultKind};
use crate::source::Lookup;
use crate::source::prometheus::PromLookup;

/// Who answers for one cluster.
#[derive(Default)]
pub(super) struct Route {
    pub cluster: String,
    pub prometheus: Option<PromLookup>,
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
        let (name, wanted) = match question.ask {
            Ask::Logs { .. } | Ask::LokiLabelValues { .. } => (route, "loki"),
            _ => (route, "prometheus"),
        };
        let answerer: Option<&dyn Lookup> = match (name, wanted) {
            (Some(route), "prometheus") => route.prometheus.as_ref().map(|p| p as &dyn Lookup),
            _ => None,
        };
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
            hint: format!("add `{wanted} = {{ url = \"…\" }}` to the cluster in the configuration"),
        }),
    }
}
