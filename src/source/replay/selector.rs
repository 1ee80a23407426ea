//! The part of PromQL and LogQL that a recording can answer: a selector, and filters of lines.

use regex::Regex;

use crate::model::label::Labels;

/// `name{label="value", other=~"regex"}`.
#[derive(Debug, Default)]
pub struct Selector {
    pub name: Option<String>,
    matchers: Vec<(String, Match)>,
}

#[derive(Debug)]
enum Match {
    Is(String),
    IsNot(String),
    Like(Regex),
    NotLike(Regex),
}

impl Match {
    fn new(operator: &str, value: &str, anchored: bool) -> Option<Self> {
        let regex = || {
            let pattern = if anchored {
                format!("^(?:{value})$")
            } else {
                value.to_owned()
            };
            regex::RegexBuilder::new(&pattern)
                .size_limit(1 << 20)
                .build()
                .ok()
        };
        Some(match operator {
            "=" | "|=" => Self::Is(value.into()),
            "!=" => Self::IsNot(value.into()),
            "=~" | "|~" => Self::Like(regex()?),
            "!~" => Self::NotLike(regex()?),
            _ => return None,
        })
    }

    fn label(&self, text: &str) -> bool {
        match self {
            Self::Is(value) => text == value,
            Self::IsNot(value) => text != value,
            Self::Like(regex) => regex.is_match(text),
            Self::NotLike(regex) => !regex.is_match(text),
        }
    }

    fn line(&self, text: &str) -> bool {
        match self {
            Self::Is(value) => text.contains(value.as_str()),
            Self::IsNot(value) => !text.contains(value.as_str()),
            other => other.label(text),
        }
    }
}

impl Selector {
    /// `None`: this is more than a selector.
    pub fn parse(query: &str) -> Option<Self> {
        let (selector, rest) = Self::parse_head(query)?;
        rest.trim().is_empty().then_some(selector)
    }

    fn parse_head(query: &str) -> Option<(Self, &str)> {
        let query = query.trim_start();
        let end = query
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(query.len());
        let (name, mut rest) = query.split_at(end);
        let mut selector = Self {
            name: (!name.is_empty()).then(|| name.to_owned()),
            matchers: Vec::new(),
        };
        rest = rest.trim_start();
        let Some(mut inside) = rest.strip_prefix('{') else {
            return selector.name.is_some().then_some((selector, rest));
        };
        loop {
            inside = inside.trim_start_matches([' ', ',', '\n', '\t']);
            if let Some(rest) = inside.strip_prefix('}') {
                return Some((selector, rest));
            }
            let at = inside.find(['=', '!'])?;
            let (label, tail) = inside.split_at(at);
            let (operator, tail) = operator(tail)?;
            let (value, tail) = quoted(tail.trim_start())?;
            let found = Match::new(operator, &value, true)?;
            match (label.trim(), found) {
                ("__name__", Match::Is(name)) => selector.name = Some(name),
                (label, found) => selector.matchers.push((label.to_owned(), found)),
            }
            inside = tail;
        }
    }

    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        self.name.as_ref().is_none_or(|n| n == name)
            && self.matchers.iter().all(|(label, m)| match label.as_str() {
                "__name__" => m.label(name),
                label => m.label(labels.get(label).unwrap_or("")),
            })
    }
}

/// A stream selector and filters of the line.
#[derive(Debug)]
pub struct LogSelector {
    streams: Selector,
    filters: Vec<Match>,
}

impl LogSelector {
    pub fn parse(query: &str) -> Option<Self> {
        let (streams, rest) = Selector::parse_head(query)?;
        let mut filters = Vec::new();
        let mut rest = rest.trim();
        while !rest.is_empty() {
            let (operator, tail) = operator(rest)?;
            if !["|=", "!=", "|~", "!~"].contains(&operator) {
                return None;
            }
            let (value, tail) = quoted(tail.trim_start())?;
            filters.push(Match::new(operator, &value, false)?);
            rest = tail.trim_start();
        }
        Some(Self { streams, filters })
    }

    pub fn matches(&self, labels: &Labels, line: &str) -> bool {
        self.streams.matches("", labels) && self.filters.iter().all(|f| f.line(line))
    }
}

fn operator(text: &str) -> Option<(&str, &str)> {
    let two = text.split_at_checked(2);
    match two {
        Some((found @ ("=~" | "!~" | "!=" | "|=" | "|~"), rest)) => Some((found, rest)),
        _ => text.strip_prefix('=').map(|rest| ("=", rest)),
    }
}

/// A text in quotes and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| "\"'`".contains(*c))?;
    let inside = text.get(1..)?;
    let mut value = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((value, inside.get(at + 1..)?)),
            '\\' if quote != '`' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn selectors_are_read_and_expressions_are_not() {
        let s = Selector::parse(r#"up{job="a b", node=~"n[12]",x!="y"}"#).expect("valid");
        let labels = |node: &str| Labels::from_pairs([("job", "a b"), ("node", node)]);
        assert!(s.matches("up", &labels("n2")));
        assert!(!s.matches("up", &labels("n23")));
        assert!(!s.matches("down", &labels("n2")));
        assert!(Selector::parse(r#"{__name__="up"}"#).is_some_and(|s| s.name.is_some()));
        for query in ["rate(x[5m])", "a + b", "sum(x)", "x{", "x{a=}", "x[5m]", ""] {
            assert!(Selector::parse(query).is_none(), "{query}");
        }
    }

    #[test]
    fn log_filters_hold() {
        let s = LogSelector::parse(r#"{app="x"} |= "err" != `warn` |~ "e\\d""#).expect("valid");
        let labels = Labels::from_pairs([("app", "x")]);
        assert!(s.matches(&labels, "err e5"));
        assert!(!s.matches(&labels, "err warn e5"));
        assert!(!s.matches(&labels, "err"));
        assert!(LogSelector::parse(r#"{app="x"} | json"#).is_none());
        assert!(LogSelector::parse(r#"sum(rate({app="x"}[5m]))"#).is_none());
    }

    proptest! {
        #[test]
        fn never_panics(query in "[a-z{}=!~|\"'`\\\\ ,é]{0,40}") {
            let _ = (Selector::parse(&query), LogSelector::parse(&query));
        }
    }
}
