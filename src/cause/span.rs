//! Time lost on the way: callers wait, and the called one says that it was quick.

use std::collections::BTreeMap;

use super::flow::CALLS;
use super::picture::{Counted, Picture, Tally};

/// Less than this is lost in the noise, seconds.
const MATTERS: f64 = 0.1;

#[derive(Clone, Debug, Default)]
pub struct Lost {
    /// By object: share of the lost time that a bad way to it would explain.
    pub to: Vec<f64>,
    /// By object: seconds that its own work takes longer, less that of those it waits for.
    pub own: Vec<f64>,
    /// Seconds that nobody called owns up to, all callers together.
    pub all: f64,
    /// By object: seconds that itself or its calls take longer.
    pub slower: Vec<f64>,
}

pub fn of(picture: &Picture) -> Lost {
    let objects = picture.objects.len();
    let mut lost = Lost {
        to: vec![0.0; objects],
        own: vec![0.0; objects],
        all: 0.0,
        slower: vec![0.0; objects],
    };
    let (mut serves, mut waits) = (vec![None::<f64>; objects], vec![None::<f64>; objects]);
    for count in picture.counts.iter().filter(|c| c.what == Counted::Spans) {
        let Some(extra) = extra(picture, &count.points) else {
            continue;
        };
        let held = match is_client(&count.text) {
            true => waits.get_mut(count.object),
            false => serves.get_mut(count.object),
        };
        if let Some(held) = held {
            *held = Some(held.map_or(extra, |h| h.max(extra)));
        }
    }
    let at = |of: &[Option<f64>], object: usize| of.get(object).copied().flatten();
    // Time that a caller lost and no one it calls owns up to.
    let mut missing: BTreeMap<usize, f64> = BTreeMap::new();
    for caller in 0..objects {
        let Some(wait) = at(&waits, caller) else {
            continue;
        };
        let callees = callees(picture, caller);
        let told = callees.filter_map(|c| at(&serves, c)).fold(0.0, f64::max);
        missing.insert(caller, (wait - told).max(0.0));
    }
    lost.all = missing.values().filter(|m| **m >= MATTERS).sum();
    for object in 0..objects {
        let slower = at(&serves, object)
            .unwrap_or(0.0)
            .max(at(&waits, object).unwrap_or(0.0));
        if let Some(held) = lost.slower.get_mut(object) {
            *held = slower.max(0.0);
        }
        let own =
            at(&serves, object).unwrap_or(0.0) - CALLS * at(&waits, object).unwrap_or(0.0).max(0.0);
        if let Some(held) = lost.own.get_mut(object) {
            *held = own.max(0.0);
        }
        let callers = picture.calls.iter().filter(|(_, callee)| *callee == object);
        let (mut explained, mut waiting, mut content) = (0.0, 0.0, 0.0);
        for (caller, _) in callers {
            match (missing.get(caller), at(&waits, *caller)) {
                (Some(missing), _) if *missing >= MATTERS => {
                    explained += missing;
                    waiting += 1.0;
                }
                // A caller that does not wait clears all that it calls.
                (_, Some(wait)) if wait < MATTERS => content += 1.0,
                _ => {}
            }
        }
        if waiting == 0.0 {
            continue;
        }
        let alike = waiting / (waiting + content);
        if let Some(held) = lost.to.get_mut(object) {
            *held = explained / lost.all * alike;
        }
    }
    lost
}

fn callees(picture: &Picture, caller: usize) -> impl Iterator<Item = usize> {
    let calls = picture
        .calls
        .iter()
        .filter(move |(from, _)| *from == caller);
    calls.map(|(_, callee)| *callee)
}

/// A client's span is named by its method alone.
fn is_client(text: &str) -> bool {
    let method = text.strip_prefix("HTTP ").unwrap_or(text);
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"].contains(&method)
}

/// How much longer, seconds: the middle of the incident over the upper end of the quiet time.
fn extra(picture: &Picture, points: &[Tally]) -> Option<f64> {
    let (mut quiet, mut during) = (Vec::new(), Vec::new());
    for (at, _, duration) in points {
        let Some(duration) = duration.filter(|d| d.is_finite()) else {
            continue;
        };
        if picture.window.is_quiet(*at) {
            quiet.push(duration);
        } else if picture.window.is_during(*at + picture.window.step / 2.0) {
            during.push(duration);
        }
    }
    let now = super::shift::median(&mut during)?;
    super::shift::median(&mut quiet)?;
    let usual = super::shift::quantile(&quiet, 0.9)?;
    Some(now - usual)
}
