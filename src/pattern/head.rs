//! Where the message of a log line starts: after time stamp, level, host, process, thread, logger.
//!
//! Shapes, not systems: time stamps as syslog, ISO 8601, `log4j`, klog, epoch and web servers write
//! them, then what commonly stands between them and the message. What is not recognised belongs
//! to the message. Cutting the head matters more for patterns than how they are mined.

use std::sync::LazyLock;

use regex::Regex;

use super::word::{self, at, blanks, word_end};

/// Pieces of a head that are looked at; more is a message that happens to look like one.
const MOST_PARTS: usize = 16;
/// Words of a head before its time stamp or level.
const MOST_BEFORE: usize = 9;
/// Bytes of `[thread]`, `[request]`.
const LONGEST_BRACKET: usize = 300;

/// A time stamp at the start of a text.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const MONTH: &str = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
    let shapes = [
        // 2015-10-18 18:01:47,978  2026-11-21T10:00:00.123+01:00  2005-06-03-15.42.50.675872
        r"\d{4}[-/.]\d\d?[-/.]\d\d?[-T_. ]+\d\d?[:.]\d\d?[:.]\d\d?(?:[:.,]\d+)?(?:Z|[+-]\d\d:?\d\d| [+-]\d{4})?".to_owned(),
        // 20171223-22:15:29:606
        r"\d{8}[-T ]\d\d?:\d\d?:\d\d?(?:[:.,]\d+)?Z?".to_owned(),
        // 03-17 16:13:38.811  17/06/09 20:10:40
        r"\d\d[-/.]\d\d(?:[-/.]\d{2,4})? \d\d:\d\d:\d\d(?:[.,]\d+)?".to_owned(),
        r"\d{4}[-/.]\d\d[-/.]\d\d".to_owned(),
        // Jun 14 15:16:01  Sun Dec 04 04:47:44 2005
        format!(r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?{MONTH} +\d{{1,2}} \d\d:\d\d:\d\d(?:[.,]\d+)?(?: \d{{4}})?"),
        // 21/Nov/2026:10:00:00 +0000
        format!(r"\d\d?[/ -]{MONTH}[/ -]\d{{4}}[: ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: [+-]\d{{4}})?"),
        // 081109 203615
        r"\d{6} \d{6}".to_owned(),
        // seconds or milliseconds since 1970
        r"1\d{9}(?:\.\d+)?".to_owned(),
        r"1\d{12}".to_owned(),
        r"\d\d:\d\d:\d\d(?:[.,]\d+)?".to_owned(),
    ];
    Regex::new(&format!(r"(?-u)^(?:{})(?-u:\b)", shapes.join("|"))).ok()
});

/// The end of a time stamp that starts at `from`.
fn time_end(line: &str, from: usize) -> Option<usize> {
    let first = at(line, from);
    if !(first.is_ascii_digit() || b"JFMASONDTW".contains(&first)) {
        return None;
    }
    let end = TIME.as_ref()?.find(line.get(from..)?)?.end() + from;
    // `1700000000x` is no time; `10.30` of `10.30.1.2` neither.
    let next = at(line, end);
    (!next.is_ascii_alphanumeric() && next != b'_' && next != b'.').then_some(end)
}

/// What was read of a head so far.
#[derive(Default)]
struct Seen {
    time: bool,
    level: bool,
    /// The time stamp has no year, as in syslog: host and tag follow.
    syslog: bool,
    piped: bool,
}

enum Step {
    To(usize),
    /// The message starts here.
    End(usize),
    Stop,
}

/// The message of a line, without its head.
pub fn body(line: &str) -> &str {
    let cut = klog_end(line).unwrap_or_else(|| head_end(line));
    line.get(cut..).unwrap_or(line).trim()
}

/// `I1121 10:00:00.123456       1 file.go:123] `
fn klog_end(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    if !b"IWEF".contains(bytes.first()?) || !bytes.get(1..5)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let end = line.get(..120.min(line.len()))?.find("] ")?;
    line.get(5..end)?.contains(':').then_some(end + 2)
}

fn head_end(line: &str) -> usize {
    let mut seen = Seen::default();
    let mut from = 0;
    for _ in 0..MOST_PARTS {
        from = blanks(line, from);
        match step(line, from, &mut seen) {
            Step::To(next) => from = next,
            Step::End(end) => return end,
            Step::Stop => break,
        }
        if seen.syslog {
            return tag_end(line, from);
        }
    }
    if seen.time && !seen.level {
        let start = blanks(line, from);
        if let Some(end) = process_end(line, start) {
            return end;
        }
    }
    from
}

fn step(line: &str, from: usize, seen: &mut Seen) -> Step {
    let first = at(line, from);
    let open = first == b'[';
    if b"-,|:".contains(&first) && (first == b'|' || b" \t\0".contains(&at(line, from + 1))) {
        seen.piped |= first == b'|' && seen.time;
        if seen.time || first == b'-' {
            return Step::To(from + 1);
        }
    }
    let start = from + usize::from(open);
    if let Some(end) = time_end(line, start)
        && (!open || at(line, end) == b']')
        && !(seen.level && word::is_number(line, start, end))
    {
        seen.time = true;
        seen.syslog = !open && first.is_ascii_alphabetic();
        return Step::To(end + usize::from(open));
    }
    if !seen.level
        && let Some(end) = level_end(line, from, seen.time || open)
    {
        seen.level = true;
        return after_level(line, end);
    }
    if seen.piped {
        seen.piped = false;
        let end = word_end(line, from);
        return match line.get(from..end).and_then(|w| w.find('|')) {
            Some(bar) if bar > 0 => Step::To(from + bar),
            _ => Step::Stop,
        };
    }
    if !seen.level
        && let Some(next) = look_ahead(line, from, seen.time)
    {
        return Step::To(next);
    }
    if !seen.time {
        return Step::Stop;
    }
    if open && let Some(end) = bracket_end(line, from) {
        return Step::To(end);
    }
    match (seen.level, word_end(line, from)) {
        (false, end) if end > from && word::is_number(line, from, end) => Step::To(end),
        (true, end) => logger(line, from, end),
        _ => Step::Stop,
    }
}

/// A component in a column of its own, as in `Info                  CBS    Loaded`.
fn after_level(line: &str, end: usize) -> Step {
    let end = end + usize::from(at(line, end) == b':');
    let start = blanks(line, end);
    let stop = word_end(line, start);
    if start >= end + 2 && stop > start && blanks(line, stop) >= stop + 2 {
        return Step::End(stop);
    }
    Step::To(end)
}

/// `org.apache.hadoop.ipc.Client:` ends the head, `nova.compute.manager` does not.
fn logger(line: &str, from: usize, end: usize) -> Step {
    let name = line.get(from..end).unwrap_or_default();
    let (bare, tagged) = match name.strip_suffix(':') {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    let letter = bare
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let plain = bare
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_.$/-@()[]".contains(&b));
    if !letter || !plain {
        return Step::Stop;
    }
    let fault = ["Error", "Exception", "Warning"]
        .iter()
        .any(|e| bare.ends_with(e));
    let named = bare.contains('.') || bare.bytes().any(|b| b.is_ascii_uppercase());
    match tagged {
        true if named && !fault => Step::End(end),
        false if bare.contains('.') && !bare.ends_with('.') && !bare.contains('/') => Step::To(end),
        _ => Step::Stop,
    }
}

/// The start of a time stamp, or of an upper-case level, after a few words that look like a head.
fn look_ahead(line: &str, from: usize, seen_time: bool) -> Option<usize> {
    let mut start = from;
    for _ in 0..MOST_BEFORE {
        let end = word_end(line, start);
        if end == start {
            return None;
        }
        if start > from && time_end(line, start).is_some() {
            return Some(start);
        }
        let name = line.get(start..end)?;
        if seen_time && start > from && word::is_loud_level(name) {
            return Some(start);
        }
        let looks = |b: u8| b.is_ascii_digit() || b == b'.' || b == b'_';
        if !name.bytes().any(looks) && name.bytes().any(|b| b.is_ascii_lowercase()) {
            return None;
        }
        start = blanks(line, end);
    }
    None
}

/// `INFO`, `[error]`, `W` and the like; a lower-case or short one only after a time stamp.
fn level_end(line: &str, from: usize, sure: bool) -> Option<usize> {
    let open = usize::from(at(line, from) == b'[');
    let start = from + open;
    let len = line
        .get(start..)?
        .bytes()
        .take_while(u8::is_ascii_alphabetic)
        .count();
    let name = line.get(start..start + len)?;
    let end = start + len;
    if !word::is_level(name) || (!sure && !word::is_loud_level(name)) {
        return None;
    }
    let end = match (open, at(line, end)) {
        (1, b']') => end + 1,
        (1, _) => return None,
        _ => end,
    };
    let next = at(line, end);
    let short = len == 1 && next != b' ';
    (!short && b" \t:|,]-".contains(&next)).then_some(end)
}

fn bracket_end(line: &str, from: usize) -> Option<usize> {
    let inside = line.as_bytes().get(from + 1..)?;
    let close = inside
        .iter()
        .take(LONGEST_BRACKET)
        .position(|b| b"[]".contains(b))?;
    (inside.get(close) == Some(&b']')).then_some(from + close + 2)
}

/// `sshd[24200]:` at `from`.
fn process_end(line: &str, from: usize) -> Option<usize> {
    let end = word_end(line, from);
    let name = line.get(from..end)?.strip_suffix("]:")?;
    let (tag, pid) = name.split_once('[')?;
    let well =
        !tag.is_empty() && !tag.contains([':', '=']) && pid.bytes().all(|b| b.is_ascii_digit());
    well.then_some(end)
}

/// After a syslog time stamp: the host, then the tag up to its colon.
fn tag_end(line: &str, from: usize) -> usize {
    let mut start = blanks(line, from);
    let host = word_end(line, start);
    if !line.get(start..host).unwrap_or_default().ends_with(':') {
        start = blanks(line, host);
    }
    // `--` before a tag, a version or `(service[pid])` after it.
    let mut at_word = start;
    for n in 0..4 {
        let end = word_end(line, at_word);
        let name = line.get(at_word..end).unwrap_or_default();
        if name.ends_with(':') && (n > 0 || !name.trim_end_matches(':').contains(':')) {
            return end;
        }
        let goes_on = match n {
            0 => name == "--" || word::next_is_version(line, end) || name.ends_with(']'),
            _ => {
                name == "--"
                    || name.starts_with('(')
                    || name.ends_with(']')
                    || word::next_is_version(line, end)
            }
        };
        if name.is_empty() || !goes_on || name.contains('=') {
            break;
        }
        at_word = blanks(line, end);
    }
    if let Some(end) = pid_end(line, start) {
        return end;
    }
    start
}

/// `kernel[0]` without a colon.
fn pid_end(line: &str, from: usize) -> Option<usize> {
    let end = word_end(line, from);
    let (tag, pid) = line.get(from..end)?.strip_suffix(']')?.split_once('[')?;
    (!tag.is_empty() && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit())).then_some(end)
}
