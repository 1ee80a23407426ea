//! Variables of a dashboard: what may be chosen, and how it is asked for.

use regex::Regex;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// What the operator reads; empty: the name.
    pub label: String,
    pub choices: Choices,
    /// Keeps the values that match; a group in it is what is kept of them.
    pub regex: String,
    /// More than one may be chosen: queries compare it with `=~`.
    pub multi: bool,
    /// "All" may be chosen: the expression that it stands for.
    pub all: Option<String>,
    /// Chosen at first; empty: all if that may be chosen, else the first.
    pub default: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choices {
    Values(Vec<String>),
    /// Values of a label, as the servers of the scope have them.
    Label {
        /// Of these series only; empty: of all.
        of: String,
        label: String,
        loki: bool,
    },
    /// Whatever the operator types.
    Text,
}

impl Default for Choices {
    fn default() -> Self {
        Self::Values(Vec::new())
    }
}

impl Choices {
    /// Reads `label_values(label)` and `label_values(selector, label)`, the way in which Grafana
    /// writes them.
    pub fn read(query: &str, loki: bool) -> Option<Self> {
        let inner = query.trim().strip_prefix("label_values")?.trim();
        let inner = inner.strip_prefix('(')?.strip_suffix(')')?.trim();
        let (of, label) = match inner.rfind(',') {
            // A comma inside of the selector's braces parts no arguments.
            Some(at) if !inner.get(at..)?.contains('}') => (inner.get(..at)?, inner.get(at + 1..)?),
            _ => ("", inner),
        };
        let label = label.trim();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = !label.is_empty() && label.chars().all(word);
        is_name.then(|| Self::Label {
            of: of.trim().to_owned(),
            label: label.to_owned(),
            loki,
        })
    }

    /// The reverse of [`Self::read`].
    pub fn write(&self) -> Option<String> {
        match self {
            Self::Label { of, label, .. } if of.is_empty() => {
                Some(format!("label_values({label})"))
            }
            Self::Label { of, label, .. } => Some(format!("label_values({of}, {label})")),
            Self::Values(_) | Self::Text => None,
        }
    }
}

impl Variable {
    pub fn title(&self) -> &str {
        match self.label.is_empty() {
            true => &self.name,
            false => &self.label,
        }
    }

    /// What may be chosen of what was heard: filtered, sorted, none twice.
    pub fn sift(&self, heard: impl IntoIterator<Item = String>) -> Vec<String> {
        let regex = match self.regex.is_empty() {
            true => None,
            false => Regex::new(&self.regex).ok(),
        };
        let keep = |value: String| match &regex {
            None => Some(value),
            Some(regex) => {
                let found = regex.captures(&value)?;
                let part = found.get(1).or_else(|| found.get(0))?;
                Some(part.as_str().to_owned())
            }
        };
        let mut kept: Vec<String> = heard.into_iter().filter_map(keep).collect();
        kept.retain(|v| !v.is_empty());
        kept.sort_unstable();
        kept.dedup();
        kept
    }

    /// Whether values go into a regular expression, and are escaped as such.
    pub fn in_regex(&self) -> bool {
        self.multi || self.all.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_of_values_are_read_and_written() {
        let read = |q: &str| Choices::read(q, false).and_then(|c| c.write());
        let same = |q: &str| assert_eq!(read(q).as_deref(), Some(q));
        same("label_values(namespace)");
        same("label_values(kube_pod_info{cluster=\"$cluster\", job=\"ksm\"}, namespace)");
        assert_eq!(
            read(" label_values( up , job ) ").as_deref(),
            Some("label_values(up, job)")
        );
        for other in [
            "",
            "label_values",
            "label_values(",
            "label_values()",
            "label_values(up{a=\"b\",c=\"d\"})",
            "query_result(up)",
            "metrics(node_.*)",
            "label_values(up, job) + 1",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn values_are_sifted() {
        let heard = || ["b-2", "a-1", "b-2", "", "c"].map(str::to_owned);
        let mut variable = Variable::default();
        assert_eq!(variable.sift(heard()), ["a-1", "b-2", "c"]);
        variable.regex = "-".into();
        assert_eq!(variable.sift(heard()), ["-"]);
        variable.regex = r"^([a-z])-\d$".into();
        assert_eq!(variable.sift(heard()), ["a", "b"]);
    }
}
