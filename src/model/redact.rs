//! Secrets are masked before a model, an export or the screen sees them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

struct Rule {
    pattern: Regex,
    replacement: &'static str,
}

/// Patterns are literals, so a broken one shows in the first test; at run time it is left out.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    [
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)",
            "[redacted private key]",
        ),
        (
            r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/-]{8,}=*",
            "$1 [redacted]",
        ),
        (r"\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?", "[redacted]"),
        (r"\bsha256~[\w-]{16,}", "[redacted]"),
        (
            r"\b(?:AKIA[0-9A-Z]{12,}|gh[pousr]_\w{16,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{8,}|sk-[\w-]{16,})",
            "[redacted]",
        ),
        (r"(\w+://)[^/\s:@]+:[^/\s@]+@", "$1[redacted]@"),
        (
            r#"(?i)(--?(?:password|passwd|token|secret|api-key)[ =])[^\s"']+"#,
            "$1[redacted]",
        ),
        (
            r#"(?i)\b((?:[\w-]*[_.-])?(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|apikey|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key|credentials?|authorization)\\?["']?\s*[:=]\s*\\?["']?)(?:[^\s"',;&}\\\[]{3,})"#,
            "$1[redacted]",
        ),
    ]
    .into_iter()
    .filter_map(|(pattern, replacement)| {
        Some(Rule {
            pattern: Regex::new(pattern).ok()?,
            replacement,
        })
    })
    .collect()
});

/// Ends of names whose values are secret, without what joins words.
const NAMES: [&str; 14] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "authorization",
];

/// A value of this name is a credential: `password`, `dbPassword`, `X-Api-Key`.
pub fn is_secret(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let bare: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    NAMES.iter().any(|end| bare.ends_with(end))
}

/// The text without what looks like a credential.
pub fn redact(text: &str) -> String {
    let mut out = Cow::Borrowed(text);
    for rule in RULES.iter() {
        if let Cow::Owned(changed) = rule.pattern.replace_all(&out, rule.replacement) {
            out = Cow::Owned(changed);
        }
    }
    out.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_compile() {
        assert_eq!(RULES.len(), 8);
    }

    #[test]
    fn masks_credentials() {
        for text in [
            "Authorization: Bearer abcdef123456.hunter2hunter2",
            "level=error password=hunter2hunter2 user=joe",
            r#"{"db_password": "hunter2hunter2"}"#,
            r#"{\"api_key\":\"hunter2hunter2\"}"#,
            "postgres://joe:hunter2hunter2@db:5432/x",
            "run --password hunter2hunter2 now",
            "jwt eyJhbGciOiJI.hunter2hunter2.hunter2hunter2 end",
            "oc login sha256~hunter2hunter2hunter2",
            "-----BEGIN RSA PRIVATE KEY-----\nhunter2hunter2\n-----END RSA PRIVATE KEY-----",
            "AWS_SECRET_ACCESS_KEY=hunter2hunter2",
        ] {
            let masked = redact(text);
            assert!(!masked.contains("hunter2"), "{masked}");
            assert!(masked.contains("[redacted"), "{masked}");
        }
    }

    #[test]
    fn names_of_secrets() {
        for name in [
            "password",
            "dbPassword",
            "X-Api-Key",
            "AWS_SECRET_ACCESS_KEY",
            "Token",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["prompt_tokens", "key", "secrets_total", "passed", ""] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn leaves_telemetry_alone() {
        for text in [
            "vllm:generation_tokens_total{model=\"q\"} 12",
            "prompt_tokens: 331, completion tokens 66",
            "node gpu-1 gpu 3 XID 79 at 2026-11-21T03:06:58Z",
        ] {
            assert_eq!(redact(text), text);
        }
    }
}
