//! Pods in trouble, network functions, what belongs to what, and the causes of incidents.

use std::sync::Arc;

use super::fleet::incident;
use super::{ROWS, Told, chosen, hearing};
use crate::agent::tools::args::look::{CnfWorkloads, PodIssues, ReportArgs, RootCause, Topology};
use crate::model::id::ClusterId;
use crate::model::object::{ObjectKey, ObjectKind};
use crate::model::unit::age;
use crate::report::{Asked, Kind};
use crate::state::world::World;

/// Incidents ranked in one answer.
const INCIDENTS: usize = 5;

pub(super) fn pods(world: &World, ids: &[ClusterId], args: &PodIssues, told: &mut Told) {
    for c in chosen(world, ids) {
        let wanted = |n: &str| args.namespace.as_deref().is_none_or(|w| w == n);
        let rows: Vec<String> = c
            .unhealthy_pods()
            .filter(|p| wanted(&p.namespace))
            .map(|p| {
                let since = p.since.map(|at| age(world.now.age_since_ms(at)));
                format!(
                    "  {}/{} {} for {}, ready {} of {}, restarts {}, node {}, look first: {}{}",
                    p.namespace,
                    p.name,
                    p.standing(),
                    since.as_deref().unwrap_or("n/a"),
                    p.ready,
                    p.containers,
                    p.restarts,
                    p.node.as_deref().unwrap_or("none"),
                    p.first_look(),
                    p.message.as_deref().map_or(String::new(), |m| format!(
                        " ({:?})",
                        crate::model::text::clean(m, 200)
                    ))
                )
            })
            .collect();
        told.line(format!(
            "cluster {}{}: {} pods in trouble",
            c.name,
            hearing(world, c),
            rows.len()
        ));
        if !c.is_listed(ObjectKind::Pod) {
            told.line(
                "  pods were not listed there: the API server is not asked, or did not answer",
            );
        }
        told.rows(rows, ROWS);
    }
}

pub(super) fn functions(world: &World, ids: &[ClusterId], args: &CnfWorkloads, told: &mut Told) {
    for c in chosen(world, ids) {
        let all = c.network_functions(world.now);
        let wanted = |word: &str| {
            let kind = args.cnf_type.as_deref();
            kind.is_none_or(|k| k.eq_ignore_ascii_case(word))
        };
        let rows: Vec<String> = all
            .iter()
            .filter(|w| wanted(w.kind.word()))
            .map(|w| {
                let needs = w.needs.iter();
                let needs = needs.map(|n| format!("{} {}: {}", n.what, n.timing.word(), n.text));
                format!(
                    "  {} {}/{} meets its timing: {} ({})",
                    w.kind.word(),
                    w.pod.namespace,
                    w.pod.name,
                    w.timing().word(),
                    needs.collect::<Vec<_>>().join("; ")
                )
            })
            .collect();
        told.line(format!(
            "cluster {}{}: {} network functions, by the names of their pods",
            c.name,
            hearing(world, c),
            rows.len()
        ));
        told.rows(rows, ROWS);
    }
}

pub(super) fn root_cause(world: &World, ids: &[ClusterId], args: &RootCause, told: &mut Told) {
    let minutes = i64::from(args.time_window_minutes.unwrap_or(60).max(1));
    let from = world.now.plus_ms(-minutes * 60_000);
    for c in chosen(world, ids).filter(|c| !c.is_heard(world.now)) {
        told.line(format!("cluster {}{}", c.name, hearing(world, c)));
    }
    let about = |i: &crate::incident::Incident| {
        let Some(trigger) = args.trigger.as_deref().map(str::to_lowercase) else {
            return true;
        };
        let number = format!("inc-{}", i.number);
        let texts = i
            .findings
            .iter()
            .map(|f| format!("{} {} {}", f.signal, f.subject, f.text));
        number == trigger
            || std::iter::once(i.title.clone())
                .chain(texts)
                .any(|text| text.to_lowercase().contains(&trigger))
    };
    let found: Vec<_> = world
        .incidents
        .iter()
        .filter(|i| ids.contains(&i.cluster))
        .filter(|i| i.closed.is_none_or(|end| end >= from))
        .filter(|i| about(i))
        .collect();
    if found.is_empty() {
        told.line("no incident there in that time; not enough evidence for a cause");
        return;
    }
    told.line("Ranked by the console from order in time, topology and known ways; \"none of these\" is an answer.");
    told.rows(found.into_iter().map(|i| incident(world, i)), INCIDENTS);
}

pub(super) fn report(
    world: &World,
    ids: &[ClusterId],
    args: &ReportArgs,
    told: &mut Told,
) -> Result<(), String> {
    let kind = match args.report_type.to_lowercase().as_str() {
        "detailed" => Kind::DetailedAnalysis,
        "incident" => Kind::IncidentReport,
        "capacity" => Kind::CapacityPlan,
        _ => Kind::ExecutiveSummary,
    };
    let hours = i64::from(args.hours.unwrap_or(24).clamp(1, 720));
    let asked = Asked {
        kind,
        clusters: ids.to_vec(),
        from: world.now.plus_ms(-hours * 3_600_000),
        incident: None,
    };
    let report = crate::report::make(world, &asked)?;
    told.line(crate::report::page::markdown(&report));
    told.rows += report.sections.len();
    Ok(())
}

pub(super) fn topology(
    world: &World,
    ids: &[ClusterId],
    args: &Topology,
    told: &mut Told,
) -> Result<(), String> {
    let kind = ObjectKind::named(&args.kind)
        .ok_or_else(|| format!("{:?} is no kind that is watched; try Pod, Deployment, StatefulSet, DaemonSet, Node, Service", args.kind))?;
    let key = ObjectKey {
        kind,
        namespace: Arc::from(args.namespace.as_deref().unwrap_or_default()),
        name: Arc::from(args.name.as_str()),
    };
    for c in chosen(world, ids) {
        if c.known(&key).is_none() {
            told.line(format!(
                "cluster {}{}: no {} {} is known there",
                c.name,
                hearing(world, c),
                args.kind,
                args.name
            ));
            continue;
        }
        told.line(format!(
            "cluster {}{}: {} {}",
            c.name,
            hearing(world, c),
            args.kind,
            args.name
        ));
        let (below, count) = c.below(&key);
        let each = |r: &crate::state::world::Related| {
            let place = match r.namespace.is_empty() {
                true => r.name.to_string(),
                false => format!("{}/{}", r.namespace, r.name),
            };
            format!("  {} {} {place}", r.relation.words(), r.kind)
        };
        told.rows(c.above(&key).iter().map(each).collect::<Vec<_>>(), ROWS);
        told.rows(below.iter().map(each).collect::<Vec<_>>(), ROWS);
        if count > below.len() {
            told.line(format!(
                "  ({} more parts, not listed)",
                count - below.len()
            ));
        }
    }
    Ok(())
}
