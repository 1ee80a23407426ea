//! Fleet: every cluster, worst first; below it what is wrong and what changed.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::inside;
use super::{Focus, Goto, ScreenId, View, first_run};
use crate::command::Command;
use crate::incident::Incident;
use crate::message::Effect;
use crate::model::id::{ClusterId, IncidentId};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::layout::{split_bottom, split_right};
use crate::ui::widget::badge;
use crate::ui::widget::table::Table;

mod cell;
mod detail;
mod group;
mod news;
mod panes;
mod row;

pub use detail::amount;
use group::{Grouping, Row, RowId};
use news::{News, NewsId};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Clusters,
    Incidents,
    Changes,
}

#[derive(Debug)]
pub struct Fleet {
    clusters: Table<RowId>,
    incidents: Table<IncidentId>,
    changes: Table<NewsId>,
    pane: Pane,
    problems: bool,
    grouping: Grouping,
    folded: BTreeSet<String>,
    detail: bool,
    areas: Areas,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            clusters: Table::sorted(row::COLUMNS.len() - 1),
            incidents: Table::default(),
            changes: Table::default(),
            pane: Pane::Clusters,
            problems: false,
            grouping: Grouping::Flat,
            folded: BTreeSet::new(),
            detail: false,
            areas: Areas::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Areas {
    clusters: Rect,
    incidents: Option<Rect>,
    changes: Option<Rect>,
}

/// Where the panes stand. Where room is short the lower two take turns.
fn areas(area: Rect, pane: Pane, clusters: usize) -> Areas {
    let rows = if area.height < 12 {
        0
    } else {
        // A few clusters leave the room they do not need to what is wrong on them.
        let least = (area.height / 3).clamp(4, 12);
        let needed = u16::try_from(clusters.saturating_add(5)).unwrap_or(u16::MAX);
        area.height
            .saturating_sub(needed)
            .clamp(least, (area.height / 2).max(least))
    };
    let (clusters, lower) = split_bottom(area, rows);
    if lower.is_empty() {
        return Areas {
            clusters,
            ..Areas::default()
        };
    }
    if area.width < 100 {
        let changes = pane == Pane::Changes;
        return Areas {
            clusters,
            incidents: (!changes).then_some(lower),
            changes: changes.then_some(lower),
        };
    }
    let (left, right) = split_right(
        lower,
        u16::try_from(u32::from(lower.width) * 2 / 5).unwrap_or(0),
    );
    Areas {
        clusters,
        incidents: Some(left),
        changes: Some(right),
    }
}

impl Fleet {
    /// The cluster the cursor is on, or the worst one.
    pub fn under_cursor(&self, world: &World) -> Option<ClusterId> {
        self.row(world)?.cluster()
    }

    fn row<'a>(&self, world: &'a World) -> Option<Row<'a>> {
        let mut rows = self.rows(world).0;
        let at = self.clusters.position(&rows, Row::id)?;
        (at < rows.len()).then(|| rows.swap_remove(at))
    }

    /// Rows, and how many clusters passed the filter.
    fn rows<'a>(&self, world: &'a World) -> (Vec<Row<'a>>, usize) {
        let groups = (&self.grouping, &self.folded);
        group::rows(world, &self.clusters, self.problems, groups)
    }

    fn open_incidents<'a>(&self, world: &'a World) -> Vec<&'a Incident> {
        world
            .incidents
            .iter()
            .filter(|i| i.counts(world.now))
            .filter(|i| self.incidents.filter().matches_text(&i.title))
            .collect()
    }

    fn recent<'a>(&self, world: &'a World) -> Vec<News<'a>> {
        news::recent(world, self.changes.filter())
    }

    /// Folds the group of the cursor, or unfolds it. False: there are no groups.
    fn fold(&mut self, world: &World) -> bool {
        let rows = self.rows(world).0;
        let Some(at) = self.clusters.position(&rows, Row::id) else {
            return false;
        };
        let heads = rows.iter().take(at + 1).rev();
        let Some(head) = heads.filter_map(as_head).next() else {
            return false;
        };
        let key = head.key();
        if !self.folded.remove(&key) {
            self.folded.insert(key.clone());
        }
        self.clusters.select(RowId::Group(key));
        true
    }

    fn fold_all(&mut self, world: &World) {
        if std::mem::take(&mut self.folded).is_empty() {
            let rows = self.rows(world).0;
            self.folded = rows.iter().filter_map(as_head).map(|h| h.key()).collect();
        }
    }

    fn group(&mut self, world: &World) {
        self.grouping = self.grouping.next(world);
        self.folded.clear();
    }

    fn next_pane(&mut self, by: isize) {
        let panes = [Pane::Clusters, Pane::Incidents, Pane::Changes];
        let at = panes.iter().position(|p| *p == self.pane).unwrap_or(0);
        let next = (at as isize + by).rem_euclid(3) as usize;
        self.pane = panes.get(next).copied().unwrap_or_default();
    }

    /// A click takes the keyboard to the pane it falls in.
    fn click(&mut self, column: u16, row: u16) {
        let at = (column, row).into();
        let within = |area: Option<Rect>| area.is_some_and(|a| a.contains(at));
        if within(Some(self.areas.clusters)) {
            self.pane = Pane::Clusters;
        } else if within(self.areas.incidents) {
            self.pane = Pane::Incidents;
        } else if within(self.areas.changes) {
            self.pane = Pane::Changes;
        }
    }
}

impl View for Fleet {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        match &command {
            Command::NextPane => self.next_pane(1),
            Command::PreviousPane => self.next_pane(-1),
            Command::Problems => self.problems = !self.problems,
            Command::Mode => self.group(world),
            Command::Fold => drop(self.fold(world)),
            Command::FoldAll => self.fold_all(world),
            Command::Detail => self.detail = !self.detail,
            // A cluster leads to its own screen; the head of a group opens and closes.
            Command::Open if self.pane == Pane::Clusters => drop(self.fold(world)),
            Command::Click { column, row } => self.click(*column, *row),
            Command::CopyRow => return self.copy(world),
            _ => {}
        }
        match self.pane {
            Pane::Clusters => {
                let rows = self.rows(world).0;
                self.clusters.update(&command, &rows, Row::id);
            }
            Pane::Incidents => {
                let rows = self.open_incidents(world);
                self.incidents.update(&command, &rows, |i| i.id);
            }
            Pane::Changes => {
                let rows = self.recent(world);
                self.changes.update(&command, &rows, News::id);
            }
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        if ctx.world.clusters.is_empty() {
            return first_run::draw(ctx, area, buf);
        }
        let areas = areas(area, self.pane, ctx.world.clusters.len());
        self.draw_clusters(ctx, areas.clusters, buf);
        if let Some(area) = areas.incidents {
            self.draw_incidents(ctx, area, buf, areas.changes.is_none());
        }
        if let Some(area) = areas.changes {
            self.draw_changes(ctx, area, buf);
        }
        if self.detail {
            self.draw_detail(ctx, area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.areas = areas(area, self.pane, world.clusters.len());
        self.clusters.place(inside(self.areas.clusters));
        self.incidents
            .place(self.areas.incidents.map_or(Rect::ZERO, inside));
        self.changes
            .place(self.areas.changes.map_or(Rect::ZERO, inside));
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        if self.pane == Pane::Clusters && matches!(self.row(world), Some(Row::Head(_))) {
            return None;
        }
        match self.focus(world)? {
            Focus::Incident(id) => Some(Goto {
                screen: ScreenId::Incidents,
                focus: Some(Focus::Incident(id)),
                ..Goto::default()
            }),
            focus => Some(Goto {
                screen: ScreenId::Cluster,
                focus: Some(focus),
                ..Goto::default()
            }),
        }
    }

    fn back(&mut self) -> bool {
        if std::mem::take(&mut self.detail) {
            return true;
        }
        let table = match self.pane {
            Pane::Clusters => self.clusters.back(),
            Pane::Incidents => self.incidents.back(),
            Pane::Changes => self.changes.back(),
        };
        table
            || std::mem::take(&mut self.problems)
            || std::mem::take(&mut self.grouping) != Grouping::Flat
            || std::mem::take(&mut self.pane) != Pane::Clusters
    }

    fn depth(&self) -> usize {
        [
            self.detail,
            self.grouping != Grouping::Flat,
            !self.filter().is_empty(),
            self.problems,
            self.pane != Pane::Clusters,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        match self.pane {
            Pane::Clusters => self.under_cursor(world).map(Focus::Cluster),
            Pane::Incidents => {
                let rows = self.open_incidents(world);
                let at = self.incidents.position(&rows, |i| i.id)?;
                rows.get(at).map(|i| Focus::Incident(i.id))
            }
            Pane::Changes => {
                let rows = self.recent(world);
                let at = self.changes.position(&rows, News::id)?;
                rows.get(at).map(News::subject)
            }
        }
    }

    fn filter(&self) -> &str {
        match self.pane {
            Pane::Clusters => self.clusters.filter_text(),
            Pane::Incidents => self.incidents.filter_text(),
            Pane::Changes => self.changes.filter_text(),
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Enter", "open"),
            ("/", "filter"),
            ("d", "health"),
            ("m", "group"),
            ("!", "problems"),
            ("x", "jump"),
            ("a", "ask"),
        ]
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let (rows, count) = self.rows(ctx.world);
        let ones = rows.iter().filter_map(|row| match row {
            Row::Cluster(one) => Some(one),
            Row::Head(_) => None,
        });
        let lines = ones.map(|one| {
            let (status, why) = ctx.world.standing(one.c.id);
            let (_, word, _) = badge::status(ctx.theme, status);
            let score = one.c.score(ctx.world.now);
            let points = score.points.map_or("?".to_owned(), |p| p.to_string());
            let reach = score.reach.word();
            format!("- {}: {word}, {why}; health {points} {reach}", one.c.name)
        });
        let clusters: Vec<String> = lines.take(50).collect();
        format!("Fleet screen, {count} clusters:\n{}", clusters.join("\n"))
    }
}

fn as_head<'a, 'b>(row: &'b Row<'a>) -> Option<&'b group::Head<'a>> {
    match row {
        Row::Head(head) => Some(head),
        Row::Cluster(_) => None,
    }
}

impl Fleet {
    fn copy(&self, world: &World) -> Vec<Effect> {
        let Some(cluster) = self.under_cursor(world).and_then(|id| world.cluster(id)) else {
            return Vec::new();
        };
        let (status, why) = world.standing(cluster.id);
        vec![Effect::Copy(format!("{}\t{status:?}\t{why}", cluster.name))]
    }
}

#[cfg(test)]
mod tests;
