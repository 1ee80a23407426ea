//! Holds the rules of the source tree: who may import whom, what pure modules must not name, how
//! long a file may be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which modules each may use. What is not listed may use everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &["model"]),
    ("term", &["model", "clock"]),
    ("config", &["model"]),
    ("store", &["model", "pattern"]),
    ("pattern", &[]),
    ("language", &["model"]),
    ("promql", &["model"]),
    ("edge", &["model", "bundle"]),
    ("detect", &["model", "store"]),
    ("incident", &["model", "store"]),
    ("cause", &[]),
    ("archive", &["model"]),
    ("command", &["model"]),
    ("message", &["model"]),
    ("bundle", &["model", "config", "source", "clock"]),
    (
        "source",
        &[
            "model", "config", "bundle", "clock", "message", "language", "promql", "edge",
        ],
    ),
    ("team", &["model", "config", "source", "clock", "message"]),
    ("report", &["model", "incident", "cause", "state", "store"]),
    (
        "agent",
        &[
            "model", "config", "source", "clock", "incident", "cause", "state", "store", "bundle",
            "language", "detect", "report",
        ],
    ),
    (
        "state",
        &[
            "model", "config", "store", "pattern", "detect", "incident", "cause", "command",
            "message", "agent", "ui", "report",
        ],
    ),
    (
        "ui",
        &[
            "model", "config", "store", "pattern", "incident", "cause", "command", "message",
            "state", "agent", "language",
        ],
    ),
];

/// Modules without effects.
const PURE: &[&str] = &[
    "model", "store", "pattern", "language", "promql", "edge", "detect", "incident", "cause",
    "state", "ui", "command", "message", "report",
];
/// What they must not name.
const EFFECTS: &[&str] = &[
    "tokio::",
    "reqwest::",
    "kube::",
    "async_nats",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "crate::clock",
    "SystemTime",
    "Instant::now",
];
/// Only these name the terminal's input types.
const TERMINAL: &[&str] = &["term", "command"];

const FILE_LINES: usize = 500;

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let inner = path.strip_prefix(&root).expect("below src");
        let first = inner.iter().next().expect("a name").to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).expect("source");
        (module, path, text)
    };
    found.into_iter().map(read).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src").flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    name.is_some_and(|n| n == "tests.rs" || n == "exposed.rs") || path.iter().any(|p| p == "tests")
}

/// The code before the unit tests, without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    let lines = text.get(..end).unwrap_or(text).lines().enumerate();
    lines
        .map(|(i, line)| (i + 1, line.split("//").next().unwrap_or("").trim()))
        .filter(|(_, line)| !line.is_empty())
}

/// Modules of ours that a line names: `crate::x`, and the list of `use crate::{x, y::z}`.
fn named(line: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        let letters = text.trim_start().chars();
        letters
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut found = Vec::new();
    for rest in line.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => found.extend(list.split(',').map(word)),
            None => found.push(word(rest)),
        }
    }
    found.retain(|m| !m.is_empty());
    found
}

#[test]
fn modules_use_only_what_they_may() {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut broken = Vec::new();
    for (module, path, text) in sources().iter().filter(|(_, p, _)| !is_test(p)) {
        let Some(allowed) = rules.get(module.as_str()) else {
            continue;
        };
        for (number, line) in code(text) {
            for other in named(line) {
                if other != *module && !allowed.contains(&other.as_str()) {
                    broken.push(format!(
                        "{}:{number}: {module} uses {other}",
                        path.display()
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn pure_modules_have_no_effects() {
    let mut broken = Vec::new();
    for (module, path, text) in sources().iter().filter(|(_, p, _)| !is_test(p)) {
        for (number, line) in code(text) {
            let place = format!("{}:{number}", path.display());
            if PURE.contains(&module.as_str())
                && let Some(what) = EFFECTS.iter().find(|e| line.contains(*e))
            {
                broken.push(format!("{place}: {module} names {what}"));
            }
            if line.contains("crossterm::") && !TERMINAL.contains(&module.as_str()) {
                broken.push(format!("{place}: {module} names crossterm"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_say_what_they_are_and_stay_short() {
    let mut broken = Vec::new();
    for (_, path, text) in sources() {
        let lines = text.lines().count();
        if !text.starts_with("//!") && !is_test(&path) {
            broken.push(format!("{}: does not open with //!", path.display()));
        }
        if lines > FILE_LINES && !is_test(&path) {
            broken.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_rules_can_be_broken() {
    assert_eq!(
        named("use crate::{source, model::id::ClusterId};"),
        ["source", "model"]
    );
    assert_eq!(named("let t = crate::clock::now();"), ["clock"]);
    assert_eq!(code("use a; // b\n#[cfg(test)]\nmod tests {}").count(), 1);
    assert!(sources().len() > 50);
}
