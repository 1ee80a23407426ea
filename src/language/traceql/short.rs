//! The short form of a search, for those who do not write TraceQL: words that are ANDed.
//!
//! `checkout name="POST /pay" >500ms <2s error k8s.pod.name=pay-0` asks for traces with a span of
//! that service, of that name, so long, failed, and with that attribute. `*` stands for anything.

/// A word that makes no condition: where it stands, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub start: usize,
    pub end: usize,
    pub text: String,
}

/// A word and where it stands; within quotes blanks belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'t> {
    pub start: usize,
    pub text: &'t str,
}

impl Word<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    fn is_open(&self) -> bool {
        self.text.matches('"').count() % 2 == 1
    }
}

/// Operators between a name and its value, the longest first.
pub const OPERATORS: [&str; 8] = ["!=", "!~", "=~", ">=", "<=", "=", ">", "<"];

/// Whether it is TraceQL already: braces, parentheses or a function begin it.
pub fn is_traceql(text: &str) -> bool {
    let text = text.trim_start();
    let rest = text.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_');
    text.starts_with('{') || rest.starts_with('(')
}

/// What is to be sent: TraceQL as it is, or made of the words.
pub fn traceql(text: &str) -> Result<String, Mistake> {
    if text.trim().is_empty() {
        return Ok("{}".to_owned());
    }
    if is_traceql(text) {
        return Ok(text.trim().to_owned());
    }
    let mut terms = Vec::new();
    for word in words(text) {
        let made = match word.is_open() {
            true => Err("a quote is not closed".to_owned()),
            false => term(word.text),
        };
        terms.push(made.map_err(|text| Mistake {
            start: word.start,
            end: word.end(),
            text,
        })?);
    }
    Ok(format!("{{ {} }}", terms.join(" && ")))
}

/// Split at blanks, but not within quotes.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let (mut begun, mut quoted) = (None, false);
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        match (c.is_whitespace() && !quoted, begun) {
            (true, Some(start)) => {
                words.push((start, at));
                begun = None;
            }
            (false, None) => begun = Some(at),
            _ => {}
        }
    }
    words.extend(begun.map(|start| (start, text.len())));
    let word = |(start, end): (usize, usize)| Word {
        start,
        text: text.get(start..end).unwrap_or_default(),
    };
    words.into_iter().map(word).collect()
}

/// The name that TraceQL has for a name of the short form.
pub fn attribute(key: &str) -> String {
    let scoped = ["resource.", "span.", "event.", "link.", "instrumentation."];
    match key {
        "service" => "resource.service.name".to_owned(),
        "operation" | "op" => "name".to_owned(),
        "pod" => "resource.k8s.pod.name".to_owned(),
        "namespace" => "resource.k8s.namespace.name".to_owned(),
        "node" => "resource.k8s.node.name".to_owned(),
        "name" | "status" | "kind" | "duration" => key.to_owned(),
        key if scoped.iter().any(|s| key.starts_with(s)) => key.to_owned(),
        key => match key.trim_start_matches('.') {
            // A digit behind the dot would be read as a number.
            bare if bare.starts_with(|c: char| c.is_ascii_digit()) => format!(".\"{bare}\""),
            bare => format!(".{bare}"),
        },
    }
}

fn term(word: &str) -> Result<String, String> {
    if word == "error" {
        return Ok("status = error".to_owned());
    }
    if word.starts_with(['<', '>']) {
        return longer(word);
    }
    let Some(at) = word
        .find(['=', '!', '<', '>'])
        .filter(|_| !word.starts_with('"'))
    else {
        return Ok(equals("resource.service.name", "=", bare(word)));
    };
    let (key, rest) = word.split_at(at);
    let mut operators = OPERATORS.iter();
    let found = operators.find_map(|o| Some((*o, rest.strip_prefix(o)?)));
    let (operator, value) = found.ok_or_else(|| format!("`{word}` has no operator"))?;
    let known = key
        .chars()
        .all(|c| c.is_alphanumeric() || "._-:/".contains(c));
    if key.trim_matches('.').is_empty() || key.ends_with('.') || value.is_empty() || !known {
        return Err(format!("`{word}` is no NAME=VALUE"));
    }
    let text = |key: &str| {
        let order = matches!(operator, ">" | ">=" | "<" | "<=");
        match order {
            true => Err(format!("`{word}` compares a name: = != =~ !~")),
            false => Ok(equals(&attribute(key), operator, bare(value))),
        }
    };
    match key {
        "duration" => longer(&format!("{operator}{value}")),
        "service" | "name" | "operation" | "op" | "pod" | "namespace" | "node" => text(key),
        "status" => listed(key, operator, value, &["error", "ok", "unset"]),
        "kind" => listed(key, operator, value, &KINDS),
        key => Ok(typed(&attribute(key), operator, value)),
    }
}

const KINDS: [&str; 6] = [
    "server",
    "client",
    "producer",
    "consumer",
    "internal",
    "unspecified",
];

/// One of few words.
fn listed(key: &str, operator: &str, value: &str, list: &[&str]) -> Result<String, String> {
    let value = bare(value).to_ascii_lowercase();
    match list.contains(&value.as_str()) && matches!(operator, "=" | "!=") {
        true => Ok(format!("{key} {operator} {value}")),
        false => Err(format!("{key} is one of {}", list.join(", "))),
    }
}

/// Without quotes around it.
fn bare(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.unwrap_or(value)
}

/// Numbers and truths are compared as such, unless they are quoted.
fn typed(key: &str, operator: &str, value: &str) -> String {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let whole = digits.bytes().all(|b| b.is_ascii_digit());
    // Zeros in front are of an id, and what no integer holds is none.
    let number = digits.starts_with(|c: char| c.is_ascii_digit())
        && (!digits.starts_with('0') || digits == "0" || digits.starts_with("0."))
        && value.len() <= 20
        && (!whole || value.parse::<i64>().is_ok())
        && value.parse::<f64>().is_ok_and(f64::is_finite);
    let truth = matches!(value, "true" | "false") && matches!(operator, "=" | "!=");
    let plain = number || truth;
    match plain && !operator.contains('~') {
        true => format!("{key} {operator} {value}"),
        false => equals(key, operator, bare(value)),
    }
}

fn equals(key: &str, operator: &str, value: &str) -> String {
    let (operator, value) = match (operator, value.contains('*')) {
        ("=", true) => ("=~", regex(value)),
        ("!=", true) => ("!~", regex(value)),
        _ => (operator, value.to_owned()),
    };
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("{key} {operator} \"{escaped}\"")
}

/// `*` stands for anything, all else for itself.
fn regex(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match c {
            '*' => out.push_str(".*"),
            c if "\\.+?()|[]{}^$".contains(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

fn longer(word: &str) -> Result<String, String> {
    let value = word.trim_start_matches(['<', '>', '=', '!']);
    let operator = word.strip_suffix(value).unwrap_or("");
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = value.strip_suffix(unit).unwrap_or("");
    let fits = matches!(unit, "ns" | "us" | "µs" | "ms" | "s" | "m" | "h")
        && number.parse::<f64>().is_ok()
        && matches!(operator, "<" | ">" | "<=" | ">=" | "=" | "!=");
    match fits {
        true => Ok(format!("duration {operator} {value}")),
        false => Err(format!("`{word}` is no time such as >500ms or <2s")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_become_traceql() {
        for (text, wanted) in [
            ("", "{}"),
            (
                " { status = error } | count() > 2",
                "{ status = error } | count() > 2",
            ),
            ("checkout", "{ resource.service.name = \"checkout\" }"),
            (
                "check* error",
                "{ resource.service.name =~ \"check.*\" && status = error }",
            ),
            (
                "name=\"POST /pay\" >500ms <2.5s",
                "{ name = \"POST /pay\" && duration > 500ms && duration < 2.5s }",
            ),
            ("http.status_code>=500", "{ .http.status_code >= 500 }"),
            (
                "span.retry=true pod=a.b*",
                "{ span.retry = true && resource.k8s.pod.name =~ \"a\\\\.b.*\" }",
            ),
            ("k=\"5\" x!=\"a\"", "{ .k = \"5\" && .x != \"a\" }"),
            (
                "kind=SERVER status!=ok",
                "{ kind = server && status != ok }",
            ),
            ("count() > 3", "count() > 3"),
            (
                "a=+5 b=007 c=-1.5 d=12345678901234567890 1x=1",
                "{ .a = \"+5\" && .b = \"007\" && .c = -1.5 && .d = \"12345678901234567890\" \
                 && .\"1x\" = 1 }",
            ),
        ] {
            assert_eq!(traceql(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn wrong_words_are_named() {
        for (text, words) in [
            (">fast", "no time"),
            (">5 days", "no time"),
            ("a=\"b", "quote"),
            ("=x", "NAME=VALUE"),
            ("a!b", "operator"),
            ("a}=1", "NAME=VALUE"),
            ("span.=1", "NAME=VALUE"),
            ("pod>x", "compares a name"),
            ("status=bad", "one of error, ok"),
        ] {
            let error = traceql(text).unwrap_err();
            assert!(error.text.contains(words), "{text}: {error:?}");
        }
    }

    #[test]
    fn a_mistake_tells_its_place() {
        let wrong = traceql("checkout  >soon error").unwrap_err();
        assert_eq!((wrong.start, wrong.end), (10, 15));
    }

    proptest! {
        #[test]
        fn what_is_made_is_traceql(text in "[a-z0-9=!<>~\"*.\\\\ +/:{}()|&^,-]{0,24}") {
            if let Ok(made) = traceql(&text)
                && !is_traceql(&text)
            {
                let problem = crate::language::traceql::check::check(&made);
                // A regex is the operator's own.
                let regex = made.contains('~');
                prop_assert!(problem.is_none() || regex, "{}: {:?}", made, problem);
            }
        }

        #[test]
        fn a_value_never_leaves_its_quotes(value in "[!#-)+-~é]{1,20}") {
            let made = traceql(&format!("name=\"{value}\"")).unwrap();
            let inner = made.strip_prefix("{ name = \"").unwrap().strip_suffix("\" }").unwrap();
            let read = inner.replace("\\\\", "\u{1}");
            prop_assert!(!read.contains('"') && !read.contains('\\'));
            prop_assert_eq!(read.replace('\u{1}', "\\"), value);
        }
    }
}
