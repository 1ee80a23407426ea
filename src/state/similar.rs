//! What the agent asks of the screen and of the archive.

use super::State;
use crate::incident::{Incident, signs};
use crate::message::Effect;
use crate::model::archive::{Past, Recall};
use crate::model::chat::{RunId, WorldQuery};
use crate::model::id::IncidentId;
use crate::model::text::clean_lines;

/// Questions that wait for the archive; more are answered without it.
const WAITING: usize = 8;
/// Characters that are told of a screen.
const SCREEN: usize = 16 * 1024;

/// A call that waits for what the archive remembers; gone when its run is over.
#[derive(Debug)]
pub(super) struct Waiting {
    run: RunId,
    call: String,
    about: IncidentId,
}

impl State {
    /// The screen in sight, in words.
    pub(super) fn described(&self) -> (String, usize, bool) {
        let brief = self.screen.view().brief(&self.ctx(false));
        let title = self.screen.at.title();
        let mut text = format!(
            "The operator looks at: {title}\n{}",
            clean_lines(&brief, SCREEN)
        );
        if let Some(focus) = self.screen.view().focus(&self.world) {
            text.push_str(&format!("\nUnder the cursor: {}", self.name_of(&focus)));
        }
        let rows = text.lines().count();
        (text, rows, true)
    }

    /// Answered at once where no archive is asked, else when it has answered.
    pub(super) fn ask_similar(&mut self, query: &WorldQuery) -> Vec<Effect> {
        let named = query.arguments.get("incident").and_then(|v| v.as_str());
        let number = named.unwrap_or_default().to_uppercase();
        let number: Option<u32> = number.trim_start_matches("INC-").parse().ok();
        let mut all = self.world.incidents.iter();
        let Some(incident) = number.and_then(|n| all.find(|i| i.number == n)) else {
            let told = format!("there is no incident `{}`", named.unwrap_or_default());
            return vec![told_to(query.run, &query.call, (told, 0, false))];
        };
        if !self.world.is_kept() || self.similar.len() >= WAITING {
            let told = self.similar_to(incident, &[], "the archive was not asked: ");
            return vec![told_to(query.run, &query.call, told)];
        }
        let (id, signs) = (incident.id, signs(incident));
        self.similar.push(Waiting {
            run: query.run,
            call: query.call.clone(),
            about: id,
        });
        vec![Effect::Recall(Recall::Like { id, signs })]
    }

    /// The archive has answered: so have those who wait for it.
    pub(super) fn remembered(&mut self, id: IncidentId, past: &[Past]) -> Vec<Effect> {
        let all = std::mem::take(&mut self.similar);
        let (asked, others) = all.into_iter().partition(|w| w.about == id);
        self.similar = others;
        let asked: Vec<Waiting> = asked;
        let tell = |w: Waiting| {
            let told = match self.world.incident(id) {
                Some(incident) => self.similar_to(incident, past, ""),
                None => ("the incident is no longer known".to_owned(), 0, false),
            };
            told_to(w.run, &w.call, told)
        };
        asked.into_iter().map(tell).collect()
    }

    fn similar_to(&self, asked: &Incident, past: &[Past], before: &str) -> (String, usize, bool) {
        let like = self.world.like(asked, past);
        let rows = like.iter().map(|one| {
            let share = one.share * 100.0;
            let since = one.opened.rfc3339();
            format!(
                "- {share:.0} % alike, {since}: {}\n  {}\n",
                one.head, one.note
            )
        });
        let rows: String = rows.collect();
        let text = match like.is_empty() {
            true => format!("{before}nothing like INC-{} is remembered\n", asked.number),
            false => format!(
                "{before}like INC-{}, by the share of their signs:\n{rows}",
                asked.number
            ),
        };
        (text, like.len(), true)
    }
}

/// The answer to a call of the agent.
pub(super) fn told_to(run: RunId, call: &str, (text, rows, ok): (String, usize, bool)) -> Effect {
    Effect::WorldAnswer {
        run,
        call: call.to_owned(),
        text,
        rows,
        ok,
    }
}
