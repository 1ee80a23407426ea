//! Label sets that come out of label sets.

use std::sync::Arc;

use regex::Regex;

use super::error::{Result, evaluation};
use super::storage::{Matcher, NAME, Rule};
use crate::model::label::Labels;

/// The label set less the name of the metric.
pub(super) fn nameless(labels: &Labels) -> Labels {
    match labels.get(NAME) {
        Some(_) => labels.without(&[NAME]),
        None => labels.clone(),
    }
}

pub(super) fn only(labels: &Labels, names: &[String]) -> Labels {
    let kept = labels.pairs().iter();
    let kept = kept.filter(|(name, _)| names.iter().any(|n| **n == **name));
    Labels::new(kept.cloned().collect())
}

/// Less these, and less the name of the metric.
pub(super) fn but(labels: &Labels, names: &[String]) -> Labels {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.push(NAME);
    labels.without(&names)
}

/// With this label set to this value; an empty one takes it away.
pub(super) fn with(labels: &Labels, name: &str, value: &str) -> Labels {
    let others = labels.pairs().iter().filter(|(n, _)| **n != *name);
    let mut pairs: Vec<_> = others.cloned().collect();
    pairs.push((Arc::from(name), Arc::from(value)));
    Labels::new(pairs)
}

pub(super) fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// What `absent` says of a selector: the labels that it asks for by one value each.
pub(super) fn asked_for(matchers: &[Matcher]) -> Labels {
    let mut pairs: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for matcher in matchers.iter().filter(|m| m.name != NAME) {
        match &matcher.rule {
            Rule::Is(value) if !seen.contains(&matcher.name.as_str()) => {
                seen.push(&matcher.name);
                pairs.push((matcher.name.as_str().into(), value.as_str().into()));
            }
            _ => pairs.retain(|(name, _)| **name != *matcher.name),
        }
    }
    Labels::new(pairs)
}

/// `label_replace`.
pub(super) struct Replace<'a> {
    target: &'a str,
    to: &'a str,
    source: &'a str,
    regex: Regex,
}

impl<'a> Replace<'a> {
    pub fn new([target, to, source, regex]: [&'a str; 4]) -> Result<Self> {
        let Ok(compiled) = Regex::new(&format!("^(?:{regex})$")) else {
            let words = format!("invalid regular expression in label_replace(): {regex}");
            return evaluation(words);
        };
        if !is_name(target) {
            let words = format!("invalid destination label name in label_replace(): {target}");
            return evaluation(words);
        }
        Ok(Self {
            target,
            to,
            source,
            regex: compiled,
        })
    }

    pub fn of(&self, labels: &Labels) -> Labels {
        let value = labels.get(self.source).unwrap_or_default();
        let Some(found) = self.regex.captures(value) else {
            return labels.clone();
        };
        let mut written = String::new();
        found.expand(self.to, &mut written);
        with(labels, self.target, &written)
    }
}

/// `label_join`.
pub(super) struct Join<'a> {
    target: &'a str,
    between: &'a str,
    sources: Vec<&'a str>,
}

impl<'a> Join<'a> {
    pub fn new(target: &'a str, between: &'a str, sources: Vec<&'a str>) -> Result<Self> {
        if let Some(wrong) = sources.iter().find(|s| !is_name(s)) {
            let words = format!("invalid source label name in label_join(): {wrong}");
            return evaluation(words);
        }
        if !is_name(target) {
            let words = format!("invalid destination label name in label_join(): {target}");
            return evaluation(words);
        }
        Ok(Self {
            target,
            between,
            sources,
        })
    }

    pub fn of(&self, labels: &Labels) -> Labels {
        let values = self.sources.iter().map(|s| labels.get(s));
        let values: Vec<&str> = values.map(Option::unwrap_or_default).collect();
        with(labels, self.target, &values.join(self.between))
    }
}
