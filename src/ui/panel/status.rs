//! How a query went with each cluster: in one line, and in full.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::asked::{Asked, Part, Phase};
use super::picture::Picture;
use super::series::Series;
use crate::model::combine::Combine;
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::unit::age;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::name;
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column<'static>; 6] = [
    Column::new("CLUSTER", 10, 30),
    Column::new("STATE", 9, 12),
    Column::new("TOOK", 7, 8).right(),
    Column::new("SERIES", 6, 13).right(),
    Column::new("SAMPLES", 7, 9).priority(2).right(),
    Column::new("NOTE", 10, 200).priority(1),
];

/// Clusters that a picture names one by one.
const NAMED: usize = 8;

/// How far the query got, in a few words. `every`: milliseconds from one question to the next, if
/// it is asked again.
pub fn line(asked: &Asked, picture: &Picture, every: Option<u32>) -> String {
    if picture.is_former() {
        return format!("asking {} clusters … Ctrl-c stops", asked.parts.len());
    }
    let count =
        |wanted: fn(&Phase) -> bool| asked.parts.iter().filter(|p| wanted(&p.phase)).count();
    let series: usize = asked.parts.iter().map(|p| p.series.len()).sum();
    let answered = count(|p| *p == Phase::Done);
    let mut words = vec![
        cut(asked).unwrap_or_else(|| format!("{series} series")),
        format!("{answered} of {} clusters", asked.parts.len()),
        format!("step {}", step(asked)),
    ];
    if let Some(slowest) = asked.parts.iter().filter_map(|p| p.latency_ms).max() {
        words.push(format!("{slowest} ms"));
    }
    let waiting = count(|p| matches!(p, Phase::Waiting(_)));
    let failed = count(|p| matches!(p, Phase::Failed(_)));
    let dropped = count(|p| *p == Phase::Dropped);
    let some = |n: usize, what: &str| (n > 0).then(|| format!("{n} {what}"));
    words.extend(some(waiting, "asked …"));
    words.extend(some(count(|p| *p == Phase::Joining), "being joined …"));
    words.extend(some(failed, "failed"));
    words.extend(some(dropped, "stopped"));
    words.extend(some(asked.without, "without Prometheus"));
    if let Some(every) = every {
        words.push(format!("every {}", age(u64::from(every))));
    }
    words.join(" · ")
}

pub fn step(asked: &Asked) -> String {
    age(u64::from(asked.grid.step_ms))
}

/// `first 5000 of 7312 series`.
fn cut(asked: &Asked) -> Option<String> {
    let cut: Vec<&Part> = asked
        .parts
        .iter()
        .filter(|p| p.cut_from.is_some())
        .collect();
    let held: usize = asked.parts.iter().map(|p| p.series.len()).sum();
    let all: usize = asked
        .parts
        .iter()
        .map(|p| p.cut_from.unwrap_or(p.series.len()))
        .sum();
    (!cut.is_empty()).then(|| format!("first {held} of ≥ {all} series ({} cut)", cut.len()))
}

/// Who answered these queries and when, who did not, and what of it is older or cut: what a picture
/// says of its source.
pub fn origin(world: &World, all: &[&Asked]) -> String {
    let parts = || all.iter().flat_map(|asked| &asked.parts);
    let named = |wanted: &dyn Fn(&Part) -> bool| -> BTreeSet<ClusterId> {
        parts().filter(|p| wanted(p)).map(|p| p.cluster).collect()
    };
    let silent = named(&|p| p.answered.is_none() && !p.reused);
    let old = named(&|p| p.is_stale() && !silent.contains(&p.cluster));
    let every = named(&|_| true);
    let answered: BTreeSet<ClusterId> = every.difference(&silent).copied().collect();
    let source = all.first().map_or(SourceKind::Prometheus, |a| a.source);
    let mut told = format!("{source} of {}", first(world, &answered));
    if let Some(at) = parts().filter_map(|p| p.answered).max() {
        told.push_str(&format!(" · answered {}", at.rfc3339()));
    }
    if !silent.is_empty() {
        let (n, of) = (silent.len(), every.len());
        told.push_str(&format!(" · {n} of {of} clusters did not answer"));
    }
    if !old.is_empty() {
        told.push_str(&format!(" · older: {}", first(world, &old)));
    }
    for cut in all.iter().filter_map(|asked| cut(asked)) {
        told.push_str(&format!(" · {cut}"));
    }
    told + " · UTC"
}

/// The names of the first of these, and how many more there are.
fn first(world: &World, clusters: &BTreeSet<ClusterId>) -> String {
    let names: Vec<&str> = clusters
        .iter()
        .take(NAMED)
        .map(|c| name(world, *c))
        .collect();
    match clusters.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// What is said above a picture of several clusters made one.
pub fn combined(asked: &Asked, series: &Series) -> Option<String> {
    if asked.combine == Combine::Merge {
        return None;
    }
    let answered = asked
        .parts
        .iter()
        .filter(|p| p.phase == Phase::Done)
        .count();
    let mut text = format!(
        "{} over {answered} of {} clusters",
        asked.combine.word(),
        asked.parts.len()
    );
    let short = series.short();
    if short > 0 {
        text.push_str(&format!(", up to {short} steps lack some"));
    }
    Some(text)
}

/// One row a cluster.
pub fn draw(ctx: &Ctx<'_>, asked: &Asked, table: &Table<ClusterId>, area: Rect, buf: &mut Buffer) {
    table.draw(
        ctx,
        area,
        buf,
        (&COLUMNS, &asked.parts),
        |part| part.cluster,
        |part, column| cell(ctx, part, column),
    );
}

fn cell<'a>(ctx: &Ctx<'a>, part: &'a Part, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    match column {
        0 => Line::styled(name(ctx.world, part.cluster), theme.base),
        1 => match &part.phase {
            Phase::Waiting(_) => {
                let since = age(ctx.world.age_ms(part.asked_at));
                Line::styled(format!("asking {since}"), theme.accent)
            }
            Phase::Joining => Line::styled("joining", theme.accent),
            Phase::Done if part.series.is_empty() => Line::styled("∅ nothing", theme.muted),
            Phase::Done => Line::styled("● answered", theme.ok),
            Phase::Failed(_) => Line::styled("✗ failed", theme.crit),
            Phase::Dropped => Line::styled("stopped", theme.warn),
        },
        2 => match part.latency_ms.filter(|_| !part.waits()) {
            Some(ms) => Line::styled(format!("{ms} ms"), theme.base),
            None => Line::styled("-", theme.muted),
        },
        3 => match part.cut_from {
            Some(all) => {
                let text = format!("{} of ≥ {all}", part.series.len());
                Line::styled(text, theme.warn)
            }
            None if part.answered.is_none() && !part.reused => Line::styled("-", theme.muted),
            None => Line::styled(part.series.len().to_string(), theme.base),
        },
        4 => Line::styled(part.samples().to_string(), theme.base),
        _ => note(ctx, part),
    }
}

/// What went wrong, else what the server warned of, else what is old or was known.
fn note<'a>(ctx: &Ctx<'a>, part: &'a Part) -> Line<'a> {
    let theme = ctx.theme;
    if let Phase::Failed(fault) = &part.phase {
        let old = part.answered.filter(|_| part.is_stale());
        let shown = old.map(|at| format!("shown is {} old; ", age(ctx.world.age_ms(at))));
        return Line::styled(format!("{}{fault}", shown.unwrap_or_default()), theme.crit);
    }
    if part.is_stale() {
        return Line::styled("shown answers an earlier question", theme.warn);
    }
    if !part.warnings.is_empty() {
        return Line::styled(format!("warning: {}", part.warnings.join("; ")), theme.warn);
    }
    match part.reused {
        true => Line::styled("only the new part was asked for", theme.muted),
        false => Line::default(),
    }
}
