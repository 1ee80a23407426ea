//! What can be completed where the cursor stands.

use super::scan::scan;
use super::words;
use crate::language::spot::Spot;
use crate::language::{Kind, Place, Token, Want, What};

/// Parentheses, braces or brackets that are open before the cursor.
#[derive(Clone, Debug, Default)]
struct Room {
    open: char,
    /// Parentheses of `by`, `on` and the like.
    labels: bool,
    metric: Option<String>,
    label: Option<String>,
    operator: Option<String>,
}

/// The parts before the word at the cursor, and what they lead to.
#[derive(Default)]
struct Before {
    rooms: Vec<Room>,
    /// The last part that says something, and the one that is a name just before a brace.
    last: Option<(Kind, String)>,
}

pub fn place(text: &str, cursor: usize) -> Option<Place> {
    text.get(..cursor)?;
    let tokens = scan(text);
    let spot = Spot::new(text, cursor, &tokens, |t| {
        matches!(
            t.kind,
            Kind::Name
                | Kind::Label
                | Kind::Function
                | Kind::Keyword
                | Kind::Number
                | Kind::Comment
        )
    });
    if spot.word.is_some_and(|t| t.kind == Kind::Comment) {
        return None;
    }
    let mut before = Before::default();
    for token in tokens.iter().filter(|t| t.end <= spot.start()) {
        before.take(text, token);
    }
    match before.rooms.last() {
        Some(room) if room.open == '{' => At(spot).matcher(room, before.last.as_ref()),
        Some(room) if room.labels => Some(spot.plain(
            vec![Want::plain(What::Labels {
                of: first_metric(text, &tokens),
            })],
            true,
        )),
        Some(room) if room.open == '[' => {
            Some(spot.plain(vec![Want::plain(What::Words(&words::RANGES))], true))
        }
        _ => At(spot).value(before.last.as_ref()),
    }
}

/// The metric whose labels are meant most likely.
fn first_metric(text: &str, tokens: &[Token]) -> Option<String> {
    let name = tokens.iter().find(|t| t.kind == Kind::Name);
    name.map(|t| t.of(text).to_owned())
}

impl Before {
    fn take(&mut self, text: &str, token: &Token) {
        let part = token.of(text);
        if matches!(token.kind, Kind::Blank | Kind::Comment) {
            return;
        }
        let named = |kind| match &self.last {
            Some((k, name)) if *k == kind => Some(name.clone()),
            _ => None,
        };
        match part {
            "(" => {
                let labels = named(Kind::Keyword).is_some_and(|w| words::takes_labels(&w));
                self.rooms.push(Room {
                    open: '(',
                    labels,
                    ..Room::default()
                });
            }
            "{" => self.rooms.push(Room {
                open: '{',
                metric: named(Kind::Name),
                ..Room::default()
            }),
            "[" => self.rooms.push(Room {
                open: '[',
                ..Room::default()
            }),
            ")" | "}" | "]" => {
                self.rooms.pop();
            }
            _ => {
                if let Some(room) = self.rooms.last_mut().filter(|r| r.open == '{') {
                    room.take(token.kind, part);
                }
            }
        }
        self.last = Some((token.kind, part.to_owned()));
    }
}

impl Room {
    /// A part of a selector.
    fn take(&mut self, kind: Kind, part: &str) {
        match kind {
            Kind::Label => (self.label, self.operator) = (Some(part.to_owned()), None),
            Kind::Operator if part != "," => self.operator = Some(part.to_owned()),
            Kind::Text => {
                let value = part.trim_matches(['"', '\'', '`']);
                let named = self.label.as_deref() == Some("__name__") || self.label.is_none();
                if named && self.operator.as_deref().is_none_or(|o| o == "=") {
                    self.metric = Some(value.to_owned());
                }
                (self.label, self.operator) = (None, None);
            }
            _ => (self.label, self.operator) = (None, None),
        }
    }
}

/// What may stand at the cursor.
struct At<'t>(Spot<'t>);

impl At<'_> {
    /// Within the braces of a selector.
    fn matcher(&self, room: &Room, last: Option<&(Kind, String)>) -> Option<Place> {
        let of = room.metric.clone();
        if let (Some(label), Some(operator)) = (&room.label, &room.operator) {
            let what = match label.as_str() {
                "__name__" => What::Names,
                _ => What::Values {
                    label: label.clone(),
                    of,
                },
            };
            return self.0.quoted(what, operator.contains('~'));
        }
        match self.0.word {
            Some(word) if word.kind == Kind::Text => None,
            // After a label an operator is due, after a value a comma.
            None if room.label.is_some() => None,
            None if last.is_some_and(|(kind, _)| *kind == Kind::Text) => None,
            _ => {
                let want = Want::plain(What::Labels { of });
                let has_operator = ["=", "!=", "=~", "!~"].contains(&self.0.next);
                let want = match has_operator {
                    true => want,
                    false => want.followed("=\"\"", 1),
                };
                Some(self.0.plain(vec![want], true))
            }
        }
    }

    /// Where a value, or what binds two of them, may stand.
    fn value(&self, last: Option<&(Kind, String)>) -> Option<Place> {
        if self
            .0
            .word
            .is_some_and(|w| matches!(w.kind, Kind::Text | Kind::Number))
        {
            return None;
        }
        let after_value = last.is_some_and(|(kind, part)| match kind {
            Kind::Name | Kind::Text | Kind::Number | Kind::Function => true,
            Kind::Bracket => matches!(part.as_str(), ")" | "}" | "]"),
            _ => false,
        });
        let after_aggregation = last.is_some_and(|(_, part)| {
            let mut all = words::AGGREGATIONS.iter();
            all.any(|w| w.text.eq_ignore_ascii_case(part))
        });
        if after_value || after_aggregation {
            let keywords = Want::plain(What::Words(&words::KEYWORDS)).followed(" ", 0);
            return Some(self.0.plain(vec![keywords], false));
        }
        if last.is_some_and(|(_, part)| matches!(part.as_str(), "offset" | "@")) {
            return None;
        }
        let call = match self.0.next {
            "(" | "by" | "without" => ("", 0),
            _ => ("()", 1),
        };
        let words = |words| Want::plain(What::Words(words)).followed(call.0, call.1);
        let mut wants = vec![
            Want::plain(What::Names),
            words(&words::FUNCTIONS),
            words(&words::AGGREGATIONS),
        ];
        if last.is_none() && self.0.next.is_empty() {
            wants.push(Want::plain(What::Snippets));
        }
        Some(self.0.plain(wants, false))
    }
}
