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

/// What `str::parse` gives. Mantissa and power of ten both exact: one division rounds right.
pub fn parse(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (mut mantissa, mut seen, mut dot) = (0u64, 0usize, None);
    if digits.is_empty() || digits.len() > DIGITS {
        return text.parse().ok();
    }
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                seen += 1;
            }
            b'.' if dot.is_none() => dot = Some(seen),
            _ => return text.parse().ok(),
        }
    }
    let scale = POWERS.get(dot.map_or(0, |before| seen - before));
    match scale {
        Some(scale) if seen > 0 && mantissa <= EXACT => {
            let value = mantissa as f64 / scale;
            Some(if digits.len() == bytes.len() {
                value
            } else {
                -value
            })
        }
        _ => text.parse().ok(),
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
