//! Who holds the GPUs: pods, what they asked for, what they use of it, what stands idle.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::map::trouble;
use crate::model::gpu::{Gpu, Measure, Waste, power_of, waste};
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::unit::{Unit, age};
use crate::state::world::{ClusterState, World, holds_room, is_gpu};
use crate::ui::Ctx;
use crate::ui::view::common::{clusters, name, scoped};
use crate::ui::widget::filter::Filter;
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column; 10] = [
    Column::new("A", 1, 1),
    Column::new("POD", 20, 60),
    Column::new("CLUSTER", 8, 14).priority(4),
    Column::new("NODE", 8, 20).priority(3),
    Column::new("GPUS", 5, 7).right(),
    Column::new("UTIL", 6, 8).right(),
    Column::new("MEMORY", 8, 10).priority(1).right(),
    Column::new("POWER", 7, 8).priority(2).right(),
    Column::new("IDLE", 5, 6).right(),
    Column::new("WASTED", 7, 9).right(),
];
/// Columns by which it can be sorted.
pub const SORTS: usize = COLUMNS.len();

/// One pod that holds GPUs or asked for some.
pub struct Holder<'a> {
    pub cluster: ClusterId,
    pub namespace: &'a str,
    pub pod: &'a str,
    /// What the exporter's labels give it.
    pub gpus: Vec<&'a Gpu>,
    /// What its containers ask for, as Kubernetes tells; `None`: it does not tell.
    pub requested: Option<u64>,
    /// One of its GPUs is held by others as well.
    shared: bool,
    waste: Option<Waste>,
}

impl Holder<'_> {
    pub fn id(&self) -> (ClusterId, String, String) {
        (self.cluster, self.namespace.into(), self.pod.into())
    }

    fn mean(&self, measure: Measure) -> Option<f64> {
        let told = self.gpus.iter().filter_map(|g| measure.read(g));
        let (sum, count) = told.fold((0.0, 0), |(sum, n), s| (sum + s.value, n + 1));
        (count > 0).then(|| sum / f64::from(count))
    }

    fn sum(&self, read: impl Fn(&Gpu) -> Option<Sample>) -> Option<f64> {
        let told: Vec<f64> = self
            .gpus
            .iter()
            .filter_map(|g| read(g))
            .map(|s| s.value)
            .collect();
        (!told.is_empty()).then(|| told.iter().sum())
    }

    /// It wastes what it holds, or holds what is broken.
    pub fn is_bad(&self) -> bool {
        self.waste.is_some() || self.gpus.iter().any(|g| trouble(g).is_some())
    }

    /// Watts; a part tells the power of its card, which others draw as well.
    fn power(&self) -> Option<f64> {
        let parts = self.gpus.iter().any(|g| g.partition.is_some());
        let cards = self.gpus.iter().copied().filter(|_| !parts);
        power_of(cards)
    }

    fn fields(&self) -> [(&str, &str); 2] {
        [("namespace", self.namespace), ("pod", self.pod)]
    }
}

fn requests(cluster: &ClusterState) -> BTreeMap<(&str, &str), u64> {
    let mut asked = BTreeMap::new();
    for pod in cluster.pods.values().filter(|p| holds_room(p)) {
        let gpus = pod
            .requests
            .extended
            .iter()
            .filter(|(name, _)| is_gpu(name));
        let count: u64 = gpus.map(|(_, count)| count).sum();
        if count > 0 {
            asked.insert((pod.namespace.as_ref(), pod.name.as_ref()), count);
        }
    }
    asked
}

/// The greatest holders first, or by the chosen column.
pub fn rows<'a>(
    world: &'a World,
    scope: Option<ClusterId>,
    filter: &Filter,
    (column, reverse): (Option<usize>, bool),
) -> Vec<Holder<'a>> {
    let mut rows = Vec::new();
    for cluster in clusters(world, scope) {
        let mut pods: BTreeMap<(&str, &str), (Vec<&Gpu>, bool)> = BTreeMap::new();
        for gpu in &cluster.gpus {
            for (namespace, pod) in &gpu.holders {
                let held = pods.entry((namespace, pod)).or_default();
                held.0.push(gpu);
                held.1 |= gpu.holders.len() > 1;
            }
        }
        let asked = requests(cluster);
        for place in asked.keys() {
            pods.entry(*place).or_default();
        }
        let wasted = waste(&cluster.gpus, world.now);
        rows.extend(pods.into_iter().map(|(place, (gpus, shared))| Holder {
            cluster: cluster.id,
            namespace: place.0,
            pod: place.1,
            gpus,
            requested: asked.get(&place).copied(),
            shared,
            waste: wasted.get(&place).copied(),
        }));
    }
    rows.retain(|row| filter.matches(&row.fields()));
    // Numbers of any size; a value that is not told sorts as the least.
    let number = |v: Option<f64>| Reverse(v.map_or(i64::MIN, |v| (v * 1_000.0) as i64));
    rows.sort_by_cached_key(|row| match column {
        Some(1) => (Reverse(0), row.pod),
        Some(2) => (Reverse(-i64::from(row.cluster.0)), row.pod),
        Some(3) => (Reverse(0), row.gpus.first().map_or("", |g| g.node.as_ref())),
        Some(5) => (number(row.mean(Measure::Utilisation)), row.pod),
        Some(6) => (number(row.sum(|g| g.memory_used_mib)), row.pod),
        Some(7) => (number(row.power()), row.pod),
        Some(8) => (number(row.waste.map(|w| w.idle_ms as f64)), row.pod),
        Some(9) => (number(row.waste.map(|w| w.gpu_hours)), row.pod),
        _ => (number(Some(row.gpus.len() as f64)), row.pod),
    });
    if reverse {
        rows.reverse();
    }
    rows
}

/// Requested against used, in a few words.
pub fn title(rows: &[Holder<'_>]) -> String {
    // One that several share is one.
    let held: BTreeSet<_> = rows
        .iter()
        .flat_map(|r| r.gpus.iter().map(|g| (r.cluster, &g.node, g.place())))
        .collect();
    let held = held.len();
    let asked: u64 = rows.iter().filter_map(|r| r.requested).sum();
    let idle: usize = rows.iter().filter_map(|r| r.waste).map(|w| w.idle).sum();
    let hours: f64 = rows
        .iter()
        .filter_map(|r| r.waste)
        .map(|w| w.gpu_hours)
        // A sum of nothing would be -0.
        .fold(0.0, |sum, hours| sum + hours);
    let asked = match rows.iter().any(|r| r.requested.is_some()) {
        true => asked.to_string(),
        false => "n/a".into(),
    };
    format!(
        "{} pods · requested {asked} · held {held} · idle {idle} · {hours:.1} GPU hours wasted",
        rows.len()
    )
}

pub fn draw(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    rows: &[Holder<'_>],
    table: &Table<(ClusterId, String, String)>,
) {
    let columns = scoped(ctx, &COLUMNS, 2);
    table.draw(
        ctx,
        area,
        buf,
        (&columns, rows),
        Holder::id,
        |row, column| cell(ctx, row, column),
    );
}

fn cell<'a>(ctx: &Ctx<'_>, row: &Holder<'_>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let base = theme.base;
    let told = |value: Option<f64>, unit: Unit| match value {
        Some(value) => Line::styled(unit.write(value), base),
        None => Line::styled("n/a", theme.muted),
    };
    match column {
        // How it is known: exporter label, or Kubernetes alone.
        0 if row.gpus.is_empty() => Line::styled("○", theme.muted),
        0 if row.shared => Line::styled("◐", theme.warn),
        0 => Line::styled("●", theme.ok),
        1 => Line::styled(format!("{}/{}", row.namespace, row.pod), base),
        2 => Line::styled(name(ctx.world, row.cluster).to_owned(), theme.muted),
        3 => {
            let mut nodes: Vec<&str> = row.gpus.iter().map(|g| g.node.as_ref()).collect();
            nodes.dedup();
            let text = match nodes.as_slice() {
                [] => "-".into(),
                [one] => (*one).to_owned(),
                [first, rest @ ..] => format!("{first} +{}", rest.len()),
            };
            Line::styled(text, theme.muted)
        }
        4 => {
            let asked = row.requested.map_or("?".into(), |n| n.to_string());
            let short = row.requested.is_some_and(|n| n != row.gpus.len() as u64);
            let style = if short { theme.warn } else { base };
            Line::styled(format!("{}/{asked}", row.gpus.len()), style)
        }
        5 => told(row.mean(Measure::Utilisation), Unit::Percent),
        6 => told(row.sum(|g| g.memory_used_mib), Unit::Mebibytes),
        7 => told(row.power(), Unit::Watts),
        8 => match row.waste {
            Some(waste) => Line::styled(age(waste.idle_ms), theme.warn),
            None => Line::styled("-", theme.muted),
        },
        _ => match row.waste {
            Some(waste) => Line::styled(format!("{:.1} h", waste.gpu_hours), theme.warn),
            None => Line::styled("-", theme.muted),
        },
    }
}

/// In words; for the clipboard and the agent.
pub fn plain(world: &World, row: &Holder<'_>) -> String {
    let write = |v: Option<f64>, unit: Unit| v.map_or("n/a".into(), |v| unit.write(v));
    let waste = row.waste.map_or(String::new(), |w| {
        format!(", {} idle, {:.1} GPU hours wasted", w.idle, w.gpu_hours)
    });
    format!(
        "{} {}/{}: {} GPUs of {} requested, util {}, memory {}{waste}",
        name(world, row.cluster),
        row.namespace,
        row.pod,
        row.gpus.len(),
        row.requested.map_or("n/a".into(), |n| n.to_string()),
        write(row.mean(Measure::Utilisation), Unit::Percent),
        write(row.sum(|g| g.memory_used_mib), Unit::Mebibytes),
    )
}
