//! What a log line says as names and values: JSON, logfmt, and the head that klog writes.

use serde_json::Value;

use super::text::clean;

/// Fields of one line that are told.
const MOST: usize = 200;
/// How deep JSON is followed; what lies deeper stays JSON.
const DEPTH: usize = 6;
/// Longest value kept.
const VALUE: usize = 4_000;

/// How the line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Json,
    Logfmt,
    Klog,
}

impl Written {
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Logfmt => "logfmt",
            Self::Klog => "klog",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    pub written: Written,
    /// Those of JSON by their names, others in the order of the line. What lies in JSON objects has
    /// all names of its path, parted by dots.
    pub all: Vec<(String, String)>,
}

impl Fields {
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.all.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// `None`: the line has no fields.
pub fn fields(line: &str) -> Option<Fields> {
    let start = line.trim_start();
    let (written, all) = match start.starts_with('{') {
        true => (Written::Json, json(start)?),
        false => match logfmt(start, 2) {
            Some(all) => (Written::Logfmt, all),
            None => (Written::Klog, klog(start)?),
        },
    };
    (!all.is_empty()).then_some(Fields { written, all })
}

fn json(text: &str) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else {
        return None;
    };
    let mut out = Vec::new();
    for (name, value) in object {
        flatten(clean(&name, 200), value, 1, &mut out);
    }
    Some(out)
}

fn flatten(name: String, value: Value, depth: usize, out: &mut Vec<(String, String)>) {
    if out.len() >= MOST {
        return;
    }
    match value {
        Value::Object(inner) if depth < DEPTH && !inner.is_empty() => {
            for (key, value) in inner {
                flatten(
                    format!("{name}.{}", clean(&key, 200)),
                    value,
                    depth + 1,
                    out,
                );
            }
        }
        Value::String(text) => out.push((name, clean(&text, VALUE))),
        other => out.push((name, clean(&other.to_string(), VALUE))),
    }
}

/// At least so many pairs, more than single words beside them: a sentence with one `=` is none.
fn logfmt(text: &str, least: usize) -> Option<Vec<(String, String)>> {
    let (mut out, mut words) = (Vec::new(), 0);
    let mut rest = text.trim();
    while !rest.is_empty() && out.len() < MOST {
        let end = rest.find([' ', '=', '"']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        match after.strip_prefix('=') {
            Some(after) if is_name(name) => {
                let (value, after) = value(after)?;
                out.push((name.to_owned(), clean(&value, VALUE)));
                rest = after.trim_start();
            }
            Some(_) => return None,
            None if after.starts_with('"') => return None,
            None => {
                words += 1;
                rest = after.trim_start();
            }
        }
    }
    (out.len() >= least && out.len() > words).then_some(out)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "_.-/@[]:".contains(c))
}

/// A value, in quotes or up to the next blank, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(' ').unwrap_or(text.len());
        return text
            .split_at_checked(end)
            .map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut out = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, quoted.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                other => out.push(other),
            },
            c => out.push(c),
        }
    }
    // Cut off: what there is of it.
    Some((out, ""))
}

/// `E1121 02:10:37.456607       1 main.go:2] boom`
fn klog(text: &str) -> Option<Vec<(String, String)>> {
    let (head, message) = text.split_once("] ")?;
    let mut parts = head.split_ascii_whitespace();
    let first = parts.next()?;
    let level = match first.chars().next()? {
        'I' => "info",
        'W' => "warning",
        'E' => "error",
        'F' => "fatal",
        _ => return None,
    };
    let day = first.get(1..)?;
    let digits = day.len() == 4 && day.bytes().all(|b| b.is_ascii_digit());
    let (time, thread, caller) = (parts.next()?, parts.next()?, parts.next()?);
    if !digits || parts.next().is_some() || !caller.contains(':') {
        return None;
    }
    let mut out = vec![
        ("level".to_owned(), level.to_owned()),
        ("time".to_owned(), clean(time, 40)),
        ("thread".to_owned(), clean(thread, 40)),
        ("caller".to_owned(), clean(caller, 200)),
        ("msg".to_owned(), clean(message, VALUE)),
    ];
    // Structured klog has pairs behind a message in quotes.
    if message.starts_with('"')
        && let Some((said, pairs)) = value(message)
    {
        if let Some((_, msg)) = out.last_mut() {
            *msg = clean(&said, VALUE);
        }
        out.extend(logfmt(pairs, 1).into_iter().flatten());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(line: &str) -> Option<(Written, Vec<(String, String)>)> {
        fields(line).map(|f| (f.written, f.all))
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn json_is_laid_flat() {
        assert_eq!(
            told(
                r#" {"level":"warn","http":{"status":503,"path":"/x"},"tags":["a",1],"n":null,"e":{}}"#
            ),
            Some((
                Written::Json,
                pairs(&[
                    ("e", "{}"),
                    ("http.path", "/x"),
                    ("http.status", "503"),
                    ("level", "warn"),
                    ("n", "null"),
                    ("tags", r#"["a",1]"#),
                ])
            ))
        );
        for none in ["{", "{}", "[1]", "{\"a\":1", "{a=1} x"] {
            assert_eq!(told(none), None, "{none}");
        }
    }

    #[test]
    fn logfmt_is_told_from_sentences() {
        assert_eq!(
            told(r#"ts=2026-11-21T01:00:00Z level=warn msg="a \"b\" c" took=1.5s done"#),
            Some((
                Written::Logfmt,
                pairs(&[
                    ("ts", "2026-11-21T01:00:00Z"),
                    ("level", "warn"),
                    ("msg", "a \"b\" c"),
                    ("took", "1.5s"),
                ])
            ))
        );
        for none in [
            "the offset a=1 is beyond the limit b=2 of this clock",
            "a=1",
            "x \"y\" a=1 b=2",
            "GET /?a=1&b=2 HTTP/1.1",
            "",
        ] {
            assert_eq!(told(none), None, "{none}");
        }
        // Cut in the middle of a text.
        assert_eq!(
            told("a=1 msg=\"never ends").map(|f| f.1),
            Some(pairs(&[("a", "1"), ("msg", "never ends")]))
        );
    }

    #[test]
    fn klog_has_a_head() {
        let told = fields(
            r#"E1121 02:10:37.456607       1 pod_workers.go:1298] "Error syncing pod" err="back-off 5m" pod="shop/cart""#,
        )
        .expect("klog");
        assert_eq!(told.written, Written::Klog);
        for (name, value) in [
            ("level", "error"),
            ("caller", "pod_workers.go:1298"),
            ("msg", "Error syncing pod"),
            ("err", "back-off 5m"),
            ("pod", "shop/cart"),
        ] {
            assert_eq!(told.get(name), Some(value), "{told:?}");
        }
        assert_eq!(fields("Every good boy] does fine"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "\\PC{0,80}|[{}\":,a-z0-9= \\\\\\[\\]]{0,60}") {
            if let Some(told) = fields(&line) {
                prop_assert!(!told.all.is_empty() && told.all.len() <= MOST + 5);
                for (name, value) in &told.all {
                    prop_assert!(!name.chars().chain(value.chars()).any(super::super::text::is_unsafe));
                }
            }
        }

        #[test]
        fn logfmt_that_is_written_is_read_back(values in prop::collection::vec("[ -~&&[^\\\\]]{0,12}", 2..6)) {
            let line: Vec<String> = values.iter().enumerate()
                .map(|(n, v)| format!("k{n}=\"{}\"", v.replace('"', "\\\"")))
                .collect();
            let told = fields(&line.join(" ")).expect("pairs");
            for (n, value) in values.iter().enumerate() {
                let wanted = clean(value, 100);
                prop_assert_eq!(told.get(&format!("k{n}")), Some(wanted.as_str()));
            }
        }
    }
}
