//! The catalogue of signals: `assets/signals.toml`, and the operator's changes to it.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::build::{Mistake, mistake};
use crate::model::dpdk;
use crate::model::signal::{Bad, Group, Limit, Metric, Signal};
use crate::model::unit::Unit;

/// The built-in catalogue as shipped.
pub const SOURCE: &str = include_str!("../../assets/signals.toml");

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    pub signals: Vec<Signal>,
    pub metrics: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    signals: Vec<Signal>,
    metrics: Vec<MetricEntry>,
}

/// One judgement for several names: exporters spell one thing in several ways.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricEntry {
    names: Vec<Arc<str>>,
    about: Arc<str>,
    #[serde(default)]
    unit: Unit,
    #[serde(default)]
    counter: bool,
    #[serde(default)]
    bad: Bad,
    #[serde(default)]
    learn: bool,
    limit: Option<Limit>,
    #[serde(default)]
    floor: f64,
}

/// Reads a catalogue in the format of `assets/signals.toml`.
pub fn parse(text: &str) -> Result<Catalogue, toml::de::Error> {
    let file: File = toml::from_str(text)?;
    let metrics = file
        .metrics
        .into_iter()
        .flat_map(|entry| {
            let names = entry.names.clone();
            names.into_iter().map(move |name| Metric {
                name,
                about: Arc::clone(&entry.about),
                unit: entry.unit,
                counter: entry.counter,
                bad: entry.bad,
                learn: entry.learn,
                limit: entry.limit,
                floor: entry.floor,
            })
        })
        .collect();
    Ok(Catalogue {
        signals: file.signals,
        metrics,
    })
}

/// The shipped catalogue. That it can be read is held by a test.
pub fn built_in() -> Catalogue {
    with(&dpdk::Names::default())
}

/// What the file holds, and what asks for DPDK by these names.
fn with(names: &dpdk::Names) -> Catalogue {
    let mut catalogue = parse(SOURCE).unwrap_or_default();
    catalogue.signals.extend(names.signals());
    catalogue.metrics.extend(names.metrics());
    catalogue
}

/// The shipped catalogue as the operator changed it.
pub(super) fn edited(
    names: &dpdk::Names,
    signals: &[Spanned<SignalEdit>],
    metrics: &[MetricEdit],
) -> Result<Catalogue, Mistake> {
    let mut catalogue = with(names);
    for edit in signals {
        if let Err(what) = catalogue.edit_signal(edit.get_ref()) {
            return mistake(
                edit.span(),
                what,
                "the names of the catalogue stand in assets/signals.toml of the source",
            );
        }
    }
    for edit in metrics {
        catalogue.edit_metric(edit);
    }
    Ok(catalogue)
}

/// A `[[signals]]` entry of the operator: what is named replaces, the rest stays. A name that the
/// catalogue lacks makes a new signal, which needs a group and a query.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalEdit {
    pub name: Arc<str>,
    pub group: Option<Group>,
    pub query: Option<Arc<str>>,
    pub about: Option<Arc<str>>,
    pub unit: Option<Unit>,
    pub bad: Option<Bad>,
    pub learn: Option<bool>,
    pub limit: Option<Limit>,
    pub floor: Option<f64>,
    pub needs: Option<Arc<str>>,
    pub backfill: Option<bool>,
    /// False takes the signal out of the catalogue.
    pub enabled: Option<bool>,
}

/// A `[[metrics]]` entry of the operator, in the same manner.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricEdit {
    pub name: Arc<str>,
    pub about: Option<Arc<str>>,
    pub unit: Option<Unit>,
    pub counter: Option<bool>,
    pub bad: Option<Bad>,
    pub learn: Option<bool>,
    pub limit: Option<Limit>,
    pub floor: Option<f64>,
}

impl Catalogue {
    /// Applies one change; the error says what the entry lacks.
    pub fn edit_signal(&mut self, edit: &SignalEdit) -> Result<(), String> {
        if edit.enabled == Some(false) {
            let before = self.signals.len();
            self.signals.retain(|s| s.name != edit.name);
            if self.signals.len() == before {
                return Err(format!("there is no signal \"{}\" to take out", edit.name));
            }
            return Ok(());
        }
        if let Some(known) = self.signals.iter_mut().find(|s| s.name == edit.name) {
            change_signal(known, edit);
            return Ok(());
        }
        let (Some(group), Some(query)) = (edit.group, edit.query.clone()) else {
            return Err(format!(
                "signal \"{}\" is not in the catalogue; a new one needs `group` and `query`",
                edit.name
            ));
        };
        let mut new = Signal {
            name: Arc::clone(&edit.name),
            group,
            query,
            about: "set in the configuration file".into(),
            unit: Unit::None,
            bad: Bad::Both,
            learn: false,
            limit: None,
            floor: 0.0,
            needs: None,
            backfill: false,
        };
        change_signal(&mut new, edit);
        self.signals.push(new);
        Ok(())
    }

    pub fn edit_metric(&mut self, edit: &MetricEdit) {
        if let Some(known) = self.metrics.iter_mut().find(|m| m.name == edit.name) {
            change_metric(known, edit);
            return;
        }
        let mut new = Metric {
            name: Arc::clone(&edit.name),
            about: "set in the configuration file".into(),
            unit: Unit::None,
            counter: false,
            bad: Bad::Both,
            learn: false,
            limit: None,
            floor: 0.0,
        };
        change_metric(&mut new, edit);
        self.metrics.push(new);
    }
}

fn set<T: Clone>(to: &mut T, from: &Option<T>) {
    if let Some(value) = from {
        *to = value.clone();
    }
}

fn change_signal(signal: &mut Signal, edit: &SignalEdit) {
    set(&mut signal.group, &edit.group);
    set(&mut signal.query, &edit.query);
    set(&mut signal.about, &edit.about);
    set(&mut signal.unit, &edit.unit);
    set(&mut signal.bad, &edit.bad);
    set(&mut signal.learn, &edit.learn);
    set(&mut signal.floor, &edit.floor);
    set(&mut signal.backfill, &edit.backfill);
    if edit.limit.is_some() {
        signal.limit = edit.limit;
    }
    if edit.needs.is_some() {
        signal.needs.clone_from(&edit.needs);
    }
}

fn change_metric(metric: &mut Metric, edit: &MetricEdit) {
    set(&mut metric.about, &edit.about);
    set(&mut metric.unit, &edit.unit);
    set(&mut metric.counter, &edit.counter);
    set(&mut metric.bad, &edit.bad);
    set(&mut metric.learn, &edit.learn);
    set(&mut metric.floor, &edit.floor);
    if edit.limit.is_some() {
        metric.limit = edit.limit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_shipped_catalogue_is_sound() {
        let catalogue = parse(SOURCE).expect("assets/signals.toml");
        let mut names = HashSet::new();
        for signal in &catalogue.signals {
            assert!(names.insert(&signal.name), "{} twice", signal.name);
            assert!(!signal.about.is_empty(), "{}", signal.name);
            let judged = signal.learn || signal.limit.is_some();
            assert!(
                !judged || signal.bad != Bad::None || signal.limit.is_some(),
                "{} learns but nothing is bad",
                signal.name
            );
            assert!(
                !signal.learn || signal.floor > 0.0,
                "{} learns without a floor",
                signal.name
            );
            check_limit(&signal.name, signal.limit);
        }
        for group in [
            Group::Cluster,
            Group::Workload,
            Group::Gpu,
            Group::Serving,
            Group::Ptp,
            Group::Sriov,
        ] {
            assert!(
                catalogue.signals.iter().any(|s| s.group == group),
                "{group:?}"
            );
        }
        let mut metrics = HashSet::new();
        for metric in &catalogue.metrics {
            assert!(metrics.insert(&metric.name), "{} twice", metric.name);
            assert!(
                !(metric.counter && (metric.learn || metric.limit.is_some())),
                "{} is a counter and judged",
                metric.name
            );
            assert!(!metric.learn || metric.floor > 0.0, "{}", metric.name);
            check_limit(&metric.name, metric.limit);
        }
    }

    fn check_limit(name: &str, limit: Option<Limit>) {
        let Some(limit) = limit else { return };
        assert!(limit.warn.is_some() || limit.crit.is_some(), "{name}");
        if let (Some(warn), Some(crit)) = (limit.warn, limit.crit) {
            let ordered = if limit.below {
                crit < warn
            } else {
                warn < crit
            };
            assert!(ordered, "{name}: warn {warn}, crit {crit}");
        }
    }

    #[test]
    fn every_raw_name_has_a_judgement() {
        let catalogue = built_in();
        let known: HashSet<&str> = catalogue.metrics.iter().map(|m| m.name.as_ref()).collect();
        for file in [
            "DCGM_FI_DEV_GPU_TEMP",
            "vllm:num_requests_waiting",
            "openshift_ptp_offset_ns",
        ] {
            assert!(known.contains(file), "{file}");
        }
        let temperature = catalogue
            .metrics
            .iter()
            .find(|m| m.name.as_ref() == "DCGM_FI_DEV_GPU_TEMP")
            .expect("known");
        assert_eq!(temperature.unit, Unit::Celsius);
        let limit = temperature.limit.expect("limit");
        assert_eq!((limit.warn, limit.crit), (Some(70.0), Some(80.0)));
    }

    #[test]
    fn the_operator_changes_adds_and_removes() {
        let mut catalogue = built_in();
        let edit: SignalEdit =
            toml::from_str("name = \"node_cpu_busy\"\nlimit = { warn = 0.95 }").expect("valid");
        catalogue.edit_signal(&edit).expect("known");
        let changed = catalogue
            .signals
            .iter()
            .find(|s| s.name.as_ref() == "node_cpu_busy")
            .expect("there");
        assert_eq!(changed.limit.and_then(|l| l.warn), Some(0.95));
        assert!(changed.query.contains("node_cpu_seconds_total"));

        let bare: SignalEdit = toml::from_str("name = \"mine\"").expect("valid");
        assert!(catalogue.edit_signal(&bare).is_err());
        let own: SignalEdit =
            toml::from_str("name = \"mine\"\ngroup = \"workload\"\nquery = \"sum(up)\"")
                .expect("valid");
        catalogue.edit_signal(&own).expect("complete");
        let off: SignalEdit = toml::from_str("name = \"mine\"\nenabled = false").expect("valid");
        catalogue.edit_signal(&off).expect("known");
        assert!(catalogue.edit_signal(&off).is_err());
    }
}
