//! The last 24 hours of an alert in a few cells, as far as they are known.

use super::group::Row;
use crate::model::alert::Spell;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::widget::spark;

/// Cells, and the time of each, milliseconds.
pub const CELLS: usize = 6;
const CELL_MS: i64 = 4 * 3_600_000;
/// Height of the shortest firing: it must not look like none.
const LEAST: f64 = 0.3;

/// How much of each time it fired. Blank: before the first firing that was told nothing is known.
pub fn line(world: &World, row: &Row<'_>) -> String {
    let Some(cluster) = world.cluster(row.id.cluster) else {
        return String::new();
    };
    let alerts = row.alerts.iter();
    let spells: Vec<Spell> = alerts
        .flat_map(|a| cluster.spells(&a.fingerprint))
        .collect();
    spark::line(&shares(&spells, world.now), 0.0, 1.0)
}

fn shares(spells: &[Spell], now: Timestamp) -> Vec<f64> {
    let known = spells.iter().map(|s| s.from.0).min();
    let cells = (0..CELLS as i64).rev().map(|back| {
        let (from, to) = (now.0 - (back + 1) * CELL_MS, now.0 - back * CELL_MS);
        if known.is_none_or(|known| known >= to) {
            return f64::NAN;
        }
        let fired = spells.iter().map(|spell| {
            let until = spell.to.unwrap_or(now).0.min(to);
            (until - spell.from.0.max(from)).max(0)
        });
        match fired.max().unwrap_or(0) {
            0 => 0.0,
            ms => LEAST + (1.0 - LEAST) * ms as f64 / CELL_MS as f64,
        }
    });
    cells.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn what_is_not_known_is_blank_and_a_short_firing_is_seen() {
        let now = Timestamp(100 * HOUR);
        let ago = |hours: i64| now.plus_ms(-hours * HOUR);
        let spells = [
            Spell {
                from: ago(14),
                to: Some(ago(14).plus_ms(60_000)),
            },
            Spell {
                from: ago(3),
                to: None,
            },
        ];
        let told = spark::line(&shares(&spells, now), 0.0, 1.0);
        assert_eq!(told, "  ▃▁▁▇");
        assert_eq!(spark::line(&shares(&[], now), 0.0, 1.0), " ".repeat(CELLS));
    }
}
