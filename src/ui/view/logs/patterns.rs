//! Lines that say the same with other numbers, as one row: how many, since when, how they come.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::paint::{level_style, stamp};
use super::stream::{Entry, Merged};
use super::{Logs, Mode};
use crate::command::Command;
use crate::model::log::Level;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{dated, empty, pane};
use crate::ui::widget::heat::bars;
use crate::ui::widget::table::{Column, Table};

/// Lines looked at, the newest: what a key has time for.
const LINES: usize = 3_000;
/// Patterns told apart.
const MOST: usize = 500;
/// Letters of a line that make its pattern.
const LETTERS: usize = 160;
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

/// The level, where it was not in the pattern itself, and the pattern.
pub type PatternId = (Option<Level>, String);

#[derive(Clone, Debug)]
pub struct Pattern {
    pub id: PatternId,
    pub count: u32,
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
    /// There are older lines that were not looked at.
    cut: bool,
    span: (i64, i64),
}

/// Worst first, then what is said most often.
fn find(merged: &Merged<'_>) -> Found {
    let entries = merged.before(None, LINES);
    let first = entries.first().map_or(0, |e| e.line.at_ns);
    let last = entries.last().map_or(0, |e| e.line.at_ns);
    let mut places: HashMap<PatternId, usize> = HashMap::new();
    let mut rows: Vec<Pattern> = Vec::new();
    let mut key = String::new();
    for entry in &entries {
        let level = pattern(entry, &mut key);
        let id = (level, std::mem::take(&mut key));
        let place = match places.get(&id) {
            Some(place) => *place,
            None if rows.len() < MOST => {
                rows.push(begin(&id, entry));
                places.insert(id, rows.len() - 1);
                rows.len() - 1
            }
            None => continue,
        };
        let Some(row) = rows.get_mut(place) else {
            continue;
        };
        row.count += 1;
        row.last_ns = entry.line.at_ns;
        row.level = row.level.max(entry.line.level);
        let share = (entry.line.at_ns - first) as f64 / (last - first).max(1) as f64;
        let slot = (share * SLOTS as f64) as usize;
        if let Some(held) = row.trend.get_mut(slot.min(SLOTS - 1)) {
            *held += 1;
        }
    }
    let rank = |p: &Pattern| std::cmp::Reverse((p.level.max(Level::Info), p.count));
    rows.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.id.cmp(&b.id)));
    Found {
        rows,
        looked: entries.len(),
        cut: entries.len() == LINES,
        span: (first, last),
    }
}

/// What a line says. Of a JSON object that is its message and its level: the rest are figures.
fn pattern(entry: &Entry<'_>, out: &mut String) -> Option<Level> {
    let line = entry.line.line.as_ref();
    let message = message(line);
    mask(message.unwrap_or(line), out);
    message.map(|_| entry.line.level)
}

/// The message of a line that is a JSON object, as it is written there.
fn message(line: &str) -> Option<&str> {
    let object = line.strip_prefix('{')?;
    let names = ["\"msg\":", "\"message\":"];
    let after = names.iter().find_map(|name| object.split_once(name))?.1;
    let text = after.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    text.get(..end).filter(|t| !t.is_empty())
}

fn begin(id: &PatternId, entry: &Entry<'_>) -> Pattern {
    Pattern {
        id: id.clone(),
        count: 0,
        level: entry.line.level,
        first_ns: entry.line.at_ns,
        last_ns: entry.line.at_ns,
        from: entry.line.origin().to_owned(),
        trend: [0; SLOTS],
    }
}

/// Writes the pattern of a line: numbers (and ids that begin with one) become `<n>`, blanks one.
fn mask(line: &str, out: &mut String) {
    out.clear();
    let mut word = false;
    let mut number = false;
    let mut blank = true;
    for c in line.chars().take(LETTERS) {
        let letter = c.is_alphanumeric() || c == '_';
        if !letter {
            // A point within a number belongs to it, as does its sign.
            if number && matches!(c, '.' | ':') {
                continue;
            }
            (word, number) = (false, false);
            if c.is_whitespace() {
                if !blank {
                    out.push(' ');
                }
                blank = true;
                continue;
            }
            blank = false;
            out.push(c);
            continue;
        }
        blank = false;
        if !word && !number {
            number = c.is_ascii_digit();
            word = !number;
            if number {
                if out.ends_with(" -") || out.ends_with(" +") {
                    out.pop();
                }
                out.push_str("<n>");
                continue;
            }
        }
        if word {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
}

/// The filter that keeps the lines of a pattern: its longest words.
pub fn filter_of(pattern: &Pattern) -> String {
    let letters = |w: &&str| w.chars().all(char::is_alphanumeric) && w.chars().count() > 2;
    let mut words: Vec<&str> = pattern
        .id
        .1
        .split(|c: char| !(c.is_alphanumeric() || c == '<' || c == '>'))
        .filter(letters)
        .collect();
    words.sort_by_key(|w| std::cmp::Reverse(w.len()));
    words.dedup();
    words.truncate(4);
    words.join(" ")
}

impl Logs {
    fn found_patterns(&self, world: &World) -> std::sync::Arc<Found> {
        let key = self.key(world, (String::new(), 0, 0));
        let kept = &self.kept.patterns;
        kept.get(key, || find(&self.merged(world)))
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
            let at = table.position(rows, |p| p.id.clone());
            if let Some(pattern) = at.and_then(|at| rows.get(at)) {
                let filter = filter_of(pattern);
                self.set_filter(&filter);
                self.mode = Mode::Lines;
            }
            return true;
        }
        let own = !matches!(
            command,
            Command::Filter(_) | Command::Sort | Command::ReverseSort
        );
        let moved = own && table.update(command, rows, |p| p.id.clone());
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
            |p| p.id.clone(),
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
        _ => Line::styled(p.id.1.as_str(), base),
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
            p.count, p.level, p.from, p.id.1
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(line: &str) -> String {
        let mut out = String::new();
        mask(line, &mut out);
        out
    }

    #[test]
    fn numbers_differ_words_do_not() {
        let a =
            masked("ptp4l[1795277325.362]: [ptp4l.0.config:6] master offset   72 s1 freq -2130");
        let b = masked("ptp4l[1795277399.001]: [ptp4l.0.config:6] master offset 3 s1 freq -17");
        assert_eq!(a, b);
        assert!(a.contains("master offset <n> s1 freq <n>"), "{a}");
        assert_ne!(masked("state LOCKED"), masked("state FREERUN"));
        assert_eq!(masked("a 7c9d8f6b5d b"), masked("a 12 b"));
        assert_eq!(masked(""), "");
    }

    #[test]
    fn the_message_of_a_json_line_is_what_it_says() {
        for (line, wanted) in [
            (
                r#"{"ts":"2026","msg":"no \"time\", barred","cell":1}"#,
                Some(r#"no \"time\", barred"#),
            ),
            (r#"{"message": "x"}"#, Some("x")),
            (r#"{"msg":"never ends"#, None),
            (r#"{"msg":5}"#, None),
            ("msg=\"x\"", None),
        ] {
            assert_eq!(message(line), wanted, "{line}");
        }
    }

    #[test]
    fn the_filter_of_a_pattern_keeps_its_lines() {
        let line = "T-BC-STATUS: ens4fx state HOLDOVER -> FREERUN, timeout of 180 s exceeded";
        let pattern = Pattern {
            id: (None, masked(line)),
            count: 1,
            level: Level::Error,
            first_ns: 0,
            last_ns: 0,
            from: String::new(),
            trend: [0; SLOTS],
        };
        let filter = crate::ui::widget::filter::Filter::parse(&filter_of(&pattern));
        assert!(filter.matches(&[("line", line)]));
        assert!(!filter.matches(&[("line", "ptp4l master offset 72")]));
    }
}
