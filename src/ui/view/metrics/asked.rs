//! A PromQL query on its way to the clusters of the scope and back.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::graph::{Shown, ShownId};
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::Fault;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::sample::SeriesSamples;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::view::common::{Numbers, clusters, lines, step_ms};
use crate::ui::view::editing::{Editing, Shown as Query};
use crate::ui::widget::field::Field;
use crate::ui::{Ctx, Window};

#[derive(Debug)]
pub struct Asked {
    pub query: String,
    pending: Vec<RequestId>,
    got: Vec<Got>,
    /// What is shown still answers the query before this one.
    former: bool,
    step_ms: u32,
    /// Clusters of the scope that cannot be asked.
    without: usize,
}

#[derive(Debug)]
struct Got {
    cluster: ClusterId,
    series: Vec<SeriesSamples>,
    fault: Option<Fault>,
    latency_ms: u32,
    warnings: Vec<String>,
    cut_from: Option<usize>,
}

impl Asked {
    pub fn new(
        query: &str,
        world: &World,
        scope: Option<ClusterId>,
        window: Window,
        numbers: &mut Numbers,
        before: Option<Asked>,
    ) -> (Self, Vec<Effect>) {
        let (start, end) = window.bounds(world.now);
        let step_ms = step_ms(window.span_ms);
        let mut pending = Vec::new();
        let mut effects = Vec::new();
        let mut without = 0;
        for cluster in clusters(world, scope) {
            if !cluster.sources.contains_key(&SourceKind::Prometheus) {
                without += 1;
                continue;
            }
            let id = numbers.take();
            pending.push(id);
            effects.push(Effect::Ask(Question {
                id,
                cluster: cluster.id,
                ask: Ask::Range {
                    query: query.to_owned(),
                    start,
                    end,
                    step_ms,
                },
            }));
        }
        let got = before.map(|b| b.got).unwrap_or_default();
        let asked = Self {
            query: query.to_owned(),
            former: !got.is_empty(),
            pending,
            got,
            step_ms,
            without,
        };
        (asked, effects)
    }

    /// Takes an answer; one to an older query is dropped.
    pub fn take(&mut self, answered: &Answered) {
        let Some(place) = self.pending.iter().position(|id| *id == answered.id) else {
            return;
        };
        self.pending.remove(place);
        if std::mem::take(&mut self.former) {
            self.got.clear();
        }
        let (series, fault) = match &answered.result {
            Ok(Answer::Series(series)) => (series.clone(), None),
            Ok(_) => (Vec::new(), None),
            Err(fault) => (Vec::new(), Some(fault.clone())),
        };
        self.got.push(Got {
            cluster: answered.cluster,
            series,
            fault,
            latency_ms: answered.latency_ms,
            warnings: answered.warnings.clone(),
            cut_from: answered.cut_from,
        });
    }

    pub fn shown(&self) -> Vec<Shown> {
        let mut shown = Vec::new();
        for got in &self.got {
            for series in &got.series {
                shown.push(Shown {
                    id: ShownId {
                        cluster: got.cluster,
                        key: series.key.clone(),
                    },
                    points: series.points.to_vec(),
                    unit: Unit::None,
                    limits: Vec::new(),
                    interval_ms: self.step_ms,
                });
            }
        }
        shown
    }

    /// How far the query got, in a few words.
    fn status(&self) -> String {
        let series: usize = self.got.iter().map(|g| g.series.len()).sum();
        let slowest = self.got.iter().map(|g| g.latency_ms).max().unwrap_or(0);
        let answered = self.got.iter().filter(|g| g.fault.is_none()).count();
        let step = self.step_ms / 1000;
        let mut text =
            format!("{series} series · {answered} clusters · step {step}s · {slowest} ms");
        if self.former {
            text = "asking …".into();
        } else if !self.pending.is_empty() {
            text.push_str(&format!(" · {} asked …", self.pending.len()));
        }
        if let Some(from) = self.got.iter().filter_map(|g| g.cut_from).max() {
            text.push_str(&format!(" · cut from ≥ {from}"));
        }
        if self.without > 0 {
            text.push_str(&format!(" · {} without Prometheus", self.without));
        }
        text
    }
}

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, asked: Option<&Asked>, editing: &Editing) {
    let got = asked.map(|a| a.got.as_slice()).unwrap_or_default();
    let faults: Vec<&Fault> = got.iter().filter_map(|g| g.fault.as_ref()).collect();
    let warnings = got.iter().flat_map(|g| &g.warnings).map(String::as_str);
    let warnings: Vec<&str> = warnings.collect();
    let query = Query {
        title: "promql (o edit)",
        status: &asked.map(Asked::status).unwrap_or_default(),
        text: asked.map_or("", |a| &a.query),
        faults: &faults,
        warnings: &warnings,
    };
    editing.draw(ctx, area, buf, &query);
}

/// The text being edited with its cursor; a long text is moved so that the cursor is seen.
pub fn draw_field(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, field: &Field) {
    let room = usize::from(area.width.saturating_sub(3)).max(1);
    let (skip, _) = field.in_view(room);
    let before: String = field
        .text()
        .chars()
        .skip(skip)
        .take(field.cursor() - skip)
        .collect();
    let at: String = field.text().chars().skip(field.cursor()).take(1).collect();
    let after: String = field.text().chars().skip(field.cursor() + 1).collect();
    let cursor = if at.is_empty() { " ".to_owned() } else { at };
    let line = Line::from(vec![
        Span::styled("› ", ctx.theme.key),
        Span::styled(before, ctx.theme.base),
        Span::styled(cursor, ctx.theme.selected),
        Span::styled(after, ctx.theme.base),
    ]);
    lines(ctx, area, buf, &[line], 0);
}
