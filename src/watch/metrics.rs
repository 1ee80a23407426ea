//! `/metrics`: the Prometheus text format 0.0.4. Names, counts and times; no text of any cluster.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Gauges;
use super::outlets::Count;
use super::told::{Heard, Told};
use crate::model::alert::Severity;
use crate::model::time::Timestamp;
use crate::source::edge::Published;

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is told beside the newest turn.
pub struct Process<'a> {
    pub counts: &'a [(String, Arc<Count>)],
    /// Lines that a slow standard error lost; `None`: not counted.
    pub lines_lost: Option<usize>,
    /// 0: not known.
    pub resident_bytes: u64,
    pub started: Timestamp,
}

/// The whole page. What is not known is left out: nothing is 0 for want of knowledge.
pub fn page(told: Option<&Told>, process: &Process) -> String {
    let mut page = Page {
        text: String::with_capacity(8 * 1024),
        name: "",
    };
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.gauge("farwatch_build_info", "Version of this farwatch.");
    page.value(&version, 1.0);
    page.gauge(
        "process_start_time_seconds",
        "Start of this process, seconds since 1970.",
    );
    page.value(&[], process.started.seconds());
    if process.resident_bytes > 0 {
        page.gauge(
            "process_resident_memory_bytes",
            "Resident memory of this process.",
        );
        page.value(&[], process.resident_bytes as f64);
    }
    if let Some(lost) = process.lines_lost {
        page.counter(
            "farwatch_log_lines_dropped_total",
            "Log lines lost because nobody read them in time.",
        );
        page.value(&[], lost as f64);
    }
    if let Some(told) = told {
        turn(&mut page, told);
        incidents(&mut page, told);
        if told.gauges.bus.wanted {
            events(&mut page, &told.gauges);
        }
        samples(&mut page, &told.gauges.samples);
    }
    outlets(&mut page, process.counts);
    page.text
}

fn turn(page: &mut Page, told: &Told) {
    page.gauge(
        "farwatch_last_loop_timestamp_seconds",
        "When the loop last went round, seconds since 1970.",
    );
    page.value(&[], told.at.seconds());
    page.gauge(
        "farwatch_clusters_configured",
        "Clusters of the configuration.",
    );
    page.value(&[], told.gauges.clusters as f64);
    page.gauge(
        "farwatch_clusters_held",
        "Clusters that this watcher watches.",
    );
    page.value(&[], told.gauges.watched as f64);
    page.gauge(
        "farwatch_sources",
        "Sources of the clusters held, by how they are heard.",
    );
    for heard in Heard::ALL {
        let sources = told.clusters.iter().flat_map(|c| &c.sources);
        let count = sources.filter(|h| **h == heard).count();
        page.value(&[("health", heard.word())], count as f64);
    }
    page.gauge(
        "farwatch_cluster_health_score",
        "How well a cluster is reached, 0 (offline) to 100; absent while it is not known.",
    );
    for cluster in &told.clusters {
        if let Some(score) = cluster.score {
            page.value(&[("cluster", &cluster.name)], f64::from(score));
        }
    }
    page.counter(
        "farwatch_telemetry_dropped_total",
        "Batches of telemetry lost in full queues.",
    );
    page.value(&[], told.gauges.batches_lost as f64);
}

fn incidents(page: &mut Page, told: &Told) {
    let mut open = BTreeMap::new();
    for cluster in &told.clusters {
        for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
            open.insert((cluster.name.as_ref(), severity), 0_usize);
        }
    }
    for incident in &told.incidents {
        *open
            .entry((incident.cluster.as_ref(), incident.severity))
            .or_default() += 1;
    }
    page.gauge("farwatch_incidents_open", "Incidents that are not closed.");
    for ((cluster, severity), count) in open {
        let labels = [("cluster", cluster), ("severity", severity.word())];
        page.value(&labels, count as f64);
    }
}

fn events(page: &mut Page, gauges: &Gauges) {
    let Gauges { bus, leases, .. } = gauges;
    let truth = |so: bool| f64::from(u8::from(so));
    let now: [(&'static str, &str, f64); 7] = [
        (
            "farwatch_bus_ready",
            "1 while the team's bus is reached and its stream is there.",
            truth(bus.ready),
        ),
        (
            "farwatch_events_pending",
            "Events that wait for the bus.",
            bus.pending as f64,
        ),
        (
            "farwatch_events_pending_bytes",
            "The same in bytes.",
            bus.pending_bytes as f64,
        ),
        (
            "farwatch_subjects_barred",
            "Subjects on which this watcher may not publish; their events wait.",
            bus.barred as f64,
        ),
        (
            "farwatch_spool_safe",
            "1 while events that wait would survive the end of this process.",
            truth(bus.unsafe_spool.is_none()),
        ),
        (
            "farwatch_leases_ready",
            "1 while it is known which clusters are whose.",
            truth(leases.ready),
        ),
        (
            "farwatch_replicas",
            "Watchers that share the clusters, this one included.",
            leases.replicas as f64,
        ),
    ];
    for (name, help, value) in now {
        page.gauge(name, help);
        page.value(&[], value);
    }
    let counted: [(&'static str, &str, u64); 6] = [
        (
            "farwatch_events_told_total",
            "Changes that were told; each is an event.",
            gauges.told,
        ),
        (
            "farwatch_events_published_total",
            "Events that the bus has acknowledged.",
            bus.published,
        ),
        (
            "farwatch_events_dropped_total",
            "Events lost for want of room.",
            bus.dropped,
        ),
        (
            "farwatch_events_cut_total",
            "Events of which evidence was left out, as they were too large.",
            bus.cut,
        ),
        (
            "farwatch_leases_taken_total",
            "Clusters taken over.",
            leases.taken,
        ),
        (
            "farwatch_leases_given_up_total",
            "Clusters given up.",
            leases.given_up,
        ),
    ];
    for (name, help, value) in counted {
        page.counter(name, help);
        page.value(&[], value as f64);
    }
}

fn samples(page: &mut Page, all: &[(Arc<str>, Published)]) {
    if all.is_empty() {
        return;
    }
    let mut family = |name, help, counts: bool, of: fn(&Published) -> u64| {
        page.begin(name, if counts { "counter" } else { "gauge" }, help);
        for (cluster, published) in all {
            page.value(&[("cluster", cluster)], of(published) as f64);
        }
    };
    family(
        "farwatch_samples_messages_sent_total",
        "Messages with samples of exporters that the team's bus keeps.",
        true,
        |p| p.sent,
    );
    family(
        "farwatch_samples_sent_bytes_total",
        "Their bytes, with all around them.",
        true,
        |p| p.sent_bytes,
    );
    family(
        "farwatch_samples_messages_waiting",
        "Messages with samples that wait in the spool.",
        false,
        |p| p.waiting,
    );
    family(
        "farwatch_samples_scrapes_waiting",
        "Scrapes in them.",
        false,
        |p| p.waiting_scrapes,
    );
    family(
        "farwatch_samples_scrapes_dropped_total",
        "Scrapes that were made and found no room in the spool.",
        true,
        |p| p.lost,
    );
}

fn outlets(page: &mut Page, counts: &[(String, Arc<Count>)]) {
    if counts.is_empty() {
        return;
    }
    type Column = (&'static str, &'static str, fn(&Count) -> u64);
    let columns: [Column; 3] = [
        (
            "farwatch_outlet_sent_total",
            "Alerts, samples or spans that an outlet gave away.",
            |c| c.sent.load(Ordering::Relaxed),
        ),
        (
            "farwatch_outlet_failures_total",
            "Requests of an outlet that failed.",
            |c| c.failed.load(Ordering::Relaxed),
        ),
        (
            "farwatch_outlet_dropped_total",
            "Alerts, samples or spans given up: refused, or no room to wait.",
            |c| c.dropped.load(Ordering::Relaxed),
        ),
    ];
    for (name, help, of) in columns {
        page.counter(name, help);
        for (outlet, count) in counts {
            page.value(&[("outlet", outlet)], of(count) as f64);
        }
    }
    page.gauge(
        "farwatch_outlet_pending",
        "Alerts, samples or spans that wait.",
    );
    for (outlet, count) in counts {
        let pending = count.pending.load(Ordering::Relaxed);
        page.value(&[("outlet", outlet)], pending as f64);
    }
}

/// The text, and the name of the family that was begun last.
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn gauge(&mut self, name: &'static str, help: &str) {
        self.begin(name, "gauge", help);
    }

    fn counter(&mut self, name: &'static str, help: &str) {
        self.begin(name, "counter", help);
    }

    fn begin(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample of the family that was begun last.
    fn value(&mut self, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(self.name);
        for (at, (name, value)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", escaped(value));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
