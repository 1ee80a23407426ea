//! Domain rules of DPDK: a port that loses packets.

use crate::detect::Condition;
use crate::model::alert::Severity;
use crate::model::dpdk::{App, Port, Readings};
use crate::model::finding::Subject;
use crate::model::sample::Sample;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

/// Packets a second that a port loses before it is told.
const LOST: f64 = 1.0;

/// Ports that lose packets, with the reason: one of several is its ring, core or link; all of them
/// are the application or its memory. `current_ms`: a rate told longer ago says nothing of now.
pub fn dpdk_losses(readings: &Readings, now: Timestamp, current_ms: u64) -> Vec<Condition> {
    let apps = readings.apps.iter();
    apps.flat_map(|app| of(app, now, current_ms)).collect()
}

fn of(app: &App, now: Timestamp, current_ms: u64) -> Vec<Condition> {
    let fresh = |s: &Sample| now.age_since_ms(s.at) <= current_ms;
    let told = app.ports.iter();
    let told: Vec<(&Port, f64)> = told
        .filter_map(|port| Some((port, port.lost().filter(fresh)?.value)))
        .collect();
    let losing: Vec<_> = told.iter().filter(|(_, lost)| *lost >= LOST).collect();
    let whose = match &app.pod {
        Some((namespace, pod)) => format!("{namespace}/{pod}"),
        None => app.instance.to_string(),
    };
    let each = losing.iter().map(|(port, lost)| {
        let others = match (told.len() - losing.len(), losing.len() - 1) {
            (0, 0) => "its only port".to_owned(),
            (0, _) => format!("as do all {} of its ports", told.len()),
            (well, _) => format!("{well} of its {} ports lose nothing", told.len()),
        };
        let why = port
            .reason()
            .map_or(String::new(), |(_, why)| format!(": {why}"));
        let rate = Unit::PerSecond.write(*lost);
        let text = format!(
            "DPDK port {} of {whose} loses {rate}, {others}{why}",
            port.name
        );
        let key = format!("dpdk/{whose}/{}", port.name);
        let mut condition = Condition::state(subject(app, port), key, Severity::Warning, text);
        condition.signal = "dpdk_lost";
        condition.unit = Unit::PerSecond;
        condition.seen = Some(*lost);
        condition.expected = Some((0.0, LOST));
        condition.for_ms = 60_000;
        condition.method = "packets lost by one port against the others of its application".into();
        condition
    });
    each.collect()
}

/// The pod, if its series tell it; else the port.
fn subject(app: &App, port: &Port) -> Subject {
    match &app.pod {
        Some((namespace, pod)) => Subject::Pod {
            namespace: namespace.to_string(),
            pod: pod.to_string(),
        },
        None => Subject::Nic {
            node: app.node.as_deref().unwrap_or(&app.instance).to_owned(),
            interface: port.name.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn port(name: &str, missed: f64, no_buffer: f64) -> Port {
        let at = |value| Some(Sample { at: NOW, value });
        Port {
            name: name.into(),
            missed: at(missed),
            no_buffer: at(no_buffer),
            ..Port::default()
        }
    }

    fn told(ports: &[Port], after_ms: i64) -> Vec<String> {
        let app = App {
            pod: Some(("ran".into(), "du-0".into())),
            ports: ports.to_vec(),
            ..App::default()
        };
        let readings = Readings { apps: vec![app] };
        let found = dpdk_losses(&readings, NOW.plus_ms(after_ms), 60_000);
        found.into_iter().map(|c| c.text).collect()
    }

    #[test]
    fn a_port_that_loses_packets_and_its_healthy_twin() {
        let well = [
            port("0", 0.4, 0.0),
            port("1", 0.0, 0.5),
            port("2", 0.0, 0.0),
        ];
        assert!(told(&well, 0).is_empty());
        let mut ill = well.clone();
        ill[1] = port("1", 2.0, 810.0);
        let text = "DPDK port 1 of ran/du-0 loses 812/s, 2 of its 3 ports lose nothing: no packet \
                    buffer was free: the pool is too small, or leaks";
        assert_eq!(told(&ill, 0), [text]);
        assert!(told(&ill, 61_000).is_empty(), "of the past");
        let all = [port("0", 9.0, 0.0), port("1", 7.0, 0.0)];
        let found = told(&all, 0);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("as do all 2 of its ports"), "{found:?}");
        let silent = Port {
            name: "0".into(),
            ..Port::default()
        };
        assert!(told(&[silent], 0).is_empty());
    }
}
