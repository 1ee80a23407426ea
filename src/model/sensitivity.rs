//! How much of what is rare is told: the operator's choice for some series.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::label::Labels;
use super::text::clean;

/// Longest name or value that is taken, in letters.
const LONGEST: usize = 200;

/// From what rarity on something is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Ten times as often as usual.
    High,
    #[default]
    Normal,
    /// Thirty times less often.
    Low,
    /// Nothing is told of what is learned; limits and states are told all the same.
    Off,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::High, Self::Normal, Self::Low, Self::Off];

    /// Decades by which the bar is higher.
    pub fn decades(self) -> f32 {
        match self {
            Self::High => -1.0,
            Self::Normal | Self::Off => 0.0,
            Self::Low => 1.5,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
            Self::Off => "off",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.word() == word)
    }
}

/// What holds for some series. What it does not name may be anything; a name that ends with `*`
/// stands for all that begin so.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensitivity {
    pub signal: Option<Arc<str>>,
    pub cluster: Option<Arc<str>>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    pub level: Level,
}

impl Sensitivity {
    /// `node_cpu* cluster=edge-* namespace=batch low`: a signal, a cluster, labels, and the level
    /// last.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let levels = "the last word is one of high, normal, low, off";
        let Some((last, about)) = words.split_last() else {
            return Err(levels.into());
        };
        let mut one = Self {
            level: Level::named(last).ok_or_else(|| format!("`{last}` is no level: {levels}"))?,
            ..Self::default()
        };
        for word in about {
            let (name, value) = word.split_once('=').unwrap_or(("signal", word));
            let value = clean(value.trim_matches('"'), LONGEST);
            if name.is_empty() || value.is_empty() {
                return Err(format!(
                    "`{word}` names nothing; try signal, cluster=NAME or label=VALUE"
                ));
            }
            match name {
                "signal" => one.signal = Some(value.into()),
                "cluster" => one.cluster = Some(value.into()),
                label => drop(one.labels.insert(clean(label, LONGEST), value)),
            }
        }
        Ok(one)
    }

    /// It names no series; `*` stands for all.
    pub fn is_of_nothing(&self) -> bool {
        self.signal.is_none() && self.cluster.is_none() && self.labels.is_empty()
    }

    /// They are about the same series.
    pub fn is_as(&self, other: &Self) -> bool {
        (&self.signal, &self.cluster, &self.labels)
            == (&other.signal, &other.cluster, &other.labels)
    }

    /// Whether it speaks of this signal, whatever the cluster and the labels.
    pub fn names(&self, signal: &str) -> bool {
        self.signal
            .as_ref()
            .is_none_or(|wanted| like(wanted, signal))
    }

    pub fn is_on(&self, cluster: &str) -> bool {
        self.cluster
            .as_ref()
            .is_none_or(|wanted| like(wanted, cluster))
    }

    fn is_of(&self, cluster: &str, signal: &str, labels: &Labels) -> bool {
        let has = |(name, wanted): (&String, &String)| {
            let value = labels.get(name);
            value.is_some_and(|value| like(wanted, value))
        };
        self.names(signal) && self.is_on(cluster) && self.labels.iter().all(has)
    }
}

/// `low for node_cpu* on edge-*, namespace=batch`
impl fmt::Display for Sensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signal = self.signal.as_deref().filter(|s| *s != "*");
        write!(f, "{} for {}", self.level.word(), signal.unwrap_or("all"))?;
        if let Some(cluster) = &self.cluster {
            write!(f, " on {cluster}")?;
        }
        for (name, value) in &self.labels {
            write!(f, ", {name}={value}")?;
        }
        Ok(())
    }
}

fn like(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == wanted,
    }
}

/// Of several that fit, the last one holds.
pub fn level(all: &[Sensitivity], cluster: &str, signal: &str, labels: &Labels) -> Level {
    let mut latest = all.iter().rev();
    let found = latest.find(|s| s.is_of(cluster, signal, labels));
    found.map_or(Level::Normal, |s| s.level)
}

/// What the configuration says, and after it what was said in this run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    pub configured: Arc<[Sensitivity]>,
    pub said: Vec<Sensitivity>,
}

impl Chosen {
    /// The same said again takes the place of what was said before.
    pub fn say(&mut self, one: Sensitivity) {
        self.said.retain(|s| !s.is_as(&one));
        let is_default = one.level == Level::Normal;
        // Where the configuration says nothing else, normal is what holds anyway.
        if !is_default || !self.configured.is_empty() || !self.said.is_empty() {
            self.said.push(one);
        }
    }

    pub fn all(&self) -> Arc<[Sensitivity]> {
        self.configured.iter().chain(&self.said).cloned().collect()
    }

    /// What is not as it is by itself, and where that was said; empty: all is.
    pub fn words(&self) -> Vec<String> {
        let configured = self
            .configured
            .iter()
            .map(|s| format!("{s} (configuration)"));
        let said = self.said.iter().map(|s| format!("{s} (this run)"));
        configured.chain(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_fits_holds() {
        let all: Vec<Sensitivity> = ["cluster=edge-* low", "vllm_* high", "namespace=batch off"]
            .into_iter()
            .map(|text| Sensitivity::parse(text).expect(text))
            .collect();
        let batch = Labels::from_pairs([("namespace", "batch")]);
        let of = |cluster, signal, labels: &Labels| level(&all, cluster, signal, labels);
        let none = Labels::default();
        assert_eq!(of("edge-7", "node_cpu_busy", &none), Level::Low);
        assert_eq!(of("edge-7", "vllm_ttft_p95", &none), Level::High);
        assert_eq!(of("edge-7", "vllm_ttft_p95", &batch), Level::Off);
        assert_eq!(of("core", "node_cpu_busy", &none), Level::Normal);
    }

    #[test]
    fn what_is_typed_is_read_and_written() {
        let one = Sensitivity::parse("node_cpu* cluster=edge-* namespace=batch low").expect("fine");
        assert_eq!(
            one.to_string(),
            "low for node_cpu* on edge-*, namespace=batch"
        );
        assert_eq!(
            Sensitivity::parse("* off").expect("fine").to_string(),
            "off for all"
        );
        for wrong in ["", "node_cpu", "node_cpu lower", "cluster= low", "=x low"] {
            assert!(Sensitivity::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_said_again_takes_the_place_of_the_former() {
        let mut chosen = Chosen::default();
        let say = |chosen: &mut Chosen, text| {
            chosen.say(Sensitivity::parse(text).expect(text));
            chosen.words()
        };
        assert_eq!(say(&mut chosen, "a normal"), Vec::<String>::new());
        assert_eq!(say(&mut chosen, "a low"), ["low for a (this run)"]);
        assert_eq!(say(&mut chosen, "a high"), ["high for a (this run)"]);
        assert_eq!(say(&mut chosen, "a normal"), Vec::<String>::new());
    }
}
