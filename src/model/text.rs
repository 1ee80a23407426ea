//! Untrusted text made safe, once, at the door.
//!
//! Everything that comes from a cluster, a server or a model passes `clean` before it is kept:
//! no escape sequence, control, bidirectional or zero-width character reaches the terminal.

use std::sync::Arc;

/// Longest single text that is kept from outside, in bytes.
pub const LIMIT_BYTES: usize = 16 * 1024;

/// Strips escape sequences and dangerous characters, turns white space into blanks, and cuts at
/// `limit` bytes (with a mark that says so).
pub fn clean(text: &str, limit: usize) -> String {
    if is_plain(text, limit) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(limit + 16));
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if out.len() >= limit {
            out.push_str(&format!("… ({} bytes)", text.len()));
            break;
        }
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            '\n' | '\t' => out.push(' '),
            c if is_unsafe(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// [`clean`], for texts that are kept and shared.
pub fn shared(text: &str, limit: usize) -> Arc<str> {
    if is_plain(text, limit) {
        Arc::from(text)
    } else {
        Arc::from(clean(text, limit))
    }
}

/// Short enough and printable ASCII throughout, as nearly all texts are.
fn is_plain(text: &str, limit: usize) -> bool {
    // In blocks without a way out, so that the compiler takes many bytes at once.
    let plain = |block: &[u8]| {
        let odd = |b: &u8| u8::from(b.wrapping_sub(0x20) >= 0x5f);
        block.iter().map(odd).fold(0, |all, one| all | one) == 0
    };
    text.len() <= limit && text.as_bytes().chunks(64).all(plain)
}

/// The same with every text in it changed, whatever the field; `None`: it has numbers that no text
/// form can hold, or cannot be what it was with these texts.
pub fn each<T>(whole: &T, change: &dyn Fn(&str) -> String) -> Option<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    fn walk(value: &mut serde_json::Value, change: &dyn Fn(&str) -> String) {
        match value {
            serde_json::Value::String(text) => *text = change(text),
            serde_json::Value::Array(all) => all.iter_mut().for_each(|v| walk(v, change)),
            serde_json::Value::Object(all) => all.values_mut().for_each(|v| walk(v, change)),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(whole).ok()?;
    walk(&mut value, change);
    serde_json::from_value(value).ok()
}

/// Like [`clean`] but keeps line breaks; for answers and other texts shown over several lines.
pub fn clean_lines(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit + 16));
    for (i, line) in text.split('\n').enumerate() {
        if out.len() >= limit {
            break;
        }
        if i > 0 {
            out.push('\n');
        }
        out.push_str(&clean(line, limit - out.len()));
    }
    out
}

/// Control, bidirectional, zero-width and private characters that could forge what is seen.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{061c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{00ad}' | '\u{180e}'
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        Some(' '..='/') => {
            chars.next();
            chars.next();
        }
        Some(_) => {
            chars.next();
        }
        None => {}
    }
}

/// Parameters and intermediates, then one final byte.
fn skip_csi(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(&c) = chars.peek() {
        chars.next();
        if ('\u{40}'..='\u{7e}').contains(&c) {
            break;
        }
        if !('\u{20}'..='\u{3f}').contains(&c) {
            break;
        }
    }
}

/// An OSC, DCS, SOS, PM or APC string: up to BEL or ST; unterminated, up to the end of the line.
fn skip_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(c) = chars.next() {
        match c {
            '\u{7}' | '\u{9c}' => break,
            '\u{1b}' => {
                if chars.peek() == Some(&'\\') {
                    chars.next();
                }
                break;
            }
            '\n' => break,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strips_escapes() {
        assert_eq!(clean("a\u{1b}[31mred\u{1b}[0m b", 100), "ared b");
        assert_eq!(clean("x\u{1b}]0;title\u{7}y", 100), "xy");
        assert_eq!(clean("x\u{1b}]52;c;AAAA\u{1b}\\y", 100), "xy");
        assert_eq!(clean("\u{202e}evil\u{200b}", 100), "evil");
        assert_eq!(clean("line\none\tb\r", 100), "line one b");
        assert_eq!(clean("\u{9b}2Jx", 100), "x");
        assert_eq!(clean("\u{9d}0;title\u{9c}x\u{90}q\u{1b}\\y", 100), "xy");
        assert_eq!(clean_lines("a\n\u{1b}[2Jb", 100), "a\nb");
    }

    #[test]
    fn cuts_and_says_so() {
        let long = "x".repeat(100_000);
        let short = clean(&long, 10);
        assert!(short.len() < 40, "{short}");
        assert!(short.contains("100000 bytes"), "{short}");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_survives(text in "\\PC*|[\\x00-\\x9f\u{200b}-\u{202f}a-z\\[\\];]*") {
            prop_assert!(!clean(&text, 4096).chars().any(is_unsafe));
        }
    }
}
