use ratatui::buffer::Buffer;

use super::*;
use crate::model::bus::{JetStream, Stream, Streams, Survey};
use crate::model::health::{SourceHealth, SourceKind};
use crate::model::telemetry::Body;
use crate::ui::view::fake;

fn with_stream(health: SourceHealth) -> World {
    let mut world = fake::world(&["alpha", "beta"]);
    fake::tell_of(&mut world, 0, SourceKind::Nats, Body::Health(health));
    let survey = Survey {
        at: Timestamp(fake::NOW - 90_000),
        jetstream: JetStream::On(Box::new(Streams {
            streams: vec![Stream {
                name: "S".into(),
                messages: 7,
                ..Stream::default()
            }],
            total: 1,
            ..Streams::default()
        })),
        ..Survey::default()
    };
    fake::tell_of(&mut world, 0, SourceKind::Nats, Body::Bus(Box::new(survey)));
    world
}

fn drawn(world: &World) -> String {
    let view = Bus::default();
    fake::screen(world, 100, 16, |ctx, area, buf: &mut Buffer| {
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
