//! Everything known about one application.

use ratatui::text::{Line, Span};

use super::list::Row;
use crate::model::condition::ObjectCondition;
use crate::model::gitops::{App, Operation};
use crate::model::image;
use crate::model::time::Timestamp;
use crate::state::world::apps::promoted::{self, Check};
use crate::state::world::{World, apps};
use crate::ui::Ctx;
use crate::ui::view::common::{ago, heading, name, pair};
use crate::ui::view::{Goto, ScreenId};
use crate::ui::widget::badge;
use crate::ui::widget::text::wrap;

/// Lines of a list that are told.
const MOST: usize = 12;

/// Lines of a pane, put together piece by piece.
pub struct Told<'c, 'a> {
    ctx: &'c Ctx<'c>,
    width: usize,
    pub out: Vec<Line<'a>>,
}

impl<'c, 'a> Told<'c, 'a> {
    pub fn new(ctx: &'c Ctx<'c>, width: usize) -> Self {
        Self {
            ctx,
            width,
            out: Vec::new(),
        }
    }

    pub fn heading(&mut self, text: impl Into<String>) {
        self.out.push(Line::default());
        self.out.push(heading(self.ctx.theme, text));
    }

    pub fn pair(&mut self, key: &'a str, value: impl AsRef<str>) {
        let theme = self.ctx.theme;
        let mut parts = wrap(value.as_ref(), self.width.saturating_sub(12)).into_iter();
        let first = parts.next().unwrap_or_default();
        self.out.push(pair(theme, key, first, theme.base));
        self.out
            .extend(parts.map(|p| pair(theme, "", p, theme.base)));
    }

    pub fn text(&mut self, text: &str, style: ratatui::style::Style) {
        let parts = wrap(text, self.width).into_iter();
        self.out.extend(parts.map(|p| Line::styled(p, style)));
    }

    /// The first of a list, and how many more there are.
    pub fn list(&mut self, texts: impl ExactSizeIterator<Item = String>) {
        let more = texts.len().saturating_sub(MOST);
        for text in texts.take(MOST) {
            self.text(&text, self.ctx.theme.base);
        }
        if more > 0 {
            self.text(&format!("{more} more"), self.ctx.theme.muted);
        }
    }
}

pub fn lines<'a>(ctx: &Ctx<'_>, row: &Row<'a>, width: usize) -> Vec<Line<'a>> {
    let (app, theme) = (row.app, ctx.theme);
    let mut told = Told::new(ctx, width);
    let (glyph, _, style) = badge::status(theme, row.status);
    told.out.push(Line::from(vec![
        Span::styled(format!("{glyph} "), style),
        Span::styled(app.name.as_ref(), theme.title),
    ]));
    let state = match app.state.as_str() {
        "" => String::new(),
        state => format!(" ({state})"),
    };
    told.text(
        &format!(
            "{} · {}{state} · {}",
            app.sync.word(),
            app.health.word(),
            row.age(ctx.world)
        ),
        theme.base,
    );
    for flag in apps::flags(ctx.world, row.cluster, app) {
        told.text(&format!("▲ {flag}"), theme.warn);
    }
    if let Some(message) = &app.message {
        told.text(message, theme.base);
    }
    promotion(ctx, row, &mut told);
    desired(ctx, row, &mut told);
    if let Some(operation) = &app.operation {
        last_operation(ctx, operation, &mut told);
    }
    conditions(ctx, &app.conditions, &mut told);
    resources(app, &mut told);
    others(ctx, row, &mut told);
    if !app.images.is_empty() {
        told.heading("images");
        told.list(app.images.iter().cloned());
    }
    if !app.history.is_empty() {
        told.heading("history, newest first");
        let line = |d: &crate::model::gitops::Deployed| {
            format!("{}  {}", at(ctx, d.at), image::revision(&d.revision))
        };
        told.list(app.history.iter().map(line));
    }
    told.out
}

fn at(ctx: &Ctx<'_>, at: Option<Timestamp>) -> String {
    match at {
        Some(at) => format!(
            "{} {} ({} ago)",
            ctx.day(at),
            ctx.clock(at),
            ago(ctx.world, at)
        ),
        None => "time not told".into(),
    }
}

/// Has it arrived? Each answer with its reason.
fn promotion(ctx: &Ctx<'_>, row: &Row<'_>, told: &mut Told<'_, '_>) {
    if row.app.kind.is_source() {
        return;
    }
    let checks = promoted::checks(ctx.world, row.cluster, row.app);
    let word = match promoted::verdict(&checks) {
        Some(true) => "promoted: yes",
        Some(false) => "promoted: no",
        None => "promoted: unknown",
    };
    told.heading(word);
    for check in &checks {
        let (glyph, style) = mark(ctx, check);
        let mut parts = wrap(&check.why, told.width.saturating_sub(14)).into_iter();
        told.out.push(Line::from(vec![
            Span::styled(format!("{glyph} "), style),
            Span::styled(format!("{:<11} ", check.name), ctx.theme.muted),
            Span::styled(parts.next().unwrap_or_default(), ctx.theme.base),
        ]));
        for part in parts {
            let text = format!("{:<14}{part}", "");
            told.out.push(Line::styled(text, ctx.theme.base));
        }
    }
}

fn mark(ctx: &Ctx<'_>, check: &Check) -> (&'static str, ratatui::style::Style) {
    match check.fine {
        Some(true) => ("●", ctx.theme.ok),
        Some(false) => ("✗", ctx.theme.crit),
        None => ("?", ctx.theme.unknown),
    }
}

fn desired<'a>(ctx: &Ctx<'_>, row: &Row<'a>, told: &mut Told<'_, 'a>) {
    let app = row.app;
    told.heading("desired");
    told.pair("cluster", name(ctx.world, row.id.cluster));
    told.pair(
        "kind",
        format!("{} in {}", app.kind.as_str(), app.namespace),
    );
    if let Some(project) = &app.project {
        told.pair("project", project);
    }
    for source in &app.sources {
        let place = [source.repository.as_str(), source.path.as_str()];
        let place: Vec<&str> = place.into_iter().filter(|p| !p.is_empty()).collect();
        told.pair("source", place.join("  "));
        if !source.target.is_empty() {
            told.pair("tracks", &source.target);
        }
    }
    if let Some((chart, version)) = &app.chart {
        told.pair("chart", format!("{chart} {version}"));
    }
    if !app.kind.is_source() {
        let namespace = app
            .destination_namespace
            .as_deref()
            .unwrap_or("its own namespaces");
        let cluster = app.destination.as_deref().unwrap_or("this cluster");
        told.pair("deploys to", format!("{namespace} in {cluster}"));
    }
    told.pair("revision", app.revision.as_deref().unwrap_or("none yet"));
    if let Some(attempted) = &app.attempted {
        told.pair("attempted", attempted);
    }
    let automation = match app.automation {
        None => "none: synced by hand".to_owned(),
        Some(a) => format!(
            "automatic, prune {}, self-heal {}",
            on(a.prune),
            on(a.self_heal)
        ),
    };
    if !app.kind.is_source() {
        told.pair("automation", automation);
    }
    told.pair("suspended", if app.suspended { "yes" } else { "no" });
    told.pair("looked", at(ctx, app.reconciled));
}

fn on(yes: bool) -> &'static str {
    if yes { "on" } else { "off" }
}

fn last_operation<'a>(ctx: &Ctx<'_>, operation: &'a Operation, told: &mut Told<'_, 'a>) {
    told.heading("last operation");
    told.pair("phase", &operation.phase);
    told.pair("by", operation.by.as_deref().unwrap_or("not told"));
    if operation.started.is_some() {
        told.pair("started", at(ctx, operation.started));
    }
    if operation.finished.is_some() {
        told.pair("finished", at(ctx, operation.finished));
    }
    if operation.retries > 0 {
        told.pair("retries", operation.retries.to_string());
    }
    if !operation.message.is_empty() {
        told.pair("message", &operation.message);
    }
}

fn conditions(ctx: &Ctx<'_>, all: &[ObjectCondition], told: &mut Told<'_, '_>) {
    if all.is_empty() {
        return;
    }
    told.heading("conditions");
    let line = |c: &ObjectCondition| {
        let status = match c.status {
            Some(true) => "=True",
            Some(false) => "=False",
            None => "",
        };
        let since = c.since.map(|s| format!(" for {}", ago(ctx.world, s)));
        let texts = [c.reason.as_str(), c.message.as_str()];
        let texts: Vec<&str> = texts.into_iter().filter(|t| !t.is_empty()).collect();
        format!(
            "{}{status}{}: {}",
            c.kind,
            since.unwrap_or_default(),
            texts.join(": ")
        )
    };
    told.list(all.iter().map(line));
}

fn resources(app: &App, told: &mut Told<'_, '_>) {
    let total = app.resource_count.map(|n| format!(" of {n}"));
    if app.resources.is_empty() {
        if let Some(total) = app.resource_count {
            told.heading(format!("resources: none of {total} is told to be unwell"));
        }
        return;
    }
    told.heading(format!(
        "resources not well: {}{}",
        app.resources.len(),
        total.unwrap_or_default()
    ));
    let line = |r: &crate::model::gitops::AppResource| {
        let place = match r.namespace.as_str() {
            "" => r.name.clone(),
            namespace => format!("{namespace}/{}", r.name),
        };
        let health = r.health.map_or("health not told", |h| h.word());
        let prune = if r.requires_pruning {
            ", to be pruned"
        } else {
            ""
        };
        let message = match r.message.as_str() {
            "" => String::new(),
            message => format!(": {message}"),
        };
        format!("{} {place} {} {health}{prune}{message}", r.kind, r.status)
    };
    told.list(app.resources.iter().map(line));
}

/// The same application elsewhere.
fn others(ctx: &Ctx<'_>, row: &Row<'_>, told: &mut Told<'_, '_>) {
    let found = apps::matrix::line_of(ctx.world, row.id.cluster, row.app);
    let Some((places, line)) = found else {
        return;
    };
    if line.members().count() + line.missing() < 2 {
        return;
    }
    told.heading(format!("the same application elsewhere ({})", line.name));
    let texts = super::matrix::member_texts(&places, &line);
    told.list(texts.into_iter());
}

/// Where Enter leads: everything known of the application.
pub fn target(row: &Row<'_>) -> Goto {
    Goto {
        screen: ScreenId::Object,
        cluster: Some(row.id.cluster),
        focus: Some(row.id.focus()),
        ..Goto::default()
    }
}

/// The application in words; for the clipboard and the agent.
pub fn plain(world: &World, row: &Row<'_>) -> String {
    let app = row.app;
    let mut out = format!(
        "{} {}/{} on {}: {} {}",
        app.kind.as_str(),
        app.namespace,
        app.name,
        row.cluster.name,
        app.sync.word(),
        app.health.word(),
    );
    if !app.state.is_empty() {
        out.push_str(&format!(" ({})", app.state));
    }
    if let Some(revision) = &app.revision {
        out.push_str(&format!("\nrevision {revision}"));
    }
    if let Some(attempted) = &app.attempted {
        out.push_str(&format!("\nattempted {attempted}"));
    }
    for source in &app.sources {
        let tracked = [&source.repository, &source.path, &source.target].map(String::as_str);
        out.push_str(&format!("\nsource {}", tracked.join(" ")));
    }
    for flag in apps::flags(world, row.cluster, app) {
        out.push_str(&format!("\nflag {flag}"));
    }
    if let Some(o) = &app.operation {
        let by = o.by.as_deref().unwrap_or("not told");
        out.push_str(&format!(
            "\nlast operation {} by {by}: {}",
            o.phase, o.message
        ));
    }
    if let Some(message) = &app.message {
        out.push_str(&format!("\nmessage {message}"));
    }
    if !app.kind.is_source() {
        for check in promoted::checks(world, row.cluster, app) {
            let word = match check.fine {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            };
            out.push_str(&format!("\npromoted? {} {word}: {}", check.name, check.why));
        }
    }
    out
}
