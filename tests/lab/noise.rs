//! Noise that is the same in every run: a function of a name, the seed and the time.

/// FNV-1a; good enough to tell series apart.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// 0 to 1 for an event number.
pub fn unit(seed: u64, n: i64) -> f64 {
    (mix(seed ^ mix(n.cast_unsigned())) >> 11) as f64 / (1_u64 << 53) as f64
}

/// About -1 to 1, smooth, with fast and slow parts.
pub fn wave(seed: u64, t: f64) -> f64 {
    let part = |period: f64, salt: u64| {
        let x = t / period;
        let (cell, f) = (x.floor() as i64, x.fract());
        let (a, b) = (unit(seed ^ salt, cell), unit(seed ^ salt, cell + 1));
        let s = f * f * (3.0 - 2.0 * f);
        2.0 * (a + (b - a) * s) - 1.0
    };
    0.5 * part(17.0, 1) + 0.3 * part(71.0, 2) + 0.2 * part(307.0, 3)
}

/// `base` with a relative amplitude.
pub fn around(name: &str, t: f64, base: f64, amplitude: f64) -> f64 {
    base * (1.0 + amplitude * wave(hash(name), t))
}

/// 0 before `from`, 1 after `from + length`, a line between.
pub fn ramp(t: f64, from: f64, length: f64) -> f64 {
    ((t - from) / length).clamp(0.0, 1.0)
}

/// Share of a lognormal distribution below `x`.
pub fn lognormal_below(x: f64, median: f64, sigma: f64) -> f64 {
    if x.is_infinite() {
        return 1.0;
    }
    let z = (x / median).ln() / sigma / std::f64::consts::SQRT_2;
    0.5 * (1.0 + erf(z))
}

/// Abramowitz and Stegun 7.1.26.
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let poly = ((((1.061_405_429 * t - 1.453_152_027) * t + 1.421_413_741) * t - 0.284_496_736)
        * t
        + 0.254_829_592)
        * t;
    (1.0 - poly * (-x * x).exp()).copysign(x)
}
