//! The picture of a panel in one of its forms, over the one time window, with the one cursor.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::events::{Event, marks, told};
use super::heat::{self, Heat};
use super::legend::draw_table;
use super::{MOST, Series, Shown, ShownId, stat};
use crate::model::sample::Sample;
use crate::model::thin::thin;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::model::usual::Usual;
use crate::ui::Ctx;
use crate::ui::view::common::{above, band, empty, lines, series_style};
use crate::ui::widget::chart::{
    Chart, Curve, MarkKind, Over, draw_pointed, draw_time_axis, plot_in, read_from,
};
use crate::ui::widget::table::Table;
use crate::ui::widget::timeline::Axis;

/// Columns of the value axis: the same in every panel, so that one cursor stands in one line.
pub const GUTTER: u16 = 10;
/// From so many rows on, one tells what happened at the cursor.
const TOLD_FROM: u16 = 8;

/// How the series are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    #[default]
    Line,
    Stacked,
    /// Histograms only.
    Heat,
    Table,
    Stat,
}

impl Form {
    pub const ALL: [Self; 5] = [
        Self::Line,
        Self::Stacked,
        Self::Heat,
        Self::Table,
        Self::Stat,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Stacked => "stacked",
            Self::Heat => "heat map",
            Self::Table => "table",
            Self::Stat => "stat",
        }
    }

    /// The next form that these series can be shown in.
    pub fn next(self, series: &Series) -> Self {
        let at = Self::ALL.iter().position(|f| *f == self).unwrap_or(0);
        let after = Self::ALL.iter().cycle().skip(at + 1).take(Self::ALL.len());
        let fits = |form: &&Self| **form != Self::Heat || series.is_histogram();
        after
            .copied()
            .by_ref()
            .find(|f| fits(&f))
            .unwrap_or_default()
    }

    /// Whether time runs from left to right in it.
    pub fn has_time(self) -> bool {
        matches!(self, Self::Line | Self::Stacked | Self::Heat)
    }
}

/// What is drawn; the pane around it is the caller's.
pub struct Panel<'a> {
    pub shown: &'a Series,
    pub form: Form,
    /// Only this one.
    pub alone: Option<&'a ShownId>,
    pub hidden: &'a BTreeSet<ShownId>,
    pub events: &'a [Event],
    /// What is usual for one of them, drawn behind the lines, and what is said of it.
    pub usual: Option<&'a (String, Usual)>,
    /// Unit of the bounds of a histogram.
    pub bounds: Unit,
    /// What to say where there is nothing to show.
    pub why_empty: &'a str,
}

impl<'a> Panel<'a> {
    pub fn is_hidden(&self, shown: &Shown) -> bool {
        match self.alone {
            Some(id) => *id != shown.id,
            None => self.hidden.contains(&shown.id),
        }
    }

    /// Whether the series at this place is in the picture.
    pub fn draws(&self, index: usize, shown: &Shown) -> bool {
        let alone = self.alone.is_some();
        let room = index < MOST || alone || self.form == Form::Heat;
        room && !self.is_hidden(shown)
    }

    fn drawn(&self) -> Vec<(usize, &'a Shown)> {
        let all = self.shown.iter().enumerate();
        all.filter(|(i, s)| self.draws(*i, s)).collect()
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, table: &Table<ShownId>) {
        if self.shown.is_empty() {
            return empty(ctx, area, buf, self.why_empty);
        }
        match self.form {
            Form::Table => draw_table(ctx, self, area, buf, table),
            Form::Stat => self.draw_stats(ctx, area, buf),
            Form::Line | Form::Stacked | Form::Heat => self.draw_over_time(ctx, area, buf),
        }
    }

    fn draw_stats(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let visible = self.shown.iter().enumerate();
        let visible: Vec<_> = visible.filter(|(_, s)| !self.is_hidden(s)).collect();
        if stat::fits(area, visible.len()) {
            stat::draw(ctx, area, buf, (self.shown, &visible));
            return;
        }
        let (top, below) = above(area, 1);
        let drawn = stat::draw_rows(ctx, top, buf, (self.shown, &visible));
        if drawn < visible.len() {
            let text = format!("{} more do not fit", visible.len() - drawn);
            ctx.put(buf, (below.x, below.y), below.width, &text, ctx.theme.muted);
        }
    }

    fn draw_over_time(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let window = ctx.window.bounds(ctx.world.now);
        let (area, line) = above(area, told_rows(area));
        let plot = plot_in(area, GUTTER);
        let column_ms = Axis::new(window.0, window.1, usize::from(plot.width)).slot_ms;
        if line.height > 0 {
            self.draw_told(ctx, line, column_ms, buf);
        }
        match self.form {
            Form::Heat => self.draw_heat(ctx, area, window, buf),
            _ => self.draw_curves(ctx, area, window, buf),
        }
    }

    /// What is usual, and what happened.
    fn draw_told(&self, ctx: &Ctx<'_>, line: Rect, column_ms: i64, buf: &mut Buffer) {
        let mut spans = Vec::new();
        if let Some((words, _)) = self.usual {
            spans.push(Span::styled(format!("{words}  "), ctx.theme.muted));
        }
        let told = told(ctx, self.events, column_ms);
        spans.extend(told.map(|told| Span::styled(told, ctx.theme.accent)));
        lines(ctx, line, buf, &[Line::from(spans)], 0);
    }

    fn over(&self, ctx: &Ctx<'_>) -> Over {
        let selection = ctx.cursor.selection();
        Over {
            cursor: ctx.cursor.at.map(|at| (at, ctx.theme.key)),
            selection: selection.map(|(from, to)| (from, to, ctx.theme.selected)),
            gutter: Some(GUTTER),
            stacked: self.form == Form::Stacked,
        }
    }

    fn draw_curves(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        (from, to): (Timestamp, Timestamp),
        buf: &mut Buffer,
    ) {
        let drawn = self.drawn();
        let columns = usize::from(area.width) * 2;
        let points: Vec<Vec<Sample>> = drawn
            .iter()
            .map(|(_, s)| thin(&s.points, (read_from(from, to), to), columns))
            .collect();
        let curves: Vec<Curve<'_>> = drawn
            .iter()
            .zip(&points)
            .map(|((index, s), points)| Curve {
                points,
                style: series_style(ctx.theme, *index),
                gap_ms: s.gap_ms(),
            })
            .collect();
        let first = drawn.first().map(|(_, s)| *s);
        let limits: Vec<(f64, Style)> = first
            .map(|s| s.limits.iter().map(|l| (*l, ctx.theme.crit)).collect())
            .unwrap_or_default();
        Chart {
            curves: &curves,
            band: self.usual.map(|(_, usual)| band(ctx, usual)),
            unit: first.map_or(Unit::None, |s| s.unit),
            from,
            to,
            limits: &limits,
            marks: &marks(ctx, self.events),
            zone: ctx.zone,
            axis: ctx.theme.muted,
            ascii: ctx.ascii,
            over: self.over(ctx),
        }
        .draw(area, buf);
    }

    fn draw_heat(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        window: (Timestamp, Timestamp),
        buf: &mut Buffer,
    ) {
        let plot = plot_in(area, GUTTER);
        let visible = self.shown.iter().filter(|s| !self.is_hidden(s));
        let visible: Vec<&Shown> = visible.collect();
        let Some(heat) = Heat::of(&visible, &heat::axis(window, plot.width)) else {
            return empty(ctx, area, buf, "these are no buckets (m shows lines)");
        };
        let picture = heat::Picture {
            heat: &heat,
            unit: self.bounds,
            axis: ctx.theme.muted,
            heat_style: ctx.theme.accent,
            ascii: ctx.ascii,
            gutter: GUTTER,
        };
        picture.draw(plot, buf);
        draw_pointed(&self.over(ctx), window, plot, buf);
        let seen = marks(ctx, self.events);
        let chart = Chart {
            curves: &[],
            band: None,
            unit: Unit::None,
            from: window.0,
            to: window.1,
            limits: &[],
            marks: &seen,
            zone: ctx.zone,
            axis: ctx.theme.muted,
            ascii: ctx.ascii,
            over: self.over(ctx),
        };
        draw_time_axis(&chart, area, buf);
    }
}

/// Rows of the line that tells what happened.
fn told_rows(area: Rect) -> u16 {
    u16::from(area.height >= TOLD_FROM)
}

/// Where time runs in a panel that is drawn into this area.
pub fn plot_of(area: Rect) -> Rect {
    let (area, _) = above(area, told_rows(area));
    plot_in(area, GUTTER)
}

/// Kinds of marks that this picture has, as a legend of glyphs.
pub fn glyphs(events: &[Event]) -> String {
    let has = |kind: MarkKind| events.iter().any(|e| e.kind == kind);
    [
        (MarkKind::Anomaly, "anomaly"),
        (MarkKind::Change, "change"),
        (MarkKind::Alert, "alert"),
        (MarkKind::Exemplar, "exemplar (xt)"),
        (MarkKind::Message, "bus message"),
    ]
    .into_iter()
    .filter(|(kind, _)| has(*kind))
    .map(|(kind, word)| format!("{} {word}", kind.glyph()))
    .collect::<Vec<_>>()
    .join("  ")
}
