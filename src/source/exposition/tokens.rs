//! One line of the exposition formats, taken apart.

use std::borrow::Cow;

use super::Format;
use crate::model::time::Timestamp;
use crate::source::decimal;
use crate::source::scan::stop;

/// Label pairs in the order of the line; the buffer is used again for each line.
pub type Labels<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// A sample line without its meaning.
pub(super) struct Read<'a> {
    pub series: &'a str,
    pub name: Cow<'a, str>,
    pub value: f64,
    pub at: Option<Timestamp>,
}

/// `None`: the line is bad.
pub(super) fn sample<'a>(
    line: &'a str,
    format: Format,
    labels: &mut Labels<'a>,
) -> Option<Read<'a>> {
    labels.clear();
    let mut cursor = Cursor { text: line, at: 0 };
    let mut name = cursor.name().map(Cow::Borrowed);
    if name.is_some() {
        cursor.blanks();
    }
    if cursor.take(b'{') {
        braces(&mut cursor, &mut name, labels)?;
    }
    let name = name?;
    let series = line.get(..cursor.at)?.trim_end();
    let (value, at) = value(cursor.rest(), format)?;
    unique(labels).then_some(Read {
        series,
        name,
        value,
        at,
    })
}

/// Series, value and time of a line, if the series ends where it most likely does: at the last
/// brace, or before the first blank. Only one who has seen that very series before may believe it.
pub(super) fn guess(line: &str, format: Format) -> Option<(&str, f64, Option<Timestamp>)> {
    let end = match memchr::memrchr(b'}', line.as_bytes()) {
        Some(brace) => brace + 1,
        None => memchr::memchr2(b' ', b'\t', line.as_bytes())?,
    };
    let (value, at) = value(line.get(end..)?, format)?;
    Some((line.get(..end)?, value, at))
}

/// What follows a series: a value, perhaps a time, perhaps an exemplar. A value must be set apart
/// from a bare name; after a brace it need not be.
fn value(tail: &str, format: Format) -> Option<(f64, Option<Timestamp>)> {
    let mut words = tail.split([' ', '\t']).filter(|w| !w.is_empty());
    let value = number(words.next()?)?;
    let at = match words.next() {
        None => return Some((value, None)),
        Some("#") => {
            exemplar(tail)?;
            return Some((value, None));
        }
        Some(word) => Some(time(word, format)?),
    };
    match words.next() {
        None => {}
        Some("#") => exemplar(tail)?,
        Some(_) => return None,
    }
    Some((value, at))
}

/// What stands after `{`, up to and with `}`. A quoted text without `=` is the name.
fn braces<'a>(
    cursor: &mut Cursor<'a>,
    name: &mut Option<Cow<'a, str>>,
    labels: &mut Labels<'a>,
) -> Option<()> {
    loop {
        cursor.blanks();
        if cursor.take(b'}') {
            return Some(());
        }
        let (label, quoted) = match cursor.peek()? {
            b'"' => (cursor.quoted()?, true),
            _ => (Cow::Borrowed(cursor.label()?), false),
        };
        cursor.blanks();
        if cursor.take(b'=') {
            cursor.blanks();
            let value = cursor.quoted()?;
            if label.is_empty() {
                return None;
            }
            labels.push((label, value));
        } else if quoted && name.is_none() && !label.is_empty() {
            *name = Some(label);
        } else {
            return None;
        }
        cursor.blanks();
        if !cursor.take(b',') {
            return cursor.take(b'}').then_some(());
        }
    }
}

/// No label twice; those without a value go.
fn unique(labels: &mut Labels<'_>) -> bool {
    for (i, (name, _)) in labels.iter().enumerate() {
        if labels.iter().skip(i + 1).any(|(other, _)| other == name) {
            return false;
        }
    }
    labels.retain(|(_, value)| !value.is_empty());
    true
}

/// What follows the first ` # ` must look like an exemplar: labels, a value, perhaps a time.
fn exemplar(tail: &str) -> Option<()> {
    let start = tail.find(" # ").or_else(|| tail.find("\t# "))?;
    let mut cursor = Cursor {
        text: tail,
        at: start + 3,
    };
    cursor.blanks();
    if !cursor.take(b'{') {
        return None;
    }
    let mut labels = Labels::new();
    let mut name = None;
    braces(&mut cursor, &mut name, &mut labels)?;
    let mut words = cursor.rest().split_ascii_whitespace();
    number(words.next()?)?;
    if let Some(word) = words.next() {
        number(word)?;
    }
    (words.next().is_none() && name.is_none()).then_some(())
}

/// Name and kind of a `TYPE` line, after `# TYPE `.
pub(super) fn type_line(told: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut cursor = Cursor { text: told, at: 0 };
    cursor.blanks();
    let name = match cursor.peek()? {
        b'"' => cursor.quoted()?,
        _ => Cow::Borrowed(cursor.name()?),
    };
    let mut words = cursor.rest().split_ascii_whitespace();
    let kind = words.next()?;
    words.next().is_none().then_some((name, kind))
}

/// A value as Go writes and reads it.
fn number(word: &str) -> Option<f64> {
    decimal::parse(word)
}

fn time(word: &str, format: Format) -> Option<Timestamp> {
    match format {
        Format::Text => word.parse().ok().map(Timestamp),
        Format::OpenMetrics => {
            let seconds = number(word)?;
            seconds
                .is_finite()
                .then(|| Timestamp::from_seconds(seconds))
        }
    }
}

/// A place in a line. All marks are ASCII, so cuts never fall into a character.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// As long as `fits` holds; not empty.
    fn word(&mut self, first: impl Fn(u8) -> bool, fits: impl Fn(u8) -> bool) -> Option<&'a str> {
        let start = self.at;
        if !first(self.peek()?) {
            return None;
        }
        while self.peek().is_some_and(&fits) {
            self.at += 1;
        }
        self.text.get(start..self.at)
    }

    /// A metric's name.
    fn name(&mut self) -> Option<&'a str> {
        self.word(
            |b| b.is_ascii_alphabetic() || matches!(b, b'_' | b':'),
            |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'),
        )
        .filter(|_| matches!(self.peek(), None | Some(b' ' | b'\t' | b'{')))
    }

    /// A label's name.
    fn label(&mut self) -> Option<&'a str> {
        self.word(
            |b| b.is_ascii_alphabetic() || b == b'_',
            |b| b.is_ascii_alphanumeric() || b == b'_',
        )
    }

    /// A text in quotes; borrowed if it holds no escape.
    fn quoted(&mut self) -> Option<Cow<'a, str>> {
        if !self.take(b'"') {
            return None;
        }
        let rest = self.rest();
        let end = stop(rest.as_bytes())?;
        if rest.as_bytes().get(end) == Some(&b'"') {
            self.at += end + 1;
            return rest.get(..end).map(Cow::Borrowed);
        }
        let mut text = String::from(rest.get(..end)?);
        let mut chars = rest.get(end..)?.char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += end + i + 1;
                    return Some(Cow::Owned(text));
                }
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    c @ ('\\' | '"') => text.push(c),
                    // Not an escape: both characters stand for themselves.
                    c => text.extend(['\\', c]),
                },
                c => text.push(c),
            }
        }
        None
    }
}
