//! What of the extra time and the extra failures is an object's own, along the calls.
//!
//! Trouble climbs: who waits for a slow one is slow. What an object adds itself is its extra less
//! that of those it calls.

use std::collections::BTreeMap;

use super::aspect::Aspect;
use super::picture::{Picture, Place, Series};
use super::shift::Shift;

/// One request makes several calls, one after the other: where latencies are percentiles, that many
/// of a callee's hide in its caller's.
pub const CALLS: f64 = 4.0;

/// Extra per object.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// Seconds a second of waiting that nobody below explains, by object.
    pub time: Vec<f64>,
    /// Failures a second that nobody below explains, by object.
    pub failures: Vec<f64>,
}

/// Objects that the one with the symptom needs, itself with them; all where no symptom is known.
pub fn below(picture: &Picture) -> Vec<bool> {
    let Some((start, _)) = picture.symptom else {
        return vec![true; picture.objects.len()];
    };
    let mut reached = vec![false; picture.objects.len()];
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        if let Some(seen) = reached.get_mut(at)
            && !*seen
        {
            *seen = true;
            let callees = picture.calls.iter().filter(|(caller, _)| *caller == at);
            open.extend(callees.map(|(_, callee)| *callee));
        }
    }
    reached
}

pub fn of(picture: &Picture, shifts: &[(&Series, Shift)]) -> Flow {
    let requests = requests(picture.objects.len(), shifts);
    let mut time = waiting(picture.objects.len(), shifts);
    let mut failures = vec![0.0; picture.objects.len()];
    for (series, shift) in shifts {
        if let (Place::Object(at), Aspect::Success) = (series.place, shift.aspect)
            && let Some(failures) = failures.get_mut(at)
            && shift.size <= -0.5
        {
            // A share of 1 or of 100, as the quiet level tells.
            let whole = if shift.quiet > 1.5 { 100.0 } else { 1.0 };
            *failures = f64::max(*failures, (shift.quiet - shift.during) / whole);
        }
    }
    for (at, requests) in requests.iter().enumerate() {
        for amounts in [&mut time, &mut failures] {
            if let Some(amount) = amounts.get_mut(at) {
                *amount *= requests;
            }
        }
    }
    Flow {
        time: own(picture, &time, if adds_up(shifts) { 1.0 } else { CALLS }),
        failures: own(picture, &failures, 1.0),
    }
}

/// Requests in the incident, by object; 1 where nobody counts them.
fn requests(objects: usize, shifts: &[(&Series, Shift)]) -> Vec<f64> {
    let mut requests = vec![None::<f64>; objects];
    for (series, shift) in shifts {
        if let (Place::Object(at), Aspect::Load) = (series.place, shift.aspect)
            && let Some(held) = requests.get_mut(at)
        {
            let most = held.unwrap_or(0.0);
            *held = Some(most.max(shift.during));
        }
    }
    requests.into_iter().map(|r| r.unwrap_or(1.0)).collect()
}

/// Extra seconds of one request, by object: as its callers see it, the middle of them; else as the
/// object says itself.
fn waiting(objects: usize, shifts: &[(&Series, Shift)]) -> Vec<f64> {
    let mut seen: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let mut said = vec![None::<f64>; objects];
    for (series, shift) in shifts {
        if shift.aspect != Aspect::Latency || super::aspect::is_outbound(&series.name) {
            continue;
        }
        let extra = if shift.size < 0.5 {
            0.0
        } else {
            (shift.during - shift.quiet) * super::aspect::seconds(&series.name)
        };
        match series.place {
            Place::Call(_, callee) => seen.entry(callee).or_default().push(extra),
            Place::Object(at) => {
                if let Some(held) = said.get_mut(at) {
                    // The smallest: an average before a high percentile.
                    *held = Some(held.map_or(extra, |h: f64| h.min(extra)));
                }
            }
        }
    }
    let mut extra: Vec<f64> = said.into_iter().map(|s| s.unwrap_or(0.0)).collect();
    for (at, mut values) in seen {
        if let (Some(extra), Some(middle)) = (extra.get_mut(at), super::shift::median(&mut values))
        {
            *extra = middle;
        }
    }
    extra
}

/// Averages add up along the calls, percentiles do not.
fn adds_up(shifts: &[(&Series, Shift)]) -> bool {
    let mut late = shifts.iter().filter(|(_, s)| s.aspect == Aspect::Latency);
    late.any(|(series, _)| {
        ["avg", "mean"]
            .iter()
            .any(|word| series.name.contains(word))
    })
}

fn own(picture: &Picture, amounts: &[f64], times: f64) -> Vec<f64> {
    let mut own = amounts.to_vec();
    for (caller, callee) in &picture.calls {
        let below = amounts.get(*callee).copied().unwrap_or(0.0);
        if let Some(own) = own.get_mut(*caller)
            && caller != callee
        {
            *own -= times * below;
        }
    }
    for amount in &mut own {
        *amount = amount.max(0.0);
    }
    own
}
