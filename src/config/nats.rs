//! The bus of a cluster: its servers, who we are there, what is followed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::build::{Mistake, mistake};
use super::endpoint::{resolve, url};
use super::file::Span;
use crate::model::bus::Pattern;

/// Patterns that may be followed at a time.
const PATTERNS: usize = 8;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `nats = { url = \"nats://host:4222\" }`")]
pub struct Written {
    pub url: Option<Spanned<String>>,
    /// Several servers of one bus, tried in this order.
    #[serde(default)]
    pub urls: Vec<Spanned<String>>,
    pub creds_file: Option<String>,
    pub nkey_file: Option<String>,
    pub token_file: Option<String>,
    pub user: Option<String>,
    pub password_file: Option<String>,
    #[serde(default)]
    pub tls: bool,
    #[serde(default)]
    pub tls_first: bool,
    pub ca_file: Option<String>,
    pub client_cert_file: Option<String>,
    pub client_key_file: Option<String>,
    pub inbox_prefix: Option<String>,
    pub domain: Option<String>,
    #[serde(default)]
    pub follow: Vec<Spanned<String>>,
    pub interval: Option<Span>,
    pub timeout: Option<Span>,
}

/// How the bus of a cluster is reached, and what of it is followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nats {
    /// `nats://` or `tls://`, without user and password; at least one. No other server is
    /// contacted, whatever these tell of their neighbours.
    pub urls: Vec<String>,
    pub auth: NatsAuth,
    /// TLS whatever the server says.
    pub tls: bool,
    /// TLS before the server's greeting.
    pub tls_first: bool,
    pub ca_file: Option<PathBuf>,
    pub client_cert_file: Option<PathBuf>,
    pub client_key_file: Option<PathBuf>,
    /// Where answers come, if not under `_INBOX`.
    pub inbox_prefix: Option<String>,
    /// JetStream domain, if not the server's own.
    pub domain: Option<String>,
    /// Subjects that are followed all the time; empty: only while the bus screen is in view.
    pub follow: Vec<Pattern>,
    /// Time between two looks at the streams; `None`: by cluster type.
    pub interval: Option<Duration>,
    pub timeout: Duration,
}

/// Secrets by reference only; read anew for each connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NatsAuth {
    #[default]
    None,
    Creds(PathBuf),
    Nkey(PathBuf),
    Token(PathBuf),
    User {
        user: String,
        password_file: PathBuf,
    },
}

pub(super) fn nats(
    entry: Spanned<Written>,
    folder: &Path,
    interval: Option<Duration>,
    timeout: Duration,
) -> Result<Nats, Mistake> {
    let span = entry.span();
    let entry = entry.into_inner();
    let urls = entry.url.iter().chain(&entry.urls);
    let urls: Vec<String> = urls
        .map(|u| url(u, &["nats", "tls"]))
        .collect::<Result<_, _>>()?;
    if urls.is_empty() {
        return mistake(span, "`nats` names no server", "url = \"nats://host:4222\"");
    }
    if entry.client_cert_file.is_some() != entry.client_key_file.is_some() {
        return mistake(
            span,
            "a client certificate needs both its parts",
            "set `client_cert_file` and `client_key_file`",
        );
    }
    for word in [&entry.inbox_prefix, &entry.domain].into_iter().flatten() {
        if Pattern::new(word).is_err() || word.contains(['*', '>']) {
            return mistake(
                span,
                "`inbox_prefix` and `domain` are plain words",
                "letters, digits, `_`, dots",
            );
        }
    }
    Ok(Nats {
        urls,
        auth: auth(&entry, folder).map_err(|what| Mistake {
            span: Some(span),
            what: what.into(),
            hint: "use one of `creds_file`, `nkey_file`, `token_file`, or `user` with \
                   `password_file`"
                .into(),
        })?,
        tls: entry.tls,
        tls_first: entry.tls_first,
        ca_file: entry.ca_file.map(|p| resolve(&p, folder)),
        client_cert_file: entry.client_cert_file.map(|p| resolve(&p, folder)),
        client_key_file: entry.client_key_file.map(|p| resolve(&p, folder)),
        inbox_prefix: entry.inbox_prefix,
        domain: entry.domain,
        follow: patterns(entry.follow)?,
        interval: entry.interval.map(|s| s.0).or(interval),
        timeout: entry.timeout.map_or(timeout, |s| s.0),
    })
}

fn auth(entry: &Written, folder: &Path) -> Result<NatsAuth, &'static str> {
    let file = |path: &String| resolve(path, folder);
    let given = [
        entry.creds_file.as_ref().map(file).map(NatsAuth::Creds),
        entry.nkey_file.as_ref().map(file).map(NatsAuth::Nkey),
        entry.token_file.as_ref().map(file).map(NatsAuth::Token),
        match (&entry.user, &entry.password_file) {
            (Some(user), Some(password)) => Some(NatsAuth::User {
                user: user.clone(),
                password_file: file(password),
            }),
            (None, None) => None,
            _ => return Err("`user` and `password_file` belong together"),
        },
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (_, Some(_)) => Err("more than one way to sign in"),
        (one, None) => Ok(one.unwrap_or_default()),
    }
}

fn patterns(given: Vec<Spanned<String>>) -> Result<Vec<Pattern>, Mistake> {
    if let Some(over) = given.get(PATTERNS) {
        return mistake(
            over.span(),
            format!("more than {PATTERNS} subjects"),
            "wildcards take many at once: `*` for one token, `>` for all that follow",
        );
    }
    let pattern = |text: &Spanned<String>| match Pattern::new(text.get_ref()) {
        Ok(pattern) => Ok(pattern),
        Err(why) => mistake(
            text.span(),
            format!("this is no subject: {why}"),
            "such as \"ai.>\" or \"ai.chat.user.*.message\"",
        ),
    };
    given.iter().map(pattern).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::NatsAuth;
    use crate::config::load::parse;

    fn read(nats: &str) -> Result<super::Nats, String> {
        let text = format!("[[clusters]]\nname = \"alpha\"\nnats = {{ {nats} }}\n");
        let config = parse(&text, std::path::Path::new("/x/c.toml")).map_err(|e| e.to_string())?;
        Ok(config.clusters[0].nats.clone().expect("there"))
    }

    #[test]
    fn servers_and_sign_in() {
        let nats = read(
            "urls = [\"nats://a:4222\", \"tls://b\"], nkey_file = \"seed\", follow = [\"ai.>\"]",
        );
        let nats = nats.expect("valid");
        assert_eq!(nats.urls, ["nats://a:4222", "tls://b"]);
        assert_eq!(nats.auth, NatsAuth::Nkey("/x/seed".into()));
        assert_eq!(nats.follow[0].as_str(), "ai.>");
    }

    #[test]
    fn mistakes_are_told() {
        for (nats, told) in [
            ("tls = true", "no server"),
            ("url = \"http://a\"", "scheme"),
            ("url = \"nats://me:hunter2@a\"", "URL"),
            ("url = \"nats://a\", token = \"hunter2\"", "secret"),
            ("url = \"nats://a\", user = \"me\"", "belong together"),
            (
                "url = \"nats://a\", creds_file = \"a\", token_file = \"b\"",
                "more than one way",
            ),
            ("url = \"nats://a\", follow = [\"a..b\"]", "no subject"),
            (
                "url = \"nats://a\", client_cert_file = \"c\"",
                "both its parts",
            ),
            ("url = \"nats://a\", domain = \"a b\"", "plain words"),
        ] {
            let error = read(nats).expect_err(nats);
            assert!(error.contains(told), "{nats}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
