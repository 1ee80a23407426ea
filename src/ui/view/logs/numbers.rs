//! LogQL that gives numbers: asked of every cluster of the scope, drawn as curves with a legend.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Logs;
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::Fault;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::sample::SeriesSamples;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{above, clusters, empty, lines, name, pane, series_style, step_ms};
use crate::ui::view::editing::{Editing, Shown as Query};
use crate::ui::view::scroll::Scroll;
use crate::ui::widget::chart::{Chart, Curve, Over, SYMBOLS};

/// Curves drawn: more cannot be told apart.
const MOST: usize = 20;

#[derive(Debug)]
pub struct Counted {
    pub query: String,
    pending: Vec<RequestId>,
    /// Greatest last value first.
    series: Vec<(ClusterId, SeriesSamples)>,
    faults: Vec<Fault>,
    warnings: Vec<String>,
    answered: usize,
    without: usize,
    cut_from: Option<usize>,
    latency_ms: u32,
    step_ms: u32,
    span: (Timestamp, Timestamp),
    scroll: Scroll,
}

impl Logs {
    /// Asks for the numbers of a query.
    pub(super) fn count(&mut self, query: &str, world: &World) -> Vec<Effect> {
        let (start, end) = self.window.bounds(world.now);
        let step_ms = step_ms(self.window.span_ms);
        let mut counted = Counted {
            query: query.to_owned(),
            pending: Vec::new(),
            series: Vec::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
            answered: 0,
            without: 0,
            cut_from: None,
            latency_ms: 0,
            step_ms,
            span: (start, end),
            scroll: Scroll::default(),
        };
        let mut effects = Vec::new();
        for cluster in clusters(world, self.scope) {
            if !cluster.sources.contains_key(&SourceKind::Loki) {
                counted.without += 1;
                continue;
            }
            let id = self.numbers.take();
            counted.pending.push(id);
            effects.push(Effect::Ask(Question {
                id,
                cluster: cluster.id,
                ask: Ask::LogSeries {
                    query: query.to_owned(),
                    start,
                    end,
                    step_ms,
                },
            }));
        }
        self.counted = Some(counted);
        effects
    }

    pub(super) fn draw_counted(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        if let Some(counted) = &self.counted {
            counted.draw(ctx, area, buf);
        }
    }
}

impl Counted {
    /// False: no answer to this query.
    pub fn take(&mut self, answered: &Answered) -> bool {
        let Some(place) = self.pending.iter().position(|id| *id == answered.id) else {
            return false;
        };
        self.pending.remove(place);
        self.latency_ms = self.latency_ms.max(answered.latency_ms);
        self.warnings.extend(answered.warnings.iter().cloned());
        self.cut_from = self.cut_from.max(answered.cut_from);
        match &answered.result {
            Ok(Answer::Series(series)) => {
                self.answered += 1;
                let new = series.iter().map(|s| (answered.cluster, s.clone()));
                self.series.extend(new);
                self.series
                    .sort_by(|(_, a), (_, b)| last(b).total_cmp(&last(a)));
            }
            Ok(_) => self.answered += 1,
            Err(fault) => self.faults.push(fault.clone()),
        }
        true
    }

    pub fn scroll(&mut self, down: bool) {
        match down {
            true => self.scroll.down(),
            false => self.scroll.up(),
        }
    }

    fn status(&self) -> String {
        let mut text = format!(
            "{} series · {} clusters · step {}s · {} ms",
            self.series.len(),
            self.answered,
            self.step_ms / 1000,
            self.latency_ms
        );
        if !self.pending.is_empty() {
            text.push_str(&format!(" · {} asked …", self.pending.len()));
        }
        if let Some(from) = self.cut_from {
            text.push_str(&format!(" · cut from ≥ {from}"));
        }
        if self.without > 0 {
            text.push_str(&format!(" · {} without Loki", self.without));
        }
        text
    }

    /// The query with how far it got.
    pub fn draw_query(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, editing: &Editing) {
        let faults: Vec<&Fault> = self.faults.iter().collect();
        let warnings: Vec<&str> = self.warnings.iter().map(String::as_str).collect();
        let query = Query {
            title: "logql (o edit)",
            status: &self.status(),
            told: "",
            text: &self.query,
            faults: &faults,
            warnings: &warnings,
        };
        editing.draw(ctx, area, buf, &query);
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let rows = u16::try_from(self.series.len()).unwrap_or(u16::MAX);
        let legend = rows.saturating_add(2).min(area.height / 3).max(3);
        let (graph, legend) = above(area, legend.min(area.height));
        let right = match self.series.len() > MOST {
            true => format!("the greatest {MOST} of {}", self.series.len()),
            false => ctx.span(self.span.0, self.span.1),
        };
        let inner = pane(ctx, graph, buf, "numbers of the query", &right, true);
        match self.series.is_empty() {
            true => empty(ctx, inner, buf, self.why_empty()),
            false => self.draw_graph(ctx, inner, buf),
        }
        let inner = pane(ctx, legend, buf, "legend", "last · max", false);
        let columns = usize::from(inner.width);
        let seen = self.scroll.seen(self.series.len(), inner.height);
        let rows: Vec<Line<'_>> = (0..)
            .zip(&self.series)
            .skip(seen.start)
            .take(seen.len())
            .map(|(number, (cluster, series))| row(ctx, number, *cluster, series, columns))
            .collect();
        lines(ctx, inner, buf, &rows, 0);
    }

    fn why_empty(&self) -> &'static str {
        match (
            self.pending.is_empty(),
            self.answered,
            self.faults.is_empty(),
        ) {
            (false, ..) => "asking …",
            (true, 0, true) => "no cluster of the scope has a Loki",
            (true, 0, false) => "no answer: the reason stands above",
            _ => "no series: no line matched in this time",
        }
    }

    fn draw_graph(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let gap_ms = i64::from(self.step_ms) * 3;
        let points: Vec<_> = self
            .series
            .iter()
            .take(MOST)
            .map(|(_, s)| &s.points)
            .collect();
        let curves: Vec<Curve<'_>> = points
            .iter()
            .enumerate()
            .map(|(index, points)| Curve {
                points: points.as_slice(),
                style: series_style(ctx.theme, index),
                gap_ms,
            })
            .collect();
        Chart {
            curves: &curves,
            band: None,
            unit: unit(&self.query),
            from: self.span.0,
            to: self.span.1,
            limits: &[],
            marks: &[],
            zone: ctx.zone,
            axis: ctx.theme.muted,
            ascii: ctx.ascii,
            over: Over::default(),
        }
        .draw(area, buf);
    }
}

fn last(series: &SeriesSamples) -> f64 {
    series
        .points
        .as_slice()
        .last()
        .map_or(f64::NEG_INFINITY, |p| p.value)
}

/// As far as the function tells it.
fn unit(query: &str) -> Unit {
    match () {
        () if query.contains("bytes_rate") => Unit::BytesPerSecond,
        () if query.contains("bytes_over_time") => Unit::Bytes,
        () if query.contains("unwrap") => Unit::None,
        () if query.contains("rate(") => Unit::PerSecond,
        () => Unit::None,
    }
}

fn row<'a>(
    ctx: &Ctx<'a>,
    number: usize,
    cluster: ClusterId,
    series: &SeriesSamples,
    columns: usize,
) -> Line<'a> {
    let theme = ctx.theme;
    let symbol = match number < MOST {
        true => SYMBOLS.get(number % SYMBOLS.len()).copied().unwrap_or('·'),
        false => ' ',
    };
    let finite = series
        .points
        .as_slice()
        .iter()
        .map(|p| p.value)
        .filter(|v| v.is_finite());
    let most = finite.fold(None, |most: Option<f64>, v| {
        Some(most.map_or(v, |m| m.max(v)))
    });
    let write = |value: Option<f64>| value.map_or("n/a".into(), |v| Unit::None.write(v));
    let labels = series.key.labels.iter().map(|(k, v)| format!("{k}={v}"));
    let labels = labels.collect::<Vec<_>>().join(" ");
    let figures = format!(
        "{:>9} {:>9}",
        write(Some(last(series)).filter(|v| v.is_finite())),
        write(most)
    );
    let many = ctx.world.clusters.len() > 1;
    let origin = if many { name(ctx.world, cluster) } else { "" };
    let said = format!("{origin} {labels}");
    let room = columns.saturating_sub(figures.len() + 3);
    Line::from(vec![
        Span::styled(format!("{symbol} "), series_style(theme, number)),
        Span::styled(crate::ui::widget::text::fit(said.trim(), room), theme.base),
        Span::styled(format!(" {figures}"), theme.muted),
    ])
}

/// The curves in words; for the agent.
pub fn brief(counted: &Counted, ctx: &Ctx<'_>) -> String {
    let mut out = format!("LogQL {}: {}", counted.query, counted.status());
    for (cluster, series) in counted.series.iter().take(30) {
        let last = Unit::None.write(last(series));
        out.push_str(&format!(
            "\n{} {}: last {last}",
            name(ctx.world, *cluster),
            series.key
        ));
    }
    out
}
