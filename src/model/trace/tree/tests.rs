//! Trees of odd spans.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::Status;
use super::*;

/// Id, parent (0: none), begin and end.
fn span((id, parent, start_ns, end_ns): (u64, u64, i64, i64)) -> Span {
    Span {
        id: SpanId(id),
        parent: (parent > 0).then_some(SpanId(parent)),
        service: Arc::from("s"),
        start_ns,
        end_ns,
        ..Span::default()
    }
}

fn trace(spans: &[(u64, u64, i64, i64)]) -> Trace {
    Trace::new(TraceId(1), spans.iter().copied().map(span).collect())
}

/// Id, depth, own time and share of the critical path of each node.
fn told(trace: &Trace) -> Vec<(u64, usize, Option<i64>, i64)> {
    let nodes = trace.nodes.iter();
    nodes
        .map(|n| (n.span.id.0, n.depth, n.self_ns, n.critical_ns))
        .collect()
}

#[test]
fn a_tree_with_its_own_times_and_critical_path() {
    let trace = trace(&[
        (4, 3, 400, 700),
        (1, 0, 100, 1100),
        (3, 1, 300, 1000),
        (2, 1, 150, 250),
        (5, 1, 160, 900), // Beside span 3, and over before it.
    ]);
    assert_eq!(
        told(&trace),
        [
            (1, 0, Some(150), 250),
            (2, 1, Some(100), 100),
            (5, 1, Some(740), 0),
            (3, 1, Some(400), 400),
            (4, 2, Some(300), 300),
        ]
        .map(|(id, depth, own, critical)| match id {
            // From 100 to 150, 250 to 300 and 1000 to 1100.
            1 => (1, depth, own, 200),
            _ => (id, depth, own, critical),
        })
    );
    assert_eq!(trace.nodes[0].below, 4);
    assert_eq!(trace.extent(), Some((100, 1100)));
    assert!(trace.doubts().is_empty());
}

#[test]
fn missing_parents_and_circles_are_named() {
    let broken = trace(&[
        (2, 9, 50, 60),
        (3, 2, 55, 58),
        (4, 5, 10, 20),
        (5, 4, 12, 15),
    ]);
    assert_eq!(
        told(&broken).iter().map(|t| (t.0, t.1)).collect::<Vec<_>>(),
        [(4, 0), (5, 1), (2, 0), (3, 1)]
    );
    assert_eq!(broken.nodes[0].place, Place::Loop);
    assert_eq!(broken.nodes[2].place, Place::Orphan);
    assert_eq!(
        broken.doubts(),
        [
            "the root is missing",
            "1 without their parent",
            "1 in a circle of parents"
        ]
    );
    let own = trace(&[(7, 7, 1, 2)]);
    assert_eq!(own.nodes[0].place, Place::Loop);
}

#[test]
fn clocks_that_differ_are_told_and_not_mended() {
    let skewed = trace(&[(1, 0, 1000, 2000), (2, 1, 900, 1500), (3, 1, 1900, 2300)]);
    let at = |n: usize| (skewed.nodes[n].early_ns, skewed.nodes[n].late_ns);
    assert_eq!((at(1), at(2)), ((100, 0), (0, 300)));
    assert_eq!(skewed.nodes[1].span.start_ns, 900);
    assert_eq!(skewed.nodes[0].self_ns, Some(400));
    assert_eq!(skewed.doubts(), ["1 before their parent (clocks)"]);
    assert_eq!(skewed.extent(), Some((900, 2300)));
}

#[test]
fn a_span_without_an_end_has_no_time() {
    let open = trace(&[(1, 0, 1000, 0), (2, 1, 1100, 1200)]);
    assert_eq!(open.nodes[0].span.duration_ns(), None);
    assert_eq!(open.nodes[0].self_ns, None);
    assert_eq!(open.nodes[1].early_ns, 0);
    assert_eq!(open.doubts(), ["1 without usable times"]);
    assert_eq!(trace(&[]).extent(), None);
}

#[test]
fn doubles_are_dropped_and_shared_ids_kept() {
    let mut server = span((1, 0, 120, 180));
    server.kind = SpanKind::Server;
    let mut below = span((2, 1, 130, 140));
    below.status = Status::Error;
    let client = span((1, 0, 100, 200));
    let spans = vec![client.clone(), server, below, client];
    let trace = Trace::new(TraceId(1), spans);
    assert_eq!(trace.doubled, 1);
    assert_eq!(trace.nodes.len(), 3);
    assert_eq!(trace.nodes[1].failed_below, 1, "it is below the server");
    assert_eq!(trace.doubts(), ["2 roots", "1 sent twice"]);
}

#[test]
fn a_trace_may_be_as_deep_as_it_is_long() {
    let spans: Vec<_> = (1..=50_000).map(|n| (n, n - 1, 10, 20)).collect();
    let trace = trace(&spans);
    assert_eq!(trace.nodes.last().unwrap().depth, 49_999);
    assert_eq!(trace.nodes[0].below, 49_999);
}

proptest! {
    #[test]
    fn no_span_is_lost_and_the_path_is_as_long_as_its_root(
        spans in prop::collection::vec((1_u64..20, 0_u64..22, 0_i64..200, 0_i64..200), 0..40)
    ) {
        let trace = trace(&spans);
        prop_assert_eq!(trace.nodes.len() + trace.doubled, spans.len());
        for (at, node) in trace.nodes.iter().enumerate() {
            let after = trace.nodes.get(at + 1..).unwrap_or_default();
            let below = after.iter().take_while(|n| n.depth > node.depth).count();
            prop_assert_eq!(below, node.below);
            if let Some(parent) = node.parent {
                prop_assert!(parent < at);
                prop_assert_eq!(trace.nodes[parent].depth + 1, node.depth);
            }
            let whole = node.span.duration_ns();
            prop_assert_eq!(whole.is_some(), node.self_ns.is_some());
            if let (Some(whole), Some(own)) = (whole, node.self_ns) {
                prop_assert!((0..=whole).contains(&own));
                prop_assert!((0..=whole).contains(&node.critical_ns));
            }
        }
        let path: i64 = trace.nodes.iter().map(|n| n.critical_ns).sum();
        let roots = trace.tops().filter(|(_, n)| n.place == Place::Root);
        let longest = roots.filter_map(|(_, n)| n.span.duration_ns()).max();
        if let Some(longest) = longest {
            prop_assert_eq!(path, longest);
        }
    }
}

#[test]
fn short_ids_show_their_ends_and_not_the_zeros_in_front() {
    let short = |text: &str| TraceId::parse(text).unwrap().short();
    assert_eq!(short("050b33be48b2e3ba59613f0e9e30dda0"), "050b…dda0");
    assert_eq!(short("7be100000000abcd"), "7be1…abcd");
    assert_eq!(short("5"), "0000…0005");
}
