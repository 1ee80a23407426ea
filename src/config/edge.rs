//! Sites with exporters and no Prometheus: how much of what exporters tell is held, and whether it
//! travels over the team's bus.

use serde::Deserialize;
use toml::Spanned;

use super::build::{Mistake, mistake};
use super::file::{Size, size};

/// Half of a line of 64 kbit/s.
const BUDGET: u64 = 4 << 10;
const LEAST_BUDGET: u64 = 64;
const WINDOW: u64 = 32 << 20;
const LEAST_WINDOW: u64 = 1 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `edge = { samples = \"team\" }`")]
pub struct Written {
    #[serde(default, deserialize_with = "super::word::word")]
    pub samples: Samples,
    pub budget: Option<Spanned<String>>,
    pub window: Option<Spanned<Size>>,
}

/// What becomes of the samples of a cluster's exporters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub samples: Samples,
    /// Bytes a second that publishing may take, all around the samples included; 0: no bound.
    pub budget: u64,
    /// Memory for the samples as exporters told them, bytes.
    pub window_bytes: u64,
}

/// Which way samples go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Samples {
    /// Exporters are asked here.
    #[default]
    Own,
    /// The same, and `farwatch watch` publishes them on the team's bus.
    Publish,
    /// They come from the team's bus.
    Team,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            samples: Samples::Own,
            budget: BUDGET,
            window_bytes: WINDOW,
        }
    }
}

/// What else the file has, on which the way of the samples depends.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    /// The cluster names exporters.
    pub exporters: bool,
    /// The cluster names a Prometheus.
    pub prometheus: bool,
    /// There is a bus of the team.
    pub team: bool,
}

pub(super) fn edge(entry: Option<Spanned<Written>>, beside: Beside) -> Result<Edge, Mistake> {
    let Some(entry) = entry else {
        return Ok(Edge::default());
    };
    let span = entry.span();
    let entry = entry.into_inner();
    match entry.samples {
        Samples::Publish if !beside.exporters => {
            let hint = "add `exporters = [{ url = \"...\" }]`";
            return mistake(span, "the cluster has no exporters to publish", hint);
        }
        Samples::Team if beside.exporters || beside.prometheus => {
            let hint = "leave out `exporters` and `prometheus`, or `samples`";
            return mistake(span, "samples come from the team's bus, or from here", hint);
        }
        Samples::Publish | Samples::Team if !beside.team => {
            let what = "`edge.samples` needs the team's bus";
            return mistake(span, what, "add [team] with its `nats`");
        }
        _ => {}
    }
    let window_bytes = match entry.window {
        None => WINDOW,
        Some(size) if size.get_ref().0 >= LEAST_WINDOW => size.get_ref().0,
        Some(size) => return mistake(size.span(), "`window` is too small", "1MiB at least"),
    };
    Ok(Edge {
        samples: entry.samples,
        budget: entry.budget.map_or(Ok(BUDGET), budget)?,
        window_bytes,
    })
}

/// `4 KiB/s`, or `none`.
fn budget(text: Spanned<String>) -> Result<u64, Mistake> {
    let given = text.get_ref().trim();
    if given == "none" {
        return Ok(0);
    }
    let rate = given.strip_suffix("/s").and_then(size);
    match rate {
        Some(rate) if rate >= LEAST_BUDGET => Ok(rate),
        _ => {
            let hint = "bytes a second, such as \"4 KiB/s\", 64 B/s at least; or \"none\"";
            mistake(text.span(), "`budget` is no rate", hint)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::parse;

    fn read(rest: &str) -> Result<Edge, String> {
        let text = format!("[[clusters]]\nname = \"alpha\"\n{rest}\n{TEAM}");
        let config = parse(&text, std::path::Path::new("/x/c.toml")).map_err(|e| e.to_string())?;
        Ok(config.clusters[0].edge.clone())
    }

    const TEAM: &str = "[team]\nnats = { url = \"nats://a:4222\" }\n";
    const EXPORTERS: &str = "exporters = [{ url = \"http://a:9100/metrics\" }]\n";

    #[test]
    fn all_of_it() {
        assert_eq!(read(""), Ok(Edge::default()));
        let given = "edge = { samples = \"publish\", budget = \"500 B/s\", window = \"128MiB\" }";
        let edge = read(&format!("{EXPORTERS}{given}")).expect("valid");
        assert_eq!(edge.samples, Samples::Publish);
        assert_eq!((edge.budget, edge.window_bytes), (500, 128 << 20));
        let edge = read("edge = { samples = \"team\", budget = \"none\" }").expect("valid");
        assert_eq!((edge.samples, edge.budget), (Samples::Team, 0));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (rest, told) in [
            (
                "edge = { samples = \"publish\" }",
                ":3: the cluster has no exporters",
            ),
            (
                "edge = { window = \"1kB\" }",
                ":3: `window` is too small (1MiB at least)",
            ),
            ("edge = { budget = \"4 KiB\" }", ":3: `budget` is no rate"),
            ("edge = { budget = \"1 B/s\" }", ":3: `budget` is no rate"),
            ("edge = { sample = \"team\" }", "did you mean `samples`?"),
        ] {
            let error = read(rest).expect_err(rest);
            assert!(error.contains(told), "{rest}: {error}");
        }
        for (rest, told) in [
            (
                "edge = { samples = 1 }",
                "expected one of \"own\", \"publish\", \"team\"",
            ),
            (
                "edge = \"team\"",
                ":3: wrong type: text, expected a table (write `edge = {",
            ),
        ] {
            let error = read(rest).expect_err(rest);
            assert!(error.contains(told), "{rest}: {error}");
        }
        let both = format!("{EXPORTERS}edge = {{ samples = \"team\" }}");
        let error = read(&both).expect_err("both");
        assert!(
            error.contains("from the team's bus, or from here"),
            "{error}"
        );
    }

    #[test]
    fn without_a_team_no_samples_travel() {
        for rest in [
            "edge = { samples = \"team\" }".to_owned(),
            format!("{EXPORTERS}edge = {{ samples = \"publish\" }}"),
        ] {
            let text = format!("[[clusters]]\nname = \"alpha\"\n{rest}\n");
            let error = parse(&text, std::path::Path::new("/x/c.toml")).expect_err("refused");
            let line = 2 + rest.lines().count();
            let told = format!(
                ":{line}: `edge.samples` needs the team's bus (add [team] with its `nats`)"
            );
            assert!(error.to_string().contains(&told), "{error}");
        }
    }
}
