//! Domain rules of what runs pods and of the platform: replicas that are missing, autoscalers,
//! claims, operators, the cluster's version.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::detect::Condition;
use crate::model::alert::Severity;
use crate::model::condition::{ObjectCondition, find, is_true};
use crate::model::finding::Subject;
use crate::model::openshift::{ClusterOperator, ClusterVersion};
use crate::model::workload::{Autoscaler, Claim, Workload, WorkloadKind};

const TEN_MINUTES_MS: u64 = 600_000;
/// Reason of the condition `Progressing` of a Deployment whose newest template is everywhere.
const ROLLED_OUT: &str = "NewReplicaSetAvailable";
/// A Job that failed this long ago is no news, milliseconds.
const JOB_NEWS_MS: u64 = 24 * 3_600_000;

fn subject(namespace: &str, name: &str) -> Subject {
    Subject::Workload {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Reason and message of a condition, as far as it has them.
fn said(condition: Option<&ObjectCondition>) -> String {
    let Some(condition) = condition else {
        return String::new();
    };
    let parts = [condition.reason.as_str(), condition.message.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!(": {}", parts.join(", ")),
    }
}

/// Workloads without all their replicas. `nodes_down`: nodes that are not ready; a DaemonSet that
/// lacks no more pods than that is their trouble and is told there.
pub fn workloads<'a>(all: impl Iterator<Item = &'a Workload>, nodes_down: usize) -> Vec<Condition> {
    let short = all.filter(|w| w.is_short());
    short.filter_map(|w| workload(w, nodes_down)).collect()
}

fn workload(w: &Workload, nodes_down: usize) -> Option<Condition> {
    let about = subject(&w.namespace, &w.name);
    let kind = w.kind.as_str();
    if w.kind == WorkloadKind::Job {
        // One that is still retried is not lost; its pods are told of.
        let failed = find(&w.conditions, "Failed").filter(|c| c.status == Some(true))?;
        let text = format!("Job {} failed{}", w.name, said(Some(failed)));
        let key = format!("job/{}/{}", w.namespace, w.name);
        let mut c = Condition::state(about, key, Severity::Warning, text);
        c.signal = "job status";
        c.method = "condition Failed of the Job".into();
        c.seen = Some(f64::from(w.failed));
        c.since = failed.since;
        c.most_ms = Some(JOB_NEWS_MS);
        return Some(c);
    }
    let missing = w.desired.saturating_sub(w.ready);
    if w.kind == WorkloadKind::DaemonSet && missing as usize <= nodes_down {
        return None;
    }
    let progress = find(&w.conditions, "Progressing");
    let unavailable = find(&w.conditions, "Available").filter(|c| c.status == Some(false));
    // The controller ends it itself when nothing moved for its deadline.
    let moves = |c: &ObjectCondition| c.status == Some(true) && c.reason != ROLLED_OUT;
    if unavailable.is_none() && progress.is_some_and(moves) {
        return None;
    }
    let text = format!(
        "{kind} {}: {} of {} replicas ready{}",
        w.name,
        w.ready,
        w.desired,
        said(progress.filter(|c| c.status == Some(false)).or(unavailable))
    );
    let mut key = format!("workload/{kind}/{}/{}", w.namespace, w.name);
    if progress.is_none() && w.is_rolling() {
        // Nobody tells whether it moves: each pod that is replaced gives it ten minutes more.
        key = format!("{key}/{}", w.updated);
    }
    let mut c = Condition::state(about, key, Severity::Critical, text);
    c.signal = "replicas";
    c.seen = Some(f64::from(w.ready));
    c.expected = Some((f64::from(w.desired), f64::from(w.desired)));
    c.method = "fewer replicas ready than wanted for 10 min".into();
    c.since = unavailable.and_then(|c| c.since);
    c.for_ms = TEN_MINUTES_MS;
    // The reason of its pods says more.
    c.weight = 0.9;
    Some(c)
}

pub fn autoscalers<'a>(all: impl Iterator<Item = &'a Autoscaler>) -> Vec<Condition> {
    let bad = all.filter(|a| a.is_degraded());
    bad.map(|a| {
        let kinds = ["AbleToScale", "ScalingActive"];
        let mut falses = kinds.iter().filter_map(|kind| find(&a.conditions, kind));
        let cause = falses.find(|c| c.status == Some(false));
        let text = format!(
            "autoscaler {} cannot scale {} {}{}",
            a.name,
            a.target.0,
            a.target.1,
            said(cause)
        );
        let key = format!("hpa/{}/{}", a.namespace, a.name);
        let about = subject(&a.namespace, &a.target.1);
        let mut c = Condition::state(about, key, Severity::Warning, text);
        c.signal = "autoscaler";
        c.method = "AbleToScale or ScalingActive is False for 10 min".into();
        c.since = cause.and_then(|c| c.since);
        c.for_ms = TEN_MINUTES_MS;
        c.weight = 0.9;
        c
    })
    .collect()
}

/// Claims that are not bound. `waiting`: namespaces with pods that found no place; elsewhere a
/// claim may simply wait for the first pod that uses it, and is told as information.
pub fn claims<'a>(
    all: impl Iterator<Item = &'a Claim>,
    waiting: &BTreeSet<Arc<str>>,
) -> Vec<Condition> {
    let bad = all.filter_map(|claim| {
        let (severity, for_ms) = match claim.phase.as_str() {
            "Lost" => (Severity::Critical, 0),
            "Pending" if waiting.contains(&claim.namespace) => (Severity::Warning, TEN_MINUTES_MS),
            "Pending" => (Severity::Info, TEN_MINUTES_MS),
            _ => return None,
        };
        let class = claim.class.as_deref().unwrap_or("none");
        let text = format!("claim {} is {}, class {class}", claim.name, claim.phase);
        let key = format!("claim/{}/{}/{}", claim.namespace, claim.name, claim.phase);
        let about = Subject::Namespace(claim.namespace.to_string());
        let mut c = Condition::state(about, key, severity, text);
        c.signal = "claim phase";
        c.method = "phase of the PersistentVolumeClaim".into();
        c.for_ms = for_ms;
        if claim.phase == "Pending" {
            c.since = claim.created;
        }
        Some(c)
    });
    bad.collect()
}

/// The same durations as the catalogue's signals of operators, whichever of the two is heard.
pub fn operators<'a>(all: impl Iterator<Item = &'a ClusterOperator>) -> Vec<Condition> {
    let bad = all.filter(|o| o.is_bad());
    bad.map(|o| {
        let gone = find(&o.conditions, "Available").filter(|c| c.status == Some(false));
        let degraded = find(&o.conditions, "Degraded");
        let (severity, word, cause) = match gone {
            Some(_) => (Severity::Critical, "not available", gone),
            None => (Severity::Warning, "degraded", degraded),
        };
        let text = format!("operator {} is {word}{}", o.name, said(cause));
        let key = format!("operator/{}/{word}", o.name);
        let mut c = Condition::state(Subject::Cluster, key, severity, text);
        c.signal = "ClusterOperator";
        c.method = "conditions of the ClusterOperator for 10 min".into();
        c.since = cause.and_then(|c| c.since);
        c.for_ms = TEN_MINUTES_MS;
        c
    })
    .collect()
}

pub fn version(version: Option<&ClusterVersion>) -> Option<Condition> {
    let version = version.filter(|v| is_true(&v.conditions, "Failing"))?;
    let cause = find(&version.conditions, "Failing");
    let text = format!("update to {} is failing{}", version.desired, said(cause));
    let key = "version/failing".to_owned();
    let mut c = Condition::state(Subject::Cluster, key, Severity::Warning, text);
    c.signal = "ClusterVersion";
    c.method = "condition Failing of the ClusterVersion for 10 min".into();
    c.since = cause.and_then(|c| c.since);
    c.for_ms = TEN_MINUTES_MS;
    Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn condition(kind: &str, status: bool) -> ObjectCondition {
        ObjectCondition {
            kind: kind.into(),
            status: Some(status),
            reason: "Why".into(),
            message: "so it is".into(),
            since: Some(Timestamp(7)),
        }
    }

    fn of(kind: WorkloadKind, desired: u32, ready: u32) -> Workload {
        Workload {
            kind,
            namespace: "ran-du".into(),
            name: "du".into(),
            desired,
            ready,
            updated: desired,
            available: ready,
            failed: 0,
            paused: false,
            observed: true,
            generation: 1,
            images: vec![],
            conditions: vec![],
            revision: None,
            instance: None,
            policies: vec![],
            created: None,
        }
    }

    fn texts(found: &[Condition]) -> Vec<(Severity, &str)> {
        found
            .iter()
            .map(|c| (c.severity, c.text.as_str()))
            .collect()
    }

    #[test]
    fn replicas_missing_for_ten_minutes_are_critical() {
        let mut short = of(WorkloadKind::Deployment, 3, 1);
        short.conditions = vec![condition("Available", false)];
        let whole = of(WorkloadKind::StatefulSet, 2, 2);
        let found = workloads([&short, &whole].into_iter(), 0);
        let text = "Deployment du: 1 of 3 replicas ready: Why, so it is";
        assert_eq!(texts(&found), [(Severity::Critical, text)]);
        assert_eq!(
            (found[0].for_ms, found[0].since),
            (600_000, Some(Timestamp(7)))
        );
        // The pods' own rule tells of the same subject, so that both stand in one incident.
        assert_eq!(found[0].subject, subject("ran-du", "du"));
    }

    #[test]
    fn an_update_that_moves_on_is_no_fault() {
        let mut rolling = of(WorkloadKind::Deployment, 100, 80);
        rolling.updated = 40;
        let progress = |status, reason: &str| ObjectCondition {
            reason: reason.into(),
            ..condition("Progressing", status)
        };
        let bad = |w: &Workload| workloads([w].into_iter(), 0).len();
        rolling.conditions = vec![progress(true, "ReplicaSetUpdated")];
        assert_eq!(bad(&rolling), 0);
        rolling.conditions.push(condition("Available", false));
        assert_eq!(bad(&rolling), 1, "fewer than it may lack");
        rolling.conditions = vec![progress(false, "ProgressDeadlineExceeded")];
        assert_eq!(bad(&rolling), 1, "stuck");
        rolling.conditions = vec![progress(true, ROLLED_OUT)];
        assert_eq!(bad(&rolling), 1, "pods fell over after it");
        // Where no condition tells, each pod that is replaced counts.
        let mut set = of(WorkloadKind::StatefulSet, 100, 99);
        set.updated = 40;
        let key = |w: &Workload| workloads([w].into_iter(), 0)[0].key.clone();
        let before = key(&set);
        assert_eq!(before, key(&set));
        set.updated = 41;
        assert_ne!(before, key(&set));
        set.updated = 100;
        assert_eq!(key(&set), "workload/StatefulSet/ran-du/du");
    }

    #[test]
    fn a_daemon_set_lacks_pods_where_nodes_are_down() {
        let daemon = of(WorkloadKind::DaemonSet, 10, 9);
        assert!(workloads([&daemon].into_iter(), 1).is_empty());
        assert_eq!(workloads([&daemon].into_iter(), 0).len(), 1);
    }

    #[test]
    fn a_job_is_lost_when_it_says_so() {
        let mut job = of(WorkloadKind::Job, 1, 0);
        job.failed = 2;
        assert!(workloads([&job].into_iter(), 0).is_empty(), "is retried");
        job.conditions = vec![condition("Failed", true)];
        let found = workloads([&job].into_iter(), 0);
        let text = "Job du failed: Why, so it is";
        assert_eq!(texts(&found), [(Severity::Warning, text)]);
    }

    #[test]
    fn operators_and_version() {
        let operator = |conditions| ClusterOperator {
            name: "dns".into(),
            version: None,
            conditions,
        };
        let all = [
            operator(vec![
                condition("Available", true),
                condition("Degraded", false),
            ]),
            operator(vec![
                condition("Available", true),
                condition("Degraded", true),
            ]),
            operator(vec![
                condition("Available", false),
                condition("Degraded", true),
            ]),
        ];
        let found = operators(all.iter());
        assert_eq!(
            texts(&found),
            [
                (Severity::Warning, "operator dns is degraded: Why, so it is"),
                (
                    Severity::Critical,
                    "operator dns is not available: Why, so it is"
                ),
            ]
        );
        let mut cluster = ClusterVersion {
            name: "version".into(),
            channel: None,
            desired: "4.17.2".into(),
            history: vec![],
            conditions: vec![condition("Failing", false)],
            available_updates: None,
        };
        assert!(version(Some(&cluster)).is_none() && version(None).is_none());
        cluster.conditions = vec![condition("Failing", true)];
        let found = version(Some(&cluster)).map(|c| c.text);
        assert_eq!(
            found.as_deref(),
            Some("update to 4.17.2 is failing: Why, so it is")
        );
    }

    #[test]
    fn claims_wait_for_pods_and_pods_for_claims() {
        let claim = |phase: &str| Claim {
            namespace: "db".into(),
            name: "data-0".into(),
            phase: phase.into(),
            class: Some("lvms".into()),
            capacity: None,
            created: Some(Timestamp(9)),
        };
        let all = [claim("Bound"), claim("Pending"), claim("Lost")];
        let severities = |waiting: &BTreeSet<Arc<str>>| {
            let found = claims(all.iter(), waiting);
            found.iter().map(|c| c.severity).collect::<Vec<_>>()
        };
        let waiting = BTreeSet::from([Arc::from("db")]);
        assert_eq!(
            severities(&waiting),
            [Severity::Warning, Severity::Critical]
        );
        assert_eq!(
            severities(&BTreeSet::new()),
            [Severity::Info, Severity::Critical]
        );
    }

    #[test]
    fn an_autoscaler_that_reads_no_metrics() {
        let mut hpa = Autoscaler {
            namespace: "web".into(),
            name: "web".into(),
            target: ("Deployment".into(), "web".into()),
            min: 1,
            max: 9,
            current: 2,
            desired: 2,
            conditions: vec![
                condition("AbleToScale", true),
                condition("ScalingActive", true),
            ],
        };
        assert!(autoscalers([&hpa].into_iter()).is_empty());
        hpa.conditions = vec![
            condition("AbleToScale", true),
            condition("ScalingActive", false),
        ];
        let found = autoscalers([&hpa].into_iter());
        let text = "autoscaler web cannot scale Deployment web: Why, so it is";
        assert_eq!(texts(&found), [(Severity::Warning, text)]);
    }
}
