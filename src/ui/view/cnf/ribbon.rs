//! States of a node's clocks over the window, a letter a slot: L locked, H holdover, F freerun.

use std::collections::{BTreeSet, HashMap};

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ClockRow;
use crate::model::id::{ClusterId, SeriesId};
use crate::model::ptp::{ClockState, node_of};
use crate::model::sample::SeriesKey;
use crate::model::time::Timestamp;
use crate::ui::widget::timeline::Axis;
use crate::ui::{Ctx, Theme};

const NAME: &str = "openshift_ptp_clock_state";

/// The series of clock states by cluster and node, found once for all rows of a frame.
#[derive(Default)]
pub struct States<'a> {
    by_node: HashMap<(ClusterId, &'a str), Vec<(SeriesId, &'a SeriesKey)>>,
}

impl<'a> States<'a> {
    pub fn of(ctx: &Ctx<'a>, clusters: impl Iterator<Item = ClusterId>) -> Self {
        let mut states = Self::default();
        for cluster in clusters.collect::<BTreeSet<_>>() {
            for (id, key) in ctx.world.store.find(cluster, NAME) {
                let place = (cluster, node_of(&key.labels));
                states.by_node.entry(place).or_default().push((id, key));
            }
        }
        states
    }
}

/// Worst state of each slot; `None`: nothing is known of it.
pub fn states(
    ctx: &Ctx<'_>,
    series: &States<'_>,
    (cluster, node): ClockRow<'_>,
    slots: usize,
) -> Vec<Option<ClockState>> {
    let (from, to) = ctx.window.bounds(ctx.world.now);
    let axis = Axis::new(from, to, slots);
    let (first, last) = axis.range();
    let store = &ctx.world.store;
    let mut states = vec![None; axis.slots];
    let own = series.by_node.get(&(cluster, node.node.as_ref()));
    for (id, key) in own.into_iter().flatten().copied() {
        let process = key.labels.get("process").unwrap_or("");
        if !node.speaks(process) {
            continue;
        }
        // What a dead process told last it goes on telling.
        let last = match node.is_down(process) {
            true => died(ctx, (cluster, node), process).min(last),
            false => last,
        };
        // A sample speaks until the next one; where samples are rarer than slots, slots between
        // two samples are no gap.
        let reach = i64::from(store.interval_ms(id)).max(1_000) * 5 / 2;
        for point in store.points(id, first.plus_ms(-reach), last) {
            let Some(state) = ClockState::from_wire(point.value) else {
                continue;
            };
            let start = axis.slot_beyond(point.at).max(0);
            let end = axis.slot_beyond(point.at.plus_ms(reach - 1).min(to));
            for slot in start..=end.min(axis.slots as i64 - 1) {
                let Some(held) = usize::try_from(slot).ok().and_then(|s| states.get_mut(s)) else {
                    continue;
                };
                // In its own slot the worst counts; beyond it only what nobody spoke of.
                *held = match *held {
                    Some(before) if slot == start => Some(state.max(before)),
                    Some(before) => Some(before),
                    None => Some(state),
                };
            }
        }
    }
    states
}

/// When the last of the processes of this name was up, as far as the samples reach; the beginning
/// of all times where none was seen up.
fn died(ctx: &Ctx<'_>, (cluster, node): ClockRow<'_>, process: &str) -> Timestamp {
    let store = &ctx.world.store;
    let all = store.find(cluster, "openshift_ptp_process_status");
    let own = all.filter(|(_, key)| {
        node_of(&key.labels) == node.node.as_ref() && key.labels.get("process") == Some(process)
    });
    let up = own.flat_map(|(id, _)| store.points(id, Timestamp(i64::MIN), ctx.world.now));
    let up = up.filter(|p| p.value >= 0.5).map(|p| p.at);
    up.max().unwrap_or(Timestamp(i64::MIN))
}

pub fn letter(theme: &Theme, state: Option<ClockState>) -> (char, Style) {
    match state {
        Some(ClockState::Locked) => ('L', theme.ok),
        Some(ClockState::Holdover) => ('H', theme.warn),
        Some(ClockState::Freerun) => ('F', theme.crit),
        None => (' ', theme.muted),
    }
}

/// The ribbon as text of one letter a slot.
pub fn line<'a>(theme: &Theme, states: &[Option<ClockState>]) -> Line<'a> {
    let spans = states.chunk_by(|a, b| a == b).map(|run| {
        let (letter, style) = letter(theme, run.first().copied().flatten());
        Span::styled(letter.to_string().repeat(run.len()), style)
    });
    Line::from(spans.collect::<Vec<_>>())
}
