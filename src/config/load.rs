//! Finds, reads and checks the configuration file. The only part of `config` that touches files.

use std::path::{Path, PathBuf};

use super::build::build;
use super::file::File;
use super::{Cluster, Config, Kube, secret};

/// Why there is no configuration. Shown as it is; holds no value of the file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    #[error("{file}: cannot be read: {cause} ({hint})")]
    Unreadable {
        file: String,
        cause: String,
        hint: String,
    },
    #[error("{file}:{line}: {what}{}", in_brackets(.hint))]
    Invalid {
        file: String,
        line: usize,
        what: String,
        hint: String,
    },
}

fn in_brackets(hint: &str) -> String {
    if hint.is_empty() {
        String::new()
    } else {
        format!(" ({hint})")
    }
}

/// Loads what applies: the file of the flag, else of `FARWATCH_CONFIG`, else the platform's own
/// path if there is one there, else the current context of a kubeconfig, else nothing at all.
pub fn load(flag: Option<&Path>, env: Option<&Path>) -> Result<Config, ConfigError> {
    if let Some(named) = flag.or(env.filter(|path| !path.as_os_str().is_empty())) {
        let hint = if flag.is_some() {
            "named by --config"
        } else {
            "named by FARWATCH_CONFIG"
        };
        return read(named, hint);
    }
    if let Some(path) = default_path()
        && path.exists()
    {
        return read(&path, "check its owner and mode");
    }
    let mut config = Config::default();
    config.clusters.extend(from_kubeconfig());
    Ok(config)
}

/// Where the file is looked for when nobody names one.
pub fn default_path() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "farwatch").map(|d| d.config_dir().join("config.toml"))
}

fn read(path: &Path, hint: &str) -> Result<Config, ConfigError> {
    let unreadable = |cause: std::io::Error| ConfigError::Unreadable {
        file: path.display().to_string(),
        cause: cause.to_string(),
        hint: hint.to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let path = std::path::absolute(path).map_err(unreadable)?;
    parse(&text, &path)
}

/// Reads the text of a configuration file; relative paths in it start at the file's folder.
pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    let at =
        |span: Option<std::ops::Range<usize>>, what: String, hint: String| ConfigError::Invalid {
            file: path.display().to_string(),
            line: line_of(text, span.map_or(0, |s| s.start)),
            what,
            hint,
        };
    if let Some(secret) = secret::find(text) {
        return Err(at(Some(secret.span), secret.what, secret.hint));
    }
    let file: File = toml::from_str(text).map_err(|error| {
        let (what, hint) = explain(error.message());
        at(error.span(), what, hint)
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut config = build(file, folder).map_err(|m| at(m.span, m.what, m.hint))?;
    config.file = Some(path.to_path_buf());
    Ok(config)
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|b| **b == b'\n').count() + 1
}

/// The parser's message for the operator: unknown keys get a suggestion, values are not repeated.
fn explain(message: &str) -> (String, String) {
    let message = message.lines().collect::<Vec<_>>().join("; ");
    if let Some(rest) = message
        .strip_prefix("unknown field ")
        .or_else(|| message.strip_prefix("unknown variant "))
    {
        let mut names = rest.split('`').skip(1).step_by(2);
        let given = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        let kind = if message.starts_with("unknown field") {
            "key"
        } else {
            "value"
        };
        let hint = match nearest(given, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        return (format!("unknown {kind} `{given}`"), hint);
    }
    for kind in ["string", "integer", "floating point", "boolean"] {
        let start = format!("invalid type: {kind} ");
        if let Some(rest) = message.strip_prefix(&start) {
            // The value may be anything, a secret too: it ends before the last ", expected".
            let expected = rest.rsplit_once(", expected ").map_or("", |(_, e)| e);
            return (
                format!("wrong type: {kind}, expected {expected}"),
                String::new(),
            );
        }
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return (format!("{name} is missing"), String::new());
    }
    (message, String::new())
}

/// The known name that the operator most likely meant.
pub fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), *name))
        .filter(|(distance, name)| {
            *distance <= 2.max(name.len() / 3) || strsim::jaro_winkler(given, name) > 0.88
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Without a configuration file the current context of the kubeconfig is the one cluster.
fn from_kubeconfig() -> Option<Cluster> {
    let files: Vec<PathBuf> = match std::env::var_os("KUBECONFIG") {
        Some(list) if !list.is_empty() => std::env::split_paths(&list).collect(),
        _ => {
            let home = directories::BaseDirs::new()?.home_dir().to_path_buf();
            vec![home.join(".kube").join("config")]
        }
    };
    files.iter().find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        let context = current_context(&text)?;
        Some(Cluster {
            name: name_from(&context),
            kube: Some(Kube {
                context: Some(context),
                ..Kube::default()
            }),
            ..Cluster::default()
        })
    })
}

/// `current-context` of a kubeconfig. It is a top-level scalar, in YAML and in JSON alike; the
/// whole file is read by the Kubernetes client later, with its own errors.
fn current_context(text: &str) -> Option<String> {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        let name = json.get("current-context")?.as_str()?.to_owned();
        return (!name.is_empty()).then_some(name);
    }
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("current-context:"))?
        .trim();
    let value = match value.strip_prefix(['"', '\'']) {
        Some(quoted) => quoted.split(['"', '\'']).next().unwrap_or_default(),
        None => value.split(" #").next().unwrap_or_default().trim(),
    };
    (!value.is_empty()).then(|| value.to_owned())
}

/// A cluster name from a context name: `admin@Prod_1` becomes `admin-prod-1`.
fn name_from(context: &str) -> String {
    let mut name = String::new();
    for c in context.chars().flat_map(char::to_lowercase).take(63) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.len() < 3 {
        format!("cluster-{name}").trim_end_matches('-').to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::build::is_cluster_name;

    #[test]
    fn a_kubeconfig_names_the_cluster() {
        let yaml = "apiVersion: v1\nclusters: []\ncurrent-context: \"admin@Prod_1\"\n";
        assert_eq!(current_context(yaml).as_deref(), Some("admin@Prod_1"));
        assert_eq!(
            current_context("{\"current-context\": \"x\"}").as_deref(),
            Some("x")
        );
        assert_eq!(current_context("current-context: \"\"\n"), None);
        assert_eq!(current_context("contexts: []\n"), None);
        for context in ["admin@Prod_1", "x", "äöü", "kind-kind", &"y".repeat(200)] {
            let name = name_from(context);
            assert!(is_cluster_name(&name), "{context} became {name}");
        }
        assert_eq!(name_from("admin@Prod_1"), "admin-prod-1");
    }

    #[test]
    fn values_are_not_repeated() {
        let (what, _) =
            explain("invalid type: string \"my, expected secret\", expected struct Endpoint");
        assert_eq!(what, "wrong type: string, expected struct Endpoint");
    }

    #[test]
    fn suggestions_are_near() {
        let known = ["prometheus", "alertmanager", "loki", "name"];
        assert_eq!(nearest("promethues", &known), Some("prometheus"));
        assert_eq!(nearest("alert_manager", &known), Some("alertmanager"));
        assert_eq!(nearest("zzzzzzzz", &known), None);
    }
}
