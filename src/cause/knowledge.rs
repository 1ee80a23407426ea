//! Known ways from a fault to its symptoms, with their sources: `assets/causes.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// What ends such a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    RollBack,
    Repair,
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
    /// One of these stands in the name or text of the sign of the cause, see [`holds`].
    pub sign: Vec<String>,
    /// One of these stands in a symptom elsewhere; empty: the sign alone tells.
    #[serde(default)]
    pub shows: Vec<String>,
    /// Natural logs for it as a cause.
    pub weight: f64,
    /// Nobody here changed it: no change is to blame.
    #[serde(default)]
    pub outside: bool,
    /// What ends it, where one thing does.
    #[serde(default)]
    pub fix: Option<Fix>,
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

/// The ways whose sign a text in small letters shows.
pub fn begun_by(lower: &str) -> impl Iterator<Item = &'static Way> {
    all().iter().filter(move |way| holds(&way.sign, lower))
}

/// Whether a text in small letters holds one of the sayings, as whole words: names are full of
/// others' words (`KubePodNotReady` is no node that is not ready). `*` stands for any text.
pub fn holds(sayings: &[String], lower: &str) -> bool {
    sayings.iter().any(|saying| stands_in(saying, lower))
}

fn stands_in(saying: &str, text: &str) -> bool {
    let (head, rest) = match saying.split_once('*') {
        Some((head, rest)) => (head, Some(rest)),
        None => (saying, None),
    };
    text.match_indices(head).any(|(at, found)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + found.len()..).unwrap_or_default();
        let ends = match rest {
            Some(rest) => after.contains(rest),
            None => !after.starts_with(char::is_alphanumeric),
        };
        ends && !before.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_read_and_has_a_source() {
        assert!(all().len() >= 20, "{}", all().len());
        for way in all() {
            assert!(way.source.starts_with("https://"), "{}", way.name);
            // Of a bare repository nobody sees what it says.
            let parts = way.source.matches('/').count();
            let bare = way.source.starts_with("https://github.com/") && parts < 5;
            assert!(!bare, "{}", way.source);
            let words = way.sign.iter().chain(&way.shows);
            assert!(
                words.clone().all(|w| *w == w.to_lowercase()),
                "{}",
                way.name
            );
            assert!((0.0..=3.0).contains(&way.weight), "{}", way.name);
        }
    }

    #[test]
    fn a_saying_is_not_found_within_other_words() {
        let cases = [
            ("vllm_preemptions vllm_preemptions 0.2", &[][..]),
            (
                "alert alert KubePodNotReady: Pod has been in a non-ready state",
                &[],
            ),
            (
                "alert alert CPUThrottlingHigh: Processes experience elevated CPU throttling.",
                &["a container held at its CPU limit"],
            ),
            (
                "pod status pod web: ErrImagePull, 0 restarts repository does not exist or may \
                 require authorization",
                &["an image that cannot be pulled"],
            ),
            (
                "ERROR: relation \"users\" does not exist",
                &["a table or column that is missing"],
            ),
            (
                "XID XID 94 (contained memory error)",
                &["a GPU that fell off"],
            ),
            ("XID XID 63 (row remapping recorded)", &[]),
            ("NVLink bandwidth 12 GB/s, expected above 40", &[]),
            ("alert the carrier of the parcel is late", &[]),
            (
                "Evicted: The node was low on resource: memory.",
                &["a node short of"],
            ),
        ];
        for (text, names) in cases {
            let lower = text.to_lowercase();
            let found: Vec<&str> = begun_by(&lower).map(|w| w.name.as_str()).collect();
            let all = found.iter().zip(names).all(|(f, n)| f.starts_with(n));
            assert!(all && found.len() == names.len(), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_nvidia_advises_of_an_xid_is_not_said_otherwise() {
        use crate::model::alert::Severity;
        for way in all() {
            for number in way.sign.iter().filter_map(|s| s.strip_prefix("xid ")) {
                let known = crate::model::xid::of(number.parse().expect("a number"));
                assert!(way.fix.is_none(), "{}", way.name);
                assert!(known.severity > Severity::Info, "XID {number}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_saying_is_found_wherever_it_stands_alone(
            before in "[a-z0-9 _é*]{0,12}",
            after in "[a-z0-9 _é*]{0,12}",
            word in "[a-z]{1,4}",
        ) {
            let text = format!("{before}:{word}:{after}");
            proptest::prop_assert!(stands_in(&word, &text));
            let begun = format!("{before} {word}{after}");
            let begun_by = format!("{word}*");
            proptest::prop_assert!(stands_in(&begun_by, &begun));
            let within = format!("x{word}y");
            proptest::prop_assert!(!stands_in(&word, &within));
        }
    }
}
