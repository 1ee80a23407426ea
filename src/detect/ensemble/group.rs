//! Several metrics of one thing, judged together: what many of them show at once counts more.

use super::rarity::{Blocks, Rarity};
use super::{Decision, Ensemble, HOLD_H, Pace, faded};
use crate::model::time::Timestamp;

/// Parts of the next two and of the three after them that are added to the worst metric's.
const NEXT: f32 = 0.15;
const AFTER: f32 = 0.15;
/// Share of the verdict that comes from how rare such a sum is for this group.
const OWN: f32 = 0.4;
const FLOOR: f32 = 0.5;
/// Sums that make no record.
const EARLY: u32 = 10;

/// What the metrics of a thing say together.
#[derive(Clone, Debug, Default)]
pub struct Group {
    members: Vec<Ensemble>,
    /// What each said of late, decades.
    held: Vec<f32>,
    seen: u32,
    pace: Pace,
    blocks: Blocks,
    rarity: Rarity,
    decision: Decision,
}

/// What the engine says of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupReading {
    /// As of one series.
    pub score: f32,
    pub onset: bool,
    /// Places of the metrics, most suspect first.
    pub suspects: Vec<usize>,
}

impl Group {
    pub fn new(members: Vec<Ensemble>) -> Self {
        Self {
            held: vec![0.0; members.len()],
            members,
            ..Self::default()
        }
    }

    /// Takes one value of each metric, in their order.
    pub fn observe(&mut self, at: Timestamp, values: &[f64]) -> GroupReading {
        let passed_s = self.pace.take(at, self.seen);
        let step_s = self.pace.step_s();
        let fade = faded(passed_s, HOLD_H);
        let mut now = Vec::with_capacity(self.members.len());
        for ((member, held), value) in self.members.iter_mut().zip(&mut self.held).zip(values) {
            let surprise = member.look(at, *value).0.map_or(0.0, |l| l.surprise);
            *held = (*held * fade).max(surprise);
            now.push(surprise);
        }
        now.sort_by(|a, b| b.total_cmp(a));
        let part = |from: usize, to: usize| now.iter().take(to).skip(from).sum::<f32>();
        let sum = part(0, 1) + NEXT * part(1, 3) + AFTER * part(3, 6);
        self.seen = self.seen.saturating_add(1);
        let own = self.rarity.of(sum, FLOOR, &self.blocks);
        self.rarity.learn(sum, self.seen <= EARLY);
        if let Some(closed) = self.blocks.point(self.seen, step_s) {
            self.rarity.close(closed, FLOOR);
        }
        let surprise = (1.0 - OWN) * sum + OWN * own;
        let (score, onset) = self.decision.take(at, surprise, (passed_s, step_s));
        let mut suspects: Vec<usize> = (0..self.held.len()).collect();
        let held = |i: &usize| self.held.get(*i).copied().unwrap_or_default();
        suspects.sort_by(|a, b| held(b).total_cmp(&held(a)));
        GroupReading {
            score,
            onset,
            suspects,
        }
    }
}
