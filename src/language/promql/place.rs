//! What can be completed where the cursor stands.

use super::scan::{is_closed, scan};
use super::words;
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
    let touching = |t: &&Token| t.start < cursor && cursor <= t.end;
    let word = tokens.iter().find(touching).copied().filter(|t| {
        let open = t.kind == Kind::Text && (cursor < t.end || !is_closed(t.of(text)));
        let name = matches!(
            t.kind,
            Kind::Name | Kind::Label | Kind::Function | Kind::Keyword | Kind::Number
        );
        open || name || t.kind == Kind::Comment
    });
    if word.is_some_and(|t| t.kind == Kind::Comment) {
        return None;
    }
    let from = word.map_or(cursor, |t| t.start);
    let mut before = Before::default();
    for token in tokens.iter().filter(|t| t.end <= from) {
        before.take(text, token);
    }
    let next = tokens
        .iter()
        .find(|t| t.start >= word.map_or(cursor, |w| w.end) && t.kind != Kind::Blank);
    let next = next.map_or("", |t| t.of(text));
    let spot = Spot {
        text,
        cursor,
        word,
        next,
    };
    match before.rooms.last() {
        Some(room) if room.open == '{' => spot.matcher(room, before.last.as_ref()),
        Some(room) if room.labels => Some(spot.plain(
            vec![Want::plain(What::Labels {
                of: first_metric(text, &tokens),
            })],
            true,
        )),
        Some(room) if room.open == '[' => {
            Some(spot.plain(vec![Want::plain(What::Words(&words::RANGES))], true))
        }
        _ => spot.value(before.last.as_ref()),
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

struct Spot<'t> {
    text: &'t str,
    cursor: usize,
    word: Option<Token>,
    /// What follows.
    next: &'t str,
}

impl Spot<'_> {
    fn plain(&self, wants: Vec<Want>, eager: bool) -> Place {
        let start = self.word.map_or(self.cursor, |w| w.start);
        Place {
            start,
            end: self.word.map_or(self.cursor, |w| w.end),
            typed: self.typed(start),
            wants,
            eager,
        }
    }

    fn typed(&self, start: usize) -> String {
        let typed = self.text.get(start..self.cursor);
        typed.unwrap_or_default().to_owned()
    }

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
            return self.label_value(what, operator.contains('~'));
        }
        match self.word {
            Some(word) if word.kind == Kind::Text => None,
            // After a label an operator is due, after a value a comma.
            None if room.label.is_some() => None,
            None if last.is_some_and(|(kind, _)| *kind == Kind::Text) => None,
            _ => {
                let want = Want::plain(What::Labels { of });
                let has_operator = ["=", "!=", "=~", "!~"].contains(&self.next);
                let want = match has_operator {
                    true => want,
                    false => want.followed("=\"\"", 1),
                };
                Some(self.plain(vec![want], true))
            }
        }
    }

    fn label_value(&self, what: What, regex: bool) -> Option<Place> {
        let quoted = |after| Want {
            before: "",
            quoted: true,
            ..Want::plain(what.clone()).followed(after, 0)
        };
        let Some(word) = self.word else {
            let want = Want {
                before: "\"",
                ..quoted("\"")
            };
            return Some(self.plain(vec![want], true));
        };
        let part = word.of(self.text);
        if word.kind != Kind::Text || !part.starts_with('"') {
            return None;
        }
        let mut start = word.start + 1;
        let typed = self.text.get(start..self.cursor)?;
        if regex && let Some(bar) = typed.rfind('|') {
            start += bar + 1;
        }
        let (end, after) = match is_closed(part) {
            true => (word.end - 1, ""),
            // What follows belongs to the text only as long as the quote is missing.
            false => (self.cursor, "\""),
        };
        // Of alternatives only the one at the cursor is replaced.
        let more = self.text.get(self.cursor..end).unwrap_or_default();
        let bar = more.find('|').filter(|_| regex);
        Some(Place {
            start,
            end: bar.map_or(end, |bar| self.cursor + bar),
            typed: self.typed(start),
            wants: vec![quoted(after)],
            eager: true,
        })
    }

    /// Where a value, or what binds two of them, may stand.
    fn value(&self, last: Option<&(Kind, String)>) -> Option<Place> {
        if self
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
            return Some(self.plain(vec![keywords], false));
        }
        if last.is_some_and(|(_, part)| matches!(part.as_str(), "offset" | "@")) {
            return None;
        }
        let call = match self.next {
            "(" | "by" | "without" => ("", 0),
            _ => ("()", 1),
        };
        let words = |words| Want::plain(What::Words(words)).followed(call.0, call.1);
        let mut wants = vec![
            Want::plain(What::Names),
            words(&words::FUNCTIONS),
            words(&words::AGGREGATIONS),
        ];
        if last.is_none() && self.next.is_empty() {
            wants.push(Want::plain(What::Snippets));
        }
        Some(self.plain(wants, false))
    }
}
