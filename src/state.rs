//! State = World (what is known) + Screen (how it is looked at).
//!
//! `State::update` is plain and synchronous: the same messages in, the same state out. It says by
//! `dirty` whether anything that is shown may have changed.

use std::sync::Arc;

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::agent::conversation::Conversation;
use crate::agent::persona;
use crate::config::Config;
use crate::message::{Effect, Msg};
use crate::model::id::IncidentId;
use crate::model::input::InputEvent;
use crate::model::limits::RunLimits;
use crate::model::persona::Persona;
use crate::model::talk::SessionHead;
use crate::model::time::Timestamp;
use crate::report::Report;
use crate::ui::Ctx;
use crate::ui::layout;
use crate::ui::theme::Looks;
use crate::ui::view::Focus;

mod act;
mod actions;
mod ages;
mod budget;
mod chat;
mod cursor;
mod desk;
mod evidence;
mod follow;
pub mod handover;
mod input;
mod jump;
mod learnt;
mod mention;
mod places;
mod prompts;
mod range;
mod replay;
mod reporting;
mod runbooks;
pub mod screen;
mod sessions;
mod shared;
mod similar;
mod slash;
pub mod world;

pub use screen::{Overlay, Prompt, PromptKind, Screen};
use world::World;

#[derive(Debug)]
pub struct State {
    pub world: World,
    pub screen: Screen,
    pub config: Arc<Config>,
    pub chat: Conversation,
    /// In which field the agent works from the next question on.
    pub persona: Arc<Persona>,
    /// A report that waits for a model's summary.
    reporting: Option<Box<Report>>,
    /// What one run of the agent may take, from the next question on.
    pub limits: RunLimits,
    /// Conversations as the archive listed them last.
    sessions: Vec<SessionHead>,
    /// Calls of the agent that wait for the archive.
    similar: Vec<similar::Waiting>,
    /// The incident the last question was about.
    asked_about: Option<IncidentId>,
    dirty: bool,
    /// What the detectors have learned, on its way to the next run.
    memory: learnt::Memory,
    /// An operator sits before the screen: a dialog can be answered. Not so without a screen.
    pub attended: bool,
    /// What the agent wants done and the operator has not decided yet.
    proposal: Option<actions::proposal::Proposal>,
    /// Dialogs shown so far.
    dialogs: u64,
    /// What of the screen depends on the time of day, so that a tick can tell whether it shows.
    shown_ages: u64,
}

impl State {
    pub fn new(config: Arc<Config>, now: Timestamp, zone: TimeZone, looks: Looks) -> Self {
        let world = World::new(&config, now);
        let screen = Screen::new(&config.ui, zone, looks);
        Self {
            world,
            screen,
            persona: persona::first(&config.personas),
            reporting: None,
            limits: config
                .agent
                .as_ref()
                .map_or_else(RunLimits::default, |a| a.limits),
            config,
            chat: Conversation::default(),
            sessions: Vec::new(),
            similar: Vec::new(),
            asked_about: None,
            dirty: true,
            memory: learnt::Memory::default(),
            attended: false,
            proposal: None,
            dialogs: 0,
            shown_ages: 0,
        }
    }

    /// Whether a frame is due since the last call.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// The state of affairs for drawing; `focus`: the pane has the keyboard.
    pub fn ctx(&self, focus: bool) -> Ctx<'_> {
        Ctx {
            world: &self.world,
            theme: &self.screen.theme,
            ascii: self.screen.looks.ascii,
            zone: &self.screen.zone,
            window: self.screen.window,
            scope: self.screen.scope,
            focus,
            cursor: self.screen.cursor,
            old_ms: crate::ui::view::common::STALE_MS,
        }
    }

    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        // What comes in between is looked at with the next of these.
        let goes_on = matches!(
            msg,
            Msg::Input(_)
                | Msg::Answer(_)
                | Msg::Tick(_)
                | Msg::Worked
                | Msg::Recalled(_)
                | Msg::Shared(_)
        );
        let mut effects = self.take(msg);
        if goes_on {
            let view = self.screen.views.get_mut(self.screen.at);
            effects.extend(view.work(&self.world));
            effects.extend(self.rank());
            effects.extend(self.follow_buses());
            effects.extend(self.share());
            if let Some(Overlay::WhatIf(whatif)) = &mut self.screen.overlay {
                effects.extend(whatif.work(&self.world));
            }
        }
        effects.extend(self.mind_proposal());
        effects
    }

    /// The causes of what is looked at, and of what may be asked about.
    fn rank(&mut self) -> Option<Effect> {
        let chosen = match self.screen.view().focus(&self.world) {
            Some(Focus::Incident(id)) => Some(id),
            _ => None,
        };
        self.world.rank_next(chosen).map(Effect::Work)
    }

    fn take(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Input(event) => self.take_input(event),
            Msg::Telemetry(telemetry) => {
                self.dirty |= self.world.ingest(*telemetry);
                Vec::new()
            }
            Msg::Answer(answered) => {
                self.dirty = true;
                self.screen.views.answer(&answered, &self.world)
            }
            Msg::Tick(now) => {
                self.tick(now);
                let mut effects = self.keep(false);
                effects.extend(self.put_away_learnt());
                effects
            }
            Msg::Replay(status) => self.take_replay(status),
            Msg::HandedOver(handover) => {
                self.take_handover(*handover);
                Vec::new()
            }
            Msg::Gauges(gauges) => {
                self.dirty |= self.screen.shows_gauges() && self.world.gauges != gauges;
                self.world.gauges = gauges;
                Vec::new()
            }
            Msg::Acted(acted) => self.take_acted(*acted),
            Msg::Armed(serial) => {
                self.arm(serial);
                Vec::new()
            }
            Msg::Notice { error, text } => {
                self.notice(error, text);
                Vec::new()
            }
            Msg::Worked => {
                self.dirty = true;
                let mut effects = self.go_on_learnt();
                effects.extend(self.gather_on());
                effects
            }
            Msg::Recalled(recalled) => self.recalled(*recalled),
            Msg::Found(found) => {
                if let Some(fault) = self.world.found(*found) {
                    self.notice(true, fault);
                }
                self.dirty = true;
                Vec::new()
            }
            Msg::Shared(told) => self.take_shared(*told),
            Msg::Summarised(words) => self.take_summary(words),
            Msg::Learnt(read) => self.take_learnt(read),
            Msg::Chat(event) => self.take_chat(event),
            Msg::WorldQuery(query) => self.answer_world(&query),
        }
    }

    /// A line for the operator, kept and shown for a while.
    pub fn notice(&mut self, error: bool, text: impl Into<String>) {
        self.world.notice(error, text);
        self.screen.seen_notices = false;
        self.dirty = true;
    }

    fn take_input(&mut self, event: InputEvent) -> Vec<Effect> {
        let before = self.screen.demand();
        let mut effects = match event {
            InputEvent::Key(press) => self.press(press),
            InputEvent::Mouse { kind, column, row } => {
                // Panes may have moved with what came in since the last key.
                self.place();
                self.mouse(kind, column, row)
            }
            InputEvent::Paste(text) => self.paste(&text),
            InputEvent::Resize { columns, rows } => {
                self.screen.area = Rect::new(0, 0, columns, rows);
                self.dirty = true;
                Vec::new()
            }
            InputEvent::FocusGained | InputEvent::FocusLost => return Vec::new(),
        };
        self.place();
        let after = self.screen.demand();
        if self.screen.demanded.as_ref() != Some(&after) || before != after {
            effects.push(Effect::Demand(after.clone()));
            self.screen.demanded = Some(after);
        }
        effects
    }

    /// Tells the view in sight where it stands.
    fn place(&mut self) {
        let regions = layout::frame(self.screen.area, self.screen.chat_open);
        self.screen
            .views
            .get_mut(self.screen.at)
            .place(regions.body, &self.world);
    }

    fn tick(&mut self, now: Timestamp) {
        // What the world changed shows in `ages`; that it looked is no reason for a frame.
        self.world.tick(now);
        let ages = ages::shown(&self.world, &self.screen, self.chat.running().is_some());
        self.dirty |= ages != self.shown_ages;
        self.shown_ages = ages;
    }
}
