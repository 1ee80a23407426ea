//! What fired in the last seven days: how often and how long, by the name of the alert, as the
//! series `ALERTS` of each Prometheus tells.

use std::cmp::Reverse;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::asked::{Asked, Asker};
use crate::command::Command;
use crate::message::Effect;
use crate::model::alert::Severity;
use crate::model::ask::{Answer, Answered, Ask};
use crate::model::id::ClusterId;
use crate::model::sample::SeriesSamples;
use crate::model::time::Timestamp;
use crate::model::unit::age;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{above, dated, empty, inside, name, pane, scoped};
use crate::ui::view::{Focus, Goto, ScreenId};
use crate::ui::widget::badge;
use crate::ui::widget::table::{Column, Table};

const QUERY: &str = "count by (alertname, severity) (ALERTS{alertstate=\"firing\"})";
const DAY_MS: i64 = 86_400_000;
const DAYS: usize = 7;
/// Between two looks of the server: what was shorter may be missed.
const STEP_MS: i64 = 300_000;

const COLUMNS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("ALERT", 20, 44),
    Column::new("CLUSTER", 11, 16),
    Column::new("TIMES", 5, 6).right(),
    Column::new("FIRED", 6, 8).right(),
    Column::new("7 DAYS", 7, 7),
    Column::new("MOST", 5, 6).priority(1).right(),
    Column::new("LAST", 8, 8),
];

pub const HINTS: &[(&str, &str)] = &[
    ("Enter", "its curve"),
    ("s", "sort"),
    ("/", "filter"),
    ("Tab", "alerts"),
    ("r", "ask again"),
];

/// One name of one cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    pub name: String,
    pub severity: Severity,
    /// Times it began, one that was there already included.
    pub times: usize,
    pub lasted_ms: u64,
    /// Share of each day, oldest first.
    days: [f64; DAYS],
    /// Most alerts of the name at once.
    most: u64,
    last: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Week {
    pub fired: Vec<Fired>,
    /// For so long the heartbeat was there: rules were evaluated. `None`: there is none.
    watched_ms: Option<u64>,
}

type Id = (ClusterId, usize);

#[derive(Debug)]
pub struct Digest {
    table: Table<Id>,
    asked: Asked<Week>,
    rows: Vec<Id>,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            table: Table::sorted(8),
            asked: Asked::default(),
            rows: Vec::new(),
        }
    }
}

fn question(world: &World) -> Ask {
    let end = Timestamp(world.now.0 / STEP_MS * STEP_MS);
    Ask::Range {
        query: QUERY.into(),
        start: end.plus_ms(-(DAYS as i64) * DAY_MS),
        end,
        step_ms: STEP_MS as u32,
    }
}

impl Digest {
    pub fn enter(&mut self, from: Asker<'_>) -> Vec<Effect> {
        let world = from.world;
        let effects = self.asked.ask(from, false, || question(world));
        self.sort();
        effects
    }

    pub fn take(&mut self, answered: &Answered, world: &World) {
        let Ask::Range { end, .. } = answered.ask else {
            return;
        };
        let read = |answer: &Answer| match answer {
            Answer::Series(series) => week(series, end, |word| world.severity(word)),
            _ => Week::default(),
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
            Command::CopyRow => {
                let text = self.chosen().map(|(_, f)| f.words());
                text.map(Effect::Copy).into_iter().collect()
            }
            Command::Refresh => {
                let world = from.world;
                self.asked.ask(from, true, || question(world))
            }
            _ => Vec::new(),
        }
    }

    /// What is known of an alert's name; `None`: not asked, or not told.
    pub fn of(&self, cluster: ClusterId, name: &str) -> Option<Result<&Fired, &'static str>> {
        let week = self.asked.of(cluster)?.result.as_ref().ok()?;
        let found = week.fired.iter().find(|f| f.name == name);
        Some(found.ok_or("not fired, as far as told"))
    }

    /// Longest first, or as the operator wants it.
    fn sort(&mut self) {
        let filter = self.table.filter();
        let mut rows: Vec<(Id, &Fired)> = Vec::new();
        for got in self.asked.got() {
            for (at, fired) in got.result.iter().flat_map(|w| &w.fired).enumerate() {
                let fields = [
                    ("alertname", fired.name.as_str()),
                    ("severity", fired.severity.word()),
                ];
                if filter.matches(&fields) {
                    rows.push(((got.cluster, at), fired));
                }
            }
        }
        let (column, reverse) = self.table.order();
        match column {
            Some(0) => rows.sort_by_key(|r| Reverse(r.1.severity)),
            Some(1) => rows.sort_by(|a, b| a.1.name.cmp(&b.1.name)),
            Some(2) => rows.sort_by_key(|r| r.0.0),
            Some(3) => rows.sort_by_key(|r| Reverse(r.1.times)),
            Some(6) => rows.sort_by_key(|r| Reverse(r.1.most)),
            Some(7) => rows.sort_by_key(|r| Reverse(r.1.last)),
            _ => rows.sort_by_key(|r| Reverse(r.1.lasted_ms)),
        }
        if reverse {
            rows.reverse();
        }
        self.rows = rows.into_iter().map(|r| r.0).collect();
    }

    fn fired(&self, id: Id) -> Option<&Fired> {
        let week = self.asked.of(id.0)?.result.as_ref().ok()?;
        week.fired.get(id.1)
    }

    fn chosen(&self) -> Option<(ClusterId, &Fired)> {
        let at = self.table.position(&self.rows, |id| *id)?;
        let id = *self.rows.get(at)?;
        Some((id.0, self.fired(id)?))
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let title = match self.asked.got().any(|g| g.result.is_ok()) {
            true => format!("Digest: {} names fired in 7 days", self.rows.len()),
            false => "Digest: unknown".to_owned(),
        };
        let inner = pane(ctx, area, buf, &title, &self.asked.status(ctx), true);
        let mut notes: Vec<(String, _)> = self
            .asked
            .faults(usize::from(inner.width))
            .into_iter()
            .map(|f| (f, ctx.theme.crit))
            .collect();
        notes.extend(self.coverage(ctx).into_iter().map(|c| (c, ctx.theme.muted)));
        let rows = u16::try_from(notes.len())
            .unwrap_or(u16::MAX)
            .min(inner.height / 2);
        let (inner, below) = above(inner, rows);
        for (y, (text, style)) in (below.y..below.bottom()).zip(&notes) {
            ctx.put(buf, (below.x, y), below.width, text, *style);
        }
        if self.rows.is_empty() {
            let nothing = "nothing fired, as far as the servers hold the seven days";
            let filter = self.table.filter_text();
            empty(ctx, inner, buf, &self.asked.why_empty(filter, nothing));
            return;
        }
        let times = self
            .rows
            .iter()
            .filter_map(|id| Some(self.fired(*id)?.last));
        let columns = dated(ctx, scoped(ctx, &COLUMNS, 2), 7, times);
        self.table.draw(
            ctx,
            inner,
            buf,
            (&columns, &self.rows),
            |id| *id,
            |id, column| self.cell(ctx, *id, column),
        );
    }

    /// How much of the week the servers tell of: what is not held did not "not fire".
    fn coverage(&self, ctx: &Ctx<'_>) -> Option<String> {
        let parts: Vec<String> = self
            .asked
            .got()
            .filter_map(|got| {
                let week = got.result.as_ref().ok()?;
                let name = name(ctx.world, got.cluster);
                Some(match week.watched_ms {
                    None => format!("{name} unknown (no Watchdog)"),
                    Some(ms) => format!("{name} {}", age(ms)),
                })
            })
            .collect();
        (!parts.is_empty()).then(|| format!("looks 5m apart; rules ran for: {}", parts.join(", ")))
    }

    fn cell<'a>(&'a self, ctx: &Ctx<'a>, id: Id, column: usize) -> Line<'a> {
        let theme = ctx.theme;
        let Some(fired) = self.fired(id) else {
            return Line::default();
        };
        let (glyph, _, style) = badge::severity(theme, fired.severity);
        match column {
            0 => Line::styled(glyph, style),
            1 => Line::styled(fired.name.as_str(), theme.base),
            2 => Line::styled(name(ctx.world, id.0), theme.base),
            3 => Line::styled(fired.times.to_string(), theme.base),
            4 => Line::styled(age(fired.lasted_ms), theme.base),
            5 => Line::styled(fired.spark(), style),
            6 => Line::styled(fired.most.to_string(), theme.muted),
            _ => Line::styled(ctx.clock_or_day(fired.last), theme.muted),
        }
    }

    pub fn open(&self) -> Option<Goto> {
        let (cluster, fired) = self.chosen()?;
        Some(Goto {
            screen: ScreenId::Metrics,
            cluster: Some(cluster),
            query: Some(format!("ALERTS{{alertname={:?}}}", fired.name)),
            ..Goto::default()
        })
    }

    pub fn focus(&self) -> Option<Focus> {
        let (cluster, fired) = self.chosen()?;
        Some(Focus::Text {
            cluster: Some(cluster),
            text: format!("alert {}: {}", fired.name, fired.words()),
        })
    }

    pub fn place(&mut self, area: Rect) {
        self.table.place(inside(area));
    }

    pub fn filter(&self) -> &str {
        self.table.filter_text()
    }

    pub fn back(&mut self) -> bool {
        let back = self.table.back();
        self.sort();
        back
    }

    pub fn brief(&self, ctx: &Ctx<'_>) -> String {
        let mut text = "alerts that fired in 7 days, longest first".to_owned();
        for id in self.rows.iter().take(20) {
            if let Some(fired) = self.fired(*id) {
                let on = name(ctx.world, id.0);
                text.push_str(&format!("\n{} on {on}: {}", fired.name, fired.words()));
            }
        }
        text
    }
}

impl Fired {
    /// `9 times, 5h40m in all`.
    pub fn words(&self) -> String {
        let times = if self.times == 1 { "time" } else { "times" };
        format!(
            "fired {} {times}, {} in all",
            self.times,
            age(self.lasted_ms)
        )
    }

    fn spark(&self) -> String {
        let blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let block = |share: &f64| match *share {
            s if s <= 0.0 => '·',
            s => {
                let eighths = ((s * 8.0).ceil() as usize).clamp(1, 8);
                blocks.get(eighths - 1).copied().unwrap_or('█')
            }
        };
        self.days.iter().map(block).collect()
    }
}

/// Reads the answer: each point stands for one step in which it fired.
fn week(series: &[SeriesSamples], end: Timestamp, severity: impl Fn(&str) -> Severity) -> Week {
    let start = end.plus_ms(-(DAYS as i64) * DAY_MS);
    let mut out = Week::default();
    for series in series {
        let name = series
            .key
            .labels
            .get("alertname")
            .unwrap_or("(no alertname)");
        let points = series.points.iter().filter(|p| p.value > 0.0);
        let lasted_ms = points.clone().count() as u64 * STEP_MS as u64;
        if name == "Watchdog" {
            out.watched_ms = Some(lasted_ms.max(out.watched_ms.unwrap_or(0)));
            continue;
        }
        let mut fired = Fired {
            name: name.to_owned(),
            severity: severity(series.key.labels.get("severity").unwrap_or("")),
            times: 0,
            lasted_ms,
            days: [0.0; DAYS],
            most: 0,
            last: Timestamp::default(),
        };
        for point in points {
            if fired.times == 0 || point.at.0 - fired.last.0 > STEP_MS * 3 / 2 {
                fired.times += 1;
            }
            fired.last = point.at;
            fired.most = fired.most.max(point.value as u64);
            let day = (point.at.0 - start.0).max(0) / DAY_MS;
            let day = usize::try_from(day).unwrap_or(DAYS).min(DAYS - 1);
            if let Some(share) = fired.days.get_mut(day) {
                *share += STEP_MS as f64 / DAY_MS as f64;
            }
        }
        if fired.times > 0 {
            out.fired.push(fired);
        }
    }
    out.fired.sort_by_key(|f| Reverse(f.lasted_ms));
    out
}
