//! What each cell of the fleet screen says.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::group::{Head, One, Row};
use super::row::{ENVIRONMENT, SITE, apps, gpu_count, letter, peak, site, utilisation, version};
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::object::ObjectKind;
use crate::model::ptp::ClockState;
use crate::state::world::{Amount, ClusterState, Ear, Status};
use crate::ui::Ctx;
use crate::ui::widget::cell::Cell;
use crate::ui::widget::{badge, spark};

pub fn cell<'a>(ctx: &Ctx, row: &'a Row<'a>, column: usize, grouped: bool) -> Cell<'a> {
    match row {
        Row::Head(head) => of_group(ctx, head, column),
        Row::Cluster(one) => of_cluster(ctx, one, column, grouped),
    }
}

/// What the clusters of a group are together.
fn of_group<'a>(ctx: &Ctx, head: &Head<'a>, column: usize) -> Cell<'a> {
    let theme = ctx.theme;
    let ones = &head.members;
    match column {
        0 => {
            let (_, _, style) = badge::status(theme, head.worst());
            Cell::new(if head.folded { "▸" } else { "▾" }, style)
        }
        1 => {
            let name = head.value.unwrap_or("(none)");
            Cell::new(format!("{name} {}", ones.len()), theme.title)
        }
        5 => match together(ones, nodes) {
            Some(([ready, all], more)) => Cell::new(format!("{ready}/{all}{more}"), theme.muted),
            None => Cell::new("?", theme.unknown),
        },
        8 => pod_counts(ctx, together(ones, pods)),
        9 => alert_counts(ctx, together(ones, alerts)),
        10 => {
            let sum: usize = ones.iter().map(|o| o.incidents).sum();
            Cell::new(sum.to_string(), theme.muted)
        }
        11 => {
            let states = [
                Status::Critical,
                Status::Unknown,
                Status::Warning,
                Status::Ok,
            ];
            let counted = states.into_iter().filter(|status| head.count(*status) > 0);
            let spans: Vec<Span> = counted
                .map(|status| {
                    let (glyph, _, style) = badge::status(theme, status);
                    Span::styled(format!("{glyph}{} ", head.count(status)), style)
                })
                .collect();
            Line::from(spans).into()
        }
        17 => {
            let points = ones.iter().filter_map(|o| o.c.score(ctx.world.now).points);
            match points.min() {
                // The worst of them.
                Some(least) => Cell::new(format!("≥{least}"), theme.muted),
                None => Cell::new("?", theme.unknown),
            }
        }
        _ => Cell::new("", theme.base),
    }
}

fn of_cluster<'a>(ctx: &Ctx, one: &One<'a>, column: usize, grouped: bool) -> Cell<'a> {
    let (theme, c, status) = (ctx.theme, one.c, one.status);
    let (glyph, _, style) = badge::status(theme, status);
    // Last good data of a cluster that is not heard is dimmed.
    let plain = if status == Status::Unknown {
        theme.muted
    } else {
        theme.base
    };
    match column {
        0 => Cell::new(glyph, style),
        1 => {
            let style = if status == Status::Critical {
                style
            } else {
                plain
            };
            match grouped {
                true => Cell::new(format!(" {}", c.name), style),
                false => Cell::new(c.name.as_ref(), style),
            }
        }
        SITE => Cell::new(site(c), theme.muted),
        ENVIRONMENT => Cell::new(c.environment.as_deref().unwrap_or("—"), theme.muted),
        4 => known(version(c).into(), theme.muted, ctx),
        5 => match nodes(one) {
            Some([ready, all]) => Cell::new(format!("{ready}/{all}"), plain),
            None => Cell::new("?", theme.unknown),
        },
        6 => share(ctx, &c.capacity.cpu, plain),
        7 => share(ctx, &c.capacity.memory, plain),
        8 => pod_counts(ctx, pods(one).map(|counts| (counts, ""))),
        9 => alert_counts(ctx, alerts(one).map(|counts| (counts, ""))),
        10 => Cell::new(
            number(one.incidents),
            if one.incidents > 0 {
                plain
            } else {
                theme.muted
            },
        ),
        11 => anomaly(ctx, c, status),
        12 => gpus(ctx, c, plain),
        13 => match gpu_count(c) {
            Some(count) => Cell::new(count.to_string(), theme.muted),
            None => Cell::new(none(c), theme.muted),
        },
        14 => ptp(ctx, c),
        15 => gitops(ctx, c, plain),
        16 => sources(ctx, c),
        17 => health(ctx, c),
        18 => age(ctx, c),
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

/// Ready and all; `None`: not known.
fn nodes(one: &One) -> Option<[usize; 2]> {
    let all = one.c.listed_count(ObjectKind::Node, one.c.nodes.len())?;
    Some([one.c.capacity.ready_nodes, all])
}

/// All and bad.
fn pods(one: &One) -> Option<[usize; 2]> {
    let all = one.c.listed_count(ObjectKind::Pod, one.c.pods.len())?;
    Some([all, one.c.capacity.bad_pods])
}

/// Critical and warning.
fn alerts(one: &One) -> Option<[usize; 2]> {
    let tells = |kind: &SourceKind| *kind == SourceKind::Prometheus || kind.is_alertmanager();
    let mut sources = one.c.sources.iter().filter(|(kind, _)| tells(kind));
    let heard = sources.any(|(_, s)| s.last_ok.is_some());
    let known = heard || !one.c.alerts.is_empty();
    known.then_some([one.alerts.critical, one.alerts.warning])
}

/// The sums over the clusters that tell, and `+` where others do not. `None`: none tells.
fn together(
    ones: &[One],
    of: fn(&One) -> Option<[usize; 2]>,
) -> Option<([usize; 2], &'static str)> {
    let mut told: Option<[usize; 2]> = None;
    let mut more = "";
    for one in ones {
        match of(one) {
            Some([a, b]) => {
                let [sum_a, sum_b] = told.unwrap_or_default();
                told = Some([sum_a + a, sum_b + b]);
            }
            None => more = "+",
        }
    }
    Some((told?, more))
}

/// Used, as the nodes' metrics tell it; else `63%r`: requested of what there is.
fn share<'a>(ctx: &Ctx, amount: &Amount, style: Style) -> Cell<'a> {
    let percent = |v: f64| format!("{:.0}%", v * 100.0);
    match (amount.used, amount.asked()) {
        (Some(used), _) if amount.is_old(ctx.world.now) => {
            Cell::new(format!("{}~", percent(used)), ctx.theme.muted)
        }
        (Some(used), _) => Cell::new(percent(used), style),
        (None, Some(asked)) => Cell::new(format!("{}r", percent(asked)), ctx.theme.muted),
        (None, None) => Cell::new("n/a", ctx.theme.muted),
    }
}

fn pod_counts<'a>(ctx: &Ctx, counts: Option<([usize; 2], &str)>) -> Cell<'a> {
    let Some(([all, bad], more)) = counts else {
        return Cell::new("?", ctx.theme.unknown);
    };
    let style = if bad > 0 {
        ctx.theme.warn
    } else {
        ctx.theme.muted
    };
    let all = format!("{:<5}", format!("{all}{more}"));
    Cell::Two([(all.into(), ctx.theme.base), (number(bad), style)])
}

fn alert_counts<'a>(ctx: &Ctx, counts: Option<([usize; 2], &'static str)>) -> Cell<'a> {
    let Some(([critical, warning], more)) = counts else {
        return Cell::new("?", ctx.theme.unknown);
    };
    let style = |n: usize, style| if n > 0 { style } else { ctx.theme.muted };
    Line::from(vec![
        Span::styled(number(critical), style(critical, ctx.theme.crit)),
        Span::styled("/", ctx.theme.muted),
        Span::styled(number(warning), style(warning, ctx.theme.warn)),
        Span::styled(more, ctx.theme.muted),
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

fn anomaly<'a>(ctx: &Ctx, c: &ClusterState, status: Status) -> Cell<'a> {
    if status == Status::Unknown {
        let text = match c.last_sample {
            Some(at) => format!("no data since {}", ctx.minute_or_day(at)),
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
        None if ctx.world.is_watched() => Cell::new("nothing told", ctx.theme.muted),
        None => Cell::new("no history yet", ctx.theme.muted),
    }
}

/// There is none; or nobody has told.
fn none(c: &ClusterState) -> &'static str {
    if c.last_sample.is_some() { "—" } else { "?" }
}

fn gpus<'a>(ctx: &Ctx, c: &ClusterState, style: Style) -> Cell<'a> {
    match (utilisation(c), gpu_count(c)) {
        (Some(value), _) if ctx.world.is_old(c.gpus_until) => {
            Cell::new(format!("{value:.0}%~"), ctx.theme.muted)
        }
        (Some(value), _) => Cell::new(format!("{value:.0}%"), style),
        // They are there, and no exporter speaks for them.
        (None, Some(1..)) => Cell::new("n/a", ctx.theme.muted),
        (None, _) => Cell::new(none(c), ctx.theme.muted),
    }
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
    let (text, style) = if free > 0 {
        (format!("FREE {free}/{all}"), ctx.theme.crit)
    } else if hold > 0 {
        (format!("HOLD {hold}/{all}"), ctx.theme.warn)
    } else if locked == all {
        (format!("LOCKED {all}"), ctx.theme.ok)
    } else {
        (format!("? {}/{all}", all - locked), ctx.theme.unknown)
    };
    match ctx.world.is_old(c.ptp_until) {
        true => Cell::new(format!("{text}~"), ctx.theme.muted),
        false => Cell::new(text, style),
    }
}

/// `synced` only where all applications say so.
fn gitops<'a>(ctx: &Ctx, c: &ClusterState, plain: Style) -> Cell<'a> {
    let theme = ctx.theme;
    let Some(apps) = apps(c) else {
        return Cell::new("?", theme.unknown);
    };
    match (apps.all, apps.drift, apps.bad, apps.unknown) {
        (0, ..) => Cell::new("—", theme.muted),
        (_, 0, 0, 0) => Cell::new("synced", plain),
        (all, 0, 0, unknown) => Cell::new(format!("? {unknown}/{all}"), theme.unknown),
        (_, drift, 0, _) => Cell::new(format!("{drift} drift"), theme.warn),
        (_, 0, bad, _) => Cell::new(format!("{bad} bad"), theme.crit),
        (_, drift, bad, _) => Cell::Two([
            (format!("{bad} bad").into(), theme.crit),
            (format!(" {drift} drift").into(), theme.warn),
        ]),
    }
}

fn mark(ctx: &Ctx, source: &SourceHealth) -> (&'static str, Style) {
    let (glyph, _, style) = badge::source(ctx.theme, source, ctx.world.now);
    match &source.health {
        Health::Live if source.is_stale(ctx.world.now) => ("~", style),
        Health::Live => ("", style),
        _ => (glyph, style),
    }
}

fn sources<'a>(ctx: &Ctx, c: &ClusterState) -> Cell<'a> {
    let rank = |kind: &SourceKind| (*kind != SourceKind::Kubernetes, *kind);
    let mut all: Vec<_> = c.sources.iter().collect();
    all.sort_by_key(|(kind, _)| rank(kind));
    let spans: Vec<Span> = all
        .into_iter()
        .flat_map(|(kind, source)| {
            let (mark, style) = mark(ctx, source);
            [
                Span::styled(letter(*kind), style),
                Span::styled(mark, style),
            ]
        })
        .collect();
    Line::from(spans).into()
}

fn health<'a>(ctx: &Ctx, c: &ClusterState) -> Cell<'a> {
    let theme = ctx.theme;
    match c.score(ctx.world.now).points {
        None => Cell::new("?", theme.unknown),
        Some(100) => Cell::new("100", theme.muted),
        Some(points) if points <= 50 => Cell::new(points.to_string(), theme.crit),
        Some(points) => Cell::new(points.to_string(), theme.warn),
    }
}

/// Age of the newest data, marked stale or failed; where nothing was heard here, `w` and that of its
/// watcher's word.
fn age<'a>(ctx: &Ctx, c: &ClusterState) -> Cell<'a> {
    let Some(at) = c.last_sample else {
        match ctx.world.watcher_of(c.id) {
            Some(Ear::Heard(ms)) => {
                return Cell::new(format!("w{}", badge::age(ms)), ctx.theme.muted);
            }
            Some(Ear::Stale(ms)) => {
                return Cell::new(format!("w{}~", badge::age(ms)), ctx.theme.warn);
            }
            Some(Ear::Silent) => return Cell::new("w?", ctx.theme.unknown),
            None => {}
        }
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
        .filter(|(kind, _)| kind.answers_for(SourceKind::Prometheus))
        .map(|(_, health)| health)
        .peekable();
    if metrics.peek().is_some() && metrics.clone().all(|h| h.fault().is_some()) {
        return Cell::new(format!("{age}✗"), ctx.theme.crit);
    }
    let late = metrics.any(|h| h.is_stale(ctx.world.now) || h.fault().is_some());
    // It answers, and yet nothing new comes.
    if late || ctx.world.is_old(c.samples_until) {
        return Cell::new(format!("{age}~"), ctx.theme.warn);
    }
    Cell::new(age, ctx.theme.muted)
}
