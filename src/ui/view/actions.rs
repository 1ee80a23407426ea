//! `X`: what can be done with the thing under the cursor, the form of a silence, and the dialog
//! that shows the exact request before it is sent.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::common::{self, pair};
use crate::model::action::{Action, ActionRequest, Matcher, SILENCE_HOURS, Server};
use crate::model::alert::{Alert, AlertState};
use crate::model::id::ClusterId;
use crate::model::text::clean;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::layout::middle;
use crate::ui::widget::field::Field;
use crate::ui::widget::text::wrap;

/// What lies over the screen.
#[derive(Debug)]
pub enum Actions {
    Menu(Menu),
    Mute(Box<Mute>),
    Confirm(Box<Confirm>),
}

#[derive(Debug)]
pub struct Menu {
    pub title: String,
    pub entries: Vec<Entry>,
    pub at: usize,
}

#[derive(Debug)]
pub struct Entry {
    pub label: String,
    /// What it does, in words.
    pub does: &'static str,
    /// Something to know before, such as a right that the review refused.
    pub note: Option<String>,
    /// Why it cannot be done.
    pub step: Result<Step, String>,
}

#[derive(Clone, Debug)]
pub enum Step {
    Ask(ActionRequest),
    Mute(Mute),
}

/// The form of a silence.
#[derive(Clone, Debug)]
pub struct Mute {
    pub cluster: ClusterId,
    /// Of the alert.
    pub fingerprint: String,
    pub by: String,
    /// Every label of the alert.
    pub labels: Vec<Matcher>,
    /// All alerts of the name, not only this one.
    pub wide: bool,
    /// Position in [`SILENCE_HOURS`].
    pub hours: usize,
    pub comment: Field,
    pub error: Option<&'static str>,
}

#[derive(Debug)]
pub struct Confirm {
    pub request: ActionRequest,
    /// Asked about after this one, each in a dialog of its own: the same at further servers.
    pub next: Vec<ActionRequest>,
    /// Tells one dialog from the next.
    pub serial: u64,
    /// It was in view long enough: keys count.
    pub armed: bool,
    pub scroll: usize,
    /// With its environment.
    pub cluster: String,
    pub role: &'static str,
    /// The agent wants it; `None`: the operator chose it.
    pub proposed: Option<Proposed>,
}

/// What is said of a request that the agent wants sent.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// What it does, in the console's words.
    pub does: String,
    /// In the agent's: one line, cut, of safe letters.
    pub reason: String,
}

impl Mute {
    pub fn matchers(&self) -> Vec<Matcher> {
        let named = |(name, _): &&Matcher| !self.wide || name == "alertname";
        self.labels.iter().filter(named).cloned().collect()
    }

    /// Alerts that it would hush now.
    pub fn matching(&self, world: &World) -> usize {
        let matchers = self.matchers();
        let fits = |alert: &&Alert| {
            matches!(alert.state, AlertState::Firing | AlertState::Suppressed)
                && matchers
                    .iter()
                    .all(|(name, value)| alert.labels.get(name) == Some(value.as_str()))
        };
        let cluster = world.cluster(self.cluster);
        cluster.map_or(0, |c| c.alerts.values().filter(fits).count())
    }

    pub fn action(&self, world: &World) -> Action {
        let hours = SILENCE_HOURS.get(self.hours).copied().unwrap_or(1);
        Action::Silence {
            matchers: self.matchers(),
            from: world.now,
            until: world.now.plus_ms(i64::from(hours) * 3_600_000),
            comment: self.comment.text().trim().to_owned(),
        }
    }
}

impl Actions {
    pub fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Menu(_) => &[("Enter", "choose"), ("j/k", "move"), ("Esc", "close")],
            Self::Mute(_) => &[
                ("Enter", "see the request"),
                ("Up/Down", "how long"),
                ("Tab", "which alerts"),
                ("Esc", "close"),
            ],
            Self::Confirm(_) => &[
                ("y", "send it"),
                ("n/Esc/Enter", "do not"),
                ("j/k", "scroll"),
            ],
        }
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let wide = wide(area);
        let (title, right, text, pinned) = match self {
            Self::Menu(menu) => (menu.title.clone(), "Esc closes", menu.lines(ctx, wide).0, 0),
            Self::Mute(mute) => {
                let (text, pinned) = mute.lines(ctx);
                ("Mute: make a silence".into(), "Esc closes", text, pinned)
            }
            Self::Confirm(confirm) => (
                confirm.title(),
                match confirm.next.is_empty() {
                    true => "default: no",
                    false => "another server is asked about next",
                },
                confirm.lines(ctx, wide),
                1,
            ),
        };
        let (spot, room) = spot(area, text.len(), pinned);
        ctx.clear(buf, spot);
        let inner = common::pane(ctx, spot, buf, &title, right, true);
        // What is answered with stays in view however long the rest is.
        let (body, last) = text.split_at(text.len().saturating_sub(pinned));
        let skip = match self {
            Self::Confirm(confirm) => confirm.scroll,
            Self::Menu(menu) => menu.lines(ctx, wide).1.end.saturating_sub(room),
            Self::Mute(_) => 0,
        };
        let skip = skip.min(body.len().saturating_sub(room));
        let (top, bottom) = common::above(inner, last.len() as u16);
        common::lines(ctx, top, buf, body, skip);
        common::lines(ctx, bottom, buf, last, 0);
    }
}

fn wide(area: Rect) -> u16 {
    area.width.saturating_sub(4).min(100)
}

/// Where so many lines are shown, and how many of those that may scroll are in view at a time.
fn spot(area: Rect, lines: usize, pinned: usize) -> (Rect, usize) {
    let rows = u16::try_from(lines + 2).unwrap_or(u16::MAX);
    let spot = middle(area, wide(area), rows.min(area.height));
    let room = usize::from(spot.height.saturating_sub(2)).saturating_sub(pinned);
    (spot, room)
}

impl Menu {
    /// With the place of the chosen entry among the lines.
    fn lines(&self, ctx: &Ctx<'_>, wide: u16) -> (Vec<Line<'static>>, Range<usize>) {
        let theme = ctx.theme;
        let room = usize::from(wide.saturating_sub(8));
        let mut out = Vec::new();
        let mut place = 0..0;
        for (at, entry) in self.entries.iter().enumerate() {
            let chosen = at == self.at;
            let start = out.len();
            let style = match (&entry.step, chosen) {
                (_, true) => theme.selected,
                (Ok(_), false) => theme.base,
                (Err(_), false) => theme.muted,
            };
            let mark = if chosen { "> " } else { "  " };
            out.push(Line::from(vec![
                Span::styled(format!("{mark}{}", entry.label), style),
                Span::styled(format!("  {}", entry.does), theme.muted),
            ]));
            let why = entry.step.as_ref().err().map(|why| (why, theme.warn));
            let note = entry.note.as_ref().map(|note| (note, theme.muted));
            for (text, style) in why.into_iter().chain(note) {
                for part in wrap(text, room) {
                    out.push(Line::styled(format!("    {part}"), style));
                }
            }
            if chosen {
                place = start..out.len();
            }
        }
        (out, place)
    }
}

impl Mute {
    /// With the number of the last ones, which are filled in.
    fn lines(&self, ctx: &Ctx<'_>) -> (Vec<Line<'static>>, usize) {
        let theme = ctx.theme;
        let count = self.matching(ctx.world);
        let mut hours = vec![Span::styled("for         ", theme.muted)];
        for (at, hour) in SILENCE_HOURS.iter().enumerate() {
            let style = match at == self.hours {
                true => theme.selected,
                false => theme.base,
            };
            hours.push(Span::styled(format!(" {hour}h "), style));
        }
        let which = match self.wide {
            true => "every alert of this name (Tab: only this one)",
            false => "exactly this alert (Tab: every alert of its name)",
        };
        let mut out = vec![
            pair(
                theme,
                "cluster",
                common::name(ctx.world, self.cluster),
                theme.accent,
            ),
            pair(theme, "hushes", which, theme.base),
        ];
        for (name, value) in self.matchers() {
            out.push(pair(theme, "", format!("{name}={value:?}"), theme.base));
        }
        let labels = out.len();
        let style = if count == 0 { theme.warn } else { theme.base };
        out.push(pair(theme, "matches now", format!("{count} alerts"), style));
        out.push(Line::from(hours));
        out.push(comment(&self.comment, theme.base, theme.muted));
        if let Some(error) = self.error {
            out.push(Line::styled(error, theme.crit));
        }
        let filled_in = out.len() - labels;
        (out, filled_in)
    }
}

/// The text with its cursor.
fn comment(field: &Field, base: Style, muted: Style) -> Line<'static> {
    let before: String = field.text().chars().take(field.cursor()).collect();
    let mut rest = field.text().chars().skip(field.cursor());
    let under = rest.next().unwrap_or(' ').to_string();
    let rest: String = rest.collect();
    Line::from(vec![
        Span::styled("comment     ", muted),
        Span::styled(before, base),
        Span::styled(under, base.add_modifier(Modifier::REVERSED)),
        Span::styled(rest, base),
    ])
}

impl Confirm {
    fn title(&self) -> String {
        let who = match self.proposed {
            Some(_) => "The agent asks: send this?",
            None => "Send this?",
        };
        format!("{who} {}", self.request.action.word())
    }

    /// How far it can be scrolled in this area.
    pub fn most_scroll(&self, ctx: &Ctx<'_>, area: Rect) -> usize {
        let lines = self.lines(ctx, wide(area)).len();
        let (_, room) = spot(area, lines, 1);
        lines.saturating_sub(1).saturating_sub(room)
    }

    fn lines(&self, ctx: &Ctx<'_>, wide: u16) -> Vec<Line<'static>> {
        let theme = ctx.theme;
        let room = usize::from(wide.saturating_sub(4 + QUOTE_COLUMNS));
        let wire = self.request.wire();
        let server = match wire.server {
            Server::Kubernetes => "API server",
            Server::Alertmanager => "Alertmanager",
        };
        let via = self.request.via.as_deref().unwrap_or_default();
        let server = clean(&format!("{server} {} {via}", self.request.server), 250);
        let by = format!("{} ({})", self.request.by, self.role);
        let mut out = vec![
            pair(theme, "cluster", self.cluster.clone(), theme.accent),
            pair(theme, "server", server, theme.base),
            pair(theme, "as", by, theme.base),
        ];
        if let Some(proposed) = &self.proposed {
            out.insert(0, pair(theme, "asked by", "the agent", theme.warn));
            let does = wrap(&proposed.does, room.saturating_sub(PAIR_COLUMNS));
            for (row, part) in does.into_iter().enumerate() {
                let name = if row == 0 { "does" } else { "" };
                out.push(pair(theme, name, part, theme.base));
            }
            let says = wrap(&format!("it says: {}", proposed.reason), room);
            out.extend(says.into_iter().map(|part| quote(part, theme.muted)));
        }
        out.push(Line::default());
        let mut text = vec![format!("{} {}", wire.method, wire.path)];
        text.extend(
            wire.content_type
                .map(|kind| format!("Content-Type: {kind}")),
        );
        text.extend(wire.body);
        for part in text.iter().flat_map(|text| wrap(text, room)) {
            out.push(quote(part, theme.base));
        }
        out.push(Line::default());
        let mut answer = vec![Span::styled("[ No ]", theme.selected)];
        if self.armed || self.proposed.is_none() {
            answer.push(Span::styled("  y", theme.key));
            answer.push(Span::styled(" sends it, once", theme.muted));
        } else {
            let wait = "  keys count once none was pressed for a second";
            answer.push(Span::styled(wait, theme.muted));
        }
        out.push(Line::from(answer));
        out
    }
}

/// Columns before the value of a pair.
const PAIR_COLUMNS: usize = 12;

/// Columns before what is quoted.
const QUOTE_COLUMNS: u16 = 2;

/// What is sent or said stands behind a bar: no text in it can pass for a line of the dialog.
fn quote(text: String, style: Style) -> Line<'static> {
    Line::styled(format!("┊ {text}"), style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::view::fake;

    fn drawn(actions: &Actions, height: u16) -> String {
        let world = fake::world(&["alpha"]);
        fake::screen(&world, 80, height, |ctx, area, buf| {
            actions.draw(ctx, area, buf)
        })
    }

    #[test]
    fn the_chosen_entry_stays_in_view() {
        let entry = |n: usize| Entry {
            label: format!("entry-{n:02}"),
            does: "something",
            note: Some("a note of one line".into()),
            step: Err("why not".into()),
        };
        for at in 0..12 {
            let menu = Menu {
                title: "Actions".into(),
                entries: (0..12).map(entry).collect(),
                at,
            };
            let text = drawn(&Actions::Menu(menu), 12);
            assert!(text.contains(&format!("> entry-{at:02}")), "{at}\n{text}");
        }
    }

    #[test]
    fn what_is_typed_stays_in_view_whatever_the_alert_carries() {
        let mute = Mute {
            fingerprint: String::new(),
            cluster: ClusterId(0),
            by: "alice".into(),
            labels: (0..40).map(|n| (format!("label{n}"), "x".into())).collect(),
            wide: false,
            hours: 0,
            comment: Field::new("planned work"),
            error: Some("say why"),
        };
        let text = drawn(&Actions::Mute(Box::new(mute)), 14);
        for wanted in ["cluster", "planned work", "say why", "matches now"] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
    }
}
