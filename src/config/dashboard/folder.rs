//! The folder with the operator's own dashboards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{built_in, parse};
use crate::config::load::ConfigError;
use crate::model::dashboard::{Dashboard, Origin};

/// Largest file that is read.
const MOST_BYTES: u64 = 4 << 20;

/// The dashboards of the program and of `folder`; one of the operator takes the place of a built-in
/// one with the same name. A file that cannot be read leaves its mistake.
pub fn load(folder: &Path) -> (Vec<Arc<Dashboard>>, Vec<ConfigError>) {
    let mut all = built_in();
    let mut mistakes = Vec::new();
    for path in files(folder, &mut mistakes) {
        match read(&path) {
            Ok(own) => match all.iter_mut().find(|d| d.name == own.name) {
                Some(one) if one.origin == Origin::BuiltIn => *one = Arc::new(own),
                Some(_) => mistakes.push(unreadable(
                    &path,
                    format!("there is another dashboard \"{}\"", own.name),
                    "give one of them another name",
                )),
                None => all.push(Arc::new(own)),
            },
            Err(mistake) => mistakes.push(mistake),
        }
    }
    (all, mistakes)
}

/// The files of the folder in the order of their names; a folder that is not there has none.
fn files(folder: &Path, mistakes: &mut Vec<ConfigError>) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            mistakes.push(unreadable(
                folder,
                error.to_string(),
                "check its owner and mode",
            ));
            return Vec::new();
        }
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Result<Dashboard, ConfigError> {
    let fault =
        |error: std::io::Error| unreadable(path, error.to_string(), "check its owner and mode");
    let bytes = std::fs::metadata(path).map_err(fault)?.len();
    if bytes > MOST_BYTES {
        let cause = format!("{bytes} bytes are more than {MOST_BYTES}");
        return Err(unreadable(path, cause, "is this a dashboard?"));
    }
    let text = std::fs::read_to_string(path).map_err(fault)?;
    let file = path.display().to_string();
    parse(&text, &file, Origin::File(file.clone()))
}

fn unreadable(path: &Path, cause: String, hint: &str) -> ConfigError {
    ConfigError::Unreadable {
        file: path.display().to_string(),
        cause,
        hint: hint.to_owned(),
    }
}
