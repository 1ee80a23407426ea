//! The value axis: even bounds and ticks in the unit's own steps.

use crate::model::unit::Unit;

/// `[low, high]`, a whole number of steps apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub low: f64,
    pub high: f64,
    step: f64,
}

impl Scale {
    /// Even bounds around what is seen; about one tick each third row.
    pub fn around(low: f64, high: f64, unit: Unit, rows: usize) -> Self {
        let mut low = low.clamp(-1e300, 1e300);
        let mut high = high.clamp(-1e300, 1e300);
        // A steady value is drawn in the middle of a small range, near zero values from zero on.
        if high - low <= f64::EPSILON * high.abs().max(1e-300) {
            let pad = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
            low -= if low == 0.0 { 0.0 } else { pad };
            high += pad;
        }
        if low > 0.0 && low < high * 0.5 {
            low = 0.0;
        }
        if high < 0.0 && high > low * 0.5 {
            high = 0.0;
        }
        let wanted = (rows / 3).clamp(1, 6) as f64;
        let base = if matches!(unit, Unit::Bytes | Unit::Mebibytes) {
            1024.0
        } else {
            1000.0
        };
        let step = even((high - low) / wanted, base);
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
        }
    }

    pub fn ticks(&self) -> Vec<f64> {
        let count = ((self.high - self.low) / self.step)
            .round()
            .clamp(1.0, 64.0) as usize;
        (0..=count)
            .map(|i| self.low + self.step * i as f64)
            // What is left of a subtraction is not a tick of 1e-17.
            .map(|t| if t.abs() < self.step * 1e-9 { 0.0 } else { t })
            .collect()
    }

    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// 0 at the bottom, 1 at the top.
    pub fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Row of a value in a plot of `rows` rows, from the top.
    pub fn row(&self, value: f64, rows: u16) -> u16 {
        let last = f64::from(rows.saturating_sub(1));
        ((1.0 - self.share(value)) * last).round() as u16
    }
}

/// The next of 1, 2, 5 times a power (of two within each 1024 for bytes).
fn even(raw: f64, base: f64) -> f64 {
    if !(raw.is_finite() && raw > 0.0) {
        return 1.0;
    }
    if base > 1000.0 && raw >= 1.0 {
        return 2f64.powf(raw.log2().ceil());
    }
    let power = 10f64.powf(raw.log10().floor());
    let factor = raw / power;
    let even = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|e| factor <= *e + 1e-9)
        .unwrap_or(10.0);
    even * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_even() {
        let s = Scale::around(3.2, 97.0, Unit::Percent, 12);
        assert_eq!((s.low, s.high), (0.0, 100.0));
        let s = Scale::around(5.0, 5.0, Unit::None, 12);
        assert!(s.low < 5.0 && s.high > 5.0);
        let s = Scale::around(0.0, 0.0, Unit::None, 12);
        assert!(s.low == 0.0 && s.high >= 1.0);
        let s = Scale::around(0.0, 3.0 * 1024.0 * 1024.0, Unit::Bytes, 12);
        assert_eq!(s.high % 1024.0, 0.0);
        let s = Scale::around(-1e308, 1e308, Unit::None, 12);
        assert!(s.share(0.0).is_finite());
    }

    #[test]
    fn ticks_span_the_scale() {
        let s = Scale::around(0.0, 0.3, Unit::Ratio, 9);
        let ticks = s.ticks();
        assert_eq!(ticks.first().copied(), Some(s.low));
        assert!((ticks.last().copied().unwrap_or_default() - s.high).abs() < 1e-9);
        assert_eq!(s.row(s.high, 9), 0);
        assert_eq!(s.row(s.low, 9), 8);
    }
}
