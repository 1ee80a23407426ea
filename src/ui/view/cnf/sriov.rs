//! SR-IOV per physical function: what is wanted, what is configured, what the card can do.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::function;
use super::list::{Row, RowId};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::object::ObjectKind;
use crate::model::sriov::{PhysicalFunction, SriovNodeState};
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::view::Focus;
use crate::ui::view::common::{above, ago, clusters, empty, lines, name, pane, scoped};
use crate::ui::widget::table::{Column, Table};
use crate::ui::widget::text::wrap;

const COLUMNS: [Column; 12] = [
    Column::new("S", 1, 1),
    Column::new("NODE", 8, 14),
    Column::new("CLUSTER", 8, 14).priority(6),
    Column::new("PF", 6, 12),
    Column::new("PCI", 12, 12).priority(7),
    Column::new("DRIVER", 7, 10).priority(5),
    Column::new("LINK", 9, 10).priority(4),
    Column::new("WANT", 4, 4).right(),
    Column::new("HAVE", 4, 4).right(),
    Column::new("MAX", 4, 4).priority(1).right(),
    Column::new("SYNC", 9, 11),
    Column::new("DRAIN", 10, 24).priority(3),
];

/// One physical function; a node without any has a row of its own, for its sync state.
pub struct FunctionRow<'a> {
    pub cluster: ClusterId,
    pub state: &'a SriovNodeState,
    pub function: Option<&'a PhysicalFunction>,
}

impl FunctionRow<'_> {
    /// What is wrong here, in a few words, and whether it is grave.
    pub fn problem(&self) -> Option<(String, bool)> {
        let status = self.state.sync_status.as_deref();
        let wanted = self.function.and_then(|f| Some((f, f.desired_vfs?)));
        if let Some((function, wanted)) = wanted.filter(|(f, wanted)| *wanted > f.total_vfs) {
            let text = format!("{wanted} VFs wanted, {} possible", function.total_vfs);
            return Some((text, true));
        }
        if status == Some("Failed") {
            return Some(("sync failed".into(), true));
        }
        if let Some((function, wanted)) = wanted.filter(|(f, wanted)| *wanted != f.num_vfs) {
            let text = format!("{wanted} VFs wanted, {} configured", function.num_vfs);
            return Some((text, false));
        }
        if let Some(port) = self.function.filter(|f| f.is_down() && f.num_vfs > 0) {
            return Some((format!("link down, {} VFs on it", port.num_vfs), true));
        }
        match status {
            Some("InProgress") => Some(("sync in progress".into(), false)),
            _ => None,
        }
    }
}

impl Row for FunctionRow<'_> {
    fn id(&self) -> RowId {
        let pci = self.function.map_or("", |f| f.pci_address.as_str());
        (self.cluster, Arc::clone(&self.state.node), pci.into())
    }

    fn fields<'b>(&'b self, world: &'b World) -> Vec<(&'b str, &'b str)> {
        let mut fields = vec![
            ("node", self.state.node.as_ref()),
            ("cluster", name(world, self.cluster)),
            (
                "sync",
                self.state.sync_status.as_deref().unwrap_or("unknown"),
            ),
        ];
        if let Some(function) = self.function {
            fields.push(("pf", function.name.as_str()));
            fields.push(("pci", function.pci_address.as_str()));
        }
        fields
    }

    fn plain(&self, world: &World) -> String {
        let mut out = format!(
            "{} {} SR-IOV sync {}",
            name(world, self.cluster),
            self.state.node,
            self.state.sync_status.as_deref().unwrap_or("unknown"),
        );
        if let Some(f) = self.function {
            out.push_str(&format!(
                ", {} {}: {} VFs wanted, {} configured, {} possible",
                f.name,
                f.pci_address,
                f.desired_vfs.map_or("n/a".into(), |n| n.to_string()),
                f.num_vfs,
                f.total_vfs,
            ));
        }
        if let Some(error) = &self.state.last_sync_error {
            out.push_str(&format!(", last error {error}"));
        }
        out
    }

    fn focus(&self) -> Focus {
        Focus::Node {
            cluster: self.cluster,
            node: self.state.node.to_string(),
        }
    }

    fn is_bad(&self) -> bool {
        self.problem().is_some()
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, skip: usize) {
        function::draw(ctx, area, buf, self, skip);
    }
}

/// Nodes that did not succeed first.
pub fn rows(world: &World, scope: Option<ClusterId>) -> Vec<FunctionRow<'_>> {
    let mut rows = Vec::new();
    for cluster in clusters(world, scope) {
        for state in cluster.sriov.values() {
            let row = |function| FunctionRow {
                cluster: cluster.id,
                state,
                function,
            };
            if state.interfaces.is_empty() {
                rows.push(row(None));
            }
            rows.extend(state.interfaces.iter().map(|f| row(Some(f))));
        }
    }
    rows.sort_by_key(|r| match r.problem() {
        Some((_, true)) => 0,
        Some((_, false)) => 1,
        None => 2,
    });
    rows
}

fn title(rows: &[FunctionRow<'_>]) -> (String, String) {
    let mut nodes: Vec<(ClusterId, &str, Option<&str>)> = rows
        .iter()
        .map(|r| {
            (
                r.cluster,
                r.state.node.as_ref(),
                r.state.sync_status.as_deref(),
            )
        })
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    let count = |word| nodes.iter().filter(|n| n.2 == Some(word)).count();
    let other = nodes.len() - count("Succeeded") - count("InProgress") - count("Failed");
    let mut states = Vec::new();
    for (word, number) in [
        ("Failed", count("Failed")),
        ("InProgress", count("InProgress")),
        ("Succeeded", count("Succeeded")),
        ("unknown", other),
    ] {
        if number > 0 {
            states.push(format!("{number} {word}"));
        }
    }
    let title = format!("SR-IOV per PF, {} nodes", nodes.len());
    (title, states.join(" · "))
}

pub fn draw(
    ctx: &Ctx<'_>,
    scope: Option<ClusterId>,
    area: Rect,
    buf: &mut Buffer,
    (rows, table): (&[FunctionRow<'_>], &Table<RowId>),
) {
    let (left, states) = title(rows);
    let right = format!("{states} · m policies");
    let right = right.trim_start_matches(" · ");
    let inner = pane(ctx, area, buf, &left, right, ctx.focus);
    if rows.is_empty() {
        let why = no_object(ctx.world, scope, ObjectKind::SriovNodeState);
        empty(ctx, inner, buf, &why);
        return;
    }
    let chosen = table
        .position(rows, FunctionRow::id)
        .and_then(|at| rows.get(at));
    let error = chosen.map(|r| note(r)).unwrap_or_default();
    let columns = usize::from(inner.width);
    let parts: Vec<String> = match error.is_empty() {
        true => Vec::new(),
        false => wrap(&error, columns).into_iter().take(3).collect(),
    };
    let below = u16::try_from(parts.len())
        .unwrap_or(0)
        .min(inner.height.saturating_sub(3));
    let (list, foot) = above(inner, below);
    table.draw(
        ctx,
        list,
        buf,
        (&scoped(ctx, &COLUMNS, 2), rows),
        FunctionRow::id,
        |row, c| cell(ctx, row, c),
    );
    let grave = chosen
        .and_then(FunctionRow::problem)
        .is_some_and(|(_, grave)| grave);
    let style = if grave {
        ctx.theme.crit
    } else {
        ctx.theme.warn
    };
    let text: Vec<Line<'_>> = parts.into_iter().map(|p| Line::styled(p, style)).collect();
    lines(ctx, foot, buf, &text, 0);
}

/// What is to be said of the chosen row.
fn note(row: &FunctionRow<'_>) -> String {
    let problem = row.problem().map(|(text, _)| text);
    let error = row
        .state
        .last_sync_error
        .as_deref()
        .filter(|e| !e.is_empty());
    match (problem, error) {
        (Some(problem), Some(error)) => format!("{}: {problem}, {error:?}", row.state.node),
        (Some(problem), None) => format!("{}: {problem}", row.state.node),
        (None, Some(error)) => format!("{}: last sync error {error:?}", row.state.node),
        (None, None) => String::new(),
    }
}

/// Why there is no object of a kind of the SR-IOV operator.
pub fn no_object(world: &World, scope: Option<ClusterId>, kind: ObjectKind) -> String {
    let mut kube = clusters(world, scope)
        .filter(|c| c.sources.contains_key(&SourceKind::Kubernetes))
        .peekable();
    if kube.peek().is_none() {
        return "no cluster of the scope has a Kubernetes API configured (kube = { context = … })"
            .into();
    }
    let word = kind.word();
    let mut listed = kube.filter(|c| c.is_listed(kind));
    match listed.next() {
        Some(_) => format!("there is no {word}, or none matches the filter"),
        None => format!("no {word} seen: the SR-IOV operator is not installed, or may not be read"),
    }
}

/// What the operator says of a node: `sync InProgress since 14:06:31 (8m)`; `None`: it is done
/// there.
pub fn sync_words(ctx: &Ctx<'_>, cluster: &ClusterState, node: &str) -> Option<String> {
    let state = cluster.sriov.get(node)?;
    let mut words = Vec::new();
    let status = state.sync_status.as_deref().unwrap_or("unknown");
    if status != "Succeeded" {
        let since = cluster.sync(node).map_or(String::new(), |sync| {
            let (at, age) = (ctx.clock_or_day(sync.since), ago(ctx.world, sync.since));
            match sync.seen {
                true => format!(" since {at} ({age})"),
                false => format!(" since {at} or earlier"),
            }
        });
        words.push(format!("sync {status}{since}"));
    }
    let drains = state
        .desired_state
        .as_deref()
        .zip(state.current_state.as_deref());
    if let Some((desired, current)) = drains.filter(|(desired, current)| desired != current) {
        words.push(format!("drain {} → {}", drain(current), drain(desired)));
    }
    if let Some(error) = state.last_sync_error.as_deref().filter(|e| !e.is_empty()) {
        words.push(format!("last error {error:?}"));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

fn cell<'a>(ctx: &Ctx<'a>, row: &FunctionRow<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let base = theme.base;
    let (glyph, style) = match row.problem() {
        Some((_, true)) => ("✗", theme.crit),
        Some((_, false)) => ("▲", theme.warn),
        None if row.state.sync_status.is_none() => ("?", theme.unknown),
        None => ("●", theme.ok),
    };
    let state = row.state;
    match (column, row.function) {
        (0, _) => Line::styled(glyph, style),
        (1, _) => Line::styled(state.node.as_ref(), base),
        (2, _) => Line::styled(name(ctx.world, row.cluster), theme.muted),
        (10, _) => Line::styled(state.sync_status.as_deref().unwrap_or("unknown"), style),
        (11, _) => match (&state.current_state, &state.desired_state) {
            (Some(current), Some(desired)) if current != desired => {
                Line::styled(format!("→ {}", drain(desired)), theme.warn)
            }
            (Some(current), _) => Line::styled(drain(current), theme.muted),
            (None, _) => Line::styled("n/a", theme.muted),
        },
        (_, None) => Line::styled("-", theme.muted),
        (_, Some(function)) => function_cell(function, column, base, theme.muted, style),
    }
}

/// State of the drain without the word that heads the column: `Drain_Required` is `required`,
/// `DrainComplete` is `complete`.
pub fn drain(state: &str) -> String {
    let short = state.strip_prefix("Drain_").or_else(|| {
        let rest = state.strip_prefix("Drain")?;
        rest.starts_with(char::is_uppercase).then_some(rest)
    });
    let state = short.unwrap_or(state);
    state.replace('_', " ").to_lowercase()
}

/// `25000 Mb/s` as people say it; what is written otherwise stays as it is.
pub fn link(function: &PhysicalFunction) -> Option<String> {
    let speed = function.link()?;
    let megabits = speed
        .strip_suffix(" Mb/s")
        .and_then(|n| n.parse::<f64>().ok());
    let written = megabits.map(|n| Unit::BitsPerSecond.write(n * 1e6));
    Some(written.unwrap_or_else(|| speed.to_owned()))
}

fn function_cell(
    function: &PhysicalFunction,
    column: usize,
    base: Style,
    muted: Style,
    bad: Style,
) -> Line<'_> {
    match column {
        3 => Line::styled(function.name.as_str(), base),
        4 => Line::styled(function.pci_address.as_str(), muted),
        5 => match &function.driver {
            Some(driver) => Line::styled(driver.as_str(), base),
            None => Line::styled("n/a", muted),
        },
        6 => match link(function) {
            // A port that nothing hangs on may be down.
            Some(link) if function.is_down() && function.num_vfs > 0 => Line::styled(link, bad),
            Some(link) => Line::styled(link, base),
            None => Line::styled("n/a", muted),
        },
        7 => match function.desired_vfs {
            Some(wanted) if wanted != function.num_vfs => Line::styled(wanted.to_string(), bad),
            Some(wanted) => Line::styled(wanted.to_string(), base),
            None => Line::styled("-", muted),
        },
        8 => Line::styled(function.num_vfs.to_string(), base),
        _ => Line::styled(function.total_vfs.to_string(), muted),
    }
}
