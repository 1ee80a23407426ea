//! What happened while a curve ran: changes, alerts that began, anomalies, exemplars. They stand
//! on the time axis, and the cursor goes from one to the next.

use super::Shown;
use super::exemplars::Exemplars;
use crate::language::Kind;
use crate::language::promql::PROMQL;
use crate::model::alert::Alert;
use crate::model::finding::Evidence;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::state::world::{ClusterState, World};
use crate::ui::view::common::name;
use crate::ui::widget::chart::{Mark, MarkKind};
use crate::ui::{Ctx, Window};

/// Events held at most; the newest stay.
const MOST: usize = 2_000;
/// Labels that say what a series or an alert is about.
const ABOUT: [&str; 5] = ["pod", "node", "instance", "Hostname", "device"];

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Timestamp,
    pub kind: MarkKind,
    pub cluster: ClusterId,
    pub text: String,
}

/// What events are looked for.
pub struct Around<'a> {
    pub world: &'a World,
    pub clusters: &'a [ClusterId],
    pub shown: &'a [Shown],
    /// The query, or the name of the series.
    pub query: &'a str,
    pub exemplars: Option<&'a Exemplars>,
    pub window: Window,
}

impl Around<'_> {
    /// Oldest first.
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let metrics = metrics_in(self.query);
        for cluster in self.clusters.iter().filter_map(|c| self.world.cluster(*c)) {
            self.changes(cluster, &mut events);
            self.alerts(cluster, &metrics, &mut events);
            self.messages(cluster, &mut events);
        }
        self.anomalies(&mut events);
        if let Some(exemplars) = self.exemplars {
            exemplars.events(&mut events);
        }
        let (from, to) = self.window.bounds(self.world.now);
        events.retain(|e| (from..=to).contains(&e.at));
        events.sort_by_key(|e| (e.at, e.cluster));
        let spare = events.len().saturating_sub(MOST);
        events.drain(..spare);
        events
    }

    fn changes(&self, cluster: &ClusterState, events: &mut Vec<Event>) {
        let (from, to) = self.window.bounds(self.world.now);
        events.extend(cluster.changes_between(from, to).map(|change| {
            let by = change.by.as_deref().map(|by| format!(" by {by}"));
            Event {
                at: change.at,
                kind: MarkKind::Change,
                cluster: cluster.id,
                text: format!(
                    "{} {}: {}{}",
                    change.kind.word(),
                    change.subject.1,
                    change.what,
                    by.unwrap_or_default()
                ),
            }
        }));
    }

    /// What was kept of the bus, as far as it was followed.
    fn messages(&self, cluster: &ClusterState, events: &mut Vec<Event>) {
        let (from, to) = self.window.bounds(self.world.now);
        let shown = |at| (from..=to).contains(&at);
        let messages = cluster.bus.messages.iter().filter(|m| shown(m.at));
        events.extend(messages.map(|message| Event {
            at: message.at,
            kind: MarkKind::Message,
            cluster: cluster.id,
            text: format!("{} {}", message.subject, message.summary()),
        }));
    }

    /// Alerts on these metrics, or on what these series are about.
    fn alerts(&self, cluster: &ClusterState, metrics: &[String], events: &mut Vec<Event>) {
        for alert in cluster.alerts.values() {
            if self.concerns(cluster.id, alert, metrics) {
                events.push(Event {
                    at: alert.starts_at,
                    kind: MarkKind::Alert,
                    cluster: cluster.id,
                    text: format!("{} began ({})", alert.name, alert.severity.word()),
                });
            }
        }
    }

    fn concerns(&self, cluster: ClusterId, alert: &Alert, metrics: &[String]) -> bool {
        let expression = alert.expression.as_deref().unwrap_or_default();
        let within = |m: &&String| expression.contains(m.as_str());
        let mut maybe = metrics.iter().filter(within).peekable();
        if maybe.peek().is_some() {
            let named = metrics_in(expression);
            if maybe.any(|m| named.contains(m)) {
                return true;
            }
        }
        let mut about = ABOUT
            .iter()
            .filter_map(|l| alert.labels.get(l).map(|v| (*l, v)));
        about.any(|(label, value)| {
            let here = |s: &&Shown| s.id.cluster.is_none_or(|c| c == cluster);
            let mut own = self.drawn().filter(here);
            own.any(|s| s.id.key.labels.get(label) == Some(value))
        })
    }

    /// No more than can be told apart.
    fn drawn(&self) -> impl Iterator<Item = &Shown> {
        self.shown.iter().take(super::MOST)
    }

    fn anomalies(&self, events: &mut Vec<Event>) {
        let near = self.world.incidents.iter();
        for incident in near.filter(|i| self.clusters.contains(&i.cluster)) {
            for finding in &incident.findings {
                let mut evidence = finding.evidence.iter();
                let here = evidence.any(|e| match e {
                    Evidence::Series(key) => self.drawn().any(|s| s.id.key == *key),
                    _ => false,
                });
                if here {
                    events.push(Event {
                        at: finding.since,
                        kind: MarkKind::Anomaly,
                        cluster: incident.cluster,
                        text: format!("INC-{} {}", incident.number, finding.subject),
                    });
                }
            }
        }
    }
}

/// Names of the metrics in a query.
fn metrics_in(query: &str) -> Vec<String> {
    let tokens = (PROMQL.highlight)(query).into_iter();
    let mut names: Vec<String> = tokens
        .filter(|t| t.kind == Kind::Name)
        .map(|t| t.of(query).to_owned())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// They as marks on the axis; those that the cursor stands on stand out.
pub fn marks(ctx: &Ctx<'_>, events: &[Event]) -> Vec<Mark> {
    let marks = events.iter().map(|event| Mark {
        at: event.at,
        kind: event.kind,
        style: match event.kind {
            _ if ctx.cursor.at == Some(event.at) => ctx.theme.selected,
            MarkKind::Change => ctx.theme.accent,
            MarkKind::Anomaly => ctx.theme.warn,
            MarkKind::Alert => ctx.theme.crit,
            MarkKind::Exemplar => ctx.theme.key,
            MarkKind::Message => ctx.theme.muted,
        },
    });
    // What is worse is drawn later, over what is less so.
    let mut marks: Vec<Mark> = marks.collect();
    marks.sort_by_key(|mark| match mark.kind {
        MarkKind::Message => 0,
        MarkKind::Exemplar => 1,
        MarkKind::Change => 2,
        MarkKind::Anomaly => 3,
        MarkKind::Alert => 4,
    });
    marks
}

/// The time of the event after this one (`on`), or before it.
pub fn beside(events: &[Event], at: Option<Timestamp>, on: bool) -> Option<Timestamp> {
    let mut times = events.iter().map(|e| e.at);
    match at {
        None => times.next_back(),
        Some(at) if on => times.find(|t| *t > at),
        Some(at) => times.rfind(|t| *t < at),
    }
}

/// The event at the cursor in words, or within one column of it; without a cursor how many there
/// are, and the newest.
pub fn told(ctx: &Ctx<'_>, events: &[Event], column_ms: i64) -> Option<String> {
    let near = |e: &&Event| match ctx.cursor.at {
        Some(at) => (e.at.0 - at.0).abs() <= column_ms,
        None => !matches!(e.kind, MarkKind::Exemplar | MarkKind::Message),
    };
    let same = events.iter().filter(near).count();
    let distance = |e: &&Event| ctx.cursor.at.map_or(-e.at.0, |at| (e.at.0 - at.0).abs());
    let event = events.iter().filter(near).min_by_key(distance)?;
    let more = match (ctx.cursor.at, same) {
        (None, n) => format!("{n} events (e E), newest "),
        (Some(_), 1) => String::new(),
        (Some(_), n) => format!("{n} here: "),
    };
    Some(format!(
        "{} {more}{} {} {}",
        event.kind.glyph(),
        ctx.clock_or_day(event.at),
        name(ctx.world, event.cluster),
        event.text
    ))
}
