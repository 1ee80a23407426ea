//! Log lines of what an alert is about, around its beginning, of those that are held.

use ratatui::text::Line;

use super::group::Row;
use crate::model::alert::Alert;
use crate::model::log::Level;
use crate::ui::Ctx;
use crate::ui::view::common::heading;
use crate::ui::widget::text::wrap;

/// Looked at before and after the beginning, milliseconds.
const BEFORE_MS: i64 = 5 * 60_000;
const AFTER_MS: i64 = 10 * 60_000;
/// Lines that are looked at: a frame has no time for more.
const LOOKED: usize = 4_000;
/// Lines that are shown.
const SHOWN: usize = 3;

/// Labels that an alert and a line of what it is about have in common.
const SAME: [&str; 4] = ["namespace", "pod", "container", "node"];

pub fn around<'a>(ctx: &Ctx<'_>, row: &Row<'_>, alert: &Alert, width: usize) -> Vec<Line<'a>> {
    let Some(cluster) = ctx.world.cluster(row.id.cluster) else {
        return Vec::new();
    };
    let wanted: Vec<(&str, &str)> = SAME
        .iter()
        .filter_map(|name| Some((*name, alert.labels.get(name)?)))
        .collect();
    // A namespace alone is many programs.
    if !wanted
        .iter()
        .any(|(name, _)| matches!(*name, "pod" | "node"))
    {
        return Vec::new();
    }
    let logs = &cluster.logs;
    let ns = |ms: i64| row.since.plus_ms(ms).0.saturating_mul(1_000_000);
    let (from, to) = (logs.before(ns(-BEFORE_MS)), logs.until(ns(AFTER_MS)));
    let first = from.max(to.saturating_sub(LOOKED));
    let of = |labels: &crate::model::label::Labels| {
        let told = |name: &str, value: &str| labels.get(name).is_none_or(|v| v == value);
        let named = |name: &str| matches!(name, "pod" | "node") && labels.get(name).is_some();
        wanted.iter().all(|(n, v)| told(n, v)) && wanted.iter().any(|(n, _)| named(n))
    };
    let lines = (first..to).rev().filter_map(|place| logs.get(place));
    let lines: Vec<_> = lines.filter(|line| of(line.labels)).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let bad = |level: Level| level >= Level::Error;
    let errors = lines.iter().filter(|l| bad(l.level)).count();
    let part = match first > from {
        true => format!(" of the last {LOOKED} held"),
        false => String::new(),
    };
    let text = format!("{} log lines then{part}, {errors} errors (xl)", lines.len());
    let mut out = vec![Line::default(), heading(ctx.theme, text)];
    let shown = lines.iter().filter(|l| errors == 0 || bad(l.level));
    for line in shown.take(SHOWN) {
        let at = crate::model::time::Timestamp(line.at_ns / 1_000_000);
        let text = format!("{} {}", ctx.clock_or_day(at), line.line);
        let style = if bad(line.level) {
            ctx.theme.crit
        } else {
            ctx.theme.base
        };
        let parts = wrap(&text, width).into_iter().take(2);
        out.extend(parts.map(|part| Line::styled(part, style)));
    }
    out
}
