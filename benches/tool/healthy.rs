//! False alarms: days of thousands of healthy series, as the screens judge them.

use std::collections::BTreeSet;
use std::sync::Arc;

use farwatch::detect::ensemble::Ensemble;
use farwatch::detect::{Arrival, Judge};
use farwatch::model::id::{ClusterId, SeriesId};
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::{Bad, Group, Signal};
use farwatch::model::time::Timestamp;
use farwatch::model::unit::Unit;

use crate::noise::{Noise, healthy};
use crate::tool::{Goal, judged};

const SERIES: u64 = 10_000;
const DAYS: i64 = 7;
const STEP_S: i64 = 60;
const CLUSTERS: u16 = 10;
const KINDS: [&str; 5] = ["noise", "autocorrelated", "daily", "counts", "heavy tail"];

/// What the engine itself calls an onset, a series and day.
pub fn onsets() {
    let mut onsets = [0.0; KINDS.len()];
    for n in 0..SERIES {
        let (mut noise, mut walk) = (Noise::new(n + 1), 0.0);
        let mut engine = Ensemble::default();
        for i in 0..DAYS * 86_400 / STEP_S {
            let day = (i * STEP_S) as f64 / 86_400.0;
            let value = healthy(n, &mut noise, &mut walk, day);
            let onset = engine.observe(Timestamp(i * STEP_S * 1000), value).onset;
            if let Some(held) = onsets.get_mut((n % 5) as usize) {
                *held += f64::from(u8::from(onset));
            }
        }
    }
    for (kind, onsets) in KINDS.iter().zip(onsets) {
        let rate = onsets / (SERIES / 5) as f64 / DAYS as f64;
        let what = format!("healthy: onsets a day of a series, {kind}");
        judged(&what, rate, "", Goal::Most(1.0, 0.1));
    }
}

/// One series on its way through the judge.
struct Healthy {
    samples: SeriesSamples,
    noise: Noise,
    walk: f64,
}

/// What is told of ten clusters with so many healthy series in all: findings of all severities.
pub fn findings(series: u64, step_s: i64, days: i64) {
    let query: Arc<str> = "load".into();
    let signal = Signal {
        name: query.clone(),
        group: Group::Workload,
        query: query.clone(),
        about: query.clone(),
        unit: Unit::None,
        bad: Bad::Both,
        learn: true,
        limit: None,
        floor: 0.0,
        needs: None,
        backfill: false,
    };
    let names: Vec<String> = (0..CLUSTERS).map(|n| format!("c{n}")).collect();
    let mut judge = Judge::new(
        names.iter().map(String::as_str),
        (&[signal], &[]),
        Arc::default(),
    );
    let mut all: Vec<Healthy> = (0..series).map(one).collect();
    let (mut on, mut out) = (BTreeSet::new(), Vec::new());
    let mut by_day = vec![0_u32; days as usize];
    for i in 0..days * 86_400 / step_s {
        let at = Timestamp(i * step_s * 1000);
        let day = (i * step_s) as f64 / 86_400.0;
        for (n, series) in (0_u64..).zip(&mut all) {
            let value = healthy(n, &mut series.noise, &mut series.walk, day);
            series.samples.points = [Sample { at, value }].into();
            let arrival = Arrival {
                id: SeriesId(n as u32),
                cluster: ClusterId((n % u64::from(CLUSTERS)) as u16),
                group: Group::Workload,
                query: &query,
                series: &series.samples,
                quiet: false,
                interval_ms: step_s as u32 * 1000,
            };
            judge.observe(&arrival, &mut out);
        }
        for finding in out.drain(..) {
            if finding.over {
                on.remove(&finding.key);
            } else if on.insert(finding.key.clone())
                && let Some(count) = by_day.get_mut(day as usize)
            {
                *count += 1;
            }
        }
    }
    let mean = f64::from(by_day.iter().sum::<u32>()) / days as f64;
    let what = format!("healthy: findings a day, {series} each {step_s} s");
    judged(&what, mean, "", Goal::Most(5.0, 1.0));
    println!("    day by day: {by_day:?}");
}

fn one(n: u64) -> Healthy {
    let labels = [
        ("namespace", "team".to_owned()),
        ("pod", format!("checkout-{n:05}")),
    ];
    Healthy {
        samples: SeriesSamples {
            key: SeriesKey::new("load", Labels::from_pairs(labels)),
            kind: SampleKind::Gauge,
            points: [].into_iter().collect(),
        },
        noise: Noise::new(n + 1),
        walk: 0.0,
    }
}
