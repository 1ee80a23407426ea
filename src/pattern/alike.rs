//! Which templates are one though a word of them differs.
//!
//! Judged when the second value is seen, as every line gets its pattern at once.

use super::mask::MARK;

/// Templates shorter than this say too little to be joined.
const FEWEST_WORDS: usize = 3;
/// Words that must agree where a value stands in one and a plain word in the other.
const FEWEST_FOR_MARK: usize = 5;
/// What is followed by a name that somebody chose.
const NAMED: [&[u8]; 22] = [
    b"namespace",
    b"service",
    b"deployment",
    b"pod",
    b"node",
    b"container",
    b"job",
    b"app",
    b"application",
    b"host",
    b"volume",
    b"configmap",
    b"secret",
    b"image",
    b"endpoint",
    b"cluster",
    b"device",
    b"interface",
    b"queue",
    b"topic",
    b"database",
    b"table",
];

/// Whether two words in the same place of otherwise equal templates are values of one thing;
/// `before` is the word before them.
pub fn are_values(a: &[u8], b: &[u8], before: &[u8], words: usize) -> bool {
    if words < FEWEST_WORDS {
        return false;
    }
    if a.contains(&MARK) || b.contains(&MARK) {
        let (a, b) = rests(a, b);
        return words >= FEWEST_FOR_MARK
            && !a.is_empty()
            && !b.is_empty()
            && (is_mark(a) || is_mark(b));
    }
    let named = NAMED.iter().any(|n| n.eq_ignore_ascii_case(before));
    if named {
        is_chosen(a) && is_chosen(b)
    } else {
        is_name(a) && is_name(b)
    }
}

/// Two words without what they begin and end with alike.
fn rests<'a>(a: &'a [u8], b: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[head..], &b[head..]);
    let tail = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    (&a[..a.len() - tail], &b[..b.len() - tail])
}

fn is_mark(word: &[u8]) -> bool {
    word.contains(&MARK) && !word.iter().any(u8::is_ascii_alphanumeric)
}

/// A name of a thing: small letters and dashes.
fn is_chosen(word: &[u8]) -> bool {
    word.iter()
        .all(|b| b.is_ascii_lowercase() || b"-._/\x01".contains(b))
}

/// Written by a program to name one thing: dots, underscores, a host; and no constant.
fn is_name(word: &[u8]) -> bool {
    let lower = word.iter().any(u8::is_ascii_lowercase);
    let joined = word.iter().any(|b| b"._$@".contains(b));
    let last = word.rsplit(|b| *b == b'.').next().unwrap_or(word);
    let constant = !last.iter().any(u8::is_ascii_lowercase);
    let ends = word.last().is_some_and(u8::is_ascii_alphanumeric);
    lower && joined && !constant && ends
}
