use ratatui::buffer::Buffer;

use super::*;
use crate::model::bus::{
    Consumer, Content, Group, JetStream, Message, Part, Pattern, Row, Shape, Stream, Streams,
    Survey, Tail,
};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::telemetry::Body;
use crate::ui::view::fake;

fn with_stream(health: SourceHealth) -> World {
    let stream = Stream {
        name: "S".into(),
        messages: 7,
        ..Stream::default()
    };
    with(health, stream)
}

fn with(health: SourceHealth, stream: Stream) -> World {
    let mut world = fake::world(&["alpha", "beta"]);
    tell(&mut world, 0, Body::Health(health));
    tell(&mut world, 0, survey(stream));
    world
}

fn tell(world: &mut World, cluster: u16, body: Body) {
    fake::tell_of(world, cluster, SourceKind::Nats, body);
}

fn survey(stream: Stream) -> Body {
    Body::Bus(Box::new(Survey {
        at: Timestamp(fake::NOW - 90_000),
        jetstream: JetStream::On(Box::new(Streams {
            streams: vec![stream],
            total: 1,
            ..Streams::default()
        })),
        ..Survey::default()
    }))
}

fn refused() -> SourceHealth {
    let fault = Fault {
        kind: FaultKind::Auth,
        cluster: "alpha".into(),
        endpoint: "nats://alpha".into(),
        what: "the server refuses the credentials".into(),
        hint: "renew them".into(),
    };
    SourceHealth {
        health: Health::Denied {
            fault,
            since: Timestamp(fake::NOW),
        },
        ..fake::heard()
    }
}

fn followed(messages: Vec<Message>) -> Tail {
    Tail {
        span_ms: 1_000,
        patterns: vec![Pattern::new("ai.>").expect("valid")],
        seen: 412,
        matched: 412,
        messages,
        ..Tail::default()
    }
}

fn message(key: &str, value: &str) -> Message {
    Message {
        serial: 1,
        at: Timestamp(fake::NOW),
        subject: "ai.login".into(),
        bytes: 20,
        sequence: None,
        reply: Default::default(),
        headers: Vec::new(),
        content: Content {
            rows: vec![Row {
                depth: 1,
                part: Part::Key(key.into()),
                shape: Shape::Text,
                value: value.into(),
            }],
            ..Content::default()
        },
    }
}

fn drawn(world: &World) -> String {
    shown(world, &Bus::default(), 130)
}

fn shown(world: &World, view: &Bus, width: u16) -> String {
    fake::screen(world, width, 16, |ctx, area, buf: &mut Buffer| {
        view.draw(ctx, area, buf);
    })
}

#[test]
fn what_was_seen_long_ago_is_never_green() {
    let live = drawn(&with_stream(fake::heard()));
    assert!(live.contains("● alpha"), "{live}");
    let late = SourceHealth {
        interval_ms: 15_000,
        last_ok: Some(Timestamp(fake::NOW - 90_000)),
        ..fake::heard()
    };
    let stale = drawn(&with_stream(late));
    assert!(stale.contains("? alpha"), "{stale}");
    assert!(stale.contains("stale, as of 1m ago"), "{stale}");
}

#[test]
fn without_a_bus_it_says_what_to_write() {
    let told = drawn(&fake::world(&["alpha"]));
    assert!(told.contains("nats = { url"), "{told}");
}

#[test]
fn consumers_that_were_not_seen_are_neither_none_nor_well() {
    let stream = Stream {
        name: "S".into(),
        consumers_total: 3,
        consumers_missing: Some("no permission".into()),
        ..Stream::default()
    };
    let none = drawn(&with(fake::heard(), stream.clone()));
    assert!(none.contains("Streams 1, 3 consumers, none seen"), "{none}");
    assert!(none.contains("? alpha"), "{none}");
    let part = Stream {
        consumers: vec![Consumer::default()],
        ..stream
    };
    let part = drawn(&with(fake::heard(), part));
    assert!(part.contains("1 of 3 consumers"), "{part}");
}

#[test]
fn what_a_bus_did_not_tell_is_no_zero() {
    let mut world = fake::world(&["alpha", "beta"]);
    tell(&mut world, 0, Body::Health(refused()));
    let unknown = drawn(&world);
    assert!(unknown.contains("Streams unknown"), "{unknown}");
    tell(&mut world, 1, Body::Health(fake::heard()));
    tell(&mut world, 1, survey(Stream::default()));
    let one = drawn(&world);
    assert!(
        one.contains("Streams 1, 0 consumers, 1 bus unknown"),
        "{one}"
    );
    // Seen once, and refused since.
    tell(&mut world, 0, survey(Stream::default()));
    let before = drawn(&world);
    assert!(
        before.contains("Streams 2, 0 consumers, 1 bus as last seen"),
        "{before}"
    );
    tell(&mut world, 1, Body::Health(refused()));
    let all = drawn(&world);
    assert!(
        all.contains("Streams 2, 0 consumers, as last seen"),
        "{all}"
    );
}

#[test]
fn what_is_wrong_and_what_to_try_is_said() {
    let leaderless = Stream {
        name: "S".into(),
        group: Some(Group {
            leader: Some("n1".into()),
            followers: Vec::new(),
        }),
        consumers: vec![Consumer {
            name: "sink".into(),
            redelivered: 31,
            group: Some(Group {
                leader: Some("n2".into()),
                followers: Vec::new(),
            }),
            ..Consumer::default()
        }],
        consumers_total: 1,
        ..Stream::default()
    };
    let world = with(fake::heard(), leaderless.clone());
    let mut view = Bus::default();
    let live = shown(&world, &view, 130);
    assert!(
        live.contains("▲ S / sink: 31 messages come again and again"),
        "{live}"
    );
    view.part = super::Part::Streams;
    view.place(Rect::new(0, 0, 300, 16), &world);
    let wide = shown(&world, &view, 300);
    let row = wide
        .lines()
        .find(|line| line.contains("▲ alpha"))
        .expect("a row");
    assert!(
        row.contains("n2") && !row.contains("n1"),
        "its own leader: {row}"
    );
    let gone = drawn(&with(refused(), leaderless));
    assert!(
        gone.contains("come again and again, as last seen"),
        "{gone}"
    );
    assert!(gone.contains("renew them"), "{gone}");
}

#[test]
fn a_rate_that_nobody_hears_is_unknown() {
    let follows = |tail| {
        let mut world = with_stream(fake::heard());
        tell(&mut world, 0, Body::BusTail(Box::new(tail)));
        world
    };
    let mut world = follows(followed(Vec::new()));
    assert!(drawn(&world).contains("tail ai.>  412 msg/s"));
    tell(&mut world, 0, Body::Health(refused()));
    let unknown = drawn(&world);
    assert!(unknown.contains("tail ai.>  rate unknown"), "{unknown}");
    let withheld = drawn(&follows(Tail {
        denied: vec!["ai.>".into()],
        ..followed(Vec::new())
    }));
    assert!(withheld.contains("tail ai.>  rate unknown"), "{withheld}");
}

#[test]
fn why_no_message_stands_there() {
    let of = |tail: Tail| {
        let mut world = with_stream(fake::heard());
        tell(&mut world, 0, Body::BusTail(Box::new(tail)));
        drawn(&world)
    };
    let none = Tail {
        seen: 0,
        matched: 0,
        ..followed(Vec::new())
    };
    let quiet = of(none.clone());
    assert!(quiet.contains("no message came yet"), "{quiet}");
    let words = Tail {
        matched: 0,
        words: "lyon".into(),
        ..followed(Vec::new())
    };
    let other = of(words);
    assert!(
        other.contains("412 came, none of them holds these words"),
        "{other}"
    );
    let denied = of(Tail {
        denied: vec!["ai.>".into()],
        ..none.clone()
    });
    assert!(denied.contains("what passes cannot be heard"), "{denied}");
    let fault = of(Tail {
        fault: Some("nobody answers".into()),
        ..none
    });
    assert!(fault.contains("what passes cannot be heard"), "{fault}");
    assert!(fault.contains("alpha: nobody answers"), "{fault}");
}

/// The model sees what is chosen, without its secrets; whoever copies it has it whole.
#[test]
fn secrets_of_a_message_stay_here() {
    let mut world = with_stream(fake::heard());
    let secret = message("dbPassword", "hunter2");
    tell(
        &mut world,
        0,
        Body::BusTail(Box::new(followed(vec![secret.clone()]))),
    );
    let view = Bus::default();
    let told = std::cell::RefCell::new(String::new());
    fake::screen(&world, 100, 16, |ctx, _, _| {
        *told.borrow_mut() = view.brief(ctx)
    });
    let told = told.into_inner();
    assert!(told.contains(".dbPassword: [redacted] (text)"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    assert!(tree::plain(&secret).contains(".dbPassword: hunter2 (text)"));
}

/// Down goes on, over messages of two connections that both counted from one.
#[test]
fn the_cursor_passes_messages_of_another_connection() {
    let mut world = with_stream(fake::heard());
    for _ in 0..2 {
        let messages = vec![message("a", "1"), message("a", "2")];
        tell(&mut world, 0, Body::BusTail(Box::new(followed(messages))));
    }
    let mut view = Bus {
        part: super::Part::Messages,
        ..Bus::default()
    };
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(view.chosen(&world).expect("one").message.serial);
        view.update(Command::Down, &world);
    }
    assert_eq!(seen, [4, 3, 2, 1]);
}
