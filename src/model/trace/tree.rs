//! From spans in any order to a tree in the order it is read.

use std::collections::HashMap;

use super::path;
use super::{Span, SpanId, SpanKind, TraceId};

/// Why a node stands where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It names no parent.
    Root,
    Child,
    /// It names a parent that is not among the spans.
    Orphan,
    /// Its parents lead back to itself.
    Loop,
}

/// A span in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub span: Span,
    pub place: Place,
    /// Position of its parent; `None` at the top.
    pub parent: Option<usize>,
    pub depth: usize,
    /// Nodes below it: they follow it directly.
    pub below: usize,
    /// Of these, how many failed.
    pub failed_below: usize,
    /// Time in which none of its children ran; `None`: its own times cannot be told.
    pub self_ns: Option<i64>,
    /// Its share of the critical path.
    pub critical_ns: i64,
    /// So long before its parent it began, which only clocks that differ explain.
    pub early_ns: i64,
    /// So long after its parent it ended: work that nobody waited for, or clocks that differ.
    pub late_ns: i64,
}

/// All that was got of one trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub id: TraceId,
    /// Each before what is below it, those beside each other by their begin.
    pub nodes: Vec<Node>,
    /// Spans that were sent twice, the same each time.
    pub doubled: usize,
    /// Spans there were, where not all were kept.
    pub cut_from: Option<usize>,
    facts: Facts,
}

/// What is told of the whole on every frame; made once.
#[derive(Clone, Debug, Default, PartialEq)]
struct Facts {
    extent: Option<(i64, i64)>,
    failed: usize,
    services: usize,
    doubts: Vec<String>,
}

impl Trace {
    pub fn new(id: TraceId, spans: Vec<Span>) -> Self {
        let (spans, doubled) = distinct(spans);
        let (parents, places) = parents(&spans);
        let mut nodes = ordered(spans, &parents, &places);
        measure(&mut nodes);
        path::mark(&mut nodes);
        let mut trace = Self {
            id,
            nodes,
            doubled,
            cut_from: None,
            facts: Facts::default(),
        };
        trace.facts = Facts {
            extent: trace.find_extent(),
            failed: trace.nodes.iter().filter(|n| n.span.failed()).count(),
            services: trace.count_services(),
            doubts: trace.find_doubts(),
        };
        trace
    }

    /// From the first begin to the last end; `None`: no span tells its times.
    pub fn extent(&self) -> Option<(i64, i64)> {
        self.facts.extent
    }

    /// Spans that failed.
    pub fn failed(&self) -> usize {
        self.facts.failed
    }

    pub fn services(&self) -> usize {
        self.facts.services
    }

    /// What is not as it should be, in sentences.
    pub fn doubts(&self) -> &[String] {
        &self.facts.doubts
    }

    fn find_extent(&self) -> Option<(i64, i64)> {
        let timed = || self.nodes.iter().map(|n| &n.span).filter(|s| s.is_timed());
        let start = timed().map(|s| s.start_ns).min()?;
        let end = timed().map(|s| s.end_ns).max()?;
        Some((start, end))
    }

    /// The nodes at the top.
    pub fn tops(&self) -> impl Iterator<Item = (usize, &Node)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, n)| n.parent.is_none())
    }

    fn count_services(&self) -> usize {
        let mut names: Vec<&str> = self.nodes.iter().map(|n| n.span.service.as_ref()).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }

    fn find_doubts(&self) -> Vec<String> {
        let count = |what: &dyn Fn(&Node) -> bool| self.nodes.iter().filter(|n| what(n)).count();
        let roots = count(&|n| n.place == Place::Root);
        let mut told = Vec::new();
        let mut tell = |n: usize, what: &str| {
            if n > 0 {
                told.push(format!("{n} {what}"));
            }
        };
        tell(count(&|n| n.place == Place::Orphan), "without their parent");
        tell(count(&|n| n.place == Place::Loop), "in a circle of parents");
        tell(count(&|n| n.early_ns > 0), "before their parent (clocks)");
        tell(count(&|n| !n.span.is_timed()), "without usable times");
        tell(self.doubled, "sent twice");
        match roots {
            0 if !self.nodes.is_empty() => told.insert(0, "the root is missing".to_owned()),
            0 | 1 => {}
            n => told.insert(0, format!("{n} roots")),
        }
        told
    }
}

/// Without the spans that are there twice, the same each time; and how many those were.
fn distinct(spans: Vec<Span>) -> (Vec<Span>, usize) {
    let mut kept: Vec<Span> = Vec::with_capacity(spans.len());
    let mut by_id: HashMap<SpanId, Vec<usize>> = HashMap::with_capacity(spans.len());
    let mut doubled = 0;
    for span in spans {
        let same_id = by_id.entry(span.id).or_default();
        let mut same = same_id.iter().filter_map(|at| kept.get(*at));
        if same.any(|held| *held == span) {
            doubled += 1;
        } else {
            same_id.push(kept.len());
            kept.push(span);
        }
    }
    (kept, doubled)
}

/// The parent of each span, and why it stands there.
fn parents(spans: &[Span]) -> (Vec<Option<usize>>, Vec<Place>) {
    let mut by_id: HashMap<SpanId, usize> = HashMap::with_capacity(spans.len());
    for (at, span) in spans.iter().enumerate() {
        // Client and server may share an id: what is below belongs to the server.
        let first = *by_id.entry(span.id).or_insert(at);
        let is_server = |at: usize| spans.get(at).is_some_and(|s| s.kind == SpanKind::Server);
        if first != at && is_server(at) && !is_server(first) {
            by_id.insert(span.id, at);
        }
    }
    let mut parents = Vec::with_capacity(spans.len());
    let mut places = Vec::with_capacity(spans.len());
    for (at, span) in spans.iter().enumerate() {
        let (parent, place) = match span.parent {
            None => (None, Place::Root),
            Some(id) => match by_id.get(&id).filter(|parent| **parent != at) {
                Some(parent) => (Some(*parent), Place::Child),
                None if id == span.id => (None, Place::Loop),
                None => (None, Place::Orphan),
            },
        };
        parents.push(parent);
        places.push(place);
    }
    open_loops(spans, &mut parents, &mut places);
    (parents, places)
}

/// Circles of parents are cut at their earliest span.
fn open_loops(spans: &[Span], parents: &mut [Option<usize>], places: &mut [Place]) {
    // 0: not visited; else the number of the walk that came by.
    let mut visited = vec![0_usize; spans.len()];
    for start in 0..spans.len() {
        let walk = start + 1;
        let mut at = start;
        while let Some(seen) = visited.get_mut(at).filter(|seen| **seen == 0) {
            *seen = walk;
            match parents.get(at).copied().flatten() {
                Some(parent) => at = parent,
                None => break,
            }
        }
        let met = visited.get(at) == Some(&walk);
        if !met || parents.get(at).copied().flatten().is_none() {
            continue;
        }
        // `at` is on a circle: once round it for its earliest span.
        let (mut next, mut first) = (at, at);
        while let Some(parent) = parents.get(next).copied().flatten() {
            next = parent;
            let begin = |at: usize| spans.get(at).map(|s| (s.start_ns, s.id));
            if begin(next) < begin(first) {
                first = next;
            }
            if next == at {
                break;
            }
        }
        if let (Some(parent), Some(place)) = (parents.get_mut(first), places.get_mut(first)) {
            (*parent, *place) = (None, Place::Loop);
        }
    }
}

/// The nodes in the order they are read. No recursion: a trace may be as deep as it is long.
fn ordered(spans: Vec<Span>, parents: &[Option<usize>], places: &[Place]) -> Vec<Node> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut tops = Vec::new();
    for (at, parent) in parents.iter().enumerate() {
        match parent.and_then(|p| children.get_mut(p)) {
            Some(list) => list.push(at),
            None => tops.push(at),
        }
    }
    let begin = |at: &usize| spans.get(*at).map(|s| (s.start_ns, s.end_ns, s.id));
    for list in children.iter_mut().chain([&mut tops]) {
        // The last comes off the stack first.
        list.sort_by_key(|at| std::cmp::Reverse(begin(at)));
    }
    let mut spans: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    let mut nodes: Vec<Node> = Vec::with_capacity(spans.len());
    let mut stack: Vec<(usize, Option<usize>, usize)> =
        tops.into_iter().map(|at| (at, None, 0)).collect();
    while let Some((at, parent, depth)) = stack.pop() {
        let Some(span) = spans.get_mut(at).and_then(Option::take) else {
            continue;
        };
        let here = nodes.len();
        let below = children.get_mut(at).map(std::mem::take).unwrap_or_default();
        stack.extend(below.into_iter().map(|c| (c, Some(here), depth + 1)));
        nodes.push(Node {
            span,
            place: places.get(at).copied().unwrap_or(Place::Orphan),
            parent,
            depth,
            below: 0,
            failed_below: 0,
            self_ns: None,
            critical_ns: 0,
            early_ns: 0,
            late_ns: 0,
        });
    }
    nodes
}

/// What follows from the tree: sizes, time of its own, and how it lies to its parent.
fn measure(nodes: &mut [Node]) {
    for at in (0..nodes.len()).rev() {
        let Some(node) = nodes.get(at) else { continue };
        let (below, failed) = (
            node.below,
            node.failed_below + usize::from(node.span.failed()),
        );
        let (parent, times) = (node.parent, times(node));
        let Some(above) = parent.and_then(|p| nodes.get_mut(p)) else {
            continue;
        };
        above.below += below + 1;
        above.failed_below += failed;
        let around = self::times(above);
        if let (Some((start, end)), Some((from, to)), Some(node)) =
            (times, around, nodes.get_mut(at))
        {
            node.early_ns = (from - start).max(0);
            node.late_ns = (end - to).max(0);
        }
    }
    let busy = busy(nodes);
    for (node, busy) in nodes.iter_mut().zip(busy) {
        node.self_ns = node.span.duration_ns().map(|whole| whole - busy);
    }
}

fn times(node: &Node) -> Option<(i64, i64)> {
    let span = &node.span;
    span.is_timed().then_some((span.start_ns, span.end_ns))
}

/// Of each node, the time within it in which at least one child ran. Children come by their
/// begin, so one pass over all nodes does.
fn busy(nodes: &[Node]) -> Vec<i64> {
    let mut busy = vec![0_i64; nodes.len()];
    // Up to where the children so far reach.
    let mut reached = vec![i64::MIN; nodes.len()];
    for node in nodes {
        let Some(parent) = node.parent else { continue };
        let around = nodes.get(parent).and_then(times);
        let (Some((start, end)), Some((from, to))) = (times(node), around) else {
            continue;
        };
        let (Some(reached), Some(busy)) = (reached.get_mut(parent), busy.get_mut(parent)) else {
            continue;
        };
        let (start, end) = (start.max(from).max(*reached), end.min(to));
        if end > start {
            *busy += end - start;
            *reached = end;
        }
    }
    busy
}

#[cfg(test)]
mod tests;
