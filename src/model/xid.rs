//! NVIDIA's XID errors: what the number means, how bad it is, what to do. From `assets/xid.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::alert::Severity;

const SOURCE: &str = include_str!("../../assets/xid.toml");

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Where the facts are from.
    source: Vec<String>,
    classes: BTreeMap<String, Class>,
    xid: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    word: String,
    severity: Severity,
    advice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    codes: Vec<u32>,
    name: String,
    class: String,
    severity: Option<Severity>,
    advice: Option<String>,
}

/// One XID as the table has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Xid {
    pub code: u32,
    pub name: &'static str,
    pub severity: Severity,
    /// What to do at once.
    pub advice: &'static str,
    /// NVIDIA's class of action, in words.
    pub class: &'static str,
}

static FILE: LazyLock<File> = LazyLock::new(|| toml::from_str(SOURCE).unwrap_or_default());

static TABLE: LazyLock<BTreeMap<u32, Xid>> = LazyLock::new(|| {
    let file = &*FILE;
    let each = file.xid.iter().flat_map(|entry| {
        let class = file.classes.get(&entry.class);
        entry.codes.iter().map(move |code| {
            let told = Xid {
                code: *code,
                name: &entry.name,
                severity: entry
                    .severity
                    .or(class.map(|c| c.severity))
                    .unwrap_or(Severity::Warning),
                advice: entry
                    .advice
                    .as_deref()
                    .or(class.map(|c| c.advice.as_str()))
                    .unwrap_or(NO_ADVICE),
                class: class.map_or(NO_CLASS, |c| c.word.as_str()),
            };
            (*code, told)
        })
    });
    each.collect()
});

const NO_CLASS: &str = "no class published";
const NO_ADVICE: &str = "NVIDIA has published no action";

/// What is known of a number; of one that the table lacks, that.
pub fn of(code: u32) -> Xid {
    TABLE.get(&code).copied().unwrap_or(Xid {
        code,
        name: "error without published text",
        severity: Severity::Warning,
        advice: NO_ADVICE,
        class: NO_CLASS,
    })
}

/// Where the table's facts are from.
pub fn sources() -> &'static [String] {
    &FILE.source
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The classes of the catalogue as the telemetry reference lists them.
    const CLASSES: [(&str, &str); 8] = [
        (
            "reset_gpu",
            "46 62 64 95 109 110 119 120 136 140 143 155 156 158",
        ),
        ("restart_node", "79"),
        ("restart_vm", "151"),
        ("procedure", "45 48 74 144-150"),
        ("support", "54 78 142"),
        (
            "restart_application",
            "8 11 13 25 31 32 39-41 60 68-72 75-77 80 82-86 88 89 94 96-105 126-135 139",
        ),
        (
            "ignore",
            "37 38 43 44 63 66 67 92 93 106 107 121 137 141 152-154 157 160 161",
        ),
        ("unknown", "162-172"),
    ];

    fn codes(list: &str) -> Vec<u32> {
        let each = list.split(' ').flat_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            from.parse::<u32>().unwrap()..=to.parse::<u32>().unwrap()
        });
        each.collect()
    }

    #[test]
    fn every_code_of_the_source_is_there_once_and_in_its_class() {
        let file: File = toml::from_str(SOURCE).expect("assets/xid.toml");
        assert!(file.source.iter().all(|s| s.starts_with("NVIDIA, ")));
        let mut seen = BTreeMap::new();
        for entry in &file.xid {
            assert!(file.classes.contains_key(&entry.class), "{}", entry.name);
            assert!(!entry.name.is_empty() && !entry.codes.is_empty());
            for code in &entry.codes {
                assert_eq!(
                    seen.insert(*code, entry.class.clone()),
                    None,
                    "{code} twice"
                );
            }
        }
        let mut wanted = BTreeMap::new();
        for (class, list) in CLASSES {
            wanted.extend(codes(list).into_iter().map(|c| (c, class.to_owned())));
        }
        assert_eq!(seen, wanted);
        let whole = |c: &Class| !c.advice.is_empty() && !c.word.is_empty();
        assert!(file.classes.values().all(whole));
        assert_eq!(file.classes.len(), CLASSES.len());
    }

    #[test]
    fn judges_by_class() {
        let severity = |code| of(code).severity;
        assert_eq!(severity(79), Severity::Critical);
        assert_eq!(severity(94), Severity::Warning);
        assert_eq!(severity(45), Severity::Warning);
        assert_eq!(severity(63), Severity::Info);
        assert_eq!(severity(165), Severity::Warning);
        assert_eq!(severity(9_999), Severity::Warning);
        assert_eq!(of(79).name, "GPU has fallen off the bus");
        assert!(of(79).advice.contains("restart the node"));
        assert_eq!(sources().len(), 2);
    }
}
