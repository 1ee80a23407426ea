//! Signs that somebody found already, and what they tell by their order and their place.

use std::collections::BTreeSet;

use super::knowledge::{self, Way};
use super::picture::{Picture, Sign};
use super::rank::Evidence;

/// What speaks for and against an object, from the signs.
pub struct Signs<'a> {
    picture: &'a Picture,
    /// By object: what it needs, near and far, without itself.
    needs: Vec<BTreeSet<usize>>,
    /// Earliest sign of each object, seconds.
    first: Vec<Option<f64>>,
    earliest: f64,
    ill: usize,
}

impl<'a> Signs<'a> {
    pub fn of(picture: &'a Picture) -> Self {
        let objects = picture.objects.len();
        let mut first = vec![None::<f64>; objects];
        for sign in &picture.signs {
            if let Some(held) = first.get_mut(sign.object)
                && sign.since.is_finite()
            {
                *held = Some(held.map_or(sign.since, |h| h.min(sign.since)));
            }
        }
        let ill: Vec<usize> = (0..objects)
            .filter(|o| first.get(*o).is_some_and(Option::is_some))
            .collect();
        let mut needs = vec![BTreeSet::new(); objects];
        for object in &ill {
            if let Some(held) = needs.get_mut(*object) {
                *held = reach(picture, *object);
            }
        }
        Self {
            picture,
            needs,
            earliest: first
                .iter()
                .flatten()
                .copied()
                .fold(f64::INFINITY, f64::min),
            first,
            ill: ill.len(),
        }
    }

    /// Objects with signs that need this one.
    fn needed_by(&self, object: usize) -> usize {
        self.needs.iter().filter(|n| n.contains(&object)).count()
    }

    pub fn evidence(&self, object: usize, out: &mut Vec<Evidence>) {
        if self.ill == 0 {
            return;
        }
        let own = || {
            self.picture
                .signs
                .iter()
                .filter(move |s| s.object == object)
        };
        let strongest = own().max_by(|a, b| weight(a).total_cmp(&weight(b)));
        if let Some(sign) = strongest {
            out.push(Evidence::new(weight(sign), sign.text.clone(), &sign.origin));
        }
        let others = self.ill - usize::from(strongest.is_some());
        let explained = self.needed_by(object);
        if explained > 0 && others > 0 {
            let share = explained as f64 / others as f64;
            let says = format!("{explained} of {others} others that are ill need it");
            out.push(Evidence::new(2.0 * share, says, "topology"));
        }
        let step = self.picture.window.step;
        if let Some(since) = self.first.get(object).copied().flatten() {
            let late = since - self.earliest;
            if late <= step && self.ill > 1 {
                out.push(Evidence::new(
                    0.7,
                    "among the first signs",
                    "order of first signs",
                ));
            } else if late > step {
                let says = format!("its first sign came {late:.0} s after the earliest");
                let weight = -(late / (4.0 * step.max(60.0))).min(1.5);
                out.push(Evidence::new(weight, says, "order of first signs"));
            }
            self.leans_on(object, since, step, out);
        }
        for way in self.known(object) {
            out.push(Evidence::new(way.weight, way.name.clone(), &way.source));
        }
    }

    /// Ill because of another that was ill no later.
    fn leans_on(&self, object: usize, since: f64, step: f64, out: &mut Vec<Evidence>) {
        let Some(needs) = self.needs.get(object) else {
            return;
        };
        let earlier = needs.iter().find(|need| {
            let first = self.first.get(**need).copied().flatten();
            first.is_some_and(|first| first <= since + step)
        });
        if let Some(name) = earlier.and_then(|e| self.picture.objects.get(*e)) {
            let says = format!("needs {name}, which was ill no later");
            out.push(Evidence::new(-1.5, says, "topology"));
        }
    }

    /// Known ways that begin at this object and whose symptoms are there.
    pub fn known(&self, object: usize) -> Vec<&'static Way> {
        let signs = &self.picture.signs;
        let mut ways: Vec<&'static Way> = Vec::new();
        for sign in signs.iter().filter(|s| s.object == object) {
            for way in knowledge::begun_by(&format!("{} {}", sign.name, sign.text)) {
                let shown = way.shows.is_empty()
                    || signs.iter().any(|other| {
                        let text = format!("{} {}", other.name, other.text).to_lowercase();
                        !std::ptr::eq(other, sign) && knowledge::holds(&way.shows, &text)
                    });
                if shown && !ways.iter().any(|held| held.name == way.name) {
                    ways.push(way);
                }
            }
        }
        ways
    }
}

/// A state is bad in itself; of a number it is judged how rare it is.
fn weight(sign: &Sign) -> f64 {
    let score = if sign.score.is_finite() {
        sign.score.clamp(0.0, 1.0)
    } else {
        0.0
    };
    2.0 * score + if sign.hard { 1.0 } else { 0.0 }
}

/// Everything an object needs, near and far.
fn reach(picture: &Picture, object: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![object];
    while let Some(at) = open.pop() {
        for (_, needed) in picture.calls.iter().filter(|(who, _)| *who == at) {
            if *needed != object && found.insert(*needed) {
                open.push(*needed);
            }
        }
    }
    found
}
