//! Alerts of all clusters of the scope: one row for what is one alert, detail beside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{Numbers, above, beside, inside};
use super::scroll::Scroll;
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::id::ClusterId;
use crate::state::world::World;
use crate::ui::widget::table::Table;

mod asked;
mod curve;
mod day;
mod detail;
mod digest;
mod group;
mod lines;
mod list;
mod motion;
mod rules;
mod silences;
mod tellers;

use curve::Curves;
use digest::Digest;
use group::{Id, Row};
use rules::Rules;
use silences::{SilenceId, SilenceRow};

/// From this width on the detail stands beside the list.
const WIDE: u16 = 100;

#[derive(Debug)]
pub struct Alerts {
    table: Table<Id>,
    scope: Option<ClusterId>,
    problems: bool,
    /// Every alert a row, not grouped.
    each: bool,
    /// Asked for or put away; `None`: as the width allows.
    detail: Option<bool>,
    scroll: Scroll,
    page: Page,
    silences: Table<SilenceId>,
    rules: Rules,
    digest: Digest,
    curves: Curves,
    numbers: Numbers,
    area: Rect,
}

/// What is in view; Tab goes from one to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Page {
    #[default]
    Alerts,
    Silences,
    Rules,
    Digest,
}

impl Page {
    const ALL: [Self; 4] = [Self::Alerts, Self::Silences, Self::Rules, Self::Digest];

    fn next(self, command: &Command) -> Option<Self> {
        let by = match command {
            Command::NextPane => 1,
            Command::PreviousPane => Self::ALL.len() - 1,
            _ => return None,
        };
        let at = Self::ALL.iter().position(|p| *p == self)?;
        Self::ALL.get((at + by) % Self::ALL.len()).copied()
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            table: Table::sorted(5),
            scope: None,
            problems: false,
            each: false,
            detail: None,
            scroll: Scroll::default(),
            page: Page::Alerts,
            silences: Table::default(),
            rules: Rules::default(),
            digest: Digest::default(),
            curves: Curves::default(),
            numbers: Numbers::new(ScreenId::Alerts),
            area: Rect::ZERO,
        }
    }
}

impl Alerts {
    fn chosen<'a>(&self, rows: &'a [Row<'a>]) -> Option<&'a Row<'a>> {
        rows.get(self.table.position(rows, |r| r.id.clone())?)
    }

    fn shows_detail(&self, width: u16) -> bool {
        self.detail.unwrap_or(width >= WIDE)
    }

    fn layout(&self, area: Rect) -> (Rect, Option<Rect>) {
        match self.shows_detail(area.width) {
            false => (area, None),
            true if area.width >= WIDE => beside(area, WIDE, (area.width * 2 / 5).max(42)),
            // Over the list, not beside it.
            true => (Rect { width: 0, ..area }, Some(area)),
        }
    }
}

impl View for Alerts {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        self.command(command, world)
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        match self.page {
            Page::Alerts => self.draw_alerts(ctx, area, buf),
            Page::Silences => silences::draw(ctx, self.scope, area, buf, &self.silences),
            Page::Rules => self.rules.draw(ctx, area, buf),
            Page::Digest => self.digest.draw(ctx, area, buf),
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        self.silences.place(inside(area));
        self.rules.place(area);
        self.digest.place(area);
        let (list, _) = self.layout(area);
        let list = inside(list);
        let notes = self.notes(world, list.width).len();
        self.table.place(above(list, notes as u16).0);
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        // What leads here is about alerts, whatever was looked at before.
        if entry.focus.is_some() {
            self.page = Page::Alerts;
        }
        match &entry.focus {
            Some(focus @ Focus::Alert { .. }) => self.show(focus, world),
            // The alerts about a thing: those whose labels name it.
            Some(Focus::Pod { pod: name, .. } | Focus::Node { node: name, .. }) => {
                self.table.set_filter(name);
            }
            Some(Focus::Gpu { node, gpu, .. }) => {
                // A label has the card's number alone.
                let card = gpu.split(' ').next().unwrap_or_default();
                self.table.set_filter(&format!("{node} gpu={card}"));
            }
            _ => {}
        }
        self.turn_to(self.page, world)
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        match self.page {
            Page::Alerts => {}
            Page::Rules => return self.rules.open(),
            Page::Digest => return self.digest.open(),
            Page::Silences => return None,
        }
        if !self.shows_detail(self.area.width) {
            return None;
        }
        let rows = self.rows(world);
        let row = self.chosen(&rows)?;
        let alert = row.alerts.first()?;
        let query = alert.expression.as_ref().map(|e| curve::curve_of(e).0);
        let screen = match query {
            Some(_) => ScreenId::Metrics,
            None => ScreenId::Cluster,
        };
        Some(Goto {
            screen,
            cluster: Some(row.id.cluster),
            focus: group::subject(row.id.cluster, &alert.labels),
            query,
            window: None,
        })
    }

    fn back(&mut self) -> bool {
        let table_went_back = match self.page {
            Page::Alerts => None,
            Page::Silences => Some(self.silences.back()),
            Page::Rules => Some(self.rules.back()),
            Page::Digest => Some(self.digest.back()),
        };
        if let Some(went_back) = table_went_back {
            if !went_back {
                self.page = Page::Alerts;
            }
            return true;
        }
        if self.detail == Some(true) && self.area.width < WIDE {
            self.detail = None;
            return true;
        }
        self.table.back() || std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        [
            self.page != Page::Alerts,
            self.page == Page::Silences && !self.silences.filter_text().is_empty(),
            self.page == Page::Digest && !self.digest.filter().is_empty(),
            self.detail == Some(true) && self.area.width < WIDE,
            !self.table.filter_text().is_empty(),
            self.problems,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
            + if self.page == Page::Rules {
                self.rules.depth()
            } else {
                0
            }
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        match self.page {
            Page::Alerts => {}
            Page::Silences => {
                let rows = silences::rows(world, self.scope, &self.silences);
                let at = self.silences.position(&rows, SilenceRow::id)?;
                let (cluster, id) = rows.get(at)?.id();
                return Some(Focus::Silence { cluster, id });
            }
            Page::Rules => return self.rules.focus(),
            Page::Digest => return self.digest.focus(),
        }
        let rows = self.rows(world);
        let row = self.chosen(&rows)?;
        Some(Focus::Alert {
            cluster: row.id.cluster,
            fingerprint: row.alerts.first()?.fingerprint.to_string(),
        })
    }

    fn answer(&mut self, answered: &Answered, world: &World) -> Vec<Effect> {
        self.rules.take(answered);
        self.digest.take(answered, world);
        match self.curves.take(answered) {
            // The cursor may be elsewhere by now.
            true => self.ask_curve(world),
            false => Vec::new(),
        }
    }

    fn filter(&self) -> &str {
        match self.page {
            Page::Alerts => self.table.filter_text(),
            Page::Silences => self.silences.filter_text(),
            Page::Rules => self.rules.filter(),
            Page::Digest => self.digest.filter(),
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.page {
            Page::Alerts => {}
            Page::Silences => {
                return &[
                    ("Enter", "its alert"),
                    ("X", "end it"),
                    ("Tab", "rules"),
                    ("/", "filter"),
                    ("r", "ask again"),
                ];
            }
            Page::Rules => return rules::HINTS,
            Page::Digest => return digest::HINTS,
        }
        &[
            ("Enter", "open"),
            ("d", "detail"),
            ("Tab", "silences"),
            ("M", "mute"),
            ("m", "each alert"),
            ("!", "problems"),
        ]
    }

    fn brief(&self, ctx: &Ctx) -> String {
        match self.page {
            Page::Rules => return self.rules.brief(ctx),
            Page::Digest => return self.digest.brief(ctx),
            Page::Alerts | Page::Silences => {}
        }
        let rows = self.rows(ctx.world);
        let mut text = self.title(ctx.world, &rows);
        if let Some(row) = self.chosen(&rows) {
            text.push_str("\nchosen:\n");
            text.push_str(&detail::plain(ctx.world, row));
        }
        text
    }
}

#[cfg(test)]
mod tests;
