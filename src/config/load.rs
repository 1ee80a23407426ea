//! Finds, reads and checks the configuration file. The only part of `config` that touches files.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::de::DeTable;

use super::build::build;
use super::file::File;
use super::{Config, dashboard, runbook, secret};

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

impl ConfigError {
    pub fn file(&self) -> &str {
        match self {
            Self::Unreadable { file, .. } | Self::Invalid { file, .. } => file,
        }
    }

    /// What is wrong within the file.
    pub fn what(&self) -> String {
        match self {
            Self::Unreadable { cause, .. } => cause.clone(),
            Self::Invalid { line, what, .. } => format!("line {line}: {what}"),
        }
    }

    /// What to do about it; may be empty.
    pub fn hint(&self) -> &str {
        match self {
            Self::Unreadable { hint, .. } | Self::Invalid { hint, .. } => hint,
        }
    }
}

fn in_brackets(hint: &str) -> String {
    if hint.is_empty() {
        String::new()
    } else {
        format!(" ({hint})")
    }
}

/// Loads what applies: the file of the flag, else of `FARWATCH_CONFIG`, else the platform's own
/// path if there is one there; without any, the contexts of the kubeconfig are the clusters.
pub fn load(flag: Option<&Path>, env: Option<&Path>) -> Result<Config, ConfigError> {
    let named = flag.or(env.filter(|path| !path.as_os_str().is_empty()));
    let hint = match (flag, named) {
        (Some(_), _) => "named by --config",
        (None, Some(_)) => "named by FARWATCH_CONFIG",
        (None, None) => "check its owner and mode",
    };
    let default = default_path();
    let path = named.or(default.as_deref());
    let mut config = match path.filter(|path| named.is_some() || path.exists()) {
        Some(path) => read(path, hint)?,
        None => Config::default(),
    };
    if let Some(folder) = path.and_then(Path::parent) {
        let (dashboards, faults) = dashboard::load(&folder.join("dashboards"));
        config.dashboards = dashboards.into();
        config.dashboard_faults = faults.into();
    }
    if let Some(folder) = &config.runbook_folder {
        let (runbooks, faults) = runbook::load(folder);
        config.runbooks = runbooks.into();
        config.runbook_faults = faults.into();
    }
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
    let name = path.display().to_string();
    let at = |span, what, hint| invalid(text, &name, span, (what, hint));
    let wrong =
        |error: toml::de::Error| invalid(text, &name, error.span(), explain(error.message()));
    let table = DeTable::parse(text).map_err(wrong)?;
    if let Some(secret) = secret::find(table.get_ref()) {
        return Err(at(Some(secret.span), secret.what, secret.hint));
    }
    let file = File::deserialize(toml::Deserializer::from(table)).map_err(wrong)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut config = build(file, folder).map_err(|m| at(m.span, m.what, m.hint))?;
    config.file = Some(path.to_path_buf());
    Ok(config)
}

/// A mistake at a place of `text`: what it is, and a hint.
pub(super) fn invalid(
    text: &str,
    file: &str,
    span: Option<std::ops::Range<usize>>,
    (what, hint): (String, String),
) -> ConfigError {
    ConfigError::Invalid {
        file: file.to_owned(),
        line: line_of(text, span.map_or(0, |s| s.start)),
        what,
        hint,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|b| **b == b'\n').count() + 1
}

/// The parser's message for the operator: unknown keys get a suggestion, values are not repeated.
pub(super) fn explain(message: &str) -> (String, String) {
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
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        return wrong_type(rest);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return (format!("{name} is missing"), String::new());
    }
    (message, String::new())
}

/// `map, expected a sequence` in the operator's words. The value that stands behind some types may be
/// anything, a secret too: it is left out, and ends before the last ", expected".
fn wrong_type(told: &str) -> (String, String) {
    let kinds = [
        ("string", "text"),
        ("integer", "integer"),
        ("floating point", "number"),
        ("boolean", "boolean"),
        ("map", "a table"),
        ("sequence", "a list"),
    ];
    let given = kinds.iter().find(|(kind, _)| told.starts_with(kind));
    let given = given.map_or("something else", |(_, word)| word);
    let expected = told.rsplit_once(", expected ").map_or("", |(_, e)| e);
    // What to write stands behind a colon, where the type tells it.
    let (expected, hint) = match expected.split_once(": ") {
        Some((what, hint)) => (what, hint),
        None if expected.starts_with("struct ") => ("a table", "write `{ key = value }`"),
        None if expected == "a sequence" => (
            "a list",
            "write `[...]` around it, or `[[NAME]]` above each table",
        ),
        None if expected == "a map" => ("a table", "write `{ key = value }`"),
        None if expected == "a string" => ("text", "write it in quotes"),
        None => (expected, ""),
    };
    let what = format!("wrong type: {given}, expected {expected}");
    (what, hint.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_repeated() {
        let (what, hint) =
            explain("invalid type: string \"my, expected secret\", expected struct Endpoint");
        assert_eq!(what, "wrong type: text, expected a table");
        assert_eq!(hint, "write `{ key = value }`");
    }

    #[test]
    fn suggestions_are_near() {
        let known = ["prometheus", "alertmanager", "loki", "name"];
        assert_eq!(nearest("promethues", &known), Some("prometheus"));
        assert_eq!(nearest("alert_manager", &known), Some("alertmanager"));
        assert_eq!(nearest("zzzzzzzz", &known), None);
    }
}
