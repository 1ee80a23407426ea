//! How many lines of each level there are over time, as Loki counts them: all that the query finds,
//! not only those that were read.

use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::id::{ClusterId, RequestId};
use crate::model::log::Level;
use crate::model::sample::SeriesSamples;
use crate::model::time::Timestamp;
use crate::ui::view::common::Numbers;

use super::hits::kind;
use super::tally::Counts;

/// Points over the time in view.
const POINTS: i64 = 30;
/// Name of the series where the server told bytes from its index.
const BYTES: &str = "bytes";

#[derive(Debug, Default)]
pub struct Levels {
    pending: Vec<RequestId>,
    series: Vec<SeriesSamples>,
    refused: bool,
    step_ms: u32,
}

/// What Loki told.
#[derive(Debug, PartialEq)]
pub enum Told {
    Lines(Counts),
    /// Of whole streams, from the index, which knows no levels; a slot each.
    Bytes(Vec<f64>),
}

impl Levels {
    pub fn ask(
        query: &str,
        clusters: &[ClusterId],
        (start, end): (Timestamp, Timestamp),
        numbers: &mut Numbers,
    ) -> (Self, Vec<Effect>) {
        let step = (end.0.saturating_sub(start.0) / POINTS).max(1_000) / 1_000 * 1_000;
        let step_ms = u32::try_from(step).unwrap_or(u32::MAX);
        let questions: Vec<Question> = clusters
            .iter()
            .map(|cluster| Question {
                id: numbers.take(),
                cluster: *cluster,
                ask: Ask::LogVolume {
                    query: query.to_owned(),
                    start,
                    end,
                    step_ms,
                },
            })
            .collect();
        let levels = Self {
            pending: questions.iter().map(|q| q.id).collect(),
            step_ms,
            ..Self::default()
        };
        (levels, questions.into_iter().map(Effect::Ask).collect())
    }

    /// False: no answer to this question.
    pub fn take(&mut self, answered: &Answered) -> bool {
        let Some(place) = self.pending.iter().position(|id| *id == answered.id) else {
            return false;
        };
        self.pending.remove(place);
        match &answered.result {
            Ok(Answer::Series(series)) => self.series.extend(series.iter().cloned()),
            // Then the lines that were read are counted.
            Ok(_) | Err(_) => self.refused = true,
        }
        true
    }

    /// `None`: not all clusters have told, or one did not want to.
    pub fn told(&self, start_ns: i64, slot_ns: i64, slots: usize) -> Option<Told> {
        if self.refused || !self.pending.is_empty() || self.step_ms == 0 {
            return None;
        }
        let indexed = self.series.iter().any(|s| &*s.key.name == BYTES);
        let whole = self.series.iter().all(|s| &*s.key.name == BYTES);
        let slot = |at: Timestamp| {
            // A point tells of the step before it.
            let middle = at.0 - i64::from(self.step_ms / 2);
            let ns = middle.saturating_mul(1_000_000) - start_ns;
            usize::try_from(ns.div_euclid(slot_ns.max(1))).ok()
        };
        match (indexed, whole) {
            (true, true) => {
                let mut bytes = vec![0.0; slots];
                for point in self.series.iter().flat_map(|s| &s.points) {
                    let held = slot(point.at).and_then(|slot| bytes.get_mut(slot));
                    if let Some(held) = held.filter(|_| point.value.is_finite()) {
                        *held += point.value;
                    }
                }
                Some(Told::Bytes(bytes))
            }
            // Some clusters counted, some did not.
            (true, false) => None,
            _ => {
                let mut counts = Counts::new(slots);
                for series in &self.series {
                    let level = level_of(series);
                    for point in &series.points {
                        if let Some(slot) = slot(point.at).filter(|s| *s < slots) {
                            let mut lines = [0; 3];
                            if let Some(held) = lines.get_mut(kind(level)) {
                                *held = whole_number(point.value);
                            }
                            counts.add(lines, slot);
                        }
                    }
                }
                Some(Told::Lines(counts))
            }
        }
    }
}

fn whole_number(value: f64) -> u32 {
    match value.is_finite() && value > 0.0 {
        true => value.min(f64::from(u32::MAX)).round() as u32,
        false => 0,
    }
}

fn level_of(series: &SeriesSamples) -> Level {
    let words = ["level", "detected_level"];
    let told = words.iter().filter_map(|l| series.key.labels.get(l));
    told.map(Level::from_word)
        .find(|l| *l != Level::Unknown)
        .unwrap_or_default()
}
