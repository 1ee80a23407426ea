//! Subjects and the patterns that follow them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest pattern, bytes.
const LONGEST: usize = 255;

/// Subjects that are followed: tokens with `*` for one and `>` for all that come after.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct Pattern(Arc<str>);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a subject is missing")]
    Empty,
    #[error("longer than {LONGEST} bytes")]
    TooLong,
    #[error("a subject has no white space or control characters")]
    Blank,
    #[error("two dots follow each other, or one stands at an end: a token is missing")]
    MissingToken,
    #[error("`>` stands alone at the end only")]
    Rest,
    #[error("`*` stands for a whole token only")]
    Star,
}

impl Pattern {
    /// Checks it as the server would.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > LONGEST {
            return Err(PatternError::TooLong);
        }
        let foreign = |c: char| c.is_whitespace() || crate::model::text::is_unsafe(c);
        if text.chars().any(foreign) {
            return Err(PatternError::Blank);
        }
        let mut tokens = text.split('.').peekable();
        while let Some(token) = tokens.next() {
            match token {
                "" => return Err(PatternError::MissingToken),
                ">" if tokens.peek().is_some() => return Err(PatternError::Rest),
                "*" | ">" => {}
                other if other.contains('*') => return Err(PatternError::Star),
                other if other.contains('>') => return Err(PatternError::Rest),
                _ => {}
            }
        }
        Ok(Self(Arc::from(text)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without wildcards: one subject.
    pub fn is_literal(&self) -> bool {
        self.0.split('.').all(|token| token != "*" && token != ">")
    }

    /// The same with `*` for its last token: follows it and its neighbours.
    pub fn widened(&self) -> Self {
        match self.0.rsplit_once('.') {
            Some((start, _)) => Self(format!("{start}.*").into()),
            None => Self("*".into()),
        }
    }

    /// Whether a message on `subject` would be followed.
    pub fn matches(&self, subject: &str) -> bool {
        let mut have = subject.split('.');
        for want in self.0.split('.') {
            match (want, have.next()) {
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (want, Some(token)) if want == token => {}
                _ => return false,
            }
        }
        have.next().is_none()
    }

    /// Whether everything that `other` follows is followed by this too.
    pub fn covers(&self, other: &Self) -> bool {
        let mut theirs = other.0.split('.');
        for mine in self.0.split('.') {
            match (mine, theirs.next()) {
                (">", Some(_)) => return true,
                (_, Some(">")) | (_, None) => return false,
                ("*", Some(_)) => {}
                (mine, Some(token)) if mine == token => {}
                _ => return false,
            }
        }
        theirs.next().is_none()
    }

    /// Whether some subject is followed by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (mut mine, mut theirs) = (self.0.split('.'), other.0.split('.'));
        loop {
            match (mine.next(), theirs.next()) {
                (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
                (Some(one), Some(two)) if one == two || one == "*" || two == "*" => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }

    /// Without those that others cover, so that no message comes twice for that reason.
    pub fn reduced(patterns: &[Self]) -> Vec<Self> {
        let mut kept: Vec<Self> = Vec::new();
        for pattern in patterns {
            if kept.iter().any(|k| k.covers(pattern)) {
                continue;
            }
            kept.retain(|k| !pattern.covers(k));
            kept.push(pattern.clone());
        }
        kept
    }
}

impl TryFrom<Arc<str>> for Pattern {
    type Error = PatternError;

    fn try_from(text: Arc<str>) -> Result<Self, PatternError> {
        Self::new(&text)
    }
}

impl From<Pattern> for Arc<str> {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A subject of the site's own family: `ai.{domain}.{scope}.{action}`, 3 to 6 tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family<'a> {
    /// `chat`, `voice`, `pipeline` …
    pub domain: &'a str,
    /// Whom or what it is about; empty where the subject has three tokens. May hold dots.
    pub scope: &'a str,
    pub action: &'a str,
}

impl<'a> Family<'a> {
    /// `None`: not of the family; it is shown as it is.
    pub fn of(subject: &'a str) -> Option<Self> {
        let rest = subject.strip_prefix("ai.")?;
        let tokens = rest.split('.').count() + 1;
        if !(3..=6).contains(&tokens) || rest.split('.').any(str::is_empty) {
            return None;
        }
        let (domain, rest) = rest.split_once('.')?;
        let (scope, action) = rest.rsplit_once('.').unwrap_or(("", rest));
        Some(Self {
            domain,
            scope,
            action,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).expect("valid")
    }

    #[test]
    fn patterns_are_checked_as_the_server_would() {
        for right in ["ai.>", ">", "*", "ai.chat.user.*.message", "a.*.>", "$JS.>"] {
            assert!(Pattern::new(right).is_ok(), "{right}");
        }
        for (wrong, why) in [
            ("", PatternError::Empty),
            ("a b", PatternError::Blank),
            ("a\u{1b}[2J", PatternError::Blank),
            ("a..b", PatternError::MissingToken),
            (".a", PatternError::MissingToken),
            ("a.", PatternError::MissingToken),
            (">.a", PatternError::Rest),
            ("a>", PatternError::Rest),
            ("a*.b", PatternError::Star),
        ] {
            assert_eq!(Pattern::new(wrong), Err(why), "{wrong}");
        }
        let long = "x".repeat(256);
        assert_eq!(Pattern::new(&long), Err(PatternError::TooLong));
    }

    #[test]
    fn wildcards_match_as_on_the_server() {
        for (wanted, subject, expected) in [
            ("ai.>", "ai.chat", true),
            ("ai.>", "ai", false),
            ("ai.*.x", "ai.b.x", true),
            ("ai.*.x", "ai.b.c.x", false),
            ("a.b", "a.b.c", false),
            ("a.b.c", "a.b", false),
            (">", "a.b.c", true),
        ] {
            assert_eq!(
                pattern(wanted).matches(subject),
                expected,
                "{wanted} {subject}"
            );
        }
    }

    #[test]
    fn one_subject_is_widened_to_its_neighbours() {
        let wide = |text| pattern(text).widened().to_string();
        assert_eq!([wide("a.b.c"), wide("a")], ["a.b.*", "*"]);
        assert!(pattern("a.b").is_literal());
        assert!(!pattern("a.*").is_literal() && !pattern(">").is_literal());
    }

    #[test]
    fn what_another_pattern_covers_is_left_out() {
        let of = |texts: &[&str]| {
            let all: Vec<Pattern> = texts.iter().map(|t| pattern(t)).collect();
            let kept = Pattern::reduced(&all);
            kept.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of(&["ai.chat.x", "ai.>", "ai.*.y"]), ["ai.>"]);
        assert_eq!(of(&["a.*", "a.>"]), ["a.>"]);
        assert_eq!(of(&["a.*", "*.b"]), ["a.*", "*.b"]);
        assert_eq!(of(&["a.b", "a.b"]), ["a.b"]);
        assert!(!pattern("a.*").covers(&pattern("a.>")));
    }

    #[test]
    fn the_family_has_three_to_six_tokens() {
        let of = |s| Family::of(s).map(|f| (f.domain, f.scope, f.action));
        assert_eq!(of("ai.pipeline.trigger"), Some(("pipeline", "", "trigger")));
        let told = Some(("chat", "user.42", "message"));
        assert_eq!(of("ai.chat.user.42.message"), told);
        assert_eq!(of("ai.chat.response.r1"), Some(("chat", "response", "r1")));
        for other in ["ai.chat", "ai.a.b.c.d.e.f", "aix.a.b", "ai..b.c", "ran.x.y"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
