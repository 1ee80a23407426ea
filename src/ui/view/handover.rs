//! What is about to be handed over: what goes in, what does not, and the word to write it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::common;
use crate::model::handover::Parcel;
use crate::model::time::Timestamp;
use crate::state::handover::Sending;
use crate::ui::Ctx;
use crate::ui::widget::text::wrap;

/// Lines around the text: borders and a line of air.
const FRAME: u16 = 3;
/// Columns of the names of the fixed lines.
const INDENT: usize = 10;

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

/// The fixed lines, and those of the gaps, which may scroll.
fn lines(ctx: &Ctx<'_>, parcel: &Parcel, wide: u16) -> (Vec<(String, Style)>, Vec<String>) {
    let handover = &parcel.handover;
    let room = usize::from(wide.saturating_sub(4));
    let theme = ctx.theme;
    let names: Vec<&str> = parcel.recorded.iter().map(|c| c.name.as_str()).collect();
    let (from, to) = (handover.from, handover.to);
    let time = format!("{} to {}", ctx.clock_or_day(from), ctx.clock_or_day(to));
    let mut head = vec![
        (format!("clusters  {}", names.join(", ")), theme.base),
        (format!("time      {time}"), theme.base),
    ];
    let held = wrap(
        &format!("{}, log lines", parcel.words()),
        room.saturating_sub(INDENT),
    );
    let names = std::iter::once("goes in").chain(std::iter::repeat(""));
    head.extend(names.zip(held).map(|(name, line)| {
        let line = format!("{name:INDENT$}{line}");
        (line, theme.base)
    }));
    let masked = "what looks like a password, token or key is masked everywhere";
    let masked = wrap(masked, room.saturating_sub(INDENT)).into_iter();
    head.extend(masked.map(|line| (format!("{:INDENT$}{line}", ""), theme.muted)));
    let gaps = handover.gaps.iter();
    let gaps = gaps.flat_map(|gap| wrap(&format!("- {}", local(ctx, gap)), room));
    (head, gaps.collect())
}

/// The times of a text, which are written for everybody, in the operator's zone.
fn local(ctx: &Ctx<'_>, text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches([',', ';', ':', ')']);
        match Timestamp::parse_rfc3339(bare) {
            Some(at) => format!(
                "{}{}",
                ctx.clock_or_day(at),
                word.get(bare.len()..).unwrap_or_default()
            ),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn wide(area: Rect) -> u16 {
    area.width.min(96)
}

/// Lines of gaps that are in view at a time, below so many fixed ones and their heading.
fn in_view(area: Rect, head: usize) -> usize {
    let room = usize::from(area.height.saturating_sub(FRAME - 1));
    room.saturating_sub(head + 1).max(1)
}

/// How far the gaps can be scrolled in this area.
pub fn most_scroll(ctx: &Ctx<'_>, area: Rect, parcel: &Parcel) -> usize {
    let (head, gaps) = lines(ctx, parcel, wide(area));
    gaps.len().saturating_sub(in_view(area, head.len()))
}

fn ready(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, parcel: &Parcel, scroll: usize) {
    let theme = ctx.theme;
    let title = match parcel.handover.about {
        Some(number) => format!("Hand over INC-{number}"),
        None => "Hand over a range of time".to_owned(),
    };
    let (mut lines, gaps) = lines(ctx, parcel, wide(area));
    let seen = in_view(area, lines.len());
    let above = scroll.min(gaps.len().saturating_sub(seen));
    let below = gaps.len().saturating_sub(above + seen);
    let heading = match (above, below) {
        (0, 0) => "does not go in".to_owned(),
        (above, below) => format!("does not go in ({above} lines above, {below} below)"),
    };
    lines.push((heading, theme.title));
    lines.extend(gaps.into_iter().skip(above).map(|line| (line, theme.base)));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let size = (wide(area), height.saturating_add(FRAME).min(area.height));
    let hint = "Enter writes a new file, Esc leaves it";
    let inner = common::sheet(ctx, area, size, buf, &title, hint);
    for (y, (text, style)) in (inner.y..inner.bottom()).zip(&lines) {
        ctx.put(buf, (inner.x, y), inner.width, text, *style);
    }
}
