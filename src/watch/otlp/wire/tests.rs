use super::*;

#[test]
fn spans_travel_as_the_protocol_wants_them() {
    let done = Finished {
        trace: 0x0102,
        id: 0xff,
        parent: Some(1),
        name: "request",
        start_ns: 1_800_000_000_000_000_000,
        took_ns: 1_500,
        values: vec![
            ("cluster", Told::Text("alpha".into())),
            ("bytes", Told::Whole(7)),
            ("ratio", Told::Number(f64::NAN)),
            ("ok", Told::Truth(false)),
            (
                "error",
                Told::Text("http://u:hunter2hunter2@h/ refused".into()),
            ),
        ],
    };
    let value: serde_json::Value = serde_json::from_slice(&body(&[done])).expect("JSON");
    let resource = &value["resourceSpans"][0];
    assert_eq!(
        resource["resource"]["attributes"][0]["value"]["stringValue"],
        "farwatch"
    );
    let span = &resource["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], "00000000000000000000000000000102");
    assert_eq!(span["spanId"], "00000000000000ff");
    assert_eq!(span["parentSpanId"], "0000000000000001");
    assert_eq!(span["kind"], 3);
    assert_eq!(span["startTimeUnixNano"], "1800000000000000000");
    assert_eq!(span["endTimeUnixNano"], "1800000000000001500");
    let attributes = span["attributes"].as_array().expect("a list");
    assert_eq!(attributes.len(), 4, "the error is the status");
    assert_eq!(attributes[1]["value"]["intValue"], "7");
    assert_eq!(attributes[2]["value"]["stringValue"], "NaN");
    assert_eq!(attributes[3]["value"]["boolValue"], false);
    assert_eq!(span["status"]["code"], 2);
    let told = span["status"]["message"].as_str().expect("a text");
    assert!(
        told.contains("refused") && !told.contains("hunter2"),
        "{told}"
    );
}

#[test]
fn what_the_server_refused_is_counted() {
    let answers: [(&[u8], usize); 6] = [
        (b"{}", 0),
        (b"", 0),
        (br#"{"partialSuccess":{}}"#, 0),
        (
            br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}"#,
            3,
        ),
        (br#"{"partialSuccess":{"rejectedSpans":4}}"#, 4),
        (b"\xff<html>", 0),
    ];
    for (answer, count) in answers {
        assert_eq!(
            refused(answer),
            count,
            "{}",
            String::from_utf8_lossy(answer)
        );
    }
}
