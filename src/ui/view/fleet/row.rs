//! Rows of the fleet screen: what each cell says and how rows are ordered.

use std::borrow::Cow;
use std::cmp::Reverse;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::incident::Incident;
use crate::model::health::{Health, SourceKind};
use crate::model::id::ClusterId;
use crate::model::object::Event;
use crate::model::ptp::ClockState;
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, Status, World};
use crate::ui::Ctx;
use crate::ui::view::Focus;
use crate::ui::widget::cell::Cell;
use crate::ui::widget::{badge, spark};

/// What the filter sees of a cluster.
pub fn fields<'a>(world: &World, c: &'a ClusterState) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<(&str, &str)> =
        vec![("name", &c.name), ("status", word(world.status(c.id)))];
    if let Some(region) = &c.region {
        fields.push(("region", region));
    }
    if !c.labels.iter().any(|(name, _)| name == "site") {
        fields.push(("site", site(c)));
    }
    if let Some(environment) = &c.environment {
        fields.push(("environment", environment));
    }
    fields.extend(c.labels.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    fields
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Warning => "warning",
        Status::Critical => "critical",
        Status::Unknown => "unknown",
    }
}

/// Order of the rows: by a number that grows with what comes later, then by a text.
pub fn key<'a>(
    world: &World,
    c: &'a ClusterState,
    column: Option<usize>,
) -> (Reverse<i64>, &'a str, &'a str) {
    let alerts = c.alert_counts();
    let score = |v: f64| (v * 1000.0) as i64;
    let weight = match column {
        None => {
            let rank = match world.status(c.id) {
                Status::Critical => 4,
                Status::Unknown => 3,
                Status::Warning => 2,
                Status::Ok => 1,
            };
            let critical = alerts.critical.min(9_999) as i64;
            rank * 1_000_000_000 + critical * 10_000 + score(peak(c).unwrap_or(0.0))
        }
        Some(4) => c.nodes.len() as i64,
        Some(5) => c.unhealthy_pods().count() as i64,
        Some(6) => (alerts.critical * 100_000 + alerts.warning) as i64,
        Some(7) => score(peak(c).unwrap_or(-1.0)),
        Some(8) => score(utilisation(c).unwrap_or(-1.0)),
        Some(9) => c.ptp.iter().map(|n| n.state.map_or(0, |s| s as i64)).sum(),
        Some(10) => c.last_sample.map_or(i64::MAX, |at| world.age_ms(at) as i64),
        Some(_) => 0,
    };
    let text = match column {
        Some(2) => site(c),
        Some(3) => version(c),
        _ => "",
    };
    (Reverse(weight), text, &c.name)
}

pub fn cell<'a>(ctx: &Ctx, c: &'a ClusterState, column: usize) -> Cell<'a> {
    let theme = ctx.theme;
    let status = ctx.world.status(c.id);
    let (glyph, _, style) = badge::status(theme, status);
    // Last good data of a cluster that is not heard is dimmed.
    let plain = if status == Status::Unknown {
        theme.muted
    } else {
        theme.base
    };
    match column {
        0 => Cell::new(glyph, style),
        1 => Cell::new(
            c.name.as_ref(),
            plain.patch(if status == Status::Critical {
                style
            } else {
                plain
            }),
        ),
        2 => Cell::new(site(c), theme.muted),
        3 => known(version(c).into(), theme.muted, ctx),
        4 => known(nodes(c).into(), plain, ctx),
        5 => pods(ctx, c),
        6 => alerts(ctx, c),
        7 => anomaly(ctx, c, status),
        8 => match utilisation(c) {
            Some(value) => Cell::new(Unit::Percent.write(value.round()), plain),
            None => Cell::new(none(c), theme.muted),
        },
        9 => ptp(ctx, c),
        10 => age(ctx, c),
        _ => Cell::new(ctx.world.standing(c.id).1, theme.muted),
    }
}

/// What is not known looks the same in every column.
fn known<'a>(text: Cow<'a, str>, style: Style, ctx: &Ctx) -> Cell<'a> {
    let style = if text == "?" {
        ctx.theme.unknown
    } else {
        style
    };
    Cell::new(text, style)
}

/// Where it stands: the label `site`, else the region.
fn site(c: &ClusterState) -> &str {
    let label = c.labels.iter().find(|(name, _)| name == "site");
    label.map_or(c.region.as_deref().unwrap_or("—"), |(_, site)| site)
}

fn version(c: &ClusterState) -> &str {
    let facts = &c.facts;
    let known = facts
        .openshift_version
        .as_ref()
        .or(facts.kubernetes_version.as_ref());
    known.map_or("?", String::as_str)
}

/// Whether the Kubernetes API was ever heard.
fn kube_heard(c: &ClusterState) -> bool {
    c.sources
        .get(&SourceKind::Kubernetes)
        .is_some_and(|s| s.last_ok.is_some() || s.health == Health::Live)
}

fn nodes(c: &ClusterState) -> String {
    if !kube_heard(c) && c.nodes.is_empty() {
        return "?".into();
    }
    let ready = c.nodes.values().filter(|n| n.ready == Some(true)).count();
    format!("{ready}/{}", c.nodes.len())
}

fn pods<'a>(ctx: &Ctx, c: &ClusterState) -> Cell<'a> {
    if !kube_heard(c) && c.pods.is_empty() {
        return Cell::new("?", ctx.theme.unknown);
    }
    let bad = c.unhealthy_pods().count();
    let style = if bad > 0 {
        ctx.theme.warn
    } else {
        ctx.theme.muted
    };
    let all = format!("{:<5}", c.pods.len());
    Cell::Two([(all.into(), ctx.theme.base), (number(bad), style)])
}

fn alerts<'a>(ctx: &Ctx, c: &ClusterState) -> Cell<'a> {
    let heard = [SourceKind::Prometheus, SourceKind::Alertmanager]
        .iter()
        .filter_map(|kind| c.sources.get(kind))
        .any(|s| s.last_ok.is_some());
    if !heard && c.alerts.is_empty() {
        return Cell::new("?", ctx.theme.unknown);
    }
    let counts = c.alert_counts();
    let style = |n: usize, style| if n > 0 { style } else { ctx.theme.muted };
    Line::from(vec![
        Span::styled(
            number(counts.critical),
            style(counts.critical, ctx.theme.crit),
        ),
        Span::styled("/", ctx.theme.muted),
        Span::styled(
            number(counts.warning),
            style(counts.warning, ctx.theme.warn),
        ),
    ])
    .into()
}

/// Nearly always nothing is wrong.
fn number(count: usize) -> Cow<'static, str> {
    match count {
        0 => "0".into(),
        count => count.to_string().into(),
    }
}

/// Greatest score of the hour.
fn peak(c: &ClusterState) -> Option<f64> {
    let peak = c.anomaly.iter().copied().fold(f64::NAN, f64::max);
    peak.is_finite().then_some(peak)
}

fn anomaly<'a>(ctx: &Ctx, c: &ClusterState, status: Status) -> Cell<'a> {
    if status == Status::Unknown {
        let text = match c.last_sample {
            Some(at) => format!("no data since {}", ctx.minute(at)),
            None => "no data yet".into(),
        };
        return Cell::new(text, ctx.theme.unknown);
    }
    let strip = spark::line(&c.anomaly, 0.0, 1.0);
    match peak(c) {
        Some(peak) => {
            let style = match peak {
                p if p >= 0.8 => ctx.theme.crit,
                p if p >= 0.5 => ctx.theme.warn,
                _ => ctx.theme.muted,
            };
            Cell::new(format!("{strip}  {peak:.2}"), style)
        }
        None => Cell::new("no history yet", ctx.theme.muted),
    }
}

/// There is none; or nobody has told.
fn none(c: &ClusterState) -> &'static str {
    if c.last_sample.is_some() { "—" } else { "?" }
}

/// Mean over the GPUs that tell it, per cent.
fn utilisation(c: &ClusterState) -> Option<f64> {
    let known = c.gpus.iter().filter_map(|g| g.utilisation.map(|s| s.value));
    let (sum, count) = known
        .filter(|v| v.is_finite())
        .fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn ptp<'a>(ctx: &Ctx, c: &ClusterState) -> Cell<'a> {
    if c.ptp.is_empty() {
        return Cell::new(none(c), ctx.theme.muted);
    }
    let count = |state| c.ptp.iter().filter(|n| n.state == Some(state)).count();
    let (free, hold, locked) = (
        count(ClockState::Freerun),
        count(ClockState::Holdover),
        count(ClockState::Locked),
    );
    let all = c.ptp.len();
    if free > 0 {
        Cell::new(format!("FREE {free}/{all}"), ctx.theme.crit)
    } else if hold > 0 {
        Cell::new(format!("HOLD {hold}/{all}"), ctx.theme.warn)
    } else if locked == all {
        Cell::new(format!("LOCKED {all}"), ctx.theme.ok)
    } else {
        Cell::new(format!("? {}/{all}", all - locked), ctx.theme.unknown)
    }
}

/// Age of the newest data, marked stale or failed.
fn age<'a>(ctx: &Ctx, c: &ClusterState) -> Cell<'a> {
    let Some(at) = c.last_sample else {
        let failed = c.sources.values().any(|s| s.fault().is_some());
        let (text, style) = if failed {
            ("✗", ctx.theme.crit)
        } else {
            ("?", ctx.theme.unknown)
        };
        return Cell::new(text, style);
    };
    let age = badge::age(ctx.world.age_ms(at));
    let mut metrics = c
        .sources
        .iter()
        .filter(|(kind, _)| matches!(kind, SourceKind::Prometheus | SourceKind::Exporter(_)))
        .map(|(_, health)| health)
        .peekable();
    if metrics.peek().is_some() && metrics.clone().all(|h| h.fault().is_some()) {
        return Cell::new(format!("{age}✗"), ctx.theme.crit);
    }
    if metrics.any(|h| h.is_stale(ctx.world.now) || h.fault().is_some()) {
        return Cell::new(format!("{age}~"), ctx.theme.warn);
    }
    Cell::new(age, ctx.theme.muted)
}

pub fn incident<'a>(ctx: &Ctx<'a>, i: &'a Incident, column: usize) -> Cell<'a> {
    let (glyph, _, style) = badge::severity(ctx.theme, i.severity);
    match column {
        0 => Cell::new(glyph, style),
        1 => Cell::new(format!("INC-{}", i.number), ctx.theme.accent),
        2 => Cell::new(
            ctx.world.cluster(i.cluster).map_or("", |c| &c.name),
            ctx.theme.base,
        ),
        3 => Cell::new(i.title.as_str(), ctx.theme.base),
        4 => Cell::new(ctx.minute(i.opened), ctx.theme.muted),
        _ => Cell::new(format!("{:.2}", i.score), style),
    }
}

/// Reasons of events that tell of a change somebody or something made.
pub fn is_change(reason: &str) -> bool {
    const CHANGES: [&str; 12] = [
        "ScalingReplicaSet",
        "SuccessfulRescale",
        "Rebooted",
        "NodeNotSchedulable",
        "NodeSchedulable",
        "NodeReady",
        "NodeNotReady",
        "Drain",
        "Killing",
        "OperationCompleted",
        "OperatorStatusChanged",
        "Starting",
    ];
    CHANGES.contains(&reason)
}

/// The thing an event is about.
pub fn subject(cluster: ClusterId, event: &Event) -> Focus {
    let (kind, name) = &event.about;
    match kind.as_str() {
        "Node" => Focus::Node {
            cluster,
            node: name.clone(),
        },
        "Pod" => Focus::Pod {
            cluster,
            namespace: event.namespace.to_string(),
            pod: name.clone(),
        },
        _ => Focus::Text {
            cluster: Some(cluster),
            text: format!("{kind} {name}: {} {}", event.reason, event.message),
        },
    }
}
