//! What a change does to behaviour, as far as its text tells.

use std::collections::BTreeMap;

/// Which way a change can do harm, told from its lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Harm {
    /// Natural logs for (or against) it as a cause.
    pub weight: f64,
    /// In a few words, what it does.
    pub does: Vec<&'static str>,
}

/// Files that no running program reads.
const IDLE: [&str; 20] = [
    "_test.",
    "test/",
    "tests/",
    "testdata",
    ".md",
    "docs/",
    "documentation/",
    ".github/",
    ".circleci/",
    "codeowners",
    ".golangci",
    ".css",
    ".scss",
    "theme",
    "readme",
    ".svg",
    ".png",
    "license",
    "staging/",
    "changelog",
];
/// Words of a message that promises no other behaviour.
const PROMISES: [&str; 14] = [
    "typo",
    "gofmt",
    "goimports",
    "docs",
    "test",
    "tests",
    "style",
    "restyle",
    "lint",
    "ci",
    "codeowners",
    "comment",
    "readme",
    "tooltip",
];
/// A line that only tells.
const TELLS: [&str; 9] = [
    "log.",
    "log(",
    "logger",
    "log_",
    "print",
    "metrics",
    "counter",
    "histogram",
    "attribute",
];
/// Limits: less of them hurts.
const LIMITS: [&str; 22] = [
    "max",
    "limit",
    "pool",
    "size",
    "timeout",
    "ttl",
    "retr",
    "attempt",
    "replica",
    "memory",
    "cpu",
    "quota",
    "buffer",
    "deadline",
    "conns",
    "connections",
    "workers",
    "threads",
    "delay",
    "backoff",
    "capacity",
    "expiry",
];

pub fn harm(text: &str, files: &[String], diff: &str) -> Harm {
    let mut harm = Harm::default();
    if files.is_empty() && diff.is_empty() {
        // Nobody told what it does.
        return harm;
    }
    let mut says = |weight: f64, what: &'static str| {
        harm.weight += weight;
        harm.does.push(what);
    };
    let idle = |file: &String| {
        let file = file.to_lowercase();
        IDLE.iter().any(|part| file.contains(part))
    };
    if !files.is_empty() && files.iter().all(idle) {
        says(-4.0, "touches nothing that runs");
        return harm;
    }
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    if words.any(|word| PROMISES.contains(&word)) {
        says(-2.0, "says that nothing behaves differently");
    }
    let (gone, new) = lines(diff);
    if gone.is_empty() && new.is_empty() {
        says(-1.5, "shows no line that does anything");
        return harm;
    }
    if gone.iter().chain(&new).all(|line| tells(line)) {
        says(-1.5, "only logs or counts");
        return harm;
    }
    if let Some(weight) = version(&gone, &new) {
        says(weight, "another version of a library");
        return harm;
    }
    match constant(&gone, &new) {
        Some(factor) if factor < 1.0 => {
            says((-factor.ln()).min(3.0), "lowers a limit");
        }
        Some(_) => says(0.0, "changes a constant"),
        None => {}
    }
    let (lost, kept, added) = tokens(&gone, &new);
    let net = lost.saturating_sub(added);
    // More is gone than came: not the same in other words.
    if net * 5 >= (lost + added) * 2 && net > 0 {
        says(0.5 + 0.25 * (net.min(6) as f64), "takes something out");
    }
    if renames(&gone, &new) {
        says(1.0, "renames what others read");
    }
    if gone.len() >= 3 && kept * 10 >= (kept + lost + added) * 7 && lost == 0 {
        says(-0.5, "moves lines about");
    }
    if asks(&new) > asks(&gone) {
        says(1.0, "asks another one more often");
        if new
            .iter()
            .chain(&context(diff))
            .any(|l| l.starts_with("for "))
        {
            says(0.5, "in a loop");
        }
    }
    if harm.does.is_empty() || harm.weight == 0.0 {
        harm.weight -= 0.5;
    }
    harm
}

/// Lines taken out and put in, without comments and space.
fn lines(diff: &str) -> (Vec<String>, Vec<String>) {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for line in diff.lines() {
        let side = match line.as_bytes().first() {
            Some(b'-') if !line.starts_with("---") => &mut gone,
            Some(b'+') if !line.starts_with("+++") => &mut new,
            _ => continue,
        };
        let code = line.get(1..).unwrap_or_default().trim();
        let comment = ["//", "#", "*", "/*", "--"];
        if !code.is_empty() && !comment.iter().any(|c| code.starts_with(c)) {
            side.push(code.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    // The same on both sides is nothing.
    new.retain(|line| match gone.iter().position(|g| g == line) {
        Some(at) => {
            gone.remove(at);
            false
        }
        None => true,
    });
    (gone, new)
}

/// Lines that stay around those that change.
fn context(diff: &str) -> Vec<String> {
    let kept = diff.lines().filter(|line| line.starts_with(' '));
    kept.map(|line| line.trim().to_owned()).collect()
}

fn tells(line: &str) -> bool {
    let lower = line.to_lowercase();
    TELLS.iter().any(|word| lower.contains(word))
        || lower.starts_with('"')
        || !lower.contains(|c: char| c.is_alphanumeric())
}

/// Both sides name the same things at other versions.
fn version(gone: &[String], new: &[String]) -> Option<f64> {
    let mut least = f64::INFINITY;
    for line in new {
        let (name, after) = versioned(line)?;
        let (_, before) = gone
            .iter()
            .filter_map(|g| versioned(g))
            .find(|(g, _)| *g == name)?;
        let part = before.iter().zip(&after).position(|(a, b)| a != b);
        least = least.min(match part {
            Some(0) => 1.0,
            Some(1) => 0.0,
            _ => -1.5,
        });
    }
    Some(if least.is_finite() {
        least
    } else {
        return None;
    })
}

/// `name v1.2.3` as its name and numbers.
fn versioned(line: &str) -> Option<(String, Vec<u64>)> {
    let (name, version) = line.rsplit_once([' ', ':', '@', '='])?;
    let version = version
        .trim_matches(['"', '\'', ',', ' '])
        .trim_start_matches('v');
    let numbers: Vec<u64> = version.split('.').map_while(|n| n.parse().ok()).collect();
    (numbers.len() >= 2).then(|| (name.trim().to_owned(), numbers))
}

/// The smallest factor by which a number changed in a line that stayed otherwise, of limits; of
/// others only that one changed.
fn constant(gone: &[String], new: &[String]) -> Option<f64> {
    let mut least: Option<f64> = None;
    for line in new {
        let (shape, after) = numbers(line);
        let twin = gone.iter().map(|g| numbers(g)).find(|(s, _)| *s == shape);
        let Some((_, before)) = twin else { continue };
        for (a, b) in before.iter().zip(&after) {
            if a == b || *a <= 0.0 || *b <= 0.0 {
                continue;
            }
            let lower = line.to_lowercase();
            let limit = LIMITS.iter().any(|word| lower.contains(word));
            let factor = if limit { b / a } else { 1.0 };
            least = Some(least.map_or(factor, |held: f64| held.min(factor)));
        }
    }
    least
}

/// A line without its numbers, and the numbers; times in seconds.
fn numbers(line: &str) -> (String, Vec<f64>) {
    let (mut shape, mut found) = (String::new(), Vec::new());
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (head, tail) = rest.split_at(at);
        shape.push_str(head);
        let end = tail
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(tail.len());
        let (number, after) = tail.split_at(end);
        let (scale, used) = scale(after);
        found.push(number.trim_end_matches('.').parse().unwrap_or(0.0) * scale);
        shape.push('0');
        rest = after.get(used..).unwrap_or_default();
    }
    shape.push_str(rest);
    (shape, found)
}

/// What a unit behind a number makes of it, and how long it is: `15m`, `15 * time.Minute`, `512Mi`.
fn scale(after: &str) -> (f64, usize) {
    const UNITS: [(&str, f64); 14] = [
        (" * time.Millisecond", 1e-3),
        (" * time.Second", 1.0),
        (" * time.Minute", 60.0),
        (" * time.Hour", 3600.0),
        ("ms", 1e-3),
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("MB", 1e6),
        ("GB", 1e9),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
        ("d", 86400.0),
    ];
    let ends = |unit: &str| {
        let next = after.get(unit.len()..).and_then(|rest| rest.chars().next());
        !next.is_some_and(|c| c.is_alphanumeric())
    };
    let found = UNITS
        .iter()
        .find(|(unit, _)| after.starts_with(unit) && ends(unit));
    found.map_or((1.0, 0), |(unit, scale)| (*scale, unit.len()))
}

/// Names that only the old lines hold, that both hold, that only the new ones hold.
fn tokens(gone: &[String], new: &[String]) -> (usize, usize, usize) {
    let count = |lines: &[String]| {
        let mut held: BTreeMap<String, usize> = BTreeMap::new();
        for line in lines {
            for word in line.split(|c: char| !c.is_alphanumeric() && c != '_') {
                if word.len() >= 3 && !word.starts_with(|c: char| c.is_ascii_digit()) {
                    *held.entry(word.to_owned()).or_insert(0) += 1;
                }
            }
        }
        held
    };
    let (before, after) = (count(gone), count(new));
    let lost = before.keys().filter(|w| !after.contains_key(*w)).count();
    let added = after.keys().filter(|w| !before.contains_key(*w)).count();
    (lost, before.len() - lost, added)
}

/// Lines that ask a database or another service.
fn asks(lines: &[String]) -> usize {
    const ASKS: [&str; 7] = [
        "select ", "query", ".get(", "getitem(", "fetch", ".call(", "find(",
    ];
    let asks = |line: &&String| {
        let lower = line.to_lowercase();
        ASKS.iter().any(|word| lower.contains(word))
    };
    lines.iter().filter(asks).count()
}

/// A name in quotes that is gone, with another in its place.
fn renames(gone: &[String], new: &[String]) -> bool {
    let quoted = |lines: &[String]| -> Vec<String> {
        let pieces = lines
            .iter()
            .flat_map(|line| line.split(['"', '\'', '`']).skip(1));
        let name = |piece: &&str| {
            !piece.is_empty()
                && piece
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
                && piece.contains(|c: char| c.is_alphabetic())
        };
        pieces.filter(name).map(str::to_owned).collect()
    };
    let (before, after) = (quoted(gone), quoted(new));
    let lost = before.iter().any(|name| !after.contains(name));
    lost && after.iter().any(|name| !before.contains(name))
}
