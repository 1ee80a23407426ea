//! Healthy series for the tests, the same in every run.

/// xorshift.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let u = self.uniform().max(1e-12);
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A healthy series of one of five kinds, each with its own noise; `day` is the time in days.
pub(crate) fn healthy(kind: u64, noise: &mut Noise, walk: &mut f64, day: f64) -> f64 {
    let season = (std::f64::consts::TAU * day).sin();
    match kind % 5 {
        0 => 50.0 + noise.normal(),
        1 => {
            *walk = 0.9 * *walk + noise.normal();
            50.0 + *walk
        }
        2 => 100.0 + 60.0 * season + 3.0 * noise.normal(),
        3 => (20.0 + 12.0 * season + 4.0 * noise.normal())
            .max(0.0)
            .round(),
        _ => 10.0 / noise.uniform().max(1e-6).powf(0.2),
    }
}
