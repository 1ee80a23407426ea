//! The team's bus: what watchers and consoles of one team share.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::build::{Mistake, mistake};
use super::nats::{self, Nats};

/// Time the team's bus is given to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
const NAME: &str = "farwatch";
/// Letters of a name; the buckets are called after it.
const LETTERS: std::ops::RangeInclusive<usize> = 1..=32;
/// Copies that JetStream can hold of a stream.
const COPIES: std::ops::RangeInclusive<u8> = 1..=5;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(
    expecting = "a table: write `[team]`, and below it `nats = { url = \"nats://host:4222\" }`"
)]
pub struct Written {
    pub nats: Spanned<nats::Written>,
    pub name: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "super::word::word")]
    pub incidents: IncidentsFrom,
    pub create: Option<bool>,
    pub replicas: Option<Spanned<u8>>,
}

/// The NATS of the team, apart from those of the clusters.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    pub nats: Nats,
    /// Name of the stream, and prefix of the buckets: `NAME-desk`, `NAME-presence`, `NAME-leases`.
    pub name: String,
    pub incidents: IncidentsFrom,
    /// Stream and buckets that are missing are made.
    pub create: bool,
    /// Copies of what is made, 1 to 5.
    pub replicas: u8,
}

/// Where the incidents of a console come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentsFrom {
    /// They are detected here.
    #[default]
    Own,
    /// The watchers detect them; they are read from the team's stream.
    Watchers,
}

pub(super) fn team(entry: Written, folder: &Path) -> Result<Team, Mistake> {
    if let Some(followed) = entry.nats.get_ref().follow.first() {
        let hint = "subjects are followed on the `nats` of a cluster";
        return mistake(
            followed.span(),
            "nothing is followed on the team's bus",
            hint,
        );
    }
    if entry.nats.get_ref().interval.is_some() {
        let hint = "leave it out; `[watch] interval` is that of the leases";
        return mistake(
            entry.nats.span(),
            "`interval` has no use on the team's bus",
            hint,
        );
    }
    let name = match entry.name {
        None => NAME.to_owned(),
        Some(name) => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            let text = name.get_ref();
            if !LETTERS.contains(&text.len()) || !text.bytes().all(plain) {
                let hint = "1 to 32 letters, digits, `-` and `_`";
                return mistake(name.span(), "a stream cannot have this name", hint);
            }
            name.into_inner()
        }
    };
    let replicas = match entry.replicas {
        None => 1,
        Some(copies) if COPIES.contains(copies.get_ref()) => copies.into_inner(),
        Some(copies) => return mistake(copies.span(), "`replicas` is out of range", "1 to 5"),
    };
    Ok(Team {
        nats: nats::nats(entry.nats, folder, None, TIMEOUT)?,
        name,
        incidents: entry.incidents,
        create: entry.create.unwrap_or(true),
        replicas,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NatsAuth;
    use crate::config::load::parse;

    fn read(text: &str) -> Result<Option<Team>, String> {
        let config = parse(text, Path::new("/x/c.toml")).map_err(|e| e.to_string())?;
        Ok(config.team)
    }

    #[test]
    fn a_team_needs_no_more_than_an_address() {
        assert_eq!(read(""), Ok(None));
        let team = read("[team]\nnats = { url = \"nats://a:4222\" }").expect("valid");
        let team = team.expect("there");
        assert_eq!(
            (team.name.as_str(), team.create, team.replicas),
            ("farwatch", true, 1)
        );
        assert_eq!(team.incidents, IncidentsFrom::Own);
        assert_eq!(team.nats.timeout, TIMEOUT);
    }

    #[test]
    fn all_of_it() {
        let text = "[team]\nname = \"ops_2\"\nincidents = \"watchers\"\ncreate = false\n\
            replicas = 3\n[team.nats]\nurl = \"tls://a\"\ncreds_file = \"team.creds\"\n";
        let team = read(text).expect("valid").expect("there");
        assert_eq!(
            (team.name.as_str(), team.create, team.replicas),
            ("ops_2", false, 3)
        );
        assert_eq!(team.incidents, IncidentsFrom::Watchers);
        assert_eq!(team.nats.auth, NatsAuth::Creds("/x/team.creds".into()));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (rest, told) in [
            (
                "name = \"a.b\"",
                ":3: a stream cannot have this name (1 to 32",
            ),
            ("name = \"\"", ":3: a stream cannot have this name"),
            ("replicas = 6", ":3: `replicas` is out of range (1 to 5)"),
            (
                "incidents = \"watcher\"",
                ":3: unknown value `watcher` (did you mean `watchers`?)",
            ),
            (
                "incident = \"own\"",
                ":3: unknown key `incident` (did you mean `incidents`?)",
            ),
            ("token = \"hunter2\"", "secret"),
        ] {
            let text = format!("[team]\nnats = {{ url = \"nats://a\" }}\n{rest}\n");
            let error = read(&text).expect_err(rest);
            assert!(error.contains(told), "{rest}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let error = read("[team]\nname = \"a\"").expect_err("no address");
        assert!(
            error.contains("`nats` is missing") || error.contains("nats is missing"),
            "{error}"
        );
        let text = "[team]\nnats = { url = \"nats://a\", follow = [\"ai.>\"] }";
        let error = read(text).expect_err("followed");
        assert!(error.contains("nothing is followed"), "{error}");
    }
}
