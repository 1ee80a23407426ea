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
        let (mut mantissa, mut at, mut dot) = (0_u64, 0, None);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'0'..=b'9' => mantissa = mantissa.wrapping_mul(10) + u64::from(byte - b'0'),
                b'.' if dot.is_none() => dot = Some(at),
                _ => break,
            }
            at += 1;
            if at > DIGITS {
                return None;
            }
        }
        let scale = dot.map_or(0, |dot| at - dot - 1);
        (at > usize::from(dot.is_some())).then_some(Self {
            mantissa,
            scale,
            length: at,
        })
    }

    /// Its value, where mantissa and power of ten are both exact: then one division rounds right.
    pub fn value(self) -> Option<f64> {
        let scale = POWERS.get(self.scale)?;
        (self.mantissa <= EXACT).then(|| self.mantissa as f64 / scale)
    }
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
