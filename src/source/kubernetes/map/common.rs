//! What all objects share: metadata, conditions, quantities, texts. Every text is cleaned here.
//!
//! Only the fields that are used are read; null is taken for nothing, as Go writes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::model::condition::ObjectCondition;
use crate::model::label::Labels;
use crate::model::text::clean;
use crate::model::time::Timestamp;

pub const NAME: usize = 253;
pub const MESSAGE: usize = 1_024;
pub const SHORT: usize = 60;
/// More than any object has.
const MOST: usize = 64;

pub type Map<T> = Option<BTreeMap<String, T>>;
pub type List<T> = Option<Vec<T>>;
pub type Text = Option<String>;

/// `None`: no JSON, or fields of other types than the schema's.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    serde_json::from_slice(json).ok()
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Meta {
    name: Text,
    namespace: Text,
    pub labels: Map<String>,
    pub annotations: Option<Annotations>,
    creation_timestamp: Text,
    pub deletion_timestamp: Text,
    generation: Option<i64>,
    pub owner_references: List<Owner>,
}

/// Those that are used; others may be large.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    #[serde(rename = "deployment.kubernetes.io/revision")]
    pub revision: Text,
    #[serde(rename = "argocd.argoproj.io/tracking-id")]
    pub tracking: Text,
    #[serde(rename = "sriovnetwork.openshift.io/desired-state")]
    pub desired_state: Text,
    #[serde(rename = "sriovnetwork.openshift.io/current-state")]
    pub current_state: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Owner {
    pub kind: Text,
    pub name: Text,
    pub controller: Option<bool>,
}

impl Meta {
    /// `None`: a bookmark, or no object.
    pub fn name(&self) -> Option<Arc<str>> {
        let name = self.name.as_deref().filter(|n| !n.is_empty())?;
        Some(arc(name))
    }

    pub fn namespace(&self) -> Arc<str> {
        arc(self.namespace.as_deref().unwrap_or_default())
    }

    pub fn created(&self) -> Option<Timestamp> {
        time(&self.creation_timestamp)
    }

    pub fn generation(&self) -> u64 {
        self.generation
            .and_then(|g| u64::try_from(g).ok())
            .unwrap_or(0)
    }

    /// The controller has seen the newest spec; one that does not say has.
    pub fn is_observed(&self, by: Option<i64>) -> bool {
        by.is_none_or(|by| by >= self.generation.unwrap_or(0))
    }

    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.as_ref()?.get(name).map(String::as_str)
    }

    pub fn labels(&self) -> Labels {
        let all = self.labels.iter().flatten();
        Labels::from_pairs(all.map(|(n, v)| (clean(n, NAME), clean(v, NAME))))
    }

    /// Names of the labels without a value.
    pub fn marks(&self) -> Vec<Arc<str>> {
        let all = self.labels.iter().flatten();
        let blank = all.filter(|(_, value)| value.is_empty());
        blank.map(|(name, _)| arc(name)).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition {
    #[serde(rename = "type")]
    kind: Text,
    status: Text,
    reason: Text,
    message: Text,
    /// KServe: `Info` does not count.
    severity: Text,
    last_transition_time: Text,
}

impl Condition {
    pub fn is_info(&self) -> bool {
        self.severity.as_deref() == Some("Info")
    }
}

pub fn conditions<'a>(all: impl IntoIterator<Item = &'a Condition>) -> Vec<ObjectCondition> {
    let of = |c: &Condition| ObjectCondition {
        kind: word(&c.kind),
        status: match c.status.as_deref() {
            Some("True") => Some(true),
            Some("False") => Some(false),
            _ => None,
        },
        reason: text(&c.reason, 200),
        message: text(&c.message, MESSAGE),
        since: time(&c.last_transition_time),
    };
    all.into_iter().take(MOST).map(of).collect()
}

/// A number or a text, where the API takes both.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Number(f64),
    Text(String),
}

impl Scalar {
    /// As Kubernetes writes quantities: `100m`, `1.5`, `16Gi`, `2e3`. Not negative.
    pub fn quantity(&self) -> Option<f64> {
        let value = match self {
            Self::Number(number) => *number,
            Self::Text(text) => quantity(text)?,
        };
        (value.is_finite() && value >= 0.0).then_some(value)
    }

    pub fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => clean(text, SHORT),
        }
    }
}

fn quantity(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let at = text.find(|c: char| c.is_ascii_alphabetic() || c == 'µ')?;
    let (number, unit) = text.split_at_checked(at)?;
    let factor = match unit {
        "n" => 1e-9,
        "u" | "µ" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1_024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// Whole units, rounded up as the scheduler does.
pub fn units(quantity: f64) -> u64 {
    // A cast of a float saturates.
    quantity.ceil() as u64
}

pub fn number<T: TryFrom<i64> + Default>(value: Option<i64>) -> T {
    value.and_then(|v| T::try_from(v).ok()).unwrap_or_default()
}

pub fn time(text: &Text) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text.as_deref()?)
}

pub fn arc(value: &str) -> Arc<str> {
    Arc::from(clean(value, NAME))
}

/// Missing is empty.
pub fn text(value: &Text, limit: usize) -> String {
    clean(value.as_deref().unwrap_or_default(), limit)
}

pub fn word(value: &Text) -> String {
    text(value, NAME)
}

/// Empty texts say nothing.
pub fn some(value: &Text, limit: usize) -> Option<String> {
    let value = value.as_deref().filter(|v| !v.is_empty())?;
    Some(clean(value, limit))
}

/// A URL without user, password, and a query that looks like a secret.
pub fn place(url: &Text) -> String {
    let url = url.as_deref().unwrap_or_default();
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let url = match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    };
    let low = query.to_ascii_lowercase();
    let secret = ["token", "key", "sig", "pass", "secret", "auth", "cred"];
    if query.is_empty() || secret.iter().any(|s| low.contains(s)) {
        return clean(&url, 500);
    }
    clean(&format!("{url}?{query}"), 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        let of = |text: &str| Scalar::Text(text.into()).quantity();
        assert_eq!(of("100m"), Some(0.1));
        assert_eq!(of("1.5"), Some(1.5));
        assert_eq!(of("16Gi"), Some(17_179_869_184.0));
        assert_eq!(of("2e3"), Some(2_000.0));
        assert_eq!(of("500k"), Some(500_000.0));
        assert_eq!(of("3M"), Some(3e6));
        for bad in ["", "Gi", "x", "1Zi", "-1", "NaN", "inf", "µ", "1e"] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(units(0.1 * 1_000.0), 100);
    }

    #[test]
    fn places_keep_no_secret() {
        let of = |url: &str| place(&Some(url.into()));
        assert_eq!(
            of("https://u:hush@git.example/a.git"),
            "https://git.example/a.git"
        );
        assert_eq!(
            of("https://git.example/a?ref=a,b"),
            "https://git.example/a?ref=a,b"
        );
        assert_eq!(
            of("https://git.example/a?private_token=hush"),
            "https://git.example/a"
        );
        assert_eq!(of("git@git.example:a/b.git"), "git@git.example:a/b.git");
    }
}
