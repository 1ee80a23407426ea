//! Where it began: what each object shows itself, and what is left of its trouble when that of the
//! objects it needs is taken off.

use super::aspect::{self, Aspect};
use super::count::{self, Broken};
use super::flow::{self, Flow};
use super::picture::{Picture, Place, Series};
use super::rank::{Cause, Evidence, What};
use super::shift::{self, Shift};
use super::sign::Signs;
use super::span::{self, Lost};

/// Trouble in what was not noticed counts this much beside what was.
const ASIDE: f64 = 0.1;
/// Evidence of flow: natural logs for all of it and one unit of strength.
const FLOW: f64 = 1.5;
/// Ten times what matters makes a unit of strength of lost seconds and failures a second.
const PER_SECOND: f64 = 10.0;

/// What the picture shows, worked out once.
pub struct Seen<'a> {
    pub picture: &'a Picture,
    pub shifts: Vec<(&'a Series, Shift)>,
    pub broken: Vec<Broken>,
    flow: Flow,
    below: Vec<bool>,
    lost: Lost,
    pub signs: Signs<'a>,
    /// As the series stand in the picture.
    all: Vec<Option<Shift>>,
    /// Places in `shifts`, by object.
    by: Vec<Vec<usize>>,
}

impl<'a> Seen<'a> {
    pub fn of(picture: &'a Picture) -> Self {
        let when = shift::worst_times(picture);
        let series = || picture.series.iter();
        let all: Vec<Option<Shift>> = series()
            .map(|s| shift::of(s, &picture.window, &when))
            .collect();
        let shifts: Vec<_> = series()
            .zip(&all)
            .filter_map(|(s, shift)| Some((s, (*shift)?)))
            .collect();
        let mut by = vec![Vec::new(); picture.objects.len()];
        for (at, (series, _)) in shifts.iter().enumerate() {
            if let Place::Object(object) = series.place
                && let Some(held) = by.get_mut(object)
            {
                held.push(at);
            }
        }
        Self {
            flow: flow::of(picture, &shifts),
            below: flow::below(picture),
            broken: count::of(picture),
            lost: span::of(picture),
            signs: Signs::of(picture),
            by,
            all,
            shifts,
            picture,
        }
    }

    pub fn places(&self) -> Vec<Cause> {
        (0..self.picture.objects.len())
            .map(|object| self.place(object))
            .collect()
    }

    /// Shifts of an object's own series.
    pub fn own(&self, object: usize) -> impl Iterator<Item = &(&'a Series, Shift)> {
        let held = self.by.get(object).into_iter().flatten();
        held.filter_map(|at| self.shifts.get(*at))
    }

    fn place(&self, object: usize) -> Cause {
        let mut evidence = Vec::new();
        let mut confirm = self.resources(object, &mut evidence);
        self.flows(object, &mut evidence);
        self.habits(object, &mut evidence);
        self.ways(object, &mut evidence);
        self.signs.evidence(object, &mut evidence);
        let mut cause = Cause::of(What::Object(object), evidence);
        let signs = self.picture.signs.iter().filter(|s| s.object == object);
        if let Some(query) = signs.filter_map(|s| s.query.clone()).next() {
            confirm = Some(query);
        }
        if let Some(way) = self.signs.known(object).first() {
            cause.fix = way.fix;
            confirm = way.confirm.clone().or(confirm);
        }
        cause.confirm = confirm;
        cause
    }

    /// What it uses up, what it sends, how late it is. Gives the series that shows most.
    fn resources(&self, object: usize, out: &mut Vec<Evidence>) -> Option<String> {
        let mut most: [Option<(f64, &Series, Shift)>; 3] = [None; 3];
        for (series, shift) in self.own(object) {
            // A network falls silent, the others rise.
            let (kind, weight) = match shift.aspect {
                Aspect::Network => (1, 0.3 * strength(-shift.size)),
                Aspect::Latency if !aspect::is_outbound(&series.name) => {
                    (2, 0.3 * strength(shift.size - 0.5))
                }
                aspect if aspect.is_resource() => (0, strength(shift.size - 0.5)),
                _ => continue,
            };
            if let Some(held) = most.get_mut(kind)
                && held.is_none_or(|(held, ..)| weight > held)
            {
                *held = Some((weight, series, *shift));
            }
        }
        let mut best: Option<(f64, &str)> = None;
        for (weight, series, shift) in most.iter().flatten() {
            let (name, quiet, during) = (&series.name, shift.quiet, shift.during);
            let says = format!("{name} {} -> {}", brief(quiet), brief(during));
            out.push(Evidence::new(
                *weight,
                says,
                "its own series, before and during",
            ));
            if *weight > 0.1 && best.is_none_or(|(held, _)| *weight > held) {
                best = Some((*weight, name));
            }
        }
        best.map(|(_, name)| name.to_owned())
    }

    /// Its own part of the waiting and failing, along the calls.
    fn flows(&self, object: usize, out: &mut Vec<Evidence>) {
        if self.below.get(object) != Some(&true) {
            return;
        }
        let parts = [
            (&self.flow.time, Aspect::Latency, "waiting", "s/s"),
            (&self.flow.failures, Aspect::Success, "failures", "/s"),
        ];
        for (amounts, aspect, what, unit) in parts {
            let noticed = match self.picture.symptom {
                Some((_, noticed)) if noticed != aspect => ASIDE,
                _ => 1.0,
            };
            let own = amounts.get(object).copied().unwrap_or(0.0);
            let all: f64 = amounts
                .iter()
                .zip(&self.below)
                .filter(|(_, b)| **b)
                .map(|(a, _)| a)
                .sum();
            if own <= 0.0 || all <= 0.0 {
                continue;
            }
            let weight = noticed * FLOW * own / all * strength(PER_SECOND * own);
            let percent = 100.0 * own / all;
            let says = format!(
                "{percent:.0} % of the extra {what} begins here ({} {unit})",
                brief(own)
            );
            out.push(Evidence::new(weight, says, "excess along the calls"));
        }
    }

    /// Lines and operations that broke with their habit.
    fn habits(&self, object: usize, out: &mut Vec<Evidence>) {
        let own = self.broken.iter().filter(|b| b.object == object);
        for (broken, part) in own.zip([1.0, 0.5]) {
            let says = format!(
                "{:?}: {} seen, {} expected",
                broken.text,
                brief(broken.seen),
                brief(broken.expected)
            );
            let weight = part * count::strength(broken);
            out.push(Evidence::new(
                weight,
                says,
                "counts against those it goes with",
            ));
        }
    }

    /// Time lost on the way to it, and in its own work.
    fn ways(&self, object: usize, out: &mut Vec<Evidence>) {
        let at = |of: &[f64]| of.get(object).copied().unwrap_or(0.0);
        let to = at(&self.lost.to);
        if to > 0.0 {
            let says = format!(
                "{:.0} % of {} s that callers wait and nobody called owns up to",
                100.0 * to,
                brief(self.lost.all)
            );
            let weight = FLOW * to * strength(PER_SECOND * self.lost.all);
            out.push(Evidence::new(
                weight,
                says,
                "spans of callers and of called",
            ));
            let slower = at(&self.lost.slower);
            let says = format!("is {} s slower itself", brief(slower));
            out.push(Evidence::new(slower.min(0.3), says, "its spans"));
        }
        let own = at(&self.lost.own);
        let says = format!("its own work takes {} s more", brief(own));
        out.push(Evidence::new(strength(5.0 * own), says, "its spans"));
    }

    /// Series most telling first: those of likely objects, by how far they went.
    pub fn series(&self, places: &[Cause]) -> Vec<usize> {
        let mut likely = vec![0.0; self.picture.objects.len()];
        for cause in places {
            if let What::Object(at) = cause.what
                && let Some(held) = likely.get_mut(at)
            {
                *held = cause.probability;
            }
        }
        let mut found: Vec<(f64, usize)> = Vec::new();
        for (at, series) in self.picture.series.iter().enumerate() {
            let (Place::Object(object), Some(shift)) =
                (series.place, self.all.get(at).copied().flatten())
            else {
                continue;
            };
            let likely = likely.get(object).copied().unwrap_or(0.0);
            let bad = shift.aspect.bad();
            let size = if bad == 0.0 {
                0.5 * shift.size.abs()
            } else {
                shift.size * bad
            };
            found.push((4.0 * likely + strength(size), at));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.into_iter().map(|(_, at)| at).collect()
    }
}

/// Natural logs of how far; nothing for less than nothing.
pub fn strength(size: f64) -> f64 {
    let log = (1.0 + size.max(0.0)).ln();
    if log.is_finite() { log } else { 0.0 }
}

/// Three digits that matter.
pub fn brief(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value:.0}");
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    format!(
        "{value:.*}",
        usize::try_from(digits.clamp(0, 6)).unwrap_or(0)
    )
}
