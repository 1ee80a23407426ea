//! What the detectors learned outlives the program: put away at intervals, taken up at the start.

use std::sync::Arc;

use farwatch::message::{Effect, Msg};
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;

use crate::FULL;
use crate::scenario::{Console, NAMES, NOW};

const STEP: i64 = 15_000;
const NAME: &str = "node_cpu_busy";

/// One round of a signal, so many steps from the start.
fn round(console: &mut Console, step: i64, level: f64) -> Vec<Effect> {
    let at = Timestamp(NOW.0 + step * STEP);
    let noise = ((step * 7_919) % 101) as f64 / 10_000.0;
    let batch = SampleBatch {
        group: Group::Cluster,
        name: NAME.into(),
        query: NAME.into(),
        at,
        interval_ms: STEP as u32,
        backfill: false,
        series: vec![SeriesSamples {
            key: SeriesKey::new(NAME, Labels::from_pairs([("instance", "n1:9100")])),
            kind: SampleKind::Gauge,
            points: vec![Sample {
                at,
                value: level + noise,
            }]
            .into(),
        }],
        cut_from: None,
    };
    console.state.update(Msg::Telemetry(Box::new(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Prometheus,
        received: at,
        body: Body::Samples(batch),
    })));
    told(console, Msg::Tick(at))
}

/// What remains to be done when what is reckoned off the loop is done.
fn told(console: &mut Console, msg: Msg) -> Vec<Effect> {
    let (mut waiting, mut rest) = (console.state.update(msg), Vec::new());
    while let Some(effect) = waiting.pop() {
        match effect {
            Effect::Work(work) => {
                work.run();
                waiting.extend(console.state.update(Msg::Worked));
            }
            other => rest.push(other),
        }
    }
    rest
}

fn put_away(effects: Vec<Effect>) -> Vec<Arc<Vec<Vec<u8>>>> {
    let parts = effects.into_iter().filter_map(|effect| match effect {
        Effect::Remember(parts) => Some(parts),
        _ => None,
    });
    parts.collect()
}

fn findings(console: &Console) -> usize {
    let all = console.state.world.incidents.iter();
    all.flat_map(|i| &i.findings)
        .filter(|f| f.signal.as_ref() == NAME)
        .count()
}

#[test]
fn what_was_learned_comes_back_after_a_restart() {
    let mut first = Console::new(&NAMES, FULL);
    let mut kept = put_away(told(&mut first, Msg::Learnt(Ok(None))));
    for step in 0..100 {
        kept.extend(put_away(round(&mut first, step, 0.2)));
    }
    assert_eq!(kept.len(), 2, "each ten minutes");
    let last = first.state.last_learnt().expect("at the end");
    assert_eq!(
        first.state.last_learnt().as_ref(),
        Some(&last),
        "the same again"
    );

    let mut second = Console::new(&NAMES, FULL);
    assert_eq!(second.state.last_learnt(), None, "nobody read the file yet");
    told(&mut second, Msg::Learnt(Ok(Some(Arc::new(last.concat())))));
    second.has("taken up: what was learned of 1 series");
    let mut new = Console::new(&NAMES, FULL);
    for step in 100..112 {
        round(&mut second, step, 0.9);
        round(&mut new, step, 0.9);
    }
    assert_eq!(
        (findings(&second), findings(&new)),
        (1, 0),
        "it need not learn first"
    );
}

#[test]
fn what_cannot_be_read_is_said_and_learned_anew() {
    let mut console = Console::new(&NAMES, FULL);
    told(
        &mut console,
        Msg::Learnt(Ok(Some(Arc::new(vec![0xc1; 50])))),
    );
    console.has("not taken up");
    let mut console = Console::new(&NAMES, FULL);
    let why = "/x/farwatch.learned: it is cut or broken".to_owned();
    told(&mut console, Msg::Learnt(Err(why)));
    console.has("it is learned anew");
    assert!(console.state.last_learnt().is_some(), "and put away again");
    for step in 0..60 {
        round(&mut console, step, 0.2);
    }
    assert_eq!(findings(&console), 0);
}
