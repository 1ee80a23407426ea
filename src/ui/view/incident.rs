//! Incidents: the list, and of the chosen one the timeline, its findings and why they were found.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::common::{above, beside, dated, focused, inside, pane};
use super::scroll::Scroll;
use super::{Ctx, Entry, Focus, Goto, View};
use crate::command::Command;
use crate::incident::Incident;
use crate::message::Effect;
use crate::model::finding::{Finding, FindingKind};
use crate::model::id::{ClusterId, IncidentId};
use crate::state::world::World;
use crate::ui::widget::badge;
use crate::ui::widget::table::{Column, Table};

mod causes;
mod curves;
mod desk;
mod flagged;
mod lanes;
mod list;
mod people;
mod picture;
mod why;

use picture::Picture;

pub use why::subject_focus;

const FINDINGS: [Column; 7] = [
    Column::new("S", 1, 1),
    Column::new("SCORE", 5, 5).priority(3).right(),
    Column::new("SIGNAL", 16, 40),
    Column::new("SUBJECT", 18, 40).priority(1),
    Column::new("SEEN", 8, 10).right(),
    Column::new("EXPECTED", 16, 22).priority(2),
    Column::new("SINCE", 8, 8),
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    List,
    Findings,
    /// The evidence for the causes, in full.
    Causes,
}

#[derive(Debug)]
pub struct Incidents {
    list: Table<IncidentId>,
    findings: Table<std::sync::Arc<str>>,
    part: Part,
    causes: Scroll,
    /// The causes of the chosen incident, as they were worked out last, and for what.
    picture: Picture,
    memory: desk::Memory,
    kept: desk::Kept,
    scope: Option<ClusterId>,
    /// Open ones only.
    open_only: bool,
    area: Rect,
}

impl Default for Incidents {
    fn default() -> Self {
        Self {
            list: Table::default(),
            findings: Table::default(),
            part: Part::List,
            causes: Scroll::default(),
            picture: Picture::default(),
            memory: desk::Memory::default(),
            kept: desk::Kept::default(),
            scope: None,
            open_only: false,
            area: Rect::ZERO,
        }
    }
}

/// Where the parts stand; a height of 0 is left out.
struct Layout {
    list: Rect,
    lanes: Rect,
    findings: Rect,
    why: Rect,
}

impl Incidents {
    fn layout(&self, area: Rect, world: &World) -> Layout {
        let none = Rect { height: 0, ..area };
        let small = area.height < 18;
        if small && self.part == Part::List {
            return Layout {
                list: area,
                lanes: none,
                findings: none,
                why: none,
            };
        }
        let list_rows = if small {
            0
        } else {
            (area.height / 4).clamp(5, 9)
        };
        let list = Rect {
            height: list_rows,
            ..area
        };
        let rest = Rect {
            y: list.bottom(),
            height: area.height - list_rows,
            ..area
        };
        // Title, axis, changes and a lane each; what lanes do not need goes to the findings.
        let lanes = self.chosen(world).map_or(0, |i| i.findings.len());
        let needed = self.picture.rows(lanes);
        let half = rest.height - rest.height / 2;
        let (lanes, low) = above(rest, rest.height - half.min(needed));
        let (findings, why) = match beside(low, 100, 44) {
            (left, Some(right)) => (left, right),
            // The chosen one takes all of it.
            (all, None) if self.part == Part::Causes => (none, all),
            // Beside is no room: why stands below, where there is height for it.
            (all, None) if all.height >= 12 => above(all, all.height / 2),
            (all, None) => (all, none),
        };
        Layout {
            list,
            lanes,
            findings,
            why,
        }
    }

    fn chosen<'a>(&self, world: &'a World) -> Option<&'a Incident> {
        let rows = self.rows(world);
        let at = self.list.position(&rows, |i| i.id)?;
        rows.get(at).copied()
    }

    fn finding<'a>(&self, incident: &'a Incident) -> Option<&'a Finding> {
        let at = self
            .findings
            .position(&incident.findings, |f| f.key.clone())?;
        incident.findings.get(at)
    }

    fn draw_findings(&self, ctx: &Ctx<'_>, incident: &Incident, area: Rect, buf: &mut Buffer) {
        let here = self.part == Part::Findings;
        let title = format!("findings {}, earliest first", incident.findings.len());
        let inner = pane(ctx, area, buf, &title, "Enter opens the evidence", here);
        let since = incident.findings.iter().map(|f| f.since);
        self.findings.draw(
            &focused(ctx, here),
            inner,
            buf,
            (&dated(ctx, FINDINGS, 6, since), &incident.findings),
            |f| f.key.clone(),
            |finding, column| finding_cell(ctx, finding, column),
        );
    }
}

fn finding_cell<'a>(ctx: &Ctx<'a>, finding: &'a Finding, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let base = if finding.over {
        theme.muted
    } else {
        theme.base
    };
    let (glyph, _, style) = badge::severity(theme, finding.severity);
    match column {
        0 if finding.over => Line::styled("✓", theme.muted),
        0 => Line::styled(glyph, style),
        1 => Line::styled(format!("{:.2}", finding.score), base),
        2 => Line::styled(why::brief(ctx.world, finding), base),
        3 => Line::styled(finding.subject.to_string(), base),
        4 => match finding.seen {
            Some(seen) => Line::styled(why::value(finding, seen), base),
            None if finding.kind == FindingKind::MissingData => Line::styled("no data", base),
            None => Line::styled("-", theme.muted),
        },
        5 => Line::styled(why::expected(finding), theme.muted),
        _ => Line::styled(ctx.clock_or_day(finding.since), base),
    }
}

impl Incidents {
    /// Chooses a part; what is written beside it begins at its top.
    fn turn(&mut self, part: Part) {
        if self.part != part {
            self.causes.to_top();
            self.part = part;
        }
    }
}

impl View for Incidents {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Command::Click { column, row } = command {
            let parts = self.layout(self.area, world);
            if parts.list.contains((column, row).into()) {
                self.turn(Part::List);
            } else if parts.findings.contains((column, row).into()) {
                self.turn(Part::Findings);
            } else if parts.why.contains((column, row).into()) {
                self.turn(Part::Causes);
            }
        }
        let moved = match (self.part, self.chosen(world)) {
            (Part::Causes, _) => self.scrolled(&command),
            (Part::Findings, Some(incident)) => {
                let findings = &incident.findings;
                let moved = self.findings.update(&command, findings, |f| f.key.clone());
                if moved {
                    self.causes.to_top();
                }
                moved
            }
            _ => {
                let rows = self.rows(world);
                let moved = self.list.update(&command, &rows, |i| i.id);
                if moved {
                    self.findings = Table::default();
                    self.causes.to_top();
                }
                moved
            }
        };
        if moved {
            return match command {
                Command::Filter(_) => self.search(),
                _ => Vec::new(),
            };
        }
        match command {
            Command::Mode => return self.turn_to_kept(),
            Command::NextPane => self.turn(match self.part {
                Part::List => Part::Findings,
                Part::Findings => Part::Causes,
                Part::Causes => Part::List,
            }),
            Command::PreviousPane => self.turn(match self.part {
                Part::List => Part::Causes,
                Part::Findings => Part::List,
                Part::Causes => Part::Findings,
            }),
            Command::ScrollDown => self.causes.down(),
            Command::ScrollUp => self.causes.up(),
            Command::Open | Command::Detail if self.part == Part::List => {
                self.turn(Part::Findings);
            }
            Command::Detail => self.picture = self.picture.next(),
            Command::Problems => self.open_only = !self.open_only,
            Command::CopyRow => {
                let text = self.chosen(world).map(|i| why::plain(world, i));
                return text.map(Effect::Copy).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let parts = self.layout(area, ctx.world);
        if parts.list.height > 0 {
            self.draw_list(ctx, parts.list, buf);
        }
        let Some(incident) = self.chosen(ctx.world) else {
            return;
        };
        if parts.lanes.height > 0 {
            self.draw_picture(ctx, incident, parts.lanes, buf);
        }
        if parts.findings.height > 0 {
            self.draw_findings(ctx, incident, parts.findings, buf);
        }
        if parts.why.height > 0 && parts.why.width > 0 {
            self.draw_why(ctx, incident, parts.why, buf);
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        let parts = self.layout(area, world);
        self.list.place(inside(parts.list));
        self.findings.place(inside(parts.findings));
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        if let Some(Focus::Incident(id)) = entry.focus {
            self.list.set_filter("");
            self.open_only = false;
            self.kept.shown = world.past.iter().any(|i| i.id == id);
            self.list.select(id);
            self.causes.to_top();
            self.part = Part::Findings;
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        if self.part != Part::Findings {
            return None;
        }
        let incident = self.chosen(world)?;
        world.cluster(incident.cluster)?;
        Some(why::evidence_target(incident, self.finding(incident)?))
    }

    fn back(&mut self) -> bool {
        if self.part != Part::List {
            self.turn(Part::List);
            return true;
        }
        self.list.back()
            || std::mem::take(&mut self.open_only)
            || std::mem::take(&mut self.kept.shown)
    }

    fn depth(&self) -> usize {
        [
            self.part != Part::List,
            !self.list.filter_text().is_empty(),
            self.open_only,
            self.kept.shown,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        self.chosen(world).map(|i| Focus::Incident(i.id))
    }

    fn finding(&self, world: &World) -> Option<(ClusterId, std::sync::Arc<str>, f64)> {
        let finding = self.finding(self.chosen(world)?)?;
        (self.part == Part::Findings).then(|| (finding.cluster, finding.key.clone(), finding.score))
    }

    fn work(&mut self, world: &World) -> Vec<Effect> {
        self.ask_memory(world)
    }

    fn filter(&self) -> &str {
        self.list.filter_text()
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.part {
            Part::List => &[
                ("Enter", "findings"),
                ("a", "explain"),
                ("Ya", "acknowledge"),
                ("M", "mute"),
                ("Ctrl-s h", "hand over"),
                ("m", "past ones"),
                ("!", "open only"),
            ],
            Part::Findings => &[
                ("Enter", "evidence"),
                ("Tab", "causes"),
                ("d", "curves, why flagged"),
                ("Yf", "false alarm"),
                ("Yp", "pin"),
                ("a", "explain"),
                ("Esc", "list"),
            ],
            Part::Causes => &[("j/k", "scroll"), ("a", "explain"), ("Esc", "list")],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        self.chosen(ctx.world)
            .map(|i| why::plain(ctx.world, i))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
