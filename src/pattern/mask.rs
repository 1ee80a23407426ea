//! The constant part of a message: what varies from line to line becomes one mark.
//!
//! One pass over the bytes. What varies: words with a digit, values after `=`, paths, addresses,
//! hosts, class names, quoted words, dates, `true` and `null`; a unit goes with its number, and
//! marks that only punctuation separates are one, so that the number of values does not matter.

use super::word;

/// Stands for what varies; no text from outside holds it (control characters are cut at the door).
pub const MARK: u8 = 1;
/// Bytes of a message that are looked at.
const LONGEST: usize = 4_096;

/// The constant part of a message, in a buffer that is used again.
#[derive(Debug, Default)]
pub struct Mask {
    out: Vec<u8>,
    /// Behind the last mark, while only punctuation followed it.
    after_mark: Option<usize>,
    /// The same, while only one blank followed it: a unit may come.
    number: Option<usize>,
}

impl Mask {
    /// The constant part of `message`.
    pub fn of(&mut self, message: &str) -> &[u8] {
        self.out.clear();
        self.after_mark = None;
        self.number = None;
        let text = &message.as_bytes()[..message.len().min(LONGEST)];
        let mut i = 0;
        while let Some(&byte) = text.get(i) {
            i = match byte {
                b if b.is_ascii_whitespace() => {
                    self.blank();
                    i + 1
                }
                b'=' if is_assignment(text, i) => self.value(text, i),
                b'"' | b'\'' => self.quoted(text, i),
                b'(' if text.get(i + 1) == Some(&b')') => {
                    // `init()` is a call, `()` alone stands for what may be named there.
                    match self.out.last() {
                        None | Some(b' ') => {
                            self.put(b'(');
                            self.mark();
                            self.close();
                        }
                        _ => self.word(b"()"),
                    }
                    i + 2
                }
                b')' => {
                    self.close();
                    i + 1
                }
                b if is_structure(b) => {
                    self.put(b);
                    i + 1
                }
                _ => {
                    let end = i + text[i..]
                        .iter()
                        .take_while(|b| !ends_run(**b))
                        .count()
                        .max(1);
                    self.run(text, i, end);
                    end
                }
            };
        }
        while self.out.last() == Some(&b' ') {
            self.out.pop();
        }
        &self.out
    }

    /// The same as the last call gave.
    pub fn rest(&self) -> &[u8] {
        &self.out
    }

    fn blank(&mut self) {
        if self.out.last().is_some_and(|b| *b != b' ') {
            self.out.push(b' ');
        }
    }

    /// A byte of punctuation.
    fn put(&mut self, byte: u8) {
        self.out.push(byte);
        if !b".,:/-@|#".contains(&byte) {
            self.after_mark = None;
        }
        self.number = None;
    }

    fn word(&mut self, word: &[u8]) {
        self.out.extend_from_slice(word);
        self.after_mark = None;
        self.number = None;
    }

    fn mark(&mut self) {
        match self.after_mark {
            Some(end) => self.out.truncate(end),
            None => self.out.push(MARK),
        }
        self.after_mark = Some(self.out.len());
        self.number = self.after_mark;
    }

    /// `)`; a number in brackets behind a number is the same number: `2842 bytes (2.77 KB)`.
    fn close(&mut self) {
        self.put(b')');
        if self.out.ends_with(&[MARK, b' ', b'(', MARK, b')']) {
            self.out.truncate(self.out.len() - 4);
            self.after_mark = Some(self.out.len());
            self.number = self.after_mark;
        }
    }

    /// What stands after `=`: up to a comma, a blank or the bracket that closes outside of it.
    fn value(&mut self, text: &[u8], at: usize) -> usize {
        let spaced = self.out.last() == Some(&b' ');
        self.put(b'=');
        let mut i = at + 1;
        if text.get(i) == Some(&b' ') {
            let start = i + text[i..].iter().take_while(|b| **b == b' ').count();
            let ends = |b: &u8| b.is_ascii_whitespace() || b"=,;".contains(b);
            let end = start + text[start..].iter().take_while(|b| !ends(b)).count();
            // `ruser= rhost=…` has no value; `release= 0` is left to its own word.
            if !spaced || end == start || text.get(end) == Some(&b'=') {
                self.mark();
                return i;
            }
            i = start;
        }
        let end = value_end(text, i);
        self.mark();
        end
    }

    /// A quoted word; anything longer is read as it stands.
    fn quoted(&mut self, text: &[u8], at: usize) -> usize {
        let quote = text[at];
        let starts_word = self.out.last().is_none_or(|b| !b.is_ascii_alphanumeric());
        let inside = &text[at + 1..];
        let len = inside
            .iter()
            .take_while(|b| **b != quote && !b.is_ascii_whitespace() && !is_structure(**b))
            .count();
        let next = inside.get(len + 1).copied().unwrap_or(b' ');
        if !starts_word || inside.get(len) != Some(&quote) || next.is_ascii_alphanumeric() {
            if quote == b'"' {
                self.put(quote);
            } else {
                self.word(b"'");
            }
            return at + 1;
        }
        self.put(quote);
        // The name of a field is what tells records apart.
        if next == b':' && quote == b'"' {
            self.word(&inside[..len]);
        } else {
            self.mark();
        }
        self.put(quote);
        at + len + 2
    }

    /// Bytes without structure: one word, or several with `:` and `/` between them.
    fn run(&mut self, text: &[u8], from: usize, end: usize) {
        let run = &text[from..end];
        let facts = Facts::of(run);
        if facts.plain {
            return self.plain(text, run, end);
        }
        if facts.is_place(run) {
            self.mark();
            if run.ends_with(b":") {
                self.put(b':');
            }
            return;
        }
        if facts.colons >= 2 && run.iter().all(|b| b.is_ascii_hexdigit() || *b == b':')
            || is_host_and_port(run)
        {
            return self.mark();
        }
        for piece in run.split_inclusive(|b| *b == b':' || *b == b'/') {
            let (word, mark) = match piece.split_last() {
                Some((b':' | b'/', word)) => (word, piece.last()),
                _ => (piece, None),
            };
            if mark.is_none() && word.len() == run.len() && self.is_name(text, end) {
                return self.mark();
            }
            self.dotted(word);
            if let Some(mark) = mark {
                self.put(*mark);
            }
        }
    }

    /// A word of letters: a unit, a day or a month, or itself.
    fn plain(&mut self, text: &[u8], run: &[u8], end: usize) {
        if let Some(mark) = self.number
            && self.out.len() <= mark + 1
            && word::is_unit(run)
        {
            self.out.truncate(mark);
            if self.out.len() >= 2 && self.out[self.out.len() - 2] == b'<' {
                // `<1 sec`
                self.out.truncate(self.out.len() - 2);
                self.out.push(MARK);
            }
            self.after_mark = Some(self.out.len());
            self.number = None;
            return;
        }
        if word::is_month_or_day(run) {
            let next = text[end..]
                .iter()
                .find(|b| !b.is_ascii_whitespace() && **b != b',');
            let date = next.is_some_and(|b| b.is_ascii_digit() || b"JFMASOND".contains(b));
            if date {
                return self.mark();
            }
        }
        match run {
            _ if self.is_name(text, end) => self.mark(),
            b"true" | b"false" | b"null" | b"True" | b"False" | b"NULL" => self.mark(),
            _ => self.word(run),
        }
    }

    /// Stands where a person or an account is named: `user X`, `for X from`.
    fn is_name(&self, text: &[u8], end: usize) -> bool {
        let after = |cue: &[u8]| {
            self.out
                .strip_suffix(cue)
                .is_some_and(|o| o.last().is_none_or(|b| !b.is_ascii_alphanumeric()))
        };
        after(b"user ") || (after(b"for ") && text[end..].starts_with(b" from "))
    }

    /// A word that may hold runs of dots (`field ......1`).
    fn dotted(&mut self, word: &[u8]) {
        let mut rest = word;
        while let Some(start) = rest.windows(2).position(|w| w == b"..") {
            self.atom(&rest[..start]);
            self.word(b"..");
            let dots = rest[start..].iter().take_while(|b| **b == b'.').count();
            rest = &rest[start + dots..];
        }
        self.atom(rest);
    }

    fn atom(&mut self, word: &[u8]) {
        if word.is_empty() {
            return;
        }
        if varies(word) {
            self.mark()
        } else {
            self.word(word)
        }
    }
}

/// What one look at the bytes of a run tells.
struct Facts {
    /// Letters only.
    plain: bool,
    colons: usize,
    slashes: usize,
    backslashes: usize,
}

impl Facts {
    fn of(run: &[u8]) -> Self {
        let mut facts = Self {
            plain: true,
            colons: 0,
            slashes: 0,
            backslashes: 0,
        };
        for byte in run {
            facts.plain &= byte.is_ascii_alphabetic();
            match byte {
                b':' => facts.colons += 1,
                b'/' => facts.slashes += 1,
                b'\\' => facts.backslashes += 1,
                _ => {}
            }
        }
        facts
    }

    /// A path or a URL.
    fn is_place(&self, run: &[u8]) -> bool {
        self.slashes >= 2
            || (run.len() > 1 && run.starts_with(b"/"))
            || run.starts_with(b"./")
            || run.starts_with(b"../")
            || (self.backslashes > 0 && run.get(1..3) == Some(b":\\"))
            || self.backslashes >= 2
    }
}

fn varies(word: &[u8]) -> bool {
    if word.iter().any(u8::is_ascii_digit) {
        return !word::is_spelled(word);
    }
    if word.ends_with(b".exe") {
        return true;
    }
    let dots = word.contains(&b'.');
    match std::str::from_utf8(word) {
        Ok("true" | "false" | "null") => true,
        Ok(word) if dots => word.contains('@') || word::is_host(word) || word::is_package(word),
        _ => false,
    }
}

/// `csdnimg.cn:443`.
fn is_host_and_port(run: &[u8]) -> bool {
    let Some(colon) = run.iter().rposition(|b| *b == b':') else {
        return false;
    };
    let (host, port) = (&run[..colon], &run[colon + 1..]);
    let host_like = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(b);
    (1..=5).contains(&port.len())
        && port.iter().all(u8::is_ascii_digit)
        && host.contains(&b'.')
        && !host.starts_with(b".")
        && !host.ends_with(b".")
        && host.iter().all(host_like)
}

/// `=` and not `==`, `!=`, `<=`.
fn is_assignment(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| text.get(i));
    text.get(at + 1).is_some_and(|b| *b != b'=') && !before.is_some_and(|b| b"=!<>".contains(b))
}

fn value_end(text: &[u8], from: usize) -> usize {
    let (mut depth, mut quote) = (0usize, None);
    for (i, byte) in text.iter().enumerate().skip(from) {
        match (quote, byte) {
            (Some(q), b) if *b == q => quote = None,
            (Some(_), _) => {}
            (None, b'"') => quote = Some(b'"'),
            (None, b'(' | b'[' | b'{' | b'<') => depth += 1,
            (None, b')' | b']' | b'}' | b'>') if depth == 0 => return i,
            (None, b')' | b']' | b'}' | b'>') => depth -= 1,
            (None, b',' | b';') if depth == 0 => return i,
            (None, b) if depth == 0 && b.is_ascii_whitespace() => return i,
            _ => {}
        }
    }
    text.len()
}

fn is_structure(byte: u8) -> bool {
    b"=,;()[]{}<>\"|".contains(&byte)
}

fn ends_run(byte: u8) -> bool {
    byte.is_ascii_whitespace() || is_structure(byte)
}
