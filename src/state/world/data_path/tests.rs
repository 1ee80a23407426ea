//! What the data path of a vDU says of its timing.

use super::*;
use crate::config;
use crate::model::dpdk::{Core, Port, Readings};
use crate::model::id::ClusterId;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn at(value: f64) -> Option<Sample> {
    Some(Sample { at: NOW, value })
}

fn port(name: &str, missed: f64) -> Port {
    Port {
        name: name.into(),
        missed: at(missed),
        no_buffer: at(0.0),
        errors_in: at(0.0),
        errors_out: at(0.0),
        ..Port::default()
    }
}

fn said(ports: Vec<Port>, after_ms: i64) -> Option<(Timing, String)> {
    let mut cluster = ClusterState::new(ClusterId(0), &config::Cluster::default(), 0);
    let app = App {
        pod: Some(("ran".into(), "du-0".into())),
        ports,
        cores: vec![Core {
            name: "4".into(),
            busy_cycles: at(1.6e9),
            total_cycles: at(2e9),
        }],
        ..App::default()
    };
    cluster.dpdk = Readings { apps: vec![app] };
    let pod = Pod {
        namespace: "ran".into(),
        name: "du-0".into(),
        ..Pod::default()
    };
    let other = Pod {
        namespace: "ran".into(),
        name: "du-1".into(),
        ..Pod::default()
    };
    assert_eq!(cluster.data_path(&other, NOW), None, "of another pod");
    let need = cluster.data_path(&pod, NOW.plus_ms(after_ms))?;
    Some((need.timing, need.text))
}

#[test]
fn losses_decide_and_what_is_not_told_is_unknown() {
    let is = |timing, text: &str| Some((timing, text.to_owned()));
    assert_eq!(
        said(vec![port("0", 0.0), port("1", 0.0)], 0),
        is(Timing::Met, "2 ports, nothing lost, core 4 80% busy")
    );
    let text = "1 loses 40/s: the receive ring was full: its core does not keep up";
    assert_eq!(
        said(vec![port("0", 0.0), port("1", 40.0)], 0),
        is(Timing::NotMet, text)
    );
    let unknown = Port {
        name: "2".into(),
        packets_in: at(5.0),
        ..Port::default()
    };
    assert_eq!(
        said(vec![port("0", 0.0), unknown.clone()], 0),
        is(Timing::Unknown, "losses of 1 of 2 ports are told")
    );
    assert_eq!(
        said(vec![unknown], 0),
        is(Timing::Unknown, "1 port; losses are not told")
    );
    assert_eq!(
        said(vec![port("0", 9.0)], 300_000),
        is(Timing::Unknown, "as told 5m ago")
    );
}
