//! The curves of what was found, one under the other on the axis of the incident, so that who moved
//! first is seen: inside what was expected in the colour of the text, outside it in that of the finding.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{lanes, why};
use crate::model::finding::{Evidence, Finding};
use crate::model::sample::Sample;
use crate::model::time::Timestamp;
use crate::ui::Ctx;
use crate::ui::widget::spark;
use crate::ui::widget::text::fit;
use crate::ui::widget::timeline::Axis;

/// The curve of a finding with its name before it and what was seen behind it; `None`: it is told by
/// no series, or its samples are no longer held.
pub fn row<'a>(
    ctx: &Ctx<'_>,
    finding: &Finding,
    axis: &Axis,
    (head, note): (usize, usize),
    onset: Timestamp,
) -> Option<Line<'a>> {
    let theme = ctx.theme;
    let values = values(ctx, finding, axis)?;
    let label = format!("{} {}", why::brief(ctx.world, finding), finding.subject);
    let mut spans = vec![
        Span::styled(fit(&label, head - 1), theme.base),
        Span::raw(" "),
    ];
    spans.extend(drawn(ctx, finding, axis, &values, onset));
    let seen = finding.seen.map(|seen| why::value(finding, seen));
    let told = format!(" {}", seen.unwrap_or_default());
    spans.push(Span::styled(fit(&told, note), theme.muted));
    Some(Line::from(spans))
}

/// One value a slot, the one that is farthest from what was expected; a gap where nothing was heard.
fn values(ctx: &Ctx<'_>, finding: &Finding, axis: &Axis) -> Option<Vec<f64>> {
    let store = &ctx.world.store;
    let id = finding.evidence.iter().find_map(|e| match e {
        Evidence::Series(key) => store.lookup(finding.cluster, key),
        _ => None,
    })?;
    let (from, to) = axis.range();
    let off = |value: f64| match finding.expected {
        Some((low, high)) => (low - value).max(value - high),
        None => value,
    };
    let mut slots = vec![f64::NAN; axis.slots];
    let hold_ms = i64::from(store.interval_ms(id)) * 2;
    let mut before: Option<Sample> = None;
    let mut any = false;
    for sample in store.points(id, from, to) {
        let Some(at) = axis.slot(sample.at).filter(|_| sample.value.is_finite()) else {
            continue;
        };
        any = true;
        // Slots between two samples of an unbroken series hold the former one.
        if let Some(former) = before.filter(|f| sample.at.0 - f.at.0 <= hold_ms) {
            let begin = axis.slot(former.at).map_or(at, |s| s + 1);
            for slot in slots.get_mut(begin..at).unwrap_or_default() {
                *slot = former.value;
            }
        }
        before = Some(sample);
        if let Some(slot) = slots.get_mut(at)
            && (slot.is_nan() || off(sample.value) > off(*slot))
        {
            *slot = sample.value;
        }
    }
    any.then_some(slots)
}

fn drawn<'a>(
    ctx: &Ctx<'_>,
    finding: &Finding,
    axis: &Axis,
    values: &[f64],
    onset: Timestamp,
) -> Vec<Span<'a>> {
    let theme = ctx.theme;
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let begun = axis.slot(onset);
    let glyphs = spark::line(values, low, high);
    let outside = lanes::level_style(theme, Some(lanes::level(finding.severity)));
    let mut spans: Vec<Span<'a>> = Vec::new();
    let mut run = (String::new(), theme.base);
    for (slot, (glyph, value)) in glyphs.chars().zip(values).enumerate() {
        let (glyph, style): (char, Style) = match glyph {
            // Where it all began shows through what was not heard.
            ' ' if begun == Some(slot) => ('┊', theme.muted),
            ' ' => (' ', theme.base),
            glyph if expected(finding, *value) => (glyph, theme.base),
            glyph => (glyph, outside),
        };
        if style != run.1 && !run.0.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut run.0), run.1));
        }
        run.0.push(glyph);
        run.1 = style;
    }
    spans.push(Span::styled(run.0, run.1));
    spans
}

fn expected(finding: &Finding, value: f64) -> bool {
    match finding.expected {
        Some((low, high)) => (low..=high).contains(&value),
        None => true,
    }
}
