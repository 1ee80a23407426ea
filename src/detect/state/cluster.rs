//! Domain rules of any cluster: nodes, pods, alerts, and sources that cannot be heard.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::detect::{Condition, subject_of_alert};
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::fault::Fault;
use crate::model::finding::{Evidence, FindingKind, Subject};
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::object::{Node, Pod};
use crate::model::time::Timestamp;
use crate::model::unit::age;

pub fn nodes<'a>(all: impl Iterator<Item = &'a Node>) -> Vec<Condition> {
    let mut found = Vec::new();
    for node in all {
        let subject = Subject::Node(node.name.to_string());
        if node.ready != Some(true) {
            let text = match node.ready {
                Some(false) => "node is not Ready",
                _ => "node's kubelet no longer reports: Ready is unknown",
            };
            let key = format!("node/{}/ready", node.name);
            let mut c = Condition::state(subject.clone(), key, Severity::Critical, text.into());
            c.for_ms = 30_000;
            found.push(c);
        }
        if let Some(first) = node.problems.first() {
            let key = format!("node/{}/problems", node.name);
            let more = match node.problems.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            let text = format!("node reports {first}{more}");
            let mut c = Condition::state(subject, key, Severity::Warning, text);
            c.for_ms = 30_000;
            found.push(c);
        }
    }
    for condition in &mut found {
        condition.signal = "node conditions";
        condition.method = "conditions of the node".into();
    }
    found
}

/// How bad a waiting or terminated reason is, and how long it must last, milliseconds.
fn reason(text: &str) -> Option<(Severity, u64, Option<u64>)> {
    const MINUTE: u64 = 60_000;
    match text {
        "CrashLoopBackOff" => Some((Severity::Warning, MINUTE, None)),
        "OOMKilled" => Some((Severity::Critical, 0, Some(15 * MINUTE))),
        "ImagePullBackOff"
        | "ErrImagePull"
        | "CreateContainerConfigError"
        | "InvalidImageName"
        | "CreateContainerError"
        | "RunContainerError" => Some((Severity::Warning, 2 * MINUTE, None)),
        "Evicted" => Some((Severity::Warning, 0, Some(15 * MINUTE))),
        _ => None,
    }
}

/// What the pod belongs to; static pods are their own.
fn owner(pod: &Pod) -> Subject {
    let namespace = pod.namespace.to_string();
    match pod.controller() {
        Some((kind, name)) if kind != "Node" => Subject::Workload {
            namespace,
            name: name.to_owned(),
        },
        _ => Subject::Pod {
            namespace,
            pod: pod.name.to_string(),
        },
    }
}

/// Pods in trouble, those of one owner with one reason told together.
pub fn pods<'a>(all: impl Iterator<Item = &'a Pod>, now: Timestamp) -> Vec<Condition> {
    let mut groups: BTreeMap<(Subject, String), Vec<&Pod>> = BTreeMap::new();
    for pod in all {
        let why = pod.reason.clone().or_else(|| {
            let since = pod.since.or(pod.started)?;
            let long = pod.phase == "Pending" && now.age_since_ms(since) > 600_000;
            long.then(|| "Pending".to_owned())
        });
        if let Some(why) = why {
            groups.entry((owner(pod), why)).or_default().push(pod);
        }
    }
    let conditions = groups.into_iter().filter_map(|((subject, why), pods)| {
        let known = reason(&why);
        let (severity, for_ms, most_ms) = match known {
            Some(known) => known,
            None if why == "Pending" => (Severity::Warning, 0, None),
            None => return None,
        };
        let since = pods.iter().filter_map(|p| p.since).min();
        let lasting = since.is_some_and(|s| now.age_since_ms(s) >= 600_000);
        let worse = why == "CrashLoopBackOff" && lasting;
        let severity = if worse { Severity::Critical } else { severity };
        let restarts: u32 = pods.iter().map(|p| p.restarts).sum();
        let first = pods.first().map_or("", |p| p.name.as_ref());
        let said = pods.iter().find_map(|p| p.message.as_deref()).unwrap_or("");
        let text = match pods.len() {
            1 => format!("pod {first}: {why}, {restarts} restarts {said}"),
            n => format!("{n} pods ({first} …): {why}, {restarts} restarts {said}"),
        };
        let key = format!("pods/{subject}/{why}");
        let mut c = Condition::state(subject, key, severity, text.trim_end().to_owned());
        c.signal = "pod status";
        c.seen = Some(pods.len() as f64);
        c.method = "status of the pods".into();
        (c.since, c.for_ms, c.most_ms) = (since, for_ms, most_ms);
        Some(c)
    });
    conditions.collect()
}

/// Alerts in force.
pub fn alerts<'a>(all: impl Iterator<Item = &'a Alert>) -> Vec<Condition> {
    let firing = all.filter(|a| !a.is_watchdog() && a.state == AlertState::Firing);
    firing
        .map(|alert| {
            let text = match alert.summary() {
                "" => format!("alert {}", alert.name),
                summary => format!("alert {}: {summary}", alert.name),
            };
            let key = format!("alert/{}", alert.fingerprint);
            let subject = subject_of_alert(&alert.labels);
            let mut c = Condition::state(subject, key, alert.severity, text);
            c.kind = FindingKind::Alert;
            c.signal = "alert";
            c.seen = alert.value;
            c.since = Some(alert.starts_at);
            c.method = "alerting rule".into();
            c.evidence = vec![Evidence::Alert(Arc::clone(&alert.fingerprint))];
            c
        })
        .collect()
}

/// Credentials that end soon: nothing is wrong yet, and it will be.
pub fn credentials<'a>(
    all: impl Iterator<Item = (&'a SourceKind, &'a SourceHealth)>,
    now: Timestamp,
) -> Vec<Condition> {
    let near = all.filter_map(|(kind, s)| Some((kind, s.expires.filter(|e| e.is_near(now))?)));
    near.map(|(kind, expires)| {
        let text = format!("{kind}: {}: renew it", expires.told(now));
        let key = format!("credential/{kind}");
        let mut c = Condition::state(Subject::Cluster, key, Severity::Warning, text);
        c.signal = "credential";
        c.method = "end of the credential in use".into();
        c.since = Some(expires.remind);
        c.weight = 0.5;
        c
    })
    .collect()
}

/// Sources that cannot be heard; worse when the cluster has no other.
pub fn sources<'a>(
    all: impl Iterator<Item = (&'a SourceKind, &'a SourceHealth)>,
    last_sample: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Condition> {
    let all: Vec<_> = all.collect();
    let deaf = !all
        .iter()
        .any(|(_, s)| s.health == Health::Live || s.missing_right().is_some());
    let mut found = Vec::new();
    for (kind, source) in all {
        let (fault, since, failures) = match &source.health {
            Health::Failing {
                fault,
                since,
                failures,
                ..
            } => (fault, since, *failures),
            Health::Denied { fault, since } => (fault, since, 2),
            Health::Connecting | Health::Live => continue,
        };
        if source.missing_right().is_some() {
            found.push(unreadable(*kind, fault, *since));
            continue;
        }
        if failures < 2 {
            continue;
        }
        let last = match (kind, last_sample) {
            (kind, Some(at)) if kind.answers_for(SourceKind::Prometheus) => {
                format!(", last sample {} ago", age(now.age_since_ms(at)))
            }
            _ => String::new(),
        };
        let severity = if deaf {
            Severity::Critical
        } else {
            Severity::Warning
        };
        let text = format!("{kind} at {}: {}{last}", fault.endpoint, fault.what);
        let key = format!("source/{kind}");
        let mut c = Condition::state(Subject::Cluster, key, severity, text);
        c.kind = FindingKind::Unreachable;
        c.signal = "source";
        c.seen = Some(f64::from(failures));
        c.since = Some(*since);
        c.method = format!("{failures} failures in a row");
        c.evidence = vec![Evidence::Text(fault.to_string())];
        found.push(c);
    }
    found
}

/// A right that is missing at a server that answers.
fn unreadable(kind: SourceKind, fault: &Fault, since: Timestamp) -> Condition {
    let text = format!("{kind} at {}: {}", fault.endpoint, fault.what);
    let key = format!("right/{kind}");
    let mut c = Condition::state(Subject::Cluster, key, Severity::Info, text);
    c.signal = "permission";
    c.method = "an answer since the refusal".into();
    c.since = Some(since);
    c.evidence = vec![Evidence::Text(fault.to_string())];
    c
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fault::FaultKind;
    use crate::model::health::{Expiry, Pass};

    #[test]
    fn a_missing_right_is_no_outage() {
        let now = Timestamp(1_800_000_000_000);
        let told = |last_ok_ms: i64, kind: FaultKind| {
            let fault = Fault {
                kind,
                cluster: "prod".into(),
                endpoint: "https://api".into(),
                what: "list pods: 403".into(),
                hint: String::new(),
            };
            let health = SourceHealth {
                health: Health::Denied { fault, since: now },
                last_ok: Some(now.plus_ms(last_ok_ms)),
                ..SourceHealth::default()
            };
            let all = [(SourceKind::Kubernetes, health)];
            let found = sources(all.iter().map(|(k, h)| (k, h)), None, now.plus_ms(2_000));
            (found[0].severity, found[0].kind)
        };
        let gap = (Severity::Info, FindingKind::State);
        let outage = (Severity::Critical, FindingKind::Unreachable);
        assert_eq!(told(1_000, FaultKind::Forbidden), gap);
        assert_eq!(told(-1_000, FaultKind::Forbidden), outage);
        assert_eq!(told(1_000, FaultKind::Auth), outage);
    }

    #[test]
    fn credentials_that_end_within_the_week() {
        let at = Timestamp(1_800_000_000_000);
        let health = SourceHealth {
            expires: Some(Expiry {
                what: Pass::Token,
                at,
                remind: at.plus_ms(-7 * 86_400_000),
            }),
            ..SourceHealth::default()
        };
        let all = [(SourceKind::Kubernetes, health)];
        let told = |before_ms: i64| {
            let found = credentials(all.iter().map(|(k, h)| (k, h)), at.plus_ms(-before_ms));
            found.into_iter().map(|c| c.text).collect::<Vec<_>>()
        };
        assert!(told(8 * 86_400_000).is_empty());
        let text = told(2 * 86_400_000);
        assert_eq!(text.len(), 1);
        assert!(
            text[0].starts_with("kubernetes: token expires in 2 d"),
            "{text:?}"
        );
    }
}
