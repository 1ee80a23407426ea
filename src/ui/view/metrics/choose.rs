//! Which clusters a query asks: those of the scope, or those that were marked.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::command::Command;
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::layout::middle;
use crate::ui::view::common::{clusters, inside, sheet};
use crate::ui::widget::badge;
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column<'static>; 4] = [
    Column::new("", 3, 3),
    Column::new("CLUSTER", 12, 40),
    Column::new("PROMETHEUS", 10, 14),
    Column::new("ENVIRONMENT", 8, 16).priority(1),
];

/// The sheet while it is open, and what is marked.
#[derive(Debug, Default)]
pub struct Choice {
    marked: BTreeSet<ClusterId>,
    /// What was marked when the sheet was opened.
    before: BTreeSet<ClusterId>,
    open: bool,
    table: Table<ClusterId>,
}

impl Choice {
    /// Those marked, else those of the scope.
    pub fn clusters(&self, world: &World, scope: Option<ClusterId>) -> Vec<ClusterId> {
        let all = clusters(world, scope).map(|c| c.id);
        let known = |id: &&ClusterId| world.cluster(**id).is_some();
        match self.marked.is_empty() {
            true => all.collect(),
            false => self.marked.iter().filter(known).copied().collect(),
        }
    }

    /// `3 marked`, `all`, or the one of the scope, in words.
    pub fn word(&self, scope: Option<ClusterId>) -> String {
        match (self.marked.len(), scope) {
            (0, None) => "all clusters".into(),
            (0, Some(_)) => "the scope".into(),
            (n, _) => format!("{n} marked"),
        }
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn open(&mut self) {
        self.open = true;
        self.before = self.marked.clone();
    }

    /// True: other clusters are to be asked now.
    pub fn close(&mut self) -> bool {
        self.open = false;
        self.table.set_filter("");
        self.before != self.marked
    }

    /// As it was before.
    pub fn leave(&mut self) {
        self.marked = std::mem::take(&mut self.before);
        self.close();
    }

    pub fn filter(&self) -> &str {
        self.table.filter_text()
    }

    pub fn update(&mut self, command: &Command, world: &World) {
        let rows = self.rows(world);
        let clicked = matches!(command, Command::Click { .. });
        let moved = self.table.update(command, &rows, |c| c.id);
        match command {
            Command::Open => self.toggle(&rows),
            _ if clicked && moved => self.toggle(&rows),
            // All that are listed, or none.
            Command::FoldAll | Command::Fold => {
                let listed: BTreeSet<ClusterId> = rows.iter().map(|c| c.id).collect();
                match listed.is_subset(&self.marked) {
                    true => self.marked.retain(|id| !listed.contains(id)),
                    false => self.marked.extend(listed),
                }
            }
            _ => {}
        }
    }

    fn toggle(&mut self, rows: &[&ClusterState]) {
        let at = self.table.position(rows, |c| c.id);
        if let Some(cluster) = at.and_then(|at| rows.get(at))
            && !self.marked.remove(&cluster.id)
        {
            self.marked.insert(cluster.id);
        }
    }

    fn rows<'a>(&self, world: &'a World) -> Vec<&'a ClusterState> {
        let fits = |c: &&ClusterState| {
            let environment = c.environment.as_deref().unwrap_or_default();
            let fields = [("name", c.name.as_ref()), ("environment", environment)];
            self.table.filter().matches(&fields)
        };
        world.clusters.iter().filter(fits).collect()
    }

    pub fn place(&mut self, area: Rect, world: &World) {
        let (width, height) = size(area, world);
        self.table.place(inside(middle(area, width, height)));
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let title = "clusters to ask";
        let right = "Enter marks · z all · / narrows · @ asks";
        let inner = sheet(ctx, area, size(area, ctx.world), buf, title, right);
        let rows = self.rows(ctx.world);
        self.table.draw(
            ctx,
            inner,
            buf,
            (&COLUMNS, &rows),
            |c| c.id,
            |cluster, column| self.cell(ctx, cluster, column),
        );
    }

    fn cell<'a>(&self, ctx: &Ctx<'a>, cluster: &'a ClusterState, column: usize) -> Line<'a> {
        let theme = ctx.theme;
        match column {
            0 if self.marked.contains(&cluster.id) => Line::styled("[x]", theme.accent),
            0 => Line::styled("[ ]", theme.muted),
            1 => Line::styled(cluster.name.as_ref(), theme.base),
            2 => match cluster.answerer(SourceKind::Prometheus) {
                Some(health) => {
                    let (glyph, word, style) = badge::source(theme, health, ctx.world.now);
                    Line::styled(format!("{glyph} {word}"), style)
                }
                None => Line::styled("none", theme.muted),
            },
            _ => Line::styled(cluster.environment.as_deref().unwrap_or("-"), theme.muted),
        }
    }
}

fn size(area: Rect, world: &World) -> (u16, u16) {
    let rows = u16::try_from(world.clusters.len()).unwrap_or(u16::MAX);
    let height = rows.saturating_add(3).min(area.height);
    (area.width.min(76), height)
}
