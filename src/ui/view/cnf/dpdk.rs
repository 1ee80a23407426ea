//! Ports of DPDK applications: traffic, what they lose and why, memory and cores. The list is there
//! only where series tell of such ports.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::list::{self, Row, RowId};
use super::policy::paragraph;
use crate::model::dpdk::{App, LOSSES, Port};
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::signal::Group;
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, World};
use crate::ui::view::Focus;
use crate::ui::view::common::{clusters, heading, lines, pane, reading};
use crate::ui::widget::table::{Column, Table};
use crate::ui::{Ctx, Theme};

const COLUMNS: [Column; 11] = [
    Column::new("S", 1, 1),
    Column::new("APPLICATION", 12, 30),
    Column::new("CLUSTER", 8, 14).priority(5),
    Column::new("NODE", 8, 16).priority(6),
    Column::new("PORT", 12, 14),
    Column::new("IN", 8, 11).right(),
    Column::new("OUT", 8, 11).priority(2).right(),
    Column::new("IN bit/s", 11, 11).priority(3).right(),
    Column::new("OUT bit/s", 11, 11).priority(4).right(),
    Column::new("LOST", 8, 11).right(),
    Column::new("BECAUSE", 9, 10).priority(1),
];

pub struct PortRow<'a> {
    pub cluster: &'a ClusterState,
    pub app: &'a App,
    pub port: &'a Port,
    /// What it loses in a second, as far as it is told now.
    lost: Option<Sample>,
}

/// Some series of the scope tell of DPDK.
pub fn is_found(world: &World, scope: Option<ClusterId>) -> bool {
    clusters(world, scope).any(|c| c.dpdk.apps.iter().any(|app| !app.ports.is_empty()))
}

/// Those that lose most first.
pub fn rows(world: &World, scope: Option<ClusterId>) -> Vec<PortRow<'_>> {
    let mut rows: Vec<PortRow<'_>> = Vec::new();
    for cluster in clusters(world, scope) {
        let current_ms = cluster.current_ms(Group::Sriov);
        let fresh = |s: &Sample| world.now.age_since_ms(s.at) <= current_ms;
        for app in &cluster.dpdk.apps {
            rows.extend(app.ports.iter().map(|port| PortRow {
                cluster,
                app,
                port,
                lost: port.lost().filter(fresh),
            }));
        }
    }
    let rank = |row: &PortRow<'_>| row.lost.map_or(0.0, |lost| lost.value);
    rows.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    rows
}

impl Row for PortRow<'_> {
    fn id(&self) -> RowId {
        let app = match &self.app.pod {
            Some((namespace, pod)) => format!("{namespace}/{pod}").into(),
            None => Arc::clone(&self.app.instance),
        };
        (self.cluster.id, app, Arc::clone(&self.port.name))
    }

    fn fields<'b>(&'b self, _: &'b World) -> Vec<(&'b str, &'b str)> {
        let (namespace, pod) = self.pod().unwrap_or(("", &self.app.instance));
        vec![
            ("pod", pod),
            ("namespace", namespace),
            ("port", &self.port.name),
            ("cluster", &self.cluster.name),
            ("node", self.node().unwrap_or("")),
        ]
    }

    fn plain(&self, _: &World) -> String {
        let told = |sample: Option<Sample>| {
            sample.map_or("n/a".into(), |s| Unit::PerSecond.write(s.value))
        };
        let mut out = format!(
            "{} DPDK {} port {}: packets in {}, out {}",
            self.cluster.name,
            self.whose(),
            self.port.name,
            told(self.port.packets_in),
            told(self.port.packets_out),
        );
        for (measure, name, _) in LOSSES {
            out.push_str(&format!(", {name} {}", told(self.port.of(measure))));
        }
        if let Some((core, busy)) = self.app.busiest() {
            let busy = Unit::Ratio.write(busy.value);
            out.push_str(&format!("; busiest core {core} {busy}"));
        }
        out
    }

    fn focus(&self) -> Focus {
        match (&self.app.pod, self.node()) {
            (None, Some(node)) => Focus::Node {
                cluster: self.cluster.id,
                node: node.to_owned(),
            },
            (place, _) => Focus::Pod {
                cluster: self.cluster.id,
                namespace: place.as_ref().map_or("", |p| &p.0).to_owned(),
                pod: place.as_ref().map_or("", |p| &p.1).to_owned(),
            },
        }
    }

    fn is_bad(&self) -> bool {
        self.lost.is_none_or(|lost| lost.value > 0.0)
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, skip: usize) {
        let title = format!("{} {}", self.cluster.name, self.whose());
        let inner = pane(ctx, area, buf, &title, "DPDK", false);
        let ctx = &ctx.polled(self.cluster.id, Group::Sriov);
        let width = usize::from(inner.width);
        let mut text = self.port_lines(ctx, width);
        text.extend(self.app_lines(ctx));
        let most = text.len().saturating_sub(usize::from(inner.height));
        lines(ctx, inner, buf, &text, skip.min(most));
    }
}

impl<'a> PortRow<'a> {
    fn pod(&self) -> Option<(&'a str, &'a str)> {
        let place = self.app.pod.as_ref();
        place.map(|(namespace, pod)| (&**namespace, &**pod))
    }

    fn node(&self) -> Option<&'a str> {
        self.cluster.node_of_app(self.app).map(|node| &**node)
    }

    fn whose(&self) -> String {
        match self.pod() {
            Some((namespace, pod)) => format!("{namespace}/{pod}"),
            None => self.app.instance.to_string(),
        }
    }

    /// The port: traffic, and each reason for which it may lose packets.
    fn port_lines(&self, ctx: &Ctx<'_>, width: usize) -> Vec<Line<'a>> {
        let (theme, port) = (ctx.theme, self.port);
        let mut out = vec![Line::from(vec![
            Span::styled(format!("port {}", port.name), theme.title),
            Span::styled(
                format!("  node {}", self.node().unwrap_or("n/a")),
                theme.muted,
            ),
        ])];
        for (key, packets, bytes) in [
            ("received", port.packets_in, port.bytes_in),
            ("sent", port.packets_out, port.bytes_out),
        ] {
            out.push(keyed(
                theme,
                key,
                vec![
                    reading(ctx, packets, Unit::PerSecond, theme.base),
                    Span::styled(" packets  ", theme.muted),
                    reading(ctx, bits(bytes), Unit::BitsPerSecond, theme.base),
                ],
            ));
        }
        for (measure, name, why) in LOSSES {
            let sample = port.of(measure);
            let loses = sample.is_some_and(|s| s.value > 0.0);
            let style = if loses { theme.crit } else { theme.base };
            out.push(keyed(
                theme,
                name,
                vec![reading(ctx, sample, Unit::PerSecond, style)],
            ));
            if loses {
                paragraph(&mut out, theme, ("", why, theme.warn), width);
            }
        }
        out
    }

    /// Memory, buffers and cores, which all its ports share.
    fn app_lines(&self, ctx: &Ctx<'_>) -> Vec<Line<'a>> {
        let (theme, app) = (ctx.theme, self.app);
        let mut out = vec![Line::default(), heading(theme, "the application")];
        let base = theme.base;
        out.push(keyed(
            theme,
            "memory",
            vec![
                reading(ctx, app.memory.used, Unit::Bytes, base),
                Span::styled(" of ", theme.muted),
                reading(ctx, app.memory.total, Unit::Bytes, base),
            ],
        ));
        for pool in &app.pools {
            out.push(keyed(
                theme,
                "buffers",
                vec![
                    reading(ctx, pool.used, Unit::None, share_style(theme, pool.share())),
                    Span::styled(" of ", theme.muted),
                    reading(ctx, pool.total, Unit::None, base),
                    Span::styled(format!("  {}", pool.name), theme.muted),
                ],
            ));
        }
        if app.cores.is_empty() {
            out.push(keyed(
                theme,
                "cores",
                vec![Span::styled("n/a", theme.muted)],
            ));
        }
        for core in &app.cores {
            let busy = core.busy();
            out.push(keyed(
                theme,
                "core",
                vec![
                    Span::styled(format!("{:<6} ", core.name), base),
                    reading(ctx, busy, Unit::Ratio, share_style(theme, busy)),
                    Span::styled(" busy", theme.muted),
                ],
            ));
        }
        out
    }
}

fn bits(bytes: Option<Sample>) -> Option<Sample> {
    let value = |s: Sample| Sample {
        value: s.value * 8.0,
        ..s
    };
    bytes.map(value)
}

/// Full, or nearly so.
fn share_style(theme: &Theme, share: Option<Sample>) -> Style {
    match share.map(|s| s.value) {
        Some(share) if share >= 0.98 => theme.crit,
        Some(share) if share >= 0.90 => theme.warn,
        _ => theme.base,
    }
}

fn keyed<'a>(theme: &Theme, key: &'a str, told: Vec<Span<'a>>) -> Line<'a> {
    let head = Span::styled(format!("{key:<11} "), theme.muted);
    Line::from_iter(std::iter::once(head).chain(told))
}

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    (rows, table): (&[PortRow<'_>], &Table<RowId>),
) {
    let losing = rows
        .iter()
        .filter(|r| r.lost.is_some_and(|s| s.value > 0.0));
    let title = format!("DPDK ports, {} losing packets", losing.count());
    let right = "m PFs";
    let why = "no series tells of a DPDK port, or none matches the filter";
    list::draw(
        ctx,
        area,
        buf,
        (&title, right, why),
        &COLUMNS,
        (rows, table),
        |row, column| cell(&ctx.polled(row.cluster.id, Group::Sriov), row, column),
    );
}

fn cell<'a>(ctx: &Ctx<'_>, row: &PortRow<'a>, column: usize) -> Line<'a> {
    let (theme, port) = (ctx.theme, row.port);
    let (glyph, style) = match row.lost {
        Some(lost) if lost.value > 0.0 => ("✗", theme.crit),
        Some(_) => ("●", theme.ok),
        None => ("?", theme.unknown),
    };
    let rate = |sample, unit, style| Line::from(reading(ctx, sample, unit, style));
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(
            row.pod().map_or(&*row.app.instance, |(_, pod)| pod),
            theme.base,
        ),
        2 => Line::styled(&*row.cluster.name, theme.muted),
        3 => match row.node() {
            Some(node) => Line::styled(node, theme.base),
            None => Line::styled("n/a", theme.muted),
        },
        4 => Line::styled(&*port.name, theme.base),
        5 => rate(port.packets_in, Unit::PerSecond, theme.base),
        6 => rate(port.packets_out, Unit::PerSecond, theme.base),
        7 => rate(bits(port.bytes_in), Unit::BitsPerSecond, theme.base),
        8 => rate(bits(port.bytes_out), Unit::BitsPerSecond, theme.base),
        9 => rate(port.lost(), Unit::PerSecond, style),
        _ => match row.lost.and_then(|_| port.reason()) {
            Some((name, _)) => Line::styled(name, theme.crit),
            None => Line::styled("", theme.muted),
        },
    }
}
