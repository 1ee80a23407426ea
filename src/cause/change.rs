//! Which change is to blame, or none.

use std::collections::{BTreeMap, BTreeSet};

use super::aspect::Aspect;
use super::diff;
use super::knowledge::{self, Fix};
use super::picture::{Change, Picture, Place};
use super::place::{Seen, brief, strength};
use super::rank::{Cause, Evidence, What};
use super::sign;
use super::words;

/// What speaks for no change here: more would have to speak for one. Evens out a change that went
/// live on the ill object right before.
const NO_CHANGE: f64 = 3.0;
/// The same where nobody tells what any of them does: none can have that for it.
const NO_CHANGE_TOLD: f64 = 2.0;
/// Natural logs of how long before the onset.
const SOON_S: f64 = 1800.0;
/// Against a change, times the weight of the strongest sign that was there before it.
const THERE: f64 = 1.5;

/// One change and what speaks for and against it.
#[derive(Clone, Debug)]
pub struct Blame {
    what: What,
    evidence: Vec<Evidence>,
    fix: Option<Fix>,
}

impl Blame {
    pub fn cause(self) -> Cause {
        let mut cause = Cause::of(self.what, self.evidence);
        cause.fix = self.fix;
        cause
    }
}

pub fn of(picture: &Picture, seen: &Seen<'_>) -> Vec<Blame> {
    let onset = onset(picture, seen);
    let symptoms = symptoms(picture, seen);
    let texts: Vec<BTreeSet<String>> = picture.changes.iter().map(|c| words::of(&all(c))).collect();
    let rarity = words::rarity(&texts);
    let names: BTreeSet<String> = picture.objects.iter().flat_map(|o| words::of(o)).collect();
    let ill = ill(picture, seen);
    let changes = picture.changes.iter().zip(&texts).enumerate();
    let mut blames: Vec<Blame> = changes
        .map(|(at, (change, text))| {
            let harm = diff::harm(&change.text, &change.files, &change.diff);
            let mut shared: Vec<(f64, &String)> = text
                .iter()
                .filter(|w| !names.contains(*w))
                .filter_map(|w| Some((symptoms.get(w)? * rarity.get(w)?, w)))
                .collect();
            shared.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
            let sum: f64 = shared.iter().map(|(weight, _)| weight).sum();
            // The same words in what does no harm tell where, not why.
            let telling = if harm.weight > 0.0 { 1.5 } else { 0.9 };
            let first: Vec<&str> = shared.iter().take(4).map(|(_, w)| w.as_str()).collect();
            let says = format!("shares rare words: {}", first.join(", "));
            let mut evidence = vec![Evidence::new(
                strength(sum) * telling,
                says,
                "its text against alert, lines and metrics",
            )];
            evidence.push(place(picture, change, &ill));
            let origin = "its files and lines";
            evidence.push(Evidence::new(harm.weight, harm.does.join(", "), origin));
            evidence.push(when(picture, change, onset));
            Blame {
                what: What::Change(at),
                evidence,
                fix: Some(Fix::RollBack),
            }
        })
        .collect();
    let mut changes = picture.changes.iter();
    let told = changes.any(|c| !c.diff.is_empty() || !c.files.is_empty());
    let mut evidence = vec![Evidence::new(
        if told { NO_CHANGE } else { NO_CHANGE_TOLD },
        "most trouble is nobody's change",
        "prior",
    )];
    outside(seen, &mut evidence);
    blames.push(Blame {
        what: What::None,
        evidence,
        fix: None,
    });
    blames
}

fn all(change: &Change) -> String {
    format!("{} {} {}", change.text, change.files.join(" "), change.diff)
}

/// When the symptom began: after the last usual value before it was noticed.
fn onset(picture: &Picture, seen: &Seen<'_>) -> f64 {
    let Some((object, _)) = picture.symptom else {
        return picture.window.begins;
    };
    let own = seen.own(object).filter(|(_, shift)| shift.size.abs() > 1.0);
    let onsets = own.filter_map(|(series, shift)| {
        let usual = |v: f64| (v - shift.quiet) * shift.size.signum() <= shift.unit;
        let last = series
            .points
            .iter()
            .rev()
            .find(|(at, v)| *at <= picture.window.begins && usual(*v))?;
        Some(last.0)
    });
    onsets.fold(picture.window.begins, f64::min)
}

/// Words of what is wrong, each with a weight.
fn symptoms(picture: &Picture, seen: &Seen<'_>) -> BTreeMap<String, f64> {
    let mut held: BTreeMap<String, f64> = BTreeMap::new();
    let mut take = |text: &str, weight: f64| {
        for word in words::of(text) {
            let held = held.entry(word).or_insert(0.0);
            *held = held.max(weight);
        }
    };
    for text in &picture.told {
        take(text, 1.0);
    }
    for sign in &picture.signs {
        take(&sign.text, 1.0);
    }
    for broken in seen.broken.iter().filter(|b| b.seen > b.expected) {
        take(&broken.text, if broken.error { 1.0 } else { 0.2 });
    }
    for (series, shift) in &seen.shifts {
        if shift.size.abs() > 1.0 {
            take(&series.name, 0.5);
        }
    }
    held
}

/// How ill each object is, 0 to 1.
fn ill(picture: &Picture, seen: &Seen<'_>) -> Vec<f64> {
    let mut ill = vec![0.0; picture.objects.len()];
    for (series, shift) in &seen.shifts {
        if let Place::Object(at) = series.place
            && let Some(held) = ill.get_mut(at)
            && shift.size.abs() > 1.0
        {
            *held = f64::max(*held, 0.5);
        }
    }
    for broken in seen.broken.iter().filter(|b| b.error) {
        if let Some(held) = ill.get_mut(broken.object) {
            *held = f64::max(*held, 0.7);
        }
    }
    for sign in &picture.signs {
        if let Some(held) = ill.get_mut(sign.object) {
            *held = 1.0;
        }
    }
    if let Some((at, _)) = picture.symptom
        && let Some(held) = ill.get_mut(at)
    {
        *held = 1.0;
    }
    ill
}

/// What a change went live on, and what needs that.
fn reached<'a>(picture: &'a Picture, change: &'a Change) -> impl Iterator<Item = usize> + 'a {
    let on = change.live.iter().filter_map(|(at, _)| *at);
    on.flat_map(|at| {
        let above = picture
            .calls
            .iter()
            .filter(move |(_, needed)| *needed == at);
        std::iter::once(at).chain(above.map(|(who, _)| *who))
    })
}

fn place(picture: &Picture, change: &Change, ill: &[f64]) -> Evidence {
    let known = picture.changes.iter().any(|c| !c.live.is_empty());
    let mut worst: Option<(f64, &str)> = None;
    for object in reached(picture, change) {
        let (Some(ill), Some(name)) = (ill.get(object), picture.objects.get(object)) else {
            continue;
        };
        if worst.is_none_or(|(held, _)| *ill > held) {
            worst = Some((*ill, name));
        }
    }
    let origin = "where it went live";
    match worst {
        Some((ill, name)) if ill > 0.0 => Evidence::new(
            2.0 * ill,
            format!("went live on {name}, which is ill"),
            origin,
        ),
        Some((_, name)) => {
            Evidence::new(-0.5, format!("went live on {name}, which is well"), origin)
        }
        None if known => Evidence::new(-0.5, "is not known to have reached what is ill", origin),
        None => Evidence::new(0.0, "", origin),
    }
}

fn when(picture: &Picture, change: &Change, onset: f64) -> Evidence {
    let live = change
        .live
        .iter()
        .map(|(_, at)| *at)
        .fold(f64::INFINITY, f64::min);
    let live = if live.is_finite() { live } else { change.at };
    let origin = "times of change and onset";
    let up_to = if change.seen.is_some() { "up to " } else { "" };
    if live > began(picture, onset) {
        let Some(next) = next_sign(picture, change, live) else {
            return Evidence::new(-20.0, "came after the first sign", origin);
        };
        // It did not begin it, and may have made it worse. A first sign that was little may have
        // had nothing to do with it.
        let before = next - live;
        let signs = picture.signs.iter();
        let there = signs.filter(|s| s.since + s.step < live).map(sign::weight);
        let there = there.fold(0.0, f64::max);
        let says = format!(
            "after the first sign, {up_to}{before:.0} s before one of its objects; what was there \
             already is not its doing"
        );
        let weight = (-before / SOON_S).exp() - 1.0 - THERE * there;
        return Evidence::new(weight, says, origin);
    }
    let before = (onset - live).max(0.0);
    let says = format!("{up_to}{before:.0} s before the first sign");
    Evidence::new((-before / SOON_S).exp(), says, origin)
}

/// By when it had begun: what came later did not begin it, seconds.
fn began(picture: &Picture, onset: f64) -> f64 {
    let signs = picture.signs.iter().map(|s| s.since + s.step);
    let first = signs.fold(f64::INFINITY, f64::min);
    if first.is_finite() {
        first
    } else {
        onset + picture.window.step
    }
}

/// The first object that a change reached and that fell ill after it, seconds.
fn next_sign(picture: &Picture, change: &Change, live: f64) -> Option<f64> {
    let reached: BTreeSet<usize> = reached(picture, change).collect();
    let onset = |object: &usize| {
        let own = picture.signs.iter().filter(|s| s.object == *object);
        let later = own.filter(|s| s.since > live && !s.before);
        later.map(|s| s.since).min_by(f64::total_cmp)
    };
    reached.iter().filter_map(onset).min_by(f64::total_cmp)
}

/// What speaks for a cause that nobody here changed: demand, or one outside who fails.
fn outside(seen: &Seen<'_>, out: &mut Vec<Evidence>) {
    // More demand reaches all; more calls of one object are a caller's doing.
    let loads = seen.shifts.iter().map(|(_, shift)| shift);
    let loads = loads.filter(|s| s.aspect == Aspect::Load && s.quiet > 0.0);
    let mut more: Vec<f64> = loads
        .map(|s| {
            if s.size > 1.0 {
                (s.during / s.quiet).ln()
            } else {
                0.0
            }
        })
        .collect();
    if more.len() >= 2
        && let Some(demand) = super::shift::median(&mut more)
        && demand > 0.0
    {
        let says = format!("requests came {} times as often", brief(demand.exp()));
        out.push(Evidence::new(
            2.0 * demand,
            says,
            "request rates of all objects",
        ));
    }
    let (mut away, mut hurt) = (0.0f64, BTreeSet::new());
    for broken in seen
        .broken
        .iter()
        .filter(|b| b.error && b.seen > b.expected)
    {
        if names_outside(&broken.text) {
            hurt.insert(broken.object);
            away = away.max(super::count::strength(broken) * 0.5);
        }
    }
    if away > 0.0 {
        let says = format!("{} objects fail at hosts outside", hurt.len());
        out.push(Evidence::new(
            away + (hurt.len() as f64).ln(),
            says,
            "new error lines",
        ));
    }
    let lines = seen.broken.iter().filter(|b| b.error);
    let lines: Vec<String> = lines.map(|b| b.text.to_lowercase()).collect();
    let texts = seen.signs.texts().iter().chain(&lines);
    let ways = texts.flat_map(|text| knowledge::begun_by(text));
    let strongest = ways
        .filter(|w| w.outside)
        .max_by(|a, b| a.weight.total_cmp(&b.weight));
    if let Some(way) = strongest {
        out.push(Evidence::new(way.weight, way.name.clone(), &way.source));
    }
}

/// A host of the world: a name of three parts or more with an ending of the world's.
fn names_outside(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-'));
    words.any(|word| {
        let labels: Vec<&str> = word.split('.').collect();
        labels.len() >= 3
            && labels.iter().all(|l| l.len() >= 2)
            && labels
                .last()
                .is_some_and(|l| matches!(*l, "com" | "net" | "org" | "io" | "dev" | "cloud"))
    })
}
