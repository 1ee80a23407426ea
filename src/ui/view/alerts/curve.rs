//! The curve of an alert's expression around the time at which it began.

use std::collections::VecDeque;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::group::Row;
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::Fault;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesSamples};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{Numbers, above, cursor, empty, series_style, step_ms, unit_of};
use crate::ui::widget::chart::{Chart, Curve, Mark, MarkKind};

/// Shown on either side of the beginning, milliseconds.
const AROUND_MS: i64 = 30 * 60_000;
/// Curves that are kept.
const KEPT: usize = 16;
/// Series drawn at most where none is the alert's own.
const MOST: usize = 8;
/// A curve that still grows is asked for again after this time; so is a question without answer.
const OLD_MS: u64 = 60_000;

type Key = (ClusterId, String);

/// What is asked for an alert.
#[derive(Clone, Debug)]
pub struct Wanted {
    key: Key,
    expression: String,
    labels: Labels,
    from: Timestamp,
    to: Timestamp,
}

impl Wanted {
    /// `None`: its expression is not known, or nobody can be asked.
    pub fn of(world: &World, row: &Row<'_>) -> Option<Self> {
        let cluster = world.cluster(row.id.cluster)?;
        let alert = row.alerts.first()?;
        let expression = alert.expression.as_ref()?;
        cluster.answerer(SourceKind::Prometheus)?;
        Some(Self {
            key: (cluster.id, alert.fingerprint.to_string()),
            expression: expression.to_string(),
            labels: alert.labels.clone(),
            from: alert.starts_at.plus_ms(-AROUND_MS),
            to: alert.starts_at.plus_ms(AROUND_MS).min(world.now),
        })
    }
}

#[derive(Debug)]
struct Held {
    wanted: Wanted,
    at: Timestamp,
    result: Result<Vec<SeriesSamples>, Fault>,
}

/// The curves that were asked for, one question at a time.
#[derive(Debug, Default)]
pub struct Curves {
    held: VecDeque<Held>,
    asked: Option<(RequestId, Wanted, Timestamp)>,
}

impl Curves {
    /// What is held is asked for again.
    pub fn forget(&mut self) {
        self.held.clear();
    }

    pub fn ask(&mut self, wanted: Wanted, world: &World, numbers: &mut Numbers) -> Option<Effect> {
        let lost = |at: &Timestamp| world.age_ms(*at) > OLD_MS;
        if self.asked.as_ref().is_some_and(|(_, _, at)| !lost(at)) {
            return None;
        }
        let held = self.held.iter().find(|h| h.wanted.key == wanted.key);
        let whole = |h: &Held| h.wanted.to == wanted.to || world.age_ms(h.at) <= OLD_MS;
        if held.is_some_and(whole) {
            return None;
        }
        let id = numbers.take();
        let question = Question {
            id,
            cluster: wanted.key.0,
            ask: Ask::Range {
                query: curve_of(&wanted.expression).0,
                start: wanted.from,
                end: wanted.to,
                step_ms: step_ms(wanted.to.0.saturating_sub(wanted.from.0)),
            },
        };
        self.asked = Some((id, wanted, world.now));
        Some(Effect::Ask(question))
    }

    /// True when it was the answer waited for.
    pub fn take(&mut self, answered: &Answered) -> bool {
        let Some((_, wanted, at)) = self.asked.take_if(|(id, ..)| *id == answered.id) else {
            return false;
        };
        let result = match &answered.result {
            Ok(Answer::Series(series)) => Ok(own(&wanted.labels, series)),
            Ok(_) => Ok(Vec::new()),
            Err(fault) => Err(fault.clone()),
        };
        self.held.retain(|h| h.wanted.key != wanted.key);
        self.held.push_back(Held { wanted, at, result });
        if self.held.len() > KEPT {
            self.held.pop_front();
        }
        true
    }

    /// The room of the text and that of the curve below it.
    pub fn place(&self, row: &Row<'_>, area: Rect) -> (Rect, Rect) {
        let known = row.alerts.first().is_some_and(|a| a.expression.is_some());
        let rows = match area.height {
            _ if !known => 0,
            0..14 => 0,
            14..24 => 7,
            24..36 => 9,
            _ => 13,
        };
        above(area, rows)
    }

    pub fn draw(&self, ctx: &Ctx<'_>, row: &Row<'_>, area: Rect, buf: &mut Buffer) {
        let Some(wanted) = Wanted::of(ctx.world, row) else {
            return;
        };
        if area.height < 3 {
            return;
        }
        let held = self.held.iter().find(|h| h.wanted.key == wanted.key);
        let (from, to) = held.map_or((wanted.from, wanted.to), |h| (h.wanted.from, h.wanted.to));
        let (query, limit) = curve_of(&wanted.expression);
        let limit_word = limit.map(|l| format!(", limit {}", Unit::None.write(l)));
        let title = format!(
            "curve {}{}",
            ctx.span(from, to),
            limit_word.unwrap_or_default()
        );
        ctx.put(buf, (area.x, area.y), area.width, &title, ctx.theme.title);
        let (_, area) = above(area, area.height - 1);
        let series = match held.map(|h| &h.result) {
            None if self.asked.is_some() => return empty(ctx, area, buf, "asking …"),
            None => return empty(ctx, area, buf, "not asked yet (r asks)"),
            Some(Err(fault)) => return empty(ctx, area, buf, &fault.to_string()),
            Some(Ok(series)) if series.is_empty() => {
                let text = "no series then: the expression matched nothing";
                return empty(ctx, area, buf, text);
            }
            Some(Ok(series)) => series,
        };
        let points: Vec<&[Sample]> = series.iter().map(|s| s.points.as_slice()).collect();
        let gap_ms = i64::from(step_ms(to.0.saturating_sub(from.0))) * 3;
        let curves: Vec<Curve<'_>> = points
            .iter()
            .enumerate()
            .map(|(index, points)| Curve {
                points,
                style: series_style(ctx.theme, index),
                gap_ms,
            })
            .collect();
        let limits: Vec<(f64, Style)> = limit.map(|l| (l, ctx.theme.crit)).into_iter().collect();
        Chart {
            curves: &curves,
            band: None,
            unit: unit_of(ctx.world, &query),
            from,
            to,
            limits: &limits,
            marks: &marks(ctx, row, (from, to)),
            zone: ctx.zone,
            axis: ctx.theme.muted,
            ascii: ctx.ascii,
            over: cursor(ctx),
        }
        .draw(area, buf);
    }
}

/// The alert's own series among those of its expression; where no label tells, the first ones.
fn own(labels: &Labels, series: &[SeriesSamples]) -> Vec<SeriesSamples> {
    let is_own = |s: &&SeriesSamples| s.key.labels.iter().all(|(n, v)| labels.get(n) == Some(v));
    let found: Vec<SeriesSamples> = series.iter().filter(is_own).take(MOST).cloned().collect();
    match found.is_empty() {
        true => series.iter().take(MOST).cloned().collect(),
        false => found,
    }
}

/// Where it began and ended, and what was changed around that.
fn marks(ctx: &Ctx<'_>, row: &Row<'_>, (from, to): (Timestamp, Timestamp)) -> Vec<Mark> {
    let mark = |at, kind, style| Mark { at, kind, style };
    let cluster = ctx.world.cluster(row.id.cluster);
    let changes = cluster
        .into_iter()
        .flat_map(|c| c.changes_between(from, to));
    let mut marks: Vec<Mark> = changes
        .map(|c| mark(c.at, MarkKind::Change, ctx.theme.accent))
        .collect();
    marks.extend(
        row.ended()
            .map(|at| mark(at, MarkKind::Alert, ctx.theme.muted)),
    );
    if let Some(alert) = row.alerts.first() {
        marks.push(mark(alert.starts_at, MarkKind::Alert, ctx.theme.crit));
    }
    marks
}

/// What an expression compares with a number, and that number: the whole curve tells more than the
/// part beyond it.
pub fn curve_of(expression: &str) -> (String, Option<f64>) {
    let joined = [" and ", " or ", " unless "];
    let whole = expression.trim();
    if joined.iter().any(|word| whole.contains(word)) {
        return (whole.to_owned(), None);
    }
    for sign in [">=", "<=", "==", "!=", ">", "<"] {
        if let Some((curve, limit)) = whole.rsplit_once(sign)
            && let Ok(limit) = limit.trim().parse::<f64>()
            && !curve.trim().is_empty()
        {
            return (curve.trim().to_owned(), Some(limit));
        }
    }
    (whole.to_owned(), None)
}
