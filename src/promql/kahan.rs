//! Sums that do not lose the small beside the large: Neumaier's form of Kahan's summation, where
//! Prometheus has it.

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kahan {
    sum: f64,
    lost: f64,
}

impl Kahan {
    pub fn add(&mut self, value: f64) {
        let total = self.sum + value;
        self.lost += match self.sum.abs() >= value.abs() {
            true => (self.sum - total) + value,
            false => (value - total) + self.sum,
        };
        self.sum = total;
    }

    /// Without what got lost.
    pub fn plain(&self) -> f64 {
        self.sum
    }

    pub fn total(&self) -> f64 {
        self.sum + self.lost
    }
}
