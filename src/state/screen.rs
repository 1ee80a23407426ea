//! How the world is looked at. Changed by the operator only.

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::handover::Sending;
use super::world::whatif::WhatIf;
use super::world::{Notice, World};
use crate::command::ScreenId;
use crate::config;
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::bus::Following;
use crate::model::id::ClusterId;
use crate::model::input::KeyPress;
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::ui::theme::Looks;
use crate::ui::view::help::Help;
use crate::ui::view::palette::Palette;
use crate::ui::view::{self, View};
use crate::ui::widget::field::Field;
use crate::ui::{Cursor, Theme, Window};

#[derive(Debug)]
pub struct Screen {
    pub at: ScreenId,
    /// Where the operator came from, oldest first.
    pub history: Vec<Place>,
    /// Steps that Esc could undo when a row of another screen led here: at so many it leads back.
    pub arrived: usize,
    /// The screen before this one.
    pub last: Option<ScreenId>,
    pub views: Views,
    pub overlay: Option<Overlay>,
    pub prompt: Option<Prompt>,
    /// The first keys of a chord.
    pub pending: Vec<KeyPress>,
    /// Ctrl-c was pressed: once more quits.
    pub quitting: bool,
    pub scope: Option<ClusterId>,
    pub window: Window,
    /// The one time cursor of all charts.
    pub cursor: Cursor,
    /// Where the mouse was pressed in a chart, while it is held.
    pub pressed: Option<Timestamp>,
    pub chat_open: bool,
    /// The keyboard is with the chat pane.
    pub chat_focus: bool,
    pub theme: Theme,
    pub looks: Looks,
    pub zone: TimeZone,
    pub area: Rect,
    /// What was last asked to be polled first.
    pub demanded: Option<Vec<(ClusterId, Group)>>,
    /// What was last asked to be followed of the buses.
    pub followed: Vec<(ClusterId, Following)>,
    /// The newest notice was dismissed.
    pub seen_notices: bool,
    /// Texts of former prompts, oldest first, with their kind.
    pub former: Vec<(PromptKind, String)>,
}

/// A screen with the scope it had, and the time where that was changed on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub at: ScreenId,
    pub scope: Option<ClusterId>,
    /// The time looked at there, where going on changed it.
    pub window: Option<Window>,
    /// See [`Screen::arrived`].
    pub arrived: usize,
}

/// What lies over the screen and has the keyboard.
#[derive(Debug)]
pub enum Overlay {
    Help(Help),
    Palette(Box<Palette>),
    /// Notices, and how many of the newest are scrolled past.
    Notices(usize),
    /// Flags of the held hours with another sensitivity.
    WhatIf(Box<WhatIf>),
    /// What is about to be handed over.
    HandOver(Sending),
    /// Menu, form and dialog of actions.
    Actions(view::actions::Actions),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    Filter,
    Find,
    Command,
    Time,
}

/// The line at the bottom while the operator types in it.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub kind: PromptKind,
    pub field: Field,
    /// Why the text was not taken.
    pub error: Option<String>,
    /// Position in the history while walking through it.
    pub back: usize,
    /// What was there before, for Esc.
    pub before: String,
}

impl Prompt {
    pub fn new(kind: PromptKind, text: &str) -> Self {
        Self {
            kind,
            field: Field::new(text),
            error: None,
            back: 0,
            before: text.to_owned(),
        }
    }
}

/// How long a notice stays over the screen, and what each character adds for who reads it; errors
/// stay until a key is pressed.
const TOAST_MS: u64 = 5_000;
const READING_MS: u64 = 60;

impl Screen {
    pub fn new(ui: &config::Ui, zone: TimeZone, looks: Looks) -> Self {
        let looks = Looks {
            ascii: looks.ascii || ui.ascii,
            ..looks
        };
        Self {
            at: ScreenId::Fleet,
            history: Vec::new(),
            arrived: 0,
            last: None,
            views: Views::default(),
            overlay: None,
            prompt: None,
            pending: Vec::new(),
            quitting: false,
            scope: None,
            window: Window::HOUR,
            cursor: Cursor::default(),
            pressed: None,
            chat_open: false,
            chat_focus: false,
            theme: Theme::or_default(&ui.theme, looks.depth),
            looks,
            zone,
            area: Rect::new(0, 0, 80, 24),
            demanded: None,
            followed: Vec::new(),
            seen_notices: true,
            former: Vec::new(),
        }
    }

    pub fn view(&self) -> &dyn View {
        self.views.get(self.at)
    }

    /// What the screen in sight wants polled first.
    pub fn demand(&self) -> Vec<(ClusterId, Group)> {
        let Some(cluster) = self.scope else {
            return Vec::new();
        };
        self.at
            .groups()
            .iter()
            .map(|group| (cluster, *group))
            .collect()
    }

    pub fn shows_gauges(&self) -> bool {
        self.at == ScreenId::Diagnostics
    }

    /// The notice to be shown over the screen now.
    pub fn toast<'a>(&self, world: &'a World) -> Option<&'a Notice> {
        let last = world.notices.back().filter(|_| !self.seen_notices)?;
        let stays = TOAST_MS + READING_MS * last.text.len() as u64;
        // The operator reads no faster when a replay runs faster.
        let speed = world.replay.as_ref().map_or(1.0, |r| r.speed);
        let passed = world.age_ms(last.at) as f64 / speed.max(0.01);
        (last.error || passed < stays as f64).then_some(last)
    }
}

/// The views, each with its own small state.
#[derive(Debug, Default)]
pub struct Views {
    pub fleet: view::fleet::Fleet,
    pub alerts: view::alerts::Alerts,
    pub chat: view::chat::Chat,
    pub metrics: view::metrics::Metrics,
    pub logs: view::logs::Logs,
    pub gpu: view::gpu::Gpu,
    pub cnf: view::cnf::Cnf,
    pub incidents: view::incident::Incidents,
    pub cluster: view::cluster::Cluster,
    pub gitops: view::gitops::GitOps,
    pub diagnostics: view::diagnostics::Diagnostics,
    pub object: view::object::ObjectView,
    pub traces: view::traces::Traces,
    pub dashboards: view::dashboards::Dashboards,
    pub bus: view::bus::Bus,
}

impl Views {
    pub fn get(&self, id: ScreenId) -> &dyn View {
        match id {
            ScreenId::Cluster => &self.cluster,
            ScreenId::Alerts => &self.alerts,
            ScreenId::Metrics => &self.metrics,
            ScreenId::Logs => &self.logs,
            ScreenId::Gpu => &self.gpu,
            ScreenId::Cnf => &self.cnf,
            ScreenId::Incidents => &self.incidents,
            ScreenId::GitOps => &self.gitops,
            ScreenId::Diagnostics => &self.diagnostics,
            ScreenId::Object => &self.object,
            ScreenId::Traces => &self.traces,
            ScreenId::Dashboards => &self.dashboards,
            ScreenId::Bus => &self.bus,
            _ => &self.fleet,
        }
    }

    pub fn get_mut(&mut self, id: ScreenId) -> &mut dyn View {
        match id {
            ScreenId::Cluster => &mut self.cluster,
            ScreenId::Alerts => &mut self.alerts,
            ScreenId::Metrics => &mut self.metrics,
            ScreenId::Logs => &mut self.logs,
            ScreenId::Gpu => &mut self.gpu,
            ScreenId::Cnf => &mut self.cnf,
            ScreenId::Incidents => &mut self.incidents,
            ScreenId::GitOps => &mut self.gitops,
            ScreenId::Diagnostics => &mut self.diagnostics,
            ScreenId::Object => &mut self.object,
            ScreenId::Traces => &mut self.traces,
            ScreenId::Dashboards => &mut self.dashboards,
            ScreenId::Bus => &mut self.bus,
            _ => &mut self.fleet,
        }
    }

    /// An answer goes to the view that asked; the numbers of questions tell which.
    pub fn answer(&mut self, answered: &Answered, world: &World) -> Vec<Effect> {
        let asked = ScreenId::ALL
            .into_iter()
            .find(|id| id.first_request().0 >> 40 == answered.id.0 >> 40);
        asked.map_or_else(Vec::new, |id| self.get_mut(id).answer(answered, world))
    }
}
