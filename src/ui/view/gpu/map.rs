//! The heat map: a row a node, two cells a GPU.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::NodeName;
use crate::model::gpu::Gpu;
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{STALE_MS, clusters, lines};
use crate::ui::widget::heat::block;
use crate::ui::widget::text::{first_row, fit, fit_right};

#[derive(Clone, Debug, PartialEq)]
pub struct Id {
    cluster: ClusterId,
    node: NodeName,
    index: String,
    partition: Option<String>,
}

impl Id {
    pub fn of(cluster: ClusterId, gpu: &Gpu) -> Self {
        Self {
            cluster,
            node: gpu.node.clone(),
            index: gpu.index.clone(),
            partition: gpu.partition.clone(),
        }
    }

    pub fn is(&self, cluster: ClusterId, gpu: &Gpu) -> bool {
        self.cluster == cluster
            && self.node == gpu.node
            && self.index == gpu.index
            && self.partition == gpu.partition
    }
}

pub struct NodeRow<'a> {
    pub cluster: ClusterId,
    pub cluster_name: &'a str,
    pub node: NodeName,
    pub gpus: Vec<&'a Gpu>,
}

impl NodeRow<'_> {
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let mut fields = vec![("cluster", self.cluster_name), ("node", self.node.as_ref())];
        for gpu in &self.gpus {
            fields.extend(gpu.model.as_deref().map(|m| ("model", m)));
            if let Some((namespace, pod)) = &gpu.pod {
                fields.extend([("namespace", namespace.as_str()), ("pod", pod.as_str())]);
            }
        }
        fields
    }

    fn sum(&self, read: impl Fn(&Gpu) -> Option<Sample>) -> Option<(f64, usize)> {
        let values: Vec<f64> = self
            .gpus
            .iter()
            .filter_map(|g| read(g))
            .map(|s| s.value)
            .filter(|v| v.is_finite())
            .collect();
        (!values.is_empty()).then(|| (values.iter().sum(), values.len()))
    }
}

pub fn rows(world: &World, scope: Option<ClusterId>) -> Vec<NodeRow<'_>> {
    let mut rows = Vec::new();
    for cluster in clusters(world, scope) {
        let mut nodes: BTreeMap<NodeName, Vec<&Gpu>> = BTreeMap::new();
        for gpu in &cluster.gpus {
            nodes.entry(gpu.node.clone()).or_default().push(gpu);
        }
        rows.extend(nodes.into_iter().map(|(node, mut gpus)| {
            gpus.sort_by(|a, b| {
                let number = |g: &Gpu| g.index.parse::<u32>().unwrap_or(u32::MAX);
                (number(a), &a.index, &a.partition).cmp(&(number(b), &b.index, &b.partition))
            });
            NodeRow {
                cluster: cluster.id,
                cluster_name: &cluster.name,
                node,
                gpus,
            }
        }));
    }
    rows
}

/// What is wrong with a device itself, in a few words.
pub fn trouble(gpu: &Gpu) -> Option<String> {
    if let Some((xid, text)) = &gpu.xid {
        return Some(format!("XID {xid} {text}"));
    }
    if gpu.row_remap_failure == Some(true) {
        return Some("row remapping failed".into());
    }
    if gpu.healthy == Some(false) {
        return Some("reported unhealthy".into());
    }
    None
}

/// Two characters for a device: never colour alone.
fn cell(ctx: &Ctx<'_>, gpu: &Gpu) -> (String, Style) {
    let theme = ctx.theme;
    if trouble(gpu).is_some() {
        return ("✗✗".into(), theme.crit);
    }
    let Some(sample) = gpu.utilisation else {
        return ("--".into(), theme.muted);
    };
    let level = block(sample.value / 100.0);
    if ctx.world.age_ms(sample.at) > STALE_MS {
        return (format!("{level}~"), theme.muted);
    }
    if !gpu.throttle.is_empty() {
        return (format!("{level}▲"), theme.warn);
    }
    let style = if sample.value < 5.0 {
        theme.muted
    } else {
        theme.ok
    };
    (format!("{level}{level}"), style)
}

pub fn title(rows: &[NodeRow<'_>]) -> String {
    let gpus: usize = rows.iter().map(|r| r.gpus.len()).sum();
    format!("devices: {gpus} GPUs on {} nodes", rows.len())
}

pub fn sum(rows: &[NodeRow<'_>], problems: bool) -> String {
    let bad = rows
        .iter()
        .flat_map(|r| &r.gpus)
        .filter(|g| trouble(g).is_some())
        .count();
    let slow = rows
        .iter()
        .flat_map(|r| &r.gpus)
        .filter(|g| !g.throttle.is_empty())
        .count();
    let only = if problems { " · problems only" } else { "" };
    format!("{bad} in trouble · {slow} throttled{only}")
}

/// Columns taken by the name of a node.
fn head(width: u16) -> usize {
    if width >= 60 { 24 } else { 14 }
}

fn name(row: &NodeRow<'_>, many: bool, columns: usize) -> String {
    match many {
        true => fit(&format!("{}/{}", row.cluster_name, row.node), columns),
        false => fit(&row.node, columns),
    }
}

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    rows: &[NodeRow<'_>],
    current: Option<&Id>,
) {
    let head = head(area.width);
    let many = rows
        .iter()
        .any(|r| r.cluster != rows.first().map_or(r.cluster, |f| f.cluster));
    let most = rows.iter().map(|r| r.gpus.len()).max().unwrap_or(0);
    let room = (usize::from(area.width).saturating_sub(head + 18) / 3).max(1);
    let shown = most.min(room);
    let numbers: String = (0..shown).map(|i| format!("{i:<3}")).collect();
    let mut out = vec![Line::styled(
        format!(
            "{} {numbers} {} {}",
            fit("node", head),
            fit_right("power", 8),
            fit_right("util", 6)
        ),
        ctx.theme.muted,
    )];
    let chosen = chosen_row(rows, current);
    let height = usize::from(area.height.saturating_sub(1));
    let first = first_row(chosen, rows.len(), height);
    for row in rows.iter().skip(first).take(height) {
        out.push(line(ctx, row, (head, shown), many, current));
    }
    lines(ctx, area, buf, &out, 0);
}

fn chosen_row(rows: &[NodeRow<'_>], current: Option<&Id>) -> usize {
    rows.iter()
        .position(|r| {
            r.gpus
                .iter()
                .any(|g| current.is_some_and(|id| id.is(r.cluster, g)))
        })
        .unwrap_or(0)
}

fn line<'a>(
    ctx: &Ctx<'_>,
    row: &NodeRow<'_>,
    (head, shown): (usize, usize),
    many: bool,
    current: Option<&Id>,
) -> Line<'a> {
    let theme = ctx.theme;
    let mut spans = vec![Span::styled(
        format!("{} ", name(row, many, head)),
        theme.base,
    )];
    // Where not all devices go into the row, those around the chosen one are shown.
    let place = row
        .gpus
        .iter()
        .position(|g| current.is_some_and(|id| id.is(row.cluster, g)));
    let skip = first_row(place.unwrap_or(0), row.gpus.len(), shown);
    for gpu in row.gpus.iter().skip(skip).take(shown) {
        let (text, style) = cell(ctx, gpu);
        let chosen = ctx.focus && current.is_some_and(|id| id.is(row.cluster, gpu));
        let style = if chosen {
            style.patch(theme.selected)
        } else {
            style
        };
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" "));
    }
    let missing = shown.saturating_sub(row.gpus.len());
    spans.push(Span::raw(" ".repeat(missing * 3)));
    let power = row
        .sum(|g| g.power_w)
        .map_or("n/a".into(), |(w, _)| Unit::Watts.write(w));
    let util = row
        .sum(|g| g.utilisation)
        .map_or("n/a".into(), |(sum, n)| format!("{:.0}%", sum / n as f64));
    let text = format!(" {} {}", fit_right(&power, 8), fit_right(&util, 6));
    spans.push(Span::styled(text, theme.base));
    if row.gpus.len() > shown {
        spans.push(Span::styled(
            format!(" {shown}/{}", row.gpus.len()),
            theme.warn,
        ));
    }
    Line::from(spans)
}

/// The device at a place of the screen; `area` with its border.
pub fn at(rows: &[NodeRow<'_>], current: Option<&Id>, area: Rect, at: (u16, u16)) -> Option<Id> {
    let inner = Rect::new(
        area.x.saturating_add(1),
        area.y.saturating_add(2),
        area.width.saturating_sub(2),
        area.height.saturating_sub(3),
    );
    if !inner.contains(at.into()) {
        return None;
    }
    let first = first_row(
        chosen_row(rows, current),
        rows.len(),
        usize::from(inner.height),
    );
    let row = rows.get(first + usize::from(at.1 - inner.y))?;
    let column = usize::from(at.0 - inner.x).checked_sub(head(inner.width) + 1)? / 3;
    row.gpus.get(column).map(|g| Id::of(row.cluster, g))
}
