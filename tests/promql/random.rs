//! Numbers that are the same in each run.

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// 0 to `most`, without it.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    pub fn float(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * (self.next() as f64 / (1u64 << 53) as f64)
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.up_to(all.len() as u64) as usize]
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.up_to(times) == 0
    }
}
