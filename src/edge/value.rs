//! A value told against the last one of its series: most are a byte or two, all are exact.

use super::decode::Wrong;
use crate::bundle::wire::Cursor;

/// What a value is counted in; decimals of an exposition have few digits.
const SCALES: [f64; 5] = [1.0, 100.0, 1_000.0, 1_000_000.0, 1_000_000_000.0];
/// Whole numbers up to here are exact as floating point.
const EXACT: f64 = 9e15;

/// How a value is told, in the two lowest bits of its number.
const EXPECTED: u64 = 0;
const RESCALED: u64 = 1;
const BITS: u64 = 2;
const SAME: u64 = 3;

/// How a series went so far; the same on both sides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    value: f64,
    /// The last value that was a number of units.
    units: i64,
    /// How much it had grown; counts go on like that.
    step: i64,
    scale: u8,
}

impl Last {
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The same value again was left out.
    pub fn rest(&mut self) {
        self.step = 0;
    }

    pub fn put(&mut self, out: &mut Vec<u8>, value: f64, counts: bool) {
        if value.to_bits() == self.value.to_bits() {
            self.rest();
            return number(out, SAME);
        }
        let Some((scale, units)) = self.measure(value) else {
            number(out, BITS);
            let bits = value.to_bits() ^ self.value.to_bits();
            // Values near each other share their first bits: turned round, that is a short number.
            number(out, bits.reverse_bits());
            self.value = value;
            return;
        };
        if scale == self.scale {
            let told = zigzag(units.wrapping_sub(self.expected(counts)));
            number(out, told << 2 | EXPECTED);
        } else {
            number(out, u64::from(scale) << 2 | RESCALED);
            number(out, zigzag(units.wrapping_sub(self.rescaled(scale))));
        }
        self.settle(value, units, scale);
    }

    pub fn take(&mut self, from: &mut Cursor<'_>, counts: bool) -> Result<f64, Wrong> {
        let told = from.u64()?;
        match told & 3 {
            SAME => self.rest(),
            BITS => {
                let bits = from.u64()?.reverse_bits();
                self.value = f64::from_bits(bits ^ self.value.to_bits());
            }
            RESCALED => {
                let scale = u8::try_from(told >> 2).map_err(|_| Wrong::Damaged)?;
                let by = *SCALES.get(usize::from(scale)).ok_or(Wrong::Damaged)?;
                let units = from.i64()?.wrapping_add(self.rescaled(scale));
                self.settle(units as f64 / by, units, scale);
            }
            _ => {
                let units = unzigzag(told >> 2).wrapping_add(self.expected(counts));
                let by = SCALES.get(usize::from(self.scale)).copied().unwrap_or(1.0);
                self.settle(units as f64 / by, units, self.scale);
            }
        }
        Ok(self.value)
    }

    fn settle(&mut self, value: f64, units: i64, scale: u8) {
        let before = if scale == self.scale {
            self.units
        } else {
            self.rescaled(scale)
        };
        self.step = units.wrapping_sub(before);
        self.value = value;
        self.units = units;
        self.scale = scale;
    }

    fn expected(&self, counts: bool) -> i64 {
        let step = if counts { self.step } else { 0 };
        self.units.wrapping_add(step)
    }

    /// The units of the last value in another scale, as near as may be.
    fn rescaled(&self, scale: u8) -> i64 {
        let of = |scale: u8| SCALES.get(usize::from(scale)).copied().unwrap_or(1.0);
        let units = (self.units as f64 / of(self.scale) * of(scale)).round();
        if units.abs() < EXACT { units as i64 } else { 0 }
    }

    /// The scale in which the value is a whole number, and that number, if that loses nothing.
    fn measure(&self, value: f64) -> Option<(u8, i64)> {
        let in_scale = |scale: u8| {
            let by = *SCALES.get(usize::from(scale))?;
            let units = (value * by).round();
            let fits = units.abs() < EXACT;
            let exact = fits && (units as i64 as f64 / by).to_bits() == value.to_bits();
            exact.then_some((scale, units as i64))
        };
        in_scale(self.scale).or_else(|| (0..SCALES.len() as u8).find_map(in_scale))
    }
}

pub(super) fn number(out: &mut Vec<u8>, value: u64) {
    crate::bundle::wire::put_u64(out, value);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round(values: &[f64], counts: bool) -> (Vec<u64>, usize) {
        let (mut out, mut last) = (Vec::new(), Last::default());
        for value in values {
            last.put(&mut out, *value, counts);
        }
        let (mut from, mut last) = (Cursor::new(&out), Last::default());
        let read = values
            .iter()
            .map(|_| last.take(&mut from, counts).expect("whole"));
        let read: Vec<u64> = read.map(f64::to_bits).collect();
        assert!(from.is_empty());
        (read, out.len())
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let one = prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (-1_000_000_000_i64..1_000_000_000, 0..7_u32)
                .prop_map(|(n, digits)| n as f64 / 10_f64.powi(digits as i32)),
            (0..1_000_000_u32).prop_map(f64::from),
            prop::sample::select(vec![
                0.0,
                -0.0,
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::MAX,
                f64::MIN_POSITIVE,
                5e-324,
                9_007_199_254_740_993.0,
                -9e15,
                f64::from_bits(0x7ff0_0000_0000_0002),
                f64::from_bits(0xfff8_dead_beef_0001),
            ]),
        ];
        prop::collection::vec(one, 0..200)
    }

    proptest! {
        #[test]
        fn to_the_last_bit(values in values(), counts: bool) {
            let bits: Vec<u64> = values.iter().map(|v| v.to_bits()).collect();
            prop_assert_eq!(round(&values, counts).0, bits);
        }

        #[test]
        fn hostile_bytes_are_refused_or_read(bytes: Vec<u8>, counts: bool) {
            let (mut from, mut last) = (Cursor::new(&bytes), Last::default());
            while last.take(&mut from, counts).is_ok() && !from.is_empty() {}
        }
    }

    #[test]
    fn what_goes_on_as_before_is_a_byte() {
        let steady: Vec<f64> = (0..100).map(|n| 1e6 + f64::from(n) * 14.97).collect();
        let written: Vec<f64> = steady.iter().map(|v| (v * 100.0).round() / 100.0).collect();
        let (_, bytes) = round(&written, true);
        assert!(bytes < 115, "{bytes}");
    }
}
