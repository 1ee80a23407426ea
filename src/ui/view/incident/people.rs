//! What people did about an incident, here and on the other consoles of the team.

use ratatui::text::Line;

use super::desk::folded;
use crate::incident::Incident;
use crate::model::desk::Field;
use crate::model::incident::Stamp;
use crate::model::shared;
use crate::ui::Ctx;
use crate::ui::view::common::heading;

/// Names told of those who look at the same; more are counted.
const NAMES: usize = 3;
/// Lines of the history; older ones are counted.
const HISTORY: usize = 12;

/// Who else is here, how it stands, what gave way to what, and who did what before.
pub fn lines<'a>(ctx: &Ctx<'_>, incident: &Incident, width: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let mut out = Vec::new();
    if let Some(text) = others(ctx, incident) {
        out.extend(folded(&text, width, theme.accent));
    }
    if let Some((text, why)) = unheard(ctx).filter(|_| incident.is_ours()) {
        out.extend(folded(&text, width, theme.warn));
        out.extend(
            why.into_iter()
                .flat_map(|why| folded(why, width, theme.muted)),
        );
    }
    let said = standing(ctx, incident);
    if !said.is_empty() {
        out.push(heading(theme, "people"));
    }
    for line in said {
        out.extend(folded(&line, width, theme.base));
    }
    let clashes = incident.desk.clashes();
    if !clashes.is_empty() {
        out.push(heading(theme, "set while apart"));
    }
    for clash in clashes.iter().rev() {
        let told = |edit: &crate::model::desk::Edit| {
            format!("{} by {}", words(ctx, edit), by(ctx, &edit.stamp()))
        };
        let text = format!("{} gave way to {}", told(clash.lost), told(clash.won));
        out.extend(folded(&text, width, theme.warn));
    }
    out.extend(history(ctx, incident, width));
    out
}

/// How the team is heard, where it is not; what waits for it, and why.
pub fn unheard<'a>(ctx: &Ctx<'a>) -> Option<(String, Option<&'a str>)> {
    let team = &ctx.world.shared;
    let (line, refused) = (team.unheard(), team.odd().refused.as_deref());
    if line.is_none() && refused.is_none() {
        return None;
    }
    let waiting = ctx.world.waiting();
    let waits = match waiting {
        0 => String::new(),
        1 => ", 1 change waits".to_owned(),
        n => format!(", {n} changes wait"),
    };
    Some(match line {
        None => {
            let refused = refused.filter(|_| waiting > 0)?;
            (format!("shared: not taken{waits}"), Some(refused))
        }
        Some((shared::Line::Offline(why), since)) => {
            let since = ctx.clock_or_day(since);
            (format!("shared: offline since {since}{waits}"), Some(why))
        }
        Some(_) => (format!("shared: connecting{waits}"), None),
    })
}

/// Who else looks at it.
fn others(ctx: &Ctx<'_>, incident: &Incident) -> Option<String> {
    let lookers = ctx.world.lookers(incident);
    let told = lookers.iter().take(NAMES).map(|(name, n)| match n {
        1 => name.to_string(),
        n => format!("{name} on {n} consoles"),
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let more = match lookers.values().skip(NAMES).sum::<usize>() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    match lookers.values().sum::<usize>() {
        0 => None,
        1 => Some(format!("{told} looks at this too")),
        n => Some(format!("{n} others look at this: {told}{more}")),
    }
}

fn by(ctx: &Ctx<'_>, stamp: &Stamp) -> String {
    format!("{} {}", stamp.by, ctx.clock_or_day(stamp.at))
}

fn words(ctx: &Ctx<'_>, edit: &crate::model::desk::Edit) -> String {
    edit.what.words(|at| ctx.clock_or_day(at))
}

/// As it is now.
fn standing(ctx: &Ctx<'_>, incident: &Incident) -> Vec<String> {
    let desk = &incident.desk;
    let mut said = Vec::new();
    if let Some(stamp) = desk.acknowledged() {
        said.push(format!("acknowledged by {}", by(ctx, &stamp)));
    }
    if let Some((who, stamp)) = desk.assigned() {
        said.push(format!("assigned to {who} by {}", by(ctx, &stamp)));
    }
    if let Some((end, stamp)) = desk.muted() {
        let until = ctx.clock_or_day(end);
        let over = if incident.is_muted(ctx.world.now) {
            "muted until"
        } else {
            "was muted until"
        };
        said.push(format!("{over} {until} by {}", by(ctx, &stamp)));
    }
    let pins = desk.pins();
    said.extend(
        pins.iter()
            .rev()
            .map(|(stamp, text)| format!("pinned by {}: {text}", by(ctx, stamp))),
    );
    let notes = desk.notes().rev();
    said.extend(
        notes.map(|(stamp, note)| format!("{} {}: {note}", ctx.clock_or_day(stamp.at), stamp.by)),
    );
    said
}

/// Who set what to what before, newest first; notes stand above.
fn history<'a>(ctx: &Ctx<'_>, incident: &Incident, width: usize) -> Vec<Line<'a>> {
    let edits = incident.desk.edits().iter().rev();
    let edits: Vec<_> = edits.filter(|e| e.what.field() != Field::Notes).collect();
    let mut out = Vec::new();
    // One edit of each field says no more than how it stands.
    let mut fields: Vec<Field> = edits.iter().map(|e| e.what.field()).collect();
    fields.sort();
    if fields.windows(2).all(|two| two[0] != two[1]) {
        return out;
    }
    out.push(heading(ctx.theme, "history"));
    for edit in edits.iter().take(HISTORY) {
        let at = ctx.clock_or_day(edit.at);
        let text = format!("{at} {}: {}", edit.mark.by, words(ctx, edit));
        out.extend(folded(&text, width, ctx.theme.muted));
    }
    if let n @ 1.. = edits.len().saturating_sub(HISTORY) {
        out.extend(folded(&format!("{n} older"), width, ctx.theme.muted));
    }
    out
}
