//! What a program may write to a terminal: text without controls, and the few sequences that
//! farwatch uses. Anything else is an error, with the place.
#![allow(dead_code)]

use std::collections::BTreeSet;

use farwatch::model::text::is_unsafe;

/// Private modes that are switched: what is on after them, as `h` says it.
const MODES: [u16; 8] = [25, 1000, 1002, 1004, 1006, 1049, 2004, 2026];
const ALTERNATE: u16 = 1049;
const CURSOR: u16 = 25;

/// What a stream was about.
#[derive(Debug, Default)]
pub struct Stream {
    /// Modes that are on now, but the cursor: that one is on at first.
    pub on: BTreeSet<u16>,
    /// Colours or attributes are set now.
    pub styled: bool,
    /// All text outside of the alternate screen, with its line breaks.
    pub outside: String,
    /// Text on the alternate screen, in the order of writing.
    pub inside: String,
    /// How often the alternate screen was entered.
    pub entered: usize,
    /// How often the screen was wiped.
    pub wiped: usize,
    /// Colours that were set, as their parameters.
    pub colours: BTreeSet<String>,
}

impl Stream {
    /// Everything switched on is off again, and the cursor shows.
    pub fn left_behind(&self) -> Vec<String> {
        let modes = self.on.iter().filter(|m| **m != CURSOR);
        let mut found: Vec<_> = modes.map(|m| format!("mode {m} is on")).collect();
        if !self.on.contains(&CURSOR) {
            found.push("the cursor is hidden".into());
        }
        if self.styled {
            found.push("a style is set".into());
        }
        found
    }
}

/// Reads all of it. `leave` is how the terminal is given back: that may cut a frame anywhere.
pub fn parse(bytes: &[u8], leave: &str) -> Result<Stream, String> {
    let bytes = &whole(bytes, leave.as_bytes());
    let mut stream = Stream {
        on: BTreeSet::from([CURSOR]),
        ..Stream::default()
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => return Err(at(bytes, e.valid_up_to(), "not UTF-8")),
    };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let place = text.len() - rest.len();
        let inside = stream.on.contains(&ALTERNATE);
        if c == '\u{1b}' {
            let used = sequence(rest, leave, &mut stream).map_err(|why| at(bytes, place, &why))?;
            rest = rest.get(used..).unwrap_or_default();
            continue;
        }
        if inside && is_unsafe(c) {
            return Err(at(bytes, place, &format!("{c:?} on the screen")));
        }
        if !inside && is_unsafe(c) && !matches!(c, '\r' | '\n') {
            return Err(at(bytes, place, &format!("{c:?} outside of the screen")));
        }
        let side = if inside {
            &mut stream.inside
        } else {
            &mut stream.outside
        };
        side.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    Ok(stream)
}

/// Without characters that are cut before the terminal is given back.
fn whole(bytes: &[u8], leave: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(place) = memchr::memmem::find(rest, leave) {
        let before = &rest[..place];
        let cut = match std::str::from_utf8(before) {
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            _ => place,
        };
        out.extend_from_slice(&rest[..cut]);
        out.extend_from_slice(leave);
        rest = &rest[place + leave.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn at(bytes: &[u8], place: usize, why: &str) -> String {
    let from = place.saturating_sub(80);
    let around = bytes.get(from..bytes.len().min(place + 80));
    let around = String::from_utf8_lossy(around.unwrap_or_default()).into_owned();
    format!("byte {place}: {why} in {around:?}")
}

/// One sequence at the beginning of `text`; how many bytes it takes.
fn sequence(text: &str, leave: &str, stream: &mut Stream) -> Result<usize, String> {
    if text.get(1..).is_some_and(|rest| rest.starts_with(leave)) {
        return Ok(1);
    }
    let Some(body) = text.strip_prefix("\u{1b}[") else {
        let head: String = text.chars().take(12).collect();
        return Err(format!("a sequence that is not ours: {head:?}"));
    };
    let end = body
        .find(|c: char| !matches!(c, '0'..='9' | ';' | '?'))
        .ok_or("a sequence without an end")?;
    if body[end..].starts_with(leave) {
        return Ok(2 + end);
    }
    let (parameters, last) = (&body[..end], body[end..].chars().next().unwrap_or(' '));
    let numbers = || -> Result<Vec<u16>, String> {
        let fields = parameters.split(';').filter(|f| !f.is_empty());
        fields
            .map(|f| f.parse().map_err(|_| format!("parameter {f:?}")))
            .collect()
    };
    let inside = stream.on.contains(&ALTERNATE);
    match last {
        'h' | 'l' => {
            let mode = parameters.strip_prefix('?').and_then(|n| n.parse().ok());
            let mode = mode
                .filter(|m| MODES.contains(m))
                .ok_or_else(|| format!("mode {parameters:?}{last}"))?;
            if last == 'l' {
                stream.on.remove(&mode);
            } else {
                stream.on.insert(mode);
                stream.entered += usize::from(mode == ALTERNATE);
            }
        }
        'H' if inside && numbers()?.len() <= 2 => {}
        'C' | 'X' if inside && numbers()?.len() <= 1 => {}
        'J' if inside && parameters == "2" => stream.wiped += 1,
        'm' => style(parameters, &numbers()?, stream)?,
        _ => return Err(format!("CSI {parameters}{last} (inside: {inside})")),
    }
    Ok(2 + end + last.len_utf8())
}

fn style(parameters: &str, numbers: &[u16], stream: &mut Stream) -> Result<(), String> {
    let mut rest = numbers;
    if rest.is_empty() {
        return Err("an empty style".into());
    }
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (0, _) => {
                stream.styled = false;
                rest = tail;
                continue;
            }
            (1..=7 | 9 | 22..=25 | 27 | 29..=37 | 39..=47 | 49 | 90..=97 | 100..=107, _) => tail,
            (38 | 48, [5, 0..=255, tail @ ..]) => tail,
            (38 | 48, [2, 0..=255, 0..=255, 0..=255, tail @ ..]) => tail,
            _ => return Err(format!("style {parameters:?}")),
        };
        stream.styled = true;
        if *first >= 30 && !matches!(first, 39 | 49) {
            stream.colours.insert(parameters.to_owned());
        }
    }
    Ok(())
}

const LEAVE: &str = "\x1b[0m\x1b[?1049l";

/// The parser itself must be able to refuse.
#[test]
fn what_is_not_ours_is_refused() {
    let inside = "\u{1b}[?1049h";
    for bad in [
        "\u{1b}]0;title\u{7}",
        "\u{1b}c",
        "\u{1b}[6n",
        "\u{1b}[c",
        "\u{1b}[>1u",
        "\u{1b}[?1003h",
        "\u{1b}[3J",
        "\u{1b}[m",
        "\u{1b}[58;5;1m",
        "\u{1b}[2",
        "\u{9b}2J",
        "a\nb",
        "\u{202e}",
        "\u{200b}",
        "\u{7}",
    ] {
        assert!(
            parse(format!("{inside}{bad}").as_bytes(), LEAVE).is_err(),
            "{bad:?}"
        );
    }
    assert!(parse(b"\x1b[?1049h\xff", LEAVE).is_err());
    let stream = parse(b"\x1b[?1049h\x1b[?25l\x1b[1;38;2;1;2;3mx", LEAVE).expect("ours");
    assert_eq!(stream.left_behind().len(), 3, "{:?}", stream.left_behind());
    let stream = parse(b"\x1b[?1049h\x1b[31mx\x1b[0m\x1b[?1049ly\r\n", LEAVE).expect("ours");
    assert!(stream.left_behind().is_empty());
    assert_eq!(stream.outside, "y\r\n");
    for cut in [&b"\x1b"[..], b"\x1b[", b"\x1b[38;2;1", b"\xe2\x94"] {
        let bytes = [b"\x1b[?1049h", cut, LEAVE.as_bytes()].concat();
        assert!(parse(&bytes, LEAVE).is_ok(), "{cut:?}");
    }
}
