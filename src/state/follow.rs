//! What is followed of the buses: while their screen is in view, and as the operator wants it.

use super::State;
use crate::command::ScreenId;
use crate::message::Effect;
use crate::model::bus::{Following, Pattern};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::ui::view::Goto;
use crate::ui::view::common::clusters;

/// Followed where neither configuration nor operator say anything: the site's own family.
const USUAL: &str = "ai.>";
/// Subjects at a time.
const MOST: usize = 8;

impl State {
    /// `SUBJECT … [/ WORD …]`, `off`, or `default`.
    pub(super) fn take_follow(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        let wanted = match text {
            "default" => None,
            "off" => Some(Following::default()),
            text => Some(read(text)?),
        };
        self.screen.views.bus.follow(wanted);
        if self.screen.at == ScreenId::Bus {
            return Ok(Vec::new());
        }
        Ok(self.go(Goto {
            screen: ScreenId::Bus,
            ..Goto::default()
        }))
    }

    /// Says what has to be followed, where that is news.
    pub(super) fn follow_buses(&mut self) -> Option<Effect> {
        let wanted = self.wanted_of_buses();
        if wanted == self.screen.followed {
            return None;
        }
        self.screen.followed.clone_from(&wanted);
        Some(Effect::FollowBus(wanted))
    }

    /// A bus that is not named here follows what its configuration says.
    fn wanted_of_buses(&self) -> Vec<(ClusterId, Following)> {
        if self.screen.at != ScreenId::Bus {
            return Vec::new();
        }
        let with_bus = clusters(&self.world, self.screen.scope)
            .filter(|c| c.sources.contains_key(&SourceKind::Nats));
        let wanted = |id: ClusterId| match self.screen.views.bus.wanted() {
            Some(wanted) => Some(wanted.clone()),
            None => {
                let config = self.config.clusters.get(usize::from(id.0));
                let nats = config.and_then(|c| c.nats.as_ref());
                let configured = nats.is_some_and(|n| !n.follow.is_empty());
                (!configured).then(|| Following {
                    patterns: Pattern::new(USUAL).into_iter().collect(),
                    words: String::new(),
                })
            }
        };
        with_bus
            .filter_map(|c| Some((c.id, wanted(c.id)?)))
            .collect()
    }
}

fn read(text: &str) -> Result<Following, String> {
    // A `/` within a word is part of a subject, one that begins a word is not.
    let (subjects, words) = match text.strip_prefix('/') {
        Some(words) => ("", words.trim()),
        None => text
            .split_once(" /")
            .map_or((text, ""), |(subjects, words)| (subjects, words.trim())),
    };
    let patterns: Vec<Pattern> = subjects
        .split([' ', ','])
        .filter(|s| !s.is_empty())
        .map(|s| Pattern::new(s).map_err(|why| format!("`{s}` is no subject: {why}")))
        .collect::<Result<_, _>>()?;
    match patterns.len() {
        0 => Err("name a subject, such as ai.> or ran.events.*".into()),
        n if n > MOST => Err(format!("{n} subjects are too many: at most {MOST}")),
        _ => Ok(Following {
            patterns,
            words: words.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_and_words_are_told_apart() {
        let read = |text| read(text).map(|f| (f.patterns.len(), f.words));
        assert_eq!(read("ai.> ran.*"), Ok((2, String::new())));
        assert_eq!(read("ai.>, ran.* / two words"), Ok((2, "two words".into())));
        for wrong in ["/ words", "a..b", ">.x", "a b c d e f g h i"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
