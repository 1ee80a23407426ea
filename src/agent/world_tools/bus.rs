//! Streams and consumers of message buses in words.

use super::{ROWS, Told, chosen, hearing, since};
use crate::agent::tools::args;
use crate::model::bus::{Consumer, Group, JetStream, Stream};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, World};

pub(super) fn streams(world: &World, ids: &[ClusterId], args: &args::NatsStreams, told: &mut Told) {
    for c in chosen(world, ids) {
        told.line(format!(
            "cluster {}{}: {}",
            c.name,
            hearing(world, c),
            known(world, c)
        ));
        let mut rows = rows(c, args.name.as_deref());
        rows.sort_by_key(|(problem, _)| !problem);
        told.rows(rows.into_iter().map(|(_, row)| row), ROWS);
        let missing = c.bus.streams().map_or(&[][..], |s| &s.missing);
        for what in missing {
            told.line(format!("  not seen: {what}"));
        }
    }
}

/// What is known of the bus, and as of when.
fn known(world: &World, c: &ClusterState) -> String {
    if !c.sources.contains_key(&SourceKind::Nats) {
        return "no bus is configured".into();
    }
    let Some(survey) = &c.bus.survey else {
        return "its bus was not seen yet".into();
    };
    let old = match c.hears(SourceKind::Nats, world.now) {
        true => "",
        false => "THE BUS IS NOT HEARD NOW; ",
    };
    let what = match &survey.jetstream {
        JetStream::Unknown => "its streams are unknown".into(),
        JetStream::Off(why) => format!("no streams: {why}"),
        JetStream::Denied(why) => format!("its streams may not be seen: {why}"),
        JetStream::On(streams) => format!("{} streams", streams.total),
    };
    format!("{old}{what}, as of {}", since(world, survey.at))
}

/// A row of each consumer, one of a stream without any; true: something is wrong with it.
fn rows(c: &ClusterState, name: Option<&str>) -> Vec<(bool, String)> {
    let matches = |text: &str| name.is_none_or(|name| text.contains(name));
    let mut rows = Vec::new();
    for stream in c.bus.streams().into_iter().flat_map(|s| &s.streams) {
        let whole = matches(&stream.name);
        let consumers = stream.consumers.iter();
        rows.extend(
            consumers
                .filter(|consumer| whole || matches(&consumer.name))
                .map(|consumer| row(c, stream, Some(consumer))),
        );
        if whole && stream.consumers.is_empty() {
            rows.push(row(c, stream, None));
        }
    }
    rows
}

fn row(c: &ClusterState, stream: &Stream, consumer: Option<&Consumer>) -> (bool, String) {
    let problem = c.bus.problem(stream, consumer);
    let mut text = format!(
        "  stream {} ({}): {} messages, {}, in {}",
        stream.name,
        stream.subjects.join(" "),
        stream.messages,
        Unit::Bytes.write(stream.bytes as f64),
        match c.bus.rate_of(stream) {
            Some(per_s) => format!("{per_s:.1}/s"),
            None => "n/a".into(),
        },
    );
    if let Some(group) = &stream.group {
        text.push_str(&format!(", {}", led(group)));
    }
    match (consumer, &stream.consumers_missing) {
        (Some(consumer), _) => text.push_str(&of_consumer(c, stream, consumer)),
        (None, Some(why)) => text.push_str(&format!("; consumers unknown: {why}")),
        (None, None) => text.push_str("; no consumer"),
    }
    if let Some(problem) = &problem {
        text.push_str(&format!("; PROBLEM: {problem}"));
    }
    (problem.is_some(), text)
}

fn led(group: &Group) -> String {
    let leader = group.leader.as_deref().unwrap_or("NOBODY");
    let copies = group.followers.len() + 1;
    match group.worst_lag() {
        Some(worst) => format!(
            "led by {leader}, {copies} copies, {} is {} behind",
            worst.name,
            worst.lag.unwrap_or(0)
        ),
        None => format!("led by {leader}, {copies} copies"),
    }
}

fn of_consumer(c: &ClusterState, stream: &Stream, consumer: &Consumer) -> String {
    let grew = match c.bus.lag_grew(stream, consumer) {
        Some(0) => " (steady)".into(),
        Some(grew) => format!(" ({grew:+} since the look before)"),
        None => String::new(),
    };
    format!(
        "; consumer {} ({}): lag {}{grew}, {} not acknowledged, {} redelivered, {} waiting pulls",
        consumer.name,
        match consumer.durable {
            true => "durable",
            false => "ephemeral",
        },
        consumer.lag,
        consumer.ack_pending,
        consumer.redelivered,
        consumer.waiting,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Cluster, Config};
    use crate::model::bus::{Streams, Survey};
    use crate::model::health::Health;
    use crate::model::time::Timestamp;

    const NOW: Timestamp = Timestamp(1_795_227_000_000);

    fn world(jetstream: Option<JetStream>) -> World {
        let config = Config {
            clusters: vec![Cluster {
                name: "alpha".into(),
                nats: Some(Default::default()),
                ..Cluster::default()
            }],
            ..Config::default()
        };
        let mut world = World::new(&config, NOW);
        let alpha = &mut world.clusters[0];
        alpha.bus.survey = jetstream.map(|jetstream| Survey {
            at: NOW.plus_ms(-9_000),
            jetstream,
            ..Survey::default()
        });
        if let Some(source) = alpha.sources.get_mut(&SourceKind::Nats) {
            source.health = Health::Live;
            source.last_ok = Some(NOW);
        }
        world
    }

    fn ask(world: &World, name: Option<&str>) -> String {
        let mut told = Told::default();
        let args = args::NatsStreams {
            clusters: Vec::new(),
            name: name.map(str::to_owned),
        };
        streams(world, &[ClusterId(0)], &args, &mut told);
        told.text
    }

    fn two_streams() -> JetStream {
        let consumer = |name: &str, redelivered| Consumer {
            name: name.into(),
            lag: 41,
            redelivered,
            ..Consumer::default()
        };
        let stream = |name: &str, consumers| Stream {
            name: name.into(),
            consumers,
            ..Stream::default()
        };
        JetStream::On(Box::new(Streams {
            streams: vec![
                stream("CALM", vec![consumer("reader", 0)]),
                stream("JOBS", vec![consumer("sink", 3)]),
            ],
            total: 2,
            missing: vec!["consumers of SECRET".into()],
            ..Streams::default()
        }))
    }

    #[test]
    fn what_is_in_trouble_stands_first_and_what_was_not_seen_is_told() {
        let text = ask(&world(Some(two_streams())), None);
        let (jobs, calm) = (text.find("JOBS"), text.find("CALM"));
        assert!(jobs.is_some() && jobs < calm, "{text}");
        for part in [
            "2 streams, as of 9s ago",
            "3 messages come again and again",
            "lag 41",
            "in n/a",
            "not seen: consumers of SECRET",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let one = ask(&world(Some(two_streams())), Some("sink"));
        assert!(one.contains("JOBS") && !one.contains("CALM"), "{one}");
    }

    #[test]
    fn a_bus_that_is_not_known_is_not_empty() {
        assert!(ask(&world(None), None).contains("its bus was not seen yet"));
        let denied = ask(&world(Some(JetStream::Denied("no right".into()))), None);
        assert!(denied.contains("may not be seen: no right"), "{denied}");
        let mut silent = world(Some(two_streams()));
        if let Some(source) = silent.clusters[0].sources.get_mut(&SourceKind::Nats) {
            source.health = Health::Connecting;
        }
        assert!(ask(&silent, None).contains("THE BUS IS NOT HEARD NOW"));
    }
}
