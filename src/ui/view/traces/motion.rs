//! What the keys do.

use super::asked::{Opened, Row};
use super::map::{self, Map};
use super::waterfall::took;
use super::{Traces, WIDE, list};
use crate::command::Command;
use crate::message::Effect;
use crate::state::world::World;

impl Traces {
    pub(super) fn command(&mut self, command: Command, world: &World) -> Vec<Effect> {
        match command {
            Command::Type(press) => return self.type_key(press, world),
            Command::Paste(text) => return self.paste(&text, world),
            Command::Edit => return self.edit(world),
            Command::Recall => return self.recall(world),
            Command::Mode => return self.turn(world),
            Command::Export(format) => return vec![self.export(format, world)],
            Command::CopyRow => return self.copied().map(Effect::Copy).into_iter().collect(),
            _ => {}
        }
        match (self.map.is_some(), self.opened.is_some()) {
            (true, _) => self.in_map(&command, world),
            (_, true) => self.in_trace(&command, world),
            (_, false) => self.in_list(&command, world),
        }
    }

    /// To the service graph and back.
    fn turn(&mut self, world: &World) -> Vec<Effect> {
        match self.map.take() {
            Some(_) => Vec::new(),
            None => self.map_anew(world),
        }
    }

    fn map_anew(&mut self, world: &World) -> Vec<Effect> {
        let rows = self.search.as_ref().map_or(&[][..], |s| &s.rows);
        let (scope, window) = (self.scope, self.window);
        let (map, effects) = Map::new(world, scope, window, &mut self.numbers, rows);
        self.map = Some(map);
        effects
    }

    fn in_map(&mut self, command: &Command, world: &World) -> Vec<Effect> {
        let Some(map) = &mut self.map else {
            return Vec::new();
        };
        let keys: Vec<map::Key> = map.rows().iter().map(map::Shown::key).collect();
        if map.table.update(command, &keys, Clone::clone) {
            return Vec::new();
        }
        match command {
            Command::Open | Command::Detail => {
                let query = map.under().map(|row| row.query(map.failing));
                match query {
                    Some(query) => {
                        self.map = None;
                        self.run(&query, world)
                    }
                    None => Vec::new(),
                }
            }
            Command::Problems => {
                map.failing = !map.failing;
                Vec::new()
            }
            Command::Refresh => {
                let former = self.map.take();
                let effects = self.map_anew(world);
                if let (Some(map), Some(former)) = (&mut self.map, former) {
                    map.follow(former);
                }
                effects
            }
            _ => Vec::new(),
        }
    }

    fn in_list(&mut self, command: &Command, world: &World) -> Vec<Effect> {
        let rows = self.rows();
        if self.list.update(command, &rows, Row::id) {
            return Vec::new();
        }
        match command {
            Command::Open | Command::Detail => self.open_chosen(world),
            Command::Problems => {
                self.problems = !self.problems;
                Vec::new()
            }
            Command::NextProblem | Command::PreviousProblem => {
                self.next_failing(matches!(command, Command::NextProblem));
                Vec::new()
            }
            Command::Refresh => {
                let text = self.search.as_ref().map(|s| s.text.clone());
                self.seek(&text.unwrap_or_default(), world)
            }
            _ => Vec::new(),
        }
    }

    /// Only the cluster where it was found is asked for it.
    fn open_chosen(&mut self, world: &World) -> Vec<Effect> {
        let Some(row) = self.chosen() else {
            return Vec::new();
        };
        let of = Some(row.cluster);
        let (opened, effects) = Opened::new(row.found.id, world, of, &mut self.numbers);
        self.opened = Some(opened);
        self.detail = self.area.width >= WIDE;
        effects
    }

    fn next_failing(&mut self, on: bool) {
        let rows = self.rows();
        let here = self.list.position(&rows, Row::id).unwrap_or(0);
        let failed = |row: &Row| row.found.failed() == Some(true);
        let next = match on {
            true => rows.iter().skip(here + 1).find(|r| failed(r)),
            false => rows.iter().take(here).rfind(|r| failed(r)),
        };
        if let Some(row) = next {
            self.list.select(row.id());
        }
    }

    fn in_trace(&mut self, command: &Command, world: &World) -> Vec<Effect> {
        let linked = self
            .under()
            .and_then(|(_, _, node)| node.span.links.first());
        let linked = linked.map(|link| link.trace.to_string());
        let Some(opened) = &mut self.opened else {
            return Vec::new();
        };
        let visible = opened.visible();
        // The filter belongs to the list.
        let filter = matches!(command, Command::Filter(_));
        if !filter && opened.table.update(command, &visible, |at| *at) {
            opened.scroll = 0;
            return Vec::new();
        }
        match command {
            Command::Filter(text) => self.list.set_filter(text),
            Command::Fold => opened.fold(),
            Command::FoldAll => opened.fold_all(),
            Command::NextProblem | Command::PreviousProblem => {
                let on = matches!(command, Command::NextProblem);
                if let Some(at) = opened.next_failing(on) {
                    opened.select(at);
                }
            }
            Command::ScrollDown => opened.scroll = opened.scroll.saturating_add(1),
            Command::ScrollUp => opened.scroll = opened.scroll.saturating_sub(1),
            Command::Detail => self.detail = !self.detail,
            Command::Open => match linked {
                Some(id) => return self.run(&id, world),
                None => self.detail = true,
            },
            Command::Refresh => {
                let of = opened
                    .got
                    .as_ref()
                    .map(|(cluster, _)| *cluster)
                    .or(self.scope);
                let (again, effects) = Opened::new(opened.id, world, of, &mut self.numbers);
                let before = std::mem::replace(opened, again);
                opened.keep(before);
                return effects;
            }
            _ => {}
        }
        Vec::new()
    }

    /// The row as text: of a span what it did, of a trace its id and root.
    fn copied(&self) -> Option<String> {
        if let Some(map) = &self.map {
            return map.under().map(|row| row.words());
        }
        if let Some((_, trace, node)) = self.under() {
            let span = &node.span;
            let time = span.duration_ns().map_or("n/a".to_owned(), took);
            return Some(format!(
                "{} {} {} {time} {}",
                trace.id, span.id, span.service, span.operation
            ));
        }
        let row = self.chosen()?;
        let found = &row.found;
        let time = list::duration(found);
        let id = found.id;
        Some(format!("{id} {} {} {time}", found.service, found.operation))
    }
}
