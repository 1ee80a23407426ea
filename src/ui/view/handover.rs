//! What is about to be handed over: what goes in, what does not, and the word to write it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common;
use crate::model::handover::Parcel;
use crate::state::handover::Sending;
use crate::ui::Ctx;
use crate::ui::widget::text::wrap;

/// Lines around the text: borders and a line of air.
const FRAME: u16 = 3;

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, sending: &Sending) {
    match sending {
        Sending::Gathering(gathering, _) => {
            let (done, known) = gathering.progress();
            let size = (area.width.min(60), (FRAME + 1).min(area.height));
            let inner = common::sheet(ctx, area, size, buf, "Hand over", "Esc leaves it");
            let told = format!("gathering what is held: {done} of {known} series");
            ctx.put(buf, (inner.x, inner.y), inner.width, &told, ctx.theme.base);
        }
        Sending::Ready { parcel, scroll } => ready(ctx, area, buf, parcel, *scroll),
    }
}

fn ready(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, parcel: &Parcel, scroll: usize) {
    let handover = &parcel.handover;
    let width = area.width.min(96);
    let room = usize::from(width.saturating_sub(4));
    let theme = ctx.theme;
    let title = match handover.about {
        Some(number) => format!("Hand over INC-{number}"),
        None => "Hand over a range of time".to_owned(),
    };
    let names: Vec<&str> = parcel.recorded.iter().map(|c| c.name.as_str()).collect();
    let mut lines = vec![
        (format!("clusters  {}", names.join(", ")), theme.base),
        (
            format!(
                "time      {} to {}",
                ctx.clock_or_day(handover.from),
                ctx.clock_or_day(handover.to)
            ),
            theme.base,
        ),
    ];
    let goes = wrap(&format!("goes in   {}, log lines", parcel.words()), room);
    lines.extend(goes.into_iter().map(|line| (line, theme.base)));
    lines.extend([
        (
            "          what looks like a password, token or key is masked everywhere".into(),
            theme.muted,
        ),
        ("does not go in".into(), theme.title),
    ]);
    let gaps = handover.gaps.iter().skip(scroll);
    let wrapped = gaps.flat_map(|gap| wrap(&format!("- {gap}"), room));
    lines.extend(wrapped.map(|line| (line, theme.base)));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let size = (width, height.saturating_add(FRAME).min(area.height));
    let hint = "Enter writes a new file, Esc leaves it";
    let inner = common::sheet(ctx, area, size, buf, &title, hint);
    for (y, (text, style)) in (inner.y..inner.bottom()).zip(&lines) {
        ctx.put(buf, (inner.x, y), inner.width, text, *style);
    }
}
