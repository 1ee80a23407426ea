//! `X`: what can be done with the thing under the cursor, the form of a silence, and the dialog
//! that shows the exact request before it is sent.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::common::{self, pair};
use crate::model::action::{Action, ActionRequest, Matcher, Server};
use crate::model::alert::{Alert, AlertState};
use crate::model::id::ClusterId;
use crate::model::text::clean;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::layout::middle;
use crate::ui::widget::field::Field;
use crate::ui::widget::text::wrap;

/// Hours that a silence may last.
pub const HOURS: [u8; 5] = [1, 2, 4, 8, 24];

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
    pub by: String,
    /// Every label of the alert.
    pub labels: Vec<Matcher>,
    /// All alerts of the name, not only this one.
    pub wide: bool,
    /// Position in [`HOURS`].
    pub hours: usize,
    pub comment: Field,
    pub error: Option<&'static str>,
}

#[derive(Debug)]
pub struct Confirm {
    pub request: ActionRequest,
    /// Tells one dialog from the next.
    pub serial: u64,
    /// It was in view long enough: keys count.
    pub armed: bool,
    pub scroll: usize,
    /// With its environment.
    pub cluster: String,
    pub role: &'static str,
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
        let hours = HOURS.get(self.hours).copied().unwrap_or(1);
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
        let wide = area.width.saturating_sub(4).min(100);
        let (title, right, text) = match self {
            Self::Menu(menu) => (menu.title.clone(), "Esc closes", menu.lines(ctx, wide)),
            Self::Mute(mute) => ("Mute: make a silence".into(), "Esc closes", mute.lines(ctx)),
            Self::Confirm(confirm) => (
                format!("Send this? {}", confirm.request.action.word()),
                "default: no",
                confirm.lines(ctx, wide),
            ),
        };
        let rows = u16::try_from(text.len() + 2).unwrap_or(u16::MAX);
        let spot = middle(area, wide, rows.min(area.height));
        ctx.clear(buf, spot);
        let inner = common::pane(ctx, spot, buf, &title, right, true);
        let (mut body, last) = match self {
            Self::Confirm(_) => text.split_at(text.len().saturating_sub(1)),
            _ => text.split_at(text.len()),
        };
        let skip = match self {
            Self::Confirm(confirm) => confirm.scroll,
            Self::Menu(_) | Self::Mute(_) => 0,
        };
        let room = usize::from(inner.height).saturating_sub(last.len());
        // The end stays in view however far one scrolls.
        body = body
            .get(skip.min(body.len().saturating_sub(room))..)
            .unwrap_or(body);
        let area = Rect {
            height: inner.height.saturating_sub(last.len() as u16),
            ..inner
        };
        common::lines(ctx, area, buf, body, 0);
        let area = Rect {
            y: area.bottom(),
            height: last.len() as u16,
            ..inner
        };
        common::lines(ctx, area, buf, last, 0);
    }
}

impl Menu {
    fn lines(&self, ctx: &Ctx<'_>, wide: u16) -> Vec<Line<'static>> {
        let theme = ctx.theme;
        let room = usize::from(wide.saturating_sub(8));
        let mut out = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let chosen = at == self.at;
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
        }
        out
    }
}

impl Mute {
    fn lines(&self, ctx: &Ctx<'_>) -> Vec<Line<'static>> {
        let theme = ctx.theme;
        let count = self.matching(ctx.world);
        let mut hours = vec![Span::styled("for         ", theme.muted)];
        for (at, hour) in HOURS.iter().enumerate() {
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
        let style = if count == 0 { theme.warn } else { theme.base };
        out.push(pair(theme, "matches now", format!("{count} alerts"), style));
        out.push(Line::from(hours));
        out.push(comment(&self.comment, theme.base, theme.muted));
        if let Some(error) = self.error {
            out.push(Line::styled(error, theme.crit));
        }
        out
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
    fn lines(&self, ctx: &Ctx<'_>, wide: u16) -> Vec<Line<'static>> {
        let theme = ctx.theme;
        let room = usize::from(wide.saturating_sub(4));
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
            Line::default(),
        ];
        let mut text = vec![format!("{} {}", wire.method, wire.path)];
        text.extend(
            wire.content_type
                .map(|kind| format!("Content-Type: {kind}")),
        );
        text.extend(wire.body);
        for part in text.iter().flat_map(|text| wrap(text, room)) {
            out.push(Line::styled(part, theme.base));
        }
        out.push(Line::default());
        out.push(Line::from(vec![
            Span::styled("[ No ]", theme.selected),
            Span::styled("  y", theme.key),
            Span::styled(" sends it, once", theme.muted),
        ]));
        out
    }
}
