//! The critical path: what the end of a trace waited for, at each moment of it.
//!
//! From the end of the root backwards: the child that ended last was waited for, and before it
//! began, the child that had ended last by then; where no child ran, the span itself was at work.
//! A child that outlives its parent counts up to the parent's end. Work that ran beside all that
//! is not on the path. The shares of all spans add up to the time of the root.

use super::tree::{Node, Place};

/// One span, looked at from `until` backwards to `from`.
struct Walk {
    at: usize,
    from: i64,
    until: i64,
}

pub(super) fn mark(nodes: &mut [Node]) {
    let root = main(nodes).and_then(|at| nodes.get(at).map(|n| (at, &n.span)));
    let Some((at, span)) = root else { return };
    let mut walks = vec![Walk {
        at,
        from: span.start_ns,
        until: span.end_ns,
    }];
    let children = by_end(nodes);
    while let Some(Walk { at, from, until }) = walks.pop() {
        let (mut until, mut own, mut first) = (until, 0, true);
        for child in children.get(at).into_iter().flatten() {
            let Some(span) = nodes.get(*child).map(|n| &n.span) else {
                continue;
            };
            let (start, end) = (span.start_ns.max(from), span.end_ns.min(until));
            // What still ran when the next one began was not what that one waited for.
            if end <= start || (span.end_ns > until && !first) {
                continue;
            }
            own += until - end;
            walks.push(Walk {
                at: *child,
                from: start,
                until: end,
            });
            (until, first) = (start, false);
        }
        if let Some(node) = nodes.get_mut(at) {
            node.critical_ns += own + (until - from).max(0);
        }
    }
}

/// Where the path begins: the longest root, or what comes nearest to one.
fn main(nodes: &[Node]) -> Option<usize> {
    let tops = nodes.iter().enumerate().filter(|(_, n)| n.parent.is_none());
    let timed = tops.filter_map(|(at, n)| Some((at, n, n.span.duration_ns()?)));
    let best =
        timed.max_by_key(|(at, n, long)| (n.place == Place::Root, *long, std::cmp::Reverse(*at)));
    best.map(|(at, _, _)| at)
}

/// The children of each node whose times are told, the one that ended last first.
fn by_end(nodes: &[Node]) -> Vec<Vec<usize>> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let list = node.parent.and_then(|p| children.get_mut(p));
        if let Some(list) = list.filter(|_| node.span.is_timed()) {
            list.push(at);
        }
    }
    for list in &mut children {
        list.sort_by_key(|at| std::cmp::Reverse(nodes.get(*at).map(|n| n.span.end_ns)));
    }
    children
}
