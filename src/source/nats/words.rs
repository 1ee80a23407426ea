//! Words looked for in messages before anything else is done with them.

use regex::bytes::{Regex, RegexBuilder};

/// Words at most, and longest of them, bytes.
const WORDS: usize = 8;
const LONGEST: usize = 128;

/// All of these must stand in the subject or in the payload as it came, capitals or not. Texts in
/// MessagePack and JSON stand there in the clear; numbers of MessagePack do not.
#[derive(Clone, Debug, Default)]
pub struct Words(Vec<Regex>);

impl Words {
    /// Words with white space between them; what is too long is cut.
    pub fn new(text: &str) -> Self {
        let word = |word: &str| {
            let end = word.floor_char_boundary(LONGEST);
            let pattern = regex::escape(word.get(..end)?);
            RegexBuilder::new(&pattern)
                .case_insensitive(true)
                .build()
                .ok()
        };
        Self(
            text.split_whitespace()
                .take(WORDS)
                .filter_map(word)
                .collect(),
        )
    }

    pub fn are_in(&self, subject: &str, payload: &[u8]) -> bool {
        let mut words = self.0.iter();
        words.all(|word| word.is_match(subject.as_bytes()) || word.is_match(payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_be_there() {
        let words = Words::new(" Holdover lyon ");
        assert!(words.are_in("ran.events.lyon", b"\x81\xa2to\xa8HOLDOVER"));
        assert!(!words.are_in("ran.events.paris", b"\x81\xa2to\xa8HOLDOVER"));
        assert!(Words::new("").are_in("a", b""));
        assert!(Words::new(".*").are_in("a", b"x.*y"));
        assert!(!Words::new(".*").are_in("a", b"xy"));
    }
}
