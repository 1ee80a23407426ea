//! LogQL made of values: what comes from outside cannot leave its quotes or mean more than itself.

use super::check::selector;
use super::read::Reader;
use crate::language::Kind;

/// What a thing is called by different collectors, the usual name first.
pub const CLUSTER: &[&str] = &["cluster", "k8s_cluster_name", "openshift_cluster_id"];
pub const NAMESPACE: &[&str] = &[
    "namespace",
    "k8s_namespace_name",
    "kubernetes_namespace_name",
];
pub const COMPONENT: &[&str] = &[
    "component",
    "app",
    "app_kubernetes_io_name",
    "service_name",
    "k8s_app",
    "job",
];
pub const CONTAINER: &[&str] = &[
    "container",
    "k8s_container_name",
    "kubernetes_container_name",
];
pub const POD: &[&str] = &["pod", "k8s_pod_name", "kubernetes_pod_name"];
/// Labels of streams that tell a level.
pub const LEVEL: &[&str] = &["level", "severity", "detected_level"];

/// A string of LogQL, which has the escapes of Go.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What a string of LogQL says. `None`: its escapes are not known, or it is none.
pub fn unquoted(part: &str) -> Option<String> {
    let quote = part.chars().next().filter(|c| matches!(c, '"' | '`'))?;
    let body = part.strip_prefix(quote)?.strip_suffix(quote)?;
    if quote == '`' {
        return Some(body.replace('\r', ""));
    }
    let mut out = String::new();
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'u' => hex_of(&mut chars, 4)?,
            'U' => hex_of(&mut chars, 8)?,
            c => escaped(c)?,
        });
    }
    Some(out)
}

fn hex_of(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let code: String = chars.by_ref().take(digits).collect();
    let whole = code.chars().count() == digits;
    char::from_u32(u32::from_str_radix(&code, 16).ok().filter(|_| whole)?)
}

fn escaped(c: char) -> Option<char> {
    Some(match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\\' | '"' => c,
        // Bytes in octal or hex may be no text at all.
        _ => return None,
    })
}

/// `label="a"`, or a regex of all of them taken literally.
pub fn matcher(label: &str, wanted: &[String]) -> String {
    match wanted {
        [one] => format!("{label}={}", quoted(one)),
        several => {
            let one_of: Vec<String> = several.iter().map(|w| regex::escape(w)).collect();
            format!("{label}=~{}", quoted(&one_of.join("|")))
        }
    }
}

/// The first of these names that a server has; the usual one where its labels are not known.
pub fn name_of(candidates: &[&'static str], known: &[String]) -> Option<&'static str> {
    let mut have = candidates.iter().filter(|c| known.iter().any(|k| k == *c));
    match known.is_empty() {
        true => candidates.first().copied(),
        false => have.next().copied(),
    }
}

/// What a form asks of one label: `a, b` one of them, `a*` a beginning, `!a` all but it.
pub fn matchers(label: &str, typed: &str) -> Vec<String> {
    let words = typed.split(',').map(str::trim).filter(|w| !w.is_empty());
    let (not, wanted): (Vec<&str>, Vec<&str>) = words.partition(|w| w.starts_with('!'));
    let mut out = Vec::new();
    if !wanted.is_empty() {
        out.push(one_of(label, ("=", "=~"), &wanted));
    }
    let not: Vec<&str> = not
        .iter()
        .map(|w| w.trim_start_matches('!').trim())
        .filter(|w| !w.is_empty())
        .collect();
    if !not.is_empty() {
        out.push(one_of(label, ("!=", "!~"), &not));
    }
    out
}

fn one_of(label: &str, (equal, like): (&str, &str), words: &[&str]) -> String {
    match words {
        [one] if !one.contains('*') => format!("{label}{equal}{}", quoted(one)),
        several => {
            let literal = |w: &&str| {
                let parts: Vec<String> = w.split('*').map(regex::escape).collect();
                parts.join(".*")
            };
            let regex: Vec<String> = several.iter().map(literal).collect();
            format!("{label}{like}{}", quoted(&regex.join("|")))
        }
    }
}

/// What a form asks of the text: `/re/` a regex, `!text` lines without it, else lines with it.
pub fn line_filter(typed: &str) -> String {
    let typed = typed.trim();
    let (not, text) = match typed.strip_prefix('!') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, typed),
    };
    let inner = text.strip_prefix('/').and_then(|t| t.strip_suffix('/'));
    match (inner.filter(|t| !t.is_empty()), not) {
        _ if text.is_empty() => String::new(),
        (Some(regex), false) => format!(" |~ {}", quoted(regex)),
        (Some(regex), true) => format!(" !~ {}", quoted(regex)),
        (None, false) => format!(" |= {}", quoted(text)),
        (None, true) => format!(" != {}", quoted(text)),
    }
}

/// How the fields of a line are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parser {
    Json,
    Logfmt,
}

/// The log query with one more thing asked: a label of the stream goes into its braces, a field of
/// the line behind the parser that reads it. `None`: this is no log query.
pub fn narrowed(
    query: &str,
    (name, value): (&str, &str),
    parser: Option<Parser>,
    exclude: bool,
) -> Option<String> {
    if super::check::is_metric(query) {
        return None;
    }
    let equal = if exclude { "!=" } else { "=" };
    let asked = format!("{name}{equal}{}", quoted(value));
    let Some(parser) = parser else {
        let braces = selector(query)?;
        let end = query.find(braces)? + braces.len() - 1;
        let (head, tail) = query.split_at_checked(end)?;
        let inside = head.trim_end().trim_end_matches(',');
        let comma = if inside.ends_with('{') { "" } else { ", " };
        return Some(format!("{inside}{comma}{asked}{tail}"));
    };
    let (word, out) = match parser {
        Parser::Json => ("json", query.trim_end()),
        Parser::Logfmt => ("logfmt", query.trim_end()),
    };
    match has_stage(query, word) {
        true => Some(format!("{out} | {asked}")),
        false => Some(format!("{out} | {word} | {asked}")),
    }
}

/// The name that a field has as a label: Loki writes `_` for what a label cannot hold.
pub fn label_of(field: &str) -> String {
    let mut out: String = field
        .chars()
        .map(|c| match c.is_ascii_alphanumeric() || c == '_' {
            true => c,
            false => '_',
        })
        .collect();
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

fn has_stage(query: &str, word: &str) -> bool {
    let reader = Reader::new(query);
    let mut before = "";
    reader.tokens().iter().any(|token| {
        let part = token.of(query);
        let found = before == "|" && token.kind == Kind::Keyword && part == word;
        before = part;
        found
    })
}
