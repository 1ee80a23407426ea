//! What one device did over the window: a row of bars for each reading, on a scale that is told.

use ratatui::text::{Line, Span};

use crate::model::gpu::{Gpu, is_blank, node_of, place_of};
use crate::model::id::ClusterId;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::heading;
use crate::ui::widget::heat::bars;
use crate::ui::widget::timeline::Axis;

/// Name on the screen, the series that tell it (NVIDIA, AMD), unit, and the top of the scale where
/// the device does not set one.
type Reading = (&'static str, [&'static str; 2], Unit, Option<f64>);

const READINGS: [Reading; 4] = [
    (
        "util",
        ["DCGM_FI_DEV_GPU_UTIL", "gpu_gfx_activity"],
        Unit::Percent,
        Some(100.0),
    ),
    (
        "temp",
        ["DCGM_FI_DEV_GPU_TEMP", "gpu_junction_temperature"],
        Unit::Celsius,
        Some(100.0),
    ),
    (
        "power",
        ["DCGM_FI_DEV_POWER_USAGE", "gpu_package_power"],
        Unit::Watts,
        None,
    ),
    (
        "SM clock",
        ["DCGM_FI_DEV_SM_CLOCK", "gpu_clock"],
        Unit::Megahertz,
        None,
    ),
];
/// A bit each for why the clocks are held down; the first one only says that nothing runs.
const HELD: [&str; 2] = [
    "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
    "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS",
];
const IDLE: u64 = 1;
/// How far a last value may lie before the end of its series.
const LOOK_BACK_MS: i64 = 3_600_000;
/// Bars at most: more tell no more.
const SLOTS: usize = 48;

pub fn lines<'a>(ctx: &Ctx<'_>, cluster: ClusterId, gpu: &Gpu, width: usize) -> Vec<Line<'a>> {
    let slots = width.saturating_sub(26).min(SLOTS);
    if slots < 8 {
        return Vec::new();
    }
    let (from, to) = ctx.window.bounds(ctx.world.now);
    let axis = Axis::new(from, to, slots);
    let theme = ctx.theme;
    let mut out = Vec::new();
    for (word, names, unit, top) in READINGS {
        let values = names
            .iter()
            .map(|name| seen(ctx, cluster, gpu, name, &axis))
            .find(|values| values.iter().any(Option::is_some));
        let Some(values) = values else {
            continue;
        };
        let most = values.iter().flatten().copied().fold(0.0, f64::max);
        let limit = gpu.power_limit_w.filter(|_| unit == Unit::Watts);
        let top = top.or(limit).unwrap_or(most).max(most);
        out.push(row(ctx, word, bars(&values, top), &unit.write(top)));
    }
    for name in HELD {
        let values = seen(ctx, cluster, gpu, name, &axis);
        if values.iter().all(Option::is_none) {
            continue;
        }
        let held = |v: &Option<f64>| match v {
            Some(bits) if (*bits as u64) & !IDLE != 0 => '▓',
            Some(_) => '░',
            None => ' ',
        };
        let strip: String = values.iter().map(held).collect();
        out.push(row(ctx, "held down", strip, "▓ yes"));
        break;
    }
    if !out.is_empty() {
        out.insert(0, heading(theme, ctx.span(from, to)));
    }
    out
}

fn row<'a>(ctx: &Ctx<'_>, word: &'static str, strip: String, top: &str) -> Line<'a> {
    Line::from(vec![
        Span::styled(format!("{word:<12}"), ctx.theme.muted),
        Span::styled(strip, ctx.theme.base),
        Span::styled(format!("  {top}"), ctx.theme.muted),
    ])
}

/// Greatest value of each slot; a slot without one keeps the value before it for as long as the
/// next sample may take.
fn seen(ctx: &Ctx<'_>, cluster: ClusterId, gpu: &Gpu, name: &str, axis: &Axis) -> Vec<Option<f64>> {
    let (first, last) = axis.range();
    let mut slots = vec![None; axis.slots];
    let store = &ctx.world.store;
    for (id, _) in store.find(cluster, name).filter(|(_, k)| is_of(gpu, k)) {
        let reach = i64::from(store.interval_ms(id)).max(1_000) * 5 / 2;
        for point in store.points(id, first.plus_ms(-reach), last) {
            if is_blank(point.value) {
                continue;
            }
            let start = axis.slot_beyond(point.at).max(0);
            let end = axis.slot_beyond(point.at.plus_ms(reach - 1).min(ctx.world.now));
            for slot in start..=end.min(axis.slots as i64 - 1) {
                let place = usize::try_from(slot).ok().and_then(|s| slots.get_mut(s));
                if let Some(held) = place {
                    *held = match *held {
                        Some(before) if slot == start => Some(f64::max(before, point.value)),
                        Some(before) => Some(before),
                        None => Some(point.value),
                    };
                }
            }
        }
    }
    slots
}

/// The newest sample the device ever gave of one of these: what is left when it is gone.
pub fn last(ctx: &Ctx<'_>, cluster: ClusterId, gpu: &Gpu, names: &[&str]) -> Option<Sample> {
    let store = &ctx.world.store;
    names
        .iter()
        .flat_map(|name| store.find(cluster, name).filter(|(_, k)| is_of(gpu, k)))
        .filter_map(|(id, _)| {
            let end = store.last(id)?.at;
            let points = store.points(id, end.plus_ms(-LOOK_BACK_MS), end);
            points.filter(|s| !is_blank(s.value)).last()
        })
        .max_by_key(|s| s.at)
}

fn is_of(gpu: &Gpu, key: &SeriesKey) -> bool {
    let own = match &gpu.partition {
        Some(part) => format!("{} {part}", gpu.index),
        None => gpu.index.clone(),
    };
    node_of(&key.labels) == gpu.node.as_ref() && place_of(&key.labels) == Some(own)
}
