//! What the console's engine says of the series of an answer, strongest first.

use super::{clock, more, number};
use crate::detect::ensemble::Ensemble;
use crate::model::finding::FindingKind;
use crate::model::sample::{Sample, SeriesSamples};
use crate::model::time::Timestamp;

/// Series judged of one answer: judging is work of the task, not of the screen.
const SERIES: usize = 500;
const TOLD: usize = 12;
/// Fewer points teach nothing.
const LEAST: usize = 20;

struct Odd<'a> {
    series: &'a SeriesSamples,
    point: Sample,
    score: f32,
    kind: Option<FindingKind>,
    band: Option<(f64, f64)>,
}

/// Points from `from` on that are told; what is before it teaches what is usual.
pub fn text(series: &[SeriesSamples], from: Timestamp) -> String {
    let mut short = 0;
    let mut found: Vec<Odd<'_>> = Vec::new();
    for one in series.iter().take(SERIES) {
        short += usize::from(one.points.len() < LEAST);
        found.extend(judged(one, from));
    }
    found.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then(a.point.at.cmp(&b.point.at))
    });
    let judged = series.len().min(SERIES);
    let mut out = format!(
        "{} anomalies in {judged} series since {}\n",
        found.len(),
        from.rfc3339()
    );
    for odd in found.iter().take(TOLD) {
        let usual = odd.band.map_or("unknown".to_owned(), |(low, high)| {
            format!("{} to {}", number(low), number(high))
        });
        out.push_str(&format!(
            "{} {} at {}: {} where {usual} was usual, score {:.2}\n",
            odd.kind.map_or("anomaly", FindingKind::as_str),
            odd.series.key,
            clock(odd.point.at),
            number(odd.point.value),
            odd.score
        ));
    }
    more(&mut out, found.len(), TOLD, "anomalies that are weaker");
    if short > 0 {
        out.push_str(&format!(
            "({short} series have fewer than {LEAST} points: too few to say what is usual)\n"
        ));
    }
    if series.len() > SERIES {
        out.push_str(&format!(
            "({} series were not judged; ask for fewer)\n",
            series.len() - SERIES
        ));
    }
    out
}

/// The onsets of one series.
fn judged(series: &SeriesSamples, from: Timestamp) -> Vec<Odd<'_>> {
    let mut engine = Ensemble::default();
    let mut found = Vec::new();
    for point in &series.points {
        let band = engine.band(point.at);
        let reading = engine.observe(point.at, point.value);
        if reading.onset && point.at >= from {
            found.push(Odd {
                series,
                point: *point,
                score: reading.score,
                kind: reading.kind,
                band,
            });
        }
    }
    found
}
