//! Words that two texts share, the rarer the more telling.

use std::collections::{BTreeMap, BTreeSet};

/// Words of every programme and every sentence.
const COMMON: [&str; 60] = [
    "the",
    "and",
    "for",
    "not",
    "are",
    "was",
    "with",
    "from",
    "that",
    "this",
    "into",
    "func",
    "return",
    "nil",
    "err",
    "error",
    "errors",
    "failed",
    "failure",
    "var",
    "const",
    "type",
    "string",
    "int",
    "bool",
    "struct",
    "new",
    "self",
    "null",
    "true",
    "false",
    "def",
    "class",
    "import",
    "package",
    "service",
    "services",
    "svc",
    "server",
    "client",
    "http",
    "https",
    "src",
    "pkg",
    "internal",
    "app",
    "main",
    "above",
    "below",
    "after",
    "before",
    "high",
    "ratio",
    "rate",
    "total",
    "threshold",
    "observed",
    "monitor",
    "default",
    "exceeded",
];

/// The words of a text: parts of names, small letters, without numbers and plural.
pub fn of(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for piece in text.split(|c: char| !c.is_alphanumeric()) {
        for word in parts(piece) {
            let word = stem(&word.to_lowercase()).to_owned();
            if word.len() >= 3 && !COMMON.contains(&word.as_str()) {
                words.insert(word);
            }
        }
    }
    words
}

/// `NewPoolConfig` is three words, `HTTPServer` two.
fn parts(piece: &str) -> Vec<String> {
    let letters: Vec<char> = piece.chars().collect();
    let mut parts = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|b| letters.get(b));
        let after = letters.get(at + 1);
        let small_before = before.is_some_and(|b| b.is_lowercase() || b.is_numeric());
        let small_after = after.is_some_and(|a| a.is_lowercase());
        let starts = letter.is_uppercase() && (small_before || small_after)
            || letter.is_numeric() != before.is_some_and(|b| b.is_numeric());
        if starts {
            parts.push(String::new());
        }
        if let Some(last) = parts.last_mut()
            && !letter.is_numeric()
        {
            last.push(*letter);
        }
    }
    parts
}

fn stem(word: &str) -> &str {
    let endings = ["ing", "ies", "ed", "es", "s"];
    let found = endings
        .iter()
        .find_map(|end| word.strip_suffix(end).filter(|rest| rest.len() >= 3));
    found.unwrap_or(word)
}

/// How much a word tells among so many texts.
pub fn rarity(texts: &[BTreeSet<String>]) -> BTreeMap<String, f64> {
    let mut held: BTreeMap<String, f64> = BTreeMap::new();
    for word in texts.iter().flatten() {
        *held.entry(word.clone()).or_insert(0.0) += 1.0;
    }
    let all = texts.len() as f64;
    for count in held.values_mut() {
        *count = ((all + 1.0) / *count).ln();
    }
    held
}
