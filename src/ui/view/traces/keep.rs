//! What is taken along from the traces screen as a file: the traces found, or the spans of one.

use super::Traces;
use super::asked::{Row, Search};
use crate::message::Effect;
use crate::model::export::{Cell, Export, Format, Kept, TableExport};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::model::trace::{Node, Place, Status, Trace};
use crate::state::world::World;
use crate::ui::view::common::name;

const FOUND: [&str; 10] = [
    "trace",
    "cluster",
    "start",
    "duration_ms",
    "service",
    "operation",
    "spans",
    "services",
    "errors",
    "matched",
];
const SPANS: [&str; 15] = [
    "trace",
    "span",
    "parent",
    "place",
    "depth",
    "service",
    "operation",
    "kind",
    "start",
    "start_ns",
    "duration_ns",
    "self_ns",
    "critical_ns",
    "status",
    "message",
];

impl Traces {
    /// The spans of the trace that is open, else the traces in view.
    pub(super) fn export(&self, format: Format, world: &World) -> Effect {
        let trace = self.opened.as_ref().and_then(|o| o.got.as_ref());
        let list = match (trace, &self.search) {
            _ if self.map.is_some() => {
                return Effect::Say("the service graph is not written to files; Esc closes it");
            }
            (Some((cluster, trace)), _) => spans(world, *cluster, trace),
            (None, Some(search)) => found(world, search, &self.rows()),
            (None, None) => return Effect::Say("no trace is in view: there is nothing to write"),
        };
        let export = Export {
            format,
            at: world.now,
            kept: Kept::Table(list),
        };
        Effect::Save(Box::new(export))
    }
}

fn found(world: &World, search: &Search, rows: &[Row]) -> TableExport {
    let count = |n: Option<u64>| n.map_or(Cell::Nothing, |n| Cell::Number(n as f64));
    let row = |row: &Row| {
        let found = &row.found;
        vec![
            Cell::Text(found.id.to_string()),
            Cell::text(name(world, row.cluster)),
            Cell::Time(found.at()),
            Cell::Number(found.duration_ms as f64),
            Cell::text(&found.service),
            Cell::text(&found.operation),
            count(found.counts.map(|c| c.spans)),
            count(found.counts.map(|c| c.services)),
            count(found.counts.map(|c| c.errors)),
            count(found.matched),
        ]
    };
    let asking = &search.asking;
    let silent = asking.faults.len() + asking.pending.len();
    let mut origin = format!("Tempo of {} clusters", asking.answered);
    if silent > 0 {
        origin.push_str(&format!(" · {silent} did not answer"));
    }
    if search.full {
        origin.push_str(" · there may be more than these");
    }
    TableExport {
        title: "traces".into(),
        query: search.query.clone().unwrap_or_default(),
        origin,
        columns: FOUND.map(str::to_owned).to_vec(),
        rows: rows.iter().map(row).collect(),
    }
}

fn spans(world: &World, cluster: ClusterId, trace: &Trace) -> TableExport {
    let mut origin = format!("Tempo of {}", name(world, cluster));
    if let Some(all) = trace.cut_from {
        origin.push_str(&format!(" · {} of {all} spans", trace.nodes.len()));
    }
    for doubt in trace.doubts() {
        origin.push_str(&format!(" · {doubt}"));
    }
    TableExport {
        title: format!("trace {}", trace.id),
        query: trace.id.to_string(),
        origin,
        columns: SPANS.map(str::to_owned).to_vec(),
        rows: trace.nodes.iter().map(|node| span(trace, node)).collect(),
    }
}

fn span(trace: &Trace, node: &Node) -> Vec<Cell> {
    let span = &node.span;
    let number = |ns: Option<i64>| ns.map_or(Cell::Nothing, |ns| Cell::Number(ns as f64));
    let start = Some(span.start_ns).filter(|ns| *ns != 0);
    let parent = span.parent.map(|id| id.to_string());
    vec![
        Cell::Text(trace.id.to_string()),
        Cell::Text(span.id.to_string()),
        Cell::text(&parent.unwrap_or_default()),
        Cell::text(match node.place {
            Place::Root => "root",
            Place::Child => "child",
            Place::Orphan => "parent missing",
            Place::Loop => "loop",
        }),
        Cell::Number(node.depth as f64),
        Cell::text(&span.service),
        Cell::text(&span.operation),
        Cell::text(span.kind.word()),
        start.map_or(Cell::Nothing, |ns| Cell::Time(Timestamp(ns / 1_000_000))),
        // As text: a number of this size loses digits in most programs.
        start.map_or(Cell::Nothing, |ns| Cell::Text(ns.to_string())),
        number(span.duration_ns()),
        number(node.self_ns),
        Cell::Number(node.critical_ns as f64),
        Cell::text(match span.status {
            Status::Unset => "",
            Status::Ok => "ok",
            Status::Error => "error",
        }),
        Cell::text(&span.message),
    ]
}
