//! One investigation with what is true of it, and how well an answer does.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use crate::agent::answer;
use crate::cli::args::{Start, start};
use crate::cli::ask::told::Told;

/// The recording that is part of the program.
const DEMO: &str = "demo";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// `demo`, or a file beside that of the case; its folder is the set that it belongs to.
    pub replay: PathBuf,
    #[serde(deserialize_with = "at")]
    pub at: Start,
    pub question: String,
    /// The incident that the console itself is asked about; empty where nothing is wrong.
    pub why: String,
    pub persona: String,
    /// Of each group one word must stand in the conclusion.
    cause: Vec<Vec<String>>,
    /// Of each group one tool must have answered and be cited.
    evidence: Vec<Vec<String>>,
    /// Words that must stand neither in the conclusion nor in the evidence.
    #[serde(default)]
    forbidden: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

fn at<'de, D: Deserializer<'de>>(from: D) -> Result<Start, D::Error> {
    let text = String::deserialize(from)?;
    start(&text).map_err(serde::de::Error::custom)
}

/// All cases of a folder, in the order of its files. The error names the file.
pub fn read(folder: &Path) -> Result<Vec<Case>, String> {
    let told = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let entries = std::fs::read_dir(folder).map_err(|e| told(folder, &e))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    let mut all: Vec<Case> = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|e| told(&path, &e))?;
        let file: File = toml::from_str(&text).map_err(|e| told(&path, &e))?;
        for case in file.case {
            if all.iter().any(|known| known.name == case.name) {
                return Err(told(
                    &path,
                    &format!("case {:?} stands here twice", case.name),
                ));
            }
            if case.cause.is_empty() || case.evidence.is_empty() {
                return Err(told(
                    &path,
                    &format!("case {:?} says nothing true", case.name),
                ));
            }
            all.push(case);
        }
    }
    Ok(all)
}

/// How well one answer did.
#[derive(Debug, Serialize)]
pub struct Score {
    case: String,
    /// Where it is from: the demo, or a set of recordings, and whether there was a fault at all.
    set: String,
    by: &'static str,
    model: Option<String>,
    cause: bool,
    /// Groups of evidence that it rests on, of how many.
    evidence: usize,
    evidence_needed: usize,
    /// Statements that cite nothing that was read.
    unsupported: usize,
    /// Forbidden words that were said.
    forbidden: Vec<String>,
    calls: usize,
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
    ms: Option<u32>,
    /// Why it is no full answer.
    ended: Option<String>,
}

impl Case {
    /// `None`: the recording of the program.
    pub fn file(&self, folder: &Path) -> Option<PathBuf> {
        (self.replay != Path::new(DEMO)).then(|| folder.join(&self.replay))
    }

    fn set(&self) -> String {
        let folder = self.replay.parent().filter(|p| !p.as_os_str().is_empty());
        let name = folder.unwrap_or(&self.replay).display();
        match self.why.is_empty() {
            true => format!("{name}, nothing wrong"),
            false => name.to_string(),
        }
    }

    pub fn judged(&self, told: &Told) -> Score {
        let answer = &told.answer;
        let conclusion = answer.conclusion.to_lowercase();
        let claims: Vec<String> = answer
            .evidence
            .iter()
            .map(|c| c.text.to_lowercase())
            .collect();
        let says = |word: &String| conclusion.contains(&word.to_lowercase());
        let claimed = |word: &&String| {
            let word = word.to_lowercase();
            conclusion.contains(&word) || claims.iter().any(|claim| claim.contains(&word))
        };
        // What the console says in place of a model that failed is no answer of the model.
        let own = told.by == "agent" || told.ended.is_none();
        let cited = match own {
            true => answer::cites(&told.text),
            false => Vec::new(),
        };
        let rests = |tools: &&Vec<String>| {
            let used = told
                .calls
                .iter()
                .filter(|c| c.ok == Some(true) && cited.contains(&c.number));
            used.into_iter().any(|call| tools.contains(&call.tool))
        };
        Score {
            case: self.name.clone(),
            set: self.set(),
            by: told.by,
            model: told.model.clone(),
            cause: own && self.cause.iter().all(|group| group.iter().any(says)),
            evidence: self.evidence.iter().filter(rests).count(),
            evidence_needed: self.evidence.len(),
            unsupported: answer.evidence.iter().filter(|c| !c.supported).count(),
            forbidden: self.forbidden.iter().filter(claimed).cloned().collect(),
            calls: told.calls.len(),
            prompt_tokens: told.prompt_tokens,
            completion_tokens: told.completion_tokens,
            ms: told.total_ms,
            ended: told.ended.clone(),
        }
    }
}

impl Score {
    /// A row of a table; the first brings its head.
    pub fn row(&self, first: bool) -> String {
        let head = "| case | cause | evidence | unsupported | forbidden | calls | tokens | s | ended |\n\
                    |---|---|---|---|---|---|---|---|---|\n";
        let none = || "-".to_owned();
        let tokens = match (self.prompt_tokens, self.completion_tokens) {
            (Some(prompt), Some(said)) => format!("{prompt} + {said}"),
            _ => none(),
        };
        format!(
            "{}| {} | {} | {} of {} | {} | {} | {} | {tokens} | {} | {} |",
            if first { head } else { "" },
            self.case,
            if self.cause { "found" } else { "no" },
            self.evidence,
            self.evidence_needed,
            self.unsupported,
            match self.forbidden.is_empty() {
                true => none(),
                false => self.forbidden.join(", "),
            },
            self.calls,
            self.ms
                .map_or_else(none, |ms| format!("{:.1}", f64::from(ms) / 1000.0)),
            self.ended.clone().unwrap_or_else(none).replace('|', "/"),
        )
    }

    /// A line for each set of recordings, and one for all where there are several.
    pub fn totals(all: &[Self]) -> String {
        let mut sets: Vec<&str> = all.iter().map(|score| score.set.as_str()).collect();
        sets.dedup();
        let of = |set: &str| all.iter().filter(|s| s.set == set).collect::<Vec<_>>();
        let mut lines: Vec<String> = sets
            .iter()
            .map(|set| format!("{set}: {}", Self::total(&of(set))))
            .collect();
        if sets.len() > 1 {
            lines.push(format!(
                "all: {}",
                Self::total(&all.iter().collect::<Vec<_>>())
            ));
        }
        lines.join("\n")
    }

    fn total(all: &[&Self]) -> String {
        let count = |which: fn(&Self) -> bool| all.iter().filter(|s| which(s)).count();
        let sum = |of: fn(&Self) -> usize| all.iter().map(|s| of(s)).sum::<usize>();
        let by = match all.first() {
            Some(Self {
                model: Some(model), ..
            }) => model.clone(),
            _ => "farwatch, without a model".to_owned(),
        };
        format!(
            "{by}: cause found in {} of {} cases, evidence complete in {}, {} unsupported statements, {} \
             forbidden ones in {} cases, {} calls",
            count(|s| s.cause),
            all.len(),
            count(|s| s.evidence == s.evidence_needed),
            sum(|s| s.unsupported),
            sum(|s| s.forbidden.len()),
            count(|s| !s.forbidden.is_empty()),
            sum(|s| s.calls),
        )
    }
}
