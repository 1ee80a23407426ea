//! The line at the bottom: `/` finds or filters while it is typed, `:` takes commands, `t` takes times.

use std::sync::Arc;

use super::State;
use super::range;
use super::screen::{Overlay, Prompt, PromptKind};
use super::world::whatif::WhatIf;
use crate::command::{Action, Command, ENTRIES, ScreenId, Typed, by_name};
use crate::message::{Effect, ReplayCommand};
use crate::model::input::{Key, KeyPress};
use crate::model::object::{ObjectKey, ObjectKind};
use crate::ui::view::object::focus_on;
use crate::ui::view::{Focus, Goto};

/// Prompt texts remembered.
const FORMER: usize = 100;

impl State {
    pub(super) fn prompt_key(&mut self, press: KeyPress) -> Vec<Effect> {
        let Some(prompt) = &mut self.screen.prompt else {
            return Vec::new();
        };
        match press.key {
            Key::Esc => self.leave_prompt(),
            Key::Enter => self.submit(),
            Key::Up => self.recall(1),
            Key::Down => self.recall(-1),
            Key::Tab => self.complete(),
            Key::Char('t') if press.ctrl => self.other_kind(),
            Key::Backspace if prompt.field.text().is_empty() => self.leave_prompt(),
            _ => {
                let before = prompt.field.text().to_owned();
                prompt.field.press(press);
                // Moving the cursor, or a full line, changes nothing for the view.
                if prompt.field.text() == before {
                    return Vec::new();
                }
                self.prompt_changed()
            }
        }
    }

    /// The text was edited: a filter shows at once.
    pub(super) fn prompt_changed(&mut self) -> Vec<Effect> {
        let Some(prompt) = &mut self.screen.prompt else {
            return Vec::new();
        };
        prompt.error = None;
        let text = prompt.field.text().to_owned();
        match prompt.kind {
            PromptKind::Filter => self.tell_view(Command::Filter(text)),
            PromptKind::Find => self.tell_view(Command::Find(text)),
            PromptKind::Command | PromptKind::Time => Vec::new(),
        }
    }

    /// What is typed finds instead of narrowing, or the other way round.
    fn other_kind(&mut self) -> Vec<Effect> {
        let text = match &self.screen.prompt {
            Some(prompt) => prompt.field.text().to_owned(),
            None => return Vec::new(),
        };
        let kind = match self.screen.prompt.as_ref().map(|p| p.kind) {
            Some(PromptKind::Find) => PromptKind::Filter,
            Some(PromptKind::Filter) if self.screen.view().found().is_some() => PromptKind::Find,
            _ => return Vec::new(),
        };
        let mut effects = self.leave_prompt();
        let view = self.screen.view();
        let before = match kind {
            PromptKind::Find => view.found().unwrap_or_default(),
            _ => view.filter(),
        };
        let before = before.to_owned();
        self.screen.prompt = Some(Prompt {
            before,
            ..Prompt::new(kind, &text)
        });
        effects.extend(self.prompt_changed());
        effects
    }

    fn leave_prompt(&mut self) -> Vec<Effect> {
        match self.screen.prompt.take() {
            Some(prompt) if prompt.kind == PromptKind::Filter => {
                self.tell_view(Command::Filter(prompt.before))
            }
            Some(prompt) if prompt.kind == PromptKind::Find => {
                self.tell_view(Command::Find(prompt.before))
            }
            _ => Vec::new(),
        }
    }

    fn recall(&mut self, step: isize) -> Vec<Effect> {
        let Some(prompt) = &mut self.screen.prompt else {
            return Vec::new();
        };
        let mut former = self.screen.former.iter().rev();
        let back = prompt.back.saturating_add_signed(step);
        let found = match back {
            0 => Some(String::new()),
            n => former
                .by_ref()
                .filter(|(kind, _)| *kind == prompt.kind)
                .nth(n - 1)
                .map(|(_, text)| text.clone()),
        };
        if let Some(text) = found {
            let before = std::mem::take(&mut prompt.before);
            *prompt = Prompt::new(prompt.kind, &text);
            prompt.before = before;
            prompt.back = back;
        }
        self.prompt_changed()
    }

    /// Tab: the only command (or name) that begins like this.
    fn complete(&mut self) -> Vec<Effect> {
        let Some(prompt) = &self.screen.prompt else {
            return Vec::new();
        };
        if prompt.kind != PromptKind::Command {
            return Vec::new();
        }
        let options = self.completions(prompt.field.text());
        if let Some(text) = common_beginning(&options)
            && let Some(prompt) = &mut self.screen.prompt
        {
            let text = if options.len() == 1 {
                format!("{text} ")
            } else {
                text
            };
            if text.len() > prompt.field.text().len() {
                prompt.field = crate::ui::widget::field::Field::new(&text);
            }
        }
        self.prompt_changed()
    }

    /// Whole texts that the typed one may become.
    pub fn completions(&self, typed: &str) -> Vec<String> {
        let Some((name, argument)) = typed.split_once(' ') else {
            return ENTRIES
                .iter()
                .filter(|entry| entry.name.starts_with(typed))
                .map(|entry| entry.name.to_owned())
                .collect();
        };
        let words: Vec<String> = match by_name(name).map(|entry| &entry.action) {
            Some(Action::Typed(Typed::Theme)) => crate::ui::theme::NAMES
                .iter()
                .map(|n| (*n).to_owned())
                .collect(),
            Some(Action::Typed(Typed::Cluster)) => self
                .world
                .clusters
                .iter()
                .map(|c| c.name.to_string())
                .collect(),
            _ => Vec::new(),
        };
        words
            .into_iter()
            .filter(|word| word.starts_with(argument))
            .map(|word| format!("{name} {word}"))
            .collect()
    }

    fn submit(&mut self) -> Vec<Effect> {
        let Some(prompt) = self.screen.prompt.take() else {
            return Vec::new();
        };
        let text = prompt.field.text().trim().to_owned();
        let done = match prompt.kind {
            PromptKind::Filter => Ok(Vec::new()),
            // Streams are read from their end: the newest match first.
            PromptKind::Find => Ok(self.tell_view(Command::PreviousMatch)),
            PromptKind::Time => self.take_time(&text),
            PromptKind::Command => self.take_command(&text),
        };
        if !text.is_empty() {
            self.screen
                .former
                .retain(|(kind, old)| *kind != prompt.kind || *old != text);
            self.screen.former.push((prompt.kind, text));
            if self.screen.former.len() > FORMER {
                self.screen.former.remove(0);
            }
        }
        match done {
            Ok(effects) => effects,
            Err(error) => {
                self.screen.prompt = Some(Prompt {
                    error: Some(error),
                    ..prompt
                });
                Vec::new()
            }
        }
    }

    fn take_command(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        let (name, argument) = text.split_once(' ').unwrap_or((text, ""));
        let argument = argument.trim();
        match (name, argument) {
            ("", _) => return Ok(Vec::new()),
            ("q", "") => return Ok(vec![Effect::Quit]),
            _ => {}
        }
        let Some(entry) = by_name(name) else {
            return Err(unknown(name));
        };
        match entry.action {
            Action::Typed(typed) if argument.is_empty() => Err(format!(
                "{}: say what, as in `{}`",
                name_or(typed),
                entry.help
            )),
            Action::Typed(typed) => self.typed(typed, argument),
            // `cluster NAME` is what everybody types.
            Action::Screen(ScreenId::Cluster) if !argument.is_empty() => {
                let cluster = self.cluster_named(argument)?;
                Ok(self.go(Goto {
                    screen: ScreenId::Cluster,
                    cluster: Some(cluster),
                    ..Goto::default()
                }))
            }
            _ => Ok(self.act(entry.action.clone())),
        }
    }

    fn typed(&mut self, typed: Typed, argument: &str) -> Result<Vec<Effect>, String> {
        let query = |screen| Goto {
            screen,
            query: Some(argument.to_owned()),
            ..Goto::default()
        };
        match typed {
            Typed::Theme if self.set_theme(argument) => Ok(Vec::new()),
            Typed::Theme => Err(format!(
                "no theme `{argument}`; there are {}",
                crate::ui::theme::NAMES.join(", ")
            )),
            Typed::Cluster => {
                let cluster = self.cluster_named(argument)?;
                Ok(self.set_scope(Some(cluster)))
            }
            Typed::Time => self.take_time(argument),
            Typed::Speed => match argument.trim_end_matches('x').parse::<f64>() {
                Ok(speed) if speed > 0.0 && speed <= 1000.0 => {
                    Ok(self.replay(|_| ReplayCommand::Speed(speed)))
                }
                _ => Err(format!("`{argument}` is no speed; try 10")),
            },
            Typed::Seek => {
                let to = self.replay_moment(argument)?;
                Ok(self.replay_seek(to))
            }
            Typed::Ask => Ok(self.ask(argument)),
            Typed::Follow => self.take_follow(argument),
            Typed::Promql => Ok(self.go(query(ScreenId::Metrics))),
            Typed::Logql => Ok(self.go(query(ScreenId::Logs))),
            Typed::Traceql => Ok(self.go(query(ScreenId::Traces))),
            Typed::Incident => self.open_incident(argument),
            Typed::Object => self.open_object(argument),
            Typed::Every => self.every(argument),
            Typed::Compare => self.compare(argument),
            Typed::Step => self.step(argument),
            Typed::Note => self.note(argument),
            Typed::Assign => self.assign(argument),
            Typed::Quiet => self.quiet(argument),
            Typed::HandOver => self.hand_over_range(argument),
            Typed::Sensitivity => self.sensitivity(argument),
            Typed::WhatIf => {
                let said = self.sensitivity_of(argument)?;
                let whatif = Box::new(WhatIf::new(&self.world, said));
                self.screen.overlay = Some(Overlay::WhatIf(whatif));
                Ok(Vec::new())
            }
        }
    }

    fn open_incident(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        let digits = text.trim_start_matches("INC-").trim_start_matches("inc-");
        let number = digits.parse::<u32>().ok();
        let found = self
            .world
            .incidents
            .iter()
            .chain(&self.world.past)
            .find(|i| Some(i.number) == number)
            .map(|i| i.id);
        let id = found.ok_or_else(|| format!("no incident `{text}`"))?;
        Ok(self.go(Goto {
            screen: ScreenId::Incidents,
            focus: Some(Focus::Incident(id)),
            ..Goto::default()
        }))
    }

    /// `deployment shop/cart` of the cluster in scope, or of the only one that knows it.
    fn open_object(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        let (word, name) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let kind = ObjectKind::named(word).ok_or_else(|| format!("no kind `{word}` is watched"))?;
        let (namespace, name) = name.trim().split_once('/').unwrap_or(("", name.trim()));
        if name.is_empty() {
            return Err(format!("name it, as in `object {word} shop/cart`"));
        }
        let key = ObjectKey {
            kind,
            namespace: Arc::from(namespace),
            name: Arc::from(name),
        };
        let mut holders = self.world.clusters.iter();
        let cluster = self
            .screen
            .scope
            .or_else(|| holders.find(|c| c.known(&key).is_some()).map(|c| c.id))
            .ok_or_else(|| format!("no cluster knows {word} `{name}`; choose one with `scope`"))?;
        Ok(self.drill(Goto {
            screen: ScreenId::Object,
            focus: Some(focus_on(cluster, &key)),
            ..Goto::default()
        }))
    }

    fn cluster_named(&self, name: &str) -> Result<crate::model::id::ClusterId, String> {
        let mut begin = self
            .world
            .clusters
            .iter()
            .filter(|c| c.name.starts_with(name));
        let exact = self.world.cluster_by_name(name);
        let only = begin.next().filter(|_| begin.next().is_none());
        exact
            .or(only)
            .map(|c| c.id)
            .ok_or_else(|| format!("no cluster `{name}`"))
    }

    fn take_time(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let window = range::window(text, self.world.now, &self.screen.zone)?;
        Ok(self.set_window(window))
    }
}

fn name_or(typed: Typed) -> String {
    format!("{typed:?}").to_lowercase()
}

fn unknown(name: &str) -> String {
    let near = ENTRIES
        .iter()
        .map(|entry| (strsim::jaro_winkler(entry.name, name), entry.name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.8);
    match near {
        Some((_, near)) => format!("no command `{name}`; did you mean `{near}`?"),
        None => format!("no command `{name}`; Ctrl-p lists all"),
    }
}

fn common_beginning(options: &[String]) -> Option<String> {
    let first = options.first()?;
    let mut end = first.len();
    for other in options {
        let same = first
            .char_indices()
            .zip(other.chars())
            .find(|((_, a), b)| a != b)
            .map_or(other.len().min(first.len()), |((at, _), _)| at);
        end = end.min(same);
    }
    first.get(..end).map(str::to_owned)
}
