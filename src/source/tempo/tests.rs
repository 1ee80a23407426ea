//! Answers of a real Tempo, and answers that are none.

use proptest::prelude::*;

use super::collect::Collected;
use super::search::{Found, Tags, Values};
use super::{otlp, proto};
use crate::model::trace::{Place, SpanKind, Status, Trace, TraceId};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/fixtures/tempo/{name}")).unwrap()
}

fn trace(read: Collected) -> Option<Trace> {
    read.trace(TraceId(7))
}

fn from_json(body: &[u8]) -> Option<Trace> {
    trace(otlp::read(body).unwrap().0)
}

#[test]
fn one_trace_in_all_its_forms_is_the_same() {
    let v2 = from_json(&fixture("trace_by_id_v2.json")).unwrap();
    assert_eq!(v2.id.to_string(), "050b33be48b2e3ba59613f0e9e30dda0");
    assert_eq!(from_json(&fixture("trace_by_id_v1.json")).unwrap(), v2);
    let (binary, warnings) = proto::read_v2(&fixture("trace_by_id_v2_protobuf.bin")).unwrap();
    assert_eq!(trace(binary).unwrap(), v2);
    assert!(warnings.is_empty());
    let root = &v2.nodes[0];
    assert_eq!((root.place, root.below), (Place::Root, v2.nodes.len() - 1));
    assert_eq!(root.span.operation, "POST /api/checkout");
    assert_eq!(root.span.service.as_ref(), "gateway");
    assert_eq!(root.span.kind, SpanKind::Server);
    assert_eq!(root.span.status, Status::Error);
    assert_eq!(root.span.message, "upstream returned 502");
    assert_eq!(root.span.sender(&["k8s.pod.name"]), Some("gateway-0"));
    assert_eq!(
        root.span.attribute(&["http.response.status_code"]),
        Some("502")
    );
    let thrown = &root.span.events[0];
    assert_eq!(thrown.name, "exception");
    assert!(
        thrown.attributes[2].1.contains("\nmain.main()\n /src"),
        "{thrown:?}"
    );
    assert_eq!(v2.nodes[1].span.status, Status::Unset);
    let path: i64 = v2.nodes.iter().map(|n| n.critical_ns).sum();
    assert_eq!(Some(path), root.span.duration_ns());
    assert!(v2.doubts().is_empty(), "{:?}", v2.doubts());
}

#[test]
fn a_missing_trace_is_none() {
    assert_eq!(from_json(&fixture("err_trace_not_found_v2.txt")), None);
    assert_eq!(trace(proto::read_v2(b"").unwrap().0), None);
}

#[test]
fn a_part_of_a_trace_says_so() {
    let body = br#"{"trace":{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"0102030405060708",
        "kind":2,"parentSpanId":"ff02030405060708","startTimeUnixNano":5,"endTimeUnixNano":"9",
        "status":{"code":2},"droppedEventsCount":3,"attributes":[{"key":"a","value":{"arrayValue":
        {"values":[{"intValue":"1"},{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}]}}}]}]}]}]},
        "status":"PARTIAL","message":"too \u001b[31mlarge"}"#;
    let (read, warnings) = otlp::read(body).unwrap();
    assert_eq!(
        warnings,
        ["the server sent a part of the trace only: too large"]
    );
    let trace = trace(read).unwrap();
    assert_eq!(
        trace.id,
        TraceId(7),
        "as asked, where the spans do not tell"
    );
    let node = &trace.nodes[0];
    assert_eq!((node.place, node.span.dropped), (Place::Orphan, 3));
    assert_eq!(node.span.attributes[0].1, "[1, {k=true}]");
    assert_eq!(
        (node.span.kind, node.span.status),
        (SpanKind::Server, Status::Error)
    );
    // status = 3, message = 4 of v2's answer.
    let (_, warnings) = proto::read_v2(b"\x18\x01\x22\x03big").unwrap();
    assert_eq!(warnings, ["the server sent a part of the trace only: big"]);
}

#[test]
fn searches_are_read_as_they_were_recorded() {
    let read = |name: &str| {
        let found: Found = serde_json::from_slice(&fixture(name)).unwrap();
        found.into_facts()
    };
    let (recent, warnings) = read("search_recent.json");
    assert!(warnings.is_empty());
    assert_eq!(recent.len(), 5);
    assert!(recent.windows(2).all(|w| w[0].start_ns >= w[1].start_ns));
    assert_eq!(recent[0].id.to_string(), "052366b55f6667ce277c01d08b36136d");
    assert_eq!((recent[0].duration_ms, recent[0].counts), (72, None));
    let (matched, _) = read("search_structural.json");
    let counts = matched[0].counts.unwrap();
    assert_eq!((counts.spans, counts.services, counts.errors), (10, 2, 3));
    assert_eq!(matched[0].matched, Some(3));
    assert!(read("search_empty.json").0.is_empty());
    assert_eq!(read("search_tags_legacy.json").0.len(), 3);
    assert_eq!(read("search_traceql_errors.json").0.len(), 5);
}

#[test]
fn what_a_search_did_not_see_is_told() {
    let body = br#"{"traces":[{"traceID":"zz"},{"traceID":"1f","rootServiceName":
        "<root span not yet received>"}],"metrics":{"completedJobs":1,"totalJobs":4}}"#;
    let found: Found = serde_json::from_slice(body).unwrap();
    let (found, warnings) = found.into_facts();
    assert_eq!((found.len(), found[0].service.as_str()), (1, ""));
    assert_eq!(
        warnings,
        [
            "the search is partial: 1 of 4 parts were read",
            "1 traces have no readable id and are left out"
        ]
    );
}

#[test]
fn tags_are_named_as_traceql_wants_them() {
    let tags = |name: &str| {
        let tags: Tags = serde_json::from_slice(&fixture(name)).unwrap();
        tags.into_names()
    };
    let new = tags("tags_v2.json");
    for name in [
        "resource.k8s.pod.name",
        "duration",
        "span.http.route",
        "event.exception.type",
    ] {
        assert!(new.iter().any(|n| n == name), "{name}");
    }
    assert!(tags("tags_v1.json").contains(&".http.route".to_owned()));
    for name in [
        "tag_values_v1.json",
        "tag_values_v2.json",
        "tag_values_status.json",
    ] {
        let values: Values = serde_json::from_slice(&fixture(name)).unwrap();
        let told = values.into_values();
        assert!(told.len() >= 3, "{name}");
        let kind = &told[0].1;
        assert_eq!(kind.is_empty(), name.contains("v1"), "{name}: {kind}");
    }
}

proptest! {
    #[test]
    fn broken_messages_are_refused_and_never_more(
        cut in 0_usize..2741, at in 0_usize..2741, byte in any::<u8>(),
    ) {
        let mut body = fixture("trace_by_id_v2_protobuf.bin");
        body[at] = byte;
        body.truncate(cut);
        if let Ok((read, _)) = proto::read_v2(&body) {
            let _ = trace(read);
        }
    }

    #[test]
    fn any_bytes_are_read(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = proto::read_v1(&body);
        let _ = otlp::read(&body);
    }
}
