//! The causes of an incident: where it began and what was changed before, with the evidence for
//! and against each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Incidents, Part, desk, why};
use crate::cause::{Cause, What};
use crate::command::Command;
use crate::incident::Incident;
use crate::state::world::{Causes, LEAST};
use crate::ui::Ctx;
use crate::ui::view::common::{empty, heading, pair, pane};
use crate::ui::widget::text::wrap;

/// Answers shown of each question, and evidence of each answer.
const ANSWERS: usize = 4;
const EVIDENCE: usize = 4;

/// Lines of one page of the causes.
const PAGE: usize = 8;
/// Of a cluster that is not there it never comes.
const UNKNOWN: &str = "causes not worked out";

impl Incidents {
    pub(super) fn draw_why(
        &self,
        ctx: &Ctx<'_>,
        incident: &Incident,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let causes = ctx.world.causes_so_far(incident);
        if self.part == Part::Causes {
            let inner = pane(ctx, area, buf, "causes", "J/K scroll", true);
            let width = usize::from(inner.width);
            let mut text = desk::handed(ctx, incident, width);
            text.extend(lines(ctx, &causes, width));
            text.extend(runbooks(ctx, incident, width));
            text.extend(self.told(ctx, incident, width));
            let beside = self.layout(self.area, ctx.world).findings.height > 0;
            // Where the findings have no room, nothing else says why the chosen one is one.
            if let Some(finding) = self.finding(incident).filter(|_| !beside) {
                text.push(heading(ctx.theme, "why it was found"));
                text.extend(why::lines(ctx, finding, width));
            }
            return self.causes.draw(ctx, inner, buf, &text);
        }
        let inner = pane(ctx, area, buf, "why", "J/K scroll  a explain", false);
        match self.finding(incident) {
            Some(finding) => {
                let width = usize::from(inner.width);
                let mut text = desk::handed(ctx, incident, width);
                text.extend(brief(ctx, &causes, width));
                text.extend(runbooks(ctx, incident, width));
                text.extend(self.told(ctx, incident, width));
                text.extend(why::lines(ctx, finding, width));
                text.extend(desk::verdict(ctx, incident, finding));
                self.causes.draw(ctx, inner, buf, &text);
            }
            None => empty(ctx, inner, buf, "no finding"),
        }
    }

    /// The keys that move a cursor move the text.
    pub(super) fn scrolled(&mut self, command: &Command) -> bool {
        match command {
            Command::Down => self.causes.down(),
            Command::Up => self.causes.up(),
            Command::PageDown => (0..PAGE).for_each(|_| self.causes.down()),
            Command::PageUp => (0..PAGE).for_each(|_| self.causes.up()),
            Command::Top => self.causes.to_top(),
            Command::Bottom => self.causes.to_end(),
            _ => return false,
        }
        true
    }
}

/// The likeliest of each question, in a line or two.
fn brief<'a>(ctx: &Ctx<'_>, causes: &Causes, width: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    if !causes.is_known() {
        return vec![Line::styled(UNKNOWN, theme.muted)];
    }
    let ranking = &causes.ranking;
    let place = match ranking.place() {
        Some(cause) => format!("{} {}", cause.percent(), causes.name(cause)),
        None => "not enough evidence".to_owned(),
    };
    let mut out = vec![heading(theme, "likely cause (Tab: evidence)")];
    let mut tell = |text: &str, style| {
        let parts = wrap(text, width).into_iter();
        out.extend(parts.map(|p| Line::styled(p, style)));
    };
    tell(&format!("began at: {place}"), theme.base);
    if let Some((cause, change)) = causes.likely_change() {
        let at = ctx.clock_or_day(change.at);
        let (percent, when, words) = (cause.percent(), change.when(), change.words());
        tell(
            &format!("changed: {percent} ▼ {when}{at} {words}"),
            theme.accent,
        );
    }
    out
}

/// All of it, as the pane shows it when it is chosen.
fn lines<'a>(ctx: &Ctx<'_>, causes: &Causes, width: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    if !causes.is_known() {
        return vec![Line::styled(UNKNOWN, theme.muted)];
    }
    let mut out = vec![heading(theme, "where it began (weights set by hand)")];
    if causes.ranking.place().is_none() {
        out.push(Line::styled("not enough evidence for one", theme.warn));
    }
    answers(ctx, causes, &causes.ranking.places, width, &mut out);
    out.push(heading(theme, "what was changed"));
    if causes.ranking.changes.is_empty() {
        out.push(Line::styled("nothing that was seen", theme.muted));
    }
    answers(ctx, causes, &causes.ranking.changes, width, &mut out);
    out
}

fn answers<'a>(
    ctx: &Ctx<'_>,
    causes: &Causes,
    list: &[Cause],
    width: usize,
    out: &mut Vec<Line<'a>>,
) {
    let theme = ctx.theme;
    for cause in list.iter().filter(|c| c.probability >= LEAST).take(ANSWERS) {
        let at = causes.change(cause);
        let at = at.map(|c| format!("▼ {}{} ", c.when(), ctx.clock_or_day(c.at)));
        let text = format!(
            "{} {}{}",
            cause.percent(),
            at.unwrap_or_default(),
            causes.name(cause)
        );
        let style = if cause.what == What::None {
            theme.muted
        } else {
            theme.accent
        };
        out.extend(
            wrap(&text, width)
                .into_iter()
                .map(|p| Line::styled(p, style)),
        );
        for evidence in cause.evidence.iter().take(EVIDENCE) {
            if evidence.says.is_empty() {
                continue;
            }
            let text = format!("{} ({})", evidence.says, evidence.origin);
            let sign = if evidence.weight < 0.0 {
                theme.warn
            } else {
                theme.ok
            };
            let mut head = format!("{:+5.1} ", evidence.weight);
            for part in wrap(&text, width.saturating_sub(6)) {
                out.push(Line::from(vec![
                    Span::styled(std::mem::replace(&mut head, " ".repeat(6)), sign),
                    Span::styled(part, theme.base),
                ]));
            }
        }
        let asks = cause.confirm.iter().map(|q| format!("confirm by {q}"));
        let fix = cause
            .fix
            .iter()
            .map(|f| format!("to end it: {}", f.words()));
        for text in asks.chain(fix) {
            let parts = wrap(&text, width.saturating_sub(6)).into_iter();
            out.extend(parts.map(|p| Line::styled(format!("      {p}"), theme.muted)));
        }
    }
}

/// Those that fit; `/runbook` in the chat pane shows one.
fn runbooks<'a>(ctx: &Ctx<'_>, incident: &Incident, width: usize) -> Vec<Line<'a>> {
    let fitting = ctx.world.runbooks_for(incident);
    let words: Vec<String> = fitting.into_iter().map(|f| f.runbook.id.clone()).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut parts = wrap(&words.join(", "), width.saturating_sub(12)).into_iter();
    let first = parts.next().unwrap_or_default();
    let mut out = vec![pair(ctx.theme, "/runbook", first, ctx.theme.base)];
    out.extend(parts.map(|p| pair(ctx.theme, "", p, ctx.theme.base)));
    out
}
