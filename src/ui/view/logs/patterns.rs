//! Lines that say the same with other numbers, as one row: how many, since when, how they come.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::hits::Said;
use super::paint::{level_style, stamp};
use super::stream::Merged;
use super::{Logs, Mode};
use crate::command::Command;
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine};
use crate::pattern::PatternId;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{dated, empty, pane};
use crate::ui::widget::heat::bars;
use crate::ui::widget::table::{Column, Table};

/// Patterns told apart.
const MOST: usize = 500;
const SLOTS: usize = 12;

const COLUMNS: [Column; 7] = [
    Column::new("S", 1, 1),
    Column::new("COUNT", 5, 6).right(),
    Column::new("TREND", SLOTS as u16, SLOTS as u16).priority(2),
    Column::new("FIRST", 8, 8).priority(3),
    Column::new("LAST", 8, 8).priority(1),
    Column::new("FROM", 12, 26).priority(4),
    Column::new("PATTERN", 36, 400),
];

#[derive(Clone, Debug)]
pub struct Pattern {
    pub id: PatternId,
    /// What its lines say, `<*>` for what varies.
    pub template: String,
    pub count: u32,
    /// The worst of its lines.
    pub level: Level,
    first_ns: i64,
    last_ns: i64,
    from: String,
    trend: [u32; SLOTS],
}

/// What is told of the lines looked at.
#[derive(Debug)]
pub struct Found {
    pub rows: Vec<Pattern>,
    looked: usize,
    /// There are lines that were not looked at yet.
    pub cut: bool,
    span: (i64, i64),
}

/// Worst first, then what is said most often.
fn find(merged: &Merged<'_>, template: impl Fn(PatternId) -> String) -> Found {
    let span = merged.span();
    let slot = |at_ns: i64| {
        let share = at_ns.saturating_sub(span.0) as f64 / (span.1 - span.0).max(1) as f64;
        Some(((share * SLOTS as f64) as usize).min(SLOTS - 1))
    };
    let mut looked = 0;
    let mut places: HashMap<PatternId, usize> = HashMap::new();
    let mut rows: Vec<Pattern> = Vec::new();
    let mut unread = false;
    let cut = merged.parts((i64::MIN, i64::MAX), slot, |part| {
        if !part.block.has_patterns() {
            unread = true;
            return;
        }
        part.said(|said| {
            looked += said.count as usize;
            let row = match places.get(&said.pattern) {
                Some(place) => rows.get_mut(*place),
                None if rows.len() < MOST => {
                    places.insert(said.pattern, rows.len());
                    rows.push(begin(said, part.block.sets(), template(said.pattern)));
                    rows.last_mut()
                }
                None => None,
            };
            if let Some(row) = row {
                row.take(said, part.slot);
            }
        });
    });
    let rank = |p: &Pattern| std::cmp::Reverse((p.level.max(Level::Info), p.count));
    rows.sort_by(|a, b| {
        rank(a)
            .cmp(&rank(b))
            .then_with(|| a.template.cmp(&b.template))
    });
    Found {
        rows,
        looked,
        cut: cut || unread,
        span,
    }
}

impl Pattern {
    fn take(&mut self, said: &Said, slot: usize) {
        self.count += said.count;
        self.level = self.level.max(said.worst);
        self.first_ns = self.first_ns.min(said.first_ns);
        self.last_ns = self.last_ns.max(said.last_ns);
        if let Some(held) = self.trend.get_mut(slot) {
            *held += said.count;
        }
    }
}

fn begin(said: &Said, sets: &[Labels], template: String) -> Pattern {
    let from = sets.get(said.set).map_or("", |set| LogLine::origin_of(set));
    Pattern {
        id: said.pattern,
        template,
        count: 0,
        level: said.worst,
        first_ns: said.first_ns,
        last_ns: said.last_ns,
        from: from.to_owned(),
        trend: [0; SLOTS],
    }
}

/// The filter that keeps the lines of a pattern: its longest words.
pub fn filter_of(template: &str) -> String {
    let letters = |w: &&str| w.chars().all(char::is_alphanumeric) && w.chars().count() > 2;
    let mut words: Vec<&str> = template
        .split(|c: char| !c.is_alphanumeric())
        .filter(letters)
        .collect();
    words.sort_by_key(|w| std::cmp::Reverse(w.len()));
    words.dedup();
    words.truncate(4);
    words.join(" ")
}

impl Logs {
    /// What the lines of a pattern say.
    pub(super) fn template(&self, world: &World, id: PatternId) -> String {
        match &self.asked {
            Some(asked) => asked.mining.template(id).to_owned(),
            None => world.miner.template(id),
        }
    }

    pub(super) fn found_patterns(&self, world: &World) -> std::sync::Arc<Found> {
        let key = self.key(world, (String::new(), 0, 0));
        let kept = &self.kept.patterns;
        kept.get(key, || {
            find(&self.merged(world), |id| self.template(world, id))
        })
    }

    /// True: the command was for the list of patterns.
    pub(super) fn move_in_patterns(&mut self, command: &Command, world: &World) -> bool {
        let Mode::Patterns(table) = &self.mode else {
            return false;
        };
        let mut table = table.clone();
        let found = self.found_patterns(world);
        let rows = &found.rows;
        if *command == Command::Open {
            let at = table.position(rows, |p| p.id);
            if let Some(pattern) = at.and_then(|at| rows.get(at)) {
                let filter = filter_of(&pattern.template);
                self.set_filter(&filter);
                self.mode = Mode::Lines;
            }
            return true;
        }
        let own = !matches!(
            command,
            Command::Filter(_) | Command::Sort | Command::ReverseSort
        );
        let moved = own && table.update(command, rows, |p| p.id);
        self.mode = Mode::Patterns(table);
        moved
    }

    pub(super) fn draw_patterns(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        table: &Table<PatternId>,
    ) {
        let found = self.found_patterns(ctx.world);
        let title = format!("patterns {}", found.rows.len());
        let sign = if found.cut { "newest " } else { "" };
        let (from, to) = found.span;
        let right = match found.looked {
            0 => String::new(),
            n => format!(
                "of {sign}{n} lines, {} .. {}",
                ctx.clock_or_day(stamp(from)),
                ctx.clock_or_day(stamp(to))
            ),
        };
        let inner = pane(ctx, area, buf, &title, &right, true);
        if found.rows.is_empty() {
            empty(ctx, inner, buf, &self.why_empty(ctx.world));
            return;
        }
        // The first of all said is the oldest of both times.
        let columns = [3, 4].iter().fold(COLUMNS, |columns, at| {
            dated(ctx, columns, *at, [stamp(found.span.0)])
        });
        table.draw(
            ctx,
            inner,
            buf,
            (&columns, &found.rows),
            |p| p.id,
            |p, column| cell(ctx, p, column, found.span),
        );
    }
}

fn cell<'a>(ctx: &Ctx<'_>, p: &'a Pattern, column: usize, span: (i64, i64)) -> Line<'a> {
    let (letter, style) = level_style(ctx.theme, p.level);
    let base = match p.level >= Level::Warning {
        true => style,
        false => ctx.theme.base,
    };
    match column {
        0 => Line::styled(letter, style),
        1 => Line::styled(p.count.to_string(), ctx.theme.base),
        2 => {
            let most = p.trend.iter().copied().max().unwrap_or(0);
            let values: Vec<Option<f64>> = p.trend.iter().map(|n| Some(f64::from(*n))).collect();
            Line::styled(bars(&values, f64::from(most)), style)
        }
        3 => {
            // Not said in the first tenth of the time looked at: it is new.
            let new = p.first_ns - span.0 > (span.1 - span.0) / 10;
            let style = if new { ctx.theme.warn } else { ctx.theme.muted };
            Line::styled(ctx.clock_or_day(stamp(p.first_ns)), style)
        }
        4 => Line::styled(ctx.clock_or_day(stamp(p.last_ns)), ctx.theme.muted),
        5 => Line::styled(p.from.as_str(), ctx.theme.muted),
        _ => Line::styled(p.template.as_str(), base),
    }
}

/// The patterns in words; for the agent.
pub fn brief(view: &Logs, ctx: &Ctx<'_>) -> String {
    let found = view.found_patterns(ctx.world);
    let mut out = format!("log patterns of the newest {} lines:", found.looked);
    for p in found.rows.iter().take(20) {
        let first = ctx.clock_or_day(stamp(p.first_ns));
        out.push_str(&format!(
            "\n{}x {:?} since {first} from {}: {}",
            p.count, p.level, p.from, p.template
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Miner;

    #[test]
    fn the_filter_of_a_pattern_keeps_its_lines() {
        let line = "T-BC-STATUS: ens4fx state HOLDOVER -> FREERUN, timeout of 180 s exceeded";
        let mut miner = Miner::default();
        let id = miner.line(line);
        let template = miner.template(id);
        let filter = crate::ui::widget::filter::Filter::parse(&filter_of(&template));
        assert!(filter.matches(&[("line", line)]));
        assert!(!filter.matches(&[("line", "ptp4l master offset 72")]));
    }
}
