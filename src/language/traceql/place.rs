//! What can be completed where the cursor stands.

use super::scan::scan;
use super::typed::Type;
use super::words;
use crate::language::spot::Spot;
use crate::language::{Kind, Place, Token, Want, What, Word};

/// Brackets that are open, by what may stand in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// Stages of a pipeline.
    Stages,
    /// Conditions.
    Fields,
    /// Attributes with commas.
    Attributes,
    Hints,
    /// Nothing, or numbers.
    Closed,
}

/// The parts before the one at the cursor, and what they lead to.
#[derive(Default)]
struct Before {
    rooms: Vec<Room>,
    last: Option<(Kind, String)>,
    /// The attribute whose value is due.
    compared: Option<(String, bool)>,
    /// Functions of metrics have a `by` of their own.
    metric: bool,
}

pub fn place(text: &str, cursor: usize) -> Option<Place> {
    text.get(..cursor)?;
    let tokens = scan(text);
    let spot = Spot::new(text, cursor, &tokens, |t| {
        !matches!(
            t.kind,
            Kind::Blank | Kind::Bracket | Kind::Operator | Kind::Text
        )
    });
    if spot.word.is_some_and(|t| t.kind == Kind::Comment) {
        return None;
    }
    let mut before = Before::default();
    for token in tokens.iter().filter(|t| t.end <= spot.start()) {
        before.take(text, token);
    }
    match before.rooms.last().copied().unwrap_or(Room::Stages) {
        Room::Fields => before.field(&spot),
        Room::Attributes => Some(spot.plain(attributes(&spot, ("", 0)), true)),
        Room::Hints if before.is_after(&["(", ","]) => {
            Some(spot.plain(vec![words(&words::HINTS).followed("=", 0)], true))
        }
        Room::Hints if before.is_after(&["="]) => {
            Some(spot.plain(vec![words(&words::VALUES)], true))
        }
        Room::Stages => before.stage(&spot),
        Room::Hints | Room::Closed => None,
    }
}

fn words(list: &'static [Word]) -> Want {
    Want::plain(What::Words(list))
}

/// Attributes the server knows, intrinsics, and scopes to begin with.
fn attributes(spot: &Spot<'_>, followed: (&'static str, usize)) -> Vec<Want> {
    let compared = spot.next.starts_with(['=', '!', '<', '>']);
    let (after, back) = if compared { ("", 0) } else { followed };
    vec![
        Want::plain(What::Labels { of: None }).followed(after, back),
        words(&words::INTRINSICS).followed(after, back),
        words(&words::SCOPES),
    ]
}

impl Before {
    fn take(&mut self, text: &str, token: &Token) {
        let part = token.of(text);
        if matches!(token.kind, Kind::Blank | Kind::Comment) {
            return;
        }
        let fields = self.rooms.last() == Some(&Room::Fields);
        match part {
            "{" => self.rooms.push(Room::Fields),
            "(" if fields => self.rooms.push(Room::Fields),
            "(" => self.rooms.push(self.room()),
            ")" | "}" => {
                self.rooms.pop();
            }
            "|" => self.metric = false,
            _ => {}
        }
        let is_metric = words::METRICS.iter().any(|w| w.text == part);
        self.metric |= is_metric && token.kind == Kind::Function;
        let named = match &self.last {
            Some((Kind::Label | Kind::Name, name)) => Some(name.clone()),
            _ => None,
        };
        let compares = words::COMPARISONS.iter().any(|w| w.text == part);
        self.compared = named.filter(|_| compares).map(|n| (n, part.contains('~')));
        self.last = Some((token.kind, part.to_owned()));
    }

    /// What a parenthesis opens, by the word before it.
    fn room(&self) -> Room {
        let word = match &self.last {
            Some((Kind::Function | Kind::Keyword, word)) => word.as_str(),
            _ => return Room::Stages,
        };
        match word {
            "with" => Room::Hints,
            "compare" => Room::Stages,
            "count" | "coalesce" | "rate" | "count_over_time" | "topk" | "bottomk" => Room::Closed,
            "avg" | "min" | "max" | "sum" => Room::Fields,
            _ => Room::Attributes,
        }
    }

    fn is_after(&self, parts: &[&str]) -> bool {
        self.last
            .as_ref()
            .is_some_and(|(_, last)| parts.contains(&last.as_str()))
    }

    /// Within braces.
    fn field(&self, spot: &Spot<'_>) -> Option<Place> {
        if let Some((name, regex)) = &self.compared {
            return value(spot, name, *regex);
        }
        if spot
            .word
            .is_some_and(|w| matches!(w.kind, Kind::Text | Kind::Number))
        {
            return None;
        }
        match self.last.as_ref()? {
            (Kind::Label | Kind::Name, _) => {
                Some(spot.plain(vec![words(&words::COMPARISONS).followed(" ", 0)], false))
            }
            (Kind::Text | Kind::Number | Kind::Keyword, _) => {
                Some(spot.plain(vec![words(&words::BETWEEN_FIELDS).followed(" ", 0)], false))
            }
            (_, part) if part == ")" => {
                Some(spot.plain(vec![words(&words::BETWEEN_FIELDS).followed(" ", 0)], false))
            }
            _ => Some(spot.plain(attributes(spot, (" = ", 0)), true)),
        }
    }

    /// Outside of braces.
    fn stage(&self, spot: &Spot<'_>) -> Option<Place> {
        if spot
            .word
            .is_some_and(|w| matches!(w.kind, Kind::Text | Kind::Number))
        {
            return None;
        }
        let call = match spot.next {
            "(" => ("", 0),
            _ => ("()", 1),
        };
        let calls = |list| words(list).followed(call.0, call.1);
        match self.last.as_ref().map(|(_, part)| part.as_str()) {
            None => Some(spot.plain(vec![words(&words::STARTS)], false)),
            Some("|") if self.rooms.is_empty() || spot.word.is_some() => {
                let lists = [
                    &words::STAGES[..],
                    &words::AGGREGATES,
                    &words::METRICS,
                    &words::SECOND,
                ];
                Some(spot.plain(lists.map(calls).to_vec(), true))
            }
            Some(")" | "}") => {
                let mut wants = vec![words(&words::BETWEEN_SPANS).followed(" ", 0)];
                wants.push(words(&words::WITH).followed(" ()", 1));
                if self.metric {
                    wants.push(words(&words::BY).followed(" ()", 1));
                }
                Some(spot.plain(wants, false))
            }
            Some(_) => Some(spot.plain(vec![words(&words::STARTS)], false)),
        }
    }
}

/// The value that an attribute is compared with.
fn value(spot: &Spot<'_>, name: &str, regex: bool) -> Option<Place> {
    let list = match Type::of_intrinsic(name) {
        Type::Status => Some(&words::STATUSES[..]),
        Type::Kind => Some(&words::KINDS[..]),
        Type::Number => Some(&words::DURATIONS[..]),
        _ => None,
    };
    // An attribute may bear any name.
    if let Some(list) = list.filter(|_| !name.contains('.')) {
        let numbers = spot.word.is_some_and(|w| w.kind == Kind::Text);
        return (!numbers).then(|| spot.plain(vec![words(list)], true));
    }
    let label = name.to_owned();
    let quoted = spot.quoted(
        What::Values {
            label: label.clone(),
            of: None,
        },
        regex,
    );
    let bare = Want::plain(What::Bare { label });
    match (quoted, spot.word) {
        (Some(mut place), None) if !regex => {
            place.wants.push(bare);
            Some(place)
        }
        (None, Some(word)) if word.kind != Kind::Text && !regex => {
            Some(spot.plain(vec![bare], true))
        }
        (quoted, _) => quoted,
    }
}
