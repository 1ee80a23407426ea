//! The rules of the Prometheus servers of the scope: their health, when they were last evaluated
//! and how long that took.

use std::cmp::Reverse;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::asked::{Asked, Asker};
use super::curve::curve_of;
use crate::command::Command;
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, RuleInfo};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::{self, above, dated, empty, inside, pane, scoped};
use crate::ui::view::{Focus, Goto, ScreenId};
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("RULE", 18, 44),
    Column::new("CLUSTER", 11, 16),
    Column::new("GROUP", 10, 30).priority(4),
    Column::new("STATE", 8, 8).priority(2),
    Column::new("EVALUATED", 9, 9),
    Column::new("TOOK", 7, 8).right(),
    Column::new("ERROR OR QUERY", 14, 120).priority(3),
];

pub const HINTS: &[(&str, &str)] = &[
    ("Enter", "its curve"),
    ("s", "sort"),
    ("d", "detail"),
    ("!", "problems"),
    ("Tab", "digest"),
    ("r", "ask again"),
];

/// Cluster, and place in its answer.
type Id = (ClusterId, usize);

#[derive(Debug)]
pub struct Rules {
    table: Table<Id>,
    asked: Asked<Vec<RuleInfo>>,
    /// The rows in view, in order.
    rows: Vec<Id>,
    problems: bool,
    detail: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            table: Table::sorted(7),
            asked: Asked::default(),
            rows: Vec::new(),
            problems: false,
            detail: false,
        }
    }
}

/// How a rule does, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Broken,
    /// Its last evaluation is older than two intervals, or took longer than one.
    Late,
    /// Not evaluated yet, or nothing is told.
    Unknown,
    Fine,
}

fn standing(rule: &RuleInfo, asked: Timestamp) -> Standing {
    let interval = rule.interval_s.unwrap_or(f64::INFINITY);
    let age = |at: Timestamp| asked.age_since_ms(at) as f64 / 1000.0;
    let late = rule
        .evaluated
        .is_some_and(|at| age(at) > 2.0 * interval + 5.0);
    match rule.health.as_str() {
        "err" => Standing::Broken,
        _ if late || rule.evaluation_s.is_some_and(|s| s > interval) => Standing::Late,
        "ok" if rule.evaluated.is_some() => Standing::Fine,
        _ => Standing::Unknown,
    }
}

impl Rules {
    pub fn enter(&mut self, from: Asker<'_>) -> Vec<Effect> {
        let effects = self.asked.ask(from, false, || Ask::Rules);
        self.sort();
        effects
    }

    pub fn take(&mut self, answered: &Answered) {
        let read = |answer: &Answer| match answer {
            Answer::Rules(rules) => rules.clone(),
            _ => Vec::new(),
        };
        if self.asked.take(answered, read) {
            self.sort();
        }
    }

    pub fn update(&mut self, command: &Command, from: Asker<'_>) -> Vec<Effect> {
        if self.table.update(command, &self.rows, |id| *id) {
            if !Table::<Id>::moves(command) {
                self.sort();
            }
            return Vec::new();
        }
        match command {
            Command::Problems => {
                self.problems = !self.problems;
                self.sort();
            }
            Command::Detail => self.detail = !self.detail,
            Command::CopyRow => {
                let chosen = self.chosen();
                let text = chosen.map(|(_, rule)| format!("{}: {}", rule.name, rule.query));
                return text.map(Effect::Copy).into_iter().collect();
            }
            Command::Refresh => return self.asked.ask(from, true, || Ask::Rules),
            _ => {}
        }
        Vec::new()
    }

    /// Broken ones first, then the slowest; or as the operator wants it.
    fn sort(&mut self) {
        let (filter, problems) = (self.table.filter(), self.problems);
        let mut rows: Vec<(Id, &RuleInfo, Standing)> = Vec::new();
        for got in self.asked.got() {
            for (at, rule) in got.result.iter().flatten().enumerate() {
                let standing = standing(rule, got.at);
                let fields = [
                    ("rule", rule.name.as_str()),
                    ("group", &rule.group),
                    ("state", &rule.state),
                    ("health", &rule.health),
                    ("query", &rule.query),
                    ("error", &rule.last_error),
                ];
                let hidden = problems && standing > Standing::Late;
                if !hidden && filter.matches(&fields) {
                    rows.push(((got.cluster, at), rule, standing));
                }
            }
        }
        let took = |r: &RuleInfo| Reverse((r.evaluation_s.unwrap_or(-1.0) * 1e6) as i64);
        let (column, reverse) = self.table.order();
        match column {
            Some(1) => rows.sort_by(|a, b| a.1.name.cmp(&b.1.name)),
            Some(2) => rows.sort_by_key(|r| r.0.0),
            Some(3) => rows.sort_by(|a, b| a.1.group.cmp(&b.1.group)),
            Some(4) => rows.sort_by(|a, b| a.1.state.cmp(&b.1.state)),
            Some(5) => rows.sort_by_key(|r| r.1.evaluated),
            Some(6) => rows.sort_by_key(|r| took(r.1)),
            _ => rows.sort_by_key(|r| (r.2, took(r.1))),
        }
        if reverse {
            rows.reverse();
        }
        self.rows = rows.into_iter().map(|r| r.0).collect();
    }

    fn rule(&self, id: Id) -> Option<(&RuleInfo, Timestamp)> {
        let got = self.asked.got().find(|g| g.cluster == id.0)?;
        Some((got.result.as_ref().ok()?.get(id.1)?, got.at))
    }

    fn chosen(&self) -> Option<(ClusterId, &RuleInfo)> {
        let at = self.table.position(&self.rows, |id| *id)?;
        let id = *self.rows.get(at)?;
        Some((id.0, self.rule(id)?.0))
    }

    fn title(&self) -> String {
        let all = self.asked.got().flat_map(|g| {
            let rules = g.result.iter().flatten();
            rules.map(move |r| (standing(r, g.at), r.evaluation_s))
        });
        let (mut broken, mut late, mut count, mut slowest) = (0, 0, 0, None::<f64>);
        for (standing, took) in all {
            count += 1;
            broken += usize::from(standing == Standing::Broken);
            late += usize::from(standing == Standing::Late);
            slowest = [slowest, took].into_iter().flatten().reduce(f64::max);
        }
        let slowest = slowest.map(|s| format!(", slowest {}", Unit::Seconds.write(s)));
        let only = if self.problems {
            " · problems only"
        } else {
            ""
        };
        // What no server has told is not none.
        if self.asked.got().all(|g| g.result.is_err()) {
            return format!("Rules: unknown{only}");
        }
        format!(
            "Rules: {count}, {broken} broken, {late} late{}{only}",
            slowest.unwrap_or_default()
        )
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let inner = pane(ctx, area, buf, &self.title(), &self.asked.status(ctx), true);
        let faults = self.asked.faults(usize::from(inner.width));
        let rows = u16::try_from(faults.len())
            .unwrap_or(u16::MAX)
            .min(inner.height / 2);
        let (inner, below) = above(inner, rows);
        for (y, fault) in (below.y..below.bottom()).zip(&faults) {
            ctx.put(buf, (below.x, y), below.width, fault, ctx.theme.crit);
        }
        if self.rows.is_empty() {
            let nothing = match self.problems {
                true => "no rule is broken or late (! shows all)",
                false => "no rules: the servers have none",
            };
            let filter = self.table.filter_text();
            empty(ctx, inner, buf, &self.asked.why_empty(filter, nothing));
            return;
        }
        let times = self
            .rows
            .iter()
            .filter_map(|id| self.rule(*id)?.0.evaluated);
        let columns = dated(ctx, scoped(ctx, &COLUMNS, 2), 5, times);
        self.table.draw(
            ctx,
            inner,
            buf,
            (&columns, &self.rows),
            |id| *id,
            |id, column| self.cell(ctx, *id, column),
        );
        if self.detail
            && let Some((cluster, rule)) = self.chosen()
        {
            let text = told(ctx, cluster, rule);
            common::detail(ctx, area, buf, &text, area.height / 2);
        }
    }

    fn cell<'a>(&'a self, ctx: &Ctx<'a>, id: Id, column: usize) -> Line<'a> {
        let theme = ctx.theme;
        let Some((rule, asked)) = self.rule(id) else {
            return Line::default();
        };
        let standing = standing(rule, asked);
        let style = match standing {
            Standing::Broken => theme.crit,
            Standing::Late => theme.warn,
            Standing::Unknown => theme.muted,
            Standing::Fine => theme.base,
        };
        match column {
            0 => Line::styled(
                match standing {
                    Standing::Broken => "✗",
                    Standing::Late => "▲",
                    Standing::Unknown => "?",
                    Standing::Fine => "·",
                },
                style,
            ),
            1 => Line::styled(rule.name.as_str(), theme.base),
            2 => Line::styled(common::name(ctx.world, id.0), theme.base),
            3 => Line::styled(rule.group.as_str(), theme.muted),
            4 if rule.recording => Line::styled("records", theme.muted),
            4 => Line::styled(rule.state.as_str(), theme.base),
            5 => match rule.evaluated {
                Some(at) => Line::styled(ctx.clock_or_day(at), style),
                None => Line::styled("never", theme.muted),
            },
            6 => match rule.evaluation_s {
                Some(s) => Line::styled(Unit::Seconds.write(s), style),
                None => Line::styled("?", theme.muted),
            },
            _ if rule.last_error.is_empty() => Line::styled(rule.query.as_str(), theme.muted),
            _ => Line::styled(rule.last_error.as_str(), theme.crit),
        }
    }

    pub fn open(&self) -> Option<Goto> {
        let (cluster, rule) = self.chosen()?;
        let query = match rule.recording {
            true => rule.query.clone(),
            false => curve_of(&rule.query).0,
        };
        Some(Goto {
            screen: ScreenId::Metrics,
            cluster: Some(cluster),
            query: Some(query),
            ..Goto::default()
        })
    }

    pub fn focus(&self) -> Option<Focus> {
        let (cluster, rule) = self.chosen()?;
        Some(Focus::Text {
            cluster: Some(cluster),
            text: format!("rule {}: {}", rule.name, rule.query),
        })
    }

    pub fn place(&mut self, area: Rect) {
        self.table.place(inside(area));
    }

    pub fn filter(&self) -> &str {
        self.table.filter_text()
    }

    pub fn back(&mut self) -> bool {
        let back = std::mem::take(&mut self.detail) || self.table.back();
        let back = back || std::mem::take(&mut self.problems);
        self.sort();
        back
    }

    pub fn depth(&self) -> usize {
        let open = [self.detail, !self.filter().is_empty(), self.problems];
        open.into_iter().filter(|open| *open).count()
    }

    pub fn brief(&self, ctx: &Ctx<'_>) -> String {
        let mut text = self.title();
        if let Some((cluster, rule)) = self.chosen() {
            text.push_str("\nchosen:\n");
            text.push_str(&told(ctx, cluster, rule));
        }
        text
    }
}

/// All that is told of a rule.
fn told(ctx: &Ctx<'_>, cluster: ClusterId, rule: &RuleInfo) -> String {
    let kind = if rule.recording { "records" } else { "alerts" };
    let seconds = |s: Option<f64>| s.map_or("?".to_owned(), |s| Unit::Seconds.write(s));
    let evaluated = rule.evaluated.map(|at| ctx.clock_or_day(at));
    let mut text = format!(
        "{} ({kind}) of group {} on {}, health {}\nevaluated {} in {}, every {}\n{}",
        rule.name,
        rule.group,
        common::name(ctx.world, cluster),
        if rule.health.is_empty() {
            "?"
        } else {
            &rule.health
        },
        evaluated.unwrap_or_else(|| "never".into()),
        seconds(rule.evaluation_s),
        seconds(rule.interval_s),
        rule.query,
    );
    if !rule.last_error.is_empty() {
        text.push_str(&format!("\nerror: {}", rule.last_error));
    }
    text
}
