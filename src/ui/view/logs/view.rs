//! What the screen does with keys, answers and time, and what it tells of itself.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::find::Find;
use super::{Logs, Mode, compare, hints, numbers, page, paint, patterns, pod, tail, volume};
use crate::command::{Command, Jump};
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::trace::mention;
use crate::state::world::World;
use crate::ui::view::common::inside;
use crate::ui::view::{Ctx, Entry, Focus, Goto, ScreenId, View};

impl View for Logs {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Some(effects) = self.pod_command(&command, world) {
            return effects;
        }
        if let Some(effects) = self.look_command(&command, world) {
            return effects;
        }
        if self.move_in_patterns(&command, world)
            || self.move_in_volume(&command, world)
            || self.move_in_compare(&command, world)
        {
            return Vec::new();
        }
        match command {
            Command::Type(press) => return self.type_key(press, world),
            Command::Paste(text) => return self.paste(&text, world),
            Command::Up => self.go(world, -1),
            Command::Down => self.go(world, 1),
            Command::PageUp => self.go(world, -(self.page_rows() as isize)),
            Command::PageDown => self.go(world, self.page_rows() as isize),
            Command::Top => self.go_to_top(world),
            Command::Find(text) => {
                self.find = Find::new(&text);
                self.seek();
            }
            Command::NextMatch => self.go_to_match(world, true),
            Command::PreviousMatch => self.go_to_match(world, false),
            Command::Bottom => {
                self.cursor = None;
                self.aside = None;
                // The query itself followed live, in every cluster of the scope.
                if let Some(asked) = self.asked.take() {
                    return vec![Effect::TailLogs(tail::of(&asked, world, self.scope))];
                }
            }
            Command::Pause => self.pause(world),
            Command::Filter(text) => self.set_filter(&text),
            Command::Problems => {
                self.problems = !self.problems;
                self.sift();
            }
            Command::NextProblem => self.next_problem(world, true),
            Command::PreviousProblem => self.next_problem(world, false),
            Command::Wrap => self.wrap = !self.wrap,
            Command::Detail => self.detail = Some(!self.detail.unwrap_or(false)),
            Command::Open => self.detail = Some(true),
            Command::Edit => return self.edit(world),
            Command::Recall => return self.recall(world),
            Command::Refresh => return self.rerun(world),
            Command::CopyRow => {
                let line = self.chosen(world).map(|e| e.line.line.to_string());
                return line.map(Effect::Copy).into_iter().collect();
            }
            Command::Click { column, row } => {
                let id = page::at(self, world, column, row);
                if id.is_some() {
                    self.seen_ns = self.merged(world).newest_ns();
                    self.cursor = id;
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let parts = self.layout(area);
        if parts.query.height > 0 {
            self.draw_query(ctx, parts.query, buf);
        }
        match &self.mode {
            _ if self.counted.is_some() => self.draw_counted(ctx, parts.lines, buf),
            Mode::Patterns(table) => self.draw_patterns(ctx, parts.lines, buf, table),
            Mode::Volume(table) => self.draw_volume(ctx, parts.lines, buf, table),
            Mode::Compare(with) => self.draw_compare(ctx, parts.lines, buf, with),
            Mode::Lines if parts.lines.width > 0 => self.draw_lines(ctx, parts.lines, buf),
            Mode::Lines => {}
        }
        if let Some(detail) = parts.detail {
            self.draw_fields(ctx, detail, buf);
        }
        self.draw_form(ctx, area, buf);
        self.editing.draw_list(ctx, parts.query, area, buf);
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        let lines = self.layout(area).lines;
        let inner = inside(lines);
        match &mut self.mode {
            Mode::Lines => {}
            Mode::Patterns(table) => table.place(inner),
            Mode::Compare(with) => with.table.place(compare::list(inner)),
            Mode::Volume(_) => {
                let list = self.volume_list(inner, world);
                if let Mode::Volume(table) = &mut self.mode {
                    table.place(list);
                }
            }
        }
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        let moved = self.scope != entry.scope || self.window != entry.window;
        self.scope = entry.scope;
        self.window = entry.window;
        if moved {
            self.cursor = None;
        }
        // A window that ended in the past is looked at from its end.
        if let Some(end) = entry.window.end.filter(|_| moved && self.asked.is_none()) {
            let merged = self.merged(world);
            let (newest, last) = (merged.newest_ns(), merged.last_until(end));
            self.seen_ns = newest;
            self.cursor = last;
        }
        if let Some(query) = &entry.query {
            self.set_filter("");
            return self.run(query, world);
        }
        match &entry.focus {
            Some(Focus::Pod {
                cluster,
                namespace,
                pod,
            }) => {
                self.pod = Some((*cluster, namespace.clone(), pod.clone()));
                if pod::is_asked(world, *cluster) {
                    return self.ask_pod(world);
                }
                self.set_filter(pod);
                if let Some(query) = pod::query(world, *cluster, (namespace, pod)) {
                    return self.run(&query, world);
                }
            }
            Some(Focus::Node { node, .. } | Focus::Gpu { node, .. }) => self.set_filter(node),
            _ => {}
        }
        if moved { self.rerun(world) } else { Vec::new() }
    }

    fn back(&mut self) -> bool {
        if self.close_one() {
            return true;
        }
        if !self.find.is_empty() {
            self.find = Find::default();
            self.seek();
            return true;
        }
        if !self.filter_text.is_empty() {
            self.set_filter("");
            return true;
        }
        if std::mem::take(&mut self.problems) {
            self.sift();
            return true;
        }
        self.leave_around() || self.asked.take().is_some() || self.cursor.take().is_some()
    }

    fn depth(&self) -> usize {
        [
            self.form.is_some(),
            self.counted.is_some(),
            self.aside.is_some(),
            self.detail == Some(true),
            !self.shows_lines(),
            !self.find.is_empty(),
            !self.filter_text.is_empty(),
            self.problems,
            self.asked.is_some(),
            self.cursor.is_some(),
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
            + self.editing.depth()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let entry = self.chosen(world)?;
        let labels = &entry.line.labels;
        match (labels.get("namespace"), labels.get("pod")) {
            (Some(namespace), Some(pod)) => Some(Focus::Pod {
                cluster: entry.cluster,
                namespace: namespace.to_owned(),
                pod: pod.to_owned(),
            }),
            _ => Some(Focus::Text {
                cluster: Some(entry.cluster),
                text: format!("log line of {}: {}", entry.line.origin(), entry.line.line),
            }),
        }
    }

    /// A line that tells of a trace leads to it.
    fn leads(&self, to: Jump, world: &World) -> Option<Goto> {
        let entry = self.chosen(world).filter(|_| to == Jump::Traces)?;
        let id = mention::of_line(entry.line.labels, entry.line.line)?;
        Some(Goto {
            screen: ScreenId::Traces,
            cluster: Some(entry.cluster),
            query: Some(id.to_string()),
            ..Goto::default()
        })
    }

    fn answer(&mut self, answered: &Answered, world: &World) -> Vec<Effect> {
        if self.editing.take(answered, world, self.scope) {
            return Vec::new();
        }
        if self.counted.as_mut().is_some_and(|c| c.take(answered)) {
            return Vec::new();
        }
        if let Mode::Compare(with) = &mut self.mode {
            with.take(answered);
        }
        if let Some(asked) = &mut self.asked {
            asked.take(answered);
        }
        Vec::new()
    }

    fn work(&mut self, world: &World) -> Vec<Effect> {
        let mining = match (&mut self.mode, &mut self.asked) {
            (Mode::Patterns(_), Some(asked)) => asked.find_patterns(None),
            (Mode::Compare(with), Some(asked)) => asked.find_patterns(with.asked.as_mut()),
            _ => None,
        };
        let mut effects = self.sift_on(world);
        effects.extend(mining.map(Effect::Work));
        effects
    }

    fn typing(&self) -> bool {
        self.editing.is_open() || self.form.is_some()
    }

    fn filter(&self) -> &str {
        &self.filter_text
    }

    fn found(&self) -> Option<&str> {
        self.shows_lines().then(|| self.find.text())
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        hints::of(self)
    }

    fn brief(&self, ctx: &Ctx) -> String {
        if let Some(counted) = &self.counted {
            return numbers::brief(counted, ctx);
        }
        match self.mode {
            Mode::Lines => {}
            Mode::Patterns(_) => return patterns::brief(self, ctx),
            Mode::Volume(_) => return volume::brief(self, ctx),
            Mode::Compare(_) => return self.brief_compare(ctx),
        }
        paint::brief(
            ctx,
            &self.merged(ctx.world),
            self.chosen(ctx.world).as_ref(),
        )
    }
}
