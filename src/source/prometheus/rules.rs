//! Alerts, rules, metadata and lists of the Prometheus API as facts of ours.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::wire::Number;
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::ask::{MetricInfo, RuleInfo};
use crate::model::label::Labels;
use crate::model::text::{LIMIT_BYTES, clean};
use crate::model::time::Timestamp;

#[derive(Deserialize)]
pub(super) struct Alerts {
    #[serde(default)]
    alerts: Vec<WireAlert>,
}

#[derive(Deserialize)]
struct WireAlert {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    state: String,
    #[serde(default, rename = "activeAt")]
    active_at: String,
    value: Option<Number>,
}

/// Expression of each alerting rule, by the alert's name.
pub(super) type Expressions = HashMap<String, Arc<str>>;

impl Alerts {
    pub(super) fn into_facts(self, expressions: &Expressions) -> Vec<Alert> {
        self.alerts
            .into_iter()
            .filter_map(|alert| alert.into_fact(expressions))
            .collect()
    }
}

impl WireAlert {
    fn into_fact(self, expressions: &Expressions) -> Option<Alert> {
        let state = match self.state.as_str() {
            "firing" => AlertState::Firing,
            "pending" => AlertState::Pending,
            _ => return None,
        };
        let name = self.labels.get("alertname").map_or("", String::as_str);
        let expression = expressions.get(name).cloned();
        let mut alert = alert(&self.labels, &self.annotations);
        alert.fingerprint = fingerprint(&self.labels).into();
        alert.state = state;
        alert.starts_at = Timestamp::parse_rfc3339(&self.active_at)?;
        alert.value = self.value.and_then(|v| v.0);
        alert.expression = expression;
        Some(alert)
    }
}

/// What every alert has, wherever it comes from.
pub(crate) fn alert(
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> Alert {
    let labels = cleaned(labels);
    Alert {
        fingerprint: Arc::from(""),
        name: labels.get("alertname").unwrap_or("(no alertname)").into(),
        severity: Severity::from_label(labels.get("severity").unwrap_or("")),
        state: AlertState::Firing,
        annotations: cleaned(annotations),
        labels,
        starts_at: Timestamp::default(),
        ends_at: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        value: None,
        expression: None,
    }
}

fn cleaned(pairs: &BTreeMap<String, String>) -> Labels {
    Labels::from_pairs(
        pairs
            .iter()
            .map(|(name, value)| (clean(name, 256), clean(value, LIMIT_BYTES))),
    )
}

/// The fingerprint that Alertmanager gives an alert with these labels (FNV-1a over names and
/// values), so that one alert told by both servers is one alert.
pub(crate) fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    const SEPARATOR: u8 = 255;
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    };
    for (name, value) in labels {
        for part in [name, value] {
            part.bytes().for_each(&mut add);
            add(SEPARATOR);
        }
    }
    format!("{hash:016x}")
}

#[derive(Deserialize)]
pub(super) struct Rules {
    #[serde(default)]
    groups: Vec<RuleGroup>,
}

#[derive(Deserialize)]
struct RuleGroup {
    #[serde(default)]
    name: String,
    interval: Option<f64>,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    name: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    health: String,
    #[serde(default)]
    last_error: String,
    evaluation_time: Option<f64>,
    #[serde(default)]
    last_evaluation: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl Rules {
    pub(super) fn into_facts(self) -> Vec<RuleInfo> {
        let mut out = Vec::new();
        for group in self.groups {
            let group_name = clean(&group.name, 200);
            out.extend(group.rules.into_iter().map(|rule| RuleInfo {
                group: group_name.clone(),
                name: clean(&rule.name, 200),
                query: clean(&rule.query, LIMIT_BYTES),
                health: clean(&rule.health, 40),
                last_error: clean(&rule.last_error, 1000),
                state: clean(&rule.state, 40),
                evaluation_s: rule.evaluation_time.filter(|s| s.is_finite()),
                // A rule that was never evaluated says the year 1.
                evaluated: Timestamp::parse_rfc3339(&rule.last_evaluation).filter(|t| t.0 > 0),
                interval_s: group.interval.filter(|s| s.is_finite() && *s > 0.0),
                recording: rule.kind == "recording",
            }));
        }
        out
    }

    pub(super) fn expressions(&self) -> Expressions {
        self.groups
            .iter()
            .flat_map(|g| &g.rules)
            .filter(|r| r.kind == "alerting")
            .map(|r| (r.name.clone(), Arc::from(clean(&r.query, LIMIT_BYTES))))
            .collect()
    }
}

#[derive(Deserialize)]
pub(super) struct Meta {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    help: String,
    #[serde(default)]
    unit: String,
}

/// The first of several descriptions of one metric is taken.
pub(super) fn metadata(map: BTreeMap<String, Vec<Meta>>) -> Vec<MetricInfo> {
    map.into_iter()
        .map(|(name, metas)| {
            let meta = metas.into_iter().next();
            let text = |t: Option<&String>| t.map(|t| clean(t, 1000)).unwrap_or_default();
            MetricInfo {
                name: clean(&name, 256).into(),
                kind: text(meta.as_ref().map(|m| &m.kind)),
                help: text(meta.as_ref().map(|m| &m.help)),
                unit: text(meta.as_ref().map(|m| &m.unit)),
            }
        })
        .collect()
}

#[derive(Deserialize)]
pub(super) struct BuildInfo {
    #[serde(default)]
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::super::wire::Envelope;
    use super::*;

    fn data<T: for<'a> Deserialize<'a>>(version: &str, name: &str) -> T {
        let root = env!("CARGO_MANIFEST_DIR");
        let path = format!("{root}/tests/fixtures/prometheus/{version}/{name}.json");
        let envelope: Envelope<T> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        envelope.data.unwrap()
    }

    #[test]
    fn reads_alerts_with_their_rules() {
        for version in ["v2.42", "v3.12"] {
            let rules: Rules = data(version, "rules");
            let expressions = rules.expressions();
            let alerts = data::<Alerts>(version, "alerts").into_facts(&expressions);
            let watchdog = alerts.iter().find(|a| a.is_watchdog()).unwrap();
            assert_eq!(watchdog.expression.as_deref(), Some("vector(1)"));
            assert_eq!(watchdog.value, Some(1.0));
            assert!(watchdog.starts_at.0 > 1_700_000_000_000);
            let facts = rules.into_facts();
            let broken = facts.iter().find(|r| r.health == "err").unwrap();
            assert!(
                broken.last_error.contains("many-to-many"),
                "{}",
                broken.last_error
            );
            assert!(
                facts
                    .iter()
                    .all(|r| r.interval_s.is_some() && r.evaluation_s.is_some())
            );
            assert!(facts.iter().any(|r| r.recording) || version == "v2.42");
            let evaluated = broken.evaluated.map(|t| t.0);
            assert!(
                evaluated.is_some_and(|t| t > 1_700_000_000_000),
                "{evaluated:?}"
            );
        }
    }

    #[test]
    fn reads_descriptions() {
        let meta = metadata(data("v2.42", "metadata"));
        let power = meta
            .iter()
            .find(|m| m.name.as_ref() == "DCGM_FI_DEV_POWER_USAGE")
            .unwrap();
        assert_eq!(
            (power.kind.as_str(), power.help.as_str()),
            ("gauge", "Power draw (in W).")
        );
        assert_eq!(data::<BuildInfo>("v2.42", "buildinfo").version, "2.42.0+ds");
    }

    #[test]
    fn fingerprints_as_alertmanager_does() {
        #[derive(Deserialize)]
        struct Told {
            fingerprint: String,
            labels: BTreeMap<String, String>,
        }
        let root = env!("CARGO_MANIFEST_DIR");
        for version in ["v0.25", "v0.32"] {
            let path = format!("{root}/tests/fixtures/alertmanager/{version}/alerts.json");
            let told: Vec<Told> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            assert!(!told.is_empty());
            for alert in told {
                assert_eq!(fingerprint(&alert.labels), alert.fingerprint);
            }
        }
    }
}
