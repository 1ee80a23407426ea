//! What each tab of an object shows.

use std::sync::Arc;

use crate::model::health::SourceKind;
use crate::model::label::Labels;
use crate::model::log::LineRef;
use crate::model::object::{ObjectKey, ObjectKind};
use crate::model::time::Timestamp;
use crate::state::world::{ClusterState, Known, MOST_RELATED, Related};
use crate::ui::Ctx;
use crate::ui::view::common::ago;
use crate::ui::view::logs::level_style;
use crate::ui::view::rights;
use crate::ui::widget::text::wrap;
use ratatui::text::Line;

use super::row::{Row, Tone, yaml_line};
use super::{ObjectView, Subject, Tab, Yaml, describe};

/// Newest log lines of a pod shown here; the logs screen has them all.
const LOG_LINES: usize = 1_000;

/// The text of a tab: rows made of the world, or the lines of the YAML that was asked for.
pub enum Body<'a> {
    Rows(Vec<Row>),
    Yaml(Vec<&'a str>),
    /// Made into rows as they are looked at: a frame shows a few of many.
    Logs(&'a Ctx<'a>, Vec<LineRef<'a>>),
}

impl Body<'_> {
    pub fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Yaml(lines) => lines.len(),
            Self::Logs(_, lines) => lines.len(),
        }
    }

    pub fn text(&self, at: usize) -> String {
        match self {
            Self::Rows(rows) => rows.get(at).map_or_else(String::new, Row::text),
            Self::Yaml(lines) => lines.get(at).map_or_else(String::new, |l| (*l).to_owned()),
            Self::Logs(ctx, lines) => lines
                .get(at)
                .map_or_else(String::new, |line| log_row(ctx, line).text()),
        }
    }

    pub fn target(&self, at: usize) -> Option<&ObjectKey> {
        match self {
            Self::Rows(rows) => rows.get(at)?.target.as_ref(),
            Self::Yaml(_) | Self::Logs(..) => None,
        }
    }

    /// As drawn: the row may take several lines.
    pub fn lines(
        &self,
        ctx: &Ctx<'_>,
        at: usize,
        columns: usize,
        wrapped: bool,
    ) -> Vec<Line<'static>> {
        let of_row = |row: &Row| row.lines(ctx.theme, columns, wrapped);
        match self {
            Self::Rows(rows) => rows.get(at).map_or_else(Vec::new, of_row),
            Self::Logs(ctx, lines) => lines
                .get(at)
                .map_or_else(Vec::new, |line| of_row(&log_row(ctx, line))),
            Self::Yaml(lines) => {
                let line = lines.get(at).copied().unwrap_or_default();
                if !wrapped || line.len() <= columns {
                    return vec![yaml_line(ctx.theme, line)];
                }
                let parts = wrap(line, columns);
                parts
                    .iter()
                    .map(|part| yaml_line(ctx.theme, part))
                    .collect()
            }
        }
    }

    /// Columns of the longest row.
    pub fn widest(&self) -> usize {
        let rows = (0..self.len()).map(|at| self.text(at).chars().count());
        rows.max().unwrap_or(0)
    }
}

impl ObjectView {
    pub(super) fn body<'a>(&'a self, ctx: &'a Ctx<'_>) -> Body<'a> {
        let Some(visit) = &self.visit else {
            let text = "no object chosen: Enter on a row opens one, `:object pod shop/cart-0` too";
            return Body::Rows(vec![Row::line(text, Tone::Muted)]);
        };
        let at = &visit.at;
        let Some(c) = ctx.world.cluster(at.cluster) else {
            return Body::Rows(Vec::new());
        };
        match visit.tab {
            Tab::Describe => Body::Rows(self.describe(ctx, c, at)),
            Tab::Yaml => match &visit.yaml {
                Yaml::Got(got) if got.fault.is_none() => Body::Yaml(got.lines(self.unfolded)),
                other => Body::Rows(waiting(other)),
            },
            Tab::Events => Body::Rows(events(ctx, c, &at.key)),
            Tab::Owners => Body::Rows(owners(c, &at.key, visit.yaml.owners())),
            Tab::Logs => logs(ctx, c, &at.key),
        }
    }

    fn describe(&self, ctx: &Ctx<'_>, c: &ClusterState, at: &Subject) -> Vec<Row> {
        let mut rows = old(ctx, c);
        match c.known(&at.key) {
            Some(known) => rows.extend(describe::rows(ctx, known)),
            None => rows.push(absent(c, &at.key)),
        }
        let changes: Vec<_> = c
            .changes
            .iter()
            .rev()
            .filter(|change| {
                change.subject.0 == at.key.kind.word()
                    && change.subject.1 == *at.key.name
                    && change.namespace == *at.key.namespace
            })
            .take(10)
            .collect();
        if !changes.is_empty() {
            rows.push(Row::heading("Changes"));
        }
        for change in changes {
            let by = change
                .by
                .as_deref()
                .map_or_else(String::new, |by| format!(", by {by}"));
            let told = format!("{} ago: {}{by}", ago(ctx.world, change.at), change.what);
            rows.push(Row::pair(change.kind.word(), told));
        }
        if let Some(Yaml::Got(got)) = self.visit.as_ref().map(|v| &v.yaml)
            && got.fault.is_none()
        {
            rows.push(Row::heading("Metadata"));
            rows.extend(got.facts.iter().map(|(k, v)| Row::pair(k, v.as_str())));
        }
        rows
    }
}

/// A line on top where the cluster is not heard now: what follows is what was last heard.
fn old(ctx: &Ctx<'_>, c: &ClusterState) -> Vec<Row> {
    let Some(health) = c.sources.get(&SourceKind::Kubernetes) else {
        return Vec::new();
    };
    let Some(fault) = health.fault() else {
        return Vec::new();
    };
    let age = health.last_ok.map_or_else(
        || "never".into(),
        |at| format!("{} ago", ago(ctx.world, at)),
    );
    vec![Row::line(format!("last heard {age}: {fault}"), Tone::Warn)]
}

/// Why nothing is known.
fn absent(c: &ClusterState, key: &ObjectKey) -> Row {
    let what = key.kind.word();
    if c.is_unread(key) {
        let told = format!("unknown: this {what} is not as its schema says; YAML shows it");
        return Row::line(told, Tone::Unknown);
    }
    if c.is_listed(key.kind) {
        return Row::line(
            format!("this {what} is not there: deleted, or never was"),
            Tone::Warn,
        );
    }
    if c.is_absent(key.kind) {
        return Row::line(format!("this cluster has no kind {what}"), Tone::Warn);
    }
    if let Some(refused) = rights::refused(c, key.kind) {
        return Row::line(format!("unknown: {refused}"), Tone::Warn);
    }
    let why = match c.sources.get(&SourceKind::Kubernetes) {
        None => "no kube context is configured for this cluster",
        Some(h) if h.fault().is_some() => "the Kubernetes API is not heard",
        Some(_) => "objects of this kind were not listed yet, or may not be",
    };
    Row::line(format!("unknown: {why}"), Tone::Unknown)
}

fn waiting(yaml: &Yaml) -> Vec<Row> {
    match yaml {
        Yaml::None => vec![Row::line("not asked yet: r asks", Tone::Muted)],
        Yaml::Asking(_) => vec![Row::line("asking …", Tone::Muted)],
        Yaml::Got(got) => match &got.fault {
            Some(fault) => vec![
                Row::line(fault.what.clone(), Tone::Bad),
                Row::line(format!("at {}", fault.endpoint), Tone::Plain),
                Row::line(format!("try: {}", fault.hint), Tone::Plain),
            ],
            None => Vec::new(),
        },
    }
}

fn events(ctx: &Ctx<'_>, c: &ClusterState, key: &ObjectKey) -> Vec<Row> {
    let mut rows = old(ctx, c);
    let mut all: Vec<_> = c.events_about(key).collect();
    all.reverse();
    let any = !all.is_empty();
    for e in all {
        let times = match e.count {
            0 | 1 => String::new(),
            n => format!(" ×{n}"),
        };
        let tone = if e.warning { Tone::Warn } else { Tone::Plain };
        let told = format!("{}{times}: {} ({})", e.reason, e.message, e.reporter);
        rows.push(Row::toned(
            &format!("{} ago", ago(ctx.world, e.at)),
            told,
            tone,
        ));
    }
    if any {
        return rows;
    }
    let row = match (
        rights::refused(c, ObjectKind::Event),
        c.is_listed(ObjectKind::Event),
    ) {
        (Some(refused), false) => Row::line(refused, Tone::Warn),
        (_, true) => {
            let text = "no events: the server keeps them for an hour as a rule";
            Row::line(text, Tone::Muted)
        }
        (None, false) => {
            let text = "unknown: no events were heard of this cluster";
            Row::line(text, Tone::Unknown)
        }
    };
    rows.push(row);
    rows
}

/// Up to whom it belongs, then what belongs to it.
fn owners(c: &ClusterState, key: &ObjectKey, told: &[(String, String)]) -> Vec<Row> {
    let above = c.above(key);
    let mut rows: Vec<Row> = above.iter().map(|r| related(c, r)).collect();
    for (kind, name) in told {
        if !above.iter().any(|r| r.kind == *kind && *r.name == **name) {
            let target = ObjectKind::named(kind).map(|kind| ObjectKey {
                kind,
                namespace: key.namespace.clone(),
                name: Arc::from(name.as_str()),
            });
            let row = Row::pair("owned by", format!("{kind} {name}"));
            rows.push(Row { target, ..row });
        }
    }
    if rows.is_empty() {
        rows.push(Row::line("no owner is known", Tone::Muted));
    }
    let (below, count) = c.below(key);
    rows.extend(below.iter().map(|r| related(c, r)));
    if count > MOST_RELATED {
        let more = count - MOST_RELATED;
        rows.push(Row::line(format!("and {more} more"), Tone::Muted));
    }
    rows
}

fn related(c: &ClusterState, r: &Related) -> Row {
    let known = r.key.as_ref().and_then(|key| c.known(key));
    let (state, tone) = known.map_or(("", Tone::Plain), standing);
    let place = match r.namespace.as_ref() {
        "" => r.name.to_string(),
        namespace => format!("{namespace}/{}", r.name),
    };
    let told = format!("{} {place}  {state}", r.kind);
    Row {
        target: r.key.clone(),
        ..Row::toned(r.relation.words(), told.trim_end(), tone)
    }
}

/// How an object is, in a word.
fn standing(known: Known<'_>) -> (&str, Tone) {
    match known {
        Known::Pod(p) => (
            p.reason.as_deref().unwrap_or(&p.phase),
            if p.is_bad() { Tone::Bad } else { Tone::Plain },
        ),
        Known::Node(n) => match n.ready {
            Some(true) => ("ready", Tone::Plain),
            Some(false) => ("not ready", Tone::Bad),
            None => ("readiness unknown", Tone::Unknown),
        },
        Known::Workload(w) if w.is_short() => ("short of replicas", Tone::Warn),
        Known::App(a) => (
            a.health.word(),
            if a.is_bad() { Tone::Warn } else { Tone::Plain },
        ),
        _ => ("", Tone::Plain),
    }
}

/// Lines of this pod in the ring: of Loki, or followed straight from the API server.
fn logs<'a>(ctx: &'a Ctx<'_>, c: &'a ClusterState, key: &'a ObjectKey) -> Body<'a> {
    let ours = |labels: &Labels| {
        labels.get("pod") == Some(key.name.as_ref())
            && labels.get("namespace") == Some(key.namespace.as_ref())
    };
    let mut lines: Vec<LineRef<'_>> = c.logs.newest_of(ours).take(LOG_LINES).collect();
    lines.reverse();
    if lines.is_empty() {
        let text = "no line heard of this pod; Enter opens the logs screen";
        return Body::Rows(vec![Row::line(text, Tone::Muted)]);
    }
    Body::Logs(ctx, lines)
}

fn log_row(ctx: &Ctx<'_>, line: &LineRef<'_>) -> Row {
    let (letter, _) = level_style(ctx.theme, line.level);
    let at = Timestamp(line.at_ns / 1_000_000);
    let container = line.labels.get("container").unwrap_or("");
    let tone = match letter {
        "C" | "E" => Tone::Bad,
        "W" => Tone::Warn,
        _ => Tone::Plain,
    };
    Row::toned(
        &format!("{} {letter}", ctx.clock_or_day(at)),
        format!("{container} {}", line.line).trim_start(),
        tone,
    )
}
