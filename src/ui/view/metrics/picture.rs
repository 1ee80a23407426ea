//! The picture and the legend of what is held or was asked.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::held::held;
use super::{Metrics, Part};
use crate::model::id::ClusterId;
use crate::model::unit::Unit;
use crate::model::usual::Usual;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::panel::asked::Phase;
use crate::ui::panel::events::{Around, Event};
use crate::ui::panel::plot::{glyphs, plot_of};
use crate::ui::panel::{Form, Panel, Series, Shown, ShownId, by_change, heat, legend, status};
use crate::ui::view::common::{focused, inside, pane, unit_of};

impl Metrics {
    pub(super) fn shown(&self, world: &World) -> Arc<Series> {
        if self.asked.is_some() {
            return Arc::clone(self.picture.series());
        }
        let mut shown = match self.chosen_name(world) {
            Some(name) => held(world, self.scope, &name, self.window),
            None => Vec::new(),
        };
        by_change(&mut shown);
        Arc::new(Series::new(shown))
    }

    /// The form that was chosen, where these series can be shown so; buckets are a heat map.
    pub(super) fn form(&self, shown: &Series) -> Form {
        let buckets = shown.is_histogram();
        match self.form {
            None if buckets && self.asked.is_some() => Form::Heat,
            Some(Form::Heat) if !buckets => Form::Line,
            form => form.unwrap_or_default(),
        }
    }

    pub(super) fn events(&self, world: &World, shown: &[Shown]) -> Vec<Event> {
        let name = self.chosen_name(world);
        let (query, clusters) = match &self.asked {
            Some(asked) => (asked.query.as_ref(), asked.clusters()),
            None => (name.as_deref().unwrap_or_default(), clusters_of(shown)),
        };
        let around = Around {
            world,
            clusters: &clusters,
            shown,
            query,
            exemplars: self.asked.as_ref().map(|_| &self.exemplars),
            window: self.window,
        };
        around.events()
    }

    /// Ids in the order of the legend.
    pub(super) fn legend_ids(&self, world: &World) -> Vec<ShownId> {
        let shown = self.shown(world);
        let order = legend::order(world, self.at, &shown, &self.legend);
        let id = |at: usize| shown.get(at).map(|s| s.id.clone());
        order.into_iter().filter_map(id).collect()
    }

    pub(super) fn plot(&self, world_shown: &Series) -> Option<Rect> {
        let graph = self.layout(self.area).graph;
        let plot = plot_of(inside(graph));
        let seen = self.form(world_shown).has_time() && !self.choice.is_open();
        (seen && plot.width >= 8).then_some(plot)
    }

    pub(super) fn draw_picture(
        &self,
        ctx: &Ctx<'_>,
        (graph, below): (Rect, Rect),
        buf: &mut Buffer,
    ) {
        let shown = self.shown(ctx.world);
        let events = self.events(ctx.world, &shown);
        let asked = self.asked.as_ref();
        let waits = asked.is_some_and(|a| a.is_waiting());
        let fault = asked
            .and_then(|a| a.faults().next())
            .map(ToString::to_string);
        let fault = fault.unwrap_or_default();
        let mut panel = Panel {
            shown: &shown,
            form: self.form(&shown),
            alone: self.alone.as_ref(),
            hidden: &self.hidden,
            events: &events,
            usual: None,
            bounds: self.bounds_unit(ctx.world),
            why_empty: match (asked, waits) {
                // Where there is little room it is told only here.
                _ if !fault.is_empty() => &fault,
                (Some(_), true) => "asking … (Ctrl-c stops)",
                (Some(a), _) if a.parts.is_empty() => "no cluster asked has a Prometheus",
                (Some(a), _) if a.parts.iter().all(|p| p.phase == Phase::Dropped) => {
                    "stopped before anybody answered"
                }
                (Some(_), _) => "no series: the query matched nothing",
                (None, _) => "nothing is chosen",
            },
        };
        let here = self.part == Part::Legend && !self.editing.is_open();
        let usual = self.usual(ctx, &panel, usize::from(graph.width));
        panel.usual = usual.as_ref();
        let title = self.graph_title(&panel);
        let right = self.graph_told(ctx, &panel, &events);
        let on_table = panel.form == Form::Table;
        let inner = pane(ctx, graph, buf, &title, &right, on_table && here);
        panel.draw(&focused(ctx, here), inner, buf, &self.legend);
        let ctx = &focused(ctx, here);
        match asked.filter(|_| self.detail) {
            Some(asked) => {
                let told = self.exemplars.told().unwrap_or_default();
                let inner = pane(ctx, below, buf, "clusters asked (d closes)", &told, here);
                status::draw(ctx, asked, &self.clusters, inner, buf);
            }
            None => {
                let title = format!("legend {}", legend::counted(&panel));
                let right = "Enter alone · _ hide · s sort";
                let inner = pane(ctx, below, buf, &title, right, here);
                legend::draw(ctx, &panel, inner, buf, &self.legend);
            }
        }
    }

    /// What is usual for the only curve in view, or for the one under the cursor of the legend; and
    /// what is told of it. What was asked is judged by nobody.
    fn usual(&self, ctx: &Ctx<'_>, panel: &Panel<'_>, columns: usize) -> Option<(String, Usual)> {
        if self.asked.is_some() || panel.form != Form::Line {
            return None;
        }
        let all = panel.shown.iter().enumerate();
        let drawn: Vec<&ShownId> = all
            .filter(|(at, s)| panel.draws(*at, s))
            .map(|(_, s)| &s.id)
            .collect();
        let chosen = self.chosen(ctx.world).filter(|_| self.part == Part::Legend);
        let id = match drawn.as_slice() {
            [only] => (*only).clone(),
            several => chosen.filter(|id| several.contains(&id))?,
        };
        let window = ctx.window.bounds(ctx.world.now);
        let usual = ctx.world.usual(id.cluster?, &id.key, window, columns);
        let words = match drawn.len() {
            1 => usual.words(),
            _ => format!("{}: {}", usual.words(), panel.shown.called(&id)),
        };
        Some((words, usual))
    }

    /// Unit of the bounds of a histogram.
    pub(super) fn bounds_unit(&self, world: &World) -> Unit {
        match &self.asked {
            Some(asked) => heat::bounds_unit(world, &asked.query),
            None => {
                let name = self.chosen_name(world);
                name.map_or(Unit::None, |name| unit_of(world, &name))
            }
        }
    }

    /// What is drawn and in which form.
    fn graph_title(&self, panel: &Panel<'_>) -> String {
        let form = panel.form.word();
        match (self.asked.is_some(), panel.shown.first()) {
            (false, Some(first)) => format!("{} · {form} (m)", first.id.key.name),
            _ => format!("{form} (m)"),
        }
    }

    fn graph_told(&self, ctx: &Ctx<'_>, panel: &Panel<'_>, events: &[Event]) -> String {
        let mut words = Vec::new();
        if let Some(at) = ctx.cursor.at.filter(|_| panel.form != Form::Stat) {
            words.push(format!("cursor {}", ctx.clock_or_day(at)));
        }
        words.extend(Some(glyphs(events)).filter(|g| !g.is_empty()));
        let held = self.asked.is_none();
        let name = panel.shown.first().map(|s| &s.id.key.name);
        let about = name.map_or("", |name| super::list::about(ctx.world, name));
        words.extend(Some(about.to_owned()).filter(|a| held && !a.is_empty()));
        let asked = self.asked.as_ref();
        words.extend(asked.and_then(|a| status::combined(a, panel.shown)));
        words.extend((panel.form == Form::Heat).then(|| heat::COUNTS.to_owned()));
        words.join(" · ")
    }
}

fn clusters_of(shown: &[Shown]) -> Vec<ClusterId> {
    let mut seen: Vec<ClusterId> = shown.iter().filter_map(|s| s.id.cluster).collect();
    seen.sort_unstable();
    seen.dedup();
    seen
}
