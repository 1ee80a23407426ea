//! GitOps: what Argo CD and Flux think is deployed, the same application over clusters, what good
//! practice would change in workloads, and everything that was changed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{beside, empty, inside, pane, scoped};
use super::scroll::Scroll;
use super::{Ctx, Entry, Focus, Goto, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::gitops::AppKind;
use crate::model::id::ClusterId;
use crate::state::world::{World, apps};
use crate::ui::Window;
use crate::ui::widget::table::Table;

mod detail;
mod list;
mod matrix;
mod policy;
mod rows;
mod timeline;

use list::AppId;
use rows::Rows;

/// From this width on the detail stands beside the list.
const WIDE: u16 = 150;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Apps,
    Matrix,
    Policy,
    Timeline,
}

impl Mode {
    fn next(self) -> Self {
        match self {
            Self::Apps => Self::Matrix,
            Self::Matrix => Self::Policy,
            Self::Policy => Self::Timeline,
            Self::Timeline => Self::Apps,
        }
    }

    /// Of the mode that `m` leads to.
    fn word(self) -> &'static str {
        match self {
            Self::Apps => "m applications",
            Self::Matrix => "m matrix",
            Self::Policy => "m policy",
            Self::Timeline => "m timeline",
        }
    }
}

#[derive(Debug)]
pub struct GitOps {
    mode: Mode,
    apps: Table<AppId>,
    matrix: Table<matrix::LineId>,
    policy: Table<policy::PolicyId>,
    timeline: Table<timeline::ChangeId>,
    /// The first place shown in the matrix.
    first_place: usize,
    scope: Option<ClusterId>,
    window: Window,
    problems: bool,
    /// Asked for or put away; `None`: as the width allows.
    detail: Option<bool>,
    scroll: Scroll,
    area: Rect,
}

impl Default for GitOps {
    fn default() -> Self {
        Self {
            mode: Mode::Apps,
            apps: Table::sorted(list::COLUMNS.len()),
            matrix: Table::default(),
            policy: Table::default(),
            timeline: Table::default(),
            first_place: 0,
            scope: None,
            window: Window::HOUR,
            problems: false,
            detail: None,
            scroll: Scroll::default(),
            area: Rect::ZERO,
        }
    }
}

impl GitOps {
    fn shows_detail(&self, width: u16) -> bool {
        let room = self.mode == Mode::Apps && width >= WIDE;
        self.detail.unwrap_or(room)
    }

    fn layout(&self, area: Rect) -> (Rect, Option<Rect>) {
        match self.shows_detail(area.width) {
            false => (area, None),
            true if area.width >= WIDE => beside(area, WIDE, (area.width * 2 / 5).max(60)),
            // Over the list, not beside it.
            true => (Rect { width: 0, ..area }, Some(area)),
        }
    }

    fn is_covered(&self) -> bool {
        self.detail == Some(true) && self.area.width < WIDE
    }

    fn title(&self, world: &World, rows: &Rows<'_>) -> String {
        let text = match rows {
            Rows::Apps(rows) => list::title(world, self.scope, rows),
            Rows::Matrix(sheet) => sheet.title(),
            Rows::Policy(rows) => policy::title(rows),
            Rows::Timeline(rows) => timeline::title(world, self.scope, self.window, rows),
        };
        match self.only() {
            Some(word) => format!("{text} · {word} only"),
            None => text,
        }
    }

    /// What alone is shown, where the mode can leave the others out.
    fn only(&self) -> Option<&'static str> {
        match self.mode {
            Mode::Apps if self.problems => Some("problems"),
            Mode::Matrix if self.problems => Some("uneven"),
            _ => None,
        }
    }

    fn why_empty(&self, world: &World) -> String {
        let known = match self.mode {
            Mode::Policy => policy::known(world, self.scope),
            Mode::Timeline => timeline::known(world, self.scope),
            Mode::Apps | Mode::Matrix => list::known(world, self.scope),
        };
        let filter = self.filter();
        if !filter.is_empty() && known > 0 {
            return format!("nothing matches {filter:?} (Esc clears the filter)");
        }
        match self.mode {
            Mode::Policy => policy::why_empty(world, self.scope),
            Mode::Timeline => timeline::why_empty(world, self.scope, self.window),
            Mode::Apps | Mode::Matrix => {
                let absent = apps::absent(world, self.scope);
                // Of what was not told nobody knows whether it is well.
                match (self.only().filter(|_| known > 0), absent) {
                    (None, absent) => absent.unwrap_or_else(|| {
                        "Argo CD or Flux is there, without an application".into()
                    }),
                    (Some(only), absent) => {
                        let rest = absent.map(|a| format!("; {a}")).unwrap_or_default();
                        format!("{only}: none of {known} applications (! shows all){rest}")
                    }
                }
            }
        }
    }

    fn draw_list(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, rows: &Rows<'_>) {
        let title = self.title(ctx.world, rows);
        let inner = pane(ctx, area, buf, &title, self.mode.next().word(), true);
        if rows.len() == 0 {
            empty(ctx, inner, buf, &self.why_empty(ctx.world));
            return;
        }
        match rows {
            Rows::Apps(rows) => list::draw(ctx, inner, buf, &self.apps, rows),
            Rows::Matrix(sheet) => sheet.draw(ctx, inner, buf, &self.matrix, self.first_place),
            Rows::Policy(rows) => self.policy.draw(
                ctx,
                inner,
                buf,
                (&scoped(ctx, &policy::COLUMNS, 2), rows),
                |r| r.id.clone(),
                |row, column| policy::cell(ctx, row, column),
            ),
            Rows::Timeline(rows) => self.timeline.draw(
                ctx,
                inner,
                buf,
                (&timeline::columns(ctx, rows), rows),
                timeline::id,
                |row, column| timeline::cell(ctx, row, column),
            ),
        }
    }

    /// Puts the cursor on an application.
    fn show(&mut self, cluster: ClusterId, kind: AppKind, namespace: &str, name: &str) {
        self.mode = Mode::Apps;
        self.problems = false;
        self.apps.set_filter("");
        self.apps.select(AppId {
            cluster,
            kind,
            namespace: namespace.into(),
            name: name.into(),
        });
    }
}

impl View for GitOps {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        let rows = self.rows(world);
        if self.move_in(&command, &rows) {
            self.scroll.to_top();
            return Vec::new();
        }
        match command {
            Command::CopyRow => {
                let text = self.plain(world, &rows);
                return text.map(Effect::Copy).into_iter().collect();
            }
            Command::Refresh => return vec![Effect::Refresh(self.scope)],
            Command::Mode => {
                drop(rows);
                self.mode = self.mode.next();
                self.scroll.to_top();
                self.place(self.area, world);
            }
            Command::Problems => self.problems = !self.problems,
            Command::Detail => self.detail = Some(!self.shows_detail(self.area.width)),
            Command::Open => self.detail = Some(true),
            Command::NextProblem => self.next_problem(&rows, true),
            Command::PreviousProblem => self.next_problem(&rows, false),
            Command::Right => match (self.mode, self.is_covered()) {
                (Mode::Matrix, false) => {
                    let most = rows.places().saturating_sub(1);
                    self.first_place = (self.first_place + 1).min(most);
                }
                _ => self.scroll.down(),
            },
            Command::ScrollDown => self.scroll.down(),
            Command::ScrollUp => self.scroll.up(),
            Command::Left => match (self.mode, self.is_covered()) {
                (Mode::Matrix, false) => self.first_place = self.first_place.saturating_sub(1),
                _ => self.scroll.up(),
            },
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let (list, side) = self.layout(area);
        if list.width > 0 {
            self.draw_list(ctx, list, buf, &rows);
        }
        if let Some(side) = side {
            let inner = pane(ctx, side, buf, "detail", "d", list.width == 0);
            let text = self.detail_text(ctx, &rows, usize::from(inner.width));
            self.scroll.draw(ctx, inner, buf, &text);
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, _world: &World) {
        self.area = area;
        let (list, _) = self.layout(area);
        let inside = inside(list);
        self.apps.place(inside);
        self.matrix.place(inside);
        self.policy.place(inside);
        self.timeline.place(inside);
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        self.window = entry.window;
        match &entry.focus {
            Some(Focus::App {
                cluster,
                kind,
                namespace,
                name,
            }) => self.show(*cluster, *kind, namespace, name),
            // What was changed on a node stands on the timeline.
            Some(Focus::Node { node, .. }) => {
                self.mode = Mode::Timeline;
                self.timeline.set_filter(node);
            }
            _ => {}
        }
        self.place(self.area, world);
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        let rows = self.rows(world);
        let at = self.at(&rows)?;
        match &rows {
            Rows::Timeline(rows) => timeline::target(world, rows.get(at)?),
            Rows::Apps(rows) if self.shows_detail(self.area.width) => {
                rows.get(at).map(detail::target)
            }
            Rows::Policy(rows) if self.shows_detail(self.area.width) => {
                policy::target(world, rows.get(at)?)
            }
            _ => None,
        }
    }

    fn back(&mut self) -> bool {
        if self.is_covered() {
            self.detail = None;
            return true;
        }
        let narrowed = match self.mode {
            Mode::Apps => self.apps.back(),
            Mode::Matrix => self.matrix.back(),
            Mode::Policy => self.policy.back(),
            Mode::Timeline => self.timeline.back(),
        };
        if narrowed || std::mem::take(&mut self.problems) {
            return true;
        }
        std::mem::take(&mut self.mode) != Mode::Apps
    }

    fn depth(&self) -> usize {
        [
            self.is_covered(),
            !self.filter().is_empty(),
            self.problems,
            self.mode != Mode::Apps,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let rows = self.rows(world);
        let at = self.at(&rows)?;
        match &rows {
            Rows::Apps(rows) => rows.get(at).map(|r| r.id.focus()),
            Rows::Matrix(sheet) => sheet.focus(sheet.lines.get(at)?),
            Rows::Policy(rows) => policy::focus(world, rows.get(at)?),
            Rows::Timeline(rows) => timeline::focus(world, rows.get(at)?),
        }
    }

    fn filter(&self) -> &str {
        match self.mode {
            Mode::Apps => self.apps.filter_text(),
            Mode::Matrix => self.matrix.filter_text(),
            Mode::Policy => self.policy.filter_text(),
            Mode::Timeline => self.timeline.filter_text(),
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.mode {
            Mode::Apps => &[
                ("Enter", "open"),
                ("d", "detail"),
                ("m", "matrix"),
                ("!", "problems"),
                ("/", "filter"),
                ("a", "ask"),
            ],
            Mode::Matrix => &[
                ("d", "compare"),
                ("h l", "places"),
                ("m", "policy"),
                ("!", "uneven only"),
                ("/", "filter"),
            ],
            Mode::Policy => &[("d", "workloads"), ("m", "timeline"), ("/", "filter")],
            Mode::Timeline => &[
                ("Enter", "the object"),
                ("t", "range"),
                ("m", "applications"),
                ("/", "filter"),
                ("d", "detail"),
            ],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let rows = self.rows(ctx.world);
        let mut text = self.title(ctx.world, &rows);
        if rows.len() == 0 {
            text.push('\n');
            text.push_str(&self.why_empty(ctx.world));
        }
        if let Some(plain) = self.plain(ctx.world, &rows) {
            text.push_str("\nchosen:\n");
            text.push_str(&plain);
        }
        text
    }
}

#[cfg(test)]
pub(super) mod tests;
