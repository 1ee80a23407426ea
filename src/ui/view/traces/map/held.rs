//! The service graph on its way: metrics of each cluster, and where there are none, some traces.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::asked::Row;
use super::{Key, sampled};
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::sample::SeriesSamples;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::trace::graph::{Called, Edge, Graph};
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::view::common::{Numbers, clusters};
use crate::ui::widget::badge::age;
use crate::ui::widget::table::Table;

/// Traces sampled of each cluster.
const SAMPLE: usize = 20;
/// Longest name of a service.
const NAME: usize = 200;
/// Least range of the rates.
const LEAST_MS: i64 = 5 * 60_000;

/// Where the numbers of a cluster come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Asking,
    Metrics,
    /// So many traces were asked for, of so many found, and so many came.
    Sample {
        asked: usize,
        found: usize,
        got: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    Calls,
    Failed,
    P95,
    Trace,
}

/// A graph as it was before it was asked for again.
#[derive(Debug)]
pub struct Former {
    graph: Graph,
    origin: Origin,
    /// When its newest answer came.
    at: Timestamp,
}

/// What is known of one cluster.
#[derive(Debug)]
pub struct Part {
    graph: Graph,
    origin: Origin,
    pub faults: Vec<Fault>,
    at: Option<Timestamp>,
    former: Option<Former>,
    pending: Vec<(RequestId, Figure)>,
    /// Failures and times that came before the calls: without those they are no graph.
    early: Vec<(Figure, Arc<Vec<SeriesSamples>>)>,
    /// How many failed was answered: an edge without a series had no failure.
    failed_known: bool,
    has_tempo: bool,
}

impl Part {
    pub fn is_asking(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What came; while it is asked again, and where that was in vain, what was known before.
    pub fn shown(&self) -> (&Graph, Origin) {
        match self.kept() {
            Some(former) => (&former.graph, former.origin),
            None => (&self.graph, self.origin),
        }
    }

    fn kept(&self) -> Option<&Former> {
        let in_vain = self.is_asking() || !self.faults.is_empty();
        let former = self.former.as_ref();
        former.filter(|_| in_vain && self.graph.is_empty())
    }

    pub fn words(&self, minutes: i64, now: Timestamp) -> String {
        let asking = if self.is_asking() {
            " · asking …"
        } else {
            ""
        };
        let (graph, origin) = self.shown();
        // Without a row the fault stands in the place of the rows.
        let fault = self.faults.first().filter(|_| !graph.is_empty());
        let fault = fault.map_or_else(String::new, |f| format!(" · {}", f.what));
        if let Some(former) = self.kept().filter(|_| !self.is_asking()) {
            return format!("stale {}{fault}", age(now.age_since_ms(former.at)));
        }
        let gone = match graph.dropped {
            0 => String::new(),
            n => format!(" · {n} edges left out"),
        };
        match origin {
            Origin::Asking => "asking …".to_owned(),
            Origin::Metrics => format!("from metrics, mean of {minutes} min{gone}{fault}{asking}"),
            Origin::Sample { found, got, .. } => {
                format!("from {got} of {found} traces found{gone}{fault}{asking}")
            }
        }
    }

    /// What is asked for again stands where the former stood.
    fn follow(&mut self, former: Part) {
        let kept = former.at.map(|at| Former {
            graph: former.graph,
            origin: former.origin,
            at,
        });
        self.former = kept.filter(|k| !k.graph.is_empty()).or(former.former);
    }
}

#[derive(Debug)]
pub struct Map {
    pub parts: BTreeMap<ClusterId, Part>,
    pub table: Table<Key>,
    /// Only what fails.
    pub failing: bool,
    span_ms: i64,
}

impl Map {
    pub fn new(
        world: &World,
        scope: Option<ClusterId>,
        window: Window,
        numbers: &mut Numbers,
        rows: &[Row],
    ) -> (Self, Vec<Effect>) {
        let (start, end) = window.bounds(world.now);
        let mut map = Self {
            parts: BTreeMap::new(),
            table: Table::default(),
            failing: false,
            span_ms: (end.0 - start.0).max(LEAST_MS),
        };
        let mut effects = Vec::new();
        for cluster in clusters(world, scope) {
            let has = |kind| cluster.sources.contains_key(&kind);
            let (prometheus, tempo) = (has(SourceKind::Prometheus), has(SourceKind::Tempo));
            if !prometheus && !tempo {
                continue;
            }
            let mut part = Part {
                graph: Graph::default(),
                origin: Origin::Asking,
                faults: Vec::new(),
                at: None,
                former: None,
                pending: Vec::new(),
                early: Vec::new(),
                failed_known: false,
                has_tempo: tempo,
            };
            match prometheus {
                true => {
                    let asks = questions(end, map.span_ms / 1000);
                    effects.extend(part.ask(cluster.id, asks, numbers));
                }
                false => effects.extend(part.sample(cluster.id, rows, numbers)),
            }
            map.parts.insert(cluster.id, part);
        }
        (map, effects)
    }

    /// Asked for again: cursor and filter stay, and the graph until there is another.
    pub fn follow(&mut self, mut former: Map) {
        for (cluster, part) in &mut self.parts {
            if let Some(was) = former.parts.remove(cluster) {
                part.follow(was);
            }
        }
        self.table = former.table;
        self.failing = former.failing;
    }

    pub fn minutes(&self) -> i64 {
        self.span_ms / 60_000
    }

    /// Takes an answer; where a cluster has no such metrics, its traces are asked for. `None`: it
    /// answers none of these questions.
    pub fn take(
        &mut self,
        answered: &Answered,
        rows: &[Row],
        numbers: &mut Numbers,
    ) -> Option<Vec<Effect>> {
        let part = self.parts.get_mut(&answered.cluster)?;
        let place = part.pending.iter().position(|(id, _)| *id == answered.id)?;
        let (_, figure) = part.pending.remove(place);
        part.fill(figure, answered);
        let none = part.origin == Origin::Asking && part.pending.is_empty();
        Some(match none {
            true => part.sample(answered.cluster, rows, numbers),
            false => Vec::new(),
        })
    }
}

fn questions(at: Timestamp, seconds: i64) -> Vec<(Figure, Ask)> {
    let by = "client, server, connection_type";
    let rate = |name: &str| format!("rate(traces_service_graph_request_{name}[{seconds}s])");
    let instant = |query| Ask::Instant { query, at };
    vec![
        (
            Figure::Calls,
            instant(format!("sum by ({by}) ({})", rate("total"))),
        ),
        (
            Figure::Failed,
            instant(format!("sum by ({by}) ({})", rate("failed_total"))),
        ),
        (
            Figure::P95,
            instant(format!(
                "histogram_quantile(0.95, sum by (client, server, le) ({}))",
                rate("server_seconds_bucket")
            )),
        ),
    ]
}

impl Part {
    fn ask(
        &mut self,
        cluster: ClusterId,
        asks: Vec<(Figure, Ask)>,
        numbers: &mut Numbers,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (figure, ask) in asks {
            let id = numbers.take();
            self.pending.push((id, figure));
            effects.push(Effect::Ask(Question { id, cluster, ask }));
        }
        effects
    }

    /// Asks for the traces that stand in for the metrics.
    fn sample(&mut self, cluster: ClusterId, rows: &[Row], numbers: &mut Numbers) -> Vec<Effect> {
        let found = sampled(rows, cluster).count();
        let asks = sampled(rows, cluster)
            .take(if self.has_tempo { SAMPLE } else { 0 })
            .map(|row| (Figure::Trace, Ask::Trace { id: row.found.id }));
        let asks: Vec<_> = asks.collect();
        self.origin = Origin::Sample {
            asked: asks.len(),
            found,
            got: 0,
        };
        self.ask(cluster, asks, numbers)
    }

    fn fill(&mut self, figure: Figure, answered: &Answered) {
        if answered.result.is_ok() {
            self.at = Some(answered.at);
        }
        match (&answered.result, figure) {
            (Ok(Answer::Trace(trace)), Figure::Trace) => {
                self.graph.sample(trace);
                if let Origin::Sample { got, .. } = &mut self.origin {
                    *got += 1;
                }
            }
            (Ok(Answer::Series(all)), Figure::Calls) => {
                self.figures(figure, all);
                for (figure, all) in std::mem::take(&mut self.early) {
                    self.beside_calls(figure, &all);
                }
            }
            (Ok(Answer::Series(all)), figure) => self.beside_calls(figure, all),
            (Err(fault), _) => {
                let same = |f: &Fault| f.what == fault.what;
                if fault.kind != FaultKind::NotFound && !self.faults.iter().any(same) {
                    self.faults.push(fault.clone());
                }
            }
            _ => {}
        }
        self.settle();
    }

    /// What is told of the calls; kept as long as those are still to come.
    fn beside_calls(&mut self, figure: Figure, all: &Arc<Vec<SeriesSamples>>) {
        if self.origin == Origin::Metrics {
            self.figures(figure, all);
        } else if self.pending.iter().any(|(_, f)| *f == Figure::Calls) {
            self.early.push((figure, Arc::clone(all)));
        }
    }

    fn figures(&mut self, figure: Figure, all: &[SeriesSamples]) {
        for series in all {
            let label = |name| text::clean(series.key.labels.get(name).unwrap_or(""), NAME);
            let (from, to) = (label("client"), label("server"));
            let Some(value) = series.points.last().map(|p| p.value) else {
                continue;
            };
            if from.is_empty() || to.is_empty() || !value.is_finite() {
                continue;
            }
            let kind = label("connection_type");
            if let Some(edge) = self.graph.edge(&from, &to) {
                put(edge, figure, value, &kind);
            }
        }
        self.failed_known |= figure == Figure::Failed;
        if figure == Figure::Calls && !self.graph.is_empty() {
            self.origin = Origin::Metrics;
        }
    }

    /// Tempo writes a series of failures with the first of them: without one there were none.
    fn settle(&mut self) {
        if self.failed_known && self.origin == Origin::Metrics {
            self.graph.without_failures();
        }
    }
}

fn put(edge: &mut Edge, figure: Figure, value: f64, kind: &str) {
    match figure {
        Figure::Calls => {
            edge.calls += value;
            edge.called = match kind {
                "database" | "messaging_system" => Called::Silent(None),
                "virtual_node" if edge.from == "user" => Called::FromOutside,
                "virtual_node" => Called::Silent(None),
                _ => Called::Service,
            };
        }
        Figure::Failed => edge.failed = Some(edge.failed.unwrap_or(0.0) + value),
        Figure::P95 => edge.p95_ns = Some(value * 1e9),
        Figure::Trace => {}
    }
}
