//! Which service calls which, how often, how long and how many fail: as a tree.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::asked::Row;
use super::waterfall::took;
use super::whither::quoted;
use crate::model::id::ClusterId;
use crate::model::trace::graph::{Branch, Called};
use crate::ui::Ctx;
use crate::ui::view::common::{empty, name, scoped};
use crate::ui::widget::heat::meter;
use crate::ui::widget::table::{Column, widths};

mod held;

pub use held::Map;
use held::{Origin, Part};

const COLUMNS: [Column; 6] = [
    Column::new("SERVICE", 24, 70),
    Column::new("CLUSTER", 7, 14).priority(2),
    Column::new("CALLS", 9, 9).right(),
    Column::new("FAILED", 7, 7).right(),
    Column::new("P95", 9, 9).right(),
    Column::new("", 8, 24).priority(1),
];
/// Number of the column with the bar.
const BAR: usize = 5;
/// Deepest level that is drawn indented.
const INDENT: usize = 10;

/// What a row is known by: cluster, caller, called.
pub type Key = (ClusterId, String, String);

/// A row of the tree, with how its numbers were got.
#[derive(Clone, Debug)]
pub struct Shown<'m> {
    pub cluster: ClusterId,
    pub branch: Branch<'m>,
    metrics: bool,
}

impl Shown<'_> {
    pub fn key(&self) -> Key {
        let from = self.branch.edge.map_or("", |e| e.from.as_str());
        (
            self.cluster,
            from.to_owned(),
            self.branch.service.to_owned(),
        )
    }

    /// What is known of it, in one line.
    pub fn words(&self) -> String {
        let to = self.branch.service;
        let Some(edge) = self.branch.edge else {
            return format!("service {to}");
        };
        let calls = match self.metrics {
            true => per_second(edge.calls),
            false => format!("{} in the sample", edge.calls),
        };
        let failed = match edge.failing() {
            Some(share) => format!("{:.1}%", share * 100.0),
            None => "n/a".to_owned(),
        };
        let p95 = edge.p95_ns.map_or("n/a".to_owned(), |ns| took(ns as i64));
        format!(
            "{} calls {to}: calls {calls}, failed {failed}, p95 {p95}",
            edge.from
        )
    }

    /// LogQL for the lines of the service called.
    pub fn logs(&self) -> String {
        format!("{{service_name={}}}", quoted(self.branch.service))
    }

    /// PromQL for the calls over time.
    pub fn metrics(&self) -> String {
        let to = quoted(self.branch.service);
        let labels = match self.branch.edge {
            Some(edge) => format!("client={},server={to}", quoted(&edge.from)),
            None => format!("client={to}"),
        };
        format!(
            "sum by (client, server) (rate(traces_service_graph_request_total{{{labels}}}[5m]))"
        )
    }

    /// TraceQL for the traces of it.
    pub fn query(&self, failing: bool) -> String {
        let of = |service: &str| format!("resource.service.name = {}", quoted(service));
        let error = if failing { " && status = error" } else { "" };
        let service = of(self.branch.service);
        let Some(edge) = self.branch.edge else {
            return format!("{{ {service}{error} }}");
        };
        let caller = of(&edge.from);
        match edge.called {
            Called::Service => format!("{{ {caller} }} > {{ {service}{error} }}"),
            Called::FromOutside => format!("{{ {service} && kind = server{error} }}"),
            Called::Silent(None) => format!("{{ {caller} && kind = client{error} }}"),
            Called::Silent(Some(by)) => {
                let to = quoted(&edge.to);
                format!("{{ {caller} && span.{by} = {to}{error} }}")
            }
        }
    }
}

impl Map {
    /// The rows in the order they are read.
    pub fn rows(&self) -> Vec<Shown<'_>> {
        let failing = |shown: &Shown<'_>| {
            let edge = shown.branch.edge;
            !self.failing || edge.and_then(|e| e.failed).is_some_and(|f| f > 0.0)
        };
        let filter = self.table.filter();
        let mut rows: Vec<Shown<'_>> = Vec::new();
        for (cluster, part) in &self.parts {
            let (graph, origin) = part.shown();
            let (cluster, metrics) = (*cluster, origin == Origin::Metrics);
            let all = graph.branches().into_iter().map(|branch| Shown {
                cluster,
                branch,
                metrics,
            });
            rows.extend(all.filter(&failing));
        }
        rows.retain(|row| {
            let from = row.branch.edge.map_or("", |e| e.from.as_str());
            filter.matches(&[("service", row.branch.service), ("from", from)])
        });
        rows
    }

    /// The row under the cursor.
    pub fn under(&self) -> Option<Shown<'_>> {
        let rows = self.rows();
        let at = self.table.position(&rows, Shown::key)?;
        rows.get(at).cloned()
    }

    /// Where the numbers come from, in a few words.
    pub fn origin(&self, ctx: &Ctx<'_>) -> String {
        let several = self.parts.len() > 1;
        let told = self.parts.iter().map(|(cluster, part)| {
            let words = part.words(self.minutes(), ctx.world.now);
            match several {
                true => format!("{}: {words}", name(ctx.world, *cluster)),
                false => words,
            }
        });
        told.collect::<Vec<_>>().join(" · ")
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let rows = self.rows();
        if rows.is_empty() {
            empty(ctx, area, buf, &self.why_empty(ctx.world.replay.is_some()));
            return;
        }
        let columns = scoped(ctx, &COLUMNS, 1);
        let shown = widths(&columns, area.width);
        let wide = shown.iter().find(|(column, _)| *column == BAR);
        let wide = wide.map_or(0, |(_, width)| usize::from(*width));
        let calls = rows.iter().filter_map(|r| r.branch.edge.map(|e| e.calls));
        let most = calls.fold(0.0, f64::max);
        self.table.draw(
            ctx,
            area,
            buf,
            (&columns, &rows),
            Shown::key,
            |row, column| cell(ctx, row, column, (wide, most)),
        );
    }

    fn why_empty(&self, replay: bool) -> String {
        let mut parts = self.parts.values();
        if self.parts.is_empty() && !replay {
            return "neither Prometheus nor Tempo is configured or found for these clusters"
                .to_owned();
        }
        if parts.any(Part::is_asking) {
            return "asking …".to_owned();
        }
        if self.failing || !self.table.filter_text().is_empty() {
            return "nothing passes the filter".to_owned();
        }
        if replay {
            return "this recording holds neither traces nor rates of the calls between services: \
                    no query can be computed in a replay"
                .to_owned();
        }
        let fault = self.parts.values().find_map(|p| p.faults.first());
        match fault {
            Some(fault) => fault.to_string(),
            None => "no series of Tempo's metrics generator (traces_service_graph_request_total), \
                     and no trace was found that could be sampled: o searches, t changes the time"
                .to_owned(),
        }
    }
}

fn cell<'a>(
    ctx: &Ctx<'a>,
    row: &'a Shown<'_>,
    column: usize,
    (wide, most): (usize, f64),
) -> Line<'a> {
    let theme = ctx.theme;
    let edge = row.branch.edge;
    let unknown = || Line::styled(if edge.is_some() { "n/a" } else { "" }, theme.muted);
    let failing = edge.and_then(|e| e.failing());
    match column {
        0 => {
            let depth = row.branch.depth;
            let lead = match depth {
                0 => String::new(),
                d => format!("{}→ ", "  ".repeat(d.min(INDENT) - 1)),
            };
            let more = match (row.branch.again, edge.map(|e| &e.called)) {
                (true, _) => " ↑",
                (_, Some(Called::Silent(_))) => " (no spans of its own)",
                _ => "",
            };
            let style = match failing {
                Some(share) if share > 0.0 => theme.crit,
                _ => theme.base,
            };
            Line::styled(format!("{lead}{}{more}", row.branch.service), style)
        }
        1 => Line::styled(name(ctx.world, row.cluster).to_owned(), theme.muted),
        2 => match (edge, row.metrics) {
            (Some(edge), true) => Line::styled(per_second(edge.calls), theme.base),
            (Some(edge), false) => Line::styled(format!("{}", edge.calls), theme.base),
            (None, _) => unknown(),
        },
        3 => match failing {
            Some(0.0) => Line::styled("0%", theme.muted),
            Some(share) => Line::styled(format!("{:.1}%", share * 100.0), theme.crit),
            None => unknown(),
        },
        4 => match edge.and_then(|e| e.p95_ns) {
            Some(ns) => Line::styled(took(ns as i64), theme.base),
            None => unknown(),
        },
        _ => match edge {
            Some(edge) => Line::styled(
                meter(edge.calls / most.max(f64::MIN_POSITIVE), wide),
                theme.accent,
            ),
            None => Line::default(),
        },
    }
}

fn per_second(calls: f64) -> String {
    match calls {
        c if c >= 100.0 => format!("{c:.0}/s"),
        c if c >= 1.0 => format!("{c:.1}/s"),
        c => format!("{c:.3}/s"),
    }
}

/// The traces of a cluster that are sampled: the newest that the search found.
fn sampled(rows: &[Row], cluster: ClusterId) -> impl Iterator<Item = &Row> {
    rows.iter().filter(move |r| r.cluster == cluster)
}
