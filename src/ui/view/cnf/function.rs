//! One physical function: what was asked of it, and each of its virtual functions. What the node
//! state does not hold is not made up: it says `-`, and a rate without a metric `n/a`.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::sriov::{FunctionRow, link, sync_words};
use crate::model::sample::Sample;
use crate::model::signal::Group;
use crate::model::sriov::{PhysicalFunction, VirtualFunction};
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::{above, lines, name, pair, pane, reading};
use crate::ui::widget::table::{Column, Table};
use crate::ui::widget::text::wrap;

const COLUMNS: [Column; 10] = [
    Column::new("VF", 2, 3).right(),
    Column::new("PCI", 12, 12).priority(3),
    Column::new("DRIVER", 8, 12).priority(4),
    Column::new("MAC", 17, 17).priority(5),
    Column::new("VLAN", 4, 4).priority(6).right(),
    Column::new("MTU", 5, 5).priority(7).right(),
    Column::new("RX", 10, 11).right(),
    Column::new("TX", 10, 11).priority(2).right(),
    Column::new("DROP", 8, 10).priority(1).right(),
    Column::new("POD", 10, 34).priority(2),
];

/// A virtual function: as the node state lists it, and as its counters are told.
#[derive(Default)]
struct Virtual<'a> {
    listed: Option<&'a VirtualFunction>,
    /// Where only the counters tell it.
    address: Option<&'a str>,
    /// Namespace and pod that hold it, where the exporter tells.
    owner: Option<(&'a str, &'a str)>,
    received: Option<Sample>,
    sent: Option<Sample>,
    dropped: Option<Sample>,
}

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, row: &FunctionRow<'_>, skip: usize) {
    let node = &row.state.node;
    let title = match row.function {
        Some(function) => format!("{} {node} {}", name(ctx.world, row.cluster), function.name),
        None => format!("{} {node}", name(ctx.world, row.cluster)),
    };
    let status = row.state.sync_status.as_deref().unwrap_or("sync unknown");
    let inner = pane(ctx, area, buf, &title, status, false);
    let text = told(ctx, row, usize::from(inner.width));
    let rows = u16::try_from(text.len())
        .unwrap_or(u16::MAX)
        .min(inner.height);
    let (head, list) = above(inner, inner.height - rows);
    lines(ctx, head, buf, &text, 0);
    let Some(function) = row.function else {
        return;
    };
    let all = virtuals(ctx, row, function);
    let ctx = &ctx.polled(row.cluster, Group::Sriov);
    let skip = skip.min(
        all.len()
            .saturating_sub(usize::from(list.height.saturating_sub(1))),
    );
    let shown: Vec<(u32, Virtual<'_>)> = all.into_iter().skip(skip).collect();
    if shown.is_empty() {
        let why = "no virtual function is listed in the node state, and no metric tells of one";
        let text: Vec<Line<'_>> = wrap(why, usize::from(list.width))
            .into_iter()
            .map(|p| Line::styled(p, ctx.theme.muted))
            .collect();
        lines(ctx, list, buf, &text, 0);
        return;
    }
    let quiet = Ctx {
        focus: false,
        ..*ctx
    };
    Table::default().draw(
        &quiet,
        list,
        buf,
        (&COLUMNS, &shown),
        |(index, _)| *index,
        |(index, function), column| cell(ctx, *index, function, column),
    );
}

/// The port, what was asked of it, and what went wrong.
fn told<'a>(ctx: &Ctx<'_>, row: &FunctionRow<'a>, width: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let mut out = Vec::new();
    let mut say = |key: &'a str, text: String, style| {
        let mut parts = wrap(&text, width.saturating_sub(12)).into_iter();
        out.push(pair(theme, key, parts.next().unwrap_or_default(), style));
        out.extend(parts.map(|p| pair(theme, "", p, style)));
    };
    if let Some(function) = row.function {
        let driver = function.driver.as_deref().unwrap_or("driver n/a");
        let mut port = format!("{} {} {driver}", function.pci_address, function.vendor);
        match link(function) {
            Some(speed) if !function.is_down() => port.push_str(&format!(", {speed}")),
            Some(_) => port.push_str(", link down"),
            None => port.push_str(", link not told"),
        }
        if let Some(mtu) = function.mtu {
            port.push_str(&format!(", MTU {mtu}"));
        }
        say("port", port, theme.base);
        let wanted = function
            .desired_vfs
            .map_or("none".into(), |n| n.to_string());
        let text = format!(
            "{wanted} wanted, {} configured, {} listed, {} possible",
            function.num_vfs, function.vfs, function.total_vfs
        );
        say("VFs", text, theme.base);
        for group in &function.groups {
            let policy = group.policy.as_deref().unwrap_or("no policy told");
            let kind = group.device_type.as_deref().unwrap_or("");
            let range = group.range.as_deref().unwrap_or("");
            let text = format!("{} {kind} {range} ({policy})", group.resource);
            say("resource", text, theme.muted);
        }
    }
    if let Some((problem, grave)) = row.problem() {
        say(
            "problem",
            problem,
            if grave { theme.crit } else { theme.warn },
        );
    }
    let cluster = ctx.world.cluster(row.cluster);
    let words = cluster.and_then(|c| sync_words(ctx, c, &row.state.node));
    let style = match row.state.sync_status.as_deref() {
        Some("Succeeded") => theme.muted,
        Some("Failed") => theme.crit,
        _ => theme.warn,
    };
    words
        .into_iter()
        .for_each(|words| say("operator", words, style));
    out
}

/// By index: those that the node state lists, and those whose counters are told.
fn virtuals<'a>(
    ctx: &Ctx<'a>,
    row: &FunctionRow<'a>,
    function: &'a PhysicalFunction,
) -> BTreeMap<u32, Virtual<'a>> {
    let mut found: BTreeMap<u32, Virtual<'a>> = BTreeMap::new();
    for listed in &function.functions {
        found.entry(listed.index).or_default().listed = Some(listed);
    }
    let Some(told) = ctx.world.cluster(row.cluster).map(|c| &c.vfs) else {
        return found;
    };
    for reading in told.on(&row.state.node, &function.name) {
        let known = found.entry(reading.index).or_default();
        known.address = reading.address.as_deref();
        known.received = reading.received;
        known.sent = reading.sent;
        known.dropped = reading.dropped();
    }
    for known in found.values_mut() {
        let listed = known.listed.map(|f| f.pci_address.as_str());
        let address = listed.or(known.address);
        let holder = address.and_then(|address| told.holder(&row.state.node, address));
        known.owner = holder.map(|h| (&*h.namespace, &*h.pod));
    }
    found
}

fn cell<'a>(ctx: &Ctx<'_>, index: u32, function: &Virtual<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let text = |value: Option<&'a str>| match value {
        Some(value) => Line::styled(value, theme.base),
        None => Line::styled("-", theme.muted),
    };
    let number = |value: Option<u32>| match value {
        Some(value) => Line::styled(value.to_string(), theme.base),
        None => Line::styled("-", theme.muted),
    };
    let listed = function.listed;
    let rate = |sample, unit, style| Line::from(reading(ctx, sample, unit, style));
    match column {
        0 => Line::styled(index.to_string(), theme.base),
        1 => text(listed.map(|f| f.pci_address.as_str()).or(function.address)),
        2 => text(listed.and_then(|f| f.driver.as_deref())),
        3 => text(listed.and_then(|f| f.mac.as_deref())),
        4 => number(listed.and_then(|f| f.vlan)),
        5 => number(listed.and_then(|f| f.mtu)),
        6 => rate(function.received, Unit::BitsPerSecond, theme.base),
        7 => rate(function.sent, Unit::BitsPerSecond, theme.base),
        8 => {
            let drops = function.dropped.is_some_and(|s| s.value > 0.0);
            let style = if drops { theme.crit } else { theme.base };
            rate(function.dropped, Unit::PerSecond, style)
        }
        _ => match function.owner {
            Some((namespace, pod)) => Line::styled(format!("{namespace}/{pod}"), theme.base),
            None => Line::styled("-", theme.muted),
        },
    }
}
