//! Keys as written in the table and in tests (`gg`, `<c-p>`, `<enter>`), and what they mean.

use super::{Action, Context, ENTRIES};
use crate::model::input::{Key, KeyPress};

/// What a sequence of keys means.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    Found(Action),
    /// The beginning of something.
    Prefix,
    None,
}

/// Meaning of the keys pressed so far.
pub fn lookup(pressed: &[KeyPress], replaying: bool) -> Lookup {
    let mut prefix = false;
    for entry in ENTRIES {
        if entry.context == Context::Replay && !replaying {
            continue;
        }
        for keys in entry.keys.iter().map(|text| parse_keys(text)) {
            if keys == pressed {
                return Lookup::Found(entry.action.clone());
            }
            prefix |= keys.starts_with(pressed);
        }
    }
    if prefix { Lookup::Prefix } else { Lookup::None }
}

/// Reads the notation; a `<` that opens no known name is the key itself.
pub fn parse_keys(text: &str) -> Vec<KeyPress> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '<'
            && let Some(end) = rest.find('>')
            && let Some(press) = rest.get(1..end).and_then(named)
        {
            keys.push(press);
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        keys.push(KeyPress::plain(Key::Char(first)));
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    keys
}

fn named(name: &str) -> Option<KeyPress> {
    if let Some(letter) = name.strip_prefix("c-") {
        let mut chars = letter.chars();
        return match (chars.next(), chars.next()) {
            (Some(c), None) => Some(KeyPress::ctrl(c)),
            _ => None,
        };
    }
    let key = match name {
        "enter" => Key::Enter,
        "esc" => Key::Esc,
        "tab" => Key::Tab,
        "s-tab" => Key::BackTab,
        "space" => Key::Char(' '),
        "bs" => Key::Backspace,
        "del" => Key::Delete,
        "up" => Key::Up,
        "down" => Key::Down,
        "left" => Key::Left,
        "right" => Key::Right,
        "home" => Key::Home,
        "end" => Key::End,
        "pgup" => Key::PageUp,
        "pgdn" => Key::PageDown,
        "lt" => Key::Char('<'),
        "gt" => Key::Char('>'),
        _ => return None,
    };
    Some(KeyPress::plain(key))
}

/// Keys of the table as people write them: `Ctrl-p`, `Enter`, `gs`, `Ctrl-s h`.
pub fn name_of(keys: &str) -> String {
    written(&parse_keys(keys))
}

/// The same of keys that were pressed. Names of several letters stand apart.
pub fn written(presses: &[KeyPress]) -> String {
    let mut text = String::new();
    let mut apart = false;
    for press in presses {
        let name = name_of_one(press);
        let long = name.chars().count() > 1;
        if !text.is_empty() && (apart || long) {
            text.push(' ');
        }
        apart = long;
        text.push_str(&name);
    }
    text
}

fn name_of_one(press: &KeyPress) -> String {
    let name = match press.key {
        Key::Char(' ') => "Space".into(),
        Key::Char(c) => c.to_string(),
        Key::BackTab => "S-Tab".into(),
        Key::PageUp => "PgUp".into(),
        Key::PageDown => "PgDn".into(),
        key => format!("{key:?}"),
    };
    match press.ctrl {
        true => format!("Ctrl-{name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn no_key_means_two_things_and_none_hides_another() {
        let mut seen: BTreeMap<Vec<String>, &str> = BTreeMap::new();
        for entry in ENTRIES {
            for text in entry.keys {
                let keys: Vec<String> = parse_keys(text).iter().map(|k| format!("{k:?}")).collect();
                assert!(!keys.is_empty(), "{}", entry.name);
                for (other, name) in &seen {
                    assert!(
                        !other.starts_with(&keys) && !keys.starts_with(other),
                        "{text} of {} clashes with {name}",
                        entry.name
                    );
                }
                seen.insert(keys, entry.name);
            }
        }
        assert!(seen.len() > 50);
    }

    #[test]
    fn every_entry_has_words_and_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for entry in ENTRIES {
            assert!(names.insert(entry.name), "{} stands twice", entry.name);
            assert!(
                entry.help.len() > 3 && entry.help.len() < 70,
                "{}",
                entry.name
            );
            let typed = matches!(entry.action, Action::Typed(_));
            // What has no key is typed; a key may also begin what is typed.
            let reached = typed || !entry.keys.is_empty() || entry.name == "quit";
            assert!(reached, "{}", entry.name);
        }
    }

    #[test]
    fn notation() {
        assert_eq!(parse_keys("g<c-p><").len(), 3);
        assert_eq!(parse_keys("<enter>"), [KeyPress::plain(Key::Enter)]);
        assert_eq!(parse_keys("<nope>").len(), 6);
        assert_eq!(lookup(&parse_keys("g"), false), Lookup::Prefix);
        assert_eq!(lookup(&parse_keys("<space>"), false), Lookup::None);
        assert_eq!(
            lookup(&parse_keys("<space>"), true),
            Lookup::Found(Action::ReplayPause)
        );
        for (keys, name) in [
            ("<c-p>", "Ctrl-p"),
            ("<c-s>h", "Ctrl-s h"),
            ("gs", "gs"),
            ("<pgdn>", "PgDn"),
            ("<s-tab>", "S-Tab"),
            ("<space>", "Space"),
            ("<enter>", "Enter"),
            ("<lt>", "<"),
        ] {
            assert_eq!(name_of(keys), name);
        }
    }
}
