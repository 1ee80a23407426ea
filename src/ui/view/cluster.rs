//! One cluster: what is wrong with it and what to look at first, its nodes, pods, workloads,
//! events and operators, how well it is heard, its room, and what may be done there.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::inside;
use super::{Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::id::ClusterId;
use crate::model::object::ObjectKind;
use crate::state::world::{ClusterState, World};
use crate::ui::layout::{split_bottom, split_right};
use crate::ui::widget::badge;
use crate::ui::widget::table::Table;
use crate::ui::{Ctx, measured};

mod capacity;
mod cell;
mod explain;
mod head;
mod list;
mod panes;
mod problem;
mod row;
mod rows;
mod source;
#[cfg(test)]
mod tests;

use list::{List, Tab};
use rows::{Row, RowId};

/// Pods, workloads and events listed; more are counted, not drawn.
const MOST: usize = 20_000;

#[derive(Debug)]
pub struct Cluster {
    cluster: Option<ClusterId>,
    tab: Tab,
    /// The list of the first tab that has the cursor.
    pane: List,
    /// By list.
    tables: Vec<Table<RowId>>,
    spare: Table<RowId>,
    problems: bool,
    /// Events one by one, not by reason and owner.
    each_event: bool,
    detail: bool,
    /// First line shown of what is no table.
    skip: usize,
    /// Room for one list only.
    single: bool,
    areas: Vec<(List, Rect)>,
}

impl Default for Cluster {
    fn default() -> Self {
        let mut tables = vec![Table::default(); List::COUNT];
        if let Some(pods) = tables.get_mut(List::Pods as usize) {
            *pods = Table::sorted(4);
        }
        Self {
            cluster: None,
            tab: Tab::default(),
            pane: List::default(),
            tables,
            spare: Table::default(),
            problems: false,
            each_event: false,
            detail: false,
            skip: 0,
            single: false,
            areas: Vec::new(),
        }
    }
}

/// Where the lists of a tab stand. Where room is short the lists of the first one take turns.
fn areas(area: Rect, tab: Tab, pane: List, sources: usize) -> Vec<(List, Rect)> {
    let (_, rest) = split_bottom(area, area.height.saturating_sub(head::ROWS));
    if let Tab::Only(list) = tab {
        return vec![(list, rest)];
    }
    if area.width < 100 || rest.height < 22 {
        return vec![(pane, rest)];
    }
    let wanted = (sources as u16).saturating_add(3).clamp(4, 9);
    let (rest, lower) = split_bottom(rest, (rest.height - wanted) / 2);
    let (problems, sources) = split_bottom(rest, wanted);
    let (nodes, events) = split_right(lower, lower.width / 2);
    vec![
        (List::Problems, problems),
        (List::Nodes, nodes),
        (List::Events, events),
        (List::Sources, sources),
    ]
}

impl Cluster {
    fn cluster<'a>(&self, world: &'a World) -> Option<&'a ClusterState> {
        world.cluster(self.cluster?)
    }

    /// The list that has the cursor.
    fn list(&self) -> List {
        match self.tab {
            Tab::Overview => self.pane,
            Tab::Only(list) => list,
        }
    }

    fn table_mut(&mut self, list: List) -> Option<&mut Table<RowId>> {
        self.tables.get_mut(list as usize)
    }

    /// The row under the cursor.
    fn row<'a>(&self, world: &'a World) -> Option<Row<'a>> {
        let c = self.cluster(world)?;
        let mut rows = self.rows(world, c, self.list());
        let at = self.table(self.list()).position(&rows, Row::id)?;
        (at < rows.len()).then(|| rows.swap_remove(at))
    }

    /// Everything known of the row, in full.
    fn explain(&self, world: &World) -> Option<String> {
        Some(explain::row(
            self.cluster(world)?,
            &self.row(world)?,
            world.now,
        ))
    }

    fn click(&mut self, column: u16, row: u16) {
        let at = (column, row).into();
        let hit = self.areas.iter().find(|(_, area)| area.contains(at));
        if let (Tab::Overview, Some((list, _))) = (self.tab, hit) {
            self.pane = *list;
        }
    }

    fn step_pane(&mut self, by: isize) {
        let all = List::OVERVIEW;
        let at = all.iter().position(|l| *l == self.pane).unwrap_or(0);
        let next = (at as isize + by).rem_euclid(all.len() as isize) as usize;
        if self.tab == Tab::Overview {
            self.pane = all.get(next).copied().unwrap_or_default();
        }
    }

    /// Moves in what is no table, never past its end.
    fn scroll(&mut self, command: &Command, world: &World) {
        let Some(c) = self.cluster(world) else {
            return;
        };
        let lines = measured(world, |ctx| super::rights::lines(ctx, c).len());
        let area = self.areas.first().map(|(_, area)| inside(*area));
        let page = area.map_or(1, |area| usize::from(area.height));
        let most = lines.saturating_sub(page);
        let to = match command {
            Command::Down => self.skip + 1,
            Command::Up => self.skip.saturating_sub(1),
            Command::PageDown => self.skip + page,
            Command::PageUp => self.skip.saturating_sub(page),
            Command::Top => 0,
            Command::Bottom => most,
            _ => self.skip,
        };
        self.skip = to.min(most);
    }

    fn tell_table(&mut self, command: &Command, world: &World) {
        let list = self.list();
        if list == List::Rights {
            return self.scroll(command, world);
        }
        let Some(c) = self.cluster(world) else {
            return;
        };
        let rows = match Table::<RowId>::moves(command) {
            true => self.rows(world, c, list),
            false => Vec::new(),
        };
        if let Some(table) = self.table_mut(list) {
            table.update(command, &rows, Row::id);
        }
    }

    /// Puts the cursor on an object, in the list that has it.
    fn choose(&mut self, list: List, id: RowId) {
        match List::OVERVIEW.contains(&list) {
            true => (self.tab, self.pane) = (Tab::Overview, list),
            false => self.tab = Tab::Only(list),
        }
        self.problems = false;
        if let Some(table) = self.table_mut(list) {
            table.seek(id);
        }
    }
}

impl View for Cluster {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        match &command {
            Command::NextPane => self.step_pane(1),
            Command::PreviousPane => self.step_pane(-1),
            Command::Mode => (self.tab, self.skip) = (self.tab.next(), 0),
            Command::Problems => self.problems = !self.problems,
            Command::Fold | Command::FoldAll if self.list() == List::Events => {
                self.each_event = !self.each_event;
            }
            Command::Detail | Command::Open => self.detail = !self.detail,
            Command::Click { column, row } => self.click(*column, *row),
            Command::CopyRow => return self.explain(world).map(Effect::Copy).into_iter().collect(),
            _ => {}
        }
        self.tell_table(&command, world);
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let Some(c) = self.cluster(ctx.world) else {
            let text = "no cluster chosen: 1 shows all, Enter opens one";
            ctx.put(buf, (area.x, area.y), area.width, text, ctx.theme.muted);
            return;
        };
        let (_, rest) = split_bottom(area, area.height.saturating_sub(head::ROWS));
        let top = Rect {
            height: area.height - rest.height,
            ..area
        };
        head::draw(ctx, top, buf, c, self.tab);
        for place in areas(area, self.tab, self.pane, c.sources.len()) {
            self.draw_list(ctx, place, buf, c);
        }
        if self.detail && self.list() != List::Rights {
            self.draw_detail(ctx, area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        let sources = self.cluster(world).map_or(4, |c| c.sources.len());
        self.areas = areas(area, self.tab, self.pane, sources);
        self.single = self.areas.len() == 1;
        for (list, area) in self.areas.clone() {
            if let Some(table) = self.table_mut(list) {
                table.place(inside(area));
            }
        }
    }

    fn enter(&mut self, entry: &Entry, _world: &World) -> Vec<Effect> {
        if entry.scope != self.cluster {
            self.cluster = entry.scope;
            self.detail = false;
            self.tables.iter_mut().for_each(Table::release);
        }
        let arc = |text: &str| Arc::<str>::from(text);
        match &entry.focus {
            Some(Focus::Node { node, .. }) => {
                self.choose(List::Nodes, ("node", arc(""), arc(node)));
            }
            Some(Focus::Pod { namespace, pod, .. }) => {
                self.choose(List::Pods, ("pod", arc(namespace), arc(pod)));
            }
            Some(Focus::Object {
                kind,
                namespace,
                name,
                ..
            }) => {
                if List::Workloads.kinds().contains(kind) {
                    let id = (kind.word(), arc(namespace), arc(name));
                    self.choose(List::Workloads, id);
                } else if *kind == ObjectKind::ClusterOperator {
                    self.choose(List::Operators, ("operator", arc(""), arc(name)));
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        // An object leads to all that is known of it; the other rows open their detail.
        let focus = self.focus(world)?;
        super::object::key_of(&focus)?;
        Some(Goto {
            screen: ScreenId::Object,
            cluster: self.cluster,
            focus: Some(focus),
            ..Goto::default()
        })
    }

    fn back(&mut self) -> bool {
        let list = self.list();
        std::mem::take(&mut self.detail)
            || self.table_mut(list).is_some_and(Table::back)
            || std::mem::take(&mut self.problems)
            || std::mem::take(&mut self.tab) != Tab::Overview
    }

    fn depth(&self) -> usize {
        let open = [
            self.detail,
            !self.filter().is_empty(),
            self.problems,
            self.tab != Tab::Overview,
        ];
        open.into_iter().filter(|open| *open).count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let cluster = self.cluster(world)?.id;
        let object = |kind, namespace: &str, name: &str| match kind {
            ObjectKind::Node => Focus::Node {
                cluster,
                node: name.to_owned(),
            },
            ObjectKind::Pod => Focus::Pod {
                cluster,
                namespace: namespace.to_owned(),
                pod: name.to_owned(),
            },
            kind => Focus::Object {
                cluster,
                kind,
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
        };
        let Some(row) = self.row(world) else {
            return Some(Focus::Cluster(cluster));
        };
        Some(match &row {
            Row::Problem(p) => object(p.kind, &p.namespace, &p.name),
            Row::Node(n) => object(ObjectKind::Node, "", &n.name),
            Row::Pod(p) => object(ObjectKind::Pod, &p.namespace, &p.name),
            Row::Workload(w) => object(ObjectKind::of_workload(w.kind), &w.namespace, &w.name),
            Row::Operator(o) => object(ObjectKind::ClusterOperator, "", &o.name),
            Row::Version(v) => object(ObjectKind::ClusterVersion, "", &v.name),
            _ => Focus::Text {
                cluster: Some(cluster),
                text: self.explain(world)?,
            },
        })
    }

    fn filter(&self) -> &str {
        self.table(self.list()).filter_text()
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.list() {
            List::Events => &[
                ("m", "tabs"),
                ("z", "groups, each"),
                ("d", "detail"),
                ("!", "warnings"),
                ("a", "ask"),
                ("x", "jump"),
            ],
            _ => &[
                ("m", "tabs"),
                ("Enter", "open"),
                ("d", "detail"),
                ("Tab", "pane"),
                ("a", "ask"),
                ("x", "jump"),
            ],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        self.cluster(ctx.world)
            .map_or_else(String::new, |c| brief(ctx, c))
    }
}

fn brief(ctx: &Ctx, c: &ClusterState) -> String {
    let (status, why) = ctx.world.standing(c.id);
    let (_, word, _) = badge::status(ctx.theme, status);
    let score = c.score(ctx.world.now);
    let problems = problem::all(c, &crate::ui::widget::filter::Filter::default());
    let lines: Vec<String> = problems
        .iter()
        .take(20)
        .map(|p| format!("- {} {} {}: {}", p.word, p.place(), p.state, p.remedy))
        .collect();
    format!(
        "Cluster screen of {}: {word}, {why}. Health {} {}. {} nodes, {} pods, {} problems \
         (? and +: not all is listed):\n{}",
        c.name,
        score.points.map_or("?".to_owned(), |p| p.to_string()),
        score.reach.word(),
        List::Nodes.counted(c, c.nodes.len()),
        List::Pods.counted(c, c.pods.len()),
        List::Problems.counted(c, problems.len()),
        lines.join("\n")
    )
}
