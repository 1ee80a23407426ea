//! The message inside a structured line: JSON objects and logfmt.

/// Bytes of a structured line in which its message begins.
const SOON: usize = 2_048;

/// The message of a JSON object or of logfmt as it is written there (escapes stay); `None`: the
/// line is neither, or has no message.
pub fn message(line: &str) -> Option<&str> {
    match line.as_bytes().first()? {
        b'{' => quoted(line, &["\"msg\":", "\"message\":", "\"log\":", "\"text\":"]),
        _ if is_logfmt(line) => quoted(line, &["msg=", "message="]).or_else(|| bare(line)),
        _ => None,
    }
}

/// `key=value` from the start on, as `log/slog`, `logrus` and `go-kit` write it.
fn is_logfmt(line: &str) -> bool {
    let key = line
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
        .count();
    let starts = key > 0 && line.as_bytes().get(key) == Some(&b'=');
    starts && (line.starts_with("msg=") || line.contains(" msg=") || line.contains(" message="))
}

fn quoted<'a>(line: &'a str, names: &[&str]) -> Option<&'a str> {
    let after = names.iter().find_map(|name| {
        let start = line.find(name).filter(|at| *at < SOON)?;
        line.get(start + name.len()..)
    })?;
    let text = after.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = text.bytes().position(|b| {
        let ends = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        ends
    })?;
    text.get(..end).filter(|t| !t.is_empty())
}

/// `msg=done` without quotes.
fn bare(line: &str) -> Option<&str> {
    let start = line.find("msg=").filter(|at| *at < SOON)? + 4;
    let text = line.get(start..)?;
    text.split_ascii_whitespace()
        .next()
        .filter(|t| !t.starts_with('"'))
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn of_json_and_logfmt() {
        for (line, wanted) in [
            (
                r#"{"ts":"2026","msg":"no \"time\", barred","cell":1}"#,
                Some(r#"no \"time\", barred"#),
            ),
            (r#"{"message": "x"}"#, Some("x")),
            (r#"{"msg":"never ends"#, None),
            (r#"{"msg":5}"#, None),
            (r#"level=info msg="a \"b\" c" err=x"#, Some(r#"a \"b\" c"#)),
            ("ts=1 caller=main.go:5 msg=done err=x", Some("done")),
            ("msg=\"x", None),
            ("a=b c=d", None),
            ("plain text", None),
            ("", None),
        ] {
            assert_eq!(message(line), wanted, "{line}");
        }
    }
}
