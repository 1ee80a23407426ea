//! The short form of a search, for those who do not write TraceQL: words that are ANDed.
//!
//! `checkout name="POST /pay" >500ms <2s error k8s.pod.name=pay-0` asks for traces with a span of
//! that service, of that name, so long, failed, and with that attribute. `*` stands for anything.

/// What is to be sent: TraceQL as it is, or made of the words. An error says which word is wrong.
pub fn traceql(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok("{}".to_owned());
    }
    if text.starts_with(['{', '(']) {
        return Ok(text.to_owned());
    }
    let terms: Vec<String> = words(text)?
        .iter()
        .map(|w| term(w))
        .collect::<Result<_, _>>()?;
    Ok(format!("{{ {} }}", terms.join(" && ")))
}

/// Split at blanks, but not within quotes.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '"';
        match words.last_mut() {
            Some(word) if quoted || !c.is_whitespace() => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|w| !w.is_empty());
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    Ok(words)
}

fn term(word: &str) -> Result<String, String> {
    if word == "error" {
        return Ok("status = error".to_owned());
    }
    if word.starts_with(['<', '>']) {
        return longer(word);
    }
    let Some(at) = word.find(['=', '!', '<', '>']) else {
        return Ok(equals("resource.service.name", "=", bare(word)));
    };
    let (key, rest) = word.split_at(at);
    let operators = ["!=", "!~", "=~", ">=", "<=", "=", ">", "<"];
    let found = operators
        .iter()
        .find_map(|o| Some((*o, rest.strip_prefix(o)?)));
    let (operator, value) = found.ok_or_else(|| format!("`{word}` has no operator"))?;
    let known = key
        .chars()
        .all(|c| c.is_alphanumeric() || "._-:/".contains(c));
    if key.is_empty() || value.is_empty() || !known {
        return Err(format!("`{word}` is no NAME=VALUE"));
    }
    Ok(match key {
        "duration" => return longer(&format!("{operator}{value}")),
        "service" => equals("resource.service.name", operator, bare(value)),
        "name" | "operation" | "op" => equals("name", operator, bare(value)),
        "pod" => equals("resource.k8s.pod.name", operator, bare(value)),
        "namespace" => equals("resource.k8s.namespace.name", operator, bare(value)),
        "node" => equals("resource.k8s.node.name", operator, bare(value)),
        "status" | "kind" => format!("{key} {operator} {}", bare(value).to_ascii_lowercase()),
        key if ["resource.", "span.", "event.", "link."]
            .iter()
            .any(|s| key.starts_with(s)) =>
        {
            typed(key, operator, value)
        }
        key => typed(
            &format!(".{}", key.trim_start_matches('.')),
            operator,
            value,
        ),
    })
}

/// Without quotes around it.
fn bare(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.unwrap_or(value)
}

/// Numbers and truths are compared as such, unless they are quoted.
fn typed(key: &str, operator: &str, value: &str) -> String {
    let plain = value.parse::<f64>().is_ok_and(f64::is_finite) || matches!(value, "true" | "false");
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
        ] {
            assert_eq!(traceql(text).as_deref(), Ok(wanted), "{text}");
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
        ] {
            let error = traceql(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    proptest! {
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
