//! Why a finding was flagged, as a picture: its curve over what was usual for it, on the time of the
//! incident.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{lanes, why};
use crate::incident::Incident;
use crate::model::finding::{Evidence, Finding, FindingKind};
use crate::model::sample::{Sample, SeriesKey};
use crate::model::thin::thin;
use crate::model::time::Timestamp;
use crate::model::usual::{Step, Usual};
use crate::ui::Ctx;
use crate::ui::view::common::{above, band, cursor, empty, pane};
use crate::ui::widget::chart::{Chart, Curve, Mark, MarkKind};

pub fn draw(
    ctx: &Ctx<'_>,
    (incident, finding): (&Incident, Option<&Finding>),
    area: Rect,
    buf: &mut Buffer,
) {
    let Some(finding) = finding else {
        let inner = pane(ctx, area, buf, "why flagged", "", false);
        return empty(ctx, inner, buf, "no finding");
    };
    let (from, to) = lanes::span(incident, ctx.world.now);
    let key = finding.evidence.iter().find_map(|e| match e {
        Evidence::Series(key) => Some(key),
        _ => None,
    });
    let usual = key.map(|key| usual(ctx, finding, key, ((from, to), area.width)));
    let words = usual.as_ref().map(|(_, words)| words.as_str());
    let title = format!(
        "why flagged: {} {}",
        why::brief(ctx.world, finding),
        finding.subject
    );
    let inner = pane(ctx, area, buf, &title, words.unwrap_or_default(), false);
    let (inner, line) = above(inner, u16::from(inner.height >= 5));
    ctx.put(
        buf,
        (line.x, line.y),
        line.width,
        &finding.method,
        ctx.theme.muted,
    );
    let Some((key, (usual, _))) = key.zip(usual) else {
        return empty(ctx, inner, buf, "no series tells of it (Tab: the evidence)");
    };
    let store = &ctx.world.store;
    let Some(id) = store.lookup(finding.cluster, key) else {
        return empty(ctx, inner, buf, "its samples are no longer held");
    };
    let all: Vec<Sample> = store.points(id, from, to).collect();
    let points = thin(&all, (from, to), usize::from(inner.width) * 2);
    let severity = lanes::level_style(ctx.theme, Some(lanes::level(finding.severity)));
    let limits = limits(finding, ctx.theme.crit);
    Chart {
        curves: &[Curve {
            points: &points,
            style: ctx.theme.base,
            gap_ms: i64::from(store.interval_ms(id)) * 3,
        }],
        band: Some(band(ctx, &usual)),
        unit: finding.unit,
        from,
        to,
        limits: &limits,
        marks: &marks(ctx, incident, finding, severity),
        zone: ctx.zone,
        axis: ctx.theme.muted,
        ascii: ctx.ascii,
        over: cursor(ctx),
    }
    .draw(inner, buf);
}

/// As its detector knows it, while it goes on; of what is over as it was told then.
fn usual(
    ctx: &Ctx<'_>,
    finding: &Finding,
    key: &SeriesKey,
    (range, columns): ((Timestamp, Timestamp), u16),
) -> (Usual, String) {
    if finding.kind == FindingKind::Threshold {
        return (Usual::NotLearned, "╌ limit".into());
    }
    if !finding.over {
        let usual = ctx.world.usual(finding.cluster, key, range, columns.into());
        if matches!(usual, Usual::Known { onset: Some(_), .. }) {
            let words = usual.words();
            return (usual, words);
        }
    }
    match finding.expected {
        Some((low, high)) => {
            let steps = vec![Step {
                at: range.0,
                low,
                high,
            }];
            let usual = Usual::Known {
                steps,
                onset: Some(finding.since),
            };
            let words = usual.words();
            (usual, words)
        }
        None => (Usual::NotLearned, "what is usual: n/a".into()),
    }
}

fn limits(finding: &Finding, style: Style) -> Vec<(f64, Style)> {
    let limit = finding.kind == FindingKind::Threshold;
    let (low, high) = finding.expected.filter(|_| limit).unzip();
    let ends = [low, high].into_iter().flatten();
    ends.filter(|e| e.is_finite()).map(|e| (e, style)).collect()
}

/// The onset, and what was changed around it.
fn marks(ctx: &Ctx<'_>, incident: &Incident, finding: &Finding, severity: Style) -> Vec<Mark> {
    let (from, to) = lanes::span(incident, ctx.world.now);
    let cluster = ctx.world.cluster(incident.cluster);
    let changes = cluster
        .into_iter()
        .flat_map(|c| c.changes_between(from, to));
    let mut marks: Vec<Mark> = changes
        .map(|change| Mark {
            at: change.at,
            kind: MarkKind::Change,
            style: ctx.theme.accent,
        })
        .collect();
    marks.push(Mark {
        at: finding.since,
        kind: MarkKind::Anomaly,
        style: severity,
    });
    marks
}
