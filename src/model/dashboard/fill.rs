//! Puts chosen values into a query: `$name`, `${name}`, `${name:format}` and `[[name]]`.
//!
//! The rules are Grafana's (docs: "Variable syntax", "Global variables"), but that a value is
//! escaped for the quotes that it stands in, where Grafana assumes double ones.

use std::collections::BTreeMap;

/// Prometheus scrapes at least that often where nobody said otherwise, seconds.
const SCRAPE_S: u64 = 15;

/// What was chosen of one variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    pub values: Vec<String>,
    /// Everything: this expression stands for it.
    pub all: Option<String>,
    /// The values go into a regular expression.
    pub in_regex: bool,
}

/// What a query is filled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filling {
    pub chosen: BTreeMap<String, Chosen>,
    pub step_s: u64,
    pub range_s: u64,
    /// Milliseconds since 1970.
    pub from_ms: i64,
    pub to_ms: i64,
}

impl Filling {
    /// The query with everything put in that is known; other `$…` stay as they are, as in
    /// `label_replace(…, "$1", …)`.
    pub fn fill(&self, query: &str) -> String {
        let mut out = String::with_capacity(query.len() + 16);
        let mut rest = query;
        let mut quote = None;
        let mut escaped = false;
        while let Some(c) = rest.chars().next() {
            if let Some((name, format, after)) = reference(rest)
                && let Some(text) = self.put(name, format, quote)
            {
                out.push_str(&text);
                rest = after;
                continue;
            }
            match quote {
                Some(open) if c == open && !escaped => quote = None,
                None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
                _ => {}
            }
            escaped = c == '\\' && !escaped && quote != Some('`');
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        out
    }

    fn put(&self, name: &str, format: &str, quote: Option<char>) -> Option<String> {
        if let Some(text) = self.global(name) {
            return Some(text);
        }
        let chosen = self.chosen.get(name)?;
        if let Some(all) = &chosen.all {
            return Some(all.clone());
        }
        let each = |by: &dyn Fn(&str) -> String| -> Vec<String> {
            chosen.values.iter().map(|v| by(v)).collect()
        };
        let raw = |v: &str| v.to_owned();
        let pattern = |v: &str| quoted(&literal(v), quote);
        Some(match format {
            "raw" | "csv" => each(&raw).join(","),
            "pipe" => each(&raw).join("|"),
            "regex" => group(each(&pattern)),
            _ if chosen.in_regex => group(each(&pattern)),
            _ => each(&|v: &str| quoted(v, quote)).join(","),
        })
    }

    fn global(&self, name: &str) -> Option<String> {
        let step_s = self.step_s.max(1);
        Some(match name {
            "__interval" | "__auto" => format!("{step_s}s"),
            "__interval_ms" => (step_s * 1000).to_string(),
            "__rate_interval" => format!("{}s", (step_s + SCRAPE_S).max(4 * SCRAPE_S)),
            "__range" => format!("{}s", self.range_s),
            "__range_s" => self.range_s.to_string(),
            "__range_ms" => (self.range_s * 1000).to_string(),
            "__from" => self.from_ms.to_string(),
            "__to" => self.to_ms.to_string(),
            _ => return None,
        })
    }
}

fn group(values: Vec<String>) -> String {
    match values.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", values.join("|")),
    }
}

/// An expression that matches this text only. What has no meaning in an expression stays as it is,
/// so that the query can be read.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if r"\^$*+?.()|{}[]".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The text as it stands between these quotes.
fn quoted(text: &str, quote: Option<char>) -> String {
    match quote {
        // Nothing can be escaped there; a backquote itself cannot stand there.
        Some('`') => text.replace('`', "."),
        Some(open) => text
            .replace('\\', "\\\\")
            .replace(open, &format!("\\{open}"))
            .replace('\n', "\\n"),
        None => text.to_owned(),
    }
}

/// The variable that the text starts with: its name, its format and what follows.
fn reference(text: &str) -> Option<(&str, &str, &str)> {
    if let Some(inner) = text.strip_prefix("${") {
        let (inner, after) = inner.split_once('}')?;
        let (name, format) = inner.split_once(':').unwrap_or((inner, ""));
        // `${name.path}` reads fields of JSON variables, which nobody here has.
        return is_name(name).then_some((name, format, after));
    }
    if let Some(inner) = text.strip_prefix("[[") {
        let (inner, after) = inner.split_once("]]")?;
        let (name, format) = inner.split_once(':').unwrap_or((inner, ""));
        return is_name(name).then_some((name, format, after));
    }
    let inner = text.strip_prefix('$')?;
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let name = inner.get(..end.unwrap_or(inner.len()))?;
    let after = inner.get(name.len()..)?;
    is_name(name).then_some((name, "", after))
}

fn is_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(word) && text.starts_with(|c: char| !c.is_ascii_digit())
}

/// The names of all variables that the text refers to, globals too.
pub fn names(query: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(at) = rest.find(['$', '[']) {
        rest = rest.get(at..).unwrap_or_default();
        match reference(rest) {
            Some((name, _, after)) => {
                found.push(name);
                rest = after;
            }
            None => rest = rest.get(1..).unwrap_or_default(),
        }
    }
    found
}

/// Whether it is filled in for every dashboard.
pub fn is_global(name: &str) -> bool {
    Filling::default().global(name).is_some()
}

#[cfg(test)]
mod tests;
