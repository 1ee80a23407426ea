//! Which rows a list has, and in which order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::capacity::Room;
use super::list::List;
use super::problem::{self, Problem};
use super::{Cluster, MOST, row};
use crate::model::discovery::{Outcome, Probe};
use crate::model::health::{SourceHealth, SourceKind};
use crate::model::object::{Event, Node, Pod};
use crate::model::openshift::{ClusterOperator, ClusterVersion};
use crate::model::time::Timestamp;
use crate::model::workload::Workload;
use crate::state::world::{ClusterState, World};
use crate::ui::widget::filter::Filter;

/// Events of one reason about things of one owner.
#[derive(Clone, Debug)]
pub struct Repeated<'a> {
    pub newest: &'a Event,
    pub first: Timestamp,
    /// As often as the events themselves say.
    pub count: u64,
    pub kind: &'a str,
    pub owner: Arc<str>,
}

#[derive(Clone, Debug)]
pub enum Row<'a> {
    Problem(Problem),
    Node(&'a Node),
    Pod(&'a Pod),
    Workload(&'a Workload),
    Event(&'a Event),
    Repeated(Repeated<'a>),
    Version(&'a ClusterVersion),
    Operator(&'a ClusterOperator),
    Room(Room),
    Probe(&'a Probe),
    Source(SourceKind, &'a SourceHealth),
}

/// What kind of row, its namespace and its name.
pub type RowId = (&'static str, Arc<str>, Arc<str>);

fn plain(kind: &'static str, name: &str) -> RowId {
    (kind, Arc::from(""), Arc::from(name))
}

impl Row<'_> {
    pub fn id(&self) -> RowId {
        match self {
            Self::Problem(p) => (p.word, p.namespace.clone(), p.name.clone()),
            Self::Node(n) => ("node", Arc::from(""), n.name.clone()),
            Self::Pod(p) => ("pod", p.namespace.clone(), p.name.clone()),
            Self::Workload(w) => (w.kind.as_str(), w.namespace.clone(), w.name.clone()),
            Self::Event(e) => ("event", e.namespace.clone(), e.name.clone()),
            Self::Repeated(r) => ("events", r.owner.clone(), r.newest.reason.as_str().into()),
            Self::Version(v) => ("version", Arc::from(""), v.name.clone()),
            Self::Operator(o) => ("operator", Arc::from(""), o.name.clone()),
            Self::Room(r) => plain("room", r.name()),
            Self::Probe(p) => plain("probe", p.component.word()),
            Self::Source(kind, _) => plain("source", &kind.to_string()),
        }
    }
}

impl Row<'_> {
    /// The earliest time that an event's row tells.
    pub fn first(&self) -> Option<Timestamp> {
        match self {
            Self::Event(e) => Some(e.at),
            Self::Repeated(r) => Some(r.first),
            _ => None,
        }
    }
}

impl Cluster {
    pub(super) fn rows<'a>(&self, world: &World, c: &'a ClusterState, list: List) -> Vec<Row<'a>> {
        let table = self.table(list);
        let filter = table.filter();
        let mut rows: Vec<Row<'a>> = match list {
            List::Problems => {
                let all = problem::all(c, filter);
                all.into_iter().map(Row::Problem).collect()
            }
            List::Nodes => self.nodes(c, filter),
            List::Pods => self.pods(c, filter),
            List::Workloads => self.workloads(c, filter),
            List::Events if self.each_event => self.events(c, filter).map(Row::Event).collect(),
            List::Events => repeated(c, self.events(c, filter)),
            List::Operators => self.operators(c, filter),
            List::Capacity => super::capacity::rows(world, c, filter),
            List::Discovery => self.probes(c, filter),
            List::Sources => sources(c, filter),
            List::Rights => Vec::new(),
        };
        if table.order().1 {
            rows.reverse();
        }
        rows
    }

    fn nodes<'a>(&self, c: &'a ClusterState, filter: &Filter) -> Vec<Row<'a>> {
        let all = c.nodes.values();
        let mut rows: Vec<&Node> = all
            .filter(|n| !self.problems || row::node_rank(n) > 0)
            .filter(|n| filter.is_empty() || node_matches(n, filter))
            .collect();
        // They come by name.
        rows.sort_by_key(|n| std::cmp::Reverse(row::node_rank(n)));
        rows.into_iter().map(Row::Node).collect()
    }

    fn pods<'a>(&self, c: &'a ClusterState, filter: &Filter) -> Vec<Row<'a>> {
        let all = c.pods.values();
        let mut rows: Vec<&Pod> = all
            .filter(|p| !self.problems || p.is_bad() || p.reason.is_some())
            .filter(|p| filter.is_empty() || filter.matches(&row::pod_fields(p)))
            .take(MOST)
            .collect();
        let column = self.table(List::Pods).order().0;
        rows.sort_by_key(|p: &&'a Pod| row::pod_key(p, column));
        rows.into_iter().map(Row::Pod).collect()
    }

    fn workloads<'a>(&self, c: &'a ClusterState, filter: &Filter) -> Vec<Row<'a>> {
        let all = c.workloads.values();
        let mut rows: Vec<&Workload> = all
            .filter(|w| !self.problems || w.is_short() || w.is_rolling())
            .filter(|w| {
                filter.is_empty()
                    || filter.matches(&[
                        ("name", &w.name),
                        ("namespace", &w.namespace),
                        ("ns", &w.namespace),
                        ("kind", w.kind.as_str()),
                        ("image", w.images.first().map_or("", |i| i.as_ref())),
                    ])
            })
            .take(MOST)
            .collect();
        rows.sort_by_key(|w| (!w.is_short(), !w.is_rolling()));
        rows.into_iter().map(Row::Workload).collect()
    }

    /// Newest first.
    fn events<'a>(
        &self,
        c: &'a ClusterState,
        filter: &Filter,
    ) -> impl Iterator<Item = &'a Event> + use<'a> {
        let rows = c.events.iter().rev();
        let rows = rows.filter(|e| !self.problems || e.warning).filter(|e| {
            filter.is_empty()
                || filter.matches(&[
                    ("reason", e.reason.as_str()),
                    ("message", &e.message),
                    ("name", &e.about.1),
                    ("kind", &e.about.0),
                    ("namespace", &e.namespace),
                ])
        });
        let rows: Vec<&Event> = rows.take(MOST).collect();
        rows.into_iter()
    }

    fn operators<'a>(&self, c: &'a ClusterState, filter: &Filter) -> Vec<Row<'a>> {
        let version = c.version.iter().filter(|_| filter.is_empty());
        let all = c.operators.values();
        let mut rows: Vec<&ClusterOperator> = all
            .filter(|o| !self.problems || o.is_bad() || o.is_progressing())
            .filter(|o| filter.matches(&[("name", &o.name)]))
            .collect();
        rows.sort_by_key(|o| (!o.is_bad(), !o.is_progressing()));
        let rows = rows.into_iter().map(Row::Operator);
        version.map(Row::Version).chain(rows).collect()
    }

    fn probes<'a>(&self, c: &'a ClusterState, filter: &Filter) -> Vec<Row<'a>> {
        let fields = |p: &'a Probe| {
            [
                ("component", p.component.word()),
                ("reason", p.reason.as_str()),
                ("place", p.place.as_deref().unwrap_or("")),
            ]
        };
        let all = c.probes.iter();
        let bad = |p: &Probe| matches!(p.outcome, Outcome::Error | Outcome::NoPermission);
        all.filter(|p| !self.problems || bad(p))
            .filter(|p| filter.is_empty() || filter.matches(&fields(p)))
            .map(Row::Probe)
            .collect()
    }
}

fn node_matches(n: &Node, filter: &Filter) -> bool {
    let (roles, taints) = (n.roles.join(","), n.taints.join(","));
    let mut fields = vec![
        ("name", n.name.as_ref()),
        ("role", &roles),
        ("taints", &taints),
    ];
    fields.extend(n.labels.iter());
    filter.matches(&fields)
}

fn sources<'a>(c: &'a ClusterState, filter: &Filter) -> Vec<Row<'a>> {
    let all = c.sources.iter();
    all.filter(|(kind, _)| filter.is_empty() || filter.matches_text(&kind.to_string()))
        .map(|(kind, health)| Row::Source(*kind, health))
        .collect()
}

/// Put together by reason and owner, the newest group first.
fn repeated<'a>(c: &'a ClusterState, events: impl Iterator<Item = &'a Event>) -> Vec<Row<'a>> {
    let mut places: BTreeMap<(&str, Owner<'a>), usize> = BTreeMap::new();
    let mut groups: Vec<Repeated<'a>> = Vec::new();
    for event in events {
        let owner = owner(c, event);
        let place = *places
            .entry((event.reason.as_str(), owner))
            .or_insert_with(|| {
                groups.push(Repeated {
                    newest: event,
                    first: event.at,
                    count: 0,
                    kind: owner.0,
                    owner: place(owner),
                });
                groups.len() - 1
            });
        if let Some(group) = groups.get_mut(place) {
            group.first = group.first.min(event.at);
            group.count += u64::from(event.count.max(1));
        }
    }
    groups.into_iter().map(Row::Repeated).collect()
}

/// Kind, namespace and name.
type Owner<'a> = (&'a str, &'a str, &'a str);

/// What owns the object of an event, as far as its pod is known.
fn owner<'a>(c: &'a ClusterState, event: &'a Event) -> Owner<'a> {
    let (kind, name) = &event.about;
    let key = (event.namespace.clone(), Arc::from(name.as_str()));
    let pod = (kind == "Pod").then(|| c.pods.get(&key)).flatten();
    let (kind, name) = match pod.and_then(|p| p.owner.as_ref()) {
        Some((kind, name)) => (kind, name),
        None => (kind, name),
    };
    let namespace = if kind == "Node" { "" } else { &event.namespace };
    (kind, namespace, name)
}

fn place((_, namespace, name): Owner<'_>) -> Arc<str> {
    match namespace {
        "" => name.into(),
        namespace => format!("{namespace}/{name}").into(),
    }
}
