//! What a word of a log line is: a number, a level, a unit, a host, a path.

/// The byte at `i`; 0 behind the end.
pub fn at(line: &str, i: usize) -> u8 {
    line.as_bytes().get(i).copied().unwrap_or(0)
}

/// The first place from `from` on that is no blank.
pub fn blanks(line: &str, from: usize) -> usize {
    let rest = line.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// The end of the word that starts at `from`.
pub fn word_end(line: &str, from: usize) -> usize {
    let rest = line.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().take_while(|b| !b.is_ascii_whitespace()).count()
}

pub fn is_number(line: &str, from: usize, end: usize) -> bool {
    let word = line.as_bytes().get(from..end).unwrap_or_default();
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// `restart.` of `syslogd 1.4.1: restart.` is preceded by a version with a colon.
pub fn next_is_version(line: &str, from: usize) -> bool {
    let start = blanks(line, from);
    let word = line.get(start..word_end(line, start)).unwrap_or_default();
    (word.starts_with('(') && word.ends_with(':'))
        || word
            .strip_suffix(':')
            .is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Level names as programs write them; one letter as Android and klog do.
pub fn is_level(word: &str) -> bool {
    const LEVELS: [&str; 20] = [
        "trace",
        "debug",
        "info",
        "information",
        "notice",
        "warn",
        "warning",
        "error",
        "err",
        "critical",
        "crit",
        "fatal",
        "severe",
        "failure",
        "alert",
        "emerg",
        "panic",
        "verbose",
        "fine",
        "emergency",
    ];
    match word.len() {
        1 => b"VDIWEF".contains(&at(word, 0)),
        3..=11 => {
            let mut rest = word.bytes().skip(1);
            let first = at(word, 0);
            let one_case = word.bytes().all(|b| b.is_ascii_uppercase())
                || rest.all(|b| b.is_ascii_lowercase());
            one_case
                && LEVELS
                    .iter()
                    .any(|l| at(l, 0) == first.to_ascii_lowercase() && l.eq_ignore_ascii_case(word))
        }
        _ => false,
    }
}

/// A level in capitals, of more than one letter.
pub fn is_loud_level(word: &str) -> bool {
    word.len() > 2 && word.bytes().all(|b| b.is_ascii_uppercase()) && is_level(word)
}

/// A word that is spelled with a digit in it: `ptp4l`, `phc2sys`, `k8s`, and no hexadecimal number.
pub fn is_spelled(word: &[u8]) -> bool {
    let letters = |b: &u8| b.is_ascii_lowercase();
    let digits = word.iter().filter(|b| b.is_ascii_digit()).count();
    digits == 1
        && word.len() <= 10
        && word
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && word.first().is_some_and(letters)
        && word.last().is_some_and(letters)
        && word
            .iter()
            .any(|b| b.is_ascii_lowercase() && !b.is_ascii_hexdigit())
}

/// Units that follow a number after a blank.
pub fn is_unit(word: &[u8]) -> bool {
    const UNITS: [&[u8]; 31] = [
        b"b",
        b"s",
        b"%",
        b"kb",
        b"mb",
        b"gb",
        b"tb",
        b"ms",
        b"us",
        b"ns",
        b"hz",
        b"kib",
        b"mib",
        b"gib",
        b"mhz",
        b"ghz",
        b"sec",
        b"min",
        b"bit",
        b"bits",
        b"byte",
        b"secs",
        b"mins",
        b"bytes",
        b"hours",
        b"second",
        b"minute",
        b"seconds",
        b"minutes",
        b"milliseconds",
        b"microseconds",
    ];
    word.len() <= 12
        && UNITS
            .iter()
            .any(|u| u.len() == word.len() && u.eq_ignore_ascii_case(word))
}

pub fn is_month_or_day(word: &[u8]) -> bool {
    const NAMES: [&[u8]; 19] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun",
    ];
    let word = word.strip_suffix(b",").unwrap_or(word);
    word.len() == 3 && NAMES.contains(&word)
}

const DOMAINS: [&str; 15] = [
    "com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "io", "local", "internal",
    "lan", "corp", "arpa",
];
const PACKAGES: [&str; 7] = ["java", "javax", "android", "sun", "scala", "akka", "kotlin"];

/// Reversed domains start the names of classes and packages.
fn starts_package(label: &str) -> bool {
    DOMAINS.contains(&label) || PACKAGES.contains(&label)
}

/// `ns.example.com`, `foo.svc.cluster.local`: a name that ends in a domain.
pub fn is_host(name: &str) -> bool {
    let name = name.trim_matches('.');
    let mut labels = name.split('.');
    let (Some(first), Some(last)) = (labels.next(), labels.next_back()) else {
        return false;
    };
    let plain = |l: &str| {
        !l.is_empty()
            && l.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if starts_package(first) || !name.split('.').all(plain) {
        return false;
    }
    let country = last.len() == 2 && last.bytes().all(|b| b.is_ascii_lowercase());
    DOMAINS.contains(&last) || (country && name.split('.').count() >= 3)
}

/// `org.apache.hadoop.ipc.Client`; not a constant of one (`android.intent.action.TIME_TICK`), nor
/// an exception, which is what a reader looks for.
pub fn is_package(name: &str) -> bool {
    let mut parts = name.split('.');
    let (Some(first), Some(last)) = (parts.next(), name.rsplit('.').next()) else {
        return false;
    };
    let ident = |p: &str| {
        p.bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'$')
            && p.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$')
    };
    starts_package(first)
        && name.split('.').count() >= 3
        && name.split('.').all(ident)
        && last.bytes().any(|b| b.is_ascii_lowercase())
        && !last.ends_with("Exception")
        && !last.ends_with("Error")
}
