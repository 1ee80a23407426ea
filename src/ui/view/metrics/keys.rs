//! What keys do on the metrics screen.

use super::query::Every;
use super::{Metrics, Part};
use crate::command::Command;
use crate::message::Effect;
use crate::state::world::World;
use crate::ui::panel::ShownId;
use crate::ui::view::Focus;
use crate::ui::view::editing::HINTS;

impl Metrics {
    pub(super) fn command(&mut self, command: Command, world: &World) -> Vec<Effect> {
        match command {
            Command::Type(press) => return self.type_key(press, world),
            Command::Paste(text) => return self.paste(&text, world),
            Command::Clusters => return self.choose(world),
            command if self.choice.is_open() => {
                self.choice.update(&command, world);
                return Vec::new();
            }
            Command::Edit => return self.edit(world),
            Command::Step(step_ms) => return self.set_step(step_ms, world),
            Command::Recall => return self.recall(world),
            Command::Refresh => {
                return match self.asked.is_some() {
                    true => self.ask(true, world),
                    false => vec![Effect::Refresh(self.scope)],
                };
            }
            Command::CopyRow => {
                let row = self
                    .chosen(world)
                    .map(|id| Effect::Copy(id.key.to_string()));
                return row.into_iter().collect();
            }
            Command::CopyQuery => return self.copy_query(world).into_iter().collect(),
            Command::CopyCurl => return self.copy_curl(world).into_iter().collect(),
            Command::Export(format) => return vec![self.export(format, world)],
            Command::Click { column, row } => {
                let list = self.layout(self.area).list;
                let inside = list.contains((column, row).into());
                self.part = if inside { Part::List } else { Part::Legend };
            }
            _ => {}
        }
        if !self.move_in_table(&command, world) {
            self.change(&command, world);
        }
        self.make()
    }

    fn move_in_table(&mut self, command: &Command, world: &World) -> bool {
        if self.part == Part::Legend {
            if let Some(asked) = self.asked.as_ref().filter(|_| self.detail) {
                return self.clusters.update(command, &asked.parts, |p| p.cluster);
            }
            let ids = self.legend_ids(world);
            return self.legend.update(command, &ids, ShownId::clone);
        }
        let rows = self.rows(world);
        let done = self
            .list
            .update(command, &rows, |r| std::sync::Arc::clone(&r.name));
        if done {
            self.alone = None;
            self.hidden.clear();
            self.close();
        }
        done
    }

    fn change(&mut self, command: &Command, world: &World) {
        match command {
            Command::NextPane | Command::PreviousPane => {
                self.part = match self.part {
                    Part::List => Part::Legend,
                    Part::Legend => Part::List,
                };
            }
            Command::Problems => self.problems = !self.problems,
            Command::Open if self.part == Part::List => self.part = Part::Legend,
            Command::Open => {
                self.alone = match self.alone.take() {
                    Some(_) => None,
                    None => self.chosen(world),
                };
            }
            Command::Hide => self.hide(world),
            Command::Mode => {
                let shown = self.shown(world);
                self.form = Some(self.form(&shown).next(&shown));
            }
            Command::Detail => self.detail = !self.detail && self.asked.is_some(),
            Command::Combine => {
                self.combine = self.combine.next();
                if let Some(asked) = &mut self.asked {
                    asked.combine = self.combine;
                    self.picture.touch();
                }
                self.alone = None;
                self.hidden.clear();
            }
            Command::Every(every) => self.every = every.map_or(Every::Never, Every::Ms),
            _ => {}
        }
    }

    fn hide(&mut self, world: &World) {
        if let Some(id) = self.chosen(world)
            && !self.hidden.remove(&id)
        {
            self.hidden.insert(id);
        }
    }

    /// Opens the sheet of clusters; closed, others are asked if others are marked.
    fn choose(&mut self, world: &World) -> Vec<Effect> {
        if !self.choice.is_open() {
            self.choice.open();
            return Vec::new();
        }
        match self.choice.close() {
            true => self.ask(false, world),
            false => Vec::new(),
        }
    }
}

/// The pod or node that a series is about, else the series.
pub(super) fn focus_of(world: &World, id: &ShownId) -> Focus {
    let labels = &id.key.labels;
    if let Some(cluster) = id.cluster {
        if let (Some(namespace), Some(pod)) = (labels.get("namespace"), labels.get("pod")) {
            return Focus::Pod {
                cluster,
                namespace: namespace.to_owned(),
                pod: pod.to_owned(),
            };
        }
        let node = labels.first_of(&["node", "Hostname", "hostname"]);
        let known = world.cluster(cluster);
        if let Some(node) = node.filter(|n| known.is_some_and(|c| c.nodes.contains_key(*n))) {
            return Focus::Node {
                cluster,
                node: node.to_owned(),
            };
        }
    }
    Focus::Text {
        cluster: id.cluster,
        text: format!("series {}", id.key),
    }
}

pub(super) fn hints(
    editor: bool,
    choosing: bool,
    part: Part,
) -> &'static [(&'static str, &'static str)] {
    match (editor, choosing, part) {
        (true, ..) => HINTS,
        (_, true, _) => &[
            ("Enter", "mark"),
            ("z", "all"),
            ("/", "narrow"),
            ("@", "ask them"),
        ],
        (_, _, Part::List) => &[
            ("Enter", "legend"),
            ("o", "PromQL"),
            ("m", "form"),
            ("h l", "cursor"),
            ("/", "filter"),
        ],
        (_, _, Part::Legend) => &[
            ("Enter", "alone"),
            ("o", "PromQL"),
            ("m", "form"),
            ("@", "clusters"),
            ("F", "combine"),
            ("d", "detail"),
        ],
    }
}
