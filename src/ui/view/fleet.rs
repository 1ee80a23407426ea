//! Fleet: every cluster, worst first; below it what is wrong and what changed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Focus, Goto, ScreenId, View, common, first_run};
use crate::command::Command;
use crate::incident::{Incident, IncidentState};
use crate::message::Effect;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::object::Event;
use crate::state::world::{ClusterState, Status, World};
use crate::ui::Ctx;
use crate::ui::layout::{split_bottom, split_right};
use crate::ui::widget::badge;
use crate::ui::widget::table::{Column, Table};

mod row;

const COLUMNS: [Column; 12] = [
    Column::new("S", 1, 1),
    Column::new("CLUSTER", 12, 28),
    Column::new("SITE", 6, 14).priority(5),
    Column::new("VERSION", 8, 12).priority(6),
    Column::new("NODES", 5, 7).priority(4),
    Column::new("PODS bad", 9, 12),
    Column::new("ALERT c/w", 9, 9),
    Column::new("ANOMALY 1h", 19, 19),
    Column::new("GPU", 5, 10).priority(3),
    Column::new("PTP", 10, 14).priority(2),
    Column::new("AGE", 6, 6).right(),
    Column::new("WHY", 24, 200).priority(7),
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Clusters,
    Incidents,
    Changes,
}

/// An event by cluster, namespace and name.
type EventId = (ClusterId, std::sync::Arc<str>, std::sync::Arc<str>);

#[derive(Debug)]
pub struct Fleet {
    clusters: Table<ClusterId>,
    incidents: Table<IncidentId>,
    changes: Table<EventId>,
    pane: Pane,
    problems: bool,
    areas: Areas,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            clusters: Table::sorted(COLUMNS.len() - 1),
            incidents: Table::default(),
            changes: Table::default(),
            pane: Pane::Clusters,
            problems: false,
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

fn inside(area: Rect) -> Rect {
    area.inner(ratatui::layout::Margin::new(1, 1))
}

impl Fleet {
    /// The cluster the cursor is on, or the worst one.
    pub fn under_cursor(&self, world: &World) -> Option<ClusterId> {
        let rows = self.rows(world);
        let at = self.clusters.position(&rows, |c| c.id)?;
        rows.get(at).map(|c| c.id)
    }

    /// Clusters that pass the filter, in the order asked for.
    fn rows<'a>(&self, world: &'a World) -> Vec<&'a ClusterState> {
        let filter = self.clusters.filter();
        let mut rows: Vec<&ClusterState> = world
            .clusters
            .iter()
            .filter(|c| !self.problems || world.status(c.id) != Status::Ok)
            .filter(|c| filter.is_empty() || filter.matches(&row::fields(world, c)))
            .collect();
        let (column, reverse) = self.clusters.order();
        rows.sort_by_cached_key(|c| row::key(world, c, column));
        if reverse {
            rows.reverse();
        }
        rows
    }

    fn open_incidents<'a>(&self, world: &'a World) -> Vec<&'a Incident> {
        world
            .incidents
            .iter()
            .filter(|i| i.state != IncidentState::Resolved)
            .filter(|i| self.incidents.filter().matches_text(&i.title))
            .collect()
    }

    fn recent<'a>(&self, world: &'a World) -> Vec<(ClusterId, &'a Event)> {
        let since = world.now.plus_ms(-3_600_000);
        let mut rows: Vec<(ClusterId, &Event)> = world
            .clusters
            .iter()
            .flat_map(|c| c.events.iter().rev().map(move |e| (c.id, e)))
            .filter(|(_, e)| e.at >= since && (e.warning || row::is_change(&e.reason)))
            .filter(|(_, e)| {
                let filter = self.changes.filter();
                filter.matches(&[
                    ("reason", &e.reason),
                    ("message", &e.message),
                    ("name", &e.about.1),
                ])
            })
            .collect();
        rows.sort_by_key(|(_, e)| std::cmp::Reverse(e.at));
        rows
    }

    fn draw_clusters(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let total = ctx.world.clusters.len();
        let count = if rows.len() == total {
            format!("{total}")
        } else {
            format!("{} of {total}", rows.len())
        };
        let order = match self.clusters.order() {
            (None, false) => "sort risk ↓".to_owned(),
            (None, true) => "sort risk ↑".to_owned(),
            (Some(at), _) => format!("sort {}", COLUMNS.get(at).map_or("?", |c| c.title)),
        };
        let right = if self.problems { "! problems only" } else { "" };
        let focus = ctx.focus && self.pane == Pane::Clusters;
        let title = format!("Clusters {count} · {order}");
        let inner = common::pane(ctx, area, buf, &title, right, focus);
        let columns = common::scoped(
            &Ctx {
                scope: None,
                ..*ctx
            },
            &COLUMNS,
            1,
        );
        let ctx = Ctx { focus, ..*ctx };
        self.clusters.draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            |c| c.id,
            |c, column| row::cell(&ctx, c, column),
        );
    }

    fn draw_incidents(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer, narrow: bool) {
        let rows = self.open_incidents(ctx.world);
        let focus = ctx.focus && self.pane == Pane::Incidents;
        let side = if narrow { "Tab: changes" } else { "" };
        let title = format!("Open incidents {}", rows.len());
        let inner = common::pane(ctx, area, buf, &title, side, focus);
        if rows.is_empty() {
            let heard = ctx.world.clusters.iter().any(|c| c.is_heard(ctx.world.now));
            let text = match heard {
                true => "none: nothing abnormal in what is heard",
                false => "unknown: no cluster is heard",
            };
            ctx.put(buf, (inner.x, inner.y), inner.width, text, ctx.theme.muted);
            return;
        }
        let columns = [
            Column::new("S", 1, 1),
            Column::new("INCIDENT", 8, 8),
            Column::new("CLUSTER", 10, 12).priority(1),
            Column::new("WHAT", 16, 200),
            Column::new("SINCE", 5, 5),
            Column::new("SCORE", 5, 5).priority(2),
        ];
        let ctx = Ctx {
            focus,
            scope: None,
            ..*ctx
        };
        let columns = common::scoped(&ctx, &columns, 2);
        self.incidents.draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            |i| i.id,
            |i, column| row::incident(&ctx, i, column),
        );
    }

    fn draw_changes(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.recent(ctx.world);
        let focus = ctx.focus && self.pane == Pane::Changes;
        let title = format!("Changes and warnings, 1h: {}", rows.len());
        let inner = common::pane(ctx, area, buf, &title, "", focus);
        if rows.is_empty() {
            let known = ctx.world.clusters.iter().any(|c| !c.events.is_empty());
            let text = if known {
                "none in the last hour"
            } else {
                "no events heard (needs a kube context)"
            };
            ctx.put(buf, (inner.x, inner.y), inner.width, text, ctx.theme.muted);
            return;
        }
        let columns = [
            Column::new("TIME", 8, 8),
            Column::new("CLUSTER", 10, 16).priority(1),
            Column::new("WHAT", 16, 200),
        ];
        let ctx = Ctx {
            focus,
            scope: None,
            ..*ctx
        };
        let columns = common::scoped(&ctx, &columns, 1);
        let id =
            |(cluster, e): &(ClusterId, &Event)| (*cluster, e.namespace.clone(), e.name.clone());
        self.changes.draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            id,
            |(cluster, e), column| {
                let text = match column {
                    0 => ctx.clock(e.at),
                    1 => ctx
                        .world
                        .cluster(*cluster)
                        .map_or_else(String::new, |c| c.name.to_string()),
                    _ => format!("{} {}: {}", e.reason, e.about.1, e.message),
                };
                let style = if e.warning && column == 2 {
                    ctx.theme.warn
                } else {
                    ctx.theme.base
                };
                Line::from(Span::styled(text, style))
            },
        );
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
            Command::Click { column, row } => self.click(*column, *row),
            Command::CopyRow => return self.copy(world),
            _ => {}
        }
        match self.pane {
            Pane::Clusters => {
                let rows = self.rows(world);
                self.clusters.update(&command, &rows, |c| c.id);
            }
            Pane::Incidents => {
                let rows = self.open_incidents(world);
                self.incidents.update(&command, &rows, |i| i.id);
            }
            Pane::Changes => {
                let rows = self.recent(world);
                let id = |(c, e): &(ClusterId, &Event)| (*c, e.namespace.clone(), e.name.clone());
                self.changes.update(&command, &rows, id);
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
        let table = match self.pane {
            Pane::Clusters => self.clusters.back(),
            Pane::Incidents => self.incidents.back(),
            Pane::Changes => self.changes.back(),
        };
        table
            || std::mem::take(&mut self.problems)
            || std::mem::take(&mut self.pane) != Pane::Clusters
    }

    fn depth(&self) -> usize {
        [
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
                let id = |(c, e): &(ClusterId, &Event)| (*c, e.namespace.clone(), e.name.clone());
                let (cluster, event) = rows.get(self.changes.position(&rows, id)?)?;
                Some(row::subject(*cluster, event))
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
            ("!", "problems"),
            ("a", "ask"),
            ("x", "jump"),
            ("?", "help"),
        ]
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let rows = self.rows(ctx.world);
        let lines = rows.iter().map(|c| {
            let (status, why) = ctx.world.standing(c.id);
            let (_, word, _) = badge::status(ctx.theme, status);
            format!("- {}: {word}, {why}", c.name)
        });
        let clusters: Vec<String> = lines.take(50).collect();
        format!(
            "Fleet screen, {} clusters:\n{}",
            rows.len(),
            clusters.join("\n")
        )
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
