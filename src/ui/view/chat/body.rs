//! Messages as lines: answers as markdown, tool calls as rows that unfold.

use std::borrow::Cow;

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::mention::styled;
use super::talk::Laid;
use crate::agent::answer::marked;
use crate::agent::conversation::{Author, Conversation, Message, Part, ToolPart};
use crate::model::chat::RunOutcome;
use crate::model::limits::Spent;
use crate::model::time::Timestamp;
use crate::ui::Ctx;
use crate::ui::widget::markdown;
use crate::ui::widget::text::{cut, wrap};

/// Rows of a tool's result shown when it is unfolded.
const RESULT_ROWS: usize = 40;

pub fn title(talk: &Conversation, configured: bool) -> String {
    match (&talk.model, configured) {
        (Some(model), _) => {
            let context = model.context.map(|c| format!(" · {}k context", c / 1024));
            let server = model.server.as_ref().map(|s| format!(" · {s}"));
            let more = [context, server].into_iter().flatten();
            format!("Chat · {}{}", model.name, more.collect::<String>())
        }
        (None, true) => "Chat · model unheard".into(),
        (None, false) => "Chat · no model configured".into(),
    }
}

fn counted(calls: usize) -> String {
    match calls {
        1 => "1 call".into(),
        n => format!("{n} calls"),
    }
}

/// Calls and tokens of the last run, or that one is running.
pub fn standing(talk: &Conversation, now: Timestamp) -> String {
    let last = talk
        .messages
        .iter()
        .rev()
        .find(|m| m.author == Author::Agent);
    let calls = last.map_or(0, |m| {
        m.parts
            .iter()
            .filter(|p| matches!(p, Part::Tool(_)))
            .count()
    });
    if talk.running().is_some() {
        let elapsed = last.map_or(0, |m| now.age_since_ms(m.at)) / 1000;
        if talk.is_waiting() {
            return "/allow or /deny?".into();
        }
        return match last.is_some_and(|m| m.parts.is_empty()) {
            true => format!("waiting {elapsed} s · Esc stops"),
            false => format!("{} · {elapsed} s · Esc stops", counted(calls)),
        };
    }
    match last.and_then(|m| m.outcome.as_ref()) {
        Some(RunOutcome::Answered {
            total_ms,
            first_token_ms,
            completion_tokens,
            context_tokens,
            wrote_ms,
            ..
        }) => {
            let seconds = |ms: u32| f64::from(ms) / 1000.0;
            let first = (*first_token_ms > 0)
                .then(|| format!(" · first {:.1} s", seconds(*first_token_ms)));
            let rate = match (completion_tokens, wrote_ms) {
                (Some(tokens), Some(ms)) if *ms > 0 => {
                    Some(format!(" · {:.0} tok/s", f64::from(*tokens) / seconds(*ms)))
                }
                _ => None,
            };
            let used = match (context_tokens, talk.model.as_ref().and_then(|m| m.context)) {
                (Some(used), Some(most)) if most > 0 => Some(format!(
                    " · ctx {}%",
                    u64::from(*used) * 100 / u64::from(most)
                )),
                _ => None,
            };
            let more: String = [used, rate, first].into_iter().flatten().collect();
            format!("{} · {:.1} s{more}", counted(calls), seconds(*total_ms))
        }
        _ => String::new(),
    }
}

/// The line above the input; while a run goes on, what it has taken of its limits, as far as there is
/// room.
pub fn rule(talk: &Conversation, now: Timestamp, width: usize) -> String {
    let mut label = String::new();
    if let Some(spent) = talk.running().and(talk.spent) {
        for part in taken(talk, &spent, now) {
            let joint = if label.is_empty() { "─ " } else { " · " };
            if label.width() + joint.width() + part.width() + 2 > width {
                break;
            }
            label.push_str(joint);
            label.push_str(&part);
        }
        if !label.is_empty() {
            label.push(' ');
        }
    }
    let rest = width.saturating_sub(label.width());
    format!("{label}{}", "─".repeat(rest))
}

/// Each as taken/limit, the most telling first.
fn taken(talk: &Conversation, spent: &Spent, now: Timestamp) -> [String; 4] {
    let limits = spent.limits;
    let asked = talk.messages.iter().rev().find(|m| m.run == talk.running());
    let seconds = asked.map_or(0, |m| now.age_since_ms(m.at)) / 1000;
    let about = if spent.estimated { "~" } else { "" };
    [
        format!("rounds {}/{}", spent.rounds, limits.rounds),
        format!(
            "{about}{}/{} tok",
            short(u64::from(spent.tokens)),
            short(u64::from(limits.tokens))
        ),
        format!("{seconds}/{} s", limits.time.as_secs()),
        format!("{}/{} queries", spent.queries, limits.queries),
    ]
}

/// `940`, `12.3k`, `200k`.
fn short(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..100_000 if count % 1_000 >= 100 => {
            format!("{}.{}k", count / 1_000, count % 1_000 / 100)
        }
        _ => format!("{}k", count / 1_000),
    }
}

pub fn welcome(configured: bool) -> String {
    if configured {
        "Ask about what is on the screen, or press a on an incident, an alert or a row to have it \
         explained. A model reads through tools, and every call is shown here; a site's own agent \
         reads with its own."
            .into()
    } else {
        "No model is configured. Questions are answered with the console's own findings. To ask a \
         model, add to the configuration:\n\n[agent]\nurl = \"http://HOST:8000/v1\""
            .into()
    }
}

fn is_foldable(part: &Part) -> bool {
    matches!(part, Part::Tool(_) | Part::Reasoning { .. })
}

fn foldables(talk: &Conversation) -> impl DoubleEndedIterator<Item = (usize, usize)> {
    talk.messages.iter().enumerate().flat_map(|(m, message)| {
        let own = message
            .parts
            .iter()
            .enumerate()
            .filter(|(_, p)| is_foldable(p));
        own.map(move |(p, _)| (m, p)).collect::<Vec<_>>()
    })
}

pub fn last_foldable(talk: &Conversation) -> Option<(usize, usize)> {
    foldables(talk).next_back()
}

/// The next or previous part that unfolds.
pub fn foldable(talk: &Conversation, at: (usize, usize), forward: bool) -> Option<(usize, usize)> {
    if forward {
        foldables(talk).find(|p| *p > at)
    } else {
        foldables(talk).rfind(|p| *p < at)
    }
}

/// The call that a message cites as `[number]`.
pub fn cited(talk: &Conversation, message: usize, number: u32) -> Option<(usize, usize)> {
    let parts = &talk.messages.get(message)?.parts;
    let is_it = |part: &Part| matches!(part, Part::Tool(tool) if tool.number == number);
    Some((message, parts.iter().position(is_it)?))
}

pub fn lay_out(ctx: &Ctx<'_>, message: &Message, width: usize) -> Laid {
    let theme = ctx.theme;
    let (who, style) = match message.author {
        Author::Operator => ("you", theme.key),
        Author::Agent => ("agent", theme.accent),
        Author::Console => ("console", theme.title),
    };
    let mut out: Laid = vec![(
        None,
        Line::from(vec![
            Span::styled(who, style),
            Span::styled(format!("  {}", ctx.clock(message.at)), theme.muted),
        ]),
    )];
    for (index, part) in message.parts.iter().enumerate() {
        match part {
            Part::Text(text) if message.author == Author::Operator => {
                let parts = wrap(text, width).into_iter();
                out.extend(parts.map(|p| (None, styled(&p, theme.base, theme.accent))));
            }
            Part::Text(text) => {
                // Told when the answer is whole: what it rests on may still come.
                let whole = message.author == Author::Agent && message.outcome.is_some();
                let text = match whole {
                    true => Cow::Owned(marked(text, &message.good())),
                    false => Cow::Borrowed(text.as_str()),
                };
                out.extend(
                    markdown::lines(&text, theme, width)
                        .into_iter()
                        .map(|l| (None, l)),
                );
            }
            Part::Reasoning { text, folded } => {
                let fold = if *folded { "▸" } else { "▾" };
                let words = text.split_whitespace().count();
                let head = format!("{fold} thinking, {words} words");
                out.push((Some(index), Line::styled(head, theme.muted)));
                if !folded {
                    let parts = wrap(text, width.saturating_sub(2)).into_iter();
                    out.extend(parts.map(|p| (None, Line::styled(format!("  {p}"), theme.muted))));
                }
            }
            Part::Tool(tool) => tool_lines(ctx, index, tool, width, &mut out),
            Part::Note(text) => {
                let parts = wrap(text, width).into_iter();
                out.extend(parts.map(|p| (None, Line::styled(p, theme.warn))));
            }
        }
    }
    ending(ctx, message, width, &mut out);
    out.push((None, Line::default()));
    out
}

fn tool_lines(ctx: &Ctx<'_>, index: usize, tool: &ToolPart, width: usize, out: &mut Laid) {
    let theme = ctx.theme;
    let fold = if tool.folded { "▸" } else { "▾" };
    let (told, style) = match &tool.done {
        None => ("running …".to_owned(), theme.accent),
        Some(done) => {
            let took = match done.duration_ms {
                ms @ 0..1000 => format!("{ms} ms"),
                ms => format!("{:.1} s", f64::from(ms) / 1000.0),
            };
            let rows = match (done.ok, done.rows) {
                (true, 1) => "1 row".to_owned(),
                (true, rows) => format!("{rows} rows"),
                (false, _) => "failed".into(),
            };
            let style = if done.ok { theme.muted } else { theme.crit };
            (format!("{took}  {rows} [{}]", tool.number), style)
        }
    };
    let room = width.saturating_sub(told.chars().count() + 1);
    let call = cut(&format!("{fold} {} {}", tool.tool, tool.arguments), room);
    let pad = width.saturating_sub(crate::ui::widget::text::width(&call) + told.chars().count());
    out.push((
        Some(index),
        Line::from(vec![
            Span::styled(call, theme.base),
            Span::raw(" ".repeat(pad)),
            Span::styled(told, style),
        ]),
    ));
    if tool.folded {
        return;
    }
    let inside = width.saturating_sub(2);
    for part in wrap(&format!("arguments {}", tool.arguments), inside) {
        out.push((None, Line::styled(format!("  {part}"), theme.muted)));
    }
    let Some(done) = &tool.done else {
        return;
    };
    let rows: Vec<&str> = done.result.lines().collect();
    for row in rows.iter().take(RESULT_ROWS) {
        // Rows of data keep their places; why a call failed is told whole.
        let (parts, style) = match done.ok {
            true => (vec![cut(row, inside)], theme.base),
            false => (wrap(row, inside), theme.crit),
        };
        out.extend(
            parts
                .into_iter()
                .map(|p| (None, Line::styled(format!("  {p}"), style))),
        );
    }
    if rows.len() > RESULT_ROWS {
        let text = format!("  {RESULT_ROWS} of {} lines", rows.len());
        out.push((None, Line::styled(text, theme.muted)));
    }
}

/// A cursor while the answer comes, and how it ended if not well.
fn ending(ctx: &Ctx<'_>, message: &Message, width: usize, out: &mut Laid) {
    let theme = ctx.theme;
    let (text, style) = match &message.outcome {
        None if message.author == Author::Agent => {
            match out.last_mut() {
                Some((None, line)) if out_is_text(message) => {
                    line.spans.push(Span::styled("▌", theme.accent));
                }
                _ => out.push((None, Line::styled("▌", theme.accent))),
            }
            return;
        }
        None | Some(RunOutcome::Answered { .. }) => return,
        Some(RunOutcome::Cancelled) => ("stopped by you".to_owned(), theme.warn),
        Some(RunOutcome::Limit(what)) => (format!("stopped: {what}"), theme.warn),
        Some(RunOutcome::Failed(fault)) => (fault.to_string(), theme.crit),
    };
    let parts = wrap(&text, width).into_iter();
    out.extend(parts.map(|p| (None, Line::styled(p, style))));
}

fn out_is_text(message: &Message) -> bool {
    matches!(message.parts.last(), Some(Part::Text(_)))
}
