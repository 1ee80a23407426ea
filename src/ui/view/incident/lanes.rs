//! The timeline of an incident: a lane for each finding, by its first sign, and the changes on the
//! same axis.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{curves, why};
use crate::incident::Incident;
use crate::model::alert::Severity;
use crate::model::finding::Finding;
use crate::model::time::Timestamp;
use crate::state::world::{BLAME_MS, Causes};
use crate::ui::view::common::{lines, name, pane};
use crate::ui::widget::badge::age;
use crate::ui::widget::text::fit;
use crate::ui::widget::timeline::{Axis, Lane};
use crate::ui::{Ctx, Theme};

/// Time shown before the first sign: what led to it is looked for there.
const LEAD_MS: i64 = BLAME_MS;

/// Rows before the first finding: title, axis, changes.
const FIRST: usize = 3;

/// First sign of all.
fn first_sign(incident: &Incident) -> Timestamp {
    let signs = incident.findings.iter().map(|f| f.since);
    signs.min().unwrap_or(incident.opened)
}

/// The time that its pictures show.
pub fn span(incident: &Incident, now: Timestamp) -> (Timestamp, Timestamp) {
    let start = first_sign(incident);
    let end = incident.closed.unwrap_or(now);
    (start.plus_ms(-LEAD_MS), end.max(start.plus_ms(LEAD_MS)))
}

/// `curves`: of each finding its curve instead of its lane.
pub fn draw(
    ctx: &Ctx<'_>,
    (incident, causes): (&Incident, &Causes),
    curves: bool,
    area: Rect,
    buf: &mut Buffer,
) {
    let title = format!(
        "INC-{} {} · {}{} → {} · score {:.2} · {}",
        incident.number,
        name(ctx.world, incident.cluster),
        if incident.is_older() { "before " } else { "" },
        ctx.clock_or_day(incident.opened),
        incident
            .closed
            .map_or("now".into(), |c| ctx.clock_or_day(c)),
        incident.score,
        incident.word(ctx.world.now),
    );
    let right = match ctx.world.lookers(incident).values().sum::<usize>() {
        0 => format!("{} findings", incident.findings.len()),
        n => format!("{n} more look · {} findings", incident.findings.len()),
    };
    let inner = pane(ctx, area, buf, &title, &right, false);
    if inner.width < 40 || inner.height < 3 {
        return;
    }
    let (head, note) = match inner.width {
        w if w >= 150 => (44, 20),
        w if w >= 90 => (34, 14),
        _ => (24, 10),
    };
    let slots = usize::from(inner.width) - head - note;
    let start = first_sign(incident);
    let (from, to) = span(incident, ctx.world.now);
    let axis = Axis::new(from, to, slots);
    let labels = Rect {
        x: inner.x + u16::try_from(head).unwrap_or(0),
        width: u16::try_from(slots).unwrap_or(0),
        height: 1,
        ..inner
    };
    let mut text = vec![
        Line::styled(incident.title.as_str(), ctx.theme.title),
        Line::default(),
        changes(ctx, (incident, causes), &axis, (head, note)),
    ];
    let findings = &incident.findings;
    if curves {
        let rows = findings.iter();
        let rows = rows.filter_map(|f| curves::row(ctx, f, &axis, (head, note), start));
        text.extend(rows);
        let bare = findings.len() + FIRST - text.len();
        if bare > 0 {
            let told = format!("{bare} of {} findings have no curve", findings.len());
            text.push(Line::styled(told, ctx.theme.muted));
        }
    } else {
        let rows = findings.iter().enumerate();
        text.extend(rows.map(|(n, f)| lane(ctx, f, &axis, (head, note), start, n == 0)));
    }
    let height = usize::from(inner.height);
    if text.len() > height {
        let hidden = text.len() - height + 1;
        text.truncate(height - 1);
        text.push(Line::styled(
            format!("{hidden} more in the list of findings"),
            ctx.theme.muted,
        ));
    }
    lines(ctx, inner, buf, &text, 0);
    let below = Rect {
        y: inner.y + 1,
        ..labels
    };
    axis.draw_labels(ctx.zone, below, buf, ctx.theme.muted);
}

/// What was changed on the cluster; named is the change that may be to blame, if one is likely.
fn changes<'a>(
    ctx: &Ctx<'_>,
    (incident, causes): (&Incident, &Causes),
    axis: &Axis,
    (head, note): (usize, usize),
) -> Line<'a> {
    let mut glyphs = vec!['─'; axis.slots];
    let (from, to) = axis.range();
    let mut count = 0;
    if let Some(cluster) = ctx.world.cluster(incident.cluster) {
        for change in cluster.changes_between(from, to) {
            if let Some(place) = axis.slot(change.at).and_then(|s| glyphs.get_mut(s)) {
                *place = '▼';
                count += 1;
            }
        }
    }
    let told = match (causes.likely_change(), count) {
        (Some((cause, change)), _) => {
            format!("{} {} {}", cause.percent(), change.subject.1, change.what)
        }
        (None, 0) => "none seen".to_owned(),
        (None, n) if !causes.is_known() => format!("{n} seen"),
        // Narrow: how many they are the marks tell.
        (None, _) if note < 12 => "unlikely".to_owned(),
        (None, n) => format!("{n}, unlikely"),
    };
    Line::from(vec![
        Span::styled(fit("changes", head), ctx.theme.muted),
        Span::styled(glyphs.into_iter().collect::<String>(), ctx.theme.accent),
        Span::styled(fit(&format!(" {told}"), note), ctx.theme.muted),
    ])
}

fn lane<'a>(
    ctx: &Ctx<'_>,
    finding: &'a Finding,
    axis: &Axis,
    (head, note): (usize, usize),
    start: Timestamp,
    first: bool,
) -> Line<'a> {
    let mut lane = Lane::new(axis);
    let until = if finding.over {
        finding.at
    } else {
        ctx.world.now.max(finding.at)
    };
    lane.raise(axis, finding.since, until, level(finding.severity));
    let label = format!("{} {}", why::brief(ctx.world, finding), finding.subject);
    let mut spans = vec![
        Span::styled(fit(&label, head - 1), ctx.theme.base),
        Span::raw(" "),
    ];
    let mut run = String::new();
    let mut style = ctx.theme.muted;
    for (glyph, level) in lane.glyphs() {
        let next = level_style(ctx.theme, level);
        if next != style && !run.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut run), style));
        }
        style = next;
        run.push(glyph);
    }
    spans.push(Span::styled(run, style));
    let after = finding.since.age_since_ms(start);
    let told = match first {
        true if note < 12 => "first".into(),
        true => "first sign".into(),
        false => format!("+{}", age_exact(after)),
    };
    let told = format!(" {told}");
    spans.push(Span::styled(fit(&told, note), ctx.theme.muted));
    Line::from(spans)
}

/// Seconds matter in who was first.
fn age_exact(ms: u64) -> String {
    if ms < 120_000 {
        format!("{} s", ms / 1000)
    } else {
        age(ms)
    }
}

pub fn level(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 0.9,
        Severity::Warning => 0.6,
        Severity::Info => 0.35,
    }
}

pub fn level_style(theme: &Theme, level: Option<f64>) -> Style {
    match level {
        Some(l) if l >= 0.85 => theme.crit,
        Some(l) if l >= 0.6 => theme.warn,
        Some(_) => theme.base,
        None => theme.muted,
    }
}
