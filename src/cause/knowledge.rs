//! Known ways from a fault to its symptoms, with their sources: `assets/causes.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// What ends such a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    RollBack,
    Repair,
    Replace,
    Restart,
    Scale,
    FreeSpace,
    RaiseLimit,
    MoveAway,
    Renew,
    AskOwner,
}

impl Fix {
    pub fn words(self) -> &'static str {
        match self {
            Self::RollBack => "roll it back",
            Self::Repair => "repair what is set wrongly",
            Self::Replace => "take it out of service and replace it",
            Self::Restart => "restart it",
            Self::Scale => "give it more room",
            Self::FreeSpace => "free space",
            Self::RaiseLimit => "raise its limit",
            Self::MoveAway => "move what disturbs it away",
            Self::Renew => "renew it",
            Self::AskOwner => "ask those who run it",
        }
    }
}

/// One known way.
#[derive(Clone, Debug, Deserialize)]
pub struct Way {
    /// In a few words.
    pub name: String,
    /// One of these stands in the name or text of the sign of the cause.
    pub sign: Vec<String>,
    /// One of these stands in a symptom elsewhere; empty: the sign alone tells.
    #[serde(default)]
    pub shows: Vec<String>,
    /// Natural logs for it as a cause.
    pub weight: f64,
    /// Nobody here changed it: no change is to blame.
    #[serde(default)]
    pub outside: bool,
    pub fix: Fix,
    /// What would confirm it: PromQL or LogQL, `{node}`, `{namespace}`, `{name}` filled in.
    #[serde(default)]
    pub confirm: Option<String>,
    pub source: String,
}

#[derive(Debug, Default, Deserialize)]
struct Ways {
    way: Vec<Way>,
}

static WAYS: LazyLock<Vec<Way>> = LazyLock::new(|| {
    let text = include_str!("../../assets/causes.toml");
    let ways: Ways = toml::from_str(text).unwrap_or_default();
    ways.way
});

/// All ways that are known.
pub fn all() -> &'static [Way] {
    &WAYS
}

/// The ways whose sign this text shows.
pub fn begun_by(text: &str) -> impl Iterator<Item = &'static Way> {
    let lower = text.to_lowercase();
    all().iter().filter(move |way| holds(&way.sign, &lower))
}

/// Whether a text in small letters holds one of the words.
pub fn holds(words: &[String], lower: &str) -> bool {
    words.iter().any(|word| lower.contains(word.as_str()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_way_is_read_and_has_a_source() {
        assert!(super::all().len() >= 20, "{}", super::all().len());
        for way in super::all() {
            assert!(way.source.starts_with("https://"), "{}", way.name);
            let words = way.sign.iter().chain(&way.shows);
            assert!(
                words.clone().all(|w| *w == w.to_lowercase()),
                "{}",
                way.name
            );
            assert!((0.0..=3.0).contains(&way.weight), "{}", way.name);
        }
    }
}
