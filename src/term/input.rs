//! Bytes of the terminal -> input events.
//!
//! Knows what xterm and its kin, the Linux console, tmux and screen send: UTF-8, control
//! characters, CSI and SS3 keys with modifiers, SGR mouse reports, focus, bracketed paste. What it
//! does not know it swallows whole, so that no half sequence acts as a key.

use crate::model::input::{InputEvent, Key, KeyPress, MouseKind};
use crate::model::text;

/// Longest paste that is taken; the rest is thrown away.
pub const PASTE_LIMIT: usize = 64 * 1024;
/// Longest sequence that is waited for.
const SEQUENCE_LIMIT: usize = 128;
const PASTE_END: &[u8] = b"\x1b[201~";

#[derive(Debug, Default)]
pub struct Parser {
    /// Bytes of a sequence that is not whole yet.
    rest: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// What stands at the beginning of the bytes, and how many it takes.
enum Step {
    Event(usize, InputEvent),
    Skip(usize),
    PasteBegin(usize),
    More,
}

impl Parser {
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<InputEvent>) {
        let mut data = std::mem::take(&mut self.rest);
        data.extend_from_slice(bytes);
        let mut rest = data.as_slice();
        while !rest.is_empty() {
            if self.paste.is_some() {
                let used = self.feed_paste(rest, out);
                rest = rest.get(used..).unwrap_or_default();
                if self.paste.is_some() {
                    break;
                }
                continue;
            }
            let used = match step(rest) {
                Step::Event(used, event) => {
                    out.push(event);
                    used
                }
                Step::Skip(used) => used,
                Step::PasteBegin(used) => {
                    self.paste = Some(Vec::new());
                    used
                }
                Step::More if rest.len() < SEQUENCE_LIMIT => break,
                Step::More => rest.len(),
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        self.rest = rest.to_vec();
    }

    /// Something is begun that more bytes would decide, and nothing but time would otherwise.
    pub fn is_waiting(&self) -> bool {
        self.paste.is_none() && !self.rest.is_empty()
    }

    /// No more bytes came: a lone ESC is the key, anything else is dropped.
    pub fn flush(&mut self, out: &mut Vec<InputEvent>) {
        if self.paste.is_some() {
            return;
        }
        match self.rest.as_slice() {
            [0x1b] => out.push(plain(Key::Esc)),
            [0x1b, c] if c.is_ascii_graphic() => out.push(alt(char::from(*c))),
            _ => {}
        }
        self.rest.clear();
    }

    /// Takes bytes of the paste; returns how many were used. Unused ones may begin its end mark.
    fn feed_paste(&mut self, bytes: &[u8], out: &mut Vec<InputEvent>) -> usize {
        let Some(paste) = self.paste.as_mut() else {
            return 0;
        };
        let end = memchr::memmem::find(bytes, PASTE_END);
        let text_end = end.unwrap_or_else(|| bytes.len() - partial_end(bytes));
        let room = PASTE_LIMIT.saturating_sub(paste.len()).min(text_end);
        paste.extend_from_slice(bytes.get(..room).unwrap_or_default());
        let Some(end) = end else { return text_end };
        let text = String::from_utf8_lossy(paste).replace("\r\n", "\n");
        let text = text.replace('\r', "\n");
        out.push(InputEvent::Paste(text::clean_lines(&text, PASTE_LIMIT)));
        self.paste = None;
        end + PASTE_END.len()
    }
}

/// Length of the longest tail that could be the beginning of the end mark.
fn partial_end(bytes: &[u8]) -> usize {
    (1..PASTE_END.len())
        .rev()
        .find(|n| PASTE_END.get(..*n).is_some_and(|p| bytes.ends_with(p)))
        .unwrap_or(0)
}

fn plain(key: Key) -> InputEvent {
    InputEvent::Key(KeyPress::plain(key))
}

fn alt(c: char) -> InputEvent {
    InputEvent::Key(KeyPress {
        alt: true,
        ..KeyPress::plain(Key::Char(c))
    })
}

fn step(bytes: &[u8]) -> Step {
    match bytes {
        [0x1b] => Step::More,
        [0x1b, b'[', rest @ ..] => csi(rest, 2),
        [0x1b, b'O', rest @ ..] => ss3(rest),
        [0x1b, 0x1b, ..] => Step::Event(1, plain(Key::Esc)),
        [0x1b, b']' | b'P' | b'_' | b'^' | b'X', rest @ ..] => string(rest, 2),
        [0x1b, rest @ ..] => match character(rest) {
            Step::Event(used, InputEvent::Key(key)) => {
                Step::Event(used + 1, InputEvent::Key(KeyPress { alt: true, ..key }))
            }
            Step::Skip(used) => Step::Skip(used + 1),
            other => other,
        },
        _ => character(bytes),
    }
}

/// A control character or one character of UTF-8.
fn character(bytes: &[u8]) -> Step {
    let Some(&first) = bytes.first() else {
        return Step::More;
    };
    let key = match first {
        b'\r' => KeyPress::plain(Key::Enter),
        b'\t' => KeyPress::plain(Key::Tab),
        0x7f | 0x08 => KeyPress::plain(Key::Backspace),
        0 => KeyPress::ctrl(' '),
        1..=0x1a => KeyPress::ctrl(char::from(first - 1 + b'a')),
        0x1c..=0x1f => KeyPress::ctrl(char::from(first - 0x1c + b'\\')),
        0x20..=0x7e => KeyPress::plain(Key::Char(char::from(first))),
        _ => return wide_character(bytes),
    };
    Step::Event(1, InputEvent::Key(key))
}

fn wide_character(bytes: &[u8]) -> Step {
    let want = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return Step::Skip(1),
    };
    let Some(piece) = bytes.get(..want) else {
        let hopeful = bytes.iter().skip(1).all(|b| (0x80..0xc0).contains(b));
        return if hopeful { Step::More } else { Step::Skip(1) };
    };
    match std::str::from_utf8(piece)
        .ok()
        .and_then(|s| s.chars().next())
    {
        Some(c) if text::is_unsafe(c) => Step::Skip(want),
        Some(c) => Step::Event(want, plain(Key::Char(c))),
        None => Step::Skip(1),
    }
}

/// An OSC, DCS, APC, PM or SOS: the late answer to a question of another program. Its text must
/// not act as keys.
fn string(rest: &[u8], before: usize) -> Step {
    let end = rest.iter().position(|b| matches!(b, 0x07 | 0x1b));
    match end.map(|end| (end, rest.get(end..).unwrap_or_default())) {
        None | Some((_, [0x1b])) => Step::More,
        Some((end, [0x1b, b'\\', ..])) => Step::Skip(before + end + 2),
        // Something else begins: this one has no end.
        Some((end, [0x1b, ..])) => Step::Skip(before + end),
        Some((end, _)) => Step::Skip(before + end + 1),
    }
}

fn ss3(rest: &[u8]) -> Step {
    let Some(&last) = rest.first() else {
        return Step::More;
    };
    match (last, letter_key(last)) {
        (_, Some(key)) => Step::Event(3, plain(key)),
        (b'M', _) => Step::Event(3, plain(Key::Enter)),
        _ => Step::Skip(3),
    }
}

/// Keys whose CSI or SS3 sequence ends in a letter.
fn letter_key(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'P'..=b'S' => Key::F(last - b'P' + 1),
        _ => return None,
    })
}

/// Keys whose CSI sequence is a number and a tilde.
fn number_key(number: u16) -> Option<Key> {
    Some(match number {
        1 | 7 => Key::Home,
        2 => Key::Insert,
        3 => Key::Delete,
        4 | 8 => Key::End,
        5 => Key::PageUp,
        6 => Key::PageDown,
        11..=15 => Key::F(u8::try_from(number - 10).ok()?),
        17..=21 => Key::F(u8::try_from(number - 11).ok()?),
        23 | 24 => Key::F(u8::try_from(number - 12).ok()?),
        _ => return None,
    })
}

/// A sequence after `ESC [`; `before` bytes stand before `rest`.
fn csi(rest: &[u8], before: usize) -> Step {
    match rest {
        // Function keys of the Linux console.
        [b'[', last, ..] => match last {
            b'A'..=b'E' => Step::Event(before + 2, plain(Key::F(last - b'A' + 1))),
            _ => Step::Skip(before + 2),
        },
        [b'['] => Step::More,
        // Old mouse reports, never asked for: three bytes follow.
        [b'M', ..] if rest.len() < 4 => Step::More,
        [b'M', ..] => Step::Skip(before + 4),
        _ => {
            let Some(end) = rest.iter().position(|b| !(0x20..=0x3f).contains(b)) else {
                return Step::More;
            };
            let used = before + end + 1;
            let last = rest.get(end).copied().unwrap_or_default();
            if last == 0x1b {
                return Step::Skip(before + end);
            }
            match sequence(rest.get(..end).unwrap_or_default(), last) {
                Some(Found::Event(event)) => Step::Event(used, event),
                Some(Found::Paste) => Step::PasteBegin(used),
                None => Step::Skip(used),
            }
        }
    }
}

enum Found {
    Event(InputEvent),
    Paste,
}

/// A whole CSI sequence: parameters and last byte.
fn sequence(parameters: &[u8], last: u8) -> Option<Found> {
    if let [b'<', report @ ..] = parameters {
        return mouse(report, last).map(Found::Event);
    }
    let numbers = numbers(parameters)?;
    let first = numbers.first().copied().unwrap_or(0);
    let modifiers = numbers.get(1).copied().unwrap_or(1).saturating_sub(1);
    let event = match last {
        b'~' if first == 200 => return Some(Found::Paste),
        b'I' => InputEvent::FocusGained,
        b'O' => InputEvent::FocusLost,
        b'Z' => plain(Key::BackTab),
        b'~' => modified(number_key(first)?, modifiers),
        // A greater first number is a report (of the cursor), not a key.
        _ if first > 1 => return None,
        _ => modified(letter_key(last)?, modifiers),
    };
    Some(Found::Event(event))
}

fn modified(key: Key, modifiers: u16) -> InputEvent {
    InputEvent::Key(KeyPress {
        key,
        shift: modifiers & 1 != 0,
        alt: modifiers & 2 != 0,
        ctrl: modifiers & 4 != 0,
    })
}

/// Numbers between semicolons; an empty one is 0. Anything else is not for us.
fn numbers(parameters: &[u8]) -> Option<Vec<u16>> {
    if parameters.is_empty() {
        return Some(Vec::new());
    }
    parameters
        .split(|b| *b == b';')
        .map(|field| match field {
            [] => Some(0),
            digits => std::str::from_utf8(digits).ok()?.parse().ok(),
        })
        .collect()
}

/// An SGR mouse report.
fn mouse(report: &[u8], last: u8) -> Option<InputEvent> {
    let numbers = numbers(report)?;
    let [button, column, row] = numbers.as_slice() else {
        return None;
    };
    // Shift, Alt and Ctrl do not matter.
    let kind = match (button & !(4 | 8 | 16), last) {
        (0, b'M') => MouseKind::Press,
        (0, b'm') => MouseKind::Release,
        (32, b'M') => MouseKind::Drag,
        (64, b'M') => MouseKind::ScrollUp,
        (65, b'M') => MouseKind::ScrollDown,
        _ => return None,
    };
    Some(InputEvent::Mouse {
        kind,
        column: column.saturating_sub(1),
        row: row.saturating_sub(1),
    })
}

#[cfg(test)]
mod tests;
