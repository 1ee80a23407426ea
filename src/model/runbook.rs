//! Runbooks: what to look at and to decide when something known goes wrong, in Markdown.

use std::collections::HashMap;

/// A word of the title tells as much as so many of the text.
const TITLE: f64 = 4.0;
/// So much do words count that say what it matches.
const MATCHES: f64 = 2.0;

/// One runbook. Its text is as untrusted as that of a log: nobody checked who wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Runbook {
    /// Name of its file without the end; lower-case letters, digits and hyphens.
    pub id: String,
    pub title: String,
    pub matches: Matches,
    /// Markdown.
    pub body: String,
    /// The operator's, not one of the program.
    pub own: bool,
}

/// What it is for. One of `alerts`, `signals` or `says` fits, and all of `labels`.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Matches {
    /// Names of alerts, with `*` and `?`.
    pub alerts: Vec<String>,
    /// Names of signals or metrics, likewise.
    pub signals: Vec<String>,
    /// Words in what a finding says, in small letters.
    pub says: Vec<String>,
    /// Labels and what they are, likewise with `*`.
    pub labels: std::collections::BTreeMap<String, String>,
}

impl Matches {
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
            && self.signals.is_empty()
            && self.says.is_empty()
            && self.labels.is_empty()
    }
}

/// All runbooks there are, with what a search needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runbooks {
    all: Vec<Runbook>,
    /// How much each word weighs in each of them.
    words: Vec<HashMap<String, f64>>,
    /// In how many a word stands.
    spread: HashMap<String, usize>,
}

impl Runbooks {
    pub fn new(all: Vec<Runbook>) -> Self {
        let words: Vec<_> = all.iter().map(weights).collect();
        let mut spread = HashMap::new();
        for word in words.iter().flat_map(HashMap::keys) {
            *spread.entry(word.clone()).or_default() += 1;
        }
        Self { all, words, spread }
    }

    pub fn all(&self) -> &[Runbook] {
        &self.all
    }

    pub fn get(&self, id: &str) -> Option<&Runbook> {
        self.all.iter().find(|r| r.id == id)
    }

    /// Those in which words of the query stand, best first: rare words count more, and words of the
    /// title more than words of the text. A word of the query may be the beginning of a longer one.
    pub fn search(&self, query: &str, most: usize) -> Vec<&Runbook> {
        let asked: Vec<String> = tokens(query).collect();
        let count = self.all.len() as f64;
        let rarity = |word: &str| {
            let held = self.spread.get(word).copied().unwrap_or(0) as f64;
            (1.0 + count / (held + 0.5)).ln()
        };
        let score = |words: &HashMap<String, f64>| -> f64 {
            let of = |asked: &String| -> f64 {
                let begun = |word: &&String| word.starts_with(asked.as_str());
                let found = words.keys().filter(begun);
                let found = found.map(|w| words.get(w).map_or(0.0, |n| n / (n + 2.0)) * rarity(w));
                found.fold(0.0, f64::max)
            };
            asked.iter().map(of).sum()
        };
        let mut found: Vec<(f64, &Runbook)> = self.words.iter().map(score).zip(&self.all).collect();
        found.retain(|(score, _)| *score > 0.0);
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
        found.into_iter().take(most).map(|(_, r)| r).collect()
    }
}

fn weights(runbook: &Runbook) -> HashMap<String, f64> {
    let mut all = HashMap::new();
    let matches = &runbook.matches;
    let lists = [&matches.alerts, &matches.signals, &matches.says];
    let named = lists.into_iter().flatten().map(|t| (t.as_str(), MATCHES));
    let texts = [
        (runbook.id.as_str(), TITLE),
        (runbook.title.as_str(), TITLE),
        (runbook.body.as_str(), 1.0),
    ];
    for (text, weight) in texts.into_iter().chain(named) {
        for word in tokens(text) {
            *all.entry(word).or_default() += weight;
        }
    }
    all
}

/// Words of two letters or more, in small letters.
fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 1)
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runbook(id: &str, title: &str, body: &str) -> Runbook {
        Runbook {
            id: id.into(),
            title: title.into(),
            matches: Matches::default(),
            body: body.into(),
            own: false,
        }
    }

    #[test]
    fn rare_words_and_titles_count_more() {
        let all = Runbooks::new(vec![
            runbook(
                "disk",
                "A disk is full",
                "look at the node, then at its pods",
            ),
            runbook(
                "clock",
                "A clock runs free",
                "look at the node and its antenna",
            ),
            runbook("gpu", "A GPU is hot", "look at the node; antenna of no use"),
        ]);
        let found = |query: &str| -> Vec<&str> {
            let found = all.search(query, 5).into_iter();
            found.map(|r| r.id.as_str()).collect()
        };
        assert_eq!(found("Clock antenna"), ["clock", "gpu"]);
        assert_eq!(found("node disks"), ["clock", "disk", "gpu"]);
        assert_eq!(found("dis")[0], "disk");
        assert!(found("nothing of it").len() <= 3 && found("").is_empty());
        assert_eq!(
            all.get("gpu").map(|r| r.title.as_str()),
            Some("A GPU is hot")
        );
    }
}
