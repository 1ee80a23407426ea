//! What can be completed where the cursor stands.

use super::scan::scan;
use super::words;
use crate::language::spot::Spot;
use crate::language::{Kind, Place, Token, Want, What};

/// The brackets that are open before the cursor, and what was last said.
#[derive(Default)]
struct Before {
    open: Vec<Open>,
    last: Option<(Kind, String)>,
    /// The part before the last.
    former: String,
    /// A selector stands before, with nothing but its stages since.
    lines: bool,
}

struct Open {
    bracket: char,
    /// Parentheses of `by`, `on` and the like.
    labels: bool,
    label: Option<String>,
    operator: Option<String>,
    /// Matchers before the cursor.
    matchers: Vec<String>,
}

fn is_word(token: &Token) -> bool {
    matches!(
        token.kind,
        Kind::Name | Kind::Label | Kind::Function | Kind::Keyword | Kind::Number | Kind::Comment
    )
}

pub fn place(text: &str, cursor: usize) -> Option<Place> {
    text.get(..cursor)?;
    let tokens = scan(text);
    let spot = Spot::new(text, cursor, &tokens, is_word);
    if spot.word.is_some_and(|t| t.kind == Kind::Comment) {
        return None;
    }
    let mut before = Before::default();
    for token in tokens.iter().filter(|t| t.end <= spot.start()) {
        before.take(text, token);
    }
    match before.open.last() {
        Some(open) if open.bracket == '{' => in_braces(&spot, open, before.last.as_ref()),
        Some(open) if open.labels => {
            Some(spot.plain(vec![Want::plain(What::Labels { of: None })], true))
        }
        Some(open) if open.bracket == '[' => {
            Some(spot.plain(vec![Want::plain(What::Words(&words::RANGES))], true))
        }
        _ => outside(&spot, &before),
    }
}

impl Before {
    fn take(&mut self, text: &str, token: &Token) {
        let part = token.of(text);
        if matches!(token.kind, Kind::Blank | Kind::Comment) {
            return;
        }
        let before = self.last.as_ref().map_or("", |(_, part)| part.as_str());
        match part {
            "(" | "{" | "[" => {
                let labels = [
                    "by",
                    "without",
                    "on",
                    "ignoring",
                    "group_left",
                    "group_right",
                ];
                self.open.push(Open {
                    bracket: part.chars().next().unwrap_or('('),
                    labels: part == "(" && labels.iter().any(|l| before.eq_ignore_ascii_case(l)),
                    label: None,
                    operator: None,
                    matchers: Vec::new(),
                });
            }
            ")" | "}" | "]" => {
                self.open.pop();
                self.lines =
                    part == "}" || part == ")" && self.lines && token.kind == Kind::Bracket;
            }
            _ => {
                if let Some(open) = self.open.last_mut().filter(|o| o.bracket == '{') {
                    open.take(token.kind, part);
                }
            }
        }
        if part == "]" {
            self.lines = false;
        }
        self.former = std::mem::take(&mut self.last)
            .map(|(_, part)| part)
            .unwrap_or_default();
        self.last = Some((token.kind, part.to_owned()));
    }

    fn last_part(&self) -> &str {
        self.last.as_ref().map_or("", |(_, part)| part)
    }
}

impl Open {
    /// The selector as far as it stands before the cursor. Loki wants one matcher that no empty
    /// value meets.
    fn selector(&self) -> Option<String> {
        let asks = |m: &String| !m.contains("!=") && !m.contains("!~") && !m.ends_with("\"\"");
        let some = self.matchers.iter().any(asks);
        some.then(|| format!("{{{}}}", self.matchers.join(", ")))
    }

    /// A part of a selector.
    fn take(&mut self, kind: Kind, part: &str) {
        match kind {
            Kind::Operator if part != "," => self.operator = Some(part.to_owned()),
            Kind::Text | Kind::Operator => {
                if let (Some(label), Some(operator)) = (self.label.take(), self.operator.take())
                    && kind == Kind::Text
                {
                    self.matchers.push(format!("{label}{operator}{part}"));
                }
            }
            _ => (self.label, self.operator) = (Some(part.to_owned()), None),
        }
    }
}

fn in_braces(spot: &Spot<'_>, open: &Open, last: Option<&(Kind, String)>) -> Option<Place> {
    if let (Some(label), Some(operator)) = (&open.label, &open.operator) {
        let label = label.clone();
        let of = open.selector();
        return spot.quoted(What::Values { label, of }, operator.contains('~'));
    }
    match spot.word {
        Some(word) if word.kind == Kind::Text => None,
        // After a label an operator is due, after a value a comma.
        None if open.label.is_some() => None,
        None if last.is_some_and(|(kind, _)| *kind == Kind::Text) => None,
        _ => {
            let want = Want::plain(What::Labels { of: None });
            let compared = ["=", "!=", "=~", "!~"].contains(&spot.next);
            let want = match compared {
                true => want,
                false => want.followed("=\"\"", 1),
            };
            Some(spot.plain(vec![want], true))
        }
    }
}

fn outside(spot: &Spot<'_>, before: &Before) -> Option<Place> {
    if spot
        .word
        .is_some_and(|w| matches!(w.kind, Kind::Text | Kind::Number))
    {
        return None;
    }
    let words = |words| Want::plain(What::Words(words));
    match before.last_part() {
        "|" if before.lines => {
            let stages = words(&words::STAGES).followed(" ", 0);
            let labels = Want::plain(What::Labels { of: None });
            return Some(spot.plain(vec![stages, labels], true));
        }
        "unwrap" if before.former == "|" => {
            let call = words(&words::CONVERSIONS).followed("()", 1);
            let labels = Want::plain(What::Labels { of: None });
            return Some(spot.plain(vec![labels, call], true));
        }
        "offset" | "|=" | "|~" | "|>" | "!>" | "!~" => return None,
        _ => {}
    }
    let after_value = before.last.as_ref().is_some_and(|(kind, part)| match kind {
        Kind::Text | Kind::Number | Kind::Label => true,
        Kind::Keyword => before.lines,
        Kind::Bracket => matches!(part.as_str(), ")" | "}" | "]"),
        _ => false,
    });
    if before.lines && after_value {
        let filters = words(&words::FILTERS).followed(" ", 0);
        return Some(spot.plain(vec![filters], false));
    }
    let grouped = matches!(before.last_part(), "by" | "without");
    let aggregates = words::is_aggregation(before.last_part());
    if after_value && !grouped || aggregates {
        return Some(spot.plain(vec![words(&words::KEYWORDS).followed(" ", 0)], false));
    }
    let call = match spot.next {
        "(" | "by" | "without" => ("", 0),
        _ => ("()", 1),
    };
    let calls = |list| words(list).followed(call.0, call.1);
    let mut wants = vec![
        calls(&words::RANGES_OF),
        calls(&words::AGGREGATIONS),
        calls(&words::CALLS),
    ];
    if before.last.is_none() && spot.next.is_empty() {
        wants.push(Want::plain(What::Snippets));
    }
    Some(spot.plain(wants, false))
}
