//! The watcher: how it is asked how it does, what it keeps until the bus has it, whom else it tells.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Endpoint;
use super::build::{Mistake, mistake};
use super::endpoint::{Shared, endpoint, resolve};
use super::file::{self, Size, Span};
use super::several::Several;

/// Time an endpoint is given to take what it is told.
const TIMEOUT: Duration = Duration::from_secs(10);
const REQUESTS: u32 = 300;
/// Of leases. A lease that lives longer leaves a cluster without a watcher for as long.
const INTERVAL: std::ops::RangeInclusive<u64> = 1..=600;
const LEAST_SPOOL: u64 = 64 << 10;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub listen: Option<Spanned<String>>,
    pub interval: Option<Spanned<Span>>,
    pub spool: Option<String>,
    pub spool_size: Option<Spanned<Size>>,
    #[serde(default)]
    pub webhook: Several,
    pub remote_write: Option<Spanned<file::Endpoint>>,
    pub otlp: Option<Spanned<file::Endpoint>>,
    #[serde(default, deserialize_with = "super::word::word")]
    pub log: LogForm,
}

/// What `farwatch watch` does beside watching.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// Where `/health`, `/ready` and `/metrics` are; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Between two renewals of the leases.
    pub interval: Duration,
    /// Folder of what the bus has not acknowledged; `None`: there is no place for it.
    pub spool: Option<PathBuf>,
    /// The most it may hold; the oldest give way.
    pub spool_size_bytes: u64,
    /// Alertmanagers, or what speaks as they do, that are told of incidents.
    pub webhook: Vec<Endpoint>,
    /// Takes samples by Prometheus' remote write.
    pub remote_write: Option<Endpoint>,
    /// Takes traces by OTLP over HTTP.
    pub otlp: Option<Endpoint>,
    pub log: LogForm,
    /// Samples of clusters with `edge.samples = "publish"` are published: by `farwatch watch`, not by
    /// a console with the same file.
    pub publishes: Option<Rhythm>,
}

/// How samples are gathered for the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// Scrapes of so long are one message.
    pub gather: Duration,
    /// So often all is told anew, for those who come later.
    pub generation: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            gather: Duration::from_secs(15),
            generation: Duration::from_secs(15 * 60),
        }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            listen: None,
            interval: Duration::from_secs(10),
            spool: None,
            spool_size_bytes: 64 << 20,
            webhook: Vec::new(),
            remote_write: None,
            otlp: None,
            log: LogForm::Text,
            publishes: None,
        }
    }
}

/// How lines of the log look on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    #[default]
    Text,
    Json,
}

pub(super) fn watch(entry: Written, folder: &Path) -> Result<Watch, Mistake> {
    let defaults = Watch::default();
    let shared = Shared {
        folder,
        interval: None,
        timeout: TIMEOUT,
        requests: REQUESTS,
        kube: false,
    };
    let outlet = |e: Spanned<file::Endpoint>| {
        useless(&e)?;
        endpoint(e, &shared)
    };
    let one = |e: Option<Spanned<file::Endpoint>>| e.map(outlet).transpose();
    let webhook = entry.webhook.0.into_iter().map(outlet);
    Ok(Watch {
        listen: entry.listen.map(address).transpose()?,
        interval: entry.interval.map_or(Ok(defaults.interval), interval)?,
        spool: entry.spool.map(|f| resolve(&f, folder)),
        spool_size_bytes: entry
            .spool_size
            .map_or(Ok(defaults.spool_size_bytes), room)?,
        webhook: webhook.collect::<Result<_, _>>()?,
        remote_write: one(entry.remote_write)?,
        otlp: one(entry.otlp)?,
        log: entry.log,
        publishes: None,
    })
}

/// An outlet belongs to no cluster through which it could be reached, and is told at its `interval`.
fn useless(entry: &Spanned<file::Endpoint>) -> Result<(), Mistake> {
    let given = entry.get_ref();
    let keys = [
        ("service", given.service.is_some()),
        ("pods", given.pods.is_some()),
        ("requests_per_minute", given.requests_per_minute.is_some()),
    ];
    match keys.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((key, _)) => {
            let what = format!("`{key}` has no use here");
            let hint = "give its `url`; `interval` is how often it is told";
            mistake(entry.span(), what, hint)
        }
    }
}

fn address(text: Spanned<String>) -> Result<SocketAddr, Mistake> {
    text.get_ref().parse().or_else(|_| {
        let hint = "an IP address and a port, such as \"127.0.0.1:9464\" or \"[::]:9464\"";
        mistake(text.span(), "`listen` is no address", hint)
    })
}

fn interval(span: Spanned<Span>) -> Result<Duration, Mistake> {
    let given = span.get_ref().0;
    match INTERVAL.contains(&given.as_secs()) {
        true => Ok(given),
        false => mistake(span.span(), "`interval` is out of range", "1s to 10m"),
    }
}

fn room(size: Spanned<Size>) -> Result<u64, Mistake> {
    match size.get_ref().0 {
        bytes if bytes >= LEAST_SPOOL => Ok(bytes),
        _ => mistake(size.span(), "`spool_size` is too small", "64KiB at least"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::parse;

    fn read(text: &str) -> Result<Watch, String> {
        let text = format!("[watch]\n{text}\n");
        let config = parse(&text, Path::new("/x/c.toml")).map_err(|e| e.to_string())?;
        Ok(config.watch)
    }

    #[test]
    fn nothing_is_contacted_unless_set() {
        let watch = read("").expect("valid");
        assert_eq!(watch, Watch::default());
        assert!(watch.listen.is_none() && watch.webhook.is_empty());
    }

    #[test]
    fn all_of_it() {
        let watch = read(
            "listen = \"[::1]:9464\"\ninterval = \"2s\"\nspool = \"spool\"\nspool_size = \"1 MiB\"\n\
             webhook = { url = \"http://a:9093/api/v2/alerts\" }\n\
             remote_write = { url = \"https://b/api/v1/write\", bearer_file = \"b.token\" }\n\
             otlp = { url = \"http://c:4318/v1/traces\" }\nlog = \"json\"",
        );
        let watch = watch.expect("valid");
        assert_eq!(watch.listen.map(|a| a.port()), Some(9464));
        assert_eq!(watch.interval, Duration::from_secs(2));
        assert_eq!(watch.spool.as_deref(), Some(Path::new("/x/spool")));
        assert_eq!(watch.spool_size_bytes, 1 << 20);
        assert_eq!(watch.webhook[0].url, "http://a:9093/api/v2/alerts");
        assert_eq!(watch.log, LogForm::Json);
        assert!(watch.remote_write.is_some() && watch.otlp.is_some());
        let two = read("webhook = [{ url = \"http://a\" }, { url = \"http://b\" }]");
        assert_eq!(two.expect("valid").webhook.len(), 2);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, told) in [
            ("listen = \"9464\"", ":2: `listen` is no address"),
            (
                "interval = \"1h\"",
                ":2: `interval` is out of range (1s to 10m)",
            ),
            ("interval = \"0s\"", "not a duration"),
            (
                "spool_size = 100",
                ":2: `spool_size` is too small (64KiB at least)",
            ),
            ("log = \"yaml\"", ":2: unknown value `yaml`"),
            ("otlp = { url = \"c:4318\" }", "scheme"),
            ("webhook = 1", ":2: wrong type"),
            (
                "log = true",
                ":2: wrong type: boolean, expected one of \"text\", \"json\"",
            ),
            (
                "otlp = { service = \"a/b:1\" }",
                ":2: `service` has no use here (give its `url`",
            ),
            (
                "webhook = { url = \"http://a\", requests_per_minute = 3 }",
                ":2: `requests_per_minute` has no use here",
            ),
            ("listening = \"a\"", "did you mean `listen`?"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
