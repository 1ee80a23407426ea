//! `Ctrl-s h`: an incident, or a range of time, put together for another console. A dialog says what
//! goes in and what is missing before anything is written.

use super::range::span;
use super::{Overlay, State};
use crate::message::Effect;
use crate::model::archive::Recall;
use crate::model::export::{Export, Format, Kept};
use crate::model::handover::{Handover, Parcel};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::input::{Key, KeyPress};
use crate::model::talk::Session;
use crate::state::world::handover::Wanted;
use crate::ui::view::Focus;

/// What lies ready, until the operator says whether it is written.
#[derive(Debug)]
pub struct Sending {
    pub parcel: Box<Parcel>,
    /// Lines of the gaps that are scrolled past.
    pub scroll: usize,
}

impl State {
    /// The incident under the cursor. Its conversations are asked of the archive first, where there
    /// is one.
    pub(super) fn hand_over(&mut self) -> Vec<Effect> {
        let Some(Focus::Incident(id)) = self.screen.view().focus(&self.world) else {
            let told =
                "there is no incident under the cursor (8: incidents; `handover 2h` is of a range)";
            self.notice(false, told);
            return Vec::new();
        };
        if self.world.is_kept() {
            return vec![Effect::Recall(Recall::About(id))];
        }
        self.lay_ready(id, Vec::new());
        Vec::new()
    }

    /// A recording that another console handed over: its incidents are at hand from the start.
    pub(super) fn take_handover(&mut self, handover: Handover) {
        let numbers = handover.incidents.iter().take(4);
        let numbers: Vec<String> = numbers
            .map(|i| format!("INC-{}", i.incident.number))
            .collect();
        let talks = match handover.talks.len() {
            0 => String::new(),
            n => format!("; {n} conversations: /sessions in the chat (A)"),
        };
        let by = handover.by.clone().unwrap_or_else(|| "unknown".into());
        let at = handover.at.rfc3339();
        self.world.take_over(handover);
        let numbers = numbers.join(", ");
        self.notice(
            false,
            format!("handed over by {by}, {at}: {numbers} (8){talks}"),
        );
    }

    /// The archive told what was said about the incident.
    pub(super) fn take_talks(&mut self, id: IncidentId, talks: Vec<Session>) {
        self.lay_ready(id, talks);
    }

    fn lay_ready(&mut self, id: IncidentId, mut talks: Vec<Session>) {
        let Some(incident) = self.world.incident(id) else {
            return;
        };
        let wanted = self.world.wanted_of(incident);
        if wanted.clusters.is_empty() {
            self.notice(
                false,
                "its cluster is not configured here: nothing is held of it",
            );
            return;
        }
        // What is being said now is newer than what was put away.
        let now = self.chat.session(&self.persona.id);
        let handed = self
            .world
            .handover
            .iter()
            .flat_map(|h| h.talks.iter().cloned());
        let more: Vec<Session> = now.into_iter().chain(handed).collect();
        for talk in more.into_iter().filter(|t| t.head.incident == Some(id)) {
            talks.retain(|t| t.head.id != talk.head.id);
            talks.insert(0, talk);
        }
        self.offer(&wanted, talks);
    }

    /// `handover 2h`: of the clusters in scope, so long back from now.
    pub(super) fn hand_over_range(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        let span_ms = span(text).filter(|ms| *ms > 0);
        let span_ms =
            span_ms.ok_or_else(|| format!("`{text}` is no span of time; try 30m or 2h"))?;
        let scope = self.screen.scope;
        let clusters: Vec<ClusterId> = self.world.clusters.iter().map(|c| c.id).collect();
        let wanted = Wanted {
            incident: None,
            clusters: clusters
                .into_iter()
                .filter(|id| scope.is_none_or(|s| s == *id))
                .collect(),
            from: self.world.now.plus_ms(-span_ms),
            to: self.world.now,
        };
        let talks = self
            .chat
            .session(&self.persona.id)
            .filter(|t| t.head.incident.is_some());
        self.offer(&wanted, talks.into_iter().collect());
        Ok(Vec::new())
    }

    fn offer(&mut self, wanted: &Wanted, talks: Vec<Session>) {
        let by = Some(self.config.operator.as_ref()).filter(|name| !name.is_empty());
        let parcel = Box::new(self.world.parcel(wanted, by, talks));
        self.dirty = true;
        self.screen.overlay = Some(Overlay::HandOver(Sending { parcel, scroll: 0 }));
    }

    /// Enter writes; any other key that does not scroll leaves it.
    pub(super) fn hand_over_key(&mut self, press: KeyPress) -> Vec<Effect> {
        let Some(Overlay::HandOver(mut sending)) = self.screen.overlay.take() else {
            return Vec::new();
        };
        match press.key {
            Key::Enter => {
                return vec![Effect::Save(Box::new(Export {
                    format: Format::Recording,
                    at: self.world.now,
                    kept: Kept::Parcel(sending.parcel),
                }))];
            }
            Key::Down | Key::Char('j') => {
                let most = sending.parcel.handover.gaps.len().saturating_sub(1);
                sending.scroll = (sending.scroll + 1).min(most);
            }
            Key::Up | Key::Char('k') => sending.scroll = sending.scroll.saturating_sub(1),
            Key::Esc | Key::Char('q') => return Vec::new(),
            _ => {}
        }
        self.screen.overlay = Some(Overlay::HandOver(sending));
        Vec::new()
    }
}
