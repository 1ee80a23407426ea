use super::*;

fn message(serial: u64, bytes: usize) -> Message {
    Message {
        serial,
        at: Timestamp(0),
        subject: "a".into(),
        bytes: bytes as u64,
        sequence: None,
        reply: Default::default(),
        headers: vec![("h".into(), "x".repeat(bytes).into())],
        content: Default::default(),
    }
}

fn tail(messages: Vec<Message>, seen: u64) -> Tail {
    Tail {
        span_ms: 250,
        patterns: vec![Pattern::new("a.>").expect("valid")],
        seen,
        matched: seen,
        messages,
        ..Tail::default()
    }
}

#[test]
fn what_is_kept_is_bounded_by_number_and_bytes() {
    let mut bus = Bus::default();
    for serial in 0..1_000 {
        bus.take_tail(tail(vec![message(serial, 10)], 1), Timestamp(0));
    }
    assert_eq!(bus.messages.len(), MESSAGES);
    for serial in 0..100 {
        bus.take_tail(tail(vec![message(serial, 1 << 20)], 1), Timestamp(0));
    }
    assert!(bus.messages.len() < 5, "{}", bus.messages.len());
}

#[test]
fn rates_are_of_the_last_seconds_and_end_with_a_fault() {
    let mut bus = Bus::default();
    assert_eq!(bus.tail.rate(), None);
    for _ in 0..100 {
        bus.take_tail(tail(vec![message(1, 1)], 10), Timestamp(0));
    }
    let rate = bus.tail.rate().expect("told");
    assert!((rate.messages_per_s - 40.0).abs() < 1e-9);
    assert!((rate.one_of - 10.0).abs() < 1e-9);
    assert_eq!(bus.tail.seen, 1_000);
    let broken = Tail {
        fault: Some("gone".into()),
        messages: Vec::new(),
        ..tail(Vec::new(), 0)
    };
    bus.take_tail(broken, Timestamp(1));
    assert_eq!(bus.tail.rate(), None);
    assert_eq!(bus.tail.seen, 1_000, "what was counted stays");
    let other = Tail {
        words: "x".into(),
        ..tail(Vec::new(), 3)
    };
    bus.take_tail(other, Timestamp(2));
    assert_eq!(bus.tail.seen, 3, "another tail counts anew");
}

#[test]
fn rates_of_streams_and_lags_need_two_looks() {
    let look = |at, last_sequence, lag| Survey {
        at: Timestamp(at),
        jetstream: JetStream::On(Box::new(Streams {
            streams: vec![Stream {
                name: "S".into(),
                last_sequence,
                consumers: vec![Consumer {
                    name: "c".into(),
                    lag,
                    ..Consumer::default()
                }],
                ..Stream::default()
            }],
            ..Streams::default()
        })),
        ..Survey::default()
    };
    let mut bus = Bus::default();
    bus.take_survey(look(0, 100, 5));
    let ask = |bus: &Bus| {
        let stream = bus.streams().expect("on").streams[0].clone();
        (
            bus.rate_of(&stream),
            bus.lag_grew(&stream, &stream.consumers[0]),
        )
    };
    assert_eq!(ask(&bus), (None, None));
    bus.take_survey(look(10_000, 150, 2));
    assert_eq!(ask(&bus), (Some(5.0), Some(-3)));
    bus.take_survey(look(20_000, 3, 0));
    assert_eq!(ask(&bus).0, None, "it was emptied or made anew");
}

/// Each connection counts its own messages from the first on.
#[test]
fn each_message_that_is_kept_has_its_own_number() {
    let mut bus = Bus::default();
    for _ in 0..2 {
        bus.take_tail(tail(vec![message(1, 1), message(2, 1)], 2), Timestamp(0));
    }
    let serials: Vec<u64> = bus.messages.iter().map(|m| m.serial).collect();
    assert_eq!(serials, [1, 2, 3, 4]);
}

#[test]
fn what_passed_before_is_not_of_what_is_followed_now() {
    let mut bus = Bus::default();
    bus.take_tail(tail(vec![message(1, 1)], 1), Timestamp(0));
    // The same again after nothing was followed for a while, or after a fault: it goes on.
    bus.take_tail(Tail::default(), Timestamp(0));
    assert_eq!(bus.passed().count(), 1);
    bus.take_tail(tail(vec![message(1, 1)], 1), Timestamp(0));
    assert_eq!(bus.passed().count(), 2);
    let other = Tail {
        words: "lyon".into(),
        ..tail(Vec::new(), 3)
    };
    assert!(bus.take_tail(other, Timestamp(0)), "the title is another");
    assert_eq!(bus.passed().count(), 0);
    assert_eq!(bus.messages.len(), 2, "on the time axis they stay");
}

#[test]
fn a_rate_of_now_was_told_lately_and_is_not_withheld() {
    let mut bus = Bus::default();
    assert_eq!(bus.tail.rate_now(Timestamp(0)), None);
    bus.take_tail(tail(vec![message(1, 1)], 10), Timestamp(0));
    assert!(bus.tail.rate_now(Timestamp(4_000)).is_some());
    assert_eq!(bus.tail.rate_now(Timestamp(6_000)), None);
    let denied = |subject: &str, gap| Tail {
        denied: vec![subject.into()],
        gap,
        ..tail(Vec::new(), 0)
    };
    bus.take_tail(denied("a.b", false), Timestamp(7_000));
    assert!(bus.tail.rate_now(Timestamp(7_000)).is_some());
    bus.take_tail(denied("a.>", false), Timestamp(7_000));
    assert_eq!(bus.tail.rate_now(Timestamp(7_000)), None);
    // Another connection, with the right it lacked.
    let again = Tail {
        gap: true,
        ..tail(Vec::new(), 0)
    };
    bus.take_tail(again, Timestamp(8_000));
    assert!(bus.tail.denied.is_empty());
    assert!(bus.tail.rate_now(Timestamp(8_000)).is_some());
}
