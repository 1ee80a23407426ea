//! Finds secrets that were written into the configuration file, so that they can be refused with
//! their line. Nothing here repeats the secret.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A mistake with its place in the text.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub span: Range<usize>,
    pub what: String,
    pub hint: String,
}

/// Keys that would hold the secret itself, with what to write instead.
const SECRET_KEYS: [(&str, &str); 16] = [
    ("bearer", BEARER),
    ("bearer_token", BEARER),
    ("token", BEARER),
    ("auth_token", BEARER),
    ("access_token", BEARER),
    ("api_key", BEARER),
    ("apikey", BEARER),
    ("authorization", BEARER),
    ("password", PASSWORD),
    ("passwd", PASSWORD),
    ("pass", PASSWORD),
    ("secret", BEARER),
    ("client_secret", BEARER),
    ("creds", CREDS),
    ("nkey", CREDS),
    ("seed", CREDS),
];

const BEARER: &str = "put it into a file readable by you alone and write `bearer_file = \"path\"`, \
                      or name a program that prints it: `bearer_command = [\"program\", \"argument\"]`";
const PASSWORD: &str = "put it into a file readable by you alone and write `user = \"name\"` and `password_file = \"path\"`";
const CREDS: &str =
    "name the file that holds it: `creds_file = \"path\"` or `nkey_file = \"path\"`";
const PEM: &str = "name the file that holds it: `client_key_file = \"path\"`";
const URL: &str = "leave it out of the URL and write `user = \"name\"` and `password_file = \"path\"`, \
                   or `bearer_file = \"path\"`";

const BUS_TOKEN: &str =
    "put it into a file readable by you alone and write `token_file = \"path\"`";
const BUS_URL: &str = "leave it out of the URL and write `user = \"name\"` and `password_file = \"path\"`, \
                       or `token_file = \"path\"`";

/// Where in the file a value stands: the same secret goes by other keys on a bus.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Plain,
    Headers,
    Bus,
}

impl Place {
    fn within(self, key: &str) -> Self {
        match key {
            "headers" => Self::Headers,
            "nats" => Self::Bus,
            _ if self == Self::Bus => Self::Bus,
            _ => Self::Plain,
        }
    }

    /// What to write here in place of what `hint` would have elsewhere.
    fn hint(self, hint: &'static str) -> &'static str {
        match hint {
            BEARER if self == Self::Bus => BUS_TOKEN,
            URL if self == Self::Bus => BUS_URL,
            hint => hint,
        }
    }
}

/// The first secret of a configuration, in the order in which it was written.
pub fn find(file: &DeTable<'_>) -> Option<Finding> {
    let mut found = Vec::new();
    walk_table(file, Place::Plain, &mut found);
    found.into_iter().min_by_key(|f| f.span.start)
}

fn walk_table(table: &DeTable<'_>, place: Place, found: &mut Vec<Finding>) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if place == Place::Headers && is_secret_header(name) {
            found.push(Finding {
                span: key.span(),
                what: format!("header \"{name}\" holds a secret"),
                hint: BEARER.into(),
            });
            continue;
        }
        if let Some(hint) = secret_key(name)
            && !matches!(value.get_ref(), DeValue::Table(_))
        {
            found.push(Finding {
                span: key.span(),
                what: format!("`{name}` holds a secret: secrets do not belong into this file"),
                hint: place.hint(hint).into(),
            });
            continue;
        }
        walk_value(name, value, place, found);
    }
}

fn walk_value(key: &str, value: &Spanned<DeValue<'_>>, place: Place, found: &mut Vec<Finding>) {
    match value.get_ref() {
        DeValue::String(text) => {
            if let Some((what, hint)) = secret_value(text) {
                found.push(Finding {
                    span: value.span(),
                    what: format!("`{key}` {what}"),
                    hint: place.hint(hint).into(),
                });
            }
        }
        DeValue::Array(items) => {
            for item in items.iter() {
                walk_value(key, item, place, found);
            }
        }
        DeValue::Table(table) => walk_table(table, place.within(key), found),
        _ => {}
    }
}

fn secret_key(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRET_KEYS
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, hint)| *hint)
}

/// Headers that carry credentials, by name.
fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "authorization",
        "cookie",
        "token",
        "secret",
        "api-key",
        "apikey",
        "password",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// Values that are secrets by their looks, whatever the key.
fn secret_value(text: &str) -> Option<(&'static str, &'static str)> {
    if text.contains("-----BEGIN") && text.contains("PRIVATE KEY") {
        return Some(("holds a private key", PEM));
    }
    let bare = text.trim();
    if bare.starts_with("eyJ") && bare.matches('.').count() == 2 || bare.starts_with("sha256~") {
        return Some(("holds a token", BEARER));
    }
    if bare.len() > 7
        && bare
            .get(..7)
            .is_some_and(|p| p.eq_ignore_ascii_case("bearer "))
        && !bare.get(7..).unwrap_or_default().contains(' ')
    {
        return Some(("holds a token", BEARER));
    }
    let (_, rest) = bare.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some(("holds a user or password in its URL", URL));
    }
    let (_, query) = rest.split_once('?')?;
    query
        .split(['&', ';'])
        .any(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            secret_key(name).is_some()
        })
        .then_some(("holds a token in its URL", URL))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, finding: &Finding) -> usize {
        text.get(..finding.span.start)
            .map_or(0, |t| t.lines().count().max(1))
    }

    #[test]
    fn literal_secrets_are_found_and_never_repeated() {
        for text in [
            "[agent]\nurl = \"http://a\"\nbearer = \"hunter2\"",
            "[[clusters]]\nname = \"a\"\nprometheus = { url = \"http://x\", token = \"hunter2\" }",
            "[nats]\nurl = \"nats://a\"\npassword = \"hunter2\"",
            "x = 1\ny = 2\nurl = \"https://me:hunter2@example.org/\"",
            "x = 1\ny = 2\nurl = \"https://example.org/?api_key=hunter2\"",
            "[a]\nb = 1\nheaders = { Authorization = \"Basic hunter2\" }",
            "[a]\nb = 1\nheaders = { \"X-Auth-Token\" = \"hunter2\" }",
            "[a]\nb = 1\nbearer_file = \"eyJhunter2.x.y\"",
            "[a]\nb = 1\nbearer_command = [\"curl\", \"https://me:hunter2@x/\"]",
        ] {
            let finding = find(DeTable::parse(text).unwrap().get_ref())
                .unwrap_or_else(|| panic!("missed in {text}"));
            assert!(!finding.what.contains("hunter2"), "{finding:?}");
            assert!(!finding.hint.contains("hunter2"), "{finding:?}");
            assert!(finding.hint.contains("_file"), "{finding:?}");
            let at = text
                .get(..finding.span.end)
                .expect("inside")
                .lines()
                .count();
            assert_eq!(at, 3, "{text}: {finding:?} {}", line(text, &finding));
        }
    }

    #[test]
    fn the_advice_names_keys_that_are_there() {
        let hint = |text: &str| find(DeTable::parse(text).unwrap().get_ref()).unwrap().hint;
        let token = hint("nats = { url = \"nats://a\", token = \"hunter2\" }");
        assert!(
            token.contains("`token_file") && !token.contains("bearer"),
            "{token}"
        );
        let url = hint("[[clusters]]\nnats.urls = [\"nats://me:hunter2@a\"]");
        assert!(
            url.contains("`password_file") && url.contains("`token_file"),
            "{url}"
        );
        assert!(!url.contains("bearer"), "{url}");
        let other = hint("[[clusters]]\nloki = { url = \"http://a\", token = \"hunter2\" }");
        assert!(other.contains("`bearer_file"), "{other}");
    }

    #[test]
    fn references_and_plain_headers_pass() {
        let text = r#"
            [[clusters]]
            name = "alpha"
            prometheus = { url = "https://127.0.0.1:9090", bearer_file = "alpha.token", ca_file = "ca.pem" }
            loki = { url = "http://127.0.0.1:3100/?x=1", headers = { "X-Scope-OrgID" = "ops" } }
            [agent]
            url = "http://127.0.0.1:8000/v1"
            bearer_command = ["oc", "whoami", "-t"]
            [nats]
            url = "nats://127.0.0.1:4222"
            user = "me"
            password_file = "nats.password"
        "#;
        assert_eq!(find(DeTable::parse(text).unwrap().get_ref()), None);
    }
}
