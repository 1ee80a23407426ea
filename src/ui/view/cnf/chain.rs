//! Who can follow whom: the nodes of one cluster by their part, grandmaster first, and in each node
//! the processes from the receiver to the system clock.
//!
//! No exporter tells the grandmaster that a clock follows: the order is that of the parts, and the
//! screen says so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{ClockRow, ptp};
use crate::model::ptp::{Clock, Part, PtpNode};
use crate::model::signal::Group;
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::{lines, name, pane};
use crate::ui::widget::text::wrap;

use super::profile;

/// From the source of time down to the system clock.
const ORDER: [&str; 8] = [
    "gnss", "dpll", "ts2phc", "ptp4l", "GM", "T-BC", "synce4l", "phc2sys",
];

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    chosen: ClockRow<'_>,
    rows: &[ClockRow<'_>],
) {
    let cluster = chosen.0;
    let mut own: Vec<&PtpNode> = rows
        .iter()
        .filter(|(c, _)| *c == cluster)
        .map(|(_, n)| *n)
        .collect();
    own.sort_by_key(|n| (n.part().map_or(3, |p| p as u8), n.node.clone()));
    let title = format!("{}: from source to follower", name(ctx.world, cluster));
    let inner = pane(ctx, area, buf, &title, "m clock", false);
    let mut text = Vec::new();
    let at = own.iter().position(|n| n.node == chosen.1.node);
    for node in &own {
        text.extend(told(ctx, chosen, node));
    }
    let note = "by part and profile: no exporter tells which clock another one follows";
    let foot = wrap(note, usize::from(inner.width));
    let room = usize::from(inner.height).saturating_sub(foot.len());
    // Two rows a node: the chosen one stays in view.
    let skip = at.map_or(0, |at| (at * 2 + 2).saturating_sub(room));
    let mut shown: Vec<Line<'_>> = text.into_iter().skip(skip).take(room).collect();
    shown.extend(foot.into_iter().map(|l| Line::styled(l, ctx.theme.muted)));
    lines(ctx, inner, buf, &shown, 0);
}

fn told<'a>(ctx: &Ctx<'_>, chosen: ClockRow<'_>, node: &'a PtpNode) -> [Line<'a>; 2] {
    let theme = ctx.theme;
    let (glyph, _, style) = ptp::shown(ctx, (chosen.0, node));
    let part = node.part();
    let indent = match part {
        Some(Part::Grandmaster) => "",
        Some(Part::Boundary) => "└ ",
        Some(Part::Ordinary) => "  └ ",
        None => "? ",
    };
    let here = node.node == chosen.1.node;
    let mut head = vec![
        Span::styled(indent, theme.muted),
        Span::styled(format!("{glyph} "), style),
        Span::styled(
            node.node.as_ref(),
            if here { theme.title } else { theme.base },
        ),
        Span::styled(
            format!(" {}", part.map_or("part unknown", Part::word)),
            theme.muted,
        ),
    ];
    if let Some(class) = node.clock_class {
        head.push(Span::styled(
            format!(" class {:.0}", class.value),
            theme.muted,
        ));
    }
    if let Some(domain) = profile::of(ctx.world, chosen.0, &node.node).and_then(|p| p.domain) {
        head.push(Span::styled(format!(" domain {domain}"), theme.muted));
    }
    let polled = ctx.polled(chosen.0, Group::Ptp);
    let mut steps = vec![Span::styled(
        " ".repeat(indent.chars().count() + 2),
        theme.muted,
    )];
    for (count, process) in ORDER.iter().enumerate() {
        let clocks: Vec<&Clock> = node
            .clocks
            .iter()
            .filter(|c| c.process == *process && c.state.is_some())
            .collect();
        let down = node.is_down(process);
        let worst = clocks.iter().filter_map(|c| c.state).max_by_key(|s| s.0);
        if worst.is_none() && !down {
            continue;
        }
        if steps.len() > 1 {
            steps.push(Span::styled(" ▸ ", theme.muted));
        }
        let (glyph, _, style) = match down {
            true => ("✗", "", theme.crit),
            false => ptp::clock(&polled, worst),
        };
        steps.push(Span::styled(format!("{process} {glyph}"), style));
        let last = count + 1 == ORDER.len();
        if let Some(offset) = clocks.iter().find_map(|c| c.offset_ns).filter(|_| last) {
            let text = format!(" {}", Unit::Nanoseconds.write(offset.value));
            steps.push(Span::styled(text, theme.muted));
        }
    }
    [Line::from(head), Line::from(steps)]
}
