//! More than was asked for: the lines around one in its own stream, and the lines before the oldest.

use super::Logs;
use super::asked::{Asked, LIMIT};
use super::stream::LineId;
use crate::language::logql::write::matcher;
use crate::message::Effect;
use crate::model::ask::{Ask, Question};
use crate::model::health::SourceKind;
use crate::model::label::Labels;
use crate::model::time::Timestamp;
use crate::state::world::World;

/// Lines before it, and after it.
const AROUND: u32 = 50;
/// How far they are looked for.
const HOUR_MS: i64 = 3_600_000;
/// Lines that loading on may gather.
pub const MOST: usize = 100_000;

/// What stands in front of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The lines around one.
    Around,
    /// The lines of the range that was compared with.
    Range,
}

impl Beside {
    pub fn told(self) -> &'static str {
        match self {
            Self::Around => "around one line (C back)",
            Self::Range => "lines of the other range (Esc back)",
        }
    }
}

/// What was on the screen before the lines around one of them.
#[derive(Debug)]
pub struct Aside {
    /// What stands in front of it now.
    pub by: Beside,
    pub asked: Option<Asked>,
    pub cursor: Option<LineId>,
}

/// The stream with exactly these labels.
fn stream(labels: &Labels) -> Option<String> {
    let all: Vec<String> = labels
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| matcher(name, &[value.to_owned()]))
        .collect();
    (!all.is_empty()).then(|| format!("{{{}}}", all.join(", ")))
}

impl Logs {
    /// The lines before and after the one under the cursor, whatever they say; once more goes back.
    pub(super) fn around(&mut self, world: &World) -> Vec<Effect> {
        if self.leave_around() {
            return Vec::new();
        }
        let Some(entry) = self.chosen(world) else {
            return vec![Effect::Say("no line is in view")];
        };
        let (cluster, id) = (entry.cluster, entry.id());
        let has_loki = world
            .cluster(cluster)
            .is_some_and(|c| c.sources.contains_key(&SourceKind::Loki));
        let Some(query) = stream(entry.line.labels).filter(|_| has_loki) else {
            return vec![Effect::Say("no Loki has the stream of this line")];
        };
        let at = entry.line.at_ns.div_euclid(1_000_000);
        let spans = [
            (Timestamp(at - HOUR_MS), Timestamp(at + 1), true),
            (Timestamp(at), Timestamp(at + HOUR_MS), false),
        ];
        let questions: Vec<Question> = spans
            .into_iter()
            .map(|(start, end, backward)| Question {
                id: self.numbers.take(),
                cluster,
                ask: Ask::Logs {
                    query: query.clone(),
                    start,
                    end,
                    limit: AROUND + 1,
                    backward,
                },
            })
            .collect();
        let asked = Asked::around(&query, &questions);
        let asked = self.asked.replace(asked);
        self.aside = Some(Aside {
            by: Beside::Around,
            asked,
            cursor: self.cursor.replace(id),
        });
        questions.into_iter().map(Effect::Ask).collect()
    }

    /// Back from the lines around one; false: they are not shown.
    pub(super) fn leave_around(&mut self) -> bool {
        let Some(aside) = self.aside.take() else {
            return false;
        };
        self.asked = aside.asked;
        self.cursor = aside.cursor;
        true
    }

    /// Asks for the lines before the oldest, where a limit left them out.
    pub(super) fn load_on(&mut self, world: &World) -> Vec<Effect> {
        // The range of the query, however long ago it was asked.
        let (start, _) = self.in_view(world);
        let numbers = &mut self.numbers;
        let asked = self.asked.as_mut().filter(|a| a.is_logql());
        let Some(asked) = asked else {
            return vec![Effect::Say(
                "older lines are loaded on to a query (o writes one)",
            )];
        };
        let short = asked.cut_short();
        if short.is_empty() {
            return vec![Effect::Say(
                "no limit left lines out, as far as was answered",
            )];
        }
        if asked.count() >= MOST {
            return vec![Effect::Say(
                "as many lines are held as can be: a narrower query or range shows the rest",
            )];
        }
        let mut questions = Vec::new();
        for (cluster, oldest_ns) in short {
            questions.push(Question {
                id: numbers.take(),
                cluster,
                ask: Ask::Logs {
                    query: asked.query.clone(),
                    start,
                    // Lines of the same millisecond may have been left out.
                    end: Timestamp(oldest_ns.div_euclid(1_000_000) + 1),
                    limit: LIMIT,
                    backward: true,
                },
            });
        }
        asked.more(&questions);
        questions.into_iter().map(Effect::Ask).collect()
    }
}
