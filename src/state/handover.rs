//! `Ctrl-s h`: an incident, or a range of time, put together for another console, piece by piece. A
//! dialog says what goes in and what is missing before anything is written.

use super::range::span;
use super::{Overlay, State};
use crate::message::Effect;
use crate::model::archive::Recall;
use crate::model::export::{Export, Format, Kept};
use crate::model::handover::{Handover, Parcel};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::input::{Key, KeyPress};
use crate::model::talk::Session;
use crate::state::world::handover::{Gathering, Wanted};
use crate::ui::view::Focus;
use crate::ui::view::handover::most_scroll;
use crate::ui::{layout, measured};

/// What is on its way, until the operator says whether it is written.
#[derive(Debug)]
pub enum Sending {
    /// With what was said about it.
    Gathering(Box<Gathering>, Vec<Session>),
    Ready {
        parcel: Box<Parcel>,
        /// Lines of what does not go in that are scrolled past.
        scroll: usize,
    },
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
        self.lay_ready(id, Vec::new())
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
    pub(super) fn take_talks(&mut self, id: IncidentId, talks: Vec<Session>) -> Vec<Effect> {
        self.lay_ready(id, talks)
    }

    fn lay_ready(&mut self, id: IncidentId, mut talks: Vec<Session>) -> Vec<Effect> {
        let Some(incident) = self.world.incident(id) else {
            return Vec::new();
        };
        let wanted = self.world.wanted_of(incident);
        if wanted.clusters.is_empty() {
            self.notice(
                false,
                "its cluster is not configured here: nothing is held of it",
            );
            return Vec::new();
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
        self.gather(wanted, talks)
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
        Ok(self.gather(wanted, talks.into_iter().collect()))
    }

    fn gather(&mut self, wanted: Wanted, talks: Vec<Session>) -> Vec<Effect> {
        let gathering = Box::new(self.world.gather(wanted));
        let sending = Sending::Gathering(gathering, talks);
        self.screen.overlay = Some(Overlay::HandOver(sending));
        self.gather_on().into_iter().collect()
    }

    /// A piece more, as long as the dialog is there; with the last one it lies ready.
    pub(super) fn gather_on(&mut self) -> Option<Effect> {
        let Some(Overlay::HandOver(Sending::Gathering(gathering, _))) = &mut self.screen.overlay
        else {
            return None;
        };
        if gathering.is_waiting() {
            return None;
        }
        self.dirty = true;
        if let Some(work) = self.world.gather_on(gathering) {
            return Some(Effect::Work(work));
        }
        if let Some(Overlay::HandOver(Sending::Gathering(gathered, talks))) =
            self.screen.overlay.take()
        {
            let by = Some(self.config.operator.as_ref()).filter(|name| !name.is_empty());
            let parcel = Box::new(self.world.parcel(*gathered, by, talks));
            let ready = Sending::Ready { parcel, scroll: 0 };
            self.screen.overlay = Some(Overlay::HandOver(ready));
        }
        None
    }

    /// Enter writes, Esc and q leave it.
    pub(super) fn hand_over_key(&mut self, press: KeyPress) -> Vec<Effect> {
        let Some(Overlay::HandOver(sending)) = self.screen.overlay.take() else {
            return Vec::new();
        };
        if matches!(press.key, Key::Esc | Key::Char('q')) {
            return Vec::new();
        }
        let kept = match sending {
            Sending::Ready { parcel, .. } if press.key == Key::Enter => {
                return vec![Effect::Save(Box::new(Export {
                    format: Format::Recording,
                    at: self.world.now,
                    kept: Kept::Parcel(parcel),
                }))];
            }
            Sending::Ready { parcel, scroll } => {
                let body = layout::frame(self.screen.area, false).body;
                let most = measured(&self.world, |ctx| most_scroll(ctx, body, &parcel));
                let scroll = match press.key {
                    Key::Down | Key::Char('j') => (scroll + 1).min(most),
                    Key::Up | Key::Char('k') => scroll.saturating_sub(1),
                    _ => scroll,
                };
                Sending::Ready { parcel, scroll }
            }
            gathering => gathering,
        };
        self.screen.overlay = Some(Overlay::HandOver(kept));
        Vec::new()
    }
}
