//! Which service calls which: from series that Tempo's metrics generator wrote, or from traces.

use std::collections::{BTreeMap, BTreeSet};

use super::{Node, SpanKind, Trace};

/// Durations kept of one edge of sampled traces.
const DURATIONS: usize = 10_000;
/// Edges kept.
const EDGES: usize = 2_000;
/// Attributes that name what a client calls, where that writes no spans itself.
const PEERS: [&str; 6] = [
    "peer.service",
    "db.namespace",
    "db.name",
    "messaging.destination.name",
    "db.system",
    "server.address",
];

/// What stands at the other end of an edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Called {
    #[default]
    Service,
    /// It writes no spans: a database, a queue. With the attribute that names it, where known.
    Silent(Option<&'static str>),
    /// The caller is not known: users, programs without traces.
    FromOutside,
}

/// Calls of one service by another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// A second by metrics, else their number in the sample.
    pub calls: f64,
    /// Of these, those that failed; `None`: not known.
    pub failed: Option<f64>,
    /// `None`: not known.
    pub p95_ns: Option<f64>,
    pub called: Called,
    /// Of the sample.
    durations: Vec<i64>,
}

impl Edge {
    /// Share of the calls that failed, 0 to 1.
    pub fn failing(&self) -> Option<f64> {
        let failed = self.failed.filter(|_| self.calls > 0.0)?;
        Some((failed / self.calls).clamp(0.0, 1.0))
    }
}

/// A row of the graph written as a tree: a service at the top, or an edge below its caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch<'g> {
    pub depth: usize,
    pub service: &'g str,
    /// `None`: nobody is known to call it, or it stands on top of a circle.
    pub edge: Option<&'g Edge>,
    /// What it calls is written elsewhere.
    pub again: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    edges: BTreeMap<(String, String), Edge>,
    /// Services without any edge.
    alone: BTreeSet<String>,
    /// Edges that were too many.
    pub dropped: usize,
}

impl Graph {
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty() && self.alone.is_empty()
    }

    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.values()
    }

    pub fn services(&self) -> usize {
        let ends = self.edges.keys().flat_map(|(from, to)| [from, to]);
        ends.chain(&self.alone).collect::<BTreeSet<_>>().len()
    }

    /// The edge, made where there is none; `None`: there are too many.
    pub fn edge(&mut self, from: &str, to: &str) -> Option<&mut Edge> {
        let key = (from.to_owned(), to.to_owned());
        if self.edges.len() >= EDGES && !self.edges.contains_key(&key) {
            self.dropped += 1;
            return None;
        }
        let (from, to) = key.clone();
        let edge = self.edges.entry(key).or_insert_with(|| Edge {
            from,
            to,
            ..Edge::default()
        });
        Some(edge)
    }

    /// Edges of which no failure was told had none.
    pub fn without_failures(&mut self) {
        for edge in self.edges.values_mut() {
            edge.failed = edge.failed.or(Some(0.0));
        }
    }

    /// Adds the calls between the services of a trace.
    pub fn sample(&mut self, trace: &Trace) {
        for node in &trace.nodes {
            let above = node.parent.and_then(|at| trace.nodes.get(at));
            let service = node.span.service.as_ref();
            match above.map(|a| a.span.service.as_ref()) {
                Some(caller) if caller != service => {
                    self.call(caller, service, node, Called::Service)
                }
                None if !service.is_empty() => {
                    self.alone.insert(service.to_owned());
                }
                _ => {}
            }
            let peer = || {
                let named = |name: &&'static str| Some((*name, node.span.attribute(&[*name])?));
                PEERS.iter().find_map(named)
            };
            let outward = matches!(node.span.kind, SpanKind::Client | SpanKind::Producer);
            if let Some((name, peer)) = peer().filter(|_| outward && node.below == 0) {
                let peer = peer.to_owned();
                self.call(service, &peer, node, Called::Silent(Some(name)));
            }
        }
        let edges = &self.edges;
        self.alone
            .retain(|s| !edges.keys().any(|(from, to)| from == s || to == s));
    }

    fn call(&mut self, from: &str, to: &str, node: &Node, called: Called) {
        let Some(edge) = self.edge(from, to) else {
            return;
        };
        edge.calls += 1.0;
        let failed = f64::from(u8::from(node.span.failed()));
        edge.failed = Some(edge.failed.unwrap_or(0.0) + failed);
        if edge.durations.is_empty() || edge.called != Called::Service {
            edge.called = called;
        }
        if let Some(took) = node
            .span
            .duration_ns()
            .filter(|_| edge.durations.len() < DURATIONS)
        {
            let place = edge.durations.partition_point(|d| *d < took);
            edge.durations.insert(place, took);
        }
        let rank = (edge.durations.len() * 95).div_ceil(100).saturating_sub(1);
        edge.p95_ns = edge.durations.get(rank).map(|ns| *ns as f64);
    }

    /// As a tree: callers above what they call, the busiest first, each service spread out once.
    pub fn branches(&self) -> Vec<Branch<'_>> {
        let mut below: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
        for edge in self.edges.values() {
            below.entry(&edge.from).or_default().push(edge);
        }
        for edges in below.values_mut() {
            edges.sort_by(|a, b| a.calls.total_cmp(&b.calls));
        }
        let called: BTreeSet<&str> = self
            .edges
            .values()
            .filter(|e| e.from != e.to)
            .map(|e| e.to.as_str())
            .collect();
        let busy = |service: &str| {
            below
                .get(service)
                .map_or(0.0, |e| e.iter().map(|e| e.calls).sum())
        };
        let mut callers: Vec<&str> = below.keys().copied().collect();
        callers.extend(self.alone.iter().map(String::as_str));
        // Those that nobody calls come first; then what only circles lead to.
        callers.sort_by(|a, b| {
            let order = called.contains(a).cmp(&called.contains(b));
            order
                .then(f64::total_cmp(&busy(b), &busy(a)))
                .then(a.cmp(b))
        });
        let mut spread: BTreeSet<&str> = BTreeSet::new();
        let mut out = Vec::new();
        for top in callers {
            if !spread.insert(top) {
                continue;
            }
            out.push(Branch {
                depth: 0,
                service: top,
                edge: None,
                again: false,
            });
            let first = below.get(top).into_iter().flatten();
            let mut stack: Vec<(usize, &Edge)> = first.map(|e| (1, *e)).collect();
            while let Some((depth, edge)) = stack.pop() {
                let more = below.get(edge.to.as_str());
                let again = !spread.insert(&edge.to) && more.is_some();
                out.push(Branch {
                    depth,
                    service: &edge.to,
                    edge: Some(edge),
                    again,
                });
                if !again {
                    stack.extend(more.into_iter().flatten().map(|e| (depth + 1, *e)));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Span, SpanId, Status, TraceId};
    use super::*;

    fn span(id: u64, parent: u64, service: &str, ms: i64) -> Span {
        Span {
            id: SpanId(id),
            parent: (parent > 0).then_some(SpanId(parent)),
            service: Arc::from(service),
            start_ns: 1_000_000,
            end_ns: 1_000_000 + ms * 1_000_000,
            ..Span::default()
        }
    }

    fn tree(graph: &Graph) -> Vec<String> {
        let rows = graph.branches();
        rows.iter()
            .map(|b| {
                format!(
                    "{}{}{}",
                    " ".repeat(b.depth),
                    b.service,
                    if b.again { "+" } else { "" }
                )
            })
            .collect()
    }

    #[test]
    fn calls_between_services_are_counted_from_traces() {
        let mut failed = span(3, 2, "pay", 30);
        failed.status = Status::Error;
        let mut store = span(4, 3, "pay", 20);
        store.kind = SpanKind::Client;
        store.attributes = vec![("db.system".into(), "postgres".into())];
        let spans = vec![
            span(1, 0, "gateway", 50),
            span(2, 1, "checkout", 40),
            failed,
            store,
            span(5, 2, "pay", 10),
            span(6, 2, "checkout", 1),
        ];
        let mut graph = Graph::default();
        graph.sample(&Trace::new(TraceId(1), spans));
        graph.sample(&Trace::new(TraceId(2), vec![span(1, 0, "cron", 5)]));
        assert_eq!(
            tree(&graph),
            ["gateway", " checkout", "  pay", "   postgres", "cron"]
        );
        assert_eq!(graph.services(), 5);
        let pay = graph.edges().find(|e| e.to == "pay").unwrap();
        assert_eq!((pay.calls, pay.failing()), (2.0, Some(0.5)));
        assert_eq!(pay.p95_ns, Some(30_000_000.0));
        let store = graph.edges().find(|e| e.to == "postgres").unwrap();
        assert_eq!(store.called, Called::Silent(Some("db.system")));
    }

    #[test]
    fn circles_end() {
        let mut graph = Graph::default();
        for (from, to, calls) in [
            ("a", "b", 3.0),
            ("b", "a", 1.0),
            ("b", "b", 1.0),
            ("x", "b", 1.0),
        ] {
            graph.edge(from, to).unwrap().calls = calls;
        }
        assert_eq!(tree(&graph), ["x", " b", "  b+", "  a", "   b+"]);
        assert_eq!(graph.edges().next().unwrap().failing(), None, "not known");
    }

    #[test]
    fn edges_are_bounded() {
        let mut graph = Graph::default();
        for at in 0..EDGES + 5 {
            graph.edge("a", &at.to_string());
        }
        assert_eq!((graph.edges().count(), graph.dropped), (EDGES, 5));
    }
}
