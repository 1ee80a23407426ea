//! What each action of the table does.

use super::screen::{Overlay, Prompt, PromptKind};
use super::{Screen, State};
use crate::command::{Action, Command, ENTRIES, ScreenId};
use crate::message::Effect;
use crate::ui::theme::NAMES;
use crate::ui::view::help::Help;
use crate::ui::view::palette::Palette;
use crate::ui::view::{Focus, Goto};
use crate::ui::{Theme, Window};

impl State {
    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        self.dirty = true;
        match action {
            Action::View(command) => self.view_command(command),
            Action::Screen(screen) => self.show(screen),
            Action::LastScreen => match self.screen.last {
                Some(screen) => self.show(screen),
                None => Vec::new(),
            },
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::Close => self.close(),
            Action::Quit => vec![Effect::Quit],
            Action::Interrupt => self.interrupt(),
            Action::Suspend => vec![Effect::Suspend],
            Action::Redraw => vec![Effect::Redraw],
            Action::FindPrompt if self.screen.view().found().is_some() => {
                self.prompt(PromptKind::Find)
            }
            Action::FindPrompt | Action::FilterPrompt => self.prompt(PromptKind::Filter),
            Action::CommandPrompt => self.prompt(PromptKind::Command),
            Action::TimePrompt => self.prompt(PromptKind::Time),
            Action::Palette => {
                self.cover(|state| Overlay::Palette(Box::new(Palette::new(&state.world))))
            }
            Action::Help => self.cover(|state| {
                Overlay::Help(Help::new(state.screen.at, state.screen.view().hints()))
            }),
            Action::Notices => self.cover(|_| Overlay::Notices(0)),
            Action::Live => self.live(),
            Action::Hold => self.hold(),
            Action::ToggleChat => self.toggle_chat(),
            Action::Ask => self.ask_about_focus(),
            Action::Jump(to) => self.jump(to),
            Action::Time(how) => self.move_time(how),
            Action::NextCluster => self.step_scope(1),
            Action::PreviousCluster => self.step_scope(-1),
            Action::AllClusters => self.set_scope(None),
            Action::CopyName => self.copy_name(),
            Action::Actions => self.actions_menu(),
            Action::Mute => self.mute(),
            Action::HandOver => self.hand_over(),
            Action::Acknowledge => self.acknowledge(),
            Action::Opine(opinion) => self.opine(opinion),
            Action::Pin => self.pin(),
            Action::NextTheme => self.next_theme(),
            Action::ReplayPause => self.replay_pause(),
            Action::ReplayFaster => self.replay_speed(2.0),
            Action::ReplaySlower => self.replay_speed(0.5),
            Action::ReplaySkip(seconds) => self.replay_skip(seconds),
            Action::Typed(typed) => {
                let entry = ENTRIES.iter().find(|e| e.action == Action::Typed(typed));
                let text = entry.map_or_else(String::new, |e| format!("{} ", e.name));
                self.screen.prompt = Some(Prompt::new(PromptKind::Command, &text));
                Vec::new()
            }
        }
    }

    fn view_command(&mut self, command: Command) -> Vec<Effect> {
        if self.scroll_overlay(&command) || self.move_cursor(&command) {
            return Vec::new();
        }
        if command == Command::Refresh {
            let mut effects = self.tell_view(command);
            effects.push(Effect::Refresh(self.screen.scope));
            return effects;
        }
        self.tell_view(command)
    }

    fn show(&mut self, screen: ScreenId) -> Vec<Effect> {
        self.screen.overlay = None;
        if screen == self.screen.at {
            return Vec::new();
        }
        let focus = self.screen.view().focus(&self.world);
        if (self.screen.at, screen) == (ScreenId::Fleet, ScreenId::Cluster) {
            // One cluster has to be chosen: the one under the cursor.
            return self.go(Goto {
                screen,
                focus,
                ..Goto::default()
            });
        }
        self.change_to(screen, focus)
    }

    fn open(&mut self) -> Vec<Effect> {
        if self.screen.overlay.is_some() {
            return Vec::new();
        }
        let view = self.screen.views.get_mut(self.screen.at);
        match view.open(&self.world) {
            Some(goto) => self.drill(goto),
            None => self.tell_view(Command::Open),
        }
    }

    /// Esc: one step, never out of the program.
    fn back(&mut self) -> Vec<Effect> {
        if self.screen.overlay.take().is_some() || self.leave_cursor() {
            return Vec::new();
        }
        let arrived = self.screen.arrived;
        let view = self.screen.views.get_mut(self.screen.at);
        if view.depth() > arrived && view.back() {
            return Vec::new();
        }
        if std::mem::take(&mut self.screen.chat_open) {
            return Vec::new();
        }
        if arrived > 0 {
            // What the row set up here was for that visit.
            let view = self.screen.views.get_mut(self.screen.at);
            while view.depth() > 0 && view.back() {}
        }
        self.go_back().unwrap_or_default()
    }

    fn close(&mut self) -> Vec<Effect> {
        if self.screen.overlay.take().is_some() {
            return Vec::new();
        }
        if std::mem::take(&mut self.screen.chat_open) {
            return Vec::new();
        }
        // The fleet is the top, however one came to it.
        let top = self.screen.at == ScreenId::Fleet;
        let back = if top { None } else { self.go_back() };
        back.unwrap_or_else(|| vec![Effect::Quit])
    }

    fn interrupt(&mut self) -> Vec<Effect> {
        if self.screen.quitting {
            return vec![Effect::Quit];
        }
        if self.screen.chat_open && self.chat.running().is_some() {
            return self.cancel_run();
        }
        let view = self.screen.views.get_mut(self.screen.at);
        if let Some(effects) = view.cancel() {
            return effects;
        }
        self.screen.quitting = true;
        self.screen.pending.clear();
        self.screen.prompt = None;
        self.notice(false, "Ctrl-c again quits");
        Vec::new()
    }

    fn cover(&mut self, with: impl FnOnce(&Self) -> Overlay) -> Vec<Effect> {
        self.screen.overlay = Some(with(self));
        Vec::new()
    }

    fn prompt(&mut self, kind: PromptKind) -> Vec<Effect> {
        self.screen.overlay = None;
        let text = match kind {
            PromptKind::Filter => self.screen.view().filter().to_owned(),
            PromptKind::Find => self.screen.view().found().unwrap_or_default().to_owned(),
            PromptKind::Command | PromptKind::Time => String::new(),
        };
        self.screen.prompt = Some(Prompt::new(kind, &text));
        Vec::new()
    }

    /// Back to now; a paused replay goes on.
    fn live(&mut self) -> Vec<Effect> {
        let span_ms = self.screen.window.span_ms;
        self.set_window(Window { end: None, span_ms })
    }

    fn hold(&mut self) -> Vec<Effect> {
        let Window { end, span_ms } = self.screen.window;
        let end = match end {
            Some(_) => None,
            None => Some(self.world.now),
        };
        let mut effects = self.set_window(Window { end, span_ms });
        effects.extend(self.tell_view(Command::Pause));
        effects
    }

    fn copy_name(&mut self) -> Vec<Effect> {
        let Some(focus) = self.screen.view().focus(&self.world) else {
            return Vec::new();
        };
        let name = self.name_of(&focus);
        self.notice(false, format!("copied {name}"));
        vec![Effect::Copy(name)]
    }

    pub(super) fn name_of(&self, focus: &Focus) -> String {
        match focus {
            Focus::Cluster(id) => self
                .world
                .cluster(*id)
                .map_or_else(String::new, |c| c.name.to_string()),
            Focus::Node { node, .. } => node.clone(),
            Focus::Pod { namespace, pod, .. } => format!("{namespace}/{pod}"),
            Focus::Object {
                namespace, name, ..
            } if namespace.is_empty() => name.clone(),
            Focus::Object {
                namespace, name, ..
            } => format!("{namespace}/{name}"),
            Focus::Gpu { node, gpu, .. } => format!("{node} gpu {gpu}"),
            Focus::Alert {
                cluster,
                fingerprint,
            } => self
                .world
                .cluster(*cluster)
                .and_then(|c| c.alerts.get(fingerprint.as_str()))
                .map_or_else(|| fingerprint.clone(), |alert| alert.name.to_string()),
            Focus::Incident(id) => self
                .world
                .incident(*id)
                .map_or_else(String::new, |i| format!("INC-{}", i.number)),
            Focus::App {
                namespace, name, ..
            } => format!("{namespace}/{name}"),
            Focus::Silence { id, .. } => id.clone(),
            Focus::Text { text, .. } => text.clone(),
        }
    }

    fn next_theme(&mut self) -> Vec<Effect> {
        let now = NAMES.iter().position(|n| *n == self.screen.theme.name);
        let next = now.map_or(0, |at| (at + 1) % NAMES.len());
        if let Some(name) = NAMES.get(next) {
            self.set_theme(name);
        }
        Vec::new()
    }

    /// False: there is no such theme.
    pub(super) fn set_theme(&mut self, name: &str) -> bool {
        let Screen { theme, looks, .. } = &mut self.screen;
        let Some(new) = Theme::named(name, looks.depth) else {
            return false;
        };
        *theme = new;
        self.notice(false, format!("theme {name}"));
        true
    }
}
