//! TDEV and MTIE of one node's clock over the window, beside the limits of the classes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ClockRow;
use crate::model::ptp::{is_sentinel, node_of};
use crate::model::sample::Sample;
use crate::model::stability::{Limit, Stability, limits, source};
use crate::model::unit::Unit;
use crate::ui::view::common::{heading, lines, name, pane};
use crate::ui::widget::text::wrap;
use crate::ui::{Ctx, Theme};

/// Processes whose offset speaks for the node, best first.
const SPEAKERS: [&str; 5] = ["T-BC", "GM", "ts2phc", "ptp4l", "phc2sys"];

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, row: ClockRow<'_>) {
    let (cluster, node) = row;
    let title = format!("{} {}: stability", name(ctx.world, cluster), node.node);
    let inner = pane(ctx, area, buf, &title, "m changes", false);
    let text = told(ctx, row, usize::from(inner.width));
    lines(ctx, inner, buf, &text, 0);
}

/// The samples of the window of the process that speaks.
fn samples(ctx: &Ctx<'_>, (cluster, node): ClockRow<'_>) -> Option<(String, Vec<Sample>)> {
    let (from, to) = ctx.window.bounds(ctx.world.now);
    let store = &ctx.world.store;
    let rank = |process: &str| SPEAKERS.iter().position(|p| *p == process);
    let found = store
        .find(cluster, "openshift_ptp_offset_ns")
        .filter(|(_, key)| node_of(&key.labels) == node.node.as_ref())
        .filter_map(|(id, key)| {
            let process = key.labels.get("process")?;
            let place = rank(process).filter(|_| !node.is_down(process))?;
            Some((place, process, key.labels.get("iface").unwrap_or(""), id))
        });
    let (_, process, interface, id) = found.min()?;
    let points = store.points(id, from, to).map(|p| Sample {
        value: if is_sentinel(p.value) {
            f64::NAN
        } else {
            p.value
        },
        ..p
    });
    Some((format!("{process} {interface}"), points.collect()))
}

fn told<'a>(ctx: &Ctx<'_>, row: ClockRow<'_>, width: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let muted = |text: String| Line::styled(text, theme.muted);
    let Some((speaker, samples)) = samples(ctx, row) else {
        return vec![muted("no offset is told by a process that runs".into())];
    };
    let Some(stability) = Stability::of(&samples) else {
        let text = format!(
            "{speaker}: too few samples without a gap in this window ({} in all)",
            samples.len()
        );
        return wrap(&text, width).into_iter().map(muted).collect();
    };
    let write = |v: f64| Unit::Nanoseconds.write(v);
    let mut out = vec![
        heading(theme, format!("offset of {speaker}")),
        muted(format!(
            "{} samples {} s apart without a gap, {} filled in",
            stability.samples, stability.step_s, stability.filled
        )),
        Line::from(vec![
            Span::styled("mean ", theme.muted),
            Span::styled(write(stability.mean_ns), theme.base),
            Span::styled("  largest ", theme.muted),
            Span::styled(write(stability.max_ns), theme.base),
        ]),
    ];
    out.extend(classes(theme, &stability));
    let note = format!(
        "limits of measured time error ({}) beside the offset that the servo tells of itself",
        source()
    );
    out.extend(wrap(&note, width).into_iter().map(muted));
    out.push(muted(format!(
        "{:>8} {:>10} {:>10}",
        "OVER", "TDEV", "MTIE"
    )));
    for point in &stability.points {
        let tdev = point.tdev_ns.map_or("-".into(), write);
        let beyond = |value: f64, limit: fn(&Limit) -> f64| {
            let held = limits().iter().filter(|l| point.tau_s <= l.tau_s);
            style(theme, value, held.map(limit))
        };
        out.push(Line::from(vec![
            Span::styled(
                format!("{:>8} ", Unit::Seconds.write(point.tau_s)),
                theme.base,
            ),
            Span::styled(
                format!("{tdev:>10} "),
                beyond(point.tdev_ns.unwrap_or(0.0), |l| l.tdev_ns),
            ),
            Span::styled(
                format!("{:>10}", write(point.mtie_ns)),
                beyond(point.mtie_ns, |l| l.mtie_ns),
            ),
        ]));
    }
    out
}

/// Red beyond every class, yellow beyond the strictest.
fn style(theme: &Theme, value: f64, held: impl Iterator<Item = f64>) -> Style {
    let (mut all, mut beyond) = (0, 0);
    for limit in held {
        all += 1;
        beyond += usize::from(value > limit);
    }
    match beyond {
        0 => theme.base,
        n if n == all => theme.crit,
        _ => theme.warn,
    }
}

/// Whether what was seen lies within each class.
fn classes<'a>(theme: &Theme, stability: &Stability) -> Vec<Line<'a>> {
    let each = limits().iter().map(|limit| {
        let (word, style) = match stability.within(limit) {
            Some(true) => ("within", theme.ok),
            Some(false) => ("beyond", theme.warn),
            None => ("unknown", theme.unknown),
        };
        Line::from(vec![
            Span::styled(format!("class {} ", limit.class), theme.base),
            Span::styled(format!("{word:<8}"), style),
            Span::styled(
                format!(
                    "TDEV {} MTIE {} |TE| {} mean {} ns",
                    limit.tdev_ns, limit.mtie_ns, limit.max_te_ns, limit.constant_te_ns
                ),
                theme.muted,
            ),
        ])
    });
    each.collect()
}
