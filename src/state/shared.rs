//! The team: what others did comes in, what was done here goes out, and who may do it.

use super::State;
use crate::message::Effect;
use crate::model::action::NEEDED;
use crate::model::id::ClusterId;
use crate::model::shared::{Share, Shared};
use crate::ui::view::Focus;

impl State {
    pub(super) fn take_shared(&mut self, told: Shared) -> Vec<Effect> {
        self.dirty = true;
        for line in self.world.take_shared(told) {
            self.notice(false, line);
        }
        Vec::new()
    }

    /// What the team does not have yet, and what is looked at.
    pub(super) fn share(&mut self) -> Vec<Effect> {
        if !self.world.shared.is_on() {
            return Vec::new();
        }
        for line in self.world.adopt_held() {
            self.notice(false, line);
        }
        let mut effects = Vec::new();
        let docs = self.world.unshared();
        if !docs.is_empty() {
            effects.push(Effect::Share(Share::Docs(docs)));
        }
        let focus = match self.screen.view().focus(&self.world) {
            Some(Focus::Incident(id)) => Some(id),
            _ => None,
        };
        let look = self.world.looks_at(focus);
        effects.extend(look.map(|about| Effect::Share(Share::Look(about))));
        effects
    }

    /// Whether what is said of things of this cluster may go to the team; without one it stays here.
    pub(super) fn may_share(&self, cluster: ClusterId) -> Result<(), String> {
        if !self.world.shared.is_on() {
            return Ok(());
        }
        let (role, from) = match self.role_there(cluster) {
            Ok((role, _, group)) if group.is_empty() => {
                (role, "no group of the role map fits".into())
            }
            Ok((role, _, group)) => (role, format!("by group {group}")),
            // Its API server may be what is broken: whoever is here by default writes of that.
            Err(why) => (
                self.config.roles(cluster).default,
                format!("{why}: [roles] default"),
            ),
        };
        if role >= NEEDED {
            return Ok(());
        }
        let name = self.world.name_of(cluster);
        let (role, needed) = (role.word(), NEEDED.word());
        Err(format!(
            "incidents are shared with the team: your role on {name} is {role} ({from}); {needed} is needed to write"
        ))
    }
}
