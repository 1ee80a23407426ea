//! One panel: its queries on their way, and its picture.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Site;
use super::logs::LogLines;
use super::values::Values;
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::combine::Combine;
use crate::model::dashboard::{Form, Panel, PanelQuery, Source};
use crate::model::export::Format;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::panel::asked::Asked;
use crate::ui::panel::keep::Keep;
use crate::ui::panel::picture::{Picture, Query};
use crate::ui::panel::plot::plot_of;
use crate::ui::panel::{self, MOST, Series};
use crate::ui::view::common::{above, clusters, inside, lines, pane, step_ms};
use crate::ui::widget::table::Table;
use crate::ui::widget::text::wrap;
use crate::ui::{Ctx, Window};

#[derive(Debug)]
pub struct State {
    pub panel: Panel,
    pub(super) asked: Vec<(PanelQuery, Asked)>,
    logs: LogLines,
    picture: Picture,
    form: Option<panel::Form>,
    /// Why it was not asked.
    pub waits_for: Option<String>,
}

impl State {
    pub fn new(panel: Panel) -> Self {
        Self {
            panel,
            asked: Vec::new(),
            logs: LogLines::default(),
            picture: Picture::default(),
            form: None,
            waits_for: None,
        }
    }

    fn is_logs(&self) -> bool {
        self.panel.form == Form::Logs
    }

    /// Asks all queries with what is chosen. `anew`: also for what is known.
    pub fn ask(&mut self, values: &Values, anew: bool, site: &mut Site<'_>) -> Vec<Effect> {
        let mut effects = self.cancel();
        let missing: Vec<String> = self
            .panel
            .queries
            .iter()
            .flat_map(|q| values.missing(&q.text))
            .map(|v| format!("{}: {}", v.variable.title(), v.word()))
            .collect();
        self.waits_for = (!missing.is_empty()).then(|| missing.join(", "));
        if self.waits_for.is_some() {
            self.asked.clear();
            self.picture.clear();
            self.logs.clear();
            return effects;
        }
        let filling = values.filling(site.window, site.desk.world.now);
        if self.is_logs() {
            let queries = self.panel.queries.iter();
            let filled: Vec<String> = queries.map(|q| filling.fill(&q.text)).collect();
            effects.extend(self.logs.ask(&filled, site));
            return effects;
        }
        let world = site.desk.world;
        let ids: Vec<_> = clusters(world, site.scope).map(|c| c.id).collect();
        let mut before: Vec<Option<Asked>> =
            self.asked.drain(..).map(|(_, asked)| Some(asked)).collect();
        let mut other = false;
        for (at, query) in self.panel.queries.iter().enumerate() {
            let text = filling.fill(&query.text);
            let former = before.get_mut(at).and_then(Option::take);
            let mut asked = match former {
                Some(same) if *same.query == *text => same,
                _ => {
                    other = true;
                    self.asking(&text, world)
                }
            };
            effects.extend(asked.ask(&ids, site.window, anew, &mut site.desk));
            self.asked.push((query.clone(), asked));
        }
        self.picture.restart(other);
        effects.extend(self.make(site));
        effects
    }

    fn asking(&self, query: &str, world: &World) -> Asked {
        let asked = Asked::new(query, Combine::Merge, world);
        match self.panel.source {
            Source::Prometheus => asked,
            Source::Loki => asked.of_loki(),
        }
    }

    /// Asks anew if what is chosen makes other queries of it.
    pub fn ask_changed(&mut self, values: &Values, site: &mut Site<'_>) -> Vec<Effect> {
        let filling = values.filling(site.window, site.desk.world.now);
        let wanted = self.panel.queries.iter().map(|q| filling.fill(&q.text));
        let same = match self.is_logs() {
            true => self.logs.answers(wanted),
            false => self
                .asked
                .iter()
                .map(|(_, a)| a.query.to_string())
                .eq(wanted),
        };
        match same {
            true => Vec::new(),
            false => self.ask(values, false, site),
        }
    }

    /// Time went on: asks for what came since, once a step.
    pub fn follow(&mut self, values: &Values, site: &mut Site<'_>) -> Vec<Effect> {
        let due = u64::from(step_ms(site.window.span_ms));
        let now = site.desk.world.now;
        let old = |at: Timestamp| now.age_since_ms(at) >= due;
        if self.is_logs() {
            return match self.logs.asked_at().is_some_and(old) {
                true => self.ask(values, false, site),
                false => Vec::new(),
            };
        }
        let mut effects = Vec::new();
        for (_, asked) in &mut self.asked {
            if old(asked.at) {
                effects.extend(asked.follow(site.window, &mut site.desk));
                self.picture.touch();
            }
        }
        effects
    }

    pub fn is_asked(&self) -> bool {
        !self.asked.is_empty() || self.logs.asked_at().is_some() || self.waits_for.is_some()
    }

    pub fn take(&mut self, answered: &Answered, site: &mut Site<'_>) -> Option<Vec<Effect>> {
        if self.logs.take(answered) {
            return Some(Vec::new());
        }
        let mut effects = self
            .asked
            .iter_mut()
            .find_map(|(_, asked)| asked.take(answered, &mut site.desk))?;
        self.picture.touch();
        effects.extend(self.make(site));
        Some(effects)
    }

    pub fn cancel(&mut self) -> Vec<Effect> {
        let mut effects = self.logs.cancel();
        for (_, asked) in &mut self.asked {
            effects.extend(asked.cancel());
        }
        effects
    }

    pub fn is_waiting(&self) -> bool {
        self.logs.is_waiting() || self.asked.iter().any(|(_, a)| a.is_waiting())
    }

    /// Goes on with the picture: the series of all queries, named as their legends say.
    pub fn make(&mut self, site: &mut Site<'_>) -> Vec<Effect> {
        let (unit, limits) = (self.panel.unit, self.panel.limits.values());
        let query = |(query, asked)| Query {
            asked,
            legend: Some(query),
            unit,
            limits,
        };
        let queries = self.asked.iter_mut().map(|(q, a)| query((&*q, a)));
        let mut queries: Vec<Query<'_>> = queries.collect();
        self.picture.make(&mut queries, site.desk.answers)
    }

    pub(super) fn shown(&self) -> &Series {
        self.picture.series()
    }

    pub fn next_form(&mut self) {
        if !self.is_logs() {
            self.form = Some(self.form().next(self.shown()));
        }
    }

    fn form(&self) -> panel::Form {
        let wanted = self.form.unwrap_or(match self.panel.form {
            Form::Lines | Form::Logs => panel::Form::Line,
            Form::Stacked => panel::Form::Stacked,
            Form::Heat => panel::Form::Heat,
            Form::Table => panel::Form::Table,
            Form::Stat => panel::Form::Stat,
        });
        match wanted {
            panel::Form::Heat if !self.shown().is_histogram() => panel::Form::Line,
            form => form,
        }
    }

    /// Where its time axis is; `None`: it has none.
    pub fn plot(&self, area: Rect) -> Option<Rect> {
        let (upper, _) = self.parts(inside(area));
        let has = !self.is_logs() && !self.shown().is_empty() && self.form().has_time();
        has.then(|| plot_of(upper)).filter(|p| p.width >= 8)
    }

    /// The picture and its legend.
    fn parts(&self, inner: Rect) -> (Rect, Rect) {
        let legend = match self.form() {
            panel::Form::Line | panel::Form::Stacked if inner.height >= 5 => {
                let names = u16::try_from(self.shown().len()).unwrap_or(u16::MAX);
                names.min(inner.height / 4).max(1)
            }
            _ => 0,
        };
        above(inner, legend)
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, here: bool) {
        let told = self.told(ctx);
        let inner = pane(ctx, area, buf, &self.panel.title, &told, here);
        if let Some(waits) = &self.waits_for {
            return super::empty(ctx, inner, buf, waits);
        }
        if self.is_logs() {
            return self.logs.draw(ctx, inner, buf);
        }
        let faults: Vec<String> = self
            .asked
            .iter()
            .flat_map(|(_, a)| a.faults())
            .map(ToString::to_string)
            .collect();
        let inner = match faults.first() {
            Some(fault) => self.draw_fault(ctx, inner, buf, fault),
            None => inner,
        };
        let (upper, lower) = self.parts(inner);
        let none = BTreeSet::new();
        let panel = panel::Panel {
            shown: self.shown(),
            form: self.form(),
            alone: None,
            hidden: &none,
            events: &[],
            usual: None,
            bounds: self.panel.unit,
            why_empty: match (self.is_waiting(), self.is_asked(), faults.is_empty()) {
                (true, ..) => "asking …",
                (_, false, _) => "not asked yet",
                (_, _, false) => "nobody answered",
                _ if self.asked.iter().all(|(_, a)| a.parts.is_empty()) => {
                    match self.panel.source {
                        Source::Prometheus => "no cluster of the scope has a Prometheus",
                        Source::Loki => "no cluster of the scope has a Loki",
                    }
                }
                _ => "no series: the query matched nothing",
            },
        };
        panel.draw(ctx, upper, buf, &Table::default());
        if !self.shown().is_empty() {
            self.draw_legend(ctx, lower, buf);
        }
    }

    /// The first fault, in red, in at most a third of the panel.
    fn draw_fault(&self, ctx: &Ctx<'_>, inner: Rect, buf: &mut Buffer, fault: &str) -> Rect {
        let parts = wrap(fault, usize::from(inner.width));
        let most = match self.shown().is_empty() {
            true => inner.height.saturating_sub(1),
            false => (inner.height / 3).max(1),
        };
        let rows = u16::try_from(parts.len()).unwrap_or(u16::MAX).min(most);
        let told: Vec<Line<'_>> = parts
            .into_iter()
            .map(|part| Line::styled(part, ctx.theme.crit))
            .collect();
        let (upper, lower) = above(inner, inner.height - rows);
        lines(ctx, upper, buf, &told, 0);
        lower
    }

    fn told(&self, ctx: &Ctx<'_>) -> String {
        if self.is_logs() {
            return self.logs.told(ctx);
        }
        let mut words = Vec::new();
        match self.shown().len() {
            0 | 1 => {}
            n if n > MOST => words.push(format!("top {MOST} of {n}")),
            n => words.push(n.to_string()),
        }
        let parts = || self.asked.iter().flat_map(|(_, a)| &a.parts);
        let failed = self
            .asked
            .iter()
            .map(|(_, a)| a.faults().count())
            .sum::<usize>();
        if self.is_waiting() {
            words.push("asking …".into());
        }
        if failed > 0 {
            words.push(format!("{failed} of {} failed", parts().count()));
        }
        if parts().any(|p| p.cut_from.is_some()) {
            words.push("cut".into());
        }
        if parts().any(|p| !p.warnings.is_empty()) {
            words.push("warnings".into());
        }
        words.join(" · ")
    }

    /// The first query as it was asked, or would be.
    pub fn query(&self, values: &Values, window: Window, now: Timestamp) -> Option<String> {
        let text = &self.panel.queries.first()?.text;
        Some(values.filling(window, now).fill(text))
    }

    /// What is drawn, for a file.
    pub fn export(
        &self,
        world: &World,
        (window, at): (Window, Option<Timestamp>),
        format: Format,
    ) -> Effect {
        if self.is_logs() {
            return self.logs.export(world, format);
        }
        let Some((_, first)) = self.asked.first() else {
            return Effect::Say(panel::keep::NOTHING);
        };
        let all: Vec<&Asked> = self.asked.iter().map(|(_, asked)| asked).collect();
        let queries: Vec<&str> = self.asked.iter().map(|(_, a)| &*a.query).collect();
        Keep {
            world,
            window,
            form: self.form(),
            title: self.panel.title.clone(),
            query: queries.join(" ; "),
            origin: panel::status::origin(world, &all),
            step_ms: first.grid.step_ms,
            bounds: self.panel.unit,
            at,
            shown: self
                .shown()
                .iter()
                .zip(self.names(world, usize::MAX))
                .collect(),
        }
        .effect(format)
    }

    /// All its queries as commands for curl.
    pub fn curl(&self, world: &World) -> Option<Effect> {
        let each = self
            .asked
            .iter()
            .filter_map(|(_, asked)| panel::curl::curl(world, asked));
        let text: String = each.collect();
        (!text.is_empty()).then_some(Effect::Copy(text))
    }

    /// What it shows, in words.
    pub fn brief(&self, world: &World) -> String {
        if self.is_logs() {
            return self.logs.brief(&self.panel.title);
        }
        panel::brief(world, self.shown(), &self.panel.title)
    }
}
