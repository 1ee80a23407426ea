//! Capacity: what the nodes have, what is asked of it and used; and where the cluster can't be seen.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::{Amount, ClusterState, World, is_gpu};
use crate::ui::Ctx;
use crate::ui::widget::filter::Filter;

/// Requests above this share leave no room for what a lost node carried.
const FULL: f64 = 0.9;

#[derive(Clone, Debug)]
pub enum Room {
    Resource(String, Amount, Unit, f64),
    Blind(String, &'static str),
}

impl Room {
    pub fn name(&self) -> &str {
        match self {
            Self::Resource(name, ..) | Self::Blind(name, _) => name,
        }
    }

    pub fn explain(&self, now: Timestamp) -> String {
        match self {
            Self::Resource(name, amount, unit, scale) => format!(
                "{name}: {}\nrequests are those of pods that run or wait; allocatable is what the \
                 nodes leave to pods",
                crate::ui::view::fleet::amount(now, amount, (*unit, *scale))
            ),
            Self::Blind(what, remedy) => format!("{what}\nlook at: {remedy}"),
        }
    }
}

/// Resources first, then the blind spots.
pub fn rows<'a>(world: &World, c: &ClusterState, filter: &Filter) -> Vec<super::rows::Row<'a>> {
    let room = &c.capacity;
    let mut rows = vec![
        Room::Resource("CPU cores".into(), room.cpu, Unit::None, 1000.0),
        Room::Resource("memory".into(), room.memory, Unit::Bytes, 1.0),
        Room::Resource("pods".into(), room.pods, Unit::None, 1.0),
    ];
    let each = room.extended.iter().map(|(name, amount)| {
        let unit = match name.starts_with("hugepages-") {
            true => Unit::Bytes,
            false => Unit::None,
        };
        Room::Resource(name.to_string(), *amount, unit, 1.0)
    });
    rows.extend(each);
    let spots = world.blind_spots(c).into_iter();
    rows.extend(spots.map(|b| Room::Blind(b.what, b.remedy)));
    rows.retain(|r| filter.is_empty() || filter.matches_text(r.name()));
    rows.into_iter().map(super::rows::Row::Room).collect()
}

pub fn cell<'a>(ctx: &Ctx, room: &Room, column: usize) -> Line<'a> {
    match room {
        Room::Resource(name, amount, unit, scale) => {
            resource(ctx, (name, amount), (*unit, *scale), column)
        }
        Room::Blind(what, remedy) => match column {
            0 => Line::styled("?", ctx.theme.unknown),
            1 => Line::styled("blind spot", ctx.theme.warn),
            6 => Line::styled(format!("{what}: {remedy}"), ctx.theme.base),
            _ => Line::default(),
        },
    }
}

fn resource<'a>(
    ctx: &Ctx,
    (name, amount): (&str, &Amount),
    (unit, scale): (Unit, f64),
    column: usize,
) -> Line<'a> {
    let theme = ctx.theme;
    let known = |value: Option<u64>, style: Style| match value {
        Some(value) => Line::styled(unit.write(value as f64 / scale), style),
        None => Line::styled("n/a", theme.muted),
    };
    let share = |value: Option<f64>, style| match value {
        Some(value) => Line::styled(format!("{:.0}%", value * 100.0), style),
        None => Line::styled("n/a", theme.muted),
    };
    let old = amount.is_old(ctx.world.now);
    let full = amount.asked().is_some_and(|asked| asked > FULL);
    let style = if full { theme.warn } else { theme.base };
    match column {
        0 => match (full, amount.asked()) {
            (true, _) => Line::styled("▲", theme.warn),
            (false, Some(_)) => Line::styled("●", theme.ok),
            (false, None) => Line::styled("?", theme.unknown),
        },
        1 => Line::styled(name.to_owned(), theme.base),
        2 => known(amount.allocatable, theme.base),
        3 => known(amount.requested, theme.base),
        4 => share(amount.asked(), style),
        5 if old => {
            let mut used = share(amount.used, theme.muted);
            used.push_span("~");
            used
        }
        5 => share(amount.used, theme.base),
        _ => Line::styled(note(name, amount, old), theme.muted),
    }
}

fn note(name: &str, amount: &Amount, old: bool) -> String {
    let mut notes = Vec::new();
    if let (Some(all), Some(asked)) = (amount.allocatable, amount.requested) {
        if all == 0 && asked > 0 {
            notes.push("asked for, and no node offers it".to_owned());
        } else if amount.asked().is_some_and(|share| share > FULL) {
            notes.push("little room is left".to_owned());
        } else if is_gpu(name) && asked < all {
            notes.push(format!("{} free", all - asked));
        }
    }
    if amount.allocatable.is_none() && amount.requested.is_some_and(|n| n > 0) {
        notes.push("asked for; no node says what it has".to_owned());
    }
    match amount.told {
        0 => {}
        1 => notes.push("used: 1 node tells".into()),
        n => notes.push(format!("used: mean of {n} nodes")),
    }
    if old {
        notes.push("~ is old: no sample since".into());
    }
    notes.join("; ")
}
