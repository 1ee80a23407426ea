//! One cluster: how well its sources are heard, its nodes, its problem pods, its events.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Entry, Focus, Goto, ScreenId, View, common};
use crate::command::Command;
use crate::message::Effect;
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::object::{Event, Pod};
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::layout::{split_bottom, split_right};
use crate::ui::widget::table::Table;
use crate::ui::widget::text::wrap;

mod panes;
mod row;
mod rows;
mod source;

/// Pods and events listed; more are counted, not drawn.
const MOST: usize = 20_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Problems,
    Nodes,
    Events,
    Sources,
}

const PANES: [Pane; 4] = [Pane::Problems, Pane::Nodes, Pane::Events, Pane::Sources];

type Named = (Arc<str>, Arc<str>);

#[derive(Debug)]
pub struct Cluster {
    cluster: Option<ClusterId>,
    sources: Table<SourceKind>,
    nodes: Table<Arc<str>>,
    pods: Table<Named>,
    events: Table<Named>,
    pane: Pane,
    /// Pods that are well are listed too.
    all_pods: bool,
    detail: bool,
    /// Room for one list only.
    single: bool,
    areas: Areas,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            cluster: None,
            sources: Table::default(),
            nodes: Table::default(),
            pods: Table::sorted(4),
            events: Table::default(),
            pane: Pane::default(),
            all_pods: false,
            detail: false,
            single: false,
            areas: Areas::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Areas {
    facts: Rect,
    sources: Option<Rect>,
    nodes: Option<Rect>,
    problems: Option<Rect>,
    events: Option<Rect>,
}

fn areas(area: Rect, pane: Pane, sources: usize) -> Areas {
    let (facts, rest) = {
        let (rest, facts) = split_bottom(area, area.height.saturating_sub(2));
        (rest, facts)
    };
    let wanted = (sources as u16)
        .saturating_add(3)
        .min(rest.height * 2 / 5)
        .max(4);
    let (top, rest) = split_bottom(rest, rest.height.saturating_sub(wanted));
    let base = Areas {
        facts,
        sources: Some(top),
        ..Areas::default()
    };
    if area.width < 100 || rest.height < 12 {
        return match pane {
            Pane::Nodes => Areas {
                nodes: Some(rest),
                ..base
            },
            Pane::Events => Areas {
                events: Some(rest),
                ..base
            },
            Pane::Problems | Pane::Sources => Areas {
                problems: Some(rest),
                ..base
            },
        };
    }
    let (middle, events) = split_bottom(rest, rest.height / 3);
    let (nodes, problems) = split_right(middle, middle.width / 2);
    Areas {
        nodes: Some(nodes),
        problems: Some(problems),
        events: Some(events),
        ..base
    }
}

fn inside(area: Option<Rect>) -> Rect {
    area.map_or(Rect::ZERO, |a| a.inner(ratatui::layout::Margin::new(1, 1)))
}

impl Cluster {
    fn cluster<'a>(&self, world: &'a World) -> Option<&'a ClusterState> {
        world.cluster(self.cluster?)
    }

    /// Everything known of the row, in full.
    fn explain(&self, world: &World) -> Option<String> {
        let c = self.cluster(world)?;
        match self.pane {
            Pane::Sources => {
                let rows: Vec<_> = c.sources.iter().collect();
                let (kind, health) = rows.get(self.sources.position(&rows, |(k, _)| **k)?)?;
                Some(source::explain(**kind, health, world.now))
            }
            Pane::Nodes => {
                let rows = self.node_rows(c);
                let node = rows.get(self.nodes.position(&rows, |n| n.name.clone())?)?;
                Some(row::explain_node(node))
            }
            Pane::Problems => {
                let rows = self.pod_rows(c);
                let id = |p: &&Pod| (p.namespace.clone(), p.name.clone());
                Some(row::explain_pod(rows.get(self.pods.position(&rows, id)?)?))
            }
            Pane::Events => {
                let rows = self.event_rows(c);
                let id = |e: &&Event| (e.namespace.clone(), e.name.clone());
                Some(row::explain_event(
                    rows.get(self.events.position(&rows, id)?)?,
                ))
            }
        }
    }

    fn draw_detail(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let text = self
            .explain(ctx.world)
            .unwrap_or_else(|| "nothing chosen".into());
        let lines = wrap(&text, usize::from(area.width.saturating_sub(2)));
        let rows = u16::try_from(lines.len())
            .unwrap_or(u16::MAX)
            .saturating_add(2);
        let (_, area) = split_bottom(area, rows.min(area.height / 2).max(3));
        ctx.clear(buf, area);
        let inner = common::pane(ctx, area, buf, "Detail", "d closes", true);
        for (y, line) in (inner.y..inner.bottom()).zip(&lines) {
            ctx.put(buf, (inner.x, y), inner.width, line, ctx.theme.base);
        }
    }

    fn click(&mut self, column: u16, row: u16) {
        let hit = |area: Option<Rect>| area.is_some_and(|a| a.contains((column, row).into()));
        let places = [
            (Pane::Sources, self.areas.sources),
            (Pane::Nodes, self.areas.nodes),
            (Pane::Problems, self.areas.problems),
            (Pane::Events, self.areas.events),
        ];
        if let Some((pane, _)) = places.into_iter().find(|(_, area)| hit(*area)) {
            self.pane = pane;
        }
    }

    fn step_pane(&mut self, by: isize) {
        let at = PANES.iter().position(|p| *p == self.pane).unwrap_or(0);
        let next = (at as isize + by).rem_euclid(PANES.len() as isize) as usize;
        self.pane = PANES.get(next).copied().unwrap_or_default();
    }

    fn tell_table(&mut self, command: &Command, world: &World) {
        let Some(c) = self.cluster(world) else {
            return;
        };
        match self.pane {
            Pane::Sources => {
                let rows: Vec<_> = c.sources.iter().collect();
                self.sources.update(command, &rows, |(kind, _)| **kind);
            }
            Pane::Nodes => {
                let rows = self.node_rows(c);
                self.nodes.update(command, &rows, |n| n.name.clone());
            }
            Pane::Problems => {
                let rows = self.pod_rows(c);
                self.pods
                    .update(command, &rows, |p| (p.namespace.clone(), p.name.clone()));
            }
            Pane::Events => {
                let rows = self.event_rows(c);
                self.events
                    .update(command, &rows, |e| (e.namespace.clone(), e.name.clone()));
            }
        }
    }
}

impl View for Cluster {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        match &command {
            Command::NextPane => self.step_pane(1),
            Command::PreviousPane => self.step_pane(-1),
            Command::Mode | Command::Problems => self.all_pods = !self.all_pods,
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
        let areas = areas(area, self.pane, c.sources.len());
        row::facts(ctx, areas.facts, buf, c);
        self.draw_tables(ctx, areas, buf, c);
        if self.detail {
            self.draw_detail(ctx, area, buf);
        }
    }

    fn place(&mut self, area: Rect, _world: &World) {
        self.areas = areas(area, self.pane, 4);
        self.single = self.areas.nodes.is_none() || self.areas.problems.is_none();
        self.sources.place(inside(self.areas.sources));
        self.nodes.place(inside(self.areas.nodes));
        self.pods.place(inside(self.areas.problems));
        self.events.place(inside(self.areas.events));
    }

    fn enter(&mut self, entry: &Entry, _world: &World) -> Vec<Effect> {
        if entry.scope != self.cluster {
            self.cluster = entry.scope;
            self.detail = false;
        }
        match &entry.focus {
            Some(Focus::Node { node, .. }) => {
                self.pane = Pane::Nodes;
                self.nodes.select(Arc::from(node.as_str()));
            }
            Some(Focus::Pod { namespace, pod, .. }) => {
                self.pane = Pane::Problems;
                self.all_pods = true;
                self.pods
                    .select((Arc::from(namespace.as_str()), Arc::from(pod.as_str())));
            }
            _ => {}
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        // A pod or a node leads to all that is known of it; the other rows open their detail.
        if !matches!(self.pane, Pane::Problems | Pane::Nodes) {
            return None;
        }
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
        std::mem::take(&mut self.detail)
            || match self.pane {
                Pane::Sources => self.sources.back(),
                Pane::Nodes => self.nodes.back(),
                Pane::Problems => self.pods.back(),
                Pane::Events => self.events.back(),
            }
    }

    fn depth(&self) -> usize {
        usize::from(self.detail) + usize::from(!self.filter().is_empty())
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let c = self.cluster(world)?;
        let text = |text| Focus::Text {
            cluster: Some(c.id),
            text,
        };
        match self.pane {
            Pane::Nodes => {
                let rows = self.node_rows(c);
                let node = rows.get(self.nodes.position(&rows, |n| n.name.clone())?)?;
                Some(Focus::Node {
                    cluster: c.id,
                    node: node.name.to_string(),
                })
            }
            Pane::Problems => {
                let rows = self.pod_rows(c);
                let at = self
                    .pods
                    .position(&rows, |p| (p.namespace.clone(), p.name.clone()));
                let Some(pod) = at.and_then(|at| rows.get(at)) else {
                    return Some(Focus::Cluster(c.id));
                };
                Some(Focus::Pod {
                    cluster: c.id,
                    namespace: pod.namespace.to_string(),
                    pod: pod.name.to_string(),
                })
            }
            Pane::Events | Pane::Sources => self.explain(world).map(text),
        }
    }

    fn filter(&self) -> &str {
        match self.pane {
            Pane::Sources => self.sources.filter_text(),
            Pane::Nodes => self.nodes.filter_text(),
            Pane::Problems => self.pods.filter_text(),
            Pane::Events => self.events.filter_text(),
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Tab", "pane"),
            ("Enter", "open"),
            ("d", "detail"),
            ("m", "all pods"),
            ("a", "ask"),
            ("x", "jump"),
        ]
    }

    fn brief(&self, ctx: &Ctx) -> String {
        self.cluster(ctx.world)
            .map_or_else(String::new, |c| row::brief(ctx, c))
    }
}
