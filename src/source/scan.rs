//! Finding the end of a text in quotes, which is what reading JSON and expositions mostly is.

/// Bit 7 of each of eight bytes that is a quote or a backslash; right up to the first such byte.
fn marks(word: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(word);
    let found = |byte: u8| {
        let odd = word ^ (ONES * u64::from(byte));
        odd.wrapping_sub(ONES) & !odd & (ONES << 7)
    };
    found(b'"') | found(b'\\')
}

/// Where the next quote or backslash is. Eight bytes at a time: what is sought is mostly near.
pub fn stop(bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 64;
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let marks = marks(*word);
        if marks != 0 {
            return Some(at + marks.trailing_zeros() as usize / 8);
        }
        at += 8;
        if at == NEAR {
            break;
        }
    }
    memchr::memchr2(b'"', b'\\', bytes.get(at..)?).map(|further| at + further)
}

/// As [`stop`], and what stands before it goes to `out`: for texts full of escapes, of which each
/// piece is too short to be worth a search and a copy.
pub fn copy(bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let marks = marks(*word);
        out.extend_from_slice(word);
        if marks != 0 {
            let kept = marks.trailing_zeros() as usize / 8;
            out.truncate(out.len() - 8 + kept);
            return Some(at + kept);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let end = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
    out.extend_from_slice(rest.get(..end)?);
    Some(at + end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{copy, stop};

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            head in prop::collection::vec(any::<u8>(), 0..200),
            tail in prop::collection::vec(prop::sample::select(&b"\"\\ab!#[]\xa2\xdc"[..]), 0..40),
        ) {
            let plain: Vec<u8> = head.iter().map(|b| b.wrapping_mul(2) | 1).collect();
            for bytes in [[head, tail.clone()].concat(), [plain, tail].concat()] {
                let wanted = bytes.iter().position(|b| matches!(b, b'"' | b'\\'));
                prop_assert_eq!(stop(&bytes), wanted);
                let mut out = b"x".to_vec();
                prop_assert_eq!(copy(&bytes, &mut out), wanted);
                if let Some(end) = wanted {
                    prop_assert_eq!(&out[1..], &bytes[..end]);
                }
            }
        }
    }
}
