//! Fixed limits: beyond for so long is a finding, whatever the history says.

use crate::model::alert::Severity;
use crate::model::finding::FindingKind;
use crate::model::signal::Limit;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

use super::{Abnormal, Detector, Verdict};

/// Points in a row that must be back within the limit.
const BACK: u8 = 2;
/// Share of the limit by which a value must be back.
const HYSTERESIS: f64 = 0.01;

#[derive(Clone, Debug)]
pub struct Threshold {
    limit: Limit,
    unit: Unit,
    warn_since: Option<Timestamp>,
    crit_since: Option<Timestamp>,
    on: Option<(Severity, Timestamp)>,
    back: u8,
}

impl Threshold {
    pub fn new(limit: Limit, unit: Unit) -> Self {
        Self {
            limit,
            unit,
            warn_since: None,
            crit_since: None,
            on: None,
            back: 0,
        }
    }

    fn beyond(&self, value: f64, bound: Option<f64>, slack: f64) -> bool {
        bound.is_some_and(|bound| {
            let slack = bound.abs() * slack;
            if self.limit.below {
                value <= bound + slack
            } else {
                value >= bound - slack
            }
        })
    }

    fn abnormal(&self, severity: Severity, since: Timestamp) -> Abnormal {
        let bound = match severity {
            Severity::Critical => self.limit.crit.or(self.limit.warn),
            _ => self.limit.warn.or(self.limit.crit),
        };
        let bound = bound.unwrap_or(f64::NAN);
        let expected = match (self.limit.below, self.limit.absolute) {
            (true, _) => (bound, f64::INFINITY),
            (false, true) => (-bound, bound),
            (false, false) => (f64::NEG_INFINITY, bound),
        };
        Abnormal {
            kind: FindingKind::Threshold,
            severity,
            since,
            expected: Some(expected),
            seen: None,
            method: match self.limit.for_s {
                0 => format!("limit {}", self.unit.write(bound)),
                seconds => format!("limit {} for {seconds} s", self.unit.write(bound)),
            },
        }
    }
}

fn hold(since: &mut Option<Timestamp>, beyond: bool, at: Timestamp) {
    match (beyond, *since) {
        (true, None) => *since = Some(at),
        (false, _) => *since = None,
        (true, Some(_)) => {}
    }
}

impl Detector for Threshold {
    fn observe(&mut self, at: Timestamp, value: f64) -> Verdict {
        if !value.is_finite() {
            return self.verdict();
        }
        let value = if self.limit.absolute {
            value.abs()
        } else {
            value
        };
        let crit = self.beyond(value, self.limit.crit, 0.0);
        let warn = crit || self.beyond(value, self.limit.warn, 0.0);
        hold(&mut self.warn_since, warn, at);
        hold(&mut self.crit_since, crit, at);
        let lasting = |since: Option<Timestamp>| {
            since.filter(|s| at.age_since_ms(*s) >= u64::from(self.limit.for_s) * 1000)
        };
        let found = match (lasting(self.crit_since), lasting(self.warn_since)) {
            (Some(since), _) => Some((Severity::Critical, since)),
            (None, Some(since)) if self.limit.warn.is_some() => Some((Severity::Warning, since)),
            _ => None,
        };
        let near = self.beyond(value, self.limit.warn.or(self.limit.crit), HYSTERESIS);
        self.back = if near { 0 } else { self.back.saturating_add(1) };
        match (found, self.on) {
            // It began when the first limit was crossed, also when it has become worse since.
            (Some((severity, _)), Some((_, since))) => self.on = Some((severity, since)),
            (Some(found), None) => self.on = Some(found),
            (None, Some(_)) if self.back >= BACK => self.on = None,
            (None, _) => {}
        }
        self.verdict()
    }
}

impl Threshold {
    fn verdict(&self) -> Verdict {
        let Some((severity, since)) = self.on else {
            return Verdict::default();
        };
        Verdict {
            score: if severity == Severity::Critical {
                1.0
            } else {
                0.7
            },
            abnormal: Some(self.abnormal(severity, since)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(limit: Limit, values: &[f64]) -> Vec<Option<Severity>> {
        let mut detector = Threshold::new(limit, Unit::Celsius);
        let points = values.iter().enumerate();
        points
            .map(|(i, v)| detector.observe(Timestamp(i as i64 * 15_000), *v).abnormal)
            .map(|a| a.map(|a| a.severity))
            .collect()
    }

    #[test]
    fn needs_time_to_rise_and_to_fall() {
        use Severity::{Critical, Warning};
        let limit = Limit {
            warn: Some(70.0),
            crit: Some(80.0),
            for_s: 30,
            below: false,
            absolute: false,
        };
        let seen = run(
            limit,
            &[
                75.0, 60.0, 71.0, 72.0, 73.0, 81.0, 82.0, 83.0, 69.5, 60.0, 60.0,
            ],
        );
        let (w, c) = (Some(Warning), Some(Critical));
        assert_eq!(seen, [None, None, None, None, w, w, w, c, c, c, None]);
    }

    #[test]
    fn looks_below_and_at_the_absolute_value() {
        let below = Limit {
            warn: None,
            crit: Some(0.5),
            for_s: 0,
            below: true,
            absolute: false,
        };
        assert_eq!(run(below, &[1.0, 0.0]), [None, Some(Severity::Critical)]);
        let offset = Limit {
            warn: Some(100.0),
            crit: None,
            for_s: 0,
            below: false,
            absolute: true,
        };
        assert_eq!(
            run(offset, &[-99.0, -120.0]),
            [None, Some(Severity::Warning)]
        );
    }
}
