//! How rare a deviation is for its own series.
//!
//! Deviations above their 95 % quantile fall off roughly exponentially; quantile and mean excess
//! are tracked as they come. A raw z-score means something else on every series; this does not.

/// Share of points above the tracked quantile.
const ABOVE: f64 = 0.05;
/// Smallest mean excess believed, in spreads: that of Gaussian noise.
const EXCESS_MIN: f64 = 0.38;
/// Greatest excess that one point may teach, in mean excesses.
const CLIP: f64 = 4.0;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    quantile: f32,
    excess: f32,
    seen: u16,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            quantile: 2.0,
            excess: 0.6,
            seen: 0,
        }
    }
}

impl Tail {
    /// Decades of rarity: 6 means once in a million points, on this series.
    pub(crate) fn surprise(&self, deviation: f64) -> f64 {
        let over = deviation - f64::from(self.quantile);
        if over <= 0.0 {
            return 0.0;
        }
        -ABOVE.log10() + over / self.excess() / std::f64::consts::LN_10
    }

    /// The deviation that has this rarity.
    pub(crate) fn deviation(&self, surprise: f64) -> f64 {
        let over = (surprise + ABOVE.log10()).max(0.0) * std::f64::consts::LN_10;
        f64::from(self.quantile) + over * self.excess()
    }

    fn excess(&self) -> f64 {
        f64::from(self.excess).max(EXCESS_MIN)
    }

    pub(crate) fn learn(&mut self, deviation: f64) {
        self.seen = self.seen.saturating_add(1);
        let quantile = f64::from(self.quantile);
        // Quick at first, slow later; a step is a share of the quantile, so that scale is no matter.
        let rate = (8.0 / f64::from(self.seen)).clamp(0.03, 0.3) * quantile.max(0.5);
        let over = deviation - quantile;
        if over > 0.0 {
            let excess = self.excess();
            let taught = over.min(CLIP * excess);
            // Rises faster than it falls: a heavy tail must not be forgotten between its visits.
            let weight = if taught > excess { 0.12 } else { 0.02 };
            self.excess += (weight * (taught - f64::from(self.excess))) as f32;
            self.quantile = (quantile + rate * (1.0 - ABOVE)) as f32;
        } else {
            self.quantile = (quantile - rate * ABOVE).max(1.0) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_tail_makes_far_points_less_rare() {
        let (mut narrow, mut wide) = (Tail::default(), Tail::default());
        for i in 0..5000 {
            let spread = f64::from(i % 100) / 50.0;
            narrow.learn(spread);
            wide.learn(if i % 40 == 0 { 15.0 } else { spread });
        }
        assert!(narrow.surprise(12.0) > 10.0, "{narrow:?}");
        assert!(wide.surprise(12.0) < 5.0, "{wide:?}");
        let back = narrow.surprise(narrow.deviation(6.0));
        assert!((back - 6.0).abs() < 1e-6);
    }
}
