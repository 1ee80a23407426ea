//! Conversations that were kept: listed, gone on with, branched, forgotten, written to a file.

use super::State;
use crate::message::Effect;
use crate::model::archive::{Keep, Recall};
use crate::model::export::{Export, Format, Kept, TextExport};
use crate::model::talk::{Session, SessionHead, SessionId};
use crate::model::unit::age;

impl State {
    /// `None`: it is no such word. `Err`: said instead.
    pub(super) fn session_word(
        &mut self,
        word: &str,
        rest: &str,
    ) -> Option<Result<Vec<Effect>, String>> {
        Some(match word {
            "/sessions" => self.ask_sessions(rest),
            "/resume" => self.listed(rest).map(|head| self.open_session(head.id)),
            "/forget" => self.forget(rest),
            "/branch" => self.branch(rest),
            "/export" => self.export_session(),
            _ => return None,
        })
    }

    /// An archive that is still being opened answers once it is.
    fn ask_sessions(&mut self, words: &str) -> Result<Vec<Effect>, String> {
        if let Some(handover) = self.world.handover.clone() {
            let said = |t: &&Session| t.markdown().to_lowercase().contains(&words.to_lowercase());
            let heads = handover.talks.iter().filter(said).map(|t| t.head.clone());
            self.list_sessions(words, heads.collect());
            return Ok(Vec::new());
        }
        match self.world.is_kept() || self.config.archive.is_wanted() {
            true => Ok(vec![Effect::Recall(Recall::Sessions(words.to_owned()))]),
            false => Err("Conversations are not kept: no archive takes them ([archive] of the configuration).".into()),
        }
    }

    /// One of the last list, by its number there.
    fn listed(&self, number: &str) -> Result<SessionHead, String> {
        let place: Option<usize> = number.parse().ok();
        let found = place.and_then(|n| self.sessions.get(n.checked_sub(1)?));
        let none = || "Name one by its number in the list of `/sessions`.".to_owned();
        found.cloned().ok_or_else(none)
    }

    /// One that was handed over is here; else the archive is asked.
    fn open_session(&mut self, id: SessionId) -> Vec<Effect> {
        let handed = self.world.handover.iter().flat_map(|h| &h.talks);
        match handed.into_iter().find(|t| t.head.id == id).cloned() {
            Some(talk) => self.resume(Some(Box::new(talk))),
            None => vec![Effect::Recall(Recall::Session(id))],
        }
    }

    fn forget(&mut self, number: &str) -> Result<Vec<Effect>, String> {
        let head = self.listed(number)?;
        self.sessions.retain(|s| s.id != head.id);
        let told = format!("Forgotten: {}.", head.title);
        // The one at hand ends: with its next word it would be kept again.
        let run = if self.chat.is(head.id) {
            self.chat.clear()
        } else {
            None
        };
        self.chat.answer_locally(None, told, self.world.now);
        let mut effects = vec![Effect::Keep(vec![Keep::Forget(head.id)])];
        effects.extend(run.map(Effect::CancelChat));
        Ok(effects)
    }

    fn branch(&mut self, number: &str) -> Result<Vec<Effect>, String> {
        let number = number.parse().unwrap_or(0);
        let before = self.chat.unkept(&self.persona.id);
        let run = self.chat.running();
        let Some(question) = self.chat.branch(number, self.world.now) else {
            return Err(
                "Name a question of this conversation by its number, from 1 on: `/branch 2`."
                    .into(),
            );
        };
        self.screen.views.chat.set_text(&question);
        let kept = before.filter(|_| self.world.is_kept());
        let kept = kept.map(|s| Effect::Keep(vec![Keep::Session(Box::new(s))]));
        Ok(kept
            .into_iter()
            .chain(run.map(Effect::CancelChat))
            .collect())
    }

    fn export_session(&self) -> Result<Vec<Effect>, String> {
        let session = self.chat.session(&self.persona.id);
        let session = session.ok_or("Nothing was asked yet.")?;
        Ok(vec![Effect::Save(Box::new(Export {
            format: Format::Markdown,
            at: self.world.now,
            kept: Kept::Text(TextExport {
                name: "chat".into(),
                text: crate::model::redact::redact(&session.markdown()),
            }),
        }))])
    }

    /// The archive's answer to `/sessions`.
    pub(super) fn list_sessions(&mut self, words: &str, heads: Vec<SessionHead>) {
        let mut told = match (heads.is_empty(), words.is_empty()) {
            (true, true) => "No conversation was kept yet.".to_owned(),
            (true, false) => format!("No conversation was kept in which \"{words}\" stands."),
            (false, _) => "Conversations, used last first; `/resume NUMBER` goes on with one, `/forget NUMBER` deletes it:\n\n".to_owned(),
        };
        for (place, head) in heads.iter().enumerate() {
            let about = head.incident.and_then(|id| self.world.incident(id));
            let about = about.map_or(String::new(), |i| format!(", about INC-{}", i.number));
            told.push_str(&format!(
                "{}. {} ({} questions, {} ago{about})\n",
                place + 1,
                head.title,
                head.questions,
                age(self.world.now.age_since_ms(head.used)),
            ));
        }
        self.sessions = heads;
        self.chat.answer_locally(None, told, self.world.now);
    }

    /// The archive's answer to `/resume`.
    pub(super) fn resume(&mut self, found: Option<Box<Session>>) -> Vec<Effect> {
        let Some(session) = found else {
            let told = "It is not kept any more.".to_owned();
            self.chat.answer_locally(None, told, self.world.now);
            return Vec::new();
        };
        let before = self.chat.unkept(&self.persona.id);
        self.work_as(&session.head.persona.clone());
        let run = self.chat.resume(*session);
        self.screen.views.chat.follow();
        let kept = before.filter(|_| self.world.is_kept());
        let kept = kept.map(|s| Effect::Keep(vec![Keep::Session(Box::new(s))]));
        kept.into_iter()
            .chain(run.map(Effect::CancelChat))
            .collect()
    }
}
