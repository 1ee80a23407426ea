//! What farwatch had to say, newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common;
use crate::state::world::Notice;
use crate::ui::Ctx;
use crate::ui::widget::text::wrap;

/// The list; `skip` of the newest are scrolled past.
pub fn draw(ctx: &Ctx, area: Rect, buf: &mut Buffer, skip: usize) {
    let notices = &ctx.world.notices;
    let title = format!("Notices {}", notices.len());
    let inner = common::sheet(ctx, area, (110, area.height), buf, &title, "Esc closes");
    if notices.is_empty() {
        let text = "nothing yet";
        ctx.put(buf, (inner.x, inner.y), inner.width, text, ctx.theme.muted);
    }
    let mut y = inner.y;
    for notice in notices.iter().rev().skip(skip) {
        let style = if notice.error {
            ctx.theme.crit
        } else {
            ctx.theme.base
        };
        for line in wrap(&text(ctx, notice), usize::from(inner.width)) {
            if y >= inner.bottom() {
                return;
            }
            ctx.put(buf, (inner.x, y), inner.width, &line, style);
            y += 1;
        }
    }
}

fn text(ctx: &Ctx, notice: &Notice) -> String {
    let times = if notice.count > 1 {
        format!(" ×{}", notice.count)
    } else {
        String::new()
    };
    format!("{} {}{times}", ctx.clock(notice.at), notice.text)
}

/// The newest notice over the lower right of the screen.
pub fn toast(ctx: &Ctx, area: Rect, buf: &mut Buffer, notice: &Notice) {
    let most = area.width.saturating_sub(4).min(72);
    let lines = wrap(&text(ctx, notice), usize::from(most));
    let lines = lines.get(..lines.len().min(4)).unwrap_or_default();
    let wide = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let width = u16::try_from(wide).unwrap_or(most).min(most) + 4;
    let height = lines.len() as u16 + 2;
    if area.width < width || area.height < height {
        return;
    }
    let spot = Rect::new(area.right() - width, area.bottom() - height, width, height);
    ctx.clear(buf, spot);
    let title = if notice.error { "✗ error" } else { "notice" };
    let inner = common::pane(ctx, spot, buf, title, "", notice.error);
    for (y, line) in (inner.y..inner.bottom()).zip(lines) {
        let style = if notice.error {
            ctx.theme.crit
        } else {
            ctx.theme.base
        };
        ctx.put(
            buf,
            (inner.x + 1, y),
            inner.width.saturating_sub(1),
            line,
            style,
        );
    }
}
