//! The prompt in the last row, with its cursor and what it could become.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::Ctx;
use crate::state::{Prompt, PromptKind};

/// `options`: what the typed command may become.
pub fn draw(ctx: &Ctx, area: Rect, buf: &mut Buffer, prompt: &Prompt, options: &[String]) {
    let mark = match prompt.kind {
        PromptKind::Filter => "filter ",
        PromptKind::Find => "/",
        PromptKind::Command => ":",
        PromptKind::Time => "time ",
    };
    buf.set_style(area, ctx.theme.base);
    let x = ctx.put(buf, (area.x, area.y), area.width, mark, ctx.theme.key);
    let room = area.right().saturating_sub(x);
    // A long text is shown from where its cursor is in view.
    let (skip, before) = prompt.field.in_view(usize::from(room.saturating_sub(2)));
    let shown: String = prompt.field.text().chars().skip(skip).collect();
    let end = ctx.put(buf, (x, area.y), room, &shown, ctx.theme.base);
    let at = x.saturating_add(u16::try_from(before).unwrap_or(u16::MAX));
    if let Some(cell) = buf.cell_mut((at.min(area.right().saturating_sub(1)), area.y)) {
        cell.modifier.toggle(Modifier::REVERSED);
    }
    let (side, style) = match &prompt.error {
        Some(error) => (error.clone(), ctx.theme.crit),
        None => (help(prompt, options), ctx.theme.muted),
    };
    let from = end.saturating_add(3);
    ctx.put(
        buf,
        (from, area.y),
        area.right().saturating_sub(from),
        &side,
        style,
    );
}

fn help(prompt: &Prompt, options: &[String]) -> String {
    match prompt.kind {
        PromptKind::Filter => "word  !not  /re/  ~fuzzy  key=value   Enter keep  Esc undo".into(),
        PromptKind::Find => {
            "word  /re/  key=value   Enter newest  n N next, previous  Ctrl-t filter  Esc undo"
                .into()
        }
        PromptKind::Time => "15m  2h  14:10-14:30  yesterday 14:00 +30m  RFC 3339".into(),
        PromptKind::Command => {
            let shown: Vec<&str> = options.iter().take(8).map(String::as_str).collect();
            let more = if options.len() > shown.len() {
                " …"
            } else {
                ""
            };
            format!("{}{more}", shown.join("  "))
        }
    }
}
