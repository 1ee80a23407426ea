//! Why something was found: method, expectation, evidence; for the screen and in words.

use ratatui::text::Line;

use crate::incident::Incident;
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::id::ClusterId;
use crate::model::ptp::ClockState;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::view::common::{heading, name, pair};
use crate::ui::view::{Focus, Goto, ScreenId};
use crate::ui::widget::text::wrap;
use crate::ui::{Ctx, Window};

/// `20 .. 35 ns`, or a dash.
pub fn expected(finding: &Finding) -> String {
    match finding.expected {
        Some((low, high)) if low == high && low.is_finite() => value(finding, low),
        Some((low, high)) if low.is_finite() && high.is_finite() => {
            format!("{} .. {}", value(finding, low), value(finding, high))
        }
        Some((low, _)) if low.is_finite() => format!("> {}", value(finding, low)),
        Some((_, high)) if high.is_finite() => format!("< {}", value(finding, high)),
        _ => "-".into(),
    }
}

/// A value of the finding's signal; the codes of clock states in words.
pub fn value(finding: &Finding, value: f64) -> String {
    let state = match finding.signal.as_ref() {
        "openshift_ptp_clock_state" => ClockState::from_wire(value),
        _ => None,
    };
    state.map_or_else(|| finding.unit.write(value), |s| s.word().to_owned())
}

/// What was looked at: the signal, or the alert by its name.
pub fn signal(world: &World, finding: &Finding) -> String {
    let name = finding.evidence.iter().find_map(|e| match e {
        Evidence::Alert(fingerprint) => world
            .cluster(finding.cluster)
            .and_then(|c| c.alerts.get(fingerprint))
            .map(|a| a.name.to_string()),
        _ => None,
    });
    match name {
        Some(name) if finding.kind == FindingKind::Alert => format!("alert {name}"),
        _ => finding.signal.to_string(),
    }
}

/// The signal in a few letters; of an offset also which process measures it: several do.
pub fn brief(world: &World, finding: &Finding) -> String {
    let signal = signal(world, finding);
    let offset = signal.ends_with("_offset_ns");
    let process = finding.evidence.iter().find_map(|e| match e {
        Evidence::Series(key) if offset => key.labels.first_of(&["from", "process"]),
        _ => None,
    });
    match process {
        Some(process) => format!("{} {process}", short(&signal)),
        None => short(&signal).to_owned(),
    }
}

/// Without the family that stands before the names of an exporter: the end tells them apart.
fn short(signal: &str) -> &str {
    if signal == "SriovNetworkNodeState" {
        return "SR-IOV state";
    }
    ["DCGM_FI_DEV_", "DCGM_FI_PROF_", "openshift_ptp_"]
        .iter()
        .find_map(|family| signal.strip_prefix(family))
        .unwrap_or(signal)
}

pub fn lines<'a>(ctx: &Ctx<'_>, finding: &'a Finding, width: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let mut out: Vec<Line<'a>> = wrap(&finding.text, width)
        .into_iter()
        .map(|p| Line::styled(p, theme.base))
        .collect();
    let mut told = |key: &'a str, text: String| {
        let mut parts = wrap(&text, width.saturating_sub(12)).into_iter();
        out.push(pair(
            theme,
            key,
            parts.next().unwrap_or_default(),
            theme.base,
        ));
        out.extend(parts.map(|p| pair(theme, "", p, theme.base)));
    };
    told("method", finding.method.clone());
    told("subject", finding.subject.to_string());
    told("signal", signal(ctx.world, finding));
    if let Some(seen) = finding.seen {
        told("seen", value(finding, seen));
    }
    told("expected", expected(finding));
    told(finding.begun(), ctx.clock_or_day(finding.since));
    let newest = ctx.clock_or_day(finding.at);
    told(
        "newest",
        if finding.over {
            format!("{newest}, over")
        } else {
            newest
        },
    );
    told("score", format!("{:.2}", finding.score));
    if !finding.evidence.is_empty() {
        out.push(heading(theme, "evidence"));
    }
    for evidence in &finding.evidence {
        let text = evidence_text(ctx, evidence);
        out.extend(
            wrap(&text, width)
                .into_iter()
                .map(|p| Line::styled(p, theme.base)),
        );
    }
    out
}

fn evidence_text(ctx: &Ctx<'_>, evidence: &Evidence) -> String {
    match evidence {
        Evidence::Series(key) => format!("series {key}"),
        Evidence::Alert(fingerprint) => {
            let alerts = ctx
                .world
                .clusters
                .iter()
                .find_map(|c| c.alerts.get(fingerprint));
            format!(
                "alert {}",
                alerts.map_or(fingerprint.as_ref(), |a| a.name.as_ref())
            )
        }
        Evidence::Log { at_ns, line } => {
            let at = ctx.clock_or_day(Timestamp(at_ns.div_euclid(1_000_000)));
            format!("log {at} {line}")
        }
        Evidence::Text(text) => text.clone(),
    }
}

pub fn subject_focus(cluster: ClusterId, subject: &Subject) -> Option<Focus> {
    match subject {
        Subject::Gpu { node, gpu } => Some(Focus::Gpu {
            cluster,
            node: node.clone(),
            gpu: gpu.clone(),
        }),
        Subject::Pod { namespace, pod } => Some(Focus::Pod {
            cluster,
            namespace: namespace.clone(),
            pod: pod.clone(),
        }),
        other => other.node().map(|node| Focus::Node {
            cluster,
            node: node.to_owned(),
        }),
    }
}

/// The screen that shows a piece of evidence.
pub fn evidence_target(incident: &Incident, finding: &Finding) -> Goto {
    let cluster = Some(incident.cluster);
    let window = incident.closed.map(|end| Window {
        end: Some(end.plus_ms(300_000)),
        span_ms: (end.0 - incident.opened.0 + 1_200_000).max(1_800_000),
    });
    let base = Goto {
        cluster,
        window,
        ..Goto::default()
    };
    for evidence in &finding.evidence {
        match evidence {
            Evidence::Series(key) => {
                return Goto {
                    screen: ScreenId::Metrics,
                    query: Some(key.to_string()),
                    ..base
                };
            }
            Evidence::Alert(fingerprint) => {
                return Goto {
                    screen: ScreenId::Alerts,
                    focus: Some(Focus::Alert {
                        cluster: incident.cluster,
                        fingerprint: fingerprint.to_string(),
                    }),
                    ..base
                };
            }
            Evidence::Log { .. } => {
                return Goto {
                    screen: ScreenId::Logs,
                    focus: subject_focus(incident.cluster, &finding.subject),
                    ..base
                };
            }
            Evidence::Text(_) => {}
        }
    }
    Goto {
        screen: ScreenId::Cluster,
        focus: subject_focus(incident.cluster, &finding.subject),
        ..base
    }
}

/// The incident in words; for the clipboard and the agent.
pub fn plain(world: &World, incident: &Incident) -> String {
    let mut out = format!(
        "INC-{} on {}, {}, {}, score {:.2}, since {}\n{}",
        incident.number,
        name(world, incident.cluster),
        incident.severity.word(),
        incident.word(world.now),
        incident.score,
        incident.opened.rfc3339(),
        incident.title,
    );
    out.push_str(&world.causes(incident).words());
    for finding in &incident.findings {
        out.push_str(&format!(
            "\n- {} {}: {} ({}), {} {}{}",
            finding.subject,
            finding.signal,
            finding.text,
            finding.method,
            finding.begun(),
            finding.since.rfc3339(),
            if finding.over { ", over" } else { "" },
        ));
    }
    out
}
