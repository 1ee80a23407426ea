//! What an operator does about incidents, and what the archive remembers of them.

use std::sync::Arc;

use super::State;
use super::range::span;
use crate::command::{Command, ScreenId};
use crate::message::Effect;
use crate::model::archive::{Keep, Recalled};
use crate::model::desk::{NAME, NOTE, PIN};
use crate::model::finding::Finding;
use crate::model::id::IncidentId;
use crate::model::incident::{Deed, Opinion};
use crate::model::sensitivity::Sensitivity;
use crate::model::text;
use crate::ui::view::{Focus, View};

/// The longest mute, milliseconds.
const QUIET_MS: i64 = 30 * 86_400_000;

impl State {
    /// What is yet to be put away; `all`: the end is near.
    pub fn keep(&mut self, all: bool) -> Vec<Effect> {
        let mut unkept = self.world.unkept(all);
        if self.world.is_kept() {
            let session = self.chat.unkept(&self.persona.id);
            unkept.extend(session.map(|s| Keep::Session(Box::new(s))));
        }
        match unkept.is_empty() {
            true => Vec::new(),
            false => vec![Effect::Keep(unkept)],
        }
    }

    pub(super) fn recalled(&mut self, recalled: Recalled) -> Vec<Effect> {
        self.dirty = true;
        match recalled {
            Recalled::Begin {
                incidents,
                verdicts,
                numbered,
            } => self.world.restore(incidents, verdicts, numbered),
            Recalled::Like { id, past } => {
                self.screen.views.incidents.remember(id, &past, &self.world);
                return self.remembered(id, &past);
            }
            Recalled::Search { words, past } => {
                let past = past.into_iter().map(|one| self.world.own(one)).collect();
                if self.screen.views.incidents.searched(&words) {
                    self.world.past = past;
                }
            }
            Recalled::Sessions { words, heads } => self.list_sessions(&words, heads),
            Recalled::Session(found) => return self.resume(found),
            Recalled::About { id, talks } => return self.take_talks(id, talks),
            Recalled::Fault(text) => self.notice(true, text),
        }
        Vec::new()
    }

    /// `node_cpu* cluster=edge-* low`, `reset`; a level alone is for the signal of the finding under
    /// the cursor on its cluster.
    pub(super) fn sensitivity(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        if text == "reset" {
            self.world.be_sensitive(None);
            self.notice(false, "sensitivity is as the configuration says");
            return Ok(Vec::new());
        }
        let one = self.sensitivity_of(text)?;
        let told = format!("sensitivity {one}, for this run ([[sensitivity]] keeps it)");
        self.world.be_sensitive(Some(one));
        self.dirty = true;
        self.notice(false, told);
        Ok(Vec::new())
    }

    /// What was typed, about series that there are.
    pub(super) fn sensitivity_of(&self, text: &str) -> Result<Sensitivity, String> {
        let mut one = Sensitivity::parse(text)?;
        if one.is_of_nothing() {
            let here = self.screen.views.get(self.screen.at).finding(&self.world);
            let found = here.and_then(|(cluster, key, _)| {
                let mut all = self.world.incidents.iter().flat_map(|i| &i.findings);
                let finding = all.find(|f| f.cluster == cluster && f.key == key)?;
                let name = self.world.cluster(cluster)?.name.clone();
                Some((finding.signal.clone(), name))
            });
            let (signal, cluster) =
                found.ok_or("of what? name a signal, cluster=NAME or label=VALUE; `*` is all")?;
            (one.signal, one.cluster) = (Some(signal), Some(cluster));
        }
        if !self.world.learns(&one) {
            let named = one.signal.as_deref().unwrap_or_default();
            return Err(format!(
                "nothing is learned of `{named}`: limits and states stay as they are"
            ));
        }
        if !self.world.clusters.iter().any(|c| one.is_on(&c.name)) {
            let named = one.cluster.as_deref().unwrap_or_default();
            return Err(format!("no cluster `{named}`"));
        }
        Ok(one)
    }

    /// What was done; and where it ends with this run, that.
    fn say_kept(&mut self, told: &str) {
        match self.world.is_kept() {
            true => self.notice(false, told),
            false => self.notice(
                false,
                format!("{told}; for this run only: no archive takes it"),
            ),
        }
    }

    fn operator(&self) -> Arc<str> {
        self.config.operator.clone()
    }

    /// The incident under the cursor, where something can still be said of it.
    fn at_hand(&self) -> Result<IncidentId, String> {
        let Some(Focus::Incident(id)) = self.screen.view().focus(&self.world) else {
            return Err("there is no incident under the cursor (8: incidents)".into());
        };
        let here = self.world.incidents.iter().any(|i| i.id == id);
        here.then_some(id)
            .ok_or_else(|| "this one is only remembered: nothing more is written to it".into())
    }

    fn do_about(&mut self, deed: Deed, told: &str) -> Result<Vec<Effect>, String> {
        let id = self.at_hand()?;
        self.do_to(id, deed, told)
    }

    fn do_to(&mut self, id: IncidentId, deed: Deed, told: &str) -> Result<Vec<Effect>, String> {
        if let Some(incident) = self.world.incident(id) {
            self.may_share(incident.cluster)?;
        }
        let by = self.operator();
        self.world.deed(id, deed, &by);
        self.say_kept(told);
        Ok(self.keep(true))
    }

    pub(super) fn acknowledge(&mut self) -> Vec<Effect> {
        let held = self.at_hand().ok().and_then(|id| self.world.incident(id));
        let told = match held.is_some_and(|i| i.desk.acknowledged().is_some()) {
            true => "no longer acknowledged",
            false => "acknowledged (Ya takes it back)",
        };
        self.or_say(|state| state.do_about(Deed::Acknowledge, told))
    }

    pub(super) fn note(&mut self, words: &str) -> Result<Vec<Effect>, String> {
        let words = text::clean(words.trim(), NOTE);
        match words.is_empty() {
            true => Err("write something: `note TEXT`".into()),
            false => self.do_about(Deed::Note(words), "noted"),
        }
    }

    pub(super) fn assign(&mut self, who: &str) -> Result<Vec<Effect>, String> {
        let who = text::clean(who.trim(), NAME);
        let told = match who.as_str() {
            "" => "assigned to nobody".to_owned(),
            who => format!("assigned to {who}"),
        };
        self.do_about(Deed::Assign(who), &told)
    }

    /// `quiet 2h`, `quiet off`.
    pub(super) fn quiet(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        if matches!(text, "off" | "never") {
            return self.do_about(Deed::Mute(None), "not muted");
        }
        let wrong = || format!("`{text}` is no span of time; try 30m, 2h, 1d or off");
        let span_ms = span(text).filter(|ms| (1..=QUIET_MS).contains(ms));
        let end = self.world.now.plus_ms(span_ms.ok_or_else(wrong)?);
        let told = format!("muted for {text}: it counts as nothing that is wrong till then");
        self.do_about(Deed::Mute(Some(end)), &told)
    }

    /// Keeps the row under the cursor in view at the incident that was looked at last, as evidence;
    /// again: no longer.
    pub(super) fn pin(&mut self) -> Vec<Effect> {
        self.or_say(|state| {
            let on_incidents = state.screen.at == ScreenId::Incidents;
            let incidents = &state.screen.views.incidents;
            let Some(Focus::Incident(id)) = View::focus(incidents, &state.world) else {
                return Err("there is no incident to pin it to (8: incidents)".into());
            };
            let row = match on_incidents {
                true => state.pinned_finding(id),
                false => {
                    let copied = state.tell_view(Command::CopyRow).into_iter();
                    copied
                        .filter_map(|effect| match effect {
                            Effect::Copy(text) => Some(text),
                            _ => None,
                        })
                        .next()
                }
            };
            let row = row.map(|text| text::clean(text.trim(), PIN));
            let Some(row) = row.filter(|text| !text.is_empty()) else {
                return Err("there is nothing under the cursor to pin (Enter: findings)".into());
            };
            let Some(incident) = state.world.incidents.iter().find(|i| i.id == id) else {
                return Err(
                    "this incident is only remembered: nothing more is written to it".into(),
                );
            };
            let held = incident.desk.pins().iter().any(|(_, text)| *text == row);
            let told = match held {
                true => format!("no longer pinned to INC-{}", incident.number),
                false => format!("pinned to INC-{} (Yp takes it back)", incident.number),
            };
            state.do_to(id, Deed::Pin(row), &told)
        })
    }

    /// The finding under the cursor in one line.
    fn pinned_finding(&self, id: IncidentId) -> Option<String> {
        let (cluster, key, _) = self.screen.view().finding(&self.world)?;
        let incident = self.world.incidents.iter().find(|i| i.id == id)?;
        let held = |f: &&Finding| f.cluster == cluster && f.key == key;
        let finding = incident.findings.iter().find(held)?;
        let since = finding.since.rfc3339();
        Some(format!(
            "{} {}: {} ({} {since})",
            finding.subject,
            finding.signal,
            finding.text,
            finding.begun()
        ))
    }

    /// What the operator thinks of the finding under the cursor.
    pub(super) fn opine(&mut self, opinion: Option<Opinion>) -> Vec<Effect> {
        self.or_say(|state| {
            state.at_hand()?;
            let finding = state.screen.view().finding(&state.world);
            let Some((cluster, key, score)) = finding else {
                return Err("there is no finding under the cursor (Enter: findings)".into());
            };
            let incidents = state.world.incidents.iter();
            let mut findings = incidents.flat_map(|i| &i.findings);
            let learned = findings
                .find(|f| f.cluster == cluster && f.key == key)
                .is_some_and(|f| f.kind.is_learned());
            if opinion == Some(Opinion::False) && !learned {
                let told = "a limit or a state is no guess: mute the incident (M), or change the limit in the configuration";
                return Err(told.into());
            }
            state.may_share(cluster)?;
            let by = state.operator();
            state.world.opine(cluster, (&key, score), opinion, &by);
            state.say_kept(match opinion {
                Some(Opinion::True) => "it was something",
                Some(Opinion::False) => {
                    "nothing was wrong: told again only when much greater (Yu takes it back)"
                }
                None => "taken back",
            });
            Ok(state.keep(true))
        })
    }

    /// Does it, or tells why not.
    fn or_say(
        &mut self,
        with: impl FnOnce(&mut Self) -> Result<Vec<Effect>, String>,
    ) -> Vec<Effect> {
        with(self).unwrap_or_else(|why| {
            self.notice(false, why);
            Vec::new()
        })
    }
}
