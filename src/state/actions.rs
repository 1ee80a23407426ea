//! Actions: what can be done with the thing under the cursor, asked about, confirmed and told.
//!
//! An effect leaves only through `confirm_key`, from a dialog that was in view, for a
//! request that was allowed when its menu was made; the edge (`source::actions`) checks all of it
//! anew.

use super::State;
use super::screen::{Overlay, Prompt, PromptKind};
use crate::message::Effect;
use crate::model::action::{Acted, Action, ActionRequest, SILENCE_HOURS, Server};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::input::{Key, KeyPress};
use crate::ui::view::Focus;
use crate::ui::view::actions::{Actions, Confirm, Menu, Mute, Proposed, Step};
use crate::ui::{layout, measured};

mod entries;
pub(super) mod proposal;

impl State {
    /// Whether something of what is looked at can be changed.
    pub fn may_write(&self) -> bool {
        let may = |id: ClusterId| self.config.may_act(id);
        self.world.replay.is_none()
            && match self.screen.scope {
                Some(scope) if self.screen.at.has_scope() => may(scope),
                _ => self.world.clusters.iter().any(|c| may(c.id)),
            }
    }

    /// A dialog that is yet to be drawn long enough for keys to count, and whether it came by itself.
    pub fn unarmed(&self) -> Option<(u64, bool)> {
        match &self.screen.overlay {
            // Where nothing is drawn nothing was read.
            _ if layout::too_small(self.screen.area) => None,
            Some(Overlay::Actions(Actions::Confirm(c))) if !c.armed => {
                Some((c.serial, c.proposed.is_some()))
            }
            _ => None,
        }
    }

    /// That dialog was in view for a while.
    pub(super) fn arm(&mut self, serial: u64) {
        if let Some(Overlay::Actions(Actions::Confirm(c))) = &mut self.screen.overlay
            && c.serial == serial
        {
            c.armed = true;
            self.dirty = true;
        }
    }

    /// `X`
    pub(super) fn actions_menu(&mut self) -> Vec<Effect> {
        let Some(focus) = self.screen.view().focus(&self.world) else {
            self.notice(false, "there is nothing under the cursor to act on");
            return Vec::new();
        };
        let entries = self.entries(&focus);
        if entries.is_empty() {
            let name: String = self.name_of(&focus).chars().take(80).collect();
            let what = "actions are for applications, Flux objects, alerts and silences";
            self.notice(false, format!("nothing can be done with {name}: {what}"));
            return Vec::new();
        }
        let name = self.name_of(&focus);
        let menu = Menu {
            title: format!("Actions: {}", name.chars().take(60).collect::<String>()),
            entries,
            at: 0,
        };
        self.screen.overlay = Some(Overlay::Actions(Actions::Menu(menu)));
        Vec::new()
    }

    /// `M`: straight to the form of a silence.
    pub(super) fn mute(&mut self) -> Vec<Effect> {
        let focus = self.screen.view().focus(&self.world);
        if let Some(Focus::Incident(_)) = focus {
            self.screen.prompt = Some(Prompt::new(PromptKind::Command, "quiet 2h"));
            return Vec::new();
        }
        let Some(focus @ Focus::Alert { .. }) = focus else {
            self.notice(
                false,
                "M mutes the alert or the incident under the cursor; there is none",
            );
            return Vec::new();
        };
        let first = self.entries(&focus).into_iter().next();
        match first.map(|entry| entry.step) {
            Some(Ok(Step::Mute(mute))) => {
                self.screen.overlay = Some(Overlay::Actions(Actions::Mute(Box::new(mute))));
                Vec::new()
            }
            // The menu says why not.
            _ => self.actions_menu(),
        }
    }

    pub(super) fn actions_key(&mut self, press: KeyPress) -> Vec<Effect> {
        match self.screen.overlay.take() {
            Some(Overlay::Actions(Actions::Menu(menu))) => self.menu_key(menu, press),
            Some(Overlay::Actions(Actions::Mute(mute))) => self.mute_key(mute, press),
            Some(Overlay::Actions(Actions::Confirm(dialog))) => {
                return self.confirm_key(dialog, press);
            }
            other => self.screen.overlay = other,
        }
        Vec::new()
    }

    fn lay_over(&mut self, actions: Actions) {
        self.screen.overlay = Some(Overlay::Actions(actions));
    }

    fn menu_key(&mut self, mut menu: Menu, press: KeyPress) {
        let last = menu.entries.len().saturating_sub(1);
        match press.key {
            Key::Esc | Key::Char('q') => return,
            Key::Down | Key::Char('j') => menu.at = (menu.at + 1).min(last),
            Key::Up | Key::Char('k') => menu.at = menu.at.saturating_sub(1),
            Key::Enter => match menu.entries.get(menu.at).map(|e| e.step.clone()) {
                Some(Ok(Step::Ask(request))) => {
                    let request = self.addressed(request);
                    return self.ask_to_confirm(request, Vec::new(), None);
                }
                Some(Ok(Step::Mute(mute))) => return self.lay_over(Actions::Mute(Box::new(mute))),
                Some(Err(_)) | None => {}
            },
            _ => {}
        }
        self.lay_over(Actions::Menu(menu));
    }

    fn mute_key(&mut self, mut mute: Box<Mute>, press: KeyPress) {
        mute.error = None;
        match press.key {
            Key::Esc => return,
            Key::Down => mute.hours = (mute.hours + 1).min(SILENCE_HOURS.len() - 1),
            Key::Up => mute.hours = mute.hours.saturating_sub(1),
            Key::Tab | Key::BackTab => mute.wide = !mute.wide,
            Key::Enter if mute.comment.text().trim().is_empty() => {
                mute.error = Some("say why: those who look at the silence read the comment");
            }
            Key::Enter => {
                return self.ask_to_silence(&mute);
            }
            _ => {
                mute.comment.press(press);
            }
        }
        self.lay_over(Actions::Mute(mute));
    }

    pub(super) fn paste_comment(&mut self, text: &str) {
        if let Some(Overlay::Actions(Actions::Mute(mute))) = &mut self.screen.overlay {
            mute.comment.paste(text);
        }
    }

    /// One request for each Alertmanager that knows the alert; replicas tell each other.
    fn ask_to_silence(&mut self, mute: &Mute) {
        let action = mute.action(&self.world);
        let request = ActionRequest::new(mute.cluster, action, &mute.by);
        let known = self.world.cluster(mute.cluster);
        let places = known.map(|c| c.to_silence(&mute.fingerprint, self.world.now));
        let places = places.unwrap_or_default().into_iter();
        let mut all = places.map(|kind| self.sent_to(request.clone(), kind));
        let first = all.next().unwrap_or_else(|| request.clone());
        let next = all.collect();
        self.ask_to_confirm(first, next, None);
    }

    /// To the server that this one goes to.
    fn addressed(&self, request: ActionRequest) -> ActionRequest {
        let known = self.world.cluster(request.cluster);
        let kind = match (request.wire().server, &request.action) {
            (Server::Kubernetes, _) => Some(SourceKind::Kubernetes),
            (Server::Alertmanager, Action::Expire { id }) => {
                known.and_then(|c| c.to_expire(id, self.world.now))
            }
            (Server::Alertmanager, _) => None,
        };
        match kind {
            Some(kind) => self.sent_to(request, kind),
            None => request,
        }
    }

    /// The server is the one in use now: should another take its place meanwhile, nothing is sent.
    fn sent_to(&self, mut request: ActionRequest, kind: SourceKind) -> ActionRequest {
        let known = self.world.cluster(request.cluster);
        if let Some(health) = known.and_then(|c| c.sources.get(&kind)) {
            request.server = health.place.to_string();
            request.via.clone_from(&health.via);
        }
        request
    }

    fn ask_to_confirm(
        &mut self,
        request: ActionRequest,
        next: Vec<ActionRequest>,
        proposed: Option<Proposed>,
    ) {
        let own = self.config.clusters.get(usize::from(request.cluster.0));
        let name = self.name_of(&Focus::Cluster(request.cluster));
        let cluster = match own.and_then(|c| c.environment.as_ref()) {
            Some(environment) => format!("{name} ({environment})"),
            None => name,
        };
        let role = self.role_there(request.cluster).map(|(role, ..)| role);
        self.dialogs += 1;
        let dialog = Confirm {
            serial: self.dialogs,
            armed: false,
            scroll: 0,
            cluster,
            role: role.unwrap_or_default().word(),
            request,
            next,
            proposed,
        };
        self.lay_over(Actions::Confirm(Box::new(dialog)));
    }

    /// Only `y` sends, and only in a dialog that could be read.
    fn confirm_key(&mut self, mut dialog: Box<Confirm>, press: KeyPress) -> Vec<Effect> {
        if !dialog.armed || layout::too_small(self.screen.area) {
            if dialog.proposed.is_some() {
                // Whoever is still typing something else has not read it: the wait begins anew.
                self.dialogs += 1;
                dialog.serial = self.dialogs;
                dialog.armed = false;
            }
            self.lay_over(Actions::Confirm(dialog));
            return Vec::new();
        }
        match press.key {
            Key::Char('y') if press == KeyPress::plain(Key::Char('y')) => {
                let action = &dialog.request.action;
                let what = format!("asked: {} of {}", action.word(), short(&action.subject()));
                self.notice(false, what);
                if dialog.proposed.is_some() {
                    return self.decided(true, false);
                }
                self.ask_further(dialog.next);
                return vec![Effect::Act(Box::new(dialog.request))];
            }
            Key::Esc | Key::Enter | Key::Char('n' | 'N' | 'q') => {
                self.notice(false, "not sent");
                // No to this server; Esc and q leave all of them.
                let all = matches!(press.key, Key::Esc | Key::Char('q'));
                if dialog.proposed.is_some() {
                    return self.decided(false, all);
                }
                if !all {
                    self.ask_further(dialog.next);
                }
                return Vec::new();
            }
            Key::Down | Key::Char('j') => {
                let body = layout::frame(self.screen.area, false).body;
                let most = measured(&self.world, |ctx| dialog.most_scroll(ctx, body));
                dialog.scroll = (dialog.scroll + 1).min(most);
            }
            Key::Up | Key::Char('k') => dialog.scroll = dialog.scroll.saturating_sub(1),
            _ => {}
        }
        self.lay_over(Actions::Confirm(dialog));
        Vec::new()
    }

    /// The same at the next server: a yes to one is none to the other.
    fn ask_further(&mut self, mut next: Vec<ActionRequest>) {
        if !next.is_empty() {
            let request = next.remove(0);
            self.ask_to_confirm(request, next, None);
        }
    }

    /// What became of it; what it changed is asked for at once.
    pub(super) fn take_acted(&mut self, acted: Acted) -> Vec<Effect> {
        self.proposal_acted(&acted);
        let Acted { request, result } = acted;
        let name = self.name_of(&Focus::Cluster(request.cluster));
        let (word, subject) = (request.action.word(), request.action.subject());
        let about = format!("{name}: {word} of {}", short(&subject));
        match result {
            Ok(told) => {
                self.notice(false, format!("{about}: {told}"));
                vec![Effect::Refresh(Some(request.cluster))]
            }
            Err(fault) => {
                let hint = match fault.hint.as_str() {
                    "" => String::new(),
                    hint => format!(" ({hint})"),
                };
                self.notice(true, format!("{about}: {}{hint}", fault.what));
                Vec::new()
            }
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(120).collect()
}
