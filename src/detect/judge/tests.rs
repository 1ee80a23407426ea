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

/// Values of a series with a fault or two, and some holes.
fn stream(seed: u64, points: i64) -> Vec<Option<f64>> {
    let mut noise = Noise::new(seed);
    let fault = |i: i64| match (seed % 4, i) {
        (0, 300..360) => 0.5,
        (1, 280..300 | 420..460) => 0.9,
        (2, 350..) => 0.3,
        _ => 0.0,
    };
    let value = |i: i64| {
        let value = 0.2 + fault(i) + 0.01 * noise.normal();
        (noise.uniform() > 0.03).then_some(value)
    };
    (0..points).map(value).collect()
}

fn feed(judge: &mut Judge, from: i64, values: &[Option<f64>]) -> Vec<Vec<Finding>> {
    let each = (from..).zip(values);
    let told =
        each.map(|(i, value)| value.map_or_else(Vec::new, |v| say(judge, i, &[v]).remove(0)));
    told.collect()
}

/// All that is learned, through the bytes of the file.
fn restarted(before: &Judge) -> Judge {
    let (series, next) = before.learnt(0, 10);
    assert_eq!(next, None);
    let bytes = crate::detect::pack(series.iter());
    let known = crate::detect::unpack(&bytes).expect("whole");
    let mut after = judge();
    after.remember(known);
    after
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn a_restart_between_any_two_points_changes_nothing_that_is_told(
        seed in 0_u64..1_000, cut in 1_usize..499,
    ) {
        let values = stream(seed, 500);
        let mut whole = judge();
        let told = feed(&mut whole, 0, &values);
        let mut first = judge();
        feed(&mut first, 0, &values[..cut]);
        let mut second = restarted(&first);
        let after = feed(&mut second, cut as i64, &values[cut..]);
        proptest::prop_assert_eq!(&told[cut..], after.as_slice());
    }
}

#[test]
fn what_is_remembered_of_others_or_for_another_direction_is_not_taken_up() {
    let mut before = judge();
    say(&mut before, 0, &usual());
    let (series, _) = before.learnt(0, 10);
    let bytes = crate::detect::pack(series.iter());
    let known = || crate::detect::unpack(&bytes).expect("whole");
    assert_eq!(
        (known().count(), known().until()),
        (1, Some(Timestamp(239 * STEP)))
    );
    let low = Metric {
        bad: Bad::Low,
        ..signal()
    };
    for (name, metric) in [("edge-2", signal()), ("edge-1", low)] {
        let mut other = Judge::new([name].into_iter(), (&[], &[metric]), Arc::default());
        other.remember(known());
        assert_eq!(
            told(&say(&mut other, 240, &fault(0.6))),
            None,
            "{name}: it is learning"
        );
    }
    for cut in 1..bytes.len() {
        assert!(crate::detect::unpack(&bytes[..cut]).is_err(), "{cut}");
    }
}

/// As in a run: what is silent for half an hour while its query answers is forgotten.
#[test]
fn what_does_not_come_back_is_forgotten() {
    let mut before = judge();
    say(&mut before, 0, &usual());
    let mut after = restarted(&before);
    let query = Arc::from(NAME);
    let close = |after: &mut Judge, i: i64| {
        let at = Timestamp(i * STEP);
        after.close(ClusterId(0), &query, at, STEP as u32, &mut Vec::new());
        after.former().len()
    };
    assert_eq!(close(&mut after, 240), 1);
    assert_eq!(close(&mut after, 300), 1);
    assert_eq!(close(&mut after, 240 + 121), 0);
}
