//! Keys, mouse and paste: who gets them. Prompt first, then what lies over the screen, then an
//! editor of the view, then the keymap.

use super::State;
use super::screen::Overlay;
use crate::command::{Action, Command, Lookup, lookup};
use crate::message::Effect;
use crate::model::input::{Key, KeyPress, MouseKind};
use crate::ui::layout;

/// Rows a turn of the wheel moves.
const WHEEL: usize = 3;

impl State {
    pub(super) fn press(&mut self, press: KeyPress) -> Vec<Effect> {
        self.dirty = true;
        if press == KeyPress::ctrl('c') {
            return self.act(Action::Interrupt);
        }
        self.screen.quitting = false;
        self.screen.seen_notices = true;
        if self.screen.prompt.is_some() {
            return self.prompt_key(press);
        }
        if self.screen.overlay.is_some() {
            return self.overlay_key(press);
        }
        if self.screen.chat_open && self.screen.chat_focus {
            return match lookup(&[press], false) {
                Lookup::Found(action @ (Action::Redraw | Action::Suspend | Action::Palette)) => {
                    self.act(action)
                }
                _ => self.chat_key(press),
            };
        }
        if self.screen.view().typing() && press.key != Key::Esc {
            return self.tell_view(Command::Type(press));
        }
        self.chord(press)
    }

    /// Adds the key to the chord begun and looks it up.
    fn chord(&mut self, press: KeyPress) -> Vec<Effect> {
        let begun = !self.screen.pending.is_empty();
        if begun && press.key == Key::Esc {
            self.screen.pending.clear();
            return Vec::new();
        }
        self.screen.pending.push(press);
        match lookup(&self.screen.pending, self.world.replay.is_some()) {
            Lookup::Found(action) => {
                self.screen.pending.clear();
                self.act(action)
            }
            Lookup::Prefix => Vec::new(),
            Lookup::None => {
                self.screen.pending.clear();
                Vec::new()
            }
        }
    }

    fn overlay_key(&mut self, press: KeyPress) -> Vec<Effect> {
        match &mut self.screen.overlay {
            Some(Overlay::Palette(palette)) => {
                use crate::ui::view::palette::Outcome;
                match palette.press(press) {
                    Outcome::Stay => Vec::new(),
                    Outcome::Close => {
                        self.screen.overlay = None;
                        Vec::new()
                    }
                    Outcome::Go(goto) => {
                        self.screen.overlay = None;
                        self.go(goto)
                    }
                    Outcome::Act(action) => {
                        self.screen.overlay = None;
                        self.act(action)
                    }
                }
            }
            Some(Overlay::Help(_) | Overlay::Notices(_) | Overlay::WhatIf(_)) => self.chord(press),
            Some(Overlay::Actions(_)) => self.actions_key(press),
            Some(Overlay::HandOver(_)) => self.hand_over_key(press),
            None => Vec::new(),
        }
    }

    /// Moves what lies over the screen. False: nothing there takes the command.
    pub(super) fn scroll_overlay(&mut self, command: &Command) -> bool {
        let page = usize::from(self.screen.area.height / 2).max(1);
        let step = match command {
            Command::Up => -1,
            Command::Down => 1,
            Command::PageUp => -(page as isize),
            Command::PageDown => page as isize,
            Command::Top => isize::MIN / 2,
            Command::Bottom => isize::MAX / 2,
            _ => return self.screen.overlay.is_some(),
        };
        match &mut self.screen.overlay {
            Some(Overlay::Help(help)) => help.scroll(step),
            Some(Overlay::Notices(at)) => {
                let most = self.world.notices.len().saturating_sub(1);
                *at = at.saturating_add_signed(step).min(most);
            }
            Some(Overlay::WhatIf(whatif)) => {
                let most = whatif.rows().len().saturating_sub(1);
                whatif.scroll = whatif.scroll.saturating_add_signed(step).min(most);
            }
            Some(Overlay::Palette(palette)) => palette.step(step),
            Some(Overlay::Actions(_) | Overlay::HandOver(_)) => {}
            None => return false,
        }
        true
    }

    pub(super) fn mouse(&mut self, kind: MouseKind, column: u16, row: u16) -> Vec<Effect> {
        let command = match kind {
            MouseKind::ScrollUp => Command::Up,
            MouseKind::ScrollDown => Command::Down,
            MouseKind::Press => Command::Click { column, row },
            MouseKind::Release | MouseKind::Drag => {
                return self.drag(kind == MouseKind::Release, column, row);
            }
        };
        self.dirty = true;
        let times = if matches!(command, Command::Click { .. }) {
            1
        } else {
            WHEEL
        };
        if self.screen.overlay.is_some() {
            for _ in 0..times {
                self.scroll_overlay(&command);
            }
            return Vec::new();
        }
        let regions = layout::frame(self.screen.area, self.screen.chat_open);
        let at = (column, row).into();
        if regions.chat.is_some_and(|chat| chat.contains(at)) {
            self.screen.chat_focus = true;
            match kind {
                MouseKind::ScrollUp => self.screen.views.chat.scroll(WHEEL as isize),
                MouseKind::ScrollDown => self.screen.views.chat.scroll(-(WHEEL as isize)),
                _ => {}
            }
            return Vec::new();
        }
        if !regions.body.contains(at) {
            return Vec::new();
        }
        self.screen.chat_focus = false;
        if let Some(effects) = self.mouse_in_plot(kind, column, row) {
            return effects;
        }
        (0..times)
            .flat_map(|_| self.tell_view(command.clone()))
            .collect()
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.dirty = true;
        if let Some(prompt) = &mut self.screen.prompt {
            prompt.field.paste(text);
            return self.prompt_changed();
        }
        if let Some(Overlay::Palette(palette)) = &mut self.screen.overlay {
            palette.paste(text);
            return Vec::new();
        }
        self.paste_comment(text);
        if self.screen.overlay.is_none() && self.screen.chat_open && self.screen.chat_focus {
            self.screen.views.chat.paste(text);
            return Vec::new();
        }
        if self.screen.overlay.is_none() && self.screen.view().typing() {
            return self.tell_view(Command::Paste(text.to_owned()));
        }
        Vec::new()
    }

    pub(super) fn tell_view(&mut self, command: Command) -> Vec<Effect> {
        let view = self.screen.views.get_mut(self.screen.at);
        view.update(command, &self.world)
    }
}
