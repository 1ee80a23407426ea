//! The filter grammar of every table and stream: words are ANDed, smart case, `!word` excludes,
//! `/re/` is a regular expression, `~word` fuzzy, `key=value`, `key!=value`, `key=~re`, `key!~re`
//! (values may stand in double quotes), `@cluster`, `#namespace`.

use regex::Regex;

/// What a filter has to ask of a line whose labels are known.
#[derive(Clone, Debug)]
pub struct Rest<'a> {
    never: bool,
    terms: Vec<&'a Term>,
}

impl Rest<'_> {
    pub fn matches(&self, line: &str) -> bool {
        let fields = [("line", line)];
        let keeps = |term: &&Term| term.what.matches(&fields) != term.not;
        !self.never && self.terms.iter().all(keeps)
    }

    /// The line itself does not matter.
    pub fn decided(&self) -> Option<bool> {
        (self.never || self.terms.is_empty()).then_some(!self.never)
    }
}

/// A parsed filter; an empty one matches everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    not: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Word {
        text: String,
        exact_case: bool,
    },
    Fuzzy(String),
    Pattern(Regex),
    Field {
        key: String,
        test: Test,
    },
    /// In the fields of these names; in rows without them in any.
    Place {
        keys: &'static [&'static str],
        mark: char,
        text: String,
    },
}

#[derive(Clone, Debug)]
enum Test {
    Is(String),
    IsNot(String),
    Matches(Regex),
    MatchesNot(Regex),
}

impl Filter {
    /// Every text is a filter: what is no valid pattern is looked for as it stands.
    pub fn parse(text: &str) -> Self {
        Self {
            terms: text.split_whitespace().filter_map(term).collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// `fields`: the texts of one row with the names they go by.
    pub fn matches(&self, fields: &[(&str, &str)]) -> bool {
        self.terms
            .iter()
            .all(|term| term.what.matches(fields) != term.not)
    }

    /// For rows of one text, `line`, with many of the same labels: these are asked once.
    pub fn rest(&self, labels: &[(&str, &str)]) -> Rest<'_> {
        let mut rest = Rest {
            never: false,
            terms: Vec::new(),
        };
        for term in &self.terms {
            match term.what.told_by(labels) {
                Some(matches) => rest.never |= matches == term.not,
                None => rest.terms.push(term),
            }
        }
        rest
    }

    /// For rows that are one text.
    pub fn matches_text(&self, text: &str) -> bool {
        self.terms.is_empty() || self.matches(&[("", text)])
    }
}

impl What {
    /// Whether these fields decide it, whatever the field `line` says.
    fn told_by(&self, labels: &[(&str, &str)]) -> Option<bool> {
        match self {
            Self::Field { key, .. } if key.eq_ignore_ascii_case("line") => None,
            Self::Field { .. } => Some(self.matches(labels)),
            Self::Place { keys, .. } => {
                let is_named = |name: &str| keys.iter().any(|key| name.eq_ignore_ascii_case(key));
                let told = labels.iter().any(|(name, _)| is_named(name));
                let found = self.matches(labels);
                (told || found).then_some(found)
            }
            _ => self.matches(labels).then_some(true),
        }
    }

    fn matches(&self, fields: &[(&str, &str)]) -> bool {
        match self {
            Self::Word { text, exact_case } => fields.iter().any(|(_, value)| {
                if *exact_case {
                    value.contains(text.as_str())
                } else {
                    contains_folded(value, text)
                }
            }),
            Self::Fuzzy(text) => fields.iter().any(|(_, value)| is_within(value, text)),
            Self::Pattern(re) => fields.iter().any(|(_, value)| re.is_match(value)),
            Self::Place { keys, mark, text } => {
                let is_named = |name: &&str| keys.iter().any(|key| name.eq_ignore_ascii_case(key));
                let has = |value: &str, text: &str| value.to_lowercase().contains(text);
                if fields.iter().any(|(name, _)| is_named(name)) {
                    let mut named = fields.iter().filter(|(name, _)| is_named(name));
                    return named.any(|(_, value)| has(value, text));
                }
                let whole = format!("{mark}{text}");
                fields.iter().any(|(_, value)| has(value, &whole))
            }
            Self::Field { key, test } => {
                let mut named = fields
                    .iter()
                    .filter(|(name, _)| name.eq_ignore_ascii_case(key))
                    .map(|(_, value)| *value);
                match test {
                    Test::Is(wanted) => named.any(|value| value == wanted),
                    Test::IsNot(wanted) => named.all(|value| value != wanted),
                    Test::Matches(re) => named.any(|value| re.is_match(value)),
                    Test::MatchesNot(re) => named.all(|value| !re.is_match(value)),
                }
            }
        }
    }
}

fn term(text: &str) -> Option<Term> {
    let (not, rest) = match text.strip_prefix('!') {
        Some(rest) if !rest.is_empty() => (true, rest),
        Some(_) => return None,
        None => (false, text),
    };
    let what = pattern(rest)
        .or_else(|| field(rest))
        .or_else(|| place(rest))
        .or_else(|| {
            rest.strip_prefix('~')
                .filter(|word| !word.is_empty())
                .map(|word| What::Fuzzy(word.to_lowercase()))
        })
        .unwrap_or_else(|| What::Word {
            text: rest.to_owned(),
            exact_case: rest.chars().any(char::is_uppercase),
        });
    Some(Term { not, what })
}

fn pattern(text: &str) -> Option<What> {
    let inner = text.strip_prefix('/')?.strip_suffix('/')?;
    compile(inner).map(What::Pattern)
}

fn compile(text: &str) -> Option<Regex> {
    (!text.is_empty())
        .then(|| {
            regex::RegexBuilder::new(text)
                .size_limit(1 << 20)
                .case_insensitive(!text.chars().any(char::is_uppercase))
                .build()
                .ok()
        })
        .flatten()
}

fn place(text: &str) -> Option<What> {
    let mark = text.chars().next()?;
    let keys: &'static [&'static str] = match mark {
        '@' => &["cluster"],
        '#' => &["namespace", "ns"],
        _ => return None,
    };
    let rest = text
        .get(mark.len_utf8()..)
        .filter(|rest| !rest.is_empty())?;
    Some(What::Place {
        keys,
        mark,
        text: rest.to_lowercase(),
    })
}

/// Keys are as labels are named: `app.kubernetes.io/name`.
fn field(text: &str) -> Option<What> {
    let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    let end = text.find(|c: char| !is_key(c)).filter(|end| *end > 0)?;
    let (key, rest) = (text.get(..end)?, text.get(end..)?);
    let operators = ["!=", "=~", "!~", "="];
    let operator = operators.into_iter().find(|o| rest.starts_with(o))?;
    let value = bare(rest.get(operator.len()..)?);
    let test = match operator {
        "!=" => Test::IsNot(value.to_owned()),
        "=~" => Test::Matches(compile(value)?),
        "!~" => Test::MatchesNot(compile(value)?),
        _ => Test::Is(value.to_owned()),
    };
    Some(What::Field {
        key: key.to_owned(),
        test,
    })
}

/// Without the double quotes around it.
fn bare(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.unwrap_or(value)
}

/// `needle` holds no upper-case letter.
fn contains_folded(text: &str, needle: &str) -> bool {
    if text.is_ascii() && needle.is_ascii() {
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        let Some(first) = needle.first() else {
            return true;
        };
        let starts = memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text);
        let at = |start: usize| text.get(start..start + needle.len());
        return starts
            .map_while(at)
            .any(|found| found.eq_ignore_ascii_case(needle));
    }
    text.to_lowercase().contains(needle)
}

/// The letters of `needle` stand in `text`, in order.
fn is_within(text: &str, needle: &str) -> bool {
    let mut letters = text.chars().flat_map(char::to_lowercase);
    needle.chars().all(|wanted| letters.any(|c| c == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Labels first and the line later is the same as both at once.
        #[test]
        fn the_rest_decides_as_the_whole(
            label in "(namespace|pod|x)", value in "[a-cA-C1]{1,3}", line in "[a-cA-C1ä@#=]{0,8}",
            filter in "(!?(a|B|bc|/b.?c/|~ac|pod=a|pod!=a|x=~b|line=~a|#ab|@c|ä) ?){0,3}",
        ) {
            let filter = Filter::parse(&filter);
            let whole = filter.matches(&[(label.as_str(), value.as_str()), ("line", line.as_str())]);
            let rest = filter.rest(&[(label.as_str(), value.as_str())]);
            proptest::prop_assert_eq!(rest.matches(&line), whole);
            proptest::prop_assert!(rest.decided().is_none_or(|decided| decided == whole));
        }
    }

    #[test]
    fn grammar() {
        let row = [("name", "du-high-0"), ("node", "n-07-b"), ("ns", "Ran-DU")];
        for (filter, wanted) in [
            ("", true),
            ("du", true),
            ("du n-07", true),
            ("du upf", false),
            ("!upf", true),
            ("!du", false),
            ("Ran", true),
            ("RAN", false),
            ("ran", true),
            ("/^du-.*-0$/", true),
            ("/[/", false),
            ("~dh0", true),
            ("~0hd", false),
            ("node=n-07-b", true),
            ("node=n-07", false),
            ("node!=n-07-b", false),
            ("node=~07", true),
            ("!", true),
            ("node=\"n-07-b\"", true),
            ("node=~\"n-06|n-07\"", true),
            ("node!~n-07", false),
            ("node!~n-06", true),
            ("a.b/c-d=1", false),
            ("#ran", true),
            ("#core", false),
            ("!#core", true),
            ("@du", false),
        ] {
            assert_eq!(Filter::parse(filter).matches(&row), wanted, "{filter:?}");
        }
    }
}
