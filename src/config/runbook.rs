//! Runbooks as Markdown files with front matter: those of the program, and those of the operator's
//! own folder.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::load::ConfigError;
use crate::model::runbook::{Matches, Runbook, Runbooks};
use crate::model::text;

/// Those of the program, by the name of their file.
pub const BUILT_IN: &[(&str, &str)] = &[
    (
        "alerting-silent",
        include_str!("../../assets/runbooks/alerting-silent.md"),
    ),
    (
        "certificate",
        include_str!("../../assets/runbooks/certificate.md"),
    ),
    ("dns", include_str!("../../assets/runbooks/dns.md")),
    (
        "dpdk-loss",
        include_str!("../../assets/runbooks/dpdk-loss.md"),
    ),
    (
        "gitops-out-of-sync",
        include_str!("../../assets/runbooks/gitops-out-of-sync.md"),
    ),
    ("gpu-hot", include_str!("../../assets/runbooks/gpu-hot.md")),
    (
        "gpu-memory",
        include_str!("../../assets/runbooks/gpu-memory.md"),
    ),
    (
        "gpu-nvlink",
        include_str!("../../assets/runbooks/gpu-nvlink.md"),
    ),
    ("gpu-xid", include_str!("../../assets/runbooks/gpu-xid.md")),
    (
        "image-pull",
        include_str!("../../assets/runbooks/image-pull.md"),
    ),
    (
        "node-cpu",
        include_str!("../../assets/runbooks/node-cpu.md"),
    ),
    (
        "node-disk",
        include_str!("../../assets/runbooks/node-disk.md"),
    ),
    (
        "node-memory",
        include_str!("../../assets/runbooks/node-memory.md"),
    ),
    (
        "node-network",
        include_str!("../../assets/runbooks/node-network.md"),
    ),
    (
        "node-not-ready",
        include_str!("../../assets/runbooks/node-not-ready.md"),
    ),
    (
        "pod-crashloop",
        include_str!("../../assets/runbooks/pod-crashloop.md"),
    ),
    ("pod-oom", include_str!("../../assets/runbooks/pod-oom.md")),
    (
        "ptp-freerun",
        include_str!("../../assets/runbooks/ptp-freerun.md"),
    ),
    (
        "ptp-holdover",
        include_str!("../../assets/runbooks/ptp-holdover.md"),
    ),
    (
        "ptp-port-faulty",
        include_str!("../../assets/runbooks/ptp-port-faulty.md"),
    ),
    (
        "ptp-shared",
        include_str!("../../assets/runbooks/ptp-shared.md"),
    ),
    (
        "rollout-stuck",
        include_str!("../../assets/runbooks/rollout-stuck.md"),
    ),
    (
        "slow-database",
        include_str!("../../assets/runbooks/slow-database.md"),
    ),
    (
        "sriov-sync",
        include_str!("../../assets/runbooks/sriov-sync.md"),
    ),
    (
        "sriov-vf-drops",
        include_str!("../../assets/runbooks/sriov-vf-drops.md"),
    ),
    (
        "vllm-saturated",
        include_str!("../../assets/runbooks/vllm-saturated.md"),
    ),
];

/// Largest file that is read, bytes; a longer one would not fit a small model's context.
const MOST_BYTES: u64 = 32 * 1024;
/// Files read of a folder at most.
const MOST_FILES: usize = 500;
const TITLE: usize = 120;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    title: String,
    #[serde(default)]
    matches: Matches,
}

/// Reads one runbook. The error says what is wrong with it.
pub fn parse(id: &str, written: &str, own: bool) -> Result<Runbook, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
        return Err("its name is to be of small letters, digits and hyphens".into());
    }
    let written = written.replace("\r\n", "\n");
    let (head, body) = written
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .ok_or("it does not begin with front matter between two lines `---`")?;
    let head: Head = serde_saphyr::from_str(head)
        .map_err(|e| format!("front matter: {}", text::clean(&e.to_string(), 200)))?;
    let title = text::clean(head.title.trim(), TITLE);
    let body = text::clean_lines(body.trim(), MOST_BYTES as usize);
    if title.is_empty() || body.is_empty() {
        return Err("it has no title or no text".into());
    }
    let small = |words: Vec<String>| words.iter().map(|w| w.to_lowercase()).collect();
    Ok(Runbook {
        id: id.to_owned(),
        title,
        matches: Matches {
            says: small(head.matches.says),
            ..head.matches
        },
        body,
        own,
    })
}

/// Those of the program. That each can be read is held by a test.
pub fn built_in() -> Vec<Runbook> {
    let all = BUILT_IN.iter();
    all.filter_map(|(id, text)| parse(id, text, false).ok())
        .collect()
}

/// Those of the program and of `folder`; one of the operator takes the place of a built-in one of
/// the same name. A file that cannot be read leaves its mistake.
pub fn load(folder: &Path) -> (Runbooks, Vec<ConfigError>) {
    let mut all = built_in();
    let mut mistakes = Vec::new();
    for path in files(folder, &mut mistakes) {
        match read(&path) {
            Ok(own) => match all.iter_mut().find(|r| r.id == own.id) {
                Some(one) => *one = own,
                None => all.push(own),
            },
            Err(mistake) => mistakes.push(mistake),
        }
    }
    (Runbooks::new(all), mistakes)
}

fn files(folder: &Path, mistakes: &mut Vec<ConfigError>) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            mistakes.push(unusable(folder, error.to_string()));
            return Vec::new();
        }
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.sort();
    if paths.len() > MOST_FILES {
        let what = format!("{} runbooks are more than {MOST_FILES}", paths.len());
        mistakes.push(unusable(folder, what));
        paths.truncate(MOST_FILES);
    }
    paths
}

fn read(path: &Path) -> Result<Runbook, ConfigError> {
    let bytes = std::fs::metadata(path).map_err(|e| unusable(path, e.to_string()))?;
    if bytes.len() > MOST_BYTES {
        let what = format!("{} bytes are more than {MOST_BYTES}", bytes.len());
        return Err(unusable(path, what));
    }
    let text = std::fs::read_to_string(path).map_err(|e| unusable(path, e.to_string()))?;
    let id = path.file_stem().unwrap_or_default().to_string_lossy();
    parse(&id, &text, true).map_err(|what| unusable(path, what))
}

fn unusable(path: &Path, cause: String) -> ConfigError {
    ConfigError::Unreadable {
        file: path.display().to_string(),
        cause,
        hint: "`---`, title and matches in YAML, `---`, then Markdown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn those_shipped_can_be_read_and_are_short() {
        for (id, text) in BUILT_IN {
            let runbook = parse(id, text, false).unwrap_or_else(|e| panic!("{id}: {e}"));
            assert!(!runbook.matches.is_empty(), "{id}");
            assert!(runbook.body.len() < 2_000, "{id}");
            for part in [
                "## Look\n1. ",
                "## Decide\n- ",
                "## Do, by the operator\n- ",
            ] {
                assert!(runbook.body.contains(part), "{id}: {part}");
            }
        }
        let files = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/runbooks");
        let files = std::fs::read_dir(files).expect("there").count();
        assert_eq!(files, BUILT_IN.len(), "each file is listed");
    }

    #[test]
    fn what_they_name_exists() {
        let known: Vec<&str> = BUILT_IN.iter().map(|(id, _)| *id).collect();
        for runbook in built_in() {
            for word in runbook.body.split('`').skip(1).step_by(2) {
                if known
                    .iter()
                    .any(|k| k.split('-').next() == word.split('-').next())
                    && word.contains('-')
                    && !word.contains(' ')
                {
                    assert!(known.contains(&word), "{} names {word}", runbook.id);
                }
            }
        }
    }

    #[test]
    fn mistakes_are_told() {
        let fine = "---\ntitle: T\nmatches: {alerts: [\"A*\"], says: [\"XID\"]}\n---\nlook\n";
        let runbook = parse("own", fine, true).expect("fine");
        assert_eq!(runbook.matches.says, ["xid"]);
        assert_eq!(parse("own", &fine.replace('\n', "\r\n"), true), Ok(runbook));
        for (id, text, what) in [
            ("Own", fine, "small letters"),
            ("own", "look", "front matter"),
            ("own", "---\ntitle: T\n---\n", "no text"),
            ("own", "---\ntitle: T\n---\n\n", "no text"),
            ("own", "---\ntitle: T\nmatch: {}\n---\nlook", "match"),
            ("own", "---\ntitle: [\n---\nlook", "front matter"),
        ] {
            let told = parse(id, text, true).expect_err(text);
            assert!(told.contains(what), "{text:?}: {told}");
        }
    }

    #[test]
    fn the_operators_folder_comes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("written");
        };
        write("dns.md", "---\ntitle: Ours\n---\nAsk \u{1b}[31mAnna.\n");
        write("broken.md", "no front matter");
        write("notes.txt", "not looked at");
        let (all, mistakes) = load(folder.path());
        let dns = all.get("dns").expect("there");
        assert!(
            dns.own && dns.title == "Ours" && dns.body == "Ask Anna.",
            "{dns:?}"
        );
        assert_eq!(all.all().len(), BUILT_IN.len());
        assert!(mistakes.len() == 1 && mistakes[0].file().ends_with("broken.md"));
        assert_eq!(load(Path::new("/nowhere/at/all")).1.len(), 1);
    }

    proptest! {
        #[test]
        fn anything_can_be_read(text in "(---\n)?[a-z:\\[\\]{}&* \"\n-]{0,60}(\n---\n)?.{0,9}") {
            let _ = parse("own", &text, true);
        }
    }
}
