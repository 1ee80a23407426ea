//! Numbers as servers write them: mostly short decimals, for which the general parser is slow.

/// Powers of ten that a float holds exactly.
const POWERS: [f64; 20] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19,
];
/// Up to here a float holds every whole number.
const EXACT: u64 = 1 << 53;
/// Digits that fit a `u64`, whatever they are.
const DIGITS: usize = 19;

/// A run of digits with at most one dot.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    pub mantissa: u64,
    /// Digits after the dot.
    pub scale: usize,
    /// Bytes read.
    pub length: usize,
}

impl Plain {
    /// The digits that `bytes` begins with; `None` where there are none, or too many.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut mantissa = 0;
        let whole = digits(bytes, &mut mantissa);
        let (mut length, mut scale) = (whole, 0);
        if bytes.get(whole) == Some(&b'.') {
            scale = digits(bytes.get(whole + 1..)?, &mut mantissa);
            length += 1 + scale;
        }
        (whole + scale > 0 && length <= DIGITS).then_some(Self {
            mantissa,
            scale,
            length,
        })
    }

    /// A whole number without a sign.
    pub fn whole(text: &str) -> Option<u64> {
        let plain = Self::read(text.as_bytes())?;
        (plain.length == text.len() && !text.contains('.')).then_some(plain.mantissa)
    }

    /// Its value, where mantissa and power of ten are both exact: then one division rounds right.
    pub fn value(self) -> Option<f64> {
        let scale = POWERS.get(self.scale)?;
        (self.mantissa <= EXACT).then(|| self.mantissa as f64 / scale)
    }
}

/// Adds the digits that `bytes` begins with, eight at a time; how many there were. Of more than
/// fit, what is added is of no use.
fn digits(bytes: &[u8], mantissa: &mut u64) -> usize {
    let mut at = 0;
    while let Some(eight) = bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .and_then(eight)
    {
        *mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(eight);
        at += 8;
    }
    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
        *mantissa = mantissa
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    at
}

/// The number that eight digits make: neighbours are joined to pairs, pairs to fours, those to one.
fn eight(digits: &[u8; 8]) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_le_bytes(*digits);
    let high = ONES * 0xf0;
    let are_digits =
        text & high == ONES * 0x30 && text.wrapping_add(ONES * 6) & high == ONES * 0x30;
    let ones = text & (ONES * 0x0f);
    let pairs = (ones.wrapping_mul(10 * 256 + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 * 65_536 + 1) >> 16) & 0x0000_ffff_0000_ffff;
    let all = fours.wrapping_mul(10_000 * 4_294_967_296 + 1) >> 32;
    are_digits.then_some(all)
}

/// What `str::parse` gives.
pub fn parse(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = Plain::read(digits.as_bytes()).filter(|p| p.length == digits.len());
    match plain.and_then(Plain::value) {
        Some(value) if digits.len() < text.len() => Some(-value),
        Some(value) => Some(value),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(text: &str) -> bool {
        let theirs: Option<f64> = text.parse().ok();
        parse(text).map(f64::to_bits) == theirs.map(f64::to_bits)
    }

    proptest! {
        #[test]
        fn gives_what_the_general_parser_gives(
            value in any::<f64>(), whole in any::<i64>(), cents in -100_000i64..100_000,
            text in "-?[0-9]{0,21}\\.?[0-9]{0,21}(e[0-9])?",
        ) {
            prop_assert!(same(&value.to_string()), "{value}");
            prop_assert!(same(&whole.to_string()), "{whole}");
            prop_assert!(same(&(cents as f64 / 100.0).to_string()), "{cents}");
            prop_assert!(same(&text), "{text}");
        }
    }

    #[test]
    fn whole_numbers() {
        for text in [
            "0",
            "12345678",
            "1795231090902000017",
            "00000000001",
            "9999999999999999999",
        ] {
            assert_eq!(Plain::whole(text), text.parse().ok(), "{text}");
        }
        for text in [
            "",
            "-1",
            "1.0",
            "1.",
            "12345678x",
            "123456789012345678901",
            "1234567:",
        ] {
            assert_eq!(Plain::whole(text), None, "{text}");
        }
    }

    #[test]
    fn odd_ones() {
        for text in [
            "",
            "-",
            ".",
            "-.",
            "5.",
            ".5",
            "+Inf",
            "-Inf",
            "NaN",
            "0",
            "-0",
            "1.2.3",
            "1_0",
            "9007199254740993",
            "9007199254740992",
            "1795231090.902",
            "1e400",
            " 1",
            "--1",
        ] {
            assert!(same(text), "{text:?}");
        }
    }
}
