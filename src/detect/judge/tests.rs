//! How much is told of a series, as the operator wants it.

use super::*;
use crate::detect::ensemble::tests::noise::Noise;
use crate::model::label::Labels;
use crate::model::sensitivity::Sensitivity;

const STEP: i64 = 15_000;
const NAME: &str = "node_cpu_busy";

fn signal() -> Metric {
    Metric {
        name: NAME.into(),
        about: "".into(),
        unit: Unit::None,
        counter: false,
        bad: Bad::High,
        learn: true,
        limit: None,
        floor: 0.05,
    }
}

fn judge() -> Judge {
    Judge::new(["edge-1"].into_iter(), (&[], &[signal()]), Arc::default())
}

fn said(text: &str) -> Arc<[Sensitivity]> {
    [Sensitivity::parse(text).expect(text)].into()
}

/// Points of one series, one after the other; what each brings.
fn say(judge: &mut Judge, from: i64, values: &[f64]) -> Vec<Vec<Finding>> {
    let points = (from..).zip(values);
    let each = points.map(|(i, value)| {
        let mut out = Vec::new();
        let point = Sample {
            at: Timestamp(i * STEP),
            value: *value,
        };
        let series = SeriesSamples {
            key: SeriesKey::new(NAME, Labels::from_pairs([("node", "n1")])),
            kind: SampleKind::Gauge,
            points: vec![point].into(),
        };
        let arrival = Arrival {
            id: SeriesId(0),
            cluster: ClusterId(0),
            group: Group::Cluster,
            query: &Arc::from(NAME),
            series: &series,
            quiet: false,
            interval_ms: STEP as u32,
        };
        judge.observe(&arrival, &mut out);
        out
    });
    each.collect()
}

fn noise(levels: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut noise = Noise::new(7);
    levels.map(|level| level + 0.01 * noise.normal()).collect()
}

fn usual() -> Vec<f64> {
    noise(std::iter::repeat_n(0.2, 240))
}

fn fault(level: f64) -> Vec<f64> {
    noise(std::iter::repeat_n(level, 30))
}

/// The bar that a finding names.
fn told(findings: &[Vec<Finding>]) -> Option<String> {
    let first = findings.iter().flatten().find(|f| !f.over)?;
    Some(first.method.clone())
}

#[test]
fn a_series_of_low_sensitivity_has_a_higher_bar_and_says_so() {
    let mut judge = judge();
    say(&mut judge, 0, &usual());
    let method = told(&say(&mut judge, 240, &fault(0.6))).expect("told");
    assert!(method.contains("told from 10^5.8"), "{method}");
    for (level, bar, words) in [
        ("low", "told from 10^7.3", "+1.5 as sensitivity is low"),
        ("high", "told from 10^4.8", "-1.0 as sensitivity is high"),
    ] {
        let mut judge = self::judge();
        judge.set_sensitivities(said(&format!("cluster=edge-* {level}")));
        say(&mut judge, 0, &usual());
        let method = told(&say(&mut judge, 240, &fault(2.0))).expect("told");
        assert!(method.contains(bar) && method.ends_with(words), "{method}");
    }
}

#[test]
fn switched_off_it_learns_on_and_tells_nothing_until_it_is_on_again() {
    let mut judge = judge();
    say(&mut judge, 0, &usual());
    assert!(told(&say(&mut judge, 240, &fault(0.6))).is_some());
    judge.set_sensitivities(said("node_cpu* node=n1 off"));
    let off = say(&mut judge, 270, &fault(0.6));
    let ends: Vec<bool> = off.iter().flatten().map(|f| f.over).collect();
    assert_eq!(ends, [true], "what was told is over");
    say(&mut judge, 300, &usual());
    assert_eq!(told(&say(&mut judge, 540, &fault(9.0))), None);
    say(&mut judge, 570, &usual());
    judge.set_sensitivities(said("cluster=other off"));
    assert!(told(&say(&mut judge, 1_200, &fault(30.0))).is_some());
}
