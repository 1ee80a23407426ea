//! A panel of log lines: the newest of all clusters, merged by time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Site, empty};
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::export::{Format, LinesExport};
use crate::model::fault::Fault;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::log::{Level, LogLine};
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{clusters, lines, lines_effect, name};
use crate::ui::widget::text::cut;

/// Lines asked of each cluster, and lines held.
const LIMIT: u32 = 200;
const MOST: usize = 1_000;

#[derive(Debug, Default)]
pub struct LogLines {
    waiting: Vec<RequestId>,
    asked_at: Option<Timestamp>,
    queries: Vec<String>,
    /// Newest first.
    lines: Vec<(ClusterId, LogLine)>,
    /// Answers of the newest questions, until the last has come.
    coming: Vec<(ClusterId, LogLine)>,
    faults: Vec<Fault>,
    answered: usize,
    more: bool,
}

impl LogLines {
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn asked_at(&self) -> Option<Timestamp> {
        self.asked_at
    }

    /// Whether it shows these queries.
    pub fn answers(&self, queries: impl Iterator<Item = String>) -> bool {
        self.asked_at.is_some() && queries.eq(self.queries.iter().cloned())
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub fn ask(&mut self, queries: &[String], site: &mut Site<'_>) -> Vec<Effect> {
        let world = site.desk.world;
        let (start, end) = site.window.bounds(world.now);
        self.asked_at = Some(world.now);
        self.queries = queries.to_vec();
        self.coming.clear();
        self.faults.clear();
        self.answered = 0;
        self.more = false;
        let mut effects = Vec::new();
        let with =
            clusters(world, site.scope).filter(|c| c.sources.contains_key(&SourceKind::Loki));
        for cluster in with {
            for query in queries {
                let id = site.desk.numbers.take();
                self.waiting.push(id);
                let ask = Ask::Logs {
                    query: query.clone(),
                    start,
                    end,
                    limit: LIMIT,
                    backward: true,
                };
                effects.push(Effect::Ask(Question {
                    id,
                    cluster: cluster.id,
                    ask,
                }));
            }
        }
        effects
    }

    /// False: no answer to one of these questions.
    pub fn take(&mut self, answered: &Answered) -> bool {
        let Some(at) = self.waiting.iter().position(|id| *id == answered.id) else {
            return false;
        };
        self.waiting.remove(at);
        match &answered.result {
            Ok(Answer::Logs(found)) => {
                self.answered += 1;
                self.more |= found.len() >= LIMIT as usize;
                let of = found.iter().map(|l| (answered.cluster, l.clone()));
                self.coming.extend(of);
            }
            Ok(_) => {}
            Err(fault) => self.faults.push(fault.clone()),
        }
        if self.waiting.is_empty() && (self.answered > 0 || self.lines.is_empty()) {
            self.lines = std::mem::take(&mut self.coming);
            self.lines.sort_by_key(|(_, l)| std::cmp::Reverse(l.at_ns));
            self.lines.truncate(MOST);
        }
        true
    }

    pub fn cancel(&mut self) -> Vec<Effect> {
        let ids = std::mem::take(&mut self.waiting);
        match ids.is_empty() {
            true => Vec::new(),
            false => vec![Effect::Cancel(ids)],
        }
    }

    pub fn told(&self, ctx: &Ctx<'_>) -> String {
        let mut words = Vec::new();
        if !self.lines.is_empty() {
            let least = if self.more { "≥ " } else { "" };
            words.push(format!("{least}{} lines", self.lines.len()));
        }
        if self.is_waiting() {
            words.push("asking …".into());
        }
        if !self.faults.is_empty() {
            words.push(format!("{} failed", self.faults.len()));
        }
        if let Some(at) = self.asked_at.filter(|_| !self.faults.is_empty()) {
            words.push(ctx.clock_or_day(at));
        }
        words.join(" · ")
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        if self.lines.is_empty() {
            let why = match (self.faults.first(), self.is_waiting(), self.asked_at) {
                (Some(fault), ..) => fault.to_string(),
                (_, true, _) => "asking …".into(),
                (_, _, None) => "not asked yet".into(),
                (..) if self.answered == 0 => "no cluster of the scope has a Loki".into(),
                _ => "no line matched".into(),
            };
            return empty(ctx, area, buf, &why);
        }
        let rows: Vec<Line<'_>> = self
            .lines
            .iter()
            .take(usize::from(area.height))
            .map(|(cluster, line)| row(ctx, *cluster, line))
            .collect();
        lines(ctx, area, buf, &rows, 0);
    }

    /// What it shows, oldest first, for a file.
    pub fn export(&self, world: &World, format: Format) -> Effect {
        let lines: Vec<(String, LogLine)> = self
            .lines
            .iter()
            .rev()
            .map(|(cluster, line)| (name(world, *cluster).to_owned(), line.clone()))
            .collect();
        let several = self
            .lines
            .iter()
            .any(|(c, _)| Some(c) != self.lines.first().map(|(f, _)| f));
        let lines = LinesExport::new(several, move |take| {
            for (cluster, line) in &lines {
                take(cluster, line.view());
            }
        });
        lines_effect(lines, world, format, !self.lines.is_empty())
    }

    pub fn brief(&self, title: &str) -> String {
        let mut out = format!("{title}: {} lines, newest first", self.lines.len());
        for (_, line) in self.lines.iter().take(20) {
            out.push('\n');
            out.push_str(&cut(&line.line, 300));
        }
        out
    }
}

fn row<'a>(ctx: &Ctx<'a>, cluster: ClusterId, line: &'a LogLine) -> Line<'a> {
    let theme = ctx.theme;
    let style = match line.level {
        Level::Error | Level::Critical => theme.crit,
        Level::Warning => theme.warn,
        _ => theme.base,
    };
    let at = Timestamp(line.at_ns / 1_000_000);
    let mut parts = vec![Span::styled(
        format!("{} ", ctx.clock_or_day(at)),
        theme.muted,
    )];
    if ctx.scope.is_none() {
        let cluster = format!("{} ", name(ctx.world, cluster));
        parts.push(Span::styled(cluster, theme.muted));
    }
    parts.push(Span::styled(line.line.as_ref(), style));
    Line::from(parts)
}
