//! What one device did over the window: a row of bars for each reading, on a scale that is told.

use ratatui::text::{Line, Span};

use crate::model::gpu::{Gpu, Measure, held_down, is_at, is_blank};
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::heading;
use crate::ui::widget::heat::bars;
use crate::ui::widget::timeline::Axis;

/// Name on the screen, what is read, unit, and the top of the scale where the device does not set
/// one.
type Reading = (&'static str, Measure, Unit, Option<f64>);

const READINGS: [Reading; 5] = [
    ("util", Measure::Utilisation, Unit::Percent, Some(100.0)),
    ("memory", Measure::Memory, Unit::Mebibytes, None),
    ("temp", Measure::Temperature, Unit::Celsius, Some(100.0)),
    ("power", Measure::Power, Unit::Watts, None),
    ("SM clock", Measure::Clock, Unit::Megahertz, None),
];
/// A bit each for why the clocks are where they are.
const HELD: [&str; 2] = [
    "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
    "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS",
];
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
    for (word, measure, unit, top) in READINGS {
        let values = measure
            .names()
            .map(|told| seen(ctx, cluster, gpu, told, &axis))
            .find(|values| values.iter().any(Option::is_some));
        let Some(values) = values else {
            continue;
        };
        let most = values.iter().flatten().copied().fold(0.0, f64::max);
        let limit = match measure {
            Measure::Power => gpu.power_limit_w,
            Measure::Memory => gpu.memory_total_mib,
            _ => None,
        };
        let top = top.or(limit).unwrap_or(most).max(most);
        out.push(row(ctx, word, bars(&values, top), &unit.write(top)));
    }
    for name in HELD {
        let values = seen(ctx, cluster, gpu, (name, 1.0), &axis);
        if values.iter().all(Option::is_none) {
            continue;
        }
        let held = |v: &Option<f64>| match v {
            Some(bits) if !held_down(*bits).is_empty() => '▓',
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
fn seen(
    ctx: &Ctx<'_>,
    cluster: ClusterId,
    gpu: &Gpu,
    (name, factor): (&str, f64),
    axis: &Axis,
) -> Vec<Option<f64>> {
    let (first, last) = axis.range();
    let mut slots = vec![None; axis.slots];
    let store = &ctx.world.store;
    let place = gpu.place();
    for (id, _) in store
        .find(cluster, name)
        .filter(|(_, k)| is_at(&k.labels, &gpu.node, &place))
    {
        let reach = i64::from(store.interval_ms(id)).max(1_000) * 5 / 2;
        for point in store.points(id, first.plus_ms(-reach), last) {
            if is_blank(point.value) {
                continue;
            }
            let value = point.value * factor;
            let start = axis.slot_beyond(point.at).max(0);
            let end = axis.slot_beyond(point.at.plus_ms(reach - 1).min(ctx.world.now));
            for slot in start..=end.min(axis.slots as i64 - 1) {
                let place = usize::try_from(slot).ok().and_then(|s| slots.get_mut(s));
                if let Some(held) = place {
                    *held = match *held {
                        Some(before) if slot == start => Some(f64::max(before, value)),
                        Some(before) => Some(before),
                        None => Some(value),
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
    let place = gpu.place();
    names
        .iter()
        .flat_map(|name| {
            store
                .find(cluster, name)
                .filter(|(_, k)| is_at(&k.labels, &gpu.node, &place))
        })
        .filter_map(|(id, _)| {
            let end = store.last(id)?.at;
            let points = store.points(id, end.plus_ms(-LOOK_BACK_MS), end);
            points.filter(|s| !is_blank(s.value)).last()
        })
        .max_by_key(|s| s.at)
}
