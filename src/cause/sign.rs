//! Signs that somebody found already, and what they tell by their order and their place.

use std::collections::BTreeSet;

use super::knowledge::{self, Way};
use super::picture::{Picture, Sign};
use super::rank::Evidence;

/// One natural log against what came so much after the earliest, seconds.
const LATE_S: f64 = 240.0;

/// What speaks for and against an object, from the signs.
pub struct Signs<'a> {
    picture: &'a Picture,
    /// By object: what it needs, near and far, without itself.
    needs: Vec<BTreeSet<usize>>,
    /// Earliest sign of each object.
    first: Vec<Option<First>>,
    earliest: f64,
    ill: usize,
    /// Names and texts of the signs in small letters, as they stand in the picture.
    texts: Vec<String>,
    /// By object: ways that begin there and whose symptoms are there, most telling first.
    ways: Vec<Vec<&'static Way>>,
}

/// The earliest sign of an object.
#[derive(Clone, Copy, Debug)]
struct First {
    /// Seconds.
    since: f64,
    /// It may have begun by so much earlier, seconds.
    step: f64,
    /// It may have been ill for longer.
    before: bool,
}

impl<'a> Signs<'a> {
    pub fn of(picture: &'a Picture) -> Self {
        let objects = picture.objects.len();
        let mut first = vec![None::<First>; objects];
        for sign in &picture.signs {
            if let Some(held) = first.get_mut(sign.object)
                && sign.since.is_finite()
            {
                let earlier = held.filter(|h| h.since <= sign.since);
                let before = sign.before || held.is_some_and(|h| h.before);
                let (since, step) = earlier.map_or((sign.since, sign.step), |h| (h.since, h.step));
                *held = Some(First {
                    since,
                    step,
                    before,
                });
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
        let earliest = first.iter().flatten().map(|f| f.since);
        let texts = picture.signs.iter();
        let mut signs = Self {
            picture,
            needs,
            earliest: earliest.fold(f64::INFINITY, f64::min),
            first,
            ill: ill.len(),
            texts: texts
                .map(|s| format!("{} {}", s.name, s.text).to_lowercase())
                .collect(),
            ways: Vec::new(),
        };
        signs.ways = (0..objects).map(|object| signs.begun_at(object)).collect();
        signs
    }

    /// Names and texts of all signs, in small letters.
    pub fn texts(&self) -> &[String] {
        &self.texts
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
        if let Some(own) = self.first.get(object).copied().flatten() {
            self.order(object, own, out);
            self.leans_on(object, own, out);
        }
        for way in self.known(object) {
            out.push(Evidence::new(way.weight, way.name.clone(), &way.source));
        }
    }

    /// Who was first, as far as anybody knows: what was ill before our data may have been it.
    fn order(&self, object: usize, own: First, out: &mut Vec<Evidence>) {
        let origin = "order of first signs";
        let mut others = self.first.iter().enumerate().filter(|(o, _)| *o != object);
        let hidden = others.any(|(_, f)| f.is_some_and(|f| f.before));
        let late = own.since - self.earliest;
        if own.before {
            return;
        }
        if late > own.step {
            let says = format!("its first sign came {late:.0} s after the earliest");
            let weight = -(late / LATE_S).min(1.5);
            out.push(Evidence::new(weight, says, origin));
        } else if self.ill > 1 && !hidden {
            out.push(Evidence::new(0.7, "among the first signs", origin));
        }
    }

    /// Ill because of another that was ill no later, or may have been.
    fn leans_on(&self, object: usize, own: First, out: &mut Vec<Evidence>) {
        let weight = |need: &usize| -> Option<(f64, &String, &str)> {
            let first = self.first.get(*need).copied().flatten()?;
            let name = self.picture.objects.get(*need)?;
            match first.since <= own.since + first.step {
                true if !own.before => Some((-1.5, name, "was ill no later")),
                later if later || first.before => {
                    Some((-0.75, name, "is ill too; which was first is not known"))
                }
                _ => None,
            }
        };
        let needs = self.needs.get(object).into_iter().flatten();
        let most = needs.filter_map(weight).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((weight, name, which)) = most {
            let says = format!("needs {name}, which {which}");
            out.push(Evidence::new(weight, says, "topology"));
        }
    }

    /// Known ways that begin at this object and whose symptoms are there, most telling first.
    pub fn known(&self, object: usize) -> &[&'static Way] {
        self.ways.get(object).map_or(&[], Vec::as_slice)
    }

    fn begun_at(&self, object: usize) -> Vec<&'static Way> {
        let signs = || self.picture.signs.iter().zip(&self.texts).enumerate();
        let mut ways: Vec<&'static Way> = Vec::new();
        for (at, (_, text)) in signs().filter(|(_, (s, _))| s.object == object) {
            for way in knowledge::begun_by(text) {
                let elsewhere = |(other, (_, text)): (usize, (_, &String))| {
                    other != at && knowledge::holds(&way.shows, text)
                };
                let shown = way.shows.is_empty() || signs().any(elsewhere);
                if shown && !ways.iter().any(|held| held.name == way.name) {
                    ways.push(way);
                }
            }
        }
        ways.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        ways
    }
}

/// A state is bad in itself; of a number it is judged how rare it is.
pub fn weight(sign: &Sign) -> f64 {
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
