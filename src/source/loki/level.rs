//! How bad a line is: what Loki detected, what the labels say, else what the line itself tells.

use crate::model::log::Level;

/// Labels and metadata that carry a level, best first.
pub const LEVEL_LABELS: [&str; 4] = ["detected_level", "level", "severity", "lvl"];
/// How much of a line is looked at.
const LOOK: usize = 400;

/// The level as the text of the line tells it; `Unknown` where it does not.
pub fn level_of_line(line: &str) -> Level {
    let start = line.trim_start();
    let look = match start.char_indices().nth(LOOK) {
        Some((end, _)) => start.split_at(end).0,
        None => start,
    };
    let found = if look.starts_with('{') {
        json_field(look)
    } else {
        logfmt_field(look)
    };
    found
        .or_else(|| klog_prefix(look))
        .or_else(|| first_words(look))
        .unwrap_or(Level::Unknown)
}

/// The level that klog writes at the head of a line; nobody but the program itself knows better.
pub fn level_of_klog(line: &str) -> Option<Level> {
    let first = line.as_bytes().first()?;
    matches!(first, b'I' | b'W' | b'E' | b'F')
        .then(|| klog_prefix(line))
        .flatten()
}

fn known(word: &str) -> Option<Level> {
    match Level::from_word(word) {
        Level::Unknown => None,
        level => Some(level),
    }
}

/// `"level": "error"` without reading the whole document.
fn json_field(line: &str) -> Option<Level> {
    ["level", "severity", "lvl", "log.level"]
        .iter()
        .find_map(|name| {
            let (_, rest) = line.split_once(&format!("\"{name}\""))?;
            let rest = rest.trim_start().strip_prefix(':')?.trim_start();
            let value = rest.strip_prefix('"')?.split('"').next()?;
            known(value)
        })
}

/// `level=error` at the start or after a blank.
fn logfmt_field(line: &str) -> Option<Level> {
    line.split_ascii_whitespace()
        .filter_map(|field| field.split_once('='))
        .find(|(name, _)| matches!(*name, "level" | "lvl" | "severity"))
        .and_then(|(_, value)| known(value.trim_matches('"')))
}

/// `E1121 02:10:37.456607 ...` as klog and glog write it.
fn klog_prefix(line: &str) -> Option<Level> {
    let mut chars = line.chars();
    let level = match chars.next()? {
        'I' => Level::Info,
        'W' => Level::Warning,
        'E' => Level::Error,
        'F' => Level::Critical,
        _ => return None,
    };
    let digits = chars.by_ref().take(4).filter(char::is_ascii_digit).count();
    (digits == 4 && chars.next() == Some(' ')).then_some(level)
}

/// `[error]`, `ERROR:`, `WARNING 11-21 …` among the first words; lower case only in brackets, for
/// `error` alone is as often a noun.
fn first_words(line: &str) -> Option<Level> {
    line.split_ascii_whitespace().take(6).find_map(|word| {
        let bracket = word.starts_with('[') || word.starts_with('<');
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let shouted = bare.len() > 2 && bare.chars().all(|c| c.is_ascii_uppercase());
        let labelled = word.ends_with(':') && matches!(bare, "error" | "warning" | "fatal");
        (bracket || shouted || labelled)
            .then(|| known(bare))
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_the_usual_shapes() {
        let cases = [
            (r#"{"ts": "x", "level": "error", "msg": "m"}"#, Level::Error),
            (r#"{"severity":"WARNING"}"#, Level::Warning),
            ("ts=1 level=warn msg=\"x\"", Level::Warning),
            (
                "E1121 02:10:37.456607       1 main.go:2] boom",
                Level::Error,
            ),
            ("I1121 02:10:37.4 fine", Level::Info),
            ("ERROR 11-21 01:40:13 [core.py:1001] fatal", Level::Error),
            ("[2026-11-21 01:00:00] [warning] disk", Level::Warning),
            ("error: no such file", Level::Error),
            ("2026-11-21T01:00:00Z INFO started", Level::Info),
            ("no error here", Level::Unknown),
            ("the ERR_CODE was 0", Level::Unknown),
            ("", Level::Unknown),
            ("Every good boy", Level::Unknown),
        ];
        for (line, level) in cases {
            assert_eq!(level_of_line(line), level, "{line}");
        }
    }
}
