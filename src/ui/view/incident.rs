//! Incidents: the list, and of the chosen one the timeline, its findings and why they were found.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::common::{above, ago, beside, dated, empty, focused, inside, lines, name, pane, scoped};
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::incident::{Incident, IncidentState};
use crate::message::Effect;
use crate::model::finding::{Evidence, Finding, FindingKind};
use crate::model::id::{ClusterId, IncidentId};
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::widget::badge;
use crate::ui::widget::table::{Column, Table};

mod lanes;
mod why;

pub use why::subject_focus;

const LIST: [Column; 7] = [
    Column::new("S", 1, 1),
    Column::new("ID", 6, 8),
    Column::new("CLUSTER", 10, 14),
    Column::new("STATE", 10, 10).priority(2),
    Column::new("SINCE", 5, 6),
    Column::new("SCORE", 5, 5).priority(1).right(),
    Column::new("WHAT", 20, 120),
];

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
}

#[derive(Debug)]
pub struct Incidents {
    list: Table<IncidentId>,
    findings: Table<std::sync::Arc<str>>,
    part: Part,
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
        let needed = u16::try_from(lanes.saturating_add(5)).unwrap_or(u16::MAX);
        let half = rest.height - rest.height / 2;
        let (lanes, low) = above(rest, rest.height - half.min(needed));
        let (findings, why) = match beside(low, 100, 44) {
            (left, Some(right)) => (left, right),
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

    fn rows<'a>(&self, world: &'a World) -> Vec<&'a Incident> {
        world
            .incidents
            .iter()
            .filter(|i| self.scope.is_none_or(|s| s == i.cluster))
            .filter(|i| !self.open_only || i.state != IncidentState::Resolved)
            .filter(|i| {
                let id = format!("INC-{}", i.number);
                let fields = [
                    ("title", i.title.as_str()),
                    ("id", id.as_str()),
                    ("cluster", name(world, i.cluster)),
                    ("severity", i.severity.word()),
                ];
                self.list.filter().matches(&fields)
            })
            .collect()
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

    fn why_empty(&self, world: &World) -> String {
        let here = |i: &&Incident| self.scope.is_none_or(|s| s == i.cluster);
        match world.incidents.iter().filter(here).count() {
            0 => "no incident: no detector has found anything it is sure of".into(),
            _ if !self.list.filter_text().is_empty() => {
                "no incident matches the filter (Esc clears it)".into()
            }
            n => format!("no open incident, {n} resolved (! shows all)"),
        }
    }

    fn draw_list(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let open = rows
            .iter()
            .filter(|i| i.state != IncidentState::Resolved)
            .count();
        let title = format!("Incidents: {open} open of {}", rows.len());
        let here = self.part == Part::List;
        let inner = pane(
            ctx,
            area,
            buf,
            &title,
            if self.open_only { "open only" } else { "" },
            here,
        );
        if rows.is_empty() {
            empty(ctx, inner, buf, &self.why_empty(ctx.world));
            return;
        }
        self.list.draw(
            &focused(ctx, here),
            inner,
            buf,
            (&scoped(ctx, &LIST, 2), &rows),
            |i| i.id,
            |incident, column| list_cell(ctx, incident, column),
        );
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

fn list_cell<'a>(ctx: &Ctx<'a>, incident: &'a Incident, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let over = incident.state == IncidentState::Resolved;
    let base = if over { theme.muted } else { theme.base };
    let (glyph, _, style) = badge::severity(theme, incident.severity);
    match column {
        0 if over => Line::styled("✓", theme.muted),
        0 => Line::styled(glyph, style),
        1 => Line::styled(format!("INC-{}", incident.number), base),
        2 => Line::styled(name(ctx.world, incident.cluster), base),
        3 => Line::styled(lanes::state_word(incident.state), base),
        4 => Line::styled(ago(ctx.world, incident.opened), base),
        5 => Line::styled(format!("{:.2}", incident.score), base),
        _ => Line::styled(incident.title.as_str(), base),
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

/// The screen that shows a piece of evidence.
fn evidence_target(incident: &Incident, finding: &Finding) -> Goto {
    let cluster = Some(incident.cluster);
    let window = incident.closed.map(|end| Window {
        end: Some(end.plus_ms(300_000)),
        span_ms: (end.0 - incident.opened.0 + 1_200_000).max(1_800_000),
    });
    let base = Goto {
        cluster,
        window,
        ..Goto::default()
    };
    for evidence in &finding.evidence {
        match evidence {
            Evidence::Series(key) => {
                return Goto {
                    screen: ScreenId::Metrics,
                    query: Some(key.to_string()),
                    ..base
                };
            }
            Evidence::Alert(fingerprint) => {
                return Goto {
                    screen: ScreenId::Alerts,
                    focus: Some(Focus::Alert {
                        cluster: incident.cluster,
                        fingerprint: fingerprint.to_string(),
                    }),
                    ..base
                };
            }
            Evidence::Log { .. } => {
                return Goto {
                    screen: ScreenId::Logs,
                    focus: why::subject_focus(incident.cluster, &finding.subject),
                    ..base
                };
            }
            Evidence::Text(_) => {}
        }
    }
    Goto {
        screen: ScreenId::Cluster,
        focus: why::subject_focus(incident.cluster, &finding.subject),
        ..base
    }
}

impl View for Incidents {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Command::Click { column, row } = command {
            let parts = self.layout(self.area, world);
            if parts.list.contains((column, row).into()) {
                self.part = Part::List;
            } else if parts.findings.contains((column, row).into()) {
                self.part = Part::Findings;
            }
        }
        let moved = match (self.part, self.chosen(world)) {
            (Part::Findings, Some(incident)) => {
                self.findings
                    .update(&command, &incident.findings, |f| f.key.clone())
            }
            _ => {
                let rows = self.rows(world);
                let moved = self.list.update(&command, &rows, |i| i.id);
                if moved {
                    self.findings = Table::default();
                }
                moved
            }
        };
        if moved {
            return Vec::new();
        }
        match command {
            Command::NextPane | Command::PreviousPane => {
                self.part = match self.part {
                    Part::List => Part::Findings,
                    Part::Findings => Part::List,
                };
            }
            Command::Open | Command::Detail => self.part = Part::Findings,
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
            lanes::draw(ctx, incident, parts.lanes, buf);
        }
        if parts.findings.height > 0 {
            self.draw_findings(ctx, incident, parts.findings, buf);
        }
        if parts.why.height > 0 && parts.why.width > 0 {
            let inner = pane(ctx, parts.why, buf, "why", "a explain", false);
            match self.finding(incident) {
                Some(finding) => {
                    let width = usize::from(inner.width);
                    let mut text = why::changed_before(ctx, incident, width);
                    text.extend(why::lines(ctx, finding, width));
                    lines(ctx, inner, buf, &text, 0);
                }
                None => empty(ctx, inner, buf, "no finding"),
            }
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

    fn enter(&mut self, entry: &Entry, _world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        if let Some(Focus::Incident(id)) = entry.focus {
            self.list.set_filter("");
            self.open_only = false;
            self.list.select(id);
            self.part = Part::Findings;
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        if self.part == Part::List {
            return None;
        }
        let incident = self.chosen(world)?;
        Some(evidence_target(incident, self.finding(incident)?))
    }

    fn back(&mut self) -> bool {
        if self.part == Part::Findings {
            self.part = Part::List;
            return true;
        }
        self.list.back() || std::mem::take(&mut self.open_only)
    }

    fn depth(&self) -> usize {
        [
            self.part == Part::Findings,
            !self.list.filter_text().is_empty(),
            self.open_only,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        self.chosen(world).map(|i| Focus::Incident(i.id))
    }

    fn filter(&self) -> &str {
        self.list.filter_text()
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.part {
            Part::List => &[
                ("Enter", "findings"),
                ("a", "explain"),
                ("!", "open only"),
                ("/", "filter"),
            ],
            Part::Findings => &[("Enter", "evidence"), ("a", "explain"), ("Esc", "list")],
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
