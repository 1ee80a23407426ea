//! The conversation with the agent: what is asked, with which context, and what comes back.

use std::sync::Arc;

use super::State;
use super::actions::proposal::is_proposal;
use crate::agent::brief::{EXPLAIN, incident_context};
use crate::agent::conversation::Part;
use crate::agent::{offline, persona, world_tools};
use crate::message::Effect;
use crate::model::chat::{ChatEvent, RunOutcome, Setting, WorldQuery};
use crate::model::fault::FaultKind;
use crate::model::id::IncidentId;
use crate::model::input::KeyPress;
use crate::ui::layout;
use crate::ui::view::Focus;
use crate::ui::view::chat::ChatCommand;

impl State {
    /// There is a model to ask.
    pub fn agent_configured(&self) -> bool {
        self.config.agent.is_some()
    }

    /// The keyboard is with the chat pane.
    pub fn chatting(&self) -> bool {
        self.screen.chat_open && self.screen.chat_focus
    }

    /// A key while the keyboard is with the chat pane.
    pub(super) fn chat_key(&mut self, press: KeyPress) -> Vec<Effect> {
        match self.screen.views.chat.press(press, &self.chat) {
            Some(command) => self.chat_command(command),
            None => Vec::new(),
        }
    }

    /// A question as from the pane: carried out by the console, or asked of the model.
    pub fn question(&mut self, text: &str) -> Vec<Effect> {
        match self.slash(text) {
            Some(effects) => effects,
            None => self.ask(text),
        }
    }

    /// Ends the running answer.
    pub fn stop_asking(&mut self) -> Vec<Effect> {
        self.cancel_run()
    }

    /// The agent works as this persona, where there is one of this name.
    pub fn work_as(&mut self, id: &str) {
        if let Some(found) = self.config.personas.iter().find(|p| p.id == id) {
            self.persona = Arc::clone(found);
        }
    }

    fn chat_command(&mut self, command: ChatCommand) -> Vec<Effect> {
        match command {
            ChatCommand::Send(text) => self.question(&text),
            ChatCommand::Offer => {
                let offers = self.offers();
                self.screen.views.chat.offer(offers);
                Vec::new()
            }
            ChatCommand::Refer(label) => {
                if let Some(chip) = self.chip(&label) {
                    self.screen.views.chat.refer(chip);
                }
                Vec::new()
            }
            ChatCommand::Evidence { message, part } => {
                let message = self.chat.messages.get(message);
                let found = message.and_then(|m| match m.parts.get(part) {
                    Some(Part::Tool(tool)) => Some((tool.clone(), m.at)),
                    _ => None,
                });
                match found {
                    Some((tool, at)) => self.open_evidence(&tool, at),
                    None => Vec::new(),
                }
            }
            ChatCommand::Cancel(_) => self.cancel_run(),
            ChatCommand::New => {
                let stopped = self.chat.cancel().map(Effect::CancelChat);
                // What was said is put away before it leaves the screen.
                let mut effects = self.keep(true);
                self.chat.clear();
                effects.extend(stopped);
                effects
            }
            ChatCommand::Toggle { message, part } => {
                self.chat.toggle(message, part);
                Vec::new()
            }
            ChatCommand::Copy(text) => vec![Effect::Copy(text)],
            ChatCommand::Leave => {
                self.screen.chat_focus = false;
                // A pane that hides the screen has nothing to leave the keyboard to.
                let regions = layout::frame(self.screen.area, true);
                self.screen.chat_open = !regions.body.is_empty();
                Vec::new()
            }
        }
    }

    /// Opens the pane and gives it the keyboard; closes it when it had it.
    pub(super) fn toggle_chat(&mut self) -> Vec<Effect> {
        let had = self.screen.chat_open && self.screen.chat_focus;
        self.screen.chat_open = !had;
        self.screen.chat_focus = !had;
        Vec::new()
    }

    pub(super) fn open_chat(&mut self) {
        self.screen.overlay = None;
        self.screen.chat_open = true;
        self.screen.chat_focus = true;
        self.screen.views.chat.follow();
    }

    /// `a`: an incident is explained at once; of anything else the operator says what to ask.
    pub(super) fn ask_about_focus(&mut self) -> Vec<Effect> {
        let focus = self.screen.view().focus(&self.world);
        self.open_chat();
        match focus {
            Some(Focus::Incident(id)) => self.explain(id),
            Some(focus) => {
                let name: String = self.name_of(&focus).chars().take(200).collect();
                self.screen.views.chat.set_text(&format!("About {name}: "));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn explain(&mut self, id: IncidentId) -> Vec<Effect> {
        let number = self.world.incident(id).map_or(0, |i| i.number);
        self.asked_about = Some(id);
        let context = incident_context(&self.world, id);
        self.send(format!("INC-{number}: {EXPLAIN}"), context)
    }

    /// Asks what the operator typed; what is on the screen goes along.
    pub(super) fn ask(&mut self, text: &str) -> Vec<Effect> {
        self.open_chat();
        let focus = self.screen.view().focus(&self.world);
        let referred = self.referred(text);
        let under = match focus {
            Some(Focus::Incident(id)) => Some(id),
            _ => None,
        };
        // What is named goes before what the cursor happens to be on.
        let named = referred.iter().find_map(|chip| chip.incident);
        self.asked_about = named.or(under);
        let mut context = self.screen.view().brief(&self.ctx(false));
        if let Some(id) = under {
            context.push_str("\nUnder the cursor:\n");
            context.push_str(&incident_context(&self.world, id));
        } else if let Some(focus) = focus {
            context.push_str(&format!("\nUnder the cursor: {}", self.name_of(&focus)));
        }
        for chip in referred {
            context.push_str("\n\nThe operator refers to ");
            context.push_str(&chip.context);
        }
        self.send(text.to_owned(), context)
    }

    fn send(&mut self, text: String, context: String) -> Vec<Effect> {
        self.dirty = true;
        self.chat.begin_about(self.asked_about);
        if !self.agent_configured() {
            let look = self.own_findings(self.asked_about, offline::NO_MODEL);
            return self.look_up(&text, look);
        }
        let setting = self.setting();
        let request = self.chat.ask(text, context, setting, self.world.now);
        request.map(Effect::Chat).into_iter().collect()
    }

    pub(super) fn setting(&self) -> Setting {
        let mut setting = persona::setting(&self.world, &self.persona, self.limits);
        setting.tools.extend(self.proposals(&self.persona));
        setting
    }

    /// `/persona`: which there are; `/persona ID`: works in that field from the next question on.
    pub(super) fn choose_persona(&mut self, id: &str) -> Vec<Effect> {
        let all = &self.config.personas;
        let Some(found) = all.iter().find(|p| p.id == id).cloned() else {
            let mut told = match id {
                "" => String::from("Personas of the agent, chosen by `/persona ID`:\n\n"),
                id => format!("There is no persona `{id}`. There are:\n\n"),
            };
            for p in all.iter() {
                let now = if *p == self.persona { " (now)" } else { "" };
                told.push_str(&format!("- `{}` {}{now}\n", p.id, p.about));
            }
            self.chat.answer_locally(None, told, self.world.now);
            return Vec::new();
        };
        let mut offered = persona::offered(&self.world, &found);
        offered.extend(self.proposals(&found));
        let mut told = format!(
            "The agent works as `{}` ({}) now, with {} tools: {}.",
            found.id,
            found.about,
            offered.len(),
            offered.join(", ")
        );
        let unknown = persona::unknown(&found);
        if !unknown.is_empty() {
            told.push_str(&format!(
                "\n\nThese tools of it do not exist: {}.",
                unknown.join(", ")
            ));
        }
        self.persona = found;
        self.chat.answer_locally(None, told, self.world.now);
        Vec::new()
    }

    /// Ends the run now, not when its task has heard of it; the next question follows.
    pub(super) fn cancel_run(&mut self) -> Vec<Effect> {
        self.dirty = true;
        self.similar.clear();
        let cancelled = self.chat.cancel().map(Effect::CancelChat);
        cancelled.into_iter().chain(self.next_question()).collect()
    }

    fn next_question(&mut self) -> Option<Effect> {
        let setting = self.setting();
        self.chat
            .next_request(setting, self.world.now)
            .map(Effect::Chat)
    }

    pub(super) fn take_chat(&mut self, event: ChatEvent) -> Vec<Effect> {
        let ended = match &event {
            ChatEvent::Ended { outcome, .. } => Some(outcome.clone()),
            _ => None,
        };
        if let ChatEvent::Opened { asked, text } = event {
            // It is read from the question on, which is the last one then.
            self.chat.answer_locally(Some(&asked), text, self.world.now);
            self.screen.views.chat.read_answer();
            self.dirty |= self.screen.chat_open;
            return Vec::new();
        }
        if !self.chat.apply(event) {
            return Vec::new();
        }
        self.dirty |= self.screen.chat_open;
        let Some(outcome) = ended else {
            return Vec::new();
        };
        self.similar.clear();
        let mut effects = Vec::new();
        if let RunOutcome::Failed(fault) = &outcome
            && fault.kind != FaultKind::Cancelled
        {
            // The model is gone; what the console itself knows is not.
            let look = self.own_findings(self.asked_about, offline::NO_ANSWER);
            effects.extend(self.look_up("", look));
        }
        if !self.screen.chat_open {
            self.notice(false, "the agent has answered: A shows it");
        }
        effects.extend(self.next_question());
        effects
    }

    /// What the agent may know from here; the answer goes back to its run.
    pub(super) fn answer_world(&mut self, query: &WorldQuery) -> Vec<Effect> {
        let (text, rows, ok) = match query.tool.as_str() {
            "describe_view" => self.described(),
            "find_similar_incidents" => return self.ask_similar(query),
            tool if is_proposal(tool) => return self.propose(query),
            _ => world_tools::answer(&self.world, query),
        };
        vec![Effect::WorldAnswer {
            run: query.run,
            call: query.call.clone(),
            text,
            rows,
            ok,
        }]
    }
}
